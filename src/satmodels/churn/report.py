"""churn_report: how good the risks are, with intervals: ranking, calibration, lift and profit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satmodels.arguments import checked
from satmodels.churn import measures
from satmodels.churn.outcomes import (
    Outcomes,
    RankedBlocks,
    block_starts,
    ranked_blocks,
    read_outcomes,
    read_per_customer,
)
from satmodels.churn.profit import ChurnCosts, check_amounts, check_costs, check_rates, maximum_profit
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
        ``predicted, observed, conf_low, conf_high, n``: ten bins of equal mass, Wilson intervals; ``n`` rows, with
        weights or several rows of a customer as many independent ones as tell the same.
    gains_curve : Table
        ``fraction, recall, precision, lift``: by share of customers contacted, the riskiest first.
    profit_curve : Table or None
        ``fraction, threshold, profit`` per customer, with costs: the riskiest first. With money per customer
        ``fraction, expected_profit, profit``: those first whose expected profit is highest, down to
        ``expected_profit``; ``profit`` is what contacting them would have brought.
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


@checked
def churn_report(
    y: ArrayLike,
    probability: ArrayLike,
    *,
    costs: ChurnCosts | None = None,
    by: Any = None,
    sample_weight: ArrayLike | None = None,
    customer: Any = None,
    value: ArrayLike | None = None,
    acceptance: ArrayLike | None = None,
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
    value, acceptance : array-like, shape (n,), optional
        What each customer is worth, and each one's acceptance rate (0 to 1): needed where ``costs`` names a column
        for them, and otherwise taken instead of its one value. The threshold and the profits are then per
        customer.
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
        ``leavers_of_flagged``. By group these are the usual measures of fairness. With ``value`` or ``acceptance``
        there is no ``expected_maximum_profit``: it is a measure of one value and one distribution for all.

    Raises
    ------
    SchemaError
        An outcome is neither bool nor 0/1, a probability or an acceptance rate is missing or outside 0..1, a value
        is missing or negative.
    ArgumentError
        Lengths or indexes differ, or ``costs`` names a column whose values are not given.

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
    gain = _gain_per_customer(y, costs, value, acceptance)
    data = read_outcomes(y, probability, sample_weight, customer, gain)
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
        if data.gain is None:
            found["expected_maximum_profit"] = (*ranked(lambda b: maximum_profit(b, costs)), -np.inf, np.inf)
        pays = data.risk > costs.threshold() if data.gain is None else _expected_profit(data, costs) > 0
        found |= _flagged(data, pays)
        gained = np.where(pays, _profit_of_contact(data, costs, data.y), 0.0)
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


def _flagged(data: Outcomes, pays: NDArray[np.bool_]) -> dict[str, tuple[float, float, float, float]]:
    """Return the share of customers whom contacting is expected to pay, and who they are."""
    above = pays.astype(float)
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
    risk, left, mass, n = measures.calibration_bins(data)
    share = mass / mass.sum()
    return float(
        np.sqrt(np.sum(share**2 * np.maximum(risk * (1 - risk), left * (1 - left)) / np.maximum(n, 1)))
    )


def _gain_per_customer(
    y: ArrayLike, costs: ChurnCosts | None, value: ArrayLike | None, acceptance: ArrayLike | None
) -> Array | None:
    """Return what contacting brings for each customer who would leave; None where that is one amount for all."""
    if costs is None:
        if value is not None or acceptance is not None:
            raise ArgumentError("value= and acceptance= need costs=ChurnCosts(...)")
        return None
    for name, column, given in (
        ("value", costs.value, value),
        ("acceptance", costs.acceptance_rate, acceptance),
    ):
        if isinstance(column, str) and given is None:
            raise ArgumentError(
                f"costs name the column {column!r}: give its values too, {name}=data[{column!r}]"
            )
    if value is None and acceptance is None:
        return None
    worth = None if value is None else read_per_customer(value, y, "value")
    rate = None if acceptance is None else read_per_customer(acceptance, y, "acceptance")
    if worth is not None:
        check_amounts(worth, "value")
    if rate is not None:
        check_rates(rate, "acceptance")
    return costs.profit(1.0, worth, rate)


def _profit_of_contact(data: Outcomes, costs: ChurnCosts, left: Array) -> Array:
    """Return the profit of contacting each row, with the outcomes, or with the risks instead of them."""
    gain = costs.profit(1.0) if data.gain is None else data.gain
    return left * gain - (1 - left) * (costs.incentive + costs.contact)


def _expected_profit(data: Outcomes, costs: ChurnCosts) -> Array:
    return _profit_of_contact(data, costs, data.risk)


def _calibration(data: Outcomes, level: float) -> Table:
    risk, left, _, n = measures.calibration_bins(data, CURVE_BINS)
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
    if data.gain is not None:
        return _profits_per_customer(data, costs)
    blocks = ranked_blocks(data)
    taken = np.concatenate([[0.0], np.cumsum(blocks.weight)])
    hits = np.concatenate([[0.0], np.cumsum(blocks.churn)])
    at = np.linspace(0, 1, CURVE_POINTS)
    churned = np.interp(at * taken[-1], taken, hits) / data.n
    gain, loss = float(costs.profit(1.0)), -(costs.incentive + costs.contact)
    place = np.minimum(np.searchsorted(taken[1:], at * taken[-1] - 1e-9), len(blocks.score) - 1)
    return Table.of(
        {"fraction": at, "threshold": blocks.score[place], "profit": churned * gain + (at - churned) * loss}
    )


def _profits_per_customer(data: Outcomes, costs: ChurnCosts) -> Table:
    expected = _expected_profit(data, costs)
    order = np.argsort(-expected, kind="stable")
    weight = np.ones(len(expected)) if data.weight is None else data.weight
    starts = block_starts(expected[order])  # equal ones together, so that the rows' order changes nothing
    mass = np.add.reduceat(weight[order], starts)
    gained = np.add.reduceat((weight * _profit_of_contact(data, costs, data.y))[order], starts)
    taken = np.concatenate([[0.0], np.cumsum(mass)])
    total = np.concatenate([[0.0], np.cumsum(gained)])
    at = np.linspace(0, 1, CURVE_POINTS)
    place = np.minimum(np.searchsorted(taken[1:], at * taken[-1] - 1e-9), len(starts) - 1)
    return Table.of(
        {
            "fraction": at,
            "expected_profit": expected[order][starts][place],
            "profit": np.interp(at * taken[-1], taken, total) / data.n,
        }
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
    if isinstance(by, str) or not isinstance(by, Iterable) or getattr(by, "ndim", 1) != 1:
        raise ArgumentError(f"by={by!r}: give the segment of each row, or {{name: segments}}")
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
