"""Second part: the structural model, on a published study and on the company's own survey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import satmodels as sat
from satmodels.datasets import load_ecsi
from satmodels.demo.report import Section
from satmodels.demo.words import interval, number, shown
from satmodels.results import Table

if TYPE_CHECKING:
    from satmodels.datasets.service import ServiceStudy

DRAWS = 1000  # bootstrap resamples: enough for two digits of a standard error
_PATHS = {"rhs": "from", "lhs": "to", "estimate": "path"}


def _rows(frame: Any) -> list[dict[str, Any]]:
    return frame.to_dict(orient="records")


def ecsi_study() -> Section:
    """Fit the ECSI model to the published mobile phone study, twice."""
    data = load_ecsi()
    section = Section("A published study as a yardstick: ECSI, mobile phones")
    pls = sat.PLSPM(data.spec).fit(data.moments).result_
    index = _rows(pls.index(scale=data.scale))
    r2 = {row["construct"]: row for row in _rows(pls.r2)}
    fit = sat.CBSEM(data.spec).fit(data.moments).result_.fit_measures()
    satisfaction = next(row for row in index if row["construct"] == "Satisfaction")
    quality = next(
        row for row in _rows(pls.paths) if row["lhs"] == "Satisfaction" and row["rhs"] == "Quality"
    )
    section.words = [
        "The European Customer Satisfaction Index explains satisfaction by image, expectation, quality and value, "
        "and loyalty by satisfaction. The library ships the study of 250 mobile phone customers as means and "
        "correlations, so that every installation can be held against figures that other programs publish.",
        f"Here quality is the strongest path to satisfaction ({number(quality['estimate'], 6)}); "
        f"{number(100 * r2['Satisfaction']['r2'])} % of the differences in satisfaction are explained, and the "
        f"satisfaction index is {number(satisfaction['estimate'], 3)} of 100.",
        f"The same arrows fitted as a covariance model give chi-square {number(fit['chisq'], 3)} on "
        f"{fit['df']:.0f} degrees of freedom, CFI {number(fit['cfi'], 4)}, RMSEA {number(fit['rmsea'], 4)}: a model "
        "that misses part of the picture by the usual yardsticks, as is known of this study.",
    ]
    section.table(
        "Paths (PLS, path weighting, outer weights of mode A)", shown(_rows(pls.paths), _PATHS), digits=6
    )
    section.table(
        "Explained variance", shown(list(r2.values()), {"construct": "construct", "r2": "R²"}), digits=6
    )
    section.table("Index, 0 to 100", shown(index, {"construct": "construct", "estimate": "index"}), digits=3)
    section.figure("ecsi_paths", "The model with its path coefficients and R²", pls.diagram().svg)
    return section


def company_model(study: ServiceStudy, answers: Any) -> Section:
    """Fit the same model to the company's survey, with bootstrap intervals."""
    section = Section("What makes satisfaction and loyalty here?")
    spec = sat.ecsi(study.items)
    scale = study.survey.scale(study.items["Satisfaction"][0])
    model = sat.PLSPM(spec).fit(answers)
    result = model.result_
    draws = sat.bootstrap(sat.PLSPM(spec), answers, n=DRAWS, seed=1)
    paths = [row for row in draws.to_dict()["tidy"] if row["op"] == "~"]
    index = _rows(result.index(scale=scale))
    reliability = _rows(result.reliability())
    r2 = {row["construct"]: row["r2"] for row in _rows(result.r2)}
    effects = [row for row in _rows(result.effects()) if row["target"] == "Loyalty"]
    to_satisfaction = sorted(
        (row for row in paths if row["lhs"] == "Satisfaction"), key=lambda row: -row["estimate"]
    )
    top = to_satisfaction[0]
    weakest = min(index, key=lambda row: row["estimate"])
    section.words = [
        f"{number(100 * r2['Satisfaction'], 0)} % of the differences in satisfaction and "
        f"{number(100 * r2['Loyalty'], 0)} % of those in loyalty are explained. The strongest path to satisfaction "
        f"starts at {top['rhs'].lower()}: {interval(top, 2)} standard deviations for each standard deviation, then "
        f"{to_satisfaction[1]['rhs'].lower()} with {interval(to_satisfaction[1], 2)}.",
        "All blocks of questions measure one thing each: their reliability (rho_c) is "
        f"{number(min(row['rho_c'] for row in reliability), 2)} or more, where 0.70 is the usual bar."
        if min(row["rho_c"] for row in reliability) >= 0.7
        else "Some blocks of questions measure more than one thing: see the reliabilities below 0.70.",
        f"On the scale from 0 to 100 the lowest construct is {weakest['construct'].lower()} "
        f"({number(weakest['estimate'])}).",
    ]
    section.table(
        f"Paths with 95 % bootstrap intervals ({DRAWS:,} resamples)",
        shown(paths, {**_PATHS, "conf_low": "from ", "conf_high": "to "}),
        digits=3,
    )
    section.table(
        "Constructs: index from 0 to 100, reliability, explained variance",
        Table.of(
            {
                "construct": [row["construct"] for row in index],
                "index": [row["estimate"] for row in index],
                "alpha": [row["alpha"] for row in reliability],
                "rho_c": [row["rho_c"] for row in reliability],
                "AVE": [row["ave"] for row in reliability],
                "R²": [r2.get(row["construct"]) for row in index],
            }
        ),
    )
    section.table(
        "What loyalty comes from: direct and total effects",
        shown(
            effects, {"source": "from", "direct": "direct", "indirect": "through others", "total": "total"}
        ),
        digits=3,
    )
    section.figure(
        "company_paths", "The company's model with its path coefficients and R²", result.diagram().svg
    )
    section.finding = (
        f"Satisfaction hangs most on {top['rhs'].lower()} (path {interval(top, 2)}); satisfaction in turn is the "
        "strongest reason for loyalty."
        if max(effects, key=lambda row: row["total"])["source"] == "Satisfaction"
        else f"Satisfaction hangs most on {top['rhs'].lower()} (path {interval(top, 2)})."
    )
    return section
