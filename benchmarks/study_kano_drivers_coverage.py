"""How often the 95 % limits of Kano and of the drivers hold the truth, by simulation (about three minutes).

    python benchmarks/study_kano_drivers_coverage.py

Truths are known exactly for Kano, and from a sample of two million for the ratings, which are rounded,
skewed and cut at the ends of the scale.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import warnings

import numpy as np
import pandas as pd

import satmodels as sat

DRIVERS = ["a", "b", "c", "d", "e"]
SCALE = sat.Scale(1, 10)
STUDIES = 1_000


def kano(n: int) -> None:
    rng = np.random.default_rng(7)
    shares = np.array([0.25, 0.3, 0.15, 0.2, 0.06, 0.04])
    truth = {"better": 0.55 / 0.9, "worse": -0.45 / 0.9}
    cells = [(0, 2), (0, 4), (2, 4), (2, 2), (4, 1), (4, 4)]
    drawn = rng.multinomial(n, shares, size=4 * STUDIES)
    grid = np.zeros((len(drawn), 1, 5, 5))
    for k, (f, d) in enumerate(cells):
        grid[:, 0, f, d] = drawn[:, k]
    keys = tuple((k,) for k in range(len(drawn)))
    counts = sat.PairCounts(
        ("x",), ("study",), 5, keys, grid.astype(int), grid, grid, np.zeros((len(drawn), 1), int)
    )
    result = sat.kano(counts)
    drawn_limits = result.bootstrap(1_000, seed=1).estimates
    for name, value in truth.items():
        for how, table in (("Wilson", result.estimates), ("bootstrap", drawn_limits)):
            low, high = np.array(table[f"{name}_low"]), np.array(table[f"{name}_high"])
            print(f"  n={n:5} {name:6} {how:10} {((low <= value) & (value <= high)).mean():.3f}")


def ratings(rng: np.random.Generator, n: int) -> pd.DataFrame:
    halo = rng.normal(size=(n, 1))
    x = np.clip(np.round(7.5 + [1.0, 1.4, 0.6, 0.9, 1.2] * halo + 1.4 * rng.normal(size=(n, 5))), 1, 10)
    y = np.clip(np.round(0.7 + x @ [0.3, 0.25, 0.2, 0.15, 0.0] + rng.normal(size=n)), 1, 10)
    return pd.DataFrame(np.column_stack([x, y]), columns=[*DRIVERS, "overall"])


def drivers(n: int) -> None:
    rng = np.random.default_rng(11)
    whole = ratings(rng, 2_000_000)
    held: dict[str, list[np.ndarray]] = {}

    def note(what: str, truth: np.ndarray, table: sat.Any, low: str, high: str) -> None:
        inside = (np.array(table[low]) <= truth) & (truth <= np.array(table[high]))
        held.setdefault(what, []).append(inside)

    truth = {
        m: np.array(
            sat.key_drivers(whole, "overall", DRIVERS, method=m, interval="none").estimates["estimate"]
        )
        for m in ("shapley", "relative_weights", "standardized")
    }
    contrast = sat.penalty_reward(whole, "overall", DRIVERS, scale=SCALE).estimates
    plans = {
        effect: {
            r["term"]: r["gain"]
            for r in sat.priorities(
                sat.key_drivers(whole, "overall", DRIVERS, interval="none"), scale=SCALE, effect=effect
            ).estimates.rows()
        }
        for effect in ("regression", "shapley")
    }
    noise = np.array(
        sat.reach_noise(whole, "overall", DRIVERS, dissatisfied=5, failed=5).estimates["estimate"]
    )
    for _ in range(STUDIES):
        sample = ratings(rng, n)
        for method, value in truth.items():
            found = sat.key_drivers(sample, "overall", DRIVERS, method=method).estimates
            note(f"{method}, robust", value, found, "conf_low", "conf_high")
        moments = sat.Moments.collect(sample, [*DRIVERS, "overall"])
        analysis = sat.key_drivers(moments, "overall")
        note("shapley, normal", truth["shapley"], analysis.estimates, "conf_low", "conf_high")
        found = sat.penalty_reward(sample, "overall", DRIVERS, scale=SCALE).estimates
        for side in ("penalty", "reward"):
            note(side, np.array(contrast[side]), found, f"{side}_low", f"{side}_high")
        found = sat.reach_noise(sample, "overall", DRIVERS, dissatisfied=5, failed=5).estimates
        note("reach-noise", noise, found, "conf_low", "conf_high")
        for effect, gains in plans.items():
            found = sat.priorities(analysis, scale=SCALE, effect=effect).estimates
            value = np.array([gains[t] for t in found["term"]])
            note(f"gain, {effect}", value, found, "gain_low", "gain_high")
    for what, inside in held.items():
        print(f"  n={n:5} {what:26} {np.mean(inside):.3f}")


def answers(rng: np.random.Generator, n: int) -> pd.DataFrame:
    x = rng.normal(size=(n, 3)) + 0.7 * rng.normal(size=(n, 1))
    y = x @ [0.6, 0.3, 0.1] + rng.normal(size=n)
    rows = np.clip(np.round(1.3 * np.column_stack([x, y])), -3, 2)
    return pd.DataFrame(rows, columns=["a", "b", "c", "overall"])


def gaps(n: int) -> None:
    """Em with answers missing at random, given the first column; pairwise with a fifth missing anywhere."""
    rng = np.random.default_rng(13)
    names = ["a", "b", "c"]
    truth = sat.key_drivers(answers(rng, 1_000_000), "overall", names, interval="none").estimates["estimate"]
    held: dict[str, list[np.ndarray]] = {"em": [], "pairwise": []}
    for _ in range(STUDIES):
        for missing, inside in held.items():
            sample = answers(rng, n)
            if missing == "em":
                chance = np.where(sample["a"] > 0, 0.5, 0.05)[:, None] * [0, 1, 1, 1]
            else:
                chance = np.full(sample.shape, 0.2)
            sample = sample.mask(rng.random(sample.shape) < chance)
            found = sat.key_drivers(sample, "overall", names, missing=missing).estimates
            inside.append((np.array(found["conf_low"]) <= truth) & (truth <= np.array(found["conf_high"])))
    for missing, inside in held.items():
        print(f"  n={n:5} missing={missing:18} {np.mean(inside):.3f}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print("Kano: share of studies whose 95 % limits hold the truth")
    for size in (60, 300):
        kano(size)
    print("Drivers: the same, over five drivers")
    for size in (200, 1_000):
        drivers(size)
    print("Drivers of incomplete answers: the same, over three drivers")
    for size in (200, 1_000):
        gaps(size)
