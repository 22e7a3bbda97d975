"""Continuous analysis: every answer is a number, every feature a point (DuMouchel in Berger et al. 1993).

Strong answers weigh more than weak ones: functional like 4, must-be 2, neutral 0, live-with -1, dislike
-2; dysfunctional like -2, must-be -1, neutral 0, live-with 2, dislike 4. The coding is asymmetric because
the answers must-be and like are stronger statements than live-with and dislike to the same question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError
from satmodels.results import Result, Table
from satmodels.statistics.intervals import quantile
from satmodels.statistics.pair_counts import PairCounts

Array = NDArray[np.float64]

FUNCTIONAL = (4.0, 2.0, 0.0, -1.0, -2.0)
DYSFUNCTIONAL = (-2.0, -1.0, 0.0, 2.0, 4.0)
CUT = 2.0  # the middle of 0..4 parts the classes
_COLUMNS = (
    "feature",
    *("functional", "functional_sd", "functional_low", "functional_high"),
    *("dysfunctional", "dysfunctional_sd", "dysfunctional_low", "dysfunctional_high"),
    *("importance", "importance_sd", "category", "n", "n_missing"),
)


@dataclass(frozen=True, kw_only=True, repr=False)
class KanoContinuousResult(Result):
    """Mean and standard deviation of the coded answers, stated importance, and the class of the point."""

    kind: ClassVar[str] = "kano_continuous"

    estimates: Table
    by: tuple[str, ...]
    functional_scores: tuple[float, ...]
    dysfunctional_scores: tuple[float, ...]
    level: float

    def _tidy(self) -> Table:
        return self.estimates

    def _glance(self) -> Mapping[str, Any]:
        return {
            "features": len(set(self.estimates["feature"])),
            "functional_scores": str(self.functional_scores),
            "dysfunctional_scores": str(self.dysfunctional_scores),
            "cut": CUT,
            "level": self.level,
        }


def continuous_analysis(
    counts: PairCounts,
    importance: Table | None,
    *,
    functional: Sequence[float],
    dysfunctional: Sequence[float],
    level: float,
    library: Any,
) -> KanoContinuousResult:
    """Score the pair counts; see :meth:`KanoResult.continuous`."""
    for name, scores in (("functional", functional), ("dysfunctional", dysfunctional)):
        if len(scores) != counts.size or not np.isfinite(np.array(scores, dtype=float)).all():
            raise ArgumentError(
                f"{name}={tuple(scores)!r}: give one number for each of the {counts.size} answers from like to dislike"
            )
    stated = {} if importance is None else {tuple(row.values())[:-2]: row for row in importance.rows()}
    n = counts.n.sum(axis=(2, 3))
    rows: list[dict[str, Any]] = []
    for g, key in enumerate(counts.keys):
        for f, feature in enumerate(counts.features):
            row: dict[str, Any] = {**dict(zip(counts.by, key, strict=True)), "feature": feature}
            means: list[float | None] = []
            for name, scores, axis in (("functional", functional, 1), ("dysfunctional", dysfunctional, 0)):
                w, w2 = counts.w[g, f].sum(axis=axis), counts.w2[g, f].sum()
                mean, sd, half = _mean(np.array(scores, dtype=float), w, float(w2), level)
                means.append(mean)
                if mean is not None:
                    row |= {name: mean, f"{name}_sd": sd}
                if mean is not None and half is not None:
                    row |= {f"{name}_low": mean - half, f"{name}_high": mean + half}
            if (*key, feature) in stated:
                found = stated[*key, feature]
                row |= {"importance": found["importance"], "importance_sd": found["importance_sd"]}
            row |= {
                "category": point_class(means[0], means[1]),
                "n": int(n[g, f]),
                "n_missing": int(counts.n_missing[g, f]),
            }
            rows.append(row)
    return KanoContinuousResult(
        library=library,
        estimates=Table.from_records(rows, (*counts.by, *_COLUMNS)),
        by=counts.by,
        functional_scores=tuple(float(s) for s in functional),
        dysfunctional_scores=tuple(float(s) for s in dysfunctional),
        level=level,
    )


def point_class(functional: float | None, dysfunctional: float | None) -> str | None:
    """Return the class of a point: the quarter of the square 0..4 it lies in; R or Q below 0.

    Examples
    --------
    >>> point_class(2.8, 2.9), point_class(3.1, 0.4), point_class(0.2, -0.4)
    ('O', 'A', 'I')
    """
    if functional is None or dysfunctional is None:
        return None
    if functional >= CUT:
        return "O" if dysfunctional >= CUT else "A"
    if dysfunctional >= CUT:
        return "M"
    # who clearly prefers the feature away lies in the opposite quarter
    return "R" if functional <= -CUT / 2 and dysfunctional <= -CUT / 2 else "I"


def _mean(
    scores: Array, w: Array, w2: float, level: float
) -> tuple[float | None, float | None, float | None]:
    """Return mean, standard deviation (divisor n - 1) and half the interval of coded answers."""
    total = float(w.sum())
    if total <= 0:
        return None, None, None
    n = total**2 / w2
    mean = float(w @ scores) / total
    if n <= 1:
        return mean, None, None
    sd = float(np.sqrt(w @ (scores - mean) ** 2 / total * n / (n - 1)))
    return mean, sd, float(quantile(level, n - 1)) * sd / float(np.sqrt(n))
