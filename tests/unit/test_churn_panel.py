"""The panel: windows, risk, outcome, features of the past alone, on every engine."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.churn.reasons import in_words
from satmodels.intake.frames import open_frame


def _columns(frame):
    opened = open_frame(frame)
    return {name: opened.values(name) for name in opened.columns}


def _tiny():
    """Three customers around the cutoff 2024-04-01, window 90 / 10 / 30 days."""
    events = pd.DataFrame(
        [
            (
                "a",
                "2024-01-02",
                "login",
                np.nan,
            ),  # one day before the observation window begins (2024-01-02 is in it)
            ("a", "2024-01-01 23:59:59", "login", np.nan),  # just outside
            ("a", "2024-03-31 23:59:59", "login", np.nan),  # just inside
            ("a", "2024-04-01", "login", np.nan),  # the cutoff itself: the future
            ("b", "2024-03-01", "complaint", np.nan),
            ("b", "2024-03-05", "complaint_resolved", np.nan),
            ("b", "2024-03-20", "purchase", 10.0),
            ("b", "2024-03-25", "purchase", 20.5),
            ("b", "2024-04-05", "complaint", np.nan),  # in the gap: seen by nothing
            ("c", "2024-03-10", "complaint", np.nan),
            ("c", "2024-05-30", "login", np.nan),
        ],
        columns=["customer", "date", "kind", "amount"],
    )
    events["date"] = pd.to_datetime(events["date"], format="mixed")
    customers = pd.DataFrame(
        {
            "customer": ["a", "b", "c", "d", "e", "f"],
            "start": pd.to_datetime(
                ["2023-01-01", "2024-02-01", "2023-06-01", "2024-04-01", "2023-01-01", "2023-01-01"]
            ),
            # a stays; b leaves on the first day that counts; c on the first day after; e in the gap; f earlier
            "end": pd.to_datetime([None, "2024-04-11", "2024-05-11", None, "2024-04-10", "2024-01-01"]),
            "plan": ["x", "y", None, "x", "y", "y"],
        }
    )
    return events, customers


WINDOW = sat.ChurnWindow(observation=90, gap=10, horizon=30)


def _panel(events, customers, **options):
    return sat.churn_panel(
        events,
        customers,
        cutoffs="2024-04-01",
        window=WINDOW,
        **({"kind": "kind", "amount": "amount", "end": "end", "attributes": ["plan"]} | options),
    )


def test_who_is_at_risk_what_counts_and_what_is_seen():
    panel = _panel(*_tiny()).set_index("customer")
    # d starts at the cutoff, e leaves in the gap, f has left before: nobody can be warned about them
    assert list(panel.index) == ["a", "b", "c"]
    assert panel["churned"].tolist() == [0, 1, 0]
    assert panel["login_count_90d"].tolist() == [2, 0, 0]
    assert panel["login_count_30d"].tolist() == [1, 0, 0]
    assert panel.loc["a", "login_days_since"] == pytest.approx(1 / 86400)
    assert panel["complaint_count_90d"].tolist() == [0, 1, 1]
    assert panel["complaint_unresolved"].tolist() == [0, 0, 1]
    assert panel["tenure_days"].tolist() == [456, 60, 305]
    assert panel["amount_total_90d"].tolist() == [0, 30.5, 0]
    assert panel.loc["b", "amount_mean_90d"] == 15.25 and np.isnan(panel.loc["a", "amount_mean_90d"])
    # b: 2 purchases in 30 days, none in the 30 of its 60 days before; per 30 days
    assert panel.loc["b", "purchase_change_30d"] == 2
    assert panel["plan"].tolist()[:2] == ["x", "y"] and panel["plan"].isna()["c"]


def test_every_engine_gives_the_same_panel(engine):
    events, customers = _tiny()
    expected = _columns(_panel(events, customers))
    found = _columns(_panel(engine(events), engine(customers)))
    assert list(found) == list(expected)
    for name, values in expected.items():
        if name in ("customer", "plan"):
            assert found[name] == values
        elif name == "cutoff":
            assert [pd.Timestamp(v) for v in found[name]] == [pd.Timestamp(v) for v in values]
        else:
            assert [np.nan if v is None else v for v in found[name]] == pytest.approx(
                [np.nan if v is None else v for v in values], nan_ok=True
            )


def test_the_order_of_rows_changes_nothing():
    study = sat.datasets.simulate_service(n=80, months=8, seed=5)
    options = dict(
        cutoffs=["2025-05-01", "2025-06-01"], window=sat.ChurnWindow(60, 7, 30), kind="kind", end="end"
    )
    one = sat.churn_panel(study.events, study.customers, **options)
    other = sat.churn_panel(study.events.sample(frac=1, random_state=1), study.customers, **options)
    pd.testing.assert_frame_equal(one, other)


def test_changing_the_future_changes_no_feature():
    study = sat.datasets.simulate_service(n=150, months=10, seed=6)
    cutoff = pd.Timestamp("2025-06-01")
    window = sat.ChurnWindow(90, 14, 60)
    options = dict(
        cutoffs=[cutoff], window=window, kind="kind", end="end", answers=study.answers, scores=["recommend"]
    )
    panel = sat.churn_panel(study.events, study.customers, **options)
    past = study.events[study.events["date"] < cutoff]
    later = past.assign(date=past["date"] + pd.Timedelta(days=400), kind="login")
    changed = sat.churn_panel(
        pd.concat([past, later]),
        study.customers,
        **(options | {"answers": study.answers[study.answers["date"] < cutoff]}),
    )
    pd.testing.assert_frame_equal(panel, changed)


def test_matches_a_plain_computation_with_pandas():
    study = sat.datasets.simulate_service(n=120, months=9, seed=7)
    cutoff, window = pd.Timestamp("2025-06-01"), sat.ChurnWindow(90, 10, 45)
    panel = sat.churn_panel(
        {"use": study.events, "purchase": study.transactions},
        study.customers,
        cutoffs=cutoff,
        window=window,
        kind="kind",
        amount="amount",
        end="end",
        answers=study.answers,
        scores=["recommend"],
    ).set_index("customer")
    opened = cutoff - pd.Timedelta(days=90)
    seen = study.events[study.events["date"].between(opened, cutoff, inclusive="left")]
    for kind in ("login", "complaint", "payment"):
        counts = seen[seen.kind == kind].groupby("customer").size().reindex(panel.index, fill_value=0)
        assert panel[f"{kind}_count_90d"].tolist() == counts.tolist()
        last = (cutoff - seen[seen.kind == kind].groupby("customer").date.max()).dt.days.reindex(panel.index)
        assert panel[f"{kind}_days_since"].tolist() == pytest.approx(last.tolist(), nan_ok=True)
    bought = study.transactions[study.transactions["date"].between(opened, cutoff, inclusive="left")]
    total = bought.groupby("customer").amount.sum().reindex(panel.index, fill_value=0)
    assert panel["amount_total_90d"].tolist() == pytest.approx(total.tolist())
    end = study.customers.set_index("customer").end.reindex(panel.index)
    low, high = cutoff + pd.Timedelta(days=10), cutoff + pd.Timedelta(days=55)
    assert panel["churned"].tolist() == ((end >= low) & (end < high)).astype(int).tolist()


def test_slope_is_least_squares_per_30_days():
    rng = np.random.default_rng(2)
    days = np.sort(rng.integers(1, 89, 6))
    values = rng.normal(size=6)
    cutoff = pd.Timestamp("2024-06-01")
    answers = pd.DataFrame({"customer": 1, "date": cutoff - pd.to_timedelta(days, unit="D"), "nps": values})
    answers.loc[len(answers)] = [2, cutoff - pd.Timedelta(days=3), 5.0]
    events = pd.DataFrame({"customer": [1, 2], "date": [cutoff - pd.Timedelta(days=5)] * 2})
    panel = sat.churn_panel(
        events,
        cutoffs=cutoff,
        window=sat.ChurnWindow(90, 0, 30),
        answers=answers,
        scores=["nps"],
        label=False,
    )
    assert panel["nps_slope"][0] == pytest.approx(np.polyfit(-days / 30, values, 1)[0])
    assert np.isnan(panel["nps_slope"][1])
    assert panel["nps_last"].tolist() == [values[0], 5.0]


def test_inactivity_is_churn_without_an_end_column():
    events, _ = _tiny()
    panel = _panel(events, None, end=None, attributes=[]).set_index("customer")
    # outcome in [04-11, 05-11): nobody has an event there
    assert panel["churned"].tolist() == [1, 1, 1]
    calm = _panel(events, None, end=None, attributes=[], activity=["purchase"])
    assert calm["customer"].tolist() == ["b"]


def test_time_zone_decides_the_day():
    events = pd.DataFrame(
        {"customer": [1, 1], "date": pd.to_datetime(["2024-03-31 22:30", "2024-01-15 00:00"], utc=True)}
    )
    options = dict(cutoffs="2024-04-01", window=sat.ChurnWindow(90, 0, 30), label=False)
    with pytest.raises(sat.ArgumentError, match="timezone="):
        sat.churn_panel(events, **options)
    london = sat.churn_panel(events, timezone="UTC", **options)
    berlin = sat.churn_panel(events, timezone="Europe/Berlin", **options)  # 00:30 on 1 April there
    assert london["event_count_30d"].tolist() == [1] and berlin["event_count_30d"].tolist() == [0]
    with pytest.raises(sat.ArgumentError, match="Mars"):
        sat.churn_panel(events, timezone="Mars/Olympus", **options)


def test_an_own_feature_sees_only_the_past():
    events, customers = _tiny()

    @sat.churn_feature("calm", "No event in the last week", risk=1)
    def calm(history):
        assert history.cutoff.isoformat() == "2024-04-01T00:00:00"
        return history.count(days=7) == 0

    panel = _panel(events, customers, features=[calm])
    assert list(panel.columns) == ["customer", "cutoff", "calm", "churned"]
    assert panel["calm"].tolist() == [0.0, 0.0, 1.0]

    for wrong in (dict(days=91), dict(days=5, until=-1), dict(days=0), dict(days=5, until=5)):
        future = sat.churn_feature("future", "Looks ahead")(lambda h, wrong=wrong: h.count(**wrong))
        with pytest.raises(sat.ArgumentError, match="future"):
            _panel(events, customers, more_features=[future])
    short = sat.churn_feature("short", "Wrong length")(lambda h: np.zeros(2))
    with pytest.raises(sat.DataError, match="one value for each of the 3 customers"):
        _panel(events, customers, features=[short])
    with pytest.raises(sat.ArgumentError, match="two features"):
        _panel(events, customers, features=[calm, calm])


def test_a_date_after_the_cutoff_is_not_known_yet():
    events, customers = _tiny()
    customers["upgrade"] = pd.to_datetime(["2024-03-22", "2024-04-02", None, None, None, None])
    panel = _panel(events, customers, attributes=["upgrade"])
    assert panel["upgrade"].tolist() == pytest.approx([10, np.nan, np.nan], nan_ok=True)


def test_dictionary_describes_every_column():
    events, _ = _tiny()
    features = sat.churn_features(events, window=WINDOW, kind="kind", amount="amount", attributes=["plan"])
    listed = sat.feature_dictionary(features)
    panel = _panel(*_tiny())
    assert listed["feature"].tolist() == panel.columns[2:-1].tolist()
    assert listed["description"].str.len().gt(10).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (dict(cutoffs="2024-06-01"), sat.ArgumentError, "last possible cutoff is 2024-04-21"),
        (dict(cutoffs=[]), sat.ArgumentError, "at least one date"),
        (dict(cutoffs=["x"]), sat.ArgumentError, "no date"),
        (dict(cutoffs=[20240401]), sat.ArgumentError, "is a number"),
        (dict(cutoffs=["2024-04-01", "2024-04-01"]), sat.ArgumentError, "given twice"),
        (dict(cutoffs="1999-01-01"), sat.DataError, "nobody is at risk"),
        (dict(kind="knd"), sat.ArgumentError, "Did you mean 'kind'"),
        (dict(amount="date"), sat.ArgumentError, "serves twice"),
        (dict(attributes=["price"]), sat.ArgumentError, "price"),
        (dict(scores=["nps"]), sat.ArgumentError, "answers="),
        (dict(activity=["walk"], end=None), sat.ArgumentError, "walk"),
        (dict(end=None), sat.ArgumentError, "say end='end'"),
    ],
)
def test_wrong_arguments_say_what_to_do(change, error, message):
    events, customers = _tiny()
    options = dict(cutoffs="2024-04-01", window=WINDOW, kind="kind", amount="amount", end="end") | change
    with pytest.raises(error, match=message):
        sat.churn_panel(events, customers, **options)


def test_bad_data_names_column_and_row(engine):
    events, customers = _tiny()
    with pytest.raises(sat.SchemaError) as caught:
        _panel(engine(events), engine(customers.assign(end=customers["start"])))
    assert (caught.value.column, caught.value.row, caught.value.n_bad) == ("end", 0, 6)
    twice = pd.concat([customers, customers.iloc[[1]]], ignore_index=True)
    with pytest.raises(sat.SchemaError, match="one row per customer") as caught:
        _panel(engine(events), engine(twice))
    assert caught.value.value == "b" and caught.value.n_bad == 2
    lost = events.assign(customer=[None, *events["customer"][1:]])
    with pytest.raises(sat.SchemaError, match="not missing"):
        _panel(engine(lost), engine(customers))


def test_ids_of_two_types_are_refused():
    events, customers = _tiny()
    numbers = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6}
    with pytest.raises(sat.ArgumentError, match="same customer is the same"):
        _panel(events, customers.assign(customer=customers["customer"].map(numbers)))
    with pytest.raises(sat.SchemaError, match="2\\*\\*53"):
        _panel(events.assign(customer=1e17), None, end=None, attributes=[])


def test_the_frames_are_left_as_they_are():
    events, customers = _tiny()
    before = events.copy(), customers.copy()
    _panel(events, customers)
    pd.testing.assert_frame_equal(events, before[0])
    pd.testing.assert_frame_equal(customers, before[1])


def test_window_takes_days_or_timedelta_and_refuses_the_rest():
    assert sat.ChurnWindow(90, 14, 30) == sat.ChurnWindow(
        observation=timedelta(days=90), gap=timedelta(days=14), horizon=np.timedelta64(30, "D")
    )
    assert sat.ChurnWindow.model_validate_json(
        '{"observation": 90, "gap": 0.5, "horizon": 7}'
    ).gap == timedelta(hours=12)
    for wrong in (
        (90, 14, 0),
        (90, 14, -3),
        (90, 14, float("nan")),
        (90, -1, 30),
        (0, 1, 1),
        (90, 1, "x"),
        (1e9, 1, 1),
    ):
        with pytest.raises(sat.ArgumentError):
            sat.ChurnWindow(*wrong)
    with pytest.raises(sat.ArgumentError, match="horizn"):
        sat.ChurnWindow(observation=90, gap=14, horizn=30)


def _contacts():
    rows = [
        ("a", "2024-02-01", "complaint", None, "phone"),
        ("a", "2024-02-02 12:00", "complaint_resolved", None, "web"),
        ("a", "2024-02-05", "complaint", None, "web"),
        ("a", "2024-02-08", "complaint_resolved", None, "web"),
        ("a", "2024-03-01", "payment", 3.0, None),
        ("a", "2024-03-31", "payment", 9.0, None),
        ("a", "2024-04-01", "payment", 99.0, "letter"),  # the cutoff: the future
        ("b", "2024-02-05", "login", None, None),
        ("b", "2024-03-31", "complaint", None, "phone"),  # not decided yet
        ("z", "2024-03-01", "payment", 50.0, "phone"),  # no customer
    ]
    events = pd.DataFrame(rows, columns=["customer", "date", "kind", "days_late", "via"])
    events["date"] = pd.to_datetime(events["date"], format="mixed")
    customers = pd.DataFrame({"customer": ["a", "b"], "start": pd.to_datetime(["2023-01-01"] * 2)})
    return events, customers


DECLARED = {"kind": "kind", "channel": "via", "delay": "days_late"}


def _declared(events, customers, **options):
    options = {"service_level": 1.5, "cutoffs": "2024-04-01", "label": False, **DECLARED, **options}
    return sat.churn_panel(events, customers, window=WINDOW, **options)


def test_channels_delays_and_service_level(engine):
    events, customers = _contacts()
    found = _columns(_declared(engine(events), engine(customers)))
    wanted = {
        "via_letter_share": [0, 0],
        "via_phone_share": [0.25, 1],
        "via_web_share": [0.75, 0],
        "days_late_last": [9, np.nan],
        "days_late_mean_90d": [6, np.nan],
        "days_late_slope": [6, np.nan],
        "complaint_recovered_share": [0.5, np.nan],
        "complaint_unresolved": [1, 0],
    }
    for name, values in wanted.items():
        given = [np.nan if v is None else v for v in found[name]]
        assert given == pytest.approx(values, nan_ok=True), name
    features = sat.churn_features(engine(events), window=WINDOW, service_level=1.5, **DECLARED)
    assert [f.name for f in features] == list(found)[2:]
    said = {f.name: f for f in features}
    assert "36 hours" in said["complaint_recovered_share"].description
    assert (said["complaint_recovered_share"].risk, said["days_late_mean_90d"].risk) == (-1, 1)


def test_a_service_level_is_a_length_within_the_window():
    events, customers = _contacts()
    hours = _declared(events, customers, service_level=timedelta(hours=36))
    pd.testing.assert_frame_equal(hours, _declared(events, customers))
    assert _declared(events, customers, service_level=3)["complaint_recovered_share"][0] == 1
    assert "complaint_recovered_share" not in _declared(events, customers, service_level=None)
    for wrong in (0, -1, float("nan"), 90, timedelta(0), "a week", True):
        with pytest.raises(sat.ArgumentError, match="service_level"):
            _declared(events, customers, service_level=wrong)


def test_declared_columns_that_can_not_be_are_refused():
    events, customers = _contacts()
    with pytest.raises(sat.ArgumentError, match="more than 30 different values"):
        _declared(events.loc[events.index.repeat(4)].assign(via=[str(i) for i in range(40)]), customers)
    with pytest.raises(sat.ArgumentError, match="channel column 'vai'"):
        _declared(events, customers, channel="vai")
    with pytest.raises(sat.ArgumentError, match="serves twice"):
        _declared(events, customers, amount="days_late")
    with pytest.raises(sat.SatmodelsError, match="via"):
        _declared(events, customers, delay="via", channel=None)


def test_numbers_of_several_logs_are_added_up():
    events, customers = _contacts()
    late = events[["customer", "date", "days_late"]].dropna()
    options = {"cutoffs": "2024-04-01", "label": False, "amount": "days_late", "window": WINDOW}
    panel = sat.churn_panel({"shop": late, "site": late.assign(days_late=1.0)}, customers, **options)
    assert panel["days_late_total_90d"][0] == 14


def test_shares_are_read_out_in_percent():
    assert in_words("via_phone_share", 0.25) == "via phone share 25 %"
    assert in_words("complaint_recovered_share", 0.5) == "50 % of complaint put right in time"
    assert in_words("complaint_recovered_share", None) == "no complaint decided yet"
    assert in_words("market_share", 35.0) == "market share 35"
    assert in_words("days_late_last", np.nan) == "no days late in the time observed"


def test_a_far_end_is_no_end_and_not_the_end_of_the_data():
    study = sat.datasets.simulate_service(n=200, seed=4)
    window = sat.ChurnWindow(90, 14, 60)
    options = dict(kind="kind", end="end", window=window)
    far = study.customers.assign(end=study.customers["end"].fillna(pd.Timestamp("2099-12-31")))
    times = [
        sat.churn_panel(study.events, table, cutoffs="2025-10-01", label="time", **options)
        for table in (study.customers, far)
    ]
    assert times[1]["time"].tolist() == times[0]["time"].tolist() and times[0]["left"].mean() < 0.5
    assert times[1]["left"].tolist() == times[0]["left"].tolist()
    with pytest.raises(sat.ArgumentError, match="not over"):  # it was a panel in which nobody left
        sat.churn_panel(study.events, far, cutoffs="2026-06-01", **options)
