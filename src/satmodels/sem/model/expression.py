"""Arithmetic over parameter labels: what stands right of ``:=`` and in constraints.

An expression is parsed into a small tree and computed by walking it; nothing is ever handed to an
evaluator of code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from satmodels.errors import SpecError
from satmodels.sem.model.tokens import Source, Token, is_plain_name, tokenize

MAX_DEPTH = 40
MAX_NODES = 2_000
FUNCTIONS = ("exp", "log", "sqrt", "abs")
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 4}
_SIGN_BINDS = 3  # -a^2 is -(a^2), and -a*b is (-a)*b


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """A parameter label or the name of a defined parameter."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """An operator ("+", "-", "*", "/", "^"), a sign ("negative") or a function, with its arguments."""

    function: str
    arguments: tuple[Expression, ...]


Expression = Number | Name | Call


def parse_expression(text: str) -> Expression:
    """Parse an expression that stands alone.

    Examples
    --------
    >>> show_expression(parse_expression("a*b + (c)"))
    'a*b + c'
    """
    source, tokens = tokenize(text)
    tokens = [t for t in tokens if t.kind != "end"]
    reader = ExpressionReader(source, tokens, 0)
    tree = reader.read()
    if tokens[reader.i].kind != "stop":
        raise source.at(tokens[reader.i], f"an operator is missing before {tokens[reader.i].text!r}")
    return tree


class ExpressionReader:
    """Reads one expression from a list of tokens, by precedence climbing."""

    def __init__(self, source: Source, tokens: list[Token], start: int) -> None:
        self.source, self.tokens, self.i = source, tokens, start
        self._nodes = 0

    def read(self, least: int = 1, depth: int = 0) -> Expression:
        """Read up to the first operator that binds less than ``least``."""
        left = self._operand(depth + 1)
        while True:
            token = self.tokens[self.i]
            binds = _BINDS.get(token.text, 0) if token.kind == "mark" else 0
            if binds < least or binds == 0:
                return left
            self.i += 1
            # "^" groups from the right, the others from the left
            right = self.read(binds if token.text == "^" else binds + 1, depth + 1)
            left = self._node(token, Call(token.text, (left, right)))

    def _node(self, token: Token, node: Expression) -> Expression:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self.source.at(token, f"an expression has at most {MAX_NODES:,} parts")
        return node

    def _operand(self, depth: int) -> Expression:
        token = self.tokens[self.i]
        if depth > MAX_DEPTH:
            raise self.source.at(token, f"an expression is nested at most {MAX_DEPTH} deep")
        self.i += 1
        if token.kind == "number":
            return self._node(token, Number(float(token.text)))
        if token.kind in ("name", "quoted"):
            if token.kind == "name" and self._is_mark("("):
                return self._function(token, depth)
            return self._node(token, Name(token.text))
        if token.kind == "mark" and token.text in "+-":
            inside = self.read(_SIGN_BINDS, depth + 1)
            return inside if token.text == "+" else self._node(token, Call("negative", (inside,)))
        if token.kind == "mark" and token.text == "(":
            inside = self.read(1, depth + 1)
            self._close(token)
            return inside
        what = repr(token.text) if token.text.strip(";") else "the end"
        raise self.source.at(token, f"a label, a number or '(' is expected here, not {what}")

    def _function(self, token: Token, depth: int) -> Expression:
        if token.text not in FUNCTIONS:
            raise self.source.at(
                token, f"there is no function {token.text!r}; there is: {', '.join(FUNCTIONS)}"
            )
        opening = self.tokens[self.i]
        self.i += 1
        inside = self.read(1, depth + 1)
        self._close(opening)
        return self._node(token, Call(token.text, (inside,)))

    def _is_mark(self, text: str) -> bool:
        token = self.tokens[self.i]
        return token.kind == "mark" and token.text == text

    def _close(self, opening: Token) -> None:
        if not self._is_mark(")"):
            raise self.source.at(opening, "this parenthesis is not closed")
        self.i += 1


def names_in(tree: Expression) -> Iterator[str]:
    """Go through the labels of an expression."""
    if isinstance(tree, Name):
        yield tree.name
    elif isinstance(tree, Call):
        for argument in tree.arguments:
            yield from names_in(argument)


def show_number(value: float) -> str:
    """Write a number so that reading gives the same number."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def show_name(name: str) -> str:
    """Write a name, in quotes where it needs them."""
    return name if is_plain_name(name) else '"' + name.replace('"', '""') + '"'


def show_expression(tree: Expression, least: int = 0) -> str:
    """Write an expression with the parentheses it needs."""
    if isinstance(tree, Number):
        return show_number(tree.value)
    if isinstance(tree, Name):
        return show_name(tree.name)
    if tree.function == "negative":
        text, binds = "-" + show_expression(tree.arguments[0], _SIGN_BINDS), _SIGN_BINDS
    elif tree.function in _BINDS:
        binds = _BINDS[tree.function]
        right_grouping = tree.function == "^"
        left = show_expression(tree.arguments[0], binds + right_grouping)
        right = show_expression(tree.arguments[1], binds + (not right_grouping))
        text = f"{left} {tree.function} {right}" if binds == 1 else f"{left}{tree.function}{right}"
    else:
        return f"{tree.function}({show_expression(tree.arguments[0])})"
    return f"({text})" if binds < least else text


def compute(tree: Expression, values: Mapping[str, Any]) -> Any:
    """Compute an expression; values may be numbers or arrays of one shape."""
    with np.errstate(all="ignore"):  # 1/0 gives inf, log(-1) gives NaN: the result shows it
        return _compute(tree, values)


def _compute(tree: Expression, values: Mapping[str, Any]) -> Any:
    if isinstance(tree, Number):
        return np.float64(tree.value)
    if isinstance(tree, Name):
        return np.asarray(values[tree.name], dtype=float)[()]
    arguments = [_compute(a, values) for a in tree.arguments]
    match tree.function:
        case "+":
            return arguments[0] + arguments[1]
        case "-":
            return arguments[0] - arguments[1]
        case "*":
            return arguments[0] * arguments[1]
        case "/":
            return arguments[0] / arguments[1]
        case "^":
            return arguments[0] ** arguments[1]
        case "negative":
            return -arguments[0]
        case "exp":
            return np.exp(arguments[0])
        case "log":
            return np.log(arguments[0])
        case "sqrt":
            return np.sqrt(arguments[0])
        case _:
            return np.abs(arguments[0])


def derivatives(
    tree: Expression, values: Mapping[str, float], gradients: Mapping[str, np.ndarray]
) -> tuple[float, np.ndarray]:
    """Return the value of an expression and its gradient, given those of its labels."""
    with np.errstate(all="ignore"):
        value, gradient = _derivatives(tree, values, gradients)
    if gradient is None:
        size = len(next(iter(gradients.values()))) if gradients else 0
        gradient = np.zeros(size)
    return float(value), gradient


def _derivatives(
    tree: Expression, values: Mapping[str, float], gradients: Mapping[str, np.ndarray]
) -> tuple[np.float64, np.ndarray | None]:
    if isinstance(tree, Number):
        return np.float64(tree.value), None
    if isinstance(tree, Name):
        return np.float64(values[tree.name]), gradients[tree.name]
    parts = [_derivatives(a, values, gradients) for a in tree.arguments]
    numbers = [v for v, _ in parts]
    value = np.float64(compute(Call(tree.function, tuple(Number(float(v)) for v in numbers)), {}))
    x = numbers[0]
    y = numbers[-1]
    slopes: list[Any]
    match tree.function:
        case "+":
            slopes = [1.0, 1.0]
        case "-":
            slopes = [1.0, -1.0]
        case "*":
            slopes = [y, x]
        case "/":
            slopes = [1 / y, -x / y**2]
        case "^":
            slopes = [y * x ** (y - 1), 0.0 if parts[1][1] is None else value * np.log(x)]
        case "negative":
            slopes = [-1.0]
        case "exp":
            slopes = [value]
        case "log":
            slopes = [1 / x]
        case "sqrt":
            slopes = [0.5 / value]
        case _:
            slopes = [np.sign(x)]
    total: np.ndarray | None = None
    for slope, (_, gradient) in zip(slopes, parts, strict=True):
        if gradient is not None:
            step = slope * gradient
            total = step if total is None else total + step
    return value, total


LinearForm = tuple[dict[str, float], float]


def linear_form(tree: Expression, forms: Mapping[str, LinearForm | None] | None = None) -> LinearForm | None:
    """Return coefficients by label and the constant of a linear expression; None where it is not linear.

    ``forms`` has those of names that are expressions themselves.
    """
    if isinstance(tree, Number):
        return {}, tree.value
    if isinstance(tree, Name):
        return forms[tree.name] if forms and tree.name in forms else ({tree.name: 1.0}, 0.0)
    parts = [linear_form(a, forms) for a in tree.arguments]
    if any(p is None for p in parts):
        return None
    parts_found = [p for p in parts if p is not None]
    if not any(f[0] for f in parts_found):  # a number, written in a long way
        return {}, float(compute(Call(tree.function, tuple(Number(f[1]) for f in parts_found)), {}))
    match tree.function:
        case "negative":
            return _scaled(parts_found[0], -1.0)
        case "+":
            return _added(parts_found[0], parts_found[1])
        case "-":
            return _added(parts_found[0], _scaled(parts_found[1], -1.0))
        case "*" if not parts_found[0][0]:
            return _scaled(parts_found[1], parts_found[0][1])
        case "*" if not parts_found[1][0]:
            return _scaled(parts_found[0], parts_found[1][1])
        case "/" if not parts_found[1][0] and parts_found[1][1] != 0:
            return _scaled(parts_found[0], 1 / parts_found[1][1])
        case _:
            return None


def _scaled(form: LinearForm, by: float) -> LinearForm:
    return {name: c * by for name, c in form[0].items()}, form[1] * by


def _added(a: LinearForm, b: LinearForm) -> LinearForm:
    names = dict.fromkeys([*a[0], *b[0]])
    return {n: a[0].get(n, 0.0) + b[0].get(n, 0.0) for n in names}, a[1] + b[1]


def check_expression(text: str, names: Mapping[str, Any] | frozenset[str]) -> str | None:
    """Return what is wrong with an expression given the labels there are, or None."""
    try:
        tree = parse_expression(text)
    except SpecError as error:
        return str(error)
    return next(
        (f"there is no parameter with the label {n!r}" for n in names_in(tree) if n not in names), None
    )
