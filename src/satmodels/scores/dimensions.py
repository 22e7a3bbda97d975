"""Items of a questionnaire by dimension, and the composites that measure each dimension."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, as_number, check_word
from satmodels.intake.composite import Composite
from satmodels.intake.composites import composite_sums
from satmodels.results import FrameBuilder
from satmodels.scores.answers import Reading, left_out, open_answers
from satmodels.scores.estimate import Estimates, estimate_composite, score_table
from satmodels.scores.limits import mean_limits
from satmodels.scores.result import ScoreResult, small_sample_note
from satmodels.scores.scales import limits_of_scale
from satmodels.statistics.design import replicates_of
from satmodels.statistics.intervals import MEAN_METHODS, check_level, two_sided_p
from satmodels.statistics.replication import with_known_df

Array = NDArray[np.float64]
OVERALL = "overall"


@dataclasses.dataclass(frozen=True)
class DimensionItem:
    """One item: its name, its dimension, its columns by role, and their scale."""

    name: str
    dimension: str
    columns: Mapping[str, str]
    scale: tuple[float, float]


def read_items(given: Any, roles: Sequence[str], scale: Any) -> list[DimensionItem]:
    """Read the items of a Survey, a list of Gap, or ``{dimension: [columns of one item, ...]}``.

    Raises
    ------
    ArgumentError
        An item lacks a column, a column is used twice, or nothing is given.
    """
    items: list[DimensionItem] = []
    if isinstance(given, Mapping):
        if scale is None:
            raise ArgumentError(
                f"these items need their scale, for example scale=Scale(1, 7) for {list(roles)}"
            )
        limits = limits_of_scale(scale)
        for dimension, entries in given.items():
            if not isinstance(entries, Iterable):
                raise ArgumentError(f"dimension {dimension!r}: {entries!r} is no list of items")
            for entry in entries:
                columns = _columns_of(entry)
                if len(columns) != len(roles) or not all(isinstance(c, str) for c in columns):
                    raise ArgumentError(
                        f"dimension {dimension!r}: {entry!r} is no item; one has {len(roles)} columns, in the "
                        f"order {list(roles)}"
                    )
                items.append(
                    DimensionItem(columns[-1], str(dimension), dict(zip(roles, columns, strict=True)), limits)
                )
    else:
        source: Any = given
        if hasattr(source, "scales"):  # a Survey, whose other items are none of this
            source = [item for item in source.items if hasattr(item, "perception")]
        if not isinstance(source, list | tuple):
            raise ArgumentError(
                f"{given!r} holds no items: give a Survey with Gap items, a list of Gap, or a mapping by dimension"
            )
        gaps: Iterable[Any] = source
        for gap in gaps:
            if not hasattr(gap, "perception") or not hasattr(gap, "expectation"):
                raise ArgumentError(f"{gap!r} is no Gap: an item has an expectation and a perception")
            columns = {"expectation": gap.expectation, "perception": gap.perception}
            items.append(
                DimensionItem(gap.name, gap.dimension or gap.name, columns, limits_of_scale(gap.scale))
            )
    if not items:
        raise ArgumentError("there are no items: give a Survey with Gap items, a list of Gap, or a mapping")
    used = [i.columns[r] for i in items for r in roles]
    if twice := [c for c in used if used.count(c) > 1]:
        raise ArgumentError(f"column {twice[0]!r} is listed twice among the items")
    if OVERALL in {i.dimension for i in items}:
        raise ArgumentError(f"a dimension can't be called {OVERALL!r}: that is the row of all dimensions")
    return items


def _columns_of(entry: Any) -> tuple[Any, ...]:
    return tuple(entry) if isinstance(entry, Iterable) and not isinstance(entry, str) else (entry,)


def dimension_weights(importance: Mapping[str, float] | None, dimensions: Sequence[str]) -> dict[str, float]:
    """Return the weight of each dimension, summing to 1; equal where none is given.

    Raises
    ------
    ArgumentError
        A dimension has no importance, or one is negative or no number, or all are 0.
    """
    if importance is None:
        return {d: 1 / len(dimensions) for d in dimensions}
    if not isinstance(importance, Mapping):
        raise ArgumentError(f"importance={importance!r}: give {{dimension: points}}")
    if set(importance) != set(dimensions):
        raise ArgumentError(
            f"importance is for the dimensions {list(importance)}, the items have {list(dimensions)}"
        )
    values = np.array([as_number("importance", importance[d], low=0) for d in dimensions])
    if values.sum() <= 0:
        raise ArgumentError(f"importance={dict(importance)!r}: each is at least 0, and one is above 0")
    return dict(zip(dimensions, (values / values.sum()).tolist(), strict=True))


def of_dimension(items: Sequence[DimensionItem], name: str) -> list[DimensionItem]:
    """Return the items of a dimension; all of them for the overall score."""
    return [item for item in items if name in (item.dimension, OVERALL)]


def said_of(measure: str, name: str) -> str:
    """Return how the measure of a dimension is called."""
    return f"overall {measure}" if name == OVERALL else f"{measure} of {name}"


def bounds_of(items: Sequence[DimensionItem], *, gaps: bool) -> tuple[float, float]:
    """Return the lowest and highest possible mean answer, or mean difference of two answers."""
    widest = max(i.scale[1] - i.scale[0] for i in items)
    return (-widest, widest) if gaps else (min(i.scale[0] for i in items), max(i.scale[1] for i in items))


@dataclasses.dataclass(frozen=True)
class Measured:
    """Estimates of several composites by name."""

    by: tuple[str, ...]
    keys: tuple[tuple[Any, ...], ...]
    estimates: Mapping[str, Estimates]
    library: FrameBuilder
    n_invalid: int
    missing_by_code: Mapping[str, int]

    def columns(self, name: str, level: float, method: str) -> dict[str, list[Any]]:
        """Return estimate to n_missing of one composite, one entry per group."""
        found = self.estimates[name]
        low, high = mean_limits(found, level, method)
        df = found.df if found.linearised else found.n - 1.0 if method == "t" else None
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = np.where(found.std_error > 0, found.mean / found.std_error, np.nan)
        columns: dict[str, Array] = {
            "estimate": found.mean,
            "std_error": found.std_error,
            "statistic": statistic,
            "p_value": two_sided_p(statistic, df),
            "conf_low": low,
            "conf_high": high,
        }
        counts: dict[str, list[Any]] = {"n": found.n.tolist(), "n_missing": found.n_missing.tolist()}
        return {k: v.tolist() for k, v in columns.items()} | counts

    def score(
        self,
        name: str,
        term: str,
        items: Sequence[DimensionItem],
        limits: tuple[float, float],
        level: float,
        method: str,
    ) -> ScoreResult:
        """Return one composite as a score, for :func:`satmodels.compare`, ``trend`` and ``control_chart``."""
        found = self.estimates[name]
        table = score_table(found, self.by, term, *mean_limits(found, level, method))
        return ScoreResult(
            library=self.library,
            score=term,
            item=", ".join(item.name for item in items),
            by=self.by,
            method=method,
            level=level,
            limits=limits,
            unit="scale",
            table=table,
            notes=tuple(small_sample_note(found.keys, found.n, self.by)),
            **found.precision(),
        )


def measure(
    data: Any,
    composites: Mapping[str, Mapping[str, float]],
    scales: Mapping[str, tuple[float, float]],
    reading: Reading,
    *,
    level: float,
    method: str,
) -> Measured:
    """Estimate several sums of ``{column: coefficient}`` in one pass over the data.

    Each uses the respondents that answered all of its columns, those with coefficient 0 included.
    """
    check_level(level)
    check_word("method", method, MEAN_METHODS)
    frame, grouping, rules = open_answers(data, scales, reading)
    design = reading.design
    made = [Composite(name, coefficients, {}) for name, coefficients in composites.items()]
    extra = design.columns if design is not None else ()
    sums = composite_sums(
        frame,
        made,
        rules,
        (*grouping.read, *extra),
        reading.weight,
        replicates=replicates_of(design, reading.weight),
    )
    sums = dataclasses.replace(sums, keys=grouping.keys(sums.keys, frame))
    design = design and with_known_df(design, frame)
    estimates = {
        composite.name: estimate_composite(sums, j, len(grouping.names), design=design)
        for j, composite in enumerate(made)
    }
    keys = next(iter(estimates.values())).keys
    return Measured(grouping.names, keys, estimates, frame.library, *left_out(sums.answers, reading))
