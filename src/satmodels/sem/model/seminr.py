"""Models in the words of the R package seminr: read by a grammar of our own, never evaluated.

::

    text        := { [ name ("<-" | "=") ] (constructs | relationships) }
    constructs  := "constructs" "(" construct { "," construct } ")"
    construct   := ("composite" | "reflective") "(" name "," items [ "," "weights" "=" mode ] ")"
                 | ("higher_composite" | "higher_reflective") "(" name "," names [ "," ... ] ")"
    items       := multi_items(name, numbers, ...) | single_item(name) | names
    numbers     := number ":" number | number | c(number, ...)
    relationships := "relationships" "(" paths { "," paths } ")"
    paths       := "paths" "(" "from" "=" names "," "to" "=" names ")"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from satmodels.arguments import checked
from satmodels.errors import SpecError, near_matches
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.model.terms import Operator, Term
from satmodels.sem.model.tokens import MAX_CHARACTERS, Source, Token, name_problem

MAX_TERMS = 10_000  # of a model: ranges such as 1:999999999 are refused before they are counted out
WEIGHTS: Mapping[str, Operator] = {
    "mode_A": "=~",
    "correlation_weights": "=~",
    "mode_B": "<~",
    "regression_weights": "<~",
}
SIMPLE: tuple[str, ...] = ("composite", "reflective")
HIGHER: tuple[str, ...] = ("higher_composite", "higher_reflective")
ITEMS: tuple[str, ...] = ("multi_items", "single_item", "c")
_TOKEN = re.compile(
    r"(?P<space>[ \t\u00a0\ufeff]+)|(?P<comment>#[^\n]*)|(?P<end>\n|;)"
    r"|(?P<quoted>\"[^\"\n\\]*\"|'[^'\n\\]*')|(?P<number>[0-9]{1,6}(?![\w.]))"
    r"|(?P<name>[^\W\d][\w.]*)|(?P<mark><-|[(),:=])"
)
_T = TypeVar("_T")


@checked
def from_seminr(text: str) -> ModelSpec:
    r"""Read a model written in the words of the R package seminr.

    Parameters
    ----------
    text : str
        ``constructs(...)`` and ``relationships(...)``, with or without a name they are given to, and
        nothing else. At most 64 KiB.

    Returns
    -------
    ModelSpec
        ``composite`` and ``reflective`` blocks are ``=~`` (mode A), composites with ``weights = mode_B`` or
        ``regression_weights`` are ``<~``. Models with ``reflective`` constructs are fitted as in seminr by
        ``PLSPM(spec, consistent=True)``. ``higher_composite`` gives a construct of constructs, for
        :func:`higher_order`; products come from :func:`with_interaction`.

    Raises
    ------
    SpecError
        Anything else, with line, column and a caret under the place. Nothing is ever evaluated.

    Examples
    --------
    >>> import satmodels as sat
    >>> spec = sat.from_seminr('''
    ... measurement <- constructs(
    ...   composite("Image",   multi_items("IMAG", 1:3)),
    ...   composite("Loyalty", c("CUSL1", "CUSL2"), weights = mode_B)
    ... )
    ... structure <- relationships(paths(from = "Image", to = "Loyalty"))
    ... ''')
    >>> print(spec)
    Image =~ IMAG1 + IMAG2 + IMAG3
    Loyalty <~ CUSL1 + CUSL2
    Loyalty ~ Image
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_CHARACTERS:
        raise SpecError(f"the model text is longer than {MAX_CHARACTERS:,} bytes")
    return _Reader(text).model()


def _tokens(source: Source) -> list[Token]:
    found: list[Token] = []
    for number, line in enumerate(source.lines, start=1):
        i = 0
        while i < len(line):
            match = _TOKEN.match(line, i)
            if match is None:
                what = (
                    "this text does not end on its line"
                    if line[i] in "\"'"
                    else f"{line[i]!r} does not belong here"
                )
                raise source.error(f"{what}: only constructs() and relationships() are read", number, i + 1)
            kind = str(match.lastgroup)
            if kind in ("quoted", "number", "name", "mark"):
                shown = match[0][1:-1] if kind == "quoted" else match[0]
                found.append(Token(kind, shown, number, i + 1))
            i = match.end()
    found.append(Token("stop", "", len(source.lines), len(source.lines[-1]) + 1))
    return found


class _Reader:
    """Recursive descent over the tokens; its depth is that of the grammar, whatever the text."""

    def __init__(self, text: str) -> None:
        self.source = Source(text)
        self.tokens = _tokens(self.source)
        self.at = 0
        self.terms: list[Term] = []
        self.constructs: dict[str, Token] = {}
        self.parts: list[Token] = []  # dimensions of higher constructs, which may be named before they come
        self.paths: list[tuple[Token, Token]] = []

    # walking ---------------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def fail(self, message: str, token: Token | None = None) -> SpecError:
        return self.source.at(token or self.token, message)

    def take(self, text: str) -> Token:
        if self.token.kind not in ("mark", "name") or self.token.text != text:
            raise self.fail(f"expected {text!r} here")
        self.at += 1
        return self.tokens[self.at - 1]

    def skip(self, text: str) -> bool:
        if self.token.kind == "mark" and self.token.text == text:
            self.at += 1
            return True
        return False

    def word(self, what: str, known: tuple[str, ...]) -> Token:
        token = self.token
        if token.kind != "name" or token.text not in known:
            raise self.fail(f"this is no {what}.{near_matches(token.text, known)}")
        self.at += 1
        return token

    def several(self, one: Callable[[], None]) -> None:
        """Read ``( one, one, ... )``."""
        self.take("(")
        one()
        while self.skip(","):
            one()
        self.take(")")

    def arguments(self, readers: Mapping[str, Callable[[], Any]], needed: tuple[str, ...]) -> dict[str, Any]:
        """Read the arguments of a call, by place and then by name."""
        found: dict[str, Any] = {}
        call = self.tokens[self.at - 1]
        order = list(readers)
        named = False

        def one() -> None:
            nonlocal named
            token = self.token
            if token.kind == "name" and self.tokens[self.at + 1].text == "=":
                named = True
                name = self.word(f"argument of {call.text}()", tuple(order)).text
                self.take("=")
            elif named or len(found) >= len(order):
                raise self.fail(f"{call.text}() takes the arguments {', '.join(order)}")
            else:
                name = order[len(found)]
            if name in found:
                raise self.fail(f"{name!r} is given twice", token)
            found[name] = readers[name]()

        self.several(one)
        if lacking := [name for name in needed if name not in found]:
            raise self.fail(f"{call.text}() lacks {', '.join(lacking)}", call)
        return found

    # the grammar -----------------------------------------------------------------------------------

    def model(self) -> ModelSpec:
        done: dict[str, Token] = {}
        parts = {"constructs": self.construct, "relationships": self.path}
        while self.token.kind != "stop":
            if self.token.kind == "name" and self.tokens[self.at + 1].text in ("<-", "="):
                self.at += 2
            call = self.word("part of a model", tuple(parts))
            if call.text in done:
                raise self.fail(f"{call.text}() is there twice", call)
            done[call.text] = call
            self.several(parts[call.text])
        if lacking := [name for name in parts if name not in done]:
            raise self.fail(f"the model lacks {lacking[0]}()")
        for token in (*self.parts, *(end for path in self.paths for end in path)):
            if token.text not in self.constructs:
                raise self.fail(
                    f"there is no construct {token.text!r}.{near_matches(token.text, self.constructs)}", token
                )
        seen: set[tuple[str, str]] = set()
        for source, target in self.paths:
            if (source.text, target.text) in seen:
                raise self.fail(f"the path {source.text} -> {target.text} is there twice", target)
            seen.add((source.text, target.text))
            self.terms.append(Term(lhs=target.text, op="~", rhs=source.text))
        try:
            return ModelSpec(terms=tuple(self.terms))
        except SpecError as error:
            raise self.fail(str(error), done["constructs"]) from error

    def construct(self) -> None:
        if self.token.text == "interaction_term":
            raise self.fail("products of constructs are added by with_interaction(), not here")
        call = self.word("construct", (*SIMPLE, *HIGHER))
        readers: dict[str, Callable[[], Any]]
        if call.text in SIMPLE:
            readers = {"construct_name": self.name, "item_names": self.items}
        else:
            readers = {"construct_name": self.name, "dimensions": self.names}
        needed = tuple(readers)
        if call.text in HIGHER:
            readers["method"] = lambda: self.word("method", ("two_stage",))
        if call.text.endswith("composite"):
            readers["weights"] = lambda: self.word("kind of weights", tuple(WEIGHTS))
        given = self.arguments(readers, needed)
        name: Token = given["construct_name"]
        if name.text in self.constructs:
            raise self.fail(f"the construct {name.text!r} is there twice", name)
        self.constructs[name.text] = name
        members: list[Token] = given[needed[1]]
        if call.text in HIGHER:
            self.parts += members
        op = WEIGHTS[given["weights"].text] if "weights" in given else "=~"
        self.room(len(members))
        self.terms += [Term(lhs=name.text, op=op, rhs=member.text) for member in members]

    def room(self, more: int) -> None:
        if len(self.terms) + len(self.paths) + more > MAX_TERMS:
            raise self.fail(f"the model has more than {MAX_TERMS:,} items and paths")

    def path(self) -> None:
        self.word("path", ("paths",))
        given = self.arguments({"from": self.names, "to": self.names}, ("from", "to"))
        self.room(len(given["from"]) * len(given["to"]))
        self.paths += [(source, target) for target in given["to"] for source in given["from"]]

    def name(self) -> Token:
        token = self.token
        if token.kind != "quoted":
            raise self.fail("expected a name in quotes here")
        if problem := name_problem(token.text):
            raise self.fail(problem)
        self.at += 1
        return token

    def affix(self) -> str:
        token = self.token
        if token.kind != "quoted":
            raise self.fail("expected a text in quotes here")
        self.at += 1
        return token.text

    def names(self) -> list[Token]:
        return self.vector(self.name)

    def vector(self, one: Callable[[], _T]) -> list[_T]:
        if self.token.kind != "name":
            return [one()]
        self.word("list: c(...)", ("c",))
        found: list[_T] = []
        self.several(lambda: found.append(one()))
        return found

    def number(self) -> int:
        if self.token.kind != "number":
            raise self.fail("expected a whole number here")
        self.at += 1
        return int(self.tokens[self.at - 1].text)

    def numbers(self) -> list[int]:
        token = self.token
        found = self.vector(self.number)
        if token.kind == "number" and self.skip(":"):
            first, last = found[0], self.number()
            if abs(last - first) >= MAX_TERMS:
                raise self.fail(f"more than {MAX_TERMS:,} items", token)
            step = 1 if last >= first else -1
            return list(range(first, last + step, step))
        return found

    def items(self) -> list[Token]:
        token = self.token
        if token.kind == "quoted":
            return [self.name()]
        call = self.word("list of items", ITEMS)
        if call.text == "single_item":
            return [self.arguments({"item": self.name}, ("item",))["item"]]
        if call.text == "c":
            self.at -= 1
            return self.names()
        readers: dict[str, Callable[[], Any]] = {"item_name": self.name, "item_numbers": self.numbers}
        readers |= dict.fromkeys(("prefix", "mid", "suffix"), self.affix)
        given = self.arguments(readers, ("item_name", "item_numbers"))
        stem: str = given.get("prefix", "") + given["item_name"].text + given.get("mid", "")
        tail: str = given.get("suffix", "")
        names = [f"{stem}{number}{tail}" for number in given["item_numbers"]]
        self.room(len(names))
        for name in names:
            if problem := name_problem(name):
                raise self.fail(problem, call)
        return [Token("quoted", name, call.line, call.column) for name in names]
