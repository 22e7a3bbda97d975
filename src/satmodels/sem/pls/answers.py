"""What PLS reads: moments, or rows of answers with a policy for the missing ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, DataError, SchemaError, check_word, one_of
from satmodels.intake.answers import AnswerRule
from satmodels.intake.batches import batches, matrix
from satmodels.intake.cells import check_weight
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.off_scale import count_off_scale
from satmodels.sem.pls.missing import (
    MISSING,
    ROW_POLICIES,
    Missing,
    mean_replaced,
    ordinal_moments,
    refuse_gaps,
    replaced_moments,
)
from satmodels.sem.recomputed_table import RecomputedTable
from satmodels.statistics.incomplete import likelihood_moments, pairwise_moments
from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]
_MADE = {"mean": replaced_moments, "pairwise": pairwise_moments, "em": likelihood_moments}


@dataclass(frozen=True, eq=False)
class Answers:
    """Rows of answers, complete, with their weights.

    Attributes
    ----------
    columns : tuple of str
    rows : ndarray, shape (rows, columns)
        Without NaN: rows were dropped or answers replaced, as the policy says.
    weights : ndarray, shape (rows,), optional
    n_missing : int
        Missing answers among the columns.
    n_dropped : int
        Rows left out.
    kept : ndarray of int, shape (rows,), optional
        Places of the kept rows among those read; None for all.
    """

    columns: tuple[str, ...]
    rows: Array
    weights: Array | None
    n_missing: int
    n_dropped: int
    kept: NDArray[np.intp] | None = None

    @property
    def moments(self) -> Moments:
        """The moments of the rows."""
        moments = Moments.of_block(self.columns, self.rows, self.weights)
        return replace(moments, n_dropped=self.n_dropped)


def read_moments(X: Any, columns: Sequence[str], sample_weight: Any, missing: Missing) -> tuple[Moments, int]:
    """Return the moments of the columns and the number of missing answers that were made up for.

    They are streamed from the engine where nothing is to be replaced.
    """
    check_word("missing", missing, MISSING)
    if isinstance(X, Moments):
        if sample_weight is not None:
            raise ArgumentError("moments carry their weights: collect them with weight=, not sample_weight=")
        return X.select(columns), 0
    if is_frame(X) and (sample_weight is None or isinstance(sample_weight, str)):
        moments = Moments.collect(X, columns, sample_weight)
        if moments.n_dropped == 0 or missing == "drop":
            return moments, 0
    if missing in ROW_POLICIES:
        answers = read_answers(X, columns, sample_weight, missing)
        return answers.moments, answers.n_missing if missing == "mean" else 0
    answers = read_answers(X, columns, sample_weight, "keep")
    return _MADE[missing](answers.rows, answers.weights, answers.columns), answers.n_missing


def check_scales(X: Any, columns: Sequence[str], scales: Mapping[str, tuple[float, float]]) -> None:
    """Raise SchemaError for the first item with answers off its scale, where the model knows scales.

    An id, or a code such as 99 for "don't know", among the items would otherwise pass for an answer.
    """
    known = {
        c: AnswerRule(*scales[c], whole=False) for c in columns if c in scales and not isinstance(X, Moments)
    }
    if not known:
        return
    frame = open_frame(named_columns(X))
    low, high = np.array([(rule.low, rule.high) for rule in known.values()]).T
    if any(((block < low) | (block > high)).any() for block in batches(frame, list(known))):
        count_off_scale(frame, known)  # says which, how many and where


def read_ordinal(X: Any, columns: Sequence[str], sample_weight: Any, missing: Missing) -> Moments:
    """Return the moments of ordered answers, with polychoric correlations."""
    if isinstance(X, Moments) or sample_weight is not None:
        given = "moments" if isinstance(X, Moments) else "survey weights"
        raise ArgumentError(f"ordered=True needs the rows, each of which counts once: it takes no {given}")
    if missing in ("pairwise", "em"):
        raise ArgumentError(
            f"ordered=True leaves rows with gaps out: missing={missing!r} does not go with it"
        )
    answers = read_answers(X, columns, None, "error" if missing == "error" else "drop")
    return replace(ordinal_moments(answers.rows, answers.columns), n_dropped=answers.n_dropped)


def read_recomputed(
    X: Any, columns: Sequence[str], sample_weight: Any, missing: Missing, *, ordered: bool
) -> tuple[RecomputedTable, Answers]:
    """Return the rows with moments that each draw computes anew: polychoric, pairwise, by EM or with means."""
    if ordered:
        read_ordinal(X, columns, sample_weight, missing)  # says what is wrong with the whole
        answers = read_answers(X, columns, None, "error" if missing == "error" else "drop")

        def reduce(rows: Array, weights: Array | None) -> Moments:
            return ordinal_moments(rows, answers.columns)

        return RecomputedTable(answers.rows, None, reduce), answers
    answers = read_answers(X, columns, sample_weight, "keep")
    made = partial(_MADE[missing], columns=answers.columns)
    return RecomputedTable(answers.rows, answers.weights, made), answers


def read_answers(
    X: Any, columns: Sequence[str], sample_weight: Any, missing: Missing | Literal["keep"]
) -> Answers:
    """Return the rows of the columns, complete (or with their gaps as NaN, ``missing="keep"``).

    Raises
    ------
    ArgumentError
        Moments came where rows are needed, or a column is not there.
    SchemaError
        A column holds no numbers, or ``missing="error"`` and an answer is missing.
    """
    if missing in ("pairwise", "em"):
        raise ArgumentError(
            f"missing={missing!r} gives moments and no complete rows, which this needs: choose one of "
            f"{ROW_POLICIES} for it (fits and bootstraps take {missing!r})"
        )
    if missing not in (*MISSING, "keep"):
        raise one_of("missing", missing, MISSING)
    if isinstance(X, Moments):
        raise ArgumentError("this needs the rows: moments don't hold the single answers. Give the dataframe.")
    columns = tuple(columns)
    frame = open_frame(named_columns(X))
    rows = matrix(frame, columns)
    weights = _weights(frame, sample_weight, len(rows))
    gaps = np.isnan(rows)
    n_missing = int(gaps.sum())
    n_dropped = 0
    complete: NDArray[np.intp] | None = None
    if n_missing and missing == "error":
        refuse_gaps(gaps, columns)
    if n_missing and missing == "drop":
        keep = np.flatnonzero(gaps.sum(axis=1) == 0)
        n_dropped = len(rows) - len(keep)
        rows, complete = rows[keep], keep
        weights = None if weights is None else weights[keep]
    elif n_missing and missing == "mean":
        rows = mean_replaced(rows, weights, columns)
    return Answers(columns, rows, weights, n_missing, n_dropped, complete)


def is_frame(X: Any) -> bool:
    """Say whether X is a dataframe and not an array (or what becomes one)."""
    if isinstance(X, np.ndarray | list | tuple) or hasattr(X, "tocsr"):
        return False
    return hasattr(type(X), "columns") or not hasattr(X, "__array__")


def named_columns(X: Any) -> Any:
    """Give the columns of an array the names x0, x1, ... as scikit-learn does."""
    if hasattr(X, "tocsr"):
        raise ArgumentError(
            "sparse input is not supported: answers of 0 are not missing. Give a dense table."
        )
    if is_frame(X):
        return X
    import pandas as pd

    array = np.asarray(X)
    if np.iscomplexobj(array):
        raise ArgumentError("Complex data not supported: answers are real numbers")
    if array.ndim != 2:
        raise ArgumentError(
            f"the answers are a table: rows by columns, not an array of shape {array.shape}. Reshape your data."
        )
    if array.shape[1] == 0:
        raise ArgumentError(f"0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    return pd.DataFrame(array, columns=[f"x{j}" for j in range(array.shape[1])])


def _weights(frame: Frame, sample_weight: Any, n: int) -> Array | None:
    if sample_weight is None:
        return None
    if isinstance(sample_weight, str):
        check_weight(frame, sample_weight)
        return matrix(frame, [sample_weight])[:, 0]
    try:
        weights = np.asarray(sample_weight, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(f"sample_weight holds no numbers: {error}") from error
    if weights.shape != (n,):
        raise ArgumentError(
            f"sample_weight has shape {weights.shape}; there are {n} rows, one weight for each"
        )
    bad = ~np.isfinite(weights) | (weights < 0)
    if bad.any():
        at = np.flatnonzero(bad)
        raise SchemaError.answers(
            "sample_weight",
            "weights are finite and at least 0",
            "Correct or drop these rows: a weight says how many people an answer stands for.",
            n_bad=len(at),
            offenders=[(int(i), float(weights[i])) for i in at[:5]],
        )
    if weights.sum() <= 0:
        raise DataError("every weight is zero: no answer counts")
    return weights


def read_clusters(X: Any, cluster: Any, answers: Answers) -> NDArray[np.intp] | None:
    """Return the cluster of each kept row, numbered from 0; None without clusters."""
    if cluster is None:
        return None
    values = read_labels(X, cluster, answers)
    if lacking := [i for i, value in enumerate(values) if value is None or value != value]:
        raise SchemaError.answers(
            cluster if isinstance(cluster, str) else "cluster",
            "every row has a cluster",
            "Drop the rows without one, or give each a cluster of its own.",
            n_bad=len(lacking),
            offenders=[(i, None) for i in lacking[:5]],
        )
    number = {value: i for i, value in enumerate(dict.fromkeys(values))}
    if len(number) < 2:
        raise ArgumentError("there is a single cluster: nothing can be drawn")
    return np.array([number[value] for value in values], dtype=np.intp)


def _labels_of(X: Any, column: str) -> list[Any]:
    frame = open_frame(named_columns(X))
    frame.require([column])
    frame.require_plain(column)
    return frame.values(column)


def read_labels(X: Any, labels: Any, answers: Answers) -> list[Any]:
    """Return the label (group, cluster) of each kept row: of a column, or given one for each row."""
    if not isinstance(labels, str | Iterable) or getattr(labels, "ndim", 1) != 1:
        raise ArgumentError(f"groups and clusters are a column or one label for each row, not {labels!r}")
    values = _labels_of(X, labels) if isinstance(labels, str) else list(labels)
    n_read = len(answers.rows) + answers.n_dropped
    if len(values) != n_read:
        raise ArgumentError(f"there are {len(values)} labels and {n_read} rows: give one for each row")
    return values if answers.kept is None else [values[i] for i in answers.kept]
