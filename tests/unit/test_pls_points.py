"""Effects in index points, against the population that made the answers, and effect sizes of lone sources."""

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.errors import SatmodelsWarning

MODEL = "S =~ s1 + s2 + s3\nT =~ t1 + t2 + t3\nT ~ S"
SCALE = (1, 10)


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    """Common factors: loadings .5 and .95, path .6, so that 5 points of S are 5 * .6 * .95 / .5 of T."""
    rng = np.random.default_rng(0)
    n = 20_000
    source = rng.normal(size=n)
    target = 0.6 * source + 0.8 * rng.normal(size=n)
    made = {
        f"{name}{i}": 5.5 + 1.5 * (loading * factor + np.sqrt(1 - loading**2) * rng.normal(size=n))
        for name, factor, loading in (("s", source, 0.5), ("t", target, 0.95))
        for i in (1, 2, 3)
    }
    return pd.DataFrame(made)


@pytest.mark.parametrize("model", [sat.PLSPM(MODEL, consistent=True), sat.CBSEM(MODEL)], ids=["plsc", "ml"])
def test_indices_of_common_factors_move_by_what_the_factors_move(
    model: sat.PLSPM | sat.CBSEM, answers: pd.DataFrame
) -> None:
    result = model.fit(answers).result_
    moved = sat.what_if(result, {"S": 5}, scale=SCALE).tidy().set_index("term")["estimate"]
    assert moved["S"] == 5
    assert moved["T"] == pytest.approx(5 * 0.6 * 0.95 / 0.5, rel=0.05)
    importance = sat.ipma(result, "T", scale=SCALE).tidy()["importance"].iloc[0]
    assert importance == pytest.approx(moved["T"] / 5)


def test_points_of_composites_are_the_regression_of_indices(answers: pd.DataFrame) -> None:
    model = sat.PLSPM(MODEL)
    result = model.fit(answers).result_
    g = result._group(None)
    indices = answers[list(g.moments.columns)].to_numpy() @ (g.weights / g.moments.std[:, None])
    indices /= (g.weights / g.moments.std[:, None]).sum(axis=0)
    slope = np.polyfit(indices[:, 0], indices[:, 1], 1)[0]
    moved = sat.what_if(result, {"S": 1}, scale=SCALE).tidy()["estimate"].iloc[1]
    assert moved == pytest.approx(slope)


@pytest.mark.parametrize("consistent", [False, True])
def test_slopes_of_draws_are_those_of_the_result(answers: pd.DataFrame, consistent: bool) -> None:
    model = sat.PLSPM(MODEL, consistent=consistent)
    few = answers[:500]
    draws = sat.bootstrap(model, few, n=20, seed=1, scale=SCALE)
    by_draws = sat.what_if(draws, {"S": 5}).tidy()["estimate"]
    by_result = sat.what_if(model.fit(few).result_, {"S": 5}, scale=SCALE).tidy()["estimate"]
    np.testing.assert_allclose(by_draws, by_result, rtol=1e-6)


def test_effect_size_of_a_source_with_a_single_path(answers: pd.DataFrame) -> None:
    few = answers[:500].assign(u1=lambda f: f["t1"] + np.random.default_rng(1).normal(size=len(f)))
    model = sat.PLSPM("S =~ s1 + s2 + s3\nU =~ u1\nT =~ t1 + t2 + t3\nT ~ S + U")
    result = model.fit(few).result_
    found = result.f2(reestimate=True).set_index("source")["value"]
    alone = sat.PLSPM("U =~ u1\nT =~ t1 + t2 + t3\nT ~ U").fit(few).result_
    r2 = result.r2.set_index("construct")["r2"]["T"]
    without = alone.r2.set_index("construct")["r2"]["T"]
    assert found["S"] == pytest.approx((r2 - without) / (1 - r2), rel=1e-5)


def test_constructs_without_items_have_no_points() -> None:
    rng = np.random.default_rng(3)
    g = rng.normal(size=400)
    made: dict[str, np.ndarray] = {}
    for name in "abc":
        factor = 0.7 * g + 0.7 * rng.normal(size=400)
        made |= {f"{name}{i}": factor + 0.6 * rng.normal(size=400) for i in (1, 2, 3)}
    made |= {f"y{i}": 0.6 * g + 0.7 * rng.normal(size=400) for i in (1, 2)}
    text = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nG =~ A + B + C\nY =~ y1 + y2\nY ~ G"
    result = sat.CBSEM(text).fit(pd.DataFrame(made)).result_
    with pytest.raises(sat.ArgumentError, match=r"\['G'\] have no index"):
        sat.what_if(result, {"A": 5}, scale=(-5, 5))
    with pytest.raises(sat.ArgumentError, match="'G' has no items"):
        sat.ipma(result, "G", scale=(-5, 5))


def test_points_have_the_sign_of_the_indices() -> None:
    """Formative weights with a negative sum turn the index against the score: points follow the index."""
    rng = np.random.default_rng(1)
    n = 4000
    a = rng.normal(size=n)
    frame = pd.DataFrame({"x1": 5 + a, "x2": 5 - 0.2 * a + 0.3 * rng.normal(size=n)})
    y = 0.5 * frame["x1"] - 1.5 * frame["x2"]
    frame = frame.assign(y1=5 + 0.5 * y + 0.5 * rng.normal(size=n), y2=5 + 0.5 * y + 0.5 * rng.normal(size=n))
    result = sat.PLSPM("X <~ x1 + x2\nY =~ y1 + y2\nY ~ X").fit(frame).result_
    g = result._group(None)
    indices = frame.to_numpy() @ (g.weights / g.moments.std[:, None])
    indices /= (g.weights / g.moments.std[:, None]).sum(axis=0)
    slope = np.polyfit(indices[:, 0], indices[:, 1], 1)[0]
    moved = sat.what_if(result, {"X": 1}, scale=(-20, 20)).tidy()["estimate"].iloc[1]
    assert slope < 0
    assert moved == pytest.approx(slope)


@pytest.mark.filterwarnings("default::satmodels.errors.ImproperSolutionWarning")
def test_what_consistent_pls_leaves_uncorrected_is_said(answers: pd.DataFrame) -> None:
    noise = np.random.default_rng(1).normal(size=2000)
    few = answers[:2000].assign(u1=lambda f: f["t1"] + f["t2"] + f["s1"] + noise)
    model = sat.PLSPM("S =~ s1 + s2 + s3\nT =~ t1 + t2 + t3\nU =~ u1\nU ~ S + T", consistent=True)
    with pytest.warns(SatmodelsWarning, match=r"product 'S\*T' for measurement error"):
        sat.with_interaction(model, few, "S", "T", "U")
    whole = sat.PLSPM("S =~ s1 + s2 + s3\nT =~ t1 + t2 + t3\nG =~ S + T\nU =~ u1\nU ~ G", consistent=True)
    with pytest.warns(SatmodelsWarning, match="method='embedded'"):
        sat.higher_order(whole, few, method="embedded")
    sat.higher_order(whole, few, method="disjoint")


def test_an_index_that_can_leave_its_scale_is_said(answers: pd.DataFrame) -> None:
    few = answers[:500].assign(t3=lambda f: 11 - f["t3"])
    result = sat.PLSPM(MODEL).fit(few).result_
    with pytest.warns(
        SatmodelsWarning, match=r"index of T can run from -\d+ to \d+: the weights of \['t3'\]"
    ):
        result.index(SCALE)
