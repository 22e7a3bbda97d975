"""What must hold for every sample: order, splitting, copies, relabelling and rescaling change nothing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import satmodels as sat
from satmodels.statistics.intervals import (
    NET_METHODS,
    PROPORTION_METHODS,
    mean_interval,
    net_interval,
    proportion_interval,
)

ELEVEN, FIVE = sat.Scale(0, 10), sat.Scale(1, 5)
answers = st.lists(st.one_of(st.none(), st.integers(0, 10)), min_size=1, max_size=40)


def numbers(result: Any) -> np.ndarray:
    return result.tidy().select_dtypes("number").to_numpy(dtype=float)


@settings(max_examples=25, deadline=None)
@given(answers, st.randoms(use_true_random=False), st.sampled_from(NET_METHODS))
def test_order_and_splitting_change_nothing(values: list[int | None], random: Any, method: str) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    cut = random.randint(0, len(values))
    parts = [sat.ScoreCounts.collect(v, "answer") for v in (values[:cut], values[cut:])]
    expected = numbers(sat.nps(values, method=method))
    np.testing.assert_array_equal(numbers(sat.nps(shuffled, method=method)), expected)
    np.testing.assert_array_equal(numbers(sat.nps(parts[0] + parts[1], method=method)), expected)


@settings(max_examples=25, deadline=None)
@given(answers, st.sampled_from(NET_METHODS))
def test_turning_the_scale_turns_the_nps(values: list[int | None], method: str) -> None:
    """With cut points turned too, promoters become detractors."""
    a = sat.nps(values, method=method, passives=(4, 6))
    b = sat.nps([None if v is None else 10 - v for v in values], method=method, passives=(4, 6))
    if a.estimate is not None and b.estimate is not None:
        assert a.estimate == pytest.approx(-b.estimate)
    if a.conf_low is not None and b.conf_high is not None:
        assert a.conf_low == pytest.approx(-b.conf_high, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.sampled_from("ab")), min_size=3, max_size=30)
)
def test_a_weight_of_two_estimates_as_two_copies_do(rows: list[tuple[int, int, str]]) -> None:
    data = pd.DataFrame(rows, columns=["q", "w", "g"])
    copies = data.loc[data.index.repeat(data["w"])]
    for weighted, repeated in (
        (sat.csat(data, "q", scale=FIVE, weight="w", by="g"), sat.csat(copies, "q", scale=FIVE, by="g")),
        (sat.csi(data, ["q"], scale=FIVE, weight="w", by="g"), sat.csi(copies, ["q"], scale=FIVE, by="g")),
    ):
        np.testing.assert_allclose(weighted.tidy()["estimate"], repeated.tidy()["estimate"])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.floats(0.1, 9), st.sampled_from("ab")), min_size=4, max_size=30),
    st.floats(0.01, 100),
)
def test_rescaled_weights_and_renamed_segments_change_nothing(rows: list[Any], factor: float) -> None:
    data = pd.DataFrame(rows, columns=["q", "w", "g"])
    other = data.assign(w=data["w"] * factor, g=data["g"].map({"a": "x", "b": "y"}))
    a, b = (sat.mean_score(d, "q", scale=FIVE, weight="w", by="g") for d in (data, other))
    np.testing.assert_allclose(numbers(a), numbers(b), rtol=1e-9, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=30))
def test_an_index_of_shifted_scales_is_the_same(rows: list[tuple[int, int]]) -> None:
    data = pd.DataFrame(rows, columns=["a", "b"])
    a = sat.csi(data, ["a", "b"], scale=FIVE)
    b = sat.csi(data * 2 + 7, ["a", "b"], scale=(9, 17))
    np.testing.assert_allclose(numbers(a), numbers(b), rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 400), st.floats(0, 1), st.sampled_from(PROPORTION_METHODS), st.floats(0.5, 0.999))
def test_proportion_limits_hold_the_estimate(n: int, share: float, method: str, level: float) -> None:
    x = round(share * n)
    low, high = proportion_interval(x, n, method=method, level=level)
    if method == "logit" and x in (0, n):
        assert np.isnan(low) and np.isnan(high)
    elif not (method == "arcsine" and x in (0, n)):
        assert 0 <= low <= x / n + 1e-12 and x / n - 1e-12 <= high <= 1
        mirrored = proportion_interval(n - x, n, method=method, level=level)
        assert (1 - float(mirrored[1]), 1 - float(mirrored[0])) == pytest.approx(
            (float(low), float(high)), abs=1e-9
        )


@settings(max_examples=40, deadline=None)
@given(st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60)), st.sampled_from(NET_METHODS))
def test_net_limits_are_in_order(counts: tuple[int, int, int], method: str) -> None:
    low, high = (float(v) for v in net_interval(*counts, method=method))
    if sum(counts) > 1:
        assert -1 <= low <= high <= 1
        if method != "adjusted-wald":  # whose centre is the shrunken score
            assert low - 1e-9 <= (counts[2] - counts[0]) / sum(counts) <= high + 1e-9


@settings(max_examples=20, deadline=None)
@given(answers)
def test_results_survive_json(values: list[int | None]) -> None:
    document = json.loads(sat.csat(values, scale=ELEVEN).to_json())
    assert document["glance"]["n"] == sum(v is not None for v in values)


def test_intervals_cover_at_their_level() -> None:
    """2,000 samples of 200; the standard error of a coverage is then 0.5 points."""
    rng = np.random.default_rng(11)
    x = rng.binomial(200, 0.8, 2000)
    for method in PROPORTION_METHODS:
        low, high = proportion_interval(x, 200, method=method)
        assert 0.935 < ((low <= 0.8) & (high >= 0.8)).mean() < 0.97, method
    truth = (0.25, 0.3, 0.45)
    d, m, p = rng.multinomial(200, truth, 2000).T
    for method in NET_METHODS:
        low, high = net_interval(d, m, p, method=method)
        assert 0.935 < ((low <= 0.2) & (high >= 0.2)).mean() < 0.965, method
    draws = rng.integers(1, 11, (2000, 200))
    low, high = mean_interval(draws.mean(axis=1), draws.std(axis=1, ddof=1) / np.sqrt(200), df=199)
    assert 0.935 < ((low <= 5.5) & (high >= 5.5)).mean() < 0.965
