"""Columns of a panel as one matrix: numbers as they are, words as whole numbers, gaps as NaN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError
from satmodels.intake.events import build_frame
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.mixed import read_mixed

Array = NDArray[np.float64]
MOST_CATEGORIES = 60  # rarer words share one category: a word of few customers predicts nothing
RARE = "(rare)"


def is_frame(X: Any) -> bool:
    """Say whether X is a dataframe with names, rather than an array (or a frame whose columns are numbers)."""
    if hasattr(X, "column_names") or hasattr(X, "collect_schema"):
        return True
    names = getattr(X, "columns", None)
    return names is not None and all(isinstance(name, str) for name in names)


@dataclass(frozen=True)
class Encoding:
    """The columns a model was fitted on and the words it has seen, most frequent first.

    A word that was not seen in fitting is missing in prediction.
    """

    names: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]

    @classmethod
    def learn(cls, columns: dict[str, NDArray[Any]]) -> Encoding:
        """Learn the words of each column that holds words."""
        categories: dict[str, tuple[str, ...]] = {}
        for name, values in columns.items():
            if values.dtype == object:
                words, counts = np.unique([v for v in values if v is not None], return_counts=True)
                order = np.lexsort((words, -counts))
                ranked = [str(words[i]) for i in order]
                if len(ranked) > MOST_CATEGORIES:
                    ranked = [*ranked[: MOST_CATEGORIES - 1], RARE]
                categories[name] = tuple(ranked)
        return cls(tuple(columns), categories)

    @property
    def categorical(self) -> NDArray[np.bool_]:
        """Which columns hold words."""
        return np.array([name in self.categories for name in self.names], dtype=bool)

    def matrix(self, columns: dict[str, NDArray[Any]]) -> Array:
        """Return the columns as one matrix."""
        n = len(next(iter(columns.values()))) if columns else 0
        Z = np.empty((n, len(self.names)))
        for j, name in enumerate(self.names):
            values = columns[name]
            if name not in self.categories:
                if values.dtype == object:
                    raise ArgumentError(
                        f"column {name!r} holds words now, but held numbers when the model was fitted"
                    )
                Z[:, j] = values
                continue
            if values.dtype != object:
                if not np.isnan(values).all():
                    raise ArgumentError(
                        f"column {name!r} holds numbers now, but held words when the model was fitted"
                    )
                Z[:, j] = np.nan
                continue
            words = self.categories[name]
            code = {word: float(i) for i, word in enumerate(words)}
            other = code.get(RARE, np.nan)
            Z[:, j] = [np.nan if v is None else code.get(v, other) for v in values]
        return Z

    def frame(self, Z: Array, like: Any) -> Any:
        """Return a matrix as a frame of the library of ``like``, words as words: what a given classifier takes."""
        columns: dict[str, NDArray[Any]] = {}
        for j, name in enumerate(self.names):
            if name not in self.categories:
                columns[name] = Z[:, j]
                continue
            words = np.array([*self.categories[name], None], dtype=object)
            columns[name] = words[np.where(np.isnan(Z[:, j]), len(words) - 1, Z[:, j]).astype(int)]
        return build_frame(open_frame(like).library, columns)


def notes_on(Z: Array, names: Sequence[str]) -> tuple[str, ...]:
    """Say which columns of a matrix can't tell customers apart: they have no effect and contribution 0."""
    notes: list[str] = []
    for j, name in enumerate(names):
        missing = np.isnan(Z[:, j])
        if missing.all():
            notes.append(f"column {name!r} is missing in every row: it has no effect")
        elif not missing.any() and (Z[:, j] == Z[0, j]).all():
            notes.append(f"column {name!r} is constant: it has no effect")
    return tuple(notes)


def read_features(X: Any, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read feature columns of a dataframe."""
    frame: Frame = open_frame(X)
    return read_mixed(frame, names)
