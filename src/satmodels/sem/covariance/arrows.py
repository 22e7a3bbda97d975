"""From a vector of parameters to implied moments and back to derivatives: the reticular action model.

All variables stand in one vector v = (observed, constructs) with v = A v + e, cov(e) = S, mean(e) = m
(McArdle and McDonald 1984). With B = (I - A)^-1 and G the observed rows of B, the implied moments are
Sigma = G S G' and mu = G m. Every derivative of Sigma has rank two, dSigma = u w' + w u', so that gradients,
information and Hessians are sums of products of small matrices and the Jacobian is never formed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.covariance.table import ParameterTable
from satmodels.sem.model.rules import RESPONSE_OPERATORS

Array = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class GroupArrows:
    """Where the free parameters of one group stand in A, S and m.

    ``a``, ``s`` and ``m`` are numbers of free parameters (places in the whole vector); the row and
    column arrays beside them say in which cell they stand. ``fixed_a`` and so on hold the fixed cells.
    """

    n_observed: int
    a: Ints
    a_row: Ints
    a_col: Ints
    s: Ints
    s_row: Ints
    s_col: Ints
    m: Ints
    m_row: Ints
    fixed_a: Array
    fixed_s: Array
    fixed_m: Array

    @property
    def places(self) -> Ints:
        """Numbers of this group's free parameters, in the order of the derivative columns."""
        return np.concatenate([self.a, self.s, self.m])

    def scaled(self, scale: Array) -> Self:
        """Return the arrows of the variables divided by ``scale``: only fixed values change."""
        return replace(
            self,
            fixed_a=self.fixed_a * scale / scale[:, None],
            fixed_s=self.fixed_s / np.outer(scale, scale),
            fixed_m=self.fixed_m / scale,
        )

    def units(self, scale: Array, n: int) -> Array:
        """Return t with (parameter in own units) = t * (parameter of the scaled variables)."""
        t = np.ones(n)
        t[self.a] = scale[self.a_row] / scale[self.a_col]
        t[self.s] = scale[self.s_row] * scale[self.s_col]
        t[self.m] = scale[self.m_row]
        return t

    def at(self, x: Array) -> Implied:
        """Return the implied moments at a parameter vector."""
        a, s, m = self.fixed_a.copy(), self.fixed_s.copy(), self.fixed_m.copy()
        a[self.a_row, self.a_col] = x[self.a]
        s[self.s_row, self.s_col] = x[self.s]
        s[self.s_col, self.s_row] = x[self.s]
        m[self.m_row] = x[self.m]
        b = np.linalg.inv(np.eye(len(a)) - a)
        return Implied(self, a, s, m, b)


class Implied:
    """Implied moments of one group at one parameter vector, with their derivatives."""

    def __init__(self, arrows: GroupArrows, a: Array, s: Array, m: Array, b: Array) -> None:
        p = arrows.n_observed
        self.arrows, self.a, self.s, self.m, self.b = arrows, a, s, m, b
        self.cov_all = b @ s @ b.T  # of observed variables and constructs
        self.mean_all = b @ m
        self.sigma = self.cov_all[:p, :p]
        self.mu = self.mean_all[:p]

    def derivatives(self) -> tuple[Array, Array, Array]:
        """Return (U, W, D): dSigma = u w' + w u' and dmu = d, one column per free parameter of the group."""
        r = self.arrows
        g, c = self.b[: r.n_observed], self.cov_all[: r.n_observed]
        p, n_s, n_m = r.n_observed, len(r.s), len(r.m)
        half = np.where(r.s_row == r.s_col, 0.5, 1.0)
        u = np.hstack([g[:, r.a_row], g[:, r.s_row], np.zeros((p, n_m))])
        w = np.hstack([c[:, r.a_col], g[:, r.s_col] * half, np.zeros((p, n_m))])
        d = np.hstack([g[:, r.a_row] * self.mean_all[r.a_col], np.zeros((p, n_s)), g[:, r.m_row]])
        return u, w, d

    def second_order(self, q: Array, v: Array | None) -> Array:
        """Return tr(Q d2Sigma) + v' d2mu for every pair of the group's free parameters.

        Parameters
        ----------
        q : ndarray, shape (observed, observed)
            Symmetric derivative of a function with respect to Sigma.
        v : ndarray, shape (observed,), optional
            Its derivative with respect to mu.
        """
        r = self.arrows
        p, b = r.n_observed, self.b
        n_a, n_s, n_m = len(r.a), len(r.s), len(r.m)
        g = b[:p]
        inner = g.T @ q @ g
        outer = self.cov_all[:, :p] @ q @ g
        h = np.zeros((n_a + n_s + n_m,) * 2)
        i, j = r.a_row, r.a_col
        # two paths i <- j and k <- l: one after the other in either order, and side by side
        chain = outer[np.ix_(j, i)] * b[np.ix_(j, i)].T
        h[:n_a, :n_a] = 2 * (chain + chain.T + inner[np.ix_(i, i)] * self.cov_all[np.ix_(j, j)])
        k, to = r.s_row, r.s_col
        half = np.where(k == to, 0.5, 1.0)
        cross = 2 * half * (inner[np.ix_(i, to)] * b[np.ix_(j, k)] + inner[np.ix_(i, k)] * b[np.ix_(j, to)])
        h[:n_a, n_a : n_a + n_s] = cross
        h[n_a : n_a + n_s, :n_a] = cross.T
        if v is not None:
            reach = g.T @ v
            chain = self.mean_all[j][:, None] * b[np.ix_(j, i)].T * reach[i]
            h[:n_a, :n_a] += chain + chain.T
            cross = reach[i][:, None] * b[np.ix_(j, r.m_row)]
            h[:n_a, n_a + n_s :] += cross
            h[n_a + n_s :, :n_a] += cross.T
        return h


def build_arrows(table: ParameterTable) -> list[GroupArrows]:
    """Return the arrows of each group; cells of exogenous moments are left 0 (see :func:`fill_exogenous`)."""
    names = {v: i for i, v in enumerate((*table.observed, *table.constructs))}
    size = len(names)
    number = {id(p): k for k, p in enumerate(table.free)}
    groups: list[GroupArrows] = []
    for group in range(table.n_groups):
        cells: dict[str, list[tuple[int, int, int]]] = {"a": [], "s": [], "m": []}
        fixed = {"a": np.zeros((size, size)), "s": np.zeros((size, size)), "m": np.zeros((size, 1))}
        for p in table.parameters:
            if p.group != group or p.op in RESPONSE_OPERATORS:
                continue
            matrix, row, col = _cell(p.lhs, p.op, p.rhs, names)
            if p.free:
                cells[matrix].append((number[id(p)], row, col))
            elif p.value is not None:
                fixed[matrix][row, col] = p.value
                if matrix == "s":
                    fixed[matrix][col, row] = p.value
        arrays = {k: np.array(v, dtype=np.intp).reshape(-1, 3).T for k, v in cells.items()}
        groups.append(
            GroupArrows(
                len(table.observed),
                arrays["a"][0],
                arrays["a"][1],
                arrays["a"][2],
                arrays["s"][0],
                arrays["s"][1],
                arrays["s"][2],
                arrays["m"][0],
                arrays["m"][1],
                fixed["a"],
                fixed["s"],
                fixed["m"][:, 0],
            )
        )
    return groups


def fill_exogenous(arrows: GroupArrows, table: ParameterTable, cov: Array, mean: Array) -> GroupArrows:
    """Return the arrows with the moments of the exogenous variables as the data has them."""
    if not table.exogenous:
        return arrows
    at = [table.observed.index(v) for v in table.exogenous]
    s, m = arrows.fixed_s.copy(), arrows.fixed_m.copy()
    s[np.ix_(at, at)] = cov[np.ix_(at, at)]
    if table.means:
        m[at] = mean[at]
    return replace(arrows, fixed_s=s, fixed_m=m)


def _cell(lhs: str, op: str, rhs: str, names: dict[str, int]) -> tuple[str, int, int]:
    if op == "=~":
        return "a", names[rhs], names[lhs]
    if op == "~":
        return "a", names[lhs], names[rhs]
    if op == "~1":
        return "m", names[lhs], 0
    return "s", names[lhs], names[rhs]
