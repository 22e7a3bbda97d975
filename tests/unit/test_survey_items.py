"""Scales, items and surveys: what they accept, how they are written down, what they refuse."""

from __future__ import annotations

import json
import pickle
from datetime import date

import pytest

import satmodels as sat

SCALE = sat.Scale(1, 5, ["never", "rarely", "sometimes", "often", "always"])


def survey() -> sat.Survey:
    return sat.Survey(
        "shop",
        [
            sat.Recommend("nps"),
            sat.Rating("q1", SCALE, text={"en": "How often?", "zh": "多久一次？"}, construct="Quality"),
            sat.Rating("q2", sat.Scale(1, 10), construct="Quality", reverse=True),
            sat.Effort("effort", sat.Scale(1, 7)),
            sat.KanoPair("wifi", "wifi_with", "wifi_without"),
            sat.Gap("speed", "speed_expected", "speed_perceived", "responsiveness", construct="Service"),
            sat.Choice("region", {1: "north", 2: "south"}),
            sat.MultiChoice("used", ["app", "shop"]),
            sat.Number("age", 18, 120, integer=True),
            sat.Text("why", max_length=20),
            sat.Date("visit", date(2020, 1, 1), date(2030, 12, 31)),
        ],
        respondent="id",
        weight="w",
        segments=["city"],
        missing_codes={99: {"en": "don't know", "zh": "不知道"}, -9: "refused"},
    )


def test_scale_knows_its_codes_and_labels():
    assert (SCALE.size, SCALE.midpoint, list(SCALE.codes)) == (5, 3.0, [1, 2, 3, 4, 5])
    assert SCALE.code("often") == 4 and SCALE.label(4) == "often"
    assert SCALE.turned(2) == 4 and SCALE.to_index(5) == 100.0
    chinese = sat.Scale(1, 2, [{"en": "no", "zh": "否"}, {"en": "yes", "zh": "是"}])
    assert chinese.code("是") == 2 and chinese.label(1, "zh") == "否" and chinese.label(1, "fr") == "no"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: sat.Scale(5, 5), "below"),
        (lambda: sat.Scale(1, 5, {6: "six"}), "off 1..5"),
        (lambda: sat.Scale(1, 2, ["same", "same"]), "both"),
        (lambda: sat.Scale(1, 2, ["yes", " "]), "empty"),
        (lambda: sat.Scale(1.5, 3), "integer"),  # type: ignore[arg-type]
        (lambda: sat.Scale(True, 3), "integer"),
        (lambda: sat.Scale(0, 10**6), "Number"),
        (lambda: sat.Rating("q", 5), "Scale"),  # type: ignore[arg-type]
        (lambda: sat.Rating("", SCALE), "name"),
        (lambda: sat.Rating("q", SCALE, colour="red"), "colour"),
        (lambda: sat.Choice("c", "abc"), "one text"),
        (lambda: sat.Choice("c", ["a", "a"]), "twice"),
        (lambda: sat.Choice("c", []), "options"),
        (lambda: sat.Choice("c", [1, "a"]), "either"),
        (lambda: sat.Number("n", 5, 1), "above"),
        (lambda: sat.Number("n", float("nan")), "finite"),
        (lambda: sat.Date("d", date(2030, 1, 1), date(2020, 1, 1)), "after"),
        (lambda: sat.Survey("s", []), "items"),
        (lambda: sat.Survey("s", [1]), "no item"),
        (lambda: sat.Survey("s", sat.Recommend("nps")), "list of items"),
        (lambda: sat.Survey("s", [{"kind": "recommend"}]), "name"),
        (lambda: sat.Scale(1, 3, ["a", "b"]), "2 labels for the 3 codes"),
        (lambda: sat.Scale(1, 2, {"a", "b"}), "order"),
        (lambda: sat.Scale(1, 2, {"a": 1, "b": 2}), "other way round"),
        (lambda: sat.Survey("s", [sat.Text("a"), sat.Text("a")]), "'a'"),
        (lambda: sat.Survey("s", [sat.Text("a"), sat.KanoPair("b", "a", "c")]), "belongs to"),
        (lambda: sat.Survey("s", [sat.Text("a")], respondent="id", weight="id"), "two roles"),
        (lambda: sat.Survey("s", [sat.Rating("q", SCALE)], missing_codes={5: "dk"}), "missing code"),
    ],
)
def test_wrong_descriptions_are_refused(make, says):
    with pytest.raises(sat.ArgumentError, match=says):
        make()


def test_items_and_surveys_are_immutable():
    with pytest.raises(ValueError, match="frozen"):
        survey().name = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        SCALE.low = 0  # type: ignore[misc]


def test_survey_knows_its_columns():
    s = survey()
    assert s.constructs == {"Quality": ("q1", "q2"), "Service": ("speed_perceived",)}
    assert s.scale("q2") == sat.Scale(1, 10) and s.scale("nps") == sat.Scale(0, 10)
    assert s["wifi"].columns == ("wifi_with", "wifi_without")
    assert list(s.columns)[-3:] == ["id", "w", "city"]
    with pytest.raises(sat.ArgumentError, match="Did you mean 'q1'"):
        s["q11"]
    with pytest.raises(sat.ArgumentError, match="scale"):
        s.scale("why")


def test_json_round_trip_keeps_everything():
    s = survey()
    again = sat.Survey.from_json(s.to_json())
    assert again == s and again.hash == s.hash
    assert again["region"].options == {1: "north", 2: "south"}  # codes stay numbers
    assert pickle.loads(pickle.dumps(s)) == s


def test_stored_surveys_are_read_with_suspicion():
    text = survey().to_json()
    for bad in (
        text[:-20],
        text.replace('"nps"', '"npss"'),
        text.replace('"body"', '"evil": 1, "body"'),
        "[" * 100_000,
        '{"a": NaN}',
        '{"a": 1, "a": 2}',
    ):
        with pytest.raises(sat.ArgumentError):
            sat.Survey.from_json(bad)
    from satmodels.stored import write_document

    for body in (
        {"survey": {"name": "a"}},
        {"survey": {"name": "a", "items": [{"kind": "rating", "name": "q"}]}},
        {"survey": {"name": "a", "items": [{"kind": "spell", "name": "q"}]}},
        {"survey": {"name": "a", "items": [{"kind": "text", "name": "q", "code": "import os"}]}},
        {"survey": []},
    ):
        with pytest.raises(sat.ArgumentError):
            sat.Survey.from_json(write_document("Survey", 1, body))


def test_hash_changes_with_any_detail():
    s = survey()
    assert s.model_copy(update={"version": "2"}).hash != s.hash


def test_json_schema_describes_one_answer():
    schema = survey().json_schema()
    json.dumps(schema, allow_nan=False)
    nps = schema["properties"]["nps"]["anyOf"]
    assert {"type": "integer", "minimum": 0, "maximum": 10} in nps and {"type": "null"} in nps
    assert schema["additionalProperties"] is False
    assert schema["properties"]["q1"]["description"] == "How often?"
    assert schema["required"] == ["id", "w"]


def test_spec_is_the_model_of_the_constructs():
    spec = survey().spec("Service ~ Quality")
    assert spec.blocks["Quality"][1] == ("q1", "q2") and spec.paths == (("Service", "Quality"),)
    assert spec.scales["q2"] == (1.0, 10.0)
    with pytest.raises(sat.ArgumentError, match="construct"):
        sat.Survey("s", [sat.Recommend("nps")]).spec()
    with pytest.raises(sat.ArgumentError, match="Image"):
        survey().spec(sat.ecsi)


def test_a_code_of_the_survey_that_is_a_possible_amount_stays_an_amount():
    s = sat.Survey(
        "s", [sat.Number("spend"), sat.Number("age", 0, 120), sat.Recommend("nps")], missing_codes={-9: "no"}
    )
    assert (
        s.columns["spend"].missing == ()
        and s.columns["age"].missing == (-9,)
        and s.columns["nps"].missing == (-9,)
    )
