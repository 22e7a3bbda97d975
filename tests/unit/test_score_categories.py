"""Categories are answers only if they are numbers, ordered, and the whole scale; never by the codes behind them."""

from __future__ import annotations

import pandas as pd
import pytest

import satmodels as sat

ANSWERS = [9, 10, 6, 0, 3, None]
WHOLE = range(11)


def column(categories, *, ordered=True, values=ANSWERS):
    return pd.Series(pd.Categorical(values, categories=list(categories), ordered=ordered))


def forms(series):
    """The same categories as a pandas and an Arrow frame, as a lazy Dask one, and as sequences."""
    import pyarrow as pa

    frame = pd.DataFrame({"q": series})
    table = pa.Table.from_pandas(frame, preserve_index=False)
    yield frame, "q"
    yield table, "q"
    yield series, None
    yield series.array, None
    yield table["q"], None
    try:
        import dask.dataframe as dd
    except ImportError:
        return
    yield dd.from_pandas(frame, npartitions=2), "q"


def test_the_whole_ordered_scale():
    for data, item in forms(column(WHOLE)):
        found = sat.nps(data, item)
        assert (found.estimate, found.n, found.n_missing) == (-20.0, 5, 1), type(data)


def test_frames_that_hold_the_numbers_of_pandas_categories(engine):
    if engine.__name__ == "_nullable":
        pytest.skip("pandas cannot convert categories")
    found = sat.nps(engine(pd.DataFrame({"q": column(WHOLE)})), "q")
    assert (found.estimate, found.n) == (-20.0, 5)


@pytest.mark.parametrize(
    ("categories", "ordered"), [(WHOLE, False), ([0, 3, 6, 9, 10], True), (reversed(WHOLE), True)]
)
def test_any_other_numbers_are_refused(categories, ordered):
    for data, item in forms(column(categories, ordered=ordered)):
        with pytest.raises(sat.SchemaError, match="whole scale: map them") as caught:
            sat.nps(data, item)
        assert (caught.value.rule, caught.value.n_bad) == ("the ordered categories are 0..10", 5), type(data)


def test_missing_codes_may_be_categories_beside_the_scale():
    series = column([*WHOLE, 99], values=[9, 10, 6, 0, 3, 99])
    for data, item in forms(series):
        found = sat.nps(data, item, missing_codes={99: "don't know"})
        assert (found.n, found.missing_by_code) == (5, {"don't know": 1})


def test_texts_are_read_only_on_request():
    series = column(map(str, WHOLE), values=["9", "10", "6", "0", "3", None])
    for data, item in forms(series):
        with pytest.raises(sat.SchemaError, match="numbers"):
            sat.nps(data, item)
        assert sat.nps(data, item, coerce=True).estimate == -20.0, type(data)


def test_enumerations_of_texts():
    pl, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    scale = [str(k) for k in WHOLE]
    frame = pl.DataFrame({"q": pl.Series(["9", "10", "6", None], dtype=pl.Enum(scale))})
    connection = duckdb.connect()
    connection.execute(f"create type answer as enum ({', '.join(map(repr, scale))})")
    relation = connection.sql("select unnest(['9', '10', '6', null])::answer as q")
    for data in (frame, frame.lazy(), relation):
        with pytest.raises(sat.SchemaError, match="Map the categories"):
            sat.nps(data, "q")
        assert sat.nps(data, "q", coerce=True).n == 3


@pytest.mark.parametrize(
    "score",
    [
        lambda d: sat.csat(d, "q", scale=sat.Scale(0, 10)),
        lambda d: sat.mean_score(d, "q", scale=sat.Scale(0, 10)),
        lambda d: sat.csi(d, ["q", "r"], scale=sat.Scale(0, 10)),
    ],
)
def test_every_score_takes_them(score):
    frame = pd.DataFrame({"q": column(WHOLE), "r": ANSWERS})
    assert score(frame).estimate == pytest.approx(score(frame.assign(q=ANSWERS)).estimate, abs=1e-12)
    with pytest.raises(sat.SchemaError, match="ordered"):
        score(frame.assign(q=column(WHOLE, ordered=False)))
