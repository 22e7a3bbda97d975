"""Questionnaires that were damaged are refused in words, or read; whatever is read can be stored."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import satmodels as sat

FIVE = sat.Scale(1, 5, {1: {"en": "bad", "zh": "差"}, 5: "good"})
SURVEY = sat.Survey(
    "shop",
    [
        sat.Recommend("nps", {"en": "Recommend?", "zh": "推荐吗？"}),
        sat.Rating("q1", FIVE, importance="q1_matters", reverse=True),
        sat.KanoPair("delivery", "with_it", "without_it"),
        sat.Choice("region", {1: "north", 2: {"en": "south", "zh": "南"}}, missing_codes={-1: "none"}),
        sat.MultiChoice("used", {1: "app", 5: "shop"}),
        sat.Number("spend", 0, 50),
        sat.Date("day"),
    ],
    missing_codes={99: "don't know"},
)
JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    1e300,
    "",
    "x",
    "1",
    [],
    {},
    [1],
    {"1": 2},
    [[]],
    "a|b",
    "2" * 20,
    "\ud83d",
]
JUNK += [{"Display": None}, {"default": 3}, [{}], 10**30]


def places(node: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield (*above, key)
        yield from places(child, (*above, key))


def damaged(document: Any, rng: random.Random) -> Any:
    document = copy.deepcopy(document)
    for _ in range(rng.choice([1, 1, 2, 4])):
        *above, last = rng.choice(list(places(document)))
        node = document
        for key in above:
            node = node[key]
        if rng.random() < 0.2:
            del node[last]
        else:
            node[last] = copy.deepcopy(rng.choice(JUNK))
        if not document:
            break
    return document


@pytest.mark.parametrize("ending", [".json", ".qsf"])
def test_damaged_questionnaires(tmp_path: Path, ending: str):
    path = tmp_path / f"s{ending}"
    sat.write_survey(SURVEY, path)
    whole = json.loads(path.read_text(encoding="utf-8"))
    if ending == ".json":
        whole["pages"][0]["elements"].pop()  # the kept survey, which is held by its checksum
    refused = 0
    for seed in range(120):
        text = json.dumps(damaged(whole, random.Random(seed)))
        path.write_text(text, encoding="utf-8")
        try:
            survey, _ = sat.read_survey(path)
            assert sat.Survey.from_json(survey.to_json()) == survey
        except sat.SatmodelsError:
            refused += 1
    assert 5 < refused < 115
