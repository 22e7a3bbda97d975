"""Groups, importance-performance maps, what-if and prediction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pls_simulated import ITEMS, SPEC, simulated

import satmodels as sat


@pytest.fixture(scope="module")
def waves() -> pd.DataFrame:
    first, second = simulated(150, 1).assign(wave=2024), simulated(170, 2).assign(wave=2025)
    second[["l1", "l2"]] = (second[["l1", "l2"]] + 1).clip(1, 10)
    return pd.concat([first, second], ignore_index=True)


def test_a_risen_index_is_found_and_equal_paths_are_not(waves: pd.DataFrame) -> None:
    model = sat.PLSPM(SPEC)
    result = sat.compare_groups(model, waves, "wave", n=300, seed=1, scale=(1, 10))
    index = result.table("index").set_index("lhs")
    assert index.loc["Loyalty", "p_value"] < 0.01
    assert index.loc["Loyalty", "conf_low"] > 0
    assert (index.loc[["Quality", "Value"], "p_value"] > 0.05).all()
    assert (result.table("~")["p_value"] > 0.05).all()
    for wave in (2024, 2025):
        own = model.fit(waves[waves["wave"] == wave]).result_.index((1, 10))["estimate"]
        estimates = result.estimates("index")
        found = estimates[estimates["group"] == wave]["estimate"]
        assert found.tolist() == pytest.approx(own.tolist())
    row = index.loc["Loyalty"]
    assert row["estimate"] == pytest.approx(row["group_estimate"] - row["reference_estimate"])
    assert "reference=2024" in repr(result)


def test_groups_are_checked(waves: pd.DataFrame) -> None:
    model = sat.PLSPM(SPEC)
    with pytest.raises(sat.ArgumentError, match="nothing to compare"):
        sat.compare_groups(model, waves.assign(wave=1), "wave")
    with pytest.raises(sat.ArgumentError, match="2023"):
        sat.compare_groups(model, waves, "wave", reference=2023)
    with pytest.raises(sat.ArgumentError, match="item of the model"):
        sat.compare_groups(model, waves, "q1")
    with pytest.raises(sat.DataError, match="3 rows"):
        sat.compare_groups(model, waves.assign(wave=np.arange(320) < 3), "wave")
    with pytest.raises(sat.ArgumentError, match="from 20"):
        sat.compare_groups(model, waves, "wave", n=5)
    missing = waves.assign(wave=waves["wave"].where(waves.index > 9))
    assert sat.compare_groups(model, missing, "wave", n=30, seed=1).n_no_group == 10


def test_micom(waves: pd.DataFrame) -> None:
    result = sat.micom(sat.PLSPM(SPEC), waves, "wave", n=300, seed=1).tidy().set_index("construct")
    assert (result["correlation"] > 0.99).all()
    assert (result["correlation"] <= 1 + 1e-12).all()
    assert result.loc["Loyalty", "p_mean"] < 0.01
    assert result.loc["Loyalty", "invariance"] in ("partial", "none")
    assert result.loc["Quality", "invariance"] == "full"
    other = waves.assign(q1=np.where(waves["wave"] == 2025, 11 - waves["q1"], waves["q1"]))
    turned = sat.micom(sat.PLSPM(SPEC), other, "wave", n=200, seed=1).tidy().set_index("construct")
    assert turned.loc["Quality", "invariance"] == "none"


def test_ipma(waves: pd.DataFrame) -> None:
    result = sat.PLSPM(SPEC).fit(waves).result_
    table = sat.ipma(result, "Loyalty", scale=(1, 10)).tidy().set_index("term")
    assert table.index.tolist() == ["Quality", "Value"]
    index = result.index((1, 10)).set_index("construct")
    total = result.effects().set_index(["source", "target"]).loc[("Quality", "Loyalty"), "total"]
    spread = index.loc["Loyalty", "std_dev"] / index.loc["Quality", "std_dev"]
    assert table.loc["Quality", "importance"] == pytest.approx(total * spread)
    assert table.loc["Quality", "performance"] == pytest.approx(index.loc["Quality", "estimate"])
    items = sat.ipma(result, "Loyalty", level="item", scale=(1, 10)).tidy()
    by_construct = items.groupby("construct")["importance"].sum()
    assert by_construct["Quality"] == pytest.approx(table.loc["Quality", "importance"])
    with pytest.raises(sat.ArgumentError, match="no construct has an effect"):
        sat.ipma(result, "Quality", scale=(1, 10))
    with pytest.raises(sat.ArgumentError, match="Loyality"):
        sat.ipma(result, "Loyality", scale=(1, 10))


def test_only_constructs_before_the_target_matter() -> None:
    study = sat.datasets.load_ecsi()
    for model in (sat.PLSPM(study.spec), sat.CBSEM(study.spec)):
        result = model.fit(study.moments).result_
        terms = sat.ipma(result, "Satisfaction", scale=study.scale).tidy()["term"].tolist()
        assert terms == ["Image", "Expectation", "Quality", "Value"]
        assert len(result.effects()) == 21


def test_importance_is_the_slope_of_the_indices(waves: pd.DataFrame) -> None:
    """With one source, a point of its index moves the target's index by the regression slope."""
    model = sat.PLSPM("Quality =~ q1 + q2 + q3\nLoyalty =~ l1 + l2\nLoyalty ~ Quality", tol=1e-12).fit(waves)
    scores = model.transform(waves)
    index = model.result_.index((1, 10))
    points = index["estimate"].to_numpy() + scores * index["std_dev"].to_numpy()
    slope = np.polyfit(points[:, 0], points[:, 1], 1)[0]
    table = sat.ipma(model.result_, "Loyalty", scale=(1, 10)).tidy()
    assert table["importance"].item() == pytest.approx(slope)


def test_what_if(waves: pd.DataFrame) -> None:
    model = sat.PLSPM(SPEC)
    result = model.fit(waves).result_
    found = sat.what_if(result, {"Quality": 5}, scale=(1, 10)).tidy().set_index("term")
    importance = sat.ipma(result, "Loyalty", scale=(1, 10)).tidy().set_index("term")["importance"]
    assert found.loc["Loyalty", "estimate"] == pytest.approx(5 * importance["Quality"])
    both = sat.what_if(result, {"Quality": 5, "Value": 0}, scale=(1, 10)).tidy().set_index("term")
    assert both.loc["Value", "estimate"] == 0
    assert both.loc["Loyalty", "estimate"] < found.loc["Loyalty", "estimate"]
    draws = sat.bootstrap(model, waves, n=200, seed=1, scale=(1, 10))
    with_interval = sat.what_if(draws, {"Quality": 5}).tidy().set_index("term")
    assert with_interval.loc["Loyalty", "estimate"] == pytest.approx(found.loc["Loyalty", "estimate"])
    row = with_interval.loc["Loyalty"]
    assert 0 < row["conf_low"] < row["estimate"] < row["conf_high"]
    assert row["index_after"] == pytest.approx(row["index_before"] + row["estimate"])
    for changes in ({}, {"Qualty": 5}, {"Quality": float("nan")}):
        with pytest.raises(sat.ArgumentError):
            sat.what_if(result, changes, scale=(1, 10))
    with pytest.raises(sat.ArgumentError, match="scale="):
        sat.what_if(sat.bootstrap(model, waves, n=20, seed=1), {"Quality": 5})


def test_predict_equals_fitting_without_each_fold() -> None:
    frame = simulated(60)
    model = sat.PLSPM(SPEC, tol=1e-10)
    result = sat.pls_predict(model, frame, folds=3, repetitions=1, seed=7)
    fold = np.random.default_rng(7).permutation(np.arange(60) % 3)
    items = ["v1", "v2", "l1", "l2"]
    errors, of_mean = [], []
    for f in range(3):
        train, test = frame[fold != f], frame[fold == f]
        # transform standardises with n - 1, the cross-validation with n: predictions are the same
        errors.append(model.fit(train).predict(test) - test[items].to_numpy())
        of_mean.append(train[items].mean().to_numpy() - test[items].to_numpy())
    square = (np.concatenate(errors) ** 2).mean(axis=0)
    table = result.tidy()
    assert table["term"].tolist() == items
    assert table["rmse"].tolist() == pytest.approx(np.sqrt(square).tolist(), abs=1e-8)
    q2 = 1 - square / (np.concatenate(of_mean) ** 2).mean(axis=0)
    assert table["q2_predict"].tolist() == pytest.approx(q2.tolist(), abs=1e-8)


def test_predict_against_benchmarks() -> None:
    frame = simulated(200)
    result = sat.pls_predict(sat.PLSPM(SPEC), frame, repetitions=2, seed=1)
    assert (result.tidy()["q2_predict"] > 0).all()
    test = result.cvpat().set_index("benchmark")
    assert test.loc["mean", "estimate"] < 0 and test.loc["mean", "p_value"] < 0.01
    for options in ({"folds": 1}, {"folds": 500}, {"repetitions": 0}):
        with pytest.raises(sat.ArgumentError):
            sat.pls_predict(sat.PLSPM(SPEC), frame, **options)


def test_items_are_not_changed(waves: pd.DataFrame) -> None:
    before = waves.copy()
    sat.compare_groups(sat.PLSPM(SPEC), waves, "wave", n=20, seed=1)
    sat.pls_predict(sat.PLSPM(SPEC), waves[ITEMS], repetitions=1, seed=1)
    pd.testing.assert_frame_equal(waves, before)


def test_figures(waves: pd.DataFrame) -> None:
    pytest.importorskip("matplotlib")
    model = sat.PLSPM(SPEC).fit(waves)
    assert sat.plot(sat.compare_groups(model, waves, "wave", n=20, seed=1, scale=(1, 10))) is not None
    assert sat.plot(sat.ipma(model.result_, "Loyalty", scale=(1, 10))) is not None
    assert sat.plot(sat.what_if(model.result_, {"Quality": 5}, scale=(1, 10))) is not None


def test_figures_of_tests(waves: pd.DataFrame) -> None:
    """What a figure says, read from it; nothing a user wrote is taken for a formula."""
    pytest.importorskip("matplotlib")
    named = waves.assign(**{"波 $x$": np.array(["北京", "a $b$", "上海"])[np.arange(len(waves)) % 3]})
    model = sat.PLSPM(SPEC)
    compared = sat.compare_groups(model, named, "波 $x$", n=20, seed=1, scale=(1, 10))
    shown = sat.plot(compared, differences=True)
    labels = [label.get_text() for label in shown.axes[0].get_yticklabels()]
    assert labels[0] == "上海: Quality" and len(labels) == 6
    assert sat.plot(compared, what="paths", differences=True)._repr_png_()
    invariance = sat.plot(sat.micom(model, named, "波 $x$", n=20, seed=1))
    assert [a.get_title() for a in invariance.axes] and len(invariance.axes[0].get_yticklabels()) == 6
    assert invariance._repr_png_()
    predicted = sat.plot(sat.pls_predict(model, waves, repetitions=1, seed=1))
    assert predicted.axes[0].get_yticklabels()[0].get_text() == "Value: v1"
    fit = sat.plot(sat.fit_test(model, waves, n=20, seed=1))
    assert len(fit.axes[0].patches) == 6
    q2 = sat.plot(sat.blindfold(model, waves))
    assert [round(bar.get_width(), 3) for bar in q2.axes[0].patches] == sat.blindfold(model, waves).tidy()[
        "estimate"
    ].round(3).tolist()


def test_exact_fit() -> None:
    rng = np.random.default_rng(0)
    f = rng.normal(size=400)
    g = 0.6 * f + 0.8 * rng.normal(size=400)
    frame = pd.DataFrame({f"x{i}": f + 0.7 * rng.normal(size=400) for i in range(3)})
    for i in range(3):
        frame[f"y{i}"] = g + 0.7 * rng.normal(size=400)
    text = "F =~ x0 + x1 + x2\nG =~ y0 + y1 + y2\nG ~ F"
    true = sat.fit_test(sat.PLSPM(text, consistent=True), frame, n=100, seed=1)
    assert (true.tidy()["p_value"] > 0.05).all()
    assert true.tidy()["model"].tolist() == ["estimated"] * 3 + ["saturated"] * 3
    wrong = "F =~ x0 + x1 + y2\nG =~ y0 + y1 + x2\nG ~ F"
    fitted = sat.fit_test(sat.PLSPM(wrong, consistent=True), frame, n=100, seed=1).tidy()
    assert (fitted["p_value"].dropna() < 0.05).all()
    assert (fitted["estimate"] > fitted["critical"]).sum() >= 4
    study = sat.datasets.load_ecsi()
    found = sat.fit_test(sat.PLSPM(study.spec), study.moments, n=50, seed=1).tidy()
    assert found["estimate"][0] == pytest.approx(0.123604, abs=1e-6)
    with pytest.raises(sat.ArgumentError, match="from 20"):
        sat.fit_test(sat.PLSPM(text), frame, n=2)


def test_every_engine_compares_the_same(waves: pd.DataFrame, engine: Callable[..., Any]) -> None:
    model = sat.PLSPM(SPEC)
    frame = engine(waves.assign(w=1.0 + waves.index % 3))
    compared = sat.compare_groups(model, frame, "wave", n=20, seed=1, sample_weight="w")
    here = sat.compare_groups(
        model, waves, "wave", n=20, seed=1, sample_weight=(1.0 + waves.index % 3).to_numpy()
    )
    assert compared.table("~")["estimate"].tolist() == pytest.approx(here.table("~")["estimate"].tolist())
    assert compared.reference == 2024
    rows = sat.pls_predict(model, frame, folds=3, repetitions=1, seed=1).tidy()["rmse"].tolist()
    assert rows == pytest.approx(
        sat.pls_predict(model, waves, folds=3, repetitions=1, seed=1).tidy()["rmse"].tolist()
    )


def test_a_group_that_can_not_be_estimated_is_named(waves: pd.DataFrame) -> None:
    flat = waves.assign(q2=waves["q2"].where(waves["wave"] == 2024, 5))
    empty = waves.assign(q2=waves["q2"].where(waves["wave"] == 2024))
    for call in (sat.compare_groups, sat.micom):
        with pytest.raises(sat.DataError, match=r"group 2025: every answer is the same in \['q2'\]"):
            call(sat.PLSPM(SPEC), flat, "wave", n=20)
        with pytest.raises(sat.DataError, match=r"group 2025: every answer is missing in \['q2'\]"):
            call(sat.PLSPM(SPEC), empty, "wave", n=20)


@pytest.mark.parametrize("bad", ["a", None, -1, 2.5, True])
def test_arguments_of_the_wrong_kind_are_said_in_words(waves: pd.DataFrame, bad: object) -> None:
    model: Any = sat.PLSPM(SPEC)
    calls: list[Callable[[], object]] = [
        lambda: sat.bootstrap(model, waves, n=bad),
        lambda: sat.bootstrap(model, waves, n=20, level=bad),
        lambda: sat.compare_groups(model, waves, "wave", n=bad),
        lambda: sat.compare_groups(model, waves, "wave", level=bad),
        lambda: sat.micom(model, waves, "wave", n=bad),
        lambda: sat.micom(model, waves, "wave", level=bad),
        lambda: sat.fit_test(model, waves, n=bad),
        lambda: sat.pls_predict(model, waves, folds=bad),
        lambda: sat.pls_predict(model, waves, repetitions=bad),
        lambda: sat.blindfold(model, waves, omission=bad),
        lambda: sat.PLSPM(SPEC, max_iter=bad).fit(waves),
        lambda: sat.bootstrap(model, waves, n=20, cluster=[None] * len(waves)),
    ]
    if bad is not None:
        calls += [
            lambda: sat.bootstrap(model, waves, n=20, seed=bad),
            lambda: sat.compare_groups(model, waves, "wave", n=20, seed=bad),
            lambda: sat.pls_predict(model, waves, seed=bad),
            lambda: sat.fit_test(model, waves, n=20, seed=bad),
        ]
    for call in calls:
        with pytest.raises((sat.ArgumentError, sat.SchemaError)):
            call()


@pytest.mark.parametrize("missing", ["drop", "mean"])
def test_a_factor_of_one_groups_weights_changes_no_p_value(missing: str) -> None:
    rng = np.random.default_rng(4)
    n = 120
    q = rng.normal(size=n)
    columns = {f"q{i}": q + rng.normal(size=n) for i in (1, 2)}
    columns |= {f"l{i}": 0.5 * q + rng.normal(size=n) for i in (1, 2)}
    frame = pd.DataFrame(columns).assign(wave=[1] * 40 + [2] * 80)
    if missing == "mean":
        frame.loc[5:9, "q1"] = np.nan
    model = sat.PLSPM("Q =~ q1 + q2\nL =~ l1 + l2\nL ~ Q", missing=missing)
    weights = rng.uniform(0.5, 1.5, n)
    scaled = weights * np.where(frame["wave"] == 1, 1, 20)
    for compare in (sat.compare_groups, sat.micom):
        plain, factor = (
            compare(model, frame, "wave", n=20, seed=1, sample_weight=w).tidy().select_dtypes("number")
            for w in (weights, scaled)
        )
        np.testing.assert_allclose(factor, plain, atol=1e-7)


def test_micom_compares_scores_of_the_pooled_model() -> None:
    rng = np.random.default_rng(6)
    n = 60
    q = rng.normal(size=n)
    columns = {f"q{i}": q + rng.normal(size=n) for i in (1, 2)}
    columns |= {f"l{i}": 0.5 * q + rng.normal(size=n) for i in (1, 2)}
    frame = pd.DataFrame(columns).assign(wave=[1] * 15 + [2] * 45)
    model = sat.PLSPM("Q =~ q1 + q2\nL =~ l1 + l2\nL ~ Q")
    found = sat.micom(model, frame, "wave", n=20, seed=1).tidy()
    scores = model.fit(frame).transform(frame)
    first, second = scores[:15], scores[15:]
    ratio = np.log(second.var(axis=0, ddof=1) / first.var(axis=0, ddof=1))
    np.testing.assert_allclose(found["log_variance_ratio"], ratio, atol=1e-6)
    # scores have the standard deviation 1 with divisor n - 1
    np.testing.assert_allclose(
        found["mean_difference"], (second - first.mean(axis=0)).mean(axis=0) * np.sqrt(n / (n - 1)), atol=1e-6
    )
