"""The model language: what it reads, what it refuses and where it points."""

from __future__ import annotations

import time

import numpy as np
import pytest

import satmodels as sat
from satmodels.sem.model.expression import (
    compute,
    derivatives,
    linear_form,
    parse_expression,
    show_expression,
)
from satmodels.sem.model.terms import Term

FULL = """
# a comment
Quality =~ q1 + a*q2 +
   0.5*q3
   + NA*q4 + start(0.8)*q5 + c(1, 2)*q6 + c(a1, "b 1")*q7 ! another
满意 =~ "item-1" + y2 ; 满意 ~ b*Quality
q1 ~~ 0*q2; q1 + q2 ~ 1
满意 ~ c(0, NA)*1
tot := a*b + exp(-b^2)/(a-1-2) - (a-(1-b))
a == 1.2*b
b > 0
"""


def test_everything_the_language_has_survives_printing_and_json():
    spec = sat.ModelSpec.parse(FULL)
    assert sat.ModelSpec.parse(str(spec)) == spec
    assert sat.ModelSpec.from_json(spec.to_json()) == spec
    assert hash(spec) == hash(sat.ModelSpec.parse(str(spec)))
    assert spec.constructs == ("Quality", "满意")
    assert spec.blocks["满意"] == ("A", ("item-1", "y2"))
    assert spec.paths == (("满意", "Quality"),)
    assert spec.labels == ("a", "a1", "b 1", "b")
    assert spec.n_groups == 2
    q6 = next(t for t in spec.terms if t.rhs == "q6")
    assert (q6.fixed_in(0), q6.fixed_in(1)) == (1.0, 2.0)
    assert [t.op for t in spec.terms][-1] == "~1"


def test_composites_are_mode_b_and_scales_travel_in_json():
    spec = sat.ModelSpec.parse("Image <~ i1 + i2\nLoyal =~ l1\nLoyal ~ Image").with_scales({"i1": (1, 10)})
    assert spec.blocks["Image"] == ("B", ("i1", "i2"))
    assert sat.ModelSpec.from_json(spec.to_json()).scales == {"i1": (1.0, 10.0)}
    with pytest.raises(sat.ArgumentError, match="no item of this model 'i9'"):
        spec.with_scales({"i9": (1, 10)})
    with pytest.raises(sat.ArgumentError, match="lowest to its highest"):
        spec.with_scales({"i1": (10, 1)})


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("", 1, 1, "empty"),
        ("garbage", 1, 1, "no operator"),
        ("f =~ x1 +", 1, 10, "missing"),
        ("f =~ (x1", 1, 6, "not closed"),
        ("f =~ x1)", 1, 8, "not opened"),
        ("a =~ b c", 1, 8, r"'\+' is missing"),
        ("y ~ y", 1, 5, "itself"),
        ("f =~ x\ny ~ x\n y ~ x", 3, 6, "twice"),
        ("a~b\nb~c\nc~a", 3, 3, "circle"),
        ("f =~ __import__('os').system('x')", 1, 16, "missing"),
        ("f =~ x1; f <~ x2", 1, 15, "choose one"),
        ("f = ~x", 1, 3, "'=' is no operator"),
        ("f ∼ x", 1, 3, "only looks like"),
        ("f =~ Qu\u0430lity", 1, 6, "look alike"),
        ("f =~ x1:x2", 1, 8, "Interactions"),
        ("f =~ 1e999*x", 1, 6, "too large"),
        ("f =~ '+'", 1, 6, "operator"),
        ("f =~ x\u200b1", 1, 7, "does not belong"),
        ("f =~ 'x\u200b1'", 1, 6, "invisible"),
        ("f =~ a*x\nz := a*bb", 2, 1, "no parameter with the label 'bb'"),
        ("f =~ a*x\na := 2", 2, 1, "already the name"),
        ("f =~ x\n1 == 2", 2, 1, "at least one parameter"),
        ("f =~ a*x\nz := foo(a)", 2, 6, "no function 'foo'"),
        ("f =~ c(1,2)*x + c(1,2,3)*y", 1, 17, "groups"),
        ("f =~ a*b*x", 1, 8, "two modifiers"),
        ("f =~ 2x", 1, 6, "digit"),
        ("f =~ y\ny | x", 2, 5, "thresholds are called t1, t2"),
        ("f =~ y\nf | t1", 2, 5, "'f' is a construct"),
        ("f =~ y\ny | t1 + t1", 2, 10, "given twice"),
        ("f =~ x + y\ny ~*~ x", 2, 7, "a scaling factor is that of one column"),
        ("f =~ x == y", 1, 8, "second operator"),
        ("f =~ NA", 1, 6, "NA"),
        ("f =~ '" + "x" * 300 + "'", 1, 6, "200 characters"),
        ("ﬁt =~ x1\nfit ~ y", 2, 7, "look alike"),
    ],
)
def test_errors_point_at_the_place(text: str, line: int, column: int, says: str):
    with pytest.raises(sat.SpecError, match=says) as caught:
        sat.ModelSpec.parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert "^" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "CONSTRAINT(__import__('os').system('touch x'))",
        "A" * 60 + "$",
        "f =~ x\nz := " + "(" * 10_000,
        "f =~ x\nz := " + "-" * 10_000 + "1",
        "f =~ " + "(" * 10_000 + "x" + ")" * 10_000,
        "x" * 1_000_000,
        "f =~ x # " + "y" * 70_000,
        "f =~ " + " + ".join(f"x{i}" for i in range(201)),
        "\n".join(f"f =~ x{i}" for i in range(2_500)),
        "f =~ " + "c(" * 3_000,
        "'" * 5_000,
        "\n" * 60_000,
        "f =~ x" + "\n" * 60_000 + "+",
    ],
)
def test_attacks_end_quickly_in_a_spec_error(text: str):
    began = time.process_time()
    with pytest.raises(sat.SpecError):
        sat.ModelSpec.parse(text)
    assert (
        time.process_time() - began < 5
    )  # they cost milliseconds, on a busy machine more; the known attacks minutes


def test_a_model_built_by_hand_is_checked_like_a_text():
    with pytest.raises(sat.SpecError, match="term 2: 'f =~ x' is given twice"):
        sat.ModelSpec(terms=(Term(lhs="f", op="=~", rhs="x"), Term(lhs="f", op="=~", rhs="x")))
    with pytest.raises(sat.SpecError, match="no model"):
        sat.ModelSpec(terms=({"lhs": "f", "op": "=~", "rhs": "x", "power": 2},))
    with pytest.raises(sat.SpecError):
        sat.ModelSpec(terms=())
    with pytest.raises(sat.ArgumentError, match="ModelSpec or a text"):
        sat.ModelSpec.of(3)
    with pytest.raises(sat.ArgumentError):
        sat.ModelSpec.from_json(sat.ModelSpec.parse("f =~ x").to_json().replace('"f"', '"g"'))


def test_blocks_of_groups_become_modifiers():
    text = "f =~ x1 + x2\nh =~ y1 + y2\ngroup: 1\nh ~ a1*f\nx1 ~~ y1\ngroup: 2  # the other\nh ~ a2*f\nx2 ~ 0*1\nd := a1 - a2"
    spec = sat.ModelSpec.parse(text)
    flat = "f =~ x1 + x2\nh =~ y1 + y2\nh ~ c(a1, a2)*f\nx1 ~~ c(NA, 0)*y1\nx2 ~ c(NA, 0)*1\nd := a1 - a2"
    assert str(spec) == flat
    assert sat.ModelSpec.parse(flat) == spec
    assert sat.ModelSpec.parse("f =~ group*x\nlevel := group").labels == ("group",)  # names like any other


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("f =~ x\ngroup: 2\nx ~~ y", 2, 8, "'group: 1' is expected"),
        ("f =~ x\ngroup: fr\nx ~~ y", 2, 8, "numbered in the order"),
        ("f =~ x\ngroup: 1\nx ~~ y", 2, 8, "one group only"),
        ("f =~ x\nlevel: 1\nx ~ y", 2, 1, "one level"),
        ("f =~ x\ngroup: 1; f =~ y", 2, 1, "line of its own"),
        ("group: 1\nf =~ c(1, 2)*x\ngroup: 2\nf =~ x", 2, 6, "speaks of one group"),
        ("group: 1\nf =~ x\nf =~ x\ngroup: 2\nf =~ x", 3, 6, "given twice for group 1"),
        ("f =~ x\ngroup: 1\nf =~ x\ngroup: 2\ny ~ f", 3, 6, "given twice for group 1"),
        ("group: 1\nf =~ x\nh =~ y\nf ~~ h\ngroup: 2\nf =~ x\nh =~ y", 4, 6, "group 2 says nothing"),
        ("group: 1\nf =~ 0.5*x\ngroup: 2\nf =~ x", 2, 6, "first loading of 'f'"),
    ],
)
def test_errors_in_blocks(text: str, line: int, column: int, says: str):
    with pytest.raises(sat.SpecError, match=says) as caught:
        sat.ModelSpec.parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_thresholds_and_scaling_factors():
    text = "f =~ x + y + z\nx | c(a, a)*t1 + -0.5*t2\ny | start(1)*t1\ny ~*~ c(1, NA)*y\ny ~ c(0, NA)*1"
    spec = sat.ModelSpec.parse(text)
    assert str(spec) == text
    assert sat.ModelSpec.parse(str(spec)) == spec
    assert sat.ModelSpec.from_json(spec.to_json()) == spec
    assert spec.observed == ("x", "y", "z")  # t1 is no column
    # lavaan frees the intercept of an ordered column only where it has labels
    assert "y ~ c(0, NA)*1 + c(y.i1, y.i2)*1" in sat.to_lavaan(spec)
    with pytest.raises(sat.EngineError, match="thresholds"):
        sat.to_semopy("f =~ x + y\nx | t1")
    with pytest.raises(sat.SpecError, match="name it in ordered="):
        sat.CBSEM("f =~ x + y + z\nx | t1").fit(
            sat.Moments.from_correlation(
                [[1, 0.3, 0.3], [0.3, 1, 0.3], [0.3, 0.3, 1]], 50, columns=["x", "y", "z"]
            )
        )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2^3^2", 512.0),
        ("-2^2", -4.0),
        ("(1-2)-3", -4.0),
        ("1-(2-3)", 2.0),
        ("6/2/3", 1.0),
        ("exp(log(3))", 3.0),
        ("abs(-sqrt(4))", 2.0),
    ],
)
def test_arithmetic_and_its_printing(text: str, value: float):
    tree = parse_expression(text)
    assert compute(tree, {}) == pytest.approx(value)
    assert parse_expression(show_expression(tree)) == tree


def test_derivatives_are_those_of_differences():
    tree = parse_expression("a*b/(1+exp(-c)) + sqrt(a)^b - log(c)*abs(-b)")
    at = {"a": 1.3, "b": 0.7, "c": 2.1}
    unit = {n: np.eye(3)[i] for i, n in enumerate(at)}
    _, gradient = derivatives(tree, at, unit)
    for i, name in enumerate(at):
        up, down = ({**at, name: at[name] + h} for h in (1e-6, -1e-6))
        assert gradient[i] == pytest.approx((compute(tree, up) - compute(tree, down)) / 2e-6, rel=1e-8)


def test_linear_forms():
    assert linear_form(parse_expression("2*(a - b)/4 + 3")) == ({"a": 0.5, "b": -0.5}, 3.0)
    assert linear_form(parse_expression("a*b")) is None


def test_templates():
    names = ("Image", "Expectation", "Quality", "Value", "Satisfaction", "Complaints", "Loyalty")
    items = {n: [f"{n[:3].lower()}{i}" for i in (1, 2)] for n in names}
    full = sat.ecsi(items)
    assert full.constructs == names
    assert len(full.paths) == 12
    short = {n: b for n, b in items.items() if n != "Complaints"}
    assert len(sat.ecsi(short).paths) == 10
    assert len(sat.ccsi(short).paths) == 11
    assert len(sat.acsi({n: b for n, b in items.items() if n != "Image"}).paths) == 9
    with pytest.raises(sat.ArgumentError, match="Did you mean 'Quality'"):
        sat.ecsi({**items, "Qualty": ["x"]})
    with pytest.raises(sat.ArgumentError, match="needs items for 'Value'"):
        sat.ccsi({n: b for n, b in short.items() if n != "Value"})
    with pytest.raises(sat.ArgumentError, match="'ima1' is in 'Image' and in 'Value'"):
        sat.ecsi({**items, "Value": ["ima1"]})
    with pytest.raises(sat.ArgumentError, match="operator"):
        sat.ecsi({**items, "Value": ["=~"]})
    with pytest.raises(sat.ArgumentError, match="no items"):
        sat.ecsi({**items, "Value": []})


def test_too_many_terms_are_refused_before_they_are_multiplied_out():
    many = " + ".join(f"x{i}" for i in range(2_500))
    for text in (f"f =~ {many}", f"{many} ~ {many}"):
        with pytest.raises(sat.SpecError, match="at most 2,000 terms") as caught:
            sat.ModelSpec.parse(text)
        assert "^" in str(caught.value)


def test_a_variable_named_twice_in_one_formula_joins_its_modifiers():
    spec = sat.ModelSpec.parse("f =~ x1 + a*x2 + x3 + start(0.5)*x2")
    term = next(t for t in spec.terms if t.rhs == "x2")
    assert (term.labels, term.start) == (("a",), (0.5,))
    with pytest.raises(sat.SpecError, match="given twice"):
        sat.ModelSpec.parse("f =~ x1 + x2 + a*x2")
