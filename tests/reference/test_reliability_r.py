"""Reliability and adequacy of scales against R's psych; see make_reliability.R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

HERE = Path(__file__).parent
NINE = [f"q{i}" for i in range(1, 10)]


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((HERE / "reliability_r.json").read_text(encoding="utf-8"))


def scales() -> dict[str, pd.DataFrame]:
    frame = pd.read_csv(HERE / "reliability_sample.csv")
    one, two = frame.filter(like="r"), frame.filter(like="t")
    return {"one_reversed": one, "one_turned": one.assign(r4=6 - one["r4"]), "two_missing": two}


def close(found: Any, wanted: Any, tolerance: float = 1e-10) -> None:
    np.testing.assert_allclose(
        np.asarray(found, dtype=float), np.asarray(wanted, dtype=float), rtol=0, atol=tolerance
    )


@pytest.mark.parametrize("name", ["one_reversed", "one_turned", "two_missing"])
def test_scales_equal_psych(expected: dict[str, Any], name: str):
    frame, wanted = scales()[name], expected[name]
    alpha = sat.cronbach_alpha(frame)
    assert (alpha.n, alpha.n_missing) == (wanted["n"], len(frame) - wanted["n"])
    assert alpha.reversed_items == (("r4",) if name == "one_reversed" else ())
    close(alpha.rows["estimate"], [wanted[k] for k in ("alpha", "alpha_std", "lambda6", "average_r")])
    close([alpha.rows["std_error"][0], alpha.conf_low, alpha.conf_high], [wanted["ase"], *wanted["feldt"]])
    close(alpha.item_rows["alpha_if_dropped"], wanted["alpha_drop"])
    close(alpha.item_rows["item_rest"], wanted["item_rest"])
    kmo = sat.kmo(frame)
    close([kmo.estimate, *kmo.item_rows["msa"]], [wanted["kmo"], *wanted["msa"]])
    bartlett = sat.bartlett(frame)
    found = [bartlett.rows["statistic"][0], bartlett.rows["p_value"][0], bartlett.estimate]
    close(found, wanted["bartlett"])
    icc = sat.icc(frame).tidy().set_index("term")
    for row in wanted["icc"]:
        columns = ["estimate", "statistic", "p_value", "conf_low", "conf_high"]
        expected_row = [row[k] for k in ("ICC", "F", "p", "lower bound", "upper bound")]
        close(icc.loc[row["type"].lower(), columns].tolist(), expected_row)
    # psych iterated until it stands still; where psych's minimum residuals stop by themselves, 1e-6
    omega = sat.mcdonald_omega(frame)
    close(omega.estimate, wanted["omega1"])
    close(omega.estimate, wanted["omega1_minres"], 1e-6)


def test_omega_of_several_factors_equals_psych_iterated(expected: dict[str, Any]):
    frame, wanted = pd.read_csv(HERE / "survey_sample.csv")[NINE], expected["nine"]
    close(sat.mcdonald_omega(frame).estimate, wanted["omega1"])
    total, hierarchical = sat.mcdonald_omega(frame, n_factors=3).rows["estimate"]
    close(total, wanted["omega3"])
    close(hierarchical, wanted["omega_h"], 2e-10)
    # psych's own default stops 1.2e-6 short of that
    assert 1e-6 < abs(wanted["omega_h_minres"] - wanted["omega_h"]) < 2e-6
    close(total, wanted["omega3_minres"], 1e-6)


LOADINGS = {0: (), 1: ("x6",), 2: ("x3", "x5"), 3: ("x3", "x5", "x6")}


def simulated(n: int, turned: tuple[str, ...], groups: int = 1, correlation: float = 0.4) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    first = rng.normal(size=n)
    second = correlation * first + np.sqrt(1 - correlation**2) * rng.normal(size=n)
    columns = {}
    for i in range(1, 7):
        construct = second if groups == 2 and i > 3 else first
        answer = 3 + 1.1 * (0.7 * construct + np.sqrt(0.51) * rng.normal(size=n))
        codes = np.clip(np.round(answer), 1, 5)
        columns[f"x{i}"] = 6 - codes if f"x{i}" in turned else codes
    return pd.DataFrame(columns)


@pytest.mark.parametrize("n_turned", [0, 1, 2, 3])
def test_items_that_run_against_the_scale_are_named(n_turned: int):
    turned = LOADINGS[n_turned]
    frame = simulated(150, turned)
    for method in (sat.cronbach_alpha, sat.mcdonald_omega, sat.kmo, sat.bartlett, sat.icc):
        assert method(frame).reversed_items == turned
    assert sat.cronbach_alpha(simulated(30, turned)).reversed_items == turned
    assert sat.cronbach_alpha(simulated(150, turned, 2)).reversed_items == turned
    assert sat.cronbach_alpha(simulated(400, turned[:2], 2, 0.0)).reversed_items == turned[:2]
    righted = frame.assign(**{c: 6 - frame[c] for c in turned})
    assert sat.cronbach_alpha(righted).reversed_items == ()


def test_scales_that_carry_no_reliability():
    frame = simulated(20, ())
    with pytest.raises(sat.DataError, match="x2"):
        sat.cronbach_alpha(frame.assign(x2=3))
    for method in (sat.cronbach_alpha, sat.mcdonald_omega, sat.kmo, sat.bartlett, sat.icc):
        with pytest.raises(sat.ArgumentError, match="at least"):
            method(frame[["x1"]])
        with pytest.raises(sat.DataError, match="complete"):
            method(frame.assign(x1=np.nan))
        with pytest.raises(sat.DataError, match="complete"):
            method(frame[:2])
        with pytest.raises(sat.ArgumentError, match="x9"):
            method(frame, ["x1", "x2", "x9"])
        with pytest.raises(sat.ArgumentError):
            method(frame, ["x1", "x1", "x2"])
    for method in (sat.mcdonald_omega, sat.kmo):
        with pytest.raises(sat.ArgumentError, match="at least 3"):
            method(frame[["x1", "x2"]])
    two = sat.cronbach_alpha(frame[["x1", "x2"]])
    assert (
        two.item_rows["alpha_if_dropped"] == (None, None)
        or list(two.item_rows["alpha_if_dropped"]) == [None] * 2
    )
    opposite = frame[["x1"]].assign(x2=6 - frame["x1"])
    with pytest.raises(sat.DataError, match=r"\['x2'\] run against 'x1'"):
        sat.cronbach_alpha(opposite)
    assert sat.cronbach_alpha(opposite.assign(x3=frame["x3"])).reversed_items == ("x2",)
