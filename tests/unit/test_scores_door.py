"""Scores of several items read answers by the rules of the scores of one: texts, codes, what is off the scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

TEN = sat.Scale(1, 10)
CODES = {99: "don't know", 98: "refused"}
# each takes (data, **options) and reads the columns a and b
SCORES = {
    "csi": lambda data, **more: sat.csi(data, ["a", "b"], scale=TEN, missing_codes=CODES, **more),
    "servqual": lambda data, **more: sat.servqual(
        data, {"x": [("a", "b")]}, scale=TEN, missing_codes=CODES, **more
    ),
    "servperf": lambda data, **more: sat.servperf(
        data, {"x": ["a"], "y": ["b"]}, scale=TEN, missing_codes=CODES, **more
    ),
    "disconfirmation": lambda data, **more: sat.disconfirmation(
        data, "a", "b", scale=TEN, missing_codes=CODES, **more
    ),
    "tolerance": lambda data, **more: sat.zone_of_tolerance(
        data.assign(c=7) if isinstance(data, pd.DataFrame) else data,
        {"x": [("a", "c", "b")]},
        scale=TEN,
        missing_codes=CODES,
        **more,
    ),
}
scores = pytest.mark.parametrize("score", [s for s in SCORES if s != "tolerance"])


def first(result: Any) -> float:
    return float(next(iter(result._tidy()["estimate"])))


@scores
def test_what_is_left_out_is_counted(engine: Any, score: str) -> None:
    frame = pd.DataFrame({"a": [1, 5, 9, 99, 3, 11], "b": [2.0, 4, np.nan, 6, 98, 3]})
    found = SCORES[score](engine(frame), on_invalid="exclude")
    kept = SCORES[score](frame.iloc[:2])
    assert found.n_invalid == 1
    assert found.missing_by_code == {"don't know": 1, "refused": 1}
    if score != "servperf":  # each dimension has its own respondents there
        assert first(found) == pytest.approx(first(kept))


@scores
@pytest.mark.parametrize("on_invalid", ["error", "exclude"])
def test_infinity_is_no_answer_on_any_engine(engine: Any, score: str, on_invalid: str) -> None:
    frame = pd.DataFrame({"a": [1, np.inf, 9, 99, -np.inf, 11], "b": [2.0, 4, 5, 6, 98, 3]})
    with pytest.raises(sat.SchemaError) as caught:
        SCORES[score](engine(frame), on_invalid=on_invalid)
    assert (caught.value.column, caught.value.rule, caught.value.n_bad) == ("a", "finite", 2)


@scores
def test_texts_are_read_when_told(engine: Any, score: str) -> None:
    texts = pd.DataFrame({"a": ["1", " 5 ", "+9", "99", "", "7"], "b": ["2", "4", None, "6", "98", "3"]})
    numbers = pd.DataFrame({"a": [1, 5, 9, 99, np.nan, 7], "b": [2, 4, np.nan, 6, 98, 3]})
    with pytest.raises(sat.SchemaError) as caught:
        SCORES[score](engine(texts))
    assert caught.value.rule == "numeric"
    found = SCORES[score](engine(texts), coerce=True)
    assert first(found) == pytest.approx(first(SCORES[score](numbers)))
    assert found.missing_by_code == {"don't know": 1, "refused": 1}
    with pytest.raises(sat.SchemaError, match="a whole number"):
        SCORES[score](engine(texts.assign(a=["1", "1_0", "9.0", "3", "4", "5"])), coerce=True)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"on_invalid": "drop"}, "on_invalid"),
        ({"design": "region"}, "takes Design or None"),
        ({"design": sat.Design(strata="shp")}, "column of the design"),
        ({"by": "shop", "design": sat.Design(strata="shop")}, "both in by= and in design="),
    ],
)
def test_wrong_options(score: str, more: dict[str, Any], said: str) -> None:
    frame = pd.DataFrame({"a": [1, 5, 9, 4], "b": [2, 4, 5, 6], "shop": [1, 1, 2, 2]})
    with pytest.raises(sat.ArgumentError, match=said):
        SCORES[score](frame, **more)


def test_missing_codes_are_numbers() -> None:
    frame = pd.DataFrame({"a": [1, 5], "b": [2, 4]})
    with pytest.raises(sat.ArgumentError, match="'dk' is no number"):
        sat.csi(frame, ["a", "b"], scale=TEN, missing_codes=["dk"])  # type: ignore[list-item]


def test_tolerance_counts_too() -> None:
    frame = pd.DataFrame({"a": [1, 5, 11], "b": [2, 99, 5]})
    found = SCORES["tolerance"](frame, on_invalid="exclude")
    assert (found.n_invalid, found.missing_by_code) == (1, {"don't know": 1, "refused": 0})


def test_disconfirmation_under_a_design() -> None:
    """The mean gap of a design is that of the same gap as one column (tested against R's survey)."""
    rng = np.random.default_rng(3)
    n = 400
    frame = pd.DataFrame(
        {
            "a": rng.integers(1, 11, n),
            "b": rng.integers(1, 11, n),
            "shop": rng.integers(0, 20, n),
            "w": rng.uniform(0.5, 2, n),
        }
    )
    design = sat.Design(cluster="shop")
    found = sat.disconfirmation(frame, "a", "b", scale=TEN, weight="w", design=design, by=())
    gap = frame.assign(gap=frame["b"] - frame["a"])
    same = sat.mean_score(gap, "gap", scale=(-9, 9), weight="w", design=design)
    assert found.std_error == pytest.approx(same.std_error, rel=1e-12)
    weights = [f"r{i}" for i in range(20)]
    for i, name in enumerate(weights):
        frame[name] = frame["w"] * np.where(frame["shop"] == i, 0, 20 / 19)
    replicated = sat.Design(replicate_weights=tuple(weights), replicate_scale="jk1")
    jackknife = sat.disconfirmation(frame, "a", "b", scale=TEN, weight="w", design=replicated)
    gap = frame.assign(gap=frame["b"] - frame["a"])
    same = sat.mean_score(gap, "gap", scale=(-9, 9), weight="w", design=replicated)
    assert jackknife.std_error == pytest.approx(same.std_error, rel=1e-12)


@scores
def test_whole_numbers_that_a_float_does_not_hold(engine: Any, score: str) -> None:
    frame = pd.DataFrame({"a": [1, 2**62, 5], "b": [2, 4, 5]})
    with pytest.raises(sat.SchemaError) as caught:
        SCORES[score](engine(frame))
    assert (caught.value.column, caught.value.n_bad, caught.value.value) == ("a", 1, 2**62)
    assert SCORES[score](engine(frame), on_invalid="exclude").n_invalid == 1


def ordered(values: list[int], categories: Any) -> pd.Categorical:
    return pd.Categorical(values, categories=categories, ordered=True)


@scores
def test_ordered_categories_are_answers_if_they_are_the_scale(score: str) -> None:
    frame = pd.DataFrame({"a": [1, 5, 9, 4], "b": [2, 4, 5, 6]})
    whole = frame.assign(a=ordered([1, 5, 9, 4], range(1, 11)))
    assert first(SCORES[score](whole)) == pytest.approx(first(SCORES[score](frame)))
    with pytest.raises(sat.SchemaError, match="ordered categories"):
        SCORES[score](frame.assign(a=ordered([1, 5, 9, 4], [1, 4, 5, 9])))
    with pytest.raises(sat.SchemaError, match="categories"):
        SCORES[score](frame.assign(a=pd.Categorical(["1", "5", "9", "4"])))
