"""Make cbsem_answers.csv: simulated, skewed answers with gaps, groups, shops, weights and observed causes.

Run in this folder, then make_cbsem.R.
"""

import numpy as np
import pandas as pd

N = 400


def main() -> None:
    rng = np.random.default_rng(20261121)
    shop = rng.integers(0, 40, N)
    mood = rng.normal(size=40)[shop] * 0.4
    age, visits = rng.normal(45, 12, N).round(), rng.poisson(4, N)
    quality = 0.02 * (age - 45) + 0.1 * (visits - 4) + mood + rng.normal(size=N) * 0.8
    value = 0.6 * quality + rng.gamma(2, 0.5, N) - 1
    loyal = 0.4 * value + 0.3 * quality + rng.normal(size=N) * 0.7
    columns: dict[str, np.ndarray] = {}
    for name, construct in (("q", quality), ("v", value), ("l", loyal)):
        for i, loading in enumerate((1.0, 0.8, 1.2), start=1):
            error = rng.gamma(2, 0.5, N) - 1 if i == 2 else rng.normal(size=N) * 0.7
            columns[f"{name}{i}"] = (7 + loading * construct + error).round(3)
    frame = pd.DataFrame(columns)
    frame["age"], frame["visits"] = age.astype(int), visits
    frame["segment"] = np.where(rng.random(N) < 0.45, "B", "A")
    frame["shop"], frame["weight"] = shop, rng.gamma(4, 0.25, N).round(3) + 0.1
    gaps = (rng.random((N, 9)) < 0.12).astype(int)
    gaps[gaps.all(axis=1)] = 0
    for k in range(9):
        frame[f"gap{k + 1}"] = gaps[:, k]
    frame.to_csv("cbsem_answers.csv", index=False)


if __name__ == "__main__":
    main()
