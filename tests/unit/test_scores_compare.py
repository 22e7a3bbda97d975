"""Differences, trends, control charts, plans and periods of scores."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import satmodels as sat
from satmodels.statistics.multiplicity import adjust_p


def people(counts: dict[str, tuple[int, int, int]], **more: Any) -> pd.DataFrame:
    """Detractors, passives and promoters of each group."""
    rows = [(g, a) for g, c in counts.items() for a, k in zip((3, 8, 10), c, strict=True) for _ in range(k)]
    return pd.DataFrame(rows, columns=["group", "nps"]).assign(**more)


THREE = people({"A": (30, 40, 30), "B": (20, 40, 40), "C": (40, 30, 30)})


def test_groups_with_the_first_with_another_and_with_each_other() -> None:
    result = sat.nps(THREE, "nps", by="group")
    assert sat.compare(result).tidy()["term"].tolist() == ["B - A", "C - A"]
    assert sat.compare(result).tidy()["estimate"].tolist() == pytest.approx([20, -10])
    assert sat.compare(result, reference="C").tidy()["term"].tolist() == ["A - C", "B - C"]
    every = sat.compare(result, pairs="all", adjust="bh").tidy()
    assert every["term"].tolist() == ["B - A", "C - A", "C - B"]
    assert (every["p_adjusted"] >= every["p_value"]).all()
    with pytest.raises(sat.ArgumentError, match="no group 'D'"):
        sat.compare(result, reference="D")


def test_homogeneity_is_the_chi_square_of_the_groups() -> None:
    shares = sat.csat(THREE, "nps", scale=sat.Scale(0, 10), by="group")
    found = sat.compare(shares)
    p = shares.tidy()["estimate"] / 100  # of 100 answers each
    assert found.homogeneity["chi2"] == pytest.approx(
        (100 * (p - p.mean()) ** 2 / p.mean() / (1 - p.mean())).sum()
    )
    assert found.glance()["homogeneity_df"][0] == 2
    net = sat.nps(THREE, "nps", by="group")
    table = net.tidy()
    w = 1 / table["std_error"] ** 2
    centre = (w * table["estimate"]).sum() / w.sum()
    chi2 = sat.compare(net).homogeneity["chi2"]
    assert chi2 == pytest.approx((w * (table["estimate"] - centre) ** 2).sum())


def test_differences_within_another_column() -> None:
    both = pd.concat([THREE.assign(month=1), THREE.assign(month=2)])
    found = sat.compare(sat.nps(both, "nps", by=["month", "group"]), within="month").tidy()
    assert found["month"].tolist() == [1, 1, 2, 2]
    assert found["term"].tolist() == ["B - A", "C - A"] * 2
    with pytest.raises(sat.ArgumentError, match="nothing is left"):
        sat.compare(sat.nps(both, "nps", by="group"), within="group")


def test_another_result_and_a_benchmark() -> None:
    result = sat.nps(THREE, "nps", by="group")
    rival = sat.nps(people({"R": (100, 50, 50)})["nps"])
    found = sat.compare(result, rival).tidy()
    assert found["estimate"].tolist() == pytest.approx([25, 45, 15])
    fixed = sat.compare(result, benchmark=10).tidy()
    assert fixed["term"].tolist() == ["A - benchmark", "B - benchmark", "C - benchmark"]
    assert fixed["estimate"].tolist() == pytest.approx([-10, 10, -20])
    each = sat.compare(result, benchmark={"A": 0, "B": 20, "C": -10}).tidy()
    assert each["estimate"].tolist() == pytest.approx([0, 0, 0])
    unsure = sat.compare(result, benchmark=10, benchmark_error=5).tidy()
    assert (unsure["std_error"] > fixed["std_error"]).all()
    for wrong in (
        {"benchmark": {"A": 0}},
        {"benchmark": 1, "other": rival},
        {"other": sat.csat([5, 4], scale=sat.Scale(1, 5))},
        {"adjust": "tukey"},
        {"pairs": "some"},
        {"power": 80},
        {"within": "month"},
    ):
        with pytest.raises(sat.ArgumentError):
            sat.compare(result, **wrong)  # type: ignore[arg-type]
    with pytest.raises(sat.ArgumentError, match="no groups"):
        sat.compare(rival)


def test_one_proportion_against_a_benchmark_inverts_wilson() -> None:
    """The p-value is 5 % exactly at the end of the Wilson interval."""
    result = sat.csat([5] * 85 + [1] * 35, scale=sat.Scale(1, 5))
    assert result.conf_low is not None
    found = sat.compare(result, benchmark=result.conf_low).tidy()
    assert found["p_value"][0] == pytest.approx(0.05)


def test_means_use_welch() -> None:
    from scipy import stats

    rng = np.random.default_rng(3)
    data = pd.DataFrame({"q": rng.integers(1, 11, 90), "group": ["a"] * 30 + ["b"] * 60})
    a, b = (data[data["group"] == g]["q"] for g in "ab")
    row = sat.compare(sat.mean_score(data, "q", scale=sat.Scale(1, 10), by="group")).tidy().iloc[0]
    expected = stats.ttest_ind(b, a, equal_var=False)
    assert (row["statistic"], row["p_value"]) == pytest.approx((expected.statistic, expected.pvalue))
    interval = expected.confidence_interval()
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((interval.low, interval.high))
    pooled = np.sqrt((29 * a.var() + 59 * b.var()) / 88)
    assert row["effect_size"] == pytest.approx((b.mean() - a.mean()) / pooled)


def test_groups_too_small_for_a_test_are_kept_without_one() -> None:
    data = pd.concat([THREE, pd.DataFrame({"group": ["D", "E"], "nps": [9, np.nan]})])
    found = sat.compare(sat.nps(data, "nps", by="group")).tidy()
    assert found["term"].tolist() == ["B - A", "C - A", "D - A", "E - A"]
    assert found["estimate"].tolist()[2] == pytest.approx(100)
    assert found["p_value"].isna().tolist() == [False, False, True, True]


def test_paired_answers() -> None:
    from scipy import stats

    rng = np.random.default_rng(1)
    before = rng.integers(0, 11, 80)
    data = pd.DataFrame({"before": before, "after": np.clip(before + rng.integers(-2, 4, 80), 0, 10)})
    mean = sat.compare_paired(data, "before", "after", score="mean", scale=sat.Scale(0, 10)).tidy().iloc[0]
    expected = stats.ttest_rel(data["after"], data["before"])
    assert (mean["statistic"], mean["p_value"]) == pytest.approx((expected.statistic, expected.pvalue))
    interval = expected.confidence_interval()
    assert (mean["conf_low"], mean["conf_high"]) == pytest.approx((interval.low, interval.high))
    nps = sat.compare_paired(data, "before", "after").tidy().iloc[0]
    assert nps["estimate"] == pytest.approx(
        (sat.nps(data, "after").estimate or 0) - (sat.nps(data, "before").estimate or 0)
    )
    gaps = data.astype(float)
    gaps.loc[:9, "after"] = np.nan
    assert sat.compare_paired(gaps, "before", "after").tidy()["n"][0] == 70
    for wrong in ({"score": "csi"}, {"score": "csat"}, {"adjust": "x"}):
        with pytest.raises(sat.ArgumentError):
            sat.compare_paired(data, "before", "after", **wrong)
    with pytest.raises(sat.SchemaError):
        sat.compare_paired(data.assign(after=11), "before", "after")


def test_multiplicity_by_hand() -> None:
    p = [0.01, 0.02, np.nan, 0.03, 0.5]
    np.testing.assert_allclose(adjust_p(p), [0.04, 0.06, np.nan, 0.06, 0.5])
    np.testing.assert_allclose(adjust_p(p, "bh"), [0.04, 0.04, np.nan, 0.04, 0.5])
    np.testing.assert_allclose(adjust_p(p, "bonferroni"), [0.04, 0.08, np.nan, 0.12, 1])
    np.testing.assert_allclose(adjust_p(p, "none"), p)


# ------------------------------------------------------------------------------------------ planning


def test_plans_agree_with_r() -> None:
    """R 4.2.2: power.prop.test and power.t.test, tolerance of their root search."""
    assert sat.sample_size("share", difference=5, expected=80).n == 906  # 905.366
    assert sat.sample_size("share", difference=-5, expected=80, power=0.9).n == 1464  # 1463.707
    assert sat.sample_size("mean", difference=0.5, std=2).n == 253  # 252.128
    assert sat.sample_size("mean", difference=1, std=1).n == 17  # 16.715
    assert sat.detectable_difference("mean", n=60, std=2).difference == pytest.approx(1.031409, abs=1e-4)
    assert sat.detectable_difference("share", n=500, expected=60).difference == pytest.approx(
        8.48241, abs=1e-4
    )


def test_a_planned_nps_margin_is_met() -> None:
    plan = sat.sample_size("nps", margin=5, promoters=40, detractors=20)
    n = plan.n
    answers = [10] * round(0.4 * n) + [3] * round(0.2 * n) + [8] * (n - round(0.4 * n) - round(0.2 * n))
    result = sat.nps(answers)
    assert result.conf_high is not None and result.estimate is not None
    assert result.conf_high - result.estimate == pytest.approx(5, abs=0.02)
    few = sat.sample_size(
        "nps", margin=5, promoters=40, detractors=20, population=5000, response_rate=0.25, deff=1.5
    )
    assert few.n < 1.5 * n and few.invitations == 4 * few.n


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"margin": 5, "difference": 5},
        {"margin": 5},
        {"margin": -1, "std": 50},
        {"margin": 5, "promoters": 80, "detractors": 40},
        {"score": "share", "margin": 5, "expected": 120},
        {"score": "mean", "margin": 5},
        {"score": "csat", "margin": 5},
        {"difference": 0, "std": 50},
        {"difference": 5, "std": 50, "population": 100},
        {"difference": 5, "std": 50, "power": 1},
        {"score": "share", "difference": 30, "expected": 80},
        {"margin": 5, "std": 50, "response_rate": 0},
        {"margin": 5, "std": 50, "deff": 0},
        {"margin": "5", "std": 50},
        {"difference": "5", "std": 50},
    ],
)
def test_wrong_plans(given: dict[str, Any]) -> None:
    with pytest.raises(sat.ArgumentError):
        sat.sample_size(given.pop("score", "nps"), **given)


# ------------------------------------------------------------------------------------------ time


def test_periods_are_half_open_and_add_up(engine: Any) -> None:
    times = [
        datetime(2026, 1, 1),
        datetime(2026, 1, 31, 23, 59, 59),
        datetime(2026, 2, 1),
        datetime(2024, 2, 29, 12),
        datetime(2020, 12, 31),
        None,
    ]
    data = engine(pd.DataFrame({"nps": [9, 10, 3, 8, 9, 10], "date": pd.to_datetime(pd.Series(times))}))

    def counted(every: str) -> dict[Any, int]:
        tidy = sat.nps(data, "nps", by=sat.Period("date", every)).tidy()
        tidy = tidy if isinstance(tidy, pd.DataFrame) else tidy.to_pandas()
        return {
            None if pd.isna(d) else str(d)[:10]: int(n) for d, n in zip(tidy["date"], tidy["n"], strict=True)
        }

    assert counted("month") == {"2020-12-01": 1, "2024-02-01": 1, "2026-01-01": 2, "2026-02-01": 1, None: 1}
    assert counted("week") == {"2020-12-28": 1, "2024-02-26": 1, "2025-12-29": 1, "2026-01-26": 2, None: 1}
    assert counted("quarter") == {"2020-10-01": 1, "2024-01-01": 1, "2026-01-01": 3, None: 1}
    assert counted("year") == {"2020-01-01": 1, "2024-01-01": 1, "2026-01-01": 3, None: 1}
    assert counted("day")["2026-01-31"] == 1


def test_periods_of_texts_zones_and_far_dates() -> None:
    def keys(values: list[Any], every: str = "month", **more: Any) -> list[Any]:
        data = pd.DataFrame({"nps": [9] * len(values), "date": pd.Series(values, dtype=object)})
        return sat.nps(data, "nps", by=sat.Period("date", every, **more)).tidy()["date"].tolist()

    assert keys(["2026-11-21", "2026-11-21T23:00:00"]) == [date(2026, 11, 1)]
    assert keys([date(1, 1, 3), date(9999, 12, 31)], "week") == [date(1, 1, 1), date(9999, 12, 27)]
    late = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    assert keys([late], "day", zone="Europe/Berlin") == [date(2026, 2, 1)]
    assert keys([late], "day") == [date(2026, 1, 31)]
    with pytest.raises(sat.ArgumentError, match="mixes times"):
        keys([late, datetime(2026, 1, 1)])
    with pytest.raises(sat.SchemaError) as caught:
        keys(["2026-12-01", "2026-13-01"])
    assert (caught.value.row, caught.value.value) == (1, "2026-13-01")
    with pytest.raises(sat.ArgumentError, match="every"):
        sat.Period("date", "fortnight")
    for zone, said in (("Mars/Base", "time zone"), (5, "takes a text")):
        with pytest.raises(sat.ArgumentError, match=said):
            sat.Period("date", "day", zone=zone)  # type: ignore[arg-type]
    for compute in (sat.trend, sat.control_chart, sat.compare):
        with pytest.raises(sat.ArgumentError, match="result= takes ScoreResult, not 5"):
            compute(5)  # type: ignore[operator]


def test_periods_everywhere() -> None:
    days = [date(2026, 1, 1) + timedelta(days=i) for i in range(59)]
    data = pd.DataFrame(
        {"q": [1 + i % 5 for i in range(59)], "day": days, "shop": ["a", "b", "b"] * 19 + ["a"] * 2}
    )
    index = sat.csi(data, ["q"], scale=sat.Scale(1, 5), by=[sat.Period("day", "month"), "shop"])
    assert index.by == ("day", "shop")
    assert index.tidy()["n"].sum() == 59 and len(index.tidy()) == 4
    counts = sat.ScoreCounts.collect(data, "q", by="day")
    monthly = sat.mean_score(counts, scale=sat.Scale(1, 5), by=sat.Period("day", "month"))
    assert monthly.tidy()["n"].tolist() == [31, 28]


def test_trend_of_a_constant_score_is_flat() -> None:
    data = pd.concat([THREE.assign(wave=w) for w in range(5)])
    found = sat.trend(sat.nps(data, "nps", by=["wave", "group"]), "wave").tidy()
    assert found["group"].tolist() == ["A", "B", "C"]
    assert found["estimate"].tolist() == pytest.approx([0, 0, 0], abs=1e-9)
    assert found["p_value"].tolist() == pytest.approx([1, 1, 1])
    with pytest.raises(sat.ArgumentError, match="over="):
        sat.trend(sat.nps(data, "nps", by=["wave", "group"]))
    with pytest.raises(sat.ArgumentError, match="at least 3"):
        sat.trend(sat.nps(data[data["wave"] < 2], "nps", by="wave"))
    with pytest.raises(sat.ArgumentError, match="month"):
        sat.trend(sat.nps(data, "nps", by="wave"), "month")


def waves(satisfied: list[int], n: int = 100) -> pd.DataFrame:
    return pd.DataFrame(
        [(w, int(k < s)) for w, s in enumerate(satisfied) for k in range(n)], columns=["wave", "yes"]
    )


def test_control_limits_of_shares() -> None:
    result = sat.csat(waves([80, 82, 78, 80]), "yes", top=1, scale=(0, 1), by="wave")
    rows = sat.control_chart(result).tidy()
    assert rows["centre"].tolist() == pytest.approx([80] * 4)
    assert rows["lower"].tolist() == pytest.approx([80 - 3 * 4] * 4)
    assert rows["upper"].tolist() == pytest.approx([80 + 3 * 4] * 4)
    assert not rows["alert"].any()


def test_control_rules() -> None:
    long = sat.csat(waves([80] * 4 + [82] * 8), "yes", top=1, scale=(0, 1), by="wave")
    found = sat.control_chart(long, baseline=4).alerts()
    assert found["wave"].tolist() == [11]
    assert found["signals"].tolist() == ["8 in a row above the centre"]
    two = sat.csat(waves([80, 80, 80, 89, 80, 90]), "yes", top=1, scale=(0, 1), by="wave")
    assert sat.control_chart(two, baseline=3, rules=["two_of_three"]).alerts()["wave"].tolist() == [5]
    moving = sat.control_chart(two, chart="individuals").tidy()
    assert moving["upper"][0] - moving["centre"][0] == pytest.approx(3 * (9 + 9 + 10) / 5 / 1.128)
    for wrong in (
        {"chart": "u"},
        {"chart": "c"},
        {"rules": ["x"]},
        {"baseline": 2},
        {"baseline": 9},
        {"sigmas": 0},
    ):
        with pytest.raises(sat.ArgumentError):
            sat.control_chart(two, **wrong)  # type: ignore[arg-type]


def test_comparisons_are_drawn() -> None:
    pytest.importorskip("matplotlib")
    data = pd.concat([THREE.assign(wave=w) for w in range(4)])
    result = sat.nps(data, "nps", by=["wave", "group"])
    for made in (
        sat.compare(result, within="wave"),
        sat.trend(result, "wave"),
        sat.control_chart(result, "wave"),
        sat.control_chart(sat.nps(data, "nps", by="wave")),
    ):
        assert sat.plot(made)._repr_png_().startswith(b"\x89PNG")
        assert made.to_json()
        assert len(made.glance()) == 1


def variants(a: int, b: int, missing: int = 0) -> Any:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"v": ["A"] * a + ["B"] * b, "q": rng.integers(0, 11, a + b).astype(float)})
    frame.loc[: missing - 1, "q"] = np.nan
    return sat.nps(frame, "q", by="v")


def test_an_unplanned_split_is_said() -> None:
    """Pearson's chi-square of 821 and 1,000 against halves: R chisq.test(c(821, 1000)) 17.595277, p 2.7327e-05."""
    split = sat.compare(variants(821, 1000), planned_split={"A": 1, "B": 1})
    assert split.split_check["chi2"] == pytest.approx(17.5952773201538, abs=1e-9)
    assert split.split_check["p_value"] == pytest.approx(2.73266133268628e-05, rel=1e-9)
    assert "not split as planned (p = 2.7e-05)" in split.notes[0]
    as_planned = sat.compare(variants(821, 1000, missing=300), planned_split={"A": 45, "B": 55})
    assert as_planned.split_check["p_value"] > 0.9  # those without an answer were assigned too
    assert as_planned.notes == ()
    assert sat.compare(variants(9, 9)).split_check["p_value"] is None


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({"A": 1, "C": 1}, "no group 'C'"),
        ({"A": 1}, r"no share for \['B'\]"),
        ({"A": 1, "B": 0}, "a share above 0"),
        ({"A": 1, "B": "x"}, "planned_split"),
        ({"A": 1, "B": float("nan")}, "planned_split"),
    ],
)
def test_wrong_splits(split: dict[str, Any], said: str) -> None:
    with pytest.raises(sat.ArgumentError, match=said):
        sat.compare(variants(10, 10), planned_split=split)


FEW = pd.DataFrame({"q": [10, 9, 3, 8, 7, 10], "t": range(6), "g": list("aabbcc"), "e": [1, 2, 3, 4, 5, 6]})
OVER_TIME, GROUPS = sat.nps(FEW, "q", by="t"), sat.nps(FEW, "q", by="g")


@pytest.mark.parametrize(
    "call",
    [
        lambda: sat.control_chart(OVER_TIME, sigmas="x"),  # type: ignore[arg-type]
        lambda: sat.control_chart(OVER_TIME, baseline="x"),  # type: ignore[arg-type]
        lambda: sat.control_chart(OVER_TIME, rules=5),  # type: ignore[arg-type]
        lambda: sat.trend(OVER_TIME, order=5),  # type: ignore[arg-type]
        lambda: sat.trend(OVER_TIME, order=[[1]]),
        lambda: sat.compare(GROUPS, power="x"),  # type: ignore[arg-type]
        lambda: sat.compare(GROUPS, benchmark="x"),  # type: ignore[arg-type]
        lambda: sat.compare(GROUPS, benchmark=float("nan")),
        lambda: sat.compare(GROUPS, benchmark=5, benchmark_error=-1),
        lambda: sat.compare(GROUPS, within=5),  # type: ignore[arg-type]
        lambda: sat.compare(GROUPS, reference=[1]),
        lambda: sat.compare(GROUPS, planned_split=5),  # type: ignore[arg-type]
        lambda: sat.compare_paired(FEW, "q", "e", power=2),
        lambda: sat.detectable_difference("share", n="x", expected=50),  # type: ignore[arg-type]
        lambda: sat.sample_size("share", expected="x", margin=5),  # type: ignore[arg-type]
        lambda: sat.sample_size("nps", promoters="x", detractors=1, margin=5),  # type: ignore[arg-type]
        lambda: sat.kpis(FEW, responded="t", service_levels=5),  # type: ignore[arg-type]
        lambda: sat.indicators(FEW, customer="g", kind="q", kinds=5),  # type: ignore[arg-type]
        lambda: sat.indicators(FEW, customer="g", kind="q", date="t", recovery=5),  # type: ignore[arg-type]
        lambda: sat.indicators(FEW, customer="g", kind="q", date="t", since="soon"),
        lambda: sat.servqual(FEW, {"x": 5}, scale=sat.Scale(1, 10)),
        lambda: sat.servqual(FEW, {"x": [("q", "e")]}, scale=sat.Scale(1, 10), importance="x"),  # type: ignore[arg-type]
        lambda: sat.servqual(FEW, {"x": [("q", "e")]}, scale=sat.Scale(1, 10), importance={"x": "a"}),  # type: ignore[dict-item]
        lambda: sat.csi(FEW, ["q", "e"], scale=sat.Scale(1, 10), missing_codes=99),  # type: ignore[arg-type]
    ],
)
def test_arguments_of_the_wrong_kind_are_said_in_words(call: Any) -> None:
    with pytest.raises(sat.ArgumentError):
        call()


def test_a_group_without_spread_is_part_of_the_test_of_homogeneity() -> None:
    rows = [(s, a) for s, k in (("A", 0), ("B", 25), ("C", 26)) for a in [5] * k + [1] * (50 - k)]
    shares = sat.csat(pd.DataFrame(rows, columns=["shop", "sat"]), "sat", by="shop", scale=sat.Scale(1, 5))
    found = sat.compare(shares).homogeneity
    chi2, p, df, _ = stats.chi2_contingency([[0, 25, 26], [50, 25, 24]], correction=False)
    assert (found["chi2"], found["df"], found["p_value"]) == pytest.approx((chi2, df, p))
    none = sat.csat(
        pd.DataFrame({"s": [1] * 9, "g": list("ab" * 4 + "a")}), "s", by="g", scale=sat.Scale(1, 5)
    )
    assert sat.compare(none).tidy()["detectable"].isna().all()


def test_two_samples_have_the_degrees_of_freedom_of_the_smaller() -> None:
    rng = np.random.default_rng(5)
    few = pd.DataFrame({"y": rng.integers(1, 11, 180) * 1.0, "c": np.repeat(range(6), 30)})
    few["y"] = (few["y"] + few["c"]).clip(1, 10)
    many = pd.DataFrame({"y": rng.integers(1, 11, 1000), "w": rng.uniform(0.5, 2, 1000)})
    a = sat.mean_score(few, "y", scale=sat.Scale(1, 10), design=sat.Design(cluster="c"))
    b = sat.mean_score(many, "y", scale=sat.Scale(1, 10), weight="w")
    found = sat.compare(a, b).tidy().iloc[0]
    v, w = a.tidy()["std_error"][0] ** 2, b.tidy()["std_error"][0] ** 2
    df = (v + w) ** 2 / (v**2 / 5 + w**2 / b.tidy()["df"][0])
    half = stats.t.ppf(0.975, df) * np.sqrt(v + w)
    assert df < 8
    assert found["conf_high"] - found["estimate"] == pytest.approx(half)


def test_a_plan_does_not_invite_more_customers_than_there_are() -> None:
    plan: dict[str, Any] = {"margin": 5, "promoters": 45, "detractors": 20, "population": 500}
    assert sat.sample_size("nps", **plan).invitations == 323
    with pytest.raises(sat.ArgumentError, match="need 1,615 invitations"):
        sat.sample_size("nps", **plan, response_rate=0.2)


def test_homogeneity_of_means_is_welchs_test() -> None:
    answers = [1, 3, 2, 5, 4, 6, 7, 5, 7, 3, 4, 9, 8, 2, 6]
    frame = pd.DataFrame({"y": answers, "g": list("aaaaabbbbcccccc")})
    found = sat.compare(sat.mean_score(frame, "y", by="g", scale=sat.Scale(1, 10))).homogeneity
    assert found["p_value"] == pytest.approx(0.0201475083, abs=1e-9)  # R 4.2.2: oneway.test
    two = sat.compare(sat.mean_score(frame[:9], "y", by="g", scale=sat.Scale(1, 10)))
    assert two.homogeneity["p_value"] == pytest.approx(two.tidy()["p_value"][0])


def test_homogeneity_under_a_design_of_two_groups_is_their_difference() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"y": rng.integers(1, 8, 120), "g": ["a", "b"] * 60, "c": np.repeat(range(8), 15)})
    found = sat.compare(
        sat.mean_score(frame, "y", by="g", scale=sat.Scale(1, 7), design=sat.Design(cluster="c"))
    )
    assert found.homogeneity["p_value"] == pytest.approx(found.tidy()["p_value"][0])
