"""What is true in the simulated service company: every figure that a model should find again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

# The ECSI structure: target -> source -> standardised path coefficient; sources before targets
PATHS: dict[str, dict[str, float]] = {
    "Image": {},
    "Expectation": {"Image": 0.50},
    "Quality": {"Expectation": 0.45},
    "Value": {"Expectation": 0.10, "Quality": 0.55},
    "Satisfaction": {"Image": 0.20, "Expectation": 0.05, "Quality": 0.45, "Value": 0.25},
    "Complaints": {"Satisfaction": 0.55},
    "Loyalty": {"Image": 0.15, "Satisfaction": 0.55, "Complaints": 0.10},
}
CONSTRUCTS = tuple(PATHS)

# construct -> item -> loading of the answer before it is rounded to the scale
LOADINGS: dict[str, dict[str, float]] = {
    "Image": {"image_trusted": 0.84, "image_established": 0.78, "image_cares": 0.82, "image_modern": 0.76},
    "Expectation": {"expected_overall": 0.84, "expected_needs": 0.80, "expected_faults": 0.76},
    "Quality": {
        "quality_overall": 0.90,
        "quality_network": 0.82,
        "quality_service": 0.84,
        "quality_billing": 0.76,
        "quality_faults": 0.78,  # asked the other way round: "the service often fails"
    },
    "Value": {"value_for_price": 0.88, "price_for_value": 0.86},
    "Satisfaction": {
        "satisfaction_overall": 0.92,
        "satisfaction_expected": 0.86,
        "satisfaction_ideal": 0.84,
    },
    "Complaints": {"complaint_handling": 1.0},
    "Loyalty": {"loyalty_stay": 0.86, "loyalty_again": 0.84, "loyalty_more": 0.78},
}
REVERSED = ("quality_faults",)

# SERVQUAL: dimension -> weight in quality (correlated drivers), and how far it lies from the other
# dimensions' perceived performance (in standard deviations)
DRIVERS = {
    "reliability": 0.32,
    "responsiveness": 0.22,
    "assurance": 0.14,
    "empathy": 0.07,
    "tangibles": 0.02,
}
DRIVER_CORRELATION = 0.35
GAP_ITEMS = 2  # questions per dimension
GAP_LOADING = 0.85
PERFORMANCE = {
    "reliability": -0.35,
    "responsiveness": -0.15,
    "assurance": 0.10,
    "empathy": 0.0,
    "tangibles": 0.45,
}

# feature -> its class in the standard Kano table, and the share of respondents who see it so
KANO = {
    "fault_repair": ("M", 0.62),
    "clear_bill": ("M", 0.50),
    "network_speed": ("O", 0.60),
    "hotline_wait": ("O", 0.44),
    "usage_app": ("A", 0.46),
    "free_roaming": ("A", 0.64),
    "shop_coffee": ("I", 0.55),
    "phone_ads": ("R", 0.48),
}

# shifts in standard deviations; a segment's customers differ in quality or value for no other reason
REGIONS = {"North": (0.25, 0.20), "South": (0.25, 0.05), "East": (0.25, -0.35), "West": (0.25, 0.10)}
PLANS = {"Basic": (0.45, 0.15), "Plus": (0.35, 0.0), "Premium": (0.20, -0.20)}
INCIDENT = -1.0  # a network failure two thirds into the time; the next month feels half of it

# churn within a month, on the logit scale; complaints and late payments of the three months before
CHURN = {
    "intercept": -4.3,
    "satisfaction": -0.8,
    "complaint": 0.5,
    "unrecovered": 1.1,
    "payment_late": 0.5,
}

# how often each answer of a scale is given, from low to high: skewed to the good end
ANSWERS_10 = (0.015, 0.015, 0.03, 0.045, 0.08, 0.10, 0.17, 0.245, 0.17, 0.13)
ANSWERS_7 = (0.03, 0.05, 0.09, 0.17, 0.26, 0.25, 0.15)
EXPECTED_7 = (0.005, 0.01, 0.025, 0.06, 0.15, 0.33, 0.42)
RECOMMEND_11 = (0.02, 0.01, 0.02, 0.025, 0.035, 0.07, 0.08, 0.13, 0.19, 0.21, 0.21)
RECOMMEND = {"Satisfaction": 0.30, "Loyalty": 0.55}  # weights of the constructs in the answer
EFFORT = {"Quality": 0.65}
CONTACTED = 0.6  # share of respondents who had contact and were asked about the effort


@dataclass(frozen=True)
class ServiceTruth:
    """The truth behind a simulated study.

    Attributes
    ----------
    paths : dict of (target, source) to float
        Standardised path coefficients of the ECSI structure.
    r2 : dict of str to float
        Share of each construct's variance that its sources explain.
    loadings : dict of str to float
        Loading of each item on its construct, before answers are rounded to the scale (rounding to
        ten skewed answers takes about 5 % away).
    constructs : DataFrame
        ``customer`` and the true construct scores of the respondents (mean 0, variance 1 in the
        population), row by row as in the answers.
    nps : float
        NPS to expect from respondents with these construct scores, if all answer with care (-100 to
        100).
    kano : dict of str to str
        The Kano class of each feature (A, O, M, I, R).
    drivers : dict of str to float
        Regression weight of each SERVQUAL dimension in perceived quality (standardised).
    gaps : dict of str to float
        Perception minus expectation of each SERVQUAL dimension, in scale points.
    quality_by_region, value_by_plan : dict of str to float
        Shift of the construct in a segment, in standard deviations, before centring.
    quality_by_month : dict of str to float
        Shift of quality in a month.
    careless : tuple of int
        The customers who answered without reading.
    churn : dict of str to float
        Logit coefficients of leaving within a month.
    hazard : DataFrame
        One row per customer and month at risk: ``customer, month, satisfaction, complaint,
        unrecovered, payment_late, hazard, churned``: the covariates as they truly were at the start of
        the month, and the probability of leaving in it.
    """

    paths: Mapping[tuple[str, str], float]
    r2: Mapping[str, float]
    loadings: Mapping[str, float]
    constructs: pd.DataFrame
    nps: float
    kano: Mapping[str, str]
    drivers: Mapping[str, float]
    gaps: Mapping[str, float]
    quality_by_region: Mapping[str, float]
    value_by_plan: Mapping[str, float]
    quality_by_month: Mapping[str, float]
    careless: tuple[int, ...]
    churn: Mapping[str, float]
    hazard: pd.DataFrame

    def __repr__(self) -> str:
        return f"ServiceTruth({', '.join(self.__dataclass_fields__)})"


def construct_correlations() -> tuple[Array, dict[str, float]]:
    """Return the correlations of the constructs that the paths imply, and each construct's R²."""
    corr = np.eye(len(CONSTRUCTS))
    r2: dict[str, float] = {}
    for j, (target, sources) in enumerate(PATHS.items()):
        b = np.array([sources.get(c, 0.0) for c in CONSTRUCTS[:j]])
        corr[j, :j] = corr[:j, j] = corr[:j, :j] @ b
        if sources:
            r2[target] = float(b @ corr[:j, :j] @ b)
    return corr, r2


def driver_variance() -> float:
    """Return the variance that the SERVQUAL dimensions together give to quality."""
    b = np.array(list(DRIVERS.values()))
    return float((1 - DRIVER_CORRELATION) * (b @ b) + DRIVER_CORRELATION * b.sum() ** 2)


def shift_variance(groups: Mapping[str, tuple[float, float]]) -> float:
    """Return the variance of a segment's shifts; ``groups`` gives (share, shift) of each."""
    share, shift = np.array(list(groups.values())).T
    return float(share @ (shift - share @ shift) ** 2)


def month_shifts(months: int) -> Array:
    """Return the shift of quality in each month."""
    shifts = np.zeros(months)
    incident = 2 * months // 3
    shifts[incident] = INCIDENT
    shifts[incident + 1 : incident + 2] = INCIDENT / 2
    return shifts


def thresholds(answers: Sequence[float]) -> Array:
    """Return the cut points of a standard normal variable that give these shares of answers."""
    at = np.cumsum(answers)[:-1]
    return np.array([NormalDist().inv_cdf(min(p, 1 - 1e-12)) for p in at.tolist()])


def mean_answer(answers: Sequence[float], low: int, shift: float = 0.0) -> float:
    """Return the mean answer when the variable behind it is moved by a shift."""
    below = np.array([NormalDist().cdf(t - shift) for t in thresholds(answers).tolist()])
    share = np.diff(np.concatenate([[0.0], below, [1.0]]))
    return float(share @ np.arange(low, low + len(answers)))


def true_gaps() -> dict[str, float]:
    """Return perception minus expectation of each dimension in the population."""
    expected = mean_answer(EXPECTED_7, 1)
    return {name: mean_answer(ANSWERS_7, 1, PERFORMANCE[name]) - expected for name in DRIVERS}
