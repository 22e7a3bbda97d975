"""The classifier: scikit-learn's conventions, calibrated risks, reasons that add up, watch list."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import satmodels as sat
from satmodels.churn.spline_logistic import cubic_basis

WINDOW = sat.ChurnWindow(observation=90, gap=14, horizon=60)


@parametrize_with_checks([sat.ChurnClassifier()], expected_failed_checks=lambda e: e.expected_failed_checks)
def test_scikit_learn_conventions(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sat.LeakageWarning)  # the checks' classes are apart
        check(estimator)


@pytest.fixture(scope="module")
def panel():
    study = sat.datasets.simulate_service(n=900, seed=11)
    return sat.churn_panel(
        study.events,
        study.customers,
        kind="kind",
        end="end",
        window=WINDOW,
        attributes=["region", "plan"],
        cutoffs=["2025-04-01", "2025-06-01", "2025-08-01", "2025-10-01"],
    )


def _standardised(panel):
    numbers = panel.drop(columns=["region", "plan"]).fillna(0)
    features = numbers.columns[2:-1]
    numbers[features] = (numbers[features] - numbers[features].mean()) / numbers[features].std().clip(
        lower=1e-9
    )
    return numbers


@pytest.fixture(scope="module")
def model(panel):
    return sat.ChurnClassifier(window=WINDOW, costs=sat.ChurnCosts(value=300)).fit(panel)


@pytest.fixture(scope="module", params=["spline_logistic", "boosting", "blend", "given"])
def any_model(panel, request):
    if request.param != "given":
        return sat.ChurnClassifier(request.param, window=WINDOW).fit(panel)
    words = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["region", "plan"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), ["tenure_days", "complaint_count_90d"]),
    )
    return sat.ChurnClassifier(make_pipeline(words, LogisticRegression()), calibration=None).fit(panel)


def test_a_panel_is_enough(model, panel):
    assert set(model.validation_) == {"spline_logistic", "boosting", "blend"}
    assert model.chosen_ == min(model.validation_, key=model.validation_.get)
    assert not {"customer", "cutoff", "churned"} & set(model.feature_names_in_)
    risk = model.predict_proba(panel)[:, 1]
    assert abs(risk.mean() - panel["churned"].mean()) < 0.02
    assert sat.churn_report(panel["churned"], risk).glance().loc[0, "auc"] > 0.7


def test_contributions_add_up_to_the_log_odds(any_model, panel):
    fitted = any_model
    rows = panel.iloc[:12]
    explained = fitted.explain(rows)
    assert explained.columns[:3].tolist() == ["customer", "cutoff", "base"]
    p = fitted.predict_proba(rows)[:, 1]
    total = explained.drop(columns=["customer", "cutoff"]).sum(axis=1)
    assert total.to_numpy() == pytest.approx(np.log(p / (1 - p)), abs=1e-9)


def test_watch_list(model, panel):
    now = panel[panel["cutoff"] == panel["cutoff"].max()].drop(columns="churned")
    listed = model.warn(now, top=15)
    assert listed.columns[:4].tolist() == ["customer", "risk", "expected_loss", "reasons"]
    assert len(listed) == 15 and listed["risk"].is_monotonic_decreasing
    assert listed["expected_loss"].to_numpy() == pytest.approx(300 * listed["risk"].to_numpy())
    assert ((listed["risk_low"] < listed["risk"]) & (listed["risk"] < listed["risk_high"])).all()
    assert listed["reasons"].str.contains("odds ×").all()
    paying = model.warn(now)
    assert (paying["expected_profit"] > 0).all()
    assert len(paying) == (model.predict(now) == 1).sum()
    with pytest.raises(sat.ArgumentError, match="top"):
        model.warn(now, top=0)


def test_value_per_customer(panel):
    worth = panel.assign(value=np.where(panel["plan"] == "Premium", 900.0, 100.0))
    fitted = sat.ChurnClassifier(
        "spline_logistic", calibration=None, costs=sat.ChurnCosts(value="value")
    ).fit(worth)
    assert fitted.threshold_ is None
    risk = fitted.predict_proba(worth)[:, 1]
    expected = risk > fitted.costs.threshold(worth["value"].to_numpy())
    assert (fitted.predict(worth) == expected).all()
    assert fitted.warn(worth[-50:], top=5)["expected_profit"].is_monotonic_decreasing


def test_acceptance_per_customer(panel):
    rows = panel.assign(accepts=np.where(panel["plan"] == "Premium", 0.6, 0.1))
    costs = sat.ChurnCosts(value=500, acceptance_rate="accepts")
    fitted = sat.ChurnClassifier("spline_logistic", calibration=None, costs=costs).fit(rows)
    risk, rate = fitted.predict_proba(rows)[:, 1], rows["accepts"].to_numpy()
    assert fitted.threshold_ is None
    assert (fitted.predict(rows) == (risk > costs.threshold(500, rate))).all()
    now = (rows["cutoff"] == rows["cutoff"].max()).to_numpy()
    listed = fitted.warn(rows[now], top=3)
    risk, rate, rows = risk[now], rate[now], rows[now]
    profit = costs.profit(risk, 500, rate)
    assert listed["expected_profit"].tolist() == pytest.approx(np.sort(profit)[::-1][:3])
    best = int(np.argmax(profit))
    assert listed["expected_cost"][0] == pytest.approx(1 + 10 * (1 - risk[best] + risk[best] * rate[best]))
    for wrong, message in (
        (rows.assign(accepts=2.0), "between 0 and 1"),
        (rows.assign(accepts=np.nan), "rate"),
    ):
        with pytest.raises(sat.SchemaError, match=message) as caught:
            fitted.warn(wrong)
        assert caught.value.column == "accepts"
    array = sat.ChurnClassifier(costs=costs).fit(np.c_[risk, rate], rows["churned"])
    with pytest.raises(sat.ArgumentError, match="without names"):
        array.predict(np.c_[risk, rate])


def test_engines_give_the_same_risks(model, panel, engine):
    rows = panel.iloc[:50]
    plain = rows.assign(cutoff=rows["cutoff"].astype("datetime64[us]"))
    assert model.predict_proba(engine(plain)) == pytest.approx(model.predict_proba(rows), abs=1e-12)
    listed = model.warn(engine(plain), top=3)
    from satmodels.intake.frames import open_frame

    assert open_frame(listed).values("customer") == model.warn(rows, top=3)["customer"].tolist()


def test_forward_validation_in_scikit_learn(panel):
    scores = cross_val_score(
        sat.ChurnClassifier("spline_logistic", calibration=None),
        panel,
        panel["churned"],
        cv=sat.CutoffSplit(2, WINDOW),
        scoring="roc_auc",
    )
    assert len(scores) == 2 and (scores > 0.55).all()


def test_search_forward_in_time(panel):
    search = GridSearchCV(
        sat.ChurnClassifier("spline_logistic", window=WINDOW),
        {"calibration": [None, "sigmoid"]},
        cv=sat.CutoffSplit(1, WINDOW),
        scoring="neg_log_loss",
    ).fit(panel, panel["churned"])
    assert search.best_params_["calibration"] in (None, "sigmoid")


@pytest.mark.parametrize("library", ["polars", "lazy", "arrow"])
def test_a_given_classifier_takes_frames_of_other_libraries(panel, library):
    pl = pytest.importorskip("polars")
    frame = pl.from_pandas(panel.drop(columns=["region", "plan"]))
    frame = {"polars": frame, "lazy": frame.lazy(), "arrow": frame.to_arrow()}[library]
    boosting = HistGradientBoostingClassifier(max_iter=5, max_leaf_nodes=4)
    fitted = sat.ChurnClassifier(boosting, window=WINDOW, calibration="sigmoid").fit(frame)
    numbers = panel.drop(columns=["region", "plan"])
    plain = sat.ChurnClassifier(boosting, window=WINDOW, calibration="sigmoid").fit(numbers)
    assert fitted.predict_proba(frame) == pytest.approx(plain.predict_proba(numbers), abs=1e-9)


def test_any_classifier_can_be_given(panel):
    numbers = _standardised(panel)
    fitted = sat.ChurnClassifier(LogisticRegression(max_iter=2000), calibration="sigmoid", window=WINDOW).fit(
        numbers
    )
    assert fitted.chosen_ == "given" and 0.5 < fitted.calibration_.slope < 1.5
    X = numbers.drop(columns=["customer", "cutoff", "churned"]).to_numpy()
    forest = sat.ChurnClassifier(RandomForestClassifier(30, random_state=0), calibration="isotonic")
    forest.fit(X, numbers["churned"])
    assert forest.predict_proba(X).sum(axis=1) == pytest.approx(1)


def test_a_balanced_model_is_calibrated_back(panel):
    numbers = _standardised(panel)
    balanced = LogisticRegression(max_iter=2000, class_weight="balanced")
    raw = sat.ChurnClassifier(balanced, calibration=None).fit(numbers).predict_proba(numbers)[:, 1].mean()
    fitted = sat.ChurnClassifier(balanced, window=WINDOW).fit(numbers)
    assert raw > 0.3
    assert fitted.calibration_.method == "sigmoid"
    assert abs(fitted.predict_proba(numbers)[:, 1].mean() - numbers["churned"].mean()) < 0.03


def test_more_can_only_raise_the_risk_where_that_is_said(panel):
    fitted = sat.ChurnClassifier(monotone={"complaint_count_90d": 1}, calibration=None).fit(panel)
    assert fitted.chosen_ == "boosting"
    rows = panel.iloc[:30]
    risks = [fitted.predict_proba(rows.assign(complaint_count_90d=float(k)))[:, 1] for k in range(4)]
    assert (np.diff(risks, axis=0) >= -1e-12).all()
    for wrong, message in (
        ({"complant": 1}, "complant"),
        ({"plan": 1}, "words"),
        ({"tenure_days": 2}, "1, -1 or 0"),
    ):
        with pytest.raises(sat.ArgumentError, match=message):
            sat.ChurnClassifier(monotone=wrong, calibration=None).fit(panel)


def test_a_column_that_knows_the_outcome_is_flagged(panel):
    leaky = panel.assign(closed_account=panel["churned"] * 1.0)
    with pytest.warns(sat.LeakageWarning, match="closed_account"):
        sat.ChurnClassifier("spline_logistic", calibration=None).fit(leaky)


def test_a_weight_of_two_is_two_rows(panel):
    rows = panel.iloc[:800]
    weight = np.random.default_rng(0).integers(0, 3, len(rows))
    twice = rows.iloc[np.repeat(np.arange(len(rows)), weight)]
    once = sat.ChurnClassifier("spline_logistic", calibration=None)
    weighted = clone(once).fit(rows, sample_weight=weight).predict_proba(rows)
    assert weighted == pytest.approx(clone(once).fit(twice).predict_proba(rows), abs=1e-7)


def test_words_not_seen_are_missing_and_rows_stay_as_they_are(model, panel):
    rows = panel.iloc[:5].copy()
    before = rows.copy()
    strange = model.predict_proba(rows.assign(region="Atlantis"))
    assert np.isfinite(strange).all()
    pd.testing.assert_frame_equal(rows, before)
    with pytest.raises(sat.ArgumentError, match="holds words now"):
        model.predict_proba(rows.assign(tenure_days="long"))
    with pytest.raises(sat.ArgumentError, match="login_count_90d"):
        model.predict_proba(rows.drop(columns="login_count_90d"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimator": "auot"}, "Did you mean 'auto'"),
        ({"calibration": "platt"}, "calibration"),
        ({"estimator": 3}, "classifier"),
        ({"estimator": "spline_logistic", "monotone": {"a": 1}}, "boosting"),
    ],
)
def test_unknown_parameters_are_refused(options, message, panel):
    with pytest.raises(sat.ArgumentError, match=message):
        sat.ChurnClassifier(**options).fit(panel)


def test_dates_and_labels(panel):
    with pytest.raises(sat.SchemaError, match="days before the cutoff"):
        sat.ChurnClassifier().fit(panel.assign(seen=panel["cutoff"]))
    with pytest.raises(sat.ArgumentError, match="requires y"):
        sat.ChurnClassifier().fit(panel.drop(columns="churned"))
    with pytest.raises(ValueError, match="one class"):
        sat.ChurnClassifier().fit(panel, np.zeros(len(panel)))


def test_basis_equals_scipys_splines():
    from scipy.interpolate import BSpline

    knots = np.array([0.0, 1.0, 2.5, 7.0])
    x = np.linspace(0, 7, 50)
    t = np.concatenate([0 - np.arange(3, 0, -1) * 1.0, knots, 7 + np.arange(1, 4) * 4.5])
    expected = BSpline.design_matrix(np.clip(x, 0, 7 - 1e-12), t, 3).toarray()
    assert cubic_basis(x, knots) == pytest.approx(expected[:, 1:], abs=1e-9)


def test_split_is_forward_and_purged(panel):
    cutoffs = panel["cutoff"].to_numpy()
    purge = np.timedelta64(74, "D")
    for train, test in sat.CutoffSplit(2, WINDOW).split(panel):
        assert len(np.unique(cutoffs[test])) == 1
        assert (cutoffs[train] + purge <= cutoffs[test][0]).all()
    new = sat.CutoffSplit(1, WINDOW, new_customers=True)
    ((train, test),) = new.split(panel.sample(frac=0.3, random_state=0))
    sampled = panel.sample(frac=0.3, random_state=0)["customer"].to_numpy()
    assert not set(sampled[train]) & set(sampled[test])
    with pytest.raises(sat.ArgumentError, match="only"):
        list(sat.CutoffSplit(5, WINDOW).split(panel))
    with pytest.raises(sat.ArgumentError, match="n_splits"):
        sat.CutoffSplit(0)
    with pytest.raises(sat.ArgumentError, match="groups="):
        list(sat.CutoffSplit(1).split(np.zeros((3, 1))))


def test_a_customer_is_listed_once(model, panel, engine):
    few = panel.groupby("cutoff").head(3)
    with pytest.raises(sat.SchemaError, match=r"one row per customer.*latest") as caught:
        model.warn(engine(few.assign(cutoff=few["cutoff"].astype("datetime64[us]"))))
    assert caught.value.column == "customer"
    assert caught.value.n_bad == few["customer"].duplicated(keep=False).sum()


def test_columns_without_effect_are_named(panel):
    rows = panel.assign(country="DE", fee=5.0, blank=np.nan, gaps=np.where(panel.index % 2, 1.0, np.nan))
    fitted = sat.ChurnClassifier("spline_logistic", calibration=None).fit(rows)
    named = [note.split("'")[1] for note in fitted.notes_]
    assert {"country", "fee", "blank"} <= set(named) and "gaps" not in named
    assert (fitted.explain(rows[:20])[["country", "fee", "blank"]].abs() < 1e-12).all(axis=None)
    hazard = sat.ChurnHazard(periods=2).fit(rows, np.full(len(rows), 40.0), rows["churned"])
    assert hazard.notes_ == fitted.notes_


def test_trees_of_few_rows_use_one_thread_and_leave_the_setting_alone(monkeypatch):
    from threadpoolctl import threadpool_info, threadpool_limits

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"}

    seen = []
    plain = HistGradientBoostingClassifier.fit
    monkeypatch.setattr(
        HistGradientBoostingClassifier,
        "fit",
        lambda self, *a, **k: seen.append(threads()) or plain(self, *a, **k),
    )
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    with threadpool_limits(2, user_api="openmp"):
        sat.ChurnClassifier("boosting", random_state=0).fit(X, rng.random(600) < 0.4)
        assert threads() == {2}
    assert seen and all(found == {1} for found in seen)
