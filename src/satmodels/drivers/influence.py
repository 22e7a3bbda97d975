"""Standard errors of importances: how far they move when the correlations do (delta method).

Every importance is a function f of the correlation matrix P of the drivers and the outcome. With D the
gradient of f (symmetric, zero diagonal) and d the row sums of D * P, one standardised answer x moves f
by x'(D - diag d)x. The variance of that form over n is the squared standard error; over the answers
themselves it holds whatever their distribution is, from moments alone it is 2 tr((HP)²) as for normal
answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from satmodels.drivers.shapley import popcount

Array = NDArray[np.float64]

STEP = 1e-5  # of the central difference; its error is of the order of the step's square
MAX_EXACT_GRADIENT = 10  # 2^10 small regressions; above, random orders of entering
ROWS = 2_048  # answers whose products are held at once: they fit the processor's cache
SAMPLED_ORDERS = 200  # a standard error needs two good digits, not ten


def numeric_gradient(importance: Callable[[Array, Array], Array], joint: Array) -> Array:
    """Return the gradient (p, p + 1, p + 1) of an importance (p values) by central differences."""
    m = len(joint)
    gradient = np.zeros((m - 1, m, m))
    for a in range(m):
        for b in range(a):
            ends: list[Array] = []
            for step in (STEP, -STEP):
                moved = joint.copy()
                moved[a, b] = moved[b, a] = joint[a, b] + step
                ends.append(importance(moved[:-1, :-1], moved[:-1, -1]))
            # half of it at each of the two mirrored places
            gradient[:, a, b] = gradient[:, b, a] = (ends[0] - ends[1]) / (4 * STEP)
    return gradient


def shapley_gradient(joint: Array, *, seed: int = 0) -> Array:
    """Return the gradient (p, p + 1, p + 1) of the Shapley values of R².

    R² of a subset with coefficients b changes by 2 b'dr - b'dR b; averaging over subsets as the Shapley
    value does gives its gradient. From 11 drivers the average is over 200 random orders.
    """
    corr, r = joint[:-1, :-1], joint[:-1, -1]
    p = len(r)
    linear, square = np.zeros((p, p)), np.zeros((p, p, p))
    if p <= MAX_EXACT_GRADIENT:
        members = (np.arange(1 << p)[:, None] >> np.arange(p) & 1).astype(bool)
        b = _coefficients(corr, r, members)
        size = popcount(p)
        weight = np.array([_weight(s, p) for s in range(p)])
        out = np.append(weight, 0.0)[size]  # the driver is not in yet
        last = np.append(0.0, weight)[size]  # the driver came in last
        for j in range(p):
            c = np.where(members[:, j], last, -out)
            linear[j] = c @ b
            square[j] = (b * c[:, None]).T @ b
    else:
        rng = np.random.default_rng(seed)
        for _ in range(SAMPLED_ORDERS // 2):
            order = rng.permutation(p)
            for one in (order, order[::-1]):
                place = np.argsort(one)
                members = place[None, :] < np.arange(p + 1)[:, None]
                b = _coefficients(corr, r, members)
                outer = b[:, :, None] * b[:, None, :]
                linear[one] += b[1:] - b[:-1]
                square[one] += outer[1:] - outer[:-1]
        linear, square = linear / SAMPLED_ORDERS, square / SAMPLED_ORDERS
    gradient = np.zeros((p, p + 1, p + 1))
    gradient[:, :-1, :-1] = -square
    gradient[:, :-1, -1] = gradient[:, -1, :-1] = linear
    gradient[:, np.arange(p), np.arange(p)] = 0.0  # a correlation with itself stays 1
    return gradient


def quadratic_forms(gradient: Array, joint: Array) -> Array:
    """Return the matrices H (p, p + 1, p + 1) with which one standardised answer x moves f by x'Hx."""
    forms = gradient.copy()
    places = np.arange(len(joint))
    forms[:, places, places] -= (gradient * joint).sum(axis=2)
    return forms


def normal_cov(forms: Array, joint: Array, n: float) -> Array:
    """Return the covariance matrix of the importances for normal answers, from the correlations."""
    products = forms @ joint
    return 2 * np.einsum("jab,kba->jk", products, products) / n


def robust_cov(forms: Array, blocks: Iterable[tuple[Array, Array | None]]) -> Array:
    """Return the covariance matrix of the importances from standardised answers and their weights."""
    p, m = len(forms), forms.shape[1]
    # x'Hx is linear in the products of the answers: one matrix product for all forms
    upper = np.triu_indices(m)
    linear = forms[:, upper[0], upper[1]] * np.where(upper[0] == upper[1], 1.0, 2.0)
    total, sum_w = np.zeros((p, p)), 0.0
    for x, w in blocks:
        sum_w += float(len(x)) if w is None else float(w.sum())
        for start in range(0, len(x), ROWS):
            part = np.ascontiguousarray(x[start : start + ROWS].T)
            products = np.concatenate([part[i] * part[i:] for i in range(m)])
            moved = linear @ products
            if w is not None:
                moved = moved * w[start : start + ROWS]
            total += moved @ moved.T
    return total / sum_w**2


def _coefficients(corr: Array, r: Array, members: NDArray[np.bool_]) -> Array:
    """Regress on each subset (rows of members): standardised coefficients, 0 for who is not in it."""
    both = members[:, :, None] & members[:, None, :]
    systems = np.where(both, corr, np.eye(len(r)))
    solved = np.linalg.solve(systems, np.where(members, r, 0.0)[:, :, None])
    return np.asarray(solved[:, :, 0], dtype=np.float64)


def _weight(s: int, p: int) -> float:
    """Return s! (p - 1 - s)! / p! without large factorials."""
    weight = 1.0 / p
    for k in range(s):
        weight *= (k + 1) / (p - 1 - k)
    return weight
