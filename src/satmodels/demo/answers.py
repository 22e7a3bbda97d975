"""First part of the study: whether the answers are sound, and how satisfied the customers are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import satmodels as sat
from satmodels.demo.report import Section
from satmodels.demo.words import interval, listed, number, shown
from satmodels.results import Table

if TYPE_CHECKING:
    from satmodels.datasets.service import ServiceStudy

SIGNS = 2  # so many signs of carelessness must agree before a respondent is left out
_SCORE = {"estimate": "score", "conf_low": "from", "conf_high": "to", "n": "answers", "n_missing": "missing"}


def sound_answers(study: ServiceStudy) -> tuple[Section, Any]:
    """Check and prepare the survey; leave the careless answers out."""
    survey, answers = study.survey, study.answers
    section = Section("The survey and its quality")
    report = survey.check(answers)
    prepared = survey.prepare(answers)
    codes = Table.of(
        {
            "code": [f"{code} ({label})" for code, label in survey.missing_codes.items()],
            "cells": [int((answers == code).sum().sum()) for code in survey.missing_codes],
        }
    )
    items = [item for block in study.items.values() for item in block]
    # as they were given, before reverse items are turned: a straight line is one only then
    as_given = answers[items].mask(answers[items].isin(list(survey.missing_codes)))
    flags = sat.careless(as_given, items).to_dict()["tidy"]
    keep = [row["n_flags"] < SIGNS for row in flags]
    kept = prepared[keep].reset_index(drop=True)
    n_out = len(keep) - sum(keep)
    rules = report.to_dict()["tidy"]
    section.words = [
        f"{len(answers):,} customers answered {len(survey.items)} questions. Every answer was held against the "
        "questionnaire: "
        + (
            f"{number(sum(row['n_bad'] for row in rules), 0)} break one of its rules, listed below with the first "
            "rows concerned."
            if rules
            else "none breaks a rule."
        ),
        "Codes for “don't know” and “refused” were set to missing before anything was counted: taken as answers "
        "they would have been the highest scores of all. Questions worded the other way round were turned.",
        f"{n_out} respondents ({number(100 * n_out / len(keep))} %) show at least {SIGNS} signs of answering "
        "without reading (long runs of one answer, contradictions, answers unlike everybody's) and are left out of "
        "what follows. One sign alone is no reason to leave anybody out.",
    ]
    section.table("Codes set to missing", codes, digits=0)
    if rules:
        section.table(
            "Rules that answers break",
            shown(
                report, {"column": "question", "rule": "rule", "n_bad": "answers", "first_row": "first row"}
            ),
        )
    section.finding = (
        f"The data is usable: {len(kept):,} of {len(answers):,} respondents remain after the checks, "
        "and nothing was corrected silently."
    )
    return section, kept


def scores(study: ServiceStudy, answers: Any) -> Section:
    """Report NPS, CSAT, effort and the satisfaction index, over time and by segment."""
    survey = study.survey
    satisfaction = study.items["Satisfaction"]
    section = Section("How satisfied are the customers?")
    whole = [
        ("Net Promoter Score (-100 to 100)", sat.nps(answers, "recommend")),
        ("CSAT: % with a top-two answer", sat.csat(answers, satisfaction[0], survey=survey)),
        (
            "Customer effort: mean, 1 hard to 7 easy",
            sat.ces(answers, "effort", survey=survey, convention="mean"),
        ),
        ("Customer satisfaction index (0 to 100)", sat.csi(answers, satisfaction, survey=survey)),
    ]
    rows: list[dict[str, Any]] = [{"measure": name, **result.to_dict()["tidy"][0]} for name, result in whole]
    section.table(
        "The scores, with 95 % intervals (effort was asked only of customers with recent contact)",
        shown(rows, {"measure": "measure", **_SCORE}),
    )
    monthly = sat.nps(answers, "recommend", by="month")
    regional = sat.nps(answers, "recommend", by="region")
    chart = sat.control_chart(monthly)
    months = chart.to_dict()["tidy"]
    alerts = [row for row in months if row["alert"]]
    index = sat.csi(answers, satisfaction, survey=survey, by="region")
    plans = sat.csi(answers, satisfaction, survey=survey, by="plan")
    differences = sat.compare(index)
    nps, csi = rows[0], rows[3]
    by_region = sorted(index.to_dict()["tidy"], key=lambda row: row["estimate"])
    low, high = by_region[0], by_region[-1]
    reference = index.to_dict()["tidy"][0]["region"]
    real = [row for row in differences.to_dict()["tidy"] if row["p_adjusted"] < 0.05]
    section.words = [
        f"The Net Promoter Score is {interval(nps)}: the share of customers who would recommend the company minus "
        f"the share who would not. The satisfaction index is {interval(csi)} of 100. The brackets say how far the "
        "figure could be off because only some customers answered.",
        f"By month the NPS moves between {number(min(r['estimate'] for r in months))} and "
        f"{number(max(r['estimate'] for r in months))}. "
        + (
            f"{listed([r['month'] for r in alerts])} lie outside what chance alone would give: look for the reason."
            if alerts
            else "With so few answers a month that is still within what chance alone would give: no month leaves its "
            f"control limits, though {min(months, key=lambda r: r['z'])['month']} comes nearest from below."
        ),
        f"{low['region']} is least satisfied ({interval(low)}), {high['region']} most ({interval(high)}). "
        + (
            f"Set against {reference}, {listed([str(r['term']).removesuffix(f' - {reference}') for r in real])} "
            "differ by more than chance explains (Holm's correction for several comparisons)."
            if real
            else "The differences between regions are within what chance explains."
        ),
    ]
    section.table("NPS by month", shown(monthly, {"month": "month", **_SCORE}))
    section.table("NPS by region", shown(regional, {"region": "region", **_SCORE}))
    section.table("Satisfaction index by region", shown(index, {"region": "region", **_SCORE}))
    section.table(
        "Differences of the index between regions (p: adjusted for the number of comparisons)",
        shown(
            differences,
            {
                "term": "regions",
                "estimate": "points",
                "conf_low": "from",
                "conf_high": "to",
                "p_adjusted": "p",
                "detectable": "smallest that this sample could show",
            },
        ),
    )
    section.table("Satisfaction index by plan", shown(plans, {"plan": "plan", **_SCORE}))
    section.figure(
        "nps_by_month",
        "Net Promoter Score by month, with 95 % intervals",
        sat.plot(monthly, title="Net Promoter Score by month"),
    )
    section.figure(
        "nps_control", "The same months within the limits that chance alone gives", sat.plot(chart)
    )
    section.figure(
        "index_by_region",
        "Satisfaction index by region, with 95 % intervals",
        sat.plot(index, title="Satisfaction index by region"),
    )
    section.finding = (
        f"NPS {interval(nps)}; satisfaction index {interval(csi)} of 100, lowest in {low['region']} "
        f"({number(low['estimate'])}) and highest in {high['region']} ({number(high['estimate'])})."
    )
    return section
