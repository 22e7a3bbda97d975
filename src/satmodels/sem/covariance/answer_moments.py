"""Moments of ordered and numeric answers together, with their asymptotic covariance matrix.

An ordered answer is a normal variable of variance 1 seen through thresholds, a number is seen as it is. Two ordered
answers have a polychoric correlation, an ordered one and a number a polyserial one: maximum likelihood given the
thresholds, mean and variance of each column alone (Olsson, Drasgow and Dorans 1982, two-step). The covariance matrix
of all moments is the sandwich of Muthen (1984) from the scores of the rows.

References
----------
.. [1] Olsson, U., Drasgow, F. and Dorans, N. J. (1982). The polyserial correlation coefficient. Psychometrika 47.
.. [2] Muthen, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous
   latent variable indicators. Psychometrika 49.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from satmodels.errors import DataError
from satmodels.sem.covariance import polychoric as ordered_pairs
from satmodels.sem.covariance.polychoric import BOUND, ENOUGH, FAR, LEAST, STEPS, Polychoric, polychoric

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
    n, n_dropped : int
        Complete rows, and rows left out.
    firsts : list of ndarray
        Of each column the thresholds, or the mean.
    std : ndarray
        Standard deviations (divisor n) of the numbers, 1 for ordered columns.
    corr : ndarray, shape (columns, columns)
        Pearson, polyserial and polychoric correlations.
    rows, others : ndarray of int
        The moments of second order: elements below the diagonal (row by row), then the variances of the numbers.
    first_gamma : ndarray
        n times the variances of ``firsts``, in own units.
    gamma : ndarray
        n times the covariance matrix of the moments of second order of the columns divided by ``std``.
    at_bound : tuple of (str, str)
        Pairs whose correlation ran into the bound.
    """

    columns: tuple[str, ...]
    ordered: tuple[bool, ...]
    n: int
    n_dropped: int
    firsts: list[Array]
    std: Array
    corr: Array
    rows: Places
    others: Places
    first_gamma: Array
    gamma: Array
    at_bound: tuple[tuple[str, str], ...] = ()

    @property
    def found(self) -> Array:
        """The moments of second order of the columns divided by ``std``."""
        return self.corr[self.rows, self.others]

    @property
    def n_firsts(self) -> int:
        """Number of thresholds and means."""
        return sum(len(f) for f in self.firsts)


def answer_moments(rows: Array, columns: tuple[str, ...], ordered: Sequence[bool]) -> AnswerMoments:
    """Return the moments of complete rows.

    Parameters
    ----------
    rows : ndarray, shape (n, columns)
        Answers; rows with NaN are left out.
    columns : tuple of str
    ordered : sequence of bool
        Which columns are ordered.

    Raises
    ------
    DataError
        A column is constant, or there are too few rows.
    SchemaError
        An ordered column has more than 15 different answers.
    """
    is_ordered = np.array(ordered, dtype=bool)
    below, left = np.tril_indices(len(columns), -1)
    numbers = np.flatnonzero(~is_ordered)
    places = np.concatenate([below, numbers]), np.concatenate([left, numbers])
    chosen = np.flatnonzero(is_ordered)
    complete = ~np.isnan(rows).any(axis=1)
    n_dropped = int((~complete).sum())
    x = rows[complete]
    n = len(x)
    if n <= len(columns):
        raise DataError(f"{n} complete rows can't carry {len(columns)} columns", columns=columns)
    found = polychoric(x[:, chosen], tuple(columns[j] for j in chosen), covariance=not len(numbers))
    if not len(numbers):
        q = found.n_thresholds
        return AnswerMoments(
            columns,
            tuple(ordered),
            n,
            n_dropped,
            found.thresholds,
            np.ones(len(columns)),
            found.corr,
            *places,
            np.diag(found.gamma)[:q],
            found.gamma[q:, q:],
            found.at_bound,
        )
    mean, std = np.zeros(len(columns)), np.ones(len(columns))
    mean[numbers], std[numbers] = x[:, numbers].mean(axis=0), x[:, numbers].std(axis=0)
    for j in numbers:
        if not std[j] > 1e-12 * max(1.0, abs(mean[j])):
            raise DataError(f"every answer is the same in {columns[j]!r}: leave it out", columns=[columns[j]])
    z = (x - mean) / std
    corr = np.eye(len(columns))
    corr[np.ix_(chosen, chosen)] = found.corr
    corr[np.ix_(numbers, numbers)] = z[:, numbers].T @ z[:, numbers] / n
    mixed = _Rows(z, found, chosen, numbers)
    at_bound = list(found.at_bound)
    for i in numbers:
        for j in chosen:
            rho = mixed.polyserial(int(j), int(i))
            corr[i, j] = corr[j, i] = rho
            if abs(rho) > BOUND - 1e-4:
                at_bound.append((columns[int(j)], columns[int(i)]))
    influence = mixed.influence(corr, below, left)
    # a covariance moves with its correlation and with the variances of its numbers
    q, k = mixed.n_univariate, len(below)
    second = influence[:, q:].copy()
    for side in (below, left):
        number = ~is_ordered[side]
        second[:, number] += corr[below, left][number] / 2 * influence[:, mixed.variance_at[side[number]]]
    second = np.hstack([second[:, :k], influence[:, mixed.variance_at[numbers]]])
    firsts: list[Array] = [np.array([m]) for m in mean]
    for k, j in enumerate(chosen):
        firsts[int(j)] = found.thresholds[k]
    spread: list[Array] = []
    for start, first, unit in zip(mixed.starts[:-1], firsts, std, strict=True):
        own = influence[:, start : start + len(first)] * unit
        spread.append(n * (own**2).sum(axis=0))
    return AnswerMoments(
        columns,
        tuple(ordered),
        n,
        n_dropped,
        firsts,
        std,
        corr,
        *places,
        np.concatenate(spread),
        n * second.T @ second,
        tuple(at_bound),
    )


class _Rows:
    """Scores of rows: numbers are standardised, ordered answers are codes with thresholds."""

    def __init__(self, z: Array, found: Polychoric, chosen: Places, numbers: Places) -> None:
        self.z, self.thresholds = z, {int(j): found.thresholds[k] for k, j in enumerate(chosen)}
        self.codes = {int(j): np.unique(z[:, j], return_inverse=True)[1].ravel() for j in chosen}
        padded = ordered_pairs._edges(found.thresholds)
        self.edges = {int(j): padded[k] for k, j in enumerate(chosen)}
        sizes = [len(self.thresholds[j]) if j in self.thresholds else 2 for j in range(z.shape[1])]
        self.starts = np.concatenate([[0], np.cumsum(sizes)])
        self.sizes = sizes
        self.n_univariate = int(self.starts[-1])
        self.variance_at = self.starts[:-1] + 1  # of the numbers: mean, then variance

    def bounds(self, j: int) -> tuple[Array, Array]:
        """Return the thresholds below and above each row's answer."""
        return self.edges[j][self.codes[j]], self.edges[j][self.codes[j] + 1]

    def polyserial(self, j: int, i: int) -> float:
        """Return the correlation of ordered column j with number i."""
        low, high = -BOUND, BOUND
        rho = float(np.clip(np.corrcoef(self.codes[j], self.z[:, i])[0, 1], -0.9, 0.9))
        for _ in range(STEPS):
            score = self._polyserial_score(j, i, rho)[0]
            total = float(score.sum())
            low, high = (rho, high) if total > 0 else (low, rho)
            step = rho + total / max(float(score @ score), LEAST)
            new = step if low < step < high else (low + high) / 2
            done = abs(new - rho) < ENOUGH
            rho = new
            if done:
                break
        return rho

    def _polyserial_score(self, j: int, i: int, rho: float) -> tuple[Array, Array, Array, Array, float]:
        """Return the score in rho, the chance of the answer given the number, and what it is made of."""
        root = np.sqrt(1 - rho * rho)
        below, above = self.bounds(j)
        z = self.z[:, i]
        a, b = (below - rho * z) / root, (above - rho * z) / root
        a, b = np.where(below <= -FAR, -np.inf, a), np.where(above >= FAR, np.inf, b)
        # far out to the right the difference of upper tails keeps the digits
        chance = np.where(a > 0, special.ndtr(-a) - special.ndtr(-b), special.ndtr(b) - special.ndtr(a))
        chance = np.maximum(chance, LEAST)
        fa, fb = (np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi) for t in (a, b))
        score = (fb * (above * rho - z) - fa * (below * rho - z)) / root**3 / chance
        return score, chance, fa, fb, float(root)

    def _univariate(self, j: int) -> Array:
        if j in self.codes:
            return ordered_pairs._threshold_scores(self.edges[j], self.codes[j], self.sizes[j])
        return np.stack([self.z[:, j], (self.z[:, j] ** 2 - 1) / 2], axis=1)

    def _pair(self, i: int, j: int, rho: float) -> tuple[Array, Array, Array]:
        """Return the score in rho and the scores in the parameters of column i and of column j."""
        if i not in self.codes and j not in self.codes:
            x, y, rest = self.z[:, i], self.z[:, j], 1 - rho * rho
            score = (rho * rest + (1 + rho * rho) * x * y - rho * (x * x + y * y)) / rest**2
            sides = [
                np.stack([(u - rho * v) / rest, ((u * u - rho * u * v) / rest - 1) / 2], axis=1)
                for u, v in ((x, y), (y, x))
            ]
            return score, sides[0], sides[1]
        if i in self.codes and j in self.codes:
            return self._ordered_pair(i, j, rho)
        if i not in self.codes:
            score, theirs, mine = self._pair(j, i, rho)
            return score, mine, theirs
        score, chance, fa, fb, root = self._polyserial_score(i, j, rho)
        z, codes, size = self.z[:, j], self.codes[i], self.sizes[i]
        tau = np.zeros((len(z), size))
        at = np.arange(len(z))
        above, below = codes < size, codes > 0
        tau[at[above], codes[above]] += (fb / root / chance)[above]
        tau[at[below], codes[below] - 1] -= (fa / root / chance)[below]
        pull = (fb - fa) * rho / root / chance  # minus the derivative in z
        return score, tau, np.stack([z + pull, (z * z - 1) / 2 + pull * z / 2], axis=1)

    def _ordered_pair(self, i: int, j: int, rho: float) -> tuple[Array, Array, Array]:
        a, b = self.edges[i], self.edges[j]
        probability, slope = (
            t[0] for t in ordered_pairs._cells(a[None], b[None], np.array([rho], dtype=float))
        )
        ci, cj = self.codes[i], self.codes[j]
        here = np.maximum(probability, LEAST)[ci, cj]
        mine = ordered_pairs._slab(a, b, rho, ci, cj, self.sizes[i]) / here[:, None]
        theirs = ordered_pairs._slab(b, a, rho, cj, ci, self.sizes[j]) / here[:, None]
        return slope[ci, cj] / here, mine, theirs

    def influence(self, corr: Array, rows: Places, others: Places) -> Array:
        """Return each row's influence on thresholds, means, variances, and correlations."""
        q = self.n_univariate
        scores = np.zeros((len(self.z), q + len(rows)))
        bread = np.zeros((scores.shape[1],) * 2)
        for j in range(self.z.shape[1]):
            at = slice(self.starts[j], self.starts[j + 1])
            own = self._univariate(j)
            scores[:, at] = own
            bread[at, at] = own.T @ own
        for k, (i, j) in enumerate(zip(rows.tolist(), others.tolist(), strict=True)):
            score, mine, theirs = self._pair(i, j, float(corr[i, j]))
            scores[:, q + k] = score
            bread[q + k, q + k] = score @ score
            bread[q + k, self.starts[i] : self.starts[i + 1]] = score @ mine
            bread[q + k, self.starts[j] : self.starts[j + 1]] = score @ theirs
        return scores @ np.linalg.inv(bread).T
