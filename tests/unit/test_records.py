"""Results that are stored whole and read back: the same tables, and suspicion towards everything else."""

from __future__ import annotations

import dataclasses
import importlib
import json
import pkgutil
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels
import satmodels as sat
from satmodels.intake.library import FrameLibrary
from satmodels.records import RECORDS, decode, encode
from satmodels.results import Result, Table
from satmodels.sem.result import SEMResult
from satmodels.stored import write_document

STUDY = sat.datasets.load_ecsi()
MODEL = sat.PLSPM(STUDY.spec).fit(STUDY.moments)


def subclasses(cls: type[Result]) -> set[type[Result]]:
    below = set(cls.__subclasses__())
    return below.union(*(subclasses(c) for c in below)) if below else below


def again(result: Any) -> Any:
    text = result.to_json(full=True)
    back = type(result).from_json(text)
    assert back.to_json() == result.to_json()
    assert repr(back) == repr(result)
    assert back.to_json(full=True) == text
    return back


def test_every_kind_of_result_can_be_stored() -> None:
    for module in pkgutil.walk_packages(satmodels.__path__, "satmodels."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    ours = {c.__name__ for c in subclasses(Result) if c.__module__.startswith("satmodels.")} - {
        SEMResult.__name__
    }
    assert ours <= set(RECORDS)
    for name, module in RECORDS.items():
        assert dataclasses.is_dataclass(getattr(importlib.import_module(f"satmodels.{module}"), name))


def test_a_fitted_model_with_all_its_tables() -> None:
    result = MODEL.result_
    back = again(result)
    for table in ("paths", "loadings", "weights", "r2"):
        pd.testing.assert_frame_equal(getattr(back, table), getattr(result, table), check_exact=True)
    for table in ("effects", "f2", "vif", "reliability", "htmt", "fornell_larcker", "residuals", "index"):
        pd.testing.assert_frame_equal(getattr(back, table)(), getattr(result, table)(), rtol=1e-12)
    assert back.fit_measures() == pytest.approx(result.fit_measures(), rel=1e-12)
    assert back.diagram().mermaid == result.diagram().mermaid
    assert back.spec == result.spec


def test_a_bootstrap_with_its_draws() -> None:
    result = sat.bootstrap(MODEL, STUDY.moments, n=40, seed=1)
    broken = result.values.copy()
    broken[3, 0] = np.nan
    result = dataclasses.replace(result, values=broken)
    back = again(result)
    pd.testing.assert_frame_equal(back.draws, result.draws, check_exact=True)
    pd.testing.assert_frame_equal(back.table("index"), result.table("index"), check_exact=True)
    np.testing.assert_array_equal(
        sat.what_if(back, {"Quality": 5}).tidy()["conf_low"],
        sat.what_if(result, {"Quality": 5}).tidy()["conf_low"],
    )


def test_results_of_every_family() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.integers(1, 11, (60, 4)), columns=["a", "b", "c", "d"])
    frame["wave"] = pd.to_datetime(np.repeat(["2024-01-01", "2024-04-01"], 30))
    scores = sat.nps(frame, "a", by="wave")
    made = [
        scores,
        sat.compare(scores),
        sat.key_drivers(frame, "a", ["b", "c", "d"]),
        sat.ipma(MODEL.result_, "Loyalty"),
        sat.fit_test(MODEL, STUDY.moments, n=20, seed=1),
        sat.cronbach_alpha(frame, ["a", "b", "c"]),
    ]
    for result in made:
        back = again(result)
        assert back.library is result.library
        assert sat.read_result(result.to_json(full=True)).to_json() == result.to_json()


@pytest.mark.parametrize(
    "value",
    [
        (1, 2.5, None, True, "naïve 质量"),
        [1, [2, (3,)]],
        {("a", 1): date(2024, 2, 29), None: Decimal("1.20")},
        datetime(2024, 1, 1, 12, tzinfo=UTC),
        timedelta(days=3, microseconds=5),
        FrameLibrary.POLARS,
        Table(("x",), ((1.0, None),)),
        float("inf"),
    ],
)
def test_values_come_back_as_they_were(value: object) -> None:
    text = json.dumps(encode(value), allow_nan=False)
    assert decode(json.loads(text)) == value


@pytest.mark.parametrize("dtype", ["float64", "int64", "bool", "object", "<U3", "datetime64[ns]", "float32"])
def test_arrays_come_back_as_they_were(dtype: str) -> None:
    array = np.array([[1, 0], [3, 4]]).astype(dtype)
    if dtype == "float64":
        array = np.array([[np.nan, np.inf], [-np.inf, 0.1]])
    back = decode(json.loads(json.dumps(encode(array), allow_nan=False)))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize(
    "body",
    [
        {"record": ["system", {}]},
        {"record": ["Table", {"names": {"tuple": ["x"]}}]},
        {"record": ["Table", {"names": {"tuple": []}, "values": {"tuple": []}}]},
        {"document": ["os", "{}"]},
        {"document": ["Moments", "{}"]},
        {"array": ["V8", [1], [0]]},
        {"array": ["float64", [3], [0.0]]},
        {"mapping": [[{"list": []}, 1]]},
        {"import": "os"},
        {"float": "1"},
        {"date": "2024-13-01"},
        [1, 2],
        {"a": 1, "b": 2},
        7,
    ],
)
def test_hostile_documents_are_refused(body: object) -> None:
    with pytest.raises(sat.ArgumentError):
        sat.read_result(write_document("Result", 1, {"result": body}))


def test_what_is_no_stored_result_is_refused() -> None:
    result = MODEL.result_
    text = result.to_json(full=True)
    with pytest.raises(sat.ArgumentError, match=r"to_json\(full=True\)"):
        sat.read_result(result.to_json())
    with pytest.raises(sat.ArgumentError, match="checksum"):
        sat.read_result(text.replace('"path"', '"cent"', 1))
    with pytest.raises(sat.ArgumentError, match="a stored PLSResult, not a BootstrapResult"):
        type(sat.bootstrap(MODEL, STUDY.moments, n=2, seed=1)).from_json(text)
    body = json.loads(text)["body"]
    body["result"]["record"][1]["parameters"] = "nothing"
    with pytest.raises(sat.ArgumentError, match="fit together"):
        sat.read_result(write_document("Result", 1, body))
    del body["result"]["record"][1]["parameters"]
    with pytest.raises(sat.ArgumentError, match="other fields"):
        sat.read_result(write_document("Result", 1, body))
    with pytest.raises(sat.ArgumentError, match="can't be stored"):
        encode(object())
