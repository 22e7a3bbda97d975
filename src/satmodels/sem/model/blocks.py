"""One model text with a part of its own for each group: ``group: 1`` begins what holds for the first group alone.

What stands before the first block holds in all groups. The blocks become one model whose modifiers speak of each group:
what a block leaves out is 0 there (a loading, path or residual covariance), or left to the rules (an intercept, a
variance), so that nothing but a text is ever made of blocks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from satmodels.sem.model.rules import CONSTRUCT_OPERATORS, MAX_GROUPS
from satmodels.sem.model.terms import Term
from satmodels.sem.model.tokens import Source, Token


@dataclass
class Block:
    """The terms of one group, with the token at which each begins."""

    token: Token
    terms: list[Term] = field(default_factory=list[Term])
    places: list[Token] = field(default_factory=list[Token])


def open_block(source: Source, token: Token, before: int) -> Block:
    """Return the block that a line ``group: 2`` opens; blocks are numbered 1, 2, ... in order.

    Raises
    ------
    SpecError
        It is another number, or a name.
    """
    expected = before + 1
    if token.text != str(expected):
        raise source.at(
            token,
            f"'group: {expected}' is expected here: groups are numbered in the order in which they appear in the data",
        )
    if expected > MAX_GROUPS:
        raise source.at(token, f"a model has at most {MAX_GROUPS} groups")
    return Block(token)


def merged(source: Source, common: Block, blocks: list[Block]) -> tuple[list[Term], list[Token]]:
    """Return the terms of all groups as terms of one model, and where each first stands.

    Raises
    ------
    SpecError
        There is one block only, a term stands twice, a modifier in a block speaks of several groups, or a covariance
        of constructs is not in every block.
    """
    if len(blocks) == 1:
        raise source.at(blocks[0].token, "one group only: leave 'group: 1' out, or add 'group: 2'")
    shared = {_key(t) for t in common.terms}
    found: dict[tuple[str, str, str], list[Term | None]] = {}
    first: dict[tuple[str, str, str], Token] = {}
    for g, block in enumerate(blocks):
        for term, token in zip(block.terms, block.places, strict=True):
            key = _key(term)
            if key in shared or (key in found and found[key][g] is not None):
                raise source.at(token, f"'{term.lhs} {term.op} {term.rhs}' is given twice for group {g + 1}")
            if term.n_groups > 1:
                raise source.at(
                    token, "in a block a modifier speaks of one group: c(...) stands before the blocks"
                )
            found.setdefault(key, [None] * len(blocks))[g] = term
            first.setdefault(key, token)
    constructs = {t.lhs for b in (common, *blocks) for t in b.terms if t.op in CONSTRUCT_OPERATORS}
    terms, places = list(common.terms), list(common.places)
    begun = {t.lhs for t in common.terms if t.op == "=~"}
    for key, of_groups in found.items():
        absent = [g + 1 for g, t in enumerate(of_groups) if t is None]
        if absent and key[1] == "~~" and key[0] != key[2] and {key[0], key[2]} <= constructs:
            raise source.at(
                first[key],
                f"group {absent[0]} says nothing of '{key[0]} ~~ {key[2]}': write it there too (0*{key[2]} for none)",
            )
        term = _one_term(of_groups)
        if term.op == "=~" and term.lhs not in begun and "NA" in term.fixed:
            raise source.at(
                first[key],
                f"the first loading of {term.lhs!r} is written differently in the blocks: write 1*{term.rhs} or "
                f"NA*{term.rhs} where the rules would decide",
            )
        begun.add(term.lhs if term.op == "=~" else "")
        terms.append(term)
        places.append(first[key])
    return terms, places


def _key(term: Term) -> tuple[str, str, str]:
    lhs, rhs = sorted((term.lhs, term.rhs)) if term.op == "~~" else (term.lhs, term.rhs)
    return lhs, term.op, rhs


def _one_term(of_groups: list[Term | None]) -> Term:
    there = next(t for t in of_groups if t is not None)
    none: Any = 0.0 if there.op in ("=~", "~") or (there.op == "~~" and there.lhs != there.rhs) else None
    parts: dict[str, tuple[Any, ...]] = {
        "fixed": tuple(none if t is None else t.fixed_in(0) for t in of_groups),
        "start": tuple(None if t is None else t.start_in(0) for t in of_groups),
        "labels": tuple(None if t is None else t.label_in(0) for t in of_groups),
    }
    given: dict[str, Any] = {}
    if any(v is not None for v in parts["fixed"]):  # beside a fixed value NA says that a parameter is free
        labels = parts["labels"]
        parts["fixed"] = tuple(
            "NA" if v is None and n is None else v for v, n in zip(parts["fixed"], labels, strict=True)
        )
    for name, values in parts.items():
        if any(v is not None for v in values):
            given[name] = values[:1] if len(set(values)) == 1 and name != "labels" else values
    return Term.model_validate({"lhs": there.lhs, "op": there.op, "rhs": there.rhs, **given})
