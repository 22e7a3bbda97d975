"""CPU seconds of CBSEM beside semopy (tight tolerance) and, where Rscript has it, lavaan.

Run with one BLAS thread: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/bench_cbsem.py [--lavaan] [--fiml]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import satmodels as sat

BLOCKS = {
    "Image": 4,
    "Expectation": 3,
    "Quality": 5,
    "Value": 3,
    "Satisfaction": 3,
    "Complaints": 2,
    "Loyalty": 4,
}
R_SCRIPT = """
suppressMessages(library(lavaan))
d <- read.csv("rows.csv"); g <- read.csv("gaps.csv"); m <- readLines("model.txt")
cpu <- function(f, n) { f(); t <- proc.time(); for (i in seq_len(n)) f(); sum((proc.time() - t)[1:2]) / n }
out <- list(ml = cpu(function() sem(m, d), 5), boot = cpu(function() bootstrapLavaan(sem(m, d), R = 20), 1) / 20)
if (FIML) out$fiml <- cpu(function() sem(m, g, missing = "fiml"), 1)
cat(sprintf('{"ml": %f, "boot": %f, "fiml": %s}', out$ml, out$boot, if (FIML) out$fiml else "null"))
"""


def answers(n: int) -> tuple[sat.ModelSpec, pd.DataFrame]:
    """Simulate an ECSI study of n respondents: 24 items, 7 constructs, 12 paths."""
    rng = np.random.default_rng(1)
    items = {c: [f"{c[:2].lower()}{i}" for i in range(1, k + 1)] for c, k in BLOCKS.items()}
    spec = sat.ecsi(items)
    constructs: dict[str, np.ndarray] = {}
    for c in spec.constructs:
        sources = [s for t, s in spec.paths if t == c]
        constructs[c] = sum((0.9 / len(sources) * constructs[s] for s in sources), rng.normal(size=n) * 0.6)
    frame = pd.DataFrame(
        {i: 7 + constructs[c] + 0.8 * rng.normal(size=n) for c, block in items.items() for i in block}
    )
    return spec, frame


def cpu(action: Callable[[], Any], repeat: int) -> float:
    action()
    began = time.process_time()
    for _ in range(repeat):
        action()
    return (time.process_time() - began) / repeat


def main() -> None:
    warnings.simplefilter("ignore")
    rows = []
    for n in (250, 2_000, 20_000, 200_000):
        spec, frame = answers(n)
        moments = sat.Moments.collect(frame, list(frame))
        rows.append(
            {
                "n": n,
                "rows ms": cpu(lambda f=frame, s=spec: sat.CBSEM(s).fit(f), 5) * 1e3,
                "moments ms": cpu(lambda m=moments, s=spec: sat.CBSEM(s).fit(m), 5) * 1e3,
            }
        )
    print("ML with standard errors, tests, standardised solution and fit, 24 items, 12 paths")
    print(pd.DataFrame(rows).round(1).to_string(index=False))
    spec, frame = answers(250)
    own = cpu(lambda: sat.CBSEM(spec).fit(frame), 10)
    peer = cpu(lambda: semopy_fit(spec, frame), 5)
    print(f"\nn = 250: satmodels {own * 1e3:.1f} ms, semopy (tight, estimates and standard errors) {peer * 1e3:.1f} ms: "
          f"{peer / own:.1f} x")  # fmt: skip
    gaps = frame.mask(np.random.default_rng(2).random(frame.shape) < 0.1)
    fiml = cpu(lambda: sat.CBSEM(spec, missing="fiml").fit(gaps), 2)
    patterns = len(gaps.isna().drop_duplicates())
    print(f"FIML, 10 % missing, {patterns} patterns: satmodels {fiml:.3f} s")
    if "--fiml" in sys.argv:
        small = ["Image", "Quality", "Loyalty"]
        text = "\n".join(line for line in str(spec).splitlines() if line.split(" =~")[0] in small)
        part = gaps[[i for i in frame if i[:2] in ("im", "qu", "lo")]].iloc[:, :9]
        text = "a =~ " + " + ".join(part.columns[:3]) + "\nb =~ " + " + ".join(part.columns[3:6])
        text += "\nc =~ " + " + ".join(part.columns[6:9])
        a = cpu(lambda: sat.CBSEM(text, missing="fiml").fit(part), 3)
        b = cpu(lambda: semopy_fiml(text, part), 1)
        print(f"FIML, 9 items: satmodels {a * 1e3:.0f} ms, semopy {b:.2f} s: {b / a:.0f} x")
    draws = 100
    boot = cpu(lambda: sat.bootstrap(sat.CBSEM(spec), frame, n=draws, seed=1), 1) / draws
    print(f"bootstrap: {boot * 1e3:.1f} ms per draw")
    if "--lavaan" in sys.argv:
        found = lavaan(spec, frame, gaps)
        print(f"lavaan: ML {found['ml'] * 1e3:.0f} ms ({found['ml'] / own:.1f} x), "
              f"bootstrap {found['boot'] * 1e3:.0f} ms per draw ({found['boot'] / boot:.1f} x)")  # fmt: skip
        if found["fiml"]:
            print(f"lavaan FIML {found['fiml']:.1f} s ({found['fiml'] / fiml:.0f} x)")


def semopy_fit(spec: sat.ModelSpec, frame: pd.DataFrame) -> Any:
    import semopy

    model = semopy.Model(str(spec))
    model.fit(frame, solver="SLSQP", options={"ftol": 1e-13, "maxiter": 10_000})
    return model.inspect()


def semopy_fiml(text: str, frame: pd.DataFrame) -> Any:
    import semopy

    model = semopy.ModelMeans(text)
    model.fit(frame)
    return model.inspect()


def lavaan(spec: sat.ModelSpec, frame: pd.DataFrame, gaps: pd.DataFrame) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        frame.to_csv(here / "rows.csv", index=False)
        gaps.to_csv(here / "gaps.csv", index=False)
        (here / "model.txt").write_text(sat.to_lavaan(spec))
        script = R_SCRIPT.replace("FIML", "TRUE" if "--fiml" in sys.argv else "FALSE")
        (here / "run.R").write_text(script)
        done = subprocess.run(["Rscript", "run.R"], cwd=here, capture_output=True, text=True, check=True)
        return json.loads(done.stdout[done.stdout.index("{") :])


if __name__ == "__main__":
    main()
