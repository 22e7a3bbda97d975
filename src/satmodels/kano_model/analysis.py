"""Kano's analysis: from paired answers, or their counts, to the class of every feature."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, SatmodelsWarning
from satmodels.intake.frames import open_frame
from satmodels.intake.library import FrameLibrary
from satmodels.kano_model.estimates import estimate
from satmodels.kano_model.importance import stated_importance
from satmodels.kano_model.pairs import read_pairs
from satmodels.kano_model.problems import find_problems
from satmodels.kano_model.result import KanoResult
from satmodels.kano_model.rules import THRESHOLD, check_rule
from satmodels.kano_model.tables import KanoTable, as_table
from satmodels.statistics.counts import as_names
from satmodels.statistics.intervals import check_level
from satmodels.statistics.pair_counts import PairCounts
from satmodels.survey.items import KanoPair
from satmodels.survey.survey import Survey


@checked
def kano(
    data: Any,
    pairs: Survey | Sequence[KanoPair] | Mapping[str, tuple[str, str]] | None = None,
    *,
    by: str | Sequence[str] = (),
    weight: str | None = None,
    table: str | KanoTable = "standard",
    rule: str = "frequency",
    threshold: float = THRESHOLD,
    labels: Mapping[str, int] | Sequence[str] | None = None,
    level: float = 0.95,
) -> KanoResult:
    """Classify features by Kano's method.

    Parameters
    ----------
    data : dataframe or PairCounts
        Answers 1 (like) to 5 (dislike) of any supported dataframe, or counts of pairs.
    pairs : Survey, sequence of KanoPair, or mapping
        The pairs of questions: those of a survey, a list of them, or ``{feature: (functional column,
        dysfunctional column)}``. Not needed for PairCounts.
    by : str or sequence of str
        Columns to group by; a missing segment is a group of its own.
    weight : str, optional
        Column of survey weights. Counts then are sums of weights, limits and Fong's test use the
        effective number of answers.
    table : str or KanoTable, default "standard"
        ``"standard"``, ``"pouliot"``, ``"three_level"``, or an own :class:`KanoTable`.
    rule : str, default "frequency"
        - ``"frequency"``: the most frequent category.
        - ``"hierarchy"``: the same, but when the two largest differ by no more than ``threshold`` of n,
          the first of M > O > A > I.
        - ``"blauth"``: if O + A + M > I + R + Q the largest of O, A, M, else the largest of I, R, Q.

        Exact ties go M > O > A > I > R > Q and are flagged.
    threshold : float, default 0.06
        For the hierarchy rule, as a share of the answers.
    labels : mapping or sequence, optional
        ``{text: code}``, or the texts from like to dislike, for columns that hold texts. A KanoPair
        whose scale has labels needs none.
    level : float, default 0.95
        Confidence level of the limits of better and worse.

    Returns
    -------
    KanoResult
        ``tidy()``: the by-columns, ``feature``, counts ``A, O, M, I, R, Q``, ``category``,
        ``runner_up``, ``tie``, ``significant`` (Fong 1996), ``better`` (0..1) and ``worse`` (-1..0)
        with their limits, ``total_strength``, ``category_strength``, ``n``, ``n_missing``.

    Raises
    ------
    ArgumentError
        A column is not there, a feature is listed twice, or an option is not known.
    SchemaError
        An answer is no code of the scale and no label.

    Warns
    -----
    SatmodelsWarning
        So many answers are reverse or questionable that the columns of a pair may be swapped.

    Notes
    -----
    A pair counts only when both questions are answered. Kano, Seraku, Takahashi and Tsuji (1984);
    Berger et al. (1993); Fong (1996). Limits are Wilson's, given the number of A, O, M and I.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> answers = pd.DataFrame({"with": [1, 1, 3, 2, 1], "without": [5, 3, 3, 5, 5]})
    >>> result = sat.kano(answers, {"delivery on time": ("with", "without")})
    >>> result.tidy()[["feature", "category", "better", "worse"]]
                feature category  better  worse
    0  delivery on time        O     0.6   -0.6
    """
    table = as_table(table)
    check_rule(rule, threshold)
    check_level(level)
    if isinstance(data, PairCounts):
        if pairs is not None or by or weight is not None or labels is not None:
            raise ArgumentError("PairCounts are already counted: leave out pairs, by, weight and labels")
        counts, library, importance = data, FrameLibrary.PANDAS, None
    else:
        frame = open_frame(data)
        if isinstance(pairs, Survey):
            pairs = [item for item in pairs.items if isinstance(item, KanoPair)]
        columns, texts = read_pairs(pairs, labels, table.size)
        counts = PairCounts.collect(frame, columns, by, weight, size=table.size, labels=texts)
        library = frame.library
        importance = stated_importance(frame, pairs, as_names(by), weight)
    if counts.size != table.size:
        raise ArgumentError(
            f"the answers have {counts.size} codes, the table {table.name!r} {table.size}: choose a table= of that size"
        )
    problems = find_problems(counts, table)
    for problem in problems:
        warnings.warn(problem, SatmodelsWarning, stacklevel=2)
    return KanoResult(
        library=library,
        estimates=estimate(counts, table, rule, threshold, level),
        by=as_names(counts.by),
        counts=counts,
        table=table,
        rule=rule,
        threshold=threshold,
        level=level,
        problems=problems,
        importance=importance,
    )
