"""Where customers went between two dates: from segment to segment, with those who came and those who left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError
from satmodels.results import Result, Table


@dataclass(frozen=True, kw_only=True, repr=False)
class MigrationResult(Result):
    """Customers by their segment at two dates.

    Attributes
    ----------
    before, after : date
        The two dates.
    same_cuts : bool
        Whether both were scored with the same cut points. If not, customers also move because the cut
        points did.
    n_moved, n_stayed, n_new, n_gone : int
        Customers in another segment, in the same one, without an order before, and without one after.
    """

    kind: ClassVar[str] = "rfm_migration"
    before: dt.date
    after: dt.date
    same_cuts: bool
    n_moved: int
    n_stayed: int
    n_new: int
    n_gone: int
    _table: Table

    def _tidy(self) -> Table:
        return self._table

    def _glance(self) -> Mapping[str, Any]:
        return {
            "before": self.before,
            "after": self.after,
            "n_stayed": self.n_stayed,
            "n_moved": self.n_moved,
            "n_new": self.n_new,
            "n_gone": self.n_gone,
            "same_cuts": self.same_cuts,
        }


def migrate(
    before: tuple[NDArray[Any], NDArray[np.intp]],
    after: tuple[NDArray[Any], NDArray[np.intp]],
    names: tuple[str, ...],
) -> tuple[Table, dict[str, int]]:
    """Count customers by their segment before and after.

    Parameters
    ----------
    before, after : (ids, segments)
        Ascending customer ids, and the index of each one's segment.
    names : tuple of str
        Names of the segments.

    Returns
    -------
    Table, dict
        ``segment_before, segment_after, n, share`` (of the segment before); None where a customer had no
        order yet, or none any more. And the totals.

    Raises
    ------
    ArgumentError
        The ids are of different types, so that nobody would be found again.
    """
    (ids_a, seg_a), (ids_b, seg_b) = before, after
    kinds = {_kind(ids) for ids in (ids_a, ids_b) if len(ids)}
    if len(kinds) > 1:
        raise ArgumentError(
            f"the customer ids are {' before and '.join(sorted(kinds))} after: 1 and '1' are not the same customer. "
            "Convert one of the columns."
        )
    gone = len(names)  # one more row and column for those who are not there
    place = {key: i for i, key in enumerate(ids_a.tolist())}
    counts = np.zeros((gone + 1, gone + 1), dtype=np.int64)
    found = np.array([place.get(key, -1) for key in ids_b.tolist()], dtype=np.intp)
    known = found >= 0
    np.add.at(counts, (seg_a[found[known]], seg_b[known]), 1)
    np.add.at(counts, (np.full(int((~known).sum()), gone), seg_b[~known]), 1)
    left = np.ones(len(ids_a), dtype=bool)
    left[found[known]] = False
    np.add.at(counts, (seg_a[left], np.full(int(left.sum()), gone)), 1)
    labels: list[str | None] = [*names, None]
    records = [
        {
            "segment_before": labels[i],
            "segment_after": labels[j],
            "n": int(counts[i, j]),
            "share": float(counts[i, j] / counts[i].sum()),
        }
        for i in range(gone + 1)
        for j in range(gone + 1)
        if counts[i, j]
    ]
    inner = counts[:gone, :gone]
    stayed = int(np.trace(inner))
    totals = {
        "n_stayed": stayed,
        "n_moved": int(inner.sum()) - stayed,
        "n_new": int(counts[gone].sum()),
        "n_gone": int(counts[:, gone].sum()),
    }
    return Table.from_records(records, ("segment_before", "segment_after", "n", "share")), totals


def _kind(ids: NDArray[Any]) -> str:
    if ids.dtype != object:
        return "numbers"
    return "texts" if all(isinstance(v, str) for v in ids) else type(ids[0]).__name__
