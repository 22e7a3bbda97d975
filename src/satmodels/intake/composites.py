"""Sums of composites of several columns per group, computed by the engine in one group-by.

A composite is a weighted sum of columns, such as an index or a gap. Its value is made row by row with
elementwise expressions, and only plain sums of it leave the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError
from satmodels.intake.answers import AnswerRule, numbers
from satmodels.intake.cells import check_weight
from satmodels.intake.composite import Composite
from satmodels.intake.composite_blocks import block_sums
from satmodels.intake.frames import Frame, collect
from satmodels.intake.keys import plain_keys
from satmodels.intake.off_scale import AnswerCounts, count_off_scale
from satmodels.intake.parts import in_memory, in_parts
from satmodels.intake.replicates import check_replicates

MAX_GROUPS = 1_000_000
Array = NDArray[np.float64]


@dataclass(frozen=True)
class CompositeSums:
    """Per group (rows) and composite (columns): sums over the rows that have a value u, with weights w.

    Values are measured from ``centre``, which keeps sums of squares exact.

    Attributes
    ----------
    rows : ndarray, shape (groups,)
        All rows, with and without a value.
    n, w, wu, wuu, w2, w2u, w2uu : ndarray, shape (groups, composites)
        Number of rows with a value, and sums of w, w u, w u², w², w² u and w² u² over them.
    replicate_w, replicate_wu : ndarray, shape (groups, composites, replicates), optional
        Sums of each replicate weight and of it times u.
    column_w, column_wx, column_wxx, column_wxu : ndarray, shape (groups, columns), optional
        Sums of w, w x, w x² and w x u of each column's answers x, over the rows where the first
        composite has a value u and the column an answer.
    crossed : ndarray, shape (groups, composites, composites)
        Sums of w² times the values of two composites; empty unless asked for.
    answers : AnswerCounts
        Answers off the scale and missing codes, per column.
    """

    keys: list[tuple[Any, ...]]
    rows: NDArray[np.int64]
    n: NDArray[np.int64]
    w: Array
    wu: Array
    wuu: Array
    w2: Array
    w2u: Array
    w2uu: Array
    columns: tuple[str, ...]
    centre: float
    weighted: bool
    answers: AnswerCounts
    replicate_w: Array | None = None
    replicate_wu: Array | None = None
    column_w: Array | None = None
    column_wx: Array | None = None
    column_wxx: Array | None = None
    column_wxu: Array | None = None
    crossed: Array = field(default_factory=lambda: np.zeros((0, 0, 0)))


def composite_sums(
    frame: Frame,
    composites: Sequence[Composite],
    rules: Mapping[str, AnswerRule],
    keys: Sequence[str] = (),
    weight: str | None = None,
    *,
    centre: float = 0.0,
    replicates: Sequence[str] = (),
    of_columns: bool = False,
    crossed: bool = False,
) -> CompositeSums:
    """Compute the sums of composites per combination of the key columns.

    ``of_columns`` asks for the sums of the single columns too, ``crossed`` for those of the products of composites.

    Raises
    ------
    ArgumentError
        A column is not there or used twice.
    SchemaError
        A column holds no numbers or answers off its scale, or a weight is no weight.
    """
    columns = tuple(dict.fromkeys(c for composite in composites for c in composite.coefficients))
    keys = list(keys)
    frame.require(keys, role="column to group by")
    if twice := [c for c in columns if c in keys]:
        raise ArgumentError(f"column {twice[0]!r} is used twice: as an item and to group by.")
    answers = count_off_scale(frame, {c: rules[c] for c in columns})
    if weight is not None:
        check_weight(frame, weight)
    if replicates:
        check_replicates(frame, replicates)
    # own names throughout, so that no column of the frame is shadowed whatever it is called
    key_names = [f"k{i}" for i in range(len(keys))]
    w = nw.lit(1.0) if weight is None else nw.col(weight).cast(nw.Float64)
    chosen = [
        *numbers(columns, rules),
        *(nw.col(k).alias(name) for k, name in zip(keys, key_names, strict=True)),
        w.alias("w"),
        *(nw.col(c).cast(nw.Float64).alias(f"r{i}") for i, c in enumerate(replicates)),
    ]
    place = {c: nw.col(f"x{i}") for i, c in enumerate(columns)}
    values = [_value(c, place, centre).alias(f"u{j}") for j, c in enumerate(composites)]
    made = {"rows": nw.lit(1.0)}
    for j in range(len(composites)):
        made |= _products(j, weighted=weight is not None)
        made |= _replicated(j, len(replicates))
    counted = nw.when(nw.col("u0").is_null()).then(nw.lit(0.0)).otherwise(nw.col("w"))
    for i in range(len(columns) if of_columns else 0):
        x = nw.col(f"x{i}")
        made[f"cw{i}"] = nw.when(x.is_null()).then(nw.lit(0.0)).otherwise(counted)
        made[f"cx{i}"] = x * counted
        made[f"cxx{i}"] = x * x * counted
        made[f"cxu{i}"] = x * nw.col("u0") * nw.col("w")
    k = len(composites)
    pairs = [(i, j) for i in range(k) for j in range(i + 1)] if crossed else []
    for i, j in pairs:
        made[f"p{i}_{j}"] = nw.col(f"u{i}") * nw.col(f"u{j}") * nw.col("w") * nw.col("w")
    products = [e.alias(name) for name, e in made.items()]
    total: dict[tuple[Any, ...], Array] = {} if keys else {(): np.zeros(len(made))}
    if in_memory(frame):
        parts = block_sums(
            frame,
            composites,
            rules,
            columns,
            keys,
            weight,
            replicates,
            centre=centre,
            of_columns=of_columns,
            pairs=pairs,
        )
        found_sums = ((key, np.array([sums[name] for name in made])) for key, sums in parts)
    else:
        (native,) = in_parts(frame, [])
        multiplied = native.select(*chosen).with_columns(*values).with_columns(*products)
        found_sums = _sums(multiplied, key_names, list(made))
    for key, sums in found_sums:
        total[key] = total[key] + sums if key in total else sums
    if len(total) > MAX_GROUPS:
        raise ArgumentError(f"columns {keys} have more than {MAX_GROUPS:,} distinct combinations")
    found = np.array(list(total.values())).reshape(len(total), len(made))
    at = {name: i for i, name in enumerate(made)}

    def grid(stem: str, size: int) -> Array:
        return found[:, [at[f"{stem}{j}"] for j in range(size)]]

    def cube(stem: str) -> Array:
        return np.stack([grid(f"{stem}{j}_", len(replicates)) for j in range(len(composites))], axis=1)

    products_of_two = np.zeros((len(found), k, k) if crossed else (0, 0, 0))
    for i, j in pairs:
        products_of_two[:, i, j] = products_of_two[:, j, i] = found[:, at[f"p{i}_{j}"]]
    n, wu, wuu = grid("n", k), grid("wu", k), grid("wuu", k)
    return CompositeSums(
        keys=list(total),
        rows=np.rint(found[:, at["rows"]]).astype(np.int64),
        n=np.rint(n).astype(np.int64),
        w=n if weight is None else grid("w", k),
        wu=wu,
        wuu=wuu,
        w2=n if weight is None else grid("ww", k),
        w2u=wu if weight is None else grid("wwu", k),
        w2uu=wuu if weight is None else grid("wwuu", k),
        columns=columns,
        centre=centre,
        weighted=weight is not None,
        answers=answers,
        replicate_w=cube("rw") if replicates else None,
        replicate_wu=cube("ru") if replicates else None,
        column_w=grid("cw", len(columns)) if of_columns else None,
        column_wx=grid("cx", len(columns)) if of_columns else None,
        column_wxx=grid("cxx", len(columns)) if of_columns else None,
        column_wxu=grid("cxu", len(columns)) if of_columns else None,
        crossed=products_of_two,
    )


def _sums(native: Any, keys: list[str], names: list[str]) -> Iterator[tuple[tuple[Any, ...], Array]]:
    """Go through the groups of one part with their sums."""
    sums = [nw.col(name).sum() for name in names]
    if not keys:
        found = collect(native.select(*sums), "summing up")
        yield (), np.array([found[name][0] or 0.0 for name in names], dtype=float)
        return
    found = collect(native.group_by(*keys).agg(*sums).head(MAX_GROUPS + 1), "summing up")
    groups = zip(*(plain_keys(found.get_column(k).to_list()) for k in keys), strict=True)
    columns = [[v or 0.0 for v in found.get_column(name).to_list()] for name in names]
    yield from zip(groups, np.array(columns, dtype=float).T, strict=True)


def _replicated(j: int, size: int) -> dict[str, nw.Expr]:
    u = nw.col(f"u{j}")
    made: dict[str, nw.Expr] = {}
    for i in range(size):
        r = nw.col(f"r{i}")
        made[f"rw{j}_{i}"] = nw.when(u.is_null()).then(nw.lit(0.0)).otherwise(r)
        made[f"ru{j}_{i}"] = u * r
    return made


def _value(composite: Composite, place: Mapping[str, nw.Expr], centre: float) -> nw.Expr:
    """Return the value of a composite, less the centre; null where it has none."""
    if composite.filled:
        place = {c: place[c].fill_null(centre_of) for c, centre_of in composite.about.items()}
    terms = [place[c] * b + composite.offsets.get(c, 0.0) for c, b in composite.coefficients.items()]
    if composite.importance is None:
        from_centre = {c: place[c] - composite.about.get(c, 0.0) for pair in composite.products for c in pair}
        terms += [from_centre[a] * from_centre[b] * by for (a, b), by in composite.products.items()]
        return _total(terms) - centre
    there = [nw.when(t.is_null()).then(nw.lit(0.0)).otherwise(t) for t in terms]
    present = [
        nw.when(place[c].is_null()).then(nw.lit(0.0)).otherwise(nw.lit(float(composite.importance[c])))
        for c in composite.coefficients
    ]
    share = _total(present)
    return nw.when(share > 0).then(_total(there) / share - centre)


def _total(terms: Sequence[nw.Expr]) -> nw.Expr:
    """Add terms up in pairs: a sum of hundreds one after the other nests too deeply for some engines."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return _total(terms[:half]) + _total(terms[half:])


def _products(j: int, *, weighted: bool) -> dict[str, nw.Expr]:
    u, w = nw.col(f"u{j}"), nw.col("w")
    ok = nw.when(u.is_null()).then(nw.lit(0.0)).otherwise(nw.lit(1.0))
    made = {f"n{j}": ok, f"wu{j}": u * w, f"wuu{j}": u * u * w}
    if weighted:
        made |= {f"w{j}": ok * w, f"ww{j}": ok * w * w}
        made |= {f"wwu{j}": u * w * w, f"wwuu{j}": u * u * w * w}
    return made
