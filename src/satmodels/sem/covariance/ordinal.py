"""Models of ordered answers, alone or beside numbers: weighted least squares on thresholds and correlations.

Ordered answers are normal variables seen through thresholds (see ``responses``). The criterion is, over all groups,
sum of (n_g - 1) sum of (s - sigma)^2 / gamma (DWLS, WLSMV) or without gamma (ULS, ULSMV), over thresholds, means of
numbers, correlations and covariances, and variances of numbers. Standard errors are sandwiches; the test statistic of
WLSMV and ULSMV is scaled and shifted to the mean and variance of its reference distribution.

References
----------
.. [1] Muthen, B., du Toit, S. H. C. and Spisic, D. (1997). Robust inference using weighted least squares and
   quadratic estimating equations in latent variable modeling with categorical and continuous outcomes.
.. [2] Asparouhov, T. and Muthen, B. (2010). Simple second order chi-square correction. Mplus technical appendix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import MAX_NAMES_SHOWN, ArgumentError, DataError
from satmodels.sem.covariance.answer_moments import AnswerMoments, answer_moments
from satmodels.sem.covariance.fitting import Fit, fit_table
from satmodels.sem.covariance.group_moments import GroupMoments
from satmodels.sem.covariance.inference import Inference
from satmodels.sem.covariance.ordinal_inference import infer_ordinal, satorra_difference
from satmodels.sem.covariance.ordinal_table import ordinal_table
from satmodels.sem.covariance.polychoric import categories_of
from satmodels.sem.covariance.reading import AnswerRows
from satmodels.sem.covariance.responses import ResponseDistance, as_responses
from satmodels.sem.covariance.samples import Sample, check_collinear
from satmodels.sem.covariance.table import Parameter, ParameterTable, check_partial
from satmodels.sem.model.rules import RESPONSE_OPERATORS
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.model.terms import Term
from satmodels.statistics.moments import Moments

Array = NDArray[np.floating[Any]]
ORDINAL = ("WLSMV", "ULSMV", "DWLS", "ULS")


@dataclass(frozen=True, eq=False)
class OrdinalFit:
    """A fitted model of ordered answers.

    Attributes
    ----------
    estimator : str
    fit : Fit
    inference : Inference
    found : list of AnswerMoments
        Of each group.
    moments : list of GroupMoments
        The same in the units of the fit, with their weights: what a difference test needs.
    """

    estimator: str
    fit: Fit
    inference: Inference
    found: list[AnswerMoments]
    moments: list[GroupMoments]


def fit_ordinal(
    spec: ModelSpec,
    groups: Sequence[AnswerRows],
    ordered: Sequence[str],
    estimator: str,
    *,
    unit_variance: bool = False,
    errors: str = "auto",
    equal: Sequence[str] = (),
    partial: Sequence[Term] = (),
    theta: bool = False,
) -> OrdinalFit:
    """Fit a model to rows of answers, some or all of them ordered, in one group or several.

    Raises
    ------
    DataError
        Nobody in a group chose a category that others chose, a column is constant, or columns are collinear.
    SchemaError
        An ordered column has more than 15 different answers.
    """
    columns = spec.observed
    categories = _categories(groups, columns, ordered)
    found: list[AnswerMoments] = []
    for g in groups:
        moments = answer_moments(
            g.rows, columns, [v in ordered for v in columns], categories=categories, weights=g.weights
        )
        _check_numbers(moments, _where(g))
        _refuse_copies(g, moments)
        found.append(moments)
    sizes = {v: len(c) - 1 for v, c in zip(columns, categories, strict=True) if c is not None}
    table = ordinal_table(
        spec,
        sizes,
        n_groups=len(groups),
        unit_variance=unit_variance,
        equal=equal,
        partial=partial,
        theta=theta,
    )
    check_partial(table, partial)
    samples = [_sample(g, f) for g, f in zip(groups, found, strict=True)]
    n = sum(f.n for f in found)
    scale = np.sqrt(np.asarray(sum(f.n * f.std**2 for f in found)) / n)
    total = sum(f.sum_w for f in found)
    in_units = [GroupMoments.of(f, scale, f.sum_w / total, estimator) for f in found]
    fit = fit_table(
        _started(table, found),
        samples,
        spec=spec,
        criteria=[ResponseDistance(m.n - 1, m.found, m.weight) for m in in_units],
    )
    fit = _with_followers(fit)
    inference = infer_ordinal(fit, in_units, _held_by_baseline(spec, found[0]), estimator, errors)
    for g, f in zip(groups, found, strict=True):
        if f.at_bound:
            pairs = ", ".join(f"{a} with {b}" for a, b in f.at_bound)
            inference.problems.append(f"correlations at their bound (empty cells){_where(g)}: {pairs}")
        if np.linalg.eigvalsh(f.corr)[0] <= 0:
            inference.problems.append(
                f"the correlations of the ordered columns{_where(g)} are not positive definite together: there are few "
                "rows, or rare answers"
            )
    return OrdinalFit(estimator, fit, inference, found, in_units)


def _where(g: AnswerRows) -> str:
    return "" if g.group is None else f" in group {g.group!r}"


def _check_numbers(moments: AnswerMoments, where: str) -> None:
    """Raise DataError where a number follows from others.

    Correlations of ordered columns are found pair by pair: that all of them together are not positive definite happens
    with few rows, and is a problem to tell, not a reason to refuse.
    """
    numbers = [i for i, o in enumerate(moments.ordered) if not o]
    if numbers:
        check_collinear(moments.corr[np.ix_(numbers, numbers)], [moments.columns[i] for i in numbers], where)


def _refuse_copies(g: AnswerRows, moments: AnswerMoments) -> None:
    """Raise DataError where two columns hold the same answers: a bound alone stops their correlation from being 1."""
    for a, b in moments.at_bound:
        pair = g.rows[:, [moments.columns.index(a), moments.columns.index(b)]]
        pair = pair[~np.isnan(pair).any(axis=1)]
        if len({len(np.unique(x, axis=0)) for x in (pair, pair[:, 0], pair[:, 1])}) == 1:
            raise DataError(
                f"the columns {a!r} and {b!r}{_where(g)} are collinear (each answer to one goes with one answer to the "
                "other): leave one of them out",
                columns=[a, b],
            )


def ordered_difference(a: OrdinalFit, b: OrdinalFit) -> dict[str, float | None]:
    """Return the test of the more restricted of two nested models against the other.

    Raises
    ------
    ArgumentError
        The models were not fitted to the same rows by the same estimator, or have equal degrees of freedom.
    """
    same = len(a.moments) == len(b.moments) and all(
        x.n == y.n and np.array_equal(x.found, y.found) for x, y in zip(a.moments, b.moments, strict=True)
    )
    if a.estimator != b.estimator or not same:
        raise ArgumentError(
            "models to be compared are fitted by one estimator to the same columns of the same rows, "
            f"not by {a.estimator} on {a.fit.n} rows and by {b.estimator} on {b.fit.n} rows"
        )
    if a.fit.df == b.fit.df:
        raise ArgumentError(f"both models have {a.fit.df} degrees of freedom: neither restricts the other")
    restricted, free = (a, b) if a.fit.df > b.fit.df else (b, a)
    return satorra_difference(restricted.fit, free.fit, free.moments)


def _categories(
    groups: Sequence[AnswerRows], columns: Sequence[str], ordered: Sequence[str]
) -> list[Array | None]:
    """Return the answers of each ordered column; every group must have all of them."""
    result: list[Array | None] = []
    absent: list[tuple[str, float, Any]] = []
    for j, name in enumerate(columns):
        if name not in ordered:
            result.append(None)
            continue
        values = categories_of(np.concatenate([g.rows[:, j] for g in groups]), name)
        absent += [(name, float(v), g.group) for g in groups for v in values if not (g.rows[:, j] == v).any()]
        result.append(values)
    if absent:
        name, v, _ = absent[0]
        values = np.sort(np.asarray(result[list(columns).index(name)], float))
        at = int(np.searchsorted(values, v))
        neighbour = float(values[at + 1] if at + 1 < len(values) else values[at - 1])
        where = "; ".join(
            f"{v:g} in {name!r} in group {group!r}" for name, v, group in absent[:MAX_NAMES_SHOWN]
        )
        more = f" and {len(absent) - MAX_NAMES_SHOWN} more" if len(absent) > MAX_NAMES_SHOWN else ""
        raise DataError(
            f"nobody answered {where}{more}, others did: the groups' thresholds can't be compared. Join such a "
            f"category with its neighbour in all groups (let {v:g} in {name!r} become {neighbour:g}).",
            columns=list(dict.fromkeys(name for name, _, _ in absent)),
        )
    return result


def _started(table: ParameterTable, found: Sequence[AnswerMoments]) -> ParameterTable:
    """Return the table with the thresholds found as starting values, and scaling factors that start at 1."""
    at = {v: j for j, v in enumerate(table.observed)}

    def started(p: Parameter) -> Parameter:
        if not p.free or p.start is not None or p.op not in RESPONSE_OPERATORS:
            return p
        value = float(found[p.group].firsts[at[p.lhs]][int(p.rhs[1:]) - 1]) if p.op == "|" else 1.0
        return replace(p, start=value)

    return replace(table, parameters=tuple(started(p) for p in table.parameters))


def _held_by_baseline(spec: ModelSpec, found: AnswerMoments) -> NDArray[np.bool_]:
    """Return which moments the baseline model holds at 0: correlations, save of pairs of columns that only explain."""
    targets = {t.lhs for t in spec.terms if t.op == "~"} | {t.rhs for t in spec.terms if t.op == "=~"}
    sources = {t.rhs for t in spec.terms if t.op == "~"}
    outside = np.array([v in sources and v not in targets for v in found.columns])
    second = (found.rows != found.others) & ~(outside[found.rows] & outside[found.others])
    return np.concatenate([np.zeros(len(found.gamma) - len(second), dtype=bool), second])


def _sample(answers: AnswerRows, found: AnswerMoments) -> Sample:
    rows, w = answers.rows, answers.weights
    there = ~np.isnan(rows)
    weight = there * (np.ones(len(rows)) if w is None else w)[:, None]
    total = weight.sum(axis=0)
    mean = (np.where(there, rows, 0.0) * weight).sum(axis=0) / total
    variance = (np.where(there, rows - mean, 0.0) ** 2 * weight).sum(axis=0) / total
    std = np.sqrt(variance * found.n / (found.n - 1))
    moments = Moments(
        found.columns,
        found.n,
        np.asarray(mean, float),
        np.asarray(found.corr * np.outer(std, std) * (found.n - 1), float),
        float(found.n),
        float(found.n),
        answers.n_dropped,
    )
    first = np.array([0.0 if o else f[0] for o, f in zip(found.ordered, found.firsts, strict=True)])
    cov = found.corr * np.outer(found.std, found.std)
    return Sample(answers.group, found.columns, found.n, first, cov, moments, answers.n_dropped)


def _with_followers(fit: Fit) -> Fit:
    """Return the fit with what follows from its parameters in the table: residual variances, or scaling factors."""
    at = {v: i for i, v in enumerate(fit.table.observed)}

    def filled(p: Parameter) -> Parameter:
        if p.free or p.lhs not in fit.table.ordered or p.lhs != p.rhs:
            return p
        implied = as_responses(fit.implied[p.group])
        if p.op == "~~" and not fit.table.theta:
            return replace(p, value=float(implied.s[at[p.lhs], at[p.lhs]]))
        if p.op == "~*~" and fit.table.theta:
            return replace(p, value=float(implied.delta[at[p.lhs]]))
        return p

    # the free parameters keep their places: only fixed ones were replaced
    return replace(fit, table=replace(fit.table, parameters=tuple(filled(p) for p in fit.table.parameters)))
