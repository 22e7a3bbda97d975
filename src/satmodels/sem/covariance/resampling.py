"""A covariance model on thousands of resamples: every draw is fitted from its moments, begun at the estimate."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError
from satmodels.sem.assessment.effects import total_effects
from satmodels.sem.count_table import CountTable
from satmodels.sem.covariance.arrows import GroupArrows, Implied, build_arrows, fill_exogenous
from satmodels.sem.covariance.fitting import Fit, make_criterion
from satmodels.sem.covariance.outcome import defined_parameters, group_summary, parameter_values
from satmodels.sem.covariance.samples import Sample
from satmodels.sem.covariance.scoring import Problem, minimise
from satmodels.sem.covariance.standardized import standardized_group
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
        The parameters as :meth:`CovarianceResult.tidy` has them, then, group by group, ``r2``, ``total`` and
        ``indirect`` (standardised effects), the standardised solution (``std =~`` and so on), and ``index`` where
        scales are known.
    n_parameters : int
        How many of the names are parameters of the model.
    groups : list
        The group of each name; empty where the model has no groups.
    """

    spec: ModelSpec
    fit: Fit
    estimator: str
    table: ResampleTable | CountTable
    limits: Mapping[str, tuple[float, float]] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.fit.curved:  # its ties are tangents at the estimates of all rows
            raise ArgumentError("the bootstrap of a CBSEM does not go with constraints that are not linear")

    @functools.cached_property
    def _arrows(self) -> list[GroupArrows]:
        return build_arrows(self.fit.table)

    @property
    def n_parameters(self) -> int:
        """How many of the names are parameters of the model."""
        return len(self.fit.table.parameters) + len(self.spec.defined)

    @functools.cached_property
    def names(self) -> list[tuple[str, str, str]]:
        """The (lhs, op, rhs) of every quantity, the model's parameters first."""
        return [name for _, name in self._named]

    @functools.cached_property
    def groups(self) -> list[Any]:
        """The group of every quantity; None for what belongs to all of them."""
        return [group for group, _ in self._named] if len(self.fit.samples) > 1 else []

    @functools.cached_property
    def _named(self) -> list[tuple[Any, tuple[str, str, str]]]:
        table = self.fit.table
        variables = (*table.observed, *table.constructs)
        one, more = self._chains
        value = [s.group for s in self.fit.samples]
        found: list[tuple[Any, tuple[str, str, str]]] = [
            (value[p.group], (p.lhs, p.op, p.rhs)) for p in table.parameters
        ]
        found += [(None, (d.name, ":=", d.expression)) for d in self.spec.defined]
        for g, (sample, implied) in enumerate(zip(self.fit.samples, self.fit.implied, strict=True)):
            own = [(variables[t], "r2", variables[t]) for t in self._targets]
            own += [(variables[t], "total", variables[s]) for t, s in one]
            own += [(variables[t], "indirect", variables[s]) for t, s in more]
            own += [(p.lhs, f"std {p.op}", p.rhs) for p in table.parameters if p.group == g]
            own += [(c, "index", c) for c in self._index(sample, implied)]
            found += [(sample.group, name) for name in own]
        return found

    def compute(self, sums: Array) -> Array:
        """Return every quantity for a batch of sums; NaN columns where the estimation failed."""
        assert isinstance(self.table, ResampleTable)  # noqa: S101 - the other has its own class
        moments = moments_of(np.asarray(sums, float), self.table.centre)
        found = np.full((len(self.names), sums.shape[1]), np.nan)
        old = self.fit.samples[0]
        for b in range(sums.shape[1]):
            cov = moments.corr[:, :, b] * np.outer(moments.std[:, b], moments.std[:, b])
            drawn = replace(old.moments, mean=moments.mean[:, b], scatter=cov * old.n)
            sample = Sample(None, old.columns, old.n, moments.mean[:, b], cov, drawn)
            fitted = self.fit_samples([sample]) if _possible(cov) else None
            if fitted is not None:
                found[:, b] = self.quantities(fitted)
        return found

    def _index(self, sample: Sample, implied: Implied) -> dict[str, float]:
        """Return the index of each construct of items; nothing without scales."""
        if self.limits is None:
            return {}
        summary = group_summary(self.fit.table, implied, sample, self.spec)
        return {r["construct"]: r["estimate"] for r in index_table(summary, self.spec, self.limits).rows()}

    def fit_moments(self, cov: Array, mean: Array) -> Fit | None:
        """Fit the model to moments; None where they can't carry it or no minimum is found."""
        if not _possible(cov):
            return None
        old = self.fit.samples[0]
        return self.fit_samples([Sample(None, old.columns, old.n, mean, cov, old.moments)])

    def fit_samples(self, samples: Sequence[Sample]) -> Fit | None:
        """Fit the model to a sample of each group; None where no minimum is found."""
        fit = self.fit
        raw = [
            fill_exogenous(r, fit.table, s.cov, s.mean) for r, s in zip(self._arrows, samples, strict=True)
        ]
        criteria = [make_criterion(self.estimator, s, fit.std, fit.table.means) for s in samples]
        scaled = [r.scaled(scale) for r, scale in zip(raw, fit.scales, strict=True)]
        solution = minimise(Problem(scaled, criteria, fit.problem.ties), fit.solution.x)
        if not solution.converged:
            return None
        x = solution.x * fit.units
        return replace(fit, samples=list(samples), solution=solution, x=x, implied=[r.at(x) for r in raw])

    def quantities(self, fit: Fit) -> Array:
        """Return every quantity of a fit, in the order of ``names``."""
        values = parameter_values(fit)
        values += [v for _, v, _ in defined_parameters(fit, self.spec)]
        one, more = self._chains
        for g, (sample, implied) in enumerate(zip(fit.samples, fit.implied, strict=True)):
            with np.errstate(invalid="ignore"):
                sd = np.sqrt(np.diag(implied.cov_all))
                paths = implied.a * sd / sd[:, None]
                rest = np.diag(implied.s) / np.diag(implied.cov_all)
            paths = np.where(self._path_cells, paths, 0.0)
            total = total_effects(np.asarray(paths, float))
            values += [float(1 - rest[t]) for t in self._targets]
            values += [float(total[t, s]) for t, s in one]
            values += [float(total[t, s] - paths[t, s]) for t, s in more]
            with np.errstate(all="ignore"):
                values += standardized_group(fit.table, implied, g, len(fit.x))[0].tolist()
            values += self._index(sample, implied).values()
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


def _possible(cov: Array) -> bool:
    return bool(np.isfinite(cov).all() and np.linalg.eigvalsh(cov)[0] > 0)


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
        elif fitted.solution.value > fit.solution.value:
            larger += 1
    done = n - failed
    return {
        "chisq": 2 * fit.solution.value,
        "df": fit.df,
        "p_value": (larger + 1) / (done + 1) if done else float("nan"),
        "draws": n,
        "n_failed": failed,
    }
