"""What every result can do, and what every error says."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import pickle
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.errors import unknown
from satmodels.intake.library import FrameLibrary
from satmodels.results import Result, Table, plain, show_number


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Example(Result):
    kind: ClassVar[str] = "example"
    table: Table

    def _tidy(self) -> Table:
        return self.table

    def _glance(self) -> Mapping[str, Any]:
        return {"n": 2, "share": 0.123456, "nothing": None}


def example(library=FrameLibrary.PANDAS):
    table = Table.of(
        {"term": ["<b>x</b>", None], "estimate": [np.float64("nan"), 1e-9], "n": np.array([1, 2])}
    )
    return Example(library=library, table=table)


def test_tables_are_plain():
    table = example().table
    assert table["estimate"] == (None, 1e-9)
    assert all(type(v) is int for v in table["n"])
    assert "n" in table and len(table) == 2
    assert list(Table.from_records([{"a": 1}, {"b": 2}]).rows()) == [{"a": 1, "b": None}, {"a": None, "b": 2}]
    assert Table.from_records([], names=("a",)).names == ("a",)
    with pytest.raises(ValueError, match="unequal length"):
        Table.of({"a": [1], "b": [1, 2]})
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.names = ()


@pytest.mark.parametrize("library", list(FrameLibrary))
def test_results_speak_every_library(library):
    result = example(library)
    assert len(result.tidy()) == 2
    assert len(result.glance()) == 1
    assert type(result.tidy()).__module__.startswith(library.value.split(".")[0][:6])


def test_json_is_strict_and_html_is_escaped():
    result = example()
    body = json.loads(result.to_json(), parse_constant=lambda name: pytest.fail(name))
    assert body["tidy"][0] == {"term": "<b>x</b>", "estimate": None, "n": 1}
    page = result._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert repr(result) == "Example(n=2, share=0.1235)"
    assert pickle.loads(pickle.dumps(result)) == result


def test_long_tables_are_cut_in_notebooks():
    page = Table.of({"a": range(100)}).to_html(rows=10)
    assert "90 more rows" in page


def test_plain_values():
    given = {
        "nan": float("nan"),
        "inf": np.inf,
        "int": np.int8(3),
        "date": dt.date(2026, 1, 2),
        "stamp": pd.Timestamp("2026-01-02"),
        "span": dt.timedelta(hours=1),
        "array": np.array([[1.5, np.nan]]),
        "flag": np.bool_(True),
        3: {1},
    }
    assert plain(given) == {
        "nan": None,
        "inf": None,
        "int": 3,
        "date": "2026-01-02",
        "stamp": "2026-01-02T00:00:00",
        "span": 3600.0,
        "array": [[1.5, None]],
        "flag": True,
        "3": [1],
    }
    assert [show_number(v) for v in (None, 0.0, 1.23456, 1e-9, 1e9, 12, "x")] == [
        "",
        "0.0000",
        "1.2346",
        "1e-09",
        "1e+09",
        "12",
        "x",
    ]


def test_schema_errors_carry_facts_and_can_be_redacted():
    error = sat.SchemaError.answers(
        "phone", "0..10", "Correct them.", n_bad=2, offenders=[(3, "secret"), (9, "other")]
    )
    assert (error.column, error.row, error.value, error.n_bad) == ("phone", 3, "secret", 2)
    assert "'secret' in row 3" in str(error)
    for text in (str(error.redacted()), json.dumps(error.to_dict())):
        assert "secret" not in text and "other" not in text
        assert "phone" in text and "3" in text
    assert error.to_dict(redact=False)["offenders"][0] == {"row": 3, "value": "secret"}
    without_rows = sat.SchemaError.answers("x", "r", "", n_bad=1, offenders=[(None, 7)])
    assert "row" not in str(without_rows)


def test_errors_are_what_they_were_called_before():
    for error, old in (
        (sat.ArgumentError, ValueError),
        (sat.SchemaError, ValueError),
        (sat.DataError, ValueError),
        (sat.IdentificationError, sat.SpecError),
        (sat.ConvergenceError, RuntimeError),
        (sat.EngineError, NotImplementedError),
        (sat.MissingExtraError, ImportError),
    ):
        assert issubclass(error, old)
        assert issubclass(error, sat.SatmodelsError)
    assert "pip install 'satmodels[plot]'" in str(
        pickle.loads(pickle.dumps(sat.MissingExtraError("m", "plot")))
    )


def test_near_matches():
    assert "Did you mean 'score'" in str(unknown("column", "scroe", ["score", "other"]))
    many = str(unknown("column", "x", [f"c{i}" for i in range(500)]))
    assert "and 488 more" in many
    assert "There is none" in str(unknown("column", "x", []))
