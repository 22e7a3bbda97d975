"""Measures of a churn model: ranking, probabilities that come true, and the curves behind them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from satmodels.churn.calibration import fit_sigmoid, log_odds
from satmodels.churn.outcomes import Outcomes, RankedBlocks, block_starts, ranked_blocks

Array = NDArray[np.float64]

CALIBRATION_BINS = 15  # of equal mass, as most published calibration errors
TOP = 0.10  # "top decile"
MOST_BLOCKS = 4000  # for standard errors: finer than any curve can show
REPLICATES = 200
CLIP = 1e-15
STEEPEST = 25.0  # of a calibration line that has not converged


def area_under_curve(blocks: RankedBlocks) -> float:
    """Return the probability that a churner ranks above another customer; ties count half."""
    stay = blocks.weight - blocks.churn
    churn_total, stay_total = blocks.churn.sum(), stay.sum()
    if churn_total <= 0 or stay_total <= 0:
        return float("nan")
    below = stay_total - np.cumsum(stay)
    return float(blocks.churn @ (below + stay / 2) / (churn_total * stay_total))


def average_precision(blocks: RankedBlocks) -> float:
    """Return the area under the precision-recall curve as a step function (as scikit-learn does)."""
    hits, taken = np.cumsum(blocks.churn), np.cumsum(blocks.weight)
    if hits[-1] <= 0:
        return float("nan")
    return float(blocks.churn @ np.divide(hits, taken, out=np.zeros_like(hits), where=taken > 0) / hits[-1])


def recall_at(blocks: RankedBlocks, fraction: float) -> float:
    """Return the share of churners among the ``fraction`` of customers with the highest risk.

    A group of equal risks that straddles the fraction counts in proportion.
    """
    total, churned = blocks.weight.sum(), blocks.churn.sum()
    if churned <= 0:
        return float("nan")
    taken = np.concatenate([[0.0], np.cumsum(blocks.weight)])
    hits = np.concatenate([[0.0], np.cumsum(blocks.churn)])
    return float(np.interp(fraction * total, taken, hits) / churned)


def brier(data: Outcomes) -> float:
    """Return the mean squared difference between risk and outcome."""
    return float(np.average((data.risk - data.y) ** 2, weights=data.weight))


def log_loss(data: Outcomes) -> float:
    """Return the mean negative log-likelihood of the outcomes."""
    p = np.clip(data.risk, CLIP, 1 - CLIP)
    return float(-np.average(np.where(data.y > 0, np.log(p), np.log1p(-p)), weights=data.weight))


def calibration_bins(data: Outcomes, bins: int = CALIBRATION_BINS) -> tuple[Array, Array, Array, Array]:
    """Return mean risk, share that left, weight, and number of rows, in bins of equal mass from the lowest risk.

    Rows of equal risk are in one bin, so that the order of the rows changes nothing. With weights the number of
    rows is that of equal weights that would tell as much, ``sum(w)**2 / sum(w**2)`` (Kish 1965); where customers
    have several rows, at most that of independent rows whose share would vary as theirs does.
    """
    blocks = ranked_blocks(data)
    share = 1 - (np.cumsum(blocks.weight) - blocks.weight / 2) / blocks.weight.sum()
    place = np.clip((share * bins).astype(np.int64), 0, bins - 1)
    mass = np.bincount(place, weights=blocks.weight, minlength=bins).astype(float)
    used = mass > 0
    risk = np.bincount(place, weights=blocks.weight * blocks.score, minlength=bins)
    left = np.bincount(place, weights=blocks.churn, minlength=bins).astype(float)
    n = mass[used]
    if data.weight is not None:
        squares = ranked_blocks(replace(data, weight=data.weight**2)).weight
        n = n**2 / np.bincount(place, weights=squares, minlength=bins)[used]
    if data.customer is not None:
        rows_of_block = np.diff(np.append(block_starts(data.risk[data.order]), len(data.y)))
        bin_of_row = np.repeat(place, rows_of_block)
        n = np.minimum(n, _independent_rows(data, data.customer, bin_of_row, left, mass)[used])
    return risk[used] / mass[used], left[used] / mass[used], mass[used], n


def _independent_rows(
    data: Outcomes, customer: NDArray[np.int64], bin_of_row: NDArray[np.int64], left: Array, mass: Array
) -> Array:
    """Return p(1 - p) / var(p) of the share p that left in each bin, customers drawn with all their rows."""
    bins, order = len(mass), data.order
    p = np.divide(left, mass, out=np.zeros(bins), where=mass > 0)
    pull = data.y[order] - p[bin_of_row]
    if data.weight is not None:
        pull = pull * data.weight[order]
    cells, place = np.unique(customer[order] * bins + bin_of_row, return_inverse=True)
    together = np.bincount(place, weights=pull)
    bin_of_cell = cells % bins
    variance = np.bincount(bin_of_cell, weights=together**2, minlength=bins)
    # where all left or none did, nothing varies: as many as there are customers
    n = np.bincount(bin_of_cell, minlength=bins).astype(float)
    np.divide(p * (1 - p) * mass**2, variance, out=n, where=variance > 1e-12)
    return n


def calibration_error(data: Outcomes, bins: int = CALIBRATION_BINS) -> float:
    """Return the expected calibration error: the mean distance of risk and share that left over the bins."""
    risk, left, mass, _ = calibration_bins(data, bins)
    return float(np.average(np.abs(risk - left), weights=mass))


def calibration_line(data: Outcomes) -> tuple[float, float, float, float]:
    """Return slope and intercept of the outcome's log-odds on the risk's, and their standard errors."""
    weight = np.ones(len(data.y)) if data.weight is None else data.weight
    nothing = float("nan")
    if len(np.unique(data.y)) < 2 or len(np.unique(data.risk)) < 2:
        return nothing, nothing, nothing, nothing
    slope, intercept, covariance = fit_sigmoid(
        log_odds(data.risk), data.y, weight, data.customer, prior=False
    )
    if abs(slope) > STEEPEST:  # the risks separate the outcomes: there is no finite line
        return nothing, nothing, nothing, nothing
    slope_se, intercept_se = np.sqrt(np.diag(covariance)).tolist()
    return slope, intercept, slope_se, intercept_se


def compressed(data: Outcomes) -> RankedBlocks:
    """Return at most some thousand blocks of neighbouring risks, for standard errors."""
    blocks = ranked_blocks(data)
    if len(blocks.score) <= MOST_BLOCKS:
        return blocks
    edges = np.linspace(0, len(blocks.score), MOST_BLOCKS, endpoint=False).astype(np.int64)
    return RankedBlocks(
        blocks.score[edges],
        np.add.reduceat(blocks.churn, edges),
        np.add.reduceat(blocks.weight, edges),
    )


def resampled(data: Outcomes, seed: int = 0) -> list[RankedBlocks]:
    """Draw Poisson bootstrap replicates: each row, or each customer with all rows, is there Poisson(1) times."""
    rng = np.random.default_rng(seed)
    if data.customer is not None:
        return _resampled_customers(data, data.customer, rng)
    blocks = compressed(data)
    stay = np.maximum(blocks.weight - blocks.churn, 0.0)
    churn_unit = stay_unit = np.ones(len(stay))
    if data.weight is not None:
        squares = compressed(replace(data, weight=data.weight**2))
        churn_unit = _unit(squares.churn, blocks.churn)
        stay_unit = _unit(squares.weight - squares.churn, stay)
    made: list[RankedBlocks] = []
    for _ in range(REPLICATES):
        # a block of k rows is there Poisson(k) times in all
        churn = rng.poisson(blocks.churn / churn_unit) * churn_unit
        weight = churn + rng.poisson(stay / stay_unit) * stay_unit
        made.append(RankedBlocks(blocks.score, churn.astype(float), weight.astype(float)))
    return made


def _unit(squares: Array, sums: Array) -> Array:
    """Return the weight of one draw, with which a block's sum varies as that of its rows drawn one by one would.

    Rows of the weights w, each there Poisson(1) times, have a sum of the mean sum(w) and the variance sum(w**2).
    """
    return np.divide(squares, sums, out=np.ones(len(sums)), where=(sums > 0) & (squares > 0))


def _resampled_customers(
    data: Outcomes, customer: NDArray[np.int64], rng: np.random.Generator
) -> list[RankedBlocks]:
    order = data.order
    score = data.risk[order]
    starts = block_starts(score)
    weight = np.ones(len(score)) if data.weight is None else data.weight[order]
    who, y = customer[order], data.y[order]
    n_customers = int(customer.max()) + 1
    made: list[RankedBlocks] = []
    for _ in range(REPLICATES):
        drawn = rng.poisson(1.0, n_customers)[who] * weight
        made.append(
            RankedBlocks(score[starts], np.add.reduceat(drawn * y, starts), np.add.reduceat(drawn, starts))
        )
    return made
