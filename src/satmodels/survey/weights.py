"""Survey weights: raking and post-stratification to known margins, trimming, and what weights cost.

Raking is iterative proportional fitting (Deming and Stephan 1940). It runs on the few distinct
combinations of the margins' categories, so its cost hardly depends on the number of respondents.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, ConvergenceError, DataError, SchemaError, as_whole, near_matches
from satmodels.intake.batches import matrix
from satmodels.intake.cells import check_weight
from satmodels.intake.frames import OFFENDERS, Frame, open_frame
from satmodels.intake.library import FrameLibrary
from satmodels.intake.rules import is_missing
from satmodels.results import Result, Table

Array = NDArray[np.float64]

TOLERANCE = 1e-12  # largest relative distance from a margin
MAX_ITERATIONS = 10_000
SAME_TOTAL = 1e-6  # margins whose totals differ by more, relatively, contradict each other


@checked
def rake(
    frame: Any,
    margins: Mapping[str, Mapping[Any, float]],
    weight: str | None = None,
    *,
    max_iter: int = MAX_ITERATIONS,
) -> Array:
    """Weight respondents so that the sample has known margins.

    Parameters
    ----------
    frame : dataframe
        Any supported dataframe.
    margins : mapping
        ``{column: {category: total or share}}``. Categories of a margin that sum to 1 are shares,
        others are totals of the population; all totals must agree.
    weight : str, optional
        Column of the weights to start from (design weights); 1 where not given.
    max_iter : int, default 10,000
        Largest number of rounds.

    Returns
    -------
    ndarray of float64, shape (rows,)
        Weights in row order. They sum to the population total, or, where all margins are shares, have
        mean 1.

    Raises
    ------
    ArgumentError
        A column is unknown, a target is negative or not finite, or totals contradict each other.
    SchemaError
        A respondent has a missing category, or one that the margin does not name.
    DataError
        A category with a target has no respondents.
    ConvergenceError
        The margins can't all be met: combinations of categories are empty in a way that contradicts them.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame({"sex": ["f", "f", "f", "m"], "age": ["old", "young", "young", "old"]})
    >>> w = sat.rake(frame, {"sex": {"f": 0.5, "m": 0.5}, "age": {"old": 0.6, "young": 0.4}})
    >>> w.round(3).tolist()
    [0.4, 0.8, 0.8, 2.0]
    """
    opened = open_frame(frame)
    if not margins:
        raise ArgumentError("margins is empty: give {column: {category: total or share}}")
    # a pandas Series is a margin as well
    margins = {c: m.to_dict() if hasattr(m, "to_dict") else m for c, m in dict[str, Any](margins).items()}
    opened.require(margins, role="margin")
    for column in margins:
        opened.require_plain(column)
    targets, total = _targets(margins)
    codes = [_codes(opened, column, list(margins[column])) for column in margins]
    start = _start(opened, weight, len(codes[0]))
    if total is None:
        total = float(len(start))
    cells, place = np.unique(np.column_stack(codes), axis=0, return_inverse=True)
    place = place.ravel()
    begin = np.bincount(place, weights=start, minlength=len(cells)).astype(float)
    goals = [share * total for share in targets]
    _refuse_empty(margins, cells, begin, goals)
    w, worst = begin * (total / begin.sum()), math.inf
    for _ in range(as_whole("max_iter", max_iter, 1)):
        worst = 0.0
        for j, goal in enumerate(goals):
            now = np.bincount(cells[:, j], weights=w, minlength=len(goal))
            wanted = goal > 0
            worst = max(worst, float(np.abs(now[wanted] / goal[wanted] - 1).max()))
            factor = np.zeros(len(goal))
            np.divide(goal, now, out=factor, where=now > 0)
            w = w * factor[cells[:, j]]
        if worst < TOLERANCE:
            break
    else:
        raise ConvergenceError(
            f"raking did not reach its margins in {max_iter} rounds (largest relative distance {worst:.2g}): "
            "combinations of categories without respondents contradict them. Join rare categories."
        )
    factor = np.zeros(len(cells))
    np.divide(w, begin, out=factor, where=begin > 0)
    return start * factor[place]


@checked
def poststratify(
    frame: Any, strata: Sequence[str] | str, totals: Mapping[Any, float], weight: str | None = None
) -> Array:
    """Weight respondents so that every stratum has its known total.

    Parameters
    ----------
    frame : dataframe
        Any supported dataframe.
    strata : str or sequence of str
        Columns whose combinations are the strata.
    totals : mapping
        ``{category: total or share}`` for one column, ``{(category, category): total or share}`` for
        several.
    weight : str, optional
        Column of the weights to start from.

    Returns
    -------
    ndarray of float64, shape (rows,)
        Weights in row order, as those of :func:`rake`.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame({"region": ["n", "n", "n", "s"]})
    >>> sat.poststratify(frame, "region", {"n": 600, "s": 400}).tolist()
    [200.0, 200.0, 200.0, 400.0]
    """
    opened = open_frame(frame)
    columns = [strata] if isinstance(strata, str) else list(strata)
    opened.require(columns, role="stratum")
    for column in columns:
        opened.require_plain(column)
    if not columns or not totals:
        raise ArgumentError("give at least one column of strata, and totals={stratum: total or share}")
    shares, total = _targets({" and ".join(columns): totals})
    names = list(totals)
    if len(columns) > 1 and any(not isinstance(k, tuple) or len(k) != len(columns) for k in names):
        raise ArgumentError(f"totals: a stratum of {columns} is a tuple of {len(columns)} categories")
    keys = opened.table(columns)
    values = list(keys[columns[0]]) if len(columns) == 1 else list(zip(*keys.values, strict=True))
    codes = _encode(values, names, " and ".join(columns))
    start = _start(opened, weight, len(codes))
    goal = shares[0] * (float(len(start)) if total is None else total)
    now = np.bincount(codes, weights=start, minlength=len(names)).astype(float)
    _refuse_empty({" and ".join(columns): totals}, np.arange(len(names))[:, None], now, [goal])
    factor = np.zeros(len(names))
    np.divide(goal, now, out=factor, where=now > 0)
    return start * factor[codes]


@checked
def trim_weights(weights: Any, low: float | None = None, high: float | None = None) -> Array:
    """Cut extreme weights, and spread what is cut off over the others, so that the sum stays.

    Parameters
    ----------
    weights : sequence of float
        Weights.
    low, high : float, optional
        Smallest and largest weight that is kept, as multiples of the mean weight; ``high=5`` and
        ``low=0.3`` are usual (Potter 1990). At least one is given.

    Returns
    -------
    ndarray of float64
        Weights between the bounds, with the sum of the old ones.

    Raises
    ------
    ArgumentError
        The bounds leave no room: ``low`` above 1, ``high`` below 1.

    Examples
    --------
    >>> import satmodels as sat
    >>> sat.trim_weights([1, 1, 1, 1, 16], high=3).tolist()
    [2.0, 2.0, 2.0, 2.0, 12.0]
    """
    w = _as_weights(weights)
    if low is None and high is None:
        raise ArgumentError("give low= or high=, as multiples of the mean weight")
    bottom, top = 0.0 if low is None else float(low), math.inf if high is None else float(high)
    if not 0 <= bottom <= 1 <= top or bottom == top:
        raise ArgumentError(f"low={low!r} and high={high!r}: the mean weight, 1, lies between the bounds")
    mean = w.mean()
    return _level(w / mean, bottom, top) * mean


def _level(ratio: Array, bottom: float, top: float) -> Array:
    """Find the factor whose clipped multiples of the ratios have mean 1."""
    from scipy.optimize import brentq

    def off(factor: float) -> float:
        return float(np.clip(ratio * factor, bottom, top).mean() - 1)

    upper = 1.0
    while off(upper) < 0:
        upper *= 2
        if upper > 1e12:
            raise ArgumentError("the bounds can't keep the sum: too many weights are 0")
    lower = 1.0
    while off(lower) > 0:
        lower /= 2
    factor = lower if lower == upper else float(brentq(off, lower, upper, xtol=1e-15, rtol=1e-15))
    return np.clip(ratio * factor, bottom, top)


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class WeightSummary(Result):
    """What weights look like and what they cost: see :func:`weight_summary`.

    Attributes
    ----------
    n : int
        Number of weights.
    total, mean, smallest, largest : float
        Of the weights.
    cv : float
        Coefficient of variation, with divisor n.
    design_effect : float
        Kish's ``n sum(w²) / (sum w)²``: how many times larger the variance of a mean becomes.
    n_eff : float
        Effective number of respondents, n / design effect.
    """

    kind: ClassVar[str] = "weight_summary"
    n: int
    total: float
    mean: float
    smallest: float
    largest: float
    cv: float
    design_effect: float
    n_eff: float

    def _tidy(self) -> Table:
        glance = self._glance()
        return Table.of({"term": list(glance), "estimate": [float(v) for v in glance.values()]})

    def _glance(self) -> Mapping[str, Any]:
        names = ("n", "total", "mean", "smallest", "largest", "cv", "design_effect", "n_eff")
        return {name: getattr(self, name) for name in names}


@checked
def weight_summary(weights: Any) -> WeightSummary:
    """Return the design effect and the effective sample size of weights (Kish 1965).

    Examples
    --------
    >>> import satmodels as sat
    >>> summary = sat.weight_summary([1, 1, 2])
    >>> summary.design_effect, summary.n_eff
    (1.125, 2.6666666666666665)
    """
    w = _as_weights(weights)
    effect = float(len(w) * (w @ w) / w.sum() ** 2)
    return WeightSummary(
        library=FrameLibrary.PANDAS,
        n=len(w),
        total=float(w.sum()),
        mean=float(w.mean()),
        smallest=float(w.min()),
        largest=float(w.max()),
        cv=math.sqrt(max(effect - 1, 0.0)),
        design_effect=effect,
        n_eff=len(w) / effect,
    )


def _as_weights(weights: Any) -> Array:
    try:
        w = np.array(weights, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(f"weights are numbers: {error}") from error
    if w.ndim != 1 or not np.isfinite(w).all() or (w < 0).any() or w.sum() <= 0:
        raise ArgumentError("weights are finite numbers of at least 0, at least one above 0, in one row")
    return w


def _targets(margins: Mapping[str, Mapping[Any, float]]) -> tuple[list[Array], float | None]:
    """Return the margins as shares, and the population total if any margin gives totals."""
    shares: list[Array] = []
    totals: dict[str, float] = {}
    for column, margin in margins.items():
        if not isinstance(margin, Mapping) or not margin:
            raise ArgumentError(f"margins[{column!r}] is a mapping {{category: total or share}}")
        if any(isinstance(v, bool | str) for v in margin.values()):
            raise ArgumentError(f"margins[{column!r}]: targets are numbers; given {dict(margin)}")
        try:
            goal = np.array([float(v) for v in margin.values()])
        except (TypeError, ValueError) as error:
            raise ArgumentError(f"margins[{column!r}]: targets are numbers ({error})") from error
        if not np.isfinite(goal).all() or (goal < 0).any() or goal.sum() <= 0:
            raise ArgumentError(
                f"margins[{column!r}]: targets are finite, not negative, and not all 0; given {dict(margin)}"
            )
        if abs(goal.sum() - 1) > SAME_TOTAL:
            if (goal < 1).all():  # nobody counts less than one person in every category
                raise ArgumentError(
                    f"margins[{column!r}]: these shares sum to {goal.sum():g}, not to 1 (divide them by their sum): "
                    f"given {dict(margin)}"
                )
            totals[column] = float(goal.sum())
        shares.append(goal / goal.sum())
    if not totals:
        return shares, None
    first = next(iter(totals.values()))
    if any(abs(t / first - 1) > SAME_TOTAL for t in totals.values()):
        raise ArgumentError(
            f"the margins have different totals: {totals}. Give all as totals of one population, or as "
            "shares that sum to 1 (percentages: divide by 100)."
        )
    return shares, first


def _codes(frame: Frame, column: str, categories: list[Any]) -> NDArray[np.intp]:
    return _encode(frame.values(column), categories, column)


def _encode(values: Sequence[Any], categories: list[Any], column: str) -> NDArray[np.intp]:
    place: dict[Any, int] = {category: i for i, category in enumerate(categories)}
    codes = np.array([place.get(v, -1) for v in values], dtype=np.intp)
    bad = np.flatnonzero(codes < 0)
    if len(bad):
        first = values[int(bad[0])]
        hint = near_matches(first, categories)
        raise SchemaError.answers(
            column,
            "every category has a target",
            f"Give the margin this category, or recode it.{hint}",
            n_bad=len(bad),
            offenders=[
                (int(i), None if is_missing(values[int(i)]) else values[int(i)]) for i in bad[:OFFENDERS]
            ],
        )
    return codes


def _start(frame: Frame, weight: str | None, n: int) -> Array:
    if n == 0:
        raise DataError("there are no respondents to weight")
    if weight is None:
        return np.ones(n)
    check_weight(frame, weight)
    start = matrix(frame, [weight])[:, 0]
    if start.sum() <= 0:
        raise DataError(f"all weights in {weight!r} are 0")
    return start


def _refuse_empty(
    margins: Mapping[str, Mapping[Any, float]], cells: NDArray[np.intp], begin: Array, goals: list[Array]
) -> None:
    for j, (column, goal) in enumerate(zip(margins, goals, strict=True)):
        now = np.bincount(cells[:, j], weights=begin, minlength=len(goal))
        empty = [c for c, g, have in zip(margins[column], goal, now, strict=True) if g > 0 and have <= 0]
        if empty:
            raise DataError(
                f"margin {column!r}: no respondents (or only weights of 0) in {empty}, which have a target. "
                "Join them with another category.",
                columns=[column],
            )
