"""Check 1,000,000 answers of 11 fields: columns of any engine against one pydantic model per row.

    OMP_NUM_THREADS=1 python benchmarks/survey_check.py [rows]

The row-wise peer is a hand-written strict pydantic model validated through a list adapter (its fastest
way), on rows that are already dictionaries; making the dictionaries is counted apart.
"""

from __future__ import annotations

import os
import sys
import time

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(_name, "1")

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

import satmodels as sat

ITEMS = [f"q{i}" for i in range(1, 8)]
REGIONS = ["north", "east", "south", "west"]


class Row(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    customer: Annotated[str, Field(pattern=r"^c[0-9]{7}$")]
    region: Literal["north", "east", "south", "west"]
    day: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    nps: Annotated[int, Field(ge=0, le=10)]
    q1: Annotated[int, Field(ge=1, le=10)]
    q2: Annotated[int, Field(ge=1, le=10)]
    q3: Annotated[int, Field(ge=1, le=10)]
    q4: Annotated[int, Field(ge=1, le=10)]
    q5: Annotated[int, Field(ge=1, le=10)]
    q6: Annotated[int, Field(ge=1, le=10)]
    q7: Annotated[int, Field(ge=1, le=10)]


def survey(respondent: str | None) -> sat.Survey:
    items = [
        sat.Choice("region", REGIONS),
        sat.Date("day"),
        sat.Recommend("nps"),
        *(sat.Rating(q, sat.Scale(1, 10)) for q in ITEMS),
    ]
    if respondent is None:
        items.append(sat.Text("customer", max_length=8))
    return sat.Survey("benchmark", items, respondent=respondent)


def make(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    days = np.array([f"2026-{m:02d}-{d:02d}" for m in range(1, 13) for d in range(1, 29)])
    return pd.DataFrame(
        {
            "customer": [f"c{i:07d}" for i in range(n)],
            "region": rng.choice(REGIONS, n),
            "day": rng.choice(days, n),
            "nps": rng.integers(0, 11, n, dtype=np.int8),
            **{q: rng.integers(1, 11, n, dtype=np.int8) for q in ITEMS},
        }
    )


def seconds(work: object, repeat: int = 3) -> float:
    best = float("inf")
    for _ in range(repeat):
        start = time.process_time()
        work()  # type: ignore[operator]
        best = min(best, time.process_time() - start)
    return best


def main(n: int) -> None:
    import duckdb
    import polars as pl

    frame = make(n)
    rows = frame.to_dict("records")
    adapter = TypeAdapter(list[Row])
    peer = seconds(lambda: adapter.validate_python(rows), 1)
    dicts = seconds(lambda: frame.to_dict("records"), 1)
    print(f"{n:,} rows x 11 fields; pydantic row by row {peer:.2f} CPU s (making the rows {dicts:.2f} more)")
    polars = pl.from_pandas(frame)
    arrow = polars.to_arrow()
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.register("answers", arrow)
    frames = {
        "pandas, object text": frame,
        "pandas, arrow text": frame.convert_dtypes(dtype_backend="pyarrow"),
        "polars": polars,
        "polars lazy": polars.lazy(),
        "pyarrow": arrow,
        "duckdb": connection.table("answers"),
    }
    for name, data in frames.items():
        plain = seconds(lambda data=data: survey(None).check(data))
        unique = seconds(lambda data=data: survey("customer").check(data))
        assert survey("customer").check(data).ok
        print(
            f"{name:22s} {plain:6.3f} CPU s  {peer / plain:6.1f} x pydantic"
            f"   with unique respondents {unique:6.3f} CPU s  {peer / unique:6.1f} x"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
