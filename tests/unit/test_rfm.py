"""RFM: values, ties, segments, policies and bad input, on every engine where the data matters."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.scores.rfm_segments import Segment, segment_grid

# pandas' own convert_dtypes, with which the frames are made, casts infinite values
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
WHO = {"customer": "customer", "date": "day", "amount": "amount"}
AS_OF = "2026-06-30"


def sales(n=600, customers=60, seed=1):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer": [f"c{k:03d}" for k in rng.zipf(1.4, n) % customers],
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 180, n), unit="D"),
            "amount": np.round(rng.gamma(2, 20, n), 2),
        }
    )


def table(frame):
    return frame.to_pandas() if hasattr(frame, "to_pandas") else frame


def by_hand(frame, as_of=AS_OF, bins=5):
    """The definition in pandas and numpy: value-based cuts at type-7 quantiles."""
    groups = frame.groupby("customer")
    result = pd.DataFrame(
        {
            "recency": (pd.Timestamp(as_of) - groups["day"].max()).dt.days,
            "frequency": groups.size(),
            "monetary": groups["amount"].sum().round(8),
        }
    )
    shares = np.arange(1, bins) / bins
    for name, letter in zip(("recency", "frequency", "monetary"), "rfm", strict=True):
        below = (result[name].to_numpy()[:, None] > np.quantile(result[name], shares)).sum(axis=1)
        result[letter] = bins - below if letter == "r" else 1 + below
    return result.reset_index()


def test_scores_are_those_of_the_definition_on_every_engine(engine):
    frame = sales()
    result = sat.rfm(engine(frame), **WHO, as_of=AS_OF)
    found, expected = table(result.customers), by_hand(frame)
    assert found["customer"].tolist() == expected["customer"].tolist()
    for column in ("recency", "frequency", "r", "f", "m"):
        assert found[column].tolist() == expected[column].tolist(), column
    np.testing.assert_allclose(found["monetary"], expected["monetary"], rtol=1e-12)
    assert (found["rfm"] == 100 * found["r"] + 10 * found["f"] + found["m"]).all()


def test_results_come_back_in_the_library_that_came_in(engine):
    data = engine(sales())
    result = sat.rfm(data, **WHO, as_of=AS_OF)
    kind = type(result.customers).__module__.split(".")[0]
    assert kind == {"duckdb": "pyarrow", "_duckdb": "pyarrow"}.get(
        type(data).__module__.split(".")[0], type(data).__module__.split(".")[0]
    )


def test_equal_values_get_equal_scores_and_shuffling_changes_nothing():
    frame = sales(2000, 300)
    frame["amount"] = np.random.default_rng(3).choice([0.1, 0.2, 0.3, 0.7], len(frame))
    first = sat.rfm(frame, **WHO, as_of=AS_OF).customers
    for value, score in (("recency", "r"), ("frequency", "f"), ("monetary", "m")):
        assert (first.groupby(value)[score].nunique() == 1).all()
    for seed in range(5):
        again = sat.rfm(frame.sample(frac=1, random_state=seed), **WHO, as_of=AS_OF)
        pd.testing.assert_frame_equal(again.customers, first, check_exact=True)


def test_totals_that_differ_by_rounding_alone_are_a_tie():
    frame = pd.DataFrame(
        {
            "customer": ["a", "a", "b", "c", "d", "e"],
            "day": pd.Timestamp("2026-06-01"),
            "amount": [0.1, 0.2, 0.3, 5, 6, 7],  # .1 + .2 is not .3 to a computer
        }
    )
    found = sat.rfm(frame, **WHO, as_of=AS_OF).customers
    assert found["monetary"].tolist()[:2] == [0.3, 0.3]
    assert found["m"].iloc[0] == found["m"].iloc[1]


def test_everyone_equal_fills_one_bin_and_says_so():
    frame = pd.DataFrame(
        {"customer": list("abcdefgh"), "day": pd.Timestamp("2026-06-01"), "amount": [1.0] * 8}
    )
    result = sat.rfm(frame, **WHO, as_of=AS_OF)
    assert set(result.customers["rfm"]) == {511}
    assert result.glance()["empty_bins"].iloc[0] == 12
    sizes = result.bin_sizes()
    assert sizes.groupby("dimension")["n"].sum().tolist() == [8, 8, 8]


def test_cuts_score_tomorrows_customers(engine):
    old, new = sales(seed=1), sales(seed=2)
    new["day"] += pd.Timedelta(days=30)
    first = sat.rfm(engine(old), **WHO, as_of=AS_OF)
    later = first.score(engine(new), as_of="2026-07-30")
    assert later.cuts == first.cuts
    found = table(later.customers)
    for value, letter in (("recency", "r"), ("frequency", "f"), ("monetary", "m")):
        below = (found[value].to_numpy()[:, None] > np.array(first.cuts[value])).sum(axis=1)
        assert found[letter].tolist() == (5 - below if letter == "r" else 1 + below).tolist()
    kept = json.loads(json.dumps(first.cuts))  # cuts are plain numbers: keep them anywhere
    again = sat.rfm(engine(new), **WHO, as_of="2026-07-30", cuts=kept)
    assert table(again.customers).equals(found)
    with pytest.raises(sat.SchemaError, match="not after as_of"):
        first.score(engine(new))


def test_one_customer_can_be_scored_with_given_cuts_but_not_cut():
    frame = sales().query("customer == 'c001'")
    with pytest.raises(sat.DataError, match="1 customers"):
        sat.rfm(frame, **WHO, as_of=AS_OF)
    cuts = sat.rfm(sales(), **WHO, as_of=AS_OF).cuts
    assert len(sat.rfm(frame, **WHO, as_of=AS_OF, cuts=cuts).customers) == 1


def test_no_rows_with_given_cuts_are_no_customers(engine):
    cuts = sat.rfm(sales(), **WHO, as_of=AS_OF).cuts
    result = sat.rfm(engine(sales().head(0)), **WHO, as_of=AS_OF, cuts=cuts)
    assert result.n == 0
    assert result.tidy() is not None
    with pytest.raises(sat.DataError):
        sat.rfm(engine(sales().head(0)), **WHO, as_of=AS_OF)


def test_r_rule_adds_one_to_the_quantiles():
    frame = sales()
    result = sat.rfm(frame, **WHO, as_of=AS_OF, rule="R")
    found = result.customers
    shares = [0.2, 0.4, 0.6, 0.8]
    for value, letter in (("recency", "r"), ("frequency", "f"), ("monetary", "m")):
        x = found[value].to_numpy()
        score = 1 + (np.quantile(x, shares) + 1 <= x[:, None]).sum(axis=1)
        assert found[letter].tolist() == (6 - score if letter == "r" else score).tolist()


# segments -------------------------------------------------------------------------------------------------
def test_default_segments_are_the_recency_frequency_grid():
    grid = segment_grid(sat.SEGMENTS, 5)
    names = [s.name for s in sat.SEGMENTS]
    expected = {  # the grid in common use, by recency and frequency score
        "Hibernating": "11 12 21 22",
        "At Risk": "13 14 23 24",
        "Can't Lose Them": "15 25",
        "About To Sleep": "31 32",
        "Need Attention": "33",
        "Loyal Customers": "34 35 44 45",
        "Promising": "41",
        "New Customers": "51",
        "Potential Loyalists": "42 43 52 53",
        "Champions": "54 55",
    }
    cells = {cell: name for name, text in expected.items() for cell in text.split()}
    for r, f, m in itertools.product(range(5), repeat=3):
        assert names[grid[r, f, m]] == cells[f"{r + 1}{f + 1}"]
    assert (grid >= 0).all()


def test_segments_must_cover_every_cell_once():
    best = Segment("best", r=(4, 5))
    with pytest.raises(sat.ArgumentError, match="75 of 125 score cells belong to no segment"):
        segment_grid([best], 5)
    with pytest.raises(sat.ArgumentError, match="belongs to 'best' and to 'rest'"):
        segment_grid([best, Segment("rest", r=(1, 4))], 5)
    with pytest.raises(sat.ArgumentError, match="twice"):
        segment_grid([best, Segment("best", r=(1, 3))], 5)
    with pytest.raises(sat.ArgumentError, match="scores up to 5"):
        sat.rfm(sales(), **WHO, as_of=AS_OF, bins=4)
    halves = (Segment("best", r=(3, 4)), Segment("rest", r=(1, 2)))
    assert set(sat.rfm(sales(), **WHO, as_of=AS_OF, bins=4, segments=halves).customers["segment"]) == {
        "best",
        "rest",
    }


@pytest.mark.parametrize("bad", [(0, 3), (3, 2), (1, 10), (1.5, 2), "12", 3, (1, 2, 3)])
def test_segment_bounds_are_scores(bad):
    with pytest.raises(sat.ArgumentError, match="range of scores"):
        Segment("x", m=bad)


def test_segment_table_adds_up():
    result = sat.rfm(sales(), **WHO, as_of=AS_OF)
    tidy = result.tidy()
    assert tidy["n"].sum() == result.n
    assert tidy["share"].sum() == pytest.approx(1)
    assert tidy["total"].sum() == pytest.approx(sales()["amount"].sum())
    scores = sat.rfm(sales(), **WHO, as_of=AS_OF, segments=None)
    assert "segment" not in scores.customers
    assert scores.tidy()["n"].sum() == result.n


# migration ------------------------------------------------------------------------------------------------
def test_migration_between_two_dates(engine):
    early, late = sales(seed=1), sales(seed=2)
    late["day"] += pd.Timedelta(days=60)
    both = pd.concat([early, late])
    before = sat.rfm(engine(early), **WHO, as_of=AS_OF)
    after = before.score(engine(both), as_of="2026-08-30")
    result = before.migration(after)
    moves = table(result.tidy())
    assert result.same_cuts
    a, b = (table(r.customers).set_index("customer")["segment"] for r in (before, after))
    joined = pd.concat([a, b], axis=1, keys=["a", "b"])
    for _, row in moves.iterrows():
        matches = [
            (joined[c].isna() if row[f"segment_{w}"] is None else joined[c] == row[f"segment_{w}"])
            for c, w in (("a", "before"), ("b", "after"))
        ]
        assert (matches[0] & matches[1]).sum() == row["n"]
    assert moves["n"].sum() == len(joined)
    assert result.n_stayed == (joined["a"] == joined["b"]).sum()
    assert (result.n_new, result.n_gone) == (joined["a"].isna().sum(), 0)
    assert result.n_stayed + result.n_moved + result.n_new == len(joined)


def test_migration_needs_results_that_belong_together():
    first = sat.rfm(sales(), **WHO, as_of=AS_OF)
    later = sat.rfm(sales(), **WHO, as_of="2026-07-30")
    assert not first.migration(later).same_cuts
    assert first.migration(first).n_moved == 0
    with pytest.raises(sat.ArgumentError, match="swap"):
        later.migration(first)
    with pytest.raises(sat.ArgumentError, match="same segments"):
        first.migration(sat.rfm(sales(), **WHO, as_of=AS_OF, segments=None))
    numbers = sales().assign(customer=lambda t: t["customer"].str[1:].astype(int))
    with pytest.raises(sat.ArgumentError, match="not the same customer"):
        first.migration(sat.rfm(numbers, **WHO, as_of=AS_OF))
    gone = first.migration(sat.rfm(sales()[::5], **WHO, as_of=AS_OF))
    assert gone.n_gone > 0


def test_frequency_may_count_days(engine):
    frame = sales(1500, 40)
    frame["day"] += pd.to_timedelta(np.random.default_rng(4).integers(0, 24, len(frame)), unit="h")
    frame.loc[[3, 9, 11], "amount"] *= -1
    result = sat.rfm(engine(frame), **WHO, as_of=AS_OF, frequency="days")
    orders = frame[frame["amount"] > 0]
    expected = orders.groupby("customer")["day"].agg(lambda d: d.dt.date.nunique())
    found = table(result.customers).set_index("customer")
    assert found["frequency"].to_dict() == expected.to_dict()
    plain = table(sat.rfm(engine(frame), **WHO, as_of=AS_OF).customers).set_index("customer")
    assert found["recency"].to_dict() == plain["recency"].to_dict()
    np.testing.assert_allclose(found["monetary"], plain["monetary"], rtol=1e-12)


# policies and bad input -----------------------------------------------------------------------------------
def with_rows(**columns):
    extra = pd.DataFrame(columns)
    frame = sales()
    return pd.concat([frame, extra.reindex(columns=frame.columns)], ignore_index=True)


def test_refunds_reduce_money_but_are_no_orders(engine):
    frame = with_rows(
        customer=["c001", "only-refunds"], day=pd.to_datetime(["2026-06-29"] * 2), amount=[-12.5, -3.0]
    )
    plain = table(sat.rfm(engine(sales()), **WHO, as_of=AS_OF).customers).set_index("customer")
    net = sat.rfm(engine(frame), **WHO, as_of=AS_OF)
    assert net.counts["n_refunds"] == 2
    assert net.counts["n_without_orders"] == 1
    found = table(net.customers).set_index("customer")
    assert found.loc["c001", "monetary"] == pytest.approx(plain.loc["c001", "monetary"] - 12.5)
    assert found["frequency"].tolist() == plain["frequency"].tolist()
    assert found["recency"].tolist() == plain["recency"].tolist()
    gross = sat.rfm(engine(frame), **WHO, as_of=AS_OF, refunds="gross")
    assert table(gross.customers)["monetary"].tolist() == plain["monetary"].tolist()
    assert gross.counts["n_refunds"] == 2


def test_rows_that_cant_be_used_are_left_out_and_counted(engine):
    frame = with_rows(
        customer=[None, "", "c001", "c002", "c003"],
        day=pd.to_datetime(["2026-06-29", "2026-06-29", None, "2026-06-29", "2026-06-29"]),
        amount=[5.0, 5.0, 5.0, np.nan, 0.0],
    )
    result = sat.rfm(engine(frame), **WHO, as_of=AS_OF)
    assert {k: result.counts[k] for k in ("n_no_customer", "n_no_date", "n_no_amount", "n_zero")} == {
        "n_no_customer": 2,
        "n_no_date": 1,
        "n_no_amount": 1,
        "n_zero": 1,
    }
    orders = table(result.customers)["frequency"].sum()
    assert orders == len(sales()) + 1  # the free order counts
    assert result.counts["n_rows"] == len(frame)


def test_transactions_after_as_of(engine):
    frame = engine(sales())
    late = int((sales()["day"] > "2026-06-20").sum())
    with pytest.raises(sat.SchemaError, match="not after as_of") as caught:
        sat.rfm(frame, **WHO, as_of="2026-06-20")
    assert (caught.value.column, caught.value.n_bad) == ("day", late)
    result = sat.rfm(frame, **WHO, as_of="2026-06-20", future="exclude")
    assert result.counts["n_future"] == late
    assert table(result.customers)["recency"].min() >= 0


def test_the_day_of_as_of_belongs_to_it(engine):
    frame = sales()
    frame["day"] = pd.Timestamp("2026-06-29 23:59:59")
    assert set(table(sat.rfm(engine(frame), **WHO, as_of="2026-06-29").customers)["recency"]) == {0}


@pytest.mark.parametrize(
    "as_of",
    [
        dt.date(2026, 6, 30),
        dt.datetime(2026, 6, 30, 15),
        pd.Timestamp("2026-06-30"),
        np.datetime64("2026-06-30"),
        "2026-06-30",
    ],
)
def test_as_of_may_be_any_kind_of_day(as_of):
    assert sat.rfm(sales(), **WHO, as_of=as_of).as_of == dt.date(2026, 6, 30)


@pytest.mark.parametrize("as_of", [None, "yesterday", "2026-13-01", 20260630, pd.NaT, np.datetime64("NaT")])
def test_as_of_is_never_guessed(as_of):
    with pytest.raises(sat.ArgumentError, match="as_of"):
        sat.rfm(sales(), **WHO, as_of=as_of)
    with pytest.raises(sat.ArgumentError, match="as_of is missing"):
        sat.rfm(sales(), **WHO)


def test_infinite_amounts_are_an_error(engine):
    frame = with_rows(customer=["c001"], day=pd.to_datetime(["2026-06-29"]), amount=[np.inf])
    with pytest.raises(sat.SchemaError, match="finite") as caught:
        sat.rfm(engine(frame), **WHO, as_of=AS_OF)
    assert (caught.value.column, caught.value.n_bad) == ("amount", 1)


def test_ids_that_a_float_cant_hold_are_an_error(engine):
    frame = sales()
    frame["customer"] = frame["customer"].str[1:].astype(float)
    assert len(table(sat.rfm(engine(frame), **WHO, as_of=AS_OF).customers)) == frame["customer"].nunique()
    frame.loc[3, "customer"] = 2.0**53 + 2
    data = engine(frame)
    if isinstance(data, pd.DataFrame) and "nt64" in str(data["customer"].dtype):
        return  # pandas' nullable frames made whole numbers of them, which are exact
    with pytest.raises(sat.SchemaError, match="last digits"):
        sat.rfm(data, **WHO, as_of=AS_OF)


def test_ids_that_are_nan_are_missing_ids():
    import polars as pl

    frame = pl.DataFrame(
        {
            "customer": [1.0, 2.0, float("nan"), None, 3.0],
            "day": [dt.date(2026, 1, 1)] * 5,
            "amount": [1.0, 2.0, 3.0, 4.0, float("nan")],
        }
    )
    result = sat.rfm(frame, **WHO, as_of=AS_OF, bins=2, segments=None)
    assert result.customers["customer"].to_list() == [1.0, 2.0]
    assert (result.counts["n_no_customer"], result.counts["n_no_amount"]) == (2, 1)


def test_dates_as_text_are_an_error(engine):
    frame = sales()
    frame["day"] = frame["day"].dt.strftime("%Y-%m-%d")
    frame.loc[0, "day"] = "2026-13-01"
    with pytest.raises(sat.SchemaError, match="'2026-13-01'") as caught:
        sat.rfm(engine(frame), **WHO, as_of=AS_OF)
    assert caught.value.column == "day"


def test_plain_python_dates_in_pandas():
    frame = sales()
    expected = sat.rfm(frame, **WHO, as_of=AS_OF).customers
    frame["day"] = frame["day"].dt.date
    pd.testing.assert_frame_equal(sat.rfm(frame, **WHO, as_of=AS_OF).customers, expected)
    frame.loc[4, "day"] = "soon"
    with pytest.raises(sat.SchemaError, match="'soon' in row 4"):
        sat.rfm(frame, **WHO, as_of=AS_OF)


def test_time_zones_count_days_where_the_dates_are(engine):
    frame = sales()
    local = frame.assign(day=frame["day"].dt.tz_localize("Asia/Shanghai"))
    expected = table(sat.rfm(engine(frame), **WHO, as_of=AS_OF).customers)["recency"].tolist()
    data = engine(local)
    if type(data).__module__.startswith(("duckdb", "_duckdb")):
        with pytest.raises(sat.EngineError, match="AT TIME ZONE"):
            sat.rfm(data, **WHO, as_of=AS_OF)
        return
    found = table(sat.rfm(data, **WHO, as_of=AS_OF).customers)["recency"].tolist()
    assert found == expected
    with pytest.raises(sat.ArgumentError, match="time zone"):
        sat.rfm(engine(frame), **WHO, as_of=pd.Timestamp(AS_OF, tz="UTC"))


def test_two_currencies_are_an_error(engine):
    frame = sales().assign(currency="EUR")
    assert sat.rfm(engine(frame), **WHO, as_of=AS_OF, currency="currency").n
    frame.loc[2, "currency"] = "USD"
    with pytest.raises(sat.ArgumentError, match="EUR, USD"):
        sat.rfm(engine(frame), **WHO, as_of=AS_OF, currency="currency")


def test_repeated_rows(engine):
    frame = sales()
    frame = frame.drop_duplicates()
    copied = engine(pd.concat([frame, frame[:7]]))
    once = table(sat.rfm(engine(frame), **WHO, as_of=AS_OF).customers)
    kept = sat.rfm(copied, **WHO, as_of=AS_OF)
    assert table(kept.customers)["frequency"].sum() == once["frequency"].sum() + 7
    assert "n_duplicates" not in kept.counts
    counted = sat.rfm(copied, **WHO, as_of=AS_OF, duplicates="count")
    assert counted.counts["n_duplicates"] == 7
    assert table(counted.customers).equals(table(kept.customers))
    dropped = sat.rfm(copied, **WHO, as_of=AS_OF, duplicates="drop")
    assert dropped.counts["n_duplicates"] == 7
    np.testing.assert_allclose(table(dropped.customers)["monetary"], once["monetary"])
    assert table(dropped.customers)["frequency"].tolist() == once["frequency"].tolist()
    with pytest.raises(sat.SchemaError, match="no transaction twice") as caught:
        sat.rfm(copied, **WHO, as_of=AS_OF, duplicates="error")
    assert (caught.value.column, caught.value.n_bad) == ("customer", 7)


def test_strange_column_names_are_only_names(engine):
    names = {"customer": 'cust"omer; drop table x', "day": "select", "amount": "sum_amount 😀.1"}
    frame = sales()
    result = sat.rfm(
        engine(frame.rename(columns=names)),
        customer=names["customer"],
        date=names["day"],
        amount=names["amount"],
        as_of=AS_OF,
    )
    assert (
        table(result.customers)["rfm"].tolist()
        == sat.rfm(frame, **WHO, as_of=AS_OF).customers["rfm"].tolist()
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"customer": "custmer"}, "Did you mean 'customer'"),
        ({"date": "amount"}, "three columns"),
        ({"bins": 1}, "2 to 9"),
        ({"bins": 10}, "2 to 9"),
        ({"bins": 4.5}, "2 to 9"),
        ({"rule": "ntile"}, "rule"),
        ({"refunds": "rows"}, "refunds"),
        ({"future": "drop"}, "future"),
        ({"frequency": "weeks"}, "frequency"),
        ({"duplicates": "merge"}, "duplicates"),
        ({"cuts": {"value": [1, 2, 3, 4]}}, "dimension"),
        ({"cuts": {"monetary": [1, 2, 3]}}, "bins=4"),
        ({"cuts": {"monetary": [1, 2, 4, 3]}}, "ascending"),
        ({"cuts": {"monetary": [1, 2, 3, np.nan]}}, "finite"),
        ({"cuts": {"monetary": ["a", "b", "c", "d"]}}, "no numbers"),
        ({"currency": "curency"}, "currency column"),
    ],
)
def test_wrong_parameters(change, words):
    with pytest.raises(sat.ArgumentError, match=words):
        sat.rfm(sales(), **{**WHO, "as_of": AS_OF, **change})


def test_a_customer_column_named_like_a_result():
    with pytest.raises(sat.ArgumentError, match="Rename"):
        sat.rfm(
            sales().rename(columns={"customer": "r"}), customer="r", date="day", amount="amount", as_of=AS_OF
        )


def test_the_input_is_not_changed():
    frame = sales()
    before = frame.copy(deep=True)
    sat.rfm(frame, **WHO, as_of=AS_OF)
    pd.testing.assert_frame_equal(frame, before)


def test_results_are_plain_and_can_be_kept():
    result = sat.rfm(sales(), **WHO, as_of=AS_OF)
    again = pickle.loads(pickle.dumps(result))
    pd.testing.assert_frame_equal(again.customers, result.customers)
    body = json.loads(result.to_json())
    assert body["kind"] == "rfm"
    assert body["glance"]["as_of"] == AS_OF
    assert len(body["tidy"]) == 10
    assert "Champions" in result._repr_html_()
    result.cuts["recency"] = ()  # a copy: the result keeps its own
    assert len(result.cuts["recency"]) == 4


@pytest.mark.parametrize("options", [{}, {"view": "grid"}])
def test_figure(options):
    pytest.importorskip("matplotlib")
    result = sat.rfm(sales(), **WHO, as_of=AS_OF)
    assert sat.plot(result, **options).axes
    assert sat.plot(sat.rfm(sales(), **WHO, as_of=AS_OF, segments=None)).axes
    later = result.score(pd.concat([sales(), sales(seed=2)]))
    assert sat.plot(result.migration(later)).axes
    with pytest.raises(sat.ArgumentError):
        sat.plot(result, view="pie")


@pytest.mark.parametrize(
    "wrong", [{"cuts": 5}, {"segments": 5}, {"segments": [5]}, {"segments": "Champions"}]
)
def test_tables_of_the_wrong_kind_are_said_in_words(wrong: dict[str, Any]) -> None:
    sales = pd.DataFrame({"c": list("abcdef"), "d": pd.Timestamp("2026-01-01"), "m": 1.0})
    with pytest.raises(sat.ArgumentError):
        sat.rfm(sales, customer="c", date="d", amount="m", as_of="2026-02-01", **wrong)
    whole = sat.rfm(sales, customer="c", date="d", amount="m", as_of="2026-02-01")
    with pytest.raises(sat.ArgumentError, match="two results of rfm"):
        whole.migration(5)  # type: ignore[arg-type]


def test_customers_counted_in_two_ways_do_not_migrate() -> None:
    sales = pd.DataFrame({"c": list("aabbcde"), "d": ["2026-01-01"] * 7, "a": [5.0, 5, 7, 8, 9, 1, 2]})
    sales["d"] = pd.to_datetime(sales["d"])
    names = {"customer": "c", "date": "d", "amount": "a", "as_of": "2026-02-01"}
    with pytest.raises(sat.ArgumentError, match="frequency='orders' and frequency='days'"):
        sat.rfm(sales, **names).migration(sat.rfm(sales, **names, frequency="days"))
