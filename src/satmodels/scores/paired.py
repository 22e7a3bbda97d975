"""Differences of a score between two answers of the same respondents, such as before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, DataError, check_word
from satmodels.intake.cells import count_cells
from satmodels.intake.frames import open_frame
from satmodels.results import Table
from satmodels.scores.compare import UNTESTED, CompareResult
from satmodels.scores.difference import POWER, check_power
from satmodels.scores.nps import PASSIVES, SCALE, nps_worth
from satmodels.scores.satisfaction import top_worth
from satmodels.scores.scales import limits_of_scale
from satmodels.statistics.counts import ScoreCounts, as_names, sort_key
from satmodels.statistics.design import UnitSums, group_means
from satmodels.statistics.intervals import check_level, quantile, two_sided_p
from satmodels.statistics.multiplicity import ADJUSTMENTS, adjust_p

SCORES = ("nps", "csat", "mean")
UNITS = {"nps": "points", "csat": "percent", "mean": "scale"}


@checked
def compare_paired(
    data: Any,
    before: str,
    after: str,
    *,
    score: str = "nps",
    scale: Any = None,
    passives: tuple[float, float] = PASSIVES,
    top: int = 2,
    by: str | Sequence[str] = (),
    weight: str | None = None,
    adjust: str = "holm",
    level: float = 0.95,
    power: float = POWER,
) -> CompareResult:
    """Test the change of a score between two answers of the same respondents.

    Each respondent's change is taken first, so what they have in common drops out; the test is Student's
    t of the mean change with n - 1 degrees of freedom, n counting the respondents with both answers.

    Parameters
    ----------
    data : dataframe
        A frame of any supported library with one row per respondent.
    before, after : str
        Columns of the two answers; the difference is after minus before.
    score : {"nps", "csat", "mean"}, default "nps"
        The score whose change is tested.
    scale : Scale
        Scale of the answers; 0 to 10 for the NPS unless given.
    passives, top
        As in :func:`satmodels.nps` and :func:`satmodels.csat`.
    by : str or sequence of str
        Columns to group by.
    weight : str, optional
        Column of survey weights; the standard error is then linearised.
    adjust, level, power
        As in :func:`satmodels.compare`.

    Returns
    -------
    CompareResult
        As :func:`satmodels.compare`; the effect size is the mean change in standard deviations of the
        changes. ``n_reference`` equals ``n``.

    Raises
    ------
    ArgumentError
        A parameter is wrong or a column is not there.
    SchemaError
        An answer is off the scale.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame({"spring": [3, 9, 8, 6, 10, 7], "autumn": [7, 9, 9, 6, 10, 9]})
    >>> test = sat.compare_paired(frame, "spring", "autumn")
    >>> test.tidy()[["estimate", "statistic", "p_value"]].round(4).values.tolist()
    [[50.0, 2.2361, 0.0756]]
    """
    check_level(level)
    check_power(power)
    check_word("score", score, SCORES)
    check_word("adjust", adjust, ADJUSTMENTS)
    if before == after:
        raise ArgumentError(f"before and after are both {before!r}")
    if scale is None and score != "nps":
        raise ArgumentError(f"{score} needs the scale of the answers, for example scale=Scale(1, 5)")
    low, high = limits_of_scale(SCALE if scale is None else scale)
    worth = {
        "nps": lambda: nps_worth(passives, low, high),
        "csat": lambda: top_worth(top, low, high),
        "mean": lambda: np.asarray,
    }[score]()
    by = as_names(by)
    frame = open_frame(data)
    for column in (before, after):
        ScoreCounts.collect(frame, column).check_range(low, high, frame=frame)
    cells = count_cells(frame, (*by, before, after), weight)
    groups = sorted({key[:-2] for key in cells.keys}, key=sort_key) or ([()] if not by else [])
    place = {key: i for i, key in enumerate(groups)}
    known = np.array([None not in key[-2:] for key in cells.keys], dtype=bool)
    pairs = np.array([[np.nan if v is None else float(v) for v in key[-2:]] for key in cells.keys]).reshape(
        -1, 2
    )
    change = np.where(known, worth(pairs[:, 1]) - worth(pairs[:, 0]), 0.0)
    w, w2 = cells.w * known, cells.w2 * known
    if not np.isfinite(w2).all():
        raise DataError("the weights differ by so many orders of magnitude that their squares overflow")
    group = np.array([place[key[:-2]] for key in cells.keys], dtype=np.intp)
    units = UnitSums(
        group=group,
        stratum=np.zeros(len(group), dtype=np.intp),
        cluster=None,
        rows=cells.n.astype(float),
        n=(cells.n * known).astype(float),
        w=w,
        wu=w * change,
        wuu=w * change**2,
        w2=w2,
        w2u=w2 * change,
        w2uu=w2 * change**2,
    )
    means = group_means(units, len(groups))
    n = means.n.astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = means.spread / np.where(n > 1, n - 1, np.nan)
        error = np.sqrt(means.variance if weight is not None else plain)
        error = np.where(n > 1, error, np.nan)
        statistic = np.where(error > 0, means.mean / error, np.nan)
        deviation = np.sqrt(means.spread * n / np.where(n > 1, n - 1, np.nan))
        effect = np.where(deviation > 0, means.mean / deviation, np.nan)
    df = n - 1
    p = two_sided_p(statistic, df)
    half = quantile(level, df) * error
    reach = quantile(level, df) + quantile(abs(2 * power - 1), df) * (1 if power >= 0.5 else -1)
    columns: dict[str, Any] = {name: [key[i] for key in groups] for i, name in enumerate(by)}
    columns |= {
        "term": [f"{after} - {before}"] * len(groups),
        "estimate": means.mean,
        "std_error": error,
        "statistic": statistic,
        "p_value": p,
        "conf_low": means.mean - half,
        "conf_high": means.mean + half,
        "n": means.n,
        "n_reference": means.n,
        "p_adjusted": adjust_p(p, adjust),
        "effect_size": effect,
        "detectable": reach * error,
    }
    return CompareResult(
        library=frame.library,
        score=score,
        level=level,
        adjust=adjust,
        unit=UNITS[score],
        table=Table.of(columns),
        homogeneity=UNTESTED,
    )
