"""The watch list: whom to contact when money or hands are few, and what could be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from satmodels.churn.profit import ChurnCosts
from satmodels.churn.reasons import SMALLEST
from satmodels.errors import ArgumentError

Array = NDArray[np.float64]

# part of a feature's name -> what to do about it, when it raises the risk most; the first that fits
LEVERS: tuple[tuple[str, str], ...] = (
    ("unresolved", "settle the open complaint"),
    ("complaint", "follow up the complaint"),
    ("payment_late", "offer another way or day of payment"),
    ("payment", "check the payments"),
    ("login", "help them use the service"),
    ("use", "help them use the service"),
    ("purchase", "make an offer that fits earlier purchases"),
    ("order", "make an offer that fits earlier purchases"),
    ("amount", "make an offer that fits earlier purchases"),
    ("_last", "call back about the answer"),
    ("_slope", "call back about the answer"),
    ("tenure", "welcome and introduce"),
    ("plan", "check whether the plan still fits"),
    ("fee", "check whether the plan still fits"),
    ("price", "check whether the plan still fits"),
)


def choose(
    risk: Array, profit: Array | None, cost: Array | None, top: int | None, budget: float | None
) -> NDArray[np.intp]:
    """Return whom to list, in order.

    Without costs: by risk. With costs: by expected profit, only who pays, unless ``top`` asks for more. With
    a budget: by expected profit per unit of money, as long as the money lasts, and then in order of profit
    (the greedy solution of the knapsack problem, worse than the best by less than one customer's profit).
    """
    if top is not None and (isinstance(top, bool) or not isinstance(top, int | np.integer) or top < 1):
        raise ArgumentError(f"top={top!r}: a whole number of at least 1")
    if profit is None or cost is None:
        if budget is not None:
            raise ArgumentError("budget= needs costs: ChurnClassifier(costs=ChurnCosts(...))")
        order = np.argsort(-risk, kind="stable")
        return order[:top]
    if budget is None:
        order = np.argsort(-profit, kind="stable")
        return order[:top] if top is not None else order[profit[order] > 0]
    if isinstance(budget, bool) or not 0 < budget < np.inf:
        raise ArgumentError(f"budget={budget!r}: an amount of money above 0")
    worth = np.flatnonzero(profit > 0)
    per_unit = profit[worth] / np.maximum(cost[worth], 1e-12)
    worth = worth[np.argsort(-per_unit, kind="stable")][:top]
    chosen = worth[np.cumsum(cost[worth]) <= budget * (1 + 1e-12)]
    return chosen[np.argsort(-profit[chosen], kind="stable")]


def expected_cost(costs: ChurnCosts, risk: Array, acceptance: Array | None = None) -> Array:
    """Return what contacting is expected to cost: the contact, and the offer for those who take it."""
    rate = costs.acceptance if acceptance is None else acceptance
    return costs.contact + costs.incentive * (1 - risk + risk * rate)


def first_lever(contributions: Array, features: Sequence[str], own: Mapping[str, str]) -> str | None:
    """Return what to do about the feature that raises the risk most, of those with a lever; None without."""
    for j in np.argsort(-contributions, kind="stable"):
        if contributions[j] < SMALLEST:
            return None
        for part, action in (*own.items(), *LEVERS):
            if part in features[int(j)]:
                return action
    return None
