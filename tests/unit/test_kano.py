"""Kano's analysis: tables, rules, coefficients, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.kano_model.rules import classify
from satmodels.kano_model.tables import CATEGORIES, TABLES

# a pair of answers that has the category in the standard and in Pouliot's table
PAIR_OF = {"A": (1, 3), "O": (1, 5), "M": (3, 5), "I": (3, 3), "R": (5, 2), "Q": (5, 5)}
# counts A O M I R Q of six features answered by 358 respondents, with class (Blauth), better and worse
# as published with the REPPL study of transfers (Pouliot's table), 7 digits
PUBLISHED = {
    "F6": ((91, 19, 9, 160, 49, 30), "I", 0.3942652, -0.1003584),
    "F7": ((70, 121, 59, 77, 9, 22), "O", 0.5840979, -0.5504587),
    "F8": ((78, 122, 66, 62, 7, 23), "O", 0.6097561, -0.5731707),
    "F9": ((145, 76, 25, 78, 12, 22), "A", 0.6820988, -0.3117284),
    "F10": ((18, 174, 90, 42, 7, 27), "O", 0.5925926, -0.8148148),
    "F11": ((88, 90, 32, 105, 15, 28), "O", 0.5650794, -0.3873016),
}
# left and right side of Fong's test, computed by hand for the same counts
FONG = {"F6": (69, 21.066), "F7": (44, 19.748), "F10": (84, 21.301), "F11": (15, 19.655)}


def answers_of(counts: tuple[int, ...]) -> list[tuple[int, int]]:
    return [PAIR_OF[c] for c, n in zip(CATEGORIES, counts, strict=True) for _ in range(n)]


@pytest.fixture(scope="module")
def study() -> tuple[pd.DataFrame, dict[str, tuple[str, str]]]:
    columns: dict[str, list[int]] = {}
    for feature, (counts, *_) in PUBLISHED.items():
        functional, dysfunctional = zip(*answers_of(counts), strict=True)
        columns[f"{feature} with"], columns[f"{feature} without"] = list(functional), list(dysfunctional)
    return pd.DataFrame(columns), {f: (f"{f} with", f"{f} without") for f in PUBLISHED}


def test_published_classes_and_coefficients_on_every_engine(study, engine):
    frame, pairs = study
    found = sat.kano(engine(frame), pairs, table="pouliot", rule="blauth")
    rows = list(found.estimates.rows())
    assert [r["feature"] for r in rows] == list(PUBLISHED)
    for row in rows:
        counts, category, better, worse = PUBLISHED[row["feature"]]
        assert tuple(row[c] for c in CATEGORIES) == counts
        assert row["category"] == category
        assert row["better"] == pytest.approx(better, abs=5e-8)
        assert row["worse"] == pytest.approx(worse, abs=5e-8)
        assert row["total_strength"] == pytest.approx(sum(counts[:3]) / 358, abs=1e-12)
        assert row["n"] == 358
        if row["feature"] in FONG:
            left, right = FONG[row["feature"]]
            assert row["significant"] is (left >= right)


def test_columns_of_tidy_are_the_contract(study):
    frame, pairs = study
    frame = frame.assign(region=np.where(np.arange(len(frame)) % 2, "north", None))
    found = sat.kano(frame, pairs, by="region")
    assert list(found.tidy().columns) == [
        *("region", "feature", "A", "O", "M", "I", "R", "Q", "category", "runner_up", "tie", "significant"),
        *("better", "better_low", "better_high", "worse", "worse_low", "worse_high"),
        *("total_strength", "category_strength", "n", "n_missing"),
    ]
    assert found.tidy()["n"].sum() == 6 * 358  # the missing region is a group


def test_the_sides_of_fongs_test(study):
    frame, pairs = study
    rows = {r["feature"]: r for r in sat.kano(frame, pairs, table="pouliot").tests().estimates.rows()}
    for feature, (left, right) in FONG.items():
        assert rows[feature]["difference"] == pytest.approx(left)
        assert rows[feature]["critical"] == pytest.approx(right, abs=1e-3)
    counts = np.array(PUBLISHED["F6"][0])
    assert rows["F6"]["chisq"] == pytest.approx(((counts - 358 / 6) ** 2 / (358 / 6)).sum())
    assert rows["F6"]["df"] == 5


def test_rules_differ_where_they_should():
    f11 = np.array(PUBLISHED["F11"][0], dtype=float)
    assert classify(f11, "frequency").category == "I"
    assert classify(f11, "blauth").category == "O"
    # 105 and 90 differ by 4.2 % of 358: within the threshold, O comes before I
    assert classify(f11, "hierarchy", 0.06) == classify(f11, "hierarchy", 0.05)
    assert classify(f11, "hierarchy", 0.06).category == "O"
    assert classify(f11, "hierarchy", 0.04).category == "I"


@pytest.mark.parametrize(
    ("counts", "category"),
    [
        ((5, 5, 5, 5, 5, 5), "M"),
        ((5, 5, 0, 5, 0, 0), "O"),
        ((5, 0, 0, 5, 0, 0), "A"),
        ((0, 0, 0, 1, 4, 4), "R"),
    ],
)
def test_exact_ties_follow_the_order_and_are_flagged(counts, category):
    found = classify(np.array(counts, dtype=float), "frequency")
    assert found.category == category
    assert found.tie


def test_blauth_takes_the_other_camp_when_half_do_not_care():
    assert classify(np.array([3.0, 0, 0, 1, 1, 1]), "blauth").category == "I"  # 3 is not more than 3
    assert classify(np.array([4.0, 0, 0, 1, 1, 1]), "blauth").category == "A"


def test_weight_two_is_two_copies_for_estimates_but_not_for_limits(study):
    frame, pairs = study
    twice = sat.kano(pd.concat([frame, frame]), pairs).estimates
    weighted = sat.kano(frame.assign(w=2.0), pairs, weight="w").estimates
    once = sat.kano(frame, pairs).estimates
    for column in ("A", "Q", "category", "better", "worse", "total_strength", "category_strength"):
        assert weighted[column] == twice[column]
    # equal weights carry no more information than no weights
    np.testing.assert_allclose(weighted["better_low"], once["better_low"], rtol=1e-12)
    assert weighted["significant"] == once["significant"]


def test_counts_only_and_merged_counts_give_the_same(study):
    frame, pairs = study
    whole = sat.kano(frame, pairs)
    parts = [sat.PairCounts.collect(part, pairs) for part in (frame[:100], frame[100:])]
    assert sat.kano(parts[0] + parts[1]).estimates == whole.estimates
    assert sat.kano(sat.PairCounts.from_json(parts[0].to_json())).estimates == sat.kano(parts[0]).estimates


def test_pairs_of_items_and_labels_in_any_language():
    words = ["喜欢", "理所当然", "无所谓", "能忍受", "不喜欢"]
    frame = pd.DataFrame({"有": ["喜欢", "喜欢", "无所谓"], "没有": ["不喜欢", "能忍受", None]})
    item = sat.KanoPair("网站", "有", "没有", scale=sat.Scale(1, 5, words))
    found = sat.kano(frame, [item])
    assert found.estimates["O"] == (1,) and found.estimates["A"] == (1,)
    assert found.estimates["n_missing"] == (1,)
    assert sat.kano(frame, {"网站": ("有", "没有")}, labels=words).estimates == found.estimates
    with pytest.raises(sat.SchemaError, match="喜歡") as caught:
        sat.kano(frame.replace("喜欢", "喜歡"), [item])
    assert caught.value.column == "有" and caught.value.row == 0 and caught.value.n_bad == 2


@pytest.mark.parametrize("bad", [0, 6, 2.5])
def test_codes_off_the_scale_are_refused(engine, bad):
    frame = engine(pd.DataFrame({"f": [1.0, bad, 3.0], "d": [5.0, 5.0, 5.0]}))
    with pytest.raises(sat.SchemaError) as caught:
        sat.kano(frame, {"x": ("f", "d")})
    assert (caught.value.column, caught.value.n_bad, caught.value.value) == ("f", 1, bad)


def test_half_answered_pairs_are_left_out_and_counted(engine):
    frame = engine(pd.DataFrame({"f": [1.0, None, 3.0], "d": [5.0, 5.0, None]}))
    found = sat.kano(frame, {"x": ("f", "d")}).estimates
    assert found["n"] == (1,) and found["n_missing"] == (2,)


def test_weights_must_be_weights_and_importance_an_answer(engine):
    frame = pd.DataFrame({"f": [1, 2, 3], "d": [5, 5, 5], "i": [9.0, 1.5, 3.0]})
    for bad in (-1.0, np.nan, np.inf):
        with pytest.raises(sat.SchemaError) as caught:
            sat.kano(engine(frame.assign(w=[1.0, bad, 1.0])), {"x": ("f", "d")}, weight="w")
        assert caught.value.column == "w"
    with pytest.raises(sat.SchemaError) as caught:
        sat.kano(engine(frame), [sat.KanoPair("x", "f", "d", "i")])
    assert caught.value.column == "i" and caught.value.value == 1.5


def test_a_survey_brings_its_pairs():
    frame = pd.DataFrame({"f": [1, 2], "d": [5, 5], "nps": [9, 3]})
    survey = sat.Survey("shop", [sat.KanoPair("x", "f", "d"), sat.Recommend("nps")])
    assert sat.kano(frame, survey).estimates == sat.kano(frame, {"x": ("f", "d")}).estimates


def test_all_questionable_has_a_class_and_no_coefficients():
    frame = pd.DataFrame({"f": [1, 1, 5], "d": [1, 1, 5]})
    found = sat.kano(frame, {"x": ("f", "d")}).estimates
    assert found["category"] == ("Q",)
    assert found["better"] == found["worse"] == found["better_low"] == (None,)


def test_no_and_one_respondent():
    empty = pd.DataFrame({"f": pd.Series(dtype=float), "d": pd.Series(dtype=float)})
    none = sat.kano(empty, {"x": ("f", "d")}).estimates
    assert none["n"] == (0,) and none["category"] == none["better"] == none["significant"] == (None,)
    one = sat.kano(pd.DataFrame({"f": [1], "d": [3]}), {"x": ("f", "d")}).estimates
    assert one["category"] == ("A",) and one["runner_up"] == (None,) and one["better"] == (1.0,)


def test_swapped_columns_are_suspected(study):
    frame, pairs = study
    with pytest.warns(sat.SatmodelsWarning, match="swapped"):
        found = sat.kano(frame, {"F10": pairs["F10"][::-1]})
    assert "F10" in found.problems[0]


def test_duplicates_and_unknown_names_are_refused(study):
    frame, pairs = study
    item = sat.KanoPair("x", "F6 with", "F6 without")
    with pytest.raises(sat.ArgumentError, match="twice"):
        sat.kano(frame, [item, item])
    with pytest.raises(sat.ArgumentError, match="F6 with"):
        sat.kano(frame, {"x": ("F6 wiht", "F6 without")})
    with pytest.raises(sat.ArgumentError, match="pouliot"):
        sat.kano(frame, pairs, table="puliot")
    with pytest.raises(sat.ArgumentError, match="blauth"):
        sat.kano(frame, pairs, rule="blaut")
    with pytest.raises(sat.ArgumentError, match="threshold"):
        sat.kano(frame, pairs, rule="hierarchy", threshold=6)
    with pytest.raises(sat.ArgumentError, match="empty"):
        sat.kano(frame, {})


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (["QAAAO", "RIIIM"], "square"),
        (["AXO", "IIM", "IIM"], "X"),
        (["AAQ", "IIM", "IIM"], "like / dislike"),
        (["AMO", "AIA", "AMM"], "transposed"),
        ("QAAAO", "one text"),
    ],
)
def test_own_tables_are_checked(rows, match):
    with pytest.raises(sat.ArgumentError, match=match):
        sat.KanoTable(rows)


def test_tables_differ_in_two_cells_only():
    standard, pouliot = TABLES["standard"], TABLES["pouliot"]
    differing = [
        (f, d) for f in range(1, 6) for d in range(1, 6) if standard.category(f, d) != pouliot.category(f, d)
    ]
    assert differing == [(2, 2), (4, 4)]
    three = sat.kano(pd.DataFrame({"f": [1, 1], "d": [3, 2]}), {"x": ("f", "d")}, table="three_level")
    assert three.estimates["O"] == (1,) and three.estimates["A"] == (1,)


def test_the_frame_is_not_changed_and_text_is_escaped(study):
    frame = pd.DataFrame({"f": [1, 2], "d": [5, 5]})
    before = frame.copy()
    found = sat.kano(frame, {"<script>": ("f", "d")})
    pd.testing.assert_frame_equal(frame, before)
    assert "<script>" not in found._repr_html_()
