"""Reliability of scales: Cronbach's alpha and McDonald's omega, from rows or from moments."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, DataError
from satmodels.intake.frames import open_frame
from satmodels.intake.library import FrameLibrary
from satmodels.results import Result, Table
from satmodels.statistics.collinear import refuse_collinear
from satmodels.statistics.intervals import check_level
from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]

TIDY = ("term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "n", "n_missing")


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class ReliabilityResult(Result):
    """Reliability or adequacy of a scale.

    Attributes
    ----------
    method : str
        ``"alpha"``, ``"omega"``, ``"kmo"``, ``"bartlett"`` or ``"icc"``.
    rows : Table
        What :meth:`tidy` returns; the first row is the statistic asked for.
    item_rows : Table
        What :attr:`items` returns.
    n, n_missing : int
        Complete rows, and rows left out because an answer is missing.
    reversed_items : tuple of str
        Items that run against the rest of the scale: reverse items that were not turned round, or items
        of another scale. Where as many items run one way as the other, those that run against the first.
    """

    kind: ClassVar[str] = "reliability"
    method: str
    rows: Table
    item_rows: Table
    n: int
    n_missing: int
    reversed_items: tuple[str, ...] = ()

    @property
    def estimate(self) -> float:
        """The statistic asked for."""
        return float(self.rows["estimate"][0])

    @property
    def conf_low(self) -> float | None:
        """Lower end of its interval, where it has one."""
        return self.rows["conf_low"][0]

    @property
    def conf_high(self) -> float | None:
        """Upper end of its interval, where it has one."""
        return self.rows["conf_high"][0]

    @property
    def items(self) -> Any:
        """One row per item, as a frame of the library that came in."""
        return self.library.build(self.item_rows.columns())

    def _tidy(self) -> Table:
        return self.rows

    def _glance(self) -> Mapping[str, Any]:
        return {
            "method": self.method,
            "estimate": self.estimate,
            "conf_low": self.conf_low,
            "conf_high": self.conf_high,
            "n": self.n,
            "n_missing": self.n_missing,
            "n_items": len(self.item_rows),
            "reversed_items": ", ".join(self.reversed_items) or None,
        }


def moments_of(data: Any, items: Sequence[str] | None, weight: str | None, least: int) -> Moments:
    """Return the moments of the items of a frame, or select them from moments."""
    if isinstance(items, str) or not isinstance(items, Iterable | None):
        raise ArgumentError(f"items={items!r} is no list of columns; give a list")
    if isinstance(data, Moments):
        if weight is not None:
            raise ArgumentError("the moments were collected already: give the weight to Moments.collect")
        moments = data if items is None else data.select(list(items))
    else:
        frame = open_frame(data)
        moments = Moments.collect(frame, list(frame.columns if items is None else items), weight)
    if len(moments.columns) < least:
        raise ArgumentError(f"give at least {least} items, not {list(moments.columns)}")
    if moments.n < 3:
        raise DataError(f"{moments.n} complete rows are too few: at least 3 are needed")
    moments.check_variances()
    return moments


def library_of(data: Any) -> Any:
    """Return the library in which results come back."""
    return FrameLibrary.PANDAS if isinstance(data, Moments) else open_frame(data).library


def record(term: str, estimate: float | None, moments: Moments, **more: Any) -> dict[str, Any]:
    """Return one row of a tidy table."""
    return {
        **dict.fromkeys(TIDY),
        "term": term,
        "estimate": estimate,
        "n": moments.n,
        "n_missing": moments.n_dropped,
        **more,
    }


def negative_items(moments: Moments) -> tuple[str, ...]:
    """Return the items that run against the scale.

    While an item correlates negatively with the sum of the others, the one that does so most is turned
    round; each turn raises the sum of the correlations, so this ends. The smaller of the two groups runs
    against the scale; of two equal groups, the one without the first item.
    """
    corr = moments.corr
    sign = np.ones(len(corr))
    for _ in range(len(corr) ** 2):
        rest = sign * (corr @ sign) - np.diag(corr)
        worst = int(np.argmin(rest))
        if not rest[worst] < -1e-12:
            break
        sign[worst] = -sign[worst]
    against = sign != sign[0]
    if 2 * int(against.sum()) > len(corr):
        against = ~against
    return tuple(c for c, turned in zip(moments.columns, against, strict=True) if turned)


def item_rest(cov: Array) -> Array:
    """Correlate each item with the sum of the others."""
    rest = cov.sum(axis=0) - np.diag(cov)
    rest_variance = cov.sum() - 2 * cov.sum(axis=0) + np.diag(cov)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = rest / np.sqrt(np.diag(cov) * rest_variance)
    return np.where(rest_variance > 1e-12 * np.trace(cov), found, np.nan)


def alpha(cov: Array) -> float | None:
    """Return Cronbach's alpha of a covariance matrix, None where the items cancel each other out."""
    k, total = len(cov), float(cov.sum())
    return k / (k - 1) * (1 - float(np.trace(cov)) / total) if total > 1e-12 * np.trace(cov) else None


@checked
def cronbach_alpha(
    data: Any, items: Sequence[str] | None = None, *, weight: str | None = None, level: float = 0.95
) -> ReliabilityResult:
    """Return Cronbach's alpha with Feldt's interval, and what each item does to it.

    Parameters
    ----------
    data : dataframe or Moments
        Answers of any supported library, reverse items turned round, or their moments.
    items : sequence of str, optional
        The items of the scale, at least two; by default all columns.
    weight : str, optional
        Column of survey weights.
    level : float, default 0.95
        Level of the interval.

    Returns
    -------
    ReliabilityResult
        ``tidy()``: ``alpha`` with its interval (Feldt, Woodruff and Salih 1987) and its large-sample
        standard error (Duhachek and Iacobucci 2004), ``alpha_standardised``, ``lambda_6`` (Guttman 1945)
        and ``average_r``. ``.items``: mean, standard deviation, correlation with the rest, and alpha
        without the item. ``.reversed_items`` names items that run against the rest.

    Raises
    ------
    ArgumentError
        Fewer than two items.
    DataError
        An item is constant, or fewer than three rows are complete.

    Notes
    -----
    Rows with a missing answer are left out and counted. With weights the limits come from the effective number
    of respondents.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame({"a": [1, 2, 4, 5, 3], "b": [2, 2, 5, 4, 3], "c": [5, 5, 1, 2, 3]})
    >>> round(sat.cronbach_alpha(frame, ["a", "b"]).estimate, 4)
    0.9091
    >>> sat.cronbach_alpha(frame).reversed_items
    ('c',)
    """
    from scipy.special import fdtri

    check_level(level)
    m = moments_of(data, items, weight, 2)
    cov, corr, k = m.cov, m.corr, len(m.columns)
    n = m.n_eff if m.weighted else float(m.n)  # weights that differ tell less
    estimate = alpha(cov)
    if estimate is None:
        raise DataError(
            "the items cancel each other out, so that their sum has no variance: turn reverse items round first; "
            f"{list(negative_items(m))} run against {m.columns[0]!r}",
            columns=m.columns,
        )
    df1, df2, tail = n - 1, (n - 1) * (k - 1), (1 - level) / 2
    low = 1 - (1 - estimate) * float(fdtri(df1, df2, 1 - tail))
    high = 1 - (1 - estimate) * float(fdtri(df1, df2, tail))
    total = float(cov.sum())
    trace, squared = float(np.trace(cov)), cov @ cov
    q = 2 * k**2 / ((k - 1) ** 2 * total**3)
    q *= total * (float(np.trace(squared)) + trace**2) - 2 * trace * float(squared.sum())
    rows = [
        record("alpha", estimate, m, std_error=float(np.sqrt(q / n)), conf_low=low, conf_high=high),
        record("alpha_standardised", alpha(corr), m),
        record("lambda_6", _lambda_6(corr), m),
        record("average_r", float((corr.sum() - k) / (k * (k - 1))), m),
    ]
    keep = [[j for j in range(k) if j != i] for i in range(k)]
    item_rows = Table.of(
        {
            "item": m.columns,
            "mean": m.mean.tolist(),
            "std": m.std.tolist(),
            "item_rest": item_rest(cov).tolist(),
            "alpha_if_dropped": [None if k == 2 else alpha(cov[np.ix_(j, j)]) for j in keep],
        }
    )
    return ReliabilityResult(
        library=library_of(data),
        method="alpha",
        rows=Table.from_records(rows, TIDY),
        item_rows=item_rows,
        n=m.n,
        n_missing=m.n_dropped,
        reversed_items=negative_items(m),
    )


def _lambda_6(corr: Array) -> float | None:
    try:
        errors = 1 / np.diag(np.linalg.inv(corr))
    except np.linalg.LinAlgError:
        return None
    return float(1 - errors.sum() / corr.sum())


@checked
def mcdonald_omega(
    data: Any, items: Sequence[str] | None = None, *, n_factors: int = 1, weight: str | None = None
) -> ReliabilityResult:
    """Return McDonald's omega: the share of a scale's variance that is due to its factors.

    Parameters
    ----------
    data : dataframe or Moments
        Answers of any supported library, reverse items turned round, or their moments.
    items : sequence of str, optional
        The items of the scale, at least three; by default all columns.
    n_factors : int, default 1
        Number of group factors. With three or more (two are possible, with equal loadings of the
        general factor) omega hierarchical, due to the general factor alone, is given as well.
    weight : str, optional
        Column of survey weights.

    Returns
    -------
    ReliabilityResult
        ``tidy()``: ``omega_total`` and, with several factors, ``omega_hierarchical``. ``.items``: each
        item's loading on the one (or the general) factor, its communality, and its correlation with
        the rest of the scale.

    Raises
    ------
    ArgumentError
        Fewer than three items, or more factors than a third of them.
    DataError
        An item is constant or a sum of others.

    Notes
    -----
    Factors of the correlations by minimum residuals; several are rotated by direct oblimin and the
    general factor is found by the method of Schmid and Leiman (McDonald 1999; Revelle and Zinbarg 2009).
    All three steps are carried to the optimum (gradients below 1e-9). R's psych stops its minimum residuals
    earlier, which moves its omega hierarchical by about 1e-6 and omega total by about 1e-7; its principal axes,
    iterated until they stand still, reach the same optimum, and with them psych gives these numbers within 1e-10.

    Examples
    --------
    >>> import numpy as np, satmodels as sat
    >>> corr = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    >>> round(sat.mcdonald_omega(sat.Moments.from_correlation(corr, 100, columns=list("abcd"))).estimate, 4)
    0.8
    """
    from satmodels.survey.minres import general_factor, minres, oblimin

    m = moments_of(data, items, weight, 3)
    k = len(m.columns)
    if (
        not isinstance(n_factors, int | np.integer)
        or isinstance(n_factors, bool)
        or not 1 <= n_factors <= max(1, k // 3)
    ):
        raise ArgumentError(f"n_factors={n_factors!r}: {k} items carry 1 to {max(1, k // 3)} factors")
    corr = m.corr
    refuse_collinear(corr, m.columns)
    loadings = minres(corr, n_factors)
    communality = (loadings**2).sum(axis=1)
    rows = [record("omega_total", float(1 - (1 - communality).sum() / corr.sum()), m)]
    general = loadings[:, 0]
    if n_factors > 1:
        general = general_factor(*oblimin(loadings))
        rows.append(record("omega_hierarchical", float(general.sum() ** 2 / corr.sum()), m))
    item_rows = Table.of(
        {
            "item": m.columns,
            "loading": (general if general.sum() >= 0 else -general).tolist(),
            "communality": communality.tolist(),
            "item_rest": item_rest(corr).tolist(),
        }
    )
    return ReliabilityResult(
        library=library_of(data),
        method="omega",
        rows=Table.from_records(rows, TIDY),
        item_rows=item_rows,
        n=m.n,
        n_missing=m.n_dropped,
        reversed_items=negative_items(m),
    )
