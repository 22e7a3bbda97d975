"""ScoreResult: the estimates of one score, one row per group, with the counts behind them."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from satmodels.errors import ArgumentError
from satmodels.results import Result, Table
from satmodels.statistics.counts import ScoreCounts

SMALL_SAMPLE = 30  # below this, intervals that lean on normality are off their level
GROUPS_NAMED = 3  # a note names this many groups


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class ScoreResult(Result):
    """A score with its interval, for the whole sample or per group.

    Attributes
    ----------
    score : str
        Name of the score: nps, csat, top_box, ces, mean, csi, ...
    item : str
        The item (or items) it comes from.
    by : tuple of str
        Grouping columns.
    method : str
        Method of the interval.
    level : float
        Confidence level.
    limits : tuple of float
        Lowest and highest possible score.
    unit : str
        "points", "percent" or "scale".
    table : Table
        The estimates; :meth:`tidy` gives them as a dataframe.
    counts : ScoreCounts or None
        The answers behind them, per group; None for scores of several items.
    worth : tuple of float
        What each distinct answer of ``counts`` is worth in the score.
    notes : tuple of str
        What a reader should know: small samples, answers left out.
    spread : tuple of float
        Variance of single answers' worth, per group.
    linearised : bool
        Whether weights or a design entered the standard errors.
    design_df : float
        Degrees of freedom of the whole sample; infinite without weights and design.
    covariance : tuple of tuple of float or None
        Covariances of the groups' estimates, where a design makes them dependent.
    """

    kind: ClassVar[str] = "score"
    score: str
    item: str
    by: tuple[str, ...] = ()
    method: str
    level: float
    limits: tuple[float, float]
    unit: str
    table: Table
    counts: ScoreCounts | None = None
    worth: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    n_invalid: int = 0
    missing_by_code: Mapping[str, int] = dataclasses.field(default_factory=dict[str, int])
    spread: tuple[float, ...] = ()
    linearised: bool = False
    design_df: float = float("inf")
    covariance: tuple[tuple[float, ...], ...] | None = dataclasses.field(default=None, compare=False)

    def _tidy(self) -> Table:
        return self.table

    def _glance(self) -> Mapping[str, Any]:
        one = not self.by
        return {
            "score": self.score,
            "item": self.item,
            **({name: self._only(name) for name in ("estimate", "conf_low", "conf_high")} if one else {}),
            "n": sum(self.table["n"]),
            "n_missing": sum(self.table["n_missing"]),
            "n_invalid": self.n_invalid,
            "groups": len(self.table) if self.by else None,
            "method": self.method,
            "level": self.level,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values; what is missing or not finite is None."""
        return {
            **super().to_dict(),
            "by": list(self.by),
            "notes": list(self.notes),
            "missing_by_code": dict(self.missing_by_code),
        }

    def _repr_html_(self) -> str:
        return super()._repr_html_() + list_of_notes(self.notes)

    def _only(self, name: str) -> Any:
        if len(self.table) != 1:
            raise ArgumentError(
                f"this {self.score} has {len(self.table)} rows, so there is no single {name}: see tidy()"
            )
        return self.table[name][0]

    @property
    def estimate(self) -> float | None:
        """The score; None without a single answer."""
        return self._only("estimate")

    @property
    def std_error(self) -> float | None:
        """Standard error of the score."""
        return self._only("std_error")

    @property
    def conf_low(self) -> float | None:
        """Lower confidence limit."""
        return self._only("conf_low")

    @property
    def conf_high(self) -> float | None:
        """Upper confidence limit."""
        return self._only("conf_high")

    @property
    def n(self) -> int:
        """Number of answers."""
        return self._only("n")

    @property
    def n_missing(self) -> int:
        """Number of missing answers."""
        return self._only("n_missing")

    def distribution(self) -> Any:
        """Return how often each answer was given, per group, as a dataframe.

        Columns: the by-columns, ``answer``, ``n`` and ``share`` (weighted, 0..1).

        Raises
        ------
        ArgumentError
            The score comes from several items and has no single distribution.
        """
        if self.counts is None:
            raise ArgumentError(f"a {self.score} of several items has no single distribution of answers")
        return self.library.build(distribution_table(self.counts).columns())


def list_of_notes(notes: Iterable[str]) -> str:
    """Return notes as an HTML list, every text escaped; nothing where there are none."""
    items = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return f"<ul>{items}</ul>" if items else ""


def distribution_table(counts: ScoreCounts) -> Table:
    """Return groups by answers as a long table."""
    rows: dict[str, list[Any]] = {name: [] for name in (*counts.by, "answer", "n", "share")}
    for key, n, w in zip(counts.keys, counts.n, counts.w, strict=True):
        total = w.sum()
        for value, n_value, w_value in zip(counts.values, n, w, strict=True):
            for name, part in zip(counts.by, key, strict=True):
                rows[name].append(part)
            rows["answer"].append(int(value) if float(value).is_integer() else value)
            rows["n"].append(int(n_value))
            rows["share"].append(float(w_value / total) if total > 0 else None)
    return Table.of(rows)


def group_names(keys: Any, chosen: Any) -> str:
    """Name a few groups for a note."""
    names = [" / ".join("missing" if k is None else str(k) for k in keys[i]) for i in np.flatnonzero(chosen)]
    more = f" and {len(names) - GROUPS_NAMED} more" if len(names) > GROUPS_NAMED else ""
    return ", ".join(names[:GROUPS_NAMED]) + more


def small_sample_note(keys: Any, n: Any, by: tuple[str, ...]) -> list[str]:
    """Return a note about groups with few answers, if there are any."""
    small = np.asarray(n) < SMALL_SAMPLE
    if not small.any():
        return []
    where = f" in {group_names(keys, small)}" if by else ""
    return [f"fewer than {SMALL_SAMPLE} answers{where}: the interval is wide and its level only approximate"]
