"""How good survival curves are: area under the curve and Brier score at each time, censoring weighed out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satmodels.arguments import checked
from satmodels.churn.hazard import read_times, same_rows
from satmodels.errors import ArgumentError, DataError, as_number
from satmodels.intake.library import FrameLibrary
from satmodels.results import Result, Table

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, repr=False)
class SurvivalReport(Result):
    """Time-dependent measures of predicted survival.

    ``tidy()``: ``days, auc, brier, brier_baseline, n_left, n_at_risk``; the baseline predicts the
    Kaplan-Meier curve for everybody.

    Attributes
    ----------
    integrated_brier : float
        Mean Brier score over the times (trapezoidal).
    """

    kind: ClassVar[str] = "survival_report"
    rows: Table
    integrated_brier: float
    n: int
    n_left: int

    def _tidy(self) -> Table:
        return self.rows

    def _glance(self) -> Mapping[str, Any]:
        areas = [a for a in self.rows["auc"] if a is not None]
        return {
            "integrated_brier": self.integrated_brier,
            "mean_auc": float(np.mean(areas)) if areas else None,
            "n": self.n,
            "n_left": self.n_left,
        }


@checked
def survival_report(
    time: ArrayLike, left: ArrayLike, survival: ArrayLike, days: Sequence[float]
) -> SurvivalReport:
    """Compare predicted survival with what happened.

    At each time t, customers who left by t are held against those still there after t. Whoever was lost
    from sight before t is represented by the others: each is weighted by the inverse probability of not
    being lost, from the Kaplan-Meier curve of the losses (Graf et al. 1999 for the Brier score; Uno et al.
    2007 for the area under the curve).

    Parameters
    ----------
    time : array-like of numbers or timedelta, shape (n,)
        Days until leaving or until lost from sight.
    left : array-like of bool or {0, 1}, shape (n,)
        Whether the customer left then.
    survival : array-like, shape (n, times)
        Predicted probability of being there after each of ``days``.
    days : sequence of float
        The times, ascending, below the longest time seen.

    Raises
    ------
    SchemaError, ArgumentError
        As in :meth:`ChurnHazard.fit`; a time beyond the data; shapes or indexes that do not fit.
    DataError
        There are no rows, or nobody left.

    References
    ----------
    Graf, E., Schmoor, C., Sauerbrei, W., & Schumacher, M. (1999). Assessment and comparison of prognostic
    classification schemes for survival data. Statistics in Medicine, 18, 2529-2545.

    Uno, H., Cai, T., Tian, L., & Wei, L. J. (2007). Evaluating prediction rules for t-year survivors with
    censored regression models. Journal of the American Statistical Association, 102, 527-537.

    Examples
    --------
    >>> import satmodels as sat
    >>> report = sat.survival_report([10, 20, 30, 40], [1, 0, 1, 0], [[0.4], [0.8], [0.7], [0.9]], days=[25])
    >>> report.rows["auc"]
    (1.0,)
    """
    t, gone = read_times(time, left)
    same_rows(time, survival, "time and survival")
    if not len(t):
        raise DataError("there are no rows")
    at = np.array([as_number("days", day) for day in days], dtype=float)
    given = np.asarray(survival)
    if given.dtype.kind not in "biuf":
        raise ArgumentError(f"survival holds {given.dtype}: it holds probabilities between 0 and 1")
    S = given.astype(float)
    if S.shape != (len(t), len(at)):
        raise ArgumentError(
            f"survival has the shape {S.shape}: one row per customer, one column per time {(len(t), len(at))}"
        )
    if not np.isfinite(S).all() or S.min(initial=0) < 0 or S.max(initial=0) > 1:
        raise ArgumentError("survival holds probabilities between 0 and 1")
    if not len(at) or (np.diff(at) <= 0).any() or at[0] <= 0 or not at[-1] < t.max(initial=0):
        raise ArgumentError(
            f"days={list(days)}: ascending, above 0 and below the longest time seen ({t.max(initial=0):g}); beyond "
            "it nothing is known"
        )
    if not gone.any():
        raise DataError("nobody left: there is nothing to compare")
    lost_times, kept = kaplan_meier(t, ~gone, first=gone)
    before = np.concatenate([[1.0], kept])[
        np.searchsorted(lost_times, t, side="left")
    ]  # just before own time
    event_times, there = kaplan_meier(t, gone)
    areas: list[float | None] = []
    scores: list[float] = []
    baseline: list[float] = []
    for k, moment in enumerate(at):
        g = _at(lost_times, kept, moment)
        case, control = gone & (t <= moment), t > moment
        weight = np.zeros(len(t))
        weight[case] = 1 / np.maximum(before[case], 1e-12)
        weight[control] = 1 / max(g, 1e-12)
        areas.append(_area(1 - S[:, k], case, control, weight))
        scores.append(float(np.mean(weight * (S[:, k] - control) ** 2)))
        baseline.append(float(np.mean(weight * (_at(event_times, there, moment) - control) ** 2)))
    width = at[-1] - at[0]
    return SurvivalReport(
        library=FrameLibrary.PANDAS,
        rows=Table.of(
            {
                "days": at,
                "auc": areas,
                "brier": scores,
                "brier_baseline": baseline,
                "n_left": [int((gone & (t <= m)).sum()) for m in at],
                "n_at_risk": [int((t > m).sum()) for m in at],
            }
        ),
        integrated_brier=float(np.trapezoid(scores, at) / width) if width > 0 else scores[0],
        n=len(t),
        n_left=int(gone.sum()),
    )


def kaplan_meier(
    time: Array, event: NDArray[np.bool_], first: NDArray[np.bool_] | None = None
) -> tuple[Array, Array]:
    """Return the distinct times and the Kaplan-Meier survival just after each.

    Of rows with equal times, those with the event come first. Where the event is being lost from sight, who left
    at the same time had gone before (``first``) and is not at risk of it: else the weights add up to too much.
    """
    distinct, place = np.unique(time, return_inverse=True)
    n = np.bincount(place, minlength=len(distinct))
    d = np.bincount(place, weights=event, minlength=len(distinct))
    at_risk = len(time) - (np.cumsum(n) - n)
    if first is not None:
        at_risk = at_risk - np.bincount(place, weights=first, minlength=len(distinct))
    share = np.divide(d, at_risk, out=np.zeros(len(distinct)), where=at_risk > 0)
    return distinct, np.cumprod(1 - share).astype(float)


def _at(times: Array, survival: Array, moment: float) -> float:
    k = int(np.searchsorted(times, moment, side="right"))
    return 1.0 if k == 0 else float(survival[k - 1])


def _area(risk: Array, case: NDArray[np.bool_], control: NDArray[np.bool_], weight: Array) -> float | None:
    """Return the weighted share of pairs in which the one who left had the higher risk; ties count half."""
    if not case.any() or not control.any():
        return None
    used = case | control
    levels, place = np.unique(risk[used], return_inverse=True)
    w = weight[used]
    cases = np.bincount(place, weights=w * case[used], minlength=len(levels))
    controls = np.bincount(place, weights=w * control[used], minlength=len(levels))
    below = np.cumsum(controls) - controls
    return float(cases @ (below + controls / 2) / (cases.sum() * controls.sum()))
