"""Differences of a score between two answers of the same respondents, such as before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, check_word
from satmodels.results import Table
from satmodels.scores.answers import Reading
from satmodels.scores.compare import UNTESTED, CompareResult
from satmodels.scores.difference import POWER, check_power
from satmodels.scores.estimate import estimate_counts
from satmodels.scores.nps import PASSIVES, SCALE, nps_worth
from satmodels.scores.pairs import collect_differences
from satmodels.scores.periods import By
from satmodels.scores.satisfaction import top_worth
from satmodels.scores.scales import limits_of_scale
from satmodels.statistics.design import Design
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
    by: By = (),
    weight: str | None = None,
    design: Design | None = None,
    adjust: str = "holm",
    level: float = 0.95,
    power: float = POWER,
    missing_codes: Mapping[float, str] | Sequence[float] = (),
    on_invalid: str = "error",
    coerce: bool = False,
) -> CompareResult:
    """Test the change of a score between two answers of the same respondents.

    Each respondent's change is taken first, so what they have in common drops out; the test is Student's
    t of the mean change with n - 1 degrees of freedom, n counting the respondents with both answers, or with
    those of the design.

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
    by : str, Period or sequence of these
        Columns to group by.
    weight : str, optional
        Column of survey weights; the standard error is then linearised.
    design : Design, optional
        Strata, clusters, finite populations or replicate weights.
    adjust, level, power
        As in :func:`satmodels.compare`.
    missing_codes, on_invalid, coerce
        As in :func:`satmodels.nps`, for both answers.

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
    reading = Reading(by, weight, design, missing_codes, on_invalid, coerce)
    answers = collect_differences(data, before, after, low, high, reading, worth=worth)
    found = estimate_counts(answers, np.asarray, divisor="n-1")
    n, error = found.n.astype(float), found.std_error
    df = np.where(np.isfinite(found.df), found.df, n - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0, found.mean / error, np.nan)
        deviation = np.sqrt(found.spread * n / np.where(n > 1, n - 1, np.nan))
        effect = np.where(deviation > 0, found.mean / deviation, np.nan)
    p = two_sided_p(statistic, df)
    half = quantile(level, df) * error
    reach = quantile(level, df) + quantile(abs(2 * power - 1), df) * (1 if power >= 0.5 else -1)
    columns: dict[str, Any] = found.column_of_keys(answers.by) | {
        "term": [f"{after} - {before}"] * len(n),
        "estimate": found.mean,
        "std_error": error,
        "statistic": statistic,
        "p_value": p,
        "conf_low": found.mean - half,
        "conf_high": found.mean + half,
        "n": found.n,
        "n_reference": found.n,
        "p_adjusted": adjust_p(p, adjust),
        "effect_size": effect,
        "detectable": reach * error,
    }
    return CompareResult(
        library=answers.library,
        score=score,
        level=level,
        adjust=adjust,
        unit=UNITS[score],
        table=Table.of(columns),
        homogeneity=UNTESTED,
    )
