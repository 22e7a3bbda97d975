"""Do the intervals hold their level, and the scaled tests theirs? Run: python benchmarks/coverage_cbsem.py [replications]

95 % intervals of the two paths and the indirect effect, and the share of true models that the test rejects at 5 %, for
normal and for skewed answers, complete and with 15 % missing.
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
import pandas as pd

import satmodels as sat

TEXT = """
Quality =~ q1 + q2 + q3
Value =~ v1 + v2 + v3
Loyal =~ l1 + l2 + l3
Value ~ a*Quality
Loyal ~ b*Value + c*Quality
ind := a*b
"""
TRUTH = {"a": 0.5, "b": 0.4, "c": 0.3, "ind": 0.2}
N = 400


def simulate(rng: np.random.Generator, skew: bool) -> pd.DataFrame:
    def noise() -> np.ndarray:
        # a lognormal of variance 1: skewness 2.9, excess kurtosis 17
        x = rng.normal(size=N)
        return (np.exp(0.7 * x) - np.exp(0.245)) / np.sqrt(np.exp(0.98) - np.exp(0.49)) if skew else x

    quality = noise()
    value = 0.5 * quality + 0.8 * noise()
    loyal = 0.4 * value + 0.3 * quality + 0.7 * noise()
    columns = {}
    for name, construct in (("q", quality), ("v", value), ("l", loyal)):
        for i, loading in enumerate((1.0, 0.8, 1.2), start=1):
            columns[f"{name}{i}"] = loading * construct + 0.6 * noise()
    return pd.DataFrame(columns)


def main() -> None:
    warnings.simplefilter("ignore")
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    cases = [
        ("ML", False, {}),
        ("MLR", False, {"estimator": "MLR"}),
        ("FIML", False, {"missing": "fiml"}),
        ("ML", True, {}),
        ("MLM", True, {"estimator": "MLM"}),
        ("MLR", True, {"estimator": "MLR"}),
        ("FIML MLR", True, {"missing": "fiml", "estimator": "MLR"}),
    ]
    began = time.process_time()
    print(f"{replications} replications of {N} rows, 24 degrees of freedom")
    for name, skew, options in cases:
        rng = np.random.default_rng(3)
        inside = dict.fromkeys(TRUTH, 0)
        rejected = 0
        for _ in range(replications):
            frame = simulate(rng, skew)
            if "missing" in options:
                frame = frame.mask(rng.random(frame.shape) < 0.15)
            result = sat.CBSEM(TEXT, **options).fit(frame).result_
            rows = [*result.paths.to_dict("records"), *result.tidy().query("op == ':='").to_dict("records")]
            for key, row in zip(TRUTH, rows, strict=True):
                inside[key] += row["conf_low"] <= TRUTH[key] <= row["conf_high"]
            measures = result.fit_measures()
            rejected += measures.get("pvalue_scaled", measures["pvalue"]) < 0.05
        shares = ", ".join(f"{k} {100 * v / replications:.1f}" for k, v in inside.items())
        kind = "skewed" if skew else "normal"
        print(f"{name:9s} {kind}: coverage % {shares}; test rejects {100 * rejected / replications:.1f} %")
    print(f"{time.process_time() - began:.0f} CPU s")


if __name__ == "__main__":
    main()
