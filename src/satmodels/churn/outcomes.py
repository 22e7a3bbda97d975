"""Outcomes and risks side by side, checked, and ranked once for everything that depends on the ranking."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satmodels.errors import ArgumentError, DataError, SchemaError

Array = NDArray[np.float64]
OFFENDERS = 5


@dataclass(frozen=True)
class Outcomes:
    """Outcome (0 or 1), risk and weight of each row, and the customer it is of (None: each of another).

    ``gain`` is what contacting brings if the customer would leave, where that differs per row.
    """

    y: Array
    risk: Array
    weight: Array | None
    customer: NDArray[np.int64] | None = None
    gain: Array | None = None

    @property
    def n(self) -> float:
        """Number of customers: rows, or the sum of weights."""
        return float(len(self.y)) if self.weight is None else float(self.weight.sum())

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """Rows from the highest risk to the lowest."""
        return np.argsort(-self.risk)

    def take(self, rows: Any) -> Outcomes:
        """Return some of the rows."""
        customer = None if self.customer is None else np.unique(self.customer[rows], return_inverse=True)[1]
        return Outcomes(
            self.y[rows],
            self.risk[rows],
            None if self.weight is None else self.weight[rows],
            customer,
            None if self.gain is None else self.gain[rows],
        )


@dataclass(frozen=True)
class RankedBlocks:
    """Rows of equal risk together, from the highest risk: score, weight of churners, weight of all."""

    score: Array
    churn: Array
    weight: Array


def block_starts(score: Array) -> NDArray[np.int64]:
    """Return where each block of equal scores begins in a sorted array."""
    return np.concatenate([[0], np.flatnonzero(score[1:] != score[:-1]) + 1])


def ranked_blocks(data: Outcomes) -> RankedBlocks:
    """Put rows of equal risk together."""
    order = data.order
    score = data.risk[order]
    starts = block_starts(score)
    if data.weight is None:
        churn, weight = data.y[order], None
        sizes = np.diff(np.concatenate([starts, [len(score)]])).astype(float)
    else:
        weight = data.weight[order]
        churn = data.y[order] * weight
        sizes = np.add.reduceat(weight, starts)
    return RankedBlocks(score[starts], np.add.reduceat(churn, starts), sizes)


def read_outcomes(
    y: ArrayLike,
    risk: ArrayLike,
    weight: ArrayLike | None = None,
    customer: Any = None,
    gain: Array | None = None,
) -> Outcomes:
    """Check outcomes and risks: bool or 0/1, finite numbers, the same length and the same index.

    Raises
    ------
    ArgumentError
        Lengths differ, or two pandas Series have different indexes.
    SchemaError
        An outcome is neither bool nor 0/1 (1/2 and "yes"/"no" are refused: which is which can't be known),
        a risk is missing or infinite, a weight is negative.
    DataError
        There are no rows, or all weights are 0.
    """
    _same_index(y, risk)
    outcome = read_binary(y, "y")
    numbers = _numbers(risk, "probability")
    if len(outcome) != len(numbers):
        raise ArgumentError(f"y has {len(outcome):,} rows and probability {len(numbers):,}")
    if len(outcome) == 0:
        raise DataError("there are no rows")
    who = None if customer is None else _customers(customer, len(outcome))
    weights = None
    if weight is not None:
        _same_index(y, weight)
        weights = _numbers(weight, "sample_weight")
        if len(weights) != len(outcome):
            raise ArgumentError(f"y has {len(outcome):,} rows and sample_weight {len(weights):,}")
        _refuse(
            weights < 0, weights, "sample_weight", "at least 0", "A weight says how many a row stands for."
        )
        used = weights > 0
        if not used.any():
            raise DataError("all weights are 0")
        if not used.all():
            return Outcomes(outcome, numbers, weights, who, gain).take(used)
    return Outcomes(outcome, numbers, weights, who, gain)


def read_per_customer(values: ArrayLike, y: ArrayLike, name: str) -> Array:
    """Return one finite number per row of ``y``."""
    _same_index(y, values)
    numbers = _numbers(values, name)
    if len(numbers) != len(_array(y, "y")):
        raise ArgumentError(f"{name} has {len(numbers):,} values for {len(_array(y, 'y')):,} rows")
    return numbers


def _customers(customer: Any, n: int) -> NDArray[np.int64]:
    import pandas as pd

    if isinstance(customer, str) or not isinstance(customer, Iterable) or getattr(customer, "ndim", 1) != 1:
        raise ArgumentError(f"customer={customer!r}: give the customer of each row")
    to_list: Any = getattr(customer, "to_list", None) or getattr(customer, "tolist", None)
    values = list(customer) if to_list is None else list(to_list())
    if len(values) != n:
        raise ArgumentError(f"customer has {len(values):,} values for {n:,} rows")
    codes, _ = pd.factorize(np.array(values, dtype=object), use_na_sentinel=False)
    return codes.astype(np.int64)


def read_binary(y: ArrayLike, name: str) -> Array:
    """Return outcomes as 0.0 and 1.0."""
    values = _array(y, name)
    if values.dtype == np.bool_:
        return values.astype(float)
    if values.dtype.kind in "iuf":
        wrong = (values != 0) & (values != 1)
        found = values.astype(float)
    else:
        wrong = np.array(
            [not (isinstance(v, bool | int | float | np.number | np.bool_) and v in (0, 1)) for v in values]
        )
        found = np.array([0.0 if bad else float(v) for v, bad in zip(values, wrong, strict=True)])
    _refuse(
        wrong,
        values,
        name,
        "True/False or 1/0 (left or not)",
        "Say which answer means that the customer left: for example y == 'yes'.",
    )
    return found


def _numbers(values: ArrayLike, name: str) -> Array:
    array = _array(values, name)
    try:
        found = array.astype(float)
    except (TypeError, ValueError, OverflowError) as error:
        raise SchemaError(f"{name} holds {array.dtype}, not numbers", column=name, rule="numeric") from error
    _refuse(~np.isfinite(found), found, name, "a finite number", "Correct or drop these rows.")
    return found


def _array(values: Any, name: str) -> NDArray[Any]:
    to_numpy = getattr(values, "to_numpy", None)
    array = np.asarray(to_numpy() if callable(to_numpy) else values)
    if array.ndim == 2 and name == "probability" and array.shape[1] == 2:
        raise ArgumentError("probability has two columns: give that of leaving, predict_proba(X)[:, 1]")
    if array.ndim != 1:
        raise ArgumentError(f"{name} has {array.ndim} dimensions: give one value per row")
    return array


def _refuse(wrong: NDArray[np.bool_], values: NDArray[Any], name: str, rule: str, remedy: str) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        raise SchemaError.answers(
            name,
            rule,
            remedy,
            n_bad=len(rows),
            offenders=[(int(i), _plain(values[i])) for i in rows[:OFFENDERS]],
        )


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _same_index(one: Any, other: Any) -> None:
    """Refuse two pandas Series whose labels differ: by position and by label would be two results."""
    first: Any = getattr(one, "index", None)
    second: Any = getattr(other, "index", None)
    if hasattr(first, "equals") and hasattr(second, "equals") and not first.equals(second):
        raise ArgumentError(
            "the two series have different indexes, so their rows belong together either by position or by "
            "label: align them, or give .to_numpy()"
        )
