"""Categories that are numbers: answers only where they are ordered and the whole scale, on every engine that has them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import satmodels as sat
from satmodels.intake.answers import AnswerRule
from satmodels.intake.categories import categories_of, with_category_numbers
from satmodels.intake.frames import open_frame

SURVEY = sat.Survey("s", [sat.Rating("q", sat.Scale(1, 3))])
RULE = "the ordered categories are 1..3"
GOOD = {
    "whole": pd.Categorical([1, 3, None], [1, 2, 3], ordered=True),
    "floats": pd.Categorical([1.0, 3.0, None], [1.0, 2.0, 3.0], ordered=True),
}
BAD = {
    "part": pd.Categorical([1, 3, None], [1, 3], ordered=True),
    "unordered": pd.Categorical([1, 3, None], [1, 2, 3]),
    "turned": pd.Categorical([1, 3, None], [3, 2, 1], ordered=True),
    "more": pd.Categorical([1, 3, None], [1, 2, 3, 99], ordered=True),
    "truths": pd.Categorical([True, False, None], [False, True], ordered=True),
}
TEXTS = pd.Categorical(["1", "3", None], ["1", "2", "3"], ordered=True)


def arrow(frame: pd.DataFrame) -> Any:
    """A table whose chunks were made apart, as files are read."""
    parts = [pa.Table.from_pandas(frame[i:j], preserve_index=False) for i, j in ((0, 1), (1, 1), (1, 3))]
    return pa.concat_tables(parts)


def arrow_in_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    column = pa.chunked_array(pa.array(frame["q"]))
    return pd.DataFrame({"q": pd.Series(column, dtype=pd.ArrowDtype(column.type))})


def dask(frame: pd.DataFrame) -> Any:
    return pytest.importorskip("dask.dataframe").from_pandas(frame, npartitions=2)


HOLDERS = [lambda frame: frame, arrow, arrow_in_pandas, dask]
pytestmark = pytest.mark.filterwarnings("ignore:.*narwhals-dask")


def values(frame: Any) -> list[Any]:
    return open_frame(frame).values("q")


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("case", GOOD)
def test_the_whole_ordered_scale_is_accepted(holder, case):
    frame = holder(pd.DataFrame({"q": GOOD[case]}))
    assert SURVEY.check(frame).ok
    assert values(SURVEY.prepare(frame)) == values(SURVEY.prepare(frame, invalid="missing")) == [1, 3, None]
    opened = with_category_numbers(open_frame(frame), {"q": AnswerRule(1, 3)})
    assert opened.values("q") == [1, 3, None] and opened.dtype("q").is_numeric()
    assert open_frame(frame).dtype("q") != opened.dtype("q")  # what came in is as it was


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("case", BAD)
def test_anything_else_is_refused_with_its_rows(holder, case):
    frame = holder(pd.DataFrame({"q": BAD[case]}))
    (violation,) = SURVEY.check(frame).violations
    assert (violation.rule, violation.n_bad) == (RULE, 2)
    with pytest.raises(sat.SchemaError, match="whole scale"):
        SURVEY.prepare(frame)
    assert values(SURVEY.prepare(frame, invalid="missing")) == [None] * 3
    with pytest.raises(sat.SchemaError, match="whole scale") as caught:
        with_category_numbers(open_frame(frame), {"q": AnswerRule(1, 3)})
    assert (caught.value.rule, caught.value.n_bad, caught.value.value) == (RULE, 2, BAD[case][0])
    assert caught.value.row == (None if holder is dask else 0)


@pytest.mark.parametrize("holder", HOLDERS)
def test_texts_are_texts_and_gaps_are_gaps(holder):
    texts = holder(pd.DataFrame({"q": TEXTS}))
    assert [(v.rule, v.n_bad) for v in SURVEY.check(texts).violations] == [("numeric", 2)]
    assert with_category_numbers(open_frame(texts), {"q": AnswerRule(1, 3)}).values("q") == ["1", "3", None]
    for categories in ([], [1, 2]):
        gaps = holder(pd.DataFrame({"q": pd.Categorical([None] * 3, categories)}))
        assert SURVEY.check(gaps).ok
        assert with_category_numbers(open_frame(gaps), {"q": AnswerRule(1, 3)}).values("q") == [None] * 3


@pytest.mark.parametrize("holder", HOLDERS)
def test_codes_for_missing_answers_may_stand_beside_the_scale(holder):
    frame = holder(pd.DataFrame({"q": pd.Categorical([1, 99, None], [1, 2, 3, 99], ordered=True)}))
    survey = SURVEY.model_copy(update={"missing_codes": {99: "don't know"}})
    assert survey.check(frame).ok and values(survey.prepare(frame)) == [1, None, None]
    steps = {(r["step"], r["code"]): r["n"] for r in survey.preparation(frame).steps.rows()}
    assert steps == {("missing code", "99"): 1}
    opened = with_category_numbers(open_frame(frame), {"q": AnswerRule(1, 3, (99.0,))})
    assert opened.values("q") == [1, 99, None]


def test_what_is_no_scale_is_read_by_its_values():
    survey = sat.Survey("s", [sat.Choice("q", {1: "one", 2: "two"})])
    frame = pd.DataFrame({"q": pd.Categorical([1, 3, None], [1, 3])})
    for data in (frame, arrow(frame)):
        assert [(v.rule, v.n_bad) for v in survey.check(data).violations] == [("options", 1)]
    assert sat.Survey("s", [sat.Number("q", 0, 200)]).check(frame).ok
    mixed = pd.DataFrame({"q": pd.Categorical([1, "a", None], [1, "a"])})
    assert [(v.rule, v.n_bad) for v in SURVEY.check(mixed).violations] == [(RULE, 2)]
    assert categories_of(open_frame(mixed), "q") is not None
