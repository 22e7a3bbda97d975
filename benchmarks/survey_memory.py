"""Peak memory of Survey.check on a Parquet file, from DuckDB and from lazy polars, for growing files.

python benchmarks/survey_memory.py [millions of rows ...]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

READ = {
    "duckdb": "import duckdb; c = duckdb.connect(); c.execute('SET threads = 1'); data = c.read_parquet(path)",
    "polars lazy": "import polars as pl; data = pl.scan_parquet(path)",
}
PROGRAM = """
import re, sys
import numpy, satmodels as sat
from satmodels.survey.check import check

def peak():  # the high-water mark since the program began; getrusage would include the parent's
    return int(re.search("VmHWM: *(\\\\d+)", open("/proc/self/status").read().replace("\\t", " "))[1]) / 1024

path = sys.argv[1]
{read}
items = [sat.Recommend("nps"), *(sat.Rating(f"q{{i}}", sat.Scale(1, 10)) for i in range(1, 8))]
survey = sat.Survey("s", items)
start = peak()
report = survey.check(data)
assert report.ok, report
print(peak(), start, report.n_rows)
"""


def write(path: Path, millions: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(1)
    n = 500_000
    names = ["nps", *(f"q{i}" for i in range(1, 8))]
    block = pa.table({name: rng.integers(1, 11, n, dtype=np.int8) for name in names})
    with pq.ParquetWriter(path, block.schema) as writer:
        for _ in range(2 * millions):
            writer.write_table(block, row_group_size=100_000)


def main(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for millions in sizes:
            path = Path(folder) / f"{millions}.parquet"
            write(path, millions)
            for name, read in READ.items():
                program = PROGRAM.format(read=read)
                ran = subprocess.run(
                    [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
                )
                peak, start, rows = (float(v) for v in ran.stdout.split())
                print(f"{name:12s} {rows:12,.0f} rows: peak {peak:6.0f} MB, of which {start:4.0f} MB before")


if __name__ == "__main__":
    main([int(a) for a in sys.argv[1:]] or [1, 4, 16])
