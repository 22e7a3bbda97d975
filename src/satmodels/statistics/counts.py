"""ScoreCounts: how often each answer was given, per group. NPS, CSAT, CES and top boxes need nothing else.

``a + b`` is the statistic of both sets of answers together, so days, shops and partitions add up.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, SchemaError, as_whole
from satmodels.intake.cells import Cells, count_cells
from satmodels.intake.frames import (
    OFFENDERS,
    Frame,
    check_numeric_type,
    holds_objects,
    is_sequence,
    open_frame,
    sequence_values,
)
from satmodels.intake.keys import codes_of, joint_keys
from satmodels.stored import key_from_json, key_to_json, read_document, write_document

VERSION = 1
_FIELDS = ("item", "by", "weighted", "keys", "values", "n", "w", "w2", "n_missing", "w_missing")


@dataclass(frozen=True, eq=False)
class ScoreCounts:
    """Counts of each answer to one item, per group of the by-columns.

    Attributes
    ----------
    item : str
        The item.
    by : tuple of str
        The grouping columns.
    keys : tuple of tuple
        One key per group, in the order of ``by``; None where the segment is missing. Sorted.
    values : tuple of float
        The distinct answers, ascending.
    n : ndarray of int64, shape (groups, values)
        Number of answers.
    w, w2 : ndarray of float64, shape (groups, values)
        Sums of the weights and of their squares; equal to ``n`` without weights.
    n_missing, w_missing : ndarray, shape (groups,)
        Missing answers and their weight.
    weighted : bool
        Whether weights were given.

    Examples
    --------
    >>> import satmodels as sat
    >>> monday = sat.ScoreCounts.collect([9, 10, 7, 3], "nps")
    >>> tuesday = sat.ScoreCounts.collect([10, None, 8], "nps")
    >>> week = monday + tuesday
    >>> week.total, int(week.n_missing.sum())
    (6, 1)
    """

    item: str
    by: tuple[str, ...]
    keys: tuple[tuple[Any, ...], ...]
    values: tuple[float, ...]
    n: NDArray[np.int64]
    w: NDArray[np.float64]
    w2: NDArray[np.float64]
    n_missing: NDArray[np.int64]
    w_missing: NDArray[np.float64]
    weighted: bool = False

    @property
    def total(self) -> int:
        """Number of answers, without the missing ones."""
        return int(self.n.sum())

    @classmethod
    @checked
    def collect(
        cls, data: Any, item: str | None = None, by: str | Sequence[str] = (), weight: str | None = None
    ) -> Self:
        """Count the answers of a dataframe, in the engine that holds it, or of a plain sequence.

        Parameters
        ----------
        data : dataframe or sequence
            Any supported dataframe, lazy or not; or a list, array or series of answers.
        item : str
            Column of the answers. For a plain sequence, only its name in the result.
        by : str or sequence of str
            Columns to group by. A missing segment is a group of its own.
        weight : str, optional
            Column of survey weights.

        Raises
        ------
        ArgumentError
            A column is not there, is used twice, or has too many distinct values.
        SchemaError
            An answer is no number, or a weight is no weight.
        """
        by = as_names(by)
        if not isinstance(data, Frame) and is_sequence(data):
            if by or weight is not None:
                raise ArgumentError("by= and weight= name columns: give a dataframe, not a plain sequence")
            return cls._of_sequence(sequence_values(data), item or "answer")
        frame = open_frame(data)
        if item is None:
            raise ArgumentError(f"which column holds the answers? The frame has {list(frame.columns)}")
        frame.require([item])
        frame.require(by, role="column to group by")
        if isinstance(weight, str) and weight == item:
            raise ArgumentError(f"column {item!r} is used twice: as the item and as the weight")
        if holds_objects(frame, item):
            _check_each(frame.values(item), item)
        check_numeric_type(frame, item)
        cells = count_cells(frame, (*by, item), weight)
        return cls.from_cells(item, by, cells, weighted=weight is not None, frame=frame)

    @classmethod
    def _of_sequence(cls, values: list[Any], item: str) -> Self:
        _check_each(values, item)
        counted = Counter(values)
        n = np.array(list(counted.values()), dtype=np.int64)
        cells = Cells((list(counted),), n, n.astype(float), n.astype(float))
        return cls.from_cells(item, (), cells)

    @classmethod
    @checked
    def from_values(cls, counts: Mapping[float, int], *, item: str = "answer") -> Self:
        """Build the statistic from published counts: ``{answer: how often}``."""
        n = np.array([as_whole("counts", v, 0, 2**53) for v in counts.values()], dtype=np.int64)
        return cls.from_cells(item, (), Cells((list(counts),), n, n.astype(float), n.astype(float)))

    @classmethod
    @checked
    def from_cells(
        cls,
        item: str,
        by: tuple[str, ...],
        cells: Cells,
        *,
        weighted: bool = False,
        frame: Frame | None = None,
    ) -> Self:
        """Arrange counted cells (by-columns, then the answer) as groups by answers."""
        *parts, answers = cells.columns
        number_of = _read_answers(answers, cells.n, item, frame)
        values = tuple(sorted({a for a in number_of.values() if a is not None}))
        place_of: dict[float | None, int] = {value: j for j, value in enumerate((*values, None))}
        column_of = {answer: place_of[number] for answer, number in number_of.items()}
        found, group = joint_keys(*zip(*map(codes_of, parts), strict=True)) if by else ([()], 0)
        keys = sorted_keys(found)
        shape = (len(keys), len(values) + 1)  # the last column collects the missing answers
        row_of = {key: i for i, key in enumerate(keys)}
        rows = np.array([row_of[key] for key in found], dtype=np.intp)[group]
        place = rows * shape[1] + np.fromiter(map(column_of.__getitem__, answers), np.intp, len(answers))

        def grid(cell: NDArray[Any]) -> NDArray[np.float64]:
            return np.bincount(place, cell, shape[0] * shape[1]).astype(float).reshape(shape)

        n, w, w2 = np.rint(grid(cells.n)).astype(np.int64), grid(cells.w), grid(cells.w2)
        return cls(
            item=item,
            by=by,
            keys=tuple(keys),
            values=values,
            n=n[:, :-1],
            w=w[:, :-1],
            w2=w2[:, :-1],
            n_missing=n[:, -1],
            w_missing=w[:, -1],
            weighted=weighted,
        )

    @checked
    def check_range(
        self, low: float, high: float, *, integer: bool = True, frame: Frame | None = None
    ) -> None:
        """Raise SchemaError, naming the first offenders, for answers off the scale."""
        bad = [
            (j, v)
            for j, v in enumerate(self.values)
            if not low <= v <= high or (integer and v != math.floor(v))
        ]
        if not bad:
            return
        values = [_as_int(v) for _, v in bad]
        n_bad = int(self.n[:, [j for j, _ in bad]].sum())
        raise SchemaError.answers(
            self.item,
            f"{_as_int(low)}..{_as_int(high)}" + (" in whole numbers" if integer else ""),
            "Declare codes such as 99 as missing (Survey(missing_codes=...)), or correct the answers.",
            n_bad=n_bad,
            offenders=frame.offenders(self.item, values) if frame is not None else (),
            value=values[0],
        )

    @checked
    def marginal(self, by: str | Sequence[str] = ()) -> Self:
        """Add up over the grouping columns that are not in ``by``."""
        by = as_names(by)
        for name in by:
            if name not in self.by:
                raise ArgumentError(f"the counts are not grouped by {name!r}, only by {list(self.by)}")
        places = [self.by.index(name) for name in by]
        return self._regroup(by, [tuple(key[p] for p in places) for key in self.keys], self.values)

    def _regroup(
        self, by: tuple[str, ...], new_keys: Sequence[tuple[Any, ...]], values: tuple[float, ...]
    ) -> Self:
        keys = sorted(set(new_keys), key=sort_key) or ([()] if not by else [])
        group_of = {key: i for i, key in enumerate(keys)}
        rows = np.array([group_of[key] for key in new_keys], dtype=np.intp)
        columns = np.array([values.index(v) for v in self.values], dtype=np.intp)

        def add(old: NDArray[Any]) -> NDArray[Any]:
            new = np.zeros((len(keys), len(values)), dtype=old.dtype)
            np.add.at(new, (rows[:, None], columns[None, :]), old)
            return new

        def add_missing(old: NDArray[Any]) -> NDArray[Any]:
            new = np.zeros(len(keys), dtype=old.dtype)
            np.add.at(new, rows, old)
            return new

        return type(self)(
            item=self.item,
            by=by,
            keys=tuple(keys),
            values=values,
            n=add(self.n),
            w=add(self.w),
            w2=add(self.w2),
            n_missing=add_missing(self.n_missing),
            w_missing=add_missing(self.w_missing),
            weighted=self.weighted,
        )

    def __add__(self, other: object) -> Self:
        if not isinstance(other, ScoreCounts):
            return NotImplemented
        for name in ("item", "by"):
            if getattr(self, name) != getattr(other, name):
                raise ArgumentError(
                    f"counts of different {name} don't add up: {getattr(self, name)!r} and {getattr(other, name)!r}"
                )
        values = tuple(sorted({*self.values, *other.values}))
        keys = sorted({*self.keys, *other.keys}, key=sort_key)
        a, b = (_spread(c, keys, values) for c in (self, other))
        return type(self)(
            self.item,
            self.by,
            tuple(keys),
            values,
            *(x + y for x, y in zip(a, b, strict=True)),
            weighted=self.weighted or other.weighted,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ScoreCounts):
            return NotImplemented
        same = ("item", "by", "keys", "values", "weighted")
        arrays = ("n", "w", "w2", "n_missing", "w_missing")
        return all(getattr(self, f) == getattr(other, f) for f in same) and all(
            np.array_equal(getattr(self, f), getattr(other, f)) for f in arrays
        )

    __hash__ = None  # type: ignore[assignment]  # arrays are compared by value, so there is no hash

    def __repr__(self) -> str:
        by = f", by={list(self.by)}, groups={len(self.keys)}" if self.by else ""
        return (
            f"ScoreCounts(item={self.item!r}{by}, n={self.total:,}, n_missing={int(self.n_missing.sum()):,})"
        )

    def to_json(self) -> str:
        """Return the statistic as a JSON document with a checksum."""
        body = {
            "item": self.item,
            "by": list(self.by),
            "weighted": self.weighted,
            "keys": [[key_to_json(k) for k in key] for key in self.keys],
            "values": list(self.values),
            **{f: getattr(self, f).tolist() for f in ("n", "w", "w2", "n_missing", "w_missing")},
        }
        return write_document("ScoreCounts", VERSION, body)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a document of :meth:`to_json`; anything else is an ArgumentError."""
        body = read_document(text, "ScoreCounts", VERSION, _FIELDS)
        try:
            keys = tuple(tuple(key_from_json(k) for k in key) for key in body["keys"])
            values = tuple(float(v) for v in body["values"])
            shape = (len(keys), len(values))
            grids = [np.array(body[f], dtype=float).reshape(shape) for f in ("n", "w", "w2")]
            ends = [np.array(body[f], dtype=float).reshape(len(keys)) for f in ("n_missing", "w_missing")]
            by = tuple(str(b) for b in body["by"])
            if any(len(key) != len(by) for key in keys) or len(set(keys)) < len(keys):
                raise ValueError("each group has one key, of one value per grouping column")
            if list(values) != sorted(set(values)):
                raise ValueError("the answers are not ascending")
            if any((a < 0).any() for a in (*grids, *ends)):
                raise ValueError("negative counts")
            if any((a != np.floor(a)).any() for a in (grids[0], ends[0])):
                raise ValueError("counts that are no whole numbers")
            return cls(
                str(body["item"]),
                by,
                keys,
                values,
                grids[0].astype(np.int64),
                grids[1],
                grids[2],
                ends[0].astype(np.int64),
                ends[1],
                bool(body["weighted"]),
            )
        except (ValueError, TypeError) as error:
            raise ArgumentError(
                f"the fields of this stored ScoreCounts don't fit together: {error}"
            ) from error


def as_names(by: str | Iterable[str]) -> tuple[str, ...]:
    """Return column names as a tuple; one name may be given alone."""
    if not isinstance(by, str | Iterable):
        raise ArgumentError(f"{by!r} is no column name and no list of column names")
    names = (by,) if isinstance(by, str) else tuple(by)
    if wrong := [name for name in names if not isinstance(name, str)]:
        raise ArgumentError(f"{wrong[0]!r} is no column name: list names of columns")
    if len(set(names)) < len(names):
        raise ArgumentError(f"a column is listed twice: {list(names)}")
    return names


def sorted_keys(keys: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the distinct group keys in the order of :func:`sort_key`."""
    distinct = set(keys)
    kinds = [set(map(type, column)) for column in zip(*distinct, strict=True)]
    if all(kind in ({int}, {str}) for kind in kinds):
        return sorted(distinct)  # the same order, and much faster
    return sorted(distinct, key=sort_key)


def sort_key(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Order group keys of any type: numbers, then dates, then text; what is missing last."""
    return tuple(_rank(k) for k in key)


def _rank(value: Any) -> tuple[int, str, Any]:
    if value is None:
        return (2, "", 0)
    if isinstance(value, bool | int | float | Decimal):
        return (0, "", float(value))
    kind = type(value).__name__
    if getattr(value, "tzinfo", None) is not None:
        kind += " with time zone"  # these can't be compared with times without
    return (1, kind, value)


def _spread(
    counts: ScoreCounts, keys: list[tuple[Any, ...]], values: tuple[float, ...]
) -> list[NDArray[Any]]:
    """Lay the arrays of a statistic out on more groups and answers."""
    rows = np.array([keys.index(k) for k in counts.keys] if len(keys) < 50 else _places(counts.keys, keys))
    columns = np.array([values.index(v) for v in counts.values], dtype=np.intp)
    grids: list[NDArray[Any]] = []
    for old in (counts.n, counts.w, counts.w2):
        new = np.zeros((len(keys), len(values)), dtype=old.dtype)
        new[np.ix_(rows.astype(np.intp), columns)] = old
        grids.append(new)
    for old in (counts.n_missing, counts.w_missing):
        new = np.zeros(len(keys), dtype=old.dtype)
        new[rows.astype(np.intp)] = old
        grids.append(new)
    return grids


def _places(some: Iterable[tuple[Any, ...]], keys: list[tuple[Any, ...]]) -> list[int]:
    place = {key: i for i, key in enumerate(keys)}
    return [place[key] for key in some]


def _number(value: Any) -> float | None:
    """Return an answer as a finite float, or None for text, booleans and what is not finite."""
    if isinstance(value, int | float | Decimal | np.number) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            return None
        if math.isfinite(number):
            return number
    return None


def _read_answers(
    answers: Sequence[Any], n: NDArray[np.int64], item: str, frame: Frame | None
) -> dict[Any, float | None]:
    """Read each distinct answer of counted cells, or raise SchemaError with the rows that gave others."""
    kinds = set(map(type, answers)) - {type(None)}
    # True hides beside 1 in a set, so where types are mixed every cell is looked at
    bad = [a for a in (answers if len(kinds) > 1 else set(answers)) if a is not None and _number(a) is None]
    if bad:
        values = list(dict.fromkeys(a for a in answers if a is not None and _number(a) is None))
        raise _no_score(
            item,
            values[0],
            n_bad=int(
                sum(k for a, k in zip(answers, n, strict=True) if a is not None and _number(a) is None)
            ),
            offenders=frame.offenders(item, values) if frame is not None else (),
        )
    return {answer: _number(answer) for answer in set(answers)}


def _no_score(item: str, value: Any, *, n_bad: int, offenders: Sequence[tuple[Any, Any]]) -> SchemaError:
    numeric = isinstance(value, float | Decimal | np.number)
    return SchemaError.answers(
        item,
        "finite" if numeric else "numeric",
        "Infinite values are no answers: correct them or set them to missing."
        if numeric
        else "Convert the answers to numbers first; True, False and text are no scores.",
        n_bad=n_bad,
        offenders=offenders,
        value=value,
    )


def _check_each(values: Iterable[Any], item: str) -> None:
    """Look at every answer of a sequence or an object column: there True hides beside 1 and "9" beside 9."""
    bad = [(i, v) for i, v in enumerate(values) if v is not None and _number(v) is None]
    if bad:
        raise _no_score(item, bad[0][1], n_bad=len(bad), offenders=bad[:OFFENDERS])


def _as_int(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value
