"""ScoreCounts: groups, sums, ranges, and the way to disk and back."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.statistics.counts import sort_key

FRAME = pd.DataFrame(
    {
        "nps": [9, 10, 7, None, 3, 10],
        "shop": ["a", "a", "b", "b", None, "a"],
        "day": pd.to_datetime(["2026-01-01", "2026-01-02"] * 3),
        "w": [1.0, 2.0, 0.5, 1.0, 4.0, 0.0],
    }
)


def test_groups_are_sorted_and_hold_what_they_should():
    counts = sat.ScoreCounts.collect(FRAME, "nps", "shop", "w")
    assert counts.keys == (("a",), ("b",), (None,))
    assert counts.values == (3.0, 7.0, 9.0, 10.0)
    assert counts.n.tolist() == [[0, 0, 1, 2], [0, 1, 0, 0], [1, 0, 0, 0]]
    assert counts.w.tolist() == [[0, 0, 1, 2], [0, 0.5, 0, 0], [4, 0, 0, 0]]
    assert counts.w2.tolist() == [[0, 0, 1, 4], [0, 0.25, 0, 0], [16, 0, 0, 0]]
    assert counts.n_missing.tolist() == [0, 1, 0]
    assert counts.w_missing.tolist() == [0, 1, 0]
    assert (counts.total, counts.weighted) == (5, True)


def test_marginals():
    counts = sat.ScoreCounts.collect(FRAME, "nps", ("shop", "day"), "w")
    assert counts.marginal("shop") == sat.ScoreCounts.collect(FRAME, "nps", "shop", "w")
    assert counts.marginal() == sat.ScoreCounts.collect(FRAME, "nps", weight="w")
    with pytest.raises(sat.ArgumentError, match="not grouped by 'month'"):
        counts.marginal("month")


def test_sums_need_the_same_item_and_groups():
    a = sat.ScoreCounts.collect([1, 2], "x")
    with pytest.raises(sat.ArgumentError, match="different item"):
        a + sat.ScoreCounts.collect([1, 2], "y")
    with pytest.raises(sat.ArgumentError, match="different by"):
        sat.ScoreCounts.collect(FRAME, "nps", "shop") + sat.ScoreCounts.collect(FRAME, "nps")
    with pytest.raises(TypeError):
        a + 1
    assert sum([a, a], start=sat.ScoreCounts.collect([], "x")).total == 4


def test_ranges():
    counts = sat.ScoreCounts.from_values({0: 3, 10: 2, 11: 4, 9.5: 1})
    with pytest.raises(sat.SchemaError) as caught:
        counts.check_range(0, 10)
    assert (caught.value.n_bad, caught.value.value, caught.value.row) == (5, 9.5, None)
    counts.check_range(0, 11, integer=False)


@pytest.mark.parametrize("counts", [{1: -1}, {1: 1.5}, {"a": 1}, {float("inf"): 1}, {True: 2}])
def test_published_counts_are_counts(counts):
    with pytest.raises((sat.ArgumentError, sat.SchemaError)):
        sat.ScoreCounts.from_values(counts)


def test_the_way_to_disk_and_back():
    counts = sat.ScoreCounts.collect(FRAME, "nps", ("shop", "day"), "w")
    again = sat.ScoreCounts.from_json(counts.to_json())
    assert again == counts
    assert again + counts == counts + counts
    text = counts.to_json()
    with pytest.raises(sat.ArgumentError, match="checksum"):
        sat.ScoreCounts.from_json(text.replace('"nps"', '"npx"'))
    with pytest.raises(sat.ArgumentError, match="not a 'Moments'"):
        sat.Moments.from_json(text)


@pytest.mark.parametrize(
    "change",
    [
        {"n": [[1]]},
        {"n": [[-1, 0, 0]]},
        {"n": [[0.5, 0, 0]]},
        {"keys": [["a"], ["b"]]},
        {"keys": [[]]},
        {"values": [1.0, 1.0, 2.0]},
        {"values": ["a", "b", "c"]},
        {"w": None},
        {"n_missing": [[1], [2]]},
        {"keys": [[{"date": "2026-13-01"}]]},
        {"keys": [[["list"]]]},
    ],
)
def test_documents_that_dont_fit_together(change):
    from satmodels.stored import write_document

    body = {
        "item": "x",
        "by": ["g"],
        "weighted": False,
        "keys": [["a"]],
        "values": [1.0, 2.0, 3.0],
        "n": [[1, 2, 3]],
        "w": [[1, 2, 3]],
        "w2": [[1, 2, 3]],
        "n_missing": [0],
        "w_missing": [0],
    }
    assert sat.ScoreCounts.from_json(write_document("ScoreCounts", 1, body)).total == 6
    with pytest.raises(sat.ArgumentError):
        sat.ScoreCounts.from_json(write_document("ScoreCounts", 1, {**body, **change}))


def test_too_many_groups():
    frame = pd.DataFrame({"nps": 9, "id": np.arange(1000)})
    from satmodels.intake import cells

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "MAX_CELLS", 999)
        with pytest.raises(sat.ArgumentError, match="more than 999 distinct"):
            sat.ScoreCounts.collect(frame, "nps", "id")


def test_keys_of_any_type_have_an_order():
    keys = [
        ("b",),
        (None,),
        (2,),
        ("a",),
        (1.5,),
        (True,),
        (Decimal(3),),
        (pd.Timestamp("2026-01-01", tz="UTC"),),
    ]
    keys.append((pd.Timestamp("2026-01-01"),))
    assert [k[0] for k in sorted(keys, key=sort_key)][:4] == [True, 1.5, 2, 3]
    assert sorted(keys, key=sort_key)[-1] == (None,)


@pytest.mark.parametrize("engine_name", ["polars", "polars-lazy"])
def test_packed_keys_are_unpacked_to_what_they_were(engine_name):
    from conftest import ENGINES

    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "nps": rng.integers(-128, 128, 3000).astype(np.int8),
            "a": rng.choice([-32768, -1, 0, 32767], 3000).astype(np.int16),
            "b": rng.choice([0, 255], 3000).astype(np.uint8),
        }
    )
    found = sat.ScoreCounts.collect(ENGINES[engine_name](frame), "nps", ("a", "b"))
    assert found == sat.ScoreCounts.collect(frame, "nps", ("a", "b"))


def test_packed_keys_keep_what_is_missing():
    import polars as pl

    frame = pl.DataFrame(
        {"nps": [9, None, 127, -128], "a": [None, 1, None, 2], "b": [1, None, None, 2]},
        schema={"nps": pl.Int8, "a": pl.Int8, "b": pl.UInt16},
    )
    found = sat.ScoreCounts.collect(frame, "nps", ("a", "b"))
    assert found.keys == ((1, None), (2, 2), (None, 1), (None, None))
    assert found.n_missing.tolist() == [1, 0, 0, 0]
    assert found.values == (-128.0, 9.0, 127.0)


def test_repr_and_glimpse():
    counts = sat.ScoreCounts.collect(FRAME, "nps", "shop")
    assert repr(counts) == "ScoreCounts(item='nps', by=['shop'], groups=3, n=5, n_missing=1)"
    assert counts != 1
    with pytest.raises(TypeError):
        hash(counts)
    assert json.loads(counts.to_json())["kind"] == "ScoreCounts"
