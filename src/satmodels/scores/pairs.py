"""Two answers of the same respondent as one difference: counted, with its design, like the answers to an item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.intake.cells import count_cells
from satmodels.intake.replicates import check_replicates, replicate_cells
from satmodels.scores.answers import Answers, Reading, collect_answers, open_answers
from satmodels.statistics.counts import ScoreCounts
from satmodels.statistics.design import replicates_of
from satmodels.statistics.replication import with_known_df

Worth = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def collect_differences(
    data: Any,
    first: str,
    second: str,
    low: float,
    high: float,
    reading: Reading,
    *,
    worth: Worth = np.asarray,
) -> Answers:
    """Count what the second answer is worth less what the first is, of those who gave both.

    Raises
    ------
    ArgumentError, SchemaError
        As for a score of either column.
    """
    pair, weight, design = (first, second), reading.weight, reading.design
    frame, grouping, _ = open_answers(data, dict.fromkeys(pair, (low, high)), reading)
    # the answers of each column are checked, and its codes counted, as for any other score
    alone = replace(reading, by=(), weight=None, design=None)
    single = [collect_answers(frame, c, low, high, alone) for c in pair]
    value_of = [
        dict(zip(a.counts.values, worth(np.array(a.counts.values, dtype=float)).tolist(), strict=True))
        for a in single
    ]
    extra = design.columns if design is not None else ()
    columns = (*grouping.read, *extra, *pair)
    n_keys = len(columns) - 2

    def difference(answers: Sequence[Any]) -> float | None:
        a, b = (
            None if v is None else known.get(float(v)) for v, known in zip(answers, value_of, strict=True)
        )
        return None if a is None or b is None else b - a

    def arranged(keys: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        groups = grouping.keys([key[:n_keys] for key in keys], frame) if n_keys else [()] * len(keys)
        return [(*group, difference(key[n_keys:])) for group, key in zip(groups, keys, strict=True)]

    cells = count_cells(frame, columns, weight)
    counts = ScoreCounts.from_cells(
        f"{second} - {first}",
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
    return Answers(
        counts,
        grouping.names,
        design,
        sum(a.n_invalid for a in single),
        dict(by_code),
        frame.library,
        replicates,
    )
