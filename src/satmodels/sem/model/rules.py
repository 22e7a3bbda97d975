"""What every model must keep to, whether it was written as text or built from its parts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from satmodels.errors import near_matches
from satmodels.sem.model.expression import check_expression, names_in, parse_expression
from satmodels.sem.model.terms import Constraint, Defined, Term
from satmodels.sem.model.tokens import name_problem

MAX_TERMS = 2_000
MAX_VARIABLES = 200
MAX_GROUPS = 100
CONSTRUCT_OPERATORS = ("=~", "<~")
RESPONSE_OPERATORS = ("|", "~*~")  # thresholds and scaling factors of ordered columns
_THRESHOLD = re.compile(r"t[1-9][0-9]?\Z", re.ASCII)


class Problem(NamedTuple):
    """What is wrong, and in which part: "term", "defined", "constraint" or "" with its number."""

    message: str
    part: str = ""
    position: int = 0


def find_problem(
    terms: Sequence[Term], defined: Sequence[Defined], constraints: Sequence[Constraint]
) -> Problem | None:
    """Return the first problem of a model, or None."""
    return next(_problems(terms, defined, constraints), None)


def _problems(
    terms: Sequence[Term], defined: Sequence[Defined], constraints: Sequence[Constraint]
) -> Iterator[Problem]:
    if not terms:
        yield Problem("the model is empty: it needs at least one line such as 'Quality =~ q1 + q2'")
    if len(terms) + len(defined) + len(constraints) > MAX_TERMS:
        yield Problem(f"a model has at most {MAX_TERMS:,} terms", "term", min(MAX_TERMS, len(terms) - 1))
    yield from _names(terms)
    yield from _shapes(terms)
    yield from _modifiers(terms)
    yield from _circles(terms)
    yield from _expressions(terms, defined, constraints)


def _names(terms: Sequence[Term]) -> Iterator[Problem]:
    looks: dict[str, str] = {}
    for i, term in enumerate(terms):
        names = [
            term.lhs,
            *([term.rhs] if term.op not in ("~1", "|") else []),
            *(n for n in term.labels if n is not None),
        ]
        for name in names:
            if wrong := name_problem(name):
                yield Problem(wrong, "term", i)
            look = unicodedata.normalize("NFKC", name)
            if looks.setdefault(look, name) != name:
                yield Problem(
                    f"the names {looks[look]!r} and {name!r} look alike: use one of them", "term", i
                )
    variables: dict[str, int] = {}
    for i, term in enumerate(terms):
        for name in (term.lhs, term.rhs if term.op != "|" else ""):
            if name:
                variables.setdefault(name, i)
    if len(variables) > MAX_VARIABLES:
        yield Problem(
            f"a model has at most {MAX_VARIABLES} variables", "term", list(variables.values())[MAX_VARIABLES]
        )


def _shapes(terms: Sequence[Term]) -> Iterator[Problem]:
    seen: set[tuple[str, str, str]] = set()
    kinds: dict[str, str] = {}
    constructs = {t.lhs for t in terms if t.op in CONSTRUCT_OPERATORS}
    for i, term in enumerate(terms):
        if term.op == "~1" and term.rhs:
            yield Problem("an intercept has no right side", "term", i)
        if term.op in CONSTRUCT_OPERATORS and kinds.setdefault(term.lhs, term.op) != term.op:
            yield Problem(
                f"{term.lhs!r} is measured by both '=~' (reflective) and '<~' (composite): choose one",
                "term",
                i,
            )
        if term.op == "|" and not _THRESHOLD.match(term.rhs):
            yield Problem(f"thresholds are called t1, t2, ... from low to high, not {term.rhs!r}", "term", i)
        if term.op == "~*~" and term.lhs != term.rhs:
            yield Problem(f"a scaling factor is that of one column: '{term.lhs} ~*~ {term.lhs}'", "term", i)
        if term.op in RESPONSE_OPERATORS and term.lhs in constructs:
            yield Problem(f"{term.lhs!r} is a construct: '{term.op}' speaks of an ordered column", "term", i)
        if term.lhs == term.rhs and term.op not in ("~~", "~*~", "|"):
            yield Problem(f"{term.lhs!r} can't explain itself", "term", i)
        turned = term.op == "~~" and term.lhs > term.rhs
        key = (term.op, term.rhs, term.lhs) if turned else (term.op, term.lhs, term.rhs)
        if key in seen:
            yield Problem(f"'{term.lhs} {term.op} {term.rhs}' is given twice", "term", i)
        seen.add(key)
    for i, term in enumerate(terms):
        if term.op == "~" and ("=~", term.rhs, term.lhs) in seen:
            yield Problem(
                f"{term.lhs!r} is measured by {term.rhs!r} and regressed on it: that is one arrow given twice",
                "term",
                i,
            )


def _modifiers(terms: Sequence[Term]) -> Iterator[Problem]:
    groups = 1
    for i, term in enumerate(terms):
        for values in (term.fixed, term.start, term.labels):
            if len(values) <= 1:
                continue
            if len(values) > MAX_GROUPS:
                yield Problem(f"a model has at most {MAX_GROUPS} groups", "term", i)
            if groups not in (1, len(values)):
                yield Problem(
                    f"this names {len(values)} groups, an earlier term names {groups}: c(...) has one entry per group",
                    "term",
                    i,
                )
            groups = len(values)
        if len({len(v) for v in (term.fixed, term.start, term.labels) if len(v) > 1}) > 1:
            continue  # said above
        for g in range(term.n_groups):
            if isinstance(term.fixed_in(g), float) and term.label_in(g) is not None:
                yield Problem(
                    "a parameter is either fixed at a value or labelled: write 'label == value' for both",
                    "term",
                    i,
                )
                break


def _circles(terms: Sequence[Term]) -> Iterator[Problem]:
    arrows: dict[str, list[str]] = {}
    indegree: dict[str, int] = {}
    where: dict[str, int] = {}
    for i, term in enumerate(terms):
        if term.op not in ("~", "=~", "<~") or term.lhs == term.rhs:
            continue
        source, target = (term.lhs, term.rhs) if term.op == "=~" else (term.rhs, term.lhs)
        arrows.setdefault(source, []).append(target)
        indegree[target] = indegree.get(target, 0) + 1
        indegree.setdefault(source, 0)
        where[target] = i
    free = [v for v, n in indegree.items() if n == 0]
    while free:
        source = free.pop()
        del indegree[source]
        for target in arrows.get(source, ()):
            indegree[target] -= 1
            if indegree[target] == 0:
                free.append(target)
    if indegree:
        circle = _one_circle(arrows, indegree)
        yield Problem(
            f"the arrows run in a circle: {' -> '.join(circle)}. Only models without circles can be estimated",
            "term",
            max(where[v] for v in circle),
        )


def _one_circle(arrows: dict[str, list[str]], left: Iterable[str]) -> list[str]:
    # every variable left lies on a circle or behind one: walking against the arrows must close one
    remaining = set(left)
    sources: dict[str, str] = {}
    for source in sorted(remaining):
        for target in arrows.get(source, ()):
            if target in remaining:
                sources.setdefault(target, source)
    walk = [min(remaining)]
    while (before := sources[walk[-1]]) not in walk:
        walk.append(before)
    circle = walk[walk.index(before) :]
    return [circle[0], *reversed(circle)]


def _expressions(
    terms: Sequence[Term], defined: Sequence[Defined], constraints: Sequence[Constraint]
) -> Iterator[Problem]:
    labels = {label for term in terms for label in term.labels if label is not None}
    for i, parameter in enumerate(defined):
        if wrong := name_problem(parameter.name):
            yield Problem(wrong, "defined", i)
        if parameter.name in labels:
            yield Problem(f"{parameter.name!r} is already the name of a parameter", "defined", i)
        if wrong := check_expression(parameter.expression, frozenset(labels)):
            yield Problem(wrong + _known(labels, wrong, parameter.expression), "defined", i)
        labels.add(parameter.name)
    for i, constraint in enumerate(constraints):
        used = False
        for side in (constraint.left, constraint.right):
            if wrong := check_expression(side, frozenset(labels)):
                yield Problem(wrong + _known(labels, wrong, side), "constraint", i)
                return
            used = used or any(True for _ in names_in(parse_expression(side)))
        if not used:
            yield Problem("a constraint names at least one parameter by its label", "constraint", i)


def _known(labels: set[str], wrong: str, expression: str) -> str:
    if "no parameter" not in wrong:
        return ""
    unknown = next(n for n in names_in(parse_expression(expression)) if n not in labels)
    return "." + near_matches(unknown, sorted(labels))
