"""Figures of checks, careless answers and weights are drawn, whatever stands in the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("values", [[1, 11, 99], [1, 2, 3], []])
def test_check_figure(values):
    survey = sat.Survey("$x$ 问卷", [sat.Recommend("a$b$ 满意")])
    figure = sat.plot(survey.check(pd.DataFrame({"a$b$ 满意": pd.Series(values, dtype="float64")})))
    assert figure._repr_png_()[:4] == b"\x89PNG"


def test_careless_and_weight_figures():
    frame = pd.DataFrame(np.random.default_rng(1).integers(1, 8, (40, 6)), columns=list("abcdef"))
    assert sat.plot(sat.careless(frame, list("abcdef")))._repr_png_()[:4] == b"\x89PNG"
    assert sat.plot(sat.weight_summary([1, 2, 3]))._repr_png_()[:4] == b"\x89PNG"


def test_missing_and_reliability_figures():
    frame = pd.DataFrame(np.random.default_rng(1).integers(1, 8, (40, 3)), columns=list("abc")).astype(float)
    frame.loc[3:7, "b"] = np.nan
    for result in (sat.missing_report(frame, list("abc")), sat.cronbach_alpha(frame), sat.icc(frame)):
        assert sat.plot(result)._repr_png_()[:4] == b"\x89PNG"
