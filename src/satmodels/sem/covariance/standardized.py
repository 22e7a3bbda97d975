"""The standardised solution: every variable with variance 1, and its standard errors by the delta method."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.covariance.arrows import Implied
from satmodels.sem.covariance.responses import Responses
from satmodels.sem.covariance.table import ParameterTable

Array = NDArray[np.floating[Any]]


def standardized_group(table: ParameterTable, implied: Implied, group: int, n: int) -> tuple[Array, Array]:
    """Return the standardised parameters of a group and their derivatives.

    A covariance is divided by the standard deviations of what it joins: of the variables where they are exogenous,
    of their residuals where they are explained (as lavaan's ``std.all`` has it).

    Returns
    -------
    values : ndarray, shape (parameters of the group,)
        NaN where a variance is negative.
    jacobian : ndarray, shape (parameters of the group, n)
        Derivatives with respect to all n free parameters.
    """
    names = {v: i for i, v in enumerate((*table.observed, *table.constructs))}
    rows = [p for p in table.parameters if p.group == group]
    r = implied.arrows
    variance = np.diag(implied.cov_all)
    with np.errstate(invalid="ignore"):
        sd = np.sqrt(np.where(variance > 0, variance, np.nan))
        rest = np.diag(implied.s)
        sd_rest = np.sqrt(np.where(rest > 0, rest, np.nan))
    half = np.where(r.s_row == r.s_col, 0.5, 1.0)
    slopes = np.zeros((len(names), n))  # of the variances
    slopes[:, r.a] = 2 * implied.b[:, r.a_row] * implied.cov_all[:, r.a_col]
    slopes[:, r.s] = 2 * half * implied.b[:, r.s_row] * implied.b[:, r.s_col]
    own_rest = np.zeros((len(names), n))
    same = r.s_row == r.s_col
    own_rest[r.s_row[same], r.s[same]] = 1.0
    if isinstance(implied, Responses) and not table.theta:
        # the variance of an ordered column is 1 / delta^2, its residual what is left of it
        q = implied.responses
        explained = slopes[q.ordered]
        slopes[q.ordered] = 0.0
        slopes[q.d_row, q.d] = -2 / implied.delta[q.d_row] ** 3
        own_rest[q.ordered] = slopes[q.ordered] - explained
    cells = {(int(i), int(j)): int(k) for k, i, j in zip(r.a, r.a_row, r.a_col, strict=True)}
    ties = {(int(i), int(j)): int(k) for k, i, j in zip(r.s, r.s_row, r.s_col, strict=True)}
    shifts = {int(i): int(k) for k, i in zip(r.m, r.m_row, strict=True)}
    values, jacobian = np.zeros(len(rows)), np.zeros((len(rows), n))
    for at, p in enumerate(rows):
        if p.op == "~*~":
            values[at] = 1.0
            continue
        i, j = names[p.lhs], names.get(p.rhs, -1)
        if p.op in ("=~", "~"):
            to, source = (j, i) if p.op == "=~" else (i, j)
            ratio = sd[source] / sd[to]
            raw, k = implied.a[to, source], cells.get((to, source))
            values[at] = raw * ratio
            relative = slopes[source] / (2 * variance[source]) - slopes[to] / (2 * variance[to])
        elif p.op in ("~1", "|"):
            ratio = 1 / sd[i]
            raw, k = implied.m[i], shifts.get(i)
            if isinstance(implied, Responses) and p.op == "|":
                raw, k = implied.threshold(i, int(p.rhs[1:]))
            values[at] = raw * ratio
            relative = -slopes[i] / (2 * variance[i])
        elif i == j:
            ratio = 1 / variance[i] if variance[i] > 0 else np.nan
            raw, k = implied.s[i, i], None
            values[at] = raw * ratio
            relative = -slopes[i] / variance[i]
        else:
            ratio = 1 / (sd_rest[i] * sd_rest[j])
            raw, k = implied.s[i, j], ties.get((i, j), ties.get((j, i)))
            values[at] = raw * ratio
            relative = -own_rest[i] / (2 * rest[i]) - own_rest[j] / (2 * rest[j])
        with np.errstate(invalid="ignore"):
            jacobian[at] = values[at] * relative
            if p.op == "~~" and i == j:
                jacobian[at] += ratio * own_rest[i]
        if k is not None:
            jacobian[at, k] += ratio
    return values, jacobian
