"""Can the parameters be told apart? Decided before anything is fitted.

The Jacobian of the implied moments is looked at in two arbitrary points: a model whose Jacobian is singular in
both has more freedom than its moments, whatever the data. Its null space names the parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import IdentificationError
from satmodels.sem.covariance.arrows import GroupArrows
from satmodels.sem.covariance.discrepancy import weighted_products
from satmodels.sem.covariance.responses import Responses
from satmodels.sem.covariance.table import ParameterTable
from satmodels.sem.covariance.ties import Ties

Array = NDArray[np.floating[Any]]
SINGULAR = 1e-11  # smallest eigenvalue of a scaled J'J that is not rounding
REGULAR = 1e-4  # a Cholesky factor with no smaller pivot is of full rank
TAKES_PART = 0.02  # a parameter with a smaller part in the null space is not named
SEEDS = (1, 2)


def check_identified(table: ParameterTable, arrows: Sequence[GroupArrows], ties: Ties) -> None:
    """Raise IdentificationError, with the parameters, if the model can't be identified by any data."""
    if not ties.n_free:
        return
    df = table.n_moments - ties.n_free
    null = _null_space(arrows, ties, SEEDS[0])
    if null.shape[1]:
        null = min(null, _null_space(arrows, ties, SEEDS[1]), key=lambda space: space.shape[1])
    if not null.shape[1] and df >= 0:
        return
    strength = np.abs(ties.k @ null).max(axis=1) if null.shape[1] else np.ones(len(ties.k))
    several = table.n_groups > 1
    names = [
        f"{p} (group {p.group + 1})" if several else str(p)
        for p, s in zip(table.free, strength, strict=True)
        if s > TAKES_PART
    ]
    raise IdentificationError(
        f"the model is not identified: it has {ties.n_free} free parameters, {table.n_moments} moments (df = {df}), "
        f"and these parameters can't be told apart: {', '.join(names)}. Fix one of them, or set some equal.",
        parameters=names,
        df=df,
    )


def _null_space(arrows: Sequence[GroupArrows], ties: Ties, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.3, 0.9, len(ties.k)) * rng.choice([-1.0, 1.0], len(ties.k))
    x = ties.k @ np.linalg.lstsq(ties.k, x - ties.x0, rcond=None)[0] + ties.x0
    total = np.zeros((len(x), len(x)))
    for r in arrows:
        implied = r.at(x)
        if isinstance(implied, Responses):
            part = implied.jacobian.T @ implied.jacobian
        else:
            u, w, d = implied.derivatives()
            part = weighted_products(np.eye(r.n_observed), u, w) + d.T @ d
        total[np.ix_(r.places, r.places)] += part
    j = ties.k.T @ total @ ties.k
    scale = np.sqrt(np.diag(j))
    dead = scale <= 1e-12 * scale.max(initial=1.0)
    scale[dead] = 1.0
    scaled = j / np.outer(scale, scale)
    try:  # much cheaper than eigenvalues, and nearly always the answer
        if np.diag(np.linalg.cholesky(scaled)).min() > REGULAR:
            return np.zeros((len(j), 0))
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(scaled)
    null = vectors[:, values < SINGULAR] / scale[:, None]
    return null / np.abs(null).max(axis=0, initial=1e-300) if null.shape[1] else null
