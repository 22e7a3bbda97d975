"""Bootstrap of covariance models in groups and of ordered answers: every draw is fitted to its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

TEXT = """
Quality =~ q1 + q2 + q3
Loyal =~ l1 + l2 + l3
Loyal ~ c(a, b)*Quality
gap := a - b
"""
PLAIN = TEXT.replace("c(a, b)", "a").replace("gap := a - b", "twice := 2*a")


def answers(n: int = 300, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    region = np.where(np.arange(n) % 3 == 0, "north", "south")
    quality = rng.normal(size=n)
    loyal = np.where(region == "north", 0.8, 0.4) * quality + 0.8 * rng.normal(size=n)
    frame = pd.DataFrame({f"q{i}": 6 + quality + 0.7 * rng.normal(size=n) for i in (1, 2, 3)})
    for i in (1, 2, 3):
        frame[f"l{i}"] = 6 + loyal + 0.7 * rng.normal(size=n)
    return frame.assign(region=region, shop=np.arange(n) // 6)


@pytest.mark.parametrize("options", [{}, {"equal": ("loadings",)}, {"missing": "fiml"}])
def test_groups_are_drawn_among_themselves(options: dict[str, object]):
    frame = answers()
    if "missing" in options:
        frame.loc[frame.index[::9], "q2"] = np.nan
    model = sat.CBSEM(TEXT, group="region", **options)
    drawn = sat.bootstrap(model, frame, n=120, seed=1)
    fitted = model.fit(frame).result_
    own, delta = drawn.tidy(), fitted.tidy()
    assert list(own.columns) == list(delta.columns) and drawn.n_failed == 0
    for column in ("group", "lhs", "op", "rhs"):
        assert own[column].fillna("").tolist() == delta[column].fillna("").tolist()
    np.testing.assert_allclose(own["estimate"], delta["estimate"], rtol=1e-5, atol=1e-8)
    free = delta["std_error"].notna() & delta["op"].isin(["~", ":=", "=~"])
    ratio = own["std_error"][free] / delta["std_error"][free]
    assert 0.8 < ratio.median() < 1.25 and ratio.between(0.6, 1.6).all()
    # the size of each group is that of the data in every draw, so a column of one group alone has its own draws
    assert {"Loyal ~ Quality [north]", "Loyal ~ Quality [south]", "gap := a - b"} <= set(drawn.draws.columns)
    standard = drawn.table("std ~")
    np.testing.assert_allclose(
        standard["estimate"], fitted.standardized().query("op == '~'")["estimate"], rtol=1e-5
    )


def test_indices_and_effects_of_groups():
    frame = answers()
    drawn = sat.bootstrap(sat.CBSEM(TEXT, group="region"), frame, n=60, seed=1, scale=(0, 12))
    table = drawn.table("index")
    fitted = sat.CBSEM(TEXT, group="region").fit(frame).result_.index((0, 12))
    assert table["group"].tolist() == fitted["group"].tolist()
    np.testing.assert_allclose(table["estimate"], fitted["estimate"], rtol=1e-9)
    np.testing.assert_allclose(table["std_error"], fitted["std_error"], rtol=0.4)
    assert set(drawn.table("total")["group"]) == {"north", "south"}


def test_clusters_within_and_across_groups():
    frame = answers()
    across = sat.bootstrap(sat.CBSEM(TEXT, group="region"), frame, n=20, seed=1, cluster="shop")
    frame["shop"] = frame["region"] + (frame["shop"] // 2).astype(str)
    within = sat.bootstrap(sat.CBSEM(TEXT, group="region"), frame, n=20, seed=1, cluster="shop")
    assert across.n_failed == within.n_failed == 0
    with pytest.raises(sat.ArgumentError, match="weights"):
        sat.bootstrap(sat.CBSEM(TEXT, group="region"), frame, n=20, sample_weight=np.ones(len(frame)))


def test_ordered_answers_are_correlated_anew_in_every_draw():
    frame = answers()
    items = [c for c in frame if c[0] in "ql" and c[1:].isdigit()]
    frame[items] = frame[items].apply(lambda x: np.digitize(x, [5, 6, 7]) + 1)
    model = sat.CBSEM(PLAIN, estimator="WLSMV", ordered=tuple(items))
    drawn = sat.bootstrap(model, frame, n=60, seed=1)
    delta = model.fit(frame).result_.tidy()
    own = drawn.tidy()
    assert own[["lhs", "op", "rhs"]].to_numpy().tolist() == delta[["lhs", "op", "rhs"]].to_numpy().tolist()
    np.testing.assert_allclose(own["estimate"], delta["estimate"], rtol=1e-5, atol=1e-8)
    free = delta["std_error"].notna()
    ratio = own["std_error"][free] / delta["std_error"][free]
    assert 0.8 < ratio.median() < 1.2
    row = own[own["op"] == ":="].iloc[0]
    assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_draws_without_a_category_are_counted_as_failed():
    frame = answers(120)
    items = [c for c in frame if c[0] in "ql" and c[1:].isdigit()]
    frame[items] = frame[items].apply(lambda x: np.digitize(x, [5, 6, 7]) + 1)
    frame.loc[frame.index[0], "q1"] = 9  # one respondent alone
    model = sat.CBSEM(PLAIN, estimator="WLSMV", ordered=tuple(items))
    drawn = sat.bootstrap(model, frame, n=30, seed=1)
    assert 3 <= drawn.n_failed <= 25
    failed = drawn.draws["Loyal ~ Quality"].isna()
    assert failed.sum() == drawn.n_failed
