"""Draws the customers of the simulated service company, and what they do until they leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.datasets import service_truth as truth

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

START = np.datetime64("2025-01-01", "D")  # first day of the data
NEVER = np.iinfo(np.int64).max  # the end of a contract that goes on
NEW_SHARE = 0.25  # customers who join within the data
FEES = {"Basic": 19.0, "Plus": 29.0, "Premium": 49.0}
LOGINS = 4.0  # per month and customer on average
PURCHASES = 0.8  # per month and customer on average
REFUND_SHARE = 0.03
MEMORY = 3  # months for which a complaint or a late payment counts
EVENT_KINDS = ("login", "payment", "payment_late", "complaint", "complaint_resolved")


@dataclass(frozen=True)
class Calendar:
    """The months of the data as day numbers from the first day."""

    starts: Ints  # first day of each month, and the day after the last

    @classmethod
    def of(cls, months: int) -> Calendar:
        """Return the calendar of this many months."""
        firsts = START.astype("datetime64[M]") + np.arange(months + 1)
        return cls((firsts.astype("datetime64[D]") - START).astype(np.int64))

    @property
    def months(self) -> int:
        """Number of months."""
        return len(self.starts) - 1

    @property
    def days(self) -> int:
        """Number of days."""
        return int(self.starts[-1])

    def month_of(self, day: Ints) -> Ints:
        """Return the month of each day."""
        return np.searchsorted(self.starts, day, side="right") - 1

    def names(self) -> list[str]:
        """Return the months as text, such as 2025-01."""
        return [str(np.datetime64(START + d, "M")) for d in self.starts[:-1]]


def draw_starts(rng: np.random.Generator, n: int, calendar: Calendar) -> Ints:
    """Draw the first day of each contract, negative before the data begin."""
    joined_before = -rng.integers(30, 1500, n)
    joined_within = rng.integers(0, max(int(0.7 * calendar.days), 1), n)
    return np.where(rng.random(n) < NEW_SHARE, joined_within, joined_before)


def draw_invitations(rng: np.random.Generator, starts: Ints, calendar: Calendar) -> Ints:
    """Draw the day on which each customer is asked, once, after a month with the company."""
    first = np.clip(starts + 30, 0, calendar.days - 1)
    return first + (rng.random(len(starts)) * (calendar.days - first)).astype(np.int64)


@dataclass(frozen=True)
class Lives:
    """What happened to the customers month by month."""

    ends: Ints  # day of leaving, or NEVER
    mood: Array  # satisfaction in each month, shape (n, months)
    counts: Mapping[str, Bools]  # complaint, unrecovered, payment_late: shape (n, months)
    hazard: dict[str, NDArray[Any]]  # columns, one row per customer and month at risk


def draw_lives(rng: np.random.Generator, satisfaction: Array, starts: Ints, calendar: Calendar) -> Lives:
    """Let the customers live through the months: they complain, pay late, and some leave.

    A complaint that is not put right lowers the satisfaction of the months after it. The probability
    of leaving in a month depends only on what was so at its start.
    """
    n, months = len(satisfaction), calendar.months
    shifts = truth.month_shifts(months)
    ends = np.full(n, NEVER)
    drift = np.zeros(n)
    mood = np.zeros((n, months))
    happened = {
        kind: np.zeros((n, months), dtype=bool) for kind in ("complaint", "unrecovered", "payment_late")
    }
    rows: list[dict[str, NDArray[Any]]] = []
    joined = calendar.month_of(np.maximum(starts, 0))
    for t in range(months):
        at_risk = (ends == NEVER) & (joined <= t)
        mood[:, t] = satisfaction + drift
        recent: dict[str, Bools] = {
            kind: np.any(grid[:, max(t - MEMORY, 0) : t], axis=1) for kind, grid in happened.items()
        }
        logit = truth.CHURN["intercept"] + truth.CHURN["satisfaction"] * mood[:, t]
        for kind, past in recent.items():
            logit = logit + truth.CHURN[kind] * past
        hazard = 1 / (1 + np.exp(-logit))
        # nobody leaves in the month of joining: a month at risk is a whole month
        leaves = at_risk & (joined < t) & (rng.random(n) < hazard)
        length = calendar.starts[t + 1] - calendar.starts[t]
        day = calendar.starts[t] + (rng.random(n) * length).astype(np.int64)
        ends[leaves] = day[leaves]
        exposed = np.flatnonzero(at_risk & (joined < t))
        rows.append(
            {
                "customer": exposed + 1,
                "month": np.full(len(exposed), t),
                "satisfaction": mood[exposed, t],
                **{kind: past[exposed] for kind, past in recent.items()},
                "hazard": hazard[exposed],
                "churned": leaves[exposed],
            }
        )
        there = at_risk & ~leaves
        complains = there & (rng.random(n) < _logistic(-3.0 - 0.7 * mood[:, t] - 1.2 * shifts[t]))
        unrecovered = complains & (rng.random(n) > 0.6)
        happened["complaint"][:, t] = complains
        happened["unrecovered"][:, t] = unrecovered
        happened["payment_late"][:, t] = there & (rng.random(n) < _logistic(-2.9 - 0.3 * mood[:, t]))
        drift = 0.75 * drift - 0.6 * unrecovered
    table: dict[str, NDArray[Any]] = {n: np.concatenate([r[n] for r in rows]) for n in rows[0]}
    return Lives(ends, mood, happened, table)


def draw_events(
    rng: np.random.Generator, lives: Lives, starts: Ints, calendar: Calendar
) -> tuple[Ints, Ints, Ints]:
    """Draw the event log: customer (position), day, kind (position in EVENT_KINDS), in time order."""
    n = len(starts)
    habit = rng.gamma(2.0, LOGINS / 2.0, n)
    logins = rng.poisson(habit[:, None] * np.exp(0.35 * lives.mood - 0.06))
    who, month = _repeat(logins)
    parts = [(who, _day_in(rng, month, calendar), 0)]
    # everybody pays once a month, on a day of their own; who is late pays some days after it
    pay_day = rng.integers(0, 28, n)
    everyone, every_month = (a.ravel() for a in np.indices((n, calendar.months)))
    late = lives.counts["payment_late"].ravel()
    due = calendar.starts[every_month] + pay_day[everyone]
    parts.append((everyone[~late], due[~late], 1))
    parts.append((everyone[late], due[late] + rng.integers(5, 21, int(late.sum())), 2))
    who, month = _repeat(lives.counts["complaint"].astype(np.int64))
    day = _day_in(rng, month, calendar)
    parts.append((who, day, 3))
    right = ~lives.counts["unrecovered"][who, month]
    parts.append((who[right], day[right] + rng.integers(1, 11, int(right.sum())), 4))
    who = np.concatenate([p[0] for p in parts])
    day = np.concatenate([p[1] for p in parts])
    kind = np.concatenate([np.full(len(p[0]), p[2]) for p in parts])
    return _in_contract(who, day, kind, starts, lives.ends, calendar)


def draw_transactions(
    rng: np.random.Generator, loyalty: Array, ends: Ints, starts: Ints, calendar: Calendar
) -> tuple[Ints, Ints, Array]:
    """Draw purchases beside the contract: customer (position), day, amount; refunds are negative."""
    n = len(starts)
    habit = rng.gamma(1.2, PURCHASES / 1.2, n) * np.exp(0.3 * loyalty - 0.045)
    who, month = _repeat(rng.poisson(np.repeat(habit[:, None], calendar.months, axis=1)))
    day = _day_in(rng, month, calendar)
    usual = 3.2 + 0.4 * rng.standard_normal(n)  # log of the usual amount, about 25
    paid: Array = np.exp(usual[who] + 0.5 * rng.standard_normal(len(who)))
    back = rng.random(len(who)) < REFUND_SHARE
    who = np.concatenate([who, who[back]])
    day = np.concatenate([day, day[back] + rng.integers(1, 15, int(back.sum()))])
    amount: Array = np.round(np.concatenate([paid, -paid[back]]), 2).astype(np.float64)
    who, day, order = _in_contract(who, day, np.arange(len(who)), starts, ends, calendar)
    return who, day, amount[order]


def _logistic(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _repeat(counts: Ints) -> tuple[Ints, Ints]:
    """Return customer and month of each of the counted events."""
    n, months = counts.shape
    cell = np.repeat(np.arange(n * months), counts.ravel())
    return cell // months, cell % months


def _day_in(rng: np.random.Generator, month: Ints, calendar: Calendar) -> Ints:
    length = np.diff(calendar.starts)[month]
    return calendar.starts[month] + (rng.random(len(month)) * length).astype(np.int64)


def _in_contract(
    who: Ints, day: Ints, what: Ints, starts: Ints, ends: Ints, calendar: Calendar
) -> tuple[Ints, Ints, Ints]:
    """Leave out what lies outside a contract or the data, and sort by day."""
    kept = (day >= starts[who]) & (day < ends[who]) & (day < calendar.days)
    who, day, what = who[kept], day[kept], what[kept]
    order = np.lexsort((what, who, day))
    return who[order], day[order], what[order]
