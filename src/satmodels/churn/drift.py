"""Drift: do today's customers still look like those the model was fitted on, and do its risks still come true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from satmodels.arguments import checked
from satmodels.churn.encoding import Encoding, read_features
from satmodels.churn.outcomes import read_outcomes
from satmodels.errors import ArgumentError, DataError, unknown
from satmodels.intake.frames import Frame, open_frame
from satmodels.results import Result, Table
from satmodels.statistics.counts import as_names

Array = NDArray[np.float64]

# Levels of the population stability index in common use (Siddiqi 2006)
WATCH, ALERT = 0.10, 0.25
BINS = 10  # deciles of the reference
HALF_ROW = 0.5  # added to every bin, so that an empty one is not infinite
SURE = 0.99  # a drift that chance alone gives more often than once in a hundred is none
Z_WATCH, Z_ALERT = 2.0, 3.0  # of the calibration
NOT_FEATURES = ("customer", "cutoff", "churned", "time", "left")


@dataclass(frozen=True, kw_only=True, repr=False)
class DriftReport(Result):
    """How far the current rows have moved from the reference.

    ``tidy()``: ``feature, psi, js, chance, level, missing_reference, missing_current, n_reference, n_current``.

    Attributes
    ----------
    rows : Table
    calibration : Table or None
        ``term, reference, current, difference, std_error, statistic, level``: share that left minus mean risk.
    """

    kind: ClassVar[str] = "drift"
    rows: Table
    calibration: Table | None

    def _tidy(self) -> Table:
        return self.rows

    def _glance(self) -> Mapping[str, Any]:
        levels = self.rows["level"]
        return {
            "n_features": len(levels),
            "n_watch": levels.count("watch"),
            "n_alert": levels.count("alert"),
            "largest_psi": max(self.rows["psi"], default=None),
            "calibration": None if self.calibration is None else self.calibration["level"][0],
        }


@checked
def drift(
    reference: Any,
    current: Any,
    *,
    features: Sequence[str] | None = None,
    label: str = "churned",
    risk: str = "risk",
) -> DriftReport:
    """Compare today's rows with those that a model was fitted on, feature by feature.

    The bins are the deciles of the reference (words: the words), and one for missing values. The population
    stability index is ``sum (q - p) log(q / p)``, the Jensen-Shannon divergence is in bits (0 to 1). Both are
    above 0 by chance alone in small samples, so a level is given only beyond what chance reaches in one of a
    hundred cases.

    Parameters
    ----------
    reference, current : dataframe
        Two panels, of any library.
    features : sequence of str, optional
        Columns to compare; default all of the reference but ids, cutoff and outcome.
    label, risk : str
        Where both frames have these two columns, the calibration is compared too: the share that left minus
        the mean risk, whose change is tested.

    Returns
    -------
    DriftReport
        Levels: ``"stable"``, ``"watch"`` (PSI from 0.10 on; calibration: 2 standard errors), ``"alert"``
        (from 0.25 on; 3 standard errors).

    Raises
    ------
    ArgumentError
        A feature is missing in one of the frames, or holds words in one and numbers in the other.
    DataError
        A frame has no rows.

    References
    ----------
    Siddiqi, N. (2006). Credit risk scorecards. Wiley.

    Examples
    --------
    >>> import pandas as pd
    >>> import satmodels as sat
    >>> before = pd.DataFrame({"logins": range(1000), "plan": ["a", "b"] * 500})
    >>> now = pd.DataFrame({"logins": range(400, 1400), "plan": ["a", "b"] * 500})
    >>> sat.drift(before, now).tidy()[["feature", "level"]].values.tolist()
    [['logins', 'alert'], ['plan', 'stable']]
    """
    old, new = open_frame(reference), open_frame(current)
    names = list(as_names(features)) if features is not None else _shared(old, (label, risk))
    for frame in (old, new):
        for name in names:
            if name not in frame.columns:
                raise unknown("feature", name, frame.columns)
    before, after = read_features(old, names), read_features(new, names)
    if not names:
        raise ArgumentError("there is no feature to compare")
    if min(len(before[names[0]]), len(after[names[0]])) == 0:
        raise DataError("one of the frames has no rows")
    rows = [{"feature": name} | _compare(name, before[name], after[name]) for name in names]
    both = all({label, risk} <= set(frame.columns) for frame in (old, new))
    return DriftReport(
        library=old.library,
        rows=Table.of({key: [row[key] for row in rows] for key in rows[0]}),
        calibration=_calibration(old, new, label, risk) if both else None,
    )


def _shared(frame: Frame, also: tuple[str, str]) -> list[str]:
    return [name for name in frame.columns if name not in {*NOT_FEATURES, also[0]}]


def _compare(name: str, before: NDArray[Any], after: NDArray[Any]) -> dict[str, Any]:
    p, q, missing = _counts(name, before, after)
    n, m = p.sum(), q.sum()
    used = (p + q) > 0
    smooth_p = (p[used] + HALF_ROW) / (n + HALF_ROW * used.sum())
    smooth_q = (q[used] + HALF_ROW) / (m + HALF_ROW * used.sum())
    psi = float(np.sum((smooth_q - smooth_p) * np.log(smooth_q / smooth_p)))
    middle = (p + q * n / m) / (2 * n)
    js = 0.5 * float(_bits(p / n, middle) + _bits(q / m, middle))
    # without drift the index is about chi-squared / (1 / (1/n + 1/m))
    df = max(int(used.sum()) - 1, 1)
    chance = float(special.chdtri(df, 1 - SURE) * (1 / n + 1 / m))
    size = 0.0 if psi <= chance else psi
    return {
        "psi": psi,
        "js": js,
        "chance": chance,
        "level": "alert" if size >= ALERT else "watch" if size >= WATCH else "stable",
        "missing_reference": float(missing[0] / n),
        "missing_current": float(missing[1] / m),
        "n_reference": int(n),
        "n_current": int(m),
    }


def _counts(name: str, before: NDArray[Any], after: NDArray[Any]) -> tuple[Array, Array, tuple[float, float]]:
    """Return counts per bin of both, the last bin being that of missing values."""
    if before.dtype == object or after.dtype == object:
        if before.dtype != after.dtype and not (_empty(before) or _empty(after)):
            raise ArgumentError(f"column {name!r} holds words in one frame and numbers in the other")
        joined = np.concatenate([before.astype(object), after.astype(object)])
        joined = np.array([None if v is None or v != v else str(v) for v in joined], dtype=object)
        encoding = Encoding.learn({name: joined})
        codes = encoding.matrix({name: joined})[:, 0]
        bins = len(encoding.categories[name])
    else:
        joined = np.concatenate([before, after])
        present = before[~np.isnan(before)]
        edges = (
            np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1]))
            if len(present)
            else np.empty(0)
        )
        codes = np.where(np.isnan(joined), np.nan, np.searchsorted(edges, joined, side="left"))
        bins = len(edges) + 1
    codes = np.where(np.isnan(codes), bins, codes).astype(np.int64)
    p = np.bincount(codes[: len(before)], minlength=bins + 1).astype(float)
    q = np.bincount(codes[len(before) :], minlength=bins + 1).astype(float)
    return p, q, (p[-1], q[-1])


def _empty(values: NDArray[Any]) -> bool:
    return all(v is None or v != v for v in values)


def _bits(p: Array, middle: Array) -> float:
    there = p > 0
    return float(np.sum(p[there] * np.log2(p[there] / middle[there])))


def _calibration(old: Frame, new: Frame, label: str, risk: str) -> Table:
    found: list[tuple[float, float]] = []
    for frame in (old, new):
        read = read_features(frame, [label, risk])
        data = read_outcomes(read[label], read[risk])
        surprise = data.y - data.risk
        found.append((float(surprise.mean()), float(surprise.var() / len(surprise))))
    difference = found[1][0] - found[0][0]
    se = float(np.sqrt(found[0][1] + found[1][1]))
    z = difference / se if se > 0 else 0.0
    level = "alert" if abs(z) >= Z_ALERT else "watch" if abs(z) >= Z_WATCH else "stable"
    return Table.of(
        {
            "term": ["left minus risk"],
            "reference": [found[0][0]],
            "current": [found[1][0]],
            "difference": [difference],
            "std_error": [se],
            "statistic": [z],
            "level": [level],
        }
    )
