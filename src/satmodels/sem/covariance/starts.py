"""Where the iteration begins: constructs as principal components of their items, paths by regression."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.covariance.arrows import GroupArrows
from satmodels.sem.covariance.table import ParameterTable

Array = NDArray[np.floating[Any]]
ERROR_SHARE = 0.3  # share of an item's variance that is error, at the start


def starting_values(
    table: ParameterTable, arrows: list[GroupArrows], corrs: list[Array], means: list[Array], units: Array
) -> Array:
    """Return starting values for the free parameters of the scaled variables.

    Parameters
    ----------
    table : ParameterTable
    arrows : list of GroupArrows
        Of the scaled variables, one per group.
    corrs, means : list of ndarray
        Moments of the scaled variables.
    units : ndarray
        Own unit of each free parameter, for the user's starting values.
    """
    x = np.zeros(len(table.free))
    for group, (r, corr, mean) in enumerate(zip(arrows, corrs, means, strict=True)):
        _start_group(table, r, corr, mean, x, group)
    for i, p in enumerate(table.free):
        if p.start is not None:
            x[i] = p.start / units[i]
    return x


def plain_values(table: ParameterTable, means: Array, share: float, units: Array) -> Array:
    """Return starting values that know nothing of the correlations: a second chance where the first fails.

    Paths and covariances are 0, loadings 0.7, and constructs have ``share`` of their marker's variance.
    """
    latent = set(table.constructs)
    at = {v: i for i, v in enumerate(table.observed)}
    x = np.zeros(len(table.free))
    for i, p in enumerate(table.free):
        if p.start is not None:
            x[i] = p.start / units[i]
        elif p.op == "=~":
            x[i] = 0.7
        elif p.op == "~~" and p.lhs == p.rhs:
            x[i] = share if p.lhs in latent else 0.5
        elif p.op == "~1" and p.lhs in at:
            x[i] = means[at[p.lhs]]
    return x


def _start_group(
    table: ParameterTable, r: GroupArrows, corr: Array, mean: Array, x: Array, group: int
) -> None:
    p = r.n_observed
    size = len(r.fixed_a)
    names = (*table.observed, *table.constructs)
    number = {v: i for i, v in enumerate(names)}
    indicators: dict[int, list[int]] = {}
    for q in table.parameters:
        if q.group == group and q.op == "=~":
            indicators.setdefault(number[q.lhs], []).append(number[q.rhs])
    weights = np.zeros((size, p))
    weights[:p] = np.eye(p)
    for construct in _from_the_items_up(indicators, p):
        weights[construct] = _component(weights[indicators[construct]], corr)
    variance = np.einsum("ip,pq,iq->i", weights, corr, weights)
    weights /= np.sqrt(np.maximum(variance, 1e-12))[:, None]
    c = weights @ corr @ weights.T  # correlations of variables and stand-ins of constructs
    scale = _construct_scales(r, c, p)
    c = c * np.outer(scale, scale)
    a = r.fixed_a.copy()
    for k, i, j in zip(r.a, r.a_row, r.a_col, strict=True):
        if j >= p and i in indicators.get(j, ()):
            a[i, j] = x[k] = c[i, j] / c[j, j]
    _paths(r, c, x, a, indicators)
    for k, i, j in zip(r.s, r.s_row, r.s_col, strict=True):
        if i != j:
            exogenous = not a[i].any() and not a[j].any()
            x[k] = 0.8 * c[i, j] if exogenous and i >= p and j >= p else c[i, j] if exogenous else 0.0
        elif i < p:
            measured = any(i in block for block in indicators.values())
            x[k] = c[i, i] * (ERROR_SHARE if measured else _rest(a[i], c, i))
        else:
            x[k] = c[i, i] * max(_rest(a[i], c, i), 0.1)
    x[r.m] = np.where(r.m_row < p, mean[np.minimum(r.m_row, p - 1)], 0.0)


def _from_the_items_up(indicators: dict[int, list[int]], p: int) -> list[int]:
    order: list[int] = []
    waiting = list(indicators)
    while waiting:
        ready = [c for c in waiting if all(i < p or i in order or i not in indicators for i in indicators[c])]
        if not ready:  # no circles reach this point, see model.rules
            return order + waiting
        order += ready
        waiting = [c for c in waiting if c not in ready]
    return order


def _component(rows: Array, corr: Array) -> Array:
    cov = rows @ corr @ rows.T
    vector = np.linalg.eigh(cov)[1][:, -1]
    vector *= 1.0 if vector.sum() >= 0 else -1.0
    return vector @ rows


def _construct_scales(r: GroupArrows, c: Array, p: int) -> Array:
    """Give each construct the scale and sign that its fixed loading asks for."""
    scale = np.ones(len(c))
    for j in range(p, len(c)):
        held = np.flatnonzero(r.fixed_a[:p, j])
        if len(held):
            i = held[0]
            loading = c[i, j] / r.fixed_a[i, j]
            scale[j] = np.sign(loading) * max(abs(loading), 0.3) if loading else 1.0
    for j in range(p, len(c)):  # constructs measured by constructs
        held = p + np.flatnonzero(r.fixed_a[p:, j])
        if len(held):
            loading = c[held[0], j] * scale[held[0]] / r.fixed_a[held[0], j]
            scale[j] = np.sign(loading) * max(abs(loading), 0.3) if loading else 1.0
    return scale


def _paths(r: GroupArrows, c: Array, x: Array, a: Array, indicators: dict[int, list[int]]) -> None:
    by_target: dict[int, list[tuple[int, int]]] = {}
    for k, i, j in zip(r.a, r.a_row, r.a_col, strict=True):
        if i not in indicators.get(j, ()):
            by_target.setdefault(int(i), []).append((int(k), int(j)))
    for target, sources in by_target.items():
        js = [j for _, j in sources]
        known = r.fixed_a[target]
        right = c[js, target] - c[js] @ known
        beta = np.linalg.lstsq(c[np.ix_(js, js)], right, rcond=None)[0]
        for (k, j), value in zip(sources, beta, strict=True):
            x[k] = a[target, j] = value


def _rest(row: Array, c: Array, i: int) -> float:
    return float(np.clip(1 - row @ c @ row / c[i, i], 0.2, 1.0))
