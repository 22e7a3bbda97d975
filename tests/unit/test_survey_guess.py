"""What a newcomer's frame is taken for, and what the notes say about it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.survey.ordered import complete, order_of

N = 120
EN = [
    "Very dissatisfied",
    "Dissatisfied",
    "Neither satisfied nor dissatisfied",
    "Satisfied",
    "Very satisfied",
]
ZH = ["非常不满意", "不满意", "一般", "满意", "非常满意"]


SCALES = """
Extremely dissatisfied|Somewhat dissatisfied|Neither satisfied nor dissatisfied|Somewhat satisfied|Extremely satisfied
Strongly disagree|Disagree|Somewhat disagree|Neither agree nor disagree|Somewhat agree|Agree|Strongly agree
Definitely not|Probably not|Might or might not|Probably yes|Definitely yes
None at all|A little|A moderate amount|A lot|A great deal
Much worse|Somewhat worse|About the same|Somewhat better|Much better
Not at all likely|Slightly likely|Moderately likely|Very likely|Extremely likely
Extremely bad|Somewhat bad|Neither good nor bad|Somewhat good|Extremely good
Very difficult|Difficult|Neutral|Easy|Very easy
Never|Sometimes|About half the time|Most of the time|Always
Completely dissatisfied|Mostly dissatisfied|Neither|Mostly satisfied|Completely satisfied
Far short of expectations|Short of expectations|Equals expectations|Exceeds expectations|Far exceeds expectations
很不满意|不太满意|一般|比较满意|非常满意
完全不同意|不同意|中立|同意|完全同意
从不|很少|有时|经常|总是
"""


def of(*values: Any, dtype: Any = None) -> pd.Series:
    """Repeat values over a column."""
    return pd.Series([values[i % len(values)] for i in range(N)], dtype=dtype)


def guessed(columns: dict[str, Any]) -> tuple[sat.Survey, dict[str, str]]:
    """Guess, and hold that the guess fits the answers it was made from."""
    frame = pd.DataFrame(columns)
    before = frame.copy()
    survey = sat.Survey.from_frame(frame)
    pd.testing.assert_frame_equal(frame, before)
    survey.check(frame).raise_for_errors()
    survey.prepare(frame)
    notes = dict(note.split(": ", 1) for note in survey.notes)
    assert list(notes) == list(frame.columns)
    return survey, notes


def test_the_question_behind_the_nps():
    eleven = of(*range(11))
    survey, notes = guessed(
        {"likely to recommend": eleven, "推荐意愿": eleven, "ltr": eleven, "satisfaction": eleven}
    )
    assert [type(i).__name__ for i in survey.items] == ["Recommend"] * 3 + ["Rating"]
    assert survey.scale("satisfaction") == sat.Scale(0, 10)
    assert "by its name" in notes["ltr"]


def test_ratings_and_what_only_looks_like_them():
    survey, notes = guessed(
        {
            "q1": of(1.0, 2, 3, 4, 5, np.nan),
            "q2": of(2, 3, 4),
            "q3": of(1, 2, 3, 4, 5, 6),
            "q4": of(0, 1, 2, 3, 4),
            "q5": of(1, 5, 99, -9),
            "price": of(1, 2, 3, 4, 5),
            "sex": of(1, 2),
            "children": of(0, 1, 2, 3),
            "bags": of(0, 1, 2, 3),
            "n_visits": of(1, 2, 3, 4, 5),
            "年龄": of(18, 30, 64),
            "minutes": of(1, 2, 7),
            "step": of(0, 25, 50, 75, 100),
            "mean": of(1.0, 2.5),
            "seven": of(7),
        }
    )
    scales = {name: (s.low, s.high) for name, s in survey.scales.items()}
    assert scales == {"q1": (1, 5), "q2": (1, 5), "q3": (1, 7), "q4": (0, 4), "q5": (1, 5), "price": (1, 5)}
    assert survey["q5"].missing_codes == {-9: "missing", 99: "missing"}
    assert notes["q2"].endswith("nobody chose 1 or 5") and notes["q3"].endswith("nobody chose 7")
    assert survey["sex"] == sat.Choice("sex", {1: "1", 2: "2"})
    for name in ("children", "bags", "n_visits", "年龄", "minutes", "step", "mean", "seven"):
        assert isinstance(survey[name], sat.Number), name
    assert "counted by its name" in notes["n_visits"] and notes["seven"] == "a whole number, always 7"


def test_labels_with_an_order():
    survey, notes = guessed(
        {
            "en": of(*EN),
            "zh": of(*ZH),
            "agree": of("Strongly agree", "agree", "Undecided", "disagree", "Strongly disagree"),
            "often": of("Always", "Often", "Sometimes", "Rarely", "Never", "Don't know"),
            "matters": of(
                "Not at all important", "Slightly important", "Very important", "Extremely important"
            ),
            "grade": of("excellent", "good", "fair", "poor", "N/A", ""),
            "numbered": of("5 - very good", "1 (bad)", "2", "3", "4"),
            "code": of("1", "2", "5", "99"),
            "part": of(*EN[1:]),
            "years": of("1-2 years", "3-5 years", "6-9 years"),
            "ages": of("18-24", "25-34", "35-44"),
            "plain": of("a", "b", "c"),
        }
    )
    assert survey.scale("en").labels == dict(enumerate(EN, 1)) and survey.scale("zh").labels == dict(
        enumerate(ZH, 1)
    )
    assert survey.scale("agree").label(5) == "Strongly agree" and survey.scale("often").label(1) == "Never"
    assert survey["often"].missing_codes == {"Don't know": "missing"}
    assert survey.scale("matters").size == 4 and survey.scale("numbered").label(1) == "1 (bad)"
    assert survey["grade"].missing_codes == {"N/A": "missing", "": "missing"}
    assert survey.scale("code") == sat.Scale(1, 5, ["1", "2", "3", "4", "5"])
    for name in ("part", "years", "ages", "plain"):
        assert isinstance(survey[name], sat.Choice), name
    assert "part of a scale" in notes["part"]
    assert "from 'Very dissatisfied' to 'Very satisfied'" in notes["en"]


@pytest.mark.parametrize("line", SCALES.split("\n")[1:-1])
def test_scales_are_read_from_their_words(line: str):
    labels = line.split("|")
    assert order_of(labels) == 1 and order_of(labels[::-1]) == -1 and complete(labels)
    assert order_of([labels[1], labels[0], *labels[2:]]) is None  # neither up nor down
    assert not complete(labels[1:])  # nobody chose the first: what it was is not known


@pytest.mark.parametrize(
    "line", ["red|green|blue", "yes|no|maybe", "Daily|Weekly|Never", "north|south|neutral", "a|a|b"]
)
def test_words_without_an_order(line: str):
    assert order_of(line.split("|")) is None and not complete(line.split("|"))


def test_texts_dates_and_mixtures():
    free = [f"text {i}" for i in range(N)]
    survey, notes = guessed(
        {
            "day": pd.date_range("2026-01-01", periods=N),
            "iso": of("2026-01-31", "2026-02-28"),
            "us": of("1/31/2026", "12/1/2026"),
            "cn": of("2026年1月31日"),
            "comment": free,
            "Email": [f"a{i}@example.org" for i in range(N)],
            "few": pd.Series([None] * (N - 2) + ["x", "y"]),
            "none": pd.Series([None] * N),
            "tags": of("a;b", "a", "b;c"),
            "zip": of("01234", "99887"),
            "beside": of(1, 2, 5, "n/a", "don't know", dtype=object),
        }
    )
    kinds = {i.name: type(i).__name__ for i in survey.items}
    assert kinds == {
        **{"day": "Date", "iso": "Date", "us": "Text", "cn": "Text", "comment": "Text", "Email": "Text"},
        **{"few": "Text", "none": "Text", "tags": "Choice", "zip": "Choice", "beside": "Rating"},
    }
    assert "not written as 2026-12-31" in notes["us"] and "parted by" in notes["tags"]
    assert "point at a person" in notes["Email"]
    assert survey["beside"].missing_codes == {"n/a": "missing", "don't know": "missing"}
    clock = pd.DataFrame({"at": [dt.time(10, 30), None], "took": pd.to_timedelta([60, 90], "s"), "q": [1, 5]})
    survey = sat.Survey.from_frame(clock)
    assert [i.name for i in survey.items] == ["q"] and survey.notes[0].startswith("at: left out; times")
    mixed = sat.Survey.from_frame(pd.DataFrame({"x": of(1, "2", 3.5, "y", dtype=object)}))
    assert mixed.notes == ("x: free text, because the answers are of several types: texts and numbers",)


def test_yes_no_and_several_answers():
    survey, _ = guessed(
        {
            "a": of("yes", "no"),
            "b": of(True, False),
            "c": of(0, 1),
            "d": of("是", "否"),
            **{f"q3_{i}": of(0, 1) for i in range(1, 6)},
            **{f"used_{w}": of(1.0, np.nan) for w in ("app", "shop")},
            "is_member": of(0, 1),
            "is_active": of(0, 1),
            "q5_1": of(1, 2, 3, 4, 5),
            "q5_2": of(1, 2, 3, 4, 5),
        }
    )
    assert [i.name for i in survey.items] == [*"abcd", "q3", "used", "is_member", "is_active", "q5_1", "q5_2"]
    assert survey["q3"] == sat.MultiChoice("q3", [1, 2, 3, 4, 5])
    assert survey["used"].columns == ("used_app", "used_shop")


@pytest.mark.parametrize(
    "name", ["id", "ResponseId", "CustomerID", "customer_no", "respondent", "客户编号", "UUID"]
)
def test_respondents_by_their_names(name: str):
    survey, _ = guessed({name: range(N), "q1": of(1, 2, 5)})
    assert survey.respondent == name


@pytest.mark.parametrize("name", ["paid", "valid", "user_rating", "case_hours", "liquid"])
def test_names_that_are_no_respondents(name: str):
    survey, _ = guessed({name: range(N), "q1": of(1, 2, 5)})
    assert survey.respondent is None


def test_ids_that_are_there_twice_and_weights():
    survey, notes = guessed(
        {"customer_id": of(*range(60)), "w": of(0.5, 1.5), "weight_kg": of(60.5, 70.0), "q1": of(1, 5)}
    )
    assert survey.respondent is None and survey.weight == "w"
    assert [i.name for i in survey.items] == ["weight_kg", "q1"]
    assert "there twice" in notes["customer_id"]
