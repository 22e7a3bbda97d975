"""Construct scores of rows with ordered answers: the most likely constructs given the answers.

An ordered answer only says between which thresholds its latent response lies, so the expectation has no closed form. The
score is the mode of the posterior density (empirical Bayes modal, what lavaan's ``lavPredict`` gives):

    max over eta of  sum_j log P(y_j | eta) - (eta - m)' Phi^-1 (eta - m) / 2

m and Phi are the mean and covariances of the constructs given the numbers of the row: numeric items, and columns that
explain or are explained.

It is log-concave, so Newton's method finds the one maximum; all rows are done at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from satmodels.errors import EngineError, SchemaError
from satmodels.sem.covariance.answer_moments import AnswerMoments
from satmodels.sem.covariance.responses import Responses

Array = NDArray[np.floating[Any]]
STEPS = 60
ENOUGH = 1e-10  # change of a score, in standard deviations of its construct
HALVINGS = 12
LEAST = 1e-300


@dataclass(frozen=True, eq=False)
class OrderedScoring:
    """All that is needed to score new rows: of each column its categories and thresholds, or its mean.

    Attributes
    ----------
    columns : tuple of str
    categories : list of ndarray or None
        The answers seen in the fit, None for numbers.
    firsts : list of ndarray
        Thresholds, measured from the expected response, or the mean.
    loadings : ndarray, shape (columns, constructs)
        Of the items on all constructs, also through other constructs.
    errors : ndarray, shape (columns,)
        Residual standard deviations.
    latent : ndarray, shape (constructs, constructs)
        Covariances of the constructs.
    mean : ndarray, shape (constructs,)
        Their means.
    sigma : ndarray, shape (columns, columns)
        Covariances of the columns.
    cross : ndarray, shape (constructs, columns)
        Covariances of the constructs with the columns.
    """

    columns: tuple[str, ...]
    categories: list[Array | None]
    firsts: list[Array]
    loadings: Array
    errors: Array
    latent: Array
    mean: Array
    sigma: Array
    cross: Array

    def modal(self, rows: Array) -> Array:
        """Return the scores of rows; a missing answer is left out, a row without any has the mean.

        Raises
        ------
        SchemaError
            An answer is none of the categories that the model was fitted to.
        """
        low, high = self._limits(rows)
        numbers = [j for j, c in enumerate(self.categories) if c is None]
        centre = np.array([self.firsts[j][0] for j in numbers])
        seen, which = np.unique(~np.isnan(rows[:, numbers]), axis=0, return_inverse=True)
        result = np.empty((len(rows), len(self.latent)))
        for k, pattern in enumerate(seen):
            at = np.flatnonzero(which.ravel() == k)
            there = np.array(numbers, dtype=np.intp)[pattern]
            within = self.sigma[np.ix_(there, there)]
            regress = np.linalg.solve(within, self.cross[:, there].T)
            prior = (rows[np.ix_(at, there)] - centre[pattern]) @ regress
            latent = self.latent - self.cross[:, there] @ regress
            result[at] = self._mode(low[at], high[at], prior, latent)
        return result + self.mean

    def _mode(self, low: Array, high: Array, prior: Array, latent: Array) -> Array:
        """Return the most likely constructs, as deviations, given their mean and covariances from the numbers."""
        precision = np.linalg.inv(latent)
        spread = np.sqrt(np.diag(latent))
        eta = prior.copy()
        value, gradient, curvature = self._posterior(low, high, eta, prior, precision)
        for _ in range(STEPS):
            step = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
            length = np.ones(len(low))
            for _ in range(HALVINGS):  # a step that leads downhill is halved
                trial = self._posterior(low, high, eta + length[:, None] * step, prior, precision)[0]
                worse = ~(trial >= value - 1e-12 * (1 + np.abs(value)))
                if not worse.any():
                    break
                length[worse] /= 2
            eta = eta + length[:, None] * step
            value, gradient, curvature = self._posterior(low, high, eta, prior, precision)
            if (np.abs(step) / spread).max(initial=0.0) < ENOUGH:
                break
        return eta

    def _limits(self, rows: Array) -> tuple[Array, Array]:
        """Return the thresholds around every ordered answer; infinite where there is nothing to say."""
        low, high = np.full(rows.shape, -np.inf), np.full(rows.shape, np.inf)
        for j, categories in enumerate(self.categories):
            if categories is None:
                continue
            there = np.flatnonzero(~np.isnan(rows[:, j]))
            answers = rows[there, j]
            code = np.searchsorted(categories, answers).clip(max=len(categories) - 1)
            strange = np.flatnonzero(categories[code] != answers)
            if len(strange):
                known = f"one of {[float(c) for c in categories]}"
                raise SchemaError.answers(
                    self.columns[j],
                    known,
                    "The model was fitted to these answers.",
                    n_bad=len(strange),
                    offenders=[(int(there[i]), float(answers[i])) for i in strange[:5]],
                )
            edges = np.concatenate([[-np.inf], self.firsts[j], [np.inf]])
            low[there, j], high[there, j] = edges[code], edges[code + 1]
        return low, high

    def _posterior(
        self, low: Array, high: Array, eta: Array, prior: Array, precision: Array
    ) -> tuple[Array, Array, Array]:
        """Return log-density of each row, its gradient, and minus its second derivatives."""
        expected = eta @ self.loadings.T / self.errors
        gap = eta - prior
        value = -0.5 * np.einsum("na,ab,nb->n", gap, precision, gap)
        slope, bend = np.zeros(low.shape), np.zeros(low.shape)  # in the expected latent response
        for j, categories in enumerate(self.categories):
            if categories is None:
                continue
            a, b = low[:, j] / self.errors[j] - expected[:, j], high[:, j] / self.errors[j] - expected[:, j]
            # far out to the right the difference of upper tails keeps the digits
            chance = np.where(a > 0, special.ndtr(-a) - special.ndtr(-b), special.ndtr(b) - special.ndtr(a))
            chance = np.maximum(chance, LEAST)
            fa, fb = (np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi) for t in (a, b))
            with np.errstate(invalid="ignore"):
                afa, bfb = (np.where(np.isinf(t), 0.0, t * f) for t, f in ((a, fa), (b, fb)))
            value += np.log(chance)
            slope[:, j] = (fa - fb) / chance
            bend[:, j] = np.maximum(slope[:, j] ** 2 - (afa - bfb) / chance, 0.0)
        per_unit = self.loadings / self.errors[:, None]
        gradient = slope @ per_unit - gap @ precision
        curvature = np.einsum("nj,ja,jb->nab", bend, per_unit, per_unit) + precision
        return value, gradient, curvature


def ordered_scoring(implied: Responses, found: AnswerMoments) -> OrderedScoring | str:
    """Return the scoring of a model of ordered answers, or why it has none."""
    p = implied.arrows.n_observed
    latent = implied.cov_all[p:, p:]
    ordered = np.array(found.ordered)
    errors = np.diag(implied.s)[:p]
    if not latent.size:
        return "no construct"
    if implied.a[:p, :p][ordered].any():
        return "an ordered column that other columns explain directly"
    if (errors[ordered] <= 0).any() or np.linalg.eigvalsh(_given(implied, ~ordered))[0] <= 0:
        return "an item without error, or constructs that are linear functions of each other"
    column = implied.responses.first_column
    firsts: list[Array] = [
        implied.tau[column == j] - implied.mu[j] if o else implied.mu[[j]]
        for j, o in enumerate(found.ordered)
    ]
    return OrderedScoring(
        found.columns,
        found.categories,
        firsts,
        implied.a[:p, p:],
        np.sqrt(np.where(ordered, errors, 1.0)),
        latent,
        implied.mean_all[p:],
        implied.sigma,
        implied.cov_all[p:, :p],
    )


def _given(implied: Responses, numbers: NDArray[np.bool_]) -> Array:
    """Return the covariances of the constructs given the numbers."""
    p = implied.arrows.n_observed
    cross = implied.cov_all[p:, :p][:, numbers]
    return implied.cov_all[p:, p:] - cross @ np.linalg.pinv(implied.sigma[np.ix_(numbers, numbers)]) @ cross.T


def no_scoring(why: str) -> EngineError:
    """Say that this model of ordered answers gives no scores."""
    return EngineError(
        f"construct scores from ordered answers are not there for models with {why}; fit it without ordered= for them",
        engine="native",
        feature="construct scores",
        alternative="ordered=()",
    )
