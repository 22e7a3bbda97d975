"""SERVQUAL, SERVPERF, zone of tolerance and disconfirmation against plain pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

SEVEN = sat.Scale(1, 7)
GAPS = {"reliability": [("e1", "p1"), ("e2", "p2")], "empathy": [("e3", "p3")]}


def frame(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    data = pd.DataFrame({f"{k}{i}": rng.integers(1, 8, n) for i in (1, 2, 3) for k in "ep"}).astype(float)
    data.loc[[3, 7], "p1"] = np.nan
    data.loc[9, "e3"] = np.nan
    return data.assign(shop=rng.choice(["a", "b"], n), w=rng.uniform(0.5, 2, n))


def test_gaps_by_dimension_and_overall(engine: Any) -> None:
    data = frame()
    found = sat.servqual(engine(data), GAPS, scale=SEVEN, importance={"reliability": 60, "empathy": 20})
    tidy = found.tidy()
    tidy = tidy if isinstance(tidy, pd.DataFrame) else tidy.to_pandas()
    reliability = (data["p1"] + data["p2"] - data["e1"] - data["e2"]) / 2
    empathy = data["p3"] - data["e3"]
    overall = 0.75 * reliability + 0.25 * empathy
    assert tidy["term"].tolist() == ["reliability", "empathy", "overall"]
    for i, gap in enumerate((reliability, empathy, overall)):
        gap = gap.dropna()
        assert tidy["estimate"][i] == pytest.approx(gap.mean())
        assert tidy["std_error"][i] == pytest.approx(gap.std() / np.sqrt(len(gap)))
        assert (tidy["n"][i], tidy["n_missing"][i]) == (len(gap), 60 - len(gap))
        assert tidy["perception"][i] - tidy["expectation"][i] == pytest.approx(tidy["estimate"][i])
    assert tidy["weight"].tolist() == [0.75, 0.25, 1]
    items = found.items()
    items = items if isinstance(items, pd.DataFrame) else items.to_pandas()
    assert items["term"].tolist() == ["p1", "p2", "p3"]
    assert items["estimate"][0] == pytest.approx((data["p1"] - data["e1"]).mean())


def test_gaps_of_a_survey_by_segment_and_weighted() -> None:
    survey = sat.Survey(
        "s",
        [
            sat.Gap("fast", "e1", "p1", "reliability"),
            sat.Gap("right", "e2", "p2", "reliability"),
            sat.Gap("kind", "e3", "p3", "empathy"),
        ],
        missing_codes={99: "dk"},
    )
    data = frame()
    plain = sat.servqual(data, survey, by="shop", weight="w")
    given = sat.servqual(data, GAPS, scale=SEVEN, by="shop", weight="w")
    assert plain.tidy().equals(given.tidy())
    one = data[data["shop"] == "a"]
    gap = one["p3"] - one["e3"]
    assert plain.tidy()["estimate"][1] == pytest.approx(
        np.average(gap[gap.notna()], weights=one["w"][gap.notna()])
    )
    assert sat.servqual(data.fillna(99), survey).tidy().equals(sat.servqual(data, survey).tidy())
    assert sat.servqual(data, list(survey.items)).tidy().equals(sat.servqual(data, survey).tidy())


def test_servperf_takes_perceptions_alone() -> None:
    data = frame()
    found = sat.servperf(data, {"reliability": ["p1", "p2"], "empathy": ["p3"]}, scale=SEVEN).tidy()
    both = data[["p1", "p2"]].dropna()
    assert found["estimate"][0] == pytest.approx(both.mean(axis=1).mean())
    assert "p_value" not in found and "expectation" not in found
    gaps = [sat.Gap("x", "e1", "p1", "reliability"), sat.Gap("y", "e3", "p3", "empathy")]
    assert sat.servperf(data, gaps).tidy()["n"].tolist() == [58, 60, 58]


def test_equal_expectation_and_perception_leave_no_gap() -> None:
    data = frame().assign(p1=lambda d: d["e1"], p2=lambda d: d["e2"], p3=lambda d: d["e3"])
    found = sat.servqual(data, GAPS, scale=SEVEN).tidy()
    assert found["estimate"].tolist() == [0, 0, 0]
    assert found["std_error"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("gaps", "more", "said"),
    [
        ({"a": [("e1", "p1"), ("e2",)]}, {}, "is no item"),
        ({"a": [("e1", "p1"), ("e1", "p2")]}, {}, "listed twice"),
        ({"overall": [("e1", "p1")]}, {}, "can't be called"),
        ({}, {}, "no items"),
        (None, {}, "holds no items"),
        (5, {}, "holds no items"),
        ([sat.Rating("q", SEVEN)], {}, "is no Gap"),
        ({"a": [("e1", "p9")]}, {}, "no item 'p9'"),
        (GAPS, {"importance": {"reliability": 1}}, "importance"),
        (GAPS, {"importance": {"reliability": 1, "empathy": -1}}, "importance"),
        (GAPS, {"importance": {"reliability": 0, "empathy": 0}}, "importance"),
        (GAPS, {"importance": {"reliability": 1, "empathy": np.nan}}, "importance"),
        (GAPS, {"method": "wilson"}, "method"),
    ],
)
def test_wrong_gaps(gaps: Any, more: dict[str, Any], said: str) -> None:
    with pytest.raises(sat.ArgumentError, match=said):
        sat.servqual(frame(), gaps, scale=SEVEN, **more)
    with pytest.raises(sat.ArgumentError, match="scale"):
        sat.servqual(frame(), GAPS)
    with pytest.raises(sat.SchemaError):
        sat.servqual(frame().assign(p1=8), GAPS, scale=SEVEN)


def test_zone_of_tolerance() -> None:
    rng = np.random.default_rng(2)
    low = rng.integers(1, 4, 40)
    data = pd.DataFrame(
        {"min": low, "got": low + rng.integers(-1, 4, 40), "want": low + rng.integers(2, 4, 40)}
    )
    data["got"] = data["got"].clip(1, 7)
    found = sat.zone_of_tolerance(data, {"speed": [("min", "want", "got")]}, scale=SEVEN).tidy()
    assert found["term"].tolist() == ["speed"] * 3 + ["overall"] * 3
    expected = [
        (data["got"] - data["min"]).mean(),
        (data["got"] - data["want"]).mean(),
        (data["want"] - data["min"]).mean(),
    ]
    assert found["estimate"].tolist() == pytest.approx(expected * 2)
    assert found["position"][0] == pytest.approx(expected[0] / expected[2])


def test_disconfirmation(engine: Any) -> None:
    data = frame()
    found = sat.disconfirmation(engine(data), "e1", "p1", scale=SEVEN, by="shop")
    tidy = found.tidy()
    tidy = tidy if isinstance(tidy, pd.DataFrame) else tidy.to_pandas()
    gap = data["p1"] - data["e1"]
    by_hand = gap.groupby(data["shop"]).agg(["mean", "count"])
    assert tidy["estimate"].tolist() == pytest.approx(by_hand["mean"].tolist())
    assert tidy["n"].tolist() == by_hand["count"].tolist()
    assert tidy["worse"].tolist() == pytest.approx(
        [100 * (gap[data["shop"] == s].dropna() < 0).mean() for s in "ab"]
    )
    assert (tidy["better"] + tidy["as_expected"] + tidy["worse"]).tolist() == pytest.approx([100, 100])
    with pytest.raises(sat.SchemaError):
        sat.disconfirmation(engine(data.assign(e1=9)), "e1", "p1", scale=SEVEN)
    with pytest.raises(sat.ArgumentError):
        sat.disconfirmation(engine(data), "e1", "e1", scale=SEVEN)


def test_figures() -> None:
    pytest.importorskip("matplotlib")
    data = frame()
    gaps = sat.servqual(data, GAPS, scale=SEVEN, by="shop")
    zone = sat.zone_of_tolerance(data, {"a": [("e1", "e2", "p1")]}, scale=SEVEN)
    disconfirmed = sat.disconfirmation(data, "e1", "p1", scale=SEVEN)
    for figure in (sat.plot(gaps), sat.plot(gaps, items=True), sat.plot(zone), sat.plot(disconfirmed)):
        assert figure._repr_png_().startswith(b"\x89PNG")
    assert "empathy" in gaps.to_json() and zone.to_json()


def test_without_a_zone_nothing_lies_in_it() -> None:
    frame = pd.DataFrame({"min": [6, 6, 5], "want": [5, 5, 5], "got": [7, 7, 7]})
    found = sat.zone_of_tolerance(frame, {"speed": [("min", "want", "got")]}, scale=sat.Scale(1, 7)).tidy()
    assert found["position"].isna().all()
