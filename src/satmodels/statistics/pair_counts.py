"""PairCounts: how often each pair of answers was given, per feature and group. Kano needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, SchemaError, as_whole, near_matches
from satmodels.intake.batches import batches
from satmodels.intake.cells import Cells, check_weight, count_cells
from satmodels.intake.frames import Frame, check_numeric_type, open_frame
from satmodels.statistics.counts import as_names, sort_key
from satmodels.stored import key_from_json, key_to_json, read_document, write_document

VERSION = 1
MAX_ANSWER = 11  # answers are codes 1..k of a short scale
# lazy frames with groups or texts are counted two pairs at a time, which halves the work of the query
# behind them, while the joint cells (625 for codes 1 to 5) times the groups stay few
COUPLED_SIZE, MANY_CELLS = 5, 10_000
_FIELDS = ("features", "by", "size", "weighted", "keys", "n", "w", "w2", "n_missing")


@dataclass(frozen=True, eq=False)
class PairCounts:
    """Counts of pairs of answers (codes 1 to ``size``).

    Attributes
    ----------
    features : tuple of str
        Names of the pairs.
    by : tuple of str
        Grouping columns.
    size : int
        Number of answer codes of each question.
    keys : tuple of tuple
        One key per group; None where the segment is missing.
    n, w, w2 : ndarray, shape (groups, features, size, size)
        Number of respondents, sums of weights and of their squares; rows are the first (functional)
        question, columns the second (dysfunctional).
    n_missing : ndarray of int64, shape (groups, features)
        Respondents with either answer missing.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame({"with": [1, 1, 3], "without": [5, 3, None]})
    >>> counts = sat.PairCounts.collect(frame, {"wifi": ("with", "without")})
    >>> int(counts.n[0, 0, 0, 4]), int(counts.n_missing[0, 0])
    (1, 1)
    """

    features: tuple[str, ...]
    by: tuple[str, ...]
    size: int
    keys: tuple[tuple[Any, ...], ...]
    n: NDArray[np.int64]
    w: NDArray[np.float64]
    w2: NDArray[np.float64]
    n_missing: NDArray[np.int64]
    weighted: bool = False

    @classmethod
    @checked
    def collect(
        cls,
        data: Any,
        pairs: Mapping[str, tuple[str, str]],
        by: str | Sequence[str] = (),
        weight: str | None = None,
        *,
        size: int = 5,
        labels: Mapping[str, Mapping[str, int]] | None = None,
    ) -> Self:
        """Count pairs of answers in a dataframe, in the engine that holds it.

        Parameters
        ----------
        data : dataframe
            Any supported dataframe, lazy or not.
        pairs : mapping
            ``{feature: (first column, second column)}``.
        by : str or sequence of str
            Columns to group by.
        weight : str, optional
            Column of survey weights.
        size : int, default 5
            Answers are the codes 1 to ``size``.
        labels : mapping, optional
            ``{column: {text: code}}`` for columns that hold texts; codes are taken as they are.

        Raises
        ------
        ArgumentError
            A column is not there, or one column stands on both sides of a pair.
        SchemaError
            An answer is no code from 1 to ``size`` and no known label.
        """
        by = as_names(by)
        if not pairs:
            raise ArgumentError("pairs is empty: give {feature: (functional, dysfunctional)}")
        size = as_whole("size", size, 2, MAX_ANSWER)
        frame = open_frame(data)
        frame.require(by, role="column to group by")
        labels = labels or {}
        for feature, pair in pairs.items():
            if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
                raise ArgumentError(f"feature {feature!r}: {pair!r} is no pair of columns")
            frame.require(pair)
            for column in pair:
                if not labels.get(column):
                    check_numeric_type(frame, column)
        if not (by or frame.eager or any(labels.values())):
            return cls._stream(frame, pairs, weight, size)
        counted: list[tuple[list[tuple[Any, ...]], NDArray[np.intp], Cells]] = []
        waiting, together = list(pairs.values()), 1 if frame.eager or size > COUPLED_SIZE else 2
        while waiting:
            take = waiting[:together]
            if len({*by, *(c for pair in take for c in pair)}) < len(by) + 2 * len(take):
                take = waiting[:1]  # they share a column
            counted += _pair_cells(frame, by, take, weight, size, labels)
            waiting = waiting[len(take) :]
            if len(counted[-1][2].keys) > MANY_CELLS:
                together = 1
        keys = sorted({key for groups, _, _ in counted for key in groups}, key=sort_key)
        if not by and not keys:
            keys = [()]
        return cls._arrange(tuple(pairs), by, size, keys, counted, weighted=weight is not None)

    @classmethod
    def _stream(
        cls, frame: Frame, pairs: Mapping[str, tuple[str, str]], weight: str | None, size: int
    ) -> Self:
        """Count all pairs in one pass over a lazy frame, whose query would else run once per pair."""
        columns = list(dict.fromkeys(column for pair in pairs.values() for column in pair))
        if weight is not None:
            check_weight(frame, weight)
        cells = size * size + 1  # the last cell collects the missing pairs
        n, w, w2 = np.zeros((3, len(pairs), cells))
        refused = False
        for block in batches(frame, columns if weight is None else [*columns, weight]):
            codes = block[:, : len(columns)]
            # a missing answer fails every comparison and is no bad code
            bad = (codes < 1) | (codes > size) | ((codes != np.floor(codes)) & ~np.isnan(codes))
            if bad.any():
                refused = True  # looked into after the pass: DuckDB allows one open result at a time
            if refused:
                continue
            row_weight = None if weight is None else block[:, len(columns)]
            for f, pair in enumerate(pairs.values()):
                first, second = (codes[:, columns.index(column)] for column in pair)
                place = np.nan_to_num((first - 1) * size + second - 1, nan=cells - 1).astype(np.intp)
                n[f] += np.bincount(place, minlength=cells)
                if row_weight is not None:
                    w[f] += np.bincount(place, row_weight, minlength=cells)
                    w2[f] += np.bincount(place, row_weight**2, minlength=cells)
        if refused:
            _refuse_codes(frame, columns, size)
        if weight is None:
            w, w2 = n, n
        grid = (1, len(pairs), size, size)
        return cls(
            features=tuple(pairs),
            by=(),
            size=size,
            keys=((),),
            n=n[:, :-1].reshape(grid).astype(np.int64),
            w=w[:, :-1].reshape(grid).copy(),
            w2=w2[:, :-1].reshape(grid).copy(),
            n_missing=n[:, -1].reshape(1, len(pairs)).astype(np.int64),
            weighted=weight is not None,
        )

    @classmethod
    def _arrange(
        cls,
        features: tuple[str, ...],
        by: tuple[str, ...],
        size: int,
        keys: list[tuple[Any, ...]],
        counted: list[tuple[list[tuple[Any, ...]], NDArray[np.intp], Cells]],
        *,
        weighted: bool,
    ) -> Self:
        group_of = {key: i for i, key in enumerate(keys)}
        cells_per_pair = size * size + 1  # the last cell collects the missing pairs
        shape = (len(keys), len(features), cells_per_pair)
        n = np.zeros(shape, dtype=np.int64)
        w, w2 = np.zeros(shape), np.zeros(shape)
        for f, (groups, places, cells) in enumerate(counted):
            rows = np.array([group_of[key] for key in groups], dtype=np.intp)
            flat = (rows * len(features) + f) * cells_per_pair + places
            np.add.at(n.reshape(-1), flat, cells.n)
            np.add.at(w.reshape(-1), flat, cells.w)
            np.add.at(w2.reshape(-1), flat, cells.w2)
        grid = (len(keys), len(features), size, size)
        return cls(
            features=features,
            by=by,
            size=size,
            keys=tuple(keys),
            n=n[:, :, :-1].reshape(grid),
            w=w[:, :, :-1].reshape(grid),
            w2=w2[:, :, :-1].reshape(grid),
            n_missing=n[:, :, -1],
            weighted=weighted,
        )

    def __add__(self, other: object) -> Self:
        if not isinstance(other, PairCounts):
            return NotImplemented
        for name in ("features", "by", "size"):
            if getattr(self, name) != getattr(other, name):
                raise ArgumentError(
                    f"pair counts of different {name} don't add up: {getattr(self, name)!r} and {getattr(other, name)!r}"
                )
        keys = sorted({*self.keys, *other.keys}, key=sort_key)
        place = {key: i for i, key in enumerate(keys)}

        def add(name: str) -> NDArray[Any]:
            mine, theirs = getattr(self, name), getattr(other, name)
            total = np.zeros((len(keys), *mine.shape[1:]), dtype=mine.dtype)
            total[[place[k] for k in self.keys]] += mine
            total[[place[k] for k in other.keys]] += theirs
            return total

        return type(self)(
            self.features,
            self.by,
            self.size,
            tuple(keys),
            add("n"),
            add("w"),
            add("w2"),
            add("n_missing"),
            self.weighted or other.weighted,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PairCounts):
            return NotImplemented
        same = ("features", "by", "size", "keys", "weighted")
        return all(getattr(self, f) == getattr(other, f) for f in same) and all(
            np.array_equal(getattr(self, f), getattr(other, f)) for f in ("n", "w", "w2", "n_missing")
        )

    __hash__ = None  # type: ignore[assignment]  # arrays are compared by value, so there is no hash

    def __repr__(self) -> str:
        return f"PairCounts({len(self.features)} features, groups={len(self.keys)}, n={int(self.n.sum()):,})"

    def to_json(self) -> str:
        """Return the statistic as a JSON document with a checksum."""
        body = {
            "features": list(self.features),
            "by": list(self.by),
            "size": self.size,
            "weighted": self.weighted,
            "keys": [[key_to_json(k) for k in key] for key in self.keys],
            **{f: getattr(self, f).ravel().tolist() for f in ("n", "w", "w2", "n_missing")},
        }
        return write_document("PairCounts", VERSION, body)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a document of :meth:`to_json`; anything else is an ArgumentError."""
        body = read_document(text, "PairCounts", VERSION, _FIELDS)
        try:
            features = tuple(str(f) for f in body["features"])
            keys = tuple(tuple(key_from_json(k) for k in key) for key in body["keys"])
            size = int(body["size"])
            if not 2 <= size <= MAX_ANSWER:
                raise ValueError(f"size {size}")
            grid = (len(keys), len(features), size, size)
            n, w, w2 = (np.array(body[f], dtype=float).reshape(grid) for f in ("n", "w", "w2"))
            missing = np.array(body["n_missing"], dtype=float).reshape(grid[:2])
            if any((a < 0).any() for a in (n, w, w2, missing)):
                raise ValueError("negative counts")
            by = tuple(str(b) for b in body["by"])
            return cls(
                features,
                by,
                size,
                keys,
                n.astype(np.int64),
                w,
                w2,
                missing.astype(np.int64),
                bool(body["weighted"]),
            )
        except (ValueError, TypeError) as error:
            raise ArgumentError(
                f"the fields of these stored PairCounts don't fit together: {error}"
            ) from error


def _refuse_codes(frame: Frame, columns: Sequence[str], size: int) -> None:
    """Raise SchemaError for the first column with a bad code; this looks at the columns once more."""
    for column in columns:
        cells = count_cells(frame, (column,))
        for key in cells.keys:
            _code(frame, column, key[0], size, cells, 0, {})


def _pair_cells(
    frame: Frame,
    by: tuple[str, ...],
    pairs: Sequence[tuple[str, str]],
    weight: str | None,
    size: int,
    labels: Mapping[str, Mapping[str, int]],
) -> list[tuple[list[tuple[Any, ...]], NDArray[np.intp], Cells]]:
    """Count some pairs in one pass.

    Each gets the groups of the cells, their places in its flattened table, and their counts; cells of the
    same group and place add up.
    """
    cells = count_cells(frame, (*by, *(column for pair in pairs for column in pair)), weight)
    groups = [key[: len(by)] for key in cells.keys]
    found: list[tuple[list[tuple[Any, ...]], NDArray[np.intp], Cells]] = []
    for f, pair in enumerate(pairs):
        at = len(by) + 2 * f
        places = np.full(len(cells.keys), size * size, dtype=np.intp)
        for i, key in enumerate(cells.keys):
            first, second = (
                _code(frame, column, key[at + k], size, cells, at + k, labels.get(column, {}))
                for k, column in enumerate(pair)
            )
            if first is not None and second is not None:
                places[i] = (first - 1) * size + second - 1
        found.append((groups, places, cells))
    return found


def _code(
    frame: Frame,
    column: str,
    answer: Any,
    size: int,
    cells: Cells,
    at: int,
    labels: Mapping[str, int],
) -> int | None:
    if answer is None:
        return None
    if isinstance(answer, str) and answer in labels:
        return labels[answer]
    if not isinstance(answer, str | bool) and answer in range(1, size + 1):
        return int(answer)
    n_bad = sum(int(n) for key, n in zip(cells.keys, cells.n, strict=True) if key[at] == answer)
    known = near_matches(answer, labels) if labels else ""
    raise SchemaError.answers(
        column,
        f"1..{size} in whole numbers" + (" or a known label" if labels else ""),
        "Answers run from 1 (like) to the last code (dislike); map labels and missing codes first." + known,
        n_bad=n_bad,
        offenders=frame.offenders(column, [answer]),
        value=answer,
    )
