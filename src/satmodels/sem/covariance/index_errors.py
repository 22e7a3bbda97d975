"""How sure an index from 0 to 100 is: the covariance of the items' means and of the weights that the model gives them.

The index of a construct is sum_i v_i (mean_i - low_i) / (high_i - low_i) * 100 with v = u / sum(u) and u = S_b^-1 l,
S_b the covariances of its items and l their loadings (regression weights). It is a function of the moments and of the
parameters, which are a function of the moments again, so the delta method needs n times the covariance matrix Gamma of
the moments and their covariance with the parameters: D V for maximum likelihood of normal rows (V the covariance matrix
of the parameters), Gamma W D (D' W D)^-1 by sandwich.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.covariance.casewise import moment_scores, score_products
from satmodels.sem.covariance.fitting import Fit
from satmodels.sem.covariance.normal_moments import normal_gamma, normal_weight
from satmodels.sem.covariance.residual_moments import fourth_moments_of, moment_derivatives
from satmodels.sem.covariance.samples import Sample
from satmodels.sem.summary import GroupSummary

Array = NDArray[np.floating[Any]]


def index_covariances(
    fit: Fit, summaries: Sequence[GroupSummary], vcov: Array, *, robust: bool
) -> tuple[dict[str, Array], ...]:
    """Return, for each group and construct, the covariance matrix of (means, weights) of its items.

    Parameters
    ----------
    fit : Fit
        By maximum likelihood, its samples with their rows where ``robust`` or where answers are missing.
    summaries : sequence of GroupSummary
        Constructs and their items.
    vcov : ndarray
        Covariance matrix of the free parameters, own units.
    robust : bool
        Whether moments vary as the rows do, or as normal rows would.
    """
    names = {v: i for i, v in enumerate((*fit.table.observed, *fit.table.constructs))}
    deltas = moment_derivatives(fit.table, fit.implied, means=True) if robust else []
    inner = _inner(fit, deltas) if robust else None
    found: list[dict[str, Array]] = []
    for g, (sample, implied, summary) in enumerate(zip(fit.samples, fit.implied, summaries, strict=True)):
        p, r = len(sample.cov), implied.arrows
        whole = _gamma(sample, robust) if robust or sample.patterns is not None else None
        u, w, d = implied.derivatives()
        # of the group's moments with the parameters
        all_between = None if inner is None or whole is None else whole @ _weight(sample) @ deltas[g] @ inner
        group: dict[str, Array] = {}
        for c, construct in enumerate(summary.constructs):
            block = summary.block(c)
            if not block:
                continue
            size = len(block)
            at = np.array(block)
            one, other = np.tril_indices(size)
            first, second = np.maximum(at[one], at[other]), np.minimum(at[one], at[other])
            mine = np.concatenate(
                [at, p + first * (first + 1) // 2 + second]
            )  # means and covariances of the items
            gamma = normal_gamma(sample.cov[np.ix_(at, at)]) if whole is None else whole[np.ix_(mine, mine)]
            if all_between is None:
                slopes = np.vstack([d[at] * fit.table.means, u[first] * w[second] + u[second] * w[first]])
                between = slopes @ vcov[r.places]
            else:
                between = all_between[mine]
            moved = np.zeros((size, len(vcov)))
            loadings = np.ones(1)  # a column that stands for itself
            if construct in fit.table.constructs:
                loadings = implied.a[at, names[construct]]
                for place, row, column in zip(r.a, r.a_row, r.a_col, strict=True):
                    if column == names[construct] and row in block:
                        moved[block.index(int(row)), place] = 1.0
            by_moments, by_parameters = _weights_moved(sample.cov[np.ix_(at, at)], loadings, moved)
            jacobian = np.zeros((2 * size, len(gamma)))
            jacobian[np.arange(size), np.arange(size)] = 1.0
            jacobian[size:, size:] = by_moments
            along = np.vstack([np.zeros_like(by_parameters), by_parameters])
            cross = jacobian @ between @ along.T
            group[construct] = (
                jacobian @ gamma @ jacobian.T / sample.n + cross + cross.T + along @ vcov @ along.T
            )
        found.append(group)
    return tuple(found)


def _inner(fit: Fit, deltas: list[Array]) -> Array:
    k = fit.ties.k
    bread = sum(s.n * (d @ k).T @ _weight(s) @ (d @ k) for s, d in zip(fit.samples, deltas, strict=True))
    return k @ np.linalg.pinv(np.asarray(bread), hermitian=True) @ k.T


def _weight(sample: Sample) -> Array:
    if sample.patterns is not None:
        return sample.saturated_information / sample.n
    return normal_weight(sample.cov, means=True)


def _gamma(sample: Sample, robust: bool) -> Array:
    if sample.patterns is None:
        return fourth_moments_of(sample, True, []) if robust else normal_gamma(sample.cov)
    weight = _weight(sample)
    unit = np.sqrt(np.diag(weight))
    inverse = np.linalg.inv(weight / np.outer(unit, unit)) / np.outer(unit, unit)
    if not robust:
        return inverse
    scores = moment_scores(sample, sample.cov, sample.mean, means=True)
    return inverse @ (score_products(sample, scores) / sample.n) @ inverse


def _weights_moved(within: Array, loadings: Array, moved: Array) -> tuple[Array, Array]:
    """Return the derivatives of the normalised weights in the items' covariances and in the parameters."""
    inverse = np.linalg.inv(within)
    raw = inverse @ loadings
    total = raw.sum()
    i, j = np.tril_indices(len(within))
    by_moments = -inverse[:, i] * raw[j] - inverse[:, j] * raw[i] * (i != j)
    normal = np.eye(len(within)) - np.outer(raw / total, np.ones(len(within)))
    return normal @ by_moments / total, normal @ inverse @ moved / total
