"""The customer effort score, in the three conventions in use; the result says which one it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import check_word
from satmodels.scores.answers import Reading
from satmodels.scores.periods import By
from satmodels.scores.result import ScoreResult
from satmodels.scores.scales import codes_given, scale_of
from satmodels.scores.single_item import Rule, score_item
from satmodels.statistics.design import Design

Array = NDArray[np.float64]
CONVENTIONS = ("mean", "agree", "net")
METHODS = {"mean": "wald", "agree": "wilson", "net": "wald"}  # intervals unless another is asked for
# how much of the scale counts: answers 5-7, 6-7 and 1-3 of a 7-point scale
AGREE, NET_TOP, NET_BOTTOM = 3 / 7, 2 / 7, 3 / 7


@checked
def ces(
    data: Any,
    item: str | None = None,
    *,
    convention: str = "mean",
    scale: Any = None,
    survey: Any = None,
    by: By = (),
    weight: str | None = None,
    design: Design | None = None,
    level: float = 0.95,
    method: str | None = None,
    missing_codes: Mapping[float, str] | Sequence[float] = (),
    on_invalid: str = "error",
    coerce: bool = False,
) -> ScoreResult:
    """Compute the customer effort score in one of its three conventions, which the result names.

    Parameters
    ----------
    data, item, scale, survey, by, weight, design, level, missing_codes, on_invalid, coerce
        See :func:`csat`. High codes mean low effort, as in agreement with "made it easy" (CES 2.0);
        turn a scale of effort (CES 1.0) round first.
    convention : {"mean", "agree", "net"}, default "mean"
        The mean keeps most of what was answered; companies that report a share say so.

        - ``"mean"``: mean answer, in units of the scale;
        - ``"agree"``: percentage of 5 to 7 on a 7-point scale;
        - ``"net"``: percentage of 6 and 7 less percentage of 1 to 3 on a 7-point scale.

        On scales of another length the same sevenths of the codes are taken, rounded to whole codes;
        the result's ``notes`` say which.
    method : str, optional
        Interval: for the mean ``"wald"`` (default) or ``"t"``; for agree as in :func:`csat`; for net as
        in :func:`satmodels.nps`.

    Returns
    -------
    ScoreResult
        On the scale (mean), in percent (agree), or -100 to 100 (net).

    Raises
    ------
    ArgumentError
        The convention is not known, or neither scale nor survey is given.
    SchemaError
        An answer is off the scale or no number, or a weight is no weight.

    Examples
    --------
    >>> import satmodels as sat
    >>> answers = [7, 6, 6, 5, 4, 2, 7, 3]
    >>> [sat.ces(answers, scale=sat.Scale(1, 7), convention=c).estimate for c in ("mean", "agree", "net")]
    [5.0, 62.5, 25.0]
    """
    check_word("convention", convention, CONVENTIONS)
    low, high, codes = scale_of(item, scale, survey, "ces")
    reading = Reading(by, weight, design, codes_given(missing_codes, codes), on_invalid, coerce)
    rule = _rule(convention, low, high)
    return score_item(data, item, rule, reading, level=level, method=method or METHODS[convention])


def _rule(convention: str, low: float, high: float) -> Rule:
    def codes(share: float) -> int:
        return max(1, round((high - low + 1) * share))

    def agree(answer: Array) -> Array:
        return np.where(answer > high - codes(AGREE), 100.0, 0.0)

    def net(answer: Array) -> Array:
        above, below = answer > high - codes(NET_TOP), answer < low + codes(NET_BOTTOM)
        return np.where(above, 100.0, 0.0) - np.where(below, 100.0, 0.0)

    if convention == "mean":
        note = f"mean answer on the scale {low:g} to {high:g}"
        return Rule("ces", "mean", low, high, np.asarray, (note,))
    if convention == "agree":
        note = f"agreement is an answer of {high - codes(AGREE) + 1:g} to {high:g}"
        return Rule("ces", "share", low, high, agree, (note,))
    top = f"{high - codes(NET_TOP) + 1:g} to {high:g}"
    note = f"net: answers {top} less answers {low:g} to {low + codes(NET_BOTTOM) - 1:g}"
    return Rule("ces", "net", low, high, net, (note,))
