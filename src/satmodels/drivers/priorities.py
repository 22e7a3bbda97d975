"""Priorities: what to improve first, what it is expected to bring, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.drivers.budget import allocate, allocate_draws
from satmodels.drivers.effects import DriverEffects, effects_of_regression, effects_of_structure
from satmodels.drivers.key_drivers import KeyDriversResult
from satmodels.drivers.plan import categories_of, per_driver, sources_of, value_of_gain
from satmodels.errors import ArgumentError, as_number, as_seed, unknown
from satmodels.results import Result, Table
from satmodels.statistics.intervals import check_level, quantile

Array = NDArray[np.float64]

LIFT = 0.1  # an action closes a tenth of the room to the top unless said otherwise
MUST_BE_FLOOR = 80.0  # a must-be feature that performs below this comes before everything else
DRAWS = 1_000  # for ranks and the chance of being chosen
_COLUMNS = (
    *("rank", "term", "category", "first", "performance", "room", "effect", "effect_low", "effect_high"),
    *("lift", "reach", "gain", "gain_low", "gain_high", "cost", "gain_per_cost", "chosen"),
    *("rank_low", "rank_high", "p_top", "p_chosen"),
)
_VALUE_COLUMNS = ("value", "value_low", "value_high")


@dataclass(frozen=True, kw_only=True, repr=False)
class PrioritiesResult(Result):
    """An action table, the most urgent first.

    Attributes
    ----------
    estimates : Table
        What :meth:`tidy` gives.
    sources : Table
        Where every number comes from: ``term, quantity, value, source``.
    outcome : str
        The outcome that is to rise.
    outcome_index : float
        Where it stands, 0..100.
    budget, spent : float or None
        Budget and cost of the chosen actions.
    gain, gain_low, gain_high : float
        Expected rise of the outcome by the chosen actions together (by all, without a budget); limits
        are None where the effects have no errors.
    level : float
        Confidence level of the limits.
    problems : tuple of str
        What to know before acting, in words.
    """

    kind: ClassVar[str] = "priorities"

    estimates: Table
    sources: Table
    outcome: str
    outcome_index: float
    budget: float | None
    spent: float | None
    gain: float
    gain_low: float | None
    gain_high: float | None
    level: float
    problems: tuple[str, ...] = ()

    @checked
    def trace(self, term: str | None = None) -> Any:
        """Return where every number of an action comes from (of all actions without ``term``)."""
        if term is not None and term not in self.estimates["term"]:
            raise unknown("action", term, self.estimates["term"])
        rows = [row for row in self.sources.rows() if term is None or row["term"] == term]
        return self.library.build(Table.from_records(rows, self.sources.names).columns())

    def _tidy(self) -> Table:
        return self.estimates

    def _glance(self) -> Mapping[str, Any]:
        return {
            "outcome": self.outcome,
            "outcome_index": self.outcome_index,
            "actions": len(self.estimates),
            "first": self.estimates["term"][0] if len(self.estimates) else None,
            "gain": self.gain,
            "gain_low": self.gain_low,
            "gain_high": self.gain_high,
            "budget": self.budget,
            "spent": self.spent,
            "level": self.level,
            "problems": len(self.problems),
        }


@checked
def priorities(
    drivers: Any,
    *,
    scale: Any = None,
    outcome: str | None = None,
    effect: str = "regression",
    bootstrap: Any = None,
    kano: Any = None,
    features: Mapping[str, str] | None = None,
    lift: float | Mapping[str, float] = LIFT,
    reach: float | Mapping[str, float] = 1.0,
    cost: float | Mapping[str, float] = 1.0,
    budget: float | None = None,
    elasticity: float | tuple[float, float] | None = None,
    base: float = 100.0,
    must_be_floor: float = MUST_BE_FLOOR,
    level: float = 0.95,
    seed: int | None = None,
) -> PrioritiesResult:
    """Rank what to improve by what it is expected to bring.

    Parameters
    ----------
    drivers : KeyDriversResult or SEMResult
        A driver analysis of one group, or a fitted structural model whose total effects are taken.
    scale : Scale or mapping
        Scale of the answers, ``{column: Scale}`` where the outcome and the drivers differ; not needed
        where the driver analysis or the structural model was given it.
    outcome : str, optional
        For a structural model: the construct that is to rise.
    effect : str, default "regression"
        For a driver analysis: ``"regression"`` coefficients, or ``"shapley"`` net effects (Shapley value
        / correlation), which stay sensible when drivers resemble each other.
    bootstrap : BootstrapResult, optional
        For a structural model: its bootstrap, which gives the effects their errors.
    kano : KanoResult or mapping, optional
        Kano classes of the drivers, or ``{driver: category}``. Must-be drivers that perform below
        ``must_be_floor`` come first, whatever else would bring more.
    features : mapping, optional
        ``{driver: Kano feature}`` where the names differ.
    lift : float or mapping, default 0.1
        Share of the room to 100 that the action closes.
    reach : float or mapping, default 1
        Share of the customers whom the action reaches, 0..1.
    cost : float or mapping, default 1
        Cost of the action, larger than 0, in any unit.
    budget : float, optional
        What may be spent: the set of actions with the largest expected gain is ``chosen``.
    elasticity : float or (float, float), optional
        Percent change of retention or revenue per percent change of the outcome, alone or with its
        standard error. Adds ``value`` with its limits, in units of ``base``.
    base : float, default 100
        Today's revenue (or retention); 100 gives percent.
    must_be_floor : float, default 80
        On 0..100.
    level : float, default 0.95
        Confidence level.
    seed : int, optional
        Of the draws behind ranks and chances.

    Returns
    -------
    PrioritiesResult
        ``tidy()``, most urgent first: ``rank``, ``term``, ``category``, ``first`` (must-be below the
        floor), ``performance`` (0..100), ``room``, ``effect`` with limits (points of the outcome per
        point of the driver), ``lift`` (points), ``reach``, ``gain`` with limits (points of the
        outcome), ``cost``, ``gain_per_cost``, ``chosen``, ``rank_low`` and ``rank_high`` (limits of the
        rank), ``p_top`` (chance of being the first), ``p_chosen``. ``trace()`` says where each number
        comes from.

    Raises
    ------
    ArgumentError
        More than one group, no scale, a share outside 0..1, a cost of 0 or less, an unknown driver.

    Notes
    -----
    gain = effect x lift x room x reach. Effects say what goes along with a better driver (regression:
    while the others stay), and are no proof that changing it changes the outcome.
    Limits, ranks and chances come from the covariance matrix of the effects; the plan's own numbers
    (lift, reach, cost) are taken as certain.

    Examples
    --------
    >>> import numpy as np, pandas as pd, satmodels as sat
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame(rng.integers(1, 6, size=(300, 2)), columns=["price", "service"])
    >>> frame["overall"] = (frame["price"] + 3 * frame["service"]) / 4
    >>> analysis = sat.key_drivers(frame, "overall", ["price", "service"])
    >>> plan = sat.priorities(analysis, scale=sat.Scale(1, 5), kano={"price": "M", "service": "A"})
    >>> plan.tidy()[["rank", "term", "category", "first"]]
       rank     term category  first
    0     1    price        M   True
    1     2  service        A  False
    """
    check_level(level)
    seed = as_seed(seed)
    effects, library = _effects(drivers, scale, outcome, effect, bootstrap)
    names = effects.drivers
    categories = categories_of(names, kano, features)
    share = per_driver(lift, names, "lift", 0.0, 1.0)
    reached = per_driver(reach, names, "reach", 0.0, 1.0)
    costs = per_driver(cost, names, "cost", 0.0, np.inf)
    if (costs <= 0).any():
        raise ArgumentError("cost: every action costs something; give numbers larger than 0")
    if budget is not None:
        budget = as_number("budget", budget, 0)
    must_be_floor = as_number("must_be_floor", must_be_floor, 0, 100)
    room = 100.0 - effects.performance
    points = share * room
    worth = points * reached  # of one unit of effect
    gain = effects.effect * worth
    gain_cov = effects.cov * np.outer(worth, worth)
    first = np.array([c == "M" for c in categories]) & (effects.performance < must_be_floor)
    order = _order(gain / costs, first)
    rank = np.empty(len(names), dtype=int)
    rank[order] = np.arange(1, len(names) + 1)
    chosen = None if budget is None else allocate(gain, costs, budget, first)
    known = not np.isnan(effects.cov).any()  # without errors of the effects there is nothing to draw
    draws = _draws(gain, gain_cov, seed)
    ranks = _ranks(draws / costs, first)
    tail = (1 - level) / 2
    rank_low, rank_high = np.quantile(ranks, [tail, 1 - tail], axis=0, method="inverted_cdf")
    p_chosen = None
    if budget is not None and known:
        p_chosen = allocate_draws(draws, costs, budget, first).mean(axis=0)
    z = float(quantile(level))
    effect_half = z * np.sqrt(np.diag(effects.cov))
    gain_half = effect_half * worth
    value = value_of_gain(gain, np.sqrt(np.diag(gain_cov)), effects.outcome_index, elasticity, base, z)
    rows = [
        {
            "rank": int(rank[j]),
            "term": names[j],
            "category": categories[j],
            "first": bool(first[j]),
            "performance": effects.performance[j],
            "room": room[j],
            "effect": effects.effect[j],
            "effect_low": effects.effect[j] - effect_half[j],
            "effect_high": effects.effect[j] + effect_half[j],
            "lift": points[j],
            "reach": reached[j],
            "gain": gain[j],
            "gain_low": gain[j] - gain_half[j],
            "gain_high": gain[j] + gain_half[j],
            "cost": costs[j],
            "gain_per_cost": gain[j] / costs[j],
            "chosen": None if chosen is None else bool(chosen[j]),
            "rank_low": int(rank_low[j]) if known else None,
            "rank_high": int(rank_high[j]) if known else None,
            "p_top": float((ranks[:, j] == 1).mean()) if known else None,
            "p_chosen": None if p_chosen is None else float(p_chosen[j]),
            **{name: limits[j] for name, limits in value.items()},
        }
        for j in order
    ]
    taken = np.ones(len(names), dtype=bool) if chosen is None else chosen
    total = float(gain[taken].sum())
    spread = z * float(np.sqrt(np.maximum(taken.astype(float) @ gain_cov @ taken, 0.0)))
    return PrioritiesResult(
        library=library,
        estimates=Table.from_records(rows, (*_COLUMNS, *value)),
        sources=sources_of(effects, rows, elasticity, kano),
        outcome=effects.outcome,
        outcome_index=effects.outcome_index,
        budget=budget,
        spent=None if chosen is None else float(costs[chosen].sum()),
        gain=total,
        gain_low=total - spread if known else None,
        gain_high=total + spread if known else None,
        level=level,
        problems=_problems(rows, chosen is not None),
    )


def _effects(
    drivers: Any, scale: Any, outcome: str | None, effect: str, bootstrap: Any
) -> tuple[DriverEffects, Any]:
    if isinstance(drivers, KeyDriversResult):
        if outcome is not None or bootstrap is not None:
            raise ArgumentError(
                "outcome= and bootstrap= go with a structural model; a driver analysis has both"
            )
        return effects_of_regression(drivers, scale, effect), drivers.library
    if hasattr(drivers, "effects") and hasattr(drivers, "index"):
        return effects_of_structure(drivers, outcome, None, scale, bootstrap), drivers.library
    raise ArgumentError(
        f"drivers is {type(drivers).__name__}: give the result of key_drivers(), or of a structural model"
    )


def _order(score: Array, first: NDArray[np.bool_]) -> list[int]:
    """Must-be first, then by return; equal ones in the order given."""
    return [int(j) for j in np.lexsort((-score, ~first))]


def _draws(gain: Array, cov: Array, seed: int | None) -> Array:
    rng = np.random.default_rng(0 if seed is None else seed)  # a report must not change from run to run
    values, vectors = np.linalg.eigh(np.nan_to_num(cov))
    noise = rng.standard_normal((DRAWS, len(gain)))
    return gain + noise * np.sqrt(np.maximum(values, 0.0)) @ vectors.T


def _ranks(score: Array, first: NDArray[np.bool_]) -> NDArray[np.intp]:
    order = np.lexsort((-score, np.broadcast_to(~first, score.shape)), axis=1)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, score.shape[1] + 1)[None, :], axis=1)
    return ranks


def _problems(rows: list[dict[str, Any]], budgeted: bool) -> tuple[str, ...]:
    found: list[str] = []
    for row in rows:
        if row["effect"] < 0:
            found.append(f"{row['term']!r} has a negative effect: it is never chosen for its gain")
        elif row["effect_low"] < 0:  # false for NaN
            found.append(f"{row['term']!r}: the effect is not told apart from 0 by these answers")
        if row["category"] in ("R", "Q"):
            found.append(f"{row['term']!r} is a Kano {row['category']}: more of it may be unwelcome")
        if budgeted and row["first"] and not row["chosen"]:
            found.append(
                f"the budget does not take the must-be {row['term']!r}: nothing else is bought before it"
            )
    return tuple(found)
