"""Composite reliability: by its formula, beside omega, and on bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat


def test_published_loadings_by_hand() -> None:
    # (.8 + .7 + .9)² / ((.8 + .7 + .9)² + .36 + .51 + .19) = 5.76 / 6.82
    result = sat.composite_reliability({"a": 0.8, "b": 0.7, "c": 0.9})
    assert result.estimate == pytest.approx(5.76 / 6.82, abs=1e-15)
    assert result.tidy()["estimate"][1] == pytest.approx((0.64 + 0.49 + 0.81) / 3, abs=1e-15)


def test_answers_of_one_factor_give_its_loadings() -> None:
    loadings = np.array([0.9, 0.8, 0.7, 0.6])
    corr = np.outer(loadings, loadings)
    np.fill_diagonal(corr, 1)
    moments = sat.Moments.from_correlation(corr, 500, columns=list("abcd"))
    expected = sat.composite_reliability(loadings.tolist()).estimate
    result = sat.composite_reliability(moments)
    assert result.estimate == pytest.approx(expected, abs=1e-7)
    # one factor: the same as McDonald's omega, up to the residuals
    assert result.estimate == pytest.approx(sat.mcdonald_omega(moments).estimate, abs=1e-7)


def test_two_items_share_their_loading(engine) -> None:
    frame = pd.DataFrame({"a": [1, 2, 3, 4, 5, 3], "b": [2, 2, 3, 5, 4, 3]})
    r = np.corrcoef(frame["a"], frame["b"])[0, 1]
    result = sat.composite_reliability(engine(frame), ["a", "b"])
    assert result.estimate == pytest.approx(2 * r / (1 + r), abs=1e-12)  # Spearman-Brown


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ([0.8], sat.ArgumentError),
        ([0.8, 1.2], sat.ArgumentError),
        (["high", "low"], sat.ArgumentError),
        (pd.DataFrame({"a": [1, 2, 3, 4], "b": [4, 3, 2, 1]}), sat.DataError),
        (pd.DataFrame({"a": [1, 2, 3, 4], "b": [1, 3, 2, 0]}), sat.DataError),
        (pd.DataFrame({"a": [1, 2, 3, 4], "b": [3, 3, 3, 3]}), sat.DataError),
    ],
)
def test_bad_input_is_named(data, error) -> None:
    with pytest.raises(error):
        sat.composite_reliability(data)
