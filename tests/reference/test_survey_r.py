"""Reliability, raking and careless statistics against R (psych, survey); see make_survey.R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.survey.minres import minres, oblimin

HERE = Path(__file__).parent
ITEMS = [f"q{i}" for i in range(1, 10)]


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((HERE / "survey_r.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.read_csv(HERE / "survey_sample.csv")


def close(found: Any, wanted: Any, tolerance: float) -> None:
    np.testing.assert_allclose(
        np.asarray(found, dtype=float), np.asarray(wanted, dtype=float), rtol=0, atol=tolerance
    )


def test_alpha_equals_psych(frame, expected):
    result = sat.cronbach_alpha(frame, ITEMS)
    close(
        result.rows["estimate"], [expected[k] for k in ("alpha", "alpha_std", "lambda6", "average_r")], 1e-10
    )
    close(result.rows["std_error"][0], expected["ase"], 1e-10)
    close([result.conf_low, result.conf_high], expected["feldt"], 1e-10)
    close(result.item_rows["alpha_if_dropped"], expected["alpha_drop"], 1e-10)
    close(result.item_rows["item_rest"], expected["item_rest"], 1e-10)


def test_omega_equals_psych(frame, expected):
    # psych stops its minimum residuals early: its own communalities are good to about 2e-6
    close(sat.mcdonald_omega(frame, ITEMS).estimate, expected["omega1"], 1e-6)
    three = sat.mcdonald_omega(frame, ITEMS, n_factors=3)
    close(three.estimate, expected["omega3"], 1e-5)


def test_factors_are_carried_to_the_optimum(frame):
    # where psych stops at about 1e-6: the residual variances equal the uniquenesses, step by step
    corr = np.corrcoef(frame[ITEMS].to_numpy(), rowvar=False)

    def excess(matrix: Any, loadings: Any) -> float:
        unique = 1 - (loadings**2).sum(axis=1)
        values, vectors = np.linalg.eigh(matrix - np.diag(unique))
        m = loadings.shape[1]
        best = vectors[:, -m:] * np.sqrt(np.maximum(values[-m:], 0))
        return float(np.abs(np.diag(matrix - best @ best.T) - unique).max())

    loadings = minres(corr, 3)
    assert excess(corr, loadings) < 1e-8
    pattern, phi = oblimin(loadings)
    close(pattern @ phi @ pattern.T, loadings @ loadings.T, 1e-12)
    signs = np.sign(pattern.sum(axis=0))
    phi = phi * np.outer(signs, signs)
    general = minres(phi, 1)
    assert excess(phi, general) < 1e-8
    hierarchical = float(((pattern * signs) @ general[:, 0]).sum() ** 2 / corr.sum())
    close(sat.mcdonald_omega(frame, ITEMS, n_factors=3).rows["estimate"][1], hierarchical, 1e-10)


def test_omega_finds_a_known_hierarchy():
    general = np.repeat([0.6, 0.5, 0.4], 3)  # constant within groups, as Schmid and Leiman's model implies
    group = np.repeat([0.5, 0.6, 0.7], 3)
    block = np.kron(np.eye(3), np.ones((3, 3)))
    corr = np.outer(general, general) + block * np.outer(group, group)
    np.fill_diagonal(corr, 1.0)
    found = sat.mcdonald_omega(sat.Moments.from_correlation(corr, 500, columns=ITEMS), n_factors=3)
    total = 1 - (1 - general**2 - group**2).sum() / corr.sum()
    close(found.rows["estimate"], [total, general.sum() ** 2 / corr.sum()], 1e-6)


def test_kmo_bartlett_and_icc_equal_psych(frame, expected):
    close(sat.kmo(frame, ITEMS).estimate, expected["kmo"], 1e-10)
    close(sat.kmo(frame, ITEMS).item_rows["msa"], expected["msa"], 1e-10)
    close(sat.bartlett(frame, ITEMS).rows["statistic"][0], expected["bartlett"], 1e-8)
    table = sat.icc(frame[:40], ITEMS[:4]).tidy().set_index("term")
    for row in expected["icc"]:
        found = table.loc[row["type"].lower(), ["estimate", "statistic", "p_value", "conf_low", "conf_high"]]
        close(found.tolist(), [row[k] for k in ("ICC", "F", "p", "lower bound", "upper bound")], 1e-10)


def test_careless_statistics_equal_r(frame, expected):
    found = sat.careless(frame, ITEMS, irv_parts=4).statistics
    for part, wanted in expected["irv_parts"].items():
        close(found[f"irv_{part}"], wanted, 1e-9)
    for name in ("longstring", "average_string", "irv", "mahalanobis"):
        close(found[name], expected[name], 1e-9)


def test_raking_equals_survey(frame, expected):
    margins = {"region": {"n": 450, "e": 300, "s": 250}, "age": {"young": 0.6, "old": 0.4}}
    np.testing.assert_allclose(sat.rake(frame, margins, weight="w"), expected["rake"], rtol=1e-9)


def test_reliability_takes_moments_and_flags_reversed_items(frame):
    moments = sat.Moments.collect(frame, ITEMS)
    assert sat.cronbach_alpha(moments).estimate == pytest.approx(sat.cronbach_alpha(frame, ITEMS).estimate)
    turned = frame.assign(q3=8 - frame.q3)
    for method in (sat.cronbach_alpha, sat.mcdonald_omega, sat.kmo, sat.bartlett, sat.icc):
        assert method(frame, ITEMS).reversed_items == ()
        assert method(turned, ITEMS).reversed_items == ("q3",)
    assert sat.cronbach_alpha(turned, ITEMS).to_dict()["glance"]["reversed_items"] == "q3"
    with pytest.raises(sat.ArgumentError):
        sat.cronbach_alpha(frame, ["q1"])
    with pytest.raises(sat.DataError, match="cancel"):
        sat.cronbach_alpha(frame.assign(q2=8 - frame.q1), ["q1", "q2"])
    with pytest.raises(sat.DataError, match="same"):
        sat.cronbach_alpha(frame.assign(q1=3), ITEMS)
    with pytest.raises(sat.DataError, match="collinear"):
        sat.mcdonald_omega(frame.assign(q1=frame.q2 + frame.q3), ITEMS)
    with pytest.raises(sat.ArgumentError, match="factors"):
        sat.mcdonald_omega(frame, ITEMS, n_factors=4)
