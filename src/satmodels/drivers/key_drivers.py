"""Key drivers: how much of an outcome's variation each driver carries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.drivers.influence import (
    normal_cov,
    numeric_gradient,
    quadratic_forms,
    robust_cov,
    shapley_gradient,
)
from satmodels.drivers.regression import DriverRegression, check_drivers
from satmodels.drivers.relative_weights import relative_weights
from satmodels.drivers.shapley import MAX_EXACT, sampled_shapley_r2, shapley_r2
from satmodels.errors import ArgumentError, one_of
from satmodels.intake.batches import batches
from satmodels.intake.cells import count_cells
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.library import FrameLibrary
from satmodels.results import Result, Table
from satmodels.statistics.counts import as_names, sort_key
from satmodels.statistics.intervals import check_level, quantile
from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]

METHODS = ("shapley", "relative_weights", "standardized", "correlation")
INTERVALS = ("auto", "robust", "normal", "none")
ORDERS = 20_000  # of entering, where there are too many drivers for all subsets
_COLUMNS = (
    *("term", "estimate", "share", "std_error", "conf_low", "conf_high"),
    *("mc_error", "correlation", "beta", "vif", "n", "n_missing"),
)


@dataclass(frozen=True, kw_only=True, repr=False)
class KeyDriversResult(Result):
    """Importance of every driver.

    Attributes
    ----------
    estimates : Table
        What :meth:`tidy` gives.
    by : tuple of str
        Grouping columns.
    keys : tuple of tuple
        One key per group.
    outcome : str
        The outcome.
    drivers : tuple of str
        The drivers, in the order given.
    method, interval : str
        How importance and its limits were computed.
    level : float
        Confidence level of the limits.
    r2, r2_adjusted : tuple of float
        Share of the outcome's variance that the drivers explain together, per group.
    moments : tuple of Moments
        Moments of the drivers and the outcome, per group.
    problems : tuple of str
        Negative drivers and multicollinearity, in words.
    """

    kind: ClassVar[str] = "key_drivers"

    estimates: Table
    by: tuple[str, ...]
    keys: tuple[tuple[Any, ...], ...]
    outcome: str
    drivers: tuple[str, ...]
    method: str
    interval: str
    level: float
    r2: tuple[float, ...]
    r2_adjusted: tuple[float, ...]
    moments: tuple[Moments, ...]
    problems: tuple[str, ...] = ()

    def _tidy(self) -> Table:
        return self.estimates

    def _glance(self) -> Mapping[str, Any]:
        one = len(self.moments) == 1
        return {
            "outcome": self.outcome,
            "drivers": len(self.drivers),
            "method": self.method,
            "groups": len(self.keys) if self.by else None,
            "r2": self.r2[0] if one else None,
            "r2_adjusted": self.r2_adjusted[0] if one else None,
            "n": sum(m.n for m in self.moments),
            "n_missing": sum(m.n_dropped for m in self.moments),
            "interval": self.interval,
            "level": self.level,
            "problems": len(self.problems),
        }


def key_drivers(
    data: Any,
    outcome: str,
    drivers: Sequence[str] | None = None,
    *,
    method: str = "shapley",
    by: str | Sequence[str] = (),
    weight: str | None = None,
    interval: str = "auto",
    level: float = 0.95,
    seed: int | None = None,
) -> KeyDriversResult:
    """Share out the explained variance of an outcome among its drivers.

    Parameters
    ----------
    data : dataframe or Moments
        Answers of any supported dataframe, or moments of the drivers and the outcome.
    outcome : str
        Overall satisfaction, likelihood to recommend, an index, ...
    drivers : sequence of str, optional
        Satisfaction with parts of the service. May be left out for Moments: all other columns.
    method : str, default "shapley"
        - ``"shapley"``: average gain in R² over all orders of entering (LMG, general dominance); exact
          up to 26 drivers, above from 20,000 random orders with their error in ``mc_error``.
        - ``"relative_weights"``: Johnson (2000) = Genizi (1993).
        - ``"standardized"``: standardised regression coefficients; unstable when drivers resemble
          each other.
        - ``"correlation"``: the correlation with the outcome, each driver alone.
    by : str or sequence of str
        Columns to group by.
    weight : str, optional
        Column of survey weights.
    interval : str, default "auto"
        Where standard errors and limits come from: ``"robust"`` from the answers, whatever their
        distribution; ``"normal"`` from the moments, as for normal answers; ``"none"``. ``"auto"`` is
        robust for a dataframe and normal for Moments.
    level : float, default 0.95
        Confidence level.
    seed : int, optional
        Of the random orders above 26 drivers.

    Returns
    -------
    KeyDriversResult
        ``tidy()``: the by-columns, ``term``, ``estimate``, ``share``, ``std_error``, ``conf_low``,
        ``conf_high``, ``mc_error``, ``correlation``, ``beta`` (standardised coefficient), ``vif``,
        ``n``, ``n_missing``. Shapley values and relative weights sum to R², and ``share`` is their part
        of it; for the other two methods it is the part of the sum of absolute values.

    Raises
    ------
    ArgumentError
        A column is not there or listed twice, or an option is not known.
    DataError
        A constant column, collinear drivers (named), or no more answers than columns.
    SchemaError
        A column holds text, booleans or infinite values.

    Notes
    -----
    Rows with a missing answer are left out and counted. The limits are estimate ± z standard errors,
    cut at 0 for the two methods that are never negative. An R² of little size is shared out all the
    same: read ``r2`` in ``glance()`` first. Importance is association, no proof of cause.

    Grömping (2007), The American Statistician 61(2), 139-147.

    Examples
    --------
    >>> import numpy as np, pandas as pd, satmodels as sat
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame(rng.normal(size=(500, 2)), columns=["price", "service"])
    >>> frame["overall"] = frame["price"] + 2 * frame["service"] + rng.normal(size=500)
    >>> result = sat.key_drivers(frame, "overall", ["price", "service"])
    >>> result.tidy()[["term", "share"]].round(2)
          term  share
    0    price   0.16
    1  service   0.84
    """
    if method not in METHODS:
        raise one_of("method", method, METHODS)
    if interval not in INTERVALS:
        raise one_of("interval", interval, INTERVALS)
    check_level(level)
    by = as_names(by)
    parts: list[tuple[tuple[Any, ...], DriverRegression, Frame | None]] = []
    if isinstance(data, Moments):
        if by or weight is not None or interval == "robust":
            raise ArgumentError(
                "Moments have no rows any more: by, weight and interval='robust' need a dataframe"
            )
        library = FrameLibrary.PANDAS
        parts.append(((), DriverRegression.of(data, outcome, drivers), None))
    else:
        if drivers is None:
            raise ArgumentError("which columns are the drivers? Give a list of names")
        names = tuple([drivers] if isinstance(drivers, str) else drivers)
        check_drivers(outcome, names)
        frame = open_frame(data)
        frame.require([outcome, *names])
        frame.require(by, role="column to group by")
        library = frame.library
        for key, part in groups_of(frame, by):
            moments = Moments.collect(part, [*names, outcome], weight)
            parts.append((key, DriverRegression.of(moments, outcome, names), part))
    chosen = ("normal" if isinstance(data, Moments) else "robust") if interval == "auto" else interval
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    for key, regression, part in parts:
        rows += _rows(dict(zip(by, key, strict=True)), regression, part, method, chosen, weight, level, seed)
        where = ", ".join(f"{b}={k!r}" for b, k in zip(by, key, strict=True))
        problems += [f"{where}: {p}" if where else p for p in regression.problems()]
    return KeyDriversResult(
        library=library,
        estimates=Table.from_records(rows, (*by, *_COLUMNS)),
        by=by,
        keys=tuple(key for key, _, _ in parts),
        outcome=outcome,
        drivers=parts[0][1].drivers if parts else tuple(drivers or ()),
        method=method,
        interval=chosen,
        level=level,
        r2=tuple(regression.r2 for _, regression, _ in parts),
        r2_adjusted=tuple(regression.r2_adjusted for _, regression, _ in parts),
        moments=tuple(regression.moments for _, regression, _ in parts),
        problems=tuple(problems),
    )


def groups_of(frame: Frame, by: tuple[str, ...]) -> Iterator[tuple[tuple[Any, ...], Frame]]:
    """Go through the groups of a frame: key and rows; a missing segment is a group."""
    if not by:
        yield (), frame
        return
    for key in sorted(set(count_cells(frame, by).keys), key=sort_key):
        yield key, frame.where(by, key)


def _rows(
    key: dict[str, Any],
    regression: DriverRegression,
    frame: Frame | None,
    method: str,
    interval: str,
    weight: str | None,
    level: float,
    seed: int | None,
) -> list[dict[str, Any]]:
    values, mc_error = importance(regression.corr, regression.r, method, seed=seed)
    parts = np.abs(values) if method in ("standardized", "correlation") else values
    total = float(parts.sum())
    std_error = np.full(len(values), np.nan)
    if interval != "none":
        cov = _covariance(regression, method, frame if interval == "robust" else None, weight)
        std_error = np.sqrt(np.maximum(np.diag(cov), 0.0) + mc_error**2)
    half = float(quantile(level)) * std_error
    low, high = values - half, values + half
    if method in ("shapley", "relative_weights"):
        low = np.maximum(low, 0.0)
    return [
        {
            **key,
            "term": name,
            "estimate": values[j],
            "share": parts[j] / total if total > 0 else None,
            "std_error": std_error[j],
            "conf_low": low[j],
            "conf_high": high[j],
            "mc_error": mc_error[j],
            "correlation": regression.r[j],
            "beta": regression.beta[j],
            "vif": regression.vif[j],
            "n": regression.moments.n,
            "n_missing": regression.moments.n_dropped,
        }
        for j, name in enumerate(regression.drivers)
    ]


def importance(corr: Array, r: Array, method: str, *, seed: int | None = None) -> tuple[Array, Array]:
    """Return the importance of each driver and the error of its sampling (0 where it is exact)."""
    exact = np.zeros(len(r))
    if method == "shapley":
        if len(r) > MAX_EXACT:
            sampled = sampled_shapley_r2(corr, r, n_orders=ORDERS, seed=seed)
            return sampled.values, sampled.mc_error
        return shapley_r2(corr, r), exact
    return _CLOSED[method](corr, r), exact


_CLOSED: dict[str, Callable[[Array, Array], Array]] = {
    "relative_weights": relative_weights,
    "standardized": lambda corr, r: np.asarray(np.linalg.solve(corr, r), dtype=np.float64),
    "correlation": lambda corr, r: r.copy(),
}


def _covariance(regression: DriverRegression, method: str, frame: Frame | None, weight: str | None) -> Array:
    gradient = (
        shapley_gradient(regression.joint)
        if method == "shapley"
        else numeric_gradient(_CLOSED[method], regression.joint)
    )
    forms = quadratic_forms(gradient, regression.joint)
    if frame is None:
        return normal_cov(forms, regression.joint, regression.n)
    return robust_cov(forms, _standardised(frame, regression.moments, weight))


def _standardised(frame: Frame, moments: Moments, weight: str | None) -> Iterator[tuple[Array, Array | None]]:
    """Go through the complete rows in standard deviations from the mean."""
    # divisor n, as the influence of one answer on a correlation is derived with it
    scale = np.sqrt(np.diag(moments.scatter) / moments.sum_w)
    p = len(moments.columns)
    columns = moments.columns if weight is None else (*moments.columns, weight)
    for block in batches(frame, columns):
        complete = block[~np.isnan(block).any(axis=1)]
        yield (complete[:, :p] - moments.mean) / scale, None if weight is None else complete[:, p]
