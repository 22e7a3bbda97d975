"""When customers leave: survival curves, and their measures against definitions and other programs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.churn.survival_report import kaplan_meier


def _simulated(n=3000, seed=0):
    """Hazard per 30 days: logit -2.5 + 0.8 x; lost from sight at random."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    hazard = 1 / (1 + np.exp(2.5 - 0.8 * x))
    period = rng.geometric(hazard) - 1
    leaving = (period + rng.random(n)) * 30
    lost = rng.uniform(1, 400, n)
    X = pd.DataFrame({"customer": np.arange(n), "x": x, "group": np.where(rng.random(n) < 0.5, "a", "b")})
    return X.assign(time=np.minimum(leaving, lost), left=leaving <= lost), hazard


def test_finds_the_hazard():
    panel, hazard = _simulated()
    model = sat.ChurnHazard(periods=8).fit(panel)
    found = model.hazard(panel)
    assert found.shape == (3000, 8)
    # the truth is the same in all periods; error well below its spread (0.06)
    assert np.abs(found.mean(axis=1) - hazard).mean() < 0.012
    S = model.survival(panel)
    assert (S[:, 0] == 1).all() and (np.diff(S, axis=1) < 0).all()
    assert model.risk(panel, 60) == pytest.approx(1 - S[:, 2])
    assert model.risk(panel, 45) == pytest.approx(1 - (S[:, 1] + S[:, 2]) / 2)
    middle = model.expected_time(panel)
    there = ~np.isnan(middle)
    assert there.any() and not there.all()
    assert model.curve(panel.head(2)).columns.tolist() == ["customer", "days", "survival"]


def test_without_features_it_is_the_life_table():
    panel, _ = _simulated(800, seed=1)
    model = sat.ChurnHazard(periods=5).fit(panel[["time", "left"]].assign(nothing=1.0))
    share = model.n_left_ / model.exposure_
    # the ridge on the levels of the periods pulls them together by a little
    assert model.hazard(pd.DataFrame({"nothing": [1.0]}))[0] == pytest.approx(share, abs=0.01)


def test_an_unfinished_period_is_not_that_of_its_leavers_alone():
    rng = np.random.default_rng(6)
    lives = rng.exponential(-30 / np.log(0.9), 20_000)  # a tenth leaves in each period of 30 days
    for seen in (np.full(len(lives), 45.0), rng.uniform(1, 300, len(lives))):
        time, left = np.minimum(lives, seen), lives <= seen
        model = sat.ChurnHazard(periods=6).fit(np.zeros((len(lives), 1)), time, left)
        # leaving out the unfinished periods of those still there gave 0.988 in the second period
        assert model.hazard(np.zeros((1, 1)))[0] == pytest.approx(np.full(6, 0.1), abs=0.015)
        whole = np.floor(time / 30)
        for k in range(6):
            exposure = (
                (whole > k).sum() + left[whole == k].sum() + (time / 30 - k)[(whole == k) & ~left].sum()
            )
            assert model.exposure_[k] == pytest.approx(exposure)
        times, stay = kaplan_meier(time, left)
        days = min(seen.max(), 180) // 15 * 15 - 15
        plain = 1 - stay[np.searchsorted(times, days, side="right") - 1]
        assert model.risk(np.zeros((1, 1)), days)[0] == pytest.approx(plain, abs=0.012)


def test_kaplan_meier_equals_lifelines():
    lifelines = pytest.importorskip("lifelines")
    panel, _ = _simulated(300, seed=2)
    time = np.ceil(panel["time"].to_numpy() / 7)  # with ties
    times, survival = kaplan_meier(time, panel["left"].to_numpy())
    fitted = lifelines.KaplanMeierFitter().fit(time, panel["left"])
    assert survival == pytest.approx(fitted.survival_function_at_times(times).to_numpy(), abs=1e-12)


def test_without_losses_the_measures_are_the_plain_ones():
    from sklearn.metrics import brier_score_loss, roc_auc_score

    rng = np.random.default_rng(3)
    time, p = rng.integers(1, 100, 200).astype(float), rng.random(200).round(2)
    report = sat.survival_report(time, np.ones(200), np.column_stack([1 - p / 2, 1 - p]), days=[30, 60])
    for k, days in enumerate((30, 60)):
        risk = (p / 2, p)[k]
        assert report.rows["auc"][k] == pytest.approx(roc_auc_score(time <= days, risk))
        assert report.rows["brier"][k] == pytest.approx(brier_score_loss(time <= days, risk))


def test_losses_are_weighed_out():
    panel, _ = _simulated(6000, seed=4)
    half = panel.iloc[:3000], panel.iloc[3000:]
    model = sat.ChurnHazard(periods=6).fit(half[0])
    S = model.survival(half[1])[:, 1:]
    days = [30, 60, 90, 120, 150, 180]
    report = sat.survival_report(half[1]["time"], half[1]["left"], S, days)
    assert all(b < base for b, base in zip(report.rows["brier"], report.rows["brier_baseline"], strict=True))
    # the true area without any loss, from fresh lives of the same customers
    rng = np.random.default_rng(5)
    hazard = 1 / (1 + np.exp(2.5 - 0.8 * half[1]["x"].to_numpy()))
    lives = (rng.geometric(hazard) - 1 + rng.random(3000)) * 30
    truth = sat.survival_report(lives, np.ones(3000), S, days)
    assert report.rows["auc"] == pytest.approx(truth.rows["auc"], abs=0.03)
    assert report.integrated_brier == pytest.approx(truth.integrated_brier, abs=0.012)


def test_measures_equal_loops_over_the_customers_with_ties():
    rng = np.random.default_rng(7)
    n = 120
    x = rng.normal(size=n).round(1)
    lives = 7 * np.ceil(rng.exponential(9 * np.exp(-x / 2)))
    lost = 7 * np.ceil(rng.exponential(9, n))
    time, left = np.minimum(lives, lost), lives <= lost
    S = np.exp(-np.outer(np.exp(x / 2) / 63, [21, 70]))
    report = sat.survival_report(time, left, S, days=[21, 70])

    def kept(until, inclusive):  # the product over the times at which someone was lost
        found = 1.0
        for u in sorted(set(time[~left])):
            if u < until or (inclusive and u == until):
                # who left at this very time was gone before
                there = sum(1 for t, g in zip(time, left, strict=True) if t > u or (t == u and not g))
                found *= 1 - sum(1 for t, g in zip(time, left, strict=True) if t == u and not g) / there
        return found

    for k, day in enumerate((21, 70)):
        score = pairs = above = 0.0
        for i in range(n):
            if left[i] and time[i] <= day:
                score += S[i, k] ** 2 / kept(time[i], False)
                for j in range(n):
                    if time[j] > day:
                        w = 1 / kept(time[i], False)
                        pairs += w
                        above += w * ((S[i, k] < S[j, k]) + (S[i, k] == S[j, k]) / 2)
            elif time[i] > day:
                score += (1 - S[i, k]) ** 2 / kept(day, True)
        assert report.rows["brier"][k] == pytest.approx(score / n, abs=1e-12)
        assert report.rows["auc"][k] == pytest.approx(above / pairs, abs=1e-12)


def test_weeks_of_many_leavers_and_losses_give_the_score_without_losses():
    rng = np.random.default_rng(8)
    x = rng.normal(size=60_000)
    lives = 7 * np.ceil(rng.exponential(60 * np.exp(-x / 2)) / 7)
    lost = 7 * np.ceil(rng.exponential(60, len(x)) / 7)
    S = np.exp(-np.outer(np.exp(x / 2) / 60, [40, 80]))
    seen = sat.survival_report(np.minimum(lives, lost), lives <= lost, S, days=[40, 80])
    truth = sat.survival_report(lives, np.ones(len(x)), S, days=[40, 80])
    # losing those first who leave in the same week gave 0.161 for the true 0.181 at 80 days
    assert seen.rows["brier"] == pytest.approx(truth.rows["brier"], abs=0.002)
    assert seen.rows["brier_baseline"] == pytest.approx(truth.rows["brier_baseline"], abs=0.002)


def test_from_an_event_log():
    study = sat.datasets.simulate_service(n=500, seed=4)
    window = sat.ChurnWindow(90, 14, 30)
    options = dict(kind="kind", end="end", cutoffs=["2025-05-01"], window=window)
    panel = sat.churn_panel(study.events, study.customers, label="time", **options)
    assert panel.columns[-2:].tolist() == ["time", "left"]
    churned = sat.churn_panel(study.events, study.customers, **options)["churned"]
    assert ((panel["left"] == 1) & (panel["time"] < 30)).astype(int).tolist() == churned.tolist()
    model = sat.ChurnHazard(periods=7).fit(panel)
    assert not {"time", "left", "customer", "cutoff"} & set(model.feature_names_in_)
    with pytest.raises(sat.ArgumentError, match="end="):
        sat.churn_panel(study.events, study.customers, label="time", **(options | {"end": None}))


@pytest.mark.parametrize(
    ("time", "left", "error"),
    [
        ([10, -5, 3], [1, 0, 1], sat.SchemaError),
        ([10, 0, 3], [1, 0, 1], sat.SchemaError),
        ([10, np.nan, 3], [1, 0, 1], sat.SchemaError),
        ([10, np.inf, 3], [1, 0, 1], sat.SchemaError),
        ([10, 5, 3], [1, 2, 1], sat.SchemaError),
        ([10, 5, 3], ["yes", "no", "no"], sat.SchemaError),
        ([10, 5, 3], [1, 0], sat.ArgumentError),
        ([100, 50, 40], [0, 0, 0], sat.DataError),
        ([10, 5, 3], [1, 1, 1], sat.DataError),
        (pd.Series([10, 5, 3]), pd.Series([1, 0, 1], index=[3, 4, 5]), sat.ArgumentError),
    ],
)
def test_bad_times_and_outcomes(time, left, error):
    with pytest.raises(error):
        sat.ChurnHazard().fit(np.zeros((3, 1)), time, left)


def test_a_separating_column_is_named_and_extremes_stay_finite():
    panel, _ = _simulated(500, seed=6)
    leaky = panel.assign(closed=np.where(panel["left"], 1.0, 0.0), time=20.0 + 30 * (~panel["left"]))
    with pytest.warns(sat.LeakageWarning, match="closed"):
        model = sat.ChurnHazard(periods=2).fit(leaky)
    assert np.isfinite(model.hazard(leaky)).all()  # the ridge keeps it finite
    extreme = panel.assign(time=np.where(np.arange(500) % 2, 1e-300, 1e12))
    assert np.isfinite(sat.ChurnHazard().fit(extreme).survival(extreme)).all()


def test_horizons_beyond_the_model_are_refused():
    panel, _ = _simulated(300, seed=7)
    model = sat.ChurnHazard(periods=4).fit(panel)
    with pytest.raises(sat.ArgumentError, match="finite"):
        model.risk(panel, float("nan"))
    for days in (0, -1, 121):
        with pytest.raises(sat.ArgumentError, match="extrapolation"):
            model.risk(panel, days)
    for options in (dict(periods=0), dict(period_days=0), dict(period_days=float("nan"))):
        with pytest.raises(sat.ArgumentError):
            sat.ChurnHazard(**options).fit(panel)
    with pytest.raises(sat.ArgumentError, match="longest time"):
        sat.survival_report([10, 20], [1, 0], [[0.5], [0.6]], days=[20])


def test_lengths_of_time_are_days_whatever_their_type():
    X, days, left = np.arange(6.0)[:, None], np.array([10, 40, 70, 20, 90, 35]), [1, 0, 1, 1, 0, 1]
    wanted = sat.ChurnHazard(periods=3).fit(X, days, left).hazard(X)
    for given in (pd.Series(pd.to_timedelta(days, unit="D")), [float(d) for d in days], days.astype(object)):
        assert sat.ChurnHazard(periods=3).fit(X, given, left).hazard(X) == pytest.approx(wanted)
    table = pd.DataFrame({"x": X[:, 0], "time": pd.to_timedelta(days, unit="D"), "left": left})
    assert sat.ChurnHazard(periods=3).fit(table).hazard(table) == pytest.approx(wanted)
    S = np.full((6, 1), 0.5)
    plain = sat.survival_report(days, left, S, days=[25])
    assert sat.survival_report(pd.to_timedelta(days, unit="D"), left, S, days=[25]).rows == plain.rows
    for wrong, value in ((["10", 5, 3, 1, 2, 4], "10"), ([True] * 6, True)):
        for use in (
            lambda t: sat.ChurnHazard().fit(X, t, left),
            lambda t: sat.survival_report(t, left, S, days=[1]),
        ):
            with pytest.raises(sat.SchemaError, match="number of days") as caught:
                use(np.array(wrong, dtype=object))
            assert (caught.value.row, caught.value.value) == (0, value)


def test_rows_that_may_not_belong_together_are_refused():
    X = pd.DataFrame({"a": np.arange(4.0)})
    time, left = pd.Series([10.0, 40, 70, 20]), pd.Series([1, 0, 1, 1])
    turned = [3, 2, 1, 0]
    with pytest.raises(sat.ArgumentError, match="X and time"):
        sat.ChurnHazard().fit(X, time.set_axis(turned), left.set_axis(turned))
    with pytest.raises(sat.ArgumentError, match="time and survival"):
        sat.survival_report(time, left, pd.DataFrame({"d": [0.5] * 4}, index=turned), days=[25])
    for weight in ([np.nan] * 4, [np.inf] * 4, list("abcd"), [-1] * 4):
        with pytest.raises(sat.ArgumentError, match="sample_weight"):
            sat.ChurnHazard().fit(X, time, left, weight)
    fitted = sat.ChurnHazard(periods=3).fit(X, time, left)
    for use in (
        lambda: fitted.risk(X, "soon"),
        lambda: fitted.expected_time(X, "half"),
        lambda: sat.ChurnHazard(period_days="month").fit(X, time, left),
        lambda: sat.survival_report(time, left, [["a"]] * 4, days=[25]),
        lambda: sat.survival_report(time, left, [[0.5]] * 4, days=["a"]),
    ):
        with pytest.raises(sat.ArgumentError):
            use()
    with pytest.raises(sat.DataError, match="no rows"):
        sat.survival_report([], [], np.empty((0, 1)), days=[1])


def test_one_row_and_all_events_are_no_infinity():
    X, days = np.arange(5.0)[:, None], [10, 40, 70, 20, 95]
    everybody = sat.ChurnHazard(periods=3).fit(X, days, [1] * 5)
    assert ((everybody.hazard(X) > 0) & (everybody.hazard(X) < 1)).all()
    for time, left in (([10.0], [1]), ([10.0], [0]), ([1000.0], [1])):
        with pytest.raises(sat.DataError):
            sat.ChurnHazard().fit(X[:1], time, left)
    alone = sat.survival_report([30.0], [1], [[0.5]], days=[25])
    assert alone.rows["auc"] == (None,) and alone.rows["brier"] == (0.25,)
