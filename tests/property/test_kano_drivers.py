"""What must hold for any answers: order, copies, splitting, relabelling, rescaling."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import satmodels as sat
from satmodels.drivers.relative_weights import relative_weights
from satmodels.drivers.shapley import shapley_r2
from satmodels.kano_model.rules import RULES, classify
from satmodels.kano_model.tables import CATEGORIES

pytestmark = pytest.mark.filterwarnings("ignore::satmodels.errors.SatmodelsWarning")
PAIR = {"x": ("f", "d")}
pairs = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=40)
counts = st.lists(st.integers(0, 50), min_size=6, max_size=6).filter(any)


@settings(max_examples=25, deadline=None)
@given(pairs, st.randoms(use_true_random=False), st.integers(0, 40))
def test_kano_knows_no_order_and_merges(answers, random, cut):
    frame = pd.DataFrame(answers, columns=["f", "d"])
    whole = sat.kano(frame, PAIR)
    shuffled = list(answers)
    random.shuffle(shuffled)
    assert sat.kano(pd.DataFrame(shuffled, columns=["f", "d"]), PAIR).estimates == whole.estimates
    parts = [sat.PairCounts.collect(part, PAIR) for part in (frame[:cut], frame[cut:])]
    assert sat.kano(parts[0] + parts[1]).estimates == whole.estimates


@settings(max_examples=40, deadline=None)
@given(pairs)
def test_kano_numbers_stay_in_their_ranges(answers):
    row = next(sat.kano(pd.DataFrame(answers, columns=["f", "d"]), PAIR).estimates.rows())
    assert sum(row[c] for c in CATEGORIES) == row["n"] == len(answers)
    assert row[row["category"]] == max(row[c] for c in CATEGORIES)
    if row["better"] is not None:
        assert 0 <= row["better_low"] <= row["better"] <= row["better_high"] <= 1
        assert -1 <= row["worse_low"] <= row["worse"] <= row["worse_high"] <= 0
    assert 0 <= row["total_strength"] <= 1 and 0 <= row["category_strength"] <= 1


@settings(max_examples=60, deadline=None)
@given(counts, st.sampled_from(RULES), st.integers(2, 5))
def test_classes_do_not_depend_on_the_number_of_copies(some, rule, copies):
    array = np.array(some, dtype=float)
    assert classify(array, rule) == classify(array * copies, rule)


def correlations(seed: int, p: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.corrcoef((rng.normal(size=(3 * p + 10, p + 1)) @ rng.normal(size=(p + 1, p + 1))).T)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9), st.randoms(use_true_random=False))
def test_importances_follow_their_drivers_and_sum_to_r2(seed, p, random):
    joint = correlations(seed, p)
    corr, r = joint[:-1, :-1], joint[:-1, -1]
    order = list(range(p))
    random.shuffle(order)
    signs = np.array([random.choice([-1, 1]) for _ in range(p)])
    for measure in (shapley_r2, relative_weights):
        values = measure(corr, r)
        assert values.sum() == pytest.approx(r @ np.linalg.solve(corr, r), abs=1e-9)
        assert values.min() > -1e-9
        np.testing.assert_allclose(measure(corr[np.ix_(order, order)], r[order]), values[order], atol=1e-9)
        # a reversed item is as important as before
        np.testing.assert_allclose(measure(corr * np.outer(signs, signs), r * signs), values, atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 1e4), st.floats(-1e5, 1e5))
def test_units_and_copies_change_no_importance(seed, unit, offset):
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 11, size=(40, 4)).astype(float)
    frame = pd.DataFrame(x, columns=["a", "b", "c", "y"])
    plain = sat.key_drivers(frame, "y", ["a", "b", "c"]).estimates
    moved = frame.assign(a=frame["a"] * unit + offset)
    np.testing.assert_allclose(
        sat.key_drivers(moved, "y", ["a", "b", "c"]).estimates["estimate"], plain["estimate"], atol=1e-8
    )
    twice = sat.key_drivers(pd.concat([frame, frame]), "y", ["a", "b", "c"]).estimates
    weighted = sat.key_drivers(frame.assign(w=2.0), "y", ["a", "b", "c"], weight="w").estimates
    np.testing.assert_allclose(twice["estimate"], plain["estimate"], atol=1e-12)
    np.testing.assert_allclose(weighted["std_error"], plain["std_error"], rtol=1e-9)
    np.testing.assert_allclose(twice["std_error"], np.array(plain["std_error"]) / np.sqrt(2), rtol=0.06)
