"""Trends and control charts: the order of periods, periods that share respondents, scores of several items."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.statistics.intervals import quantile, two_sided_p

SEVEN = sat.Scale(1, 7)


def waves(names: list[Any], n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = [(name, a) for t, name in enumerate(names) for a in rng.integers(1 + t // 2, 8, n)]
    return pd.DataFrame(rows, columns=["wave", "q"])


@pytest.mark.parametrize(
    "names",
    [
        [1, 2, 10],
        ["2025", "2026", "2027"],
        ["2025-11", "2025-12", "2026-01"],
        ["2025-Q4", "2026-Q1", "2026-Q2"],
        ["2025-W51", "2025-W52", "2026-W01"],
        ["2025-12-30", "2025-12-31", "2026-01-01"],
        list(pd.date_range("2026-01-01", periods=3)),
    ],
)
def test_periods_with_an_order_of_their_own(names: list[Any]) -> None:
    found = sat.trend(sat.mean_score(waves(names), "q", scale=SEVEN, by="wave"))
    assert found.tidy()["estimate"][0] > 0


@pytest.mark.parametrize(
    "names",
    [["spring", "summer", "winter"], ["1", "2", "10"], ["Jan", "Feb", "Mar"], ["2026", "2026-01", "x"]],
)
def test_texts_need_an_order(names: list[str]) -> None:
    result = sat.mean_score(waves(names), "q", scale=SEVEN, by="wave")
    for over_time in (sat.trend, sat.control_chart):
        with pytest.raises(sat.ArgumentError, match="alphabetical order may not be that of time"):
            over_time(result)
    numbered = sat.mean_score(
        waves(names).assign(wave=lambda f: f["wave"].map(names.index)), "q", scale=SEVEN, by="wave"
    )
    found = sat.trend(result, order=names)
    assert found.tidy()["estimate"][0] == pytest.approx(sat.trend(numbered).tidy()["estimate"][0])
    chart = sat.control_chart(result, order=names).tidy()
    assert chart["wave"].tolist() == names


def test_a_period_without_answers_keeps_its_place() -> None:
    result = sat.mean_score(waves(["a", "b", "d"]), "q", scale=SEVEN, by="wave")
    found = sat.trend(result, order=["a", "b", "c", "d"]).tidy()
    table = result.tidy()
    w, t = 1 / table["std_error"] ** 2, np.array([0, 1, 3])
    slope = np.polyfit(t, table["estimate"], 1, w=np.sqrt(w))[0]
    assert found["estimate"][0] == pytest.approx(slope)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (["a", "b"], "lacks the periods"),
        (["a", "b", "c", "c"], "each period once"),
        ("abc", "each period once"),
    ],
)
def test_wrong_orders(order: Any, said: str) -> None:
    result = sat.mean_score(waves(["a", "b", "c"]), "q", scale=SEVEN, by="wave")
    with pytest.raises(sat.ArgumentError, match=said):
        sat.trend(result, order=order)


def test_mixed_periods_are_refused() -> None:
    frame = waves([1, 2, 3]).astype({"wave": object})
    frame.loc[frame["wave"] == 3, "wave"] = "2026"
    with pytest.raises(sat.ArgumentError, match="several types"):
        sat.trend(sat.mean_score(frame, "q", scale=SEVEN, by="wave"))


def test_the_same_respondents_in_every_wave() -> None:
    """With respondents as clusters the slope's error is that of the respondents' own slopes."""
    rng = np.random.default_rng(4)
    n = 150
    level = rng.normal(4, 1.2, (n, 1))
    answers = np.clip(np.round(level + 0.1 * np.arange(4) + rng.normal(0, 0.6, (n, 4))), 1, 7)
    frame = pd.DataFrame(
        {"who": np.repeat(np.arange(n), 4), "wave": np.tile(np.arange(4), n), "q": answers.ravel()}
    )
    panel = sat.mean_score(frame, "q", scale=SEVEN, by="wave", design=sat.Design(cluster="who"))
    found = sat.trend(panel).tidy().iloc[0]
    variance = answers.var(axis=0)
    centred = np.arange(4) - (np.arange(4) / variance).sum() / (1 / variance).sum()
    own = answers @ (centred / variance) / (centred**2 / variance).sum()
    assert found["estimate"] == pytest.approx(own.mean(), rel=1e-9)
    assert found["std_error"] == pytest.approx(own.std(ddof=1) / np.sqrt(n), rel=1e-9)
    half = found["conf_high"] - found["estimate"]
    assert half == pytest.approx(float(quantile(0.95, n - 2)) * found["std_error"])
    apart = sat.trend(sat.mean_score(frame, "q", scale=SEVEN, by="wave")).tidy().iloc[0]
    assert found["std_error"] < 0.7 * apart["std_error"]


def test_no_test_of_the_line_with_too_few_clusters() -> None:
    frame = waves([1, 2, 3, 4, 5]).assign(shop=lambda f: np.arange(len(f)) % 3)
    found = sat.trend(sat.mean_score(frame, "q", scale=SEVEN, by="wave", design=sat.Design(cluster="shop")))
    assert found.table["p_linear"] == (None,)
    assert found.table["std_error"][0] is not None


def quality(n: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"month": np.repeat(np.arange(8), n), "e": rng.integers(5, 8, 8 * n)})
    fall = np.where(frame["month"] == 5, 2, 0)
    return frame.assign(
        m=rng.integers(1, 4, 8 * n),
        p=np.clip(rng.integers(4, 8, 8 * n) - fall, 1, 7),
        q=rng.integers(3, 8, 8 * n),
    )


def test_gaps_on_a_control_chart() -> None:
    frame = quality()
    gaps = sat.servqual(frame, {"speed": [("e", "p")]}, scale=SEVEN, by="month").dimension("speed")
    as_column = frame.assign(gap=frame["p"] - frame["e"])
    mean = sat.mean_score(as_column, "gap", scale=(-6, 6), by="month")
    chart, expected = sat.control_chart(gaps), sat.control_chart(mean)
    assert chart.chart == "x"
    for column in ("estimate", "centre", "lower", "upper", "z"):
        np.testing.assert_allclose(chart.table[column], expected.table[column], rtol=1e-9)
    assert [row for row in chart.alerts()["month"]] == [5]
    assert sat.trend(gaps).table["estimate"][0] == pytest.approx(sat.trend(mean).table["estimate"][0])
    test = sat.compare(gaps, reference=0).tidy()
    assert test["p_adjusted"].idxmin() == 4
    with pytest.raises(sat.ArgumentError, match="Did you mean 'speed'"):
        sat.servqual(frame, {"speed": [("e", "p")]}, scale=SEVEN).dimension("sped")


def test_an_index_and_a_zone_on_a_control_chart() -> None:
    frame = quality()
    chart = sat.control_chart(sat.csi(frame, ["p", "q"], scale=SEVEN, by="month"))
    assert (chart.chart, list(chart.alerts()["month"])) == ("x", [5])
    zone = sat.zone_of_tolerance(frame, {"speed": [("m", "e", "p")]}, scale=SEVEN, by="month")
    assert 5 in list(sat.control_chart(zone.dimension("speed")).alerts()["month"])
    assert sat.control_chart(zone.dimension("overall", "width")).chart == "x"
    with pytest.raises(sat.ArgumentError, match="measure="):
        zone.dimension("speed", "hight")


def test_stored_gaps_keep_their_scores() -> None:
    result = sat.servqual(quality(), {"speed": [("e", "p")]}, scale=SEVEN, by="month")
    again = type(result).from_json(result.to_json(full=True))
    assert again.dimension("overall").tidy().equals(result.dimension("overall").tidy())


def test_a_gap_on_a_scale_of_100_is_a_mean() -> None:
    """Its limits are those of a net score, but it is tested as a mean."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.integers(0, 101, (40, 2)), columns=["e", "p"]).assign(g=np.arange(40) % 2)
    gap = sat.servqual(frame, {"x": [("e", "p")]}, scale=sat.Scale(0, 100), by="g").dimension("x")
    d = frame["p"] - frame["e"]
    from scipy.stats import ttest_ind

    expected = ttest_ind(d[frame["g"] == 1], d[frame["g"] == 0], equal_var=False).pvalue
    assert sat.compare(gap).tidy()["p_value"][0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("days", "places"),
    [
        (["2025-11-01", "2025-12-01", "2026-03-01"], [0, 1, 4]),  # months
        (["2025-01-01", "2025-04-01", "2026-01-01"], [0, 1, 4]),  # quarters
        (["2020-01-01", "2022-01-01", "2023-01-01"], [0, 2, 3]),  # years
        (["2026-01-05", "2026-01-12", "2026-01-26"], [0, 1, 3]),  # weeks
        (["2026-01-05", "2026-01-13", "2026-03-26"], [0, 1, 2]),  # days of field work
    ],
)
def test_calendar_periods_that_are_not_there_leave_a_gap(days: list[str], places: list[int]) -> None:
    result = sat.mean_score(waves([date.fromisoformat(d) for d in days]), "q", scale=SEVEN, by="wave")
    table = result.tidy()
    slope = np.polyfit(places, table["estimate"].astype(float), 1, w=1 / table["std_error"].astype(float))[0]
    assert sat.trend(result).tidy()["estimate"][0] == pytest.approx(slope)


def test_the_first_change_after_a_baseline_without_spread_is_an_alert() -> None:
    rows = [(m, a) for m, k in enumerate((0, 0, 0, 0, 25)) for a in [5] * k + [1] * (50 - k)]
    shares = sat.csat(pd.DataFrame(rows, columns=["m", "s"]), "s", by="m", scale=sat.Scale(1, 5))
    assert sat.control_chart(shares, baseline=4).alerts()["m"].tolist() == [4]


def test_a_period_without_spread_counts_with_its_effective_answers() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"m": np.repeat(range(4), 60), "w": rng.uniform(0.1, 3, 240)})
    frame["s"] = np.where(frame["m"] == 2, 1, rng.integers(1, 6, 240))
    shares = sat.csat(frame, "s", by="m", scale=sat.Scale(1, 5), weight="w")
    row = sat.control_chart(shares).tidy().iloc[2]
    w = frame["w"][frame["m"] == 2]
    n_eff = w.sum() ** 2 / (w**2).sum()
    assert row["z"] == pytest.approx(-row["centre"] / np.sqrt(row["centre"] * (100 - row["centre"]) / n_eff))


def test_deviations_from_a_line_know_how_few_clusters_there_are() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"c": np.tile(np.repeat(range(12), 10), 3), "t": np.repeat(range(3), 120)})
    frame["y"] = rng.integers(1, 8, 360)
    score = sat.mean_score(frame, "y", by="t", scale=SEVEN, design=sat.Design(cluster="c"))
    y, v = score.tidy()["estimate"].to_numpy(), np.array(score.covariance)
    bend = np.array([1.0, -2.0, 1.0])  # of three periods the one deviation: t with 11 - 1 degrees of freedom
    z = bend @ y / np.sqrt(bend @ v @ bend)
    assert sat.trend(score).tidy()["p_linear"][0] == pytest.approx(float(two_sided_p(z, 10)))
