"""Rows of a respondent after the first: counted alike on every engine, whatever the ids are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import satmodels as sat
from conftest import ENGINES
from satmodels.intake.frames import open_frame
from satmodels.intake.repeats import fingerprints, repeated_rows

UNORDERED = ("duckdb",)
# texts of about eight bytes, which fingerprints fold at a time; few letters, so that rows repeat
texts = st.text(st.sampled_from("ab\0é不"), max_size=9) | st.sampled_from(
    ["a" * 7, "a" * 8, "a" * 9, "x" * 130]
)
numbers = st.integers(0, 4) | st.sampled_from([2**53, 2**53 + 1])
waves = st.sampled_from([None, "x", "y"])


def repeats(rows: list[tuple[Any, ...]]) -> list[int]:
    """Return the rows whose key was there before, one after the other."""
    seen: set[tuple[Any, ...]] = set()
    found: list[int] = []
    for i, row in enumerate(rows):
        if row[0] is not None:
            if row in seen:
                found.append(i)
            seen.add(row)
    return found


def check_all(rows: list[tuple[Any, Any]], dtype: str) -> None:
    ids, wave = zip(*rows, strict=True)
    frame = pd.DataFrame({"id": pd.array(ids, dtype=dtype), "wave": pd.array(wave, dtype="string")})
    keys = {("id",): [row[:1] for row in rows], ("id", "wave"): rows}
    for name, make in ENGINES.items():
        for key, values in keys.items():
            expected = repeats(values)
            found = list(repeated_rows(open_frame(make(frame)), key))
            assert sum(b.n_bad for b in found) == len(expected), (name, key)
            if found and name not in UNORDERED:
                assert [row for row, _ in found[0].offenders] == expected[:5], (name, key)
                assert [value for _, value in found[0].offenders] == [ids[i] for i in expected[:5]]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.none() | texts, waves), min_size=1, max_size=12))
def test_ids_of_texts(rows):
    check_all(rows, "string")


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.none() | numbers, waves), min_size=1, max_size=12))
def test_ids_of_numbers(rows):
    check_all(rows, "Int64")


@settings(max_examples=30, deadline=None)
@given(st.lists(texts.filter(lambda t: len(t) < 100), max_size=12), st.integers(0, 5), st.booleans())
@example(["b", "a\0"], 0, False)
def test_equal_texts_have_equal_fingerprints_and_different_texts_hardly_ever(values, cut, large):
    kind = pa.large_string() if large else pa.string()
    whole = pa.array(values, kind)
    pieces = pa.chunked_array([whole[:cut], whole[cut:cut], whole[cut:]], kind)
    for column in (
        pieces,
        pa.chunked_array([whole]),
        pa.chunked_array([pa.array(["", "q", *values], kind)[2:]]),
    ):
        prints = fingerprints(open_frame(pa.table({"id": column})), "id")
        assert prints is not None and len(np.unique(prints)) == len(set(values))
        assert {p: v for p, v in zip(prints.tolist(), values, strict=True)} == {
            p: v for v, p in zip(values, prints.tolist(), strict=True)
        }


def test_a_thousand_ids_that_differ_in_one_letter_differ():
    ids = [f"customer-{i:08d}" for i in range(1000)]
    prints = fingerprints(open_frame(pa.table({"id": ids})), "id")
    assert prints is not None and len(np.unique(prints)) == 1000
    survey = sat.Survey("s", [sat.Recommend("nps")], respondent="id")
    for make in ENGINES.values():
        frame = pd.DataFrame({"id": ids, "nps": 9})
        assert survey.check(make(frame)).ok
        frame.loc[999, "id"] = ids[0]
        assert survey.check(make(frame)).n_bad == 1


def test_lists_are_no_ids(engine):
    frame = pd.DataFrame({"id": [[1], [2], [1]], "wave": ["x", "x", "x"], "nps": [1, 2, 3]})
    survey = sat.Survey("s", [sat.Recommend("nps")], respondent="id", wave="wave")
    (violation,) = survey.check(engine(frame)).violations
    assert (violation.column, violation.rule, violation.n_bad) == ("id", "one plain value", 3)
    with pytest.raises(sat.SchemaError, match="plain values") as caught:
        survey.prepare(engine(frame))
    assert caught.value.column == "id"
