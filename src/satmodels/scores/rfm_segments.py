"""RFM segments: boxes of scores that together cover every score cell exactly once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError

MAX_BINS = 9  # so that the three scores read as one number, 111 to 999


@dataclass(frozen=True)
class Segment:
    """A box of RFM scores with a name.

    Parameters
    ----------
    name : str
        What reports call it.
    r, f, m : tuple of int, optional
        Lowest and highest recency, frequency and monetary score, both included; any score if left out.

    Examples
    --------
    >>> from satmodels.scores.rfm_segments import Segment
    >>> Segment("Big spenders", m=(5, 5)).covers(1, 3, 5)
    True
    """

    name: str
    r: tuple[int, int] | None = None
    f: tuple[int, int] | None = None
    m: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for axis in ("r", "f", "m"):
            given: Any = getattr(self, axis)
            if given is None:
                continue
            try:
                low, high = given
                fits = int(low) == low and int(high) == high and 1 <= low <= high <= MAX_BINS
            except (TypeError, ValueError):
                fits = False
            if not fits:
                raise ArgumentError(
                    f"segment {self.name!r}: {axis}={given!r} is no range of scores; give (lowest, highest), "
                    f"whole numbers from 1 to {MAX_BINS}"
                )
            object.__setattr__(self, axis, (int(given[0]), int(given[1])))

    @property
    def highest(self) -> int:
        """The highest score that the segment names; 1 if it names none."""
        return max((box[1] for box in (self.r, self.f, self.m) if box is not None), default=1)

    @checked
    def covers(self, r: int, f: int, m: int) -> bool:
        """Say whether a customer with these scores belongs to the segment."""
        boxes = zip((self.r, self.f, self.m), (r, f, m), strict=True)
        return all(box is None or box[0] <= score <= box[1] for box, score in boxes)


# The recency-frequency grid: of the tables in common use the only one that covers each cell once. Money
# does not enter; frequency and money are strongly correlated in most trades.
SEGMENTS: tuple[Segment, ...] = (
    Segment("Champions", r=(5, 5), f=(4, 5)),
    Segment("Loyal Customers", r=(3, 4), f=(4, 5)),
    Segment("Potential Loyalists", r=(4, 5), f=(2, 3)),
    Segment("New Customers", r=(5, 5), f=(1, 1)),
    Segment("Promising", r=(4, 4), f=(1, 1)),
    Segment("Need Attention", r=(3, 3), f=(3, 3)),
    Segment("About To Sleep", r=(3, 3), f=(1, 2)),
    Segment("Can't Lose Them", r=(1, 2), f=(5, 5)),
    Segment("At Risk", r=(1, 2), f=(3, 4)),
    Segment("Hibernating", r=(1, 2), f=(1, 2)),
)


def segment_grid(segments: Sequence[Segment], bins: int) -> NDArray[np.intp]:
    """Return which segment each score cell belongs to, after proving that it is exactly one.

    Parameters
    ----------
    segments : sequence of Segment
        The table.
    bins : int
        Scores run from 1 to ``bins``.

    Returns
    -------
    ndarray of int, shape (bins, bins, bins)
        Index of the segment, by recency, frequency and monetary score minus 1.

    Raises
    ------
    ArgumentError
        A cell belongs to no segment or to two, a name stands twice, or a segment reaches beyond ``bins``.
    """
    for segment in segments:
        if not isinstance(segment, Segment):
            raise ArgumentError(f"segments: {segment!r} is no Segment")
    names = [s.name for s in segments]
    if len(set(names)) < len(names):
        raise ArgumentError(
            f"a segment name stands twice: {sorted({n for n in names if names.count(n) > 1})}"
        )
    highest = max((s.highest for s in segments), default=1)
    if highest > bins:
        raise ArgumentError(
            f"these segments are for scores up to {highest}, but bins={bins}: give segments= for {bins} bins, or "
            "segments=None for the scores alone"
        )
    grid = np.full((bins, bins, bins), -1, dtype=np.intp)
    uncovered: list[str] = []
    for r, f, m in itertools.product(range(1, bins + 1), repeat=3):
        owners = [i for i, s in enumerate(segments) if s.covers(r, f, m)]
        if len(owners) > 1:
            raise ArgumentError(
                f"score cell {r}{f}{m} belongs to {names[owners[0]]!r} and to {names[owners[1]]!r}: "
                "segments must not overlap"
            )
        if owners:
            grid[r - 1, f - 1, m - 1] = owners[0]
        else:
            uncovered.append(f"{r}{f}{m}")
    if uncovered:
        raise ArgumentError(
            f"{len(uncovered)} of {bins**3} score cells belong to no segment ({', '.join(uncovered[:6])} …): "
            "together the segments must cover every cell"
        )
    return grid
