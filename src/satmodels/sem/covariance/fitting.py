"""Fit a parameter table to samples: scale, start, iterate, and keep what inference needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import DataError
from satmodels.sem.covariance.arrows import GroupArrows, Implied, fill_exogenous
from satmodels.sem.covariance.discrepancy import Discrepancy, NormalLikelihood, QuadraticForm
from satmodels.sem.covariance.identification import check_identified
from satmodels.sem.covariance.moment_distance import MomentDistance
from satmodels.sem.covariance.patterns import PatternLikelihood
from satmodels.sem.covariance.responses import arrows_of
from satmodels.sem.covariance.samples import Sample
from satmodels.sem.covariance.scoring import Problem, Solution, minimise, newton_decrement
from satmodels.sem.covariance.starts import plain_values, starting_values
from satmodels.sem.covariance.table import Parameter, ParameterTable
from satmodels.sem.covariance.ties import Constraints, Inequality, Ties, label_ties, read_constraints, tie
from satmodels.sem.model.spec import ModelSpec

Array = NDArray[np.floating[Any]]
# estimators whose estimates are those of maximum likelihood
LIKELIHOOD = ("ML", "MLR", "MLM", "MLMV", "MLMVS")
SINGULAR = 1e-7  # smallest pivot of a scaled information matrix that is not rounding
OTHER_STARTS = (0.3, 0.05)  # shares of variance, see starts.plain_values
TANGENTS = 100  # how often curved constraints are replaced by their tangents
STILL = 1e-10  # a solution (scaled parameters) that moves less lies on its constraints
ACTIVE = 1e-9  # an inequality violated by more than this (in own units) is made an equality


@dataclass(frozen=True)
class Fit:
    """A fitted parameter table.

    Attributes
    ----------
    table : ParameterTable
    samples : list of Sample
    problem : Problem
        In scaled variables.
    solution : Solution
        In scaled variables.
    units : ndarray, shape (free parameters,)
        Own unit of each free parameter.
    scales : list of ndarray
        By what each group's variables were divided.
    ties : Ties
        In own units.
    x : ndarray
        Estimates of the free parameters, in own units.
    implied : list of Implied
        Implied moments of each group, in own units.
    std : ndarray
        By what the columns were divided.
    active : tuple of str
        Inequalities that hold with equality.
    curved : bool
        Whether there are constraints that are not linear: the ties are then tangents at the estimates.
    """

    table: ParameterTable
    samples: list[Sample]
    problem: Problem
    solution: Solution
    units: Array
    scales: list[Array]
    ties: Ties
    x: Array
    implied: list[Implied]
    std: Array
    active: tuple[str, ...] = ()
    curved: bool = False

    @property
    def df(self) -> int:
        """Degrees of freedom; an active inequality takes none."""
        return self.table.n_moments - self.ties.n_free - len(self.active)

    @property
    def npar(self) -> int:
        """Number of parameters that vary."""
        return self.ties.n_free + len(self.active)

    @property
    def n(self) -> int:
        """Number of rows."""
        return round(sum(s.n for s in self.samples))

    def at(self, x: Array) -> Fit:
        """Return the fit with other estimates (own units), judged by the same decrement."""
        scaled = x / self.units
        implied = self.problem.implied(scaled)
        k = self.problem.ties.k
        value = self.problem.value(implied)
        decrement = np.inf
        if np.isfinite(value):
            gradient = k.T @ self.problem.gradient(implied)
            decrement = newton_decrement(k.T @ self.problem.information(implied) @ k, gradient)
        solution = Solution(scaled, implied, value, float(decrement), 0)
        raw = [r.scaled(1 / s) for r, s in zip(self.problem.arrows, self.scales, strict=True)]
        return replace(self, solution=solution, x=x, implied=[r.at(x) for r in raw])

    def shifted(self, sample: Sample) -> float:
        """Return a saturated minus log-likelihood for the divided columns."""
        return shifted_logl(sample, self.std)

    def to_units(self, matrix: Array) -> Array:
        """Return a covariance matrix of scaled parameters in own units."""
        return matrix * np.outer(self.units, self.units)


def scale_variables(table: ParameterTable, arrows: GroupArrows, std: Array) -> Array:
    """Return by what to divide each variable: items by their standard deviation, constructs to fit.

    A construct takes the scale at which its fixed loading becomes 1 (or its fixed variance does).
    """
    p = arrows.n_observed
    scale = np.ones(len(arrows.fixed_a))
    scale[:p] = std
    waiting = list(range(p, len(scale)))
    for _ in waiting:  # constructs of constructs wait for theirs
        for j in waiting:
            held = np.flatnonzero(arrows.fixed_a[:, j])
            if len(held) and (held[0] < p or scale[held[0]] != 1.0):
                scale[j] = scale[held[0]] / abs(arrows.fixed_a[held[0], j])
            elif not len(held) and arrows.fixed_s[j, j] > 0:
                scale[j] = np.sqrt(arrows.fixed_s[j, j])
    return scale


def pooled_std(samples: Sequence[Sample]) -> Array:
    """Return one standard deviation per column for all groups, so that equal parameters stay equal."""
    n = sum(s.n for s in samples)
    return np.sqrt(np.asarray(sum(s.n * np.diag(s.cov) for s in samples)) / n)


def make_criterion(estimator: str, sample: Sample, scale: Array, means: bool) -> Discrepancy:
    """Return the criterion of one group in scaled variables."""
    cov, mean = sample.cov / np.outer(scale, scale), sample.mean / scale if means else None
    if sample.patterns is not None:
        return PatternLikelihood(sample.patterns.scaled(scale), shifted_logl(sample, scale))
    n = sample.n
    if estimator == "wishart":
        return NormalLikelihood(n - 1, cov * n / (n - 1), mean)
    if estimator in LIKELIHOOD:
        return NormalLikelihood(n, cov, mean)
    unbiased = cov * n / (n - 1)
    if estimator == "GLS":
        x = np.linalg.inv(unbiased)
        return QuadraticForm(n - 1, unbiased, mean, x, x)
    rows, columns = np.tril_indices(len(cov))
    own = scale[rows] * scale[columns]
    if estimator == "ULS":  # unweighted in the items' own units
        weight = own**2
    else:
        assert sample.gamma is not None  # noqa: S101 - the reader kept the rows
        gamma = sample.gamma / np.outer(own, own)
        weight = 1 / np.diag(gamma) if estimator == "DWLS" else np.linalg.inv(gamma)
    return MomentDistance(n - 1, unbiased[rows, columns], rows, columns, weight)


def fit_table(
    table: ParameterTable,
    samples: list[Sample],
    *,
    estimator: str = "ML",
    spec: ModelSpec | None = None,
    criteria: Sequence[Discrepancy] | None = None,
    check: bool = True,
    start: Array | None = None,
) -> Fit:
    """Fit a parameter table to samples.

    Parameters
    ----------
    table : ParameterTable
    samples : list of Sample
        One per group, columns in the order of ``table.observed``.
    estimator : {"ML", "GLS", "ULS"}
        The criterion; ignored where ``criteria`` are given.
    spec : ModelSpec, optional
        For its constraints.
    criteria : sequence of Discrepancy, optional
        Criteria of the groups in scaled variables (columns divided by :func:`pooled_std`).
    check : bool, default True
        Check identification first.
    start : ndarray, optional
        Starting values of the free parameters in own units.

    Raises
    ------
    IdentificationError
        The parameters can't be told apart.
    """
    std = pooled_std(samples)
    raw = [
        fill_exogenous(r, table, _divisor(s, estimator), s.mean)
        for r, s in zip(arrows_of(table), samples, strict=True)
    ]
    scales = [scale_variables(table, r, std) for r in raw]
    units = np.ones(len(table.free))
    for r, scale in zip(raw, scales, strict=True):
        own = r.units(scale, len(units))
        units[r.places] = own[r.places]
    arrows = [r.scaled(scale) for r, scale in zip(raw, scales, strict=True)]
    if criteria is None:
        criteria = [make_criterion(estimator, s, std, table.means) for s in samples]
    labels = label_ties(table)
    constraints = read_constraints(
        table, spec.constraints if spec is not None else (), spec.defined if spec is not None else ()
    )
    if start is None:
        x = starting_values(
            table,
            arrows,
            [s.cov / np.outer(std, std) for s in samples],
            [s.mean / std for s in samples],
            units,
        )
    else:
        x = start / units
    ties = tie(labels, constraints.held(table, _off_zero(table, x * units) if constraints.curved else x))
    if check:
        check_identified(table, arrows, ties.scaled(units))
    tied = _Tied(table, arrows, criteria, units, labels, constraints)
    problem, ties, solution = tied.minimise(x)
    # parameters may run off to where the criterion is flat, for example loadings beside a fixed residual variance
    settled = _settled(problem, solution)
    for share in OTHER_STARTS if start is None else ():
        if settled:
            break
        pooled = np.average([s.mean / std for s in samples], axis=0, weights=[s.n for s in samples])
        again = tied.minimise(plain_values(table, pooled, share, units))
        settled = _settled(again[0], again[2])
        if again[2].value < solution.value or (settled and not solution.converged):
            problem, ties, solution = again
    active: list[Inequality] = []
    for _ in range(2 * len(constraints.inequalities)):
        worst = _most_violated(constraints.inequalities, active, solution.x * units)
        if worst is None:
            break
        active.append(worst)
        problem, ties, solution = tied.minimise(solution.x, [(i.coefficients, i.bound) for i in active])
    x = solution.x * units
    implied = [r.at(x) for r in raw]
    return Fit(
        table,
        samples,
        problem,
        solution,
        units,
        scales,
        ties,
        x,
        implied,
        std,
        tuple(i.text for i in active),
        bool(constraints.curved),
    )


@dataclass(frozen=True)
class _Tied:
    """What is minimised, with its constraints."""

    table: ParameterTable
    arrows: list[GroupArrows]
    criteria: Sequence[Discrepancy]
    units: Array
    labels: Ties
    constraints: Constraints

    def minimise(self, x: Array, more: Sequence[tuple[Array, float]] = ()) -> tuple[Problem, Ties, Solution]:
        """Minimise from scaled parameters x, with further linear equalities if given.

        Curved constraints are replaced by their tangents until the solution no longer moves: then it lies on them, and
        the gradient is orthogonal to them.
        """
        if not self.constraints.curved:
            return self._once(x, more)
        x = _off_zero(self.table, x * self.units) / self.units
        problem, ties, solution = self._once(x, more)
        iterations = solution.iterations
        for _ in range(TANGENTS):
            x = solution.x
            problem, ties, solution = self._once(x, more)
            iterations += solution.iterations
            if float(np.abs(solution.x - x).max(initial=0.0)) < STILL:
                return problem, ties, replace(solution, iterations=iterations)
        return problem, ties, replace(solution, decrement=np.inf)

    def _once(self, x: Array, more: Sequence[tuple[Array, float]]) -> tuple[Problem, Ties, Solution]:
        ties = tie(self.labels, [*self.constraints.held(self.table, x * self.units), *more])
        problem = Problem(self.arrows, self.criteria, ties.scaled(self.units))
        return problem, ties, minimise(problem, x)


def _settled(problem: Problem, solution: Solution) -> bool:
    """Return whether a solution is a minimum at which the parameters can be told apart."""
    k = problem.ties.k
    return solution.converged and inverse_or_none(k.T @ problem.information(solution.implied) @ k) is not None


def _off_zero(table: ParameterTable, x: Array) -> Array:
    """Return starting values at which products and powers of labelled parameters have a slope."""
    at_zero = [bool(p.label) and p.start is None and abs(v) < 0.1 for p, v in zip(table.free, x, strict=True)]
    return np.where(at_zero, 0.3, x)


def shifted_logl(sample: Sample, std: Array) -> float:
    """Return the saturated minus log-likelihood of incomplete rows after dividing the columns."""
    assert sample.patterns is not None  # noqa: S101 - only asked for incomplete rows
    cells = sample.patterns.n @ sample.patterns.seen
    return sample.saturated - float(cells @ np.log(std))


def _divisor(sample: Sample, estimator: str) -> Array:
    return sample.cov if estimator in LIKELIHOOD else sample.cov * sample.n / (sample.n - 1)


def _most_violated(inequalities: list[Inequality], active: list[Inequality], x: Array) -> Inequality | None:
    gaps = [(i.bound - float(i.coefficients @ x), i) for i in inequalities if i not in active]
    worst = max(gaps, key=lambda gap: gap[0], default=None)
    return worst[1] if worst is not None and worst[0] > ACTIVE else None


def covariance_of_estimates(fit: Fit, information: Array) -> Array | None:
    """Return the covariance matrix of the estimates (own units) from an information matrix.

    The information is that of all free parameters in scaled variables. None where it is singular.
    """
    k = fit.problem.ties.k
    inner = inverse_or_none(k.T @ information @ k)
    return None if inner is None else fit.to_units(k @ inner @ k.T)


def inverse_or_none(matrix: Array) -> Array | None:
    """Invert a symmetric positive definite matrix; None where it is not one."""
    if not matrix.size:
        return matrix
    diagonal = np.diag(matrix)
    if not np.isfinite(matrix).all() or (diagonal <= 0).any():
        return None
    scale = np.sqrt(diagonal)
    try:
        lower = np.linalg.cholesky(matrix / np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return None
    if np.diag(lower).min() < SINGULAR:
        return None
    root = np.linalg.inv(lower) / scale
    return root.T @ root


def baseline_table(table: ParameterTable) -> ParameterTable:
    """Return the baseline model: free variances and means, no covariance but among exogenous variables."""
    rows: list[Parameter] = []
    for group in range(table.n_groups):
        for v in table.observed:
            if v not in table.exogenous:
                rows.append(Parameter(v, "~~", v, group))
                if table.means:
                    rows.append(Parameter(v, "~1", "", group))
        rows += [p for p in table.parameters if p.exogenous and p.group == group]
    return replace(table, parameters=tuple(rows), constructs=())


def closed_form_baseline(fit: Fit) -> float:
    """Return the test statistic of the baseline model under maximum likelihood from complete data."""
    total = 0.0
    at = [fit.table.observed.index(v) for v in fit.table.exogenous]
    for s in fit.samples:
        rest = [i for i in range(len(s.cov)) if i not in at]
        sign, log_det = np.linalg.slogdet(s.cov)
        if sign <= 0:
            raise DataError("the covariance matrix is not positive definite", columns=s.columns)
        independent = float(np.log(np.diag(s.cov)[rest]).sum())
        if at:
            independent += float(np.linalg.slogdet(s.cov[np.ix_(at, at)])[1])
        total += s.n * (independent - float(log_det))
    return total
