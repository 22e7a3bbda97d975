"""Adjusted tests and robust measures of fit beside lavaan 0.6-14 (make_cbsem_fit.R), also of models that are wrong."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest
from test_cbsem_lavaan import CASES, HERE, ITEMS, answers

import satmodels as sat

FOUND: dict[str, Any] = json.loads((HERE / "cbsem_fit.json").read_text())
WRONG = "Quality =~ q1 + q2 + l3 ; Value =~ v1 + v2 + v3 ; Loyal =~ l1 + l2 + q3"
FACTORS = "Quality =~ q1 + q2 + q3 ; Value =~ v1 + v2 + v3 ; Loyal =~ l1 + l2 + l3"
GAPS = {"missing": "fiml"}
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "mlmv": ("ml", {"estimator": "MLMV"}),
    "mlmv_wrong": (WRONG, {"estimator": "MLMV"}),
    "mlmv_means": ("ml", {"estimator": "MLMV", "means": True}),
    "mlmv_groups": (
        "ml",
        {"estimator": "MLMV", "group": "segment", "equal": ("loadings",)},
    ),
    "mlmv_exogenous": ("exogenous", {"estimator": "MLMV"}),
    "mlm_exogenous": ("exogenous", {"estimator": "MLM"}),
    "mlm_exogenous_means": ("exogenous", {"estimator": "MLM", "means": True}),
    "mlmvs": ("ml", {"estimator": "MLMVS"}),
    "mlmvs_wrong": (WRONG, {"estimator": "MLMVS"}),
    "fiml": ("fiml", GAPS),
    "fiml_wrong": (WRONG, GAPS),
    "fiml_wrong_mlr": (WRONG, GAPS | {"estimator": "MLR"}),
    "fiml_exogenous": ("exogenous", GAPS),
    "fiml_groups_mlr": ("fiml_groups", GAPS | {"estimator": "MLR", "group": "segment"}),
    "wlsmv": ("wlsmv_paths", {"estimator": "WLSMV", "ordered": tuple(ITEMS)}),
    "wlsmv_wrong": (WRONG, {"estimator": "WLSMV", "ordered": tuple(ITEMS)}),
    "wlsmv_groups": (FACTORS, {"estimator": "WLSMV", "ordered": tuple(ITEMS), "group": "segment"}),
    "wlsmv_metric": (
        FACTORS,
        {"estimator": "WLSMV", "ordered": tuple(ITEMS), "group": "segment", "equal": ("loadings",)},
    ),
    "ulsmv_wrong": (WRONG, {"estimator": "ULSMV", "ordered": tuple(ITEMS)}),
}


# with groups lavaan 0.6-14 divides the baseline's correction by each group's share of the rows, and so doubles it
OTHER_BASELINE = ("wlsmv_groups", "wlsmv_metric")


@pytest.mark.parametrize("name", list(RUNS))
def test_measures_are_those_of_lavaan(name: str):
    model, options = RUNS[name]
    text = CASES[model]["model"] if model in CASES else model
    kind = "fiml" if "missing" in options else ("wlsmv" if "ordered" in options else "ml")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sat.ImproperSolutionWarning)
        frame = answers(kind)
        if "group" in options and "ordered" in options:  # every group has every category
            frame[ITEMS] = frame[ITEMS].clip(1, 3)
        own = sat.CBSEM(text, **options).fit(frame).result_.fit_measures()
    compared = 0
    for key, value in FOUND[name].items():
        mine = own.get(key.replace(".", "_"))
        if name in OTHER_BASELINE and key in ("cfi.robust", "tli.robust"):
            continue
        if value is None or key.endswith((".level", ".h0")):
            continue
        # lavaan finds the saturated moments of rows with gaps by EM, which stops before they stand still
        close = 1e-5 if kind == "fiml" else 2e-6
        assert mine == pytest.approx(value, rel=close, abs=close), key
        compared += 1
    assert compared >= 18
