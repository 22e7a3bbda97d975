"""The parameter table of a model with ordered columns: thresholds, scaling factors, and what identifies them.

The rules are lavaan's. In the first group scaling factors (*delta*) or residual variances (*theta*) of ordered columns
are 1; in the others they are too, unless thresholds are equal across groups: then they are free there, and so are the
means of the constructs. Intercepts of ordered columns are 0 unless the model text says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from satmodels.errors import ArgumentError, SpecError
from satmodels.sem.covariance.table import (
    Parameter,
    ParameterTable,
    build_table,
    key_of,
    tied_across_groups,
)
from satmodels.sem.model.rules import RESPONSE_OPERATORS
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.model.terms import Term


def check_ordinal(spec: ModelSpec, ordered: Sequence[str]) -> None:
    """Refuse what can't be: ordered columns that explain others, thresholds of columns that are not ordered."""
    for name in ordered:
        if name not in spec.observed:
            raise ArgumentError(f"ordered: {name!r} is no column of the model")
    explaining = [s for _, s in spec.paths if s in ordered]
    if explaining:
        raise ArgumentError(
            f"ordered column {explaining[0]!r} explains others in the model: measure a construct by it instead"
        )
    for t in spec.terms:
        if t.op in RESPONSE_OPERATORS and t.lhs not in ordered:
            raise SpecError(
                f"'{t.lhs} {t.op} {t.rhs}' speaks of an ordered column, but {t.lhs!r} is not in ordered="
            )


def ordinal_table(
    spec: ModelSpec,
    thresholds: Mapping[str, int],
    *,
    n_groups: int = 1,
    unit_variance: bool = False,
    equal: Sequence[str] = (),
    partial: Sequence[Term] = (),
    theta: bool = False,
) -> ParameterTable:
    """Return the parameter table.

    Parameters
    ----------
    spec : ModelSpec
    thresholds : mapping
        Number of thresholds of each ordered column.
    n_groups, unit_variance, equal, partial
        See :func:`~satmodels.sem.covariance.table.build_table`.
    theta : bool, default False
        Whether residual variances of ordered columns are parameters, and scaling factors follow.

    Raises
    ------
    SpecError
        The model speaks of a threshold that is not there, or of what follows from other parameters.
    """
    table = build_table(
        spec,
        n_groups=n_groups,
        means=True,
        unit_variance=unit_variance,
        fixed_exogenous=False,
        equal=equal,
        partial=partial,
        ordered=True,
    )
    if "residuals" in equal and not theta:
        raise ArgumentError(
            'equal residual variances of ordered columns need parameterization="theta": they are no parameters otherwise'
        )
    rules = _Rules(spec, thresholds, n_groups, tuple(equal), tuple(partial), theta)
    _check_terms(spec, rules)
    rows: list[Parameter] = []
    for group in range(n_groups):
        mine = [p for p in table.parameters if p.group == group]
        rows += rules.rows(mine, group)
    ordered = tuple(v for v in table.observed if v in thresholds)
    return replace(table, parameters=tuple(rows), ordered=ordered, theta=theta)


def _check_terms(spec: ModelSpec, rules: _Rules) -> None:
    for t in spec.terms:
        known = [f"t{k + 1}" for k in range(rules.thresholds.get(t.lhs, 0))]
        if t.op == "|" and t.rhs not in known:
            raise SpecError(
                f"'{t.lhs} | {t.rhs}': {t.lhs!r} has {len(known) + 1} categories, so its thresholds are {', '.join(known)}"
            )
        if t.op == "~*~" and rules.theta:
            raise SpecError(
                f"'{t.lhs} ~*~ {t.rhs}': with parameterization=\"theta\" scaling factors follow from residual variances"
            )
        if t.op == "~~" and t.lhs == t.rhs and t.lhs in rules.thresholds and not rules.theta:
            raise SpecError(
                f"'{t.lhs} ~~ {t.rhs}': the residual variance of an ordered column is what is left of its variance; "
                'with parameterization="theta" it is a parameter'
            )


class _Rules:
    """What the table of one group is completed with."""

    def __init__(
        self,
        spec: ModelSpec,
        thresholds: Mapping[str, int],
        n_groups: int,
        equal: tuple[str, ...],
        partial: tuple[Term, ...],
        theta: bool,
    ) -> None:
        self.thresholds, self.theta, self.equal, self.n_groups = thresholds, theta, equal, n_groups
        self.apart = {key_of(t.lhs, t.op, t.rhs) for t in partial}
        self.written = {key_of(t.lhs, t.op, t.rhs) for t in spec.terms}
        # intercepts and thresholds of an ordered item are not told apart, so either word ties its thresholds
        self.tied = n_groups > 1 and ("thresholds" in equal or "intercepts" in equal)

    def rows(self, rows: Sequence[Parameter], group: int) -> Iterator[Parameter]:
        """Complete the rows of one group."""
        several = self.n_groups > 1
        found = {key_of(p.lhs, p.op, p.rhs): p for p in rows}
        for key, p in found.items():
            ordered = p.lhs in self.thresholds
            if p.op == "~1" and ordered and key not in self.written:
                if self.tied and key in self.apart:
                    yield replace(p, free=group > 0, value=None if group > 0 else 0.0, tie="")
                continue  # else 0, and not shown
            if p.op == "~1" and not several and key not in self.written and p.value == 0.0:
                continue  # means of constructs say nothing in one group
            if p.op == "~~" and p.lhs == p.rhs and ordered and key not in self.written:
                yield self._residual(p, group)
            elif p.op == "|":
                yield self._threshold(p)
            else:
                yield p
        for column, k in self.thresholds.items():
            for i in range(k):
                key = (column, "|", f"t{i + 1}")
                if key not in found:
                    yield self._threshold(Parameter(*key, group))
        for column in self.thresholds:
            if (column, "~*~", column) not in found and (several or self.theta):
                free = not self.theta and group > 0 and self._located(column)
                yield Parameter(column, "~*~", column, group, free, None if free else 1.0)

    def _threshold(self, p: Parameter) -> Parameter:
        tied = self.tied and (p.lhs, "|", p.rhs) not in self.apart
        return tied_across_groups(p) if tied else replace(p, tie=p.label if p.free else "")

    def _located(self, column: str) -> bool:
        """Whether a threshold of the column is equal across groups, so that its unit is that of the first."""
        names = [(column, "|", f"t{i + 1}") for i in range(self.thresholds[column])]
        return self.tied and any(name not in self.apart for name in names)

    def _residual(self, p: Parameter, group: int) -> Parameter:
        if not self.theta:
            return replace(p, free=False, value=0.0, label="", tie="")
        key = key_of(p.lhs, p.op, p.rhs)
        equal = "residuals" in self.equal and key not in self.apart
        if group > 0 and self._located(p.lhs) and not equal:
            return replace(p, free=True, value=None, start=1.0, tie="")
        return replace(p, free=False, value=1.0, tie="")
