"""What a survey knows and a format does not is kept in the file; what was edited there wins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import satmodels as sat

FIVE = sat.Scale(1, 5, {1: {"en": "bad", "zh": "差"}, 5: {"en": "good", "zh": "好"}})
SURVEY = sat.Survey(
    "服务 2026",
    [
        sat.Recommend("nps", {"en": "Recommend?", "zh": "推荐吗？"}, touchpoint="shop", stage="after"),
        sat.Rating(
            "q1", FIVE, {"en": "Staff?", "zh": "员工？"}, construct="Quality", importance="q1_matters"
        ),
        sat.Rating("q2", FIVE, construct="Quality", reverse=True, required=True, importance=0.5),
        sat.Effort("ces", sat.Scale(1, 7), reverse=True, channel="phone"),
        sat.KanoPair("delivery", "with_it", "without_it", "how_much", text="Delivery  to the door"),
        sat.Gap("speed", "expected", "perceived", "responsiveness", reverse=True),
        sat.Choice("region", {1: "north", 2: {"en": "south", "zh": "南"}}, missing_codes={-1: "none"}),
        sat.Choice("plan", ["basic", "plus"], dimension="value"),
        sat.MultiChoice("used", ["app", "shop"]),
        sat.Number("spend", 0.0, 1e6),
        sat.Date("day"),
        sat.Text("why", max_length=500),
    ],
    respondent="id",
    date="day",
    weight="w",
    segments=["region"],
    missing_codes={99: {"en": "don't know", "zh": "不知道"}},
    version="3",
    notes=["made by hand"],
)
FRAME = pd.DataFrame(
    {
        "id": [1.0, 2, 3],
        "w": [1.0, 0.5, 2],
        "nps": [9.0, 99, 3],
        **{c: [1.0, 5, 3] for c in ("q1", "q1_matters", "q2", "with_it", "without_it")},
        **{c: [1.0, 7, 4] for c in ("ces", "how_much", "expected", "perceived")},
        "region": [1.0, 2, -1],
        "plan": ["basic", "plus", "plus"],
        "used_app": [1.0, 0, 0],
        "used_shop": [0.0, 0, 1],
        "spend": [10.5, 0, 3],
        "day": ["2026-01-01", "2026-01-02", "2026-01-03"],
        "why": ["", "好", "x"],
        "extra": [1.0, 2, 3],
    }
)


def test_nothing_is_lost_in_surveyjs(tmp_path: Path):
    path = tmp_path / "renamed.json"
    sat.write_survey(SURVEY, path)
    read, _ = sat.read_survey(path)
    assert read == SURVEY and read.hash == SURVEY.hash
    # as JavaScript writes it again: numbers without a fraction, other blanks
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")), indent=None), encoding="utf-8")
    assert sat.read_survey(path)[0].hash == SURVEY.hash


@pytest.mark.parametrize("columns", [list(FRAME), ["id", "q1", "extra"], list(FRAME)[::-1]])
def test_nothing_is_lost_in_spss(tmp_path: Path, columns: list[str]):
    pytest.importorskip("pyreadstat")
    path = tmp_path / "renamed.sav"
    before = FRAME[columns].copy()
    sat.write_survey(SURVEY, path, FRAME[columns])
    read, frame = sat.read_survey(path)
    assert read == SURVEY and read.hash == SURVEY.hash
    assert list(frame.columns) == columns
    pd.testing.assert_frame_equal(FRAME[columns], before)
    if "nps" in columns:
        read.check(frame).raise_for_errors()


def edited(tmp_path: Path, change: Any) -> sat.Survey:
    sat.write_survey(SURVEY, tmp_path / "s.json")
    document = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    questions = document["pages"][0]["elements"]
    change({q["name"]: q for q in questions}, questions)
    (tmp_path / "s.json").write_text(json.dumps(document), encoding="utf-8")
    return sat.read_survey(tmp_path / "s.json")[0]


def test_texts_and_labels_edited_in_surveyjs_win(tmp_path: Path):
    def change(by_name: dict[str, Any], _: Any) -> None:
        by_name["q1"]["title"] = {"default": "Our staff?", "zh": "员工？"}
        by_name["q2"]["rateValues"][0]["text"] = "awful"
        by_name["q2"]["isRequired"] = False
        by_name["region"]["choices"].append({"value": 3, "text": "west"})
        by_name["spend"]["max"] = 50
        for name in ("expected", "perceived"):
            by_name[name]["rateMax"] = 9

    read = edited(tmp_path, change)
    found: Any = {i.name: i for i in read.items}
    known: Any = {i.name: i for i in SURVEY.items}
    assert found["q1"] == known["q1"].model_copy(update={"text": {"en": "Our staff?", "zh": "员工？"}})
    assert found["q2"].construct == "Quality" and found["q2"].reverse and not found["q2"].required
    assert found["q2"].scale.label(1) == "awful" and found["q2"].scale.label(5, "zh") == "好"
    assert found["region"].options == {**known["region"].options, 3: "west"}
    assert found["region"].missing_codes == {-1: "none"}
    assert (found["spend"].low, found["spend"].high) == (0, 50)
    assert found["speed"] == known["speed"].model_copy(update={"scale": sat.Scale(1, 9)})
    assert read.notes[0] == "made by hand" and "q1: as edited in the file" in read.notes
    for same in ("nps", "ces", "delivery", "plan", "used", "day", "why"):
        assert found[same] == known[same]
    assert read.respondent == "id" and read.missing_codes == SURVEY.missing_codes


def test_questions_taken_out_put_in_moved_and_turned_into_others(tmp_path: Path):
    def change(by_name: dict[str, Any], questions: list[Any]) -> None:
        questions.remove(by_name["without_it"])
        questions.remove(by_name["ces"])
        questions.insert(0, {"type": "comment", "name": "hello"})
        questions.append(questions.pop(questions.index(by_name["q2"])))
        by_name["perceived"]["rateMax"] = 9
        by_name["q1"]["type"] = "comment"
        by_name["nps"] |= {"rateMin": 1, "rateMax": 5}

    read = edited(tmp_path, change)
    assert [i.name for i in read.items] == [
        *("hello", "nps", "q1", "q1_matters", "with_it", "how_much", "expected", "perceived"),
        *("region", "plan", "used", "spend", "day", "why", "q2"),
    ]
    assert read["q2"] == SURVEY["q2"]
    nps: Any = read["nps"]
    assert type(nps).__name__ == "Rating" and nps.touchpoint == "shop" and nps.stage == "after"
    assert isinstance(read["q1"], sat.Text) and read["q1"].construct == "Quality"
    assert read.scale("perceived").high == 9 and read.scale("expected").high == 7
    notes = " | ".join(read.notes)
    for said in ("ces: no longer in the file", "hello: new in the file", "lacks ['without_it']"):
        assert said in notes


def test_labels_edited_in_spss_win(tmp_path: Path):
    pyreadstat = pytest.importorskip("pyreadstat")
    path = tmp_path / "s.sav"
    sat.write_survey(SURVEY, path, FRAME)
    frame, meta = pyreadstat.read_sav(str(path), user_missing=True)
    labels = {**meta.column_names_to_labels, "q1": "Our staff?"}
    values = {c: dict(v) for c, v in meta.variable_value_labels.items()}
    values["q2"][1.0] = "awful"
    values["region"][2.0] = "south-west"
    values["new"] = {1.0: "no", 2.0: "yes"}
    missing = {c: [m["lo"] for m in ranges] for c, ranges in meta.missing_ranges.items()}
    missing["spend"] = [-9.0]
    frame = frame.drop(columns=["plan"]).assign(new=[1.0, 2.0, 1.0])
    kwargs: dict[str, Any] = {
        "variable_measure": {**meta.variable_measure, "new": "nominal"},
        "note": meta.notes,
    }
    pyreadstat.write_sav(
        frame, str(path), column_labels=labels, variable_value_labels=values, missing_ranges=missing, **kwargs
    )
    read, _ = sat.read_survey(path)
    q1, q2, region, new = (read[n] for n in ("q1", "q2", "region", "new"))
    assert (
        q1.text == {"en": "Our staff?", "zh": "员工？"} and q1.construct == "Quality"
    )  # other languages stay
    assert q1.scale == FIVE and q1.importance == "q1_matters"  # type: ignore[attr-defined]
    assert q2.scale.label(1) == "awful" and q2.reverse  # type: ignore[attr-defined]
    assert q2.scale.label(1, "zh") == "差"  # type: ignore[attr-defined]
    assert region.options[2] == {"en": "south-west", "zh": "南"}  # type: ignore[attr-defined]
    assert new.options == {1: "no", 2: "yes"}  # type: ignore[attr-defined]
    assert read["spend"].missing_codes == {-9: "missing"}
    assert [i.name for i in read.items if i.name == "plan"] == []
    for name in ("nps", "ces", "delivery", "speed", "used", "day", "why"):
        assert read[name] == SURVEY[name]


def test_what_files_keep_is_not_trusted(tmp_path: Path):
    path = tmp_path / "s.json"
    survey = SURVEY.model_copy(update={"notes": ["</script><b>&"]})
    sat.write_survey(survey, path)
    assert sat.read_survey(path)[0] == survey
    document = json.loads(path.read_text(encoding="utf-8"))
    elements = document["pages"][0]["elements"]
    hidden = elements.pop()
    assert (hidden["type"], hidden["name"], hidden["visible"]) == ("html", "satmodels", False)
    kept = hidden["html"]
    assert not any(sign in kept for sign in "<>&")  # shown by mistake, it is text
    deep = "[" * 100 + "]" * 100
    long = "x" * (16 * 1024**2 + 1)
    for broken in (3, None, {}, "", "{}", kept[:-1], kept.replace("Quality", "Quantity"), deep, long):
        document["pages"][0]["elements"] = [*elements, {**hidden, "html": broken}]
        path.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(sat.ArgumentError, match="satmodels"):
            sat.read_survey(path)
    document["pages"][0]["elements"] = elements
    path.write_text(json.dumps(document), encoding="utf-8")
    assert sat.read_survey(path)[0]["q1"].construct is None


def test_notes_of_spss_files_are_not_trusted(tmp_path: Path):
    pyreadstat = pytest.importorskip("pyreadstat")
    path = tmp_path / "s.sav"
    sat.write_survey(SURVEY, path, FRAME)
    frame, meta = pyreadstat.read_sav(str(path))
    assert all(len(note.encode()) <= 80 and note.isascii() for note in meta.notes)
    first, *body, last = meta.notes
    for notes in (
        [first, last],
        [first, *body[:-1], last],
        [first, "[1]", last],
        [first, '{"columns":[1]}', last],
    ):
        pyreadstat.write_sav(frame, str(path), note=notes)
        with pytest.raises(sat.ArgumentError):
            sat.read_survey(path)
    # notes of others, before and behind ours, do no harm; half of ours is no survey
    for notes, kept in ((["hello", *meta.notes, "bye"], True), ([first, *body], False)):
        pyreadstat.write_sav(frame, str(path), note=notes)
        assert (sat.read_survey(path)[0].version == "3") is kept


def test_names_that_spss_refuses(tmp_path: Path):
    pytest.importorskip("pyreadstat")
    survey = sat.Survey("s", [sat.Rating("a b", FIVE)])
    with pytest.raises(sat.ArgumentError, match="space"):
        sat.write_survey(survey, tmp_path / "s.sav", pd.DataFrame({"a b": [1, 2]}))
    (tmp_path / "x.sav").write_bytes(b"no SPSS")
    with pytest.raises(sat.ArgumentError, match="no SPSS file"):
        sat.read_survey(tmp_path / "x.sav")
