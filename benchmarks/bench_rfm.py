"""RFM of transactions against the bare aggregation, on polars and DuckDB, in one run.

    python benchmarks/bench_rfm.py [--rows 10_000_000] [--customers 440_000] [--repeats 3]

The bare query only groups by customer (last day, orders, money). ``satmodels.rfm`` also checks dates, ids and
amounts, cuts at exact quantiles, scores and segments. CPU seconds of all threads, medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np

import satmodels as sat

WHO = {"customer": "customer", "date": "day", "amount": "amount", "as_of": "2026-12-31"}


def make(rows: int, customers: int):
    import pyarrow as pa

    rng = np.random.default_rng(1)
    propensity = rng.gamma(0.8, 1.0, customers)
    edges = np.cumsum(propensity) / propensity.sum()
    who = np.searchsorted(edges, rng.random(rows)).astype(np.int64)
    day = np.datetime64("2025-01-01") + rng.integers(0, 730, rows)
    return pa.table(
        {"customer": who, "day": pa.array(day), "amount": np.round(rng.gamma(2.0, 25.0, rows), 2)}
    )


def median_cpu(call, repeats: int):
    seconds = []
    result = None
    for _ in range(repeats):
        start = time.process_time()
        result = call()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds), result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--customers", type=int, default=440_000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()

    import duckdb
    import polars as pl

    made = make(given.rows, given.customers)
    frame = pl.from_arrow(made)
    connection = duckdb.connect()
    connection.execute("create table sales as select * from made")
    totals = (pl.col("day").max(), pl.len(), pl.col("amount").sum())
    contenders = {
        "polars": (frame, lambda: frame.group_by("customer").agg(*totals)),
        "polars-lazy": (
            frame.lazy(),
            lambda: frame.lazy().group_by("customer").agg(*totals).collect(engine="streaming"),
        ),
        "duckdb": (
            connection.table("sales"),
            lambda: connection.sql(
                "select customer, max(day), count(*), sum(amount) from sales group by customer"
            ).to_arrow_table(),
        ),
    }
    print(f"{given.rows:,} transactions")
    print(f"{'engine':<12} {'bare':>7} {'rfm':>7} {'ratio':>6}")
    for name, (data, bare) in contenders.items():
        bare()
        base, _ = median_cpu(bare, given.repeats)
        ours, result = median_cpu(lambda d=data: sat.rfm(d, **WHO), given.repeats)
        print(f"{name:<12} {base:7.2f} {ours:7.2f} {ours / base:6.2f}   {result.n:,} customers", flush=True)
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=3)
    first, second = sat.rfm(frame, **WHO).customers, sat.rfm(shuffled, **WHO).customers
    print(
        f"rows shuffled: {(first['rfm'] != second['rfm']).sum()} of {len(first):,} customers change their score"
    )


if __name__ == "__main__":
    main()
