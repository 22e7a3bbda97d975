"""How often do tests of fit reject a true model, by sample size, skewness and kind of answers?

python benchmarks/levels_cbsem.py [replications] [--lavaan]

Nine items of three constructs, 24 degrees of freedom, tests at 5 %, complete and with 15 % of the answers missing at random. With
``--lavaan`` the scaled statistics of 20 of the heavily skewed samples are laid beside lavaan's (Rscript with lavaan and jsonlite).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import satmodels as sat

TEXT = """
Quality =~ q1 + q2 + q3
Value =~ v1 + v2 + v3
Loyal =~ l1 + l2 + l3
Value ~ a*Quality
Loyal ~ b*Value + c*Quality
"""
KINDS = {
    "moderate": "lognormal parts, skewness 1.1, excess kurtosis 2.3",
    "heavy": "lognormal parts, skewness 2.9, excess kurtosis 17",
    "1-10": "answers 1 to 10, mean 8.4",
    "1-5": "answers 1 to 5, mean 4.3",
}
SHAPE = {"moderate": 0.35, "heavy": 0.7}
ESTIMATORS = ("ML", "MLR", "MLM", "MLMV", "MLMVS")
SIZES = (200, 400, 1000, 2000)
R_SCRIPT = """
suppressMessages({library(lavaan); library(jsonlite)})
out <- list()
for (k in 0:19) {
  d <- read.csv(sprintf("rows%d.csv", k)); g <- read.csv(sprintf("gaps%d.csv", k)); m <- readLines("model.txt")
  v <- function(...) unname(fitMeasures(suppressWarnings(sem(m, ...)), "chisq.scaled"))
  out[[k + 1]] <- list(MLR = v(d, estimator = "MLR"), MLM = v(d, estimator = "MLM"), MLMV = v(d, estimator = "MLMV"),
    FIML = v(g, estimator = "MLR", missing = "fiml"))
}
writeLines(toJSON(out, digits = 12, auto_unbox = TRUE), "out.json")
"""


def noise(rng: np.random.Generator, kind: str, n: int) -> np.ndarray:
    """Return n numbers of mean 0 and variance 1."""
    x = rng.normal(size=n)
    s = SHAPE.get(kind)
    if s is None:
        return x
    return (np.exp(s * x) - np.exp(s * s / 2)) / np.sqrt(np.exp(2 * s * s) - np.exp(s * s))


def simulate(rng: np.random.Generator, kind: str, n: int) -> pd.DataFrame:
    """Simulate answers for which the model holds."""
    quality = noise(rng, kind, n)
    value = 0.5 * quality + 0.8 * noise(rng, kind, n)
    loyal = 0.4 * value + 0.3 * quality + 0.7 * noise(rng, kind, n)
    columns: dict[str, np.ndarray] = {}
    for name, construct in (("q", quality), ("v", value), ("l", loyal)):
        for i, loading in enumerate((1.0, 0.8, 1.2), start=1):
            x = loading * construct + 0.6 * noise(rng, kind, n)
            if kind in ("1-10", "1-5"):
                centre, spread, top = (8.4, 2.0, 10) if kind == "1-10" else (4.3, 1.0, 5)
                x = np.clip(np.round(centre + spread * x / np.sqrt(loading**2 * 0.9 + 0.36)), 1, top)
            columns[f"{name}{i}"] = x
    return pd.DataFrame(columns)


def levels(replications: int) -> None:
    """Print the share of true models that each test rejects."""
    for gaps in (False, True):
        print("\n15 % missing, full information" if gaps else "complete answers")
        for kind, words in KINDS.items():
            print(f"{kind}: {words}")
            for n in SIZES:
                rng = np.random.default_rng(7)
                rejected = dict.fromkeys(ESTIMATORS, 0)
                for _ in range(replications):
                    frame = simulate(rng, kind, n)
                    if gaps:
                        frame = frame.mask(rng.random(frame.shape) < 0.15)
                    for estimator in ESTIMATORS:
                        model = sat.CBSEM(TEXT, estimator=estimator, missing="fiml" if gaps else "drop")
                        measures = model.fit(frame).result_.fit_measures()
                        p = measures["pvalue" if estimator == "ML" else "pvalue_scaled"]
                        rejected[estimator] += p is not None and p < 0.05
                print(
                    f"  n = {n:4d}: "
                    + ", ".join(f"{k} {100 * v / replications:.1f}" for k, v in rejected.items())
                )


def beside_lavaan() -> None:
    """Print the largest relative difference of scaled statistics from lavaan's on the same samples."""
    rng = np.random.default_rng(7)
    own: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "model.txt").write_text(TEXT)
        for k in range(20):
            rows = simulate(rng, "heavy", 400)
            gaps = rows.mask(rng.random(rows.shape) < 0.15)
            rows.to_csv(here / f"rows{k}.csv", index=False)
            gaps.to_csv(here / f"gaps{k}.csv", index=False)
            found = {
                e: sat.CBSEM(TEXT, estimator=e).fit(rows).result_.fit_measures()["chisq_scaled"]
                for e in ("MLR", "MLM", "MLMV")
            }
            full = sat.CBSEM(TEXT, estimator="MLR", missing="fiml").fit(gaps).result_.fit_measures()
            own.append(found | {"FIML": full["chisq_scaled"]})
        (here / "run.R").write_text(R_SCRIPT)
        subprocess.run(["Rscript", "run.R"], cwd=here, check=True, capture_output=True)
        theirs = json.loads((here / "out.json").read_text())
    for key in own[0]:
        gap = max(abs(a[key] / b[key] - 1) for a, b in zip(own, theirs, strict=True))
        print(f"{key}: largest relative difference from lavaan's statistic on 20 samples {gap:.1e}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    began = time.process_time()
    if "--lavaan" in sys.argv:
        beside_lavaan()
    numbers = [a for a in sys.argv[1:] if a.isdigit()]
    levels(int(numbers[0]) if numbers else 500)
    print(f"{time.process_time() - began:.0f} CPU s")
