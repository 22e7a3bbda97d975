"""The zone of tolerance between the service customers find adequate and the service they desire.

Service adequacy is perception less minimum, service superiority perception less desire (Parasuraman,
Zeithaml and Berry 1994).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from satmodels.arguments import checked
from satmodels.errors import check_word, unknown
from satmodels.results import Result, Table
from satmodels.scores.answers import Reading
from satmodels.scores.dimensions import (
    OVERALL,
    bounds_of,
    dimension_weights,
    measure,
    of_dimension,
    read_items,
    said_of,
)
from satmodels.scores.periods import By
from satmodels.scores.result import ScoreResult
from satmodels.statistics.design import Design

ROLES = ("minimum", "desired", "perception")
# measure -> coefficients of minimum, desired, perception
MEASURES = {"adequacy": (-1.0, 0.0, 1.0), "superiority": (0.0, -1.0, 1.0), "width": (-1.0, 1.0, 0.0)}
_NUMBERS = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "n", "n_missing")


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class ToleranceResult(Result):
    """Adequacy, superiority and width of the zone, by dimension and overall.

    Attributes
    ----------
    table : Table
        One row per group, dimension and measure.
    n_invalid, missing_by_code
        As in :class:`satmodels.scores.servqual.ServqualResult`.
    """

    kind: ClassVar[str] = "tolerance"
    by: tuple[str, ...]
    level: float
    table: Table
    _scores: Mapping[str, ScoreResult]
    n_invalid: int = 0
    missing_by_code: Mapping[str, int] = dataclasses.field(default_factory=dict[str, int])

    def _tidy(self) -> Table:
        return self.table

    def _glance(self) -> Mapping[str, Any]:
        overall = {r["measure"]: r["estimate"] for r in self.table.rows() if r["term"] == OVERALL}
        rows = {} if self.by else overall
        return {
            **{m: rows.get(m) for m in MEASURES},
            "rows": len(self.table),
            "n_invalid": self.n_invalid,
            "level": self.level,
        }

    @checked
    def dimension(self, name: str, measure: str = "adequacy") -> ScoreResult:
        """Return a measure of one dimension, or of ``"overall"``, as a score.

        It goes into :func:`satmodels.compare`, ``trend`` and ``control_chart``.

        Raises
        ------
        ArgumentError
            There is no such dimension or measure.
        """
        check_word("measure", measure, MEASURES)
        if f"{measure} {name}" not in self._scores:
            raise unknown("dimension", name, dict.fromkeys(self.table["term"]))
        return self._scores[f"{measure} {name}"]


@checked
def zone_of_tolerance(
    data: Any,
    items: Mapping[str, Sequence[tuple[str, str, str]]],
    *,
    scale: Any,
    importance: Mapping[str, float] | None = None,
    by: By = (),
    weight: str | None = None,
    design: Design | None = None,
    level: float = 0.95,
    method: str = "wald",
    missing_codes: Mapping[float, str] | Sequence[float] = (),
    on_invalid: str = "error",
    coerce: bool = False,
) -> ToleranceResult:
    """Compute where the perceived service lies between the minimum and the desired service.

    Parameters
    ----------
    items : mapping
        ``{dimension: [(minimum, desired, perception), ...]}`` by columns.
    scale : Scale
        Scale of all answers.
    data, importance, by, weight, design, level, method, missing_codes, on_invalid, coerce
        See :func:`satmodels.servqual`.

    Returns
    -------
    ToleranceResult
        ``tidy()``: by-columns, term (each dimension, then ``overall``), measure (``adequacy``,
        ``superiority``, ``width``), estimate to n_missing as usual, and ``position``: adequacy / width,
        below 0 under the zone of tolerance, 0 to 1 inside it, above 1 beyond the desired service; missing where the
        desired service is not above the minimum.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame({"min": [4, 5, 4], "want": [7, 7, 6], "got": [5, 5, 6]})
    >>> result = sat.zone_of_tolerance(frame, {"speed": [("min", "want", "got")]}, scale=sat.Scale(1, 7))
    >>> result.tidy()[["term", "measure", "estimate", "position"]].round(3).values.tolist()[:2]
    [['speed', 'adequacy', 1.0, 0.429], ['speed', 'superiority', -1.333, 0.429]]
    """
    read = read_items(items, ROLES, scale)
    dimensions = tuple(dict.fromkeys(i.dimension for i in read))
    weights = dimension_weights(importance, dimensions)
    composites: dict[str, dict[str, float]] = {}
    for name in (*dimensions, OVERALL):
        some = of_dimension(read, name)
        for measure_name, signs in MEASURES.items():
            terms: dict[str, float] = {}
            for item in some:
                share = 1 / sum(i.dimension == item.dimension for i in read)
                share *= weights[item.dimension] if name == OVERALL else 1.0
                terms |= {item.columns[r]: s * share for r, s in zip(ROLES, signs, strict=True)}
            composites[f"{measure_name} {name}"] = terms
    scales = {c: i.scale for i in read for c in i.columns.values()}
    reading = Reading(by, weight, design, missing_codes, on_invalid, coerce)
    measured = measure(data, composites, scales, reading, level=level, method=method)
    of = {name: measured.columns(name, level, method) for name in composites}
    records: list[dict[str, Any]] = []
    for g, key in enumerate(measured.keys):
        for name in (*dimensions, OVERALL):
            width = of[f"width {name}"]["estimate"][g]
            # who desires less than the minimum leaves no zone to lie in
            position = of[f"adequacy {name}"]["estimate"][g] / width if width > 0 else None
            for measure_name in MEASURES:
                column = of[f"{measure_name} {name}"]
                records.append(
                    {
                        **dict(zip(measured.by, key, strict=True)),
                        "term": name,
                        "measure": measure_name,
                        **{n: column[n][g] for n in _NUMBERS},
                        "position": position,
                    }
                )
    return ToleranceResult(
        library=measured.library,
        by=measured.by,
        level=level,
        _scores={
            f"{measure_name} {name}": measured.score(
                f"{measure_name} {name}",
                said_of(measure_name, name),
                of_dimension(read, name),
                bounds_of(read, gaps=True),
                level,
                method,
            )
            for name in (*dimensions, OVERALL)
            for measure_name in MEASURES
        },
        n_invalid=measured.n_invalid,
        missing_by_code=measured.missing_by_code,
        table=Table.from_records(records, (*measured.by, "term", "measure", *_NUMBERS, "position")),
    )
