"""The net promoter score: share of promoters less share of detractors, -100 to 100 (Reichheld 2003)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError
from satmodels.scores.answers import Reading
from satmodels.scores.periods import By
from satmodels.scores.result import ScoreResult
from satmodels.scores.scales import limits_of_scale
from satmodels.scores.single_item import Rule, score_item
from satmodels.statistics.design import Design

Array = NDArray[np.float64]
SCALE = (0, 10)
PASSIVES = (7, 8)  # below are detractors, above promoters (Reichheld 2003)


@checked
def nps(
    data: Any,
    item: str | None = None,
    *,
    by: By = (),
    weight: str | None = None,
    design: Design | None = None,
    level: float = 0.95,
    method: str = "wald",
    passives: tuple[float, float] = PASSIVES,
    scale: Any = None,
    missing_codes: Mapping[float, str] | Sequence[float] = (),
    on_invalid: str = "error",
    coerce: bool = False,
) -> ScoreResult:
    """Compute the net promoter score with its confidence interval.

    Parameters
    ----------
    data : dataframe, sequence or ScoreCounts
        A frame of any supported library, lazy or not; a plain sequence of answers; or counts, whose own
        groups are kept (``counts.marginal()`` adds them up).
    item : str, optional
        Column of the answers; not needed for a sequence or counts.
    by : str, Period or sequence of them
        Columns to group by; a missing segment is a group of its own. ``Period("date", "month")`` groups
        by calendar months.
    weight : str, optional
        Column of survey weights.
    design : Design, optional
        Strata, clusters and finite population of the sample.
    level : float, default 0.95
        Confidence level.
    method : {"wald", "adjusted-wald", "score"}, default "wald"
        - ``"wald"``: nps ± z standard errors, the interval that is usually reported;
        - ``"adjusted-wald"``: with 3 pseudo-answers added (Rocks 2016), better below some 100 answers;
        - ``"score"``: inverts the score test (Tango 1998), best for small samples and extreme scores.

        All are clipped to -100..100. With weights or a design the Wald interval uses Student's t with
        the design's degrees of freedom, the others the effective sample size.
    passives : tuple of (low, high), default (7, 8)
        Lowest and highest answer of the passives; below are detractors, above promoters.
    scale : Scale, default 0 to 10
        Scale of the answers.
    missing_codes : mapping or sequence
        Codes that mean "no answer", such as ``{99: "don't know"}``; counted in ``n_missing``.
    on_invalid : {"error", "exclude"}, default "error"
        What to do with answers off the scale; excluded ones are counted in ``n_missing`` and ``n_invalid``.
    coerce : bool, default False
        Read texts such as ``"9"`` or ``" +9 "`` as whole numbers; an empty text is a missing answer, and
        ``"9.0"`` or ``"1_0"`` are errors.

    Returns
    -------
    ScoreResult
        ``tidy()``: by-columns, term, estimate, std_error, conf_low, conf_high, n, n_missing, and the
        percentages of promoters, passives and detractors. The standard error is always that of the
        observed score: without weights sqrt((p + d - (p - d)²) / n), else the linearised one.

    Raises
    ------
    ArgumentError
        A parameter is wrong or a column is not there.
    SchemaError
        An answer is off the scale or no number, or a weight is no weight.

    Examples
    --------
    >>> import satmodels as sat
    >>> answers = [10] * 30 + [8] * 20 + [3] * 10
    >>> result = sat.nps(answers)
    >>> result.estimate, result.conf_low, result.conf_high
    (33.333333, 14.473571, 52.193096)
    """
    low, high = limits_of_scale(SCALE if scale is None else scale)
    worth = nps_worth(passives, low, high)
    rule = Rule("nps", "net", low, high, worth, share_names=("promoters", "passives", "detractors"))
    reading = Reading(by, weight, design, missing_codes, on_invalid, coerce)
    return score_item(data, item, rule, reading, level=level, method=method)


def nps_worth(passives: tuple[float, float], low: float, high: float) -> Callable[[Array], Array]:
    """Return the function that makes promoters 100, passives 0 and detractors -100."""
    first, last = _check_passives(passives, low, high)

    def worth(answer: Array) -> Array:
        return np.where(answer > last, 100.0, 0.0) - np.where(answer < first, 100.0, 0.0)

    return worth


def _check_passives(passives: Any, low: float, high: float) -> tuple[float, float]:
    if (
        not isinstance(passives, tuple | list)
        or len(passives) != 2
        or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in passives)
    ):
        raise ArgumentError(
            f"passives={passives!r}: give the lowest and highest answer of the passives, such as (7, 8)"
        )
    first, last = float(passives[0]), float(passives[1])
    if not low < first <= last < high:
        raise ArgumentError(
            f"passives={passives!r} leave no detractors or no promoters on the scale {low:g}..{high:g}"
        )
    return first, last
