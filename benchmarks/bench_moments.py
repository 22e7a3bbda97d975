"""Moments of 24 columns against plain chunked numpy and pandas.cov, in one run.

    python benchmarks/bench_moments.py [--rows 10_000_000] [--columns 24]

Each contender runs in a process of its own on the same whole-number answers (int8); printed are CPU seconds
and the peak memory above the data, and the ratios. One BLAS thread.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np

BLOCK = 65_536


def answers(rows: int, columns: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    common = rng.integers(0, 4, rows).astype(np.int8)
    return {f"q{j:02d}": common + rng.integers(1, 8, rows).astype(np.int8) for j in range(columns)}


def chunked_numpy(data):
    """What an expert writes: blocks of whole numbers to float64, centred on the midpoint, one product each."""
    n, p = data.shape
    sums, products = np.zeros(p), np.zeros((p, p))
    for start in range(0, n, BLOCK):
        block = data[start : start + BLOCK].astype(np.float64)
        block -= 5.5
        sums += block.sum(axis=0)
        products += block.T @ block
    return (products - np.outer(sums, sums) / n) / (n - 1)


def run(contender: str, rows: int, columns: int) -> dict[str, float]:
    made = answers(rows, columns)
    names = list(made)
    if contender == "numpy":
        data = np.column_stack(list(made.values()))
        call = lambda: chunked_numpy(data)  # noqa: E731
    elif contender == "pandas.cov":
        import pandas as pd

        data = pd.DataFrame(made)
        call = lambda: data.cov().to_numpy()  # noqa: E731
    else:
        import satmodels as sat

        if contender == "pandas":
            import pandas as pd

            data = pd.DataFrame(made)
        elif contender.startswith("polars"):
            import polars as pl

            data = pl.DataFrame(made)
            data = data.lazy() if contender == "polars-lazy" else data
        elif contender == "pyarrow":
            import pyarrow as pa

            data = pa.table(made)
        else:
            import duckdb
            import pyarrow as pa

            connection = duckdb.connect()
            source = pa.table(made)
            connection.execute("create table answers as select * from source")
            del source
            data = connection.table("answers")
        few = (
            data.limit(1000)
            if contender == "duckdb"
            else data.slice(0, 1000)
            if contender == "pyarrow"
            else data.head(1000)
        )
        sat.Moments.collect(few, names)  # imports are no part of the comparison
        call = lambda: sat.Moments.collect(data, names).cov  # noqa: E731
    del made
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    cov = call()
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": seconds,
        "extra": max(0, peak - before) / 1e6,
        "peak": peak / 1e6,
        "check": float(cov.sum()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--columns", type=int, default=24)
    parser.add_argument("--only", default="numpy,pandas.cov,pandas,polars,polars-lazy,pyarrow,duckdb")
    parser.add_argument("--contender")
    given = parser.parse_args()
    if given.contender:
        print(json.dumps(run(given.contender, given.rows, given.columns)))
        return
    print(f"{given.rows:,} rows, {given.columns} columns of int8")
    print(f"{'':<22} {'CPU s':>7} {'x numpy':>8} {'x pandas.cov':>13} {'extra GB':>9} {'peak GB':>8}   check")
    found: dict[str, dict[str, float]] = {}
    for name in given.only.split(","):
        arguments = [
            __file__,
            "--contender",
            name,
            "--rows",
            str(given.rows),
            "--columns",
            str(given.columns),
        ]
        out = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True).stdout
        found[name] = r = json.loads(out)
        base, cov = found.get("numpy", r), found.get("pandas.cov", r)
        label = name if name in ("numpy", "pandas.cov") else f"satmodels, {name}"
        print(
            f"{label:<22} {r['seconds']:7.2f} {r['seconds'] / base['seconds']:8.2f} "
            f"{r['seconds'] / cov['seconds']:13.2f} {r['extra']:9.2f} {r['peak']:8.2f}   {r['check']:.9f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
