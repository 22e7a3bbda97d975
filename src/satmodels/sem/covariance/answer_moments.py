"""Moments of ordered and numeric answers together, with their asymptotic covariance matrix.

An ordered answer is a normal variable of variance 1 seen through thresholds, a number is seen as it is. Two ordered
answers have a polychoric correlation, an ordered one and a number a polyserial one: maximum likelihood given the
thresholds, mean and variance of each column alone (Olsson, Drasgow and Dorans 1982, two-step). The covariance matrix
of all moments is the sandwich of Muthen (1984) from the scores of the rows. A missing answer adds nothing to the
moments of its column, so each is found from all rows that have it ("pairwise"); survey weights weigh the scores.

References
----------
.. [1] Olsson, U., Drasgow, F. and Dorans, N. J. (1982). The polyserial correlation coefficient. Psychometrika 47.
.. [2] Muthen, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous
   latent variable indicators. Psychometrika 49.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from satmodels.errors import DataError
from satmodels.sem.covariance.polychoric import (
    BOUND,
    ENOUGH,
    FAR,
    LEAST,
    SETTLED,
    STEPS,
    categories_of,
    cells,
    correlations,
    padded_edges,
    strip_slopes,
    threshold_scores,
    thresholds_of,
)

Array = NDArray[np.floating[Any]]
Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class AnswerMoments:
    """Thresholds of ordered columns, means of the others, correlations, and their covariance matrix.

    Attributes
    ----------
    columns : tuple of str
    ordered : tuple of bool
        Which columns are ordered.
    n : int
        Rows.
    categories : list of ndarray or None
        The answers of each ordered column, lowest first; None for numbers.
    firsts : list of ndarray
        Of each column the thresholds, or the mean.
    std : ndarray
        Standard deviations (divisor n) of the numbers, 1 for ordered columns.
    corr : ndarray, shape (columns, columns)
        Pearson, polyserial and polychoric correlations.
    rows, others : ndarray of int
        The moments of second order: elements below the diagonal (row by row), then the variances of the numbers.
    gamma : ndarray
        n times the covariance matrix of all moments (``firsts`` column by column, then those of second order) of the
        columns divided by ``std``.
    sum_w : float
        Sum of the weights, n without.
    at_bound : tuple of (str, str)
        Pairs whose correlation ran into the bound.
    """

    columns: tuple[str, ...]
    ordered: tuple[bool, ...]
    n: int
    categories: list[Array | None]
    firsts: list[Array]
    std: Array
    corr: Array
    rows: Places
    others: Places
    gamma: Array
    sum_w: float
    at_bound: tuple[tuple[str, str], ...] = ()

    def scaled(self, scale: Array) -> tuple[Array, Array]:
        """Return all moments of the columns divided by ``scale``, and n times their covariance matrix.

        ``scale`` is 1 for ordered columns.
        """
        own = self.std / scale
        first = np.concatenate(
            [f if o else f / s for f, o, s in zip(self.firsts, self.ordered, scale, strict=True)]
        )
        second = self.corr[self.rows, self.others] * own[self.rows] * own[self.others]
        unit = self.units(own)
        return np.concatenate([first, second]), self.gamma * np.outer(unit, unit)

    def units(self, scale: Array) -> Array:
        """Return the unit of every moment where the columns have the units ``scale``."""
        first = np.repeat(scale, [len(f) for f in self.firsts])
        return np.concatenate([first, scale[self.rows] * scale[self.others]])


def answer_moments(
    rows: Array,
    columns: tuple[str, ...],
    ordered: Sequence[bool],
    *,
    categories: Sequence[Array | None] | None = None,
    weights: Array | None = None,
) -> AnswerMoments:
    """Return the moments of rows.

    Parameters
    ----------
    rows : ndarray, shape (n, columns)
        Answers; NaN where missing.
    columns : tuple of str
    ordered : sequence of bool
        Which columns are ordered.
    categories : sequence of (ndarray or None), optional
        The answers that ordered columns can have; by default those found. All must be there.
    weights : ndarray, shape (n,), optional
        Survey weights.

    Raises
    ------
    DataError
        A column is constant, a pair of columns is never answered together, or there are too few rows.
    SchemaError
        An ordered column has more than 15 different answers.
    """
    if len(rows) <= len(columns):
        raise DataError(f"{len(rows)} complete rows can't carry {len(columns)} columns", columns=columns)
    if categories is None:
        categories = [
            categories_of(rows[:, j], c) if o else None
            for j, (c, o) in enumerate(zip(columns, ordered, strict=True))
        ]
    below, left = np.tril_indices(len(columns), -1)
    numbers = np.flatnonzero(~np.array(ordered, dtype=bool))
    scores = _Scores(rows, columns, categories, weights)
    corr, at_bound = scores.correlations(below, left)
    influence = scores.influence(corr, below, left)
    # a covariance moves with its correlation and with the variances of its numbers
    q, k = scores.n_univariate, len(below)
    second = influence[:, q:].copy()
    for side in (below, left):
        number = np.isin(side, numbers)
        second[:, number] += corr[below, left][number] / 2 * influence[:, scores.starts[side[number]] + 1]
    first = np.setdiff1d(np.arange(q), scores.starts[numbers] + 1)
    whole = np.hstack([influence[:, first], second[:, :k], influence[:, scores.starts[numbers] + 1]])
    return AnswerMoments(
        columns,
        tuple(bool(o) for o in ordered),
        len(rows),
        list(categories),
        [scores.thresholds.get(j, scores.mean[[j]]) for j in range(len(columns))],
        scores.std,
        corr,
        np.concatenate([below, numbers]),
        np.concatenate([left, numbers]),
        len(rows) * whole.T @ whole,
        float(len(rows)) if weights is None else float(weights.sum()),
        at_bound,
    )


class _Scores:
    """Scores of rows: numbers are standardised, ordered answers are codes with thresholds."""

    def __init__(
        self,
        rows: Array,
        columns: tuple[str, ...],
        categories: Sequence[Array | None],
        weights: Array | None,
    ) -> None:
        n, p = rows.shape
        self.columns = columns
        self.there = ~np.isnan(rows)
        self.complete = bool(self.there.all())
        self.plain = weights is None
        self.w = np.ones(n) if weights is None else weights * (n / weights.sum())
        self.codes = np.full((n, p), -1, dtype=np.intp)
        self.z, self.mean, self.std = np.zeros((n, p)), np.zeros(p), np.ones(p)
        self.thresholds: dict[int, Array] = {}
        for j, values in enumerate(categories):
            at = np.flatnonzero(self.there[:, j])
            x, w = rows[at, j], self.w[at]
            if values is not None:
                self.codes[at, j] = np.searchsorted(values, x)
                self.thresholds[j] = thresholds_of(
                    self.codes[:, j], len(values), None if self.plain else self.w
                )
                continue
            mean = float(w @ x) / float(w.sum())
            std = float(np.sqrt(w @ (x - mean) ** 2 / w.sum()))
            if not std > 1e-12 * max(1.0, abs(mean)):
                raise DataError(
                    f"every answer is the same in {columns[j]!r}: leave it out", columns=[columns[j]]
                )
            self.mean[j], self.std[j] = mean, std
            self.z[at, j] = (x - mean) / std
        self.edges = dict(
            zip(self.thresholds, padded_edges(list(self.thresholds.values())), strict=True)
            if self.thresholds
            else ()
        )
        self.sizes = [len(self.thresholds[j]) if j in self.thresholds else 2 for j in range(p)]
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.intp)
        self.n_univariate = int(self.starts[-1])

    # correlations -------------------------------------------------------------------------------

    def correlations(self, rows: Places, others: Places) -> tuple[Array, tuple[tuple[str, str], ...]]:
        """Return the correlation matrix and the pairs whose correlation ran into the bound."""
        corr = np.eye(len(self.columns))
        both = np.array(
            [int(i) in self.edges and int(j) in self.edges for i, j in zip(rows, others, strict=True)]
        )
        pairs = np.stack([rows[both], others[both]], axis=1)
        at_bound: list[tuple[str, str]] = []
        for i, j in zip(rows.tolist(), others.tolist(), strict=True):
            if not self.complete and not (self.there[:, i] & self.there[:, j]).any():
                raise DataError(
                    f"no row has answers in both {self.columns[j]!r} and {self.columns[i]!r}: their correlation "
                    "can't be estimated",
                    columns=(self.columns[j], self.columns[i]),
                )
        if len(pairs):
            place = {j: k for k, j in enumerate(self.edges)}
            chosen = list(self.edges)
            where = np.array([[place[int(i)], place[int(j)]] for i, j in pairs], dtype=np.intp)
            rho, bound = correlations(
                self.codes[:, chosen],
                where,
                np.array([self.edges[j] for j in chosen]),
                None if self.plain else self.w,
            )
            corr[pairs[:, 0], pairs[:, 1]] = corr[pairs[:, 1], pairs[:, 0]] = rho
            at_bound += [(self.columns[int(j)], self.columns[int(i)]) for i, j in pairs[bound]]
        for i, j in zip(rows[~both].tolist(), others[~both].tolist(), strict=True):
            corr[i, j] = corr[j, i] = rho = self._correlation(i, j)
            if abs(rho) > BOUND - 1e-4 and (i in self.edges or j in self.edges):
                at_bound.append((self.columns[j], self.columns[i]))
        return corr, tuple(at_bound)

    def _together(self, i: int, j: int) -> Places:
        return np.flatnonzero(self.there[:, i] & self.there[:, j])

    def _correlation(self, i: int, j: int) -> float:
        """Return the correlation of a pair with a number in it."""
        at = self._together(i, j)
        w = self.w[at]
        if i not in self.edges and j not in self.edges:
            if self.complete:
                return float(w @ (self.z[:, i] * self.z[:, j]) / w.sum())
            start = float(w @ (self.z[at, i] * self.z[at, j]) / w.sum())
            return _root(lambda rho: self._number_pair(i, j, rho, at)[0], w, start)
        j, i = (i, j) if i in self.edges else (j, i)  # j is ordered, i a number
        start = float(np.corrcoef(self.codes[at, j], self.z[at, i])[0, 1])
        return _root(lambda rho: self._polyserial_score(j, i, rho, at)[0], w, start)

    def _polyserial_score(
        self, j: int, i: int, rho: float, at: Places
    ) -> tuple[Array, Array, Array, Array, float]:
        """Return the score in rho, the chance of the answer given the number, and what it is made of."""
        root = np.sqrt(1 - rho * rho)
        below, above = self.edges[j][self.codes[at, j]], self.edges[j][self.codes[at, j] + 1]
        z = self.z[at, i]
        a, b = (below - rho * z) / root, (above - rho * z) / root
        a, b = np.where(below <= -FAR, -np.inf, a), np.where(above >= FAR, np.inf, b)
        # far out to the right the difference of upper tails keeps the digits
        chance = np.where(a > 0, special.ndtr(-a) - special.ndtr(-b), special.ndtr(b) - special.ndtr(a))
        chance = np.maximum(chance, LEAST)
        fa, fb = (np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi) for t in (a, b))
        score = (fb * (above * rho - z) - fa * (below * rho - z)) / root**3 / chance
        return score, chance, fa, fb, float(root)

    # scores of rows -----------------------------------------------------------------------------

    def _univariate(self, j: int, at: Places) -> Array:
        if j in self.edges:
            return threshold_scores(self.edges[j], self.codes[at, j], self.sizes[j])
        z = self.z[at, j]
        return np.stack([z, (z * z - 1) / 2], axis=1)

    def _number_pair(self, i: int, j: int, rho: float, at: Places) -> tuple[Array, Array, Array]:
        x, y, rest = self.z[at, i], self.z[at, j], 1 - rho * rho
        score = (rho * rest + (1 + rho * rho) * x * y - rho * (x * x + y * y)) / rest**2
        sides = [
            np.stack([(u - rho * v) / rest, ((u * u - rho * u * v) / rest - 1) / 2], axis=1)
            for u, v in ((x, y), (y, x))
        ]
        return score, sides[0], sides[1]

    def _mixed_pair(self, i: int, j: int, rho: float, at: Places) -> tuple[Array, Array, Array]:
        """Return the scores of ordered column i and number j."""
        score, chance, fa, fb, root = self._polyserial_score(i, j, rho, at)
        z, codes, size = self.z[at, j], self.codes[at, i], self.sizes[i]
        tau = np.zeros((len(z), size))
        k = np.arange(len(z))
        above, below = codes < size, codes > 0
        tau[k[above], codes[above]] += (fb / root / chance)[above]
        tau[k[below], codes[below] - 1] -= (fa / root / chance)[below]
        pull = (fb - fa) * rho / root / chance  # minus the derivative in z
        return score, tau, np.stack([z + pull, (z * z - 1) / 2 + pull * z / 2], axis=1)

    def _ordered_pair(
        self, i: int, j: int, rho: float, at: Places, probability: Array, slope: Array
    ) -> tuple[Array, Array, Array]:
        a, b = self.edges[i], self.edges[j]
        ci, cj = self.codes[at, i], self.codes[at, j]
        here = np.maximum(probability, LEAST)[ci, cj]
        mine = strip_slopes(a, b, rho, ci, cj, self.sizes[i]) / here[:, None]
        theirs = strip_slopes(b, a, rho, cj, ci, self.sizes[j]) / here[:, None]
        return slope[ci, cj] / here, mine, theirs

    def _pair(
        self, i: int, j: int, rho: float, at: Places, table: tuple[Array, Array] | None
    ) -> tuple[Array, Array, Array]:
        """Return the score in rho and the scores in the parameters of column i and of column j."""
        if table is not None:
            return self._ordered_pair(i, j, rho, at, *table)
        if i in self.edges:
            return self._mixed_pair(i, j, rho, at)
        if j in self.edges:
            score, theirs, mine = self._mixed_pair(j, i, rho, at)
            return score, mine, theirs
        return self._number_pair(i, j, rho, at)

    def influence(self, corr: Array, rows: Places, others: Places) -> Array:
        """Return each row's influence on thresholds, means, variances, and correlations."""
        q = self.n_univariate
        n = len(self.z)
        scores = np.zeros((n, q + len(rows)))
        bread = np.zeros((scores.shape[1],) * 2)
        everyone = np.arange(n)
        for j in range(self.z.shape[1]):
            at = everyone if self.complete else np.flatnonzero(self.there[:, j])
            own = self._univariate(j, at)
            here = slice(self.starts[j], self.starts[j + 1])
            scores[at, here] = own
            bread[here, here] = own.T @ (own * self.w[at, None])
        pairs = list(zip(rows.tolist(), others.tolist(), strict=True))
        both = [(i, j) for i, j in pairs if i in self.edges and j in self.edges]
        tables: dict[tuple[int, int], tuple[Array, Array]] = {}
        if both:
            found = cells(
                np.array([self.edges[i] for i, _ in both]),
                np.array([self.edges[j] for _, j in both]),
                np.array([corr[i, j] for i, j in both]),
            )
            tables = dict(zip(both, zip(*found, strict=True), strict=True))
        for k, (i, j) in enumerate(pairs):
            at = everyone if self.complete else self._together(i, j)
            score, mine, theirs = self._pair(i, j, float(corr[i, j]), at, tables.get((i, j)))
            scores[at, q + k] = score
            weighted = score * self.w[at]
            bread[q + k, q + k] = weighted @ score
            bread[q + k, self.starts[i] : self.starts[i + 1]] = weighted @ mine
            bread[q + k, self.starts[j] : self.starts[j + 1]] = weighted @ theirs
        return (scores * self.w[:, None]) @ np.linalg.inv(bread).T


def _root(score: Callable[[float], Array], w: Array, start: float) -> float:
    """Return the correlation at which the sum of the scores is 0, by scoring steps kept in a bracket."""
    low, high = -BOUND, BOUND
    rho = float(np.clip(start, -0.9, 0.9))
    for _ in range(STEPS):
        rows = score(rho)
        total = float(w @ rows)
        low, high = (rho, high) if total > 0 else (low, rho)
        step = rho + total / max(float(w @ rows**2), LEAST)
        new = step if low < step < high or abs(step - rho) < SETTLED else (low + high) / 2
        done = abs(new - rho) < ENOUGH
        rho = new
        if done:
            break
    return rho
