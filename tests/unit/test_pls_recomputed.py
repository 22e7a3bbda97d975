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
        lambda: sat.blindfold(pairwise, gaps),
        lambda: sat.fit_test(pairwise, gaps, n=20),
        lambda: sat.bootstrap(pairwise, gaps, n=20, interval="studentized"),
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
        {"interaction": triple, "sample_weight": np.ones(79)},
        {"interaction": triple, "scale": (10, 1)},
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


def test_weights_and_indices_go_through_both_stages() -> None:
    frame, triple = simulated(150), ("Quality", "Value", "Loyalty")
    twice = np.where(np.arange(150) < 50, 2.0, 1.0)
    copies = pd.concat([frame, frame[:50]], ignore_index=True)
    for model, options, n_index in (
        (sat.PLSPM(BASE, tol=1e-12), {"interaction": triple}, 3),
        (sat.PLSPM(WHOLE, tol=1e-12), {"higher_order": "disjoint"}, 1),
        (sat.PLSPM(WHOLE, tol=1e-12), {"higher_order": "repeated"}, 4),
        (sat.PLSPM(WHOLE, tol=1e-12), {"higher_order": "embedded"}, 0),
    ):
        weighted = sat.bootstrap(model, frame, n=5, seed=1, sample_weight=twice, scale=(1, 10), **options)
        copied = sat.bootstrap(model, copies, n=5, seed=1, scale=(1, 10), **options)
        assert (weighted.kinds.count("index") == 1) == (n_index > 0)
        for one, other in (
            (weighted.parameters, copied.parameters),
            (weighted.quantities, copied.quantities),
        ):
            # rows that count twice and rows that are there twice differ by n - 1 alone
            assert one["estimate"] == pytest.approx(
                other["estimate"], abs=0.02 if "interaction" in options else 1e-6
            )
        if n_index:
            assert len(weighted.table("index")) == n_index
    result = sat.bootstrap(sat.PLSPM(BASE), frame, n=20, seed=1, scale=(1, 10), interaction=triple)
    plain = sat.bootstrap(sat.PLSPM(BASE), frame, n=20, seed=1, scale=(1, 10))
    assert result.table("index")["estimate"].tolist() == pytest.approx(
        plain.table("index")["estimate"], abs=1.0
    )
    with pytest.raises(sat.ArgumentError, match="no index"):
        sat.what_if(result, {"Quality": 5})


def test_weights_of_the_first_stage_given_by_hand() -> None:
    frame = simulated(150)
    w = np.random.default_rng(1).uniform(0.5, 2, 150)
    model, triple = sat.PLSPM(BASE, tol=1e-12), ("Quality", "Value", "Loyalty")
    spec, longer = sat.with_interaction(model, frame, *triple, sample_weight=w)
    by_hand = sat.PLSPM(spec, tol=1e-12).fit(longer, sample_weight=w).result_.parameters["estimate"]
    at_once = sat.bootstrap(model, frame, n=2, seed=1, interaction=triple, sample_weight=w)
    assert at_once.parameters["estimate"] == pytest.approx(by_hand, abs=1e-9)
    spec, longer = sat.higher_order(sat.PLSPM(WHOLE, tol=1e-12), frame, sample_weight=w)
    by_hand = sat.PLSPM(spec, tol=1e-12).fit(longer, sample_weight=w).result_.parameters["estimate"]
    at_once = sat.bootstrap(
        sat.PLSPM(WHOLE, tol=1e-12), frame, n=2, seed=1, higher_order="disjoint", sample_weight=w
    )
    assert at_once.parameters["estimate"] == pytest.approx(by_hand, abs=1e-9)
    # what is left of an orthogonalised product is uncorrelated with its parts, counted with the weights
    spec, longer = sat.with_interaction(model, frame, *triple, method="orthogonal", sample_weight=w)
    centred = longer["q1"] - np.average(longer["q1"], weights=w)
    assert np.average(longer["q1*v1"] * centred, weights=w) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    "options", [{"missing": "mean"}, {"missing": "pairwise"}, {"missing": "em"}, {"ordered": True}]
)
def test_groups_with_gaps_are_fits_of_each_group(gaps: pd.DataFrame, options: dict[str, object]) -> None:
    frame = (simulated(150).clip(4, 7) if "ordered" in options else gaps).assign(wave=np.arange(150) % 2)
    model = sat.PLSPM(SPEC, tol=1e-12, **options)
    result = sat.compare_groups(model, frame, "wave", n=20, seed=1, scale=(1, 10))
    for wave in (0, 1):
        one = model.fit(frame[frame["wave"] == wave].drop(columns="wave").reset_index(drop=True)).result_
        found = result.estimates("~").query("group == @wave")["estimate"]
        assert found.tolist() == pytest.approx(one.paths["estimate"].tolist(), abs=1e-9)
        index = result.estimates("index").query("group == @wave")["estimate"]
        assert index.tolist() == pytest.approx(one.index((1, 10))["estimate"].tolist(), abs=1e-8)
    assert result.table("~")["p_value"].between(0, 1).all()
    if options.get("missing") == "pairwise":
        assert sat.micom(model, frame, "wave", n=20, seed=1).tidy()["correlation"].between(0.8, 1).all()


def test_without_gaps_groups_are_compared_as_with_any_policy() -> None:
    frame = simulated(150).assign(wave=np.arange(150) % 2, w=np.random.default_rng(1).uniform(0.5, 2, 150))
    for call in (sat.compare_groups, sat.micom):
        plain, redone = (
            call(sat.PLSPM(SPEC, missing=m), frame, "wave", n=20, seed=1, sample_weight="w").tidy()
            for m in ("drop", "pairwise")
        )
        pd.testing.assert_frame_equal(plain, redone, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("missing", ["mean", "em", "pairwise"])
def test_predictions_count_the_answers_that_were_given(gaps: pd.DataFrame, missing: str) -> None:
    model = sat.PLSPM(SPEC, missing=missing, tol=1e-12)
    result = sat.pls_predict(model, gaps, folds=5, repetitions=1, seed=3)
    rows = result.tidy().set_index("term")
    assert rows["n"].to_dict() == gaps[list(rows.index)].notna().sum().to_dict()
    fold = np.random.default_rng(3).permutation(np.arange(150) % 5)
    errors = np.full((150, len(rows)), np.nan)
    for f in range(5):
        fitted = model.fit(gaps[fold != f])
        g = fitted.result_.groups[0]
        held = gaps.loc[fold == f, list(g.moments.columns)].fillna(
            dict(zip(g.moments.columns, g.moments.mean, strict=True))
        )
        predicted = pd.DataFrame(fitted.predict(held), columns=fitted.endogenous_items_)
        errors[fold == f] = predicted[list(rows.index)] - gaps.loc[fold == f, list(rows.index)].to_numpy()
    assert rows["rmse"].tolist() == pytest.approx(np.sqrt(np.nanmean(errors**2, axis=0)).tolist(), abs=1e-9)


def test_blindfolding_leaves_gaps_out(gaps: pd.DataFrame) -> None:
    full, few = simulated(150), simulated(150).astype(float)
    few.loc[5, "l1"] = np.nan
    model = sat.PLSPM(SPEC)
    whole, less = (sat.blindfold(model, frame).tidy().set_index("term") for frame in (full, few))
    assert less.loc["Loyalty", "n"] == whole.loc["Loyalty", "n"] - 1
    assert less["estimate"].tolist() == pytest.approx(whole["estimate"].tolist(), abs=0.02)
    assert sat.blindfold(model, gaps).tidy()["estimate"].gt(0).all()
