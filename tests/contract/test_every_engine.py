"""Every public function gives the same result, to 1e-9, whatever library its frame is of; missing answers and weights too."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from every_call import FRAMED, Calls, N, answers, calls_in

import satmodels as sat
from conftest import ENGINES
from satmodels.intake.frames import open_frame

pytestmark = pytest.mark.filterwarnings("ignore")
OTHERS = [name for name in ENGINES if name != "pandas"]
HANDED_BACK = {
    "write_table",
    "write_survey",
    "churn_features",
}  # nothing, or functions, which have no numbers


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    monkeypatch.chdir(tmp_path)
    return calls_in(tmp_path)


def _plain(value: Any) -> Any:
    """Return a result, a frame of any library or a statistic as plain values."""
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if hasattr(value, "tidy") and hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, sat.Moments | sat.ScoreCounts | sat.PairCounts):
        return {
            name: _plain(getattr(value, name))
            for name in ("n", "mean", "scatter", "w")
            if hasattr(value, name)
        }
    if hasattr(value, "columns") or hasattr(value, "column_names"):
        return {
            name: list(values)
            for name, values in open_frame(value).table(open_frame(value).columns).columns().items()
        }
    return str(value)


def _difference(a: Any, b: Any, where: str = "") -> str:
    """Return the first place where two plain results differ, or an empty text."""
    if isinstance(a, dict) and isinstance(b, dict):
        if list(a) != list(b):
            return f"{where}: {list(a)} and {list(b)}"
        return next((d for k in a if (d := _difference(a[k], b[k], f"{where}.{k}"))), "")
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        if len(a) != len(b):
            return f"{where}: {len(a)} and {len(b)} entries"
        return next((d for i in range(len(a)) if (d := _difference(a[i], b[i], f"{where}[{i}]"))), "")
    lacking = [
        v is None or v is pd.NA or v is pd.NaT or (isinstance(v, float) and math.isnan(v)) for v in (a, b)
    ]
    if any(lacking):
        return "" if all(lacking) else f"{where}: {a!r} and {b!r}"
    if isinstance(a, int | float | np.number) and isinstance(b, int | float | np.number):
        return "" if abs(a - b) <= 1e-9 * max(1.0, abs(a)) else f"{where}: {a!r} and {b!r}"
    if hasattr(a, "isoformat") and hasattr(b, "isoformat"):
        a, b = a.isoformat()[:10], b.isoformat()[:10]
    return "" if str(a) == str(b) else f"{where}: {a!r} and {b!r}"


def _outcome(call: Callable[..., Any], given: dict[str, Any]) -> Any:
    try:
        return _plain(call(**given))
    except sat.SatmodelsError as error:
        return type(error).__name__


@pytest.mark.parametrize("name", [name for name in FRAMED if name not in HANDED_BACK])
def test_the_same_on_every_engine(name: str, made: Calls) -> None:
    call, given = made[name]
    frames = {argument: value for argument, value in given.items() if isinstance(value, pd.DataFrame)}
    if not frames:
        pytest.skip("takes no frame")
    for argument, frame in frames.items():
        variants = [frame]
        if frame is answers():
            gaps = np.arange(N) % 11 != 3
            variants.append(
                frame.assign(**{c: frame[c].astype(float).where(gaps) for c in ("q1", "q2", "nps", "l2")})
            )
        for data in variants:
            expected = _outcome(call, {**given, argument: data})
            for engine in OTHERS:
                found = _outcome(call, {**given, argument: ENGINES[engine](data)})
                assert not (d := _difference(expected, found)), f"{engine}: {d}"
