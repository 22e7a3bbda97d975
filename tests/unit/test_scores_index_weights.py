"""The interval of an index carries the uncertainty of weights that were derived from the same answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

TEN = sat.Scale(1, 10)
ITEMS = ["a", "b", "c"]
CARRIED, KNOWN = "carries the uncertainty", "counts the weights as known"


def answers(n: int = 120, seed: int = 7) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = 0.7 * rng.normal(size=(n, 1)) + rng.normal(size=(n, 3))
    x = np.clip(np.round(6 + 1.5 * x + np.array([0, 1, -2.0])), 1, 10)
    y = np.clip(np.round(x @ [0.3, 0.5, 0.1] + 1.2 * rng.normal(size=n)), 1, 10)
    frame = pd.DataFrame(x, columns=ITEMS).assign(overall=y)
    return frame.assign(
        shop=rng.choice(["u", "v"], n), street=np.arange(n) % 24, w=rng.uniform(0.5, 2, n), many=99
    )


def derived(frame: Any, *, by: Any = (), weight: str | None = None, design: Any = None) -> Any:
    drivers = sat.key_drivers(frame, "overall", ITEMS, weight=weight, interval="none")
    return sat.csi(frame, ITEMS, weights=drivers, scale=TEN, by=by, weight=weight, design=design)


def with_shares(frame: Any, *, by: Any = (), weight: str | None = None, design: Any = None) -> Any:
    """Return the same index with the same weights, as if they were known."""
    drivers = sat.key_drivers(frame, "overall", ITEMS, weight=weight, interval="none")
    shares = dict(zip(drivers.drivers, drivers.estimates["share"], strict=True))
    return sat.csi(frame, ITEMS, weights=shares, scale=TEN, by=by, weight=weight, design=design)


def jackknife(
    frame: pd.DataFrame, units: Any, estimate: Callable[[pd.DataFrame], list[float]]
) -> np.ndarray[Any, Any]:
    """Return the covariance of the whole computation, one unit left out at a time."""
    left = np.array([estimate(frame[units != u].reset_index(drop=True)) for u in np.unique(units)])
    m = len(left)
    return (m - 1) / m * (left - left.mean(axis=0)).T @ (left - left.mean(axis=0))


@pytest.mark.parametrize(
    ("options", "clustered"),
    [({}, False), ({"by": "shop"}, False), ({"by": "shop", "weight": "w"}, True)],
    ids=["plain", "groups", "weights and clusters"],
)
def test_linearised_as_the_jackknife_of_everything(options: dict[str, Any], clustered: bool) -> None:
    frame = answers()
    frame.loc[[3, 9], "overall"] = np.nan  # these have an index, and no say in the weights
    frame.loc[5, "a"] = np.nan
    units = frame["street"].to_numpy() if clustered else np.arange(len(frame))
    design = sat.Design(cluster="street") if clustered else None
    found = derived(frame, design=design, **options)
    expected = jackknife(frame, units, lambda part: list(with_shares(part, **options)._tidy()["estimate"]))
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    np.testing.assert_allclose(np.array(found.covariance) / scale, expected / scale, atol=0.06)
    assert any(CARRIED in note for note in found.notes)
    # as if they were known, the interval would be too short
    known = with_shares(frame, design=design, **options)
    assert (known.tidy()["std_error"] < 0.96 * found.tidy()["std_error"]).all()
    pd.testing.assert_series_equal(known.tidy()["estimate"], found.tidy()["estimate"])


def test_the_same_on_every_engine(engine: Any) -> None:
    frame = answers()
    expected = derived(frame, by="shop", weight="w", design=sat.Design(strata="street"))
    found = derived(engine(frame), by="shop", weight="w", design=sat.Design(strata="street"))
    np.testing.assert_allclose(found._tidy()["std_error"], expected._tidy()["std_error"], rtol=1e-9)


def test_a_fitted_model_carries_it_and_its_result_does_not() -> None:
    frame = answers()
    text = "Quality =~ a + b + c ; Overall =~ overall ; Overall ~ Quality"
    model = sat.PLSPM(text).fit(frame)

    def estimate(part: pd.DataFrame) -> list[float]:
        return [sat.csi(part, ITEMS, weights=sat.PLSPM(text).fit(part).result_, scale=TEN).estimate or 0.0]

    found = sat.csi(frame, ITEMS, weights=model, scale=TEN)
    left = jackknife(frame, np.arange(len(frame)) % 40, estimate)
    assert found.std_error == pytest.approx(np.sqrt(left[0, 0]), rel=0.15)  # 40 groups are few
    bare = sat.csi(frame, ITEMS, weights=model.result_, scale=TEN)
    assert bare.estimate == pytest.approx(found.estimate)
    assert any(CARRIED in note for note in found.notes)
    assert any(KNOWN in note and "fitted model" in note for note in bare.notes)


def test_from_moments_as_for_normal_answers() -> None:
    rng = np.random.default_rng(2)
    x = rng.multivariate_normal([5, 6, 4, 5], 0.5 + 0.5 * np.eye(4), 3000)
    frame = pd.DataFrame(x, columns=[*ITEMS, "overall"])
    moments = sat.Moments.collect(frame, list(frame.columns))
    drivers = sat.key_drivers(moments, "overall", ITEMS)
    found = sat.csi(moments, ITEMS, weights=drivers, scale=TEN)
    half = [sat.Moments.collect(frame[i::60], list(frame.columns)) for i in range(60)]
    parts = [
        sat.csi(m, ITEMS, weights=sat.key_drivers(m, "overall", ITEMS), scale=TEN).estimate for m in half
    ]
    assert found.std_error == pytest.approx(np.std(parts, ddof=1) / np.sqrt(60), rel=0.25)
    assert any("as for normal answers" in note for note in found.notes)


@pytest.mark.parametrize(
    ("change", "options", "why"),
    [
        ({}, {"missing": "available"}, "weights of their own"),
        ({"a": 5.0}, {}, "other data"),
        ({"a": 11.0}, {"on_invalid": "exclude"}, "left out here"),
        ({}, {"weight": "w"}, "other data"),
    ],
)
def test_where_weights_count_as_known(change: dict[str, float], options: dict[str, Any], why: str) -> None:
    frame = answers()
    for column, value in change.items():
        frame.loc[0, column] = value
    drivers = sat.key_drivers(answers(), "overall", ITEMS)
    found = sat.csi(frame, ITEMS, weights=drivers, scale=TEN, **options)
    assert any(KNOWN in note and why in note for note in found.notes)


def test_weights_that_are_none() -> None:
    frame = answers()
    with pytest.raises(sat.ArgumentError, match="groups"):
        sat.csi(frame, ITEMS, weights=sat.key_drivers(frame, "overall", ITEMS, by="shop"), scale=TEN)
    with pytest.raises(sat.ArgumentError, match="not fitted yet"):
        sat.csi(frame, ITEMS, weights=sat.PLSPM("Q =~ a + b + c ; O =~ overall ; O ~ Q"), scale=TEN)


def test_coverage_at_200() -> None:
    """Nominal 95 % intervals hold the truth in 100 samples."""
    truth = derived(answers(300_000, seed=1)).estimate
    hits = 0
    for seed in range(100):
        found = derived(answers(200, seed=100 + seed))
        hits += found.conf_low <= truth <= found.conf_high
    assert hits / 100 >= 0.9


def test_weights_of_a_logit_count_as_known() -> None:
    frame = answers().assign(happy=lambda f: (f["overall"] > f["overall"].median()).astype(int))
    drivers = sat.key_drivers(frame, "happy", ITEMS, method="logit")
    assert any(KNOWN in note for note in sat.csi(frame, ITEMS, weights=drivers, scale=TEN).notes)


def test_missing_answers_that_the_model_replaced_by_means(engine: Any) -> None:
    frame = answers()
    rng = np.random.default_rng(1)
    for column in ("a", "b", "overall"):
        frame.loc[rng.random(len(frame)) < 0.08, column] = np.nan
    text = "Quality =~ a + b + c ; Overall =~ overall ; Overall ~ Quality"
    data = engine(frame)
    found = sat.csi(data, ITEMS, weights=sat.PLSPM(text).fit(data), scale=TEN)
    assert any(CARRIED in note for note in found.notes)
    expected = REPLACED.setdefault("std_error", found.std_error or 0.0)
    assert found.std_error == pytest.approx(expected, rel=1e-9)
    left = [
        sat.csi(part, ITEMS, weights=sat.PLSPM(text).fit(part).result_, scale=TEN).estimate or 0.0
        for part in (frame[np.arange(len(frame)) % 40 != i] for i in range(40))
    ]
    assert found.std_error == pytest.approx(np.sqrt(39 * np.var(left)), rel=0.2)


REPLACED: dict[str, float] = {}  # what the first engine gave


def test_models_of_many_columns_on_a_database() -> None:
    """The gradient in 24 columns is a sum of 300 products: added up one after the other it nests too deeply."""
    duckdb = pytest.importorskip("duckdb")
    study = sat.datasets.load_ecsi()
    rng = np.random.default_rng(1)
    x = rng.multivariate_normal(study.moments.mean, study.moments.cov, 300)
    frame = pd.DataFrame(np.clip(np.round(x), 1, 10), columns=study.moments.columns)
    model = sat.PLSPM(study.spec).fit(frame)
    items = study.items["Satisfaction"]
    expected = sat.csi(frame, items, weights=model, scale=TEN)
    connection = duckdb.connect()
    connection.register("answers", frame)
    found = sat.csi(connection.table("answers"), items, weights=model, scale=TEN)
    assert found.std_error == pytest.approx(expected.std_error, rel=1e-9)
    assert any(CARRIED in note for note in found.notes)
