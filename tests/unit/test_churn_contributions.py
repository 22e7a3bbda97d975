"""Contributions equal Shapley's definition."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from satmodels.churn.shapley_values import permutation_shapley
from satmodels.churn.tree_contributions import tree_contributions


def _value(nodes, bits, x, known, i=0):
    """A tree's mean over the rows that agree with x on the known columns, by its definition."""
    node = nodes[i]
    if node["is_leaf"]:
        return node["value"]
    column = node["feature_idx"]
    if column in known:
        v = x[column]
        if np.isnan(v):
            left = node["missing_go_to_left"]
        elif node["is_categorical"]:
            left = (int(bits[node["bitset_idx"]][int(v) // 32]) >> (int(v) % 32)) & 1
        else:
            left = v <= node["num_threshold"]
        return _value(nodes, bits, x, known, node["left"] if left else node["right"])
    a, b = nodes[node["left"]], nodes[node["right"]]
    return (
        a["count"] * _value(nodes, bits, x, known, node["left"])
        + b["count"] * _value(nodes, bits, x, known, node["right"])
    ) / node["count"]


def _shapley(value, p):
    found = np.zeros(p)
    for f in range(p):
        others = [g for g in range(p) if g != f]
        for size in range(p):
            for some in combinations(others, size):
                share = factorial(size) * factorial(p - size - 1) / factorial(p)
                found[f] += share * (value({*some, f}) - value(set(some)))
    return found


@pytest.mark.parametrize("categories", [False, True])
def test_trees_equal_the_definition(categories):
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(400, 5))
    Z[:, 3] = rng.integers(0, 6, 400)
    Z[rng.random(Z.shape) < 0.1] = np.nan
    score = np.nan_to_num(Z[:, 0]) * (np.nan_to_num(Z[:, 3]) % 2) + np.isnan(Z[:, 1])
    y = rng.random(400) < 1 / (1 + np.exp(-score))
    mask = [False, False, False, True, False] if categories else None
    model = HistGradientBoostingClassifier(
        max_iter=6, max_leaf_nodes=9, categorical_features=mask, random_state=0, early_stopping=False
    ).fit(Z, y)
    found = tree_contributions(model, Z[:4])
    assert found is not None
    X = np.asarray(model._preprocess_X(Z[:4], reset=False))
    order = [3, 0, 1, 2, 4] if categories else list(range(5))
    for i in range(4):
        expected = np.zeros(5)
        for (tree,) in model._predictors:
            expected[order] += _shapley(
                lambda known, tree=tree, x=X[i]: _value(tree.nodes, tree.raw_left_cat_bitsets, x, known), 5
            )
        assert found[0][i] == pytest.approx(expected, abs=1e-10)
    assert found[0].sum(axis=1) + found[1] == pytest.approx(model.decision_function(Z[:4]), abs=1e-10)


def test_a_model_without_readable_trees_is_left_to_another_way():
    class Other:
        pass

    assert tree_contributions(Other(), np.zeros((2, 2))) is None


def test_permutations_are_exact_for_a_sum_and_always_add_up():
    rng = np.random.default_rng(1)
    Z, background = rng.normal(size=(6, 4)), rng.normal(size=(12, 4))
    slopes = np.array([1.0, -2.0, 0.0, 0.5])
    found, base = permutation_shapley(lambda A: A @ slopes, Z, background, seed=0)
    assert found == pytest.approx((Z - background.mean(axis=0)) * slopes)

    def product(A):
        return A[:, 0] * A[:, 1] + A[:, 2]

    found, base = permutation_shapley(product, Z, background, seed=0)
    assert found.sum(axis=1) + base == pytest.approx(product(Z))
    assert found[:, 3] == pytest.approx(0)
