"""The report: measures equal to scikit-learn's, intervals, curves and figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import satmodels as sat


def _risks(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 5, n).round(3)
    return (rng.random(n) < p).astype(int), p


def _terms(report):
    return report.tidy().set_index("term")["estimate"]


def test_measures_equal_scikit_learn():
    y, p = _risks()
    found = _terms(sat.churn_report(y, p))
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(y, p), abs=1e-12)
    assert found["average_precision"] == pytest.approx(metrics.average_precision_score(y, p), abs=1e-12)
    assert found["brier"] == pytest.approx(metrics.brier_score_loss(y, p), abs=1e-12)
    assert found["log_loss"] == pytest.approx(metrics.log_loss(y, np.clip(p, 1e-15, 1)), abs=1e-9)
    assert found["lift_10"] == pytest.approx(10 * found["recall_10"])


def test_weighted_measures_equal_repeated_rows():
    y, p = _risks(300)
    weight = np.random.default_rng(1).integers(0, 4, 300)
    twice = np.repeat(np.arange(300), weight)
    weighted = _terms(sat.churn_report(y, p, sample_weight=weight, costs=sat.ChurnCosts()))
    repeated = _terms(sat.churn_report(y[twice], p[twice], costs=sat.ChurnCosts()))
    same = [
        "auc",
        "average_precision",
        "brier",
        "log_loss",
        "lift_10",
        "expected_maximum_profit",
        "calibration_slope",
    ]
    assert weighted[same].tolist() == pytest.approx(repeated[same].tolist(), abs=1e-9)


def test_calibrated_risks_are_found_calibrated():
    y, p = _risks(20_000, seed=3)
    tidy = sat.churn_report(y, p).tidy().set_index("term")
    assert tidy.loc["calibration_slope", "conf_low"] < 1 < tidy.loc["calibration_slope", "conf_high"]
    assert tidy.loc["ece", "estimate"] < 0.012
    wrong = sat.churn_report(y, p**2).tidy().set_index("term")
    assert wrong.loc["calibration_slope", "conf_high"] < 0.7


def test_intervals_of_the_area_cover_it():
    # binormal scores: the true area is Phi(d / sqrt 2)
    from scipy.stats import norm

    truth, covered = norm.cdf(1 / np.sqrt(2)), 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        y = (rng.random(400) < 0.3).astype(int)
        p = norm.cdf(rng.normal(size=400) + y)
        row = sat.churn_report(y, p).tidy().iloc[0]
        covered += row["conf_low"] <= truth <= row["conf_high"]
    assert covered >= 35  # 38 expected of 40


def test_groups_and_their_order():
    y, p = _risks(600)
    region = np.array(["north", "south", None])[np.arange(600) % 3]
    tidy = sat.churn_report(y, p, by={"region": region}).tidy()
    assert tidy.columns[:3].tolist() == ["region", "term", "estimate"]
    assert tidy["region"].unique().tolist()[0] == "overall" and tidy["region"].nunique(dropna=False) == 4
    north = tidy[(tidy["region"] == "north") & (tidy["term"] == "auc")]["estimate"].item()
    assert north == pytest.approx(metrics.roc_auc_score(y[region == "north"], p[region == "north"]))
    cutoffs = pd.Series(pd.to_datetime(["2024-01-01", "2024-02-01"] * 300), name="cutoff")
    assert "2024-02-01" in set(sat.churn_report(y, p, by=cutoffs).tidy()["cutoff"])


def test_one_class_gives_no_ranking_and_no_error():
    report = sat.churn_report([0, 0, 0], [0.1, 0.2, 0.3])
    found = _terms(report)
    assert np.isnan(found["auc"]) and found["churn_rate"] == 0
    assert report.to_dict()["glance"]["auc"] is None


def test_scores_that_are_no_probabilities_are_refused():
    with pytest.raises(sat.SchemaError, match="decision function"):
        sat.churn_report([0, 1], [-0.5, 2.0])
    with pytest.raises(sat.ArgumentError, match="by has 1 values"):
        sat.churn_report([0, 1], [0.5, 0.2], by=["x"])


def test_profit_curve_peaks_where_the_threshold_says():
    y, p = _risks(30_000, seed=4)
    costs = sat.ChurnCosts(value=400)
    report = sat.churn_report(y, p, costs=costs)
    curve = report.profit_curve
    best = int(np.argmax(curve["profit"]))
    assert curve["threshold"][best] == pytest.approx(costs.threshold(), abs=0.03)
    assert curve["profit"][0] == 0
    assert report.gains_curve["recall"][-1] == 1


def test_figure_has_a_panel_for_each_question():
    pytest.importorskip("matplotlib")
    y, p = _risks(500)
    assert len(sat.plot(sat.churn_report(y, p)).axes) == 2
    figure = sat.plot(sat.churn_report(y, p, costs=sat.ChurnCosts()))
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "Do the risks come true?",
        "Who is reached?",
        "What does it earn?",
    ]


def test_the_order_of_the_rows_changes_nothing():
    y, p = _risks(900, seed=6)
    p = p.round(1)  # many ties
    order = np.random.default_rng(0).permutation(900)
    one, other = (sat.churn_report(y[rows], p[rows], costs=sat.ChurnCosts()) for rows in (slice(None), order))
    assert one.tidy()["estimate"].to_numpy() == pytest.approx(other.tidy()["estimate"].to_numpy(), abs=1e-12)
    assert one.calibration_curve["observed"] == pytest.approx(other.calibration_curve["observed"])
    # one risk for all that comes true is perfectly calibrated, however the rows are cut into bins
    assert _terms(sat.churn_report([0, 0, 0, 0, 1] * 60, [0.2] * 300))["ece"] == pytest.approx(0, abs=1e-12)


def test_rows_of_one_customer_do_not_count_as_several():
    y, p = _risks(800, seed=7)
    once = sat.churn_report(y, p).tidy().set_index("term")["std_error"]
    five = np.repeat(np.arange(800), 5)
    rows = sat.churn_report(y[five], p[five]).tidy().set_index("term")["std_error"]
    customers = sat.churn_report(y[five], p[five], customer=five).tidy().set_index("term")["std_error"]
    for term in ("auc", "brier", "churn_rate", "calibration_slope"):
        assert customers[term] == pytest.approx(once[term], rel=0.15)
        assert rows[term] == pytest.approx(once[term] / np.sqrt(5), rel=0.15)
    with pytest.raises(sat.ArgumentError, match="customer has 2"):
        sat.churn_report(y, p, customer=[1, 2])


def test_money_per_customer():
    y, p = _risks(4000, seed=8)
    rng = np.random.default_rng(8)
    worth, rate = rng.gamma(2, 150, 4000), rng.beta(3, 7, 4000)
    costs = sat.ChurnCosts(contact=2, incentive=15, value="worth", acceptance_rate="rate")
    report = sat.churn_report(
        y, p, costs=costs, value=worth, acceptance=rate, by={"half": np.arange(4000) % 2}
    )
    found = {(r["half"], r["term"]): r["estimate"] for r in report.measures.rows()}
    flagged = p > costs.threshold(worth, rate)
    gained = np.where(flagged, np.where(y == 1, rate * (worth - 15) - 2, -17.0), 0.0)
    assert found["overall", "flagged"] == flagged.mean()
    assert found["overall", "profit_at_threshold"] == pytest.approx(gained.mean(), abs=1e-12)
    assert found["1", "profit_at_threshold"] == pytest.approx(gained[1::2].mean(), abs=1e-12)
    assert ("overall", "expected_maximum_profit") not in found
    curve = report.profit_curve
    assert curve.names == ("fraction", "expected_profit", "profit")
    at = int(np.argmin(np.abs(np.array(curve["fraction"]) - flagged.mean())))
    assert curve["expected_profit"][at] == pytest.approx(0, abs=2)
    assert curve["profit"][at] == pytest.approx(gained.mean(), abs=0.1)
    everybody = np.where(y == 1, rate * (worth - 15) - 2, -17.0).mean()
    assert curve["profit"][0] == 0 and curve["profit"][-1] == pytest.approx(everybody, abs=1e-9)


def test_equal_money_per_customer_is_money_of_all():
    y, p = _risks(2000, seed=9)
    costs = sat.ChurnCosts(value=400)
    weight = np.random.default_rng(9).integers(0, 3, 2000)
    one = sat.churn_report(y, p, costs=costs, sample_weight=weight)
    each = sat.churn_report(
        y, p, costs=costs, sample_weight=weight, value=np.full(2000, 400.0), acceptance=np.full(2000, 0.3)
    )
    wanted = {r["term"]: r for r in one.measures.rows() if r["term"] != "expected_maximum_profit"}
    for row in each.measures.rows():
        assert row["estimate"] == pytest.approx(wanted[row["term"]]["estimate"], abs=1e-12)
    assert each.profit_curve["profit"] == pytest.approx(one.profit_curve["profit"], abs=1e-9)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, sat.ArgumentError, "'worth'"),
        ({"value": [1.0, 2.0]}, sat.ArgumentError, "'rate'"),
        ({"value": [1.0], "acceptance": [0.1, 0.2]}, sat.ArgumentError, "1 values for 2 rows"),
        ({"value": [1.0, -2.0], "acceptance": [0.1, 0.2]}, sat.SchemaError, "'value'.*-2.0 in row 1"),
        ({"value": [1.0, np.nan], "acceptance": [0.1, 0.2]}, sat.SchemaError, "'value'|value"),
        ({"value": ["a", "b"], "acceptance": [0.1, 0.2]}, sat.SchemaError, "numbers"),
        ({"value": [1.0, 2.0], "acceptance": [0.1, 20]}, sat.SchemaError, "between 0 and 1"),
    ],
)
def test_money_per_customer_is_checked(given, error, message):
    costs = sat.ChurnCosts(value="worth", acceptance_rate="rate")
    with pytest.raises(error, match=message):
        sat.churn_report([0, 1], [0.5, 0.2], costs=costs, **given)
    with pytest.raises(sat.ArgumentError, match="need costs"):
        sat.churn_report([0, 1], [0.5, 0.2], value=[1, 2])


def test_standard_errors_know_that_weights_differ():
    rng = np.random.default_rng(0)
    drawn, told = {}, {}
    for _ in range(60):
        x = rng.normal(size=400)
        p = 1 / (1 + np.exp(1.5 - x))
        y, w = (rng.random(400) < p).astype(int), rng.lognormal(0, 1, 400)
        for row in sat.churn_report(y, p, sample_weight=w).measures.rows():
            drawn.setdefault(row["term"], []).append(row["estimate"])
            told.setdefault(row["term"], []).append(row["std_error"])
    for term in ("auc", "average_precision", "lift_10", "recall_10", "brier", "churn_rate"):
        # the first four were told 0.63 of it, as if all rows had the mean weight
        assert np.mean(told[term]) == pytest.approx(np.std(drawn[term]), rel=0.3), term


def test_limits_of_the_calibration_curve_know_that_weights_differ():
    rng = np.random.default_rng(1)
    p = np.tile(np.linspace(0.05, 0.95, 10), 50)
    one = rng.lognormal(0, 1, 50)
    y, w = (rng.random(500) < p).astype(int), np.repeat(one, 10)  # each risk has these fifty weights
    curve = sat.churn_report(y, p, sample_weight=w).calibration_curve
    assert list(curve["n"]) == [round(one.sum() ** 2 / (one**2).sum())] * 10
    # copies of equal weight tell as much as the rows they stand for
    even = sat.churn_report(y, p, sample_weight=np.full(500, 3.0)).calibration_curve
    plain = sat.churn_report(y, p).calibration_curve
    assert even["conf_low"] == pytest.approx(plain["conf_low"])


def test_limits_of_the_calibration_curve_know_the_rows_of_one_customer():
    rng = np.random.default_rng(2)
    p = rng.random(400)
    y = (rng.random(400) < p).astype(int)
    once = sat.churn_report(y, p)
    thrice = sat.churn_report(
        np.repeat(y, 3), np.repeat(p, 3), customer=np.repeat(np.arange(400), 3)
    )  # the same rows again tell nothing new
    for column in ("predicted", "observed", "conf_low", "conf_high", "n"):
        assert thrice.calibration_curve[column] == pytest.approx(once.calibration_curve[column]), column
    errors = [
        dict(zip(r.measures["term"], r.measures["std_error"], strict=True))["ece"] for r in (once, thrice)
    ]
    assert errors[1] == pytest.approx(errors[0], rel=0.02)
