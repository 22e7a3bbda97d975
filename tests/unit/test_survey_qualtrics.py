"""Qualtrics: questionnaires as its QSF files write them, exports of several ages, and our own writer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import satmodels as sat

TEXT_ENTRY = {"TextEntry": "true"}


def choices(*labels: str, **extra: dict[str, Any]) -> dict[str, Any]:
    return {str(i): {"Display": t, **extra.get(f"c{i}", {})} for i, t in enumerate(labels, 1)}


def question(number: int, text: str, kind: str, selector: str, **more: Any) -> dict[str, Any]:
    return {
        "QuestionText": text,
        "DataExportTag": f"Q{number}",
        "QuestionType": kind,
        "Selector": selector,
        "Configuration": {"QuestionDescriptionOption": "UseText"},
        "Validation": {"Settings": {"ForceResponse": "OFF", "Type": "None"}},
        "Language": [],
        "QuestionID": f"QID{number}",
        **more,
    }


def document(questions: list[dict[str, Any]], blocks: Any = None, flow: Any = None) -> dict[str, Any]:
    """Lay questions out as an export of Qualtrics does; by default all in one block."""
    ids = [q["QuestionID"] for q in questions]
    blocks = blocks or [{"Type": "Default", "ID": "BL_1", "BlockElements": elements(*ids)}]
    blocks = [*blocks, {"Type": "Trash", "ID": "BL_trash"}] if isinstance(blocks, list) else blocks
    flow = flow or [{"Type": "Block", "ID": "BL_1", "FlowID": "FL_2"}]
    return {
        "SurveyEntry": {"SurveyID": "SV_1", "SurveyName": "s", "SurveyLanguage": "EN", "Deleted": None},
        "SurveyElements": [
            {"Element": "BL", "PrimaryAttribute": "Survey Blocks", "Payload": blocks},
            {"Element": "FL", "PrimaryAttribute": "Survey Flow", "Payload": {"Type": "Root", "Flow": flow}},
            {"Element": "RS", "PrimaryAttribute": "RS_1", "Payload": None},
            *({"Element": "SQ", "PrimaryAttribute": q["QuestionID"], "Payload": q} for q in questions),
        ],
    }


def elements(*ids: str) -> list[dict[str, Any]]:
    return [e for q in ids for e in ({"Type": "Question", "QuestionID": q}, {"Type": "Page Break"})]


def read(folder: Path, given: dict[str, Any], csv: str | None = None) -> tuple[sat.Survey, Any]:
    (folder / "s.qsf").write_text(json.dumps(given), encoding="utf-8")
    if csv is None:
        return sat.read_survey(folder / "s.qsf")
    (folder / "s.csv").write_text(csv, encoding="utf-8")
    return sat.read_survey(folder / "s.csv", folder / "s.qsf")


def export(columns: dict[str, str], rows: list[str], style: str = "new") -> str:
    """Write an export: names, texts and import ids above the answers."""
    ids = list(columns.values())
    if style == "new":
        ids = [
            '"' + json.dumps(json.loads(i) if i[0] == "{" else {"ImportId": i}).replace('"', '""') + '"'
            for i in ids
        ]
    else:  # before 2017
        ids = ["{'ImportId': '" + i.replace("_", "-") + "'}" for i in ids]
    return "\n".join([",".join(columns), ",".join("text" for _ in columns), ",".join(ids), *rows, ""])


SATISFIED = (
    "Very satisfied",
    "Satisfied",
    "Neither satisfied nor dissatisfied",
    "Dissatisfied",
    "Very dissatisfied",
)


def test_question_types(tmp_path: Path):
    questions = [
        question(1, "How likely are you to <b>recommend</b> us?", "MC", "NPS", Choices=[{"Display": str(i)} for i in range(11)]),
        question(2, "Satisfied?", "MC", "SAVR", Choices=choices(*SATISFIED), RecodeValues={str(i): str(6 - i) for i in range(1, 6)}),
        question(3, "Satisfied?", "MC", "SAHR", Choices=choices(*SATISFIED)),
        question(4, "Where?", "MC", "DL", Choices=choices("north", "south"), ChoiceOrder=["2", 1]),
        question(5, "Which?", "MC", "MSB", Choices=choices("app", "shop", "other", c3=TEXT_ENTRY)),
        question(
            6, "How good is", "Matrix", "Likert", SubSelector="SingleAnswer",
            Choices=choices("staff", ""), Answers=choices("p1", "p2", "p3", "n/a"),
            RecodeValues={"1": 1, "2": 2, "3": 3, "4": "-1"}, ChoiceDataExportTags=False,
        ),
        question(
            7, "Used", "Matrix", "Likert", SubSelector="MultipleAnswer",
            Choices=choices("Monday"), Answers=choices("app", "shop"), ChoiceDataExportTags={"1": "mon"},
        ),
        question(8, "How warm?", "Slider", "HSLIDER", Choices=choices("in", "out"),
                 Configuration={"CSSliderMin": -10, "CSSliderMax": "40", "NumDecimals": "0"}),
        question(9, "Stars", "Slider", "STAR", Choices=choices("food"), Configuration={"NumStars": 5}),
        question(10, "Share", "CS", "VRTL", Choices=choices("a", "b")),
        question(11, "Rank", "RO", "DND", Choices=choices("a", "b", "c")),
        question(12, "Age", "TE", "SL", Validation={"Settings": {
            "ForceResponse": "ON", "Type": "ContentType", "ContentType": "ValidNumber",
            "ValidNumber": {"Min": "18", "Max": "99", "NumDecimals": "0"}}}),
        question(13, "Why?", "TE", "ESTB"),
        question(14, "Name", "TE", "FORM", Choices=choices("first", "last")),
        question(15, "Hello ${e://Field/name}", "DB", "TB"),
        question(16, "Sort", "PGR", "DragAndDrop", Choices=choices("a")),
        question(17, "Best", "Matrix", "MaxDiff", Choices=choices("a"), Answers=choices("x", "y")),
        question(18, "Both", "SBS", "SBSMatrix", Choices=choices("staff"), AdditionalQuestions={
            "1": {"QuestionText": "expected", "QuestionType": "Matrix", "Selector": "Likert", "SubSelector": "SingleAnswer",
                  "Answers": choices("1", "2", "3"), "RecodeValues": [], "DataExportTag": "Q18#1", "QuestionID": "QID18#1"},
            "2": {"QuestionText": "why", "QuestionType": "Matrix", "Selector": "TE", "SubSelector": "Short", "VariableNaming": [],
                  "Answers": choices("note"), "DataExportTag": "Q18#2", "QuestionID": "QID18#2"}}),
    ]  # fmt: skip
    survey, none = read(tmp_path, document(questions))
    assert none is None
    five: Any = {6 - i: label for i, label in enumerate(SATISFIED, 1)}
    part = sat.Scale(1, 3, ["p1", "p2", "p3"])
    missing: Any = {"missing_codes": {-1: "n/a"}}
    assert survey.items == (
        sat.Recommend("Q1", "How likely are you to recommend us?"),
        sat.Rating("Q2", sat.Scale(1, 5, five), "Satisfied?"),
        sat.Rating("Q3", sat.Scale(1, 5, SATISFIED), "Satisfied?", reverse=True),
        sat.Choice("Q4", {2: "south", 1: "north"}, "Where?"),
        sat.MultiChoice("Q5", {1: "app", 2: "shop", 3: "other"}, "Which?"),
        sat.Text("Q5_3_TEXT", "Which? other"),
        sat.Rating("Q6_1", part, "How good is staff", **missing),
        sat.Rating("Q6_2", part, "How good is", **missing),
        sat.MultiChoice("mon", {1: "app", 2: "shop"}, "Used Monday"),
        sat.Number("Q8_1", -10, 40, "How warm? in", integer=True),
        sat.Number("Q8_2", -10, 40, "How warm? out", integer=True),
        sat.Number("Q9_1", 0, 5, "Stars food"),
        sat.Number("Q10_1", 0, None, "Share a"),
        sat.Number("Q10_2", 0, None, "Share b"),
        *(sat.Number(f"Q11_{i}", 1, 3, f"Rank {t}", integer=True) for i, t in enumerate("abc", 1)),
        sat.Number("Q12", 18, 99, "Age", integer=True, required=True),
        sat.Text("Q13", "Why?"),
        sat.Text("Q14_1", "Name first"),
        sat.Text("Q14_2", "Name last"),
        sat.Rating("Q18#1_1", sat.Scale(1, 3), "Both expected staff"),
        sat.Text("Q18#2_1_1", "Both why staff note"),
    )
    notes = " | ".join(survey.notes)
    assert "Q16: a question of type 'PGR' is left out" in notes and "'MaxDiff' is left out" in notes
    assert "Q3: reverse, because its labels run from high to low" in notes
    assert "Q6_1: [-1] are codes for missing answers" in notes and "Q15" not in notes


def test_order_trash_branches_and_double_tags(tmp_path: Path):
    questions = [question(i, f"t{i}", "TE", "SL") for i in range(1, 6)]
    questions[4]["DataExportTag"] = "Q1"
    blocks = {
        "1": {"Type": "Default", "ID": "BL_1", "BlockElements": elements("QID1")},
        "2": {"Type": "Trash", "ID": "BL_2", "BlockElements": elements("QID2")},
        "3": {"Type": "Standard", "ID": "BL_3", "BlockElements": elements("QID3", "QID4", "QID5")},
    }
    flow = [
        {"Type": "EmbeddedData", "EmbeddedData": [{"Field": "x"}]},
        {"Type": "Branch", "Flow": [{"Type": "Standard", "ID": "BL_3"}]},
        {"Type": "BlockRandomizer", "Flow": [{"Type": "Standard", "ID": "BL_1"}]},
    ]
    survey, _ = read(tmp_path, document(questions, blocks, flow))
    assert [i.name for i in survey.items] == ["Q3", "Q4", "Q1", "Q1_QID1"]
    assert "Q3: not everybody was asked; the conditions are left out" in survey.notes
    assert not any(n.startswith("Q2") or "Q1_QID1" in n for n in survey.notes)


def test_codes_that_Qualtrics_allows_and_a_survey_does_not(tmp_path: Path):
    questions = [
        question(1, "one code for two", "MC", "SAVR", Choices=choices("a", "b", "c"), RecodeValues={"1": "1", "2": "1", "3": "2"}),
        question(2, "one label for two", "MC", "SAVR", Choices=choices("a", "a", "")),
        question(3, "codes of both kinds", "MC", "SAVR", Choices=choices("a", "b"), RecodeValues={"1": "x", "2": "2"}),
        question(4, "all negative", "MC", "SAVR", Choices=choices("a", "b"), RecodeValues={"1": "-1", "2": "-2"}),
        question(5, "all left out", "MC", "SAVR", Choices=choices("a", "b"), AnalyzeChoices={"1": "No", "2": "No"}),
        question(6, "none", "MC", "SAVR", Choices=[]),
    ]  # fmt: skip
    survey, _ = read(tmp_path, document(questions))
    found = {i.name: getattr(i, "options", None) for i in survey.items}
    assert found == {
        "Q1": {1: "a / b", 2: "c"},
        "Q2": {1: "a", 2: "a (2)", 3: "3"},
        "Q3": {"x": "a", "2": "b"},
        "Q4": {-1: "a", -2: "b"},
        "Q5": {1: "a", 2: "b"},
    }


def test_translations(tmp_path: Path):
    german: Any = {"DE": {"QuestionText": "Wie <i>gut</i>?", "Choices": {"1": {"Display": "Personal"}},
                          "Answers": {"1": {"Display": "schlecht"}}}}  # fmt: skip
    given = question(1, "How good?", "Matrix", "Likert", Choices=choices("staff"),
                     Answers=choices("bad", "fair", "good"), Language={**german, "ZH-S": {"QuestionText": "多好？"}})  # fmt: skip
    survey, _ = read(tmp_path, document([given]))
    assert survey["Q1_1"].text == {"en": "How good? staff", "de": "Wie gut? Personal", "zh": "多好？ staff"}
    assert survey.scale("Q1_1").labels == {1: {"en": "bad", "de": "schlecht"}, 2: "fair", 3: "good"}


QUESTIONS = [
    question(1, "Feel?", "MC", "SAVR", Choices=choices("Great", "<b>Middle</b>", "Awful"), VariableNaming={"1": "g"}),
    question(2, "Which?", "MC", "MAVR", Choices=choices("app", "shop, online", "none", c2=TEXT_ENTRY),
             RecodeValues={"1": "10", "2": "20", "3": "-1"}),
    question(3, "How good?", "Matrix", "Likert", SubSelector="SingleAnswer", Choices=choices("staff"),
             Answers=choices("p1", "p2", "p3"), ChoiceDataExportTags={"1": "tag"}),
    question(4, "When?", "TE", "SL", Validation={"Settings": {"Type": "ContentType", "ContentType": "ValidDate"}}),
]  # fmt: skip


@pytest.mark.parametrize("style", ["new", "old"])
def test_exports_are_matched_by_import_ids(tmp_path: Path, style: str):
    # older exports call the row of a matrix Q3_tag, newer ones tag; both give its import id
    row = "tag" if style == "new" else "Q3_tag"
    columns = {"ResponseID": "responseId", "IPAddress": "ipAddress", "EndDate": "endDate", "Finished": "finished",
               "Q1": "QID1", "Q2_10": "QID2_1", "Q2_20": "QID2_2", "Q2_-1": "QID2_3", "Q2_20_TEXT": "QID2_2_TEXT",
               row: "QID3_1", "Q4": "QID4_TEXT", "Location": "location_LocationLatitude"}  # fmt: skip
    rows = [
        "R_1,1.2.3.4,2026-01-01 10:00:00,1,1,1,,,,3,2026-01-02,42.4",
        "R_2,1.2.3.5,2026-01-01 11:00:00,1,3,,1,1,by phone,1,,42.4",
        "R_3,1.2.3.6,2026-01-01 12:00:00,1,,,,,,-99,,42.4",
    ]
    survey, frame = read(tmp_path, document(QUESTIONS), export(columns, rows, style))
    assert survey.respondent == "ResponseID" and survey.date == "EndDate"
    assert list(frame.columns) == ["ResponseID", "EndDate", "Finished", "Q1", "Q2_10", "Q2_20", "Q2_-1", "Q2_20_TEXT", row, "Q4"]  # fmt: skip
    assert [i.name for i in survey.items] == ["Q1", "Q2", "Q2_20_TEXT", row, "Q4"]
    several = frame[["Q2_10", "Q2_20", "Q2_-1"]]
    assert several[:2].to_numpy().tolist() == [[1, 0, 0], [0, 1, 1]]
    assert several.iloc[2].isna().all()  # nobody knows whether the question was seen
    assert survey[row].missing_codes == {-99: "seen, not answered"}
    assert isinstance(survey["Q4"], sat.Date)
    survey.check(frame).raise_for_errors()
    assert survey.prepare(frame)[row].isna().sum() == 1


def test_labels_variable_names_joined_answers_and_choice_ids(tmp_path: Path):
    columns = {"ResponseId": "_recordId", "Q1": "QID1", "Q2": "QID2", "tag": "QID3_1", "Q4": "QID4_TEXT"}
    rows = ["R_1,g,\"app,shop, online\",p3,01/02/2026", "R_2,<b>Middle</b>,none,p1,", "R_3,Awful,,p2,"]  # fmt: skip
    survey, frame = read(tmp_path, document(QUESTIONS), export(columns, rows))
    assert frame[["Q2_10", "Q2_20", "Q2_-1"]][:2].to_numpy().tolist() == [[1, 1, 0], [0, 0, 1]]
    assert isinstance(survey["Q4"], sat.Text) and any("not written as" in n for n in survey.notes)
    survey.check(frame).raise_for_errors()
    assert survey.prepare(frame)["Q1"].tolist() == [1, 2, 3]
    columns = {
        "Q2_a": '{"ImportId": "QID2", "choiceId": "1"}',
        "Q2_b": '{"ImportId": "QID2", "choiceId": "2"}',
    }
    survey, frame = read(tmp_path, document(QUESTIONS), export(columns, ["app,", ",1", "0,1"]))
    assert frame[["Q2_10", "Q2_20", "Q2_-1"]].to_numpy().tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0]]


def test_old_exports_without_a_questionnaire(tmp_path: Path):
    (tmp_path / "s.csv").write_text(
        export({"ResponseID": "responseId", "Q1": "QID1"}, ["R_1,3", "R_2,4"], "old")
    )
    survey, frame = sat.read_survey(tmp_path / "s.csv")
    assert survey.respondent == "ResponseID" and survey.scale("Q1") == sat.Scale(1, 5) and len(frame) == 2
    columns = {"ResponseId": "_recordId", "Q2_1": "QID2_1", "Q2_2": "QID2_2"}
    given = export(columns, ["R_1,1,", "R_2,,1", "R_3,,", "R_4,1,1"]).replace(
        "text,text\n", "Use? - App,Use? - Shop\n"
    )
    (tmp_path / "m.csv").write_text(given)
    survey, frame = sat.read_survey(tmp_path / "m.csv")
    assert survey["Q2"] == sat.MultiChoice("Q2", {1: "App", 2: "Shop"}, "Use?")
    assert frame[["Q2_1", "Q2_2"]].fillna(-1).to_numpy().tolist() == [[1, 0], [0, 1], [-1, -1], [1, 1]]
    # before import ids: V1, V2, ... with their names in the second row, and a comma too many
    legacy = "V1,V2,V3,Q1,Q5,\nResponseID,IPAddress,Finished,Feel?,Why?,\nR_1,1.2.3.4,1,3,so,\nR_2,1.2.3.5,1,2,no,\n"
    (tmp_path / "v.csv").write_text(legacy)
    survey, frame = sat.read_survey(tmp_path / "v.csv")
    assert survey.respondent == "ResponseID" and list(frame.columns) == ["ResponseID", "Finished", "Q1", "Q5"]
    assert survey["Q1"].text == "Feel?" and frame["Q1"].tolist() == [3, 2]
    (tmp_path / "v.qsf").write_text(json.dumps(document(QUESTIONS)), encoding="utf-8")
    survey, frame = sat.read_survey(tmp_path / "v.csv", tmp_path / "v.qsf")
    assert survey["Q1"] == sat.Choice("Q1", {1: "Great", 2: "Middle", 3: "Awful"}, "Feel?")
    survey.check(frame).raise_for_errors()


def test_codes_that_are_no_numbers_stay_texts(tmp_path: Path):
    given = question(
        1, "t", "MC", "SAVR", Choices=choices("a", "b", "c"), RecodeValues={"1": "1", "2": "10", "3": "-"}
    )
    survey, frame = read(
        tmp_path, document([given]), export({"ResponseId": "_recordId", "Q1": "QID1"}, ["R_1,1", "R_2,10"])
    )
    assert frame["Q1"].tolist() == ["1", "10"]
    survey.check(frame).raise_for_errors()


AGREE = sat.Scale(1, 5, ["never", "rarely", "sometimes", "often", "always"])


def test_written_questionnaires_come_back(tmp_path: Path):
    survey = sat.Survey(
        "shop",
        [
            sat.Recommend("nps", {"en": "Recommend?", "zh": "推荐吗？"}),
            sat.Rating("q1", AGREE, text="How <b>often</b> & why?", required=True),
            sat.Rating("q2", AGREE, text={"en": "Again?", "zh": "再来？"}, required=True),
            sat.Rating(
                "q3", sat.Scale(0, 6, {0: {"en": "bad", "de": "schlecht"}}), missing_codes={99: "don't know"}
            ),
            sat.Choice(
                "region", {1: "north", 2: {"en": "south", "zh": "南"}, 4: "west"}, missing_codes={-1: "none"}
            ),
            sat.MultiChoice("used", {1: "app", 5: "shop"}),
            sat.Number("age", 18, 99, integer=True),
            sat.Number("spend"),
            sat.Date("day", text="When?"),
            sat.Text("why"),
        ],
    )
    sat.write_survey(survey, tmp_path / "shop.qsf")
    again, _ = sat.read_survey(tmp_path / "shop.qsf")
    assert again.items == survey.items
    document = json.loads((tmp_path / "shop.qsf").read_text(encoding="utf-8"))
    questions = [e["Payload"] for e in document["SurveyElements"] if e["Element"] == "SQ"]
    assert [q["QuestionType"] for q in questions] == [
        "MC",
        "Matrix",
        "Matrix",
        "MC",
        "MC",
        "TE",
        "TE",
        "TE",
        "TE",
    ]
    assert questions[1]["ChoiceDataExportTags"] == {"1": "q1", "2": "q2"}
    assert questions[1]["Choices"]["1"]["Display"] == "How &lt;b&gt;often&lt;/b&gt; &amp; why?"
    assert document["SurveyElements"][3]["SecondaryAttribute"] == str(len(questions))


def test_what_a_qsf_file_has_no_place_for(tmp_path: Path):
    survey = sat.Survey(
        "shop",
        [
            sat.Effort("ces", sat.Scale(1, 7), reverse=True),
            sat.Gap("g", "expected", "perceived"),
            sat.KanoPair("ship", "with", "without"),
            sat.Choice("plan", ["basic", "plus"]),
        ],
        missing_codes={99: "don't know"},
    )
    sat.write_survey(survey, tmp_path / "shop.qsf")
    again, _ = sat.read_survey(tmp_path / "shop.qsf")
    assert [type(i).__name__ for i in again.items] == ["Rating"] * 5 + ["Choice"]
    assert [c for i in again.items for c in i.columns] == [
        "ces",
        "expected",
        "perceived",
        "with",
        "without",
        "plan",
    ]
    assert again["ces"].missing_codes == {99: "don't know"} and again.scale("with") == survey.scale("with")
    frame = pd.DataFrame({"plan": ["basic", "plus"]})
    assert again.prepare(frame.assign(ces=1, expected=1, perceived=2, **{"with": 1, "without": 5}))[
        "plan"
    ].tolist() == [1, 2]


@pytest.mark.parametrize(
    "content",
    [
        {"SurveyElements": [{"Element": "SQ", "Payload": None}, 3, None]},
        {"SurveyElements": [{"Element": "SQ", "Payload": {"QuestionType": "MC", "Choices": "x"}}]},
        {
            "SurveyElements": [
                {"Element": "SQ", "Payload": {"QuestionType": "Matrix", "Choices": {"1": 2}, "Answers": 3}}
            ]
        },
        {
            "SurveyElements": [
                {"Element": "SQ", "Payload": {"QuestionType": "SBS", "AdditionalQuestions": [1]}}
            ]
        },
        {
            "SurveyElements": [
                {"Element": "BL", "Payload": {"1": 2}},
                {"Element": "FL", "Payload": {"Flow": 1}},
            ]
        },
    ],
)
def test_broken_questionnaires_are_refused(tmp_path: Path, content: Any):
    with pytest.raises(sat.ArgumentError, match="no question"):
        read(tmp_path, content)


def test_endless_flows_are_refused(tmp_path: Path):
    flow = [{"Type": "Block", "ID": f"BL_{i}"} for i in range(20_001)]
    with pytest.raises(sat.ArgumentError, match="more than 20,000"):
        read(tmp_path, document([question(1, "t", "TE", "SL")], flow=flow))
