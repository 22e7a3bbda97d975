"""Fisher scoring on the correlation scale, ended by Newton steps and judged by the Newton decrement.

The decrement g' I^-1 g (g: gradient of the log-likelihood, I: information) is the distance to the minimum in
units of the test statistic, whatever the scale of the items. An optimiser's own word is not trusted: a
solution counts as converged when its decrement is below 1e-6, and the iteration goes on far below that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.covariance.arrows import GroupArrows, Implied
from satmodels.sem.covariance.discrepancy import Discrepancy
from satmodels.sem.covariance.ties import Ties

Array = NDArray[np.floating[Any]]
CONVERGED = 1e-6  # a solution this near (in chi-square units) is a solution
ENOUGH = 1e-15  # the iteration stops here
NEAR = 0.1  # from here on Newton steps with the exact Hessian
MAX_ITERATIONS = 150
HALVINGS = (1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125)
STRUGGLE = 6  # after so many steps that had to be cut short, Newton steps take over
LEAST_DAMPING, MOST_DAMPING = 1e-4, 1e10  # of a step, relative to the curvature


@dataclass
class Problem:
    """Groups of arrows with their criteria, in scaled variables, and the ties between parameters."""

    arrows: Sequence[GroupArrows]
    criteria: Sequence[Discrepancy]
    ties: Ties

    def implied(self, x: Array) -> list[Implied]:
        """Return the implied moments of each group."""
        return [r.at(x) for r in self.arrows]

    def value(self, implied: Sequence[Implied]) -> float:
        """Return the sum of the groups' criteria."""
        return sum(c.value(i) for c, i in zip(self.criteria, implied, strict=True))

    def gradient(self, implied: Sequence[Implied]) -> Array:
        """Return the gradient in all free parameters."""
        total = np.zeros(len(self.ties.k))
        for criterion, i in zip(self.criteria, implied, strict=True):
            np.add.at(total, i.arrows.places, criterion.slope(i))
        return total

    def information(self, implied: Sequence[Implied]) -> Array:
        """Return the expected information in all free parameters."""
        total = np.zeros((len(self.ties.k),) * 2)
        for criterion, i in zip(self.criteria, implied, strict=True):
            total[np.ix_(i.arrows.places, i.arrows.places)] += criterion.information(i)
        return total

    def hessian(self, implied: Sequence[Implied]) -> Array:
        """Return the observed information (exact Hessian) in all free parameters."""
        total = np.zeros((len(self.ties.k),) * 2)
        for criterion, i in zip(self.criteria, implied, strict=True):
            total[np.ix_(i.arrows.places, i.arrows.places)] += criterion.curvature(i)
        return total


@dataclass(frozen=True)
class Solution:
    """Where the iteration ended."""

    x: Array
    implied: list[Implied]
    value: float
    decrement: float
    iterations: int

    @property
    def converged(self) -> bool:
        """Whether this is a minimum: a positive decrement below 1e-6."""
        return 0 <= self.decrement < CONVERGED


def minimise(problem: Problem, start: Array) -> Solution:
    """Minimise a problem from a starting vector of all free parameters (in scaled variables)."""
    k, x0 = problem.ties.k, problem.ties.x0
    y = np.linalg.lstsq(k, start - x0, rcond=None)[0] if len(k) else np.zeros(0)
    x = k @ y + x0
    implied = problem.implied(x)
    value = problem.value(implied)
    if not np.isfinite(value):
        y, x, implied, value = _retreat(problem, y)
    decrement, iterations, damping = np.inf, 0, 0.0
    gradient = information = curvature = np.zeros(0)
    moved, newton, struggles = True, False, 0
    while iterations < MAX_ITERATIONS and len(y):
        iterations += 1
        if moved:
            gradient = k.T @ problem.gradient(implied)
            information = k.T @ problem.information(implied) @ k
            decrement = newton_decrement(information, gradient)
            if decrement < ENOUGH:
                break
        if moved:
            # Newton steps near the minimum, and in bent valleys, where scoring steps go astray
            newton = decrement < NEAR or struggles >= STRUGGLE
            curvature = k.T @ problem.hessian(implied) @ k if newton else information
        step = _damped_step(curvature, information, gradient, damping)
        predicted = -float(gradient @ step) - float(step @ curvature @ step) / 2
        # near the minimum a true step lowers the value by less than its rounding
        slack = 1e-12 * (1 + abs(value))
        moved, ratio = False, 0.0
        for length in (1.0,) if newton else HALVINGS:
            trial = y + length * step
            there = problem.implied(k @ trial + x0)
            found = problem.value(there)
            if found <= value - 1e-4 * length * predicted + slack:
                moved = True
                ratio = length * (value - found) / predicted if predicted > slack else 1.0
                y, implied, value = trial, there, found
                break
        if newton and (not moved or ratio < 0.25):
            damping = max(4 * damping, LEAST_DAMPING)
        elif newton and ratio > 0.75:
            damping = damping / 8 if damping > LEAST_DAMPING else 0.0
        elif not newton and (not moved or ratio < 0.1):
            struggles += 1 if moved else STRUGGLE
            moved = True  # the curvature is to be chosen anew
        if damping > MOST_DAMPING:
            break
    x = k @ y + x0
    if not len(y):
        decrement = 0.0
    return Solution(x, implied, value, float(decrement), iterations)


def newton_decrement(information: Array, gradient: Array) -> float:
    """Return g' I^-1 g; infinite where the information is singular in the direction of the gradient."""
    scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
    g = gradient / scale
    try:
        half = np.linalg.solve(np.linalg.cholesky(information / np.outer(scale, scale)), g)
        return float(half @ half)
    except np.linalg.LinAlgError:
        step = np.linalg.lstsq(information / np.outer(scale, scale), g, rcond=1e-12)[0]
        left = g - information / np.outer(scale, scale) @ step
        return abs(float(g @ step)) + float(left @ left)


def _damped_step(curvature: Array, information: Array, gradient: Array, damping: float) -> Array:
    """Return the step of Levenberg and Marquardt, in parameters scaled to unit information.

    Where the curvature is not positive definite it is lifted until it is.
    """
    scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
    scaled = curvature / np.outer(scale, scale)
    g = gradient / scale
    try:
        lower = np.linalg.cholesky(scaled + damping * np.eye(len(g)))
        return -np.linalg.solve(lower.T, np.linalg.solve(lower, g)) / scale
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(scaled)
        lifted = values + damping + max(0.0, -1.5 * values[0]) + 1e-8
        return -(vectors @ ((vectors.T @ g) / lifted)) / scale


def _retreat(problem: Problem, y: Array) -> tuple[Array, Array, list[Implied], float]:
    """Move towards zero covariances until the implied matrices are positive definite."""
    for share in (0.7, 0.4, 0.2, 0.0):
        x = problem.ties.k @ y + problem.ties.x0
        for r in problem.arrows:
            off = r.s_row != r.s_col
            x[r.s[off]] *= share
            x[r.a] *= max(share, 0.5)
        trial = np.linalg.lstsq(problem.ties.k, x - problem.ties.x0, rcond=None)[0]
        x = problem.ties.k @ trial + problem.ties.x0
        implied = problem.implied(x)
        value = problem.value(implied)
        if np.isfinite(value):
            return trial, x, implied, value
    return (
        y,
        problem.ties.k @ y + problem.ties.x0,
        problem.implied(problem.ties.k @ y + problem.ties.x0),
        np.inf,
    )
