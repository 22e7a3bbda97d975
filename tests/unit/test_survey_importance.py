"""Importance that respondents or the survey state: declared, written down, checked, and used as weights."""

from __future__ import annotations

import pandas as pd
import pytest

import satmodels as sat

FIVE, TEN = sat.Scale(1, 5), sat.Scale(1, 10)
SURVEY = sat.Survey(
    "shop",
    [
        sat.Rating("a", FIVE, construct="Quality", importance="a_matters", importance_scale=TEN),
        sat.Rating(
            "b", FIVE, construct="Quality", reverse=True, importance="b_matters", importance_scale=TEN
        ),
    ],
    missing_codes={99: "don't know"},
)
ANSWERS = pd.DataFrame(
    {"a": [5, 3, 4], "b": [1, 3, 2], "a_matters": [9, 6, 99], "b_matters": [2.0, 3.0, 1.0]}
)


def test_importance_is_a_column_of_its_own_and_survives_storage(tmp_path):
    assert SURVEY.scales == {"a": FIVE, "a_matters": TEN, "b": FIVE, "b_matters": TEN}
    assert SURVEY.constructs == {"Quality": ("a", "b")}
    assert SURVEY.importance == {"a": "a_matters", "b": "b_matters"}
    again = sat.Survey.from_json(SURVEY.to_json())
    assert again == SURVEY and again.hash == SURVEY.hash
    assert "a_matters" in SURVEY.json_schema()["properties"]
    sat.write_survey(SURVEY, tmp_path / "shop.json")
    read, _ = sat.read_survey(tmp_path / "shop.json")
    assert read == SURVEY
    gap = sat.Survey("g", [sat.Gap("speed", "e", "p", "empathy", importance=40)])
    assert gap.importance == {"p": 40.0} and sat.Survey.from_json(gap.to_json()) == gap
    assert sat.Survey("s", [sat.Recommend("nps")]).importance == {}


def test_importance_is_checked_and_never_turned_round(engine):
    bad = ANSWERS.assign(a_matters=[9, 11, 99])
    assert [(v.column, v.rule) for v in SURVEY.check(engine(bad)).violations] == [("a_matters", "1..10")]
    prepared = SURVEY.prepare(engine(ANSWERS))
    weights = SURVEY.stated_importance(prepared)
    assert weights == {"a": 7.5, "b": 2.0}
    index = sat.csi(prepared, ["a", "b"], weights=weights, survey=SURVEY)
    # means 4 and 4 (turned round) of 1..5
    assert index.estimate == pytest.approx(75.0)
    with pytest.raises(sat.SchemaError, match="Prepare") as caught:
        SURVEY.stated_importance(engine(ANSWERS))
    assert caught.value.column == "a_matters" and caught.value.value == 99


def test_importance_performance_takes_what_the_survey_states():
    prepared = SURVEY.prepare(ANSWERS)
    result = sat.importance_performance(
        prepared, items=["a", "b"], importance=SURVEY.importance, scale=FIVE, importance_scale=TEN
    )
    assert len(result.tidy()) == 2
    fixed = sat.Survey("s", [sat.Rating(q, FIVE, importance=w) for q, w in (("a", 3), ("b", 1))])
    assert fixed.stated_importance(ANSWERS) == fixed.importance == {"a": 3.0, "b": 1.0}
    index = sat.csi(ANSWERS, ["a", "b"], weights=fixed.importance, survey=fixed)
    assert index.weights == (0.75, 0.25)


def test_what_can_not_be_importance():
    for bad in (-1, float("nan"), True, ""):
        with pytest.raises(sat.ArgumentError):
            sat.Rating("a", FIVE, importance=bad)
    with pytest.raises(sat.ArgumentError, match="belongs to item"):
        sat.Survey("s", [sat.Rating("a", FIVE, importance="b"), sat.Rating("b", FIVE)])
    mixed = sat.Survey("s", [sat.Rating("a", FIVE, importance="m"), sat.Rating("b", FIVE, importance=2)])
    with pytest.raises(sat.ArgumentError, match="against each other"):
        mixed.stated_importance(ANSWERS)
    with pytest.raises(sat.ArgumentError, match="importance="):
        sat.Survey("s", [sat.Recommend("nps")]).stated_importance(ANSWERS)
    with pytest.raises(sat.DataError, match="nobody"):
        SURVEY.stated_importance(ANSWERS.assign(a_matters=[None, None, None]).astype({"a_matters": float}))


def test_journey_and_channel_are_stored_too():
    item = sat.Rating(
        "a", FIVE, touchpoint="checkout", stage="purchase", channel="online", dimension="service"
    )
    stored = sat.Survey.from_json(sat.Survey("s", [item]).to_json())["a"]
    assert (stored.touchpoint, stored.stage, stored.channel) == ("checkout", "purchase", "online")
    with pytest.raises(ValueError, match="frozen"):
        stored.stage = "use"  # type: ignore[misc]
