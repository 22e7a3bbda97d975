"""Confidence intervals for proportions, for the net promoter score, and for means.

Everything works on arrays of groups at once and on fractional counts, so that a weighted sample enters
with its effective size. Proportions are on 0..1 and net scores on -1..1 here; the scores multiply.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from satmodels.errors import ArgumentError, check_word, one_of

Array = NDArray[np.float64]

PROPORTION_METHODS = (
    "wilson",
    "clopper-pearson",
    "agresti-coull",
    "jeffreys",
    "wald",
    "logit",
    "arcsine",
)
NET_METHODS = ("wald", "adjusted-wald", "score")
MEAN_METHODS = ("wald", "t")
# pseudo-answers of the adjusted Wald interval: detractors, passives, promoters (Rocks 2016)
ADJUSTED_WALD = (0.75, 1.5, 0.75)
BISECTIONS = 60  # halves an interval of length 2 below the spacing of floating-point numbers


def check_level(level: float) -> float:
    """Return the confidence level, or raise ArgumentError unless it lies strictly between 0 and 1."""
    if isinstance(level, bool) or not isinstance(level, int | float | np.number) or not 0 < level < 1:
        hint = " Give 0.95 for 95 %." if isinstance(level, int | float) and 1 <= level < 100 else ""
        raise ArgumentError(f"level={level!r} is no confidence level: it lies between 0 and 1.{hint}")
    return float(level)


def quantile(level: float, df: ArrayLike | None = None) -> Array:
    """Return the two-sided normal quantile, or Student's t quantile with ``df`` degrees of freedom.

    Infinite degrees of freedom give the normal quantile; none left (df < 1) give NaN.
    """
    tail = (1 + level) / 2
    if df is None:
        return np.asarray(special.ndtri(tail))
    df = np.asarray(df, dtype=float)
    usable = np.where(df >= 1, df, np.nan)
    return np.where(np.isinf(df), special.ndtri(tail), special.stdtrit(usable, tail))


def two_sided_p(statistic: ArrayLike, df: ArrayLike | None = None) -> Array:
    """Return the two-sided p-value of a z or (with ``df``) a t statistic."""
    size = np.abs(np.asarray(statistic, dtype=float))
    if df is None:
        return 2 * special.ndtr(-size)
    df = np.asarray(df, dtype=float)
    usable = np.where(df >= 1, df, np.nan)
    return np.where(np.isinf(df), 2 * special.ndtr(-size), 2 * special.stdtr(usable, -size))


def proportion_interval(
    x: ArrayLike, n: ArrayLike, *, level: float = 0.95, method: str = "wilson"
) -> tuple[Array, Array]:
    """Return the confidence limits of the proportions x / n.

    Parameters
    ----------
    x, n : array-like
        Number of successes and of trials; fractional for weighted samples. n = 0 gives NaN.
    level : float, default 0.95
        Confidence level.
    method : str, default "wilson"
        - ``"wilson"``: inverts the score test (Wilson 1927); near its level at every n.
        - ``"clopper-pearson"``: inverts the binomial test (Clopper and Pearson 1934); at least its level.
        - ``"agresti-coull"``: Wald about Wilson's centre (Agresti and Coull 1998), clipped to 0..1.
        - ``"jeffreys"``: equal tails of Beta(x + 1/2, n - x + 1/2); 0 at none and 1 at all
          (Brown, Cai and DasGupta 2001).
        - ``"wald"``: p ± z sqrt(p(1-p)/n), clipped to 0..1; too short for small n and extreme p.
        - ``"logit"``, ``"arcsine"``: Wald on the transformed scale; the logit has no limits at none and all.

    Returns
    -------
    low, high : ndarray
        Limits on 0..1.

    Examples
    --------
    >>> low, high = proportion_interval(7, 10)
    >>> round(float(low), 6), round(float(high), 6)
    (0.396778, 0.892209)
    """
    check_level(level)
    if method not in _PROPORTION:
        raise one_of("method", method, PROPORTION_METHODS)
    x, n = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(n, dtype=float))
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = _PROPORTION[method](x, np.where(n > 0, n, np.nan), level)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def _wilson(x: Array, n: Array, level: float) -> tuple[Array, Array]:
    z = quantile(level)
    p = x / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    # the limits at none and all are 0 and 1 exactly, which rounding may miss
    return np.where(x == 0, 0.0 * n, centre - half), np.where(x == n, n / n, centre + half)


def _clopper_pearson(x: Array, n: Array, level: float) -> tuple[Array, Array]:
    tail = (1 - level) / 2
    low = special.betaincinv(np.where(x > 0, x, 1), n - x + 1, tail)
    high = special.betaincinv(x + 1, np.where(x < n, n - x, 1), 1 - tail)
    return np.where(x > 0, low, 0.0 * n), np.where(x < n, high, n / n)


def _agresti_coull(x: Array, n: Array, level: float) -> tuple[Array, Array]:
    z = quantile(level)
    more = n + z**2
    p = (x + z**2 / 2) / more
    half = z * np.sqrt(p * (1 - p) / more)
    return p - half, p + half


def _jeffreys(x: Array, n: Array, level: float) -> tuple[Array, Array]:
    tail = (1 - level) / 2
    low = special.betaincinv(x + 0.5, n - x + 0.5, tail)
    high = special.betaincinv(x + 0.5, n - x + 0.5, 1 - tail)
    return np.where(x > 0, low, 0.0 * n), np.where(x < n, high, n / n)


def _wald(x: Array, n: Array, level: float) -> tuple[Array, Array]:
    p = x / n
    half = quantile(level) * np.sqrt(p * (1 - p) / n)
    return p - half, p + half


def _logit(x: Array, n: Array, level: float) -> tuple[Array, Array]:
    return logit_interval(x / n, np.sqrt(x / n * (1 - x / n) / n), quantile(level))


def _arcsine(x: Array, n: Array, level: float) -> tuple[Array, Array]:
    return arcsine_interval(x / n, np.sqrt(x / n * (1 - x / n) / n), quantile(level))


_PROPORTION: dict[str, Callable[[Any, Any, float], tuple[Array, Array]]] = {
    "wilson": _wilson,
    "clopper-pearson": _clopper_pearson,
    "agresti-coull": _agresti_coull,
    "jeffreys": _jeffreys,
    "wald": _wald,
    "logit": _logit,
    "arcsine": _arcsine,
}


def logit_interval(p: Array, std_error: Array, quantile_: Array) -> tuple[Array, Array]:
    """Return Wald limits on the logit scale; NaN where p is 0 or 1."""
    inside = np.where((p > 0) & (p < 1), p, np.nan)
    half = quantile_ * std_error / (inside * (1 - inside))
    return special.expit(special.logit(inside) - half), special.expit(special.logit(inside) + half)


def arcsine_interval(p: Array, std_error: Array, quantile_: Array) -> tuple[Array, Array]:
    """Return Wald limits on the scale of asin(sqrt(p)); NaN where p is 0 or 1."""
    inside = np.where((p > 0) & (p < 1), p, np.nan)
    angle = np.arcsin(np.sqrt(inside))
    half = quantile_ * std_error / (2 * np.sqrt(inside * (1 - inside)))
    low, high = np.clip(angle - half, 0, np.pi / 2), np.clip(angle + half, 0, np.pi / 2)
    return np.sin(low) ** 2, np.sin(high) ** 2


def net_interval(
    negative: ArrayLike,
    neutral: ArrayLike,
    positive: ArrayLike,
    *,
    level: float = 0.95,
    method: str = "wald",
) -> tuple[Array, Array]:
    """Return the confidence limits of a net share, (positive - negative) / n.

    Parameters
    ----------
    negative, neutral, positive : array-like
        Counts of detractors, passives and promoters; fractional for weighted samples.
    level : float, default 0.95
        Confidence level.
    method : str, default "wald"
        - ``"wald"``: net ± z sqrt((p + d - net²)/n), clipped to -1..1.
        - ``"adjusted-wald"``: Wald after adding 3/4 detractors, 3/2 passives and 3/4 promoters (Rocks 2016;
          Sauro and Lewis 2021), clipped to -1..1; its centre is the shrunken value.
        - ``"score"``: inverts the score test of the trinomial (Tango 1998); best at small n.

    Returns
    -------
    low, high : ndarray
        Limits on -1..1; NaN where n = 0, and for ``"wald"`` where n < 2, as one answer has no spread.

    Examples
    --------
    >>> low, high = net_interval(10, 20, 30, method="adjusted-wald")
    >>> round(float(low), 6), round(float(high), 6)
    (0.133012, 0.501909)
    """
    check_level(level)
    check_word("method", method, NET_METHODS)
    d, m, p = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (negative, neutral, positive)))
    n = d + m + p
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "score":
            low, high = _net_score(d, p, np.where(n > 0, n, np.nan), level)
        else:
            extra = ADJUSTED_WALD if method == "adjusted-wald" else (0.0, 0.0, 0.0)
            least = 0 if method == "adjusted-wald" else 1
            size = np.where(n > least, n + sum(extra), np.nan)
            net = (p + extra[2] - d - extra[0]) / size
            spread = np.maximum((p + extra[2] + d + extra[0]) / size - net**2, 0)
            half = quantile(level) * np.sqrt(spread / size)
            low, high = net - half, net + half
    return np.clip(low, -1, 1), np.clip(high, -1, 1)


def _net_score(d: Array, p: Array, n: Array, level: float) -> tuple[Array, Array]:
    net, z = (p - d) / n, quantile(level)

    def excess(value: Array) -> Array:
        """|observed - value| minus z standard errors under the value: negative inside the interval."""
        return np.abs(net - value) - z * np.sqrt(_restricted_variance(d, p, n, value) / n)

    limits: list[Array] = []
    for end in (-1.0, 1.0):
        inside, outside = net.copy(), np.full_like(net, end)
        for _ in range(BISECTIONS):
            middle = (inside + outside) / 2
            beyond = excess(middle) > 0
            outside, inside = np.where(beyond, middle, outside), np.where(beyond, inside, middle)
        limits.append(np.where(net == end, net, (inside + outside) / 2))
    return limits[0], limits[1]


def _restricted_variance(d: Array, p: Array, n: Array, value: Array) -> Array:
    """Variance of the net share under the most likely trinomial whose net share is ``value`` (Tango 1998)."""
    a = 2 * n
    b = -p - d + (2 * n - p + d) * value
    c = -d * value * (1 - value)
    share = (np.sqrt(np.maximum(b**2 - 4 * a * c, 0)) - b) / (2 * a)  # of detractors
    return np.maximum(2 * share + value * (1 - value), 0)


def mean_interval(
    mean: ArrayLike, std_error: ArrayLike, *, level: float = 0.95, df: ArrayLike | None = None
) -> tuple[Array, Array]:
    """Return mean ± z (or, with ``df``, t) standard errors."""
    check_level(level)
    half = quantile(level, df) * np.asarray(std_error, dtype=float)
    return np.asarray(mean, dtype=float) - half, np.asarray(mean, dtype=float) + half


def rate_interval(events: ArrayLike, exposure: ArrayLike, *, level: float = 0.95) -> tuple[Array, Array]:
    """Return the exact Poisson limits of events per unit of exposure (Garwood 1936); NaN without exposure.

    Examples
    --------
    >>> low, high = rate_interval(3, 100)
    >>> round(float(low), 6), round(float(high), 6)
    (0.006187, 0.087673)
    """
    tail = (1 - check_level(level)) / 2
    x, t = np.broadcast_arrays(np.asarray(events, dtype=float), np.asarray(exposure, dtype=float))
    t = np.where(t > 0, t, np.nan)
    low = np.where(x > 0, special.gammaincinv(np.where(x > 0, x, 1), tail), 0.0)
    return low / t, special.gammaincinv(x + 1, 1 - tail) / t


def median_interval(
    values: ArrayLike, *, level: float = 0.95, counts: ArrayLike | None = None
) -> tuple[float, float]:
    """Return the limits of the median from order statistics; at least ``level``, NaN for too few values.

    The limits are the values of rank k and n + 1 - k, with the largest k that has P(Binomial(n, 1/2) < k)
    at most (1 - level)/2. ``counts`` says how often each value occurred, once unless given.

    Examples
    --------
    >>> median_interval([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    (2.0, 9.0)
    """
    tail = (1 - check_level(level)) / 2
    ordered, up_to = _ordered(values, counts)
    n = int(up_to[-1]) if len(up_to) else 0
    # a little above the normal approximation, and down from there
    k = min(n, int(np.ceil(max(n / 2 - float(quantile(level)) * np.sqrt(n) / 2, 0))) + 2)
    while k > 0 and special.bdtr(k - 1, n, 0.5) > tail:
        k -= 1
    if k < 1:
        return np.nan, np.nan
    return _of_rank(ordered, up_to, k), _of_rank(ordered, up_to, n + 1 - k)


def counted_median(values: ArrayLike, counts: ArrayLike) -> float:
    """Return the median of values of which each occurred so many times; NaN without any."""
    ordered, up_to = _ordered(values, counts)
    n = int(up_to[-1]) if len(up_to) else 0
    if n == 0:
        return np.nan
    return (_of_rank(ordered, up_to, (n + 1) // 2) + _of_rank(ordered, up_to, n // 2 + 1)) / 2


def _ordered(values: ArrayLike, counts: ArrayLike | None) -> tuple[Array, NDArray[np.int64]]:
    """Return values in ascending order, and how many there are up to each."""
    array = np.asarray(values, dtype=float)
    times = np.ones(len(array), dtype=np.int64) if counts is None else np.asarray(counts, dtype=np.int64)
    order = np.argsort(array, kind="stable")
    return array[order], np.cumsum(times[order])


def _of_rank(ordered: Array, up_to: NDArray[np.int64], rank: int) -> float:
    return float(ordered[np.searchsorted(up_to, rank)])
