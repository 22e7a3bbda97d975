"""The parts of a model: terms, defined parameters and constraints, each a frozen record."""

from __future__ import annotations

from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict

Operator = Literal["=~", "<~", "~", "~~", "~1", "|", "~*~"]
Comparison = Literal["==", ">", "<"]
Fixed = float | Literal["NA"] | None
_T = TypeVar("_T")


class Term(BaseModel):
    """One arrow, covariance or intercept of a model.

    Attributes
    ----------
    lhs, op, rhs : str
        As in lavaan: ``construct =~ item``, ``construct <~ item``, ``target ~ source``, ``a ~~ b``,
        ``x ~1`` with an empty ``rhs``, ``y | t1`` (a threshold of an ordered column), and ``y ~*~ y`` (its scaling
        factor).
    fixed : tuple of (float, "NA" or None)
        Value at which the parameter is held; "NA" frees a parameter that a rule would fix, None leaves
        it to the rules. One entry holds for every group, several are one per group, none means None.
    start : tuple of (float or None)
        Where the iteration begins.
    labels : tuple of (str or None)
        Names of the parameter; parameters of one name are equal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    lhs: str
    op: Operator
    rhs: str = ""
    fixed: tuple[Fixed, ...] = ()
    start: tuple[float | None, ...] = ()
    labels: tuple[str | None, ...] = ()

    @property
    def n_groups(self) -> int:
        """Number of groups that the modifiers speak of; 1 where they hold for all."""
        return max(len(self.fixed), len(self.start), len(self.labels), 1)

    @property
    def plain(self) -> bool:
        """Whether the term has no modifier."""
        return not (self.fixed or self.start or self.labels)

    def fixed_in(self, group: int) -> Fixed:
        """Return the fixed value in a group."""
        return _of_group(self.fixed, group, None)

    def start_in(self, group: int) -> float | None:
        """Return the starting value in a group."""
        return _of_group(self.start, group, None)

    def label_in(self, group: int) -> str | None:
        """Return the label in a group."""
        return _of_group(self.labels, group, None)


def _of_group(values: tuple[_T, ...], group: int, missing: _T) -> _T:
    if not values:
        return missing
    return values[0] if len(values) == 1 else values[group]


class Defined(BaseModel):
    """A parameter computed from others: ``name := expression``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    expression: str


class Constraint(BaseModel):
    """A relation between parameters: ``left == right``, ``left > right`` or ``left < right``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    left: str
    op: Comparison
    right: str
