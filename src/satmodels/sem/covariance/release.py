"""Which equality does not hold? Score tests of releasing one equality at a time.

With g the gradient and I the expected information of all parameters at the solution, K the directions in which they may
vary and z the direction in which one more equality lets go, the statistic is (z'g)^2 / (z'Iz - z'IK (K'IK)^-1 K'Iz): by how
much the test statistic would fall. With weighted least squares it is the plain score test, not scaled.

References
----------
.. [1] Bentler, P. M. and Chou, C.-P. (1992). Some new covariance structure model improvement statistics. Sociological
   Methods and Research 21.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.results import Table
from satmodels.sem.assessment.fit import upper_tail
from satmodels.sem.covariance.fitting import Fit, inverse_or_none
from satmodels.sem.covariance.modification import widened
from satmodels.sem.covariance.table import Parameter
from satmodels.sem.covariance.ties import read_constraints
from satmodels.sem.model.spec import ModelSpec

Array = NDArray[np.floating[Any]]
COLUMNS = ("lhs", "op", "rhs", "tied_to", "score", "p_value", "change")


def release_table(fit: Fit, spec: ModelSpec) -> Table:
    """Return one row per equality, the largest statistic first.

    Equalities are those of labels and across groups, ``==`` constraints, and intercepts of ordered columns that are 0 in
    every group because thresholds are equal.
    """
    grouped = fit.table.n_groups > 1
    names = ("group", *COLUMNS) if grouped else COLUMNS
    wide = widened(fit, _intercepts(fit))
    number = {old: new for new, old in wide.known.items()}
    rows: list[Array] = []
    shown: list[dict[str, Any]] = []
    first: dict[str, int] = {}
    for i, p in enumerate(fit.table.free):
        start = first.setdefault(p.tie, i) if p.tie else i
        if start == i:
            continue
        row = np.zeros(len(wide.free))
        row[number[i]], row[number[start]] = 1.0, -1.0
        rows.append(row)
        shown.append(_shown(fit, p, fit.table.free[start]))
    for new, p in enumerate(wide.free):
        if new not in wide.known:
            rows.append(np.eye(len(wide.free))[new])
            shown.append(_shown(fit, p, replace(p, group=0)))
    constraints = read_constraints(fit.table, spec.constraints, spec.defined)
    written = [c for c in spec.constraints if c.op == "=="]
    curved = [c.text for c in constraints.curved]
    written.sort(key=lambda c: f"{c.left} == {c.right}" in curved)  # as they are held: linear ones first
    for (coefficients, _), c in zip(constraints.held(fit.table, fit.x), written, strict=True):
        row = np.zeros(len(wide.free))
        row[[number[i] for i in range(len(coefficients))]] = coefficients
        rows.append(row)
        shown.append({"group": None, "lhs": c.left, "op": c.op, "rhs": c.right, "tied_to": ""})
    if not rows:
        return Table.from_records([], names)
    # in own units, in which the equalities are written
    gradient = wide.gradient / wide.units
    information = wide.information / np.outer(wide.units, wide.units)
    k = np.zeros((len(wide.free), fit.ties.k.shape[1]))
    for old, new in number.items():
        k[new] = fit.ties.k[old]
    inner = inverse_or_none(k.T @ information @ k)
    if inner is None:
        return Table.from_records([], names)
    away = np.linalg.pinv(np.array(rows))
    cross = away.T @ information @ k
    whole = np.einsum("nc,nm,mc->c", away, information, away)
    rest = whole - np.einsum("ca,ab,cb->c", cross, inner, cross)
    slope = away.T @ gradient
    records: list[dict[str, Any]] = []
    for row, g, d, all_of_it in zip(shown, slope, rest, whole, strict=True):
        if d <= 1e-8 * all_of_it:
            continue  # without this equality the model would not be identified
        score = float(g * g / d)
        records.append(row | {"score": score, "p_value": upper_tail(score, 1), "change": float(-g / d)})
    records.sort(key=lambda r: -r["score"])
    return Table.from_records(records, names)


def _intercepts(fit: Fit) -> list[Parameter]:
    """Return the intercepts of ordered columns with thresholds equal across groups, which are held at 0."""
    tied = {p.lhs for p in fit.table.parameters if p.op == "|" and p.tie and p.group > 0}
    there = {(p.lhs, p.group) for p in fit.table.parameters if p.op == "~1" and p.free}
    return [
        Parameter(v, "~1", "", g)
        for g in range(1, fit.table.n_groups)
        for v in fit.table.ordered
        if v in tied and (v, g) not in there
    ]


def _shown(fit: Fit, p: Parameter, other: Parameter) -> dict[str, Any]:
    groups = [s.group for s in fit.samples]
    same = (p.lhs, p.op, p.rhs) == (other.lhs, other.op, other.rhs)
    tied_to = "" if same else str(other)
    if fit.table.n_groups > 1:
        tied_to = f"{tied_to} in group {groups[other.group]!r}".strip()
    return {"group": groups[p.group], "lhs": p.lhs, "op": p.op, "rhs": p.rhs, "tied_to": tied_to}
