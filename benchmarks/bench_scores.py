"""Counting scores against the query an expert would write by hand, on the same engine, in one run.

    python benchmarks/bench_scores.py [--rows 10_000_000] [--repeats 9] [--text]

Prints CPU seconds (all threads; the median of the repeats, in which the contenders take turns) of an NPS by 50 x 24 segments, and the ratios of
``satmodels.nps`` to three hand-written queries: *bare* gives the score alone and trusts every answer and weight;
*guarded* counts only answers from 0 to 10 and gives what the interval needs as well (n, missing, sums of squared
weights, invalid weights); *counts* is the shortest query that gives what ``nps`` gives (n, and sums of the weights
and of their squares, of each answer in each segment), and trusts every weight. ``--text`` makes the segments text.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from functools import partial

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np

import satmodels as sat

SEGMENTS, MONTHS = 50, 24


def make(rows: int, text: bool):
    import pyarrow as pa

    rng = np.random.default_rng(1)
    segment = rng.integers(0, SEGMENTS, rows).astype(np.int16)
    names = pa.array([f"segment {k:02d}" for k in range(SEGMENTS)])
    return pa.table(
        {
            "nps": rng.choice(
                11, rows, p=[0.03, 0.01, 0.02, 0.02, 0.02, 0.07, 0.08, 0.15, 0.2, 0.18, 0.22]
            ).astype(np.int8),
            "segment": names.take(pa.array(segment)) if text else segment,
            "month": rng.integers(0, MONTHS, rows).astype(np.int8),
            "weight": rng.gamma(4.0, 0.25, rows),
        }
    )


def cpu_seconds(calls, repeats: int):
    """Return the median CPU seconds of each call and its last result.

    The calls take turns, so that what else runs on the machine, and what one leaves in the caches, meets all alike.
    """
    results = [call() for call in calls]
    seconds = [[] for _ in calls]
    for _ in range(repeats):
        for i, call in enumerate(calls):
            start = time.process_time()
            results[i] = call()
            seconds[i].append(time.process_time() - start)
    return [statistics.median(s) for s in seconds], results


def by_hand_polars(frame, weight: bool, *, streaming: bool = True):
    import polars as pl

    promoter, detractor = pl.col("nps") >= 9, pl.col("nps") <= 6
    if weight:
        w = pl.col("weight")
        signed = pl.when(promoter).then(w).when(detractor).then(-w).otherwise(0.0).sum()
        score = (signed / w.sum() * 100).alias("score")
    else:
        score = ((promoter.sum().cast(pl.Int64) - detractor.sum().cast(pl.Int64)) / pl.len() * 100).alias(
            "score"
        )
    if not streaming:  # as one writes it for a frame in memory
        return frame.group_by("segment", "month").agg(score).sort("segment", "month")["score"].to_numpy()
    query = frame.lazy().group_by("segment", "month").agg(score).sort("segment", "month")
    return query.collect(engine="streaming")["score"].to_numpy()


def by_hand_duckdb(connection, weight: bool):
    signed = "case when nps >= 9 then 1 when nps <= 6 then -1 else 0 end"
    score = f"sum(weight * {signed}) / sum(weight)" if weight else f"sum({signed}) / count(*)"
    query = f"select 100 * {score} as score from answers group by segment, month order by segment, month"
    return connection.sql(query).fetchnumpy()["score"].astype(float)


def guarded_polars(frame, weight: bool):
    import polars as pl

    x = pl.col("nps")
    valid = (x >= 0) & (x <= 10)
    signed = (
        pl.when((x >= 9) & (x <= 10)).then(1).when((x >= 0) & (x <= 6)).then(-1).otherwise(0).cast(pl.Int64)
    )
    extreme = pl.when(valid & ((x >= 9) | (x <= 6))).then(1).otherwise(0).cast(pl.Int64)
    if weight:
        w = pl.when(valid).then(pl.col("weight")).otherwise(0.0)
        bad = ((pl.col("weight") >= 0) & (pl.col("weight") <= 1e150)).not_().sum()
        sums = [
            (signed * w).sum().alias("s"),
            w.sum().alias("n"),
            (extreme * w * w).sum(),
            (w * w).sum().alias("q"),
            bad.alias("b"),
        ]
    else:
        sums = [signed.sum().alias("s"), valid.sum().alias("n"), extreme.sum()]
    grouped = (
        frame.lazy().group_by("segment", "month").agg(*sums, x.is_null().sum().alias("missing"), pl.len())
    )
    found = grouped.sort("segment", "month").collect(engine="streaming")
    return (100 * found["s"] / found["n"]).to_numpy()


def guarded_duckdb(connection, weight: bool):
    valid = "nps between 0 and 10"
    signed = "case when nps between 9 and 10 then 1 when nps between 0 and 6 then -1 else 0 end"
    if weight:
        w = f"case when {valid} then weight else 0 end"
        sums = (
            f"sum({signed} * weight) s, sum({w}) n, sum(abs({signed}) * weight * weight), sum(({w}) * ({w})), "
            "sum(case when weight >= 0 and weight <= 1e150 then 0 else 1 end)"
        )
    else:
        sums = f"sum({signed}) s, count(*) filter ({valid}) n, sum(abs({signed}))"
    query = f"select {sums}, count(*) - count(nps), count(*) from answers group by segment, month order by segment, month"
    found = connection.sql(query).fetchnumpy()
    return 100 * found["s"].astype(float) / found["n"]


def counts_polars(frame, weight: bool):
    import polars as pl

    w = pl.col("weight")
    sums = [w.sum(), (w * w).sum().alias("squared")] if weight else []
    grouped = frame.lazy().group_by("segment", "month", "nps").agg(pl.len().alias("n"), *sums)
    return grouped.collect(engine="streaming")


def counts_duckdb(connection, weight: bool):
    sums = ", sum(weight), sum(weight * weight)" if weight else ""
    return connection.sql(
        f"select segment, month, nps, count(*){sums} from answers group by all"
    ).fetchnumpy()


def by_hand_pandas(frame, weight: bool):
    signed = (frame["nps"] >= 9).astype("int64") - (frame["nps"] <= 6).astype("int64")
    keys = [frame["segment"], frame["month"]]
    if weight:
        w = frame["weight"]
        return (100 * (signed * w).groupby(keys).sum() / w.groupby(keys).sum()).to_numpy()
    return 100 * signed.groupby(keys).mean().to_numpy()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--text", action="store_true")
    parser.add_argument("--engines", default="polars,polars-eager,polars-lazy,duckdb,pandas")
    given = parser.parse_args()

    import duckdb
    import polars as pl

    made = make(given.rows, given.text)
    wanted = given.engines.split(",")
    memory = duckdb.connect()
    memory.execute("create table answers as select * from made")
    polars = pl.from_arrow(made)
    pandas = made.to_pandas() if {"pandas"} & set(wanted) else None
    contenders = {
        "polars": (
            polars,
            lambda w: by_hand_polars(polars, w),
            lambda w: guarded_polars(polars, w),
            lambda w: counts_polars(polars, w),
        ),
        "polars-eager": (
            polars,
            lambda w: by_hand_polars(polars, w, streaming=False),
            lambda w: guarded_polars(polars, w),
            lambda w: counts_polars(polars, w),
        ),
        "polars-lazy": (
            polars.lazy(),
            lambda w: by_hand_polars(polars.lazy(), w),
            lambda w: guarded_polars(polars.lazy(), w),
            lambda w: counts_polars(polars.lazy(), w),
        ),
        "duckdb": (
            memory.table("answers"),
            lambda w: by_hand_duckdb(memory, w),
            lambda w: guarded_duckdb(memory, w),
            lambda w: counts_duckdb(memory, w),
        ),
        "pandas": (pandas, lambda w: by_hand_pandas(pandas, w), None, None),
    }
    print(
        f"{given.rows:,} rows, {SEGMENTS} x {MONTHS} segments, segments as {'text' if given.text else 'int16'}"
    )
    print(
        f"{'engine':<12} {'weights':<8} {'bare':>7} {'guarded':>8} {'counts':>7} {'nps':>7} {'/ bare':>7} "
        f"{'/ guarded':>10} {'/ counts':>9}   difference"
    )
    for name in wanted:
        data, *queries = contenders[name]
        for weight in (None, "weight"):
            w = weight is not None
            calls = [partial(query, w) for query in queries if query is not None]
            calls.append(lambda: sat.nps(data, "nps", by=("segment", "month"), weight=weight))
            seconds, (expected, *_, result) = cpu_seconds(calls, given.repeats)
            score_s, seconds = seconds[-1], [*seconds[:-1], *[float("nan")] * 2][:3]
            found = np.array(result._tidy()["estimate"], dtype=float)
            bare_r, guarded_r, counts_r = (score_s / s for s in seconds)
            print(
                f"{name:<12} {'yes' if w else 'no':<8} {seconds[0]:7.3f} {seconds[1]:8.3f} {seconds[2]:7.3f} "
                f"{score_s:7.3f} {bare_r:7.2f} {guarded_r:10.2f} {counts_r:9.2f}   "
                f"{np.abs(found - expected).max():.0e}",
                flush=True,
            )


if __name__ == "__main__":
    main()
