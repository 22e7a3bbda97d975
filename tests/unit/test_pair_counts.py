"""PairCounts: tables of pairs of answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

FRAME = pd.DataFrame(
    {
        "f1": [1, 1, 3, None, 5],
        "d1": [5, 5, 3, 1, None],
        "f2": [2, 2, 2, 2, 2],
        "d2": [4, 3, 4, 4, 4],
        "g": ["x", "x", "y", "y", None],
        "w": [1.0, 2.0, 3.0, 4.0, 5.0],
    }
)
PAIRS = {"wifi": ("f1", "d1"), "desk": ("f2", "d2")}


def test_tables():
    counts = sat.PairCounts.collect(FRAME, PAIRS, "g", "w")
    assert counts.keys == (("x",), ("y",), (None,))
    assert counts.n.shape == (3, 2, 5, 5)
    assert counts.n[0, 0, 0, 4] == 2
    assert counts.w[0, 0, 0, 4] == 3
    assert counts.w2[0, 0, 0, 4] == 5
    assert counts.n_missing.tolist() == [[0, 0], [1, 0], [1, 0]]
    assert counts.n.sum() + counts.n_missing.sum() == 10


@pytest.mark.parametrize("answer", [0, 6, 2.5, -1])
def test_codes_off_the_scale(answer, engine):
    frame = FRAME.assign(d2=[4, answer, 4, answer, 4])
    with pytest.raises(sat.SchemaError) as caught:
        sat.PairCounts.collect(engine(frame), PAIRS)
    assert (caught.value.column, caught.value.n_bad, caught.value.value) == ("d2", 2, answer)


@pytest.mark.parametrize(
    ("pairs", "options", "words"),
    [
        ({}, {}, "empty"),
        ({"wifi": ("f1", "f1")}, {}, "twice"),
        ({"wifi": ("f1", "e1")}, {}, "no column 'e1'"),
        (PAIRS, {"by": "f1"}, "twice"),
        (PAIRS, {"size": 1}, "size=1"),
        (PAIRS, {"size": 12}, "size=12"),
    ],
)
def test_wrong_parameters(pairs, options, words):
    with pytest.raises(sat.ArgumentError, match=words):
        sat.PairCounts.collect(FRAME, pairs, **options)


def test_sums_and_the_way_to_disk():
    a, b = sat.PairCounts.collect(FRAME[:2], PAIRS, "g"), sat.PairCounts.collect(FRAME[2:], PAIRS, "g")
    whole = sat.PairCounts.collect(FRAME, PAIRS, "g")
    assert a + b == whole
    assert sat.PairCounts.from_json(whole.to_json()) == whole
    with pytest.raises(sat.ArgumentError, match="different features"):
        whole + sat.PairCounts.collect(FRAME, {"wifi": ("f1", "d1")}, "g")
    with pytest.raises(TypeError):
        whole + 1


def test_no_respondents():
    counts = sat.PairCounts.collect(FRAME.head(0), PAIRS)
    assert counts.keys == ((),)
    assert counts.n.sum() == 0
    np.testing.assert_array_equal(counts.n_missing, [[0, 0]])
