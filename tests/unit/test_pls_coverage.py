"""A small fixed-seed version of benchmarks/coverage_pls.py: intervals cover the truth about as often as they say."""

from __future__ import annotations

import numpy as np
import pandas as pd

import satmodels as sat


def test_intervals_cover() -> None:
    study = sat.datasets.load_ecsi()
    moments = study.moments
    model = sat.PLSPM(sat.ecsi(study.items))  # without the scales, which normal answers leave
    wide = (-50, 60)
    truth = sat.bootstrap(model, moments, n=2, seed=0, scale=wide)
    root = np.linalg.cholesky(moments.corr) * moments.std[:, None]
    rng = np.random.default_rng(1)
    covered: dict[str, list[bool]] = {"~": [], "index": []}
    for seed in range(60):
        answers = rng.normal(size=(250, len(root))) @ root.T + moments.mean
        rows = pd.DataFrame(answers, columns=moments.columns)
        found = sat.bootstrap(model, rows, n=199, seed=seed, scale=wide)
        for op, hits in covered.items():
            expected = truth.table(op)["estimate"]
            table = found.table(op)
            hits += ((table["conf_low"] <= expected) & (expected <= table["conf_high"])).tolist()
    # 720 and 420 intervals of 60 samples; the binomial error of 60 x 12 dependent trials is below 2 %
    assert 0.91 < np.mean(covered["~"]) < 0.98
    assert 0.91 < np.mean(covered["index"]) < 0.99
