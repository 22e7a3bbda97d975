"""What must hold for PLS whatever the data: order, units, copies and merging do not matter."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import satmodels as sat
from satmodels.errors import SatmodelsWarning

CONSTRUCTS = {"A": ["a1", "a2", "a3"], "B": ["b1", "b2"], "C": ["c1", "c2"]}
ITEMS = [item for items in CONSTRUCTS.values() for item in items]
few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def spec(op: str = "=~", order: tuple[str, ...] = ("A", "B", "C")) -> str:
    blocks = [f"{name} {op} {' + '.join(CONSTRUCTS[name])}" for name in order]
    return "\n".join([*blocks, "B ~ A", "C ~ A + B"])


def rows(seed: int, n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    b = rng.uniform(0.2, 0.8) * a + rng.normal(size=n)
    c = rng.uniform(-0.5, 0.8) * b + 0.4 * a + rng.normal(size=n)
    noise = rng.uniform(0.3, 1.0, 7)
    return pd.DataFrame(
        np.column_stack([a, a, a, b, b, c, c]) + noise * rng.normal(size=(n, 7)), columns=ITEMS
    )


def estimates(model: sat.PLSPM, data: object) -> dict[tuple[str, str, str], float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sat.ImproperSolutionWarning)
        result = model.fit(data).result_
    return {(r["lhs"], r["op"], r["rhs"]): r["estimate"] for r in result.parameters.rows()}


def same(
    a: dict[tuple[str, str, str], float], b: dict[tuple[str, str, str], float], abs: float = 1e-7
) -> None:
    assert a.keys() == b.keys()
    for key, value in a.items():
        assert b[key] == pytest.approx(value, abs=abs), key


options = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "op": st.sampled_from(["=~", "<~"]),
        "scheme": st.sampled_from(["path", "factorial", "centroid"]),
    }
)


def model(chosen: dict[str, object], **changes: object) -> sat.PLSPM:
    return sat.PLSPM(spec(str(chosen["op"]), **changes), scheme=chosen["scheme"], tol=1e-11, max_iter=5000)


@few
@given(options)
def test_order_and_units_do_not_matter(chosen: dict[str, object]) -> None:
    data = rows(int(str(chosen["seed"])))
    plain = estimates(model(chosen), data)
    same(plain, estimates(model(chosen), data.sample(frac=1, random_state=1)))
    same(plain, estimates(model(chosen), data[ITEMS[::-1]]))
    rng = np.random.default_rng(0)
    same(plain, estimates(model(chosen), data * rng.uniform(0.1, 50, 7) + rng.uniform(-1e4, 1e4, 7)), 1e-6)
    same(plain, estimates(model(chosen, order=("C", "A", "B")), data))


@few
@given(options)
def test_copies_weights_and_merged_moments(chosen: dict[str, object]) -> None:
    data = rows(int(str(chosen["seed"])))
    plain = estimates(model(chosen), data)
    same(plain, estimates(model(chosen), pd.concat([data, data])))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        by_weight = model(chosen).fit(data, sample_weight=np.full(60, 2.5)).result_.parameters["estimate"]
    assert by_weight == pytest.approx(list(plain.values()), abs=1e-7)
    merged = sat.Moments.collect(data[:25], ITEMS) + sat.Moments.collect(data[25:], ITEMS)
    same(plain, estimates(model(chosen), merged))


@few
@given(options)
def test_turning_all_items_of_a_construct_turns_its_paths(chosen: dict[str, object]) -> None:
    data = rows(int(str(chosen["seed"])))
    if chosen["op"] == "<~":
        return  # regression weights may have either sign: the rule is about the loadings' sum
    plain = estimates(model(chosen), data)
    turned = estimates(model(chosen), data.assign(**{c: -data[c] for c in CONSTRUCTS["A"]}))
    assert turned["B", "~", "A"] == pytest.approx(-plain["B", "~", "A"], abs=1e-7)
    assert turned["C", "~", "B"] == pytest.approx(plain["C", "~", "B"], abs=1e-7)


@few
@given(options)
def test_what_every_solution_has(chosen: dict[str, object]) -> None:
    data = rows(int(str(chosen["seed"])))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sat.ImproperSolutionWarning)
        fitted = model(chosen).fit(data)
    g = fitted.result_.groups[0]
    scores = fitted.transform(data)
    np.testing.assert_allclose(scores.var(axis=0, ddof=1), 1, atol=1e-9)
    assert ((g.r2 >= -1e-12) & (g.r2 <= 1 + 1e-12)).all()
    assert (np.abs(g.loadings) <= 1 + 1e-12).all()
    assert (g.loadings.sum(axis=0) > 0).all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SatmodelsWarning)  # said of negative weights
        index = fitted.result_.index((-20, 20))["estimate"]
    if chosen["op"] == "=~" and (g.weights >= 0).all():
        assert index.between(0, 100).all()
