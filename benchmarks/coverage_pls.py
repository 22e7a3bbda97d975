"""How often bootstrap intervals of PLS paths and indices cover the truth, and how often tests of equal groups reject.

    python benchmarks/coverage_pls.py [replications] [draws]

Answers are drawn from a population whose PLS solution is known exactly: normal items with the correlations of
the ECSI mobile phone study, on their scale, 250 rows a sample. The truth is the model estimated from the
population's moments. All kinds of interval see the same samples and, but for the studentised, the same draws. The second
part draws two groups from one population: their differences are 0, and 5 % of the permutation tests should reject. In
the third part the two groups are waves of a panel: the same people, seven tenths of the variance of whose answers lasts.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import sys
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd

import satmodels as sat

KINDS = ("~", "total", "r2", "index", "=~")
ROWS = 250
WIDE = (-50, 60)  # a scale that normal answers don't leave
POINTS = (WIDE[1] - WIDE[0]) / 9  # its index points in those of the study's scale from 1 to 10
STUDY = sat.datasets.load_ecsi()
MODEL = sat.PLSPM(sat.ecsi(STUDY.items))  # without the study's scales, which normal answers leave
ROOT = np.linalg.cholesky(STUDY.moments.corr) * STUDY.moments.std[:, None]


def sample(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, len(ROOT))) @ ROOT.T + STUDY.moments.mean
    return pd.DataFrame(rows, columns=STUDY.moments.columns)


def quantities(found: sat.BootstrapResult) -> Iterator[dict[str, object]]:
    for part in (found.parameters, found.quantities):
        yield from part.rows()


def intervals(replications: int, draws: int) -> None:
    whole = sat.bootstrap(MODEL, STUDY.moments, n=2, seed=0, scale=WIDE)
    truth = {(r["lhs"], r["op"], r["rhs"]): r["estimate"] for r in quantities(whole)}
    for interval in ("percentile", "basic", "bca", "studentized"):
        start = time.process_time()
        covered: dict[str, list[bool]] = {kind: [] for kind in KINDS}
        by_quantity: dict[tuple[str, ...], list[bool]] = {}
        for seed in range(replications):
            found = sat.bootstrap(
                MODEL, sample(ROWS, seed), n=draws, seed=seed, scale=WIDE, interval=interval
            )
            for row in quantities(found):
                if row["op"] in covered and row["std_error"] > 1e-9:
                    name = row["lhs"], row["op"], row["rhs"]
                    inside = row["conf_low"] <= truth[name] <= row["conf_high"]
                    covered[row["op"]].append(inside)
                    by_quantity.setdefault(name, []).append(inside)
        shares = "  ".join(f"{kind} {np.mean(covered[kind]):.1%}" for kind in KINDS)
        print(
            f"{interval:11s} {shares}  ({replications} samples, {draws} draws, "
            f"{time.process_time() - start:.0f} CPU seconds)"
        )
        for kind in ("~", "r2", "index"):
            own = {name: np.mean(hits) for name, hits in by_quantity.items() if name[1] == kind}
            low, high = min(own, key=own.__getitem__), max(own, key=own.__getitem__)
            print(f"            {kind}: from {own[low]:.1%} ({' '.join(low)}) to {own[high]:.1%}")


def group_tests(replications: int, draws: int) -> None:
    start = time.process_time()
    rejected: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    covered: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    for seed in range(replications):
        frame = sample(2 * ROWS, seed).assign(wave=np.repeat(["a", "b"], ROWS))
        found = sat.compare_groups(MODEL, frame, "wave", n=draws, seed=seed, scale=WIDE)
        for row in found.differences.rows():
            if row["op"] in covered and row["std_error"] > 1e-9:
                covered[row["op"]].append(row["conf_low"] <= 0 <= row["conf_high"])
                rejected[row["op"]].append(row["p_value"] <= 0.05)
    print(
        "two groups of one population: "
        + "  ".join(f"{kind} {np.mean(rejected[kind]):.1%}" for kind in KINDS)
    )
    print("  of the permutation tests reject at 5 %; the 95 % intervals of the differences cover 0 in")
    print(
        "  "
        + "  ".join(f"{kind} {np.mean(covered[kind]):.1%}" for kind in KINDS)
        + f"  ({replications} pairs of samples, {draws} draws, {time.process_time() - start:.0f} CPU seconds)"
    )


def panels(replications: int, draws: int) -> None:
    start = time.process_time()
    for cluster in ("person", None):
        rejected: list[bool] = []
        covered: list[bool] = []
        std_errors: list[float] = []
        differences: list[float] = []
        for seed in range(replications):
            lasting, first, second = (sample(ROWS, 3 * seed + i) - STUDY.moments.mean for i in range(3))
            waves = [
                np.sqrt(0.7) * lasting + np.sqrt(0.3) * own + STUDY.moments.mean for own in (first, second)
            ]
            frame = pd.concat(waves, keys=["a", "b"], names=["wave", "person"]).reset_index()
            found = sat.compare_groups(MODEL, frame, "wave", n=draws, seed=seed, scale=WIDE, cluster=cluster)
            for row in found.differences.rows():
                if row["op"] == "index":
                    rejected.append(row["p_value"] <= 0.05)
                    covered.append(row["conf_low"] <= 0 <= row["conf_high"])
                    std_errors.append(row["std_error"])
                    differences.append(row["estimate"])
        print(
            f"index differences in a panel, cluster={cluster!r}: standard deviation "
            f"{POINTS * np.std(differences):.2f}, mean standard error {POINTS * np.mean(std_errors):.2f}, rejected {np.mean(rejected):.1%}, covered {np.mean(covered):.1%}"
        )
    print(f"  ({replications} panels, {draws} draws, {time.process_time() - start:.0f} CPU seconds)")


def main() -> None:
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    draws = int(sys.argv[2]) if len(sys.argv) > 2 else 999
    intervals(replications, draws)
    group_tests(replications, draws)
    panels(replications, draws)


if __name__ == "__main__":
    main()
