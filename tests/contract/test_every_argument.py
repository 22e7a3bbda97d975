"""Each argument of every public function, method and class, given a thing of the wrong kind, is taken or said in words.

Said in words: one of the errors of this library, never one from below. What a call is given is not changed.
"""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from every_call import PUBLIC, Calls, N, answers, calls_in, error_from_below, parameters_of

import satmodels as sat

pytestmark = pytest.mark.filterwarnings("ignore")
WRONG: tuple[Any, ...] = (
    5,
    -1,
    2.5,
    "zz",
    [],
    ["zz"],
    {"zz": 1},
    (1, 2),
    object(),
    np.array([1.0, 2.0]),
    float("nan"),
    b"x",
    None,
    True,
    [None],
    dt.date(2025, 1, 1),
    pd.DataFrame({"zz": [1, 2]}),
    10**400,
    np.array(5),
    [[1]],
    {1: {2: 3}},
    pd.NaT,
    "\ud800",
)
WEIGHTS = {"weight", "sample_weight"}
WEIGHTED = [n for n in PUBLIC if inspect.isfunction(f := getattr(sat, n)) and WEIGHTS & set(parameters_of(f))]


def _methods(value: object) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The public methods of this package that a value has."""
    for name, member in inspect.getmembers(type(value), callable):
        if not name.startswith("_") and (getattr(member, "__module__", None) or "").startswith("satmodels"):
            yield name, getattr(value, name)


def _bare(name: str, call: Callable[..., Any], like: Callable[..., Any], given: dict[str, Any]) -> list[str]:
    """Every argument of ``like`` in turn of every wrong kind: what ends in an error from below."""
    found: list[str] = []
    for argument in parameters_of(like):
        for wrong in WRONG:
            error = error_from_below(call, {**given, argument: wrong})
            if error is not None:
                found.append(f"{name}({argument}={type(wrong).__name__}): {error}")
    return found


def _bare_methods(value: object) -> list[str]:
    found: list[str] = []
    for name, method in _methods(value):
        if isinstance(value, sat.ChurnClassifier) and "X" in parameters_of(method):
            continue  # arrays are read by scikit-learn, whose own words its users know
        parameters = inspect.signature(method).parameters.values()
        required = [p.name for p in parameters if p.default is p.empty and p.name in parameters_of(method)]
        for wrong in WRONG:
            call = partial(method, **dict.fromkeys(required, wrong))
            for argument in parameters_of(method):
                error = error_from_below(call, {argument: wrong})
                if error is not None:
                    found.append(f"{type(value).__name__}.{name}({argument}={type(wrong).__name__}): {error}")
    return found


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    monkeypatch.chdir(tmp_path)  # a text is a path as well
    return calls_in(tmp_path)


def test_every_public_name_is_called(made) -> None:
    assert set(made) == set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_arguments_of_wrong_kinds(name: str, made) -> None:
    call, given = made[name]
    before = answers().copy()
    result = call(**given)  # as it is meant, it works
    like = getattr(sat, name)
    bare = _bare(name, call, call if inspect.ismethod(call) else like, given)
    for value in (result, getattr(result, "result_", None)):
        if type(value).__module__.startswith("satmodels"):
            bare += _bare_methods(value)
    assert not bare, "\n".join(bare)
    pd.testing.assert_frame_equal(answers(), before)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", WEIGHTED)
def test_weights_that_are_none(name: str, value: float, made) -> None:
    call, given = made[name]
    data = next((key for key, frame in given.items() if frame is answers()), None)
    weight = WEIGHTS & set(parameters_of(call))
    if data is None:
        pytest.skip("takes arrays, not a frame")
    wrong = answers().assign(w=[1.0] * (N - 1) + [value])
    with pytest.raises(sat.SchemaError) as caught:
        call(**{**given, data: wrong, weight.pop(): "w"})
    assert caught.value.column == "w"
