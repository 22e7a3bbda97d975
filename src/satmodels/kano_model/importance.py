"""Stated importance of features: the column that a Kano pair may name."""

from __future__ import annotations

from typing import Any

import numpy as np

from satmodels.errors import SchemaError
from satmodels.intake.cells import count_cells
from satmodels.intake.frames import Frame
from satmodels.results import Table
from satmodels.statistics.counts import sort_key
from satmodels.survey.items import KanoPair
from satmodels.survey.scale import labels_to_codes


def stated_importance(frame: Frame, pairs: Any, by: tuple[str, ...], weight: str | None) -> Table | None:
    """Return mean and standard deviation of the stated importance per group and feature.

    Answers are codes of the pair's importance scale, or its labels; a missing one is left out.

    Raises
    ------
    SchemaError
        An answer is off the scale and no label.
    """
    asked = [p for p in pairs if isinstance(p, KanoPair) and p.importance is not None]
    if not asked:
        return None
    rows: list[dict[str, Any]] = []
    for pair in asked:
        column = str(pair.importance)
        cells = count_cells(frame, (*by, column), weight)
        labels = labels_to_codes(pair.importance_scale.labels or {})
        groups: dict[tuple[Any, ...], list[tuple[float, float, float]]] = {}
        for key, w, w2 in zip(cells.keys, cells.w, cells.w2, strict=True):
            code = _code(frame, pair, column, key[-1], labels)
            if code is not None:
                groups.setdefault(key[:-1], []).append((code, float(w), float(w2)))
        for group in sorted(groups, key=sort_key):
            code, w, w2 = (np.array(v) for v in zip(*groups[group], strict=True))
            mean = float(w @ code / w.sum()) if w.sum() > 0 else None
            n = float(w.sum() ** 2 / w2.sum()) if w2.sum() > 0 else 0.0
            sd = None
            if mean is not None and n > 1:
                sd = float(np.sqrt(w @ (code - mean) ** 2 / w.sum() * n / (n - 1)))
            rows.append(
                {
                    **dict(zip(by, group, strict=True)),
                    "feature": pair.name,
                    "importance": mean,
                    "importance_sd": sd,
                }
            )
    return Table.from_records(rows, (*by, "feature", "importance", "importance_sd"))


def _code(frame: Frame, pair: KanoPair, column: str, answer: Any, labels: dict[str, int]) -> int | None:
    scale = pair.importance_scale
    if answer is None:
        return None
    if isinstance(answer, str) and answer in labels:
        return labels[answer]
    if not isinstance(answer, str | bool) and answer in scale.codes:
        return int(answer)
    raise SchemaError.answers(
        column,
        f"{scale.rule} in whole numbers",
        "Give the pair's importance_scale with its labels, or map the answers first.",
        n_bad=1,
        offenders=frame.offenders(column, [answer]),
        value=answer,
    )
