"""Dominance, logit, reach-noise, bootstrap limits and constructs as drivers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.drivers.logit import fit_subsets
from satmodels.drivers.shapley import fold_game

DRIVERS = ["price", "service", "app"]


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x = np.clip(np.round(6 + 1.2 * rng.normal(size=(500, 1)) + 1.3 * rng.normal(size=(500, 3))), 1, 10)
    y = np.clip(np.round(x @ [0.4, 0.3, 0.2] + rng.normal(size=500)), 1, 10)
    again = (rng.random(500) < 1 / (1 + np.exp(-(x @ [0.7, 0.4, 0.0] - 6.6)))).astype(int)
    return pd.DataFrame(np.column_stack([x, y, again]), columns=[*DRIVERS, "overall", "again"])


def test_dominance_of_swiss_as_domir_has_it():
    # R datasets::swiss, domir 1.2.0: two rows of the conditional and of the complete dominance matrix
    names = ["Fertility", "Agriculture", "Examination", "Education", "Catholic", "Infant.Mortality"]
    upper = [
        (0.353079183619975, -0.645882706457288, -0.663788857035069, 0.463684700651794, 0.416556031434983),
        (-0.686542208617137, -0.63952251894832, 0.40109505304874, -0.0608586084165816),
        (0.698415296288483, -0.572741806064167, -0.114021596482034),
        (-0.153858917090915, -0.0993218458213457),
        (0.175495907596623,),
    ]
    corr = np.eye(6)
    for i, row in enumerate(upper):
        corr[i, i + 1 :] = corr[i + 1 :, i] = row
    moments = sat.Moments.from_correlation(corr, 47, columns=names)
    found = sat.key_drivers(moments, "Fertility").dominance()
    rows = {r["term"]: r for r in found.estimates.rows()}
    beside = [f"beside_{s}" for s in range(5)]
    assert [rows["Agriculture"][b] for b in beside] == pytest.approx(
        [0.124664909905748, 0.0502723262427736, 0.0324454736411993, 0.0352037869252417, 0.042869607125494],
        abs=1e-12,
    )
    assert rows["Education"]["general"] == pytest.approx(0.260134678624384, abs=1e-12)
    pairs = {(r["term"], r["over"]): r["share"] for r in found.complete.rows()}
    assert [pairs["Education", n] for n in names if n not in ("Fertility", "Education")] == [1, 1, 1, 0.875]
    assert [pairs["Catholic", n] for n in names if n not in ("Fertility", "Catholic")] == [0.875, 0.5, 0, 0.5]


def test_logit_against_scikit_learn(answers, engine):
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    y = answers["again"]
    value = np.zeros(8)
    null = log_loss(y, np.full(500, y.mean()))
    for subset in range(1, 8):
        x = answers[[d for j, d in enumerate(DRIVERS) if subset >> j & 1]]
        model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, y)
        value[subset] = 1 - log_loss(y, model.predict_proba(x)[:, 1]) / null
    found = sat.key_drivers(engine(answers), "again", DRIVERS, method="logit")
    np.testing.assert_allclose(found.estimates["estimate"], fold_game(value), atol=1e-7)
    assert found.r2[0] == pytest.approx(value[-1], abs=1e-7)
    assert sum(found.estimates["share"]) == pytest.approx(1)
    np.testing.assert_allclose(found.estimates["beta"], model.coef_[0] * answers[DRIVERS].std(), rtol=1e-4)


def test_logit_weights_are_copies_and_bad_outcomes_are_refused(answers):
    frame = answers.assign(w=1.0 + np.arange(500) % 3)
    weighted = sat.key_drivers(frame, "again", DRIVERS, method="logit", weight="w").estimates["estimate"]
    copies = frame.loc[frame.index.repeat(frame["w"].astype(int))]
    same = sat.key_drivers(copies, "again", DRIVERS, method="logit").estimates["estimate"]
    np.testing.assert_allclose(weighted, same, rtol=1e-7)
    with pytest.raises(sat.SchemaError, match="0 or 1"):
        sat.key_drivers(answers, "overall", DRIVERS, method="logit")
    split = answers.assign(again=(answers["price"] > 6).astype(int))
    with pytest.raises(sat.DataError, match="no solution"):
        sat.key_drivers(split, "again", DRIVERS, method="logit")
    with pytest.raises(sat.ArgumentError, match="rows"):
        sat.key_drivers(sat.Moments.collect(answers, [*DRIVERS, "again"]), "again", method="logit")
    with pytest.raises(sat.ArgumentError, match="limits"):
        sat.key_drivers(answers, "again", DRIVERS, method="logit", interval="robust")


def test_logit_bootstrap_draws_rows_and_counts_failures(answers):
    options = {"method": "logit", "interval": "bootstrap", "seed": 3}
    frame = answers.assign(w=1.0 + np.arange(500) % 3)
    found = sat.key_drivers(frame, "again", DRIVERS, weight="w", **options)
    again = sat.key_drivers(frame, "again", DRIVERS, weight="w", **options)
    assert found.estimates == again.estimates
    assert found.failed_draws == (0,) and found.glance()["failed_draws"][0] == 0
    rows = found.estimates
    assert all(
        a < b < c for a, b, c in zip(rows["conf_low"], rows["estimate"], rows["conf_high"], strict=True)
    )
    part = np.arange(500) % 50
    left_out = [
        sat.key_drivers(frame[part != k], "again", DRIVERS, weight="w", method="logit").estimates["estimate"]
        for k in range(50)
    ]
    spread = np.sqrt(49 / 50 * ((left_out - np.mean(left_out, axis=0)) ** 2).sum(axis=0))
    # the third driver does nothing: at the edge of what is possible the two differ
    np.testing.assert_allclose(rows["std_error"][:2], spread[:2], rtol=0.25)
    # one draw, by hand
    x, y = answers[DRIVERS].to_numpy(), answers["again"].to_numpy()
    draws, _ = fit_subsets(x, y, np.ones(500), tuple(DRIVERS), "again").bootstrap(3)
    at = np.random.default_rng(3).integers(0, 500, size=500)
    again = fit_subsets(x[at], y[at], np.ones(500), tuple(DRIVERS), "again").values
    np.testing.assert_allclose(draws[0], again, atol=1e-10)


def test_draws_that_separate_yes_from_no_are_left_out():
    price = np.arange(1.0, 31.0)
    frame = pd.DataFrame({"price": price, "again": (price > 15).astype(int)})
    frame.loc[[11, 18], "again"] = [1, 0]  # only some draws hold one of the two
    found = sat.key_drivers(frame, "again", ["price"], method="logit", interval="bootstrap", seed=0)
    assert 50 < found.failed_draws[0] < 300  # about a seventh: (28 / 30)^30 have neither
    assert np.isfinite(found.estimates["conf_high"]).all()
    one = frame.assign(again=0).astype({"again": int})
    one.loc[3, "again"] = 1
    one["price"] = np.where(one.index == 3, 30, one["price"])
    one.loc[29, "price"] = 30.5
    with pytest.raises(sat.DataError, match="bootstrap draws have no solution"):
        sat.key_drivers(one, "again", ["price"], method="logit", interval="bootstrap", seed=0)
    many = pd.DataFrame(np.random.default_rng(0).normal(size=(500, 9)), columns=list("abcdefghi"))
    many["again"] = np.tile([0, 1], 250)
    with pytest.raises(sat.ArgumentError, match="times what is allowed"):
        sat.key_drivers(many, "again", list("abcdefghi"), method="logit", interval="bootstrap")


def test_bootstrap_limits_agree_with_the_robust_ones(answers):
    robust = sat.key_drivers(answers, "overall", DRIVERS)
    drawn = sat.key_drivers(answers, "overall", DRIVERS, interval="bootstrap", seed=1)
    assert drawn.estimates["estimate"] == robust.estimates["estimate"]
    np.testing.assert_allclose(drawn.estimates["std_error"], robust.estimates["std_error"], rtol=0.12)
    again = sat.key_drivers(answers, "overall", DRIVERS, interval="bootstrap", seed=1)
    assert drawn.estimates == again.estimates


def brute_force_reach_noise(failing: np.ndarray, unhappy: np.ndarray) -> np.ndarray:
    value = np.zeros(1 << failing.shape[1])
    for subset in range(1, len(value)):
        met = failing[:, [j for j in range(failing.shape[1]) if subset >> j & 1]].any(axis=1)
        value[subset] = met[unhappy].mean() - met[~unhappy].mean()
    return fold_game(value)


def test_reach_noise_is_the_shapley_value_of_its_game(engine):
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.integers(1, 11, size=(300, 6)), columns=list("abcdef")).astype(float)
    frame["overall"] = np.clip(frame[list("abc")].min(axis=1) + rng.integers(0, 4, size=300), 1, 10)
    found = sat.reach_noise(engine(frame), "overall", list("abcdef"), dissatisfied=4, failed=2)
    unhappy = (frame["overall"] <= 4).to_numpy()
    exact = brute_force_reach_noise((frame[list("abcdef")] <= 2).to_numpy(), unhappy)
    np.testing.assert_allclose(found.estimates["estimate"], exact, atol=1e-12)
    assert found.reach[0] - found.noise[0] == pytest.approx(sum(found.estimates["estimate"]))
    failing = (frame[list("abcdef")] <= 2).to_numpy()
    part = failing / np.maximum(failing.sum(axis=1), 1)[:, None]
    se = np.sqrt(
        part[unhappy].var(axis=0, ddof=1) / unhappy.sum()
        + part[~unhappy].var(axis=0, ddof=1) / (~unhappy).sum()
    )
    np.testing.assert_allclose(found.estimates["std_error"], se, rtol=1e-9)


def test_reach_noise_bad_input(answers):
    with pytest.raises(sat.DataError, match="none of the 500"):
        sat.reach_noise(answers, "overall", DRIVERS, dissatisfied=0, failed=3)
    with pytest.raises(sat.DataError, match="all of the 500"):
        sat.reach_noise(answers, "overall", DRIVERS, dissatisfied=10, failed=3)
    with pytest.raises(sat.ArgumentError, match="app"):
        sat.reach_noise(answers, "overall", DRIVERS, dissatisfied=4, failed={"price": 3, "service": 3})


def test_constructs_of_a_structural_model_are_drivers():
    study = sat.datasets.load_ecsi()
    model = sat.PLSPM(study.spec).fit(study.moments)
    found = sat.key_drivers(model.result_, "Satisfaction")
    group = model.result_.groups[0]
    place = group.constructs.index("Satisfaction")
    assert set(found.drivers) == {group.constructs[k] for k in group.predecessors(place)}
    assert found.r2[0] == pytest.approx(float(group.r2[place]), abs=1e-9)
    assert found.interval == "none"
    with pytest.raises(sat.ArgumentError, match="Satisfaction"):
        sat.key_drivers(model.result_, "Satisfacton")
