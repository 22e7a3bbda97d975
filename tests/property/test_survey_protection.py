"""Properties of suppression, raking, pseudonyms and exports, on any table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

import satmodels as sat
from satmodels.survey.privacy import FORMULA_STARTS, hidden_rows, neutralised

counts = st.lists(st.integers(0, 40), min_size=6, max_size=12)


@settings(max_examples=60, deadline=None)
@given(counts, st.integers(2, 4), st.integers(2, 15))
def test_no_slice_of_a_suppressed_table_gives_a_row_away(n, width, minimum):
    keys = [(i // width, i % width) for i in range(len(n))]
    hidden = hidden_rows(n, keys, minimum)
    assert all(hidden[i] for i in range(len(n)) if 0 < n[i] < minimum)
    assert not any(hidden[i] for i in range(len(n)) if n[i] == 0)
    slices = [[i for i, key in enumerate(keys) if key[part] == k] for part in (0, 1) for k in range(len(n))]
    for members in [*slices, list(range(len(n)))]:
        blank = [i for i in members if hidden[i]]
        shown = [i for i in members if not hidden[i] and n[i] > 0]
        if blank and shown:  # where nothing is shown, nothing can be subtracted
            assert len(blank) > 1 and sum(n[i] for i in blank) >= minimum


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_raking_does_not_depend_on_the_order_or_the_scale_of_weights(seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "a": [0, 1, 2, *rng.integers(0, 3, 60)],
            "b": [*"xyx", *rng.choice(list("xy"), 60)],
            "w": rng.uniform(1, 2, 63),
        }
    )
    margins = {"a": {0: 50, 1: 30, 2: 20}, "b": {"x": 0.4, "y": 0.6}}
    weights = sat.rake(frame, margins, weight="w")
    order = rng.permutation(len(frame))
    np.testing.assert_allclose(sat.rake(frame.iloc[order], margins, weight="w"), weights[order], rtol=1e-9)
    np.testing.assert_allclose(sat.rake(frame.assign(w=7 * frame.w), margins, weight="w"), weights, rtol=1e-9)
    np.testing.assert_allclose(sat.rake(frame.assign(w=weights), margins, weight="w"), weights, rtol=1e-9)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20))
def test_no_text_is_a_formula_after_neutralising(text):
    out = neutralised(text)
    assert not out.startswith(FORMULA_STARTS)
    assert out in (text, f"'{text}") and neutralised(out) == out


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=8), st.integers(-(10**12), 10**12)), max_size=12))
def test_pseudonyms_are_equal_exactly_where_ids_are(ids):
    out = sat.pseudonymise(ids, b"a key of 16 bytes")
    for a, x in zip(ids, out, strict=True):
        assert (a is None) == (x is None)
        for b, y in zip(ids, out, strict=True):
            if a is not None and b is not None:
                assert (str(a) == str(b)) == (x == y)
