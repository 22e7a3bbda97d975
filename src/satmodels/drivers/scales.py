"""The scales of items, so that means can be read on 0..100."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, SchemaError
from satmodels.intake.batches import batches
from satmodels.intake.frames import Frame
from satmodels.survey.scale import Scale

Array = NDArray[np.float64]


def as_scales(scale: Scale | Mapping[str, Scale] | None, names: Sequence[str]) -> tuple[Scale, ...] | None:
    """Return one scale per item, None where none is given.

    Raises
    ------
    ArgumentError
        Something else than a scale is given, or an item has none.
    """
    if scale is None:
        return None
    if isinstance(scale, Scale):
        return (scale,) * len(names)
    if not isinstance(scale, Mapping):
        raise ArgumentError(f"scale={scale!r}: give a Scale, or {{item: Scale}}")
    if lacking := [n for n in names if n not in scale]:
        raise ArgumentError(f"scale has nothing for the items {lacking}")
    return tuple(scale[n] for n in names)


def check_answers(frame: Frame, names: Sequence[str], scales: Sequence[Scale]) -> None:
    """Raise SchemaError, naming column and value, for an answer off its scale; one pass over the columns."""
    low = np.array([s.low for s in scales], dtype=float)
    high = np.array([s.high for s in scales], dtype=float)
    n_bad = np.zeros(len(names), dtype=int)
    first: dict[int, float] = {}
    for block in batches(frame, names):
        off = np.asarray((block < low) | (block > high))  # a missing answer is not off the scale
        for j in np.flatnonzero(off.any(axis=0)):
            n_bad[j] += int(off[:, j].sum())
            first.setdefault(int(j), float(block[np.argmax(off[:, j]), j]))
    for j in map(int, np.flatnonzero(n_bad)):
        raise SchemaError.answers(
            names[j],
            scales[j].rule,
            "Is it the right column (an id, an amount)? Declare codes such as 99 as missing.",
            n_bad=int(n_bad[j]),
            offenders=frame.offenders(names[j], [first[j]]),
            value=first[j],
        )


def to_index(means: Array, scales: Sequence[Scale]) -> Array:
    """Return means on 0..100 of their scales."""
    return np.array([s.to_index(float(m)) for m, s in zip(means, scales, strict=True)])


def check_on_scale(means: Array, scales: Sequence[Scale], names: Sequence[str]) -> None:
    """Raise SchemaError for a mean off its scale: it can't be the mean of answers on it."""
    for mean, scale, name in zip(means, scales, names, strict=True):
        if not scale.low <= mean <= scale.high:
            raise SchemaError(
                f"column {name!r} has the mean {mean:.4g}, off the scale {scale.rule}: is it the right column, "
                "and are missing codes such as 99 declared?",
                column=name,
                value=float(mean),
                rule=scale.rule,
            )
