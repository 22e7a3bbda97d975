"""A structural model as data: frozen, checked, and the same whether written as text, JSON or by hand."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, SpecError, unknown
from satmodels.sem.model.expression import parse_expression, show_expression, show_name, show_number
from satmodels.sem.model.rules import CONSTRUCT_OPERATORS, find_problem
from satmodels.sem.model.syntax import parse_model
from satmodels.sem.model.terms import Constraint, Defined, Term
from satmodels.stored import read_document, write_document

VERSION = 1
MODES = {"=~": "A", "<~": "B"}  # a reflective block is PLS's mode A, a composite its mode B


class ModelSpec(BaseModel):
    r"""A structural model: constructs with their items, paths, covariances, definitions, constraints.

    Parameters
    ----------
    terms : tuple of Term
        Arrows, covariances and intercepts in the order they were given.
    defined : tuple of Defined, optional
        Parameters computed from others (``:=``).
    constraints : tuple of Constraint, optional
        Relations between labelled parameters.
    scales : mapping, optional
        ``{item: (low, high)}``, the answer scales, for 0-100 indices. A model text has no scales: they come
        from a survey, or from :meth:`with_scales`.

    Raises
    ------
    SpecError
        The parts do not make a model; from :meth:`parse` with line and column.

    Examples
    --------
    >>> spec = ModelSpec.parse("Quality =~ q1 + q2\nLoyal =~ l1 + l2\nLoyal ~ Quality")
    >>> spec.constructs, spec.paths
    (('Quality', 'Loyal'), (('Loyal', 'Quality'),))
    >>> spec.blocks["Loyal"]
    ('A', ('l1', 'l2'))
    >>> print(spec)
    Quality =~ q1 + q2
    Loyal =~ l1 + l2
    Loyal ~ Quality
    >>> ModelSpec.parse(str(spec)) == spec
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    terms: tuple[Term, ...]
    defined: tuple[Defined, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    scales: dict[str, tuple[float, float]] = {}

    def __init__(self, **parts: Any) -> None:
        try:
            super().__init__(**parts)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise SpecError(f"this is no model: {where}: {first['msg']}") from error
        problem = find_problem(self.terms, self.defined, self.constraints)
        if problem is not None:
            part = f"{problem.part} {problem.position + 1}: " if problem.part else ""
            raise SpecError(part + problem.message)
        _check_scales(self.scales, self.items)
        # one way of writing an expression, so that equal models compare equal
        neat = tuple(Defined(name=d.name, expression=_neat(d.expression)) for d in self.defined)
        object.__setattr__(self, "defined", neat)
        ties = tuple(Constraint(left=_neat(c.left), op=c.op, right=_neat(c.right)) for c in self.constraints)
        object.__setattr__(self, "constraints", ties)

    def __hash__(self) -> int:
        return hash((self.terms, self.defined, self.constraints, tuple(self.scales.items())))

    @classmethod
    @checked
    def parse(cls, text: str) -> Self:
        """Read a model text in lavaan's words (see :mod:`satmodels.sem.model.syntax`).

        Raises
        ------
        SpecError
            With the line, the column and a caret under the place.
        """
        parsed = parse_model(text)
        return cls(
            terms=tuple(parsed.terms), defined=tuple(parsed.defined), constraints=tuple(parsed.constraints)
        )

    @classmethod
    def of(cls, model: Any) -> Self:
        """Return a model given as a ModelSpec or as text."""
        if isinstance(model, cls):
            return model
        if isinstance(model, str):
            return cls.parse(model)
        raise ArgumentError(f"a model is a ModelSpec or a text, not {type(model).__name__}")

    def to_json(self) -> str:
        """Return the model as a JSON document with a checksum."""
        return write_document("ModelSpec", VERSION, self.model_dump(mode="json"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a document of :meth:`to_json`; anything else is an ArgumentError or a SpecError."""
        body = read_document(text, "ModelSpec", VERSION, ("terms", "defined", "constraints", "scales"))
        return cls(**body)

    @property
    def constructs(self) -> tuple[str, ...]:
        """Constructs (latent variables and composites) in order of appearance."""
        return tuple(dict.fromkeys(t.lhs for t in self.terms if t.op in CONSTRUCT_OPERATORS))

    @property
    def blocks(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Mode ("A" for ``=~``, "B" for ``<~``) and items of each construct."""
        found: dict[str, tuple[str, tuple[str, ...]]] = {}
        for t in self.terms:
            if t.op in CONSTRUCT_OPERATORS:
                mode, items = found.get(t.lhs, (MODES[t.op], ()))
                found[t.lhs] = (mode, (*items, t.rhs))
        return found

    @property
    def paths(self) -> tuple[tuple[str, str], ...]:
        """Paths as (target, source), in order of appearance."""
        return tuple((t.lhs, t.rhs) for t in self.terms if t.op == "~")

    @property
    def variables(self) -> tuple[str, ...]:
        """Every construct and observed variable, in order of appearance."""
        # the right side of a threshold is no variable
        names = (n for t in self.terms for n in (t.lhs, t.rhs if t.op != "|" else "") if n)
        return tuple(dict.fromkeys(names))

    @property
    def observed(self) -> tuple[str, ...]:
        """Columns that the data must have, in order of appearance."""
        constructs = set(self.constructs)
        return tuple(v for v in self.variables if v not in constructs)

    @property
    def items(self) -> tuple[str, ...]:
        """Observed items of the constructs, in order of appearance."""
        observed = set(self.observed)
        rhs = (t.rhs for t in self.terms if t.op in CONSTRUCT_OPERATORS)
        return tuple(dict.fromkeys(i for i in rhs if i in observed))

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of parameters, in order of appearance."""
        return tuple(dict.fromkeys(n for t in self.terms for n in t.labels if n is not None))

    @property
    def n_groups(self) -> int:
        """Number of groups the modifiers speak of; 1 where they hold for all."""
        return max(t.n_groups for t in self.terms)

    @checked
    def with_scales(self, scales: Mapping[str, tuple[float, float]]) -> Self:
        """Return the model with the answer scales of its items: ``{item: (low, high)}``."""
        return type(self)(
            terms=self.terms, defined=self.defined, constraints=self.constraints, scales=dict(scales)
        )

    def __str__(self) -> str:
        lines = [
            f"{show_name(lhs)} {'~' if op == '~1' else op} {' + '.join(map(_show_term, group))}"
            for (lhs, op), group in groupby(self.terms, key=lambda t: (t.lhs, t.op))
        ]
        lines += [f"{show_name(d.name)} := {d.expression}" for d in self.defined]
        lines += [f"{c.left} {c.op} {c.right}" for c in self.constraints]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return (
            f"ModelSpec({len(self.constructs)} constructs, {len(self.items)} items, {len(self.paths)} paths)"
        )


def _neat(expression: str) -> str:
    return show_expression(parse_expression(expression))


def _show_term(term: Term) -> str:
    modifiers: list[str] = []
    width = term.n_groups
    mixed = len(term.fixed) > 1 and len(term.labels) > 1
    if mixed:  # c(1, a): one entry per group is either
        modifiers.append(_vector([_show_entry(term.fixed_in(g), term.label_in(g)) for g in range(width)]))
    else:
        if term.fixed:
            modifiers.append(_vector([_show_entry(v, None) for v in term.fixed]))
        if term.labels:
            modifiers.append(_vector([_show_entry(None, n) for n in term.labels]))
    if term.start:
        modifiers.append(f"start({', '.join('NA' if v is None else show_number(v) for v in term.start)})")
    return "*".join([*modifiers, "1" if term.op == "~1" else show_name(term.rhs)])


def _show_entry(fixed: Any, label: str | None) -> str:
    if label is not None:
        return show_name(label)
    return show_number(fixed) if isinstance(fixed, float) else "NA"


def _vector(entries: list[str]) -> str:
    return entries[0] if len(entries) == 1 else f"c({', '.join(entries)})"


def _check_scales(scales: Mapping[str, tuple[float, float]], items: tuple[str, ...]) -> None:
    for item, (low, high) in scales.items():
        if item not in items:
            raise unknown("item of this model", item, items)
        if not (low < high and abs(low) < float("inf") and abs(high) < float("inf")):
            raise ArgumentError(
                f"scales[{item!r}]=({low}, {high}): a scale runs from its lowest to its highest answer"
            )
