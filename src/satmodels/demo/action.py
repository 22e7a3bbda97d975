"""Third part: what to improve first."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import satmodels as sat
from satmodels.demo.report import Section
from satmodels.demo.words import listed, number, shown

if TYPE_CHECKING:
    from satmodels.datasets.service import ServiceStudy

_CLASSES = {
    "M": "must-be: expected, and sorely missed when absent",
    "O": "one-dimensional: the more the better",
    "A": "attractive: not expected, delights",
    "I": "indifferent: makes no difference",
    "R": "reverse: customers would rather not have it",
    "Q": "questionable answers",
}
DRIVERS = ("Quality", "Value", "Image")  # constructs whose items management can act on


def kano_classes(study: ServiceStudy, answers: Any) -> Section:
    """Classify the features that were asked in pairs."""
    section = Section("Which features are expected, which delight?")
    pairs = [item for item in study.survey.items if isinstance(item, sat.KanoPair)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sat.SatmodelsWarning)  # a reverse feature looks like swapped columns
        result = sat.kano(answers, pairs)
    rows = result.to_dict()["tidy"]
    classes = {c: [row["feature"] for row in rows if row["category"] == c] for c in _CLASSES}
    section.words = [
        "Customers said how they feel if a feature is there, and if it is not. Both answers together place it:",
        *(f"{listed(features).capitalize()}: {_CLASSES[c]}." for c, features in classes.items() if features),
        "“Better” is the share of customers whom the feature can please, “worse” the share whom its absence "
        "displeases.",
    ]
    columns = {
        "feature": "feature",
        "category": "class",
        "better": "better",
        "better_low": "from",
        "better_high": "to",
    }
    worse = {
        "worse": "worse",
        "worse_low": "from ",
        "worse_high": "to ",
        "significant": "clear",
        "n": "answers",
    }
    named = [
        {
            **row,
            "category": f"{row['category']} {_CLASSES[row['category']].split(':')[0]}",
            "significant": "yes" if row["significant"] else "no",
        }
        for row in rows
    ]
    section.table(
        "Kano classes with 95 % intervals (clear: the first class differs from the second by Fong's test)",
        shown(named, {**columns, **worse}),
    )
    section.figure("kano", "What a feature brings when there, and costs when missing", sat.plot(result))
    if classes["M"]:
        section.finding = (
            f"Must-be: {listed(classes['M'])}. They are hardly noticed when there and sorely missed when not; "
            f"{listed(classes['A'])} would delight."
        )
    return section


def drivers_and_priorities(study: ServiceStudy, answers: Any) -> Section:
    """Find what goes along with satisfaction, and rank the actions."""
    section = Section("What to improve first?")
    outcome = study.items["Satisfaction"][0]
    items = [
        item for construct in DRIVERS for item in study.items[construct] if not item.endswith("_overall")
    ]
    scale = study.survey.scale(outcome)
    analysis = sat.key_drivers(answers, outcome, items)
    plan = sat.priorities(analysis, scale=scale, seed=1)
    position = sat.importance_performance(analysis, scale=scale)
    rows = sorted(analysis.to_dict()["tidy"], key=lambda row: -row["estimate"])
    ranked = plan.to_dict()["tidy"]
    strongest = rows[0]
    first = ranked[0]
    section.words = [
        f"{listed([outcome]).capitalize()} goes along most with {listed([strongest['term']])}: it carries "
        f"{number(100 * strongest['share'], 0)} % of what these questions explain together "
        f"(R² {number(sum(row['estimate'] for row in rows), 2)}). Shares are Shapley values, which stay fair where "
        "questions overlap.",
        f"Put together with how well each already does, closing a tenth of the room of {listed([first['term']])} "
        f"promises most: {number(first['gain'], 2)} points of satisfaction "
        f"({number(first['gain_low'], 2)} to {number(first['gain_high'], 2)}). Differences between neighbouring "
        "ranks are often within chance: see the range of each rank.",
        "This is what goes along with satisfaction, not yet proof that a change will follow; a trial in one region "
        "would show it.",
    ]
    section.table(
        "Drivers of satisfaction",
        shown(
            rows,
            {
                "term": "driver",
                "share": "share of R², %",
                "conf_low": "R² from",
                "conf_high": "to",
                "n": "answers",
            },
            percent=["share"],
        ),
        digits=3,
    )
    section.table(
        "Actions by expected gain of satisfaction (points of 100) when a tenth of the room is closed",
        shown(
            ranked,
            {
                "rank": "rank",
                "term": "action on",
                "performance": "performance",
                "gain": "gain",
                "gain_low": "from",
                "gain_high": "to",
                "rank_low": "rank from",
                "rank_high": "rank to",
            },
        ),
    )
    section.figure("drivers", "Share of each driver in explaining satisfaction", sat.plot(analysis))
    section.figure("importance_performance", "Importance against performance", sat.plot(position))
    section.finding = (
        f"Improve {listed([first['term']])} first: it weighs {number(100 * strongest['share'], 0)} % of what drives "
        "satisfaction."
        if first["term"] == strongest["term"]
        else f"Improve {listed([first['term']])} first; the strongest driver is {listed([strongest['term']])}."
    )
    return section
