"""Policies for missing answers, the stored form, and scikit-learn's own checks."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from pls_simulated import ITEMS, SPEC, simulated
from sklearn.utils.estimator_checks import check_estimator

import satmodels as sat
from satmodels.statistics import em
from satmodels.statistics.incomplete import likelihood_moments, pairwise_moments

# check -> why PLSPM does not do what it asks
EXPECTED_FAILED_CHECKS = {
    "check_sample_weights_pandas_series": "its frame names the columns 0 and 1, the model names x0 and x1",
    "check_sample_weights_not_an_array": "its two columns are uncorrelated: no outer weights exist",
    "check_sample_weight_equivalence_on_dense_data": (
        "weights are survey weights: paths equal those of repeated rows, but scores are standardised with "
        "n - 1 and n counts respondents, not copies"
    ),
    "check_dtype_object": "the error is a SchemaError that names column, row and value",
    "check_fit2d_1feature": "the model names the columns it needs; the error says which is not there",
}


def test_scikit_learn_checks() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(
            sat.PLSPM("A =~ x0\nB =~ x1\nB ~ A"), on_fail=None, expected_failed_checks=EXPECTED_FAILED_CHECKS
        )
    assert [r["check_name"] for r in found if r["status"] == "failed"] == []
    assert {r["check_name"] for r in found if r["status"] == "xfail"} == set(EXPECTED_FAILED_CHECKS)


@pytest.fixture(scope="module")
def gaps() -> pd.DataFrame:
    frame = simulated(200).astype(float)
    return frame.mask(np.random.default_rng(3).random(frame.shape) < 0.1)


def test_pairwise_correlations_are_those_of_pandas(gaps: pd.DataFrame) -> None:
    moments = pairwise_moments(gaps.to_numpy(), None, ITEMS)
    np.testing.assert_allclose(moments.corr, gaps.corr(), atol=1e-12)
    np.testing.assert_allclose(moments.mean, gaps.mean(), atol=1e-12)


def test_em_equals_the_factored_likelihood() -> None:
    """One column with gaps: maximum likelihood has a closed form (Anderson 1957)."""
    frame = simulated(200)[["q1", "l1"]].astype(float)
    frame.loc[frame["q1"] > 6, "l1"] = np.nan
    both = frame.dropna()
    slope = np.cov(both.T, ddof=0)[0, 1] / both["q1"].var(ddof=0)
    mean = both["l1"].mean() + slope * (frame["q1"].mean() - both["q1"].mean())
    rest = both["l1"].var(ddof=0) - slope**2 * both["q1"].var(ddof=0)
    variance = rest + slope**2 * frame["q1"].var(ddof=0)
    moments = likelihood_moments(frame.to_numpy(), None, list(frame))
    assert moments.mean[1] == pytest.approx(mean, abs=1e-5)
    assert moments.scatter[1, 1] / moments.sum_w == pytest.approx(variance, rel=1e-5)
    assert moments.scatter[0, 1] / moments.sum_w == pytest.approx(slope * frame["q1"].var(ddof=0), rel=1e-5)


@pytest.mark.parametrize("missing", ["pairwise", "em"])
def test_without_gaps_every_policy_is_the_same(missing: str) -> None:
    frame = simulated(150)
    plain = sat.PLSPM(SPEC).fit(frame).result_.parameters["estimate"]
    assert sat.PLSPM(SPEC, missing=missing).fit(frame).result_.parameters["estimate"] == pytest.approx(
        plain, abs=1e-12
    )
    rows = frame.to_numpy(float)
    made = {"pairwise": pairwise_moments, "em": likelihood_moments}[missing](rows, None, ITEMS)
    np.testing.assert_allclose(made.corr, frame.corr(), atol=1e-9)


@pytest.mark.parametrize("missing", ["mean", "pairwise", "em"])
def test_policies_recover_the_paths(gaps: pd.DataFrame, missing: str) -> None:
    whole = sat.PLSPM(SPEC).fit(simulated(200)).result_.paths["estimate"]
    result = sat.PLSPM(SPEC, missing=missing).fit(gaps).result_
    assert result.n_missing == gaps.isna().sum().sum()
    np.testing.assert_allclose(result.paths["estimate"], whole, atol=0.15)


def test_weights_count_as_copies_in_every_policy(gaps: pd.DataFrame) -> None:
    times = np.random.default_rng(0).integers(1, 4, 200)
    for made in (pairwise_moments, likelihood_moments):
        weighted = made(gaps.to_numpy(), times.astype(float), ITEMS)
        copied = made(np.repeat(gaps.to_numpy(), times, axis=0), None, ITEMS)
        np.testing.assert_allclose(weighted.corr, copied.corr, atol=1e-7)


def test_what_has_no_answer_is_named(gaps: pd.DataFrame) -> None:
    for missing in ("mean", "pairwise", "em"):
        with pytest.raises(sat.DataError, match="v1"):
            sat.PLSPM(SPEC, missing=missing).fit(gaps.assign(v1=np.nan))
    apart = gaps.assign(v1=gaps["v1"].where(gaps.index < 100), v2=gaps["v2"].where(gaps.index >= 100))
    with pytest.raises(sat.DataError, match="never answered together"):
        sat.PLSPM(SPEC, missing="pairwise").fit(apart)
    with pytest.raises(sat.ArgumentError, match="complete rows"):
        sat.fit_test(sat.PLSPM(SPEC, missing="em"), gaps)


def test_impossible_pairwise_correlations_are_refused() -> None:
    rows = np.full((60, 3), np.nan)
    z = np.random.default_rng(0).normal(size=20)
    rows[:20, 0], rows[:20, 1] = z, z
    rows[20:40, 1], rows[20:40, 2] = z, z
    rows[40:, 0], rows[40:, 2] = z, -z
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])
    with pytest.raises(sat.DataError, match="positive semidefinite"):
        sat.PLSPM("A =~ a\nB =~ b\nC =~ c\nC ~ A + B", missing="pairwise").fit(frame)


def test_stored_model(gaps: pd.DataFrame) -> None:
    model = sat.PLSPM(SPEC, scheme="centroid", tol=1e-9).fit(gaps)
    text = model.to_json()
    again = sat.PLSPM.from_json(text)
    assert again.get_params()["scheme"] == "centroid"
    assert again.result_.parameters["estimate"] == pytest.approx(
        model.result_.parameters["estimate"], abs=1e-9
    )
    np.testing.assert_allclose(again.transform(gaps), model.transform(gaps), atol=1e-9)
    document = json.loads(text)
    document["body"]["parameters"]["tol"] = 1
    with pytest.raises(sat.ArgumentError, match="checksum"):
        sat.PLSPM.from_json(json.dumps(document))
    with pytest.raises(sat.ArgumentError):
        sat.PLSPM.from_json("{}")


def test_ordered_answers() -> None:
    """Cutting the answers into three classes hides part of the correlations; polychoric ones restore it."""
    rng = np.random.default_rng(0)
    quality = rng.normal(size=3000)
    loyalty = 0.6 * quality + 0.8 * rng.normal(size=3000)
    latent = [quality] * 3 + [loyalty] * 3
    rows = np.column_stack([c + rng.normal(size=3000) for c in latent])
    names = ["q1", "q2", "q3", "l1", "l2", "l3"]
    whole = pd.DataFrame(rows, columns=names)
    cut = pd.DataFrame(np.digitize(rows, [-1.0, 1.5]) + 1, columns=names)
    text = "Quality =~ q1 + q2 + q3\nLoyalty =~ l1 + l2 + l3\nLoyalty ~ Quality"
    true, coarse, ordered = (
        model.fit(frame).result_.paths["estimate"].item()
        for model, frame in (
            (sat.PLSPM(text), whole),
            (sat.PLSPM(text), cut),
            (sat.PLSPM(text, ordered=True), cut),
        )
    )
    assert coarse < true - 0.03
    assert ordered == pytest.approx(true, abs=0.02)
    model = sat.PLSPM(text, ordered=True).fit(cut)
    assert sat.PLSPM.from_json(model.to_json()).result_.paths["estimate"].item() == pytest.approx(ordered)
    gaps = cut.astype(float).mask(rng.random(cut.shape) < 0.02)
    assert model.fit(gaps).result_.n_dropped == int(gaps.isna().any(axis=1).sum())
    for refused in (
        lambda: sat.micom(model, cut.assign(g=1), "g"),
        lambda: sat.pls_predict(model, cut),
        lambda: sat.blindfold(model, cut),
        lambda: sat.fit_test(model, cut),
    ):
        with pytest.raises(sat.ArgumentError, match="numbers"):
            refused()
    with pytest.raises(sat.ArgumentError, match="weights"):
        model.fit(cut, sample_weight=np.ones(3000))
    with pytest.raises(sat.ArgumentError, match="moments"):
        model.fit(sat.Moments.collect(cut, names))
    with pytest.raises(sat.SchemaError, match="different answers"):
        model.fit(whole)


def test_em_of_all_patterns_at_once_is_em_pattern_by_pattern() -> None:
    """Also where parts of the rows are taken in turn, and where an item is there twice (no inverse)."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(120, 6)) + rng.normal(size=(120, 1))
    x[rng.random(x.shape) < 0.3] = np.nan
    w = rng.uniform(0.5, 2, 120)
    mean, cov = np.nanmean(x, axis=0), np.eye(6) + 0.4
    rows, rest = em._expected_by_pattern(x, w, mean, cov)
    for entries in (em.MOST_ENTRIES, 40, 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(em, "MOST_ENTRIES", entries)
            parts = em.gaps_of(x)
        assert len(parts) == 1 or entries < 100
        found = em._expected_rows(x, w, parts, mean, cov)
        np.testing.assert_allclose(found[0], rows, atol=1e-12)
        np.testing.assert_allclose(found[1], rest, atol=1e-10)
    names = tuple("abcdef")
    twice = np.column_stack([x, x[:, 0]])
    once, again = em.em_moments(x, names), em.em_moments(twice, (*names, "g"))
    np.testing.assert_allclose(again.cov[:6, :6], once.cov, atol=1e-7)
