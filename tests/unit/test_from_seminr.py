"""Models in seminr's words: what is read, and that everything else is a SpecError with its place."""

from __future__ import annotations

import contextlib
import random

import pytest

import satmodels as sat

ECSI = """
# the European index, as in seminr's own documentation
mobi_mm <- constructs(
  composite("Image",        multi_items("IMAG", 1:5)),
  composite("Expectation",  multi_items("CUEX", 1:3)),
  composite("Quality",      multi_items("PERQ", 1:7)),
  composite("Value",        multi_items("PERV", 1:2)),
  composite("Satisfaction", multi_items("CUSA", 1:3)),
  composite("Complaints",   single_item("CUSCO")),
  composite("Loyalty",      multi_items("CUSL", 1:3))
)
mobi_sm <- relationships(
  paths(from = "Image",        to = c("Expectation", "Satisfaction", "Loyalty")),
  paths(from = "Expectation",  to = c("Quality", "Value", "Satisfaction")),
  paths(from = "Quality",      to = c("Value", "Satisfaction")),
  paths(from = "Value",        to = "Satisfaction"),
  paths(from = "Satisfaction", to = c("Complaints", "Loyalty")),
  paths(from = "Complaints",   to = "Loyalty")
)
"""


def test_the_ecsi_study_is_the_same_model() -> None:
    study = sat.datasets.load_ecsi()
    spec = sat.from_seminr(ECSI)
    assert {c: set(items) for c, (_, items) in spec.blocks.items()} == {
        c: set(items) for c, (_, items) in study.spec.blocks.items()
    }
    assert set(spec.paths) == set(study.spec.paths)
    ours = sat.PLSPM(study.spec, tol=1e-12).fit(study.moments).result_.r2.set_index("construct")["r2"]
    theirs = sat.PLSPM(spec, tol=1e-12).fit(study.moments).result_.r2.set_index("construct")["r2"]
    assert theirs.to_dict() == pytest.approx(ours.to_dict(), abs=1e-10)


def test_every_form() -> None:
    spec = sat.from_seminr("""
      constructs(
        reflective('滿意', c("q1", "q2")), composite("B", multi_items("x", c(1, 3)), weights = regression_weights),
        composite(construct_name = "C", item_names = multi_items("y", 2:1, prefix = "p_", mid = ".", suffix = "a")),
        composite("D", "z"), composite("E", single_item(item = "w"), mode_A),
        higher_composite("H", c("B", "C"), method = two_stage, weights = mode_B)
      );
      relationships(paths(from = "H", to = "滿意"), paths(c("D", "E"), "滿意"))
    """)
    assert str(spec).split("\n") == [
        "滿意 =~ q1 + q2",
        "B <~ x1 + x3",
        "C =~ p_y.2a + p_y.1a",
        "D =~ z",
        "E =~ w",
        "H <~ B + C",
        "滿意 ~ H + D + E",
    ]


ONE = 'constructs(composite("A", multi_items("a", 1:2)), composite("B", "b"))\n'
GOOD = ONE + 'relationships(paths(from = "A", to = "B"))'


@pytest.mark.parametrize(
    ("text", "line", "column", "match"),
    [
        ("", 1, 1, "lacks constructs"),
        (ONE, 2, 1, "lacks relationships"),
        (ONE + 'relationships(paths(from = "A", to = "C"))', 2, 38, "no construct 'C'"),
        (ONE + 'relationships(paths(from = "A"))', 2, 15, "lacks to"),
        (ONE + 'relationships(paths(form = "A", to = "B"))', 2, 21, "Did you mean 'from'"),
        (ONE + 'relationships(paths(from = "A", to = "B")', 2, 42, "expected '\\)'"),
        (ONE + 'relationships(paths(from = "A", to = c("B", "B")))', 2, 45, "twice"),
        (GOOD + "\nsystem('rm')", 3, 1, "no part of a model"),
        (GOOD + "\nlibrary(seminr)", 3, 1, "no part of a model"),
        (GOOD.replace('"b"', "b"), 1, 66, "no list of items"),
        (GOOD.replace("1:2", "1:999999"), 1, 44, "more than"),
        (GOOD.replace("1:2", "1:x"), 1, 46, "whole number"),
        (GOOD.replace('"B", "b"', '"A", "b"'), 1, 61, "twice"),
        (GOOD.replace('"b"', '"b", weights = unit_weights'), 1, 81, "kind of weights"),
        (GOOD.replace('composite("B"', 'interaction_term("B"'), 1, 51, "with_interaction"),
        (GOOD.replace('"b"', '"b'), 1, 66, "does not end"),
        (GOOD.replace('"b"', "1 + 1"), 1, 68, "does not belong"),
        (GOOD + "\n" + ONE, 3, 1, "twice"),
    ],
)
def test_everything_else_is_refused_with_its_place(text: str, line: int, column: int, match: str) -> None:
    with pytest.raises(sat.SpecError, match=match) as caught:
        sat.from_seminr(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_limits() -> None:
    with pytest.raises(sat.SpecError, match="longer"):
        sat.from_seminr(GOOD + "#" * 70_000)
    with pytest.raises(sat.SpecError):
        sat.from_seminr("constructs(" * 5000)
    with pytest.raises(sat.ArgumentError):
        sat.from_seminr(None)
    many = ", ".join(f'composite("C{i}", multi_items("i{i}_", 1:9999))' for i in range(500))
    with pytest.raises(sat.SpecError, match="more than"):
        sat.from_seminr(f"constructs({many})\nrelationships(paths('C1', 'C2'))")


def test_broken_texts_raise_nothing_else() -> None:
    rng = random.Random(1)
    for _ in range(1500):
        at = rng.randrange(len(GOOD))
        text = (
            GOOD[:at]
            + rng.choice(["", "(", ")", ",", '"', "=", ":", "c(", "é", "\x00", "9"])
            + GOOD[at + rng.randrange(4) :]
        )
        with contextlib.suppress(sat.SpecError):
            assert isinstance(sat.from_seminr(text), sat.ModelSpec)
