"""Key drivers: how much of an outcome's variation each driver carries."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.drivers.dominance import DominanceResult, dominance_table
from satmodels.drivers.incomplete import MISSING, Missing, incomplete_moments
from satmodels.drivers.measures import (
    INTERVALS,
    METHODS,
    Measured,
    complete_blocks,
    influence_forms,
    measure,
)
from satmodels.drivers.regression import DriverRegression, check_drivers
from satmodels.drivers.scales import as_scales, check_answers, check_on_scale
from satmodels.errors import ArgumentError, DataError, check_word, unknown
from satmodels.intake.cells import count_cells
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.library import FrameLibrary
from satmodels.results import Result, Table
from satmodels.statistics.counts import as_names, sort_key
from satmodels.statistics.intervals import check_level
from satmodels.statistics.moments import Moments
from satmodels.survey.scale import Scale

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
    missing : str
        What was done about missing answers.
    n_missing : tuple of int
        Rows with a missing answer, per group.
    failed_draws : tuple of int
        Draws of the bootstrap without a solution, left out of the limits, per group.
    scale : Scale or mapping, optional
        Scale of the answers, where it was given.
    problems : tuple of str
        Negative drivers and multicollinearity, in words.
    slope_cov : tuple of ndarray
        Robust covariance matrix (HC3) of the regression's coefficients, per group; empty unless the limits are
        robust and of complete rows.
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
    missing: str = "drop"
    n_missing: tuple[int, ...] = ()
    failed_draws: tuple[int, ...] = ()
    scale: Scale | Mapping[str, Scale] | None = None
    problems: tuple[str, ...] = ()
    slope_cov: tuple[NDArray[np.float64], ...] = ()

    def dominance(self) -> DominanceResult:
        """Compare the drivers pair by pair in every company of others (at most 16 drivers).

        Returns
        -------
        DominanceResult
            ``tidy()``: general dominance (the Shapley value) and the mean gain in R² beside 0, 1, 2, ...
            others; ``pairs()``: in what share of the companies one driver gains more than another (1:
            complete dominance).

        Raises
        ------
        ArgumentError
            The analysis has groups or more than 16 drivers.

        Examples
        --------
        >>> import satmodels as sat
        >>> corr = [[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]]
        >>> moments = sat.Moments.from_correlation(corr, 200, columns=["a", "b", "overall"])
        >>> sat.key_drivers(moments, "overall").dominance().tidy().round(3)
          term  general  beside_0  beside_1
        0    a    0.287      0.36     0.213
        1    b    0.087      0.16     0.013
        """
        if len(self.moments) != 1:
            raise ArgumentError(f"this driver analysis has {len(self.moments)} groups: analyse one at a time")
        regression = DriverRegression.of(self.moments[0], self.outcome, self.drivers)
        return dominance_table(regression.corr, regression.r, self.drivers, self.outcome, self.library)

    def share_forms(self) -> NDArray[np.float64]:
        """Return how far one respondent moves the drivers' shares: by x'Hx, with x the standardised answers.

        This is how an index learns the uncertainty of weights that were derived from its own answers.

        Returns
        -------
        ndarray, shape (drivers, columns of ``moments``, columns of ``moments``)
            The matrices H, for answers standardised with divisor n.

        Raises
        ------
        ArgumentError
            The analysis has groups, or the measure is no function of the moments (``"logit"``).
        """
        if self.method == "logit" or len(self.moments) != 1:
            raise ArgumentError("one group, and a measure that follows from the moments, are needed")
        regression = DriverRegression.of(self.moments[0], self.outcome, self.drivers)
        values = np.array(self.estimates["estimate"], dtype=np.float64)
        signed = np.sign(values)[:, None, None] * influence_forms(regression, self.method)
        total = np.abs(values).sum()
        return (signed - (np.abs(values) / total)[:, None, None] * signed.sum(axis=0)) / total

    def _careful_moments(self) -> tuple[Moments, ...]:
        """Return the moments with an n that errors may be computed from, per group.

        Where gaps were bridged, some numbers come from few rows; the number of complete rows is then a
        careful n (limits are those of ``missing="drop"`` or wider than needed, never narrower).
        """
        if self.missing == "drop":
            return self.moments
        found: list[Moments] = []
        for moments, n_missing in zip(self.moments, self.n_missing, strict=True):
            n = max(moments.n + moments.n_dropped - n_missing, len(moments.columns) + 1)
            found.append(replace(moments, n=n, sum_w2=moments.sum_w2 * moments.n / n))
        return tuple(found)

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
            "n_missing": sum(self.n_missing),
            "missing": self.missing,
            "interval": self.interval,
            "level": self.level,
            "failed_draws": sum(self.failed_draws) if self.interval == "bootstrap" else None,
            "problems": len(self.problems),
        }


@checked
def key_drivers(
    data: Any,
    outcome: str,
    drivers: Sequence[str] | None = None,
    *,
    method: str = "shapley",
    by: str | Sequence[str] = (),
    weight: str | None = None,
    scale: Scale | Mapping[str, Scale] | None = None,
    missing: Missing = "drop",
    interval: str = "auto",
    level: float = 0.95,
    seed: int | None = None,
) -> KeyDriversResult:
    """Share out the explained variance of an outcome among its drivers.

    Parameters
    ----------
    data : dataframe, Moments or SEMResult
        Answers of any supported dataframe; moments of the drivers and the outcome; or a fitted
        structural model, whose constructs are then outcome and drivers.
    outcome : str
        Overall satisfaction, likelihood to recommend, an index, ...
    drivers : sequence of str, optional
        Satisfaction with parts of the service. May be left out for Moments (all other columns) and for
        a structural model (the constructs with a path to the outcome).
    method : str, default "shapley"
        - ``"shapley"``: average gain in R² over all orders of entering (LMG, general dominance); exact
          up to 26 drivers, above from 20,000 random orders with their error in ``mc_error``.
        - ``"relative_weights"``: Johnson (2000) = Genizi (1993).
        - ``"standardized"``: standardised regression coefficients; unstable when drivers resemble
          each other.
        - ``"correlation"``: the correlation with the outcome, each driver alone.
        - ``"logit"``: for an outcome of 0 and 1, Shapley values of McFadden's pseudo-R² over all 2^p
          logistic regressions (at most 12 drivers); ``beta`` is then the change of the log-odds per
          standard deviation. Needs the answers; limits by ``interval="bootstrap"`` alone, in some seconds
          for a few drivers.
    by : str or sequence of str
        Columns to group by.
    weight : str, optional
        Column of survey weights.
    scale : Scale or mapping, optional
        Scale of the answers (``{column: Scale}`` where they differ, the outcome among them): every answer
        must lie on it, so that no id or code of missing enters as a number. Kept in the result for
        :func:`importance_performance` and :func:`priorities`.
    missing : {"drop", "em", "pairwise"}, default "drop"
        Leave rows with a missing answer out; use the maximum likelihood moments of normal answers, by EM
        (right for answers missing at random, given the others); or correlate each pair of columns on the
        rows that have both (right for answers missing completely at random). Then ``n`` counts the rows
        with any answer. Limits are then robust ones or none.
    interval : str, default "auto"
        Where standard errors and limits come from: ``"robust"`` from the answers, whatever their
        distribution; ``"normal"`` from the moments, as for normal answers; ``"bootstrap"``: percentiles
        of 1,000 draws of the rows, of which those without a solution are left out and counted in
        ``failed_draws``; ``"none"``. ``"auto"`` is robust for a dataframe, normal for Moments, and none for
        ``"logit"`` and for constructs, whose correlations are estimates themselves.
    level : float, default 0.95
        Confidence level.
    seed : int, optional
        Of the bootstrap, and of the random orders above 26 drivers.

    Returns
    -------
    KeyDriversResult
        ``tidy()``: the by-columns, ``term``, ``estimate``, ``share``, ``std_error``, ``conf_low``,
        ``conf_high``, ``mc_error``, ``correlation``, ``beta`` (standardised coefficient), ``vif``,
        ``n`` (rows used), ``n_missing`` (rows with a missing answer). Shapley values and relative weights sum to R², and ``share`` is their part
        of it; for the other two methods it is the part of the sum of absolute values.

    Raises
    ------
    ArgumentError
        A column is not there or listed twice, or an option is not known.
    DataError
        A constant column, collinear drivers (named), no more answers than columns, or pairwise
        correlations that no data can have.
    SchemaError
        A column holds text, booleans or infinite values, or an answer is off the ``scale``.

    Notes
    -----
    With ``missing="em"`` the limits come from the sandwich of scores and observed information, with
    ``"pairwise"`` from the rows that have both answers; both read the columns into memory. The limits are estimate ± t standard errors
    (delta method, with n / (n - p - 1) and n - p - 1 degrees of freedom), on the scale of the square root
    for Shapley values and relative weights, which are never negative. An R² of little size is shared out all the
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
    check_word("method", method, METHODS)
    check_word("interval", interval, INTERVALS)
    check_level(level)
    by = as_names(by)
    check_word("missing", missing, MISSING)
    if missing != "drop" and (method == "logit" or interval in ("normal", "bootstrap")):
        raise ArgumentError(
            f"missing={missing!r} has no complete rows: it takes robust limits or none, and not method='logit'"
        )
    parts: list[tuple[tuple[Any, ...], DriverRegression, Frame | None, int]] = []
    constructs = _constructs(data, outcome, drivers)
    if isinstance(data, Moments) or constructs is not None:
        rows_wanted = interval in ("robust", "bootstrap") or missing != "drop" or method == "logit"
        if by or weight is not None or rows_wanted:
            raise ArgumentError(
                "there are no rows any more: by, weight, missing, interval='robust' or 'bootstrap' and "
                "method='logit' need a dataframe"
            )
        library = FrameLibrary.PANDAS
        moments, drivers = constructs or (data, drivers)
        regression = DriverRegression.of(moments, outcome, drivers)
        columns = regression.moments.columns
        if scale is not None and constructs is None:
            check_on_scale(regression.moments.mean, as_scales(scale, columns) or (), columns)
        parts.append(((), regression, None, regression.moments.n_dropped))
    else:
        if drivers is None:
            raise ArgumentError("which columns are the drivers? Give a list of names")
        names = as_names(drivers)
        check_drivers(outcome, names)
        frame = open_frame(data)
        frame.require([outcome, *names])
        frame.require(by, role="column to group by")
        library = frame.library
        if scale is not None:
            check_answers(frame, [*names, outcome], as_scales(scale, [*names, outcome]) or ())
        for key, part in groups_of(frame, by):
            with said_of(by, key):
                if missing == "drop":
                    moments = Moments.collect(part, [*names, outcome], weight)
                    n_missing = moments.n_dropped
                else:
                    moments, n_missing = incomplete_moments(part, (*names, outcome), weight, missing)
                parts.append((key, DriverRegression.of(moments, outcome, names), part, n_missing))
    if method == "logit" and interval in ("robust", "normal"):
        raise ArgumentError("method='logit' has limits by interval='bootstrap' alone")
    if interval == "auto":
        without = constructs is not None or method == "logit"
        interval = "none" if without else "normal" if isinstance(data, Moments) else "robust"
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    r2: list[float] = []
    r2_adjusted: list[float] = []
    failed: list[int] = []
    slope_cov: list[NDArray[np.float64]] = []
    for key, regression, part, n_missing in parts:
        if part is not None and interval == "robust" and missing == "drop":
            rows_read = complete_blocks(part, regression.moments.columns, weight)
            slope_cov.append(regression.robust_slope_cov(rows_read))
        with said_of(by, key):
            found = measure(regression, part, method, interval, weight, level, seed, missing)
        rows += _rows(dict(zip(by, key, strict=True)), regression, found, n_missing)
        failed.append(found.failed)
        r2.append(regression.r2 if found.r2 is None else found.r2)
        r2_adjusted.append(regression.r2_adjusted if found.r2 is None else float("nan"))
        where = ", ".join(f"{b}={k!r}" for b, k in zip(by, key, strict=True))
        problems += [f"{where}: {p}" if where else p for p in regression.problems()]
    return KeyDriversResult(
        library=library,
        estimates=Table.from_records(rows, (*by, *_COLUMNS)),
        by=by,
        keys=tuple(key for key, *_ in parts),
        outcome=outcome,
        drivers=parts[0][1].drivers if parts else tuple(drivers or ()),
        method=method,
        interval=interval,
        level=level,
        r2=tuple(r2),
        r2_adjusted=tuple(r2_adjusted),
        moments=tuple(regression.moments for _, regression, *_ in parts),
        missing=missing,
        n_missing=tuple(n_missing for *_, n_missing in parts),
        failed_draws=tuple(failed),
        scale=scale,
        problems=tuple(problems),
        slope_cov=tuple(slope_cov),
    )


def groups_of(frame: Frame, by: tuple[str, ...]) -> Iterator[tuple[tuple[Any, ...], Frame]]:
    """Go through the groups of a frame: key and rows; a missing segment is a group."""
    if not by:
        yield (), frame
        return
    for key in sorted(set(count_cells(frame, by).keys), key=sort_key):
        yield key, frame.where(by, key)


@contextmanager
def said_of(by: tuple[str, ...], key: tuple[Any, ...]) -> Generator[None, None, None]:
    """Say in a DataError which group it is about."""
    try:
        yield
    except DataError as error:
        if not by:
            raise
        where = ", ".join(f"{b}={k!r}" for b, k in zip(by, key, strict=True))
        raise DataError(f"group {where}: {error}", columns=error.columns) from error


def _constructs(
    data: Any, outcome: str, drivers: Sequence[str] | None
) -> tuple[Moments, Sequence[str]] | None:
    """Return the moments of the constructs of a fitted structural model, None for other data."""
    found = getattr(data, "groups", None)
    groups: list[Any] = list(found) if isinstance(found, tuple) else []
    if not groups or not hasattr(groups[0], "construct_corr"):
        return None
    if len(groups) > 1:
        raise ArgumentError(f"this model has {len(groups)} groups: fit one group at a time")
    group = groups[0]
    names: list[str] = list(group.constructs)
    if outcome not in names:
        raise unknown("construct", outcome, names)
    if drivers is None:
        drivers = [names[k] for k in group.predecessors(names.index(outcome))]
        if not drivers:
            raise ArgumentError(f"no construct has a path to {outcome!r}: name the drivers")
    for name in drivers:
        if name not in names:
            raise unknown("construct", name, names)
    return Moments.from_correlation(group.construct_corr, group.moments.n, columns=names), drivers


def _rows(
    key: dict[str, Any], regression: DriverRegression, found: Measured, n_missing: int
) -> list[dict[str, Any]]:
    shares = found.shares()
    return [
        {
            **key,
            "term": name,
            "estimate": found.values[j],
            "share": shares[j],
            "std_error": found.std_error[j],
            "conf_low": found.low[j],
            "conf_high": found.high[j],
            "mc_error": found.mc_error[j],
            "correlation": regression.r[j],
            "beta": regression.beta[j] if found.beta is None else found.beta[j],
            "vif": regression.vif[j],
            "n": regression.moments.n,
            "n_missing": n_missing,
        }
        for j, name in enumerate(regression.drivers)
    ]
