"""Penalty-reward contrasts: what a low answer costs against what a high answer brings.

Brandt (1987, Add Value to Your Service); impact-asymmetry index of Mikulić and Prebežac (2008, Managing
Service Quality 18(6)). It gives Kano classes from plain ratings, without paired questions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.drivers.key_drivers import groups_of, said_of
from satmodels.drivers.regression import DriverRegression, check_drivers
from satmodels.drivers.scales import as_scales
from satmodels.errors import ArgumentError, DataError, SchemaError, as_number, check_word
from satmodels.intake.batches import batches
from satmodels.intake.cells import check_weight
from satmodels.intake.frames import Frame, open_frame
from satmodels.results import Result, Table
from satmodels.statistics.counts import as_names
from satmodels.statistics.intervals import check_level, quantile, two_sided_p
from satmodels.statistics.moments import Moments
from satmodels.survey.scale import Scale

Array = NDArray[np.float64]

# on 0..100 of the scale: 5 and 9 of 1..10, 2 and 5 of 1..5, 3 and 7 of 1..7
LOW_INDEX, HIGH_INDEX = 45.0, 85.0
ASYMMETRIC = 1 / 3  # of the index -1..1: one side then weighs at least twice the other
INTERVALS = ("robust", "normal")
ALONE = (
    0.99  # leverage of an answer that is the only one of its contrast: its residual is 0 and tells nothing
)
_COLUMNS = (
    *("term", "penalty", "penalty_std_error", "penalty_low", "penalty_high", "penalty_p_value"),
    *("reward", "reward_std_error", "reward_low", "reward_high", "reward_p_value"),
    *("range", "asymmetry", "asymmetry_low", "asymmetry_high", "asymmetry_p_value"),
    *("category", "wrong_sign", "low_cut", "high_cut", "n_low", "n_high", "n", "n_missing"),
)


@dataclass(frozen=True, kw_only=True, repr=False)
class PenaltyRewardResult(Result):
    """Penalty, reward and asymmetry of every item.

    Attributes
    ----------
    estimates : Table
        What :meth:`tidy` gives.
    by : tuple of str
        Grouping columns.
    outcome : str
        The outcome.
    r2 : tuple of float
        Share of the outcome's variance that the contrasts explain, per group.
    level : float
        Confidence level.
    problems : tuple of str
        Wrong signs and contrasts that could not be estimated, in words.
    """

    kind: ClassVar[str] = "penalty_reward"

    estimates: Table
    by: tuple[str, ...]
    outcome: str
    r2: tuple[float, ...]
    level: float
    problems: tuple[str, ...] = ()

    @property
    def categories(self) -> dict[str, str | None]:
        """The Kano class of each item; of one group only."""
        if len(self.r2) != 1:
            raise ArgumentError(f"there are {len(self.r2)} groups: analyse one at a time for its classes")
        return dict(zip(self.estimates["term"], self.estimates["category"], strict=True))

    def _tidy(self) -> Table:
        return self.estimates

    def _glance(self) -> Mapping[str, Any]:
        return {
            "outcome": self.outcome,
            "items": len(set(self.estimates["term"])),
            "groups": len(self.r2) if self.by else None,
            "r2": self.r2[0] if len(self.r2) == 1 else None,
            "level": self.level,
            "problems": len(self.problems),
        }


@checked
def penalty_reward(
    data: Any,
    outcome: str,
    items: Sequence[str],
    *,
    scale: Scale | Mapping[str, Scale] | None = None,
    low: float | Mapping[str, float] | None = None,
    high: float | Mapping[str, float] | None = None,
    asymmetric: float = ASYMMETRIC,
    by: str | Sequence[str] = (),
    weight: str | None = None,
    interval: str = "robust",
    level: float = 0.95,
) -> PenaltyRewardResult:
    """Estimate what low answers cost and high answers bring, and a Kano class from both.

    Parameters
    ----------
    data : dataframe
        Answers of any supported dataframe.
    outcome : str
        Overall satisfaction.
    items : sequence of str
        Satisfaction with parts of the service.
    scale : Scale or mapping, optional
        Scale of the items; sets the cuts where ``low`` and ``high`` are not given: the answers up to 45
        and from 85 on 0..100 (5 and 9 of 1..10, 2 and 5 of 1..5).
    low, high : float or mapping, optional
        Answers of at most ``low`` are low, of at least ``high`` high; those between are the reference.
    asymmetric : float, default 1/3
        From which asymmetry on, either way, an item is no longer one-dimensional.
    by, weight : optional
        Columns to group by, and of survey weights.
    interval : {"robust", "normal"}, default "robust"
        Standard errors that hold when customers with low answers differ more in their satisfaction than others, as
        they do as a rule (HC3; MacKinnon and White 1985, Journal of Econometrics 29), or those of least
        squares with one spread for all.
    level : float, default 0.95
        Confidence level; 1 - level is also the mark of significance for the classes.

    Returns
    -------
    PenaltyRewardResult
        ``tidy()``: the by-columns, ``term``, ``penalty`` (points of the outcome by which low answers
        differ from the reference, negative as a rule) and ``reward`` (the same of high answers) with
        standard errors, limits and p-values, ``range`` (reward - penalty), ``asymmetry`` from -1 (all
        penalty) to 1 (all reward) with limits, ``asymmetry_p_value`` (reward = -penalty),
        ``category``, ``wrong_sign``, the cuts, ``n_low``, ``n_high`` (rows, also with weights), ``n``,
        ``n_missing``.

    Raises
    ------
    ArgumentError
        Neither scale nor cuts, cuts that overlap, unknown or repeated columns.
    DataError
        Contrasts that are collinear (named), or no more answers than contrasts.
    SchemaError
        A column holds text, or an answer is off the scale.

    Notes
    -----
    One regression of the outcome on two dummies per item. Classes: M must-be (asymmetry of at most
    -1/3), A attractive (at least 1/3), O one-dimensional (between), I indifferent (neither contrast is
    significant). A contrast with the wrong sign is reported as it is and counts as 0 in the asymmetry.

    Examples
    --------
    >>> import numpy as np, pandas as pd, satmodels as sat
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame(rng.integers(1, 6, size=(800, 2)), columns=["hygiene", "surprise"])
    >>> frame["overall"] = (
    ...     3 - 1.0 * (frame["hygiene"] <= 2) + 1.0 * (frame["surprise"] == 5) + rng.normal(size=800)
    ... )
    >>> result = sat.penalty_reward(frame, "overall", ["hygiene", "surprise"], scale=sat.Scale(1, 5))
    >>> result.categories
    {'hygiene': 'M', 'surprise': 'A'}
    """
    check_level(level)
    check_word("interval", interval, INTERVALS)
    names = as_names(items)
    check_drivers(outcome, names, weight)
    if not 0 < asymmetric < 1:
        raise ArgumentError(f"asymmetric={asymmetric!r} is a mark between 0 and 1")
    by = as_names(by)
    scales = as_scales(scale, names)
    lows, highs = _cuts(names, scales, low, high)
    frame = open_frame(data)
    frame.require([outcome, *names])
    frame.require(by, role="column to group by")
    if weight is not None:
        check_weight(frame, weight)
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    r2: list[float] = []
    for key, part in groups_of(frame, by):
        answers = _Contrasts(part, outcome, names, scales, np.array(lows), np.array(highs), weight)
        with said_of(by, key):
            found, explained = _contrasts(answers, level, robust=interval == "robust")
        r2.append(explained)
        where = ", ".join(f"{b}={k!r}: " for b, k in zip(by, key, strict=True))
        for j, row in enumerate(found):
            problems += [where + p for p in _describe(row, asymmetric, 1 - level)]
            row |= {"low_cut": lows[j], "high_cut": highs[j]}
            rows.append({**dict(zip(by, key, strict=True)), **row})
    return PenaltyRewardResult(
        library=frame.library,
        estimates=Table.from_records(rows, (*by, *_COLUMNS)),
        by=by,
        outcome=outcome,
        r2=tuple(r2),
        level=level,
        problems=tuple(problems),
    )


def _cuts(
    names: Sequence[str],
    scales: tuple[Scale, ...] | None,
    low: float | Mapping[str, float] | None,
    high: float | Mapping[str, float] | None,
) -> tuple[list[float], list[float]]:
    if scales is None and (low is None or high is None):
        raise ArgumentError("which answers are low and which high? Give scale=, or both low= and high=")
    found: list[list[float]] = []
    for what, cut, index in (("low", low, LOW_INDEX), ("high", high, HIGH_INDEX)):
        values: list[float] = []
        for j, name in enumerate(names):
            if isinstance(cut, Mapping):
                if name not in cut:
                    raise ArgumentError(f"{what} has nothing for {name!r}")
                values.append(as_number(what, cut[name]))
            elif cut is not None:
                values.append(as_number(what, cut))
            elif scales is not None:
                codes = scales[j].codes
                fitting = [c for c in codes if (scales[j].to_index(c) <= index) == (what == "low")]
                values.append(float(max(fitting) if what == "low" else min(fitting)))
        found.append(values)
    for name, a, b in zip(names, *found, strict=True):
        if not a < b:
            raise ArgumentError(f"{name!r}: low={a:g} must lie below high={b:g}")
    return found[0], found[1]


@dataclass(frozen=True)
class _Contrasts:
    """Two dummies per item and the outcome, made of the answers block by block."""

    frame: Frame
    outcome: str
    names: tuple[str, ...]
    scales: tuple[Scale, ...] | None
    lows: Array
    highs: Array
    weight: str | None

    @property
    def columns(self) -> list[str]:
        """Names of the dummies (low ones first) and, last, of the outcome."""
        return [*(f"{n} (low)" for n in self.names), *(f"{n} (high)" for n in self.names), self.outcome]

    def blocks(self) -> Iterator[tuple[Array, Array | None]]:
        """Go through dummies with outcome, and weights."""
        p = len(self.names)
        read = (
            [*self.names, self.outcome] if self.weight is None else [*self.names, self.outcome, self.weight]
        )
        for block in batches(self.frame, read):
            x = block[:, :p]
            if self.scales is not None:
                _check_answers(x, self.names, self.scales)
            missing = np.isnan(x)
            dummies = np.concatenate([x <= self.lows, x >= self.highs], axis=1).astype(float)
            dummies[np.concatenate([missing, missing], axis=1)] = np.nan
            yield np.column_stack([dummies, block[:, p]]), None if self.weight is None else block[:, p + 1]

    def moments(self) -> tuple[Moments, Array]:
        """Collect the moments, and the number of complete rows in each contrast, in one pass."""
        total = Moments.empty(self.columns, weighted=self.weight is not None)
        n = np.zeros(2 * len(self.names))
        for joined, w in self.blocks():
            total = total + Moments.of_block(self.columns, joined, w)
            n += joined[~np.isnan(joined).any(axis=1), :-1].sum(axis=0)
        return total, n

    def robust_cov(self, regression: DriverRegression) -> Array:
        """Return the covariance matrix HC3 of the slopes, in a second pass."""
        places = [self.columns.index(name) for name in regression.moments.columns]

        def complete() -> Iterator[tuple[Array, Array | None]]:
            for joined, w in self.blocks():
                there = ~np.isnan(joined).any(axis=1)
                yield joined[there][:, places], None if w is None else w[there]

        return regression.robust_slope_cov(complete())


def _check_answers(x: Array, names: tuple[str, ...], scales: tuple[Scale, ...]) -> None:
    for j, (name, scale) in enumerate(zip(names, scales, strict=True)):
        bad = (x[:, j] < scale.low) | (x[:, j] > scale.high)
        if bad.any():
            raise SchemaError.answers(
                name,
                scale.rule,
                "Declare codes such as 99 as missing, or correct the answers.",
                n_bad=int(bad.sum()),
                value=float(x[np.argmax(bad), j]),
            )


def _contrasts(answers: _Contrasts, level: float, *, robust: bool) -> tuple[list[dict[str, Any]], float]:
    (moments, counted), outcome, names = answers.moments(), answers.outcome, answers.names
    p = len(names)
    if moments.n == 0:
        raise DataError("there is no complete answer", columns=(*names, outcome))
    varies = np.diag(moments.scatter)[:-1] > 1e-12 * moments.sum_w
    used = [c for c, v in zip(moments.columns[:-1], varies, strict=True) if v]
    if not used:
        raise DataError("no item has both low or high answers and others", columns=names)
    regression = DriverRegression.of(moments, outcome, used)
    slope = np.full(2 * p, np.nan)
    cov = np.full((2 * p, 2 * p), np.nan)
    places = np.flatnonzero(varies)
    slope[places] = regression.slope
    cov[np.ix_(places, places)] = answers.robust_cov(regression) if robust else regression.slope_cov
    df = regression.n - len(used) - 1
    rows: list[dict[str, Any]] = []
    for j, name in enumerate(names):
        row: dict[str, Any] = {"term": name}
        for what, k in (("penalty", j), ("reward", p + j)):
            se = float(np.sqrt(cov[k, k]))
            half = float(quantile(level, df)) * se
            row |= {
                what: slope[k],
                f"{what}_std_error": se,
                f"{what}_low": slope[k] - half,
                f"{what}_high": slope[k] + half,
                f"{what}_p_value": float(two_sided_p(slope[k] / se, df)) if se > 0 else np.nan,
            }
        row |= _asymmetry(slope[[j, p + j]], cov[np.ix_([j, p + j], [j, p + j])], level, df)
        row |= {
            "n_low": int(counted[j]),
            "n_high": int(counted[p + j]),
            "n": moments.n,
            "n_missing": moments.n_dropped,
        }
        rows.append(row)
    return rows, regression.r2


def _asymmetry(slope: Array, cov: Array, level: float, df: float) -> dict[str, Any]:
    """Return the index (R - P) / (R + P) of reward R and size of penalty P, its limits by the delta method."""
    penalty, reward = max(-float(slope[0]), 0.0), max(float(slope[1]), 0.0)
    found: dict[str, Any] = {"range": float(slope[1] - slope[0])}
    together = float(slope.sum())
    se = float(np.sqrt(cov.sum()))
    if se > 0:
        found["asymmetry_p_value"] = float(two_sided_p(together / se, df))
    if np.isnan(slope).any() or penalty + reward <= 0:
        return found
    total = penalty + reward
    index = (reward - penalty) / total
    found["asymmetry"] = index
    if penalty > 0 and reward > 0:
        gradient = np.array([2 * reward, 2 * penalty]) / total**2  # by the (negative) penalty, by the reward
        half = float(quantile(level, df)) * float(np.sqrt(gradient @ cov @ gradient))
        found |= {"asymmetry_low": max(index - half, -1.0), "asymmetry_high": min(index + half, 1.0)}
    return found


def _describe(row: dict[str, Any], asymmetric: float, alpha: float) -> Iterator[str]:
    """Add category and wrong sign to a row, and say what is odd."""
    name = row["term"]
    wrong = [what for what, sign in (("penalty", -1), ("reward", 1)) if row[what] * sign < 0]
    row["wrong_sign"] = ", ".join(wrong) or None
    for what in wrong:
        sure = row[f"{what}_p_value"] < alpha
        yield f"{name!r}: the {what} has the wrong sign ({row[what]:.2f}{', significantly' if sure else ''})"
    for what, side in (("penalty", "low"), ("reward", "high")):
        if np.isnan(row[what]):
            yield f"{name!r}: no {what}, because all or none of the answers are {side}"
    significant = [row[f"{what}_p_value"] < alpha and what not in wrong for what in ("penalty", "reward")]
    index = row.get("asymmetry")
    if np.isnan(row["penalty"]) or np.isnan(row["reward"]):
        row["category"] = None
    elif not any(significant):
        row["category"] = "I"
    elif index is None:
        row["category"] = None
    else:
        row["category"] = "M" if index <= -asymmetric else "A" if index >= asymmetric else "O"
