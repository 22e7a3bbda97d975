"""Expectation disconfirmation: service better than, as, or worse than expected (Oliver 1980)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from satmodels.arguments import checked
from satmodels.errors import ArgumentError
from satmodels.scores.answers import Reading
from satmodels.scores.pairs import collect_differences
from satmodels.scores.periods import By
from satmodels.scores.result import ScoreResult
from satmodels.scores.scales import limits_of_scale
from satmodels.scores.single_item import Rule, score_answers
from satmodels.statistics.design import Design


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
    answers = collect_differences(data, expectation, perception, low, high, reading)
    size = high - low
    rule = Rule(
        "disconfirmation", "mean", -size, size, np.asarray, share_names=("better", "as_expected", "worse")
    )
    return score_answers(answers, rule, level=level, method=method)
