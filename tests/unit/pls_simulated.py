"""A small simulated study for the tests of PLS."""

from __future__ import annotations

import numpy as np
import pandas as pd

SPEC = """
Quality =~ q1 + q2 + q3
Value <~ v1 + v2
Loyalty =~ l1 + l2
Value ~ Quality
Loyalty ~ a*Quality + b*Value
both := a + b
"""
ITEMS = ["q1", "q2", "q3", "v1", "v2", "l1", "l2"]


def simulated(n: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=n)
    value = 0.6 * quality + 0.8 * rng.normal(size=n)
    loyalty = 0.4 * quality + 0.4 * value + 0.7 * rng.normal(size=n)
    latent = [quality] * 3 + [value] * 2 + [loyalty] * 2
    scores = np.column_stack([c + 0.7 * rng.normal(size=n) for c in latent])
    return pd.DataFrame(np.clip(np.round(5.5 + 1.6 * scores), 1, 10), columns=ITEMS)
