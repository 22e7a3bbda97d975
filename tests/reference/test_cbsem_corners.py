"""Corners that random models beside lavaan 0.6-14 brought up (make_cbsem_corners.R): items that are measured and explained,
restricted means, groups of weighted rows, equal variances of 1, empty cells of binary answers.

Tolerances: estimates within 2e-4 of their standard error, standard errors, indices and measures of fit within 1e-4 of
themselves (lavaan's saturated moments of weighted rows with gaps: 1e-3), scores within 1e-5.
"""

from __future__ import annotations

import functools
import json
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_cbsem_lavaan import HERE, answers

import satmodels as sat

FOUND: dict[str, Any] = json.loads((HERE / "cbsem_corners.json").read_text())
FACTORS = "Quality =~ q1 + q2 + q3 ; Value =~ v1 + v2 + v3 ; Loyal =~ l1 + l2 + l3"
GROUPED: dict[str, Any] = {"estimator": "MLR", "group": "segment"}
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "explained": (
        "Quality =~ q1 + q2 + q3 ; Value =~ v1 + v2 + v3 ; Value ~ Quality + age ; q2 ~ visits",
        {"means": True},
    ),
    "equal_means_mlm": (FACTORS + " ; l1 ~ m*1 ; l2 ~ m*1", {"estimator": "MLM"}),
    "equal_means_mlmv": (FACTORS + " ; l1 ~ m*1 ; l2 ~ m*1", {"estimator": "MLMV"}),
    "weighted_groups": (FACTORS, GROUPED | {"equal": ("loadings", "intercepts")}),
    "weighted_groups_fiml": (FACTORS, GROUPED | {"equal": ("loadings",), "missing": "fiml"}),
    "equal_variances": (
        FACTORS,
        {"group": "segment", "unit_variance": True, "equal": ("loadings", "construct_variances")},
    ),
    # an outcome that measures another construct covaries with no other outcome
    "measured_outcome": (
        FACTORS + " ; General =~ Quality + Value + Loyal ; Loyal ~ age ; visits ~ Quality",
        {},
    ),
    "empty_cell": (
        "General =~ b1 + b2 + b3 + b4",
        {"estimator": "WLSMV", "ordered": ("b1", "b2", "b3", "b4")},
    ),
}


def binary() -> pd.DataFrame:
    cuts = {"b1": ("q1", 4.2), "b2": ("q2", 8.7), "b3": ("q3", 6.8), "b4": ("v1", 6.5)}
    frame = answers("ml")
    return pd.DataFrame({b: (frame[item] > cut).astype(int) for b, (item, cut) in cuts.items()})


@functools.cache
def fitted(name: str) -> sat.CBSEM:
    text, options = RUNS[name]
    frame = binary() if name == "empty_cell" else answers(name)
    weight = frame["weight"].to_numpy() if name.startswith("weighted") else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sat.ImproperSolutionWarning)  # of lavaan's solution too
        return sat.CBSEM(text, **options).fit(frame, sample_weight=weight)


def records(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def key(row: dict[str, Any], group: Any = None) -> tuple[Any, ...]:
    pair = (row["lhs"], row["rhs"])
    return (group, row["op"], *(sorted(pair) if row["op"] == "~~" else pair))


def by_key(rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {key(r, r.get("group")): r for r in rows}


@pytest.mark.parametrize("name", list(RUNS))
def test_agrees_with_lavaan(name: str):
    model, compared = fitted(name), 0
    own = by_key(model.result_.tidy().to_dict("records"))
    for e in records(FOUND[name]["estimates"]):
        group = model.groups_[e["group"] - 1] if len(model.groups_) > 1 else None
        row = own.get(key(e, group))
        if row is None or not e["se"]:
            continue
        assert row["estimate"] == pytest.approx(e["est"], abs=2e-4 * e["se"]), e
        assert row["std_error"] == pytest.approx(e["se"], rel=1e-4), e
        compared += 1
    assert compared >= (8 if name == "empty_cell" else 20)
    measures = model.result_.fit_measures()
    for measure, value in FOUND[name]["fit"].items():
        if value is not None:
            assert measures[measure.replace(".", "_")] == pytest.approx(value, rel=1e-4, abs=1e-4), measure


def test_modification_indices_of_items_that_are_measured_and_explained():
    expected = by_key(records(FOUND["explained"]["mi"]))
    table = fitted("explained").modification_indices()
    found = by_key(table.to_dict("records"))
    compared = [k for k in found if k in expected]
    assert len(compared) >= 20
    for k in compared:
        assert found[k]["mi"] == pytest.approx(expected[k]["mi"], rel=2e-4, abs=2e-4), k
    # a loading written as a path is no candidate, nor is an arrow from an item back to its construct
    arrows = set(zip(table["lhs"], table["op"], table["rhs"], strict=True))
    assert not arrows & {("q2", "~", "Quality"), ("Quality", "~", "q2")}


def test_explained_variance_of_an_item_that_is_measured_and_explained():
    r2 = fitted("explained").result_.r2.set_index("construct")["r2"]
    for name in ("q2", "Value"):
        assert r2[name] == pytest.approx(FOUND["explained"]["r2"][name], rel=1e-4)


@pytest.mark.parametrize("method", ["bartlett", "regression"])
def test_scores_with_columns_that_explain(method: str):
    own = fitted("explained").scores(answers("ml").head(5), method)
    np.testing.assert_allclose(own, FOUND["explained"][method], atol=1e-5)


def test_no_bartlett_scores_of_constructs_without_items():
    model = sat.CBSEM(FACTORS + " ; General =~ Quality + Value + Loyal").fit(answers("ml"))
    with pytest.raises(sat.ArgumentError, match=r"General.*regression"):
        model.scores(answers("ml"), "bartlett")


@pytest.mark.parametrize("missing", ["drop", "fiml"])
def test_a_weight_of_two_is_two_rows_in_groups_too(missing: str):
    frame = answers("fiml" if missing == "fiml" else "ml")
    weight = np.where(frame["segment"] == frame["segment"].iloc[0], 2, 1)
    options: dict[str, Any] = GROUPED | {"equal": ("loadings", "intercepts"), "missing": missing}
    weighted = sat.CBSEM(FACTORS, **options).fit(frame, sample_weight=weight).result_
    copied = sat.CBSEM(FACTORS, **options).fit(frame.loc[frame.index.repeat(weight)]).result_
    np.testing.assert_allclose(
        weighted.tidy()["estimate"].astype(float),
        copied.tidy()["estimate"].astype(float),
        rtol=1e-6,
        atol=1e-8,
    )
