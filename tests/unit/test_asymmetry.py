"""Penalty-reward contrasts and the response around the neutral point."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

SCALE = sat.Scale(1, 10)
ITEMS = ["hygiene", "price", "surprise", "logo"]


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    x = np.clip(np.round(6.5 + rng.normal(size=(3000, 1)) + 1.8 * rng.normal(size=(3000, 4))), 1, 10)
    low, high = x <= 5, x >= 9
    y = 6 - low @ [1.5, 1.0, 0.1, 0.0] + high @ [0.1, 1.0, 1.5, 0.0] + rng.normal(size=3000)
    return pd.DataFrame(np.column_stack([x, y]), columns=[*ITEMS, "overall"])


def test_contrasts_are_those_of_least_squares_on_dummies(answers, engine):
    found = sat.penalty_reward(engine(answers), "overall", ITEMS, scale=SCALE, interval="normal")
    x = answers[ITEMS].to_numpy()
    design = np.column_stack([np.ones(3000), x <= 5, x >= 9])
    slopes, residual, *_ = np.linalg.lstsq(design, answers["overall"], rcond=None)
    std_error = np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * residual[0] / (3000 - 9))
    np.testing.assert_allclose(found.estimates["penalty"], slopes[1:5], rtol=1e-9)
    np.testing.assert_allclose(found.estimates["reward"], slopes[5:], rtol=1e-9)
    np.testing.assert_allclose(found.estimates["penalty_std_error"], std_error[1:5], rtol=1e-9)
    assert found.estimates["n_low"] == tuple((x <= 5).sum(axis=0))
    assert set(found.estimates["low_cut"]) == {5.0} and set(found.estimates["high_cut"]) == {9.0}


@pytest.mark.parametrize("weight", [None, "w"])
def test_robust_standard_errors_are_hc3(answers, weight):
    frame = answers.head(300).assign(w=np.exp(np.random.default_rng(4).normal(size=300)))
    frame.loc[4, "price"] = np.nan
    found = sat.penalty_reward(frame, "overall", ITEMS, scale=SCALE, weight=weight).estimates
    rows = frame.dropna()
    x = rows[ITEMS].to_numpy()
    design = np.column_stack([np.ones(299), x <= 5, x >= 9])
    w = np.ones(299) if weight is None else rows["w"].to_numpy()
    bread = np.linalg.inv(design.T @ (design * w[:, None]))
    slopes = bread @ design.T @ (w * rows["overall"])
    meat = np.zeros_like(bread)
    for one, y, v in zip(design, rows["overall"], w, strict=True):
        left_out = (y - one @ slopes) / (1 - v * one @ bread @ one)
        meat += np.outer(one, one) * (v * left_out) ** 2
    std_error = np.sqrt(np.diag(bread @ meat @ bread))[1:]
    np.testing.assert_allclose(
        [*found["penalty_std_error"], *found["reward_std_error"]], std_error, rtol=1e-9
    )
    np.testing.assert_allclose([*found["penalty"], *found["reward"]], slopes[1:], rtol=1e-9)


def test_limits_hold_where_low_answers_vary_more():
    rng = np.random.default_rng(5)
    held = {"robust": [], "normal": []}
    for _ in range(150):
        x = rng.choice([1, 2, 3, 4, 5], p=[0.03, 0.07, 0.3, 0.4, 0.2], size=(250, 1))
        low, high = (x <= 2)[:, 0], (x == 5)[:, 0]
        y = 4 - 1.0 * low + 0.3 * high + np.where(low, 1.3, 0.5) * rng.normal(size=250)
        frame = pd.DataFrame({"a": x[:, 0], "y": y})
        for interval, found in held.items():
            row = next(
                sat.penalty_reward(
                    frame, "y", ["a"], scale=sat.Scale(1, 5), interval=interval
                ).estimates.rows()
            )
            found.append(row["penalty_low"] <= -1 <= row["penalty_high"])
    assert np.mean(held["robust"]) > 0.88 > 0.8 > np.mean(held["normal"])


def test_a_single_low_answer_is_not_certain():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"a": [1.0] + [3.0] * 60 + [5.0] * 39, "y": rng.normal(size=100)})
    row = next(sat.penalty_reward(frame, "y", ["a"], scale=sat.Scale(1, 5)).estimates.rows())
    assert 0.8 < row["penalty_std_error"] < 1.3  # about the spread of one answer


def test_classes_follow_the_truth_and_feed_priorities(answers):
    found = sat.penalty_reward(answers, "overall", ITEMS, scale=SCALE)
    assert found.categories == {"hygiene": "M", "price": "O", "surprise": "A", "logo": "I"}
    rows = {r["term"]: r for r in found.estimates.rows()}
    assert rows["hygiene"]["asymmetry_p_value"] < 0.001 < rows["price"]["asymmetry_p_value"]
    drivers = sat.key_drivers(answers.assign(overall=answers["overall"].clip(1, 10)), "overall", ITEMS)
    plan = sat.priorities(drivers, scale=SCALE, kano=found)
    assert plan.estimates["term"][0] == "hygiene" and plan.estimates["first"][0]


def test_asymmetry_by_hand(answers):
    row = next(sat.penalty_reward(answers, "overall", ITEMS, scale=SCALE).estimates.rows())
    penalty, reward = -row["penalty"], row["reward"]
    assert row["asymmetry"] == pytest.approx((reward - penalty) / (reward + penalty))
    assert row["range"] == pytest.approx(reward + penalty)
    assert row["asymmetry_low"] < row["asymmetry"] < row["asymmetry_high"]


def test_a_wrong_sign_is_reported_and_not_hidden(answers):
    frame = answers.assign(overall=answers["overall"] - 2.0 * (answers["logo"] >= 9))
    found = sat.penalty_reward(frame, "overall", ITEMS, scale=SCALE)
    row = {r["term"]: r for r in found.estimates.rows()}["logo"]
    assert row["reward"] < 0 and "reward" in row["wrong_sign"]
    assert any("'logo': the reward has the wrong sign" in p and "significantly" in p for p in found.problems)


def test_an_item_that_nobody_rates_low_has_no_penalty(answers):
    frame = answers.assign(hygiene=answers["hygiene"].clip(6, 10))
    found = sat.penalty_reward(frame, "overall", ITEMS, scale=SCALE)
    row = next(found.estimates.rows())
    assert row["penalty"] is None and row["category"] is None and row["reward"] is not None
    assert any("no penalty" in p for p in found.problems)


def test_weights_groups_and_missing(answers):
    frame = answers.assign(g=np.arange(3000) % 2, w=1.0 + np.arange(3000) % 3)
    frame.loc[0, "price"] = np.nan
    found = sat.penalty_reward(frame, "overall", ITEMS[:2], scale=SCALE, by="g", weight="w")
    assert found.estimates["n_missing"] == (1, 1, 0, 0)
    copies = frame.loc[frame.index.repeat(frame["w"].astype(int))]
    same = sat.penalty_reward(copies, "overall", ITEMS[:2], scale=SCALE, by="g")
    first = frame[frame["g"] == 0].dropna()
    assert found.estimates["n_low"][0] == (first["hygiene"] <= 5).sum()  # rows, not their weight
    np.testing.assert_allclose(found.estimates["penalty"], same.estimates["penalty"], rtol=1e-9)
    with pytest.raises(sat.ArgumentError, match="one at a time"):
        _ = found.categories


def test_cuts_and_bad_input(answers):
    given = sat.penalty_reward(answers, "overall", ["price"], low=3, high={"price": 10}).estimates
    assert given["low_cut"] == (3.0,) and given["high_cut"] == (10.0,)
    five = answers[ITEMS].clip(1, 5).assign(overall=answers["overall"])
    cuts = sat.penalty_reward(five, "overall", ["price"], scale=sat.Scale(1, 5)).estimates
    assert (cuts["low_cut"], cuts["high_cut"]) == ((2.0,), (5.0,))
    with pytest.raises(sat.ArgumentError, match="scale="):
        sat.penalty_reward(answers, "overall", ["price"])
    with pytest.raises(sat.ArgumentError, match="below"):
        sat.penalty_reward(answers, "overall", ["price"], low=9, high=5)
    with pytest.raises(sat.SchemaError, match=r"1\.\.5"):
        sat.penalty_reward(answers, "overall", ["price"], scale=sat.Scale(1, 5))
    with pytest.raises(sat.DataError, match="collinear"):
        sat.penalty_reward(answers.assign(copy=answers["price"]), "overall", ["price", "copy"], scale=SCALE)


@pytest.fixture(scope="module")
def waiting() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    wait = rng.integers(1, 11, size=3000)
    overall = 6 - 1.5 * np.maximum(4 - wait, 0) + 1.0 * np.maximum(wait - 7, 0) + rng.normal(size=3000)
    return pd.DataFrame({"wait": wait.astype(float), "overall": overall.round()})


def test_thresholds_and_slopes_are_found(waiting, engine):
    found = sat.response_curve(engine(waiting), "overall", "wait", seed=1)
    truth = {"lower": 4, "upper": 7, "below": 1.5, "between": 0, "above": 1}
    for row in found.line.rows():
        assert row["conf_low"] <= truth[row["term"]] <= row["conf_high"]
        assert row["estimate"] == pytest.approx(truth[row["term"]], abs=0.3)
    assert found.p_value < 0.01
    means = waiting.groupby("wait")["overall"].mean()
    np.testing.assert_allclose(found.estimates["mean"], means)
    assert found.n == 3000


def test_a_straight_response_is_not_called_broken():
    rng = np.random.default_rng(2)
    p_values = []
    for _ in range(12):
        x = rng.integers(1, 8, size=400)
        frame = pd.DataFrame({"x": x, "y": (x + rng.normal(size=400) * 1.5).round()})
        p_values.append(sat.response_curve(frame, "y", "x", seed=1).p_value)
    assert min(p_values) > 0.004 and np.mean(p_values) > 0.25


def test_response_curve_bad_input(waiting):
    frame = waiting.assign(text="a", two=waiting["wait"] > 5, inf=np.where(waiting.index == 3, np.inf, 1.0))
    with pytest.raises(sat.DataError, match="four"):
        sat.response_curve(frame.assign(two=frame["two"].astype(int)), "overall", "two")
    with pytest.raises(sat.SchemaError):
        sat.response_curve(frame, "overall", "two")
    with pytest.raises(sat.SchemaError):
        sat.response_curve(frame, "overall", "text")
    with pytest.raises(sat.SchemaError, match="inf"):
        sat.response_curve(frame, "inf", "wait")
    mixed = frame.assign(wait=frame["wait"].astype(object))
    mixed.loc[5, "wait"] = "nine"
    with pytest.raises(sat.SchemaError, match="nine"):
        sat.response_curve(mixed, "overall", "wait")
    with pytest.raises(sat.ArgumentError, match="distinct"):
        sat.response_curve(frame.assign(id=np.arange(3000)), "overall", "id")
    with pytest.raises(sat.ArgumentError, match=r"can.t be a driver too"):
        sat.response_curve(frame, "wait", "wait")


def test_figures_draw(answers, waiting):
    pytest.importorskip("matplotlib")
    contrasts = sat.penalty_reward(answers, "overall", ITEMS, scale=SCALE)
    assert len(sat.plot(contrasts)._repr_png_()) > 1000
    assert len(sat.plot(sat.response_curve(waiting, "overall", "wait"))._repr_png_()) > 1000


def test_weights_that_differ_between_answers_only_cost_no_precision():
    rng = np.random.default_rng(1)
    x = rng.integers(1, 6, 400)
    frame = pd.DataFrame({"x": x, "y": 3 + 0.4 * (x - 3) + rng.normal(size=400).round(1)})
    plain = sat.response_curve(frame, "y", "x", seed=1)
    weighted = sat.response_curve(frame.assign(w=np.where(x == 1, 6.0, 1.0)), "y", "x", weight="w", seed=1)
    # each answer's respondents weigh the same: one effective number for all made these 0.82 and 2.04 times as large
    assert weighted.estimates["std_error"] == pytest.approx(plain.estimates["std_error"])
    assert weighted.estimates["conf_high"] == pytest.approx(plain.estimates["conf_high"])
    assert weighted.estimates["mean"] == pytest.approx(plain.estimates["mean"])
