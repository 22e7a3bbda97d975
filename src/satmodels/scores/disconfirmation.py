"""Expectation disconfirmation: service better than, as, or worse than expected (Oliver 1980)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from satmodels.arguments import checked
from satmodels.errors import ArgumentError
from satmodels.intake.cells import count_cells
from satmodels.intake.replicates import check_replicates, replicate_cells
from satmodels.scores.answers import Answers, Reading, collect_answers, open_answers
from satmodels.scores.periods import By
from satmodels.scores.result import ScoreResult
from satmodels.scores.scales import limits_of_scale
from satmodels.scores.single_item import Rule, score_answers
from satmodels.statistics.counts import ScoreCounts
from satmodels.statistics.design import Design, replicates_of
from satmodels.statistics.replication import with_known_df


@checked
def disconfirmation(
    data: Any,
    expectation: str,
    perception: str,
    *,
    scale: Any,
    by: By = (),
    weight: str | None = None,
    design: Design | None = None,
    level: float = 0.95,
    method: str = "wald",
    missing_codes: Mapping[float, str] | Sequence[float] = (),
    on_invalid: str = "error",
    coerce: bool = False,
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
    by, weight, design, level, missing_codes, on_invalid, coerce
        See :func:`satmodels.csat`.
    method : {"wald", "t"}, default "wald"
        mean ± z or t standard errors; with weights or a design always t.

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
    reading = Reading(by, weight, design, missing_codes, on_invalid, coerce)
    pair = (expectation, perception)
    frame, grouping, _ = open_answers(data, dict.fromkeys(pair, (low, high)), reading)
    # the answers of each column are checked, and its codes counted, as for any other score
    alone = replace(reading, by=(), weight=None, design=None)
    single = [collect_answers(frame, c, low, high, alone) for c in pair]
    valid = [set(answers.counts.values) for answers in single]
    extra = design.columns if design is not None else ()
    columns = (*grouping.read, *extra, *pair)
    n_keys = len(columns) - 2

    def gap(answers: Sequence[Any]) -> float | None:
        known = all(v is not None and float(v) in ok for v, ok in zip(answers, valid, strict=True))
        return float(answers[1]) - float(answers[0]) if known else None

    def arranged(keys: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        groups = grouping.keys([key[:n_keys] for key in keys], frame) if n_keys else [()] * len(keys)
        return [(*group, gap(key[n_keys:])) for group, key in zip(groups, keys, strict=True)]

    cells = count_cells(frame, columns, weight)
    counts = ScoreCounts.from_cells(
        f"{perception} - {expectation}",
        (*grouping.names, *extra),
        replace(cells, columns=tuple(zip(*arranged(cells.keys), strict=True)) or ((),) * (n_keys + 1)),
        weighted=weight is not None,
    )
    replicates = None
    if names := replicates_of(design, weight):
        check_replicates(frame, names)
        keys, sums = replicate_cells(frame, columns, names)
        replicates = (arranged(keys), sums)
        design = design and with_known_df(design, frame)
    by_code = Counter[str]()
    for answers in single:
        by_code.update(answers.missing_by_code)
    answers = Answers(
        counts,
        grouping.names,
        design,
        sum(a.n_invalid for a in single),
        dict(by_code),
        frame.library,
        replicates,
    )
    size = high - low
    rule = Rule(
        "disconfirmation", "mean", -size, size, np.asarray, share_names=("better", "as_expected", "worse")
    )
    return score_answers(answers, rule, level=level, method=method)
