"""Keeping a model: drift, inactivity horizon, model card, files, watch lists of limited money."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.churn.watch_list import choose, expected_cost
from satmodels.stored import read_json

WINDOW = sat.ChurnWindow(observation=90, gap=14, horizon=60)


@pytest.fixture(scope="module")
def panel():
    study = sat.datasets.simulate_service(n=700, seed=12)
    return sat.churn_panel(
        study.events,
        study.customers,
        kind="kind",
        end="end",
        window=WINDOW,
        attributes=["region", "plan"],
        cutoffs=["2025-04-01", "2025-07-01", "2025-10-01"],
    )


@pytest.fixture(scope="module")
def model(panel):
    return sat.ChurnClassifier("blend", window=WINDOW, costs=sat.ChurnCosts(value=300)).fit(panel)


# drift


def test_drift_equals_the_definition():
    before = pd.DataFrame({"plan": ["a"] * 600 + ["b"] * 400})
    now = pd.DataFrame({"plan": ["a"] * 300 + ["b"] * 700})
    row = sat.drift(before, now).tidy().iloc[0]
    assert row["psi"] == pytest.approx(
        (0.3 - 0.6) * np.log(0.3 / 0.6) + (0.7 - 0.4) * np.log(0.7 / 0.4),
        rel=5e-3,  # half a row in each bin
    )
    middle = np.array([0.45, 0.55])
    expected = 0.5 * sum(p * np.log2(p / m) for p, m in zip([0.6, 0.4], middle, strict=True))
    expected += 0.5 * sum(p * np.log2(p / m) for p, m in zip([0.3, 0.7], middle, strict=True))
    assert row["js"] == pytest.approx(expected, abs=1e-12)
    assert row["level"] == "alert"


def test_js_equals_scipy():
    from scipy.spatial.distance import jensenshannon

    before, now = pd.DataFrame({"x": [1, 1, 2, 3] * 50}), pd.DataFrame({"x": [1, 3, 3, 3] * 50})
    row = sat.drift(before, now).tidy().iloc[0]
    assert row["js"] == pytest.approx(jensenshannon([0.5, 0.25, 0.25], [0.25, 0, 0.75], base=2) ** 2)


def test_chance_alone_is_no_drift():
    levels = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        before, now = (
            pd.DataFrame({"x": rng.normal(size=n), "w": rng.choice(list("abc"), n)}) for n in (120, 60)
        )
        levels += sat.drift(before, now).tidy()["level"].tolist()
    assert levels.count("stable") >= 57  # 59.4 expected of 60


def test_drift_of_gaps_words_and_calibration(panel, engine):
    old = pd.DataFrame(
        {"x": np.arange(1000.0), "plan": ["a", "b"] * 500, "risk": 0.2, "churned": [1, 0, 0, 0, 0] * 200}
    )
    new = old.assign(
        x=np.where(np.arange(1000) % 2, old["x"], np.nan), plan=["a", "c"] * 500, churned=[1, 0] * 500
    )
    found = sat.drift(engine(old), engine(new))
    rows = {row["feature"]: row for row in found.rows.rows()}
    assert set(rows) == {"x", "plan", "risk"}
    assert rows["x"]["missing_current"] == 0.5 and rows["x"]["level"] == "alert"
    assert rows["plan"]["level"] == "alert" and rows["risk"]["psi"] == pytest.approx(0)
    assert found.calibration["difference"][0] == pytest.approx(0.3)
    assert found.calibration["level"] == ("alert",)
    with pytest.raises(sat.ArgumentError, match="'x'"):
        sat.drift(old, old.drop(columns="x"))
    with pytest.raises(sat.ArgumentError, match="words in one frame"):
        sat.drift(old, old.assign(x="many"))
    with pytest.raises(sat.DataError):
        sat.drift(old, old.head(0))


# inactivity


def test_horizon_is_the_quantile_of_the_returns():
    # every customer is active every 7 days but for one pause of 20, until the data ends
    days = [0, 7, 14, 34, 41, 48, 55]
    events = pd.DataFrame(
        {
            "customer": np.repeat(np.arange(50), len(days)),
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(days * 50, unit="D"),
        }
    )
    found = sat.inactivity_horizon(events, share=0.8)
    assert (found.days, found.returning) == (7, 1.0)
    assert sat.inactivity_horizon(events, share=0.95).days == 20
    assert found.tidy()["days"].is_monotonic_increasing
    with pytest.raises(sat.DataError, match="two days"):
        sat.inactivity_horizon(events.drop_duplicates("customer"))
    with pytest.raises(sat.ArgumentError):
        sat.inactivity_horizon(events, share=95)


def test_pauses_cut_off_by_the_end_of_the_data_do_not_shorten_the_horizon():
    rng = np.random.default_rng(0)
    truth = 30 * -np.log(0.05)  # 95 % of exponential pauses of mean 30
    found = []
    for days in (120, 600):
        when = np.cumsum(np.ceil(rng.exponential(30, (400, 100))), axis=1)
        who, at = np.nonzero(when < days)
        events = pd.DataFrame(
            {"customer": who, "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(when[who, at], unit="D")}
        )
        until = pd.Timestamp("2024-01-01") + pd.Timedelta(days=days)
        found.append(sat.inactivity_horizon(events, observed_until=until).days)
    assert found[1] == pytest.approx(truth, rel=0.1)
    assert found[0] > 0.6 * truth


def test_the_last_day_seen_ends_the_last_pause():
    rng = np.random.default_rng(0)
    who, at = np.nonzero(rng.random((30_000, 15)) < 0.1)  # each day is active with the chance 0.1
    events = pd.DataFrame(
        {"customer": who, "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(at, unit="D")}
    )
    found = sat.inactivity_horizon(events, observed_until="2024-01-16")
    # counting the day after the last as seen and silent gave 0.708
    assert found.returning == pytest.approx(1 - 0.9**14, abs=0.015)
    # a day given as the end leaves out what came after it
    cut = sat.inactivity_horizon(events, observed_until="2024-01-10")
    before = sat.inactivity_horizon(events[events["date"] < "2024-01-10"], observed_until="2024-01-10")
    assert cut.to_json() == before.to_json()


# money and hands


def test_a_budget_is_kept_and_well_spent():
    rng = np.random.default_rng(1)
    costs = sat.ChurnCosts(incentive=15, contact=2)
    risk, worth = rng.beta(1, 4, 300), rng.gamma(2, 200, 300)
    profit, cost = costs.profit(risk, worth), expected_cost(costs, risk)
    chosen = choose(risk, profit, cost, None, 500.0)
    assert cost[chosen].sum() <= 500
    assert (profit[chosen] > 0).all() and (np.diff(profit[chosen]) <= 0).all()
    by_profit = np.argsort(-profit)
    as_many = by_profit[np.cumsum(cost[by_profit]) <= 500]
    assert profit[chosen].sum() >= profit[as_many].sum() - profit.max()
    assert len(choose(risk, profit, cost, 5, 500.0)) == 5


def test_watch_list_of_money_hands_and_levers(model, panel):
    now = panel[panel["cutoff"] == "2025-10-01"]
    listed = model.warn(now, budget=60)
    assert listed["expected_cost"].sum() <= 60 and (listed["days_left"] == 14).all()
    assert listed["lever"].notna().any()
    own = model.warn(now, top=20, levers={"": "ask what is wrong"})
    assert set(own["lever"]) == {"ask what is wrong"}
    for wrong in (0, -5, float("inf"), float("nan")):
        with pytest.raises(sat.ArgumentError, match="budget"):
            model.warn(now, budget=wrong)
    with pytest.raises(sat.ArgumentError, match="needs costs"):
        sat.ChurnClassifier("spline_logistic", calibration=None).fit(panel).warn(now, budget=5)
    nobody = sat.ChurnClassifier("spline_logistic", calibration=None, costs=sat.ChurnCosts(contact=1e6)).fit(
        panel
    )
    assert len(nobody.warn(now)) == 0


def test_importance(model, panel):
    found = model.importance(panel)
    assert found["importance"].is_monotonic_decreasing and found["share"].sum() == pytest.approx(1)
    assert set(found["feature"]) == set(model.feature_names_in_)


def test_groups_lie_apart(panel, model):
    risk = model.predict_proba(panel)[:, 1]
    report = sat.churn_report(panel["churned"], risk, costs=model.costs, by=panel["region"])
    apart = report.differences().set_index("term")
    assert {"flagged", "flagged_of_leavers", "flagged_of_stayers", "leavers_of_flagged", "auc"} <= set(
        apart.index
    )
    assert (apart["difference"] >= 0).all()
    flagged = risk > model.threshold_
    by_region = pd.Series(flagged).groupby(panel["region"]).mean()
    assert apart.loc["flagged", "difference"] == pytest.approx(by_region.max() - by_region.min())
    assert apart.loc["flagged", "highest"] == by_region.idxmax()
    with pytest.raises(sat.ArgumentError, match="no groups"):
        sat.churn_report(panel["churned"], risk).differences()


# card and files


def test_model_card(model, panel):
    report = sat.churn_report(panel["churned"], model.predict_proba(panel)[:, 1], by=panel["region"])
    card = sat.model_card(
        model,
        report,
        purpose="Calls | <b>by</b> the retention team",
        owner="CRM",
        features=[sat.churn_feature("tenure_days", "Days since the start")(len)],
        drift=sat.drift(panel, panel),
    )
    text = card.to_markdown()
    assert "| Calls \\| &lt;b&gt;by&lt;/b&gt; the retention team |".replace("| Calls", "Calls") in text
    assert text.count("\n## ") == 6 and "Days since the start" in text and "2025-04-01" in text
    assert "East: auc" in text
    read = read_json(card.to_json())
    assert read["kind"] == "model_card" and {"section", "name", "value"} == set(read["tidy"][0])
    with pytest.raises(sat.ArgumentError, match="takes ChurnReport"):
        sat.model_card(model, "good", purpose="x")


@pytest.mark.parametrize("estimator", ["spline_logistic", "blend"])
def test_a_saved_model_gives_the_same_risks(estimator, panel, tmp_path):
    pytest.importorskip("skops")
    fitted = sat.ChurnClassifier(estimator, window=WINDOW, costs=sat.ChurnCosts(value=300)).fit(panel)
    sat.save_churn_model(fitted, tmp_path / "model.skops")
    loaded = sat.load_churn_model(tmp_path / "model.skops")
    np.testing.assert_array_equal(loaded.predict_proba(panel), fitted.predict_proba(panel))
    pd.testing.assert_frame_equal(loaded.warn(panel[-50:], top=3), fitted.warn(panel[-50:], top=3))
    assert (loaded.window, loaded.costs) == (fitted.window, fitted.costs)


def test_files_that_could_execute_are_never_read(model, tmp_path):
    pytest.importorskip("skops")
    touched = tmp_path / "touched"

    class Evil:
        def __reduce__(self):
            return open, (str(touched), "w")

    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(sat.ArgumentError, match="no skops file"):
        sat.load_churn_model(tmp_path / "model.pkl")
    assert not touched.exists()
    import skops.io

    skops.io.dump({"a": 1}, tmp_path / "other.skops")
    with pytest.raises(sat.ArgumentError, match="holds a dict"):
        sat.load_churn_model(tmp_path / "other.skops")
    skops.io.dump(sat.Scale(1, 5), tmp_path / "other.skops")
    with pytest.raises(sat.ArgumentError, match="not trusted"):
        sat.load_churn_model(tmp_path / "other.skops")
    with pytest.raises(sat.ArgumentError, match="takes ChurnClassifier or ChurnHazard"):
        sat.save_churn_model("model", tmp_path / "x.skops")  # type: ignore[arg-type]


def test_figure_of_the_horizon():
    pytest.importorskip("matplotlib")
    dates = pd.to_datetime(["2024-01-01", "2024-01-08", "2024-01-15", "2024-02-10"])
    events = pd.DataFrame({"customer": np.repeat(["a", "b"], 4), "date": [*dates, *dates]})
    axes = sat.plot(sat.inactivity_horizon(events, share=0.5)).axes[0]
    assert axes.lines[1].get_xdata()[0] == 7
    assert "50 % are back within 7 days" in axes.texts[0].get_text()


def test_figures_of_drift_and_survival(panel):
    pytest.importorskip("matplotlib")
    assert (
        sat.plot(sat.drift(panel, panel.tail(300)), top=5).axes[0].get_xlabel()
        == "Population stability index"
    )
    report = sat.survival_report([10, 20, 30, 40], [1, 0, 1, 1], [[0.4, 0.2]] * 4, days=[15, 35])
    assert len(sat.plot(report).axes) == 2


def test_parts_of_the_wrong_kind_say_what_is_wanted(panel):
    log = pd.DataFrame({"customer": [1, 2], "date": pd.to_datetime(["2024-01-01", "2024-02-01"])})
    for call, message in (
        (lambda: sat.churn_panel(log, cutoffs="2024-01-15", window=(30, 0, 10)), "ChurnWindow"),
        (
            lambda: sat.churn_panel(log, cutoffs="2024-01-15", window=WINDOW, features=["a"], label=False),
            "churn_feature",
        ),
        (lambda: sat.CutoffSplit(1, 30), "ChurnWindow"),
        (lambda: sat.expected_maximum_profit([0, 1], [0.1, 0.2], costs={"value": 3}), "ChurnCosts"),
        (lambda: sat.churn_report([0, 1], [0.1, 0.2], costs=5), "ChurnCosts"),
        (lambda: sat.ChurnClassifier(costs=5).fit(panel), "ChurnCosts"),
        (lambda: sat.ChurnClassifier(window=5).fit(panel), "ChurnWindow"),
        (lambda: sat.ChurnClassifier().fit(panel[["customer", "churned"]]), "no features"),
    ):
        with pytest.raises(sat.ArgumentError, match=message):
            call()
    with pytest.raises(sat.DataError, match="no events"):
        sat.churn_panel(log.head(0), cutoffs="2024-01-15", window=WINDOW)


def test_a_value_is_there_for_every_customer(panel):
    worth = panel.assign(value=100.0)
    fitted = sat.ChurnClassifier(
        "spline_logistic", calibration=None, costs=sat.ChurnCosts(value="value")
    ).fit(worth)
    with pytest.raises(sat.SchemaError, match="at least 0") as caught:
        fitted.warn(worth[-50:].assign(value=[np.nan, -1.0] + [5.0] * 48))
    assert caught.value.n_bad == 2


def test_booleans_with_gaps_are_features(panel):
    flags = pd.array([True, None, False] * len(panel), dtype="boolean")[: len(panel)]
    fitted = sat.ChurnClassifier("spline_logistic", calibration=None).fit(panel.assign(flag=flags))
    assert "flag" in fitted.feature_names_in_
