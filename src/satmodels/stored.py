"""Documents that are written to disk or sent over a wire, and read back with suspicion.

A document is JSON: its kind, its version, its body and a checksum of the body. Reading refuses what is
too large, too deep, not finite, unknown, twice there, or changed since it was written. Nothing in a
document is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from satmodels.errors import ArgumentError

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 64  # our deepest document has eight levels
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)  # a bracket inside a text does not count
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_NO_BRACKET = re.compile(r"[^\[\]{}]+")
_EMPTY_BRACKETS = re.compile(r"\[\]|\{\}")


def write_document(kind: str, version: int, body: Mapping[str, Any]) -> str:
    """Return the JSON text of a document, with the checksum of its body."""
    return json.dumps(
        {"kind": kind, "version": version, "checksum": _checksum(body), "body": body},
        ensure_ascii=False,
        allow_nan=False,
    )


def read_document(text: str | bytes, kind: str, version: int, fields: Iterable[str]) -> dict[str, Any]:
    """Return the body of a document of this kind and version with exactly these fields.

    Raises
    ------
    ArgumentError
        Anything about the text is not as :func:`write_document` leaves it.
    """
    document = read_json(text)
    if not isinstance(document, dict):
        raise ArgumentError(f"a stored {kind} is a JSON object, not {type(document).__name__}")
    document = cast("dict[str, Any]", document)
    _exactly(document, ("kind", "version", "checksum", "body"), f"stored {kind}")
    if document["kind"] != kind:
        raise ArgumentError(f"this is a stored {document['kind']!r}, not a {kind!r}")
    if document["version"] != version:
        raise ArgumentError(
            f"this {kind} was stored in version {document['version']!r}; this satmodels reads version {version}"
        )
    body = document["body"]
    if not isinstance(body, dict):
        raise ArgumentError(f"the body of a stored {kind} is a JSON object")
    body = cast("dict[str, Any]", body)
    _exactly(body, fields, f"body of a stored {kind}")
    if _checksum(body) != document["checksum"]:
        raise ArgumentError(f"the checksum of this stored {kind} is wrong: it was changed or cut off")
    return body


def read_json(text: str | bytes) -> Any:
    """Parse JSON strictly: no NaN or infinity, no duplicate keys, limits on size and depth."""
    given: Any = text
    if not isinstance(given, str | bytes):
        raise ArgumentError(f"a stored document is text, not {type(given).__name__}")
    if len(text) > MAX_BYTES:
        raise ArgumentError(f"the JSON text has {len(text):,} bytes; the limit is {MAX_BYTES:,}")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ArgumentError(f"the JSON text is not UTF-8: {error}") from error
    _check_depth(text)
    try:
        found = json.loads(
            text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_unique_keys
        )
        if _SURROGATE.search(text):
            # half a character, which no file and no database takes
            json.dumps(found, ensure_ascii=False).encode()
        return found
    except ArgumentError:
        raise
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"this is not valid JSON: {error}") from error


def key_to_json(value: Any) -> Any:
    """Write a group key: text, number, bool, date or None."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    raise ArgumentError(f"a group key of type {type(value).__name__} can't be stored: {value!r}")


def key_from_json(value: Any) -> Any:
    """Read a group key that :func:`key_to_json` wrote."""
    if not isinstance(value, dict):
        if isinstance(value, list):
            raise ArgumentError("a stored group key is a single value, not a list")
        return value
    try:
        ((kind, text),) = cast("dict[str, str]", value).items()
        readers = {"datetime": datetime.fromisoformat, "date": date.fromisoformat, "decimal": Decimal}
        return readers[kind](text)
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise ArgumentError(f"this is no stored group key: {value!r}") from error


def _exactly(found: Mapping[str, Any], fields: Iterable[str], what: str) -> None:
    wanted = set(fields)
    if unknown := sorted(set(found) - wanted):
        raise ArgumentError(f"the {what} has unknown fields: {unknown}")
    if lacking := sorted(wanted - set(found)):
        raise ArgumentError(f"the {what} lacks the fields {lacking}")


def _checksum(body: Mapping[str, Any]) -> str:
    canonical = json.dumps(body, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _check_depth(text: str) -> None:
    """Take the innermost brackets away, one level a round: much faster than to walk through the text."""
    brackets = _NO_BRACKET.sub("", _STRING.sub("", text))
    for _ in range(MAX_DEPTH):
        rest = _EMPTY_BRACKETS.sub("", brackets)
        if len(rest) == len(brackets):
            break
        brackets = rest
    if _EMPTY_BRACKETS.search(brackets) or brackets.count("[") + brackets.count("{") > MAX_DEPTH:
        raise ArgumentError(f"the JSON text is nested deeper than {MAX_DEPTH} levels")


def _no_constant(name: str) -> Any:
    raise ArgumentError(f"the JSON text has {name}, which is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ArgumentError(f"the number {text[:40]} in the JSON text is too large")
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ArgumentError(f"the JSON text has the key {max(names, key=names.count)!r} twice in one object")
    return found
