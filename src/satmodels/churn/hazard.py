"""ChurnHazard: when a customer will leave, as a survival curve in discrete time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from satmodels.arguments import check_arguments, checked
from satmodels.churn.encoding import Encoding, is_frame, notes_on, read_features
from satmodels.churn.leakage import warn_of_leaks
from satmodels.churn.outcomes import read_binary
from satmodels.churn.spline_logistic import SplineLogistic
from satmodels.errors import ArgumentError, DataError, SchemaError, as_number, unknown
from satmodels.intake.events import build_frame
from satmodels.intake.frames import open_frame
from satmodels.intake.library import FrameLibrary
from satmodels.intake.mixed import column_values

Array = NDArray[np.float64]

LONGEST_DAYS = 36_525.0
NOT_FEATURES = ("customer", "cutoff", "churned", "time", "left")


class ChurnHazard(BaseEstimator):
    """Predicts when customers leave: a logistic hazard per period, and from it the survival curve.

    Time from the end of the gap is cut into periods. In each period in which a customer is still there, the
    log-odds of leaving in it are a level of the period plus a smooth curve of each feature (Singer & Willett
    1993). Customers whose time is cut off (censored) count for the periods that they have fully lived through,
    and for the last, unfinished one by the part of it that was seen: half a period without leaving is half an
    observation. (Leaving it out would keep, of an unfinished period, only those who left in it.)

    Parameters
    ----------
    period_days : float, default 30
        Length of a period.
    periods : int, default 12
        Number of periods; what happens later counts as still there.
    customer, cutoff, time, left : str
        Columns of a panel that are no features; the last two hold days and whether the customer left, as
        ``churn_panel(..., label="time")`` gives them.

    Attributes
    ----------
    feature_names_in_ : ndarray of str
    n_at_risk_, n_left_ : ndarray of int64, shape (periods,)
        Customers seen in each period, and those who left in it.
    exposure_ : ndarray of float64, shape (periods,)
        Periods seen: a customer lost from sight counts in part, one who left as one. ``n_left_ / exposure_`` is
        the hazard without features.
    notes_ : tuple of str
        Columns that are constant, or missing in every row, and so have no effect.

    Notes
    -----
    The odds are proportional: a feature shifts the hazard of every period alike. A period in which nobody
    left has a hazard near 0, not 0. A column that separates who leaves from who stays raises a
    LeakageWarning; the ridge penalty keeps its effect finite.

    References
    ----------
    Singer, J. D., & Willett, J. B. (1993). It's about time: using discrete-time survival analysis to study
    duration and the timing of events. Journal of Educational Statistics, 18(2), 155-195.

    Examples
    --------
    >>> import satmodels as sat
    >>> study = sat.datasets.simulate_service(n=400, seed=3)
    >>> panel = sat.churn_panel(
    ...     study.events,
    ...     study.customers,
    ...     kind="kind",
    ...     end="end",
    ...     cutoffs=["2025-05-01"],
    ...     window=sat.ChurnWindow(90, 14, 60),
    ...     label="time",
    ... )
    >>> model = sat.ChurnHazard(period_days=30, periods=6).fit(panel)
    >>> model.survival(panel).shape
    (316, 7)
    """

    def __init__(
        self,
        *,
        period_days: float = 30,
        periods: int = 12,
        customer: str = "customer",
        cutoff: str = "cutoff",
        time: str = "time",
        left: str = "left",
    ) -> None:
        self.period_days = period_days
        self.periods = periods
        self.customer = customer
        self.cutoff = cutoff
        self.time = time
        self.left = left

    def fit(
        self, X: Any, time: ArrayLike | None = None, left: ArrayLike | None = None, sample_weight: Any = None
    ) -> Self:
        """Fit the hazard.

        Parameters
        ----------
        X : dataframe or array
            Features; a panel with ``time`` and ``left``.
        time : array-like of numbers or timedelta, optional
            Days until leaving, or until the customer was last known to be there; default the column.
        left : array-like of bool or {0, 1}, optional
            Whether the customer left then; default the column.
        sample_weight : array-like, optional
            How many customers a row stands for.

        Raises
        ------
        SchemaError
            A time is not above 0 or not finite, or ``left`` is coded otherwise.
        ArgumentError
            Two series have different indexes, a parameter is out of its range.
        DataError
            Nobody left, or nobody was seen for a whole period.
        """
        self._check_parameters()
        if is_frame(X):
            frame = open_frame(X)
            for name in (self.time, self.left):
                if name not in frame.columns and (time is None or left is None):
                    raise unknown("column", name, frame.columns)
            time = column_values(frame, self.time) if time is None else time
            left = column_values(frame, self.left) if left is None else left
        if time is None or left is None:
            raise ArgumentError("give time= and left=, or a panel with these columns")
        days, gone = read_times(time, left)
        same_rows(X, time, "X and time")
        same_rows(X, left, "X and left")
        columns = self._read(X)
        self.encoding_ = Encoding.learn(columns)
        self.feature_names_in_ = np.array(self.encoding_.names, dtype=object)
        self.n_features_in_ = len(self.encoding_.names)
        Z = self.encoding_.matrix(columns)
        if len(Z) != len(days):
            raise ArgumentError(f"X has {len(Z):,} rows and time {len(days):,}")
        weight = np.ones(len(Z)) if sample_weight is None else np.asarray(sample_weight)
        if weight.dtype.kind not in "biuf" or weight.shape != (len(Z),) or not (weight >= 0).all():
            raise ArgumentError("sample_weight: one number of at least 0 per row")
        if np.isinf(weight := weight.astype(float)).any():
            raise ArgumentError("sample_weight: finite numbers")
        self.notes_ = notes_on(Z, self.encoding_.names)
        warn_of_leaks(Z, gone.astype(float), self.encoding_, stacklevel=2)
        lived, event, seen = self._lived(days, gone)
        n_rows = lived + (event | (seen > 0))
        row = np.repeat(np.arange(len(Z)), n_rows)
        period = np.arange(len(row)) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows)
        y, part = np.zeros(len(row)), np.ones(len(row))
        last = np.cumsum(n_rows) - 1
        y[last[event]] = 1.0
        part[last[seen > 0]] = seen[seen > 0]
        self.n_at_risk_ = np.bincount(period, minlength=self.periods)
        self.n_left_ = np.bincount(period, weights=y, minlength=self.periods).astype(np.int64)
        self.exposure_ = np.bincount(period, weights=part, minlength=self.periods).astype(float)
        mass = weight[row] * part
        if not len(row) or not mass @ y:
            raise DataError(
                f"nobody left within {self.periods} periods of {self.period_days:g} days: there is no hazard to "
                "estimate (it is 0)"
            )
        if not mass @ (1 - y):
            raise DataError("everybody left within the first period: use shorter periods")
        expanded: Array = np.column_stack([Z[row], period.astype(float)])
        self.model_ = SplineLogistic(np.append(self.encoding_.categorical, True)).fit(expanded, y, mass)
        return self

    def hazard(self, X: Any) -> Array:
        """Return the probability of leaving in each period for who is still there, shape (n, periods)."""
        check_is_fitted(self)
        columns = self._read(X)
        Z = self.encoding_.matrix({name: columns[name] for name in self._known(columns)})
        # the log-odds are a sum: a term of the features, which all periods share, and one of the period
        shared, base = (
            self.model_.contributions(np.column_stack([Z, np.zeros(len(Z))])),
            self.model_.intercept_,
        )
        levels = np.full((self.periods, Z.shape[1] + 1), np.nan)
        levels[:, -1] = np.arange(self.periods)
        seen = np.flatnonzero(self.n_at_risk_ > 0)
        last = seen[-1]
        levels[:, -1] = np.minimum(levels[:, -1], last)  # a period that nobody reached is like the last one
        of_period = self.model_.contributions(levels)[:, -1]
        return np.asarray(
            special.expit(shared[:, :-1].sum(axis=1)[:, None] + base + of_period[None, :]), dtype=float
        )

    def survival(self, X: Any) -> Array:
        """Return the probability of still being there at the start of each period and at the end of the last.

        Returns
        -------
        ndarray, shape (n, periods + 1)
            The first column is 1.
        """
        stay = np.cumprod(1 - self.hazard(X), axis=1)
        return np.column_stack([np.ones(len(stay)), stay]).astype(float)

    @checked
    def risk(self, X: Any, days: float) -> Array:
        """Return the probability of leaving within ``days``, by straight lines between the periods' ends."""
        if not 0 < as_number("days", days) <= self.period_days * self.periods:
            raise ArgumentError(
                f"days={days!r}: the model reaches from 0 to {self.period_days * self.periods:g} days; beyond "
                "that it would be extrapolation"
            )
        S = self.survival(X)
        at = days / self.period_days
        k = min(int(at), self.periods - 1)
        return 1 - (S[:, k] + (at - k) * (S[:, k + 1] - S[:, k]))

    def expected_time(self, X: Any, quantile: float = 0.5) -> Array:
        """Return after how many days the share ``quantile`` of such customers has left; NaN if not in time."""
        if not 0 < as_number("quantile", quantile) < 1:
            raise ArgumentError(f"quantile={quantile!r}: between 0 and 1")
        S = self.survival(X)
        share_left = 1 - S
        gone = share_left >= quantile
        k = np.argmax(gone, axis=1)
        found = np.full(len(S), np.nan)
        rows = np.flatnonzero(gone.any(axis=1))
        high, low = S[rows, k[rows] - 1], S[rows, k[rows]]
        found[rows] = (k[rows] - 1 + (high - (1 - quantile)) / (high - low)) * self.period_days
        return found

    def curve(self, X: Any) -> Any:
        """Return the survival curves as a frame: ``customer`` where X has it, ``days``, ``survival``."""
        S = self.survival(X)
        days = np.arange(self.periods + 1) * float(self.period_days)
        out: dict[str, NDArray[Any]] = {}
        library = FrameLibrary.PANDAS
        if is_frame(X):
            frame = open_frame(X)
            library = frame.library
            if self.customer in frame.columns:
                out[self.customer] = np.repeat(column_values(frame, self.customer), S.shape[1])
        out |= {"days": np.tile(days, len(S)), "survival": S.ravel()}
        return build_frame(library, out)

    def _check_parameters(self) -> None:
        check_arguments(type(self).__init__, self.get_params(deep=False))
        if (
            isinstance(self.periods, bool)
            or not isinstance(self.periods, int | np.integer)
            or self.periods < 1
        ):
            raise ArgumentError(f"periods={self.periods!r}: a whole number of at least 1")
        if not 0 < as_number("period_days", self.period_days) <= LONGEST_DAYS:
            raise ArgumentError(f"period_days={self.period_days!r}: above 0, at most {LONGEST_DAYS:g}")

    def _read(self, X: Any) -> dict[str, NDArray[Any]]:
        if is_frame(X):
            out = {self.customer, self.cutoff, self.time, self.left, *NOT_FEATURES}
            return read_features(X, [c for c in open_frame(X).columns if c not in out])
        try:
            matrix = np.asarray(X, dtype=float)
        except (TypeError, ValueError, OverflowError) as error:
            raise ArgumentError("X: a dataframe, or a table of finite numbers (NaN is missing)") from error
        if matrix.ndim != 2 or np.isinf(matrix).any():
            raise ArgumentError("X: a table of finite numbers (NaN is missing)")
        return {f"x{j}": matrix[:, j] for j in range(matrix.shape[1])}

    def _known(self, columns: dict[str, NDArray[Any]]) -> tuple[str, ...]:
        for name in self.encoding_.names:
            if name not in columns:
                raise unknown("feature", name, columns)
        return self.encoding_.names

    def _lived(
        self, days: Array, gone: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_], Array]:
        """Return periods lived through to their end, whether the next one saw the leaving, or what part of it was seen."""
        whole = np.minimum(np.floor(days / self.period_days), self.periods).astype(np.int64)
        within = whole < self.periods
        return whole, gone & within, np.where(within & ~gone, days / self.period_days - whole, 0.0)


def read_times(time: ArrayLike, left: ArrayLike) -> tuple[Array, NDArray[np.bool_]]:
    """Check times and outcomes: days above 0, finite; bool or 0/1; the same index and length."""
    same_rows(time, left, "time and left")
    given = np.asarray(time)
    if given.dtype.kind == "m":
        days = np.where(np.isnat(given), np.nan, given / np.timedelta64(1, "D"))
    elif given.dtype.kind in "iuf":
        days = given.astype(float)
    else:
        days = _plain_days(given)
    gone = read_binary(left, "left") > 0
    if days.shape != gone.shape or days.ndim != 1:
        raise ArgumentError(f"time has the shape {days.shape} and left {gone.shape}")
    wrong = np.flatnonzero(~((days > 0) & np.isfinite(days)))
    if len(wrong):
        raise SchemaError.answers(
            "time",
            "above 0 days, finite",
            "Nobody leaves before, or at, the start: correct or drop these rows.",
            n_bad=len(wrong),
            offenders=[(int(i), float(days[i])) for i in wrong[:5]],
        )
    return days, gone


def same_rows(one: Any, other: Any, what: str) -> None:
    """Refuse two pandas objects whose labels differ: by position and by label would be two results."""
    first: Any = getattr(one, "index", None)
    second: Any = getattr(other, "index", None)
    if hasattr(first, "equals") and hasattr(second, "equals") and not first.equals(second):
        raise ArgumentError(
            f"{what} have different indexes, so their rows belong together either by position or by label: "
            "align them, or give .to_numpy()"
        )


def _plain_days(given: NDArray[Any]) -> Array:
    """Return numbers among objects; None is missing, anything else is refused."""
    values = [v / timedelta(days=1) if isinstance(v, timedelta) else v for v in given.ravel().tolist()]
    wrong = [
        i
        for i, v in enumerate(values)
        if v is not None and (isinstance(v, bool) or not isinstance(v, int | float) or abs(v) > 1e300)
    ]
    if wrong:
        raise SchemaError.answers(
            "time",
            "a number of days",
            "Give days as numbers or as timedelta: texts, dates and True/False are no lengths of time.",
            n_bad=len(wrong),
            offenders=[(i, values[i]) for i in wrong[:5]],
        )
    return np.array([np.nan if v is None else float(v) for v in values]).reshape(given.shape)
