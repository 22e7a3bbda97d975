"""Draws the answers of the simulated service company through the ECSI structure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from satmodels.datasets import service_truth as truth

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# cells (functional, dysfunctional) of each class in the standard Kano table, with the answers that
# people mostly give in front
KANO_CELLS = {
    "A": ((1, 3), (1, 2), (1, 4)),
    "O": ((1, 5),),
    "M": ((2, 5), (3, 5), (4, 5)),
    "I": ((3, 3), (2, 3), (3, 4), (2, 2), (4, 4), (2, 4)),
    "R": ((4, 1), (5, 3), (5, 2), (3, 1), (5, 4)),
    "Q": ((1, 1), (5, 5)),
}
KANO_OTHER = {"A": 0.2, "O": 0.2, "M": 0.2, "I": 0.27, "R": 0.08, "Q": 0.05}  # everybody else's view
DONT_KNOW, REFUSED = 99, 98
DONT_KNOW_SHARE, REFUSED_SHARE = 0.005, 0.0015
STRAIGHT_SHARE, RANDOM_SHARE = 0.035, 0.02  # careless: one answer throughout, or any answer


def draw_constructs(
    rng: np.random.Generator, region: Sequence[str], plan: Sequence[str], month: Ints, months: int
) -> tuple[dict[str, Array], Array]:
    """Draw the construct scores of every customer and the perceived SERVQUAL dimensions.

    Returns
    -------
    constructs : dict of str to ndarray, shape (n,)
    dimensions : ndarray, shape (n, 5)
    """
    n = len(month)
    corr, _ = truth.construct_correlations()
    by_month = truth.month_shifts(months)
    common = rng.standard_normal((n, 1))
    rho = truth.DRIVER_CORRELATION
    dimensions = np.sqrt(rho) * common + np.sqrt(1 - rho) * rng.standard_normal((n, len(truth.DRIVERS)))

    def centred(groups: Mapping[str, tuple[float, float]], member: Sequence[str]) -> Array:
        mean = sum(share * shift for share, shift in groups.values())
        return np.array([groups[g][1] - mean for g in member])

    # what moves a construct besides its sources: (values, variance); the rest of its variance is noise
    moved = {
        "Quality": (
            dimensions @ np.array(list(truth.DRIVERS.values()))
            + centred(truth.REGIONS, region)
            + by_month[month]
            - by_month.mean(),
            truth.driver_variance() + truth.shift_variance(truth.REGIONS) + float(by_month.var()),
        ),
        "Value": (centred(truth.PLANS, plan), truth.shift_variance(truth.PLANS)),
    }
    constructs: dict[str, Array] = {}
    for j, (target, sources) in enumerate(truth.PATHS.items()):
        b = np.array([sources.get(c, 0.0) for c in truth.CONSTRUCTS[:j]])
        explained = float(b @ corr[:j, :j] @ b)
        score = sum((b_ * constructs[c] for c, b_ in sources.items()), np.zeros(n))
        extra, variance = moved.get(target, (np.zeros(n), 0.0))
        constructs[target] = score + extra + np.sqrt(1 - explained - variance) * rng.standard_normal(n)
    return constructs, dimensions


def draw_answers(
    rng: np.random.Generator, constructs: Mapping[str, Array], dimensions: Array
) -> tuple[dict[str, Array | Ints], Ints]:
    """Draw the answers of respondents with these construct scores.

    Returns
    -------
    columns : dict of str to ndarray, shape (n,)
        Codes; effort is NaN where it was not asked.
    careless : ndarray of int
        Positions of the respondents who did not read the questions.
    """
    n = len(dimensions)
    columns: dict[str, Ints] = {}
    scales: dict[str, tuple[int, int]] = {}

    def ask(name: str, x: Array, answers: Sequence[float], low: int) -> None:
        columns[name] = low + np.searchsorted(truth.thresholds(answers), x).astype(np.int64)
        scales[name] = (low, low + len(answers) - 1)

    for construct, loadings in truth.LOADINGS.items():
        for item, loading in loadings.items():
            x = loading * constructs[construct] + np.sqrt(1 - loading**2) * rng.standard_normal(n)
            ask(item, x, truth.ANSWERS_10, 1)
            if item in truth.REVERSED:
                columns[item] = 11 - columns[item]
    for name, weights, shares, low in (
        ("recommend", truth.RECOMMEND, truth.RECOMMEND_11, 0),
        ("effort", truth.EFFORT, truth.ANSWERS_7, 1),
    ):
        score, noise = _mixture(constructs, weights)
        ask(name, score + noise * rng.standard_normal(n), shares, low)
    _draw_gaps(rng, dimensions, ask)
    for feature, (kano_class, share) in truth.KANO.items():
        pair = _draw_pair(rng, n, kano_class, share)
        for name, codes in zip(kano_columns(feature), pair.T, strict=True):
            columns[name], scales[name] = codes, (1, 5)
    careless = _spoil(rng, columns, scales)
    for codes in columns.values():
        u = rng.random(n)
        codes[u < DONT_KNOW_SHARE] = DONT_KNOW
        codes[u > 1 - REFUSED_SHARE] = REFUSED
    given: dict[str, Array | Ints] = dict(columns)
    given["effort"] = np.where(rng.random(n) < truth.CONTACTED, columns["effort"], np.nan)
    return given, careless


def kano_columns(feature: str) -> tuple[str, str]:
    """Return the columns of the functional and the dysfunctional question about a feature."""
    return f"{feature}_with", f"{feature}_without"


def gap_columns(dimension: str, question: int) -> tuple[str, str]:
    """Return the columns of the expectation and the perception in one SERVQUAL question."""
    return f"{dimension}_{question}_expected", f"{dimension}_{question}_perceived"


def expected_nps(constructs: Mapping[str, Array]) -> float:
    """Return the NPS to expect from respondents with these construct scores."""
    score, noise = _mixture(constructs, truth.RECOMMEND)
    detractor, promoter = truth.thresholds(truth.RECOMMEND_11)[[6, 8]].tolist()
    normal = NormalDist(0, noise)
    below = sum(normal.cdf(detractor - s) for s in score.tolist())
    above = sum(normal.cdf(s - promoter) for s in score.tolist())
    return 100 * (above - below) / len(score)


def _mixture(constructs: Mapping[str, Array], weights: Mapping[str, float]) -> tuple[Array, float]:
    """Return a weighted sum of constructs and the standard deviation that brings it to variance 1."""
    corr, _ = truth.construct_correlations()
    w = np.array([weights.get(c, 0.0) for c in truth.CONSTRUCTS])
    score = sum((b * constructs[c] for c, b in weights.items()), np.zeros(len(constructs["Image"])))
    return score, float(np.sqrt(1 - w @ corr @ w))


def _draw_gaps(
    rng: np.random.Generator, dimensions: Array, ask: Callable[[str, Array, Sequence[float], int], None]
) -> None:
    n = len(dimensions)
    demanding = rng.standard_normal(n)  # some expect much of everything
    noise = np.sqrt(1 - truth.GAP_LOADING**2)
    for k, dimension in enumerate(truth.DRIVERS):
        for question in range(1, truth.GAP_ITEMS + 1):
            expected, perceived = gap_columns(dimension, question)
            x = 0.7 * demanding + np.sqrt(1 - 0.7**2) * rng.standard_normal(n)
            ask(expected, x, truth.EXPECTED_7, 1)
            x = truth.GAP_LOADING * dimensions[:, k] + noise * rng.standard_normal(n)
            ask(perceived, x + truth.PERFORMANCE[dimension], truth.ANSWERS_7, 1)


def _draw_pair(rng: np.random.Generator, n: int, kano_class: str, share: float) -> Ints:
    other = {c: p for c, p in KANO_OTHER.items() if c != kano_class}
    classes = [kano_class, *other]
    rest = (1 - share) / sum(other.values())
    seen = rng.choice(len(classes), n, p=[share, *(p * rest for p in other.values())])
    pair = np.zeros((n, 2), dtype=np.int64)
    for k, name in enumerate(classes):
        cells = np.array(KANO_CELLS[name])
        weight = 1.0 / np.arange(1, len(cells) + 1)
        rows = np.flatnonzero(seen == k)
        pair[rows] = cells[rng.choice(len(cells), len(rows), p=weight / weight.sum())]
    return pair


def _spoil(rng: np.random.Generator, columns: dict[str, Ints], scales: Mapping[str, tuple[int, int]]) -> Ints:
    """Let some respondents answer without reading; their positions are returned."""
    n = len(columns["recommend"])
    u = rng.random(n)
    straight = np.flatnonzero(u < STRAIGHT_SHARE)
    any_answer = np.flatnonzero(u > 1 - RANDOM_SHARE)
    place = rng.choice([0.5, 0.75, 1.0], len(straight))  # the middle, fairly good, the top of every scale
    for name, (low, high) in scales.items():
        columns[name][straight] = np.rint(low + place * (high - low)).astype(np.int64)
        columns[name][any_answer] = rng.integers(low, high + 1, len(any_answer))
    return np.sort(np.concatenate([straight, any_answer]))
