"""One difference of two independent (or, under a design, dependent) estimates, with its test."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, as_number
from satmodels.statistics.intervals import ADJUSTED_WALD, quantile, two_sided_p

POWER = 0.8
SINGULAR = 1e-10  # smallest eigenvalue of a correlation matrix with an inverse
PER_POINT = 100.0  # net scores and shares are in hundredths
Array = NDArray[np.float64]


def check_power(power: float) -> None:
    """Raise ArgumentError unless the power lies between 0 and 1."""
    if not 0 < as_number("power", power) < 1:
        raise ArgumentError(f"power={power!r} lies between 0 and 1")


@dataclass(frozen=True)
class Side:
    """What is known of one group (NaN is not known) and how it was estimated."""

    kind: Literal["share", "net", "mean"]
    estimate: float
    std_error: float
    n: int
    spread: float
    linearised: bool
    adjusted: bool = False
    net_counts: tuple[float, ...] | None = None  # detractors, passives, promoters
    df: float | None = None


@dataclass(frozen=True)
class Difference:
    """A difference with its test, interval, effect size, and what could have been detected."""

    estimate: float | None = None
    std_error: float | None = None
    statistic: float | None = None
    p_value: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None
    effect_size: float | None = None
    detectable: float | None = None


def difference(
    a: Side, b: Side, *, covariance: float = 0.0, level: float, power: float, df: float = math.inf
) -> Difference:
    """Return a minus b; empty where a side has no estimate or no standard error."""
    if math.isnan(a.std_error) or math.isnan(b.std_error):
        return Difference(None if math.isnan(a.estimate - b.estimate) else a.estimate - b.estimate)
    gap = a.estimate - b.estimate
    error = math.sqrt(max(a.std_error**2 + b.std_error**2 - 2 * covariance, 0.0))
    effect = _effect(a, b)
    if a.linearised or b.linearised:
        if math.isinf(df):  # two samples drawn separately
            df = _separate(a, b)
        return _finish(gap, error, error, df if df >= 1 else math.nan, level, power, effect)
    if a.kind == "share":
        return _finish(gap, error, _pooled(a, b), math.inf, level, power, effect)
    if a.kind == "net":
        if a.adjusted and a.net_counts and b.net_counts:
            (x, v), (y, w) = _with_pseudo_answers(a.net_counts), _with_pseudo_answers(b.net_counts)
            shrunk = _finish(x - y, math.sqrt(v + w), math.sqrt(v + w), math.inf, level, power, effect)
            return replace(shrunk, estimate=gap, std_error=error)
        return _finish(gap, error, error, math.inf, level, power, effect)
    return _finish(gap, error, error, _welch(a, b), level, power, effect)


def from_benchmark(
    side: Side, benchmark: float, benchmark_error: float, *, level: float, power: float
) -> Difference:
    """Return an estimate minus a benchmark."""
    if math.isnan(side.std_error):
        return Difference(None if math.isnan(side.estimate) else side.estimate - benchmark)
    gap = side.estimate - benchmark
    error = math.hypot(side.std_error, benchmark_error)
    effect = gap / math.sqrt(side.spread) if side.spread > 0 else None
    if side.linearised:
        return _finish(gap, error, error, side.df or math.nan, level, power, effect)
    if side.kind == "share":
        p0 = min(max(benchmark / PER_POINT, 0.0), 1.0)
        effect = 2 * (math.asin(math.sqrt(side.estimate / PER_POINT)) - math.asin(math.sqrt(p0)))
        # under the benchmark its own variance holds: the score test, which the Wilson interval inverts
        under = math.hypot(PER_POINT * math.sqrt(p0 * (1 - p0) / side.n), benchmark_error)
        return _finish(gap, error, under, math.inf, level, power, effect)
    if side.kind == "net" and side.adjusted and side.net_counts:
        x, v = _with_pseudo_answers(side.net_counts)
        shrunk_error = math.sqrt(v + benchmark_error**2)
        shrunk = _finish(x - benchmark, shrunk_error, shrunk_error, math.inf, level, power, effect)
        return replace(shrunk, estimate=gap, std_error=error)
    df = math.inf if side.kind == "net" else side.n - 1.0
    return _finish(gap, error, error, df, level, power, effect)


def wald(gap: Array, covariance: Array) -> float | None:
    """Return Wald's chi-square of contrasts; None where their covariance matrix has no inverse."""
    scale = np.sqrt(np.diag(covariance))
    if not (scale > 0).all():
        return None
    correlation = covariance / np.outer(scale, scale)
    if np.linalg.eigvalsh(correlation)[0] < SINGULAR:
        return None
    gap = gap / scale
    return float(gap @ np.linalg.solve(correlation, gap))


def _finish(
    gap: float, error: float, test_error: float, df: float, level: float, power: float, effect: float | None
) -> Difference:
    """Put statistic, p-value, interval and detectable difference together."""
    if math.isnan(df):
        return Difference(gap, error, effect_size=effect)
    half = float(quantile(level, df)) * error
    statistic = gap / test_error if test_error > 0 else None
    # 2 * power - 1 is the level whose two-sided quantile is the one-sided quantile of the power
    reach = float(quantile(level, df)) + float(quantile(abs(2 * power - 1), df)) * (1 if power >= 0.5 else -1)
    return Difference(
        estimate=gap,
        std_error=error,
        statistic=statistic,
        p_value=None if statistic is None else float(two_sided_p(statistic, df)),
        conf_low=gap - half,
        conf_high=gap + half,
        effect_size=effect,
        detectable=reach * error if error > 0 else None,  # no spread says nothing of other samples
    )


def _pooled(a: Side, b: Side) -> float:
    """Return the standard error if both had the same share: z² is then Pearson's chi-square."""
    p = (a.estimate * a.n + b.estimate * b.n) / (a.n + b.n) / PER_POINT
    return PER_POINT * math.sqrt(max(p * (1 - p), 0.0) * (1 / a.n + 1 / b.n))


def _welch(a: Side, b: Side) -> float:
    v, w = a.std_error**2, b.std_error**2
    if v + w == 0:
        return math.nan
    return (v + w) ** 2 / (v**2 / (a.n - 1) + w**2 / (b.n - 1))


def _separate(a: Side, b: Side) -> float:
    """Return Satterthwaite's degrees of freedom: six clusters beside 1,000 answers leave hardly more than six."""
    v, w = a.std_error**2, b.std_error**2
    if v + w == 0:
        return math.nan
    share = 0.0
    for part, side in ((v, a), (w, b)):
        own = side.df if side.linearised else side.n - 1.0 if side.kind == "mean" else math.inf
        if part > 0:
            share += (part / (v + w)) ** 2 / own if own else math.inf
    return 1 / share if share > 0 else math.inf


def _with_pseudo_answers(counts: tuple[float, ...]) -> tuple[float, float]:
    """Return net score and its variance after the pseudo-answers of the adjusted Wald interval."""
    d, m, p = (c + extra for c, extra in zip(counts, ADJUSTED_WALD, strict=True))
    n = d + m + p
    net = (p - d) / n
    return PER_POINT * net, PER_POINT**2 * ((p + d) / n - net**2) / n


def _effect(a: Side, b: Side) -> float | None:
    """Return Cohen's h for shares, else the difference in pooled standard deviations."""
    if a.kind == "share":
        return 2 * (
            math.asin(math.sqrt(min(a.estimate / PER_POINT, 1)))
            - math.asin(math.sqrt(min(b.estimate / PER_POINT, 1)))
        )
    if a.n + b.n <= 2:
        return None
    pooled = (a.n * a.spread + b.n * b.spread) / (a.n + b.n - 2)
    return (a.estimate - b.estimate) / math.sqrt(pooled) if pooled > 0 else None
