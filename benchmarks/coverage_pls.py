"""How often bootstrap intervals of PLS paths and indices cover the truth, at n = 250.

    python benchmarks/coverage_pls.py [replications] [draws]

Answers are drawn from a population whose PLS solution is known exactly: normal items with the correlations of
the ECSI mobile phone study, on their scale. The truth is the model estimated from the population's moments.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import sys
import time

import numpy as np
import pandas as pd

import satmodels as sat

KINDS = ("~", "total", "r2", "index", "=~")


def main() -> None:
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    draws = int(sys.argv[2]) if len(sys.argv) > 2 else 999
    study = sat.datasets.load_ecsi()
    moments = study.moments
    model = sat.PLSPM(sat.ecsi(study.items))  # without the scales, which normal answers leave
    wide = (-50, 60)
    truth = sat.bootstrap(model, moments, n=2, seed=0, scale=wide)
    expected = {
        (r["lhs"], r["op"], r["rhs"]): r["estimate"]
        for p in (truth.parameters, truth.quantities)
        for r in p.rows()
    }
    root = np.linalg.cholesky(moments.corr) * moments.std[:, None]
    rng = np.random.default_rng(1)
    start = time.process_time()
    for interval in ("percentile", "basic", "bca"):
        covered: dict[str, list[bool]] = {kind: [] for kind in KINDS}
        for _ in range(replications):
            rows = pd.DataFrame(
                rng.normal(size=(250, len(root))) @ root.T + moments.mean, columns=moments.columns
            )
            found = sat.bootstrap(
                model, rows, n=draws, seed=int(rng.integers(1 << 31)), scale=wide, interval=interval
            )
            for part in (found.parameters, found.quantities):
                for row in part.rows():
                    if row["op"] in covered and row["std_error"] > 1e-9:
                        value = expected[row["lhs"], row["op"], row["rhs"]]
                        covered[row["op"]].append(row["conf_low"] <= value <= row["conf_high"])
        shares = "  ".join(f"{kind} {np.mean(covered[kind]):.1%}" for kind in KINDS)
        print(f"{interval:10s} {shares}  ({replications} samples, {draws} draws)")
    print(f"{time.process_time() - start:.0f} CPU seconds")


if __name__ == "__main__":
    main()
