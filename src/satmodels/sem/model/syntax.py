"""lavaan's words, read by a grammar of our own; nothing in a model text is ever executed.

::

    Quality =~ q1 + q2 + q3          # construct, reflective items
    Image <~ i1 + i2                 # construct, composite of its items
    Satisfaction ~ a*Quality + Image # paths, one of them labelled
    q1 ~~ q2                         # covariance of residuals
    q1 ~ 1                           # intercept
    q1 | t1 + t2                     # thresholds of an ordered column
    q1 ~*~ c(1, NA)*q1               # its scaling factor
    f =~ NA*x1 + 0.5*x2 + start(0.8)*x3 + c(a, b)*x4    # freed, fixed, started, labelled by group
    total := a + b*c                 # defined parameter
    a == 2*b ; b > 0                 # constraints

    group: 1                         # what follows holds for the first group of the data only
    Satisfaction ~ a1*Quality
    group: 2
    Satisfaction ~ a2*Quality

A line goes on where it ends or the next one begins with an operator. ``#`` and ``!`` begin comments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from satmodels.errors import SpecError
from satmodels.sem.model.blocks import Block, merged, open_block
from satmodels.sem.model.expression import ExpressionReader, show_expression
from satmodels.sem.model.rules import MAX_TERMS, Problem, find_problem
from satmodels.sem.model.terms import Constraint, Defined, Term
from satmodels.sem.model.tokens import Source, Token, tokenize

FORMULAS = ("=~", "<~", "~", "~~", "|", "~*~")
COMPARISONS = ("==", ">", "<")
NOT_OURS = {
    "=": "'=' is no operator: '=~' measures a construct, '==' is a constraint, ':=' defines a parameter",
    ">=": "write '>' : an inequality includes its bound",
    "<=": "write '<' : an inequality includes its bound",
}


@dataclass
class Parsed:
    """The parts of a text with the token where each stands."""

    terms: list[Term] = field(default_factory=list[Term])
    defined: list[Defined] = field(default_factory=list[Defined])
    constraints: list[Constraint] = field(default_factory=list[Constraint])
    places: dict[tuple[str, int], Token] = field(default_factory=dict[tuple[str, int], Token])
    tokens: list[Token] = field(default_factory=list[Token])  # of the terms of one statement


def parse_model(text: object) -> Parsed:
    """Read a model text.

    Raises
    ------
    SpecError
        With line, column and a caret, whatever is wrong with the text.
    """
    if not isinstance(text, str):
        raise SpecError(f"a model text is a str, not {type(text).__name__}")
    source, tokens = tokenize(text)
    parsed = Parsed()
    common = Block(tokens[0])
    blocks: list[Block] = []
    for statement in _statements(tokens):
        if statement[0].kind == "block":
            blocks.append(open_block(source, statement[0], len(blocks)))
            continue
        own = Parsed(defined=parsed.defined, constraints=parsed.constraints, places=parsed.places)
        _Statement(source, statement, own).read()
        block = blocks[-1] if blocks else common
        block.terms += own.terms
        block.places += own.tokens
        if len(common.terms) + sum(len(b.terms) for b in blocks) > MAX_TERMS:
            raise source.at(statement[0], f"a model has at most {MAX_TERMS:,} terms")
    terms, places = merged(source, common, blocks) if blocks else (common.terms, common.places)
    parsed.terms += terms
    parsed.places |= {("term", i): token for i, token in enumerate(places)}
    problem = find_problem(parsed.terms, parsed.defined, parsed.constraints)
    if problem is not None:
        raise _located(source, parsed, problem)
    return parsed


def _located(source: Source, parsed: Parsed, problem: Problem) -> SpecError:
    token = parsed.places.get((problem.part, problem.position))
    return source.error(problem.message, 1, 1) if token is None else source.at(token, problem.message)


def _statements(tokens: list[Token]) -> list[list[Token]]:
    """Cut the tokens at the ends of statements; each piece ends with a "stop" token."""
    pieces: list[list[Token]] = []
    piece: list[Token] = []
    depth = 0
    following = _following(tokens)
    for token, after in zip(tokens, following, strict=True):
        if token.kind == "end" and not token.text:
            goes_on = (
                depth > 0 or (piece and _joins(piece[-1])) or (after.kind == "mark" and after.text in "+*/^,")
            )
            if goes_on and after.kind != "stop":
                continue
        if token.kind == "block":
            pieces += [[*piece, Token("stop", "", token.line, token.column)]] if piece else []
            pieces.append([token])
            piece, depth = [], 0
            continue
        if token.kind in ("end", "stop"):
            if piece:
                pieces.append([*piece, Token("stop", "", token.line, token.column)])
            piece, depth = [], 0
            continue
        if token.kind == "mark":
            depth += (token.text == "(") - (token.text == ")")
        piece.append(token)
    return pieces


def _following(tokens: list[Token]) -> list[Token]:
    """Return for each token the next one that is not the end of a line."""
    following: list[Token] = []
    after = tokens[-1]
    for token in reversed(tokens):
        following.append(after)
        if token.kind != "end" or token.text:
            after = token
    return following[::-1]


def _joins(token: Token) -> bool:
    return token.kind == "operator" or (token.kind == "mark" and token.text != ")")


class _Statement:
    """Reads one statement."""

    def __init__(self, source: Source, tokens: list[Token], parsed: Parsed) -> None:
        self.source, self.tokens, self.parsed = source, tokens, parsed
        self._place_of: dict[tuple[str, str, str], int] = {}  # of the terms read so far

    def read(self) -> None:
        at = next((i for i, t in enumerate(self.tokens) if t.kind == "operator"), None)
        if at is None:
            raise self.source.at(
                self.tokens[0], "this line has no operator: it needs one of =~ <~ ~ ~~ | ~*~ := == > <"
            )
        operator = self.tokens[at]
        if operator.text in NOT_OURS:
            raise self.source.at(operator, NOT_OURS[operator.text])
        for token in self.tokens[at + 1 :]:
            if token.kind == "operator":
                raise self.source.at(
                    token,
                    f"a second operator {token.text!r} in one statement (begin a new line, or put ';' between)",
                )
        if operator.text in FORMULAS:
            self._formula(at)
        elif operator.text == ":=":
            self._definition(at)
        else:
            self._constraint(at)

    # formulas -----------------------------------------------------------------------------------

    def _formula(self, at: int) -> None:
        operator = self.tokens[at]
        targets = [self._single_name(p, operator) for p in self._split(self.tokens[:at], "+", operator)]
        pieces = self._split(self.tokens[at + 1 : -1], "+", self.tokens[-1])
        if len(targets) * len(pieces) > MAX_TERMS:  # before they are multiplied out
            raise self.source.at(operator, f"a model has at most {MAX_TERMS:,} terms")
        for target in targets:
            for piece in pieces:
                self._add(self._term(target, operator.text, piece), piece[0])

    def _add(self, term: Term, token: Token) -> None:
        # one formula may name a variable again to add another modifier, as lavaan allows
        place = self._place_of.setdefault((term.lhs, term.op, term.rhs), len(self.parsed.terms))
        if place == len(self.parsed.terms):
            self.parsed.tokens.append(token)
            self.parsed.terms.append(term)
            return
        other = self.parsed.terms[place]
        both = {name: getattr(term, name) or getattr(other, name) for name in ("fixed", "start", "labels")}
        clash = any(getattr(term, n) and getattr(other, n) for n in both)
        if term.plain or other.plain or clash:
            raise self.source.at(token, f"'{term.lhs} {term.op} {term.rhs}' is given twice")
        self.parsed.terms[place] = term.model_copy(update=both)

    def _split(self, tokens: list[Token], mark: str, end: Token) -> list[list[Token]]:
        """Cut tokens at a mark outside parentheses; no piece may be empty."""
        pieces: list[list[Token]] = [[]]
        depth = 0
        opened: Token | None = None
        for token in tokens:
            if token.kind == "mark" and token.text in "()":
                depth += 1 if token.text == "(" else -1
                opened = token if token.text == "(" else opened
                if depth < 0:
                    raise self.source.at(token, "this parenthesis was not opened")
            if depth == 0 and token.kind == "mark" and token.text == mark:
                if not pieces[-1]:
                    raise self.source.at(token, f"something is missing before {mark!r}")
                pieces.append([])
            else:
                pieces[-1].append(token)
        if depth > 0 and opened is not None:
            raise self.source.at(opened, "this parenthesis is not closed")
        if not pieces[-1]:
            what = repr(end.text) if end.text else "the end of the line"
            raise self.source.at(end, f"a name is missing before {what}")
        return pieces

    def _single_name(self, piece: list[Token], operator: Token) -> str:
        if piece[0].kind not in ("name", "quoted"):
            raise self.source.at(
                piece[0], f"a name is expected left of {operator.text!r}, not {piece[0].text!r}"
            )
        if len(piece) > 1:
            raise self.source.at(
                piece[1],
                f"{piece[1].text!r} does not belong left of {operator.text!r}: names joined by '+' do",
            )
        return piece[0].text

    def _term(self, target: str, op: str, piece: list[Token]) -> Term:
        *modifiers, atom = self._split(piece, "*", piece[-1])
        if len(atom) > 1:
            raise self.source.at(
                atom[1], f"'+' is missing before {atom[1].text!r} (a name with blanks or signs is quoted)"
            )
        given: dict[str, tuple[Any, ...]] = {}
        for modifier in modifiers:
            for kind, values in self._modifier(modifier).items():
                if kind in given:
                    raise self.source.at(modifier[0], "this term has two modifiers of one kind")
                given[kind] = values
        token = atom[0]
        if token.kind in ("name", "quoted"):
            if token.text == "NA" and token.kind == "name":
                raise self.source.at(token, "NA is no variable: 'NA*x' frees the parameter of x")
            return _new_term(target, op, token.text, given)
        if token.kind == "number" and op == "~" and float(token.text) in (0.0, 1.0):
            if float(token.text) == 0.0:  # R's way to write "no intercept"
                if given:
                    raise self.source.at(token, "'~ 0' takes no modifier: write '~ 0*1'")
                given = {"fixed": (0.0,)}
            return _new_term(target, "~1", "", given)
        raise self.source.at(token, f"the name of a variable is expected, not {token.text!r}")

    # modifiers ----------------------------------------------------------------------------------

    def _modifier(self, tokens: list[Token]) -> dict[str, tuple[Any, ...]]:
        head = tokens[0]
        called = head.kind == "name" and len(tokens) > 1 and tokens[1].text == "("
        if not called:
            return self._by_kind([self._value(tokens)])
        arguments = self._arguments(tokens)
        if head.text == "c":
            return self._by_kind([self._value(a) for a in arguments])
        if head.text == "start":
            if len(arguments) == 1 and len(arguments[0]) > 1 and arguments[0][0].text == "c":
                arguments = self._arguments(arguments[0])
            values = [self._value(a) for a in arguments]
            if any(isinstance(v, str) and v != "NA" for v in values):
                raise self.source.at(head, "start(...) takes numbers")
            return {"start": tuple(None if v == "NA" else v for v in values)}
        raise self.source.at(
            head, f"there is no modifier {head.text!r}; there is: a number, NA, a label, start(...), c(...)"
        )

    def _arguments(self, tokens: list[Token]) -> list[list[Token]]:
        if tokens[1].text != "(" or tokens[-1].text != ")" or len(tokens) < 4:
            raise self.source.at(tokens[0], f"{tokens[0].text}(...) needs its values in parentheses")
        return self._split(tokens[2:-1], ",", tokens[-1])

    def _value(self, tokens: list[Token]) -> float | str:
        """Read a modifier's value: a number, "NA", or a label (as it is, never a number)."""
        sign = 1.0
        rest = tokens
        if tokens[0].kind == "mark" and tokens[0].text in "+-" and len(tokens) > 1:
            sign, rest = (-1.0 if tokens[0].text == "-" else 1.0), tokens[1:]
        if len(rest) == 1 and rest[0].kind == "number":
            return sign * float(rest[0].text)
        if len(tokens) == 1 and tokens[0].kind in ("name", "quoted"):
            return tokens[0].text
        raise self.source.at(tokens[0], "a modifier is a number, NA, a label, start(...) or c(...)")

    def _by_kind(self, values: list[float | str]) -> dict[str, tuple[Any, ...]]:
        found: dict[str, tuple[Any, ...]] = {}
        if any(isinstance(v, float) or v == "NA" for v in values):
            found["fixed"] = tuple(v if isinstance(v, float) or v == "NA" else None for v in values)
        if any(isinstance(v, str) and v != "NA" for v in values):
            found["labels"] = tuple(v if isinstance(v, str) and v != "NA" else None for v in values)
        return found

    # definitions and constraints ----------------------------------------------------------------

    def _definition(self, at: int) -> None:
        operator = self.tokens[at]
        if at == 0:
            raise self.source.at(operator, "a name is missing before ':='")
        name = self._single_name(self.tokens[:at], operator)
        self.parsed.places["defined", len(self.parsed.defined)] = self.tokens[0]
        self.parsed.defined.append(
            Defined(name=name, expression=self._expression(at + 1, len(self.tokens) - 1))
        )

    def _constraint(self, at: int) -> None:
        operator = self.tokens[at].text
        if operator not in COMPARISONS:
            raise self.source.at(self.tokens[at], f"{operator!r} is not known here")
        left, right = self._expression(0, at), self._expression(at + 1, len(self.tokens) - 1)
        self.parsed.places["constraint", len(self.parsed.constraints)] = self.tokens[0]
        self.parsed.constraints.append(
            Constraint.model_validate({"left": left, "op": operator, "right": right})
        )

    def _expression(self, start: int, end: int) -> str:
        stop = self.tokens[end]
        tokens = [*self.tokens[start:end], Token("stop", "", stop.line, stop.column)]
        reader = ExpressionReader(self.source, tokens, 0)
        tree = reader.read()
        left_over = tokens[reader.i]
        if left_over.kind != "stop":
            raise self.source.at(left_over, f"an operator is missing before {left_over.text!r}")
        return show_expression(tree)


def _new_term(lhs: str, op: str, rhs: str, modifiers: dict[str, tuple[Any, ...]]) -> Term:
    return Term.model_validate({"lhs": lhs, "op": op, "rhs": rhs, **modifiers})
