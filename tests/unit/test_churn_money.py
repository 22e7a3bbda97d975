"""Costs, thresholds and the expected maximum profit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.stored import read_json

Y = [0, 1, 0, 1, 1, 0, 0, 1]
SCORE = [0.1, 0.9, 0.35, 0.6, 0.4, 0.55, 0.2, 0.8]


def test_eight_customers_equal_three_other_programs():
    # empulse 0.13.1, EMP-PY 2.0.4 and EMP (R) 2.0.6 agree on these digits
    found = sat.expected_maximum_profit(Y, SCORE)
    assert found.estimate == pytest.approx(26.62519780614213, abs=1e-12)
    assert found.fraction == pytest.approx(0.6247900252683014, abs=1e-12)
    assert found.maximum_profit == pytest.approx(26.625, abs=1e-12)
    assert found.maximum_fraction == 0.625
    assert found.threshold == 0.4


@pytest.mark.parametrize("seed", range(5))
def test_equals_empulse(seed):
    metrics = pytest.importorskip("empulse.metrics")
    rng = np.random.default_rng(seed)
    p = np.round(rng.beta(1, 3, 500), 2)  # with ties
    y = (rng.random(500) < p).astype(int)
    costs = sat.ChurnCosts(
        contact=rng.uniform(0, 3), incentive=rng.uniform(1, 20), value=rng.uniform(50, 400)
    )
    expected = metrics.empc_score(
        y, p, alpha=6, beta=14, clv=costs.value, incentive_cost=costs.incentive, contact_cost=costs.contact
    )
    assert sat.expected_maximum_profit(y, p, costs=costs).estimate == pytest.approx(expected, abs=1e-10)


def test_is_the_mean_over_acceptance_rates_of_the_best_profit():
    from scipy import stats

    rates = stats.beta(6, 14).ppf((np.arange(20_000) + 0.5) / 20_000)
    order = np.argsort(-np.array(SCORE))
    churned = np.concatenate([[0], np.cumsum(np.array(Y)[order])]) / 8
    stayed = np.concatenate([[0], np.cumsum(1 - np.array(Y)[order])]) / 8
    profit = churned * (rates[:, None] * 190 - 1) - stayed * 11
    assert sat.expected_maximum_profit(Y, SCORE).estimate == pytest.approx(
        profit.max(axis=1).mean(), abs=1e-3
    )


def test_a_weight_of_two_is_two_customers():
    weight = np.array([1, 2, 1, 3, 1, 0, 1, 2])
    twice = np.repeat(np.arange(8), weight)
    weighted = sat.expected_maximum_profit(Y, SCORE, sample_weight=weight)
    repeated = sat.expected_maximum_profit(np.array(Y)[twice], np.array(SCORE)[twice])
    assert weighted.estimate == pytest.approx(repeated.estimate, abs=1e-12)
    assert weighted.threshold == repeated.threshold


def test_only_the_order_counts_and_not_that_of_the_rows():
    found = sat.expected_maximum_profit(Y, SCORE).estimate
    assert sat.expected_maximum_profit(Y, np.exp(SCORE) * 100).estimate == found
    assert sat.expected_maximum_profit(Y[::-1], SCORE[::-1]).estimate == found


def test_nobody_or_everybody_leaves_and_a_campaign_that_never_pays():
    nobody = sat.expected_maximum_profit([0, 0, 0], [0.1, 0.2, 0.3])
    assert (nobody.estimate, nobody.fraction, nobody.threshold) == (0.0, 0.0, np.inf)
    assert nobody.to_dict()["glance"]["threshold"] is None
    everybody = sat.expected_maximum_profit([1, 1], [0.1, 0.2])
    assert everybody.estimate == pytest.approx(0.3 * 190 - 1, abs=1e-4)
    assert sat.expected_maximum_profit(Y, SCORE, costs=sat.ChurnCosts(value=10, incentive=10)).estimate == 0.0


def test_threshold_is_where_contacting_breaks_even():
    costs = sat.ChurnCosts(contact=2, incentive=15, value=300)
    assert costs.profit(costs.threshold()) == pytest.approx(0, abs=1e-12)
    assert sat.ChurnCosts(value=5).threshold() == 1.0
    assert costs.threshold([300.0, 600.0])[1] < costs.threshold()
    assert sat.ChurnCosts.model_validate_json(costs.model_dump_json()) == costs
    for text in ('{"contact": NaN}', '{"value": Infinity}', '{"value": 1e999}', '{"alpha": "inf"}'):
        with pytest.raises(ValueError):
            sat.ChurnCosts.model_validate_json(text)
    with pytest.raises(sat.ArgumentError, match="column"):
        sat.ChurnCosts(value="clv").threshold()


@pytest.mark.parametrize(
    "wrong",
    [
        {"contact": -1},
        {"value": 0},
        {"alpha": 0},
        {"beta": float("nan")},
        {"value": float("inf")},
        {"fee": 1},
        {"contact": "inf"},
        {"alpha": "NaN"},
        {"beta": True},
        {"value": ""},
        {"acceptance_rate": ""},
        {"acceptance_rate": 1.2},
        {"acceptance_rate": float("nan")},
        {"acceptance_rate": True},
    ],
)
def test_costs_that_mean_nothing_are_refused(wrong):
    with pytest.raises(sat.ArgumentError):
        sat.ChurnCosts(**wrong)


@pytest.mark.parametrize(
    ("y", "value"),
    [([1, 2, 1], 2), (["yes", "no", "no"], "yes"), ([0, 1, np.nan], None), ([0.0, 0.5, 1.0], 0.5)],
)
def test_outcomes_are_zero_and_one(y, value):
    for function in (sat.expected_maximum_profit, sat.churn_report):
        with pytest.raises(sat.SchemaError) as caught:
            function(y, [0.1, 0.2, 0.3])
        assert caught.value.column == "y"
        if value is not None:
            assert caught.value.value == value


def test_different_indexes_are_refused():
    y, p = pd.Series([0, 1], index=[1, 2]), pd.Series([0.1, 0.2], index=[2, 1])
    with pytest.raises(sat.ArgumentError, match="different indexes"):
        sat.expected_maximum_profit(y, p)
    with pytest.raises(sat.ArgumentError, match="rows"):
        sat.expected_maximum_profit([0, 1], [0.1, 0.2, 0.3])
    with pytest.raises(sat.DataError):
        sat.expected_maximum_profit([], [])
    with pytest.raises(sat.ArgumentError, match="two columns"):
        sat.expected_maximum_profit([0, 1], [[0.9, 0.1], [0.2, 0.8]])


def test_result_is_strict_json():
    text = sat.expected_maximum_profit(Y, SCORE).to_json()
    assert read_json(text)["glance"]["n"] == 8


def test_a_known_acceptance_rate_takes_the_place_of_its_distribution():
    known = sat.ChurnCosts(acceptance_rate=0.3)
    found = sat.expected_maximum_profit(Y, SCORE, costs=known)
    assert found.estimate == pytest.approx(found.maximum_profit, abs=1e-12)
    narrow = sat.ChurnCosts(alpha=3e6, beta=7e6)
    assert found.estimate == pytest.approx(
        sat.expected_maximum_profit(Y, SCORE, costs=narrow).estimate, abs=1e-6
    )
    assert found.fraction == 0.625
    assert known.threshold() == sat.ChurnCosts().threshold()
    for rate in (0, 1):
        costs = sat.ChurnCosts(acceptance_rate=rate)
        found = sat.expected_maximum_profit(Y, SCORE, costs=costs)
        assert found.estimate == found.maximum_profit
    assert sat.ChurnCosts(acceptance_rate=0).threshold() == 1.0


def test_rates_per_customer_move_the_threshold():
    costs = sat.ChurnCosts(contact=2, incentive=15, value="worth", acceptance_rate="rate")
    assert costs.per_customer == ("worth", "rate")
    worth, rate = np.array([300.0, 300.0, 900.0, 10.0]), np.array([0.2, 0.4, 0.2, 1.0])
    threshold = costs.threshold(worth, rate)
    assert threshold == pytest.approx(
        [17 / (0.2 * 285 + 15), 17 / (0.4 * 285 + 15), 17 / (0.2 * 885 + 15), 1.0]
    )
    assert costs.profit(threshold, worth, rate)[:3] == pytest.approx(0, abs=1e-12)
    for use in (lambda: costs.acceptance, costs.threshold, lambda: costs.threshold(worth)):
        with pytest.raises(sat.ArgumentError, match="column"):
            use()
    with pytest.raises(sat.ArgumentError, match="column"):
        sat.expected_maximum_profit(Y, SCORE, costs=sat.ChurnCosts(acceptance_rate="rate"))
