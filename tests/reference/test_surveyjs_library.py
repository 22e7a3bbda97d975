"""Questionnaires that SurveyJS's own library wrote; see make_surveyjs.js."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import satmodels as sat

HERE = Path(__file__).parent
FIVE = sat.Scale(1, 5, {1: {"en": "bad", "zh": "差"}, 5: {"en": "good", "zh": "好"}})
OURS = sat.Survey(
    "shop",
    [
        sat.Recommend("nps", {"en": "Recommend?", "zh": "推荐吗？"}, touchpoint="shop"),
        sat.Rating(
            "q1", FIVE, {"en": "Staff?", "zh": "员工？"}, construct="Quality", importance="q1_matters"
        ),
        sat.Rating("q2", FIVE, construct="Quality", reverse=True, required=True),
        sat.KanoPair("delivery", "with_it", "without_it", text="Delivery <b>to</b> the door"),
        sat.Gap("speed", "expected", "perceived", "responsiveness"),
        sat.Choice("region", {1: "north", 2: {"en": "south", "zh": "南"}}, missing_codes={-1: "none"}),
        sat.MultiChoice("used", ["app", "shop"]),
        sat.Number("spend", 0.0, 1e6),
        sat.Date("day"),
        sat.Text("why", max_length=500),
    ],
    respondent="id",
    missing_codes={99: "don't know"},
)


def part(folder: Path, file: str, field: str) -> Path:
    """Lay a part of a file of the library on its own."""
    content = json.loads((HERE / file).read_text(encoding="utf-8"))[field]
    path = folder / f"{field}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_our_questionnaire_goes_through_the_library(tmp_path: Path):
    ours, _ = sat.read_survey(HERE / "surveyjs_ours.json")
    untouched, _ = sat.read_survey(part(tmp_path, "surveyjs_through.json", "untouched"))
    assert ours == OURS and untouched == OURS and untouched.hash == OURS.hash
    edited, _ = sat.read_survey(part(tmp_path, "surveyjs_through.json", "edited"))
    assert edited["q1"].text == {"en": "Our staff?", "zh": "员工？"}
    assert edited["q1"].construct == "Quality" and edited["q2"] == OURS["q2"]
    assert edited.notes == ("q1: as edited in the file",)


def test_a_questionnaire_of_the_library_with_its_answers(tmp_path: Path):
    questionnaire = part(tmp_path, "surveyjs_library.json", "questionnaire")
    survey, frame = sat.read_survey(part(tmp_path, "surveyjs_library.json", "answers"), questionnaire)
    assert survey.items == (
        sat.Rating("m_a", sat.Scale(1, 5), "a"),
        sat.Rating("m_b", sat.Scale(1, 5), "b"),
        sat.Rating("md_r1_c1", sat.Scale(1, 5), "r1 c1"),
        sat.MultiChoice("md_r1_c2", ["x", "y"], "r1 c2"),
        sat.MultiChoice("cb", ["x", "y", "other", "none"]),
        sat.Text("cb-Comment", "other"),
        sat.Choice("rg", ["1", "2", "3", "other"]),
        sat.Text("rg-Comment", "other"),
        sat.Number("mt_i1", text="i1"),
        sat.Text("mt_i2", "i2"),
        sat.Choice("bo", {0: "false", 1: "true"}),
        sat.Number("sl"),
    )
    assert survey.notes == ("rk: a question of type 'ranking' is left out",)
    survey.check(frame).raise_for_errors()
    first: dict[Any, Any] = frame.iloc[0].to_dict()
    assert [first[c] for c in ("m_a", "md_r1_c1", "md_r1_c2_y", "cb_other", "rg", "bo", "sl")] == [
        4,
        3,
        1,
        1,
        "other",
        1,
        40,
    ]
