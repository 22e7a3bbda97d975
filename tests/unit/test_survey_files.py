"""Survey files: every reader is tested on files that the format's library or our own writer made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

AGREE = sat.Scale(1, 5, ["never", "rarely", "sometimes", "often", "always"])
SURVEY = sat.Survey(
    "shop",
    [
        sat.Rating("q1", AGREE, text="How often do you come?"),
        sat.Rating("q2", sat.Scale(1, 10, {1: "bad", 10: "good"})),
        sat.Choice("region", {1: "north", 2: "south", 4: "west"}, text="Where?"),
        sat.Choice("plan", ["basic", "plus"]),
        sat.Number("spend"),
        sat.Text("why", text="为什么？"),
    ],
    missing_codes={99: "don't know", -9: "refused"},
)
ANSWERS = pd.DataFrame(
    {
        "q1": [1, 5, 99, np.nan, 3],
        "q2": [10, 1, 7, 99, -9],
        "region": [1, 2, 4, 99, 1],
        "plan": ["basic", "plus", "plus", "basic", "plus"],
        "spend": [10.5, 99.0, np.nan, 3.25, 0.0],
        "why": ["=1+1", "满意", "", "fast, cheap", "-"],
    }
)


def same(found: pd.DataFrame, expected: pd.DataFrame, columns: list[str]) -> None:
    for c in columns:
        a = [None if pd.isna(v) else v for v in found[c]]
        b = [None if pd.isna(v) else v for v in expected[c]]
        assert a == b, c


def test_spss_round_trip(tmp_path: Path):
    pytest.importorskip("pyreadstat")
    sat.write_survey(SURVEY, tmp_path / "shop.sav", ANSWERS)
    survey, frame = sat.read_survey(tmp_path / "shop.sav")
    same(frame, ANSWERS, ["q1", "q2", "region", "plan", "spend"])
    assert survey == SURVEY
    survey.check(frame).raise_for_errors()
    prepared = survey.prepare(frame)
    assert prepared["q2"].isna().sum() == 2 and prepared["spend"][1] == 99.0


def test_spss_files_of_pyreadstat(tmp_path: Path):
    pyreadstat = pytest.importorskip("pyreadstat")
    frame = pd.DataFrame(
        {
            "sat": [1.0, 7, 98, 99, 3],
            "sex": [1.0, 2, 2, 1, 9],
            "twins": [1.0, 2, 2, 1, 3],
            "code": ["a", "b", "a", "", "b"],
            "when": pd.to_datetime(["2026-01-01"] * 5),
        }
    )
    path = tmp_path / "x.sav"
    pyreadstat.write_sav(
        frame,
        str(path),
        column_labels=["Satisfaction", "Sex", "", "Group", ""],
        variable_value_labels={
            "sat": {1: "low", 7: "high", 98: "dk", 99: "na"},
            "sex": {1: "m", 2: "f"},
            "twins": {1: "other", 2: "other"},
            "code": {"a": "first", "b": "second"},
        },
        missing_ranges={"sat": [{"lo": 97, "hi": 99}]},
        variable_measure={"sex": "nominal", "sat": "ordinal", "twins": "nominal"},
    )
    survey, read = sat.read_survey(path)
    assert survey.scale("sat") == sat.Scale(1, 7, {1: "low", 7: "high"})
    sex: Any = survey["sex"]
    assert sex.options == {1: "m", 2: "f", 9: "9"}
    assert "codes without a label: [9]" in " ".join(survey.notes)
    twins: Any = survey["twins"]
    assert twins.options == {1: "other", 2: "other (2)", 3: "3"}
    assert isinstance(survey["when"], sat.Date)
    assert survey.prepare(read, invalid="missing")["sat"].isna().sum() == 2


def test_spss_files_as_people_label_them(tmp_path: Path):
    pyreadstat = pytest.importorskip("pyreadstat")
    frame = pd.DataFrame(
        {
            "age": [20.0, 30, 99, 44] * 10,
            "sat": [1.0, 2, 9, 5] * 10,
            "slider": [0.0, 50, 100, 7] * 10,
            "big": [1e300, 1, 2, 3] * 10,
            "income": [0.0, 5000, -9, 200] * 10,
            "sex": [1.0, 2, 1, 2] * 10,
        }
    )
    agree = {1.0: "no", 2.0: "rather no", 3.0: "so so", 4.0: "rather yes", 5.0: "yes", 9.0: "N/A"}
    labels = {
        "age": {99.0: "Don't know"},
        "sat": agree,
        "slider": {0.0: "cold", 100.0: "hot"},
        "big": {1.0: "a", 2.0: "b"},
        "income": {0.0: "none", 5000.0: "max", -9.0: "refused"},
        "sex": {1.0: "m", 2.0: "f"},
    }
    measure = {c: "scale" for c in ("age", "slider", "big", "income")} | {"sat": "ordinal"}
    path = tmp_path / "x.sav"
    pyreadstat.write_sav(frame, str(path), variable_value_labels=labels, variable_measure=measure)
    survey, read = sat.read_survey(path)
    assert survey.items == (
        sat.Number("age", integer=True, missing_codes={99: "Don't know"}),
        sat.Rating("sat", sat.Scale(1, 5, list(agree.values())[:5]), missing_codes={9: "N/A"}),
        sat.Rating("slider", sat.Scale(0, 100, {0: "cold", 100: "hot"})),
        sat.Number("big"),
        sat.Number("income", missing_codes={-9: "refused"}),
        sat.Choice("sex", {1: "m", 2: "f"}),
    )
    assert "[9] as missing, by their labels" in survey.notes[1]
    survey.check(read).raise_for_errors()


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_labelled_tables_round_trip_and_run_nothing(tmp_path: Path, ending: str):
    if ending == ".xlsx":
        pytest.importorskip("openpyxl")
    path = tmp_path / f"shop{ending}"
    sat.write_survey(SURVEY, path, ANSWERS)
    schema = tmp_path / "shop.codebook.csv" if ending == ".csv" else None
    survey, frame = sat.read_survey(path, schema)
    same(frame, ANSWERS, ["q1", "q2", "region", "plan", "spend"])
    assert frame["why"][0] == "'=1+1" and frame["why"][1] == "满意"
    assert survey.scale("q1") == AGREE
    assert survey["q1"].missing_codes == {99: "don't know", -9: "refused"}
    survey.check(frame).raise_for_errors()


def test_csv_with_labels_and_a_stored_survey(tmp_path: Path):
    (tmp_path / "a.csv").write_text("q1,q2\noften,3\nalways,\n99,10\n", encoding="utf-8")
    survey = sat.Survey("s", SURVEY.items[:2], missing_codes={99: "dk", "99": "dk"})
    (tmp_path / "s.json").write_text(survey.to_json(), encoding="utf-8")
    read, frame = sat.read_survey(tmp_path / "a.csv", tmp_path / "s.json")
    assert read == survey
    assert survey.prepare(frame)["q1"].tolist()[:2] == [4, 5]


def test_numbers_in_text_tables_stay_what_they_are(tmp_path: Path):
    (tmp_path / "a.csv").write_text("zip,n,x,na\n007,1,1.5,NA\n123,,2,x\n", encoding="utf-8")
    _, frame = sat.read_survey(tmp_path / "a.csv")
    assert frame["zip"].tolist() == ["007", "123"] and frame["na"].tolist() == ["NA", "x"]
    assert frame["x"].tolist() == [1.5, 2.0] and frame["n"].isna().tolist() == [False, True]


QUALTRICS = (
    "StartDate,IPAddress,ResponseId,RecordedDate,Q1_NPS,Q2_1,Q2_2,Q3,Q4,Q5\n"
    'Start Date,IP Address,Response ID,Recorded Date,Recommend us?,"How good - Staff","How good - Price",Where?,'
    "Which?,Why?\n"
    + ",".join(f'"{{""ImportId"":""QID{i}""}}"' for i in range(10))
    + '\n2026-01-01 10:00:00,1.2.3.4,R_1,2026-01-01 10:05:00,9,5,4,1,"1,3",good\n'
    "2026-01-02 10:00:00,1.2.3.5,R_2,2026-01-02 10:05:00,,2,,2,2,=cmd\n"
    "2026-01-03 10:00:00,1.2.3.6,R_3,2026-01-03 10:05:00,0,1,5,1,,\n"
)
QSF = {
    "SurveyEntry": {"SurveyName": "x"},
    "SurveyElements": [
        {"Element": "BL", "Payload": []},
        *(
            {"Element": "SQ", "Payload": payload}
            for payload in (
                {
                    "DataExportTag": "Q1_NPS",
                    "QuestionType": "MC",
                    "Selector": "NPS",
                    "QuestionText": "<b>Recommend</b>&nbsp;us?",
                },
                {
                    "DataExportTag": "Q2",
                    "QuestionType": "Matrix",
                    "Selector": "Likert",
                    "QuestionText": "How good",
                    "Choices": {"1": {"Display": "Staff"}, "2": {"Display": "Price"}},
                    "Answers": {str(i): {"Display": f"level {i}"} for i in range(1, 6)},
                },
                {
                    "DataExportTag": "Q3",
                    "QuestionType": "MC",
                    "Selector": "SAVR",
                    "QuestionText": "Where?",
                    "Choices": {"1": {"Display": "north"}, "3": {"Display": "south"}},
                    "RecodeValues": {"1": "1", "3": "2"},
                },
                {
                    "DataExportTag": "Q4",
                    "QuestionType": "MC",
                    "Selector": "MAVR",
                    "QuestionText": "Which?",
                    "Choices": {str(i): {"Display": w} for i, w in enumerate(["app", "shop", "phone"], 1)},
                },
                {"DataExportTag": "Q5", "QuestionType": "TE", "Selector": "SL", "QuestionText": "Why?"},
                {"DataExportTag": "Q9", "QuestionType": "DB", "Selector": "TB", "QuestionText": "Hello"},
            )
        ),
    ],
}


def test_qualtrics_export_with_its_questionnaire(tmp_path: Path):
    (tmp_path / "q.csv").write_text(QUALTRICS, encoding="utf-8")
    (tmp_path / "q.qsf").write_text(json.dumps(QSF), encoding="utf-8")
    survey, frame = sat.read_survey(tmp_path / "q.csv", tmp_path / "q.qsf")
    assert [type(i).__name__ for i in survey.items] == [
        "Recommend",
        "Rating",
        "Rating",
        "Choice",
        "Text",
        "MultiChoice",
    ] or [type(i).__name__ for i in survey.items] == [
        "Recommend",
        "Rating",
        "Rating",
        "Choice",
        "MultiChoice",
        "Text",
    ]
    assert survey["Q1_NPS"].text == "Recommend us?" and survey["Q2_2"].text == "How good Price"
    assert survey.respondent == "ResponseId" and "IPAddress" not in frame.columns
    assert frame[["Q4_1", "Q4_2", "Q4_3"]].to_numpy().tolist()[0] == [1, 0, 1]
    survey.check(frame).raise_for_errors()
    assert sat.read_survey(tmp_path / "q.qsf")[0]["Q3"] == survey["Q3"]


def test_qualtrics_export_alone_is_guessed(tmp_path: Path):
    (tmp_path / "q.csv").write_text(QUALTRICS, encoding="utf-8")
    survey, frame = sat.read_survey(tmp_path / "q.csv")
    assert isinstance(survey["Q1_NPS"], sat.Recommend) and survey["Q1_NPS"].text == "Recommend us?"
    assert len(frame) == 3 and any("IPAddress" in note for note in survey.notes)


def test_surveyjs_round_trip_and_answers(tmp_path: Path):
    survey = sat.Survey(
        "shop",
        [
            sat.Recommend("nps", {"en": "Recommend?", "zh": "推荐吗？"}),
            sat.Rating("q1", AGREE),
            sat.Rating("q2", sat.Scale(1, 7)),
            sat.Choice("region", {1: "north", 2: {"en": "south", "zh": "南"}}),
            sat.MultiChoice("used", ["app", "shop"]),
            sat.Number("age", 18, 99),
            sat.Date("day"),
            sat.Text("why"),
        ],
    )
    sat.write_survey(survey, tmp_path / "shop.json")
    read, none = sat.read_survey(tmp_path / "shop.json")
    assert read == survey and none is None
    answers = [
        {"nps": 9, "q1": 4, "used": ["shop"], "region": 2, "age": 33, "day": "2026-03-01"},
        {"nps": 0, "q2": 7, "used": [], "why": "no"},
    ]
    (tmp_path / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    _, frame = sat.read_survey(tmp_path / "answers.json", tmp_path / "shop.json")
    assert frame["used_shop"].tolist() == [1, 0]
    survey.check(frame).raise_for_errors()


def test_surveyjs_written_by_hand(tmp_path: Path):
    document = {
        "pages": [
            {
                "elements": [
                    {"type": "rating", "name": "a", "rateMin": 0, "rateMax": 10, "visibleIf": "{b} > 1"},
                    {"type": "panel", "name": "p", "elements": [{"type": "boolean", "name": "b"}]},
                    {
                        "type": "matrix",
                        "name": "m",
                        "columns": [{"value": i, "text": f"l{i}"} for i in range(1, 6)],
                        "rows": ["speed", "price"],
                    },
                    {"type": "signaturepad", "name": "s"},
                    {
                        "type": "dropdown",
                        "name": "c",
                        "choices": ["x", {"value": "y", "text": {"default": "Y", "de": "Ü"}}],
                    },
                ]
            }
        ]
    }
    path = tmp_path / "s.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    survey, _ = sat.read_survey(path)
    assert [i.name for i in survey.items] == ["a", "b", "m_speed", "m_price", "c"]
    assert any("signaturepad" in n for n in survey.notes) and any("conditions" in n for n in survey.notes)
    assert survey.scale("m_speed").label(5) == "l5"


def test_surveyjs_questions_of_all_kinds_and_their_answers(tmp_path: Path):
    bad_good = ["bad|Quite bad", {"value": "good", "text": {"default": "Good", "de": "Gut"}}]
    cell = {
        "name": "rate",
        "title": {"default": "Rate", "de": "Note"},
        "choices": [5, 4, {"value": 3, "text": "3 (worst)"}],
    }
    words = ["very satisfied", "satisfied", "neutral", "dissatisfied", "very dissatisfied"]
    document = {
        "questions": [  # as before 2017: questions without pages
            {"type": "radiogroup", "name": "a", "choices": bad_good, "showOtherItem": True, "otherText": "else"},
            {"type": "radiogroup", "name": "b", "choices": [1, 2, "x"], "showDontKnowItem": True},
            {"type": "radiogroup", "name": "c", "choices": [{"value": i, "text": w} for i, w in enumerate(words, 1)]},
            {"type": "checkbox", "name": "d", "choices": ["app", "shop"], "hasNone": True},
            {"type": "matrixdropdown", "name": "e", "columns": [cell, {"name": "why", "cellType": "text"}], "rows": ["staff"]},
            {"type": "matrix", "name": "f", "cellType": "checkbox", "columns": [1, 2], "rows": ["r"]},
            {"type": "multipletext", "name": "g", "items": [{"name": "n", "inputType": "number", "min": "{x}"}, {"name": "t"}]},
            {"type": "rating", "name": "h", "mininumRateDescription": "no", "maximumRateDescription": "yes"},
            {"type": "rating", "name": "i", "title": "Would you recommend us?", "rateMin": 0, "rateMax": 10},
            {"type": "rating", "name": "j", "title": "Satisfied?", "rateMin": 0, "rateMax": 10},
            {"type": "imagepicker", "name": "k", "multiSelect": True, "choices": ["cat"]},
            {"type": "boolean", "name": "l", "labelTrue": "Ja"},
            {"type": "slider", "name": "m", "min": 0, "max": 50},
            {"type": "dropdown", "name": "n", "choicesByUrl": {"url": "https://example.org"}},
            {"type": "paneldynamic", "name": "o", "templateElements": [{"type": "text", "name": "p"}]},
        ]
    }  # fmt: skip
    (tmp_path / "s.json").write_text(json.dumps(document), encoding="utf-8")
    survey, _ = sat.read_survey(tmp_path / "s.json")
    grade = sat.Scale(3, 5, {3: "3 (worst)"})
    assert survey.items == (
        sat.Choice("a", {"bad": "Quite bad", "good": {"en": "Good", "de": "Gut"}, "other": "else"}),
        sat.Text("a-Comment", "else"),
        sat.Choice("b", {"1": "1", "2": "2", "x": "x"}, missing_codes={"dontknow": "dontknow"}),
        sat.Rating("c", sat.Scale(1, 5, words), reverse=True),
        sat.MultiChoice("d", ["app", "shop", "none"]),
        sat.Rating("e_staff_rate", grade, {"en": "staff Rate", "de": "staff Note"}),
        sat.Text("e_staff_why", "staff why"),
        sat.MultiChoice("f_r", [1, 2], "r"),
        sat.Number("g_n", text="n"),
        sat.Text("g_t", "t"),
        sat.Rating("h", sat.Scale(1, 5, {1: "no", 5: "yes"})),
        sat.Recommend("i", "Would you recommend us?"),
        sat.Rating("j", sat.Scale(0, 10), "Satisfied?"),
        sat.MultiChoice("k", ["cat"]),
        sat.Choice("l", {0: "false", 1: "Ja"}),
        sat.Number("m", 0, 50),
    )
    assert len([n for n in survey.notes if n.startswith(("n:", "o:", "c:"))]) == 3
    answers = [
        {"a": "other", "a-Comment": "so so", "b": 2, "c": 1, "d": ["app"], "e": {"staff": {"rate": 5, "why": "x"}}, "i": 9},
        {"a": "good", "b": "dontknow", "d": ["none"], "f": {"r": [1, 2]}, "g": {"n": 3.5, "t": "y"}, "l": True, "m": 20},
    ]  # fmt: skip
    (tmp_path / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    _, frame = sat.read_survey(tmp_path / "answers.json", tmp_path / "s.json")
    survey.check(frame).raise_for_errors()
    assert frame["b"].tolist() == ["2", "dontknow"] and frame["d_none"].tolist() == [0, 1]
    assert frame["e_staff_rate"].tolist()[0] == 5 and frame["f_r_2"].tolist()[1] == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pkl", b"\x80\x04."),
        ("a.csv", b""),
        ("a.csv", "ä".encode("latin-1")),
        ("a.json", b'{"pages": [1]}'),
        ("a.json", b"[1]"),
        ("a.json", b'{"pages": [{"elements": [{"type": "rating"}]}]}'),
        ("a.json", b'{"elements": [{"type": "rating", "name": "a", "rateMin": 5, "rateMax": 1}]}'),
        ("a.json", b'{"elements": [{"type": "rating", "name": "a", "rateMin": "x"}]}'),
        ("a.json", b'{"elements": [{"type": "radiogroup", "name": "a", "choices": [{"text": "x"}]}]}'),
        ("a.json", b'{"elements": [{"type": "multipletext", "name": "a", "items": [1]}]}'),
        ("a.json", b'{"elements": [{"type": "matrixdropdown", "name": "a", "rows": [1], "columns": 2}]}'),
        ("a.qsf", b'{"SurveyElements": 3}'),
        ("a.qsf", b'{"SurveyElements": []}'),
        ("a.json", b'{"elements": [' + b'{"type": "panel", "elements": [' * 25 + b"]}" * 25 + b"]}"),
        ("a.xlsx", b"no zip"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, name: str, content: bytes):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(sat.SatmodelsError):
        sat.read_survey(path)


def test_files_that_are_not_there(tmp_path: Path):
    with pytest.raises(sat.ArgumentError, match="no file"):
        sat.read_survey(tmp_path / "none.csv")
    with pytest.raises(sat.ArgumentError, match="answers"):
        sat.write_survey(SURVEY, tmp_path / "x.csv")
    with pytest.raises(sat.ArgumentError, match="ending"):
        sat.write_survey(SURVEY, tmp_path / "x.txt", ANSWERS)


def test_tables_are_written_neutral_unless_raw(tmp_path: Path, engine):
    frame = pd.DataFrame({"=a": ["=1+1", "+x", "@y", "\tz", "plain", "-1"], "n": [-1, 2, 3, 4, 5, 6]})
    sat.write_table(engine(frame), tmp_path / "t.csv")
    lines = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "'=a,n" and lines[1] == "'=1+1,-1" and lines[6] == "'-1,6"
    sat.write_table(frame, tmp_path / "raw.csv", raw=True)
    assert "\n=1+1,-1" in (tmp_path / "raw.csv").read_text(encoding="utf-8")


def test_from_frame_guesses_and_says_so(engine):
    frame = pd.DataFrame(
        {
            "customer_id": range(1, 41),
            "nps": [0, 10, 9, 99] * 10,
            "q1": [1, 2, 5, 4] * 10,
            "score": [1, 2, 9, 4] * 10,
            "amount": [1.5, 2.25, 1000.0, 4.0] * 10,
            "region": ["n", "s", None, "n"] * 10,
            "yes": [0, 1, 1, 0] * 10,
            "weight": [0.5, 1.5, 1.0, 1.0] * 10,
            "day": ["2026-01-01", "2026-02-01", "2026-01-01", None] * 10,
            "why": [f"text {i}" for i in range(40)],
        }
    )
    survey = sat.Survey.from_frame(engine(frame))
    kinds = {item.name: type(item).__name__ for item in survey.items}
    assert kinds == {
        "nps": "Recommend",
        "q1": "Rating",
        "score": "Rating",
        "amount": "Number",
        "region": "Choice",
        "yes": "Choice",
        "day": "Date",
        "why": "Text",
    }
    assert survey.respondent == "customer_id" and survey.weight == "weight"
    assert survey.scale("q1") == sat.Scale(1, 5) and survey.scale("score") == sat.Scale(1, 10)
    assert survey["nps"].missing_codes == {99: "missing"}
    assert len(survey.notes) == 10
    survey.check(engine(frame)).raise_for_errors()
