"""Lay CBSEM beside a folder of lavaan's results, file by file, and write the table into docs/validation_cbsem.md.

    Rscript tests/reference/refine_lavaan.R FOLDER refined.json
    python tests/reference/compare_expected.py FOLDER refined.json

FOLDER holds one JSON file per run (model, csv, options, group, estimates, fit); the field "csv" names its data relative
to the folder's grandparent. What is written are differences, none of the data. ``refined.json`` holds what lavaan
itself says where its own gradient vanishes.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

import satmodels as sat

PAGE = Path(__file__).resolve().parents[2] / "docs" / "validation_cbsem.md"
BEGIN = "<!-- published data: begin -->"
END = "<!-- published data: end -->"
EQUAL = {"loadings": "loadings", "intercepts": "intercepts", "residuals": "residuals"}
FLOOR = 1e-3  # of an estimate whose relative difference is taken
MEASURES = ("chisq", "df", "pvalue", "baseline.chisq", "baseline.df", "chisq.scaled", "df.scaled", "pvalue.scaled",
    "chisq.scaling.factor", "cfi", "tli", "nfi", "rfi", "ifi", "rni", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "rmsea.pvalue",
    "cfi.scaled", "tli.scaled", "rmsea.scaled", "cfi.robust", "tli.robust", "rmsea.robust", "srmr", "logl", "aic", "bic",
    "gfi", "agfi")  # fmt: skip
HEAD = """{begin}

## Beside lavaan on published data

{n_files} runs of lavaan 0.6-14 on Holzinger and Swineford's tests (`hs`), PoliticalDemocracy (`pd`), the ECSI mobile phone study (`mobi`) and
simulated studies (`acsi`, `ord5`, `med`); neither data nor numbers of these runs are part of this project. Made by
`tests/reference/compare_expected.py`, which takes the folder of lavaan's results as its argument.

lavaan stops when its objective no longer falls, which leaves its estimates up to {worst_before} (relative) away from the minimum, also where its tolerance was
set to 1e-14 (`tight`). Restarting it at its own last estimates (nlminb, then BFGS, tolerance 1e-15) moves it on without an end.
So `tests/reference/refine_lavaan.R` takes each run on by Newton steps on **lavaan's own gradient and Hessian** (`lavInspect`) until that gradient is
rounding, and lets lavaan give estimates, standard errors and tests there (`optim.method = "none"`). At this point, lavaan's own stationary point, all
estimates agree within {worst}, all standard errors within {worst_error} and all measures of fit within {worst_fit}; nowhere is lavaan's chi-square
smaller than ours by more than {least}.

- *as it is*: largest relative difference of an estimate from the run as lavaan ended it (floor {floor:g}).
- *gradient*: lavaan's largest gradient, as it ended and at its stationary point.
- *estimates*, *standard errors*: largest relative differences at lavaan's stationary point.
- *fit*: largest difference there of {n_measures} measures of fit (relative where they exceed 1). With gaps lavaan finds the saturated moments by EM,
  which stops early: that is what is left.
- *gap*: lavaan's chi-square less ours; *decrement*: distance of our solution to the exact minimum, in chi-square units.
- `hs_ineq` (an inequality that is active): lavaan with the inequality written as an equation; lavaan's search with inequalities ends 7e-5 away.

| file | N | df | chi-square | gap | as it is | gradient | estimates | standard errors | fit | decrement |
|---|---|---|---|---|---|---|---|---|---|---|
"""


def fitted(entry: dict[str, Any], folder: Path) -> sat.CBSEM:
    """Fit what a file describes."""
    given = dict(entry["options"] or {})
    options: dict[str, Any] = {}
    estimator = given.get("estimator", "ML")
    options["estimator"] = estimator
    options["missing"] = given.get("missing", "drop")
    options["likelihood"] = given.get("likelihood", "normal")
    options["unit_variance"] = bool(given.get("std.lv", False))
    if given.get("meanstructure"):
        options["means"] = True
    if "ordered" in given:
        options["ordered"] = tuple(given["ordered"])
    if entry.get("group"):
        options["group"] = entry["group"]
    equal = given.get("group.equal", [])
    options["equal"] = tuple(EQUAL[e] for e in ([equal] if isinstance(equal, str) else equal))
    if estimator in ("ULS", "DWLS"):
        options["standard_errors"] = "expected"  # lavaan's default for these
    frame = pd.read_csv(folder.parents[1] / entry["csv"])
    if "group" in options:
        frame[options["group"]] = frame[options["group"]].astype(str)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sat.CBSEM(entry["model"], **options).fit(frame)


def differences(model: sat.CBSEM, estimates: list[dict[str, Any]], groups: list[Any]) -> tuple[float, float]:
    """Return the largest relative differences of estimates and of standard errors."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in model.result_.tidy().to_dict("records"):
        group = row.get("group") if row["op"] != ":=" else None
        rhs = row["rhs"] if row["op"] != ":=" else ""
        rows[group, row["lhs"], row["op"], rhs] = row
        if row["op"] == "~~":
            rows[group, row["rhs"], "~~", row["lhs"]] = row
    estimate = error = 0.0
    ordered = bool(model.ordered)
    for e in estimates:
        se, number = e.get("se") or 0.0, e.get("group") or 0
        if e["op"] == "~*~" or (e["op"] == "~1" and ordered) or (not se and e["op"] == "~1"):
            continue
        group = groups[number - 1] if groups and number and e["op"] != ":=" else None
        row = rows[group, e["lhs"], e["op"], "" if e["op"] == ":=" else e["rhs"]]
        estimate = max(estimate, abs(row["estimate"] - e["est"]) / max(abs(e["est"]), FLOOR))
        if se:
            error = max(error, abs(row["std_error"] / se - 1))
    return estimate, error


def fit_difference(model: sat.CBSEM, fit: dict[str, Any]) -> tuple[float, str]:
    """Return the largest difference of a measure of fit, and which it is."""
    own, worst = model.result_.fit_measures(), (0.0, "")
    for name in MEASURES:
        value, mine = fit.get(name), own.get(name.replace(".", "_"))
        if isinstance(value, int | float) and isinstance(mine, int | float):
            worst = max(worst, (abs(mine - value) / max(1.0, abs(value)), name))
    return worst


def main() -> None:
    """Compare and write."""
    folder = Path(sys.argv[1]).resolve()
    refined: dict[str, Any] = {}
    for path in sys.argv[2:]:
        refined |= json.loads(Path(path).read_text())
    rows: list[str] = []
    least = 0.0
    worst = dict.fromkeys(("before", "estimate", "error", "fit"), 0.0)
    for path in sorted(folder.glob("*.json")):
        entry = json.loads(path.read_text())
        if "model" not in entry:
            continue
        model = fitted(entry, folder)
        groups = list(model.groups_) if entry.get("group") else []
        result, name, better = model.result_, path.stem, refined[path.name]
        before, _ = differences(model, entry["estimates"], groups)
        estimate, error = differences(model, better["estimates"], groups)
        gap, which = fit_difference(model, better["fit"])
        least = max(least, result.fit_measures()["chisq"] - entry["fit"]["chisq"])
        gradient = f"{better['gradient']:.0e}, {better['refined']:.0e}"
        chisq = result.fit_measures()["chisq"]
        for key, value in zip(worst, (before, estimate, error, gap), strict=True):
            worst[key] = max(worst[key], value)
        print(
            f"{name:26s} {before:.1e} | {gradient} | {estimate:.1e} {error:.1e} fit {gap:.1e} {which}",
            flush=True,
        )
        rows.append(
            f"| {name} | {result.n} | {result.fit_measures()['df']} | {chisq:.4f} | {entry['fit']['chisq'] - chisq:.0e} | {before:.0e} | "
            f"{gradient} | {estimate:.0e} | {error:.0e} | {gap:.0e} | {result.decrement:.0e} |"
        )
    head = HEAD.format(
        begin=BEGIN,
        floor=FLOOR,
        n_measures=len(MEASURES),
        n_files=len(rows),
        least=f"{least:.0e}",
        worst_before=f"{worst['before']:.0e}",
        worst=f"{worst['estimate']:.0e}",
        worst_error=f"{worst['error']:.0e}",
        worst_fit=f"{worst['fit']:.0e}",
    )
    lines = [head.rstrip("\n"), *rows, "", END]
    old = PAGE.read_text(encoding="utf-8")
    before = old.split(BEGIN)[0].rstrip("\n")
    after = old.split(END)[1] if END in old else "\n"
    PAGE.write_text(before + "\n\n" + "\n".join(lines) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
