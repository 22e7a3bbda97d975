"""Answers far from the others, item by item and by segment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat


def minutes() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "shop": ["a"] * 7 + ["b"] * 5,
            "minutes": [12.0, 9, 14, 11, 10, 240, 13, 230, 250, 240, 245, np.nan],
            "items": [1.0, 1, 1, 1, 1, 1, 9, 2, 3, 4, 5, 6],
        }
    )


def test_statistics_by_hand_alike_on_every_engine(engine):
    result = sat.outliers(engine(minutes()), ["minutes", "items"], by="shop")
    rows = {(r["shop"], r["item"]): r for r in result.item_rows.rows()}
    first = rows["a", "minutes"]
    # sorted 9 10 11 12 13 14 240: quartiles of type 7, deviations from 12 are 3 2 1 0 1 2 228
    assert [first[k] for k in ("n", "n_missing", "median", "mad", "q1", "q3", "low", "high")] == [
        *(7, 0, 12.0, 2.0, 10.5, 13.5, 6.0, 18.0)
    ]
    assert (first["n_robust_z"], first["n_fence"]) == (1, 1)
    # in its own segment 240 is nothing special
    assert rows["b", "minutes"]["n_fence"] == 0 and rows["b", "minutes"]["n_missing"] == 1
    found = list(result.outlier_rows.rows())
    assert [(r["row"], r["item"], r["value"]) for r in found] == [(5, "minutes", 240.0), (6, "items", 9.0)]
    assert found[0]["robust_z"] == pytest.approx(0.6744897501960817 * 228 / 2)
    # more than half are equal: the mean absolute deviation, 8 / 7, takes the place of the median one
    assert found[1]["robust_z"] == pytest.approx(np.sqrt(2 / np.pi) * 8 / (8 / 7))
    assert result.n_outliers == 2 and sum(r["n"] for r in rows.values()) == 23


def test_the_distance_of_the_whole_row_stands_beside():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 1)) + 0.3 * rng.normal(size=(300, 3))
    x[7] = [2.5, -2.5, 2.5]  # no value is far out, together they are
    frame = pd.DataFrame(x, columns=list("abc"))
    frame.loc[9, "a"] = 30.0
    result = sat.outliers(frame, list("abc"))
    assert result.outlier_rows["row"][0] == 9
    expected = sat.careless(frame, list("abc")).statistics["mahalanobis"]
    assert result.outlier_rows["mahalanobis"][0] == pytest.approx(expected[9])
    assert result.n_mahalanobis is not None and result.n_mahalanobis >= 1
    assert sat.outliers(frame.assign(b=1.0), list("ab")).n_mahalanobis is None
    assert sat.outliers(frame, "a").outlier_rows["mahalanobis"][0] is None
    pytest.importorskip("matplotlib")
    assert sat.plot(result).axes


def test_constant_missing_and_empty_columns_have_no_outliers():
    for values in ([3.0, 3.0, 3.0], [np.nan, np.nan], [], [5.0]):
        result = sat.outliers(pd.DataFrame({"a": np.array(values, dtype=float)}), ["a"])
        assert result.n_outliers == 0 and result.n == len(values)
        assert result.to_json() and len(result.tidy()) == 1


def test_what_can_not_be_asked_for():
    frame = minutes()
    bad: list[dict[str, Any]] = [
        {"items": []},
        {"items": ["minutes", "minutes"]},
        {"items": ["minute"]},
        {"items": ["minutes"], "by": "shops"},
        {"items": ["minutes"], "by": "minutes"},
        {"items": ["minutes"], "max_rows": 3},
    ]
    for arguments in bad:
        with pytest.raises(sat.ArgumentError):
            sat.outliers(frame, **arguments)
    with pytest.raises(sat.SchemaError):
        sat.outliers(frame, ["shop"])
    with pytest.raises(sat.SchemaError):
        sat.outliers(frame.assign(minutes=np.inf), ["minutes"])
