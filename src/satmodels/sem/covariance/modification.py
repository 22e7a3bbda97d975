"""Modification indices: how much the test statistic would fall if one more parameter were free.

The score test of Sorbom (1989): with g the gradient and I the expected information of all parameters, the
statistic of a candidate c is g_c^2 / (I_cc - I_c I^-1 I_c'), and its expected value -g_c over the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.results import Table
from satmodels.sem.assessment.fit import upper_tail
from satmodels.sem.covariance.arrows import fill_exogenous
from satmodels.sem.covariance.fitting import Fit, inverse_or_none
from satmodels.sem.covariance.responses import arrows_of
from satmodels.sem.covariance.scoring import Problem
from satmodels.sem.covariance.table import Parameter, ParameterTable
from satmodels.sem.covariance.ties import Ties

Array = NDArray[np.floating[Any]]
COLUMNS = ("lhs", "op", "rhs", "mi", "p_value", "epc", "epc_standardized")


@dataclass(frozen=True, eq=False)
class Widened:
    """Gradient and information of a fit in more parameters than it estimated, at its solution (scaled variables).

    Attributes
    ----------
    free : tuple of Parameter
        The parameters, old and new.
    known : dict of int to int
        Number among them -> number among those that were estimated.
    units : ndarray
        Own unit of each.
    """

    free: tuple[Parameter, ...]
    known: dict[int, int]
    units: Array
    gradient: Array
    information: Array

    def ties(self, fit: Fit) -> Array:
        """Return by what the old parameters vary, in the order of ``known``; of the new ones nothing does."""
        return fit.problem.ties.k[[self.known[i] for i in sorted(self.known)]]


def widened(fit: Fit, candidates: list[Parameter]) -> Widened:
    """Return what a fit looks like with further parameters free at the values at which they are held."""
    wider = replace(fit.table, parameters=(*_without(fit.table, candidates), *candidates))
    raw = [
        fill_exogenous(r, wider, s.cov, s.mean) for r, s in zip(arrows_of(wider), fit.samples, strict=True)
    ]
    free = wider.free
    units = np.ones(len(free))
    for r, scale in zip(raw, fit.scales, strict=True):
        own = r.units(scale, len(free))
        units[r.places] = own[r.places]
    old = {id(p): i for i, p in enumerate(fit.table.free)}
    known = {i: old[id(p)] for i, p in enumerate(free) if id(p) in old}
    x = np.array(
        [fit.x[known[i]] if i in known else _held(fit.table, p) for i, p in enumerate(free)], dtype=float
    )
    problem = Problem(
        [r.scaled(scale) for r, scale in zip(raw, fit.scales, strict=True)],
        fit.problem.criteria,
        Ties(np.eye(len(free)), np.zeros(len(free))),
    )
    implied = problem.implied(x / units)
    return Widened(free, known, units, problem.gradient(implied), problem.information(implied))


def modification_table(fit: Fit, minimum: float) -> Table:
    """Return the candidates with an index of at least ``minimum``, largest first."""
    wide = widened(fit, list(_candidates(fit.table)))
    free, units, gradient, information = wide.free, wide.units, wide.gradient, wide.information
    inside = sorted(wide.known)
    outside = [i for i in range(len(free)) if i not in wide.known]
    k = wide.ties(fit)
    inner = inverse_or_none(k.T @ information[np.ix_(inside, inside)] @ k)
    grouped = fit.table.n_groups > 1
    names = ("group", *COLUMNS) if grouped else COLUMNS
    if inner is None or not outside:
        return Table.from_records([], names)
    cross = information[np.ix_(outside, inside)] @ k
    rest = np.diag(information)[outside] - np.einsum("ca,ab,cb->c", cross, inner, cross)
    records: list[dict[str, Any]] = []
    spread = [np.sqrt(np.maximum(np.diag(i.cov_all), 1e-300)) for i in fit.implied]
    with np.errstate(invalid="ignore"):  # negative variances have no root, and such a change no standard unit
        errors = [np.sqrt(np.where(np.diag(i.s) > 0, np.diag(i.s), np.nan)) for i in fit.implied]
    at = {v: j for j, v in enumerate((*fit.table.observed, *fit.table.constructs))}
    for c, d in zip(outside, rest, strict=True):
        if d <= 1e-8 * information[c, c]:
            continue  # freeing it would leave the model unidentified
        p, g = free[c], gradient[c]
        index = float(g * g / d)
        if index < minimum:
            continue
        change = float(-g / d * units[c])
        sd, rest_sd = spread[p.group], errors[p.group]
        if p.op == "~~":
            ratio = 1 / (rest_sd[at[p.lhs]] * rest_sd[at[p.rhs]])
        else:
            to, source = (p.rhs, p.lhs) if p.op == "=~" else (p.lhs, p.rhs)
            ratio = sd[at[source]] / sd[at[to]] if source else 1 / sd[at[to]]
        row: dict[str, Any] = {"group": fit.samples[p.group].group} if grouped else {}
        row |= {"lhs": p.lhs, "op": p.op, "rhs": p.rhs, "mi": index, "p_value": upper_tail(index, 1)}
        records.append(row | {"epc": change, "epc_standardized": change * float(ratio)})
    records.sort(key=lambda r: -r["mi"])
    return Table.from_records(records, names)


def _key(p: Parameter) -> tuple[str, str, str, int]:
    lhs, rhs = sorted((p.lhs, p.rhs)) if p.op == "~~" else (p.lhs, p.rhs)
    return lhs, p.op, rhs, p.group


def _held(table: ParameterTable, candidate: Parameter) -> float:
    key = _key(candidate)
    return next((p.value or 0.0 for p in table.parameters if _key(p) == key), 0.0)


def _without(table: ParameterTable, candidates: list[Parameter]) -> Iterator[Parameter]:
    taken = {_key(c) for c in candidates}
    return (p for p in table.parameters if p.free or _key(p) not in taken)


def _candidates(table: ParameterTable) -> Iterator[Parameter]:
    """Go through the parameters that are not free: loadings, covariances, paths between constructs."""
    given = {_key(p): p for p in table.parameters}
    in_paths = list(dict.fromkeys(v for p in table.parameters if p.op == "~" for v in (p.lhs, p.rhs)))
    items = list(dict.fromkeys(p.rhs for p in table.parameters if p.op == "=~"))
    outside = set(table.exogenous)
    before = _sources(table)
    arrows = {_arrow(p): p for p in table.parameters if p.op in ("=~", "~")}
    for group in range(table.n_groups):
        wanted = [Parameter(c, "=~", i, group) for c in table.constructs for i in items if i != c]
        residual = [v for v in table.observed if v not in outside]
        wanted += [Parameter(a, "~~", b, group) for a, b in combinations(residual, 2)]
        wanted += [Parameter(a, "~~", b, group) for a, b in combinations(table.constructs, 2)]
        wanted += [
            Parameter(t, "~", s, group) for t in in_paths for s in in_paths if t != s and t not in outside
        ]
        for p in wanted:
            if p.op != "~~":
                target, source, _ = _arrow(p)
                # an arrow that closes a circle is none, and one written the other way round is there already
                if target in before.get(source, ()) or arrows.get(_arrow(p), p).op != p.op:
                    continue
            there = given.get(_key(p))
            if there is None or (not there.free and not there.exogenous and not table.ordered):
                yield p


def _arrow(p: Parameter) -> tuple[str, str, int]:
    """Return target, source and group of a loading or path: ``f =~ y`` is the arrow of ``y ~ f``."""
    target, source = (p.rhs, p.lhs) if p.op == "=~" else (p.lhs, p.rhs)
    return target, source, p.group


def _sources(table: ParameterTable) -> dict[str, set[str]]:
    """Return for each variable with an arrow all variables from which arrows, loadings too, lead to it."""
    direct: dict[str, set[str]] = {}
    for p in table.parameters:
        if p.op in ("=~", "~"):
            target, source, _ = _arrow(p)
            direct.setdefault(target, set()).add(source)
            direct.setdefault(source, set())
    found = {v: set(sources) for v, sources in direct.items()}
    for _ in direct:  # no chain is longer than there are variables
        for sources in found.values():
            for s in list(sources):
                sources |= direct[s]
    return found
