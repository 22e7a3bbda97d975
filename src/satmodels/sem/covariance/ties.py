"""Equality: from all free parameters to those that really vary.

Parameters of one label are equal, and ``==`` gives relations. Both are written as x = K y + x0,
so that the iteration, the information and the standard errors need no constraint of their own. A relation that is not
linear (a == b^2) is replaced by its tangent, again and again, until the solution lies on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import SpecError
from satmodels.sem.covariance.table import ParameterTable
from satmodels.sem.model.expression import (
    Expression,
    LinearForm,
    derivatives,
    linear_form,
    parse_expression,
)
from satmodels.sem.model.terms import Constraint, Defined

Array = NDArray[np.floating[Any]]
TOLERANCE = 1e-10
LEAST_SLOPE = 1e-10  # a constraint that moves less with its parameters has no tangent


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


@dataclass(frozen=True)
class Curved:
    """left - right == 0 where that is not linear; ``definitions`` are the ``:=`` it may speak of."""

    tree: Expression
    text: str
    definitions: tuple[tuple[str, Expression], ...]

    def at(self, table: ParameterTable, x: Array) -> tuple[Array, float] | None:
        """Return the tangent (coefficients, right side) at parameters x; None where there is none."""
        values, gradients = label_gradients(table, x)
        for name, tree in self.definitions:
            values[name], gradients[name] = derivatives(tree, values, gradients)
        value, row = derivatives(self.tree, values, gradients)
        if (
            not np.isfinite(value)
            or not np.isfinite(row).all()
            or not np.abs(row).max(initial=0.0) > LEAST_SLOPE
        ):
            return None
        return row, float(row @ x - value)


@dataclass(frozen=True)
class Constraints:
    """The relations of a model: linear equalities as (coefficients, right side), curved ones, and inequalities."""

    equalities: list[tuple[Array, float]]
    curved: list[Curved]
    inequalities: list[Inequality]

    def held(self, table: ParameterTable, x: Array) -> list[tuple[Array, float]]:
        """Return all equalities, the curved ones by their tangents at x.

        Raises
        ------
        SpecError
            A constraint has no tangent there: the logarithm of a negative number, a^2 == 0.
        """
        tangents: list[tuple[Array, float]] = []
        for c in self.curved:
            tangent = c.at(table, x)
            if tangent is None:
                raise SpecError(
                    f"the constraint {c.text!r} can't be computed, or does not depend on its parameters, at the values "
                    "that the iteration came to: give them starting values with start(...)"
                )
            tangents.append(tangent)
        return [*self.equalities, *tangents]


def label_gradients(table: ParameterTable, x: Array) -> tuple[dict[str, float], dict[str, Array]]:
    """Return the value of every label and its gradient in all free parameters."""
    values: dict[str, float] = {}
    gradients: dict[str, Array] = {}
    number = {id(p): i for i, p in enumerate(table.free)}
    for p in table.parameters:
        if p.label and p.label not in values:
            gradients[p.label] = np.zeros(len(x))
            values[p.label] = float(p.value or 0.0)
            if p.free:
                values[p.label] = float(x[number[id(p)]])
                gradients[p.label][number[id(p)]] = 1.0
    return values, gradients


def read_constraints(
    table: ParameterTable, constraints: Sequence[Constraint], defined: Sequence[Defined]
) -> Constraints:
    """Return the constraints of a model as relations between its free parameters.

    Raises
    ------
    SpecError
        An inequality is not linear, or a constraint has no finite value.
    """
    definitions = tuple((d.name, parse_expression(d.expression)) for d in defined)
    forms: dict[str, LinearForm | None] = {}
    for name, tree in definitions:
        forms[name] = linear_form(tree, forms)
    found = Constraints([], [], [])
    for constraint in constraints:
        text = f"{constraint.left} {constraint.op} {constraint.right}"
        tree = parse_expression(f"({constraint.left}) - ({constraint.right})")
        form = linear_form(tree, forms)
        if form is None and constraint.op != "==":
            raise SpecError(
                f"the inequality {text!r} is not linear in the parameters: only linear ones are supported. Leave it out "
                "and look whether the estimates keep to it, or write it with '=='."
            )
        if form is None:
            found.curved.append(Curved(tree, text, definitions))
            continue
        row, constant = np.zeros(len(table.free)), form[1]
        for name, c in form[0].items():
            at = [i for i, p in enumerate(table.free) if p.label == name]
            if at:
                row[at[0]] += c
            else:  # a label of a fixed parameter
                constant += c * next(p.value or 0.0 for p in table.parameters if p.label == name)
        if not (np.isfinite(row).all() and np.isfinite(constant)):
            raise SpecError(
                f"the constraint {text!r} has no finite value: is something divided by 0, or too large?"
            )
        sign = -1.0 if constraint.op == "<" else 1.0
        if constraint.op == "==":
            found.equalities.append((row, -constant))
        else:
            found.inequalities.append(Inequality(sign * row, -sign * constant, text))
    return found


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
