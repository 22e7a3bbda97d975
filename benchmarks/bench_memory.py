"""Peak memory of scores and moments of 40 million rows in parquet files, on lazy polars, DuckDB, Dask and Ibis.

    python benchmarks/bench_memory.py [--rows 10_000_000] [--times 4] [--engines polars,duckdb,dask,ibis]

Writes one file of ``rows`` rows to a temporary folder and reads it ``times`` times in one query. Each contender
runs in a process of its own; the peak is that of the whole process, libraries included.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

COLUMNS = [f"q{j:02d}" for j in range(24)]
GROUP_ROWS = 500_000


def write(path: Path, rows: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(1)
    writer = None
    for _ in range(rows // GROUP_ROWS):
        common = rng.integers(0, 4, GROUP_ROWS, dtype=np.int8)
        part = {c: common + rng.integers(1, 8, GROUP_ROWS, dtype=np.int8) for c in COLUMNS}
        part["nps"] = rng.integers(0, 11, GROUP_ROWS, dtype=np.int8)
        part["segment"] = rng.integers(0, 50, GROUP_ROWS, dtype=np.int16)
        part["month"] = rng.integers(0, 24, GROUP_ROWS, dtype=np.int8)
        part["weight"] = rng.gamma(4.0, 0.25, GROUP_ROWS)
        table = pa.table(part)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def run(engine: str, job: str, path: str, times: int) -> dict[str, float]:
    import satmodels as sat

    if engine == "polars":
        import polars as pl

        data = pl.scan_parquet([path] * times)
    elif engine == "duckdb":
        import duckdb

        data = duckdb.connect().read_parquet([path] * times)
    elif engine == "dask":
        import dask
        import dask.dataframe as dd

        dask.config.set(scheduler="threads", num_workers=2)
        data = dd.read_parquet([path] * times, split_row_groups=True)
    else:
        import ibis

        data = ibis.duckdb.connect().read_parquet([path] * times)
    start = time.process_time()
    if job == "moments":
        n = sat.Moments.collect(data, COLUMNS).n
    else:
        weight = "weight" if job == "weighted nps" else None
        n = sum(sat.nps(data, "nps", by=("segment", "month"), weight=weight)._tidy()["n"])
    return {
        "n": n,
        "seconds": time.process_time() - start,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--engines", default="polars,duckdb,dask,ibis")
    parser.add_argument("--one", nargs=3, metavar=("ENGINE", "JOB", "PATH"))
    given = parser.parse_args()
    if given.one:
        print(json.dumps(run(*given.one, given.times)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.parquet"
        write(path, given.rows)
        print(
            f"{given.rows * given.times:,} rows from {path.stat().st_size / 1e6:,.0f} MB of parquet, read {given.times} times"
        )
        print(f"{'engine':<8} {'job':<14} {'CPU s':>7} {'peak GB':>8}")
        for job in ("nps", "weighted nps", "moments"):
            for engine in given.engines.split(","):
                command = [
                    sys.executable,
                    __file__,
                    "--times",
                    str(given.times),
                    "--one",
                    engine,
                    job,
                    str(path),
                ]
                found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                print(f"{engine:<8} {job:<14} {found['seconds']:7.2f} {found['peak']:8.3f}", flush=True)


if __name__ == "__main__":
    main()
