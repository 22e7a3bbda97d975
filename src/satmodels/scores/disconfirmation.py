"""Expectation disconfirmation: service better than, as, or worse than expected (Oliver 1980)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from satmodels.errors import ArgumentError
from satmodels.intake.cells import Cells, count_cells
from satmodels.intake.frames import open_frame
from satmodels.scores.answers import Reading, collect_answers
from satmodels.scores.periods import By, Grouping
from satmodels.scores.result import ScoreResult
from satmodels.scores.scales import limits_of_scale
from satmodels.scores.single_item import Rule, score_counts
from satmodels.statistics.counts import ScoreCounts


def disconfirmation(
    data: Any,
    expectation: str,
    perception: str,
    *,
    scale: Any,
    by: By = (),
    weight: str | None = None,
    level: float = 0.95,
    method: str = "wald",
    missing_codes: Mapping[float, str] | Sequence[float] = (),
    on_invalid: str = "error",
) -> ScoreResult:
    """Compute the mean disconfirmation, perception less expectation, and how many were disappointed.

    Parameters
    ----------
    data : dataframe
        A frame of any supported library.
    expectation, perception : str
        Columns of the two answers.
    scale : Scale
        Scale of both answers.
    by, weight, level, missing_codes, on_invalid
        See :func:`satmodels.csat`.
    method : {"wald", "t"}, default "wald"
        mean ± z or t standard errors; with weights always t.

    Returns
    -------
    ScoreResult
        In units of the scale. ``tidy()`` also has the percentages ``better``, ``as_expected`` and
        ``worse``; ``distribution()`` counts the differences.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame({"expected": [5, 4, 3, 5], "got": [4, 4, 5, 2]})
    >>> result = sat.disconfirmation(frame, "expected", "got", scale=sat.Scale(1, 5))
    >>> result.estimate, float(result.tidy()["worse"][0])
    (-0.5, 50.0)
    """
    low, high = limits_of_scale(scale)
    if expectation == perception:
        raise ArgumentError(f"expectation and perception are both {expectation!r}")
    grouping = Grouping.of(by)
    frame, grouping = grouping.on(open_frame(data))
    reading = Reading(missing_codes=missing_codes, on_invalid=on_invalid)
    valid = [
        set(collect_answers(frame, c, low, high, reading).counts.values) for c in (expectation, perception)
    ]
    cells = count_cells(frame, (*grouping.read, expectation, perception), weight)
    keys = (
        grouping.keys([key[:-2] for key in cells.keys], frame) if grouping.names else [()] * len(cells.keys)
    )
    gaps: list[Any] = []
    for key in cells.keys:
        known = all(v is not None and float(v) in allowed for v, allowed in zip(key[-2:], valid, strict=True))
        gaps.append(float(key[-1]) - float(key[-2]) if known else None)
    counted = Cells([(*k, gap) for k, gap in zip(keys, gaps, strict=True)], cells.n, cells.w, cells.w2)
    counts = ScoreCounts.from_cells(
        f"{perception} - {expectation}", grouping.names, counted, weighted=weight is not None
    )
    size = high - low
    rule = Rule(
        "disconfirmation", "mean", -size, size, np.asarray, share_names=("better", "as_expected", "worse")
    )
    return score_counts(counts, frame.library, rule, level=level, method=method)
