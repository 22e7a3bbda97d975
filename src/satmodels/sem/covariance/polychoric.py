"""Thresholds and polychoric correlations of ordered answers.

An ordered answer is taken as a normal variable seen through thresholds. Thresholds come from the margins, each
correlation from its two-way table by maximum likelihood given the thresholds (Olsson 1979), all pairs at once. Where
one of the four cells of two binary columns is empty that would be 1 or -1: half a row is put there, and the margins are
kept, as Savalei (2011) recommends for binary columns, and for these alone. Their covariance matrix is in ``answer_moments``.

References
----------
.. [1] Olsson, U. (1979). Maximum likelihood estimation of the polychoric correlation coefficient.
   Psychometrika 44.
.. [2] Drezner, Z. and Wesolowsky, G. O. (1990). On the computation of the bivariate normal integral. Journal of
   Statistical Computation and Simulation 35.
.. [3] Savalei, V. (2011). What to do about zero frequency cells when estimating polychoric correlations. Structural
   Equation Modeling 18.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from satmodels.errors import DataError, SchemaError

Array = NDArray[np.floating[Any]]
Codes = NDArray[np.intp]
MAX_CATEGORIES = 15  # more answers than this are no ordered categories but numbers
FAR = 9.0  # stands for an infinite threshold
NODES = 40  # of the Gauss-Legendre rule
BOUND = 0.9995  # a correlation is not let nearer to 1
STEPS = 60
ENOUGH = 1e-12
SETTLED = 1e-9
ROUNDING = 1e-14
LEAST = 1e-300
FOR_NONE = 0.5  # rows put into the one empty cell of a table of two binary columns


@dataclass(frozen=True, eq=False)
class Polychoric:
    """Thresholds and polychoric correlations.

    Attributes
    ----------
    columns : tuple of str
    n : int
        Complete rows.
    thresholds : list of ndarray
        Of each column, without the infinite ones.
    corr : ndarray, shape (columns, columns)
    n_dropped : int
    at_bound : tuple of (str, str)
        Pairs whose correlation ran into the bound: their table has empty corners.
    """

    columns: tuple[str, ...]
    n: int
    thresholds: list[Array]
    corr: Array
    n_dropped: int = 0
    at_bound: tuple[tuple[str, str], ...] = ()


def polychoric(rows: Array, columns: tuple[str, ...]) -> Polychoric:
    """Return thresholds and correlations.

    Parameters
    ----------
    rows : ndarray, shape (n, columns)
        Answers, any numbers in the right order; rows with NaN are left out.
    columns : tuple of str

    Raises
    ------
    DataError
        A column is constant, or there are too few rows.
    SchemaError
        A column has more than 15 different answers.
    """
    complete = ~np.isnan(rows).any(axis=1)
    n_dropped = int((~complete).sum())
    rows = rows[complete]
    n, p = rows.shape
    if n <= p:
        raise DataError(f"{n} complete rows can't carry {p} columns", columns=columns)
    codes = np.empty((n, p), dtype=np.intp)
    thresholds: list[Array] = []
    for j, name in enumerate(columns):
        categories = categories_of(rows[:, j], name)
        codes[:, j] = np.searchsorted(categories, rows[:, j])
        thresholds.append(thresholds_of(codes[:, j], len(categories)))
    pairs = np.array([(i, j) for i in range(p) for j in range(i)], dtype=np.intp).reshape(-1, 2)
    rho, bound = correlations(codes, pairs, padded_edges(thresholds))
    corr = np.eye(p)
    corr[pairs[:, 0], pairs[:, 1]] = corr[pairs[:, 1], pairs[:, 0]] = rho
    at_bound = tuple((columns[int(j)], columns[int(i)]) for i, j in pairs[bound])
    return Polychoric(columns, n, thresholds, corr, n_dropped, at_bound)


def categories_of(answers: Array, name: str) -> Array:
    """Return the different answers of an ordered column, lowest first; NaN is none.

    Raises
    ------
    DataError, SchemaError
        There is one answer only, or more than 15.
    """
    values = np.unique(answers[~np.isnan(answers)])
    if len(values) < 2:
        raise DataError(f"every answer is the same in {name!r}: leave it out", columns=[name])
    if len(values) > MAX_CATEGORIES:
        raise SchemaError(
            f"column {name!r} has {len(values)} different answers: ordered= is for scales of up to "
            f"{MAX_CATEGORIES} categories. Treat it as a number.",
            column=name,
            rule=f"at most {MAX_CATEGORIES} categories",
        )
    return values


def thresholds_of(codes: Codes, categories: int, weights: Array | None = None) -> Array:
    """Return the thresholds of one column from its margin; codes below 0 are missing."""
    there = codes >= 0
    share = np.bincount(codes[there], None if weights is None else weights[there], minlength=categories)
    return special.ndtri(np.cumsum(share)[:-1] / share.sum())


def correlations(
    codes: Codes, pairs: Codes, edges: Array, weights: Array | None = None
) -> tuple[Array, NDArray[np.bool_]]:
    """Return the correlation of each pair of columns and whether it ran into the bound.

    Parameters
    ----------
    codes : ndarray of int, shape (n, columns)
        Numbers of the categories; below 0 where missing.
    pairs : ndarray of int, shape (pairs, 2)
    edges : ndarray
        See :func:`padded_edges`.
    weights : ndarray, shape (n,), optional
    """
    tables = _tables(codes, pairs, edges.shape[1] - 1, weights)
    binary = edges[:, 2] >= FAR
    _fill_empty_cells(tables, binary[pairs[:, 0]] & binary[pairs[:, 1]])
    return _correlations(tables, edges[pairs[:, 0]], edges[pairs[:, 1]])


def padded_edges(thresholds: list[Array]) -> Array:
    """Return the thresholds of all columns with infinite ends, padded with further infinite ones."""
    most = max(len(t) for t in thresholds)
    edges = np.full((len(thresholds), most + 2), FAR)
    edges[:, 0] = -FAR
    for j, t in enumerate(thresholds):
        edges[j, 1 : len(t) + 1] = t
    return edges


def _tables(codes: Codes, pairs: Codes, categories: int, weights: Array | None) -> Array:
    tables = np.zeros((len(pairs), categories, categories))
    gaps = bool((codes < 0).any())
    for k, (i, j) in enumerate(pairs):
        flat, w = codes[:, i] * categories + codes[:, j], weights
        if gaps:
            there = (codes[:, i] >= 0) & (codes[:, j] >= 0)
            flat, w = flat[there], None if weights is None else weights[there]
        tables[k] = np.bincount(flat, w, minlength=categories**2).reshape(categories, categories)
    return tables


def _fill_empty_cells(tables: Array, binary: NDArray[np.bool_]) -> None:
    """Put half a row into the empty cell of each binary table that has one, and keep its margins."""
    corner = tables[:, :2, :2]
    for k in np.flatnonzero(binary & ((corner == 0).sum(axis=(1, 2)) == 1)):
        i, j = np.argwhere(corner[k] == 0)[0]
        sign = np.where((np.arange(2)[:, None] == i) == (np.arange(2) == j), 1.0, -1.0)
        corner[k] += sign * min(FOR_NONE, float(corner[k][sign < 0].min()) / 2)


@functools.cache
def _legendre() -> tuple[tuple[float, float], ...]:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return tuple(zip(nodes.tolist(), weights.tolist(), strict=True))


def bivariate_normal(h: Array, k: Array, rho: Array) -> Array:
    """Return P(X < h, Y < k) of standard normal variables with correlation rho."""
    angle = np.arcsin(rho)
    total = special.ndtr(h) * special.ndtr(k)
    squares, product = (h * h + k * k) / 2, h * k
    for x, w in _legendre():
        s = np.sin(angle * (x + 1) / 2)
        total = total + w * angle / (4 * np.pi) * np.exp((product * s - squares) / (1 - s * s))
    return total


def cells(a: Array, b: Array, rho: Array) -> tuple[Array, Array]:
    """Return probabilities of the cells of each pair's table and their derivatives in rho."""
    h, k, r = a[:, :, None], b[:, None, :], rho[:, None, None]
    cumulative = bivariate_normal(h, k, r)
    rest = 1 - r * r
    density = np.exp(-(h * h + k * k - 2 * r * h * k) / (2 * rest)) / (2 * np.pi * np.sqrt(rest))
    return _difference(cumulative), _difference(density)


def _difference(grid: Array) -> Array:
    return grid[:, 1:, 1:] - grid[:, :-1, 1:] - grid[:, 1:, :-1] + grid[:, :-1, :-1]


def _correlations(tables: Array, a: Array, b: Array) -> tuple[Array, NDArray[np.bool_]]:
    n = tables.sum(axis=(1, 2))
    rho = np.zeros(len(tables))
    low, high = np.full(len(tables), -BOUND), np.full(len(tables), BOUND)
    for _ in range(STEPS):
        probability, slope = cells(a, b, rho)
        probability = np.maximum(probability, LEAST)
        score = (tables * slope / probability).sum(axis=(1, 2))
        # categories that a column does not have (padding) have chances of rounding size
        information = n * (slope**2 / np.maximum(probability, ROUNDING)).sum(axis=(1, 2))
        # the log-likelihood has one maximum: the sign of the score brackets it
        low, high = np.where(score > 0, rho, low), np.where(score > 0, high, rho)
        step = rho + score / np.maximum(information, 1e-12)
        # at the end the bracket is as narrow as rounding, and no longer to be believed
        good = ((step > low) & (step < high)) | (np.abs(step - rho) < SETTLED)
        new = np.where(good, step, (low + high) / 2)
        done = np.abs(new - rho).max(initial=0.0) < ENOUGH
        rho = new
        if done:
            break
    return rho, np.abs(rho) > BOUND - 1e-4


def threshold_scores(edges: Array, codes: Codes, size: int) -> Array:
    """Return the derivatives of each row's log-probability in the column's thresholds."""
    cumulative = special.ndtr(edges)
    probability = np.maximum(np.diff(cumulative), LEAST)[codes]
    density = np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi)
    scores = np.zeros((len(codes), size))
    rows = np.arange(len(codes))
    above, below = codes < size, codes > 0
    scores[rows[above], codes[above]] += density[codes[above] + 1] / probability[above]
    scores[rows[below], codes[below] - 1] -= density[codes[below]] / probability[below]
    return scores


def strip_slopes(mine: Array, theirs: Array, rho: float, own: Codes, other: Codes, size: int) -> Array:
    """Return the derivatives of each row's cell probability in the thresholds of one of its columns."""
    root = np.sqrt(1 - rho * rho)
    conditional = special.ndtr((theirs[None, :] - rho * mine[:, None]) / root)
    density = np.exp(-(mine**2) / 2) / np.sqrt(2 * np.pi)
    strip = density[:, None] * np.diff(conditional, axis=1)  # at each threshold, along the other's categories
    result = np.zeros((len(own), size))
    rows = np.arange(len(own))
    above, below = own < size, own > 0
    result[rows[above], own[above]] += strip[own[above] + 1, other[above]]
    result[rows[below], own[below] - 1] -= strip[own[below], other[below]]
    return result
