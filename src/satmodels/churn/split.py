"""CutoffSplit: train on earlier cutoffs, test on later ones, with a purge between them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.churn.encoding import is_frame
from satmodels.churn.window import ChurnWindow, check_window, cutoff_times, microseconds, show_moment
from satmodels.errors import ArgumentError
from satmodels.intake.events import read_codes, read_times
from satmodels.intake.frames import open_frame

Rows = NDArray[np.intp]


class CutoffSplit:
    """Cross-validation forward in time, purged by gap plus horizon.

    Each of the last ``n_splits`` cutoffs is a test set in turn; its training set are the rows whose outcome
    was over at that cutoff: ``train cutoff + gap + horizon <= test cutoff``. Nothing else could have been
    known then. A splitter of scikit-learn: use it as ``cv=`` of ``cross_validate`` or a search.

    Parameters
    ----------
    n_splits : int, default 3
        Number of test cutoffs.
    window : ChurnWindow, optional
        Gives gap and horizon. Without it nothing is purged, which is right only if outcomes of
        neighbouring cutoffs do not overlap.
    new_customers : bool, default False
        Leave the customers of a test set out of its training set too (column ``customer``): measures how
        the model does on customers it has never seen.
    cutoff, customer : str
        Columns of the panel.

    Examples
    --------
    >>> import numpy as np
    >>> import satmodels as sat
    >>> cutoffs = np.repeat(
    ...     np.array(["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"], dtype="M8[D]"), 2
    ... )
    >>> split = sat.CutoffSplit(2, sat.ChurnWindow(observation=60, gap=7, horizon=30))
    >>> for train, test in split.split(np.zeros((8, 1)), groups=cutoffs):
    ...     print(train, test)
    [0 1] [4 5]
    [0 1 2 3] [6 7]
    """

    @checked
    def __init__(
        self,
        n_splits: int = 3,
        window: ChurnWindow | None = None,
        *,
        new_customers: bool = False,
        cutoff: str = "cutoff",
        customer: str = "customer",
    ) -> None:
        if isinstance(n_splits, bool) or not isinstance(n_splits, int | np.integer) or n_splits < 1:
            raise ArgumentError(f"n_splits={n_splits!r}: a whole number of at least 1")
        if window is not None:
            check_window(window)
        self.n_splits = int(n_splits)
        self.window = window
        self.new_customers = new_customers
        self.cutoff = cutoff
        self.customer = customer

    def __repr__(self) -> str:
        return f"CutoffSplit({self.n_splits}, {self.window!r})"

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Rows, Rows]]:
        """Yield rows (positions) to train on and to test on, earlier test cutoffs first.

        Parameters
        ----------
        X : dataframe or array
            The panel, with the column ``cutoff``; any array where ``groups`` is given.
        y : ignored
        groups : sequence, optional
            The cutoff of each row, instead of the column.

        Raises
        ------
        ArgumentError
            The cutoffs are not to be found, or the purge leaves too few of them.
        """
        times = self._times(X, groups)
        purge = microseconds(self.window.purge if self.window is not None else timedelta(0))
        distinct = np.unique(times)
        # without a window an earlier cutoff is still another one
        tests = [c for c in distinct if np.any((distinct + purge <= c) & (distinct < c))]
        if len(tests) < self.n_splits:
            raise ArgumentError(
                f"n_splits={self.n_splits}, but only {len(tests)} of the {len(distinct)} cutoffs have an earlier "
                f"one whose outcome was over by then (gap plus horizon: {purge / 86_400_000_000:g} days). Use more "
                "cutoffs, a shorter horizon, or fewer splits."
            )
        who = self._customers(X) if self.new_customers else None
        for c in tests[-self.n_splits :]:
            test = np.flatnonzero(times == c)
            known = (times + purge <= c) & (times < c)
            if who is not None:
                known &= ~np.isin(who, np.unique(who[test]))
                if not known.any():
                    raise ArgumentError(
                        f"new_customers=True leaves nobody to train on at cutoff {show_moment(int(c))}"
                    )
            yield np.flatnonzero(known), test

    def _times(self, X: Any, groups: Any) -> NDArray[np.int64]:
        if groups is None:
            if not is_frame(X):
                raise ArgumentError(
                    "the cutoffs of the rows are not known: give the panel with its column "
                    f"{self.cutoff!r}, or groups="
                )
            return times_of(X, self.cutoff)
        array = np.asarray(groups)
        if array.dtype.kind == "M":
            if np.isnat(array).any():
                raise ArgumentError("a cutoff is missing: every row of a panel has one")
            return array.astype("datetime64[us]").astype(np.int64)
        distinct, places = np.unique(np.array([str(v) for v in array]), return_inverse=True)
        return cutoff_times(list(distinct), "UTC")[places]

    def _customers(self, X: Any) -> NDArray[Any]:
        frame = open_frame(X)
        frame.require([self.customer], role="column of customers")
        return read_codes(frame, self.customer)


def times_of(panel: Any, column: str) -> NDArray[np.int64]:
    """Return a column of cutoffs as microseconds."""
    frame = open_frame(panel)
    frame.require([column], role="column of cutoffs")
    return read_times(frame, column)
