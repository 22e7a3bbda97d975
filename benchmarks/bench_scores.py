"""Counting scores against the query an expert would write by hand, on the same engine, in one run.

    python benchmarks/bench_scores.py [--rows 10_000_000] [--repeats 5] [--text]

Prints CPU seconds (all threads; the median of the repeats) of an NPS by 50 x 24 segments, and the ratio of
``satmodels.nps`` to the hand-written query that only gives the numbers. ``--text`` makes the segments text.
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


def median_cpu(call, repeats: int):
    seconds = []
    result = call()
    for _ in range(repeats):
        start = time.process_time()
        result = call()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds), result


def by_hand_polars(frame, weight: bool):
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
    query = frame.lazy().group_by("segment", "month").agg(score).sort("segment", "month")
    return query.collect(engine="streaming")["score"].to_numpy()


def by_hand_duckdb(connection, weight: bool):
    signed = "case when nps >= 9 then 1 when nps <= 6 then -1 else 0 end"
    score = f"sum(weight * {signed}) / sum(weight)" if weight else f"sum({signed}) / count(*)"
    query = f"select 100 * {score} as score from answers group by segment, month order by segment, month"
    return connection.sql(query).fetchnumpy()["score"].astype(float)


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
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--text", action="store_true")
    parser.add_argument("--engines", default="polars,polars-lazy,duckdb,duckdb-file,pandas,pyarrow")
    given = parser.parse_args()

    import duckdb
    import polars as pl

    made = make(given.rows, given.text)
    wanted = given.engines.split(",")
    memory = duckdb.connect()
    memory.execute("create table answers as select * from made")
    polars = pl.from_arrow(made)
    pandas = made.to_pandas() if {"pandas"} & set(wanted) else None
    pairs = {
        "polars": (polars, lambda w: by_hand_polars(polars, w)),
        "polars-lazy": (polars.lazy(), lambda w: by_hand_polars(polars.lazy(), w)),
        "duckdb": (memory.table("answers"), lambda w: by_hand_duckdb(memory, w)),
        "pandas": (pandas, lambda w: by_hand_pandas(pandas, w)),
        "pyarrow": (made, lambda w: by_hand_polars(pl.from_arrow(made), w)),
    }
    print(
        f"{given.rows:,} rows, {SEGMENTS} x {MONTHS} segments, segments as {'text' if given.text else 'int16'}"
    )
    print(
        f"{'engine':<12} {'weights':<8} {'by hand':>8} {'counts':>8} {'ratio':>6} {'nps':>8} {'ratio':>6}   largest difference"
    )
    for name in wanted:
        if name not in pairs:
            continue
        data, hand = pairs[name]
        for weight in (None, "weight"):
            expected_s, expected = median_cpu(lambda h=hand, w=weight: h(w is not None), given.repeats)
            counts_s, _ = median_cpu(
                lambda d=data, w=weight: sat.ScoreCounts.collect(d, "nps", ("segment", "month"), w),
                given.repeats,
            )
            line = f"{name:<12} {'yes' if weight else 'no':<8} {expected_s:8.3f} {counts_s:8.3f} {counts_s / expected_s:6.2f}"
            if "nps" in dir(sat):
                score_s, result = median_cpu(
                    lambda d=data, w=weight: sat.nps(d, "nps", by=("segment", "month"), weight=w),
                    given.repeats,
                )
                found = np.array(result._tidy()["estimate"], dtype=float)
                line += f" {score_s:8.3f} {score_s / expected_s:6.2f}   {np.abs(found - expected).max():.1e}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
