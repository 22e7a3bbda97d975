"""Make ordered_answers.csv: simulated answers in three languages, with gaps and weights.

Five-point items q1-q4 and seven-point items v1-v3 of two constructs, numbers s1-s3 of a third, and binary b1-b4 of the
first. Run in this folder, then make_ordered.R.
"""

import numpy as np
import pandas as pd

SIZES = {"de": 260, "fr": 220, "it": 180}
FIVE, SEVEN = np.array([-1.3, -0.5, 0.3, 1.2]), np.array([-1.6, -1.0, -0.4, 0.2, 0.8, 1.5])
NEVER_ASKED = 0.1  # share of gaps


def main() -> None:
    rng = np.random.default_rng(20261122)
    frames = []
    for language, n in SIZES.items():
        spread, shift = {"de": (1.0, 0.0), "fr": (1.3, 0.4), "it": (0.9, -0.2)}[language]
        quality = shift + spread * rng.normal(size=n)
        value = 0.5 * quality + rng.normal(size=n)
        spend = 0.4 * value + rng.normal(size=n)
        columns = {"language": [language] * n}
        for i, loading in enumerate((1.0, 0.8, 1.2, 0.9), start=1):
            response = loading * quality + rng.normal(size=n) * (1.2 if language == "fr" and i == 3 else 0.9)
            if language == "fr" and i == 2:
                response = response + 0.4  # a question that sounds friendlier
            columns[f"q{i}"] = np.digitize(response, FIVE) + 1
            columns[f"b{i}"] = (response > 0.2).astype(int)
        for i, loading in enumerate((1.0, 0.7, 1.1), start=1):
            if language == "it" and i == 3:
                loading = 0.6
            columns[f"v{i}"] = np.digitize(loading * value + rng.normal(size=n) * 0.8, SEVEN) + 1
        for i, loading in enumerate((1.0, 0.9, 1.3), start=1):
            columns[f"s{i}"] = (20 + 5 * (loading * spend + rng.gamma(2, 0.5, n) - 1)).round(2)
        frames.append(pd.DataFrame(columns))
    frame = pd.concat(frames, ignore_index=True)
    frame["weight"] = rng.gamma(4, 0.25, len(frame)).round(2) + 0.2
    for item in (
        [f"q{i}" for i in range(1, 5)] + [f"v{i}" for i in range(1, 4)] + [f"s{i}" for i in range(1, 4)]
    ):
        frame[f"gap_{item}"] = (rng.random(len(frame)) < NEVER_ASKED).astype(int)
    frame.sample(frac=1, random_state=5).to_csv("ordered_answers.csv", index=False)


if __name__ == "__main__":
    main()
