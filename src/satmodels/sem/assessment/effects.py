"""Explained variance, direct, indirect and total effects, effect sizes and collinearity.

Everything here is a function of two small matrices: the correlations C of the constructs and the path
coefficients B (row: target, column: source).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import DataError
from satmodels.results import Table
from satmodels.sem.summary import GroupSummary

Array = NDArray[np.float64]
MAX_CHAINS = 10_000


def total_effects(paths: Array) -> Array:
    """Return the total effects (I - B)^-1 - I.

    Parameters
    ----------
    paths : ndarray, shape (..., constructs, constructs)
        Path coefficients; row: target, column: source.

    References
    ----------
    Bollen (1989), Structural Equations with Latent Variables, table 8.5.

    Examples
    --------
    >>> total_effects(np.array([[0, 0, 0], [0.5, 0, 0], [0.2, 0.4, 0]]))[2].tolist()
    [0.4, 0.4, 0.0]
    """
    identity = np.eye(paths.shape[-1])
    return np.linalg.inv(identity - paths) - identity


def reachable(paths: Array) -> NDArray[np.bool_]:
    """Return whether a chain of arrows leads from each source (column) to each target (row).

    Unlike a total effect that is not 0, this does not depend on rounding.
    """
    one = paths != 0
    found = one
    for _ in range(len(paths)):
        found = one | (one.astype(int) @ found.astype(int) > 0)
    return found


def adjusted_r2(r2: float, n: int, predictors: int) -> float | None:
    """Return 1 - (1 - R²)(n - 1)/(n - k - 1), None where there are too few rows."""
    df = n - predictors - 1
    return 1 - (1 - r2) * (n - 1) / df if df > 0 else None


def inflation_factors(corr: Array) -> Array:
    """Return the variance inflation factors: the diagonal of the inverse correlation matrix.

    A perfectly collinear set has infinite factors.
    """
    try:
        return np.array(np.diag(np.linalg.inv(corr)), dtype=float)
    except np.linalg.LinAlgError:
        return np.full(len(corr), np.inf)


def _explained(corr: Array, target: int, sources: list[int]) -> float:
    if not sources:
        return 0.0
    c = corr[sources, target]
    return float(c @ np.linalg.lstsq(corr[np.ix_(sources, sources)], c, rcond=None)[0])


def r2_table(g: GroupSummary) -> Table:
    """Return ``construct, r2, r2_adjusted`` of the endogenous constructs."""
    r2 = g.r2
    records: list[dict[str, Any]] = []
    for j, name in enumerate(g.constructs):
        if sources := g.predecessors(j):
            adjusted = adjusted_r2(float(r2[j]), g.moments.n, len(sources))
            records.append({"construct": name, "r2": float(r2[j]), "r2_adjusted": adjusted})
    return Table.from_records(records, ("construct", "r2", "r2_adjusted"))


def effects_table(g: GroupSummary) -> Table:
    """Return ``source, target, direct, indirect, total`` for every pair joined by a chain of paths."""
    total = total_effects(g.paths)
    linked = reachable(g.paths)
    records: list[dict[str, Any]] = []
    for source, source_name in enumerate(g.constructs):
        for target, target_name in enumerate(g.constructs):
            if linked[target, source]:
                direct = float(g.paths[target, source])
                effect = float(total[target, source])
                records.append(
                    {
                        "source": source_name,
                        "target": target_name,
                        "direct": direct,
                        "indirect": effect - direct,
                        "total": effect,
                    }
                )
    return Table.from_records(records, ("source", "target", "direct", "indirect", "total"))


def chains(sources: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """Return every chain of two arrows or more, each from its first source to its last target.

    Parameters
    ----------
    sources : sequence of sequence of int
        The direct sources of each construct, without circles.

    Raises
    ------
    DataError
        There are more than 10,000 chains: no table of them can be read.
    """
    found: list[tuple[int, ...]] = []

    def back(first: int, chain: tuple[int, ...]) -> None:
        if len(found) > MAX_CHAINS:
            raise DataError(
                f"the model has more than {MAX_CHAINS:,} chains of arrows: no table can list them"
            )
        if len(chain) > 2:
            found.append(chain)
        for source in sources[first]:
            back(source, (source, *chain))

    for target in range(len(sources)):
        back(target, (target,))
    return sorted(found, key=lambda chain: (chain[0], chain[-1], len(chain)))


def specific_effects_table(g: GroupSummary) -> Table:
    """Return ``source, target, through, estimate``: products of the paths along each chain."""
    records: list[dict[str, Any]] = []
    for chain in chains([g.predecessors(j) for j in range(len(g.constructs))]):
        steps = [float(g.paths[t, s]) for s, t in pairwise(chain)]
        records.append(
            {
                "source": g.constructs[chain[0]],
                "target": g.constructs[chain[-1]],
                "through": " -> ".join(g.constructs[j] for j in chain[1:-1]),
                "estimate": float(np.prod(steps)),
            }
        )
    return Table.from_records(records, ("source", "target", "through", "estimate"))


def f2_table(g: GroupSummary) -> Table:
    """Return Cohen's f² of each source of each target (Cohen 1988: .02 small, .15 medium, .35 large)."""
    r2 = g.r2
    records: list[dict[str, Any]] = []
    for target, name in enumerate(g.constructs):
        sources = g.predecessors(target)
        for source in sources:
            without = _explained(g.construct_corr, target, [s for s in sources if s != source])
            rest = 1 - float(r2[target])
            value = (float(r2[target]) - without) / rest if rest > 0 else None
            records.append({"target": name, "source": g.constructs[source], "value": value})
    return Table.from_records(records, ("target", "source", "value"))


def vif_table(g: GroupSummary) -> Table:
    """Return the variance inflation factors of each target's sources; 1 where a target has a single one."""
    records: list[dict[str, Any]] = []
    for target, name in enumerate(g.constructs):
        if sources := g.predecessors(target):
            factors = inflation_factors(g.construct_corr[np.ix_(sources, sources)])
            for source, value in zip(sources, factors, strict=True):
                records.append({"target": name, "source": g.constructs[source], "value": float(value)})
    return Table.from_records(records, ("target", "source", "value"))
