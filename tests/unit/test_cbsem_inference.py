"""CBSEM beyond plain likelihood: missing answers, ordered answers, invariance, bootstrap, a second opinion."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_cbsem import MODEL, fit, survey

import satmodels as sat
from satmodels.sem.covariance.answer_moments import answer_moments
from satmodels.sem.covariance.patterns import Patterns, saturated_fit
from satmodels.sem.covariance.polychoric import bivariate_normal, polychoric

FACTORS = "Quality =~ q1 + q2 + q3\nValue =~ v1 + v2 + v3\nLoyal =~ l1 + l2 + l3"
ITEMS = tuple(f"{c}{i}" for c in "qvl" for i in (1, 2, 3))


def with_gaps(share: float = 0.1, n: int = 400) -> pd.DataFrame:
    frame = survey(n)
    return frame.mask(np.random.default_rng(9).random(frame.shape) < share)


def ordered(n: int = 500, categories: int = 5) -> pd.DataFrame:
    frame = survey(n)
    edges = np.linspace(4.5, 9.0, categories - 1)
    return frame.apply(lambda column: np.digitize(column, edges) + 1)


# missing answers ----------------------------------------------------------------------------------------


def test_without_gaps_full_information_is_plain_likelihood_with_means():
    frame = survey()
    a, b = fit(MODEL, frame, means=True).result_, fit(MODEL, frame, missing="fiml").result_
    assert b.fit_measures()["chisq"] == pytest.approx(a.fit_measures()["chisq"])
    gappy = frame.copy()
    gappy.loc[len(gappy)] = np.nan  # a row without any answer adds nothing but a count
    c = fit(MODEL, gappy, missing="fiml").result_
    assert (c.n, c.n_dropped) == (400, 1)
    np.testing.assert_allclose(c.tidy()["estimate"], a.tidy()["estimate"], rtol=1e-6)


def test_the_pattern_likelihood_has_the_derivatives_of_differences():
    from satmodels.sem.covariance.arrows import build_arrows
    from satmodels.sem.covariance.patterns import PatternLikelihood
    from satmodels.sem.covariance.scoring import Problem
    from satmodels.sem.covariance.table import build_table
    from satmodels.sem.covariance.ties import label_ties

    rows = with_gaps(0.2, 60)[list(ITEMS)].to_numpy()
    table = build_table(sat.ModelSpec.parse(FACTORS), means=True)
    problem = Problem(build_arrows(table), [PatternLikelihood(Patterns.of(rows), 0.0)], label_ties(table))
    x = np.random.default_rng(2).uniform(0.4, 0.6, len(table.free))
    x[[p.op == "~~" and p.lhs == p.rhs for p in table.free]] = 1.5
    x[[p.op == "~1" for p in table.free]] = 7.0
    gradient, hessian = problem.gradient(problem.implied(x)), problem.hessian(problem.implied(x))
    for i in range(0, len(x), 3):
        step = np.eye(len(x))[i] * 1e-5
        up, down = problem.implied(x + step), problem.implied(x - step)
        assert gradient[i] == pytest.approx(
            (problem.value(up) - problem.value(down)) / 2e-5, rel=1e-5, abs=1e-4
        )
        row = (problem.gradient(up) - problem.gradient(down)) / 2e-5
        np.testing.assert_allclose(hessian[i], row, rtol=1e-4, atol=1e-3)


def test_the_saturated_fit_has_no_gradient_left():
    rows = with_gaps(0.3)[list(ITEMS)].dropna(how="all").to_numpy()
    patterns = Patterns.of(rows)
    found = saturated_fit(patterns, ITEMS)
    for i, j in ((0, 0), (3, 1), (8, 2)):
        bump = np.zeros((9, 9))
        bump[i, j] = bump[j, i] = 1e-4
        up, down = (patterns.minus_logl(found.cov + s * bump, found.mean) for s in (1, -1))
        assert up > found.minus_logl < down
        assert abs(up - down) / 2e-4 < 1e-3


def test_gaps_that_cant_be_bridged_are_named():
    frame = survey()
    frame.loc[:199, "q1"] = np.nan
    frame.loc[200:, "v1"] = np.nan
    with pytest.raises(sat.DataError, match=r"both '(v1|q1)' and '(v1|q1)'"):
        fit(MODEL, frame, missing="fiml")
    with pytest.raises(sat.ArgumentError, match="fiml"):
        fit(MODEL, frame, missing="fiml", estimator="GLS")


def test_robust_errors_are_wider_where_answers_are_skewed():
    frame = survey(800, skew=True)
    plain, robust = fit(MODEL, frame).result_, fit(MODEL, frame, estimator="MLR").result_
    np.testing.assert_allclose(plain.tidy()["estimate"], robust.tidy()["estimate"])
    assert robust.fit_measures()["chisq_scaling_factor"] > 1
    assert not np.allclose(plain.tidy()["std_error"].dropna(), robust.tidy()["std_error"].dropna(), rtol=0.02)


# weights and clusters -----------------------------------------------------------------------------------


def test_weights_of_one_change_nothing_and_two_is_two_copies_for_the_estimates():
    frame = survey(300)
    robust = fit(MODEL, frame, estimator="MLR").result_
    ones = sat.CBSEM(MODEL).fit(frame, sample_weight=np.full(300, 3.0)).result_
    assert ones.estimator == "MLR"
    np.testing.assert_allclose(ones.tidy()["std_error"], robust.tidy()["std_error"], rtol=1e-6)
    weight = np.where(np.arange(300) < 100, 2.0, 1.0)
    weighted = sat.CBSEM(MODEL).fit(frame.assign(w=weight), sample_weight="w").result_
    copies = fit(MODEL, pd.concat([frame, frame[:100]])).result_
    np.testing.assert_allclose(weighted.tidy()["estimate"], copies.tidy()["estimate"], rtol=1e-6)
    with pytest.raises(sat.ArgumentError, match="weights and clusters"):
        sat.CBSEM(MODEL, estimator="GLS").fit(frame, sample_weight=weight)
    with pytest.raises(sat.SchemaError):
        sat.CBSEM(MODEL).fit(frame, sample_weight=-weight)


def test_clusters_of_one_row_are_the_sandwich():
    frame = survey(200).assign(row=range(200))
    single = fit(MODEL, frame, cluster="row").result_
    robust = fit(MODEL, frame, estimator="MLR").result_
    ratio = single.tidy()["std_error"] / robust.tidy()["std_error"]
    np.testing.assert_allclose(ratio.dropna(), np.sqrt(200 / 199), rtol=1e-6)
    doubled = pd.concat([frame, frame])
    twice = fit(MODEL, doubled, cluster="row").result_  # every answer given twice says no more than once
    np.testing.assert_allclose(twice.tidy()["std_error"], single.tidy()["std_error"], rtol=1e-5)


# ordered answers ----------------------------------------------------------------------------------------


def test_bivariate_normal_against_its_special_cases():
    zero = np.array(0.0)
    for rho in (-0.9, -0.3, 0.0, 0.5, 0.95):
        orthant = bivariate_normal(zero, zero, np.array(rho))
        assert orthant == pytest.approx(0.25 + np.arcsin(rho) / (2 * np.pi), abs=1e-12)
    assert bivariate_normal(np.array(9.0), np.array(0.7), np.array(0.6)) == pytest.approx(
        0.758036347776927, abs=1e-12
    )


def test_polychoric_finds_the_correlation_behind_the_categories():
    rng = np.random.default_rng(4)
    x = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=20_000)
    codes = np.stack([np.digitize(x[:, 0], [-1, 0, 0.8]), np.digitize(x[:, 1], [0.3])], axis=1).astype(float)
    found = polychoric(codes, ("a", "b"))
    assert found.corr[0, 1] == pytest.approx(0.6, abs=0.02)
    assert found.thresholds[0] == pytest.approx([-1, 0, 0.8], abs=0.04)


def test_wlsmv():
    frame = ordered()
    model = fit(FACTORS, frame, estimator="WLSMV", ordered=ITEMS)
    result = model.result_
    assert result.converged and result.admissible
    tidy = result.tidy()
    assert (tidy["op"] == "|").sum() == 9 * 4
    assert 0 < result.fit_measures()["chisq_scaled"] < 60
    residual = tidy[(tidy["op"] == "~~") & (tidy["lhs"] == "q1")]
    loading = result.standardized().query("op == '=~' and rhs == 'q1'")["estimate"].iloc[0]
    assert residual["estimate"].iloc[0] == pytest.approx(1 - loading**2)
    np.testing.assert_allclose(
        fit(FACTORS, frame * 10 + 3, estimator="WLSMV", ordered=ITEMS).result_.tidy()["estimate"],
        tidy["estimate"],
    )
    with pytest.raises(sat.EngineError, match="ordered"):
        model.predict(frame)


def test_scores_of_ordered_answers():
    frame = ordered()
    numbers = fit(FACTORS, frame).transform(frame)
    model = fit(FACTORS, frame, estimator="WLSMV", ordered=ITEMS)
    scores = model.transform(frame)
    assert all(np.corrcoef(a, b)[0, 1] > 0.95 for a, b in zip(numbers.T, scores.T, strict=True))
    np.testing.assert_allclose(model.transform(frame.iloc[[7]]), scores[[7]], atol=1e-8)
    gaps = frame.astype(float).head(3)
    gaps.iloc[0, :] = np.nan
    gaps.iloc[1, :3] = np.nan
    assert model.transform(gaps)[0].tolist() == pytest.approx([0, 0, 0])
    assert np.isfinite(model.transform(gaps)).all()
    with pytest.raises(sat.SchemaError, match="'q2'"):
        model.transform(frame.head(4).assign(q2=17))
    with pytest.raises(sat.ArgumentError, match="regression"):
        model.scores(frame, "bartlett")
    ages = frame.assign(age=np.arange(len(frame)) % 40 + 20.0)
    explained = fit(FACTORS + "\nQuality ~ age", ages, estimator="WLSMV", ordered=ITEMS)
    assert np.isfinite(explained.transform(ages)).all()


def test_what_ordered_answers_are_refused():
    frame = ordered()
    for options, says in (
        ({"estimator": "WLSMV"}, "name the columns"),
        ({"estimator": "ML", "ordered": ITEMS}, "does not take ordered"),
        ({"estimator": "WLSMV", "ordered": (*ITEMS, "zz")}, "no column of the model"),
        ({"estimator": "WLSMV", "ordered": ITEMS, "cluster": "q1"}, "without clusters"),
    ):
        with pytest.raises(sat.ArgumentError, match=says):
            fit(FACTORS, frame, **options)
    with pytest.raises(sat.SchemaError, match="different answers"):
        fit(FACTORS, survey(), estimator="WLSMV", ordered=ITEMS)
    with pytest.raises(sat.DataError, match="'q2'"):
        fit(FACTORS, frame.assign(q2=3), estimator="WLSMV", ordered=ITEMS)


def test_ordered_beside_numbers():
    frame = ordered()
    numbers = survey(500)
    for item in ITEMS[:3]:
        frame[item] = numbers[item] = np.round(frame[item] * 2.5 + numbers[item] / 10, 2)
    result = fit(FACTORS, frame, estimator="WLSMV", ordered=ITEMS[3:]).result_
    assert result.converged and result.admissible
    tidy = result.tidy().set_index(["lhs", "op", "rhs"])
    assert tidy.loc[("q1", "~1", ""), "estimate"] == pytest.approx(frame["q1"].mean())
    error = frame["q1"].std(ddof=0) / np.sqrt(len(frame) - 1)
    assert tidy.loc[("q1", "~1", ""), "std_error"] == pytest.approx(error, rel=0.02)
    # units of a number are units: its loadings follow, nothing else moves
    other = fit(FACTORS, frame.assign(q2=frame["q2"] * 50 + 9), estimator="WLSMV", ordered=ITEMS[3:]).result_
    assert other.fit_measures()["chisq"] == pytest.approx(result.fit_measures()["chisq"], rel=1e-6)
    np.testing.assert_allclose(
        other.standardized()["estimate"].iloc[:9], result.standardized()["estimate"].iloc[:9], rtol=1e-6
    )
    with pytest.raises(sat.DataError, match="'q2'"):
        fit(FACTORS, frame.assign(q2=1.5), estimator="WLSMV", ordered=ITEMS[3:])
    with pytest.raises(sat.DataError, match="collinear"):
        fit(FACTORS, frame.assign(q2=frame["q1"] * 2), estimator="WLSMV", ordered=ITEMS[3:])


def test_a_polyserial_correlation_is_that_behind_the_categories():
    rng = np.random.default_rng(6)
    x = rng.multivariate_normal([0, 0], [[1, -0.7], [-0.7, 1]], size=20_000)
    rows = np.stack([3 + 2 * x[:, 0], np.digitize(x[:, 1], [-1, 0.4])], axis=1)
    found = answer_moments(rows, ("a", "b"), (False, True))
    assert found.corr[0, 1] == pytest.approx(-0.7, abs=0.02)
    assert found.firsts[0][0] == pytest.approx(3, abs=0.05)
    assert found.std.tolist() == pytest.approx([2, 1], abs=0.03)


# groups -------------------------------------------------------------------------------------------------


def two_shops(shift: float = 0.0, loading: float = 1.0) -> pd.DataFrame:
    a, b = survey(500, 1).assign(shop="a"), survey(500, 2).assign(shop="b")
    b["q2"] = 7 + loading * (b["q2"] - 7) + shift
    return pd.concat([a, b], ignore_index=True)


def test_invariance_finds_where_it_breaks():
    assert sat.invariance(sat.CBSEM(FACTORS), two_shops(), "shop").level_reached == "strict"
    moved = sat.invariance(sat.CBSEM(FACTORS), two_shops(shift=1.0), "shop")
    assert moved.level_reached == "metric"
    tidy = moved.tidy().set_index("step")
    assert tidy["decision"].tolist() == ["holds", "holds", "fails", "not reached"]
    assert tidy.loc["metric", "delta_df"] == 6
    pytest.importorskip("matplotlib")
    assert len(sat.plot(moved).axes) == 2
    stretched = sat.invariance(sat.CBSEM(FACTORS, estimator="MLR"), two_shops(loading=2.0), "shop")
    assert stretched.level_reached == "configural"
    assert list(tidy.reset_index().columns)[:6] == ["step", "chisq", "df", "cfi", "rmsea", "srmr"]
    assert set(moved.mean_differences()["construct"]) == {"Quality", "Value", "Loyal"}
    with pytest.raises(sat.ArgumentError, match="one group only"):
        sat.invariance(sat.CBSEM(FACTORS), two_shops().assign(shop="a"), "shop")
    with pytest.raises(sat.ArgumentError, match="steps"):
        sat.invariance(sat.CBSEM(FACTORS), two_shops(), "shop", steps=("weak",))


def test_nested_models():
    frame = survey()
    free, tied = fit(MODEL, frame).result_, fit(MODEL + "a == b", frame).result_
    test = free.difference_test(tied)
    assert test["df"] == 1
    assert test["chisq"] == pytest.approx(tied.fit_measures()["chisq"] - free.fit_measures()["chisq"])
    with pytest.raises(sat.ArgumentError, match="neither restricts"):
        free.difference_test(free)
    with pytest.raises(sat.ArgumentError, match="same rows"):
        free.difference_test(fit(MODEL, frame[:300]).result_)


def test_modification_indices_foresee_the_fall_of_the_statistic():
    frame = survey(1000)
    frame["q1"] += 0.4 * frame["l2"]
    model = fit(FACTORS, frame)
    top = model.modification_indices(3.84).iloc[0]
    line = f"{top['lhs']} {top['op']} {top['rhs']}"
    freed = fit(f"{FACTORS}\n{line}", frame).result_
    fall = model.result_.fit_measures()["chisq"] - freed.fit_measures()["chisq"]
    assert fall == pytest.approx(top["mi"], rel=0.15)
    assert (model.modification_indices(10.0)["mi"] >= 10).all()


# bootstrap ----------------------------------------------------------------------------------------------


def test_bootstrap_agrees_with_the_delta_method():
    frame = survey(400)
    model = sat.CBSEM(MODEL.replace("Value ~ Quality", "Value ~ c*Quality") + "ind := b*c")
    fitted = model.fit(frame).result_.tidy()
    drawn = sat.bootstrap(model, frame, n=120, seed=1)
    assert drawn.n_failed == 0
    own = drawn.tidy()
    assert own["op"].tolist() == fitted["op"].tolist()
    np.testing.assert_allclose(own["estimate"], fitted["estimate"], rtol=1e-6)
    row, delta = (t[t["op"] == ":="].iloc[0] for t in (own, fitted))
    assert row["std_error"] == pytest.approx(delta["std_error"], rel=0.3)
    indirect = drawn.table("indirect").set_index(["lhs", "rhs"])["estimate"]
    effects = model.result_.effects().set_index(["target", "source"])["indirect"]
    assert indirect["Loyal", "Quality"] == pytest.approx(effects["Loyal", "Quality"], rel=1e-6)


def test_bootstrap_of_the_index():
    frame = survey(300)
    drawn = (
        sat.bootstrap(sat.CBSEM(MODEL), frame, n=60, seed=2, scale=(-20, 30)).table("index").set_index("lhs")
    )
    expected = fit(MODEL, frame).result_.index((-20, 30)).set_index("construct")
    assert drawn["estimate"].to_dict() == pytest.approx(expected["estimate"].to_dict(), rel=1e-9)
    ratio = drawn["std_error"] / (expected["std_dev"] / np.sqrt(300))
    assert ratio.between(0.7, 1.4).all()


def test_bootstrap_of_rows_with_gaps_fits_each_draw_by_full_information():
    frame = survey(300)
    rng = np.random.default_rng(3)
    frame = frame.mask(rng.random(frame.shape) < 0.08)
    frame.loc[5] = np.nan
    model = sat.CBSEM(MODEL, missing="fiml")
    usable = frame.dropna(how="all").reset_index(drop=True)
    draws = rng.integers(0, len(usable), (3, len(usable)))
    drawn = sat.bootstrap(model, frame, indices=draws)
    result = model.fit(frame).result_
    np.testing.assert_allclose(drawn.tidy()["estimate"], result.tidy()["estimate"], rtol=1e-6)
    for draw, values in zip(draws, drawn.values, strict=True):
        again = fit(MODEL, usable.iloc[draw].reset_index(drop=True), missing="fiml").result_.tidy()
        np.testing.assert_allclose(values[: len(again)], again["estimate"], rtol=1e-4, atol=1e-6)
    errors = sat.bootstrap(model, frame, n=60, seed=1).tidy()["std_error"] / result.tidy()["std_error"]
    assert 0.8 < errors.dropna().median() < 1.2
    with pytest.raises(sat.ArgumentError, match="studentized"):
        sat.bootstrap(model, frame, n=10, interval="studentized")
    with pytest.raises(sat.ArgumentError, match="no weights"):
        sat.bootstrap(model, frame, n=10, sample_weight=np.ones(len(frame)))
    with pytest.raises(sat.ArgumentError, match="complete rows"):
        model.bollen_stine(frame)


def test_effects_are_those_written_out_as_defined_parameters():
    text = MODEL.replace("Value ~ Quality", "Value ~ c*Quality") + "ind := b*c\ntot := a + b*c"
    result = fit(text, survey()).result_
    defined = result.tidy().query("op == ':='").set_index("lhs")
    effects = result.effect_tests().set_index(["lhs", "op", "rhs"])
    for name, op in (("ind", "indirect"), ("tot", "total")):
        row = effects.loc[("Loyal", op, "Quality")]
        assert row["estimate"] == pytest.approx(defined.loc[name, "estimate"], rel=1e-9)
        assert row["std_error"] == pytest.approx(defined.loc[name, "std_error"], rel=1e-9)


def test_bollen_stine_says_what_the_likelihood_says_for_normal_answers():
    frame = survey(300)
    model = sat.CBSEM(FACTORS).fit(frame)
    p = model.result_.fit_measures()["pvalue"]
    assert model.bollen_stine(frame, n=150, seed=2)["p_value"] == pytest.approx(p, abs=0.15)


# other programs -----------------------------------------------------------------------------------------


def test_semopy_agrees_and_is_given_nothing_of_the_users():
    frame = survey().rename(columns={"q1": "drop table", "v1": "__import__"})
    text = (
        MODEL.replace("q1", '"drop table"').replace("v1", '"__import__"').replace("a*", "").replace("b*", "")
    )
    model = fit(text, frame)
    assert model.cross_check()["difference"].max() < 1e-4
    assert sat.cross_check(model.result_)["difference"].max() < 1e-4
    other = fit(text, frame, engine="semopy").result_
    assert other.converged
    assert other.fit_measures()["chisq"] == pytest.approx(model.result_.fit_measures()["chisq"], abs=1e-7)
    written, names = sat.to_semopy(text)
    assert names["drop table"] == "v1"
    assert set("".join(written.split())) <= set("v0123456789=~.*")
    for extra in (
        "\nVstart := 1 + k\nValue ~~ k*Value",
        "\nq2 ~ 1",
        "\nq2 ~~ start(0.1)*l2",
        "\nq2 ~~ k*l2 + k*l3",
    ):
        with pytest.raises(sat.EngineError, match="native"):
            sat.to_semopy(text + extra)


def test_lavaan_text():
    text = "f =~ NA*x1 + a*x2 + start(0.5)*x3\nf ~~ 1*f\nx1 ~ 0*1\nb := a^2\na > 0"
    written = sat.to_lavaan(text)
    assert "f =~ NA*x1" in written
    assert "x1 ~ 0*1" in written
    assert "b := a^2" in written
    assert sat.ModelSpec.parse(written) == sat.ModelSpec.parse(text)
    with pytest.raises(sat.EngineError, match="rename"):
        sat.to_lavaan('f =~ "my item" + x2')


def test_the_known_attacks_are_refused_by_both_engines():
    for engine in ("native", "semopy"):
        for text in ("CONSTRAINT(__import__('os').system('true'))", "A" * 40 + "$"):
            with pytest.raises(sat.SpecError):
                sat.CBSEM(text, engine=engine).fit(survey(50))


def test_correlations_of_few_ordered_answers_that_contradict_one_another_are_told_not_refused():
    # pair by pair, forty yes-or-no answers to nine items give correlations that no answers can have together
    rng = np.random.default_rng(4)
    true = rng.normal(size=(40, 1)) + 0.6 * rng.normal(size=(40, 9))
    frame = pd.DataFrame((true > rng.normal(size=9) * 0.3).astype(int), columns=ITEMS)
    with pytest.warns(sat.ImproperSolutionWarning, match="not positive definite together"):
        result = fit(FACTORS, frame, estimator="WLSMV", ordered=ITEMS).result_
    assert result.converged
    assert np.isfinite(result.fit_measures()["chisq_scaled"])


def test_adjusted_tests_of_rows_with_gaps_are_those_of_complete_rows_without_gaps():
    frame = survey(400)
    gaps = frame.copy()
    gaps.iloc[0, 0] = np.nan  # one answer is next to nothing
    for estimator in ("MLM", "MLMV", "MLMVS"):
        whole = sat.CBSEM(MODEL, estimator=estimator, means=True).fit(frame).result_.fit_measures()
        partial = sat.CBSEM(MODEL, estimator=estimator, missing="fiml").fit(gaps).result_.fit_measures()
        # rows with gaps are weighed by the saturated model's information, complete ones by the model's
        for key in ("chisq_scaled", "chisq_scaling_factor", "df_scaled", "rmsea_robust", "cfi_robust"):
            assert partial[key] == pytest.approx(whole[key], rel=0.1, abs=0.01), (estimator, key)


def test_full_information_with_gaps_in_one_group_alone():
    frame = survey(400).assign(region=np.where(np.arange(400) < 150, "a", "b"))
    frame.iloc[10:40, 1] = np.nan
    text = "Quality =~ q1 + q2 + q3 ; Loyal =~ l1 + l2 + l3 ; Loyal ~ Quality"  # labels would tie the groups
    both = sat.CBSEM(text, group="region", missing="fiml").fit(frame).result_
    alone = [
        sat.CBSEM(text, missing="fiml", means=True).fit(part).result_.fit_measures()
        for _, part in frame.groupby("region")
    ]
    found = both.fit_measures()
    for key in ("chisq", "logl", "baseline_chisq", "df"):
        assert found[key] == pytest.approx(sum(m[key] for m in alone), rel=1e-6), key
