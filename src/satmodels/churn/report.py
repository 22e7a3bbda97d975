"""churn_report: how good the risks are, with intervals: ranking, calibration, lift and profit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satmodels.churn import measures
from satmodels.churn.outcomes import Outcomes, RankedBlocks, ranked_blocks, read_outcomes
from satmodels.churn.profit import ChurnCosts, check_costs, maximum_profit
from satmodels.errors import ArgumentError, SchemaError
from satmodels.intake.library import FrameLibrary
from satmodels.results import Result, Table
from satmodels.statistics.counts import sort_key
from satmodels.statistics.intervals import check_level, proportion_interval, quantile

Array = NDArray[np.float64]

CURVE_POINTS = 101  # of the gains and profit curves: every percent of the customers
CURVE_BINS = 10  # of the calibration curve


@dataclass(frozen=True, kw_only=True, repr=False)
class ChurnReport(Result):
    """Measures and curves of a churn model on rows it has not seen.

    Attributes
    ----------
    measures : Table
        One row per group and measure; what :meth:`tidy` returns.
    calibration_curve : Table
        ``predicted, observed, conf_low, conf_high, n``: ten bins of equal mass, Wilson intervals.
    gains_curve : Table
        ``fraction, recall, precision, lift``: by share of customers contacted, the riskiest first.
    profit_curve : Table or None
        ``fraction, threshold, profit`` per customer, with costs.
    level : float
        Confidence level.
    """

    kind: ClassVar[str] = "churn_report"
    by: tuple[str, ...]
    measures: Table
    calibration_curve: Table
    gains_curve: Table
    profit_curve: Table | None
    level: float

    def _tidy(self) -> Table:
        return self.measures

    def differences(self) -> Any:
        """Return how far the groups lie apart.

        Returns
        -------
        dataframe
            ``term``; ``lowest`` and ``highest``, the groups; ``difference``, ``std_error``, ``statistic``
            (the largest of several differences is large by chance too: take 3 rather than 2 as remarkable).

        Raises
        ------
        ArgumentError
            The report has no groups.
        """
        if not self.by:
            raise ArgumentError("the report has no groups: give by= to churn_report")
        by = self.by[0]
        rows: list[dict[str, Any]] = []
        for term in dict.fromkeys(self.measures["term"]):
            of_term = [
                r
                for r in self.measures.rows()
                if r["term"] == term and r[by] != OVERALL and r["estimate"] is not None
            ]
            if len(of_term) < 2:
                continue
            low = min(of_term, key=lambda r: r["estimate"])
            high = max(of_term, key=lambda r: r["estimate"])
            gap = high["estimate"] - low["estimate"]
            se = float(np.hypot(low["std_error"] or np.nan, high["std_error"] or np.nan))
            rows.append(
                {
                    "term": term,
                    "lowest": low[by],
                    "highest": high[by],
                    "difference": gap,
                    "std_error": se,
                    "statistic": gap / se if se > 0 else None,
                }
            )
        names = ("term", "lowest", "highest", "difference", "std_error", "statistic")
        return self.library.build(Table.of({name: [row[name] for row in rows] for name in names}).columns())

    def _glance(self) -> Mapping[str, Any]:
        found = {
            row["term"]: row["estimate"]
            for row in self.measures.rows()
            if all(row[name] == OVERALL for name in self.by)
        }
        n = self.measures["n"][0] if len(self.measures) else 0
        return {name: found.get(name) for name in GLANCE} | {"n": n, "n_churned": self.n_churned}

    n_churned: int


OVERALL = "overall"
GLANCE = ("auc", "average_precision", "brier", "log_loss", "ece", "lift_10", "recall_10", "churn_rate")


def churn_report(
    y: ArrayLike,
    probability: ArrayLike,
    *,
    costs: ChurnCosts | None = None,
    by: Any = None,
    sample_weight: ArrayLike | None = None,
    customer: Any = None,
    level: float = 0.95,
) -> ChurnReport:
    """Report how well risks rank, whether they come true, and what acting on them earns.

    Parameters
    ----------
    y : array-like of bool or {0, 1}, shape (n,)
        Whether the customer left.
    probability : array-like, shape (n,)
        Risks between 0 and 1, of rows that the model has not seen.
    costs : ChurnCosts, optional
        Adds the expected maximum profit, the profit at the threshold that pays, and the profit curve.
    by : array-like or mapping of str to array-like, optional
        Segments, or cutoffs, of the rows: ``{"region": ...}``; the measures are given for all rows
        together (``"overall"``) and for each group.
    sample_weight : array-like, optional
        How many customers a row stands for.
    customer : array-like, optional
        Whose row it is. In a panel of several cutoffs the rows of one customer are alike: with it, standard
        errors are those of customers drawn with all their rows; without it, of rows.
    level : float, default 0.95
        Confidence level. Standard errors are those of a Poisson bootstrap (200 replicates with a fixed
        seed), for means the linearised ones; that of ``ece`` takes the bins' shares as independent.

    Returns
    -------
    ChurnReport
        ``tidy()``: the by-column, ``term, estimate, std_error, conf_low, conf_high, n``. The terms are
        ``auc``, ``average_precision``, ``brier``, ``log_loss``, ``ece`` (15 bins of equal mass),
        ``calibration_slope`` and ``calibration_intercept`` (1 and 0 are perfect), ``lift_10`` and
        ``recall_10`` (among the 10 % with the highest risk), ``churn_rate``, ``mean_risk``, and with costs
        ``expected_maximum_profit`` and ``profit_at_threshold``, per customer, and at that threshold ``flagged``
        (share of customers above it), ``flagged_of_leavers``, ``flagged_of_stayers`` and
        ``leavers_of_flagged``. By group these are the usual measures of fairness.

    Raises
    ------
    SchemaError
        An outcome is neither bool nor 0/1, a probability is missing or outside 0..1.
    ArgumentError
        Lengths or indexes differ.

    Examples
    --------
    >>> import satmodels as sat
    >>> report = sat.churn_report([0, 1, 0, 1, 1, 0, 0, 1], [0.1, 0.9, 0.35, 0.6, 0.4, 0.55, 0.2, 0.8])
    >>> report.glance().loc[0, "auc"]
    np.float64(0.9375)
    """
    check_level(level)
    if costs is not None:
        check_costs(costs)
    data = read_outcomes(y, probability, sample_weight, customer)
    _refuse_outside(data)
    name, groups = _groups(by, len(np.asarray(y)))
    if groups is not None and sample_weight is not None:
        groups = [g for g, w in zip(groups, np.asarray(sample_weight), strict=True) if w > 0]
    parts: list[tuple[Any, Outcomes]] = [(OVERALL, data)]
    if groups is not None:
        codes = np.array(_codes(groups))
        labels = sorted(set(groups), key=lambda g: sort_key((g,)))
        place = {g: i for i, g in enumerate(dict.fromkeys(groups))}
        parts += [(label, data.take(np.flatnonzero(codes == place[label]))) for label in labels]
    rows = [
        ({name: label} if name is not None else {}) | row
        for label, part in parts
        for row in _measure(part, costs, level)
    ]
    return ChurnReport(
        library=FrameLibrary.PANDAS,
        by=() if name is None else (name,),
        measures=Table.of({key: [row[key] for row in rows] for key in rows[0]}),
        calibration_curve=_calibration(data, level),
        gains_curve=_gains(data),
        profit_curve=None if costs is None else _profits(data, costs),
        level=level,
        n_churned=int(np.count_nonzero(data.y)),
    )


def _measure(data: Outcomes, costs: ChurnCosts | None, level: float) -> list[dict[str, Any]]:
    blocks, replicates = ranked_blocks(data), measures.resampled(data)
    rate = float(np.average(data.y, weights=data.weight))

    def ranked(function: Callable[[RankedBlocks], float]) -> tuple[float, float]:
        drawn = np.array([function(b) for b in replicates])
        drawn = drawn[np.isfinite(drawn)]
        return function(blocks), float(np.std(drawn, ddof=1)) if len(drawn) > 1 else float("nan")

    def lift(b: RankedBlocks) -> float:
        return measures.recall_at(b, measures.TOP) / measures.TOP

    found: dict[str, tuple[float, float, float, float]] = {}
    top = (0.0, 1.0)
    found["auc"] = (*ranked(measures.area_under_curve), *top)
    found["average_precision"] = (*ranked(measures.average_precision), *top)
    found["brier"] = (measures.brier(data), _se_mean((data.risk - data.y) ** 2, data), *top)
    clipped = np.clip(data.risk, measures.CLIP, 1 - measures.CLIP)
    losses = -np.where(data.y > 0, np.log(clipped), np.log1p(-clipped))
    found["log_loss"] = (measures.log_loss(data), _se_mean(losses, data), 0.0, np.inf)
    found["ece"] = (measures.calibration_error(data), _se_ece(data), *top)
    slope, intercept, slope_se, intercept_se = measures.calibration_line(data)
    found["calibration_slope"] = (slope, slope_se, -np.inf, np.inf)
    found["calibration_intercept"] = (intercept, intercept_se, -np.inf, np.inf)
    found["lift_10"] = (*ranked(lift), 0.0, 1 / measures.TOP)
    found["recall_10"] = (*ranked(lambda b: measures.recall_at(b, measures.TOP)), *top)
    found["churn_rate"] = (rate, _se_mean(data.y, data), *top)
    found["mean_risk"] = (float(np.average(data.risk, weights=data.weight)), _se_mean(data.risk, data), *top)
    if costs is not None:
        found["expected_maximum_profit"] = (*ranked(lambda b: maximum_profit(b, costs)), -np.inf, np.inf)
        found |= _flagged(data, costs.threshold())
        gained = _profit_of_rows(data, costs)
        found["profit_at_threshold"] = (
            float(np.average(gained, weights=data.weight)),
            _se_mean(gained, data),
            -np.inf,
            np.inf,
        )
    z = float(quantile(level))
    return [
        {
            "term": term,
            "estimate": value,
            "std_error": se,
            "conf_low": max(low, value - z * se) if np.isfinite(value) else None,
            "conf_high": min(high, value + z * se) if np.isfinite(value) else None,
            "n": len(data.y),
        }
        for term, (value, se, low, high) in found.items()
    ]


def _flagged(data: Outcomes, threshold: float) -> dict[str, tuple[float, float, float, float]]:
    """Return the share of customers above the threshold, and who they are."""
    above = (data.risk > threshold).astype(float)
    found: dict[str, tuple[float, float, float, float]] = {
        "flagged": (float(np.average(above, weights=data.weight)), _se_mean(above, data), 0.0, 1.0)
    }
    for name, rows, values in (
        ("flagged_of_leavers", data.y > 0, above),
        ("flagged_of_stayers", data.y == 0, above),
        ("leavers_of_flagged", above > 0, data.y),
    ):
        part = data.take(rows)
        known = len(part.y) > 0
        share = float(np.average(values[rows], weights=part.weight)) if known else float("nan")
        found[name] = (share, _se_mean(values[rows], part) if known else float("nan"), 0.0, 1.0)
    return found


def _se_mean(values: Array, data: Outcomes) -> float:
    """Return the standard error of a (weighted) mean."""
    residual = values - np.average(values, weights=data.weight)
    if data.weight is not None:
        residual = residual * data.weight
    if data.customer is not None:
        residual = np.bincount(data.customer, weights=residual)
    n = len(residual)
    if n < 2:
        return float("nan")
    return float(np.sqrt(n / (n - 1) * np.sum(residual**2)) / data.n)


def _se_ece(data: Outcomes) -> float:
    """Return the standard error of the calibration error: the bins' shares vary independently."""
    risk, left, mass = measures.calibration_bins(data)
    share = mass / mass.sum()
    n = mass * len(data.y) / data.n
    return float(
        np.sqrt(np.sum(share**2 * np.maximum(risk * (1 - risk), left * (1 - left)) / np.maximum(n, 1)))
    )


def _profit_of_rows(data: Outcomes, costs: ChurnCosts) -> Array:
    """Return the profit of contacting every row whose risk is above the threshold that pays, at mean acceptance."""
    contacted = data.risk > costs.threshold()
    return np.where(contacted, costs.profit(data.y), 0.0)


def _calibration(data: Outcomes, level: float) -> Table:
    risk, left, mass = measures.calibration_bins(data, CURVE_BINS)
    n = mass * len(data.y) / data.n
    low, high = proportion_interval(left * n, n, level=level)
    return Table.of(
        {
            "predicted": risk,
            "observed": left,
            "conf_low": low,
            "conf_high": high,
            "n": np.round(n).astype(int),
        }
    )


def _gains(data: Outcomes) -> Table:
    blocks = ranked_blocks(data)
    at = np.linspace(0, 1, CURVE_POINTS)
    recall = np.array([measures.recall_at(blocks, float(f)) for f in at])
    rate = float(np.average(data.y, weights=data.weight))
    lift = np.divide(recall, at, out=np.full(len(at), np.nan), where=at > 0)
    return Table.of({"fraction": at, "recall": recall, "precision": lift * rate, "lift": lift})


def _profits(data: Outcomes, costs: ChurnCosts) -> Table:
    blocks = ranked_blocks(data)
    taken = np.concatenate([[0.0], np.cumsum(blocks.weight)])
    hits = np.concatenate([[0.0], np.cumsum(blocks.churn)])
    at = np.linspace(0, 1, CURVE_POINTS)
    churned = np.interp(at * taken[-1], taken, hits) / data.n
    gain, loss = float(costs.profit(1.0)), float(costs.profit(0.0))
    place = np.minimum(np.searchsorted(taken[1:], at * taken[-1] - 1e-9), len(blocks.score) - 1)
    return Table.of(
        {"fraction": at, "threshold": blocks.score[place], "profit": churned * gain + (at - churned) * loss}
    )


def _refuse_outside(data: Outcomes) -> None:
    wrong = np.flatnonzero((data.risk < 0) | (data.risk > 1))
    if len(wrong):
        raise SchemaError.answers(
            "probability",
            "0..1",
            "Give probabilities: predict_proba(X)[:, 1], not a decision function.",
            n_bad=len(wrong),
            offenders=[(int(i), float(data.risk[i])) for i in wrong[:5]],
        )


def _groups(by: Any, n: int) -> tuple[str | None, list[Any] | None]:
    if by is None:
        return None, None
    name = "group"
    if isinstance(by, Mapping):
        if len(by) != 1:
            raise ArgumentError(f"by has {len(by)} entries: give one column of segments, {{name: values}}")
        ((name, by),) = by.items()
    elif isinstance(getattr(by, "name", None), str):
        name = by.name
    to_list: Any = getattr(by, "to_list", None) or getattr(by, "tolist", None)
    values: list[Any] = list(by) if to_list is None else list(to_list())
    if len(values) != n:
        raise ArgumentError(f"by has {len(values):,} values for {n:,} rows")
    if name in ("term", "estimate", "std_error", "conf_low", "conf_high", "n"):
        raise ArgumentError(f"by={name!r} would be twice among the columns of the report: rename it")
    return str(name), [None if v is None or v != v else _readable(v) for v in values]


def _readable(value: Any) -> Any:
    import datetime as dt

    if isinstance(value, dt.datetime):  # cutoffs
        return value.date().isoformat() if value.time() == dt.time.min else value.isoformat(" ")
    return str(value)


def _codes(groups: list[Any]) -> list[int]:
    place: dict[Any, int] = {}
    return [place.setdefault(g, len(place)) for g in groups]
