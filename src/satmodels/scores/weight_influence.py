"""The part of an index's variance that comes from weights estimated on the same answers (delta method).

Derived weights are a function w(S) of the covariances S of some columns. One respondent with the centred
answers d moves S by dd' - S, so weight i by IF_i = d'D_i d - tr(D_i S), where D_i is the gradient of w_i; the
index of group g, sum_i w_i s_ig, moves by its own answer *and* by sum_i s_ig IF_i. The variance is that of
the sum of both over the respondents, under the same design as that of the index with known weights
(linearisation: Deville 1999, Survey Methodology 25(2); Hampel 1974, JASA 69).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.intake.answers import AnswerRule
from satmodels.intake.batches import batches
from satmodels.intake.composite import Composite
from satmodels.intake.composites import CompositeSums, composite_sums
from satmodels.intake.frames import LARGEST_FLOAT, Frame
from satmodels.scores.estimate import Estimates
from satmodels.scores.item_weights import EstimatedWeights
from satmodels.statistics.design import (
    MAX_COVARIANCE,
    Design,
    design_cells,
    sampled_fraction,
    stratum_factor,
    units_per_stratum,
)
from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]
ANY_NUMBER = AnswerRule(-LARGEST_FLOAT, LARGEST_FLOAT, whole=False)
SAME = 1e-8  # relative difference up to which two covariance matrices are of the same answers


def same_answers(data: Frame | Moments, weights: EstimatedWeights, weight: str | None) -> bool:
    """Say whether the weights come from the moments of this data."""
    moments = weights.moments
    if not set(moments.columns) <= set(data.columns):
        return False
    if isinstance(data, Moments):
        found = data.select(moments.columns)
    elif weights.filled:
        found = _with_means(data, moments, weight)
    else:
        found = Moments.collect(data, moments.columns, weight)
    scale = np.sqrt(np.outer(*[np.diag(moments.scatter)] * 2))
    return (found.n, found.weighted) == (moments.n, moments.weighted) and bool(
        np.allclose(found.mean, moments.mean, rtol=SAME, atol=SAME)
        and (np.abs(found.scatter - moments.scatter) <= SAME * scale).all()
    )


def _with_means(frame: Frame, moments: Moments, weight: str | None) -> Moments:
    """Collect moments with missing answers replaced by the means that other moments have."""
    columns = moments.columns
    found = Moments.empty(columns, weighted=weight is not None)
    for block in batches(frame, columns if weight is None else (*columns, weight)):
        rows = block[:, : len(columns)]
        w = None if weight is None else block[:, -1]
        found = found + Moments.of_block(columns, np.where(np.isnan(rows), moments.mean, rows), w)
    return found


def normal_variance(score: Array, weights: EstimatedWeights) -> float:
    """Return the variance that the weights add to an index of normal answers, from moments alone."""
    moments = weights.moments
    moved = np.einsum("i,iab->ab", score, weights.gradient()) @ (moments.scatter / moments.sum_w)
    return float(2 * np.trace(moved @ moved) / moments.n_eff)


def with_estimated_weights(
    estimates: Estimates,
    frame: Frame,
    index: Composite,
    rules: Mapping[str, AnswerRule],
    sums: CompositeSums,
    groups: Sequence[tuple[Any, ...]],
    columns: Sequence[str],
    n_by: int,
    score: Array,
    weights: EstimatedWeights,
    *,
    weight: str | None,
    design: Design | None,
) -> Estimates:
    """Return the estimates with the variance (and covariances) that estimated weights give them.

    Parameters
    ----------
    estimates : Estimates
        Of the index with these weights, as if they were known.
    index : Composite
        The index.
    sums : CompositeSums
        Its sums per cell: per combination of ``columns``, of which the first ``n_by`` group and the others
        are those of the design.
    groups : sequence of tuple
        Keys of the cells with dates turned into periods.
    score : ndarray, shape (groups, items)
        Mean score of each item, 0 to 100.
    """
    gradient = weights.gradient()
    found = composite_sums(
        frame,
        [*_index_and_ones(index, sums.centre), *_influences(weights, gradient)],
        {c: rules.get(c, ANY_NUMBER) for c in weights.moments.columns},
        columns,
        weight,
        crossed=True,
    )
    order = {key: i for i, key in enumerate(found.keys)}
    at = [order[key] for key in sums.keys]
    place = {key: g for g, key in enumerate(estimates.keys)}
    group_keys, parts = design_cells(groups, n_by, design)
    group = np.array([place[key] for key in group_keys], dtype=np.intp)
    # contributions of each cell: own answers (for its group), and the weights' (for all groups)
    total = np.bincount(group, weights=sums.w[:, 0], minlength=len(place))
    middle = np.nan_to_num(estimates.mean - sums.centre)[group]
    per_group = 1 / np.where(total > 0, total, np.inf)[group]
    per_all = 1 / found.w[:, 2].sum()
    own = (sums.wu[:, 0] - middle * sums.w[:, 0]) * per_group
    moved = found.wu[at, 2:] * per_all
    # the second composite is 1 where the index has a value: its products are plain sums over these rows
    both_answered = found.crossed[at, 0, 2:] - middle[:, None] * found.crossed[at, 1, 2:]
    own_moved = both_answered * per_group[:, None] * per_all
    moved_moved = found.crossed[at, 2:, 2:] * per_all**2
    stratum, cluster = parts["stratum"], parts["cluster"]
    rows = sums.rows.astype(float)
    m_h = units_per_stratum(rows, stratum, cluster)
    fraction = sampled_fraction(parts["population"], m_h)
    factor = stratum_factor(m_h, fraction, clustered=cluster is not None)
    k, n_groups, n_strata = len(gradient), len(place), len(m_h)
    own_of, moved_of = np.zeros((n_strata, n_groups)), np.zeros((n_strata, k))
    np.add.at(own_of, (stratum, group), own)
    np.add.at(moved_of, stratum, moved)
    if cluster is None:
        mixed, both = np.zeros((n_groups, k)), np.zeros((k, k))
        np.add.at(mixed, group, factor[stratum][:, None] * own_moved)
        both += np.einsum("c,cij->ij", factor[stratum], moved_moved)
    else:
        n_clusters = int(cluster.max()) + 1
        of, by = np.zeros((n_clusters, n_groups)), np.zeros((n_clusters, k))
        np.add.at(of, (cluster, group), own)
        np.add.at(by, cluster, moved)
        scale = np.zeros(n_clusters)
        scale[cluster] = factor[stratum]
        mixed, both = (of * scale[:, None]).T @ by, (by * scale[:, None]).T @ by
    per_unit = factor / np.maximum(m_h, 1)
    mixed -= (own_of * per_unit[:, None]).T @ moved_of
    both -= (moved_of * per_unit[:, None]).T @ moved_of
    return _widened(estimates, np.nan_to_num(score), mixed, both)


def _index_and_ones(index: Composite, centre: float) -> tuple[Composite, Composite]:
    """Return the index, measured from the centre, and a composite that is 1 where the index has a value."""
    one, *_ = index.coefficients
    return (
        replace(index, offsets={**index.offsets, one: index.offsets[one] - centre}),
        Composite("ones", dict.fromkeys(index.coefficients, 0.0), {one: 1.0}),
    )


def _influences(weights: EstimatedWeights, gradient: Array) -> list[Composite]:
    """Return d'Dd - tr(DS) of each weight as a composite of products of centred answers."""
    moments = weights.moments
    columns = moments.columns
    cov = moments.scatter / moments.sum_w
    pairs = [(a, b) for a in range(len(columns)) for b in range(a + 1)]
    return [
        Composite(
            f"weight {i}",
            dict.fromkeys(columns, 0.0),
            {columns[0]: -float((d * cov).sum())},
            products={(columns[a], columns[b]): float(d[a, b]) * (1 if a == b else 2) for a, b in pairs},
            about=dict(zip(columns, moments.mean.tolist(), strict=True)),
            filled=weights.filled,
        )
        for i, d in enumerate(gradient)
    ]


def _widened(estimates: Estimates, score: Array, mixed: Array, both: Array) -> Estimates:
    """Add the variance of the weights, and what it shares with the answers, to that of known weights."""
    n_groups = len(score)
    known = estimates.std_error**2
    if n_groups > MAX_COVARIANCE:
        added, covariance = (
            2 * (score * mixed).sum(axis=1) + np.einsum("gi,ij,gj->g", score, both, score),
            None,
        )
        variance = known + added
    else:
        base = np.diag(known) if estimates.covariance is None else estimates.covariance
        shared = mixed @ score.T
        covariance = base + shared + shared.T + score @ both @ score.T
        variance = np.diag(covariance)
    variance = np.maximum(variance, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(known > 0, variance / known, 1.0)
    return replace(
        estimates,
        std_error=np.sqrt(variance),
        effective=estimates.effective / ratio if estimates.linearised else estimates.effective,
        deff=None if estimates.deff is None else estimates.deff * ratio,
        covariance=covariance,
    )
