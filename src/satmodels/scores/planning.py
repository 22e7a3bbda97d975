"""How many answers are needed, and what difference a number of answers can detect."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from scipy import special

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, as_number, check_word
from satmodels.intake.library import FrameLibrary
from satmodels.results import Result, Table
from satmodels.scores.difference import check_power
from satmodels.statistics.intervals import check_level, quantile

SCORES = ("nps", "share", "mean")
MAX_N = 1e12
LARGEST_STD = 1e100  # its square is still a number


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class PlanResult(Result):
    """A planned sample.

    Attributes
    ----------
    n : int
        Answers needed; per group where a difference is planned.
    invitations : int
        Invitations to send for them, at the expected response rate; per group likewise.
    margin, difference : float or None
        Half width of the interval, or difference between two groups, in the score's units.
    """

    kind: ClassVar[str] = "plan"
    score: str
    n: int
    invitations: int
    margin: float | None
    difference: float | None
    std: float
    level: float
    power: float | None
    population: int | None
    deff: float
    response_rate: float

    def _glance(self) -> Mapping[str, Any]:
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "library"}

    def _tidy(self) -> Table:
        return Table.from_records([self._glance()])


@checked
def sample_size(
    score: str = "nps",
    *,
    margin: float | None = None,
    difference: float | None = None,
    promoters: float | None = None,
    detractors: float | None = None,
    expected: float | None = None,
    std: float | None = None,
    level: float = 0.95,
    power: float = 0.8,
    population: int | None = None,
    deff: float = 1.0,
    response_rate: float = 1.0,
) -> PlanResult:
    """Compute how many answers a margin of error, or a difference between two groups, needs.

    Parameters
    ----------
    score : {"nps", "share", "mean"}, default "nps"
        Net promoter score (points), a percentage such as CSAT, or a mean or index.
    margin : float, optional
        Half width of the confidence interval, in the score's units. Either this or ``difference``.
    difference : float, optional
        Difference between two groups of equal size that a two-sided test shall find.
    promoters, detractors : float, optional
        Expected percentages; for the NPS, unless ``std`` is given.
    expected : float, optional
        Expected percentage; for a share. Under ``difference`` that of the first group, the second
        having ``expected + difference``.
    std : float, optional
        Standard deviation of single answers; for a mean or index (and the NPS, in points).
    level : float, default 0.95
        Confidence level of the interval; 1 - level is the size of the test.
    power : float, default 0.8
        Chance of finding the difference.
    population : int, optional
        Number of customers there are, for a margin; fewer customers need fewer answers.
    deff : float, default 1
        Expected design effect of weights and clusters.
    response_rate : float, default 1
        Share of invitations that are answered.

    Returns
    -------
    PlanResult
        ``n`` is rounded up.

    Raises
    ------
    ArgumentError
        A parameter is missing, too many, or out of range, or there are fewer customers than invitations needed.

    Notes
    -----
    Margin: n = z² s² / margin², divided by 1 + (n - 1)/population (Cochran 1977). Difference: for the NPS
    n = 2 s² (z_level + z_power)² / d²; for shares the two-sample test of proportions; for means the power of
    the t test (noncentral t): the same as R's power.prop.test and power.t.test.

    Examples
    --------
    >>> import satmodels as sat
    >>> sat.sample_size("nps", margin=5, promoters=45, detractors=20).n
    903
    >>> sat.sample_size("share", difference=5, expected=80).n
    906
    >>> sat.sample_size("mean", difference=0.5, std=2).n
    253
    """
    if (margin is None) == (difference is None):
        raise ArgumentError("give either margin= or difference=")
    _check(level, power, population, deff, response_rate)
    s = _std(score, promoters, detractors, expected, std)
    if margin is not None:
        _positive("margin", margin)
        n = (float(quantile(level)) * s / margin) ** 2 * deff
        if population is not None:
            n = n / (1 + (n - 1) / population)
    else:
        if population is not None:
            raise ArgumentError(
                "population= is for a margin: a difference is about more than these customers"
            )
        gap = _nonzero(difference)
        n = _solve(lambda size: _power(score, size, gap, s, expected, level), power) * deff
    n = max(1, math.ceil(n - 1e-9))
    invitations = math.ceil(n / response_rate - 1e-9)
    if population is not None and invitations > population:
        raise ArgumentError(
            f"{n:,} answers at response_rate={response_rate:g} need {invitations:,} invitations, and there are "
            f"{population:,} customers: allow a larger margin, or get more of them to answer"
        )
    return PlanResult(
        library=FrameLibrary.PANDAS,
        score=score,
        n=n,
        invitations=invitations,
        margin=margin,
        difference=difference,
        std=s,
        level=level,
        power=None if difference is None else power,
        population=population,
        deff=deff,
        response_rate=response_rate,
    )


@checked
def detectable_difference(
    score: str = "nps",
    *,
    n: int,
    promoters: float | None = None,
    detractors: float | None = None,
    expected: float | None = None,
    std: float | None = None,
    level: float = 0.95,
    power: float = 0.8,
    deff: float = 1.0,
) -> PlanResult:
    """Compute the smallest difference that two groups of ``n`` answers each find with the given power.

    Parameters
    ----------
    n : int
        Answers per group.
    score, promoters, detractors, expected, std, level, power, deff
        See :func:`sample_size`.

    Returns
    -------
    PlanResult
        With ``difference``; for a share it is the rise from ``expected``.

    Raises
    ------
    ArgumentError
        A parameter is missing or out of range, or no difference can be found with so few answers.

    Examples
    --------
    >>> import satmodels as sat
    >>> sat.detectable_difference("nps", n=500, promoters=45, detractors=20).difference
    13.581188
    """
    _check(level, power, None, deff, 1.0)
    if as_number("n", n, low=2) != int(n):
        raise ArgumentError(f"n={n!r}: the answers per group are a whole number of at least 2")
    s = _std(score, promoters, detractors, expected, std)
    size = n / deff
    largest = {"nps": 200.0, "share": 100.0 - (expected or 0.0), "mean": 1e6 * s}[score]
    low, high = 0.0, largest
    if _power(score, size, largest, s, expected, level) < power:
        raise ArgumentError(f"{n} answers per group find no difference at all with power {power:g}")
    for _ in range(200):
        middle = (low + high) / 2
        if _power(score, size, middle, s, expected, level) < power:
            low = middle
        else:
            high = middle
    return PlanResult(
        library=FrameLibrary.PANDAS,
        score=score,
        n=int(n),
        invitations=int(n),
        margin=None,
        difference=high,
        std=s,
        level=level,
        power=power,
        population=None,
        deff=deff,
        response_rate=1.0,
    )


def _check(level: float, power: float, population: int | None, deff: float, response_rate: float) -> None:
    check_level(level)
    check_power(power)
    if population is not None and as_number("population", population, low=1) != int(population):
        raise ArgumentError(f"population={population!r} is a whole number of at least 1")
    if not as_number("deff", deff) > 0:
        raise ArgumentError(f"deff={deff!r} is above 0, and 1 for a simple random sample")
    if not 0 < as_number("response_rate", response_rate) <= 1:
        raise ArgumentError(f"response_rate={response_rate!r} lies above 0 and at most at 1")


def _std(
    score: str, promoters: float | None, detractors: float | None, expected: float | None, std: float | None
) -> float:
    """Return the standard deviation of single answers in the score's units."""
    check_word("score", score, SCORES)
    if score == "share":
        if expected is None or not 0 < as_number("expected", expected) < 100 or std is not None:
            raise ArgumentError("a share needs expected=, a percentage between 0 and 100, and no std=")
        return math.sqrt(expected * (100 - expected))
    if score == "nps" and std is None:
        if promoters is None or detractors is None:
            raise ArgumentError("the NPS needs promoters= and detractors= (percentages), or std=")
        promoters, detractors = as_number("promoters", promoters), as_number("detractors", detractors)
        if min(promoters, detractors) < 0 or not 0 < promoters + detractors <= 100:
            raise ArgumentError(f"promoters={promoters!r} and detractors={detractors!r} are no percentages")
        p, d = promoters / 100, detractors / 100
        return 100 * math.sqrt(p + d - (p - d) ** 2)
    if std is None:
        raise ArgumentError("a mean needs std=, the standard deviation of single answers")
    _positive("std", std)
    return as_number("std", std, 0, LARGEST_STD)


def _positive(name: str, value: float) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not (math.isfinite(value) and value > 0)
    ):
        raise ArgumentError(f"{name}={value!r}: give a finite number above 0")


def _nonzero(difference: float | None) -> float:
    if not isinstance(difference, int | float) or not math.isfinite(difference) or difference == 0:
        raise ArgumentError(f"difference={difference!r} is no finite number other than 0")
    return float(difference)


def _power(score: str, n: float, gap: float, s: float, expected: float | None, level: float) -> float:
    """Return the power of the two-sided test with n answers per group, the far tail left out."""
    if score == "share":
        p1 = (expected or 0) / 100
        p2 = p1 + gap / 100
        if not 0 <= p2 <= 1:
            raise ArgumentError(f"expected + difference is {100 * p2:g} %, which is no percentage")
        middle = (p1 + p2) / 2
        z = math.sqrt(n) * abs(p2 - p1) - float(quantile(level)) * math.sqrt(2 * middle * (1 - middle))
        spread = math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
        return float(special.ndtr(z / spread)) if spread > 0 else float(z > 0)
    centre = math.sqrt(n / 2) * abs(gap) / s
    if score == "nps":
        return float(special.ndtr(centre - float(quantile(level))))
    df = 2 * (n - 1)
    if df < 1:
        return 0.0
    value = 1 - float(special.nctdtr(df, centre, float(quantile(level, df))))
    # far out in the noncentral t the normal distribution is exact to many digits
    return value if math.isfinite(value) else float(special.ndtr(centre - float(quantile(level, df))))


def _solve(power_of: Callable[[float], float], power: float) -> float:
    """Return the smallest size, not rounded, that reaches the power."""
    low, high = 1.0, 2.0
    while power_of(high) < power:
        low, high = high, 2 * high
        if high > MAX_N:
            raise ArgumentError("this difference is too small: it needs more than 1e12 answers")
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if power_of(middle) < power else (low, middle)
    return high
