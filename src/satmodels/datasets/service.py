"""A service company with a known truth: survey, transactions and event log, drawn from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from satmodels.datasets import service_truth as truth
from satmodels.datasets.service_answers import draw_answers, draw_constructs, expected_nps
from satmodels.datasets.service_events import (
    EVENT_KINDS,
    FEES,
    NEVER,
    START,
    Calendar,
    draw_events,
    draw_invitations,
    draw_lives,
    draw_starts,
    draw_transactions,
)
from satmodels.datasets.service_truth import ServiceTruth
from satmodels.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

    from satmodels.sem.model.spec import ModelSpec
    from satmodels.survey.survey import Survey

FEWEST_CUSTOMERS, MOST_CUSTOMERS = 20, 1_000_000
FEWEST_MONTHS, MOST_MONTHS = 3, 60


@dataclass(frozen=True)
class ServiceStudy:
    """A simulated service company.

    Attributes
    ----------
    answers : DataFrame
        One row per respondent, as the questionnaire left it: codes, with 99 (don't know) and 98
        (refused) among them, ``quality_faults`` worded the other way round, some careless answers.
        ``customer, date, month, region, plan``, then the questions. Effort was asked only of those
        with recent contact.
    transactions : DataFrame
        Purchases beside the contract: ``customer, date, amount``; refunds are negative.
    events : DataFrame
        ``customer, date, kind`` in order of time; kinds are login, payment, payment_late, complaint
        and complaint_resolved.
    customers : DataFrame
        ``customer, start, end, region, plan, fee``: the contract; ``end`` is missing while it lasts.
    truth : ServiceTruth
        What the data was drawn from.
    """

    answers: pd.DataFrame
    transactions: pd.DataFrame
    events: pd.DataFrame
    customers: pd.DataFrame
    truth: ServiceTruth

    @property
    def items(self) -> dict[str, list[str]]:
        """The items of each construct of the ECSI model."""
        return {construct: list(loadings) for construct, loadings in truth.LOADINGS.items()}

    @property
    def spec(self) -> ModelSpec:
        """The ECSI model of the study (:func:`satmodels.ecsi`) with its scales, for the prepared answers."""
        from satmodels.sem.model.templates import ecsi

        return ecsi(self.items).with_scales(dict.fromkeys(self.truth.loadings, (1, 10)))

    @property
    def survey(self) -> Survey:
        """The questionnaire as a typed survey."""
        from satmodels.datasets.service_survey import service_survey

        return service_survey(list(self.truth.quality_by_month))

    def __repr__(self) -> str:
        return (
            f"ServiceStudy({len(self.answers):,} answers, {len(self.customers):,} customers, "
            f"{len(self.transactions):,} transactions, {len(self.events):,} events)"
        )


def simulate_service(n: int = 2000, months: int = 12, seed: int = 1) -> ServiceStudy:
    """Simulate a service company whose truth is known.

    Customers have a satisfaction that follows an ECSI structure. Each is asked once, on a random day,
    if still a customer then. They log in, pay, buy and complain; dissatisfaction, complaints and above
    all complaints that nobody put right make them leave.

    Parameters
    ----------
    n : int, default 2000
        Number of customers, 20 to 1,000,000. Respondents are fewer: who leaves before being asked
        does not answer.
    months : int, default 12
        Months of data, 3 to 60, from January 2025. Two thirds into them a network failure lowers
        quality.
    seed : int, default 1
        The same seed gives the same data.

    Returns
    -------
    ServiceStudy
        With ``.answers``, ``.transactions``, ``.events``, ``.customers`` (pandas frames), ``.survey``,
        ``.items`` and ``.truth``.

    Raises
    ------
    ArgumentError
        A parameter is out of its range.

    Examples
    --------
    >>> from satmodels.datasets import simulate_service
    >>> study = simulate_service(n=500, seed=7)
    >>> len(study.customers), sorted(study.truth.kano)[:3]
    (500, ['clear_bill', 'fault_repair', 'free_roaming'])
    >>> study.truth.paths["Satisfaction", "Quality"]
    0.45
    """
    n = _whole("n", n, FEWEST_CUSTOMERS, MOST_CUSTOMERS)
    months = _whole("months", months, FEWEST_MONTHS, MOST_MONTHS)
    # a stream for each part, so that a change in one leaves the others as they are
    for_customers, for_constructs, for_lives, for_answers, for_events, for_purchases = (
        np.random.default_rng(s) for s in np.random.SeedSequence(_whole("seed", seed, 0, 2**63 - 1)).spawn(6)
    )
    calendar = Calendar.of(months)
    starts = draw_starts(for_customers, n, calendar)
    asked = draw_invitations(for_customers, starts, calendar)
    region = _draw_groups(for_customers, truth.REGIONS, n)
    plan = _draw_groups(for_customers, truth.PLANS, n)
    month = calendar.month_of(asked)
    constructs, dimensions = draw_constructs(for_constructs, region.tolist(), plan.tolist(), month, months)
    lives = draw_lives(for_lives, constructs["Satisfaction"], starts, calendar)

    answering = np.flatnonzero(asked < lives.ends)
    at_survey = {c: score[answering] for c, score in constructs.items()}
    codes, careless = draw_answers(for_answers, at_survey, dimensions[answering])
    nps = expected_nps(at_survey)
    ids = np.arange(1, n + 1)
    names = np.array(calendar.names(), dtype=object)
    who, day, kind = draw_events(for_events, lives, starts, calendar)
    buyer, bought, amount = draw_transactions(
        for_purchases, constructs["Loyalty"], lives.ends, starts, calendar
    )
    hazard = {**lives.hazard, "month": names[lives.hazard["month"].astype(np.intp)]}
    return ServiceStudy(
        answers=_frame(
            customer=ids[answering],
            date=_dates(asked[answering]),
            month=names[month[answering]],
            region=region[answering],
            plan=plan[answering],
            **codes,
        ),
        transactions=_frame(customer=ids[buyer], date=_dates(bought), amount=amount),
        events=_frame(customer=ids[who], date=_dates(day), kind=np.array(EVENT_KINDS, dtype=object)[kind]),
        customers=_frame(
            customer=ids,
            start=_dates(starts),
            end=_dates(lives.ends),
            region=region,
            plan=plan,
            fee=np.array([FEES[p] for p in plan]),
        ),
        truth=_truth(
            _frame(customer=ids[answering], **at_survey),
            _frame(**hazard),
            calendar,
            tuple(int(c) for c in ids[answering][careless]),
            nps,
        ),
    )


def _truth(
    constructs: Any, hazard: Any, calendar: Calendar, careless: tuple[int, ...], nps: float
) -> ServiceTruth:
    _, r2 = truth.construct_correlations()
    return ServiceTruth(
        paths={
            (target, source): b for target, sources in truth.PATHS.items() for source, b in sources.items()
        },
        r2=r2,
        loadings={item: loading for block in truth.LOADINGS.values() for item, loading in block.items()},
        constructs=constructs,
        nps=nps,
        kano={feature: kano_class for feature, (kano_class, _) in truth.KANO.items()},
        drivers=dict(truth.DRIVERS),
        gaps=truth.true_gaps(),
        quality_by_region={name: shift for name, (_, shift) in truth.REGIONS.items()},
        value_by_plan={name: shift for name, (_, shift) in truth.PLANS.items()},
        quality_by_month=dict(
            zip(calendar.names(), truth.month_shifts(calendar.months).tolist(), strict=True)
        ),
        careless=careless,
        churn=dict(truth.CHURN),
        hazard=hazard,
    )


def _whole(name: str, value: int, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ArgumentError(f"{name}={value!r}: give a whole number from {low:,} to {high:,}")
    return int(value)


def _draw_groups(
    rng: np.random.Generator, groups: dict[str, tuple[float, float]], n: int
) -> NDArray[np.object_]:
    shares = [share for share, _ in groups.values()]
    return np.array(list(groups), dtype=object)[rng.choice(len(groups), n, p=shares)]


def _dates(days: NDArray[np.int64]) -> NDArray[np.datetime64]:
    missing = days == NEVER
    dates = START + np.where(missing, 0, days).astype("timedelta64[D]")
    return np.where(missing, np.datetime64("NaT"), dates).astype("datetime64[ns]")


def _frame(**columns: Any) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns)
