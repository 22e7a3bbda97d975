"""Frames with every defect, given to every public function that takes a frame: taken, or said in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from every_call import FRAMED, Calls, calls_in, error_from_below

pytestmark = pytest.mark.filterwarnings("ignore")


def _named(value: Any) -> set[str]:
    """All texts in the arguments of a call: the columns it reads are among them."""
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return set().union(*map(_named, value), *map(_named, value.values()))
    return set().union(*map(_named, value)) if isinstance(value, list | tuple) else set()


def _defects(frame: pd.DataFrame, columns: set[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    n = len(frame)
    every = np.arange(n)
    yield "no rows", frame.iloc[:0]
    yield "one row", frame.iloc[:1]
    yield "two rows", frame.iloc[:2]
    yield "one row many times", pd.concat([frame.iloc[:1]] * 20, ignore_index=True)
    yield "one index for all rows", frame.set_axis([0] * n)
    yield "a column twice", pd.concat([frame, frame.iloc[:, :1]], axis=1)
    yield "a column called 5", frame.assign(zz=1).rename(columns={"zz": 5})
    for column in sorted(columns & set(frame.columns)):
        own = frame[column]
        for word, values in {
            "all missing": np.full(n, np.nan),
            "constant": [own.iloc[0]] * n,
            "text": ["x"] * n,
            "here and there text": [v if i % 7 else "a" for i, v in enumerate(own)],
            "half missing": own.astype(object).where(every % 2 == 0, None),
            "infinite": np.where(every == 3, np.inf, 1.0),
            "too large to be squared": np.where(every % 2 == 0, 1e308, -1e308),
            "too small to be told apart": every * 1e-310,
            "whole numbers of 70 bits": [2**70] * n,
            "lists": [[1]] * n,
            "bytes": [b"a"] * n,
            "complex": np.ones(n) * 1j,
            "periods": pd.period_range("2025-01", periods=n, freq="M"),
            "times": pd.date_range("2025-01-01", periods=n, tz="UTC"),
            "lengths of time": pd.to_timedelta(every, unit="h"),
            "categories": own.astype("category"),
            "nullable": pd.array([pd.NA if i % 5 == 0 else i % 4 + 1 for i in range(n)], dtype="Int64"),
        }.items():
            yield f"{column}: {word}", frame.assign(**{column: pd.Series(values, index=frame.index)})


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    monkeypatch.chdir(tmp_path)  # a text is a path as well
    return calls_in(tmp_path)


@pytest.mark.parametrize("name", FRAMED)
def test_frames_with_defects(name: str, made: Calls) -> None:
    call, given = made[name]
    frames = {argument: value for argument, value in given.items() if isinstance(value, pd.DataFrame)}
    if not frames:
        pytest.skip("takes no frame")
    found: list[str] = []
    for argument, frame in frames.items():
        columns = _named([v for k, v in given.items() if k != argument]) | {"date", "customer", "g"}
        for defect, wrong in _defects(frame, columns):
            error = error_from_below(call, {**given, argument: wrong})
            if error is not None:
                found.append(f"{name}({argument}: {defect}): {error}")
    assert not found, "\n".join(found)


def test_every_call_with_a_frame_is_among_these(made: Calls) -> None:
    given = {
        name for name, (_, given) in made.items() if any(isinstance(v, pd.DataFrame) for v in given.values())
    }
    assert given <= set(FRAMED)
