"""Composite reliability and average variance extracted, from loadings or from the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, DataError
from satmodels.intake.frames import is_sequence
from satmodels.intake.library import FrameLibrary
from satmodels.results import Table
from satmodels.statistics.collinear import refuse_collinear
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
def composite_reliability(
    data: Any, items: Sequence[str] | None = None, *, weight: str | None = None
) -> ReliabilityResult:
    """Return the composite reliability (rho_c) and the average variance extracted of one construct.

    Parameters
    ----------
    data : dataframe, Moments, sequence or mapping
        Answers of any supported library, reverse items turned round, or their moments; or standardised
        loadings that a model gave, as a sequence or as ``{item: loading}``.
    items : sequence of str, optional
        The items of the construct, at least two; by default all columns.
    weight : str, optional
        Column of survey weights.

    Returns
    -------
    ReliabilityResult
        ``tidy()``: ``rho_c`` and ``ave``, both 0..1. ``.items``: each item's standardised loading and,
        from answers, its correlation with the rest. From loadings ``n`` is 0.

    Raises
    ------
    ArgumentError
        Fewer than two items, or loadings that are no numbers from -1 to 1.
    DataError
        An item is constant, the items are collinear, or two items do not correlate positively.

    Notes
    -----
    rho_c = (sum l)² / ((sum l)² + sum (1 - l²)), ave = mean l² (Fornell and Larcker 1981, Journal of
    Marketing Research 18(1), 39-50). From answers the loadings are those of one factor of the
    correlations by minimum residuals, two items sharing theirs. A fitted model has its own:
    ``result.reliability()``.

    Examples
    --------
    >>> import satmodels as sat
    >>> round(sat.composite_reliability([0.8, 0.7, 0.9]).estimate, 4)
    0.8446
    """
    if isinstance(data, Mapping) or is_sequence(data):
        return _of_loadings(data, items, weight)
    m = moments_of(data, items, weight, 2)
    corr = m.corr
    refuse_collinear(corr, m.columns)
    loadings = _one_factor(corr, m.columns)
    rho_c, ave = rho_c_and_ave(loadings)
    return ReliabilityResult(
        library=library_of(data),
        method="rho_c",
        rows=Table.from_records([record("rho_c", rho_c, m), record("ave", ave, m)], TIDY),
        item_rows=Table.of(
            {"item": m.columns, "loading": loadings.tolist(), "item_rest": item_rest(corr).tolist()}
        ),
        n=m.n,
        n_missing=m.n_dropped,
        reversed_items=negative_items(m),
    )


def rho_c_and_ave(loadings: Array) -> tuple[float, float]:
    """Return composite reliability and average variance extracted of standardised loadings."""
    common = float(loadings.sum()) ** 2
    return common / (common + float((1 - loadings**2).sum())), float((loadings**2).mean())


def _of_loadings(data: Any, items: Sequence[str] | None, weight: str | None) -> ReliabilityResult:
    if items is not None or weight is not None:
        raise ArgumentError("items= and weight= belong to answers; loadings need neither")
    named: dict[str, Any] = (
        dict(data)
        if isinstance(data, Mapping)
        else {f"item {i}": value for i, value in enumerate(data, start=1)}
    )
    try:
        loadings = np.array([float(v) for v in named.values()])
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"loadings are numbers: {error}") from error
    if len(loadings) < 2 or not (np.abs(loadings) <= 1).all():
        raise ArgumentError(
            f"give at least two standardised loadings from -1 to 1, not {list(named.values())}"
        )
    rho_c, ave = rho_c_and_ave(loadings)
    rows = [{**dict.fromkeys(TIDY), "term": t, "estimate": v} for t, v in (("rho_c", rho_c), ("ave", ave))]
    return ReliabilityResult(
        library=FrameLibrary.PANDAS,
        method="rho_c",
        rows=Table.from_records(rows, TIDY),
        item_rows=Table.of({"item": list(named), "loading": loadings.tolist()}),
        n=0,
        n_missing=0,
        reversed_items=tuple(name for name, v in named.items() if float(v) < 0),
    )


def _one_factor(corr: Array, columns: Sequence[str]) -> Array:
    if len(columns) == 2:
        r = float(corr[0, 1])
        if r <= 0:
            raise DataError(
                f"{columns[0]!r} and {columns[1]!r} correlate {r:.3f}: two items of one construct correlate "
                "positively. Turn a reverse item round.",
                columns=columns,
            )
        return np.sqrt([r, r])
    from satmodels.survey.minres import minres

    loadings = minres(corr, 1)[:, 0]
    return loadings if loadings.sum() >= 0 else -loadings
