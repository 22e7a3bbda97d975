"""Statistics are sums: split and merge, permute, copy for weight, relabel."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

import satmodels as sat

score = st.one_of(st.none(), st.integers(0, 10))
row = st.tuples(score, st.sampled_from(["a", "b", None]), st.integers(0, 3), st.integers(1, 10))
rows = st.lists(row, min_size=1, max_size=40)
PAIRS = {"x": ("f", "d")}


def frame(data):
    table = pd.DataFrame(data, columns=["nps", "g", "w", "x"])
    table["nps"] = table["nps"].astype(float)
    table["y"] = table["x"] * 1.5 + table["nps"].fillna(0)
    table["f"], table["d"] = 1 + table["x"] % 5, (1 + table["nps"] % 5).where(table["nps"].notna())
    return table


def close(a, b):
    assert (a.n, a.n_dropped) == (b.n, b.n_dropped)
    for name in ("mean", "scatter", "sum_w", "sum_w2"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-9, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(rows, st.integers(0, 40))
def test_split_and_merge(data, at):
    whole = frame(data)
    a, b = whole[:at], whole[at:]
    for weight in (None, "w"):
        collected = [sat.ScoreCounts.collect(part, "nps", "g", weight) for part in (a, b, whole)]
        assert collected[0] + collected[1] == collected[2] == collected[1] + collected[0]
        pairs = [sat.PairCounts.collect(part, PAIRS, "g", weight) for part in (a, b, whole)]
        assert pairs[0] + pairs[1] == pairs[2]
        moments = [sat.Moments.collect(part, ["nps", "y"], weight) for part in (a, b, whole)]
        close(moments[0] + moments[1], moments[2])
        close(moments[1] + moments[0], moments[2])


@settings(max_examples=15, deadline=None)
@given(rows, st.randoms(use_true_random=False))
def test_order_means_nothing(data, random):
    whole = frame(data)
    order = list(range(len(whole)))
    random.shuffle(order)
    other = whole.iloc[order]
    assert sat.ScoreCounts.collect(other, "nps", "g", "w") == sat.ScoreCounts.collect(whole, "nps", "g", "w")
    close(sat.Moments.collect(other, ["nps", "y"], "w"), sat.Moments.collect(whole, ["nps", "y"], "w"))


@settings(max_examples=15, deadline=None)
@given(rows)
def test_a_weight_of_two_is_two_copies(data):
    whole = frame(data)
    copied = whole.loc[whole.index.repeat(whole["w"])]
    weighted = sat.ScoreCounts.collect(whole, "nps", weight="w")
    plain = sat.ScoreCounts.collect(copied, "nps")
    shares = dict(zip(weighted.values, weighted.w[0], strict=True))
    assert {v: w for v, w in shares.items() if w} == dict(
        zip(plain.values, plain.w[0] if len(copied) else [], strict=True)
    )
    a, b = sat.Moments.collect(whole, ["x", "y"], "w"), sat.Moments.collect(copied, ["x", "y"])
    if b.n:
        np.testing.assert_allclose(a.mean, b.mean, rtol=1e-9)
        np.testing.assert_allclose(a.scatter, b.scatter, rtol=1e-9, atol=1e-9)


@settings(max_examples=10, deadline=None)
@given(rows)
def test_relabelled_segments_keep_their_counts(data):
    whole = frame(data)
    names = {"a": "乙", "b": "甲", None: None}
    other = whole.assign(g=[names[g] for g in whole["g"]])
    first, second = (sat.ScoreCounts.collect(f, "nps", "g") for f in (whole, other))
    by_name = {k: n.tolist() for (k,), n in zip(second.keys, second.n, strict=True)}
    for (key,), n in zip(first.keys, first.n, strict=True):
        assert by_name[names[key]] == n.tolist()


@settings(max_examples=15, deadline=None)
@given(rows)
def test_documents_keep_every_digit(data):
    whole = frame(data)
    counts = sat.ScoreCounts.collect(whole, "nps", "g", "w")
    assert sat.ScoreCounts.from_json(counts.to_json()) == counts
    moments = sat.Moments.collect(whole, ["nps", "y"], "w")
    again = sat.Moments.from_json(moments.to_json())
    np.testing.assert_array_equal(again.scatter, moments.scatter)


@settings(max_examples=10, deadline=None)
@given(rows, st.randoms(use_true_random=False))
def test_rfm_does_not_see_the_order_of_rows(data, random):
    whole = frame(data).assign(
        customer=lambda t: t["x"],
        day=lambda t: pd.Timestamp("2026-01-01") + pd.to_timedelta(t["nps"].fillna(0), unit="D"),
    )
    whole["amount"] = whole["y"] / 10
    who = {
        "customer": "customer",
        "date": "day",
        "amount": "amount",
        "as_of": "2026-02-01",
        "bins": 2,
        "segments": None,
    }
    if whole["customer"].nunique() < 2:
        return
    order = list(range(len(whole)))
    random.shuffle(order)
    first, second = sat.rfm(whole, **who), sat.rfm(whole.iloc[order], **who)
    pd.testing.assert_frame_equal(first.customers, second.customers, check_exact=True)
