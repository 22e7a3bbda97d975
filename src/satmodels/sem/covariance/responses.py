"""Ordered answers as latent responses: from parameters to implied thresholds and correlations, and back.

Behind an ordered column stands a normal response y* = nu + Lambda eta + e that is seen through thresholds tau. Its
unit is not seen: what the data show are the thresholds and correlations of the standardised response,

    delta (tau - mu)    and    delta_i delta_j Sigma_ij,    delta = 1 / sd(y*).

Either the scaling factors delta are parameters and residual variances are what is left of 1 / delta^2 (the *delta*
parameterisation), or residual variances are parameters and delta follows (*theta*). Numbers have delta 1.

References
----------
.. [1] Muthen, B. and Asparouhov, T. (2002). Latent variable analysis with categorical outcomes: multiple-group and
   growth modeling in Mplus. Mplus web notes 4.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.covariance.arrows import GroupArrows, Implied, build_arrows
from satmodels.sem.covariance.table import ParameterTable

Array = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class ResponseArrows(GroupArrows):
    """Arrows of a group with ordered columns, with where its free thresholds and scaling factors stand.

    Attributes
    ----------
    theta : bool
        Whether residual variances are parameters and scaling factors follow.
    ordered : ndarray of int
        The ordered columns.
    first_column : ndarray of int
        The column of each first moment: thresholds of ordered columns, means of the others, column by column.
    is_threshold : ndarray of bool
    rows, others : ndarray of int
        Moments of second order: elements below the diagonal, then the variances of numbers.
    t, t_at : ndarray of int
        Free thresholds: numbers of the parameters, and of the first moments.
    d, d_row : ndarray of int
        Free scaling factors: numbers of the parameters, and of the columns.
    fixed_t, fixed_d : ndarray
        Fixed thresholds (at their first moments) and scaling factors (of all columns).
    """

    theta: bool
    ordered: Ints
    first_column: Ints
    is_threshold: NDArray[np.bool_]
    rows: Ints
    others: Ints
    t: Ints
    t_at: Ints
    d: Ints
    d_row: Ints
    fixed_t: Array
    fixed_d: Array

    @property
    def places(self) -> Ints:
        """Numbers of this group's free parameters, in the order of the derivative columns."""
        return np.concatenate([self.a, self.s, self.m, self.t, self.d])

    def at(self, x: Array) -> Responses:
        """Return the implied moments at a parameter vector."""
        plain = super().at(x)
        tau, delta = self.fixed_t.copy(), self.fixed_d.copy()
        tau[self.t_at] = x[self.t]
        delta[self.d_row] = x[self.d]
        variance = np.diag(plain.sigma)[self.ordered]
        s = plain.s
        if self.theta:
            # of the sign alone hangs whether this can be: see Responses.possible
            delta[self.ordered] = 1 / np.sqrt(np.maximum(np.abs(variance), 1e-300))
        else:  # nothing leaves an ordered column, so its residual is in its own variance only
            s[self.ordered, self.ordered] += 1 / delta[self.ordered] ** 2 - variance
        return Responses(self, plain.a, s, plain.m, plain.b, tau, delta)


class Responses(Implied):
    """Implied moments of one group with ordered columns."""

    def __init__(
        self, arrows: ResponseArrows, a: Array, s: Array, m: Array, b: Array, tau: Array, delta: Array
    ) -> None:
        super().__init__(arrows, a, s, m, b)
        self.responses, self.tau, self.delta = arrows, tau, delta

    @property
    def possible(self) -> bool:
        """Whether every ordered column has a positive variance."""
        at = self.responses.ordered
        return bool((np.diag(self.sigma)[at] > 0).all() and (self.delta[at] > 0).all())

    def threshold(self, column: int, number: int) -> tuple[float, int | None]:
        """Return a threshold (numbered from 1) of a column and its free parameter, None where it is fixed."""
        r = self.responses
        at = np.flatnonzero(r.first_column == column)[number - 1]
        places = r.t[r.t_at == at].tolist()
        return float(self.tau[at]), places[0] if places else None

    @functools.cached_property
    def moments(self) -> Array:
        """Thresholds and means, then correlations and covariances, then variances of numbers."""
        r = self.responses
        column = r.first_column
        mu = self.mu[column]
        first = np.where(r.is_threshold, self.delta[column] * (self.tau - mu), mu)
        second = self.delta[r.rows] * self.delta[r.others] * self.sigma[r.rows, r.others]
        return np.concatenate([first, second])

    @functools.cached_property
    def jacobian(self) -> Array:
        """Derivatives of :attr:`moments`, one column per free parameter of the group."""
        r = self.responses
        u, w, d = self.derivatives()
        base, n_t, n_d = u.shape[1], len(r.t), len(r.d)
        slope = np.zeros((r.n_observed, base + n_t + n_d))  # of the scaling factors
        if r.theta:
            at = r.ordered
            slope[at, :base] = -((self.delta[at] ** 3)[:, None]) * u[at] * w[at]
        else:
            slope[r.d_row, base + n_t + np.arange(n_d)] = 1.0
        column = r.first_column
        first = np.zeros((len(column), slope.shape[1]))
        first[:, :base] = np.where(r.is_threshold, -self.delta[column], 1.0)[:, None] * d[column]
        first[r.t_at, base + np.arange(n_t)] = self.delta[column[r.t_at]]
        gap = np.where(r.is_threshold, self.tau - self.mu[column], 0.0)
        first += gap[:, None] * slope[column]
        i, j = r.rows, r.others
        second = np.zeros((len(i), slope.shape[1]))
        second[:, :base] = (self.delta[i] * self.delta[j])[:, None] * (u[i] * w[j] + u[j] * w[i])
        own = self.sigma[i, j][:, None]
        second += own * (self.delta[j][:, None] * slope[i] + self.delta[i][:, None] * slope[j])
        return np.vstack([first, second])


def arrows_of(table: ParameterTable) -> list[GroupArrows]:
    """Return the arrows of each group, with latent responses where the table has ordered columns."""
    plain = build_arrows(table)
    if not table.ordered:
        return plain
    number = {id(p): k for k, p in enumerate(table.free)}
    return [_with_responses(table, r, group, number) for group, r in enumerate(plain)]


def _with_responses(
    table: ParameterTable, plain: GroupArrows, group: int, number: dict[int, int]
) -> ResponseArrows:
    at = {v: i for i, v in enumerate(table.observed)}
    mine = [p for p in table.parameters if p.group == group]
    thresholds = {(p.lhs, p.rhs): p for p in mine if p.op == "|"}
    firsts: list[tuple[int, str]] = []  # (column, threshold), the mean of a number without
    for v in table.observed:
        names = [f"t{k + 1}" for k in range(sum(lhs == v for lhs, _ in thresholds))]
        firsts += [(at[v], name) for name in (names if v in table.ordered else [""])]
    place = {first: k for k, first in enumerate(firsts)}
    fixed_t, fixed_d = np.zeros(len(firsts)), np.ones(len(at))
    free_t: list[tuple[int, int]] = []
    free_d: list[tuple[int, int]] = []
    for (column, name), p in thresholds.items():
        k = place[at[column], name]
        if p.free:
            free_t.append((number[id(p)], k))
        else:
            fixed_t[k] = p.value or 0.0
    for p in mine:
        if p.op == "~*~" and p.free:
            free_d.append((number[id(p)], at[p.lhs]))
        elif p.op == "~*~":
            fixed_d[at[p.lhs]] = 1.0 if p.value is None else p.value
    t = np.array(free_t, dtype=np.intp).reshape(-1, 2).T
    d = np.array(free_d, dtype=np.intp).reshape(-1, 2).T
    below, left = np.tril_indices(len(at), -1)
    numbers = np.array([at[v] for v in table.observed if v not in table.ordered], dtype=np.intp)
    return ResponseArrows(
        **{f.name: getattr(plain, f.name) for f in fields(GroupArrows)},
        theta=table.theta,
        ordered=np.array([at[v] for v in table.ordered], dtype=np.intp),
        first_column=np.array([column for column, _ in firsts], dtype=np.intp),
        is_threshold=np.array([name != "" for _, name in firsts], dtype=bool),
        rows=np.concatenate([below, numbers]),
        others=np.concatenate([left, numbers]),
        t=t[0],
        t_at=t[1],
        d=d[0],
        d_row=d[1],
        fixed_t=fixed_t,
        fixed_d=fixed_d,
    )


class ResponseDistance:
    """Weighted least squares on all moments of a group with ordered columns: n/2 sum of w (s - sigma)^2.

    Parameters
    ----------
    n : float
        Sample size that the criterion is multiplied with.
    found : ndarray, shape (moments,)
    weight : ndarray, shape (moments,)
        The diagonal of the weight matrix.
    """

    def __init__(self, n: float, found: Array, weight: Array) -> None:
        self.n, self.found, self.weight = n, found, weight

    def value(self, implied: Implied) -> float:
        """Return n/2 F."""
        responses = as_responses(implied)
        if not responses.possible:
            return np.inf
        r = responses.moments - self.found
        return self.n / 2 * float(self.weight @ r**2)

    def slope(self, implied: Implied) -> Array:
        """Return the gradient in the group's free parameters."""
        responses = as_responses(implied)
        return self.n * responses.jacobian.T @ (self.weight * (responses.moments - self.found))

    def information(self, implied: Implied) -> Array:
        """Return the Gauss-Newton matrix."""
        jacobian = as_responses(implied).jacobian
        return self.n * (jacobian.T * self.weight) @ jacobian

    def curvature(self, implied: Implied) -> Array:
        """Return the Gauss-Newton matrix: the criterion is near quadratic where the model fits."""
        return self.information(implied)


def as_responses(implied: Implied) -> Responses:
    """Return implied moments that are known to have ordered columns."""
    assert isinstance(implied, Responses)  # noqa: S101 - the table has ordered columns
    return implied
