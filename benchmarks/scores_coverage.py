"""How often nominal 95 % intervals of scores hold the truth, by simulation.

Run: python benchmarks/scores_coverage.py [samples]
One row per truth and sample size, one column per method; a few seconds of CPU.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from satmodels.statistics.intervals import (
    NET_METHODS,
    PROPORTION_METHODS,
    mean_interval,
    net_interval,
    proportion_interval,
)

SIZES = (20, 50, 200, 1000)
SHARES = (0.5, 0.8, 0.95)
NETS = ((0.25, 0.30, 0.45), (0.05, 0.25, 0.70))  # detractors, passives, promoters
ANSWERS = np.arange(1, 11)
SKEWED = np.array([1, 1, 2, 3, 5, 8, 14, 24, 24, 18]) / 100  # a usual 1-10 distribution


def share_coverage(p: float, n: int, samples: int, rng: np.random.Generator) -> dict[str, float]:
    x = rng.binomial(n, p, samples)
    found = {}
    for method in PROPORTION_METHODS:
        low, high = proportion_interval(x, n, method=method)
        found[method] = float(((low <= p) & (p <= high)).mean())  # the logit has none at 0 and n: a miss
    return found


def net_coverage(
    truth: tuple[float, ...], n: int, samples: int, rng: np.random.Generator
) -> dict[str, float]:
    d, m, p = rng.multinomial(n, truth, samples).T
    net = truth[2] - truth[0]
    found = {}
    for method in NET_METHODS:
        low, high = net_interval(d, m, p, method=method)
        found[method] = float(((low <= net) & (net <= high)).mean())
    return found


def mean_coverage(n: int, samples: int, rng: np.random.Generator) -> dict[str, float]:
    counts = rng.multinomial(n, SKEWED, samples)
    mean = counts @ ANSWERS / n
    variance = (counts @ ANSWERS**2 - n * mean**2) / (n - 1)
    truth = float(SKEWED @ ANSWERS)
    found = {}
    for method, df in (("wald", None), ("t", n - 1)):
        low, high = mean_interval(mean, np.sqrt(variance / n), df=df)
        found[method] = float(((low <= truth) & (truth <= high)).mean())
    return found


def table(title: str, rows: list[tuple[str, dict[str, float]]]) -> None:
    names = list(rows[0][1])
    print(f"\n| {title} | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for label, found in rows:
        print(f"| {label} | " + " | ".join(f"{100 * found[name]:.1f}" for name in names) + " |")


def main(samples: int = 20_000) -> None:
    start, rng = time.process_time(), np.random.default_rng(1)
    table("share, n", [(f"{p}, {n}", share_coverage(p, n, samples, rng)) for p in SHARES for n in SIZES])
    table(
        "net score, n",
        [(f"{t[2] - t[0]:.2f}, {n}", net_coverage(t, n, samples, rng)) for t in NETS for n in SIZES],
    )
    table("mean of 1-10, n", [(str(n), mean_coverage(n, samples, rng)) for n in SIZES])
    print(f"\n{samples:,} samples each, {time.process_time() - start:.1f} CPU s")


if __name__ == "__main__":
    main(*(int(v) for v in sys.argv[1:]))
