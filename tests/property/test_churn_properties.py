"""What must hold for any churn data."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

import satmodels as sat
from satmodels.churn.spline_logistic import cubic_basis

rows = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 0.9, 1.0]), st.integers(1, 3)),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(rows)
def test_profit_is_that_of_repeated_rows_and_never_below_nothing(found):
    y, p, w = (np.array(column) for column in zip(*found, strict=True))
    weighted = sat.expected_maximum_profit(y, p, sample_weight=w)
    repeated = sat.expected_maximum_profit(np.repeat(y, w), np.repeat(p, w))
    assert np.isclose(weighted.estimate, repeated.estimate, atol=1e-9)
    assert weighted.estimate >= -1e-12
    assert (
        weighted.estimate + 1e-9 >= weighted.maximum_profit
    )  # the mean of maxima is no less than the maximum of means
    assert 0 <= weighted.fraction <= 1 + 1e-12


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 400), st.sampled_from(["a", "b"]), st.floats(-100, 100)),
        min_size=1,
        max_size=60,
    ),
    st.integers(50, 390),
    st.integers(1, 120),
)
def test_features_equal_a_loop_over_the_rows(log, cutoff_day, observation):
    origin = pd.Timestamp("2024-01-01")
    events = pd.DataFrame(log, columns=["customer", "day", "kind", "amount"])
    events["date"] = origin + pd.to_timedelta(events["day"] * 24 + 5, unit="h")
    customers = pd.DataFrame({"customer": range(6), "start": origin - pd.Timedelta(days=1)})
    cutoff = origin + pd.Timedelta(days=cutoff_day)
    end = pd.Series(pd.NaT, index=range(6), dtype="datetime64[ns]")
    panel = sat.churn_panel(
        events[["customer", "date", "kind", "amount"]],
        customers.assign(end=end),
        kind="kind",
        amount="amount",
        end="end",
        cutoffs=cutoff,
        window=sat.ChurnWindow(observation, 0, 1),
        label=False,
    ).set_index("customer")
    seen = events[(events["date"] < cutoff) & (events["date"] >= cutoff - pd.Timedelta(days=observation))]
    for who in range(6):
        mine = seen[seen["customer"] == who]
        for kind in set(events["kind"]):
            assert panel.loc[who, f"{kind}_count_{observation}d"] == (mine["kind"] == kind).sum()
        assert np.isclose(panel.loc[who, f"amount_total_{observation}d"], mine["amount"].sum(), atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=7, unique=True),
    st.lists(st.floats(-1e7, 1e7), min_size=1),
)
def test_spline_columns_are_shares(knots, x):
    knots = np.sort(np.round(knots, 3))
    knots = knots[np.concatenate([[True], np.diff(knots) > 1e-2])]
    if len(knots) < 3:
        return
    basis = cubic_basis(np.array(x), knots)
    assert (basis >= -1e-9).all() and (basis.sum(axis=1) <= 1 + 1e-9).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 900), min_size=2, max_size=30), st.integers(0, 40), st.integers(1, 40))
def test_no_training_outcome_reaches_beyond_the_test_cutoff(days, gap, horizon):
    cutoffs = np.datetime64("2024-01-01") + np.array(days) * np.timedelta64(1, "D")
    split = sat.CutoffSplit(1, sat.ChurnWindow(30, gap, horizon))
    try:
        folds = list(split.split(np.zeros((len(days), 1)), groups=cutoffs))
    except sat.ArgumentError:
        assert max(days) - min(days) < gap + horizon
        return
    for train, test in folds:
        assert len(train) and len(test)
        assert cutoffs[train].max() + np.timedelta64(gap + horizon, "D") <= cutoffs[test].min()
