"""SERVQUAL and SERVPERF: quality of service by dimension, as gaps or as perceptions alone.

The gap of an item is perception less expectation; a dimension is the mean gap of its items, and the
overall score weights the dimensions by their importance (Parasuraman, Zeithaml and Berry 1988). Cronin and
Taylor (1992) take the perceptions alone (SERVPERF).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from satmodels.arguments import checked
from satmodels.errors import unknown
from satmodels.results import Result, Table
from satmodels.scores.answers import Reading
from satmodels.scores.dimensions import (
    OVERALL,
    DimensionItem,
    Measured,
    bounds_of,
    dimension_weights,
    measure,
    of_dimension,
    read_items,
    said_of,
)
from satmodels.scores.periods import By
from satmodels.scores.result import ScoreResult
from satmodels.scores.scales import codes_given, survey_codes
from satmodels.statistics.design import Design

_NUMBERS = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "n", "n_missing")


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class ServqualResult(Result):
    """Quality of service by dimension, then overall.

    Attributes
    ----------
    score : str
        "servqual" (gaps) or "servperf" (perceptions).
    table : Table
        One row per group and dimension, then ``overall``.
    item_table : Table
        One row per group and item; :meth:`items` gives it as a dataframe.
    n_invalid : int
        Answers off the scale that were left out (``on_invalid="exclude"``), of all items.
    missing_by_code : mapping
        How often each missing code was given, by its label.
    """

    kind: ClassVar[str] = "servqual"
    score: str
    by: tuple[str, ...]
    level: float
    method: str
    table: Table
    item_table: Table
    _scores: Mapping[str, ScoreResult]
    n_invalid: int = 0
    missing_by_code: Mapping[str, int] = dataclasses.field(default_factory=dict[str, int])

    def _tidy(self) -> Table:
        return self.table

    def _glance(self) -> Mapping[str, Any]:
        overall = [row for row in self.table.rows() if row["term"] == OVERALL]
        one = overall[0] if len(overall) == 1 else {}
        return {
            "score": self.score,
            "estimate": one.get("estimate"),
            "conf_low": one.get("conf_low"),
            "conf_high": one.get("conf_high"),
            "dimensions": len({*self.table["term"]}) - 1,
            "items": len({*self.item_table["term"]}),
            "n": sum(row["n"] for row in overall),
            "n_invalid": self.n_invalid,
            "level": self.level,
        }

    def items(self) -> Any:
        """Return the single items, as a dataframe with the columns of :meth:`tidy` and ``dimension``."""
        return self.library.build(self.item_table.columns())

    @checked
    def dimension(self, name: str) -> ScoreResult:
        """Return one dimension, or ``"overall"``, as a score for :func:`satmodels.compare`, ``trend`` and ``control_chart``.

        Raises
        ------
        ArgumentError
            There is no such dimension.
        """
        if name not in self._scores:
            raise unknown("dimension", name, self._scores)
        return self._scores[name]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values; what is missing or not finite is None."""
        return {
            **super().to_dict(),
            "items": self.item_table.records(),
            "missing_by_code": dict(self.missing_by_code),
        }


@checked
def servqual(
    data: Any,
    gaps: Any,
    *,
    importance: Mapping[str, float] | None = None,
    scale: Any = None,
    by: By = (),
    weight: str | None = None,
    design: Design | None = None,
    level: float = 0.95,
    method: str = "wald",
    missing_codes: Mapping[float, str] | Sequence[float] = (),
    on_invalid: str = "error",
    coerce: bool = False,
) -> ServqualResult:
    """Compute the gaps between perception and expectation, by dimension and overall.

    Parameters
    ----------
    data : dataframe
        A frame of any supported library. Negatively worded items must have been turned
        (``survey.prepare`` does).
    gaps : Survey, sequence of Gap, or mapping
        The items; a mapping is ``{dimension: [(expectation, perception), ...]}`` and needs ``scale``.
    importance : mapping, optional
        ``{dimension: points}``, divided by their sum; the usual way is 100 points shared out by the
        respondents. Without it all dimensions weigh the same.
    scale : Scale, optional
        Scale of the items of a mapping.
    by : str, Period or sequence of them
        Columns to group by.
    weight : str, optional
        Column of survey weights.
    design : Design, optional
        Strata, clusters and finite population of the sample.
    level : float, default 0.95
        Confidence level.
    method : {"wald", "t"}, default "wald"
        gap ± z or t standard errors; with weights or a design always t.
    missing_codes : mapping or sequence
        Codes that mean "no answer".
    on_invalid : {"error", "exclude"}, default "error"
        What to do with answers off the scale; excluded ones count as missing, and in ``n_invalid``.
    coerce : bool, default False
        Read texts such as ``"6"`` as whole numbers, as :func:`satmodels.nps` does.

    Returns
    -------
    ServqualResult
        ``tidy()``: by-columns, term (each dimension, then ``overall``), estimate (mean gap), std_error,
        statistic and p_value of the test that the gap is 0, conf_low, conf_high, n, n_missing,
        expectation, perception and weight. ``items()`` gives the single items.

    Raises
    ------
    ArgumentError
        An item or importance does not fit, or a column is not there.
    SchemaError
        An answer is off the scale or no number.

    Notes
    -----
    A row rests on the respondents that answered all of its items (``n``). The standard error is that of
    each respondent's own gap, so the pairing of expectation and perception is kept.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame({"e1": [7, 6, 7], "p1": [5, 6, 6], "e2": [6, 6, 5], "p2": [6, 7, 5]})
    >>> gaps = {"reliability": [("e1", "p1")], "empathy": [("e2", "p2")]}
    >>> result = sat.servqual(
    ...     frame, gaps, scale=sat.Scale(1, 7), importance={"reliability": 75, "empathy": 25}
    ... )
    >>> result.tidy()[["term", "estimate"]].round(3).values.tolist()
    [['reliability', -1.0], ['empathy', 0.333], ['overall', -0.667]]
    """
    items = read_items(gaps, ("expectation", "perception"), scale)
    reading = Reading(by, weight, design, codes_given(missing_codes, survey_codes(gaps)), on_invalid, coerce)
    return _score("servqual", data, items, importance, reading, level, method)


@checked
def servperf(
    data: Any,
    items: Any,
    *,
    importance: Mapping[str, float] | None = None,
    scale: Any = None,
    by: By = (),
    weight: str | None = None,
    design: Design | None = None,
    level: float = 0.95,
    method: str = "wald",
    missing_codes: Mapping[float, str] | Sequence[float] = (),
    on_invalid: str = "error",
    coerce: bool = False,
) -> ServqualResult:
    """Compute the mean perceptions by dimension and overall (SERVPERF).

    Parameters
    ----------
    items : Survey, sequence of Gap, or mapping
        The items; a mapping is ``{dimension: [perception, ...]}`` and needs ``scale``. Of a Gap only the
        perception is used.
    data, importance, scale, by, weight, design, level, method, missing_codes, on_invalid, coerce
        See :func:`servqual`.

    Returns
    -------
    ServqualResult
        As :func:`servqual`, in units of the scale and without ``expectation``, statistic and p_value.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame({"p1": [5, 6, 6], "p2": [6, 7, 5]})
    >>> result = sat.servperf(frame, {"reliability": ["p1"], "empathy": ["p2"]}, scale=sat.Scale(1, 7))
    >>> result.tidy()["estimate"].round(3).tolist()
    [5.667, 6.0, 5.833]
    """
    read = read_items(items, ("perception",), scale)
    reading = Reading(by, weight, design, codes_given(missing_codes, survey_codes(items)), on_invalid, coerce)
    return _score("servperf", data, read, importance, reading, level, method)


def _score(
    score: str,
    data: Any,
    items: Sequence[DimensionItem],
    importance: Mapping[str, float] | None,
    reading: Reading,
    level: float,
    method: str,
) -> ServqualResult:
    gaps = score == "servqual"
    dimensions = tuple(dict.fromkeys(item.dimension for item in items))
    weights = dimension_weights(importance, dimensions)
    share = {d: 1 / sum(i.dimension == d for i in items) for d in dimensions}
    composites: dict[str, dict[str, float]] = {}
    for kind, expected in (("gap", -1.0), ("perception", 0.0)):
        for item in items:
            composites[f"{kind} item {item.name}"] = _terms([item], {item.name: 1.0}, expected, gaps)
        for d in dimensions:
            some = [i for i in items if i.dimension == d]
            composites[f"{kind} {d}"] = _terms(some, {i.name: share[d] for i in some}, expected, gaps)
        composites[f"{kind} {OVERALL}"] = _terms(
            items, {i.name: weights[i.dimension] * share[i.dimension] for i in items}, expected, gaps
        )
        if not gaps:
            break  # without expectations the two kinds are one
    scales = {c: i.scale for i in items for r, c in i.columns.items() if gaps or r == "perception"}
    measured = measure(data, composites, scales, reading, level=level, method=method)
    rows = [(d, {"weight": weights[d]}) for d in dimensions] + [(OVERALL, {"weight": 1.0})]
    single = [(f"item {i.name}", {"dimension": i.dimension}) for i in items]
    said = "gap" if gaps else "perception"
    return ServqualResult(
        library=measured.library,
        score=score,
        by=measured.by,
        level=level,
        method=method,
        table=_table(measured, rows, gaps, level, method),
        item_table=_table(measured, single, gaps, level, method),
        _scores={
            name: measured.score(
                f"gap {name}",
                said_of(said, name),
                of_dimension(items, name),
                bounds_of(items, gaps=gaps),
                level,
                method,
            )
            for name in (*dimensions, OVERALL)
        },
        n_invalid=measured.n_invalid,
        missing_by_code=measured.missing_by_code,
    )


def _terms(
    items: Sequence[DimensionItem], share: Mapping[str, float], expected: float, gaps: bool
) -> dict[str, float]:
    """Return the coefficients of perceptions and (``expected`` times them) of expectations."""
    terms = {i.columns["perception"]: share[i.name] for i in items}
    if gaps:
        terms |= {i.columns["expectation"]: expected * share[i.name] for i in items}
    return terms


def _table(
    measured: Measured,
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    gaps: bool,
    level: float,
    method: str,
) -> Table:
    numbers = _NUMBERS if gaps else tuple(n for n in _NUMBERS if n not in ("statistic", "p_value"))
    of = {name: measured.columns(f"gap {name}", level, method) for name, _ in rows}
    records: list[dict[str, Any]] = []
    for g, key in enumerate(measured.keys):
        for name, more in rows:
            record = {**dict(zip(measured.by, key, strict=True)), "term": name.removeprefix("item ")}
            record |= {n: of[name][n][g] for n in numbers}
            if gaps:
                perception = float(measured.estimates[f"perception {name}"].mean[g])
                record |= {"expectation": perception - of[name]["estimate"][g], "perception": perception}
            records.append({**record, **more})
    extra = ("expectation", "perception") if gaps else ()
    return Table.from_records(records, (*measured.by, "term", *numbers, *extra, *rows[0][1]))
