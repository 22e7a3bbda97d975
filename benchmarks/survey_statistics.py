"""Raking, careless statistics and reliability: CPU milliseconds.

OMP_NUM_THREADS=1 python benchmarks/survey_statistics.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

import satmodels as sat
from satmodels.survey.careless import individual_variability, runs


def milliseconds(work: Callable[[], object], repeat: int = 5) -> float:
    times: list[float] = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * min(times)


def main() -> None:
    rng = np.random.default_rng(1)
    people = pd.DataFrame(
        {
            "a": rng.integers(0, 4, 10_000),
            "b": rng.integers(0, 6, 10_000),
            "c": rng.choice(list("xyz"), 10_000),
        }
    )
    margins = {
        "a": dict(enumerate([0.1, 0.2, 0.3, 0.4])),
        "b": dict(enumerate([0.1, 0.1, 0.1, 0.1, 0.3, 0.3])),
        "c": {"x": 0.2, "y": 0.3, "z": 0.5},
    }
    print(
        f"rake, 10,000 rows, 3 margins              {milliseconds(lambda: sat.rake(people, margins)):8.1f} ms"
    )
    x = rng.integers(1, 8, (1_000, 100)).astype(float)
    both = milliseconds(lambda: (runs(x), individual_variability(x)))
    print(f"longstring and IRV, 1,000 x 100           {both:8.1f} ms")
    frame = pd.DataFrame(x, columns=[f"q{i}" for i in range(100)])
    print(
        f"careless, all statistics, 1,000 x 100     {milliseconds(lambda: sat.careless(frame, list(frame))):8.1f} ms"
    )
    large = pd.DataFrame(
        rng.integers(1, 8, (1_000_000, 10)).astype(np.int8), columns=[f"q{i}" for i in range(10)]
    )
    alpha = milliseconds(lambda: sat.cronbach_alpha(large), 2)
    print(f"alpha, 1,000,000 x 10                     {alpha:8.1f} ms")
    moments = sat.Moments.collect(large, list(large))
    print(
        f"alpha from moments                        {milliseconds(lambda: sat.cronbach_alpha(moments)):8.1f} ms"
    )


if __name__ == "__main__":
    main()
