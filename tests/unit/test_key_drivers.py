"""Key drivers: exact numbers, properties, standard errors, bad input."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.drivers import influence, shapley
from satmodels.drivers.relative_weights import relative_weights

# R datasets::swiss: correlations with Fertility first (R 4.2.2), and importances of relaimpo 2.2-7
NAMES = ["Fertility", "Agriculture", "Examination", "Education", "Catholic", "Infant.Mortality"]
SWISS = np.array(
    [
        [1, 0.353079183619975, -0.645882706457288, -0.663788857035069, 0.463684700651794, 0.416556031434983],
        [0, 1, -0.686542208617137, -0.63952251894832, 0.40109505304874, -0.0608586084165816],
        [0, 0, 1, 0.698415296288483, -0.572741806064167, -0.114021596482034],
        [0, 0, 0, 1, -0.153858917090915, -0.0993218458213457],
        [0, 0, 0, 0, 1, 0.175495907596623],
        [0, 0, 0, 0, 0, 1],
    ]
)
SWISS = SWISS + np.triu(SWISS, 1).T
R2 = 0.706735001592726
LMG = [0.0570912207680913, 0.171173028900234, 0.260134678624385, 0.105570150373494, 0.112765922926522]
GENIZI = [0.0484168958119008, 0.15470824980616, 0.271964104645999, 0.114680029947562, 0.116965721381104]


@pytest.fixture(scope="module")
def swiss() -> sat.Moments:
    return sat.Moments.from_correlation(SWISS, 47, columns=NAMES)


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x = np.clip(np.round(6 + 1.2 * rng.normal(size=(400, 1)) + 1.3 * rng.normal(size=(400, 4))), 1, 10)
    y = np.clip(np.round(x @ [0.4, 0.3, 0.2, 0.1] + rng.normal(size=400)), 1, 10)
    return pd.DataFrame(np.column_stack([x, y]), columns=["price", "service", "app", "shop", "overall"])


@pytest.mark.parametrize(
    ("method", "expected"), [("shapley", LMG), ("relative_weights", GENIZI), ("correlation", SWISS[0, 1:])]
)
def test_swiss_as_relaimpo_has_it(swiss, method, expected):
    found = sat.key_drivers(swiss, "Fertility", method=method)
    np.testing.assert_allclose(found.estimates["estimate"], expected, atol=1e-12)
    assert found.r2[0] == pytest.approx(R2, abs=1e-12)


def brute_force(corr, r):
    p = len(r)

    def r2(members):
        members = list(members)
        return r[members] @ np.linalg.solve(corr[np.ix_(members, members)], r[members]) if members else 0.0

    values = np.zeros(p)
    for j in range(p):
        others = [k for k in range(p) if k != j]
        for s in range(p):
            for members in combinations(others, s):
                weight = factorial(s) * factorial(p - 1 - s) / factorial(p)
                values[j] += weight * (r2((*members, j)) - r2(members))
    return values


def random_correlations(p, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40 + 4 * p, p + 1)) @ rng.normal(size=(p + 1, p + 1))
    joint = np.corrcoef(x.T)
    return joint[:-1, :-1], joint[:-1, -1]


@pytest.mark.parametrize("p", [1, 2, 3, 6, 7])
def test_shapley_against_all_orders(p):
    corr, r = random_correlations(p, p)
    np.testing.assert_allclose(shapley.shapley_r2(corr, r), brute_force(corr, r), atol=1e-13)
    np.testing.assert_allclose(
        shapley.fold_game(shapley.subset_r2(corr, r)), brute_force(corr, r), atol=1e-13
    )


def test_blocks_of_subsets_change_nothing(monkeypatch):
    corr, r = random_correlations(9, 0)
    whole, subsets = shapley.shapley_r2(corr, r), shapley.subset_r2(corr, r)
    monkeypatch.setattr(shapley, "STACK", 1 << 4)
    np.testing.assert_allclose(shapley.shapley_r2(corr, r), whole, atol=1e-14)
    np.testing.assert_allclose(shapley.subset_r2(corr, r), subsets, atol=1e-14)


def test_twenty_drivers_sum_to_r2_and_random_orders_agree():
    corr, r = random_correlations(20, 3)
    exact = shapley.shapley_r2(corr, r)
    assert exact.sum() == pytest.approx(r @ np.linalg.solve(corr, r), abs=1e-12)
    assert exact.min() > 0
    sampled = shapley.sampled_shapley_r2(corr, r, n_orders=400, seed=1)
    assert np.abs((sampled.values - exact) / sampled.mc_error).max() < 4
    assert sampled.values.sum() == pytest.approx(exact.sum(), abs=1e-12)  # every order sums to R²


def test_above_the_exact_limit_orders_are_sampled_and_the_error_is_told(monkeypatch):
    monkeypatch.setattr("satmodels.drivers.measures.ORDERS", 200)
    corr, r = random_correlations(28, 2)
    joint = np.block([[corr, r[:, None]], [r[None, :], np.ones((1, 1))]])
    moments = sat.Moments.from_correlation(joint, 500, columns=[*(f"x{k}" for k in range(28)), "y"])
    found = sat.key_drivers(moments, "y", seed=1)
    assert min(found.estimates["mc_error"]) > 0
    assert sum(found.estimates["share"]) == pytest.approx(1)
    assert found.estimates == sat.key_drivers(moments, "y", seed=1).estimates


def test_gradient_of_shapley_is_its_numeric_gradient():
    corr, r = random_correlations(5, 1)
    joint = np.block([[corr, r[:, None]], [r[None, :], np.ones((1, 1))]])
    exact = influence.shapley_gradient(joint)
    np.testing.assert_allclose(exact, influence.numeric_gradient(shapley.shapley_r2, joint), atol=1e-8)


def test_standard_error_of_a_correlation_is_the_textbook_one(answers):
    moments = sat.Moments.collect(answers, ["price", "overall"])
    found = sat.key_drivers(moments, "overall", method="correlation").estimates
    r = found["estimate"][0]
    assert found["std_error"][0] == pytest.approx((1 - r**2) / np.sqrt(398), rel=1e-6)


@pytest.mark.parametrize("method", ["shapley", "relative_weights", "standardized", "correlation"])
def test_robust_standard_errors_are_those_of_the_jackknife(answers, method):
    drivers = ["price", "service", "app", "shop"]
    found = sat.key_drivers(answers, "overall", drivers, method=method).estimates
    left_out = []
    for part in range(100):  # grouped jackknife: 100 groups of four
        rows = np.arange(len(answers)) % 100 != part
        moments = sat.Moments.collect(answers[rows], [*drivers, "overall"])
        left_out.append(
            sat.key_drivers(moments, "overall", method=method, interval="none").estimates["estimate"]
        )
    spread = np.sqrt(99 / 100 * ((left_out - np.mean(left_out, axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(found["std_error"], spread, rtol=0.25)


def test_every_engine_gives_the_same(answers, engine):
    drivers = ["price", "service", "app", "shop"]
    plain = sat.key_drivers(answers, "overall", drivers).estimates
    found = sat.key_drivers(engine(answers), "overall", drivers).estimates
    for column in ("estimate", "std_error", "vif"):
        np.testing.assert_allclose(found[column], plain[column], rtol=1e-9)


def test_groups_weights_and_missing_answers(answers, engine):
    frame = answers.assign(
        region=np.where(np.arange(400) < 150, "north", None), w=np.where(np.arange(400) % 2, 1.0, 3.0)
    )
    frame.loc[0, "price"] = np.nan
    found = sat.key_drivers(engine(frame), "overall", ["price", "service"], by="region", weight="w")
    assert found.estimates["region"] == ("north", "north", None, None)
    assert found.estimates["n"] == (149, 149, 250, 250)
    assert found.estimates["n_missing"] == (1, 1, 0, 0)
    tripled = pd.concat([frame, frame[frame.w == 3], frame[frame.w == 3]])
    copies = sat.key_drivers(tripled, "overall", ["price", "service"], by="region")
    np.testing.assert_allclose(found.estimates["estimate"], copies.estimates["estimate"], rtol=1e-9)


def test_negative_and_collinear_drivers_are_said_plainly(answers):
    frame = answers.assign(bad=11 - answers["price"] + np.tile([0, 0, 0, 0.5], 100))
    found = sat.key_drivers(frame, "overall", ["price", "bad", "service"])
    assert any("'bad' correlates negatively" in p for p in found.problems)
    assert any("VIF" in p and "'price'" in p for p in found.problems)
    assert "problems=3" in repr(found)


def test_bad_input(answers):
    copy = answers.assign(copy=answers["price"] * 2 + 1, constant=5.0)
    with pytest.raises(sat.DataError, match="collinear") as caught:
        sat.key_drivers(copy, "overall", ["price", "service", "copy"])
    assert set(caught.value.columns) == {"price", "copy"}
    with pytest.raises(sat.DataError, match="constant"):
        sat.key_drivers(copy, "overall", ["price", "constant"])
    with pytest.raises(sat.DataError, match="n=4"):
        sat.key_drivers(answers[:4], "overall", ["price", "service", "app"])
    small = answers.assign(shop_id=np.where(np.arange(400) < 3, "tiny", "large"))
    with pytest.raises(sat.DataError, match=r"group shop_id='tiny'.*n=3"):
        sat.key_drivers(small, "overall", ["price", "service"], by="shop_id")
    with pytest.raises(sat.SchemaError) as infinite:
        sat.key_drivers(answers.assign(app=np.inf), "overall", ["price", "app"])
    assert infinite.value.column == "app"
    for drivers, match in (
        (["price", "price"], "twice"),
        (["overall"], "outcome"),
        ([], "empty"),
        (["prize"], "price"),
    ):
        with pytest.raises(sat.ArgumentError, match=match):
            sat.key_drivers(answers, "overall", drivers)
    with pytest.raises(sat.ArgumentError, match="shapley"):
        sat.key_drivers(answers, "overall", ["price"], method="shaply")
    with pytest.raises(sat.ArgumentError, match="rows"):
        sat.key_drivers(sat.Moments.collect(answers, list(answers)), "overall", by="region")


def test_an_id_among_the_drivers_is_refused_when_the_scale_is_said(answers, engine):
    frame = answers.assign(customer=np.arange(400.0))
    ten = sat.Scale(1, 10)
    with pytest.raises(sat.SchemaError) as caught:
        sat.key_drivers(engine(frame), "overall", ["price", "customer"], scale=ten)
    assert (caught.value.column, caught.value.n_bad, caught.value.value) == ("customer", 390, 0.0)
    mixed = {"price": ten, "customer": sat.Scale(0, 399), "overall": ten}
    found = sat.key_drivers(engine(frame), "overall", ["price", "customer"], scale=mixed)
    assert sat.importance_performance(found).index
    assert sat.priorities(found).estimates == sat.priorities(found, scale=mixed).estimates
    with pytest.raises(sat.SchemaError, match="customer"):
        sat.key_drivers(sat.Moments.collect(frame, ["customer", "overall"]), "overall", scale=ten)


def test_relative_weights_of_uncorrelated_drivers_are_squared_correlations():
    np.testing.assert_allclose(relative_weights(np.eye(3), np.array([0.5, -0.4, 0.1])), [0.25, 0.16, 0.01])


def test_large_offsets_keep_their_digits(answers):
    drivers = ["price", "service", "app", "shop"]
    plain = sat.key_drivers(answers, "overall", drivers).estimates["estimate"]
    moved = sat.key_drivers(answers + 1e8, "overall", drivers).estimates["estimate"]
    np.testing.assert_allclose(moved, plain, rtol=1e-9)
