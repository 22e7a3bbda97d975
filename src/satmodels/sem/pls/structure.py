"""The model as the PLS algorithm wants it: places instead of names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import SpecError

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Structure:
    """Blocks and paths by place.

    Attributes
    ----------
    columns : tuple of str
        The items, each once: the columns of the correlation matrix.
    constructs : tuple of str
        The constructs.
    places : tuple of int
        For each row of the block-ordered correlation matrix, its place in ``columns``. An item that
        belongs to two blocks (repeated indicators) has two rows.
    blocks : tuple of slice
        The rows of each construct.
    modes : tuple of str
        "A" (correlation weights) or "B" (regression weights) of each construct.
    sources, targets : tuple of tuple of int
        The constructs with a path to, and from, each construct.
    order : tuple of int
        Constructs with every source before its targets.
    """

    columns: tuple[str, ...]
    constructs: tuple[str, ...]
    places: tuple[int, ...]
    blocks: tuple[slice, ...]
    modes: tuple[str, ...]
    sources: tuple[tuple[int, ...], ...]
    targets: tuple[tuple[int, ...], ...]
    order: tuple[int, ...]

    @property
    def n_rows(self) -> int:
        """Rows of the block-ordered correlation matrix."""
        return len(self.places)

    @cached_property
    def paths(self) -> tuple[tuple[int, int], ...]:
        """All paths as (target, source), target by target."""
        return tuple((t, s) for t, sources in enumerate(self.sources) for s in sources)

    @cached_property
    def reflective(self) -> tuple[int, ...]:
        """Constructs of mode A with two items or more."""
        sizes = [block.stop - block.start for block in self.blocks]
        return tuple(j for j, mode in enumerate(self.modes) if mode == "A" and sizes[j] > 1)

    def items(self, construct: int) -> tuple[str, ...]:
        """Return the items of a construct."""
        return tuple(self.columns[i] for i in self.places[self.blocks[construct]])

    def neighbours(self, construct: int) -> tuple[int, ...]:
        """Return the constructs that a path joins with this one."""
        return (*self.sources[construct], *self.targets[construct])

    @classmethod
    def of(
        cls,
        constructs: Sequence[str],
        blocks: Mapping[str, tuple[str, Sequence[str]]],
        paths: Sequence[tuple[str, str]],
    ) -> Structure:
        """Compile a model.

        Parameters
        ----------
        constructs : sequence of str
            Names, in the order wanted.
        blocks : mapping of construct to (mode, items)
            Mode "A" or "B"; a single item is its construct whatever the mode.
        paths : sequence of (target, source)
            Arrows of the structural model.

        Raises
        ------
        SpecError
            A construct has no items or no path, or the paths form a cycle.
        """
        names = tuple(constructs)
        if len(names) < 2:
            raise SpecError("a PLS path model needs at least two constructs joined by a path")
        columns: dict[str, int] = {}
        places: list[int] = []
        slices: list[slice] = []
        modes: list[str] = []
        for name in names:
            mode, items = blocks.get(name, ("A", ()))
            if not items:
                raise SpecError(f"construct {name!r} has no items: PLS needs at least one for each construct")
            slices.append(slice(len(places), len(places) + len(items)))
            places += [columns.setdefault(item, len(columns)) for item in items]
            modes.append(mode if len(items) > 1 else "A")
        at = {name: j for j, name in enumerate(names)}
        sources: list[list[int]] = [[] for _ in names]
        targets: list[list[int]] = [[] for _ in names]
        for target, source in paths:
            for end in (target, source):
                if end not in at:
                    raise SpecError(f"the path {source} -> {target} names {end!r}, which has no items")
            sources[at[target]].append(at[source])
            targets[at[source]].append(at[target])
        for j, name in enumerate(names):
            if not sources[j] and not targets[j]:
                raise SpecError(f"no path leads to or from construct {name!r}: PLS can't weight its items")
        return cls(
            tuple(columns),
            names,
            tuple(places),
            tuple(slices),
            tuple(modes),
            tuple(map(tuple, sources)),
            tuple(map(tuple, targets)),
            _recursive_order(names, sources),
        )

    @cached_property
    def mask(self) -> Mask:
        """Rows x constructs: whether the row belongs to the construct."""
        mask = np.zeros((self.n_rows, len(self.constructs)), dtype=bool)
        for j, block in enumerate(self.blocks):
            mask[block, j] = True
        return mask

    @cached_property
    def arrows(self) -> Mask:
        """Targets x sources: whether there is a path."""
        arrows = np.zeros((len(self.constructs),) * 2, dtype=bool)
        for t, s in self.paths:
            arrows[t, s] = True
        return arrows


def _recursive_order(names: Sequence[str], sources: Sequence[Sequence[int]]) -> tuple[int, ...]:
    order: list[int] = []
    left = set(range(len(names)))
    while left:
        free = sorted(j for j in left if not left.intersection(sources[j]))
        if not free:
            cycle = ", ".join(names[j] for j in sorted(left))
            raise SpecError(
                f"the paths among {cycle} form a cycle: PLS estimates each target by regression, which "
                "feedback biases. Remove one arrow of the cycle, or use CBSEM."
            )
        order += free
        left.difference_update(free)
    return tuple(order)
