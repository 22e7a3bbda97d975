"""Every engine gives the same numbers, or the same error: class, column, count, and row where rows have an order."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from conftest import ENGINES

# pandas' own convert_dtypes, with which the frames are made, casts infinite values
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
NO_ORDER = {"duckdb"}
ANSWERS = pd.DataFrame(
    {
        "score": [9, 10, 7, 3, None, 0, 8, 10, 6, None, 9, 5],
        "other": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, None, 1.5],
        "shop": ["a", "b", "a", None, "b", "a ", "A", "b", None, "c", "a", "b"],
        "month": [1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2],
        "weight": [0.5, 1.5, 1, 1, 2, 0, 0.25, 1.75, 1, 1, 1, 1],
    }
)


def outcome(call):
    """What happened, in a form that can be compared between engines."""
    try:
        return call()
    except sat.SatmodelsError as error:
        return error


def same_outcome(frame, call, *, cast=None):
    """Run on every engine; compare with the first, and return it."""
    first = None
    for name, make in ENGINES.items():
        found = outcome(lambda m=make: call(cast(m(frame)) if cast else m(frame)))
        if first is None:
            first = found
            continue
        assert type(found) is type(first), (name, found, first)
        if isinstance(found, sat.SchemaError):
            facts = ("column", "rule", "n_bad") + (() if name in NO_ORDER else ("row",))
            for fact in facts:
                assert getattr(found, fact) == getattr(first, fact), (name, fact, str(found), str(first))
            if name in NO_ORDER:
                assert found.row is None
                assert found.value in [first.value, *(value for _, value in first.offenders)]
            else:
                assert found.value == first.value, (name, found, first)
        elif isinstance(found, Exception):
            assert str(found) == str(first), name
        else:
            assert_same(found, first, name)
    return first


def assert_same(a, b, name):
    if isinstance(a, sat.ScoreCounts):
        assert (a.keys, a.values, a.by, a.item, a.weighted) == (b.keys, b.values, b.by, b.item, b.weighted), (
            name
        )
        arrays = ("n", "w", "w2", "n_missing", "w_missing")
    elif isinstance(a, sat.PairCounts):
        assert (a.keys, a.features) == (b.keys, b.features), name
        arrays = ("n", "w", "w2", "n_missing")
    elif isinstance(a, sat.Moments):
        assert (a.n, a.n_dropped, a.columns) == (b.n, b.n_dropped, b.columns), name
        arrays = ("mean", "scatter", "sum_w", "sum_w2")
    else:
        assert a == b, name
        return
    for array in arrays:
        np.testing.assert_allclose(getattr(a, array), getattr(b, array), rtol=1e-9, atol=1e-12, err_msg=name)


def counts(**options):
    return lambda data: sat.ScoreCounts.collect(data, "score", **options)


# the same numbers -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("by", [(), "shop", ("shop", "month")])
@pytest.mark.parametrize("weight", [None, "weight"])
def test_counts(by, weight):
    found = same_outcome(ANSWERS, counts(by=by, weight=weight))
    assert found.total == 10
    assert int(found.n_missing.sum()) == 2
    if by == "shop":  # blanks and capitals are kept apart, what is missing is a group of its own
        assert found.keys == (("A",), ("a",), ("a ",), ("b",), ("c",), (None,))


@pytest.mark.parametrize("weight", [None, "weight"])
def test_moments(weight):
    found = same_outcome(ANSWERS, lambda d: sat.Moments.collect(d, ["score", "other"], weight))
    assert (found.n, found.n_dropped) == (9, 3)


def test_pair_counts():
    frame = pd.DataFrame({"f": [1, 5, 3, None, 2], "d": [5, 1, None, None, 2], "g": list("aabbb")})
    found = same_outcome(frame, lambda d: sat.PairCounts.collect(d, {"wifi": ("f", "d")}, "g"))
    assert found.n_missing.tolist() == [[0], [2]]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int64", "float32", "float64"])
def test_narrow_types_neither_wrap_nor_round(dtype):
    frame = pd.DataFrame(
        {"score": np.array([0, 10] * 500, dtype=dtype), "x": np.array([5, 100] * 500, dtype=dtype)}
    )
    found = same_outcome(frame, counts())
    assert found.n.tolist() == [[500, 500]]
    moments = same_outcome(frame, lambda d: sat.Moments.collect(d, ["score", "x"]))
    assert moments.scatter[1, 1] == pytest.approx(1000 * 47.5**2, rel=1e-12)


def test_float32_weights_are_added_in_double():
    frame = pd.DataFrame({"score": 9, "w": np.full(100_000, 0.1, dtype=np.float32)})
    found = same_outcome(frame, counts(weight="w"))
    assert found.w[0, 0] == pytest.approx(1e5 * float(np.float32(0.1)), rel=1e-12)


def test_nan_is_missing_not_a_promoter():
    frame = pd.DataFrame({"score": [9.0, np.nan, 3.0, np.nan], "g": [1.0, np.nan, 2.0, 2.0]})

    def with_real_nan(data):  # as arithmetic leaves it, beside the library's own null
        if type(data).__module__.startswith("polars"):
            import polars as pl

            values = pl.Series("score", [9.0, float("nan"), 3.0, None])
            groups = pl.Series("g", [1.0, float("nan"), 2.0, 2.0])
            return data.with_columns(pl.lit(values), pl.lit(groups))
        if type(data).__module__.startswith("pyarrow"):
            import pyarrow as pa

            return pa.table({"score": [9.0, float("nan"), 3.0, None], "g": [1.0, float("nan"), 2.0, 2.0]})
        if "duckdb" in type(data).__module__:
            return data.project(
                "case when score is null and g = 2 then null when score is null then 'nan'::double else score end "
                "as score, case when g is null then 'nan'::double else g end as g"
            )
        return data

    found = same_outcome(frame, counts(by="g"), cast=with_real_nan)
    assert found.keys == ((1.0,), (2.0,), (None,))
    assert (found.total, found.n_missing.tolist()) == (2, [0, 1, 1])
    moments = same_outcome(frame, lambda d: sat.Moments.collect(d, ["score"]), cast=with_real_nan)
    assert (moments.n, moments.n_dropped, moments.mean[0]) == (2, 2, 6.0)


def test_null_and_nan_segments_are_one_group():
    import polars as pl

    frame = pl.DataFrame({"score": [9, 8, 7], "g": [None, float("nan"), 1.0]})
    assert sat.ScoreCounts.collect(frame, "score", "g").keys == ((1.0,), (None,))


def test_empty_frames():
    empty = ANSWERS.head(0)
    assert same_outcome(empty, counts()).keys == ((),)
    assert same_outcome(empty, counts(by="shop")).keys == ()
    assert same_outcome(empty, counts(weight="weight")).total == 0
    assert same_outcome(empty, lambda d: sat.Moments.collect(d, ["score", "other"])).n == 0


def test_all_missing():
    frame = pd.DataFrame({"score": pd.Series([None] * 3, dtype="float64"), "shop": ["a", "b", "b"]})
    found = same_outcome(frame, counts(by="shop"))
    assert (found.total, found.n_missing.tolist()) == (0, [1, 2])
    assert same_outcome(frame, lambda d: sat.Moments.collect(d, ["score"])).n_dropped == 3


def test_columns_of_nothing_at_all():
    import polars as pl
    import pyarrow as pa

    for data in (
        pd.DataFrame({"score": [None, None]}),
        pl.DataFrame({"score": [None, None]}),
        pa.table({"score": pa.nulls(2)}),
    ):
        found = sat.ScoreCounts.collect(data, "score")
        assert (found.total, found.n_missing.tolist()) == (0, [2])
        assert sat.Moments.collect(data, ["score"]).n_dropped == 2


@pytest.mark.parametrize(
    "keys",
    [
        [True, False, True],
        [dt.date(2026, 1, 31), dt.date(2026, 2, 28), dt.date(2026, 1, 31)],
        [pd.Timestamp("2026-01-31 12:00"), pd.Timestamp("2024-02-29"), pd.NaT],
        ["9", None, "九"],
        [2**53 + 1, 2**53, 2**53 + 1],
        [-1.5, -0.0, 0.0],
    ],
)
def test_segments_of_any_type_are_plain_values(keys):
    frame = pd.DataFrame({"score": [9, 8, 7], "g": keys})
    found = same_outcome(frame, counts(by="g"))
    for (key,) in found.keys:
        assert type(key) in (bool, int, float, str, dt.date, dt.datetime, type(None))
    assert sat.ScoreCounts.from_json(found.to_json()) == found


def test_categories_as_segments():
    frame = ANSWERS.assign(shop=ANSWERS["shop"].astype("category"))
    text = same_outcome(ANSWERS, counts(by="shop"))
    for name in ("pandas", "polars", "polars-lazy", "pyarrow"):
        assert_same(counts(by="shop")(ENGINES[name](frame)), text, name)


def test_decimals():
    frame = pd.DataFrame({"score": [Decimal("9"), Decimal("3"), None, Decimal("9")]})
    found = same_outcome(frame, counts())
    assert (found.values, found.n.tolist()) == ((3.0, 9.0), [[1, 2]])
    assert same_outcome(frame, lambda d: sat.Moments.collect(d, ["score"])).mean[0] == 7.0


def test_strange_names_are_only_names():
    names = {
        "score": 'n_rows"; drop table answers; --',
        "shop": "select",
        "month": "key_0",
        "weight": "sum_w",
        "other": "情感 😀.x'y",
    }
    frame = ANSWERS.rename(columns=names)
    found = same_outcome(
        frame,
        lambda d: sat.ScoreCounts.collect(
            d, names["score"], (names["shop"], names["month"]), names["weight"]
        ),
    )
    plain = sat.ScoreCounts.collect(ANSWERS, "score", ("shop", "month"), "weight")
    assert found.keys == plain.keys
    np.testing.assert_array_equal(found.w, plain.w)
    assert (
        same_outcome(
            frame, lambda d: sat.Moments.collect(d, [names["other"], names["score"]], names["weight"])
        ).n
        == 9
    )


def test_amounts_with_a_large_offset_keep_their_digits():
    rng = np.random.default_rng(1)
    small = rng.integers(1, 11, (5000, 2)).astype(float)
    exact = np.cov(small.T)
    for offset in (1e6, 1e9):
        frame = pd.DataFrame(small + offset, columns=["x", "y"])
        found = same_outcome(frame, lambda d: sat.Moments.collect(d, ["x", "y"]))
        np.testing.assert_allclose(found.cov, exact, rtol=1e-9)


# the same errors ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("column", "values", "rule", "n_bad", "row", "value"),
    [
        ("score", [9, 3, 11, 7, 11], "0..10 in whole numbers", 2, 2, 11),
        ("score", [9, -1, 3, 3, 3], "0..10 in whole numbers", 1, 1, -1),
        ("score", [9, 3, 99, 98, 99], "0..10 in whole numbers", 3, 2, 99),
        ("score", [9.0, 9.5, 3.0, 8.999999999, 1.0], "0..10 in whole numbers", 2, 1, 9.5),
        ("score", [9, 2**62, 3, 2**62, 2**62], "0..10 in whole numbers", 3, 1, 2**62),
        ("score", [9.0, 3.0, np.inf, -np.inf, 1.0], "finite", 2, 2, np.inf),
        ("score", ["9", "10", "6", "7", "8"], "numeric", 5, 0, "9"),
        ("score", [True, False, True, True, True], "numeric", 5, 0, True),
        ("weight", [1.0, -2.0, 1.0, -1.0, 1.0], "weights are at least 0", 2, 1, -2.0),
        ("weight", [1.0, 1.0, np.inf, 1.0, 1.0], "weights are finite", 1, 2, np.inf),
        ("weight", ["1", "1", "2", "1", "1"], "numeric", 5, 0, "1"),
        ("weight", [True, True, True, False, True], "numeric", 5, 0, True),
    ],
)
def test_answers_and_weights_that_break_their_rule(column, values, rule, n_bad, row, value):
    frame = pd.DataFrame({"score": [9, 8, 7, 3, 1], "weight": [1.0] * 5})
    frame[column] = values

    def run(data):
        from satmodels.intake.frames import open_frame

        opened = open_frame(data)
        found = sat.ScoreCounts.collect(opened, "score", weight="weight")
        found.check_range(0, 10, frame=opened)

    error = same_outcome(frame, run)
    assert isinstance(error, sat.SchemaError)
    assert (error.column, error.rule, error.n_bad, error.row, error.value) == (
        column,
        rule,
        n_bad,
        row,
        value,
    )


@pytest.mark.parametrize("large", [-(2**63), 2**53 + 1, 2**63 + 5, 1e300])
def test_answers_too_large_for_whole_numbers_of_floats(large):
    frame = pd.DataFrame({"score": [9, large]})
    for name, make in ENGINES.items():
        with pytest.raises(sat.SchemaError, match="whole numbers") as caught:
            sat.nps(make(frame), "score")
        assert caught.value.n_bad == 1, name
        if name not in NO_ORDER:
            assert (caught.value.row, caught.value.value) == (1, large), name


def test_the_item_is_no_weight():
    error = same_outcome(ANSWERS, counts(weight="score"))
    assert "used twice" in str(error)


def test_a_relation_whose_table_is_gone():
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    connection.execute("create table gone as select 9 as score")
    relation = connection.table("gone")
    connection.execute("drop table gone")
    with pytest.raises(sat.EngineError, match="planning"):
        sat.nps(relation, "score")


@pytest.mark.parametrize("item", [["score"], {"score"}, 7, ("score",)])
def test_items_that_are_no_names(item):
    with pytest.raises(sat.ArgumentError, match="item= takes a text or None"):
        sat.nps(ANSWERS, item)


@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_weights(missing):
    frame = ANSWERS.assign(weight=[1.0] * 5 + [missing] * 2 + [1.0] * 5)
    for call in (counts(weight="weight"), lambda d: sat.Moments.collect(d, ["score"], "weight")):
        error = same_outcome(frame, call)
        assert (error.rule, error.n_bad, error.row) == ("weights are not missing", 2, 5)


@pytest.mark.parametrize("weight", [1e-300, 1e300])
def test_weights_whose_squares_are_lost(weight):
    frame = ANSWERS.assign(weight=[1.0] * 11 + [weight])
    for call in (counts(weight="weight"), lambda d: sat.Moments.collect(d, ["score"], "weight")):
        assert isinstance(same_outcome(frame, call), sat.DataError | sat.ScoreCounts)
    assert isinstance(same_outcome(ANSWERS.assign(weight=weight), counts(weight="weight")), sat.DataError)


@pytest.mark.parametrize("column", ["text", "flag", "day"])
def test_moments_of_what_is_no_number(column):
    frame = ANSWERS.assign(text="x", flag=True, day=pd.Timestamp("2026-01-01"))
    error = same_outcome(frame, lambda d: sat.Moments.collect(d, ["score", column]))
    assert (type(error), error.column, error.n_bad, error.row) == (sat.SchemaError, column, 12, 0)


def test_moments_of_infinite_values():
    frame = ANSWERS.assign(other=[1.0, 2.0, np.inf, -np.inf] * 3)
    error = same_outcome(frame, lambda d: sat.Moments.collect(d, ["score", "other"]))
    assert (type(error), error.column, error.n_bad) == (sat.SchemaError, "other", 6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d: sat.ScoreCounts.collect(d, "scor"), "Did you mean 'score'"),
        (lambda d: sat.ScoreCounts.collect(d, "score", "shpo"), "Did you mean 'shop'"),
        (lambda d: sat.ScoreCounts.collect(d, "score", weight="wieght"), "Did you mean 'weight'"),
        (lambda d: sat.ScoreCounts.collect(d, "score", "score"), "used twice"),
        (lambda d: sat.ScoreCounts.collect(d, "score", ("shop", "shop")), "listed twice"),
        (lambda d: sat.ScoreCounts.collect(d), "which column"),
        (lambda d: sat.Moments.collect(d, ["score", "score"]), "listed twice"),
        (lambda d: sat.Moments.collect(d, []), "1 to 500"),
        (lambda d: sat.Moments.collect(d, ["score", "nope"]), "no column 'nope'"),
    ],
)
def test_wrong_columns(call, words):
    error = same_outcome(ANSWERS, call)
    assert isinstance(error, sat.ArgumentError)
    assert words in str(error)


def test_two_columns_of_one_name():
    import pyarrow as pa

    frames = [
        pd.DataFrame([[1, 2]], columns=["score", "score"]),
        pa.table([[1], [2]], names=["score", "score"]),
    ]
    for frame in frames:
        with pytest.raises(sat.ArgumentError, match="same name"):
            sat.ScoreCounts.collect(frame, "score")


@pytest.mark.parametrize("data", [{"score": [1]}, "score", 3, None, np.ones((2, 2)), object(), iter([1, 2])])
def test_what_is_no_dataframe(data):
    with pytest.raises(sat.ArgumentError, match="no dataframe"):
        sat.ScoreCounts.collect(data, "score")


def test_inputs_are_not_changed():
    for name in ("pandas", "polars", "pyarrow"):
        data, again = ENGINES[name](ANSWERS), ENGINES[name](ANSWERS)
        sat.ScoreCounts.collect(data, "score", "shop", "weight")
        sat.Moments.collect(data, ["score", "other"], "weight")
        assert data.equals(again), name
