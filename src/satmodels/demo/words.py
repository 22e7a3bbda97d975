"""Turning results into the short tables and plain words of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from satmodels.results import Result, Table


def shown(
    result: Result | Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    *,
    rows: int | None = None,
    percent: Sequence[str] = (),
) -> Table:
    """Return some columns of a result under names that need no explanation.

    Parameters
    ----------
    result : Result or rows
        A result, or rows as mappings.
    columns : mapping
        ``{column: name in the report}``.
    rows : int, optional
        Only the first rows.
    percent : sequence of str
        Columns that hold shares, shown as percent.
    """
    records: Sequence[Mapping[str, Any]] = result.to_dict()["tidy"] if isinstance(result, Result) else result

    def value(row: Mapping[str, Any], column: str) -> Any:
        found = row.get(column)
        if column in percent and found is not None:
            return 100 * float(found)
        return found

    return Table.of(
        {name: [value(row, column) for row in records[:rows]] for column, name in columns.items()}
    )


def number(value: float | None, digits: int = 1) -> str:
    """Return a number as words have it."""
    return "unknown" if value is None else f"{value:,.{digits}f}"


def interval(row: Mapping[str, Any], digits: int = 1, *, value: str = "estimate") -> str:
    """Return an estimate with its interval: 17.9 (14.1 to 21.6)."""
    low, high = (row.get("conf_low"), row.get("conf_high"))
    if low is None or high is None:
        return number(row[value], digits)
    return f"{number(row[value], digits)} ({number(low, digits)} to {number(high, digits)})"


def listed(names: Sequence[str]) -> str:
    """Join names as a sentence has them: a, b and c."""
    spoken = [str(name).replace("_", " ") for name in names]
    if len(spoken) < 2:
        return "".join(spoken) or "none"
    return f"{', '.join(spoken[:-1])} and {spoken[-1]}"
