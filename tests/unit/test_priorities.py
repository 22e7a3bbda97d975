"""Importance-performance and priorities."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.drivers.budget import allocate, allocate_draws

SCALE = sat.Scale(1, 10)
ITEMS = ["price", "service", "app", "shop"]


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x = np.clip(np.round([5, 8, 6, 9] + 1.2 * rng.normal(size=(400, 1)) + rng.normal(size=(400, 4))), 1, 10)
    y = np.clip(np.round(x @ [0.4, 0.3, 0.2, 0.1] + rng.normal(size=400)), 1, 10)
    return pd.DataFrame(np.column_stack([x, y]), columns=[*ITEMS, "overall"])


@pytest.fixture(scope="module")
def drivers(answers):
    return sat.key_drivers(answers, "overall", ITEMS)


def test_map_takes_importance_from_the_drivers_and_performance_from_the_means(answers, drivers):
    found = sat.importance_performance(answers, "overall", ITEMS, scale=SCALE)
    assert found.estimates["importance"] == drivers.estimates["estimate"]
    np.testing.assert_allclose(found.estimates["performance"], (answers[ITEMS].mean() - 1) / 9 * 100)
    assert found.estimates == sat.importance_performance(drivers, scale=SCALE).estimates
    assert dict(zip(ITEMS, found.estimates["quadrant"], strict=True))["price"] == "concentrate here"


def test_cross_hairs_are_a_choice_and_part_of_the_result(drivers):
    found = sat.importance_performance(drivers, scale=SCALE, cut="scale").estimates
    assert set(found["performance_cut"]) == {50.0}
    given = sat.importance_performance(drivers, scale=SCALE, cut=(0.0, 100.0)).estimates
    assert set(given["quadrant"]) == {"concentrate here"}
    with pytest.raises(sat.ArgumentError, match="scale="):
        sat.importance_performance(drivers, cut="scale")
    with pytest.raises(sat.ArgumentError, match="median"):
        sat.importance_performance(drivers, cut="medain")


def test_stated_importance_by_column_has_a_gap(answers):
    frame = answers.assign(**{f"{i}_importance": 9.0 for i in ITEMS})
    stated = {i: f"{i}_importance" for i in ITEMS}
    found = sat.importance_performance(frame, importance=stated, scale=SCALE).estimates
    np.testing.assert_allclose(found["gap"], 8 / 9 * 100 - np.array(found["performance"]))
    nine = sat.importance_performance(frame, importance=stated, scale=SCALE, importance_scale=sat.Scale(1, 9))
    np.testing.assert_allclose(nine.estimates["importance"], 100.0)
    numbers = sat.importance_performance(frame, importance=dict.fromkeys(ITEMS, 1.0)).estimates
    assert numbers["gap"] == (None,) * 4
    with pytest.raises(sat.ArgumentError, match="shop"):
        sat.importance_performance(frame, items=ITEMS, importance={i: 1.0 for i in ITEMS[:3]})


def test_priorities_are_effect_times_lift_times_reach(answers, drivers):
    found = sat.priorities(
        drivers, scale=SCALE, lift=0.2, reach={"price": 0.5, "service": 1, "app": 1, "shop": 1}
    )
    slopes = np.linalg.lstsq(np.column_stack([np.ones(400), answers[ITEMS]]), answers["overall"], rcond=None)[
        0
    ][1:]
    rows = {r["term"]: r for r in found.estimates.rows()}
    for item, slope in zip(ITEMS, slopes, strict=True):
        room = 100 - (answers[item].mean() - 1) / 9 * 100
        assert rows[item]["effect"] == pytest.approx(slope)
        assert rows[item]["gain"] == pytest.approx(slope * 0.2 * room * (0.5 if item == "price" else 1))
    assert found.gain == pytest.approx(sum(r["gain"] for r in rows.values()))
    assert list(found.estimates["gain_per_cost"]) == sorted(found.estimates["gain_per_cost"], reverse=True)


def test_effect_limits_are_those_of_least_squares(answers):
    drivers = sat.key_drivers(answers, "overall", ITEMS, interval="normal")
    found = {r["term"]: r for r in sat.priorities(drivers, scale=SCALE).estimates.rows()}
    x = np.column_stack([np.ones(400), answers[ITEMS]])
    slopes, residual, *_ = np.linalg.lstsq(x, answers["overall"], rcond=None)
    std_error = np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * residual[0] / (400 - 5))[1:]
    for item, slope, se in zip(ITEMS, slopes[1:], std_error, strict=True):
        assert found[item]["effect_high"] == pytest.approx(slope + 1.959963984540054 * se, rel=1e-9)


def test_effect_limits_are_robust_where_those_of_the_drivers_are(answers):
    w = np.exp(np.random.default_rng(2).normal(size=400))
    drivers = sat.key_drivers(answers.assign(w=w), "overall", ITEMS, weight="w", by=())
    found = {r["term"]: r for r in sat.priorities(drivers, scale=SCALE).estimates.rows()}
    x = np.column_stack([np.ones(400), answers[ITEMS]])
    bread = np.linalg.inv(x.T @ (x * w[:, None]))
    slopes = bread @ x.T @ (w * answers["overall"])
    leverage = w * ((x @ bread) * x).sum(axis=1)
    left_out = w * (answers["overall"].to_numpy() - x @ slopes) / (1 - leverage)
    std_error = np.sqrt(np.diag(bread @ (x.T @ (x * left_out[:, None] ** 2)) @ bread))[1:]
    for item, slope, se in zip(ITEMS, slopes[1:], std_error, strict=True):
        assert found[item]["effect_high"] == pytest.approx(slope + 1.959963984540054 * se, rel=1e-9)
    again = sat.read_result(drivers.to_json(full=True))
    assert sat.priorities(again, scale=SCALE).tidy().equals(sat.priorities(drivers, scale=SCALE).tidy())


def test_must_be_below_the_floor_comes_first_and_is_bought_first(drivers):
    found = sat.priorities(drivers, scale=SCALE, kano={"app": "M", "shop": "M"}, must_be_floor=80, budget=1.0)
    rows = list(found.estimates.rows())
    assert rows[0]["term"] == "app" and rows[0]["first"]
    assert [r["term"] for r in rows if r["chosen"]] == ["app"]
    assert not next(r for r in rows if r["term"] == "shop")["first"]  # it performs above the floor


def test_kano_result_gives_the_classes(drivers):
    pairs = pd.DataFrame({"f": [3, 3, 2], "d": [5, 5, 5]})
    kano = sat.kano(pairs, {"checkout": ("f", "d")})
    found = sat.priorities(drivers, scale=SCALE, kano=kano, features={"app": "checkout"})
    assert {r["term"]: r["category"] for r in found.estimates.rows()}["app"] == "M"
    with pytest.raises(sat.ArgumentError, match="checkout"):
        sat.priorities(drivers, scale=SCALE, kano=kano, features={"app": "chekout"})


def test_value_by_elasticity(drivers):
    plain = sat.priorities(drivers, scale=SCALE, elasticity=0.5, base=1e6)
    rows = list(plain.estimates.rows())
    for row in rows:
        assert row["value"] == pytest.approx(1e6 * 0.5 * row["gain"] / plain.outcome_index)
    unsure = sat.priorities(drivers, scale=SCALE, elasticity=(0.5, 0.2), base=1e6).estimates
    assert unsure["value_high"][0] > rows[0]["value_high"]


def test_every_number_has_its_source(drivers):
    found = sat.priorities(drivers, scale=SCALE, kano={"app": "M"}, elasticity=0.5)
    traced = found.trace("app")
    assert set(traced["quantity"]) >= {
        "performance",
        "effect",
        "lift",
        "reach",
        "gain",
        "cost",
        "category",
        "value",
    }
    assert traced.set_index("quantity")["source"]["gain"] == "effect x lift x reach"
    with pytest.raises(sat.ArgumentError, match="app"):
        found.trace("ap")


def test_chances_are_reproducible_and_sensible(drivers):
    found = sat.priorities(drivers, scale=SCALE, budget=2.0)
    assert found.estimates == sat.priorities(drivers, scale=SCALE, budget=2.0).estimates
    assert sum(found.estimates["p_top"]) == pytest.approx(1)
    assert sum(found.estimates["p_chosen"]) == pytest.approx(2, abs=0.01)
    assert all(r["rank_low"] <= r["rank"] <= r["rank_high"] for r in found.estimates.rows())


def best_by_force(gain, cost, budget):
    sets = [np.array(s, dtype=bool) for s in product([0, 1], repeat=len(gain))]
    return max(float(gain[s].sum()) for s in sets if cost[s].sum() <= budget)


@pytest.mark.parametrize("seed", range(6))
def test_budget_is_allocated_exactly(seed):
    rng = np.random.default_rng(seed)
    gain, cost = rng.normal(1, 1, size=9), rng.integers(1, 8, size=9).astype(float)
    none = np.zeros(9, dtype=bool)
    chosen = allocate(gain, cost, 15.0, none)
    assert cost[chosen].sum() <= 15
    assert gain[chosen].sum() == pytest.approx(best_by_force(gain, cost, 15.0))
    many = allocate_draws(gain[None, :], cost, 20.0, none)[0]  # 20 divides the grid: no rounding
    assert gain[many].sum() == pytest.approx(best_by_force(gain, cost, 20.0))
    first = np.arange(9) < 3
    assert allocate(gain, cost, 15.0, first)[first & (cost <= 15 - cost[first].sum() + cost)].all() or (
        cost[first].sum() > 15
    )


def test_duties_without_a_gain_are_bought_after_those_with_one():
    gain, cost = np.array([1.0, 0.0, 0.5, 9.0]), np.array([1.0, 1.0, 5.0, 1.0])
    first = np.array([True, True, True, False])
    assert allocate(gain, cost, 2.0, first).tolist() == [True, True, False, False]
    assert allocate(gain, cost, 8.0, first).all()  # every duty is bought, so the rest may follow
    assert allocate_draws(gain[None, :], cost, 2.0, first)[0].tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"cost": 0}, "cost"),
        ({"lift": 1.5}, "lift"),
        ({"reach": {"price": 1}}, "service"),
        ({"reach": {"prize": 1}}, "price"),
        ({"budget": -1}, "budget"),
        ({"scale": None}, "scale"),
        ({"kano": 3}, "KanoResult"),
        ({"kano": {"app": "Z"}}, "category"),
        ({"kano": {"ap": "M"}}, "app"),
        ({"budget": "all"}, "budget"),
        ({"cost": "1"}, "cost"),
        ({"elasticity": (1, 2, 3)}, "elasticity"),
        ({"elasticity": float("nan")}, "elasticity"),
    ],
)
def test_bad_arguments(drivers, options, match):
    with pytest.raises(sat.ArgumentError, match=match):
        sat.priorities(drivers, **{"scale": SCALE, **options})


def test_shapley_net_effects_keep_the_sign_and_multiply_back(answers, drivers):
    found = {r["term"]: r for r in sat.priorities(drivers, scale=SCALE, effect="shapley").estimates.rows()}
    std = answers[ITEMS].std() / answers["overall"].std()
    importance = {r["term"]: r for r in drivers.estimates.rows()}
    for item in ITEMS:
        net = found[item]["effect"] * std[item]
        assert net * importance[item]["correlation"] == pytest.approx(importance[item]["estimate"])
    # the delta method against a bootstrap of the rows
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(200):
        drawn = sat.Moments.collect(answers.iloc[rng.integers(0, 400, size=400)], [*ITEMS, "overall"])
        plan = sat.priorities(
            sat.key_drivers(drawn, "overall", interval="none"), scale=SCALE, effect="shapley"
        )
        draws.append({r["term"]: r["effect"] for r in plan.estimates.rows()})
    spread = pd.DataFrame(draws).std()
    for item in ITEMS:
        half = (found[item]["effect_high"] - found[item]["effect_low"]) / 2 / 1.96
        assert half == pytest.approx(spread[item], rel=0.3)


def test_structural_models_give_total_effects_in_index_points():
    study = sat.datasets.load_ecsi()
    result = sat.PLSPM(study.spec).fit(study.moments).result_
    plan = sat.priorities(result, outcome="Loyalty")
    index = result.index().set_index("construct")
    total = result.effects().set_index(["source", "target"])["total"]
    row = {r["term"]: r for r in plan.estimates.rows()}["Image"]
    expected = total["Image", "Loyalty"] * index["std_dev"]["Loyalty"] / index["std_dev"]["Image"]
    assert row["effect"] == pytest.approx(expected)
    assert row["performance"] == pytest.approx(index["estimate"]["Image"])
    assert row["gain_low"] is None and row["p_top"] is None and plan.gain_low is None
    found = sat.importance_performance(result, "Loyalty")
    assert (
        dict(zip(found.estimates["term"], found.estimates["importance"], strict=True))["Image"]
        == row["effect"]
    )
    with pytest.raises(sat.ArgumentError, match="outcome"):
        sat.priorities(result)
    with pytest.raises(sat.ArgumentError, match="Loyalty"):
        sat.priorities(result, outcome="Loyalti")


def test_lead_over_a_competitor_has_welchs_limits(answers, drivers):
    from scipy.stats import ttest_ind

    other = (answers[ITEMS] - 0.5).clip(1, 10)[:150]
    found = sat.importance_performance(drivers, scale=SCALE, competitor=other).estimates
    for j, item in enumerate(ITEMS):
        limits = ttest_ind(answers[item], other[item], equal_var=False).confidence_interval()
        assert found["lead_low"][j] == pytest.approx(limits.low * 100 / 9)
        assert found["lead_high"][j] == pytest.approx(limits.high * 100 / 9)


def test_means_off_the_scale_are_refused(drivers):
    with pytest.raises(sat.SchemaError, match="off the scale"):
        sat.priorities(drivers, scale=sat.Scale(1, 5))
    with pytest.raises(sat.SchemaError, match="off the scale"):
        sat.importance_performance(drivers, scale=sat.Scale(1, 5))
