"""CSAT, top box and mean: the share of the best answers, or the mean answer, with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError
from satmodels.scores.answers import Reading
from satmodels.scores.periods import By
from satmodels.scores.result import ScoreResult
from satmodels.scores.scales import codes_given, scale_of
from satmodels.scores.single_item import Rule, score_item
from satmodels.statistics.design import Design

Array = NDArray[np.float64]


@checked
def csat(
    data: Any,
    item: str | None = None,
    *,
    top: int = 2,
    scale: Any = None,
    survey: Any = None,
    by: By = (),
    weight: str | None = None,
    design: Design | None = None,
    level: float = 0.95,
    method: str = "wilson",
    missing_codes: Mapping[float, str] | Sequence[float] = (),
    on_invalid: str = "error",
    coerce: bool = False,
) -> ScoreResult:
    """Compute customer satisfaction: the percentage of the ``top`` best answers of a scale.

    Parameters
    ----------
    data : dataframe, sequence or ScoreCounts
        A frame of any supported library, lazy or not; a plain sequence of answers; or counts.
    item : str, optional
        Column of the answers; not needed for a sequence or counts.
    top : int, default 2
        How many of the highest codes count as satisfied: 2 on a scale of 1 to 5 means 4 and 5.
    scale : Scale
        Scale of the answers. Either this or ``survey`` is needed.
    survey : Survey
        Survey with the item; its scale and missing codes are used. The frame is one that
        ``survey.prepare`` returned where items are reversed.
    by : str, Period or sequence of them
        Columns to group by; a missing segment is a group of its own. ``Period("date", "month")`` groups
        by calendar months.
    weight : str, optional
        Column of survey weights.
    design : Design, optional
        Strata, clusters and finite population of the sample.
    level : float, default 0.95
        Confidence level.
    method : str, default "wilson"
        wilson, clopper-pearson, agresti-coull, jeffreys, wald, logit or arcsine: see
        :func:`satmodels.statistics.intervals.proportion_interval`. With weights or a design, wald, logit
        and arcsine use the linearised standard error and Student's t, the others the effective sample
        size corrected for the degrees of freedom (Korn and Graubard 1998).
    missing_codes : mapping or sequence
        Codes that mean "no answer", such as ``{99: "don't know"}``.
    on_invalid : {"error", "exclude"}, default "error"
        What to do with answers off the scale; excluded ones are counted in ``n_missing`` and ``n_invalid``.
    coerce : bool, default False
        Read texts such as ``"9"`` or ``" +9 "`` as whole numbers; an empty text is a missing answer, and
        ``"9.0"`` or ``"1_0"`` are errors.

    Returns
    -------
    ScoreResult
        In percent. The standard error is that of the observed percentage, whatever the interval.

    Raises
    ------
    ArgumentError
        Neither scale nor survey is given, ``top`` does not fit the scale, or a column is not there.
    SchemaError
        An answer is off the scale or no number, or a weight is no weight.

    Examples
    --------
    >>> import satmodels as sat
    >>> result = sat.csat([5, 4, 4, 3, 5, 2, 4], scale=sat.Scale(1, 5))
    >>> result.estimate, result.conf_low, result.conf_high
    (71.428571, 35.893445, 91.778108)
    """
    low, high, codes = scale_of(item, scale, survey, "csat")
    reading = Reading(by, weight, design, codes_given(missing_codes, codes), on_invalid, coerce)
    return score_item(data, item, _top("csat", top, low, high), reading, level=level, method=method)


@checked
def top_box(
    data: Any,
    item: str | None = None,
    *,
    top: int = 1,
    scale: Any = None,
    survey: Any = None,
    by: By = (),
    weight: str | None = None,
    design: Design | None = None,
    level: float = 0.95,
    method: str = "wilson",
    missing_codes: Mapping[float, str] | Sequence[float] = (),
    on_invalid: str = "error",
    coerce: bool = False,
) -> ScoreResult:
    """Compute the percentage of the very best answers; as :func:`csat`, with ``top=1``.

    Parameters
    ----------
    data, item, top, scale, survey, by, weight, design, level, method, missing_codes, on_invalid, coerce
        See :func:`csat`.

    Returns
    -------
    ScoreResult
        In percent.

    Examples
    --------
    >>> import satmodels as sat
    >>> sat.top_box([5, 4, 4, 3, 5, 2, 4], scale=sat.Scale(1, 5)).estimate
    28.571429
    """
    low, high, codes = scale_of(item, scale, survey, "top_box")
    reading = Reading(by, weight, design, codes_given(missing_codes, codes), on_invalid, coerce)
    return score_item(data, item, _top("top_box", top, low, high), reading, level=level, method=method)


@checked
def mean_score(
    data: Any,
    item: str | None = None,
    *,
    scale: Any = None,
    survey: Any = None,
    by: By = (),
    weight: str | None = None,
    design: Design | None = None,
    level: float = 0.95,
    method: str = "wald",
    missing_codes: Mapping[float, str] | Sequence[float] = (),
    on_invalid: str = "error",
    coerce: bool = False,
) -> ScoreResult:
    """Compute the mean answer to an item, in units of its scale.

    Parameters
    ----------
    data, item, scale, survey, by, weight, design, level, missing_codes, on_invalid, coerce
        See :func:`csat`.
    method : {"wald", "t"}, default "wald"
        mean ± z or t standard errors; with weights or a design always t with the design's degrees of
        freedom.

    Returns
    -------
    ScoreResult
        On the scale; the plain standard error is s / sqrt(n), with s of divisor n - 1.

    Examples
    --------
    >>> import satmodels as sat
    >>> result = sat.mean_score([8, 9, 7, 10, 6], scale=sat.Scale(1, 10), method="t")
    >>> result.estimate, result.conf_low, result.conf_high
    (8.0, 6.036757, 9.963243)
    """
    low, high, codes = scale_of(item, scale, survey, "mean_score")
    rule = Rule("mean", "mean", low, high, np.asarray)
    reading = Reading(by, weight, design, codes_given(missing_codes, codes), on_invalid, coerce)
    return score_item(data, item, rule, reading, level=level, method=method)


def _top(score: str, top: int, low: float, high: float) -> Rule:
    return Rule(score, "share", low, high, top_worth(top, low, high))


def top_worth(top: int, low: float, high: float) -> Callable[[Array], Array]:
    """Return the function that makes each of the ``top`` highest codes 100 and the others 0."""
    size = high - low + 1
    if (
        isinstance(top, bool)
        or not isinstance(top, int | float)
        or not math.isfinite(top)
        or top != math.floor(top)
        or not 1 <= top < size
    ):
        raise ArgumentError(
            f"top={top!r}: of the {size:g} codes {low:g}..{high:g}, 1 to {size - 1:g} can be the top"
        )

    def worth(answer: Array) -> Array:
        return np.where(answer > high - top, 100.0, 0.0)

    return worth
