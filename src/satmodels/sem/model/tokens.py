"""From characters to tokens, in one pass whose cost grows with the length of the text alone."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass

from satmodels.errors import SpecError

MAX_CHARACTERS = 64 * 1024  # a model text of 200 variables has about 10,000
MAX_NAME = 200
# longest first, so that "~~" is not read as two "~"
OPERATORS = ("~*~", "=~", "<~", "~~", ":=", "==", ">=", "<=", "~", ">", "<", "|", "=")
MARKS = "+-*/^(),"
# characters that look like ours: what they were probably meant to be
LOOK_ALIKES = {
    "∼": "~",
    "～": "~",
    "˜": "~",
    "＝": "=",
    "＋": "+",
    "＊": "*",
    "×": "*",
    "−": "-",
    "–": "-",
    "（": "(",
    "）": ")",
    "，": ",",
    "：": ":",
    "；": ";",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "＃": "#",
}
# scripts whose letters are mistaken for each other
_CONFUSED_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "FULLWIDTH")
# a line that begins a part of the model; "group := a" is a definition
_BLOCK = re.compile(r"[ \t]{0,80}(group|level|block)[ \t]{0,80}:(?!=)")
_NUMBER = re.compile(r"(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,4})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """One token with its place (line and column count from 1)."""

    kind: (
        str  # "name", "quoted", "number", "operator", "mark", "block" ("group: 2"), "end" (of a line), "stop"
    )
    text: str
    line: int
    column: int


class Source:
    """A model text that knows how to point at a place in itself."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")

    def error(self, message: str, line: int, column: int) -> SpecError:
        """Return the error at a place, with the line and a caret."""
        shown = self.lines[line - 1].replace("\t", " ") if line <= len(self.lines) else ""
        if len(shown) > 160:  # a caret far to the right helps nobody
            start = max(0, column - 80)
            shown = shown[start : start + 160]
            error = SpecError(
                f"line {line}, column {column}: {message}\n    {shown}\n    {' ' * (column - 1 - start)}^"
            )
            error.line, error.column = line, column
            return error
        return SpecError(message, line=line, column=column, text=shown)

    def at(self, token: Token, message: str) -> SpecError:
        """Return the error at a token."""
        return self.error(message, token.line, token.column)


def tokenize(text: str) -> tuple[Source, list[Token]]:
    """Split a model text into tokens.

    Raises
    ------
    SpecError
        The text is too long, a character does not belong, a quotation or a number is broken, or a
        name mixes letters of scripts that look alike.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MAX_CHARACTERS or len(text.encode("utf-8", "surrogatepass")) > MAX_CHARACTERS:
        raise SpecError(
            f"the model text is longer than {MAX_CHARACTERS:,} bytes; a model of 200 variables needs a tenth"
        )
    source = Source(text)
    tokens: list[Token] = []
    for number, line in enumerate(source.lines, start=1):
        _scan_line(source, line, number, tokens)
        tokens.append(Token("end", "", number, len(line) + 1))
    tokens.append(Token("stop", "", len(source.lines), len(source.lines[-1]) + 1))
    return source, tokens


def is_plain_name(name: str) -> bool:
    """Say whether a name can be written without quotes."""
    return (
        bool(name)
        and _starts_name(name[0])
        and all(map(_continues_name, name))
        and name != "NA"
        and not mixed_scripts(name)
    )


def mixed_scripts(name: str) -> tuple[str, ...]:
    """Return the look-alike scripts that a name mixes; empty where it is of one script."""
    scripts = {unicodedata.name(c, "?").split(" ")[0] for c in name if not c.isascii()} & set(
        _CONFUSED_SCRIPTS
    )
    if any(c.isascii() and c.isalpha() for c in name):
        scripts.add("LATIN")
    return tuple(sorted(scripts)) if len(scripts) > 1 else ()


def _starts_name(c: str) -> bool:
    return c.isalpha() or c in "_."


def _continues_name(c: str) -> bool:
    # letters, digits and the marks that scripts such as Thai and Hindi write their vowels with
    return c.isalnum() or c in "_." or unicodedata.category(c) in ("Mn", "Mc")


def _scan_line(source: Source, line: str, number: int, tokens: list[Token]) -> None:
    if block := _BLOCK.match(line):
        tokens.append(_block(source, line, number, block))
        return
    i = 0
    while i < len(line):
        c = line[i]
        if c in "#!":
            return
        if c in " \t\u00a0\u3000\ufeff":
            i += 1
        elif c == ";":
            tokens.append(Token("end", ";", number, i + 1))
            i += 1
        elif c in "\"'`":
            i = _scan_quoted(source, line, number, i, tokens)
        elif c.isascii() and (c.isdigit() or (c == "." and line[i + 1 : i + 2].isdigit())):
            i = _scan_number(source, line, number, i, tokens)
        elif _starts_name(c):
            i = _scan_name(source, line, number, i, tokens)
        elif c in "~=<>:|" and (operator := next((o for o in OPERATORS if line.startswith(o, i)), None)):
            tokens.append(Token("operator", operator, number, i + 1))
            i += len(operator)
        elif c in MARKS:
            tokens.append(Token("mark", c, number, i + 1))
            i += 1
        else:
            raise source.error(_strange(c), number, i + 1)


def _block(source: Source, line: str, number: int, block: re.Match[str]) -> Token:
    """Read a line such as ``group: 2``."""
    rest = re.split("[#!;]", line[block.end() :], maxsplit=1)[0]
    column = block.end() + len(rest) - len(rest.lstrip()) + 1
    if block[1] != "group":
        raise source.error(
            f"'{block[1]}:' is not part of the language: models have one level", number, block.start(1) + 1
        )
    if ";" in line[block.end() :]:
        raise source.error("'group:' stands on a line of its own", number, block.start(1) + 1)
    return Token("block", rest.strip(), number, column)


def _strange(c: str) -> str:
    if c in LOOK_ALIKES:
        return f"the character {c!r} only looks like {LOOK_ALIKES[c]!r}: type the plain one"
    hint = {
        ":": " Interactions (x:z) are not part of the language; ':=' defines a parameter.",
        "%": " Percent signs are not part of the language.",
    }.get(c, " A name with such characters is written in quotes.")
    return f"the character {c!r} (U+{ord(c):04X}) does not belong here.{hint}"


def _scan_quoted(source: Source, line: str, number: int, start: int, tokens: list[Token]) -> int:
    quote, i, found = line[start], start + 1, ""
    while i < len(line):
        if line[i] == quote:
            if line[i + 1 : i + 2] == quote:  # a doubled quote stands for itself
                found += quote
                i += 2
                continue
            if not found.strip():
                raise source.error("a name in quotes can't be empty", number, start + 1)
            _check_name(source, found, number, start)
            tokens.append(Token("quoted", found, number, start + 1))
            return i + 1
        found += line[i]
        if len(found) > MAX_NAME:
            break
        i += 1
    raise source.error(
        f"this quotation does not end on its line (names have at most {MAX_NAME} characters)",
        number,
        start + 1,
    )


def _scan_name(source: Source, line: str, number: int, start: int, tokens: list[Token]) -> int:
    i = start + 1
    while i < len(line) and _continues_name(line[i]):
        i += 1
    name = line[start:i]
    _check_name(source, name, number, start)
    tokens.append(Token("name", name, number, start + 1))
    return i


def _check_name(source: Source, name: str, number: int, start: int) -> None:
    if len(name) > MAX_NAME:
        raise source.error(f"a name has at most {MAX_NAME} characters", number, start + 1)
    if problem := name_problem(name):
        raise source.error(problem, number, start + 1)


def name_problem(name: str) -> str | None:
    """Return what is wrong with a name of a variable or label, or None."""
    if not name.strip():
        return "a name can't be empty"
    if len(name) > MAX_NAME:
        return f"a name has at most {MAX_NAME} characters"
    if scripts := mixed_scripts(name):
        words = " and ".join(s.lower() for s in scripts)
        return f"the name {name!r} mixes {words} letters that look alike: type it in one script"
    if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for c in name):
        return f"the name {name!a} has invisible characters"
    if not any(c.isalnum() for c in name):
        return f"the name {name!r} has no letter or digit: it can be mistaken for an operator"
    return None


def _scan_number(source: Source, line: str, number: int, start: int, tokens: list[Token]) -> int:
    match = _NUMBER.match(line, start)
    if match is None:
        raise source.error("this is no number", number, start + 1)
    end = match.end()
    if end < len(line) and (_continues_name(line[end])):
        raise source.error(
            "a name does not begin with a digit (a name that does is written in quotes)", number, start + 1
        )
    if not math.isfinite(float(match[0])):
        raise source.error(f"the number {match[0]} is too large", number, start + 1)
    tokens.append(Token("number", match[0], number, start + 1))
    return end
