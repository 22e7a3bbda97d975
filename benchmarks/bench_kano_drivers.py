"""CPU seconds of Kano and of key drivers against pingouin, in one run on one BLAS thread.

    python benchmarks/bench_kano_drivers.py [drivers of the comparison, default 10]

pingouin's relative importance takes about half a minute for 15 drivers.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pingouin
import polars as pl

import satmodels as sat

ROWS = 10_000


def seconds(work: Callable[[], Any], repeats: int = 3) -> tuple[float, Any]:
    """Return the fastest of some runs, and what it gave."""
    best, found = np.inf, None
    for _ in range(repeats):
        start = time.process_time()
        found = work()
        best = min(best, time.process_time() - start)
    return best, found


def ratings(p: int, n: int = ROWS) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    x = np.clip(np.round(6 + 1.2 * rng.normal(size=(n, 1)) + 1.4 * rng.normal(size=(n, p))), 1, 10)
    y = np.clip(np.round(x @ rng.dirichlet(np.ones(p)) + rng.normal(size=n)), 1, 10)
    return pd.DataFrame(np.column_stack([x, y]), columns=[*(f"x{j}" for j in range(p)), "y"])


def compare(p: int) -> None:
    frame = ratings(p)
    names = list(frame.columns[:-1])
    peer, table = seconds(
        lambda: pingouin.linear_regression(frame[names], frame["y"], relimp=True), repeats=1
    )
    ours, result = seconds(lambda: sat.key_drivers(frame, "y", names, interval="none"))
    moments = sat.Moments.collect(frame, [*names, "y"])
    core, _ = seconds(lambda: sat.key_drivers(moments, "y", interval="none"))
    full, _ = seconds(lambda: sat.key_drivers(frame, "y", names))
    gap = np.abs(np.array(result.estimates["estimate"]) - table["relimp"].to_numpy()[1:]).max()
    print(f"{p} drivers, {ROWS:,} rows: pingouin {peer:.3f} s")
    print(
        f"  from the frame       {ours * 1e3:8.2f} ms   {peer / ours:7.0f} x   largest difference {gap:.1e}"
    )
    print(f"  from moments         {core * 1e3:8.2f} ms   {peer / core:7.0f} x")
    print(f"  with robust limits   {full * 1e3:8.2f} ms   {peer / full:7.0f} x")


def exact() -> None:
    print("exact Shapley values from moments")
    for p in (15, 18, 20, 22, 24, 26):
        moments = sat.Moments.collect(ratings(p), [*(f"x{j}" for j in range(p)), "y"])
        plain, _ = seconds(lambda m=moments: sat.key_drivers(m, "y", interval="none"), repeats=1)
        limits, _ = seconds(lambda m=moments: sat.key_drivers(m, "y"), repeats=1)
        print(f"  {p} drivers {plain:8.3f} s, with limits {limits:8.3f} s")
    moments = sat.Moments.collect(ratings(60), [*(f"x{j}" for j in range(60)), "y"])
    sampled, result = seconds(lambda: sat.key_drivers(moments, "y", interval="none", seed=1), repeats=1)
    error = max(np.array(result.estimates["mc_error"]) / np.array(result.estimates["estimate"]))
    print(f"  60 drivers {sampled:8.3f} s, 20,000 random orders, largest relative error {error:.2%}")


def flat_in_n() -> None:
    print("15 drivers from moments, by number of rows behind them")
    for n in (1_000, 100_000):
        moments = sat.Moments.collect(ratings(15, n), [*(f"x{j}" for j in range(15)), "y"])
        core, _ = seconds(lambda m=moments: sat.key_drivers(m, "y", interval="none"))
        print(f"  {n:9,} rows {core * 1e3:8.2f} ms")


def kano(n: int = 1_000_000, features: int = 20) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(1, 6, size=(n, 2 * features)).astype(np.int8)
    frame = pl.DataFrame(codes, schema=[f"q{j}" for j in range(2 * features)])
    frame = frame.with_columns(region=pl.Series(rng.integers(0, 3, size=n)))
    segments = pl.DataFrame({"id": np.arange(n), "segment": np.where(np.arange(n) % 3, "new", "old")}).lazy()
    frame = frame.with_columns(id=pl.Series(rng.permutation(n)))
    pairs = {f"feature {j}": (f"q{2 * j}", f"q{2 * j + 1}") for j in range(features)}
    columns = [c for pair in pairs.values() for c in pair]
    print(f"Kano, {n:,} respondents x {features} features")
    read, _ = seconds(lambda: [block.sum() for block in _blocks(frame.lazy(), columns)], repeats=1)
    print(f"  reading the columns once     {read:6.2f} s")
    for name, data, by in (
        ("polars", frame, ()),
        ("polars, lazy (one pass)", frame.lazy(), ()),
        ("polars, by region", frame, "region"),
        ("polars, joined, lazy", frame.lazy().join(segments, on="id", how="left"), ()),
        ("polars, joined, by segment", frame.lazy().join(segments, on="id", how="left"), "segment"),
        ("pandas", frame.to_pandas(), ()),
    ):
        cost, result = seconds(lambda d=data, b=by: sat.kano(d, pairs, by=b), repeats=1)
        print(f"  {name:28} {cost:6.2f} s")
    counts = result.counts
    cost, _ = seconds(lambda: sat.kano(counts).bootstrap(10_000, seed=1), repeats=1)
    print(f"  10,000 bootstrap draws of all coefficients {cost:.2f} s")


def _blocks(frame: Any, columns: list[str]) -> Any:
    from satmodels.intake.batches import batches
    from satmodels.intake.frames import open_frame

    return batches(open_frame(frame), columns)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # random answers are half reverse, and kano() says so
    compare(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
    exact()
    flat_in_n()
    kano()
