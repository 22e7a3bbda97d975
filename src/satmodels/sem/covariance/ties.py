"""Equality: from all free parameters to those that really vary.

Parameters of one label are equal, and ``==`` gives linear relations. Both are written as x = K y + x0,
so that the iteration, the information and the standard errors need no constraint of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import SpecError
from satmodels.sem.covariance.table import ParameterTable
from satmodels.sem.model.expression import linear_form, parse_expression
from satmodels.sem.model.terms import Constraint

Array = NDArray[np.floating[Any]]
TOLERANCE = 1e-10


@dataclass(frozen=True)
class Ties:
    """x = K y + x0: all free parameters x from those that vary, y."""

    k: Array
    x0: Array

    @property
    def n_free(self) -> int:
        """Number of parameters that vary."""
        return self.k.shape[1]

    def scaled(self, units: Array) -> Ties:
        """Return the ties of the parameters divided by ``units``."""
        if np.array_equal(self.k, np.eye(len(self.k))):
            return self
        k = self.k / units[:, None]
        return Ties(k / np.linalg.norm(k, axis=0), self.x0 / units)


@dataclass(frozen=True)
class Inequality:
    """coefficients' x >= bound."""

    coefficients: Array
    bound: float
    text: str


def label_ties(table: ParameterTable) -> Ties:
    """Return the ties of equal labels alone."""
    return Ties(_label_matrix(table), np.zeros(len(table.free)))


def _label_matrix(table: ParameterTable) -> Array:
    places: dict[str, int] = {}
    column: list[int] = []
    for i, p in enumerate(table.free):
        column.append(places.setdefault(p.tie or f"alone {i}", len(places)))
    k = np.zeros((len(column), len(places)))
    k[np.arange(len(column)), column] = 1.0
    return k


def read_constraints(
    table: ParameterTable, constraints: tuple[Constraint, ...], defined: dict[str, str]
) -> tuple[list[tuple[Array, float]], list[Inequality]]:
    """Return the equalities as (coefficients, right side) and the inequalities.

    Raises
    ------
    SpecError
        A constraint is not linear.
    """
    equalities: list[tuple[Array, float]] = []
    inequalities: list[Inequality] = []
    for constraint in constraints:
        text = f"{constraint.left} {constraint.op} {constraint.right}"
        form = linear_form(parse_expression(f"({constraint.left}) - ({constraint.right})"))
        if form is None:
            raise SpecError(
                f"the constraint {text!r} is not linear in the parameters; linear ones are supported"
            )
        row, constant = np.zeros(len(table.free)), form[1]
        for name, c in form[0].items():
            if name in defined:
                raise SpecError(f"the constraint {text!r} uses the defined parameter {name!r}: write it out")
            at = [i for i, p in enumerate(table.free) if p.label == name]
            if at:
                row[at[0]] += c
            else:  # a label of a fixed parameter
                constant += c * next(p.value or 0.0 for p in table.parameters if p.label == name)
        sign = -1.0 if constraint.op == "<" else 1.0
        if constraint.op == "==":
            equalities.append((row, -constant))
        else:
            inequalities.append(Inequality(sign * row, -sign * constant, text))
    return equalities, inequalities


def tie(labels: Ties, equalities: list[tuple[Array, float]]) -> Ties:
    """Return the ties of labels and linear equalities together.

    Raises
    ------
    SpecError
        The equalities contradict each other.
    """
    if not equalities:
        return labels
    rows = np.array([row for row, _ in equalities]) @ labels.k
    right = np.array([b for _, b in equalities])
    u, d, vt = np.linalg.svd(rows)
    rank = int((d > TOLERANCE * max(1.0, d[0] if len(d) else 0.0)).sum())
    y0 = vt[:rank].T @ ((u[:, :rank].T @ right) / d[:rank])
    if np.abs(rows @ y0 - right).max() > 1e-8 * (1 + np.abs(right).max()):
        raise SpecError("the constraints contradict each other: no values satisfy all of them")
    return Ties(labels.k @ vt[rank:].T, labels.k @ y0)
