"""Two-stage models whose first stage is estimated anew in every resample.

The scores of a first stage are estimates. A bootstrap that takes them as given leaves their uncertainty
out; here each draw fits the first model on its rows, and only then the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, ConvergenceError
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.pls.answers import read_answers, read_clusters
from satmodels.sem.pls.compile import compile_structure
from satmodels.sem.pls.higher_order import Method, two_stages
from satmodels.sem.pls.interactions import interaction_spec
from satmodels.sem.pls.structure import Structure
from satmodels.sem.pls.taken import warn_uncorrected
from satmodels.sem.recomputed_table import RecomputedTable
from satmodels.statistics.moments import Moments

if TYPE_CHECKING:
    from satmodels.sem.pls.estimator import PLSPM

Array = NDArray[np.float64]
Second = Callable[[dict[str, Array]], dict[str, Array]]


def interaction_table(
    model: PLSPM, X: Any, interaction: Sequence[str], sample_weight: Any, cluster: Any
) -> tuple[ModelSpec, RecomputedTable]:
    """Return the model with the product of two constructs, and the table that computes it in each draw."""
    if (
        isinstance(interaction, str)
        or not isinstance(interaction, Sequence)
        or len(interaction) != 3
        or not all(isinstance(name, str) for name in interaction)
    ):
        raise ArgumentError(
            f"interaction={interaction!r}: give (source, moderator, target), three constructs"
        )
    source, moderator, target = interaction
    first = ModelSpec.of(model.spec)
    name = f"{source}*{moderator}"
    longer = interaction_spec(first, source, moderator, target, (name,))

    warn_uncorrected(model, f"the product {name!r}")

    def second(scores: dict[str, Array]) -> dict[str, Array]:
        return {name: scores[source] * scores[moderator]}

    return longer, _table(model, X, first, longer, second, sample_weight, cluster)


def higher_order_table(
    model: PLSPM, X: Any, method: Method, sample_weight: Any, cluster: Any
) -> tuple[ModelSpec, RecomputedTable | None]:
    """Return the model of the second stage and the table that computes the first in each draw.

    Repeated indicators have one stage only: there is no table then.
    """
    first, longer, taken = two_stages(ModelSpec.of(model.spec), method)
    if method != "disjoint":
        warn_uncorrected(model, f"constructs of method={method!r}")
    if not taken:
        return longer, None

    def second(scores: dict[str, Array]) -> dict[str, Array]:
        return {column: scores[construct] for construct, column in taken.items()}

    return longer, _table(model, X, first, longer, second, sample_weight, cluster)


def _table(
    model: PLSPM,
    X: Any,
    first: ModelSpec,
    longer: ModelSpec,
    second: Second,
    sample_weight: Any,
    cluster: Any,
) -> RecomputedTable:
    if model.ordered:
        raise ArgumentError("ordered=True gives no scores that could enter a second stage in each draw")
    structure, columns = compile_structure(first), compile_structure(longer).columns
    wanted = dict.fromkeys(
        (*structure.columns, *(c for c in columns if c in answered_columns(longer, first)))
    )
    answers = read_answers(X, tuple(wanted), sample_weight, model.missing)
    at = {column: j for j, column in enumerate(answers.columns)}
    own = [at[c] for c in structure.columns]

    def reduce(rows: Array, weights: Array | None) -> Moments:
        made = second(_scores(model, structure, rows[:, own], weights))
        block = np.column_stack([made[c] if c in made else rows[:, at[c]] for c in columns])
        return Moments.of_block(columns, block, weights)

    return RecomputedTable(answers.rows, answers.weights, reduce, read_clusters(X, cluster, answers))


def answered_columns(longer: ModelSpec, first: ModelSpec) -> set[str]:
    """Return the columns of the second model that are answers, not scores."""
    return set(first.observed) & set(longer.observed)


def _scores(model: PLSPM, structure: Structure, rows: Array, weights: Array | None) -> dict[str, Array]:
    """Return the construct scores of the first model, fitted on these rows."""
    moments = Moments.of_block(structure.columns, rows, weights)
    fitted = model._estimate(moments, structure)
    if not fitted.converged[0]:
        raise ConvergenceError("the first stage did not converge")
    z = (rows - moments.mean) / moments.std
    return {
        name: z[:, list(structure.places[block])] @ fitted.weights[block, 0]
        for name, block in zip(structure.constructs, structure.blocks, strict=True)
    }
