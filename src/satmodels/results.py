"""What every result can do: tidy, glance, to_dict, to_json, one line for a shell, a table for a notebook."""

from __future__ import annotations

import dataclasses
import html
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, as_whole

DOCUMENT, VERSION = "Result", 1  # of the stored form
HTML_ROWS = 60  # a notebook shows this many rows; tidy() has them all
HTML_DIGITS = 4


class FrameBuilder(Protocol):
    """Something that turns columns into a dataframe of one library (see ``intake.library``)."""

    def build(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> Any:
        """Return a dataframe with these columns."""
        ...


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: numpy to Python, NaN and infinities to None, dates to ISO text."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, np.ndarray):
        return [plain(v) for v in value.tolist()]
    if isinstance(value, Table):
        return value.records()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, Iterable):
        return [plain(v) for v in value]
    return str(value)


@dataclasses.dataclass(frozen=True)
class Table:
    """A small immutable table of plain values: how results hold their numbers.

    ``None`` is a missing value, whatever the column's type.
    """

    names: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]  # one tuple per column

    @classmethod
    def of(cls, columns: Mapping[str, Iterable[Any]]) -> Table:
        """Return the table of these columns; NaN becomes None."""
        names = tuple(columns)
        values = tuple(_plain_column(column) for column in columns.values())
        if len({len(column) for column in values}) > 1:
            lengths = {name: len(column) for name, column in zip(names, values, strict=True)}
            raise ValueError(f"columns of unequal length: {lengths}")
        return cls(names, values)

    @classmethod
    def from_records(cls, records: Iterable[Mapping[str, Any]], names: Sequence[str] = ()) -> Table:
        """Return the table of these rows; ``names`` gives the columns (and their order) of an empty one."""
        rows = list(records)
        names = tuple(names) or tuple(dict.fromkeys(name for row in rows for name in row))
        return cls.of({name: [row.get(name) for row in rows] for name in names})

    def __len__(self) -> int:
        return len(self.values[0]) if self.values else 0

    def __getitem__(self, name: str) -> tuple[Any, ...]:
        return self.values[self.names.index(name)]

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def columns(self) -> dict[str, tuple[Any, ...]]:
        """Return the columns by name."""
        return dict(zip(self.names, self.values, strict=True))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Go through the rows as mappings."""
        for row in zip(*self.values, strict=True):
            yield dict(zip(self.names, row, strict=True))

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as JSON-ready mappings."""
        return [plain(row) for row in self.rows()]

    def to_html(self, *, rows: int = HTML_ROWS, digits: int = HTML_DIGITS) -> str:
        """Return an HTML table with every text escaped."""
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.names)
        body: list[str] = []
        for i, row in enumerate(zip(*self.values, strict=True)):
            if i == rows:
                body.append(f'<tr><td colspan="{len(self.names)}">… {len(self) - rows} more rows</td></tr>')
                break
            body.append("<tr>" + "".join(_html_cell(v, digits) for v in row) + "</tr>")
        return (
            f'<table class="satmodels"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'
        )


def _plain_column(column: Iterable[Any]) -> tuple[Any, ...]:
    """Turn a column into Python values; whole arrays and plain lists in one step, which is much faster."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "iufb":
        values = column.tolist()
        if column.dtype.kind != "f" or not np.isnan(column).any():
            return tuple(values)
        return tuple(None if v != v else v for v in values)
    values = tuple(column)
    if set(map(type, values)) <= {int, str, bool, type(None)}:
        return values
    return tuple(_cell(v) for v in values)


def _cell(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def show_number(value: Any, digits: int = HTML_DIGITS) -> str:
    """Return a value as a reader wants it: four digits after the point, nothing for what is missing."""
    if value is None:
        return ""
    if isinstance(value, float):
        if value != 0 and (abs(value) >= 1e7 or abs(value) < 10**-digits):
            return f"{value:.{digits}g}"
        return f"{value:.{digits}f}"
    return str(value)


def _html_cell(value: Any, digits: int) -> str:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    style = ' style="text-align:right"' if numeric else ""
    return f"<td{style}>{html.escape(show_number(value, digits))}</td>"


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Result:
    """Base of every result: plain numbers, no reference to the data or to the model.

    A subclass is a frozen dataclass that gives ``_tidy`` (one row per estimate) and ``_glance`` (one
    row per model); everything else follows from these.
    """

    library: FrameBuilder = dataclasses.field(compare=False)
    kind: ClassVar[str] = "result"

    def _tidy(self) -> Table:
        raise NotImplementedError

    def _glance(self) -> Mapping[str, Any]:
        raise NotImplementedError

    def tidy(self) -> Any:
        """Return one row per estimate, as a dataframe of the library that the data came in."""
        return self.library.build(self._tidy().columns())

    def glance(self) -> Any:
        """Return one row that sums the result up, as a dataframe of the library that the data came in."""
        return self.library.build({name: (value,) for name, value in self._glance().items()})

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values; what is missing or not finite is None."""
        return {"kind": self.kind, "glance": plain(self._glance()), "tidy": self._tidy().records()}

    @checked
    def to_json(self, *, indent: int | None = None, full: bool = False) -> str:
        """Return the result as strict JSON text.

        Parameters
        ----------
        indent : int, optional
            Spaces per level, for people; not with ``full``.
        full : bool, default False
            By default :meth:`to_dict` is written, for other programs (NaN becomes null). With True everything is,
            so that :meth:`from_json` gives the same result back, with all of its tables.
        """
        if full:
            from satmodels.records import encode
            from satmodels.stored import MAX_BYTES, write_document

            text = write_document(DOCUMENT, VERSION, {"result": encode(self)})
            if len(text) > MAX_BYTES:
                raise ArgumentError(
                    f"this {type(self).__name__} takes {len(text):,} bytes, more than can be read back "
                    f"({MAX_BYTES:,}): store its tables, to_json(), or make it from fewer draws"
                )
            return text
        indent = None if indent is None else as_whole("indent", indent, 0)
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a result that ``to_json(full=True)`` wrote; on :class:`Result` itself, of any kind.

        Raises
        ------
        ArgumentError
            Anything about the text is not as ``to_json(full=True)`` leaves it, or it is another kind of result.
        """
        from satmodels.records import decode
        from satmodels.stored import read_document

        try:
            body = read_document(text, DOCUMENT, VERSION, ("result",))
        except ArgumentError as error:
            raise ArgumentError(f"{error} (results are read from what to_json(full=True) wrote)") from error
        found = decode(body["result"])
        if not isinstance(found, cls):
            raise ArgumentError(f"this is a stored {type(found).__name__}, not a {cls.__name__}")
        try:  # a document that was made by hand may hold anything
            found.to_dict()
        except Exception as error:
            raise ArgumentError(
                f"the fields of this stored {cls.__name__} don't fit together: {error}"
            ) from error
        return found

    def __repr__(self) -> str:
        parts = ", ".join(f"{k}={_short(v)}" for k, v in self._glance().items() if v is not None)
        return f"{type(self).__name__}({parts})"

    def _repr_html_(self) -> str:
        return f"<div><p>{html.escape(repr(self))}</p>{self._tidy().to_html()}</div>"


@checked
def read_result(text: str | bytes) -> Result:
    """Read a result of any kind from a JSON document.

    Parameters
    ----------
    text : str or bytes
        What ``result.to_json(full=True)`` wrote.

    Returns
    -------
    Result
        With the same tables; frames come in the same library.

    Raises
    ------
    ArgumentError
        The text is no such document: cut off, changed, too large, of another version, or with anything in it that
        a result does not hold.

    Examples
    --------
    >>> import satmodels as sat
    >>> nps = sat.nps([10, 9, 8, 3, 10])
    >>> sat.read_result(nps.to_json(full=True)).estimate == nps.estimate
    True
    """
    return Result.from_json(text)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else repr(value)
