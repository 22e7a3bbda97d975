"""From data to a ScoreResult for any score of one item: read, value, estimate, give limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import check_word
from satmodels.scores.answers import Answers, Reading, collect_answers
from satmodels.scores.estimate import Estimates, estimate_counts, score_table
from satmodels.scores.limits import mean_limits, net_limits, net_shares, share_limits
from satmodels.scores.result import ScoreResult, group_names, small_sample_note
from satmodels.statistics.intervals import MEAN_METHODS, NET_METHODS, PROPORTION_METHODS, check_level

Array = NDArray[np.float64]
METHODS = {"share": PROPORTION_METHODS, "net": NET_METHODS, "mean": MEAN_METHODS}
UNITS = {"share": "percent", "net": "points", "mean": "scale"}
FEW = 5  # with fewer answers at either end a Wald interval is too short


@dataclass(frozen=True)
class Rule:
    """What makes a score: the scale, what an answer is worth, and of which type the score is.

    ``worth`` turns distinct answers into 0 and 100 (share), -100, 0 and 100 (net), or themselves (mean).
    ``share_names`` names the percentages of answers worth more than, just, and less than 0, where the
    table shows them.
    """

    score: str
    type: Literal["share", "net", "mean"]
    low: float
    high: float
    worth: Callable[[Array], Array]
    notes: tuple[str, ...] = ()
    share_names: tuple[str, str, str] | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest possible score."""
        return {"share": (0.0, 100.0), "net": (-100.0, 100.0), "mean": (self.low, self.high)}[self.type]


def score_item(
    data: Any, item: str | None, rule: Rule, reading: Reading, *, level: float, method: str
) -> ScoreResult:
    """Compute a score of one item.

    Raises
    ------
    ArgumentError, SchemaError
        As the public functions say.
    """
    _check(rule, level, method)
    answers = collect_answers(data, item, rule.low, rule.high, reading)
    return _score(answers, rule, level, method)


def score_answers(answers: Answers, rule: Rule, *, level: float, method: str) -> ScoreResult:
    """Compute a score of answers that were counted for it."""
    _check(rule, level, method)
    return _score(answers, rule, level, method)


def _check(rule: Rule, level: float, method: str) -> None:
    check_level(level)
    check_word("method", method, METHODS[rule.type])


def _score(answers: Answers, rule: Rule, level: float, method: str) -> ScoreResult:
    if rule.type == "mean":
        estimates = estimate_counts(answers, rule.worth, divisor="n-1", centre=(rule.low + rule.high) / 2)
    else:
        estimates = estimate_counts(answers, rule.worth)
    counts = answers.counts.marginal(answers.by) if answers.design else answers.counts
    worth = np.asarray(rule.worth(np.array(counts.values, dtype=float)), dtype=float)
    more: dict[str, Any] = {}
    notes = [*rule.notes, *small_sample_note(estimates.keys, estimates.n, answers.by)]
    if rule.type == "share":
        limits = share_limits(estimates, level, method)
        notes += _few_note(
            estimates, estimates.mean / 100, 1 - estimates.mean / 100, answers.by, method, "wilson"
        )
    elif rule.type == "net":
        shares = net_shares(counts.w, worth)
        limits = net_limits(estimates, shares, level, method)
        notes += _few_note(estimates, shares[0], shares[2], answers.by, method, "score")
    else:
        limits = mean_limits(estimates, level, method)
    if rule.share_names:
        shares = net_shares(counts.w, worth)
        more = {name: 100 * share for name, share in zip(rule.share_names, shares[::-1], strict=True)}
    return ScoreResult(
        library=answers.library,
        score=rule.score,
        item=counts.item,
        by=answers.by,
        method=method,
        level=level,
        limits=rule.bounds,
        unit=UNITS[rule.type],
        table=score_table(estimates, answers.by, rule.score, *limits, more),
        counts=counts,
        worth=tuple(worth.tolist()),
        notes=tuple(notes),
        n_invalid=answers.n_invalid,
        missing_by_code=answers.missing_by_code,
        **estimates.precision(),
    )


def _few_note(
    estimates: Estimates, one_end: Array, other_end: Array, by: tuple[str, ...], method: str, better: str
) -> list[str]:
    """Warn of a Wald interval where an end of the scale is nearly empty."""
    if method != "wald":
        return []
    least = np.nan_to_num(np.minimum(one_end, other_end)) * estimates.n
    few = (estimates.n > 0) & (least < FEW)
    if not few.any():
        return []
    where = f" in {group_names(estimates.keys, few)}" if by else ""
    return [
        f"fewer than {FEW} answers at one end{where}: the Wald interval is too short there; "
        f'method="{better}" keeps its level better'
    ]
