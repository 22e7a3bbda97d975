"""Last part: which customers buy, which are about to leave, and whom to call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import satmodels as sat
from satmodels.demo.report import Section
from satmodels.demo.words import listed, number, shown
from satmodels.results import Table

if TYPE_CHECKING:
    from satmodels.datasets.service import ServiceStudy

WATCHED = 15  # length of the watch list in the report
FEES_SAVED = 12  # a customer who stays is taken to pay a year's fees


def rfm_segments(study: ServiceStudy) -> Section:
    """Sort the customers by recency, frequency and money."""
    section = Section("Who buys, and who has stopped buying?")
    today = _today(study)
    result = sat.rfm(study.transactions, customer="customer", date="date", amount="amount", as_of=today)
    rows = result.to_dict()["tidy"]
    best = max(rows, key=lambda row: row["total"])
    fading = [row for row in rows if row["segment"] in ("At Risk", "Can't Lose Them")]
    section.words = [
        f"{result.n:,} customers bought something beside their contract. They are sorted by how recently, how often "
        "and for how much; customers who are equal get equal scores, so that the segments don't depend on the order "
        "of a file.",
        f"{best['segment']} bring {number(100 * best['total_share'], 0)} % of this revenue. "
        f"{sum(row['n'] for row in fading):,} once good customers have not bought for a while "
        f"({listed([row['segment'] for row in fading])}).",
    ]
    columns = {"segment": "segment", "n": "customers", "share": "% of customers"}
    means = {"recency": "days since last", "frequency": "purchases", "monetary": "spent"}
    section.table(
        "Segments by recency, frequency and money",
        shown(rows, {**columns, **means, "total_share": "% of revenue"}, percent=["share", "total_share"]),
        digits=1,
    )
    section.figure("rfm", "Customers and revenue by segment", sat.plot(result))
    section.finding = (
        f"{best['segment']} bring {number(100 * best['total_share'], 0)} % of purchases; "
        f"{sum(row['n'] for row in fading):,} good customers are fading."
    )
    return section


def churn_warning(study: ServiceStudy) -> Section:
    """Learn from past months who leaves, test it on later ones, and list whom to call now."""
    section = Section("Who is about to leave?")
    window = sat.ChurnWindow(observation=90, gap=14, horizon=60)
    costs = sat.ChurnCosts(contact=2, incentive=20, value="value")
    customers = study.customers.assign(value=study.customers["fee"] * FEES_SAVED)
    log: dict[str, Any] = {
        "kind": "kind",
        "end": "end",
        "window": window,
        "attributes": ["value"],
        "answers": _answers_in_time(study),
        "scores": ["recommend", "satisfaction_overall"],
    }
    panel = sat.churn_panel(study.events, customers, cutoffs=_cutoffs(study, window), **log)
    train, test = next(iter(sat.CutoffSplit(1, window).split(panel)))
    past, later = panel.iloc[train], panel.iloc[test]
    model = sat.ChurnClassifier(costs=costs, window=window, random_state=1).fit(past)
    report = sat.churn_report(later["churned"], model.predict_proba(later)[:, 1])
    measures = report.to_dict()["glance"]
    now = sat.churn_panel(study.events, customers, cutoffs=[_today(study)], label=False, **log)
    final = sat.ChurnClassifier(costs=costs, window=window, random_state=1).fit(panel)
    everyone, watch = final.warn(now), final.warn(now, top=WATCHED)
    rate = float(later["churned"].mean())
    section.words = [
        f"Learned from {len(past):,} customer-months: each looks back {window.observation.days} days, leaves "
        f"{window.gap.days} days to act, and asks who ended the contract in the {window.horizon.days} days after "
        "that. Nothing that happened later enters, and the test lies wholly after what was learned from.",
        f"In the test {number(100 * rate)} % left. A leaver was ranked above a stayer in "
        f"{number(100 * measures['auc'], 0)} of 100 pairs; among the tenth with the highest risk "
        f"{number(measures['lift_10'])} times as many left as among all.",
        f"Today contacting pays for {len(everyone):,} of {len(now):,} customers: a call costs "
        f"{number(costs.contact, 0)}, the offer {number(costs.incentive, 0)}, about "
        f"{number(100 * costs.acceptance, 0)} % accept it and stay for a year.",
    ]
    section.table(
        "How good the warning was in the test",
        Table.of({"measure": list(_MEASURES.values()), "value": [measures[name] for name in _MEASURES]}),
        digits=3,
    )
    section.table(
        f"Watch list: the first {len(watch)} customers to call",
        shown(
            watch.to_dict(orient="records"),
            {
                "customer": "customer",
                "risk": "risk, %",
                "risk_low": "from",
                "risk_high": "to",
                "expected_loss": "expected loss",
                "reasons": "why",
            },
            percent=["risk", "risk_low", "risk_high"],
        ),
        digits=1,
    )
    section.figure(
        "churn", "Predicted against observed risk, and the gain from calling the riskiest", sat.plot(report)
    )
    section.finding = (
        f"{len(everyone):,} of {len(now):,} customers are worth a call now; together they put "
        f"{number(float(everyone['expected_loss'].sum()), 0)} of yearly fees at risk."
    )
    return section


_MEASURES = {
    "n": "customer-months in the test",
    "auc": "AUC (0.5 is chance)",
    "brier": "Brier score",
    "ece": "calibration error (ECE)",
    "lift_10": "lift in the top tenth",
}


def _today(study: ServiceStudy) -> Any:
    """Return the day after the last day of the data."""
    import pandas as pd

    return study.events["date"].max().normalize() + pd.Timedelta(days=1)


def _cutoffs(study: ServiceStudy, window: sat.ChurnWindow) -> list[Any]:
    """Return the first of each month that has an observation window before it and an outcome after it."""
    import pandas as pd

    first, last = study.events["date"].min(), _today(study)
    months = pd.date_range(first, last, freq="MS")
    outcome = window.gap + window.horizon
    return [m for m in months if m - window.observation >= first and m + outcome <= last]


def _answers_in_time(study: ServiceStudy) -> Any:
    """Return the answers with their dates; each enters only predictions made after it was given."""
    answers = study.survey.prepare(study.answers)
    return answers[["customer", "date", "recommend", "satisfaction_overall"]]
