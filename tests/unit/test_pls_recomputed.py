"""Bootstraps that compute moments, or a first stage, anew in every draw."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pls_simulated import ITEMS, SPEC, simulated

import satmodels as sat

BASE = "Quality =~ q1 + q2 + q3\nValue =~ v1 + v2\nLoyalty =~ l1 + l2\nLoyalty ~ Quality + Value"
WHOLE = (
    "Quality =~ q1 + q2 + q3\nValue =~ v1 + v2\nOffer <~ Quality + Value\nLoyalty =~ l1 + l2\nLoyalty ~ Offer"
)


@pytest.fixture(scope="module")
def gaps() -> pd.DataFrame:
    frame = simulated(150).astype(float)
    return frame.mask(np.random.default_rng(3).random(frame.shape) < 0.08)


@pytest.mark.parametrize("options", [{"missing": "pairwise"}, {"missing": "em"}, {"ordered": True}])
def test_each_draw_is_a_fit(gaps: pd.DataFrame, options: dict[str, object]) -> None:
    frame = simulated(150).clip(3, 8) if "ordered" in options else gaps
    model = sat.PLSPM(SPEC, tol=1e-12, **options)
    indices = np.random.default_rng(0).integers(0, 150, (3, 150))
    result = sat.bootstrap(model, frame, indices=indices, scale=(1, 10))
    assert result.n_failed == 0
    for row, draw in zip(indices, result.draws.itertuples(index=False), strict=True):
        one = model.fit(frame.iloc[row].reset_index(drop=True)).result_
        values = dict(zip(result.names, draw, strict=True))
        for p in one.parameters.rows():
            assert values[p["lhs"], p["op"], p["rhs"]] == pytest.approx(p["estimate"], abs=1e-9)
        index = one.index((1, 10)).set_index("construct")["estimate"]
        assert values["Value", "index", "Value"] == pytest.approx(index["Value"], abs=1e-8)
    whole = model.fit(frame).result_.parameters["estimate"]
    assert result.parameters["estimate"] == pytest.approx(whole, abs=1e-9)


def test_without_gaps_pairwise_draws_are_those_of_any_policy() -> None:
    frame = simulated(120)
    indices = np.random.default_rng(0).integers(0, 120, (5, 120))
    w = np.random.default_rng(1).uniform(0.5, 2, 120)
    cluster = np.repeat(np.arange(40), 3)
    for extra in ({"sample_weight": w}, {}):
        plain, redone = (
            sat.bootstrap(sat.PLSPM(SPEC, missing=m), frame, indices=indices, **extra)
            for m in ("mean", "pairwise")
        )
        np.testing.assert_allclose(redone.values, plain.values, atol=1e-9)
    blocks = np.random.default_rng(0).integers(0, 40, (5, 40))
    plain, redone = (
        sat.bootstrap(sat.PLSPM(SPEC, missing=m), frame, indices=blocks, cluster=cluster)
        for m in ("mean", "pairwise")
    )
    np.testing.assert_allclose(redone.values, plain.values, atol=1e-9)
    plain, redone = (
        sat.bootstrap(sat.PLSPM(SPEC, missing=m), frame, indices=indices, interval="bca").tidy()
        for m in ("mean", "pairwise")
    )
    np.testing.assert_allclose(redone["conf_low"], plain["conf_low"], atol=1e-6)


def test_draws_that_fail_are_counted(gaps: pd.DataFrame) -> None:
    rare = gaps.assign(l2=np.where(np.arange(150) == 7, 2.0, 1.0))
    for missing in ("em", "pairwise"):
        result = sat.bootstrap(sat.PLSPM(SPEC, missing=missing), rare, n=60, seed=1)
        assert 10 < result.n_failed < 45
        assert np.isfinite(result.tidy()["std_error"]).all()


def test_what_needs_complete_rows_says_so(gaps: pd.DataFrame) -> None:
    ordered, pairwise = sat.PLSPM(SPEC, ordered=True), sat.PLSPM(SPEC, missing="pairwise")
    for call in (
        lambda: sat.pls_predict(ordered, simulated(80)),
        lambda: sat.pls_predict(pairwise, gaps),
        lambda: sat.fit_test(pairwise, gaps, n=20),
        lambda: sat.bootstrap(pairwise, gaps, n=20, interval="studentized"),
        lambda: sat.compare_groups(ordered, simulated(80).assign(g=[1, 2] * 40), "g", n=20),
    ):
        with pytest.raises(sat.ArgumentError, match=r"complete rows|numbers|add up"):
            call()


def test_both_stages_of_an_interaction_in_every_draw() -> None:
    frame = simulated(150)
    model = sat.PLSPM(BASE, tol=1e-12)
    moderation = ("Quality", "Value", "Loyalty")
    indices = np.random.default_rng(0).integers(0, 150, (4, 150))
    result = sat.bootstrap(model, frame, indices=indices, interaction=moderation)
    for row, draw in zip(indices, result.draws.itertuples(index=False), strict=True):
        spec, longer = sat.with_interaction(model, frame.iloc[row].reset_index(drop=True), *moderation)
        one = sat.PLSPM(spec, tol=1e-12).fit(longer).result_
        values = dict(zip(result.names, draw, strict=True))
        for p in one.parameters.rows():
            assert values[p["lhs"], p["op"], p["rhs"]] == pytest.approx(p["estimate"], abs=1e-9)
        slopes = sat.simple_slopes(one, *moderation)["estimate"]
        found = [values["Loyalty", "conditional", f"Quality | Value = {v}"] for v in (-1, 0, 1)]
        assert found == pytest.approx(slopes, abs=1e-9)
        change = values["Loyalty", "moderated", "Quality | Value"]
        assert change == pytest.approx(slopes[2] - slopes[1], abs=1e-9)
    # the product alone, not the scores that make it, would vary less
    assert result.table("conditional")["std_error"].gt(0).all()
    squared = sat.bootstrap(model, frame, indices=indices, interaction=("Quality", "Quality", "Loyalty"))
    table = squared.table("conditional")["estimate"]
    assert table[2] - table[1] == pytest.approx(squared.table("moderated")["estimate"][0], abs=1e-12)


def test_conditional_indirect_effects_are_products_along_the_way() -> None:
    text = "A =~ q1\nM =~ q2\nW =~ v1\nY =~ l1\nZ =~ l2\nM ~ A\nY ~ M + W + A\nZ ~ Y"
    model = sat.PLSPM(text)
    result = sat.bootstrap(model, simulated(200), n=100, seed=1, interaction=("M", "W", "Y"))
    paths = {(r.lhs, r.rhs): r.estimate for r in result.table("~").itertuples()}
    effects = {(r.lhs, r.rhs): r.estimate for r in result.table("conditional").itertuples()}
    assert set(effects) == {(t, f"{s} | W = {v}") for t in "YZ" for s in "MA" for v in (-1, 0, 1)}
    slope = effects["Y", "M | W = 1"]
    assert effects["Y", "A | W = 1"] == pytest.approx(paths["M", "A"] * slope)
    assert effects["Z", "A | W = 1"] == pytest.approx(paths["M", "A"] * slope * paths["Z", "Y"])
    rows = result.table("moderated")
    assert (rows["conf_low"] < rows["conf_high"]).all() and rows["p_value"].notna().all()


@pytest.mark.parametrize("method", ["disjoint", "embedded", "repeated"])
def test_both_stages_of_a_higher_order_model_in_every_draw(method: str) -> None:
    frame = simulated(150)
    model = sat.PLSPM(WHOLE, tol=1e-12)
    indices = np.random.default_rng(0).integers(0, 150, (3, 150))
    result = sat.bootstrap(model, frame, indices=indices, higher_order=method)
    for row, draw in zip(indices, result.draws.itertuples(index=False), strict=True):
        spec, scored = sat.higher_order(model, frame.iloc[row].reset_index(drop=True), method=method)
        one = sat.PLSPM(spec, tol=1e-12).fit(scored).result_
        values = dict(zip(result.names, draw, strict=True))
        for p in one.parameters.rows():
            assert values[p["lhs"], p["op"], p["rhs"]] == pytest.approx(p["estimate"], abs=1e-9)


def test_bad_stages() -> None:
    frame, model = simulated(80), sat.PLSPM(BASE)
    triple = ("Quality", "Value", "Loyalty")
    for options in (
        {"interaction": ("Quality", "Value")},
        {"interaction": ("Quality", "Valu", "Loyalty")},
        {"interaction": triple, "higher_order": "disjoint"},
        {"interaction": triple, "sample_weight": np.ones(80)},
        {"interaction": triple, "scale": (1, 10)},
        {"higher_order": "both"},
    ):
        with pytest.raises(sat.ArgumentError):
            sat.bootstrap(model, frame, n=10, **options)
    with pytest.raises(sat.SpecError, match="nothing to do"):
        sat.bootstrap(model, frame, n=10, higher_order="disjoint")
    with pytest.raises(sat.ArgumentError, match="PLSPM"):
        sat.bootstrap(sat.CBSEM(BASE), frame, n=10, interaction=triple)
    with pytest.raises(sat.ArgumentError, match="rows"):
        sat.bootstrap(model, sat.Moments.collect(frame, ITEMS), n=10, interaction=triple)
    with pytest.raises(sat.ArgumentError, match="ordered"):
        sat.bootstrap(sat.PLSPM(BASE, ordered=True), frame, n=10, interaction=triple)
