"""NPS, CSAT, CES, means and the index: parameters, shapes and bad input, on every engine alike."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

FIVE, SEVEN, TEN = sat.Scale(1, 5), sat.Scale(1, 7), sat.Scale(1, 10)


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "nps": [10, 9, 8, 3, 6, 10, None, 7, 9, 0, None, 10],
            "q1": [5, 4, 4, 1, 2, 5, 3, 4, 5, 1, None, 5],
            "q2": [5, 5, 3, 2, 2, 4, 3, None, 5, 1, 4, 5],
            "shop": ["A", "A", "A", "B", "B", "B", "B", "C", None, None, "D", "A"],
            "w": [1.0, 2.0, 0.5, 1.0, 1.5, 1.0, 1.0, 2.0, 1.0, 1.0, 3.0, 1.0],
        }
    )


def pandas_of(table: Any) -> pd.DataFrame:
    return table if isinstance(table, pd.DataFrame) else table.to_pandas()


# ------------------------------------------------------------------------------------------ engines


@pytest.mark.parametrize("weight", [None, "w"])
def test_every_engine_gives_the_same_numbers(engine: Any, weight: str | None) -> None:
    data = engine(frame())
    for compute in (
        lambda d: sat.nps(d, "nps", by="shop", weight=weight),
        lambda d: sat.csat(d, "q1", scale=FIVE, by="shop", weight=weight),
        lambda d: sat.ces(d, "q1", convention="net", scale=FIVE, weight=weight),
        lambda d: sat.mean_score(d, "q2", scale=FIVE, by="shop", weight=weight),
        lambda d: sat.csi(d, ["q1", "q2"], scale=FIVE, by="shop", weight=weight),
        lambda d: sat.csi(d, ["q1", "q2"], scale=FIVE, missing="available", weight=weight),
    ):
        got, expected = pandas_of(compute(data).tidy()), compute(frame()).tidy()
        assert list(got.columns) == list(expected.columns)
        assert got.get("shop", pd.Series()).tolist() == expected.get("shop", pd.Series()).tolist()
        numbers = expected.select_dtypes("number").columns
        np.testing.assert_allclose(
            got[numbers].astype(float), expected[numbers].astype(float), rtol=1e-9, atol=1e-9
        )


def test_results_come_back_in_the_library_that_came_in(engine: Any) -> None:
    import polars as pl
    import pyarrow as pa

    data = engine(frame())
    expected = {pl.DataFrame: pl.DataFrame, pl.LazyFrame: pl.DataFrame, pd.DataFrame: pd.DataFrame}
    assert isinstance(sat.nps(data, "nps").tidy(), expected.get(type(data), pa.Table))


def test_the_input_is_not_changed() -> None:
    data = frame()
    before = data.copy(deep=True)
    sat.nps(data, "nps", by="shop", weight="w")
    sat.csi(data, ["q1", "q2"], scale=FIVE, by="shop", weight="w", missing="available")
    pd.testing.assert_frame_equal(data, before)


def test_polars_needs_no_pandas_and_no_scipy_stats() -> None:
    code = (
        "import sys, polars as pl, satmodels as sat\n"
        "data = pl.DataFrame({'nps': [9, 10, 3], 'shop': ['a', 'b', 'a']})\n"
        "sat.nps(data, 'nps', by='shop').tidy(); sat.csat(data, 'nps', scale=sat.Scale(0, 10)).tidy()\n"
        "print([m for m in ('pandas', 'scipy.stats', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


# ------------------------------------------------------------------------------------------ values


def test_nps_by_hand() -> None:
    result = sat.nps(frame(), "nps")
    assert (result.n, result.n_missing) == (10, 2)
    assert result.estimate == pytest.approx(100 * (5 - 3) / 10)
    assert result.std_error == pytest.approx(100 * np.sqrt((0.8 - 0.04) / 10))
    row = result.tidy().iloc[0]
    assert (row["promoters"], row["passives"], row["detractors"]) == pytest.approx((50, 20, 30))
    assert row["term"] == "nps"


def test_tidy_has_its_columns_in_the_promised_order() -> None:
    columns = list(sat.csat(frame(), "q1", scale=FIVE, by="shop").tidy().columns)
    assert columns == ["shop", "term", "estimate", "std_error", "conf_low", "conf_high", "n", "n_missing"]
    weighted = sat.csat(frame(), "q1", scale=FIVE, weight="w").tidy()
    assert list(weighted.columns)[-3:] == ["n_eff", "deff", "df"]


def test_passives_are_a_parameter() -> None:
    answers = [1, 2, 3, 4, 5, 5]
    assert sat.nps(answers, scale=FIVE, passives=(4, 4)).estimate == pytest.approx(100 * (2 - 3) / 6)
    assert sat.nps([1, 5, 6, 9, 10], scale=TEN, passives=(6, 8)).estimate == pytest.approx(0)
    for wrong in ((8, 7), (0, 8), (7, 10), (7,), "78", None):
        with pytest.raises(sat.ArgumentError, match="passives"):
            sat.nps([9, 10], passives=wrong)  # type: ignore[arg-type]


def test_csat_top_and_top_box() -> None:
    answers = [5, 4, 4, 3, 5, 2, 4, 1]
    assert sat.csat(answers, scale=FIVE).estimate == pytest.approx(62.5)
    assert sat.csat(answers, scale=FIVE, top=3).estimate == pytest.approx(75)
    assert sat.top_box(answers, scale=FIVE).estimate == pytest.approx(25)
    for wrong in (0, 5, 1.5, True, -1, "2"):
        with pytest.raises(sat.ArgumentError, match="top="):
            sat.csat(answers, scale=FIVE, top=wrong)  # type: ignore[arg-type]


def test_ces_conventions_are_explicit_and_scale_with_the_scale() -> None:
    answers = [7, 6, 6, 5, 4, 2, 7, 3]
    assert sat.ces(answers, convention="mean", scale=SEVEN).estimate == 5
    assert sat.ces(answers, convention="agree", scale=SEVEN).estimate == 62.5
    assert sat.ces(answers, convention="net", scale=SEVEN).estimate == 25
    on_five = sat.ces([5, 4, 3, 2, 1], convention="net", scale=FIVE)
    assert on_five.notes[0] == "net: answers 5 to 5 less answers 1 to 2"
    with pytest.raises(sat.ArgumentError, match="Did you mean 'mean'"):
        sat.ces(answers, convention="means", scale=SEVEN)
    by_default = sat.ces(answers, scale=SEVEN)
    assert by_default.estimate == 5
    assert by_default.notes[0] == "mean answer on the scale 1 to 7"  # the default is said, not silent


def test_scale_or_survey_is_needed() -> None:
    for compute in (sat.csat, sat.top_box, sat.mean_score):
        with pytest.raises(sat.ArgumentError, match="needs the scale"):
            compute(frame(), "q1")
    with pytest.raises(sat.ArgumentError, match="needs the scale"):
        sat.csi(frame(), ["q1", "q2"])
    survey = sat.Survey("s", [sat.Rating("q1", FIVE), sat.Rating("q2", FIVE)], missing_codes={99: "dk"})
    data = frame()
    data.loc[0, "q1"] = 99
    result = sat.csat(data, "q1", survey=survey)
    assert (result.n_missing, result.missing_by_code) == (2, {"dk": 1})
    assert sat.csi(data, ["q1", "q2"], survey=survey).n == 9
    with pytest.raises(sat.ArgumentError, match="not both"):
        sat.csat(data, "q1", survey=survey, scale=FIVE)
    with pytest.raises(sat.ArgumentError, match="q9"):
        sat.csat(data, "q9", survey=survey)


def test_counts_are_data() -> None:
    counts = sat.ScoreCounts.collect(frame(), "nps", by="shop")
    assert sat.nps(counts).tidy().equals(sat.nps(frame(), "nps", by="shop").tidy())
    assert sat.nps(counts.marginal()).estimate == pytest.approx(20)
    half = frame()[:6], frame()[6:]
    added = sum_of(sat.ScoreCounts.collect(part, "nps", by="shop") for part in half)
    assert sat.nps(added).tidy().equals(sat.nps(counts).tidy())
    with pytest.raises(sat.ArgumentError, match="give the dataframe"):
        sat.nps(counts, weight="w")
    with pytest.raises(sat.ArgumentError, match="counts of 'nps'"):
        sat.nps(counts, "q1")


def sum_of(parts: Any) -> Any:
    first, *rest = parts
    for part in rest:
        first = first + part
    return first


def test_index_weights_and_contributions() -> None:
    data = frame()
    equal = sat.csi(data, ["q1", "q2"], scale=FIVE)
    rows = data[["q1", "q2"]].dropna()
    by_hand = ((rows - 1) / 4 * 100).mean(axis=1)
    assert equal.estimate == pytest.approx(by_hand.mean())
    assert equal.std_error == pytest.approx(by_hand.std() / np.sqrt(len(rows)))
    assert (equal.n, equal.n_missing) == (10, 2)
    assert equal.contributions()["contribution"].sum() == pytest.approx(equal.estimate)
    given = sat.csi(data, ["q1", "q2"], scale={"q1": FIVE, "q2": FIVE}, weights={"q1": 3, "q2": 1})
    assert given.weights == (0.75, 0.25)
    assert given.estimate == pytest.approx(((rows - 1) / 4 * 100 @ [0.75, 0.25]).mean())
    one_each = sat.csi(data, ["q1", "q2"], scale=FIVE, missing="available")
    assert one_each.n == 12
    assert one_each.estimate == pytest.approx(((data[["q1", "q2"]] - 1) / 4 * 100).mean(axis=1).mean())


def test_index_by_dimension() -> None:
    index = sat.csi(
        frame(), {"speed": ["q1"], "care": ["q2"]}, scale=FIVE, weights={"q1": 3, "q2": 1}, by="shop"
    )
    found = index.dimensions()
    assert found["dimension"].tolist()[:2] == ["speed", "care"]
    assert found["weight"].tolist()[:2] == [0.75, 0.25]
    total = found.groupby("shop", dropna=False, sort=False)["contribution"].sum(min_count=2)
    np.testing.assert_allclose(total, index.tidy()["estimate"])
    with pytest.raises(sat.ArgumentError, match="no dimensions"):
        sat.csi(frame(), ["q1"], scale=FIVE).dimensions()
    with pytest.raises(sat.ArgumentError, match="listed twice"):
        sat.csi(frame(), {"a": ["q1"], "b": ["q1"]}, scale=FIVE)


def test_index_from_moments_equals_the_index_from_rows() -> None:
    moments = sat.Moments.collect(frame(), ["nps", "q1", "q2"])
    rows = frame().dropna(subset=["nps", "q1", "q2"])
    a, b = (sat.csi(d, ["q1", "q2"], scale=FIVE) for d in (moments, rows))
    assert (a.estimate, a.std_error, a.n) == pytest.approx((b.estimate, b.std_error, b.n))
    with pytest.raises(sat.ArgumentError, match="need the rows"):
        sat.csi(moments, ["q1", "q2"], scale=FIVE, by="shop")


@pytest.mark.parametrize(
    "weights",
    [
        {"q1": 1},
        {"q1": 1, "q2": -1},
        {"q1": 0, "q2": 0},
        {"q1": 1, "q2": float("nan")},
        {"q1": 1, "q2": 1, "q3": 1},
        {"q1": "x", "q2": 1},
        [0.5, 0.5],
        "equals",
    ],
)
def test_wrong_index_weights(weights: Any) -> None:
    with pytest.raises(sat.ArgumentError):
        sat.csi(frame(), ["q1", "q2"], scale=FIVE, weights=weights)


def test_item_listed_twice_and_unknown_items() -> None:
    with pytest.raises(sat.ArgumentError, match="listed twice"):
        sat.csi(frame(), ["q1", "q1"], scale=FIVE)
    with pytest.raises(sat.ArgumentError, match="Did you mean 'q1'"):
        sat.csi(frame(), ["q11", "q2"], scale=FIVE)
    with pytest.raises(sat.ArgumentError, match="q2"):
        sat.csi(frame(), ["q1", "q2"], scale={"q1": FIVE})


# ------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize("value", [11, -1, 99, -9, 9.5, 8.999999999, float("inf"), float("-inf")])
def test_answers_off_the_scale(engine: Any, value: float) -> None:
    data = frame()
    data["nps"] = data["nps"].astype(float)
    data.loc[4, "nps"] = value
    with pytest.raises(sat.SchemaError) as caught:
        sat.nps(engine(data), "nps")
    assert (caught.value.column, caught.value.n_bad, caught.value.value) == ("nps", 1, value)
    if np.isfinite(value):
        left = sat.nps(engine(data), "nps", on_invalid="exclude")
        assert (left.n, left.n_missing, left.n_invalid) == (9, 3, 1)


def test_index_answers_off_the_scale(engine: Any) -> None:
    data = frame()
    data.loc[4, "q2"] = 6
    data.loc[5, "q2"] = 2.5
    with pytest.raises(sat.SchemaError) as caught:
        sat.csi(engine(data), ["q1", "q2"], scale=FIVE)
    assert (caught.value.column, caught.value.n_bad) == ("q2", 2)
    left = sat.csi(engine(data), ["q1", "q2"], scale=FIVE, on_invalid="exclude")
    assert left.n == 8


def test_missing_codes_are_declared_and_counted(engine: Any) -> None:
    data = pd.DataFrame({"nps": [9, 10, 6, 7, 99, 98, 99]})
    result = sat.nps(engine(data), "nps", missing_codes={99: "don't know", 98: "refused", 97: "never"})
    assert result.estimate == pytest.approx(25)
    assert (result.n, result.n_missing) == (4, 3)
    assert result.missing_by_code == {"don't know": 2, "refused": 1, "never": 0}
    index = sat.csi(engine(data), ["nps"], scale=sat.Scale(0, 10), missing_codes=[98, 99])
    assert (index.n, index.estimate) == (4, pytest.approx(80))
    with pytest.raises(sat.SchemaError):
        sat.nps(engine(data), "nps", missing_codes={99: "don't know"})


def test_no_rows_no_answers_one_answer(engine: Any) -> None:
    empty = engine(frame().astype({"nps": float, "q1": float, "q2": float})[:0])
    for result in (
        sat.nps(empty, "nps"),
        sat.csat(empty, "q1", scale=FIVE),
        sat.csi(empty, ["q1", "q2"], scale=FIVE),
    ):
        assert (result.n, result.estimate, result.conf_low) == (0, None, None)
    assert len(pandas_of(sat.nps(empty, "nps", by="shop").tidy())) == 0
    assert len(pandas_of(sat.csi(empty, ["q1"], scale=FIVE, by="shop").tidy())) == 0
    missing = frame().assign(nps=np.nan)
    nothing = sat.nps(engine(missing), "nps")
    assert (nothing.n, nothing.n_missing, nothing.estimate) == (0, 12, None)
    one = sat.nps([9])
    assert (one.estimate, one.std_error, one.conf_low) == (100, None, None)
    assert "fewer than 30" in one.notes[0]
    assert sat.csat([5], scale=FIVE).conf_low == pytest.approx(20.654931)


def test_a_segment_without_answers_keeps_its_row(engine: Any) -> None:
    rows = pandas_of(sat.nps(engine(frame()), "nps", by="shop").tidy())
    assert [None if pd.isna(s) else s for s in rows["shop"]] == ["A", "B", "C", "D", None]
    assert rows["n"].tolist() == [4, 3, 1, 0, 2]
    assert rows["n_missing"].tolist() == [0, 1, 0, 1, 0]
    assert np.isnan(rows["estimate"][3])
    assert int(rows["n"].sum() + rows["n_missing"].sum()) == 12


@pytest.mark.parametrize("answers", [["9", "10"], [True, False], [9, "10", 6]])
def test_text_and_booleans_are_no_scores(answers: list[Any]) -> None:
    with pytest.raises(sat.SchemaError):
        sat.nps(answers)
    with pytest.raises(sat.SchemaError):
        sat.nps(pd.DataFrame({"nps": answers}), "nps")
    with pytest.raises(sat.SchemaError):
        sat.csi(pd.DataFrame({"nps": answers}), ["nps"], scale=sat.Scale(0, 10))


def test_decimals_are_numbers() -> None:
    assert sat.nps([Decimal(9), Decimal(3)]).estimate == 0
    with pytest.raises(sat.SchemaError):
        sat.nps([Decimal("9.5")])


def test_narrow_integers_do_not_wrap() -> None:
    data = pd.DataFrame({"q": np.array([100, 120, 127] * 50, dtype=np.int8), "w": np.full(150, 90, np.int8)})
    wide = sat.Scale(0, 127)
    assert sat.mean_score(data, "q", scale=wide, weight="w").estimate == pytest.approx(347 / 3)
    assert sat.csi(data, ["q"], scale=wide, weight="w").estimate == pytest.approx(347 / 3 / 1.27)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_wrong_weights(engine: Any, value: float) -> None:
    data = frame()
    data.loc[2, "w"] = value
    with pytest.raises(sat.SchemaError, match="weights are"):
        sat.nps(engine(data), "nps", weight="w")
    with pytest.raises(sat.SchemaError, match="weights are"):
        sat.csi(engine(data), ["q1", "q2"], scale=FIVE, weight="w")


def test_weights_of_zero_and_of_absurd_size() -> None:
    data = frame().assign(w=[0.0] * 3 + [1.0] * 8 + [0.0])
    rows = sat.nps(data, "nps", by="shop", weight="w").tidy()
    assert rows["n"][0] == 4
    assert np.isnan(rows["estimate"][0])
    with pytest.raises(sat.DataError, match="squares"):
        sat.nps(frame().assign(w=[1e-200, 1e200] * 6), "nps", weight="w")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"item": "npss"}, "Did you mean 'nps'"),
        ({"item": None}, "which column"),
        ({"by": "shops"}, "Did you mean 'shop'"),
        ({"by": "nps"}, "used twice"),
        ({"by": ["shop", "shop"]}, "listed twice"),
        ({"weight": "ww"}, "weight column"),
        ({"method": "wilson"}, "method='wilson'"),
        ({"level": 95}, "Give 0.95"),
        ({"level": 0}, "confidence level"),
        ({"on_invalid": "drop"}, "on_invalid"),
        ({"design": "shop"}, "takes Design or None"),
        ({"missing_codes": ["x"]}, "no number"),
    ],
)
def test_wrong_parameters(options: dict[str, Any], said: str) -> None:
    given = {"item": "nps", **options}
    with pytest.raises(sat.ArgumentError, match=said):
        sat.nps(frame(), given.pop("item"), **given)


@pytest.mark.parametrize(
    "name", ["k0", "x0", "u0", "w", "rows", 'a"b', "a.b", "select", "😀", "x; drop table answers"]
)
def test_any_column_name_works(engine: Any, name: str) -> None:
    data = pd.DataFrame({name: [5, 4, 1, 3], "a group": ["x", "x", "y", "y"], "weight": [1.0, 2.0, 1.0, 1.0]})
    got = sat.csi(engine(data), [name], scale=FIVE, by="a group", weight="weight")
    assert pandas_of(got.tidy())["estimate"].tolist() == pytest.approx([250 / 3, 25])
    got = sat.csat(engine(data), name, scale=FIVE, by="a group", weight="weight")
    assert pandas_of(got.tidy())["estimate"].tolist() == pytest.approx([100, 0])


def test_the_index_of_a_pandas_frame_means_nothing() -> None:
    data = frame()
    shuffled = data.sample(frac=1, random_state=1)
    shuffled.index = pd.Index([0] * len(data))
    assert sat.nps(shuffled, "nps", by="shop").tidy().equals(sat.nps(data, "nps", by="shop").tidy())


# ------------------------------------------------------------------------------------------ results


def test_a_result_speaks() -> None:
    result = sat.nps(frame(), "nps", by="shop")
    assert "groups=5" in repr(result)
    with pytest.raises(sat.ArgumentError, match="5 rows"):
        _ = result.estimate
    document = json.loads(result.to_json())
    assert document["tidy"][3]["estimate"] is None
    assert "<script>" not in sat.nps(frame().assign(shop="<script>"), "nps", by="shop")._repr_html_()
    shares = result.distribution()
    assert shares[shares["shop"] == "A"]["share"].sum() == pytest.approx(1)
    with pytest.raises(sat.ArgumentError, match="several items"):
        sat.csi(frame(), ["q1", "q2"], scale=FIVE).distribution()


def test_figures() -> None:
    pytest.importorskip("matplotlib")
    data = frame().assign(month=["2026-01", "2026-02", "2026-03"] * 4)
    for result in (
        sat.nps(data, "nps"),
        sat.nps(data, "nps", by="shop"),
        sat.nps(data, "nps", by=["month", "shop"]),
        sat.csi(data, ["q1", "q2"], scale=FIVE, by="month"),
        sat.csi(data, ["q1", "q2"], scale=FIVE),
        sat.nps(data[:0].astype({"nps": float}), "nps", by="shop"),
    ):
        assert sat.plot(result)._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(sat.ArgumentError, match="over="):
        sat.plot(sat.nps(data, "nps"), over="shop")


# ------------------------------------------------------------------------------------------ texts and weights


def test_texts_are_read_only_on_request(engine: Any) -> None:
    data = pd.DataFrame({"nps": ["9", " 10 ", "+6", "7", "", None], "shop": list("aabbcc")})
    result = sat.nps(engine(data), "nps", coerce=True)
    assert (result.n, result.n_missing, result.estimate) == (4, 2, pytest.approx(25))
    assert sat.nps(data["nps"].tolist(), coerce=True).estimate == pytest.approx(25)
    for wrong in ("1_0", "9.0", "nine", "９"):
        with pytest.raises(sat.SchemaError) as caught:
            sat.nps(engine(data.assign(nps=["9", "10", wrong, "7", "8", "9"])), "nps", coerce=True)
        assert caught.value.value == wrong
    categories = pd.DataFrame({"nps": pd.Categorical(["9", "10", "6"])})
    assert sat.nps(categories, "nps", coerce=True).estimate == pytest.approx(100 / 3)
    with pytest.raises(sat.SchemaError, match="Map the categories"):
        sat.nps(categories, "nps")


def test_index_weights_of_a_structural_model() -> None:
    study = sat.datasets.load_ecsi()
    items = {"Quality": ["PERQ1", "PERQ2"], "Satisfaction": ["CUSA1", "CUSA2", "CUSA3"]}
    text = "\n".join(f"{c} =~ {' + '.join(i)}" for c, i in items.items()) + "\nSatisfaction ~ Quality"
    moments = study.moments if hasattr(study, "moments") else study
    result = sat.PLSPM(text).fit(moments).result_
    index = sat.csi(moments, items["Satisfaction"], weights=result, scale=sat.Scale(1, 10))
    expected = result.index(scale=sat.Scale(1, 10)).set_index("construct")["estimate"]["Satisfaction"]
    assert index.estimate == pytest.approx(expected, rel=1e-12)
    with pytest.raises(sat.ArgumentError, match="no construct"):
        sat.csi(moments, ["CUSA1", "CUSA2"], weights=result, scale=sat.Scale(1, 10))


def test_index_weights_of_drivers() -> None:
    rng = np.random.default_rng(4)
    data = pd.DataFrame(rng.integers(1, 6, (200, 3)), columns=["a", "b", "c"])
    data["y"] = data["a"] * 2 + data["b"] + rng.normal(size=200)
    drivers = sat.key_drivers(data, "y", ["a", "b", "c"])
    index = sat.csi(data, ["a", "b", "c"], weights=drivers, scale=FIVE)
    assert index.weights == pytest.approx(tuple(drivers.tidy()["share"]))
    with pytest.raises(sat.ArgumentError, match="no weights"):
        sat.csi(data, ["a", "b"], weights=sat.nps([9, 10]), scale=FIVE)


def test_an_item_that_runs_against_the_others_is_named() -> None:
    rng = np.random.default_rng(4)
    mood = rng.normal(3, 1, 200)
    data = pd.DataFrame({q: np.clip(np.round(mood + rng.normal(size=200)), 1, 5) for q in ("a", "b", "c")})
    assert not any("against" in n for n in sat.csi(data, ["a", "b", "c"], scale=FIVE).notes)
    turned = sat.csi(data.assign(c=6 - data["c"]), ["a", "b", "c"], scale=FIVE)
    assert [n for n in turned.notes if "against" in n] == [
        "item 'c' runs against the others (negative item-rest correlation): is it reverse-worded?"
    ]


def test_a_design_is_checked() -> None:
    for wrong in (
        {},
        {"strata": "a", "cluster": "a"},
        {"strata": "a", "replicate_weights": ("r1", "r2"), "replicate_scale": "jk1"},
        {"replicate_weights": ("r1", "r2")},
        {"replicate_weights": ("r1",), "replicate_scale": "jk1"},
        {"replicate_scale": "jk1"},
        {"stratum": "a"},
    ):
        with pytest.raises(sat.ArgumentError, match="Design"):
            sat.Design(**wrong)
    data = frame().assign(region=["n", "s"] * 6, one=["x"] * 12, pop=100.0, small=3.0, odd=range(12))
    with pytest.raises(sat.DataError, match="single sampled unit"):
        sat.nps(data.assign(region=["n"] * 11 + ["s"]), "nps", design=sat.Design(strata="region"))
    with pytest.raises(sat.DataError, match="single cluster"):
        sat.nps(data, "nps", design=sat.Design(cluster="one"))
    with pytest.raises(sat.DataError, match="two values in one stratum"):
        sat.nps(data.assign(odd=range(1, 13)), "nps", design=sat.Design(strata="region", fpc="odd"))
    with pytest.raises(sat.DataError, match="population"):
        sat.nps(data, "nps", design=sat.Design(strata="region", fpc="small"))
    with pytest.raises(sat.DataError, match="missing values"):
        sat.nps(data.assign(region=["n", None] * 6), "nps", design=sat.Design(strata="region"))
    with pytest.raises(sat.ArgumentError, match="both in by= and in design="):
        sat.nps(data, "nps", by="region", design=sat.Design(strata="region"))
    with pytest.raises(sat.ArgumentError, match="give weight= too"):
        sat.nps(data, "nps", design=sat.Design(replicate_weights=("w", "pop"), replicate_scale="jk1"))
    with pytest.raises(sat.SchemaError, match="replicate weights"):
        sat.nps(
            data.assign(pop=np.nan),
            "nps",
            weight="w",
            design=sat.Design(replicate_weights=("w", "pop"), replicate_scale="brr"),
        )


def test_rows_far_down_are_named_and_summed(engine: Any) -> None:
    """A frame in memory is summed in parts; groups and row numbers go on from part to part."""
    n = 140_000
    data = pd.DataFrame({"q": np.tile([1, 5, 3, 4], n // 4).astype(float), "shop": ["a", "b"] * (n // 2)})
    rows = pandas_of(sat.csi(engine(data), ["q"], scale=FIVE, by="shop").tidy())
    assert rows["n"].tolist() == [n // 2, n // 2]
    assert rows["estimate"].tolist() == pytest.approx([25, 87.5])
    data.loc[135_000, "q"] = np.inf
    with pytest.raises(sat.SchemaError) as caught:
        sat.csi(engine(data), ["q"], scale=FIVE)
    assert caught.value.row in (135_000, None)


def test_degrees_of_freedom_of_replicates() -> None:
    rng = np.random.default_rng(3)
    units = np.repeat(np.arange(8), 5)
    kept = np.where(units[:, None] == np.arange(8), 0.0, 8 / 7)  # jackknife by unit
    for replicates in (kept, np.hstack([kept, kept[:, :3]]), np.hstack([kept, 0 * kept[:, :1]])):
        names = [f"r{i}" for i in range(replicates.shape[1])]
        frame = pd.DataFrame(replicates, columns=names).assign(w=1.0, nps=rng.integers(0, 11, 40))
        design = sat.Design(replicate_weights=tuple(names), replicate_scale="jk1")
        assert sat.nps(frame, "nps", weight="w", design=design).design_df == 7
    given = design.model_copy(update={"replicate_df": 5.0})
    assert sat.nps(frame, "nps", weight="w", design=given).design_df == 5


def test_rank_from_cross_products() -> None:
    from satmodels.statistics.replication import replicate_rank

    rng = np.random.default_rng(4)
    for rank in (1, 5, 30):
        weights = rng.gamma(2.0, 1.0, (200, rank)) @ rng.gamma(2.0, 1.0, (rank, 40))
        assert replicate_rank(weights.T @ weights) == np.linalg.matrix_rank(weights) == rank


def test_replicate_weights_on_every_engine(engine: Any) -> None:
    design = sat.Design(replicate_weights=("w", "r"), replicate_scale="jk1")
    data = frame().assign(r=[2.0, 1.0] * 6)
    for compute in (
        lambda d: sat.csi(d, ["q1", "q2"], scale=FIVE, by="shop", weight="w", design=design),
        lambda d: sat.nps(d, "nps", by="shop", weight="w", design=design),
    ):
        got, expected = pandas_of(compute(engine(data)).tidy()), compute(data).tidy()
        numbers = expected.select_dtypes("number").columns
        np.testing.assert_allclose(
            got[numbers].astype(float), expected[numbers].astype(float), rtol=1e-9, atol=1e-9
        )
