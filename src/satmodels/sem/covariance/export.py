"""The same model as text for other programs."""

from __future__ import annotations

import re
from itertools import groupby

from satmodels.arguments import checked
from satmodels.errors import EngineError
from satmodels.sem.model.expression import show_number
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.model.terms import Term

_R_NAME = re.compile(r"(?:[A-Za-z]|\.(?![0-9]))[A-Za-z0-9._]*\Z")
NOT_SEMOPY = {
    "~1": "intercepts",
    "<~": "composites ('<~')",
    "|": "thresholds ('|')",
    "~*~": "scaling factors ('~*~')",
}
_R_WORDS = {
    "NA",
    "TRUE",
    "FALSE",
    "NULL",
    "if",
    "else",
    "for",
    "while",
    "function",
    "in",
    "next",
    "break",
    "Inf",
    "NaN",
}


@checked
def to_lavaan(spec: ModelSpec | str) -> str:
    """Return a model as lavaan (R) reads it.

    Raises
    ------
    EngineError
        A name can't be written in lavaan (it is no name of R).

    Examples
    --------
    >>> print(to_lavaan("f =~ x1 + start(0.5)*x2"))
    f =~ x1 + start(0.5)*x2
    <BLANKLINE>
    """
    spec = ModelSpec.of(spec)
    lines: list[str] = []
    for (lhs, op), terms in groupby(spec.terms, key=lambda t: (t.lhs, t.op)):
        parts: list[str] = []
        for term in terms:
            rhs = "1" if op == "~1" else _r_name(term.rhs)
            modifiers = _modifiers(term)
            if op == "~1" and "NA" in term.fixed and not term.labels:
                # lavaan frees the intercept of an ordered column only where it has labels
                names = [f"{_r_name(lhs)}.i{g + 1}" for g in range(term.n_groups)]
                modifiers.insert(1, _vector(names))
            # a further modifier of the same term is written by naming the term again
            parts += [f"{m}*{rhs}" for m in modifiers] or [rhs]
        lines.append(f"{_r_name(lhs)} {'~' if op == '~1' else op} {' + '.join(parts)}")
    lines += [f"{_r_name(d.name)} := {d.expression}" for d in spec.defined]
    lines += [f"{c.left} {c.op} {c.right}" for c in spec.constraints]
    return "\n".join(lines) + "\n"


def _modifiers(term: Term) -> list[str]:
    found: list[str] = []
    if term.fixed:
        found.append(_vector([show_number(v) if isinstance(v, float) else "NA" for v in term.fixed]))
    if term.labels:
        found.append(_vector([_r_name(n) if n is not None else "NA" for n in term.labels]))
    if term.start:
        values = _vector([show_number(v) if v is not None else "NA" for v in term.start])
        found.append(f"start({values})")
    return found


def _vector(entries: list[str]) -> str:
    return entries[0] if len(entries) == 1 else f"c({', '.join(entries)})"


def _r_name(name: str) -> str:
    if not _R_NAME.match(name) or name in _R_WORDS:
        raise EngineError(
            f"lavaan can't take the name {name!r}: rename it to letters, digits, '.' and '_' of the Latin alphabet",
            engine="lavaan",
            feature="names",
            alternative="rename the columns",
        )
    return name


@checked
def to_semopy(spec: ModelSpec | str) -> tuple[str, dict[str, str]]:
    """Return a model as semopy reads it, and the generated name of every variable.

    semopy executes code that it finds in a model text, so nobody's text is ever passed on: the lines are written
    anew, with the operators ``=~``, ``~`` and ``~~`` and the names v0, v1, ... only.

    Returns
    -------
    text : str
    names : dict of str to str
        Name in the model -> name in the text.

    Raises
    ------
    EngineError
        The model has something that semopy lacks, or does wrongly: constraints, defined parameters, intercepts,
        groups, composites, starting values, equal
        parameters.
    """
    spec = ModelSpec.of(spec)
    if spec.constraints:
        raise _unsupported("constraints")
    if spec.defined:
        raise _unsupported("defined parameters (':=')")
    used = [n for t in spec.terms for n in t.labels if n is not None]
    if len(set(used)) < len(used):
        # it is fitted to correlations, where parameters of different items are in other units
        raise _unsupported("equal parameters")
    names = {v: f"v{i}" for i, v in enumerate(spec.variables)}
    labels = {label: f"w{i}" for i, label in enumerate(spec.labels)}
    lines: list[str] = []
    for term in spec.terms:
        if term.op in NOT_SEMOPY:
            raise _unsupported(NOT_SEMOPY[term.op])
        if term.n_groups > 1:
            raise _unsupported("groups")
        if term.start:
            raise _unsupported("starting values")
        fixed, label = term.fixed_in(0), term.label_in(0)
        if fixed == "NA":
            raise _unsupported("freed first loadings ('NA*')")
        modifier = f"{fixed!r}*" if isinstance(fixed, float) else f"{labels[label]}*" if label else ""
        lines.append(f"{names[term.lhs]} {term.op} {modifier}{names[term.rhs]}")
    return "\n".join(lines) + "\n", names


def _unsupported(feature: str) -> EngineError:
    return EngineError(
        f'engine="semopy" does not do {feature}; engine="native" does',
        engine="semopy",
        feature=feature,
        alternative='engine="native"',
    )
