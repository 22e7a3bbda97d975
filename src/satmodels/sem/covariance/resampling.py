"""A covariance model on thousands of resamples: every draw is fitted from its moments, begun at the estimate."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.assessment.effects import total_effects
from satmodels.sem.count_table import CountTable
from satmodels.sem.covariance.arrows import GroupArrows, Implied, build_arrows, fill_exogenous
from satmodels.sem.covariance.fitting import Fit, make_criterion
from satmodels.sem.covariance.outcome import defined_parameters, group_summary
from satmodels.sem.covariance.patterns import Patterns
from satmodels.sem.covariance.samples import Sample
from satmodels.sem.covariance.scoring import Problem, Solution, minimise
from satmodels.sem.index import index_table
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.resample_table import ResampleTable, moments_of

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class CovarianceResampling:
    """A fitted covariance model and the rows that it is estimated on again and again.

    Attributes
    ----------
    names : list of (lhs, op, rhs)
        The parameters as :meth:`CovarianceResult.tidy` has them, then ``r2``, ``total`` and ``indirect``
        (standardised effects), and ``index`` where scales are known.
    n_parameters : int
        How many of the names are parameters of the model.
    """

    spec: ModelSpec
    fit: Fit
    estimator: str
    table: ResampleTable | CountTable
    limits: Mapping[str, tuple[float, float]] | None = field(default=None, kw_only=True)

    @functools.cached_property
    def _arrows(self) -> GroupArrows:
        return build_arrows(self.fit.table)[0]

    @property
    def n_parameters(self) -> int:
        """How many of the names are parameters of the model."""
        return len(self.fit.table.parameters) + len(self.spec.defined)

    @property
    def names(self) -> list[tuple[str, str, str]]:
        """The (lhs, op, rhs) of every quantity, the model's parameters first."""
        variables = (*self.fit.table.observed, *self.fit.table.constructs)
        one, more = self._chains
        targets = self._targets
        return [
            *((p.lhs, p.op, p.rhs) for p in self.fit.table.parameters),
            *((d.name, ":=", d.expression) for d in self.spec.defined),
            *((variables[t], "r2", variables[t]) for t in targets),
            *((variables[t], "total", variables[s]) for t, s in one),
            *((variables[t], "indirect", variables[s]) for t, s in more),
            *((c, "index", c) for c in (self._index(self.fit.samples[0], self.fit.implied[0]))),
        ]

    def compute(self, sums: Array) -> Array:
        """Return every quantity for a batch of sums; NaN columns where the estimation failed."""
        assert isinstance(self.table, ResampleTable)  # noqa: S101 - the other has its own class below
        moments = moments_of(np.asarray(sums, float), self.table.centre)
        found = np.full((len(self.names), sums.shape[1]), np.nan)
        for b in range(sums.shape[1]):
            cov = moments.corr[:, :, b] * np.outer(moments.std[:, b], moments.std[:, b])
            fitted = self.fit_moments(cov, moments.mean[:, b])
            if fitted is not None:
                old = self.fit.samples[0]
                sample = replace(
                    old, moments=replace(old.moments, mean=moments.mean[:, b], scatter=cov * old.n)
                )
                indices = list(self._index(sample, fitted[1]).values())
                found[:, b] = np.concatenate([self._quantities(*fitted), indices])
        return found

    def _index(self, sample: Sample, implied: Implied) -> dict[str, float]:
        """Return the index of each construct of items; nothing without scales."""
        if self.limits is None:
            return {}
        summary = group_summary(self.fit.table, implied, sample, self.spec)
        return {r["construct"]: r["estimate"] for r in index_table(summary, self.spec, self.limits).rows()}

    def fit_moments(self, cov: Array, mean: Array) -> tuple[Array, Implied, Solution] | None:
        """Fit the model to moments; None where they can't carry it or no minimum is found."""
        if not np.isfinite(cov).all() or np.linalg.eigvalsh(cov)[0] <= 0:
            return None
        old = self.fit.samples[0]
        return self._fit_sample(Sample(None, old.columns, old.n, mean, cov, old.moments))

    def _fit_sample(self, sample: Sample) -> tuple[Array, Implied, Solution] | None:
        fit = self.fit
        raw = fill_exogenous(self._arrows, fit.table, sample.cov, sample.mean)
        criterion = make_criterion(self.estimator, sample, fit.std, fit.table.means)
        problem = Problem([raw.scaled(fit.scales[0])], [criterion], fit.problem.ties)
        solution = minimise(problem, fit.solution.x)
        if not solution.converged:
            return None
        x = solution.x * fit.units
        return x, raw.at(x), solution

    def _quantities(self, x: Array, implied: Implied, solution: Solution) -> Array:
        fit = self.fit
        values: list[float] = []
        number = {id(p): i for i, p in enumerate(fit.table.free)}
        at = {v: i for i, v in enumerate((*fit.table.observed, *fit.table.constructs))}
        for p in fit.table.parameters:
            if p.free:
                values.append(float(x[number[id(p)]]))
            elif p.exogenous:
                i = at[p.lhs]
                values.append(float(implied.m[i] if p.op == "~1" else implied.s[i, at[p.rhs]]))
            else:
                values.append(float(p.value or 0.0))
        values += [v for _, v, _ in defined_parameters(fit, self.spec, x)]
        with np.errstate(invalid="ignore"):
            sd = np.sqrt(np.diag(implied.cov_all))
            paths = implied.a * sd / sd[:, None]
            rest = np.diag(implied.s) / np.diag(implied.cov_all)
        paths = np.where(self._path_cells, paths, 0.0)
        total = total_effects(np.asarray(paths, float))
        one, more = self._chains
        values += [float(1 - rest[t]) for t in self._targets]
        values += [float(total[t, s]) for t, s in one]
        values += [float(total[t, s] - paths[t, s]) for t, s in more]
        return np.array(values)

    @functools.cached_property
    def _path_cells(self) -> NDArray[np.bool_]:
        at = {v: i for i, v in enumerate((*self.fit.table.observed, *self.fit.table.constructs))}
        cells = np.zeros((len(at), len(at)), dtype=bool)
        for target, source in self.spec.paths:
            cells[at[target], at[source]] = True
        return cells

    @functools.cached_property
    def _targets(self) -> list[int]:
        return [int(t) for t in np.flatnonzero(self._path_cells.any(axis=1))]

    @functools.cached_property
    def _chains(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return (target, source) of all chains of arrows, and of those of two arrows or more."""
        cells = self._path_cells.astype(float)
        count = np.linalg.inv(np.eye(len(cells)) - cells) - np.eye(len(cells))
        longer = count - cells
        return (
            [(int(t), int(s)) for t, s in np.argwhere(count > 0.5)],
            [(int(t), int(s)) for t, s in np.argwhere(longer > 0.5)],
        )


@dataclass(frozen=True, eq=False)
class IncompleteResampling(CovarianceResampling):
    """The same for rows with gaps (full information): a draw gives each row the weight of its count.

    Attributes
    ----------
    rows : ndarray, shape (rows, columns)
        Answers, NaN where missing; no row is empty.
    unit : ndarray of int, shape (rows,)
        What is drawn with each row: its own number, or its cluster's.
    """

    rows: Array
    unit: NDArray[np.intp]

    def compute(self, sums: Array) -> Array:
        """Return every quantity for a batch of counts, (units, draws); NaN columns where the estimation failed."""
        found = np.full((len(self.names), sums.shape[1]), np.nan)
        old = self.fit.samples[0]
        for b in range(sums.shape[1]):
            weights = np.asarray(sums[self.unit, b], float)
            drawn = weights > 0
            x, w = self.rows[drawn], weights[drawn]
            n = float(w.sum())
            if np.isnan(x).all(axis=0).any():
                continue  # a column without an answer
            # read for columns that are taken as they are, which have no gaps
            mean = w @ np.nan_to_num(x) / n
            gap = np.nan_to_num(x) - mean
            cov = (gap * w[:, None]).T @ gap / n
            sample = Sample(None, old.columns, round(n), mean, cov, old.moments, patterns=Patterns.of(x, w))
            fitted = self._fit_sample(sample)
            if fitted is not None:
                found[:, b] = self._quantities(*fitted)
        return found


def bollen_stine(plan: CovarianceResampling, n: int, seed: int | None) -> dict[str, float | int]:
    """Return the bootstrap p-value of the test of fit (Bollen and Stine 1992).

    The rows are turned so that the model holds exactly in them; the share of resamples with a larger test
    statistic than the one found is its p-value. Turning is linear, so it is done to the moments of each draw.
    """
    assert isinstance(plan.table, ResampleTable)  # noqa: S101 - rows with gaps are refused before
    fit = plan.fit
    s, sigma = fit.samples[0].cov, fit.implied[0].sigma
    turn = np.linalg.cholesky(sigma) @ np.linalg.inv(np.linalg.cholesky(s))
    centre = fit.implied[0].mu if fit.table.means else fit.samples[0].mean
    sums = plan.table.bootstrap(n, np.random.default_rng(seed))
    moments = moments_of(sums, plan.table.centre)
    larger = failed = 0
    for b in range(n):
        cov = moments.corr[:, :, b] * np.outer(moments.std[:, b], moments.std[:, b])
        mean = centre + turn @ (moments.mean[:, b] - fit.samples[0].mean)
        fitted = plan.fit_moments(turn @ cov @ turn.T, mean)
        if fitted is None:
            failed += 1
        elif fitted[2].value > fit.solution.value:
            larger += 1
    done = n - failed
    return {
        "chisq": 2 * fit.solution.value,
        "df": fit.df,
        "p_value": (larger + 1) / (done + 1) if done else float("nan"),
        "draws": n,
        "n_failed": failed,
    }
