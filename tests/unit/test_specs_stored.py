"""Specifications travel as JSON: each comes back equal, and what is not as it was written is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

import satmodels as sat
from satmodels.stored import write_document

AGREE = sat.Scale(1, 5, {1: {"en": "never", "zh": "从不"}, 5: "always"})
SPECS = [
    sat.Scale(0, 10),
    AGREE,
    sat.Rating("speed", AGREE, construct="Quality", missing_codes={9: "no answer"}),
    sat.Choice("plan", {1: "basic", 2: "plus"}),
    sat.Choice("region", {"n": "north", "s": "south"}),
    sat.KanoTable(["A A O", "I I M", "I I M"], name="three levels"),
    sat.ChurnWindow(90, 14, 60),
    sat.ChurnWindow(90.5, 0, 1 / 3),
    sat.ChurnCosts(contact=2, value=500, alpha=3.5),
    sat.ChurnCosts(value="yearly margin", acceptance_rate="accepts"),
    sat.ChurnCosts(acceptance_rate=0.25),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: type(s).__name__)
def test_a_specification_comes_back_equal(spec: Any) -> None:
    text = spec.to_json()
    assert type(spec).from_json(text) == spec
    assert type(spec).from_json(text.encode()).to_json() == text


def _costs(**changed: Any) -> str:
    return write_document("ChurnCosts", 1, sat.ChurnCosts().model_dump(mode="json") | changed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"contact": 1}',
        _costs()[:-3],
        _costs().replace("14.0", "15.0"),
        _costs().replace("14.0", "NaN"),
        _costs().replace("14.0", "-Infinity"),
        _costs().replace("14.0", "1e999"),
        _costs().replace("14.0", "9" * 5000),
        _costs().replace('"beta"', '"alpha"'),
        _costs().replace('"version": 1', '"version": 2'),
        _costs(fee=1),
        _costs(alpha="6"),
        _costs(alpha=None),
        _costs(alpha=10**400),
        _costs(value=True),
        _costs(value=-1),
        "[" * 100_000,
        sat.ChurnWindow(90, 14, 60).to_json(),
    ],
    ids=range(20),
)
def test_stored_costs_that_are_not_as_they_were_written_are_refused(text: str) -> None:
    with pytest.raises(sat.ArgumentError):
        sat.ChurnCosts.from_json(text)


@pytest.mark.parametrize(
    "change", [{"gap": "14"}, {"gap": 10**400}, {"horizon": None}, {"gap": -1}, {"horizon": [60]}]
)
def test_stored_windows_are_checked_like_new_ones(change: dict[str, Any]) -> None:
    body = json.loads(sat.ChurnWindow(90, 14, 60).to_json())["body"]
    with pytest.raises(sat.ArgumentError):
        sat.ChurnWindow.from_json(write_document("ChurnWindow", 1, body | change))
