"""Construct scores of rows with ordered answers: the most likely constructs given the answers.

An ordered answer only says between which thresholds its latent response lies, so the expectation has no closed form. The
score is the mode of the posterior density (empirical Bayes modal, what lavaan's ``lavPredict`` gives):

    max over eta of  sum_j log P(y_j | eta) - eta' Phi^-1 eta / 2

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
    """

    columns: tuple[str, ...]
    categories: list[Array | None]
    firsts: list[Array]
    loadings: Array
    errors: Array
    latent: Array
    mean: Array

    def modal(self, rows: Array) -> Array:
        """Return the scores of rows; a missing answer is left out, a row without any has the mean.

        Raises
        ------
        SchemaError
            An answer is none of the categories that the model was fitted to.
        """
        low, high = self._limits(rows)
        precision = np.linalg.inv(self.latent)
        spread = np.sqrt(np.diag(self.latent))
        eta = np.zeros((len(rows), len(self.latent)))
        value, gradient, curvature = self._posterior(rows, low, high, eta, precision)
        for _ in range(STEPS):
            step = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
            length = np.ones(len(rows))
            for _ in range(HALVINGS):  # a step that leads downhill is halved
                trial = self._posterior(rows, low, high, eta + length[:, None] * step, precision)[0]
                worse = ~(trial >= value - 1e-12 * (1 + np.abs(value)))
                if not worse.any():
                    break
                length[worse] /= 2
            eta = eta + length[:, None] * step
            value, gradient, curvature = self._posterior(rows, low, high, eta, precision)
            if (np.abs(step) / spread).max(initial=0.0) < ENOUGH:
                break
        return eta + self.mean

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
        self, rows: Array, low: Array, high: Array, eta: Array, precision: Array
    ) -> tuple[Array, Array, Array]:
        """Return log-density of each row, its gradient, and minus its second derivatives."""
        expected = eta @ self.loadings.T / self.errors
        value = -0.5 * np.einsum("na,ab,nb->n", eta, precision, eta)
        slope, bend = np.zeros(rows.shape), np.zeros(rows.shape)  # in the expected latent response
        for j, categories in enumerate(self.categories):
            if categories is None:
                there = ~np.isnan(rows[:, j])
                rest = (np.where(there, rows[:, j], 0.0) - self.firsts[j][0]) / self.errors[j]
                rest = np.where(there, rest - expected[:, j], 0.0)
                value -= rest**2 / 2
                slope[:, j], bend[:, j] = rest, there
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
        gradient = slope @ per_unit - eta @ precision
        curvature = np.einsum("nj,ja,jb->nab", bend, per_unit, per_unit) + precision
        return value, gradient, curvature


def ordered_scoring(implied: Responses, found: AnswerMoments, in_paths: bool) -> OrderedScoring | str:
    """Return the scoring of a group of a model of ordered answers, or why it has none.

    Parameters
    ----------
    implied : Responses
    found : AnswerMoments
    in_paths : bool
        Whether observed columns are part of paths.
    """
    p = implied.arrows.n_observed
    latent = implied.cov_all[p:, p:]
    errors = np.diag(implied.s)[:p]
    if in_paths or not latent.size:
        return "columns that explain or are explained without being items of a construct"
    if (errors <= 0).any() or np.linalg.eigvalsh(latent)[0] <= 0:
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
        np.sqrt(errors),
        latent,
        implied.mean_all[p:],
    )


def no_scoring(why: str) -> EngineError:
    """Say that this model of ordered answers gives no scores."""
    return EngineError(
        f"construct scores from ordered answers are not there for models with {why}; fit it without ordered= for them",
        engine="native",
        feature="construct scores",
        alternative="ordered=()",
    )
