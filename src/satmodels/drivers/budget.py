"""Which actions to buy with a budget: the knapsack problem, must-be features first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

GRID = 1_000  # steps of the budget where many draws are allocated at once


def allocate(gain: Array, cost: Array, budget: float, first: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the affordable set of actions with the largest total gain.

    The actions marked ``first`` are bought before any other: as many of them as the budget takes (the
    best set of them where it does not take all, and the cheapest of those without a gain), then the best
    set of the rest with what is left. Other actions without a gain are never bought.
    """
    chosen = np.zeros(len(gain), dtype=bool)
    left = budget
    if first.any():
        chosen |= _knapsack(np.where(first, np.maximum(gain, 0.0), 0.0), cost, left)
        left -= float(cost[chosen].sum())
        # a duty is worth doing whatever its expected gain: the cheapest of what is left, while it lasts
        for j in np.flatnonzero(first & ~chosen)[np.argsort(cost[first & ~chosen], kind="stable")]:
            if cost[j] <= left + 1e-9 * max(budget, 1.0):
                chosen[j] = True
                left -= float(cost[j])
    if not (first & ~chosen).any():
        chosen |= _knapsack(np.where(chosen, 0.0, np.maximum(gain, 0.0)), cost, left)
    return chosen


def allocate_draws(gain: Array, cost: Array, budget: float, first: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Allocate the budget for many draws of the gains (draws, actions) at once.

    Costs are rounded up to a thousandth of the budget, so a set that fits is affordable.
    """
    steps = np.minimum(np.ceil(cost / budget * GRID - 1e-9), GRID + 1).astype(int) if budget > 0 else None
    chosen = np.zeros(gain.shape, dtype=bool)
    if steps is None:
        return chosen | (cost == 0)
    left = np.full(len(gain), GRID)
    if first.any():
        worth = np.maximum(gain, 0.0) + 1e-9 * (1 + np.abs(gain).max())
        chosen |= _knapsack_draws(np.where(first, worth, 0.0), steps, left)
        left = left - chosen @ steps
    done = ~np.asarray((first & ~chosen).any(axis=1))
    rest = np.where(chosen, 0.0, np.maximum(gain, 0.0)) * done[:, None]
    return chosen | _knapsack_draws(rest, steps, left)


def _knapsack(gain: Array, cost: Array, budget: float) -> NDArray[np.bool_]:
    useful = (gain > 0) & (cost <= budget + 1e-9 * max(budget, 1.0))
    if not useful.any():
        return useful
    if cost[useful].sum() <= budget:
        return useful
    from scipy.optimize import Bounds, LinearConstraint, milp

    places = np.flatnonzero(useful)
    solved = milp(
        -gain[places] / gain[places].max(),
        constraints=LinearConstraint(cost[places][None, :], ub=budget * (1 + 1e-12)),
        bounds=Bounds(0, 1),
        integrality=np.ones(len(places), dtype=np.int64),
        options={"mip_rel_gap": 0.0},
    )
    chosen = np.zeros(len(gain), dtype=bool)
    chosen[places] = np.asarray(solved.x) > 0.5
    return chosen


def _knapsack_draws(gain: Array, steps: NDArray[np.intp], left: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Fill a table of the best gain for every budget, one action after the other, for all draws."""
    draws, actions = gain.shape
    best = np.zeros((draws, GRID + 1))
    taken = np.zeros((actions, draws, GRID + 1), dtype=bool)
    for a in range(actions):
        step = int(steps[a])
        if step > GRID or not (gain[:, a] > 0).any():
            continue
        with_it = best[:, : GRID + 1 - step] + gain[:, a, None]
        better = with_it > best[:, step:] + 1e-15
        taken[a, :, step:] = better
        best = np.concatenate([best[:, :step], np.where(better, with_it, best[:, step:])], axis=1)
    chosen = np.zeros((draws, actions), dtype=bool)
    place = left.copy()
    rows = np.arange(draws)
    for a in range(actions - 1, -1, -1):
        chosen[:, a] = taken[a, rows, place] & (gain[:, a] > 0)
        place = place - np.where(chosen[:, a], int(steps[a]), 0)
    return chosen
