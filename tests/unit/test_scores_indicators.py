"""Indicators of behaviour and of the service desk, by hand and against scipy."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.statistics.intervals import median_interval, rate_interval

EVENTS = pd.DataFrame(
    [
        ("a", "purchase", "2026-01-05", 1, "N"),
        ("a", "purchase", "2026-03-01", 0, "N"),
        ("a", "complaint", "2026-01-20", None, "N"),
        ("b", "purchase", "2026-01-07", 1, "N"),
        ("b", "complaint", "2026-02-01", None, "N"),
        ("b", "failure", "2026-02-01", None, "N"),
        ("c", "purchase", "2026-02-10", None, "S"),
        ("c", "praise", "2026-02-11", None, "S"),
        ("d", "enquiry", "2026-02-11", None, "S"),
        ("d", "visit", "2026-02-11", None, "S"),
        (None, "purchase", "2026-02-12", 1, "S"),
    ],
    columns=["customer", "kind", "date", "named", "region"],
)


def rows_of(result: Any) -> dict[str, Any]:
    tidy = result.tidy()
    tidy = tidy if isinstance(tidy, pd.DataFrame) else tidy.to_pandas()
    return {r["term"]: r for r in tidy.to_dict("records")}


def test_indicators_by_hand(engine: Any) -> None:
    found = rows_of(sat.indicators(engine(EVENTS), date="date", named="named", since=date(2026, 2, 1)))
    assert (found["reputation"]["events"], found["reputation"]["n"]) == (1, 3)
    assert (found["designation"]["events"], found["designation"]["n"]) == (3, 4)
    assert found["designation"]["n_missing"] == 1
    assert (found["return_rate"]["events"], found["return_rate"]["n"]) == (1, 2)
    assert found["complaint_rate"]["estimate"] == pytest.approx(
        100 * 2 / 5
    )  # one purchase without a customer
    assert found["sales_power"]["estimate"] == pytest.approx(100 * 5 / 1)
    assert (found["repurchase_rate"]["events"], found["repurchase_rate"]["n"]) == (1, 3)
    assert found["repurchase_frequency"]["estimate"] == pytest.approx(4 / 3)
    assert found["failure_rate"]["estimate"] == pytest.approx(20)
    assert (found["recovery"]["events"], found["recovery"]["n"]) == (1, 2)
    soon = sat.indicators(engine(EVENTS), date="date", recovery=timedelta(days=30))
    assert rows_of(soon)["recovery"]["events"] == 0


def test_indicators_by_group_and_words() -> None:
    words = EVENTS.assign(kind=EVENTS["kind"].replace({"purchase": "购买", "complaint": "投诉"}))
    found = sat.indicators(words, kinds={"purchase": "购买", "complaint": "投诉"}, by="region").tidy()
    # praise was not asked for, so there is no reputation
    assert set(found["term"]) == {"complaint_rate", "repurchase_rate", "repurchase_frequency"}
    assert found[found["term"] == "complaint_rate"]["estimate"].tolist() == pytest.approx([200 / 3, 0])
    assert len(sat.indicators(EVENTS[:0]).tidy()) == 0


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"kind": "kinds"}, sat.ArgumentError),
        ({"kinds": {"sale": "purchase"}}, sat.ArgumentError),
        ({"since": date(2026, 1, 1)}, sat.ArgumentError),
        ({"date": "region"}, sat.SchemaError),
        ({"named": "region"}, sat.SchemaError),
        ({"level": 95}, sat.ArgumentError),
        ({"date": "date", "by": "date"}, sat.ArgumentError),
    ],
)
def test_wrong_indicators(given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        sat.indicators(EVENTS, **given)


def test_an_indicator_can_be_compared_and_followed() -> None:
    rng = np.random.default_rng(1)
    events = pd.DataFrame(
        {
            "customer": rng.integers(0, 500, 4000),
            "kind": rng.choice(["purchase", "complaint"], 4000, p=[0.9, 0.1]),
            "month": rng.choice([f"2026-{m:02d}" for m in range(1, 7)], 4000),
        }
    )
    rate = sat.indicators(events, by="month").score("complaint_rate")
    chart = sat.control_chart(rate)
    tidy = chart.tidy()
    assert chart.chart == "u"
    centre = 100 * (events["kind"] == "complaint").sum() / (events["kind"] == "purchase").sum()
    assert tidy["centre"][0] == pytest.approx(centre)
    assert tidy["upper"][0] - centre == pytest.approx(3 * np.sqrt(centre / (tidy["n"][0] / 100)))
    assert sat.compare(rate).tidy()["p_value"].notna().all()
    assert len(sat.trend(rate).tidy()) == 1
    with pytest.raises(sat.ArgumentError, match="no indicator"):
        sat.indicators(events).score("sales")


def tickets() -> pd.DataFrame:
    opened = pd.Series(pd.to_datetime(["2026-01-01 08:00"] * 6)) + pd.to_timedelta(range(6), unit="h")
    waits = pd.Series(pd.to_timedelta([1, 3, 3, 4.25, None, None], unit="h"))
    solved = pd.Series(pd.to_timedelta([2, 30, None, 50, None, 90], unit="h"))
    return pd.DataFrame(
        {
            "opened": opened,
            "answered": opened + waits,
            "solved": opened + solved,
            "contacts": [1, 2, 1, 1, None, None],
            "severity": ["serious", "serious", "minor", "minor", "minor", "serious"],
        }
    )


def test_kpis_by_hand(engine: Any) -> None:
    frame = engine(tickets())
    drawn = sat.kpis(frame, responded="answered", severity="severity", as_of="2026-01-01T15:30")
    found = rows_of(drawn) | rows_of(sat.kpis(frame, resolved="solved", contacts="contacts"))
    assert found["response_time"]["estimate"] == 3
    assert (found["response_time"]["n"], found["response_time"]["n_missing"]) == (4, 2)
    assert found["resolution_time"]["estimate"] == 40
    assert (found["first_contact_resolution"]["events"], found["first_contact_resolution"]["n"]) == (2, 3)
    assert found["first_contact_resolution"]["n_missing"] == 1
    assert (found["resolution_rate"]["events"], found["resolution_rate"]["n"]) == (4, 6)
    # the open minor ticket of 12:00 is not due before 16:00; the open serious one of 13:00 was due at 15:00
    assert (found["service_level"]["events"], found["service_level"]["n"]) == (2, 5)
    assert found["service_level"]["n_missing"] == 1
    assert (found["service_level: serious"]["events"], found["service_level: serious"]["n"]) == (1, 3)
    assert (found["service_level: minor"]["events"], found["service_level: minor"]["n"]) == (1, 2)


def test_service_levels_are_a_parameter() -> None:
    data = tickets()[:4]
    slow = sat.kpis(
        data,
        responded="answered",
        severity="severity",
        service_levels={"minor": timedelta(hours=5)},
        other=None,
        by=["severity"],
    )
    found = slow.tidy()
    assert found["severity"].tolist() == ["minor"] * 3 + ["serious"] * 3
    assert found[found["term"] == "service_level"]["n"].tolist() == [2, 0]
    with pytest.raises(sat.ArgumentError, match="median"):
        slow.score("response_time")


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({}, sat.ArgumentError, "nothing to compute"),
        ({"contacts": "contacts"}, sat.ArgumentError, "resolved="),
        ({"responded": "answer"}, sat.ArgumentError, "Did you mean 'answered'"),
        ({"responded": "answered"}, sat.ArgumentError, "as_of="),
        ({"opened": "answered", "responded": "opened"}, sat.SchemaError, "a time of opening"),
        ({"responded": "severity"}, sat.SchemaError, "no times"),
        ({"responded": "contacts"}, sat.SchemaError, "holds no times"),
    ],
)
def test_wrong_tickets(given: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        sat.kpis(tickets(), **given)
    with pytest.raises(sat.SchemaError, match="not before the opening"):
        sat.kpis(tickets()[:4], opened="answered", responded="opened")
    with pytest.raises(sat.SchemaError, match="whole numbers"):
        sat.kpis(tickets().assign(contacts=0.5), resolved="solved", contacts="contacts")


def test_kpis_by_month_of_opening(engine: Any) -> None:
    rng = np.random.default_rng(2)
    n = 500
    opened = pd.Timestamp("2026-01-15") + pd.to_timedelta(rng.integers(0, 80 * 86_400, n), unit="s")
    waits = rng.exponential(3 * 3600, n).round()
    data = pd.DataFrame({"opened": opened, "answered": opened + pd.to_timedelta(waits, unit="s")})
    data["contacts"] = rng.integers(1, 4, n)
    data["solved"] = data["answered"].where(rng.random(n) < 0.8)
    found = sat.kpis(
        engine(data),
        responded="answered",
        resolved="solved",
        contacts="contacts",
        by=sat.Period("opened", "month"),
    )
    rows = {(str(r["opened"]), r["term"]): r for r in found.table.rows()}
    month = data["opened"].dt.to_period("M")
    for name, part in data.groupby(month):
        key = f"{name}-01"
        hours = (part["answered"] - part["opened"]).dt.total_seconds() / 3600
        assert rows[key, "response_time"]["estimate"] == pytest.approx(hours.median(), rel=1e-12)
        limits = median_interval(hours)
        assert rows[key, "response_time"]["conf_low"] == pytest.approx(limits[0])
        assert rows[key, "response_time"]["conf_high"] == pytest.approx(limits[1])
        assert rows[key, "service_level"]["events"] == (hours <= 4).sum()
        assert rows[key, "resolution_rate"]["events"] == part["solved"].notna().sum()
        solved = part[part["solved"].notna()]
        assert rows[key, "first_contact_resolution"]["events"] == (solved["contacts"] == 1).sum()
    chart = sat.control_chart(found.score("service_level"))
    assert (chart.chart, len(chart.table)) == ("p", month.nunique())


def test_waits_of_all_kinds_of_times(engine: Any) -> None:
    """Leap days, centuries, times before 1970, parts of a second: begun seconds on every engine."""
    opened = [
        "1899-12-31 23:59:59",
        "1969-12-31 12:00",
        "2000-02-28 10:00",
        "2100-02-28 10:00",
        "2024-12-31 20:00",
    ]
    ended = ["1900-03-01", "1970-01-01", "2000-03-01 10:00:00.25", "2100-03-01 10:00", "2025-01-01 04:00:01"]
    data = pd.DataFrame({"opened": opened, "answered": ended}).apply(pd.to_datetime, format="ISO8601")
    data = data.astype("datetime64[us]").assign(case=list("abcde"))
    found = sat.kpis(engine(data), responded="answered", by="case")
    seconds = [r["estimate"] * 3600 for r in found.table.rows() if r["term"] == "response_time"]
    assert seconds == pytest.approx([59 * 86_400 + 1, 43_200, 2 * 86_400 + 1, 86_400, 8 * 3600 + 1])


def test_times_as_texts_dates_and_with_zones() -> None:
    data = tickets()[:4]
    expected = sat.kpis(data, responded="answered").table
    texts = data.assign(opened=data["opened"].astype(str), answered=data["answered"].astype(str))
    assert sat.kpis(texts, responded="answered").table == expected
    zoned = data.assign(**{c: data[c].dt.tz_localize("Europe/Berlin") for c in ("opened", "answered")})
    assert sat.kpis(zoned, responded="answered").table == expected
    days = pd.DataFrame({"opened": [date(2026, 1, 1)], "answered": [date(2026, 1, 3)]})
    assert sat.kpis(days, responded="answered").table["estimate"][0] == 48
    with pytest.raises(sat.ArgumentError, match="time zone"):
        sat.kpis(data.assign(answered=zoned["answered"]), responded="answered")
    with pytest.raises(sat.ArgumentError, match="has no time zone"):
        sat.kpis(zoned, responded="answered", as_of="2026-01-02")
    aware = sat.kpis(
        tickets().assign(
            **{c: tickets()[c].dt.tz_localize("Europe/Berlin") for c in ("opened", "answered", "solved")}
        ),
        responded="answered",
        as_of="2026-01-01T14:30+00:00",
    )
    plain = sat.kpis(tickets(), responded="answered", as_of=datetime(2026, 1, 1, 15, 30))
    assert aware.table == plain.table


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"as_of": "soon"}, "as_of='soon' is no time"),
        ({"as_of": 5}, "as_of= takes datetime"),
        ({"other": 4}, "other= takes timedelta or None, not 4"),
        ({"service_levels": {"serious": timedelta(seconds=0.5)}}, "whole seconds"),
        ({"by": "shop"}, "column of the tickets"),
        ({"resolved": "answered"}, "two roles"),
    ],
)
def test_wrong_options_of_kpis(given: dict[str, Any], said: str) -> None:
    with pytest.raises(sat.ArgumentError, match=said):
        sat.kpis(tickets(), **{"responded": "answered", "as_of": "2026-01-02", **given})


def test_no_tickets(engine: Any) -> None:
    data = tickets().astype({"contacts": float, "severity": str})
    found = sat.kpis(engine(data[:0]), responded="answered", resolved="solved").table
    assert set(found["n"]) == {0}
    assert set(found["estimate"]) == {None}
    grouped = sat.kpis(engine(data[:0]), responded="answered", by="severity")
    assert len(grouped.table) == 0
    assert grouped.table.names[0] == "severity"


def test_rate_and_median_intervals_against_scipy() -> None:
    from scipy import stats

    for x, t in ((0, 10), (3, 100), (250, 40)):
        low, high = rate_interval(x, t)
        expected = (
            stats.chi2.ppf(0.025, 2 * x) / 2 / t if x else 0,
            stats.chi2.ppf(0.975, 2 * x + 2) / 2 / t,
        )
        assert (float(low), float(high)) == pytest.approx(expected)
    for n in (6, 20, 101, 5000):
        values = np.arange(1, n + 1)
        k = max(k for k in range(1, n) if stats.binom.cdf(k - 1, n, 0.5) <= 0.025)
        assert median_interval(values) == (k, n + 1 - k)
    assert np.isnan(median_interval([1, 2, 3])).all()
    assert np.isnan(median_interval([])).all()
    assert median_interval([3, 1, 2], counts=[5, 7, 9]) == median_interval([1] * 7 + [2] * 9 + [3] * 5)


def test_indicators_are_drawn() -> None:
    pytest.importorskip("matplotlib")
    for result in (
        sat.indicators(EVENTS, date="date", named="named"),
        sat.kpis(tickets()[:4], responded="answered", resolved="solved", severity="severity"),
    ):
        assert sat.plot(result)._repr_png_().startswith(b"\x89PNG")
        assert result.to_json() and len(result.glance()) == 1
    with pytest.raises(sat.ArgumentError, match="no indicator"):
        sat.plot(sat.indicators(EVENTS[:0]))


def test_events_without_a_customer_count_where_no_customer_is_needed() -> None:
    known = [("a", "purchase"), ("b", "purchase"), ("c", "purchase"), ("a", "complaint")]
    nobody = [(None, "purchase"), (None, "complaint"), (None, "praise"), (None, "enquiry"), (None, "failure")]
    events = pd.DataFrame([*known, *nobody], columns=["customer", "kind"])
    found = rows_of(sat.indicators(events.assign(day="2026-01-05"), date="day", since="2026-01-01"))
    assert (found["reputation"]["events"], found["reputation"]["n"]) == (1, 3)
    assert found["complaint_rate"]["estimate"] == 50
    assert found["sales_power"]["estimate"] == 400
    assert found["failure_rate"]["estimate"] == 25
    assert (found["repurchase_rate"]["n"], found["repurchase_rate"]["n_missing"]) == (3, 1)
    assert (found["recovery"]["n"], found["recovery"]["n_missing"]) == (1, 2)
    with pytest.raises(sat.ArgumentError, match="whole days"):
        sat.indicators(events, recovery=timedelta(hours=12))


def test_a_mean_indicator_is_charted_and_compared_as_the_same_mean_score() -> None:
    rng = np.random.default_rng(1)
    times = pd.DataFrame({"month": np.repeat(range(6), 6), "k": 1 + rng.poisson(2, 36)})
    times["customer"] = range(36)
    events = times.loc[times.index.repeat(times["k"])].assign(kind="purchase")
    mean = sat.mean_score(times, "k", by="month", scale=sat.Scale(1, 20))
    same = sat.indicators(events, by="month").score("repurchase_frequency")
    for column in ("centre", "upper", "z"):
        a, b = (sat.control_chart(r).tidy()[column].to_numpy() for r in (same, mean))
        np.testing.assert_allclose(a, b)
    a, b = (sat.compare(r).tidy()["effect_size"].to_numpy() for r in (same, mean))
    np.testing.assert_allclose(a, b)


def test_nothing_happens_after_the_table_was_drawn(engine: Any) -> None:
    frame = engine(tickets())
    with pytest.raises(sat.SchemaError, match="as_of is when the table was drawn"):
        sat.kpis(frame, responded="answered", as_of="2026-01-01 12:00")
    with pytest.raises(sat.SchemaError, match="'solved'"):
        sat.kpis(frame, resolved="solved", as_of="2026-01-02 12:00")
