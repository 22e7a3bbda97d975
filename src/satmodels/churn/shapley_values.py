"""Shapley values of any model's log-odds, by permutations: what each column adds on the way to a customer.

For each reference customer and each order of the columns, the columns are turned one by one from the
reference's value to the customer's; a column's contribution is the mean change it makes. The contributions
add up to the customer's log-odds minus the references' mean, whatever the number of permutations
(Strumbelj & Kononenko 2014).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

REFERENCES = 12
BLOCK_CELLS = 2_000_000


def permutation_shapley(
    score: Callable[[Array], Array], Z: Array, background: Array, seed: int | None
) -> tuple[Array, float]:
    """Return contributions, shape of ``Z``, and the mean log-odds of the references they start from."""
    rng = np.random.default_rng(0 if seed is None else seed)
    n, p = Z.shape
    chosen = background[rng.permutation(len(background))[:REFERENCES]]
    found = np.zeros((n, p))
    rows = max(1, BLOCK_CELLS // (p * (p + 1)))
    base = float(score(chosen).mean())
    for reference in chosen:
        order = rng.permutation(p)
        for path in (order, order[::-1]):  # an order and its reverse: their errors partly cancel
            for start in range(0, n, rows):
                here = Z[start : start + rows]
                steps = np.repeat(reference[None, None, :], len(here), axis=0)
                steps = np.repeat(steps, p + 1, axis=1)
                for k, j in enumerate(path):
                    steps[:, k + 1 :, j] = here[:, None, j]
                values = score(steps.reshape(-1, p)).reshape(len(here), p + 1)
                found[start : start + rows][:, path] += np.diff(values, axis=1)
    return found / (2 * len(chosen)), base
