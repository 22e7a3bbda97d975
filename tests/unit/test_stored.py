"""Documents are read with suspicion."""

from __future__ import annotations

import datetime as dt
import json
import time
from decimal import Decimal

import pytest

import satmodels as sat
from satmodels.stored import MAX_DEPTH, key_from_json, key_to_json, read_document, read_json, write_document

BODY = {"a": 1, "b": [1.5, None, "情"]}
TEXT = write_document("Thing", 2, BODY)


def test_there_and_back():
    assert read_document(TEXT, "Thing", 2, ("a", "b")) == BODY
    assert read_document(TEXT.encode(), "Thing", 2, ("a", "b")) == BODY
    assert "情" in TEXT


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TEXT[:-5], "not valid JSON"),
        (TEXT.replace("1.5", "1.6"), "checksum"),
        (TEXT.replace('"version": 2', '"version": 3'), "version 3"),
        (TEXT.replace('"Thing"', '"Other"'), "'Other', not a 'Thing'"),
        (TEXT.replace('"kind"', '"sort"'), "unknown fields"),
        (TEXT.replace('"a": 1', '"a": NaN'), "NaN"),
        (TEXT.replace('"a": 1', '"a": -Infinity'), "-Infinity"),
        (TEXT.replace('"a": 1', '"a": 1e999'), "too large"),
        (TEXT.replace('"a": 1', '"a": 1' + "0" * 5000), "not valid JSON"),
        (TEXT.replace('"a": 1', '"a": 1, "a": 2'), "twice"),
        ("[1, 2]", "JSON object"),
        ("", "not valid JSON"),
        (b"\xff\xfe", "UTF-8"),
        ("[" * 100_000, "deeper"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "deeper"),
        ('{"a":' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1), "deeper"),
        ('"' + "[" * 20, "not valid JSON"),
    ],
)
def test_everything_else_is_refused(text, words):
    with pytest.raises(sat.ArgumentError, match=words):
        read_document(text, "Thing", 2, ("a", "b"))


def test_fields_are_exactly_those_expected():
    with pytest.raises(sat.ArgumentError, match=r"lacks the fields \['c'\]"):
        read_document(TEXT, "Thing", 2, ("a", "b", "c"))
    with pytest.raises(sat.ArgumentError, match=r"unknown fields: \['b'\]"):
        read_document(TEXT, "Thing", 2, ("a",))


def test_depth_counts_brackets_outside_texts():
    assert read_json('["' + "[{" * 500 + '", "\\"]["]')[1] == '"]['
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert json.dumps(read_json(deep)) == deep


def test_large_texts_are_refused_or_read_in_bounded_time():
    start = time.process_time()
    with pytest.raises(sat.ArgumentError, match="limit"):
        read_json(" " * (64 * 1024 * 1024 + 1))
    assert time.process_time() - start < 5


def test_nan_is_never_written():
    with pytest.raises(ValueError, match="JSON"):
        write_document("Thing", 1, {"a": float("nan")})


@pytest.mark.parametrize(
    "key", [None, "a", 3, 1.5, True, dt.date(2026, 2, 28), dt.datetime(2026, 2, 28, 12), Decimal("1.50")]
)
def test_keys(key):
    again = key_from_json(json.loads(json.dumps(key_to_json(key))))
    assert (type(again), again) == (type(key), key)


@pytest.mark.parametrize(
    "key", [{"date": "x"}, {"sort": "1"}, {}, {"date": "2026-01-01", "decimal": "1"}, {"date": 3}]
)
def test_what_is_no_key(key):
    with pytest.raises(sat.ArgumentError):
        key_from_json(key)
    with pytest.raises(sat.ArgumentError, match="can't be stored"):
        key_to_json(object())


@pytest.mark.parametrize("given", [None, 5, ["{}"], {"kind": "ScoreCounts"}])
def test_what_is_no_text_is_refused(given):
    with pytest.raises(sat.ArgumentError, match="is text"):
        sat.ScoreCounts.from_json(given)
