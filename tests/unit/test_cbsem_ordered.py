"""Ordered answers in groups, with weights and with gaps: what must hold whatever the numbers are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

ITEMS = ("q1", "q2", "q3", "q4", "v1", "v2", "v3")
MODEL = "Quality =~ q1 + q2 + q3 + q4\nValue =~ v1 + v2 + v3"
EQUAL = ("thresholds", "loadings")


def simulated(n: int = 500, seed: int = 1, friendlier: float = 0.0) -> pd.DataFrame:
    """Five-point answers in two languages; French quality is 0.4 higher, and q2 may sound friendlier there."""
    rng = np.random.default_rng(seed)
    french = np.arange(n) % 2 == 1
    quality = np.where(french, 0.4, 0.0) + rng.normal(size=n)
    value = 0.5 * quality + rng.normal(size=n)
    columns = {}
    for name, construct in (("q", quality), ("v", value)):
        for i, loading in enumerate((1.0, 0.8, 1.2, 0.9)[: 4 if name == "q" else 3], start=1):
            response = loading * construct + rng.normal(size=n) * 0.8
            if (name, i) == ("q", 2):
                response += np.where(french, friendlier, 0.0)
            columns[f"{name}{i}"] = np.digitize(response, [-1.2, -0.4, 0.4, 1.3]) + 1
    return pd.DataFrame(columns).assign(language=np.where(french, "fr", "de"))


def fit(frame: pd.DataFrame, text: str = MODEL, weight: object = None, **options: object) -> sat.CBSEM:
    options = {"estimator": "WLSMV", "ordered": ITEMS} | options
    return sat.CBSEM(text, **options).fit(frame, sample_weight=weight)


def estimates(model: sat.CBSEM) -> np.ndarray:
    return model.result_.tidy()["estimate"].to_numpy()


def test_groups_without_equalities_are_fits_of_their_own():
    frame = simulated()
    both = fit(frame, group="language").result_.tidy()
    for language, part in frame.groupby("language"):
        alone = fit(part).result_.tidy().set_index(["lhs", "op", "rhs"])
        rows = both[both["group"] == language].set_index(["lhs", "op", "rhs"])
        np.testing.assert_allclose(rows.loc[alone.index, "estimate"], alone["estimate"], atol=1e-6)
        np.testing.assert_allclose(rows.loc[alone.index, "std_error"], alone["std_error"], rtol=0.01)


def test_two_parameterisations_are_one_model():
    frame = simulated()
    options = {"group": "language", "equal": EQUAL}
    delta, theta = fit(frame, **options), fit(frame, **options, parameterization="theta")
    for name in ("chisq", "df", "chisq_scaled", "srmr", "rmsea_scaled"):
        assert theta.result_.fit_measures()[name] == pytest.approx(
            delta.result_.fit_measures()[name], rel=1e-6
        )
    key = ["group", "lhs", "op", "rhs"]
    a, b = (m.result_.standardized().set_index(key) for m in (delta, theta))
    np.testing.assert_allclose(b.loc[a.index, "estimate"], a["estimate"], atol=1e-6)
    free = a["std_error"].notna() & b.loc[a.index, "std_error"].notna()
    np.testing.assert_allclose(b.loc[a.index, "std_error"][free], a["std_error"][free], rtol=1e-5)
    np.testing.assert_allclose(theta.transform(frame).std(axis=0) > 0, True)


def test_a_weight_of_two_is_two_rows():
    frame = simulated(300)
    rng = np.random.default_rng(3)
    times = rng.integers(1, 4, len(frame))
    again = frame.loc[frame.index.repeat(times)]
    weighted, repeated = (fit(f, weight=w, estimator="ULSMV") for f, w in ((frame, times), (again, None)))
    np.testing.assert_allclose(estimates(weighted), estimates(repeated), atol=1e-6)
    # WLSMV weighs by the precision that so many respondents give, not so many rows: only thresholds are the same
    weighted, repeated = fit(frame, weight=times), fit(again)
    at = (weighted.result_.tidy()["op"] == "|").to_numpy()
    np.testing.assert_allclose(estimates(weighted)[at], estimates(repeated)[at], atol=1e-9)
    assert (
        weighted.result_.tidy()["std_error"].dropna() > repeated.result_.tidy()["std_error"].dropna()
    ).all()
    # weights of one are no weights, in any unit
    plain, constant = fit(frame), fit(frame, weight=np.full(len(frame), 7.0))
    np.testing.assert_allclose(estimates(constant), estimates(plain), atol=1e-9)
    np.testing.assert_allclose(
        constant.result_.tidy()["std_error"], plain.result_.tidy()["std_error"], rtol=1e-9
    )
    named = sat.CBSEM(MODEL, estimator="WLSMV", ordered=ITEMS).fit(frame.assign(w=times), sample_weight="w")
    np.testing.assert_allclose(estimates(named), estimates(weighted), atol=1e-9)


def test_answers_that_are_missing():
    frame = simulated(400)
    np.testing.assert_allclose(estimates(fit(frame, missing="pairwise")), estimates(fit(frame)), atol=1e-9)
    gaps = frame.copy()
    gaps[list(ITEMS)] = frame[list(ITEMS)].mask(np.random.default_rng(5).random((400, 7)) < 0.15)
    gaps.loc[3, list(ITEMS)] = np.nan
    pairwise, listwise = fit(gaps, missing="pairwise"), fit(gaps)
    assert (pairwise.result_.n, pairwise.result_.n_dropped) == (399, 1)
    assert listwise.result_.n == len(gaps.dropna())
    # all rows that there are give smaller standard errors
    assert (
        pairwise.result_.tidy()["std_error"].dropna() < listwise.result_.tidy()["std_error"].dropna()
    ).mean() > 0.9
    apart = frame.astype({i: float for i in ITEMS})
    apart.loc[:199, "q1"], apart.loc[200:, "q2"] = np.nan, np.nan
    with pytest.raises(sat.DataError, match="no row has answers in both 'q1' and 'q2'"):
        fit(apart, missing="pairwise")


def test_numbers_beside_ordered_answers_have_units_that_do_not_matter():
    frame = simulated(400)
    rng = np.random.default_rng(2)
    for i in (1, 2, 3):
        frame[f"s{i}"] = frame["v1"] + rng.normal(size=400)
    text = MODEL + "\nSpend =~ s1 + s2 + s3\nSpend ~ Value"
    options = {"group": "language", "equal": (*EQUAL, "intercepts")}
    free, tied = fit(frame, text, group="language"), fit(frame, text, **options)
    turned = frame.assign(s2=frame["s2"] * 40 - 3)
    other_free, other = fit(turned, text, group="language"), fit(turned, text, **options)
    assert other.result_.fit_measures()["chisq"] == pytest.approx(
        tied.result_.fit_measures()["chisq"], rel=1e-6
    )
    test, again = tied.difference_test(free), other.difference_test(other_free)
    assert again["chisq"] == pytest.approx(test["chisq"], rel=1e-6)
    assert 0.001 < test["p_value"] <= 1


def test_invariance_of_ordered_answers():
    model = sat.CBSEM(MODEL, estimator="WLSMV", ordered=ITEMS)
    same = sat.invariance(model, simulated(800), "language")
    assert same.tidy()["step"].tolist() == ["configural", "thresholds", "metric", "scalar", "strict"]
    assert same.level_reached == "strict"
    means = same.mean_differences().set_index("construct")
    assert means.loc["Quality", "conf_low"] < 0.4 < means.loc["Quality", "conf_high"]
    frame = simulated(800, friendlier=1.0)
    biased = sat.invariance(model, frame, "language")
    assert biased.level_reached == "metric"
    first = biased.releases().iloc[0]
    assert (first["lhs"], first["op"], first["group"]) == ("q2", "~1", "fr")
    assert first["change"] == pytest.approx(1.0, abs=0.35)
    partial = sat.invariance(model, frame, "language", partial=["q2 ~ 1"])
    assert partial.level_reached == "strict"
    fall = biased.models["scalar"].measures["chisq"] - partial.models["scalar"].measures["chisq"]
    assert fall > 20
    with pytest.raises(sat.ArgumentError, match="step"):
        biased.releases("weak")


def test_invariance_of_weighted_rows_of_any_engine(engine):
    frame = simulated(300).assign(w=np.arange(300) % 3 + 1.0)
    model, steps = sat.CBSEM(MODEL, estimator="WLSMV", ordered=ITEMS), ["configural", "scalar"]
    expected = sat.invariance(model, frame, "language", steps=steps, sample_weight="w").tidy()
    plain = sat.invariance(model, frame, "language", steps=steps).tidy()
    assert abs(expected["chisq"] - plain["chisq"]).min() > 0.01
    found = sat.invariance(model, engine(frame), "language", steps=steps, sample_weight="w").tidy()
    np.testing.assert_allclose(found["chisq"], expected["chisq"], rtol=1e-6)


def test_invariance_is_stored_whole():
    result = sat.invariance(sat.CBSEM(MODEL, estimator="WLSMV", ordered=ITEMS), simulated(300), "language")
    again = sat.read_result(result.to_json(full=True))
    pd.testing.assert_frame_equal(again.tidy(), result.tidy())
    pd.testing.assert_frame_equal(again.releases("scalar"), result.releases("scalar"))


def test_partial_invariance_of_numbers():
    frame = simulated(800, friendlier=0.8)
    model = sat.CBSEM(MODEL, estimator="MLR")
    biased = sat.invariance(model, frame, "language")
    assert biased.level_reached == "metric"
    first = biased.releases().iloc[0]
    assert (first["lhs"], first["op"]) == ("q2", "~1")
    partial = sat.invariance(model, frame, "language", partial=["q2 ~ 1"])
    assert partial.level_reached == "strict"
    rows = partial.models["scalar"].tidy().query("lhs == 'q2' and op == '~1'")["estimate"]
    assert abs(rows.iloc[0] - rows.iloc[1]) > 0.5


@pytest.mark.parametrize(
    ("partial", "says"),
    [
        (["q9 ~ 1"], "'q9 ~1' is no parameter"),
        (["Quality =~ q1"], "it is fixed"),
        (["q2 and so on"], "names no parameter"),
        (["Quality ~~ Value"], "held equal by no step"),
    ],
)
def test_what_partial_can_not_name(partial: list[str], says: str):
    with pytest.raises(sat.ArgumentError, match=says):
        sat.invariance(
            sat.CBSEM(MODEL, estimator="WLSMV", ordered=ITEMS), simulated(200), "language", partial=partial
        )


def test_answers_with_two_and_three_categories():
    frame = simulated(600)
    coarse = frame.assign(**{i: np.digitize(frame[i], [2.5, 4.5]) for i in ITEMS})
    steps = sat.invariance(sat.CBSEM(MODEL, estimator="WLSMV", ordered=ITEMS), coarse, "language").tidy()
    # two thresholds fix scaling factor and intercept, so that equal ones restrict nothing
    assert steps.loc[1, ["step", "delta_df", "delta_chisq"]].tolist() == ["thresholds", 0, 0.0]
    binary = frame.assign(**{i: (frame[i] > 3).astype(int) for i in ITEMS})
    model = sat.CBSEM(MODEL, estimator="WLSMV", ordered=ITEMS)
    with pytest.raises(sat.ArgumentError, match="two categories"):
        sat.invariance(model, binary, "language", steps=["configural", "metric"])
    found = sat.invariance(model, binary, "language", steps=["configural"]).tidy()
    assert found["decision"].tolist() == ["holds"]


def test_a_category_that_a_group_never_chose():
    frame = simulated(400)
    frame.loc[(frame["language"] == "fr") & (frame["v2"] == 5), "v2"] = 4
    with pytest.raises(sat.DataError, match="nobody answered 5 in 'v2' in group 'fr', others did"):
        fit(frame, group="language")
    with pytest.raises(sat.DataError, match=r"\(let 5 in 'v2' become 4\)"):
        fit(frame, group="language")
    assert fit(frame.assign(v2=frame["v2"].clip(upper=4)), group="language").result_.converged
    assert fit(frame).result_.converged


def test_scores_of_groups_are_on_one_scale():
    frame = simulated(800)
    model = fit(frame, group="language", equal=EQUAL)
    scores = model.transform(frame)
    means = (
        model.result_.tidy().query("lhs == 'Quality' and op == '~1' and group == 'fr'")["estimate"].iloc[0]
    )
    french = (frame["language"] == "fr").to_numpy()
    gap = scores[french, 0].mean() - scores[~french, 0].mean()
    assert gap == pytest.approx(means, rel=0.35)
    same = frame.loc[[0, 0]].assign(language=["de", "fr"])
    one, other = model.transform(same)[:, 0]
    assert one != other  # the same answers, seen against another group
    np.testing.assert_allclose(model.transform(frame.iloc[[7]])[0], scores[7], atol=1e-8)


@pytest.mark.parametrize(
    ("text", "options", "error", "says"),
    [
        ("q1 | t5", {}, sat.SpecError, "its thresholds are t1, t2, t3, t4"),
        ("q1 ~~ q1", {}, sat.SpecError, "what is left of its variance"),
        ("q1 ~*~ q1", {"parameterization": "theta"}, sat.SpecError, "follow from residual"),
        ("", {"equal": ("residuals",), "group": "language"}, sat.ArgumentError, 'parameterization="theta"'),
        ("", {"parameterization": "gamma"}, sat.ArgumentError, "parameterization"),
        ("", {"missing": "fiml"}, sat.ArgumentError, "pairwise"),
        ("", {"partial": ("q2 | t1",)}, sat.ArgumentError, "give group="),
        ("q1 ~ 1", {}, sat.IdentificationError, "q1 ~1"),
        ("q1 ~*~ c(1, NA)*q1", {"group": "language"}, sat.IdentificationError, r"q1 ~\*~ q1"),
    ],
)
def test_what_ordered_models_refuse(text, options, error, says):
    with pytest.raises(error, match=says):
        fit(simulated(200), f"{MODEL}\n{text}", **options)
    with pytest.raises(sat.ArgumentError, match="for ordered columns"):
        sat.CBSEM(MODEL, group="language", equal=("thresholds",)).fit(simulated(200))


def test_models_that_are_compared_saw_the_same_rows():
    frame = simulated(300)
    options = {"group": "language"}
    free, tied = fit(frame, **options), fit(frame, **options, equal=EQUAL)
    assert free.difference_test(tied) == tied.difference_test(free)
    with pytest.raises(sat.ArgumentError, match="same columns of the same rows"):
        tied.difference_test(fit(frame.iloc[:280], **options))
    with pytest.raises(sat.ArgumentError, match="neither restricts"):
        tied.difference_test(tied)
    with pytest.raises(sat.ArgumentError, match="has the moments"):
        tied.result_.difference_test(free.result_)


@pytest.mark.parametrize("seed", [1, 2, 3, 6, 28, 66])
@pytest.mark.filterwarnings("ignore::satmodels.ImproperSolutionWarning")
def test_theta_fits_as_delta_or_says_that_a_loading_has_no_limit(seed: int):
    rng = np.random.default_rng(seed)
    first = rng.normal(size=(150, 1))
    second = 0.5 * first + rng.normal(size=(150, 1))
    y = np.hstack([c + 0.5 * rng.normal(size=(150, 3)) for c in (first, second)])
    cuts = [np.sort(rng.normal(size=rng.integers(1, 3)) * 1.2) for _ in range(6)]
    frame = pd.DataFrame({f"y{i}": np.digitize(y[:, i], cut) for i, cut in enumerate(cuts)})
    text = "First =~ y0 + y1 + y2 ; Second =~ y3 + y4 + y5 ; Second ~ First"
    delta, theta = (
        sat.CBSEM(text, estimator="WLSMV", ordered=tuple(frame), parameterization=p).fit(frame).result_
        for p in ("delta", "theta")
    )
    if delta.admissible:
        assert theta.fit_measures()["chisq"] == pytest.approx(delta.fit_measures()["chisq"], rel=1e-7)
    else:  # a negative residual variance there is one that is nothing beside its column's here
        assert not theta.admissible
        assert any("its loading has no limit" in problem for problem in theta.problems)
