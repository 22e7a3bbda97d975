"""Can these items be factored? Kaiser-Meyer-Olkin, Bartlett's sphericity; and agreement of raters (ICC)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, DataError
from satmodels.intake.batches import matrix
from satmodels.intake.frames import open_frame
from satmodels.results import Table
from satmodels.statistics.collinear import refuse_collinear
from satmodels.statistics.intervals import check_level
from satmodels.survey.reliability import (
    TIDY,
    ReliabilityResult,
    item_rest,
    library_of,
    moments_of,
    negative_items,
    record,
)

Array = NDArray[np.float64]


@checked
def kmo(data: Any, items: Sequence[str] | None = None, *, weight: str | None = None) -> ReliabilityResult:
    """Return the Kaiser-Meyer-Olkin measure of sampling adequacy (Kaiser 1974, Psychometrika 39, 31-36).

    Correlations against partial correlations: above 0.8 good, below 0.5 the items share too little.

    Parameters
    ----------
    data : dataframe or Moments
        Answers, or their moments.
    items : sequence of str, optional
        At least three items; by default all columns.
    weight : str, optional
        Column of survey weights.

    Returns
    -------
    ReliabilityResult
        ``.estimate`` over all items; ``.items`` has each item's own ``msa``.

    Examples
    --------
    >>> import numpy as np, satmodels as sat
    >>> corr = np.full((3, 3), 0.6) + 0.4 * np.eye(3)
    >>> round(sat.kmo(sat.Moments.from_correlation(corr, 50, columns=list("abc"))).estimate, 4)
    0.7191
    """
    m = moments_of(data, items, weight, 3)
    corr = m.corr
    refuse_collinear(corr, m.columns)
    inverse = np.linalg.inv(corr)
    scale = 1 / np.sqrt(np.diag(inverse))
    partial = inverse * scale[:, None] * scale
    off = ~np.eye(len(corr), dtype=bool)
    shared, rest = np.where(off, corr, 0) ** 2, np.where(off, partial, 0) ** 2
    with np.errstate(invalid="ignore"):
        own = shared.sum(axis=0) / (shared.sum(axis=0) + rest.sum(axis=0))
    return ReliabilityResult(
        library=library_of(data),
        method="kmo",
        rows=Table.from_records([record("kmo", float(shared.sum() / (shared.sum() + rest.sum())), m)], TIDY),
        item_rows=Table.of({"item": m.columns, "msa": own.tolist(), "item_rest": item_rest(corr).tolist()}),
        n=m.n,
        n_missing=m.n_dropped,
        reversed_items=negative_items(m),
    )


@checked
def bartlett(data: Any, items: Sequence[str] | None = None) -> ReliabilityResult:
    """Test whether all correlations are zero (Bartlett 1951, Biometrika 38, 337-344).

    Parameters
    ----------
    data : dataframe or Moments
        Answers, or their moments.
    items : sequence of str, optional
        At least two items; by default all columns.

    Returns
    -------
    ReliabilityResult
        ``statistic`` is chi-squared with ``estimate`` degrees of freedom; ``p_value`` is its upper tail.

    Examples
    --------
    >>> import numpy as np, satmodels as sat
    >>> test = sat.bartlett(sat.Moments.from_correlation(np.eye(3), 50, columns=list("abc")))
    >>> test.estimate, test.rows["p_value"][0]
    (3.0, 1.0)
    """
    from scipy.special import chdtrc

    m = moments_of(data, items, None, 2)
    corr, p = m.corr, len(m.columns)
    log_determinant = np.linalg.slogdet(corr)[1]
    refuse_collinear(corr, m.columns)
    statistic = max(-(m.n - 1 - (2 * p + 5) / 6) * float(log_determinant), 0.0)
    df = p * (p - 1) / 2
    row = record("sphericity_df", df, m, statistic=statistic, p_value=float(chdtrc(df, statistic)))
    return ReliabilityResult(
        library=library_of(data),
        method="bartlett",
        rows=Table.from_records([row], TIDY),
        item_rows=Table.of({"item": m.columns, "item_rest": item_rest(corr).tolist()}),
        n=m.n,
        n_missing=m.n_dropped,
        reversed_items=negative_items(m),
    )


@checked
def icc(data: Any, raters: Sequence[str] | None = None, *, level: float = 0.95) -> ReliabilityResult:
    """Return the six intraclass correlations of Shrout and Fleiss (1979, Psychological Bulletin 86, 420-428).

    Parameters
    ----------
    data : dataframe
        One row per thing that was rated, one column per rater.
    raters : sequence of str, optional
        The columns, at least two; by default all.
    level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    ReliabilityResult
        ``tidy()``: ``icc1``, ``icc2``, ``icc3`` (single ratings: raters differ per row, are a random
        sample, are these raters only) and ``icc1k``, ``icc2k``, ``icc3k`` (their means), with the F
        statistic, its p value and the interval. ``.estimate`` is ICC(2,1).

    Raises
    ------
    DataError
        Fewer than two complete rows, or ratings without variance.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> ratings = pd.DataFrame(
    ...     {
    ...         "a": [9, 6, 8, 7, 10, 6],
    ...         "b": [2, 1, 4, 1, 5, 2],
    ...         "c": [5, 3, 6, 2, 6, 4],
    ...         "d": [8, 2, 8, 6, 9, 7],
    ...     }
    ... )
    >>> round(sat.icc(ratings).estimate, 4)
    0.2898
    """
    check_level(level)
    frame = open_frame(data)
    if raters is not None and (isinstance(raters, str) or not isinstance(raters, Iterable)):
        raise ArgumentError(f"raters={raters!r}: give the names of their columns")
    columns = list(frame.columns if raters is None else raters)
    if len(columns) < 2:
        raise ArgumentError(f"give at least two raters, not {columns}")
    m = moments_of(frame, columns, None, 2)
    x = matrix(frame, columns)
    rows = _shrout_fleiss(x[~np.isnan(x).any(axis=1)], 1 - level)
    table = [
        record(term, est, m, statistic=f, p_value=p, conf_low=lo, conf_high=hi)
        for term, est, f, p, lo, hi in rows
    ]
    table.sort(key=lambda r: r["term"] != "icc2")  # the usual one first
    return ReliabilityResult(
        library=frame.library,
        method="icc",
        rows=Table.from_records(table, TIDY),
        item_rows=Table.of(
            {"item": m.columns, "mean": m.mean.tolist(), "item_rest": item_rest(m.cov).tolist()}
        ),
        n=m.n,
        n_missing=m.n_dropped,
        reversed_items=negative_items(m),
    )


def _shrout_fleiss(x: Array, tail: float) -> list[tuple[str, float, float, float, float, float]]:
    from scipy.special import fdtrc, fdtri

    n, k = x.shape
    grand = x.mean()
    rows, columns = x.mean(axis=1), x.mean(axis=0)
    msb = k * float(((rows - grand) ** 2).sum()) / (n - 1)
    msj = n * float(((columns - grand) ** 2).sum()) / (k - 1)
    within = float(((x - rows[:, None]) ** 2).sum())
    msw = within / (n * (k - 1))
    dfe = (n - 1) * (k - 1)
    mse = (within - msj * (k - 1)) / dfe
    if msb <= 0 or msw <= 0 or mse <= 1e-14 * msw:
        raise DataError(
            "the ratings leave no variance to compare: raters agree exactly, or rows do not differ"
        )
    f1, f3 = msb / msw, msb / mse
    p1, p3 = float(fdtrc(n - 1, n * (k - 1), f1)), float(fdtrc(n - 1, dfe, f3))
    one = [f1 / fdtri(n - 1, n * (k - 1), 1 - tail / 2), f1 * fdtri(n * (k - 1), n - 1, 1 - tail / 2)]
    three = [f3 / fdtri(n - 1, dfe, 1 - tail / 2), f3 * fdtri(dfe, n - 1, 1 - tail / 2)]
    icc2 = (msb - mse) / (msb + (k - 1) * mse + k * (msj - mse) / n)
    fj = msj / mse
    top = dfe * (k * icc2 * fj + n * (1 + (k - 1) * icc2) - k * icc2) ** 2
    v = top / ((n - 1) * k**2 * icc2**2 * fj**2 + (n * (1 + (k - 1) * icc2) - k * icc2) ** 2)
    above, below = fdtri(n - 1, v, 1 - tail / 2), fdtri(v, n - 1, 1 - tail / 2)
    spread = k * msj + (k * n - k - n) * mse
    low2 = n * (msb - above * mse) / (above * spread + n * msb)
    high2 = n * (below * msb - mse) / (spread + n * below * msb)
    means = {"icc2k": (msb - mse) / (msb + (msj - mse) / n)}

    def stepped(r: float) -> float:
        return float(r * k / (1 + r * (k - 1)))

    return [
        ("icc1", (msb - msw) / (msb + (k - 1) * msw), f1, p1, *(float((f - 1) / (f + k - 1)) for f in one)),  # type: ignore[list-item]  # two ends
        ("icc2", icc2, f3, p3, float(low2), float(high2)),
        ("icc3", (msb - mse) / (msb + (k - 1) * mse), f3, p3, *(float((f - 1) / (f + k - 1)) for f in three)),  # type: ignore[list-item]  # two ends
        ("icc1k", (msb - msw) / msb, f1, p1, *(float(1 - 1 / f) for f in one)),  # type: ignore[list-item]  # two ends
        ("icc2k", means["icc2k"], f3, p3, stepped(low2), stepped(high2)),
        ("icc3k", (msb - mse) / msb, f3, p3, *(float(1 - 1 / f) for f in three)),  # type: ignore[list-item]  # two ends
    ]
