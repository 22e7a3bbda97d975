"""Do the tests of invariance of ordered answers keep their level, and do intervals of mean differences cover?

Two groups, one construct, six items on five skewed points; quality is .3 higher in the second group and nothing else
differs. Run: python benchmarks/coverage_invariance.py [draws]
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
import pandas as pd

import satmodels as sat

N, DRAWS, TRUE = 300, 300, 0.3
ITEMS = tuple(f"q{i}" for i in range(1, 7))
LOADINGS = (1.0, 0.8, 1.2, 0.9, 1.1, 0.7)
EDGES = (-1.7, -1.1, -0.5, 0.4)  # most answers are 4 and 5


def answers(rng: np.random.Generator, gaps: float = 0.0) -> pd.DataFrame:
    group = np.repeat(["a", "b"], N)
    quality = rng.normal(size=2 * N) + TRUE * (group == "b")
    columns = {
        item: np.digitize(loading * quality + 0.8 * rng.normal(size=2 * N), EDGES) + 1.0
        for item, loading in zip(ITEMS, LOADINGS, strict=True)
    }
    frame = pd.DataFrame(columns)
    if gaps:
        frame = frame.mask(rng.random(frame.shape) < gaps)
    return frame.assign(group=group)


def main() -> None:
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS
    warnings.simplefilter("ignore")
    for name, gaps, options in (
        ("all answers", 0.0, {}),
        ("15 % missing, pairwise", 0.15, {"missing": "pairwise"}),
    ):
        rng = np.random.default_rng(11)
        model = sat.CBSEM("Q =~ " + " + ".join(ITEMS), estimator="WLSMV", ordered=ITEMS, **options)
        began = time.process_time()
        rejected: dict[str, list[bool]] = {}
        decided: list[str] = []
        covered: list[bool] = []
        fitted: list[bool] = []
        for _ in range(draws):
            result = sat.invariance(model, answers(rng, gaps), "group")
            for row in result.steps.rows():
                if row["p_value"] is not None:
                    rejected.setdefault(row["step"], []).append(row["p_value"] < 0.05)
            fitted.append((result.models["scalar"].measures["pvalue_scaled"] or 1.0) < 0.05)
            decided.append(result.level_reached)
            row = result.mean_differences().iloc[0]
            # quality has variance 1 and its first item's response a standard deviation of sqrt(1 + .64)
            truth = TRUE / np.sqrt(1 + 0.64)
            covered.append(bool(row["conf_low"] <= truth <= row["conf_high"]))
        shares = ", ".join(f"{step} {np.mean(r):.3f}" for step, r in rejected.items())
        print(
            f"{name}: {draws} draws, rejected at 5 %: {shares}; fit of scalar {np.mean(fitted):.3f}; "
            f"strict reached {np.mean([d == 'strict' for d in decided]):.3f}; "
            f"mean difference covered {np.mean(covered):.3f}; {time.process_time() - began:.0f} CPU s"
        )


if __name__ == "__main__":
    main()
