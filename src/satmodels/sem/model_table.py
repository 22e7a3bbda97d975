"""Several models side by side, and sentences for a paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from satmodels.arguments import checked
from satmodels.errors import ArgumentError
from satmodels.intake.library import FrameLibrary
from satmodels.results import Table
from satmodels.sem.bootstrap import BootstrapResult
from satmodels.sem.result import SEMResult

if TYPE_CHECKING:
    import pandas as pd


@checked
def compare_models(models: Mapping[str, SEMResult]) -> pd.DataFrame:
    """Set the parameters, R² and fit of several models side by side.

    Parameters
    ----------
    models : mapping of name to SEMResult
        Fitted models without groups, for example ``{"composites": a.result_, "factors": b.result_}``.

    Returns
    -------
    DataFrame
        ``lhs, op, rhs``, then one column of estimates per model (loadings standardised); ``op`` is "r2"
        for explained variance and "fit" for measures of fit. Missing where a model has no such row.
    """
    if not models:
        raise ArgumentError('give the models by name: {"first": model.result_, ...}')
    rows: dict[tuple[str, str, str], dict[str, float | None]] = {}
    for name, result in models.items():
        if not isinstance(result, SEMResult):
            raise ArgumentError(f"{name!r} is a {type(result).__name__}: give the .result_ of a fitted model")
        for key, value in _entries(result):
            rows.setdefault(key, {})[name] = value
    order = {op: i for i, op in enumerate(("~", "=~", "<~", ":=", "r2", "fit"))}
    keys = sorted(rows, key=lambda key: order[key[1]])
    records = [{"lhs": k[0], "op": k[1], "rhs": k[2], **{m: rows[k].get(m) for m in models}} for k in keys]
    return FrameLibrary.PANDAS.build(Table.from_records(records, ("lhs", "op", "rhs", *models)).columns())


def _entries(result: SEMResult) -> Iterator[tuple[tuple[str, str, str], float | None]]:
    g = result._group(None)
    for target, name in enumerate(g.constructs):
        for source in g.predecessors(target):
            yield (name, "~", g.constructs[source]), float(g.paths[target, source])
    for j, name in enumerate(g.constructs):
        for place in g.block(j):
            yield (name, "=~", g.moments.columns[place]), float(g.loadings[place, j])
    for row in result.parameters.rows():
        if row["op"] == ":=":
            yield (row["lhs"], ":=", row["rhs"]), row["estimate"]
    for j, name in enumerate(g.constructs):
        if g.predecessors(j):
            yield (name, "r2", name), float(g.r2[j])
    for name, value in result.fit_measures().items():
        yield (name, "fit", name), value


@checked
def apa_text(result: BootstrapResult) -> str:
    """Write the paths of a bootstrap as sentences in the style of the APA (7th edition).

    Parameters
    ----------
    result : BootstrapResult

    Returns
    -------
    str
        One sentence per path, with coefficient, standard error, interval and p-value.
    """
    kind = {
        "percentile": "percentile",
        "bca": "bias-corrected and accelerated",
        "basic": "basic",
        "studentized": "studentized",
    }
    used = result.n - result.n_failed
    lines = [
        f"Standard errors and {result.level:.0%} confidence intervals ({kind.get(result.interval, result.interval)}) "
        f"come from {used:,} bootstrap samples."
    ]
    for row in result.parameters.rows():
        if row["op"] == "~":
            lines.append(_sentence(row, result.level))
    return "\n".join(lines)


def _sentence(row: Mapping[str, Any], level: float) -> str:
    low, high = row["conf_low"], row["conf_high"]
    if low <= 0 <= high:
        verdict = "had no demonstrable effect on"
    else:
        verdict = f"had a {'positive' if row['estimate'] > 0 else 'negative'} effect on"
    p = row["p_value"]
    shown = "p < .001" if p is not None and p < 0.001 else f"p = {_apa(p, 3)}"
    return (
        f"{row['rhs']} {verdict} {row['lhs']}, β = {_apa(row['estimate'])}, SE = {_apa(row['std_error'])}, "
        f"{level:.0%} CI [{_apa(low)}, {_apa(high)}], {shown}."
    )


def _apa(value: float | None, digits: int = 2) -> str:
    """Write a number that can't exceed 1 without the zero before the point."""
    if value is None:
        return "n/a"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text
