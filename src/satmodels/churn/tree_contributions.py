"""Exact Shapley values of boosted trees: what each column adds to a customer's log-odds.

A tree's value for a known set of columns is the mean over the training rows that agree with the customer on
these columns (Lundberg et al. 2020, "path-dependent"). A leaf is reached with the product over its columns of
1 or 0 where the column is known, and of the share of rows that took the turn where it is not; so its Shapley
weights are integrals of polynomials of low degree,

    phi_f = value * (o_f - z_f) * integral_0^1 prod_{g != f} (z_g (1 - t) + o_g t) dt,

with o the customer's turns and z the shares, and Gauss-Legendre nodes give them exactly.

References
----------
Lundberg, S. M., et al. (2020). From local explanations to global understanding with explainable AI for trees.
Nature Machine Intelligence, 2, 56-67.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

AGREES = 1e-6  # contributions add up to the model's log-odds to this, or the trees were read wrongly


@dataclass(frozen=True)
class _Leaf:
    """Value of a leaf, its columns, and for each the nodes at which a turn is taken and which turn."""

    value: float
    columns: tuple[int, ...]
    share: Array  # z of each column
    turns: tuple[tuple[tuple[int, bool], ...], ...]  # per column: (node, goes left)


def tree_contributions(model: Any, Z: Array) -> tuple[Array, float] | None:
    """Return contributions (shape of ``Z``) and base of a histogram gradient boosting classifier.

    None where the trees can't be read, so that the caller takes another way: their layout is not part of
    scikit-learn's public face.
    """
    try:
        X, places = _as_the_trees_see_it(model, Z)
        found = np.zeros((len(Z), X.shape[1]))
        base = float(np.ravel(model._baseline_prediction)[0])
        for (tree,) in model._predictors:
            left = _goes_left(tree, X)
            for leaf in _leaves(tree.nodes):
                base += leaf.value * float(np.prod(leaf.share))
                _add_leaf(found, leaf, left)
    except (AttributeError, KeyError, IndexError, ValueError):  # another layout than the one known
        return None
    contributions = np.empty_like(found)
    contributions[:, places] = found
    total = contributions.sum(axis=1) + base
    if np.abs(total - np.asarray(model.decision_function(Z))).max(initial=0.0) > AGREES:
        return None
    return contributions, base


def _as_the_trees_see_it(model: Any, Z: Array) -> tuple[Array, NDArray[np.intp]]:
    """Return the matrix with categories in front, recoded, and each column's place in ``Z``."""
    X = np.asarray(model._preprocess_X(Z, reset=False), dtype=np.float64)
    categorical = model.is_categorical_
    if categorical is None:
        return X, np.arange(Z.shape[1])
    return X, np.concatenate([np.flatnonzero(categorical), np.flatnonzero(~categorical)])


def _goes_left(tree: Any, X: Array) -> dict[int, NDArray[np.bool_]]:
    """Return for each inner node which rows turn left there."""
    found: dict[int, NDArray[np.bool_]] = {}
    for i, node in enumerate(tree.nodes):
        if node["is_leaf"]:
            continue
        x = X[:, node["feature_idx"]]
        missing = np.isnan(x)
        if node["is_categorical"]:
            codes = np.where(missing, 0, x).astype(np.int64)
            bits = tree.raw_left_cat_bitsets[node["bitset_idx"]]
            left = (bits[codes // 32] >> (codes % 32).astype(np.uint32)) & 1 == 1
        else:
            left = x <= node["num_threshold"]
        found[i] = np.where(missing, bool(node["missing_go_to_left"]), left)
    return found


def _leaves(nodes: Any) -> list[_Leaf]:
    leaves: list[_Leaf] = []
    waiting: list[tuple[int, tuple[tuple[int, bool], ...]]] = [(0, ())]
    while waiting:
        i, path = waiting.pop()
        node = nodes[i]
        if not node["is_leaf"]:
            waiting.append((int(node["left"]), (*path, (i, True))))
            waiting.append((int(node["right"]), (*path, (i, False))))
            continue
        share: dict[int, float] = {}
        turns: dict[int, tuple[tuple[int, bool], ...]] = {}
        for at, left in path:
            column = int(nodes[at]["feature_idx"])
            child = nodes[nodes[at]["left" if left else "right"]]
            share[column] = share.get(column, 1.0) * float(child["count"]) / float(nodes[at]["count"])
            turns[column] = (*turns.get(column, ()), (at, left))
        leaves.append(
            _Leaf(float(node["value"]), tuple(share), np.array(list(share.values())), tuple(turns.values()))
        )
    return leaves


def _add_leaf(found: Array, leaf: _Leaf, left: dict[int, NDArray[np.bool_]]) -> None:
    """Add the leaf's Shapley values for all rows."""
    if not leaf.columns:
        return
    taken = np.array(
        [np.all([left[at] == way for at, way in turns], axis=0) for turns in leaf.turns], dtype=float
    )
    nodes, weights = np.polynomial.legendre.leggauss((len(leaf.columns) + 1) // 2)
    integral = np.zeros(taken.shape)
    for t, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        factors = leaf.share[:, None] * (1 - t) + taken * t
        integral += weight * factors.prod(axis=0) / factors
    found[:, list(leaf.columns)] += (leaf.value * (taken - leaf.share[:, None]) * integral).T
