"""Sums of composites of a frame in memory, block by block in numpy.

The same numbers as the engines' group-by gives, for pandas and Arrow, whose group-by of a hundred derived
columns is many times slower than numpy's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.intake.answers import AnswerRule
from satmodels.intake.batches import matrix
from satmodels.intake.composite import Composite
from satmodels.intake.frames import Frame
from satmodels.intake.keys import key_codes
from satmodels.intake.parts import in_parts

Array = NDArray[np.float64]


def block_sums(
    frame: Frame,
    composites: Sequence[Composite],
    rules: Mapping[str, AnswerRule],
    columns: Sequence[str],
    keys: Sequence[str],
    weight: str | None,
    replicates: Sequence[str],
    *,
    centre: float,
    of_columns: bool,
    pairs: Sequence[tuple[int, int]] = (),
) -> Iterator[tuple[tuple[Any, ...], dict[str, float]]]:
    """Go through the groups of each block with their sums by name, as ``composites`` names them."""
    # a column may be given twice, such as a weight that is a replicate too
    numeric: list[str] = list(dict.fromkeys([*columns, *([weight] if weight else []), *replicates]))
    at = {name: i for i, name in enumerate(numeric)}
    for part in in_parts(frame, [*numeric, *keys]):
        block = matrix(Frame(part.select(numeric)), numeric)
        x = block[:, [at[c] for c in columns]]
        for i, column in enumerate(columns):
            _clean(x[:, i], rules[column])
        w = block[:, at[weight]] if weight else np.ones(len(block))
        groups, codes = key_codes(part, keys, len(block))
        made: dict[str, Array] = {"rows": np.ones(len(block))}
        place = {column: x[:, i] for i, column in enumerate(columns)}
        first = np.zeros(len(block))
        weighed: list[Array] = []  # each composite's value times the weight, 0 where it has none
        for j, composite in enumerate(composites):
            u = _value(composite, place, centre)
            ok = ~np.isnan(u)
            u = np.where(ok, u, 0.0)
            if pairs:
                weighed.append(u * w)
            if j == 0:
                first = np.where(ok, w, 0.0)
            made |= {f"n{j}": ok.astype(float), f"wu{j}": u * w, f"wuu{j}": u * u * w}
            if weight:
                made |= {f"w{j}": ok * w, f"ww{j}": ok * w * w}
                made |= {f"wwu{j}": u * w * w, f"wwuu{j}": u * u * w * w}
            for i, replicate in enumerate(replicates):
                r = block[:, at[replicate]]
                made |= {f"rw{j}_{i}": ok * r, f"ru{j}_{i}": u * r}
            if of_columns and j == 0:
                for i in range(len(columns)):
                    answered = ~np.isnan(x[:, i])
                    a, v = np.where(answered, x[:, i], 0.0), np.where(answered, first, 0.0)
                    made |= {f"cw{i}": v, f"cx{i}": a * v, f"cxx{i}": a * a * v, f"cxu{i}": a * u * v}
        made |= {f"p{i}_{j}": weighed[i] * weighed[j] for i, j in pairs}
        totals = {name: np.bincount(codes, values, len(groups)) for name, values in made.items()}
        for g, key in enumerate(groups):
            yield key, {name: float(sums[g]) for name, sums in totals.items()}


def _clean(x: Array, rule: AnswerRule) -> None:
    if rule.missing_codes:
        x[np.isin(x, rule.missing_codes)] = np.nan
    if rule.exclude_invalid:
        with np.errstate(invalid="ignore"):
            bad = (x < rule.low) | (x > rule.high)
            x[bad | (x != np.round(x)) if rule.whole else bad] = np.nan


def _value(composite: Composite, place: Mapping[str, Array], centre: float) -> Array:
    if composite.filled:
        place = {c: np.where(np.isnan(place[c]), at, place[c]) for c, at in composite.about.items()}
    terms = [place[c] * b + composite.offsets.get(c, 0.0) for c, b in composite.coefficients.items()]
    if composite.importance is None:
        from_centre = {c: place[c] - composite.about.get(c, 0.0) for pair in composite.products for c in pair}
        terms += [from_centre[a] * from_centre[b] * by for (a, b), by in composite.products.items()]
        return sum(terms[1:], start=terms[0]) - centre
    present = [np.where(np.isnan(place[c]), 0.0, composite.importance[c]) for c in composite.coefficients]
    share = sum(present[1:], start=present[0])
    total = sum((np.nan_to_num(t) for t in terms[1:]), start=np.nan_to_num(terms[0]))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(share > 0, total / share - centre, np.nan)
