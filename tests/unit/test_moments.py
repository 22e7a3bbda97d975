"""Moments against numpy and pandas, published correlations, and the way to disk and back."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

RNG = np.random.default_rng(5)
FRAME = pd.DataFrame(RNG.integers(1, 11, (400, 3)).astype(float), columns=["a", "b", "c"]).assign(
    w=RNG.gamma(2, 1, 400)
)
COLUMNS = ["a", "b", "c"]


def test_unweighted_moments_are_numpys():
    found = sat.Moments.collect(FRAME, COLUMNS)
    np.testing.assert_allclose(found.mean, FRAME[COLUMNS].mean(), rtol=1e-14)
    np.testing.assert_allclose(found.cov, FRAME[COLUMNS].cov(), rtol=1e-12)
    np.testing.assert_allclose(found.corr, FRAME[COLUMNS].corr(), rtol=1e-12)
    np.testing.assert_allclose(found.std, FRAME[COLUMNS].std(), rtol=1e-12)
    assert (found.n, found.sum_w, found.n_eff) == (400, 400, 400)


def test_weighted_moments():
    found = sat.Moments.collect(FRAME, COLUMNS, "w")
    w, x = FRAME["w"].to_numpy(), FRAME[COLUMNS].to_numpy()
    np.testing.assert_allclose(found.mean, np.average(x, axis=0, weights=w), rtol=1e-13)
    np.testing.assert_allclose(found.cov, np.cov(x.T, aweights=w, ddof=0) * 400 / 399, rtol=1e-12)
    assert found.n_eff == pytest.approx(w.sum() ** 2 / (w @ w))


def test_whole_number_weights_are_copies():
    w = RNG.integers(0, 4, 400)
    weighted = sat.Moments.collect(FRAME.assign(w=w), COLUMNS, "w")
    copied = sat.Moments.collect(FRAME.loc[FRAME.index.repeat(w)], COLUMNS)
    np.testing.assert_allclose(weighted.mean, copied.mean, rtol=1e-13)
    np.testing.assert_allclose(weighted.scatter, copied.scatter, rtol=1e-11)


def test_rows_with_gaps_are_left_out_and_counted():
    frame = FRAME.copy()
    frame.loc[[1, 5], "a"] = np.nan
    frame.loc[5, "b"] = np.nan
    found = sat.Moments.collect(frame, COLUMNS)
    assert (found.n, found.n_dropped) == (398, 2)
    np.testing.assert_allclose(found.cov, frame.dropna()[COLUMNS].cov(), rtol=1e-12)


@pytest.mark.parametrize("offset", [0, 1e6, 1e8])
def test_a_large_offset_keeps_its_digits_through_many_parts(offset):
    shifted = FRAME[COLUMNS] + offset
    parts = [sat.Moments.collect(shifted[i : i + 7], COLUMNS) for i in range(0, 400, 7)]
    total = sum(parts[1:], start=parts[0])
    np.testing.assert_allclose(total.cov, FRAME[COLUMNS].cov(), rtol=1e-9, atol=8e-9)  # variances are 8


def test_too_little_data_has_no_covariance():
    one = sat.Moments.collect(FRAME[:1], COLUMNS)
    assert one.n == 1
    for name in ("cov", "corr", "std"):
        with pytest.raises(sat.DataError, match="2 complete rows"):
            getattr(one, name)
    with pytest.raises(sat.DataError, match="all weights are 0"):
        _ = sat.Moments.collect(FRAME.assign(w=0.0), COLUMNS, "w").cov


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9])
def test_constant_columns_have_no_correlation(constant):
    with pytest.raises(sat.DataError, match=r"\['b'\]") as caught:
        _ = sat.Moments.collect(FRAME.assign(b=constant), COLUMNS).corr
    assert caught.value.columns == ("b",)


def test_select_and_merge_mind_the_names():
    whole = sat.Moments.collect(FRAME, COLUMNS)
    part = whole.select(["c", "a"])
    np.testing.assert_array_equal(part.scatter, whole.scatter[np.ix_([2, 0], [2, 0])])
    with pytest.raises(sat.ArgumentError, match="no column of these moments"):
        whole.select(["d"])
    with pytest.raises(sat.ArgumentError, match="different columns"):
        whole + part
    with pytest.raises(sat.ArgumentError, match="among the columns and as the weight"):
        sat.Moments.collect(FRAME, ["a", "w"], "w")
    with pytest.raises(sat.ArgumentError, match="1 to 500"):
        sat.Moments.collect(pd.DataFrame(np.zeros((2, 501))).add_prefix("x"), [f"x{i}" for i in range(501)])


CORR = [[1, 0.5], [0.5, 1]]


def test_published_correlations():
    found = sat.Moments.from_correlation(CORR, 250, std=[2, 3], mean={"x": 7, "y": 8}, columns=["x", "y"])
    np.testing.assert_allclose(found.cov, [[4, 3], [3, 9]])
    np.testing.assert_allclose(found.corr, CORR)
    assert (found.n, found.mean.tolist()) == (250, [7, 8])
    labelled = pd.DataFrame(CORR, index=["y", "x"], columns=["x", "y"])[["x", "y"]]
    labelled.loc["x"], labelled.loc["y"] = [1, 0.5], [0.5, 1]
    np.testing.assert_allclose(sat.Moments.from_correlation(labelled, 10).corr, CORR)
    by_name = {"x": {"x": 1, "y": 0.5}, "y": {"y": 1, "x": 0.5}}
    np.testing.assert_allclose(sat.Moments.from_correlation(by_name, 10).corr, CORR)


@pytest.mark.parametrize(
    ("corr", "options", "words"),
    [
        ([[1, 0.5]], {}, "shape"),
        ([[1, 0.5], [0.4, 1]], {}, "not symmetric"),
        ([[1, np.nan], [np.nan, 1]], {}, "missing"),
        ([[2, 0.5], [0.5, 1]], {}, "diagonal"),
        ([[1, 1.5], [1.5, 1]], {}, "positive semidefinite"),
        (CORR, {"columns": None}, "no names"),
        (CORR, {"columns": ["x", "x"]}, "twice"),
        (CORR, {"n": 1}, "n=1"),
        (CORR, {"n": 250.5}, "n=250.5"),
        (CORR, {"n": True}, "n=True"),
        (CORR, {"std": [1, 0]}, "larger than 0"),
        (CORR, {"std": [1]}, "one finite number"),
        (CORR, {"mean": {"x": 1, "z": 2}}, "mean names"),
        ([["a", "b"], ["c", "d"]], {}, "no matrix"),
        ({"x": {"x": 1}, "y": {"y": 1}}, {}, "same names"),
    ],
)
def test_what_is_no_correlation_matrix(corr, options, words):
    given = {"n": 250, "columns": ["x", "y"], **options}
    with pytest.raises(sat.ArgumentError, match=words):
        sat.Moments.from_correlation(corr, given.pop("n"), **given)


def test_the_way_to_disk_and_back_is_exact():
    found = sat.Moments.collect(FRAME, COLUMNS, "w")
    again = sat.Moments.from_json(found.to_json())
    for name in ("mean", "scatter"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    assert (again.n, again.sum_w, again.sum_w2, again.weighted) == (found.n, found.sum_w, found.sum_w2, True)
    assert len(sat.Moments.collect(RNG_FRAME, list(RNG_FRAME)).to_json()) < 10_000


RNG_FRAME = pd.DataFrame(RNG.integers(1, 11, (300, 24))).add_prefix("q")


@pytest.mark.parametrize(
    "change",
    [
        {"columns": ["a"]},
        {"columns": ["a", "a"]},
        {"columns": [f"x{i}" for i in range(1000)]},
        {"mean": [1.0]},
        {"scatter": [1.0, 2.0]},
        {"scatter": [-1.0, 0.0, 1.0]},
        {"n": -1},
        {"n": 1.5},
        {"n": True},
        {"sum_w": -1.0},
        {"mean": None},
    ],
)
def test_documents_that_dont_fit_together(change):
    from satmodels.stored import write_document

    body = json.loads(sat.Moments.collect(FRAME, ["a", "b"]).to_json())["body"]
    with pytest.raises(sat.ArgumentError):
        sat.Moments.from_json(write_document("Moments", 1, {**body, **change}))


@pytest.mark.parametrize("n", ["ten", None, 2.5, True, 1, float("nan"), float("inf")])
def test_a_number_of_respondents_is_a_whole_number(n):
    with pytest.raises(sat.ArgumentError, match=r"respondents|n= takes"):
        sat.Moments.from_correlation([[1.0, 0.5], [0.5, 1.0]], n, columns=["a", "b"])


def test_rounding_makes_no_sum_of_squares_negative():
    # one row that counts: the centre is rounded, and 3 * 0.28² less 0.84² / 3 is below zero
    frame = pd.DataFrame({"a": [0.12, 0.68], "w": [3.0, 0.0]})
    moments = sat.Moments.collect(frame, ["a"], weight="w")
    assert moments.scatter[0, 0] == 0
    assert sat.Moments.from_json(moments.to_json()).scatter[0, 0] == 0
