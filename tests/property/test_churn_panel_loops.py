"""Every number of a churn panel against a plain loop over the raw rows: ties, borders, gaps, time zones, silence."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

BERLIN = ZoneInfo("Europe/Berlin")
CUTOFF = datetime(2024, 4, 10)  # ten days after clocks went forward in Berlin
KINDS = ("login", "complaint", "complaint_resolved", "payment")
DAY = timedelta(days=1)
NAN = float("nan")


def _days(length: timedelta) -> float:
    return length / DAY


def _rows(rng, observation, gap, horizon, n_customers):
    """Events on and beside every border, many at the same moment, on the clock of Berlin."""
    borders = [
        CUTOFF - observation,
        CUTOFF - 30 * DAY,
        CUTOFF,
        CUTOFF + gap,
        CUTOFF + gap + horizon,
    ]
    rows = []
    for _ in range(rng.integers(60, 160)):
        if rng.random() < 0.4:
            when = borders[rng.integers(len(borders))] + timedelta(seconds=int(rng.integers(-1, 2)))
        else:
            when = CUTOFF + timedelta(hours=int(rng.integers(-24 * 80, 24 * 40)))
        if when.date() == datetime(2024, 3, 31).date() and when.hour == 2:
            when += timedelta(hours=1)  # an hour that no clock showed
        rows.append(
            {
                "customer": f"c{rng.integers(n_customers - 1)}",  # the last one has no events
                "date": when,
                "kind": str(rng.choice(KINDS)),
                "amount": float(rng.integers(1, 9)) if rng.random() < 0.6 else NAN,
                "late": float(rng.integers(-3, 9)) if rng.random() < 0.5 else NAN,
                "via": str(rng.choice(["phone", "web"])) if rng.random() < 0.7 else None,
            }
        )
    return rows


def _slope(pairs):
    """Least squares per 30 days."""
    if len({t for t, _ in pairs}) < 2:
        return NAN
    if pairs[-1][0] - pairs[0][0] < timedelta(hours=1):
        return None  # a trend over seconds is anything
    x = np.array([_days(t - CUTOFF) / 30 for t, _ in pairs])
    y = np.array([v for _, v in pairs])
    return float(np.polyfit(x, y, 1)[0])


def _expected(rows, answers, start, observation, service):
    """Features of one customer by going through the rows."""
    low = CUTOFF - observation
    seen = sorted((r for r in rows if low <= r["date"] < CUTOFF), key=lambda r: r["date"])
    d = f"{_days(observation):g}"
    out = {"tenure_days": _days(CUTOFF - start)}
    for kind in KINDS:
        mine = [r["date"] for r in seen if r["kind"] == kind]
        recent = sum(t >= CUTOFF - 30 * DAY for t in mine)
        earlier_days = min(_days(CUTOFF - start), _days(observation)) - 30
        out[f"{kind}_count_{d}d"] = len(mine)
        out[f"{kind}_count_30d"] = recent
        out[f"{kind}_change_30d"] = (
            recent - (len(mine) - recent) * 30 / earlier_days if earlier_days >= 1 else NAN
        )
        out[f"{kind}_days_since"] = _days(CUTOFF - max(mine)) if mine else NAN
    for within, names in ((service, ("complaint_unresolved", "complaint_recovered_share")),):
        right = wrong = 0
        for r in seen:
            if r["kind"] != "complaint":
                continue
            solved = [
                q["date"]
                for q in rows
                if q["kind"] == "complaint_resolved" and r["date"] <= q["date"] < CUTOFF
            ]
            if solved and min(solved) - r["date"] <= within:
                right += 1
            elif r["date"] + within < CUTOFF:
                wrong += 1
        out[names[0]] = wrong
        out[names[1]] = right / (right + wrong) if right + wrong else NAN
    out["kinds_active"] = len({r["kind"] for r in seen})
    through = [r["via"] for r in seen if r["via"] is not None]
    for via in ("phone", "web"):
        out[f"via_{via}_share"] = through.count(via) / len(through) if through else NAN
    money = [r["amount"] for r in seen if r["amount"] == r["amount"]]
    out[f"amount_total_{d}d"] = sum(money)
    out[f"amount_mean_{d}d"] = sum(money) / len(money) if money else NAN
    late = sorted((r["date"], r["late"]) for r in seen if r["late"] == r["late"])
    out["late_last"] = late[-1][1] if late else NAN
    out[f"late_mean_{d}d"] = sum(v for _, v in late) / len(late) if late else NAN
    out["late_slope"] = _slope(late)
    said = sorted((t, v) for t, v in answers if low <= t < CUTOFF)
    out["score_last"] = said[-1][1] if said else NAN
    out["score_slope"] = _slope(said)
    out[f"score_answers_{d}d"] = len(said)
    out["score_days_since"] = _days(CUTOFF - said[-1][0]) if said else NAN
    return out


@pytest.mark.parametrize(("gap_days", "zoned"), [(0, False), (7, False), (0, True), (7, True)])
def test_every_feature_and_outcome_equals_a_loop(gap_days, zoned):
    for seed in range(8):
        rng = np.random.default_rng(100 * gap_days + seed)
        observation, gap = timedelta(days=int(rng.integers(32, 75))), timedelta(days=gap_days)
        horizon, service = timedelta(days=20), timedelta(hours=36)
        n_customers = 6
        rows = _rows(rng, observation, gap, horizon, n_customers)
        names = [f"c{i}" for i in range(n_customers)]
        starts = [CUTOFF - timedelta(days=int(rng.choice([2, 30, 31, 40, 200]))) for _ in names]
        starts[0] = CUTOFF  # not yet a customer
        ends = [
            [None, CUTOFF + gap, CUTOFF + gap - DAY, CUTOFF + gap + horizon, CUTOFF + gap + horizon - DAY][
                int(rng.integers(5))
            ]
            for _ in names
        ]
        ends[0] = None
        said = [
            (
                str(rng.choice(names)),
                CUTOFF + timedelta(days=int(rng.integers(-70, 5))),
                float(rng.integers(11)),
            )
            for _ in range(30)
        ]
        log = pd.DataFrame(rows)
        answers = pd.DataFrame(said, columns=["customer", "date", "score"])
        customers = pd.DataFrame({"customer": names, "start": starts, "end": pd.to_datetime(pd.Series(ends))})
        if zoned:  # the same moments, written in UTC
            log["date"] = log["date"].dt.tz_localize(BERLIN).dt.tz_convert("UTC")
            answers["date"] = answers["date"].dt.tz_localize(BERLIN).dt.tz_convert("UTC")
        options = dict(
            cutoffs=CUTOFF,
            window=sat.ChurnWindow(observation, gap, horizon),
            kind="kind",
            amount="amount",
            delay="late",
            channel="via",
            service_level=service,
            answers=answers,
            scores=["score"],
            timezone="Europe/Berlin" if zoned else None,
            observed_until=CUTOFF + timedelta(days=60),
        )
        contract = sat.churn_panel(log, customers, end="end", **options)
        silence = sat.churn_panel(log, customers, activity=["login", "payment"], **options)
        risk = [
            n
            for n, s, e in zip(names, starts, ends, strict=True)
            if s < CUTOFF and (e is None or e >= CUTOFF + gap)
        ]
        assert contract["customer"].tolist() == risk
        first, last = CUTOFF + gap, CUTOFF + gap + horizon
        by_name = dict(zip(names, zip(starts, ends, strict=True), strict=True))
        assert contract["churned"].tolist() == [
            int(by_name[n][1] is not None and first <= by_name[n][1] < last) for n in risk
        ]

        def active(name, low, high, rows=rows):
            return any(
                r["customer"] == name and r["kind"] in ("login", "payment") and low <= r["date"] < high
                for r in rows
            )

        alive = [
            n
            for n, s in zip(names, starts, strict=True)
            if s < CUTOFF and active(n, CUTOFF - observation, CUTOFF)
        ]
        assert silence["customer"].tolist() == alive
        assert silence["churned"].tolist() == [int(not active(n, first, last)) for n in alive]
        for panel in (contract, silence):
            features = [c for c in panel.columns if c not in ("customer", "cutoff", "churned")]
            for row in panel.to_dict("records"):
                mine = [r for r in rows if r["customer"] == row["customer"]]
                own = [(t, v) for n, t, v in said if n == row["customer"]]
                wanted = _expected(mine, own, by_name[row["customer"]][0], observation, service)
                assert set(features) <= set(wanted)
                for name in features:
                    if wanted[name] is None:
                        continue
                    assert row[name] == pytest.approx(wanted[name], rel=1e-6, abs=1e-8, nan_ok=True), (
                        seed,
                        name,
                    )
