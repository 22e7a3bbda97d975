"""Lay CBSEM beside lavaan on random models and data: the numbers that no hand-picked case would try.

    OMP_NUM_THREADS=1 python benchmarks/random_cbsem_models.py [CASES] [SEED]

Draws models (1 to 4 factors, paths or covariances, cross-loadings, residual covariances, an observed cause, equal
loadings), data (normal and skewed, gaps, groups, answers from 1 to 5) and options (estimator, means, identification,
equality across groups), fits each with both, and prints every case that differs by more than the tolerances below.
lavaan runs by Rscript from the path. Its optimiser stops early, so tolerances are shares of a standard error; where it
says itself that it found no solution, only a lower value than ours counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import satmodels as sat

ESTIMATE, ERROR, MEASURE = 2e-3, 2e-3, 2e-4  # of a standard error; of itself; of itself or absolute below 1
MEASURES = ("chisq", "df", "pvalue", "baseline.chisq", "cfi", "tli", "nfi", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper",
    "srmr", "logl", "aic", "bic", "chisq.scaled", "df.scaled", "pvalue.scaled", "chisq.scaling.factor", "cfi.scaled",
    "rmsea.scaled", "cfi.robust", "rmsea.robust", "gfi", "agfi")  # fmt: skip
R_SCRIPT = """
suppressMessages({library(lavaan); library(jsonlite)})
for (f in list.files(pattern = "^[0-9]+[.]json$")) {
  o <- fromJSON(f); d <- read.csv(sub("json$", "csv", f))
  a <- list(model = o$model, data = d, estimator = o$estimator, std.lv = o$std_lv, optim.force.converged = TRUE)
  if (!is.null(o$ordered)) a$ordered <- o$ordered
  else { a$meanstructure <- o$means; a$missing <- o$missing; a$control <- list(rel.tol = 1e-11, iter.max = 20000, eval.max = 40000) }
  if (!is.null(o$group)) { a$group <- o$group; if (length(o$equal)) a$group.equal <- o$equal }
  said <- character()
  out <- tryCatch({
    fit <- withCallingHandlers(do.call("sem", a),
      warning = function(w) { said <<- c(said, conditionMessage(w)); invokeRestart("muffleWarning") })
    list(estimates = parameterEstimates(fit, remove.nonfree = FALSE), fit = as.list(fitMeasures(fit)))
  }, error = function(e) list(error = conditionMessage(e)))
  out$said <- as.list(said)
  write_json(out, sub("json$", "lavaan", f), digits = NA, auto_unbox = TRUE, na = "null", dataframe = "rows")
}
"""


def draw(rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return random data and a random model of them."""
    k, n = int(rng.integers(1, 5)), int(rng.choice([150, 300, 800]))
    items = [[f"y{j + 1}{i + 1}" for i in range(rng.integers(3, 6))] for j in range(k)]
    factors = rng.normal(size=(n, k)) + (0.7 * rng.normal(size=(n, 1)) if k > 1 else 0)
    lines = [f"f{j + 1} =~ " + " + ".join(block) for j, block in enumerate(items)]
    if k > 1 and rng.random() < 0.5:
        for j in range(1, k):
            sources = [i for i in range(j) if rng.random() < 0.6]
            factors[:, j] += factors[:, sources] @ rng.uniform(-0.3, 0.7, len(sources))
            if sources:
                lines.append(f"f{j + 1} ~ " + " + ".join(f"f{i + 1}" for i in sources))
    columns: dict[str, Any] = {}
    for j, block in enumerate(items):
        for item in block:
            noise = rng.normal(size=n) if rng.random() < 0.7 else rng.exponential(size=n) - 1
            columns[item] = (
                rng.uniform(0.5, 1.5) * factors[:, j] + rng.uniform(0.5, 1.2) * noise + rng.normal()
            )
    frame = pd.DataFrame(columns)
    if k > 1 and rng.random() < 0.25:
        frame[items[0][1]] += 0.4 * factors[:, 1]
        lines[1] += f" + {items[0][1]}"
    if rng.random() < 0.4 and len(items[0]) > 3:
        shared, pair = 0.5 * rng.normal(size=n), (items[0][1], items[-1][-1])
        frame[list(pair)] += shared[:, None]
        lines.append(f"{pair[0]} ~~ {pair[1]}")
    options = draw_options(rng, frame, lines, items, n)
    return frame, options | {"model": "\n".join(lines)}


def draw_options(
    rng: np.random.Generator, frame: pd.DataFrame, lines: list[str], items: list[list[str]], n: int
) -> dict[str, Any]:
    """Choose how the model is estimated, and put what that needs into the data."""
    estimator = str(rng.choice(["ML", "ML", "MLR", "MLR", "MLM", "GLS", "ULS", "DWLS", "WLSMV", "WLSMV"]))
    likelihood = estimator in ("ML", "MLR", "MLM")
    found: dict[str, Any] = {
        "estimator": estimator,
        "std_lv": bool(rng.random() < 0.25),
        "missing": "listwise",
    }
    found["means"] = bool(likelihood and rng.random() < 0.5)
    if likelihood and rng.random() < 0.3:
        frame["age"] = rng.normal(40, 3, size=n)
        for item in items[-1]:
            frame[item] += 0.05 * (frame["age"] - 40)
        lines.append(f"f{len(items)} ~ age")
    if estimator == "WLSMV":
        found["ordered"] = list(frame)
        for item in frame:
            z = (frame[item] - frame[item].mean()) / frame[item].std()
            frame[item] = np.digitize(z, np.sort(rng.normal(size=rng.integers(2, 5)) * 0.8)) + 1
    elif estimator in ("ML", "MLR") and rng.random() < 0.3:
        gaps = (rng.random(frame.shape) < 0.08) & (frame.columns != "age")
        frame.mask(gaps, inplace=True)
        found |= {"missing": "fiml", "means": True}
    if (likelihood or estimator == "WLSMV") and rng.random() < 0.3 and n > 150:
        frame["school"] = np.where(rng.random(n) < 0.45, "A", "B")
        equal = [[], ["loadings"], ["loadings", "thresholds" if estimator == "WLSMV" else "intercepts"]]
        found |= {"group": "school", "equal": equal[rng.integers(3)], "means": likelihood}
    elif rng.random() < 0.2:
        loadings = lines[0][6:].split(" + ")
        lines[0] = "f1 =~ " + " + ".join([loadings[0], *(f"a*{x}" for x in loadings[1:3]), *loadings[3:]])
        lines.append("twice := 2*a")
    return found


def fitted(frame: pd.DataFrame, o: dict[str, Any]) -> Any:
    """Fit a case with satmodels."""
    options: dict[str, Any] = {"estimator": o["estimator"], "unit_variance": o["std_lv"]}
    options["missing"] = "fiml" if o["missing"] == "fiml" else "drop"
    if o["estimator"] in ("ULS", "DWLS"):
        options["standard_errors"] = "expected"  # what lavaan calls standard
    if o["means"]:
        options["means"] = True
    if o.get("ordered"):
        options["ordered"] = tuple(o["ordered"])
    if o.get("group"):
        options |= {"group": o["group"], "equal": tuple(o["equal"])}
    return sat.CBSEM(o["model"], **options).fit(frame).result_


def differences(result: Any, expected: dict[str, Any], groups: list[Any]) -> list[str]:
    """Return what differs by more than the tolerances."""
    rows: dict[tuple[Any, ...], Any] = {}
    for row in result.tidy().to_dict("records"):
        group = row.get("group") if groups else None
        for pair in (
            {(row["lhs"], row["rhs"]), (row["rhs"], row["lhs"])}
            if row["op"] == "~~"
            else {(row["lhs"], row["rhs"])}
        ):
            rows[
                group,
                row["op"],
                *("" if row["op"] == ":=" and k else str(v or "") for k, v in enumerate(pair)),
            ] = row
    said: list[str] = []
    for e in expected["estimates"]:
        if e["op"] == "~*~" or (e["op"] == "~1" and not e["se"]):
            continue
        group = groups[e["group"] - 1] if groups and e["op"] != ":=" else None
        key = (group, e["op"], e["lhs"], "" if e["op"] in (":=", "~1") else e["rhs"])
        if key not in rows:
            said.append(f"{key} is not ours")
            continue
        own, error = rows[key], e["se"] or 0.0
        if abs(own["estimate"] - e["est"]) > max(ESTIMATE * error, 5e-5):
            said.append(f"{key} {own['estimate']:.6g} for {e['est']:.6g} (se {error:.3g})")
        if error and not abs(own["std_error"] - error) < ERROR * error:
            said.append(f"{key} se {own['std_error']:.6g} for {error:.6g}")
    own_fit = result.fit_measures()
    for name in MEASURES:
        mine, theirs = own_fit.get(name.replace(".", "_")), expected["fit"].get(name)
        if mine is not None and theirs is not None and abs(mine - theirs) > MEASURE * max(1.0, abs(theirs)):
            said.append(f"{name} {mine:.6g} for {theirs:.6g}")
    return said


def main(cases: int = 120, seed: int = 1) -> None:
    """Draw, fit and compare."""
    warnings.simplefilter("ignore")
    rng, tally = np.random.default_rng(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn = [draw(rng) for _ in range(cases)]
        for c, (frame, options) in enumerate(drawn):
            frame.to_csv(folder / f"{c:04d}.csv", index=False)
            (folder / f"{c:04d}.json").write_text(json.dumps(options))
        subprocess.run(["Rscript", "-e", R_SCRIPT], cwd=folder, check=True, capture_output=True)
        for c, (frame, options) in enumerate(drawn):
            expected = json.loads((folder / f"{c:04d}.lavaan").read_text())
            label = f"{c} " + " ".join(
                str(options.get(k)) for k in ("estimator", "missing", "group", "equal")
            )
            frame = pd.read_csv(folder / f"{c:04d}.csv")  # the digits that lavaan saw
            try:
                result = fitted(frame, options)
            except sat.SatmodelsError as error:
                tally["refused by us"] += 1
                print(
                    label,
                    type(error).__name__,
                    str(error)[:120],
                    "| lavaan:",
                    expected["said"],
                    expected.get("error"),
                )
                continue
            if "error" in expected:
                tally["refused by lavaan"] += 1
                continue
            astray = any("NOT been found" in text for text in expected["said"])
            improper = not result.converged or any(
                "negative" in text or "not compute" in text for text in expected["said"]
            )
            lower = expected["fit"]["chisq"] < result.fit_measures()["chisq"] - 1e-3
            groups = list(dict.fromkeys(frame["school"])) if options.get("group") else []
            said = differences(result, expected, groups)
            verdict = (
                "agree"
                if not said
                else "improper"
                if improper
                else "lavaan astray"
                if astray and not lower
                else "DIFFER"
            )
            tally[verdict] += 1
            if verdict == "DIFFER":
                print(label, "lower in lavaan" if lower else "", len(said), *said[:4], sep=" | ")
    print(dict(tally))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
