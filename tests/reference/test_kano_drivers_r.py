"""Drivers, contrasts and segments against base R on simulated ratings (make_kano_drivers.R, R 4.2.2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

HERE = Path(__file__).parent
DRIVERS = ["price", "service", "app", "shop"]
SCALE = sat.Scale(1, 10)


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((HERE / "kano_drivers.json").read_text())


@pytest.fixture(scope="module")
def sample() -> pd.DataFrame:
    return pd.read_csv(HERE / "kano_drivers_sample.csv")


def in_order(values: dict[str, float]) -> list[float]:
    return [values[name] for name in DRIVERS]


@pytest.mark.parametrize(
    ("method", "name"), [("shapley", "lmg"), ("relative_weights", "johnson"), ("standardized", "beta")]
)
def test_importances(sample, expected, method, name):
    found = sat.key_drivers(sample, "overall", DRIVERS, method=method)
    np.testing.assert_allclose(found.estimates["estimate"], in_order(expected[name]), atol=1e-12)
    assert found.r2[0] == pytest.approx(expected["r2"], abs=1e-12)


def test_weighted_shapley_values(sample, expected):
    found = sat.key_drivers(sample, "overall", DRIVERS, weight="w")
    np.testing.assert_allclose(found.estimates["estimate"], in_order(expected["lmg_weighted"]), atol=1e-12)


def test_pseudo_r2(sample, expected):
    found = sat.key_drivers(sample, "again", DRIVERS, method="logit")
    np.testing.assert_allclose(found.estimates["estimate"], in_order(expected["mcfadden"]), atol=1e-9)


def test_effects_of_priorities(sample, expected):
    plan = sat.priorities(sat.key_drivers(sample, "overall", DRIVERS, interval="normal"), scale=SCALE)
    rows = {r["term"]: r for r in plan.estimates.rows()}
    for name in DRIVERS:
        half = rows[name]["effect_high"] - rows[name]["effect"]
        assert half / 1.959963984540054 == pytest.approx(expected["slope_se"][name], rel=1e-10)


def test_contrasts(sample, expected):
    found = sat.penalty_reward(sample, "overall", DRIVERS, scale=SCALE, interval="normal").estimates
    for ours, theirs in (
        ("penalty", "penalty"),
        ("penalty_std_error", "penalty_se"),
        ("reward", "reward"),
        ("reward_p_value", "reward_p"),
    ):
        np.testing.assert_allclose(found[ours], in_order(expected[theirs]), rtol=1e-10)


def test_segments_and_lead(sample, expected):
    kano = sat.kano(sample, {"it": ("with_it", "without_it")}, by="region")
    row = next(kano.segments().estimates.rows())
    assert row["chisq"] == pytest.approx(expected["chisq"], rel=1e-10)
    assert row["df"] == expected["chisq_df"] and row["test"] == "chi-square"
    assert row["p_value"] == pytest.approx(expected["chisq_p"], rel=1e-10)
    west = sample["region"] == "west"
    found = sat.importance_performance(
        sample[~west], importance={"price": 1.0}, competitor=sample[west]
    ).estimates
    assert found["lead"][0] == pytest.approx(expected["lead"], rel=1e-10)
    assert (found["lead_low"][0], found["lead_high"][0]) == pytest.approx(expected["lead_ci"], rel=1e-10)
