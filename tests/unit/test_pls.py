"""PLSPM: what it takes, what it gives, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pls_simulated import ITEMS, SPEC, simulated
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import satmodels as sat


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return simulated()


@pytest.fixture(scope="module")
def model(frame: pd.DataFrame) -> sat.PLSPM:
    return sat.PLSPM(SPEC, tol=1e-12).fit(frame)


def test_every_engine_gives_the_same(
    frame: pd.DataFrame, model: sat.PLSPM, engine: Callable[..., Any]
) -> None:
    found = sat.PLSPM(SPEC, tol=1e-12).fit(engine(frame)).result_
    for a, b in zip(found.parameters.rows(), model.result_.parameters.rows(), strict=True):
        assert a["estimate"] == pytest.approx(b["estimate"], abs=1e-10)


def test_tables(model: sat.PLSPM) -> None:
    result = model.result_
    assert list(result.tidy().columns[:4]) == ["lhs", "op", "rhs", "estimate"]
    assert set(result.tidy()["op"]) == {"=~", "<~", "~", ":="}
    assert result.paths[["lhs", "rhs"]].values.tolist() == [
        ["Value", "Quality"], ["Loyalty", "Quality"], ["Loyalty", "Value"],
    ]  # fmt: skip
    assert result.r2["construct"].tolist() == ["Value", "Loyalty"]
    defined = result.tidy().query("op == ':='")["estimate"].item()
    assert defined == pytest.approx(result.paths["estimate"].iloc[1:].sum())
    effects = result.effects().set_index(["source", "target"])
    through = result.paths["estimate"].iloc[0] * result.paths["estimate"].iloc[2]
    assert effects.loc[("Quality", "Loyalty"), "indirect"] == pytest.approx(through)
    assert effects.loc[("Quality", "Value"), "indirect"] == pytest.approx(0, abs=1e-15)
    assert result.residuals().shape == (7, 7)
    assert result.cross_loadings().shape == (7, 3)
    assert result.f2().shape == result.vif().shape == (3, 3)
    assert "PLSResult(n=300" in repr(result)
    assert "<table" in result._repr_html_()
    assert '"converged": true' in result.to_json()


def test_scores_have_unit_variance_and_their_correlations(frame: pd.DataFrame, model: sat.PLSPM) -> None:
    scores = model.transform(frame)
    assert scores.shape == (300, 3)
    np.testing.assert_allclose(scores.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.cov(scores.T), model.result_.groups[0].construct_corr, atol=1e-12)


def test_paths_are_the_regression_of_the_scores(frame: pd.DataFrame, model: sat.PLSPM) -> None:
    scores = model.transform(frame)
    slopes = np.linalg.lstsq(scores[:, :2], scores[:, 2], rcond=None)[0]
    assert model.result_.paths["estimate"].tolist()[1:] == pytest.approx(slopes.tolist(), abs=1e-12)


def test_predict_is_in_the_units_of_the_answers(frame: pd.DataFrame, model: sat.PLSPM) -> None:
    predicted = model.predict(frame)
    assert model.endogenous_items_ == ("v1", "v2", "l1", "l2")
    error = predicted - frame[list(model.endogenous_items_)].to_numpy()
    assert np.abs(error.mean(axis=0)).max() < 1e-9
    assert (error.std(axis=0) < frame[list(model.endogenous_items_)].std().to_numpy()).all()


def test_set_output_names_the_constructs(frame: pd.DataFrame) -> None:
    scores = sat.PLSPM(SPEC).set_output(transform="pandas").fit(frame).transform(frame)
    assert list(scores.columns) == ["Quality", "Value", "Loyalty"]


def test_estimator_conventions(model: sat.PLSPM) -> None:
    again = clone(model)
    assert again.get_params()["tol"] == 1e-12
    with pytest.raises(NotFittedError):
        again.transform(np.zeros((2, 7)))
    assert model.n_features_in_ == 7
    assert model.feature_names_in_.tolist() == ITEMS


def test_weights_stand_for_copies(frame: pd.DataFrame) -> None:
    small = frame[:80]
    times = np.random.default_rng(1).integers(0, 4, 80)
    copied = small.loc[small.index.repeat(times)]
    by_weight = sat.PLSPM(SPEC, tol=1e-12).fit(small, sample_weight=times).result_
    by_copy = sat.PLSPM(SPEC, tol=1e-12).fit(copied).result_
    by_column = sat.PLSPM(SPEC, tol=1e-12).fit(small.assign(w=times), sample_weight="w").result_
    for other in (by_copy, by_column):
        for a, b in zip(by_weight.parameters.rows(), other.parameters.rows(), strict=True):
            assert a["estimate"] == pytest.approx(b["estimate"], abs=1e-10)


def test_missing_answers(frame: pd.DataFrame) -> None:
    gaps = frame.astype(float).copy()
    gaps.iloc[::10, 1] = np.nan
    replaced = gaps.fillna(gaps.mean())
    same = sat.PLSPM(SPEC).fit(gaps).result_.paths["estimate"].tolist()
    assert same == pytest.approx(sat.PLSPM(SPEC).fit(replaced).result_.paths["estimate"].tolist(), abs=1e-12)
    dropped = sat.PLSPM(SPEC, missing="drop").fit(gaps).result_
    assert (dropped.n, dropped.n_dropped) == (270, 30)
    with pytest.raises(sat.SchemaError, match="q2") as error:
        sat.PLSPM(SPEC, missing="error").fit(gaps)
    assert (error.value.column, error.value.row, error.value.n_bad) == ("q2", 0, 30)
    with pytest.raises(sat.DataError, match="q2"):
        sat.PLSPM(SPEC).fit(gaps.assign(q2=np.nan))


def test_index(frame: pd.DataFrame, model: sat.PLSPM) -> None:
    with pytest.raises(sat.ArgumentError, match="scale"):
        model.result_.index()
    table = model.result_.index(sat.Scale(1, 10)).set_index("construct")
    w = model.result_.weights.query("lhs == 'Loyalty'")["estimate"].to_numpy()
    v = w / frame[["l1", "l2"]].std().to_numpy()
    by_hand = ((frame[["l1", "l2"]] - 1) / 9 * 100) @ (v / v.sum())
    assert table.loc["Loyalty", "estimate"] == pytest.approx(by_hand.mean())
    assert table.loc["Loyalty", "std_dev"] == pytest.approx(by_hand.std())
    by_item = model.result_.index({item: (1, 10) for item in ITEMS})
    assert by_item["estimate"].tolist() == pytest.approx(table["estimate"].tolist())
    with pytest.raises(sat.SchemaError, match="off its scale"):
        model.result_.index((1, 4))
    with pytest.raises(sat.ArgumentError, match="no scale"):
        model.result_.index(7)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"q1": lambda f: 5.0}, sat.DataError, "q1"),
        ({"v2": lambda f: f["v1"] * 2 + 1}, sat.DataError, r"\['v1', 'v2'\].*collinear"),
        ({"q1": lambda f: f["q1"].astype(str)}, sat.SchemaError, "q1"),
        ({"q1": lambda f: f["q1"].where(f.index != 3, np.inf)}, sat.SchemaError, "row 3"),
    ],
)
def test_bad_columns_are_named(frame: pd.DataFrame, change: dict[str, Any], error: type, match: str) -> None:
    before = frame.copy()
    with pytest.raises(error, match=match):
        sat.PLSPM(SPEC).fit(frame.assign(**change))
    pd.testing.assert_frame_equal(frame, before)


def test_bad_parameters(frame: pd.DataFrame) -> None:
    for options in ({"scheme": "paths"}, {"missing": "median"}, {"tol": 0}, {"max_iter": 0}):
        with pytest.raises(sat.ArgumentError):
            sat.PLSPM(SPEC, **options).fit(frame)
    with pytest.raises(sat.ArgumentError, match="q1"):
        sat.PLSPM(SPEC).fit(frame.drop(columns="q1"))
    with pytest.raises(sat.ArgumentError, match="shape"):
        sat.PLSPM(SPEC).fit(frame, sample_weight=[1.0, 2.0])
    with pytest.raises(sat.SchemaError, match="at least 0"):
        sat.PLSPM(SPEC).fit(frame, sample_weight=np.where(np.arange(300) == 2, -1.0, 1.0))
    with pytest.raises(sat.DataError):
        sat.PLSPM(SPEC).fit(frame[:2])


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("A =~ x1 + x2\nB =~ y1\nB ~ A\nx1 ~~ x2", "covariances"),
        ("A =~ x1 + 1*x2\nB =~ y1\nB ~ A", "fixed"),
        ("A =~ x1 + x2\nB =~ y1\nC =~ z1\nB ~ A", "no path"),
        ("A =~ x1 + x2", "two constructs"),
        ("A =~ x1\nB =~ A\nC =~ y1\nC ~ B", "measured by the construct"),
        ("A =~ x1\nB =~ y1\nB ~ p*A\np == 1", "no constraints"),
    ],
)
def test_models_that_pls_does_not_estimate(text: str, match: str) -> None:
    with pytest.raises(sat.SpecError, match=match):
        sat.PLSPM(text).fit(pd.DataFrame())


def test_an_observed_variable_is_its_own_construct(frame: pd.DataFrame) -> None:
    model = sat.PLSPM("Quality =~ q1 + q2 + q3\nl1 ~ Quality").fit(frame)
    assert model.result_.r2["construct"].tolist() == ["l1"]


def test_an_uncorrelated_neighbour_is_an_error() -> None:
    moments = sat.Moments.from_correlation(np.eye(4), 100, columns=["x1", "x2", "y1", "y2"])
    with pytest.raises(sat.ConvergenceError, match="uncorrelated"):
        sat.PLSPM("A =~ x1 + x2\nB =~ y1 + y2\nB ~ A").fit(moments)


def test_no_convergence_is_said(frame: pd.DataFrame) -> None:
    with pytest.warns(sat.ImproperSolutionWarning, match="after 1 rounds"):
        result = sat.PLSPM(SPEC, max_iter=1).fit(frame).result_
    assert not result.converged
    assert result.problems


def test_improper_consistent_solution_is_said() -> None:
    within, between = np.array([[1, 0.3], [0.3, 1]]), np.full((2, 2), 0.4)
    corr = np.block([[within, between], [between, within]])
    moments = sat.Moments.from_correlation(corr, 200, columns=["a1", "a2", "c1", "c2"])
    model = sat.PLSPM("A =~ a1 + a2\nC =~ c1 + c2\nC ~ A", consistent=True)
    with pytest.warns(sat.ImproperSolutionWarning, match="beyond 1"):
        result = model.fit(moments).result_
    # composites of correlation 1.6 / 2.6 over a reliability of 0.6 / 1.3
    assert result.paths["estimate"].item() == pytest.approx(1.6 / 1.2)
    assert not result.admissible
    study = sat.datasets.load_ecsi()
    corr = study.moments.corr.copy()
    corr[5:8, 5:8] -= 0.08 * (1 - np.eye(3))  # the items of Expectation hang together still less
    weaker = sat.Moments.from_correlation(corr, 250, columns=study.moments.columns)
    with pytest.raises(sat.DataError, match="corrected for measurement error"):
        sat.PLSPM(study.spec, consistent=True).fit(weaker)


def test_diagram_is_escaped(frame: pd.DataFrame) -> None:
    renamed = frame.rename(columns={"q1": "满意度1"})
    result = sat.PLSPM("质量 =~ 满意度1 + q2\nLoyalty =~ l1 + l2\nLoyalty ~ 质量").fit(renamed).result_
    drawing = result.diagram(items=True)
    assert drawing.svg.startswith("<svg") and "质量" in drawing.svg and "满意度1" in drawing.svg
    assert "质量" in drawing.mermaid and "-->" in drawing.mermaid
    import xml.etree.ElementTree as ET

    ET.fromstring(drawing.svg)


def test_diagram_of_hostile_names() -> None:
    import dataclasses

    study = sat.datasets.load_ecsi()
    g = sat.PLSPM(study.spec).fit(study.moments).result_.groups[0]
    from satmodels.sem.diagram import path_diagram

    hostile = dataclasses.replace(g, constructs=('<script>"x"</script>', *g.constructs[1:]))
    drawing = path_diagram(hostile)
    assert "<script" not in drawing.svg
    assert "<script" not in drawing.mermaid and '"x"' not in drawing.mermaid


def test_figures(model: sat.PLSPM, frame: pd.DataFrame) -> None:
    pytest.importorskip("matplotlib")
    assert sat.plot(model.result_) is not None
    assert sat.plot(model.result_, what="index", scale=(1, 10)) is not None
    result = sat.bootstrap(model, frame, n=50, seed=1, scale=(1, 10))
    for what in ("paths", "index", "total", "htmt"):
        assert sat.plot(result, what=what) is not None
    with pytest.raises(sat.ArgumentError):
        sat.plot(result, what="everything")


def test_specific_effects_add_up(model: sat.PLSPM) -> None:
    study = sat.datasets.load_ecsi()
    result = sat.PLSPM(study.spec).fit(study.moments).result_
    specific = result.specific_effects().groupby(["source", "target"])["estimate"].sum()
    indirect = result.effects().set_index(["source", "target"])["indirect"]
    for pair, value in specific.items():
        assert value == pytest.approx(indirect[pair], abs=1e-12)
    assert model.result_.specific_effects()["through"].tolist() == ["Value"]


def test_models_side_by_side(model: sat.PLSPM, frame: pd.DataFrame) -> None:
    other = sat.PLSPM("Quality =~ q1 + q2 + q3\nLoyalty =~ l1 + l2\nLoyalty ~ Quality").fit(frame).result_
    table = sat.compare_models({"full": model.result_, "short": other}).set_index(["lhs", "op", "rhs"])
    assert table.loc[("Loyalty", "~", "Quality")].notna().all()
    assert np.isnan(table.loc[("Loyalty", "~", "Value"), "short"])
    assert table.loc[("Loyalty", "r2", "Loyalty"), "full"] > table.loc[("Loyalty", "r2", "Loyalty"), "short"]
    with pytest.raises(sat.ArgumentError):
        sat.compare_models({"full": model})
    with pytest.raises(sat.ArgumentError):
        sat.compare_models({})


def test_sentences(frame: pd.DataFrame) -> None:
    text = sat.apa_text(sat.bootstrap(sat.PLSPM(SPEC), frame, n=200, seed=1)).splitlines()
    assert len(text) == 4
    assert text[0].endswith("come from 200 bootstrap samples.")
    assert text[1].startswith("Quality had a positive effect on Value, β = .")
    assert text[1].endswith("p < .001.")


def test_answers_off_the_scale_are_refused(frame: pd.DataFrame, engine: Callable[..., Any]) -> None:
    spec = sat.ModelSpec.parse(SPEC).with_scales({item: (1, 10) for item in ITEMS})
    model = sat.PLSPM(spec)
    coded = frame.assign(q2=frame["q2"].where(frame.index % 50 != 4, 99))
    with pytest.raises(sat.SchemaError, match="q2") as error:
        model.fit(engine(coded))
    assert (error.value.n_bad, error.value.value) == (6, 99)
    with pytest.raises(sat.SchemaError, match="'q2': 6 answers"):
        model.fit(engine(coded.astype(float) - 0.001 * (coded == 5)))  # between the codes is no offence
    with pytest.raises(sat.SchemaError, match="v1"):
        model.fit(engine(frame.assign(v1=range(1000, 1300))))
    fitted = model.fit(engine(frame))
    assert len(fitted.result_.index()) == 3
    with pytest.raises(sat.SchemaError, match="q2"):
        fitted.transform(engine(coded))
    with pytest.raises(sat.SchemaError, match="q2"):
        sat.bootstrap(model, engine(coded), n=20)


@pytest.mark.parametrize("scheme", ["path", "factorial", "centroid"])
def test_collinear_sources_are_named(frame: pd.DataFrame, scheme: str) -> None:
    model = sat.PLSPM("A =~ q1\nB =~ v1\nD =~ q2\nC =~ l1 + l2\nC ~ A + B + D", scheme=scheme)
    with pytest.raises(sat.DataError, match=r"\['A', 'B', 'D'\] of 'C' are collinear"):
        model.fit(frame.assign(q2=frame["q1"] + frame["v1"]))


def test_the_same_answers_twice_and_too_few_rows_are_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(sat.DataError, match=r"\['q1', 'q2'\] are collinear") as error:
        sat.PLSPM(SPEC).fit(frame.assign(q2=11 - frame["q1"]))
    assert error.value.columns == ("q1", "q2")
    with pytest.raises(sat.DataError, match=r"\d+ rows are too few for \d+ items"):
        sat.PLSPM(SPEC).fit(frame.head(len(ITEMS)))


def test_a_correction_that_does_not_exist_is_an_error() -> None:
    noise = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 4)), columns=["a1", "a2", "c1", "c2"])
    text = "A =~ a1 + a2\nC =~ c1 + c2\nC ~ A"
    with pytest.raises(sat.DataError, match="hardly go together"):
        sat.PLSPM(text, consistent=True).fit(noise)
    assert sat.PLSPM(text).fit(noise).result_.admissible


@pytest.mark.filterwarnings("error")
def test_draws_without_variance_make_no_noise(frame: pd.DataFrame) -> None:
    few = (np.arange(300) < 4).astype(float)
    assert (
        sat.bootstrap(sat.PLSPM("A =~ q1\nC =~ l1 + l2\nC ~ A"), frame, n=30, sample_weight=few).n_failed > 0
    )


def test_large_offsets_lose_no_digits(frame: pd.DataFrame) -> None:
    model = sat.PLSPM(SPEC, tol=1e-12)
    near, far = model.fit(frame).result_.paths, model.fit(frame + 1e9).result_.paths
    assert far["estimate"].tolist() == pytest.approx(near["estimate"].tolist(), rel=1e-9)
    one, other = (sat.bootstrap(model, data, n=20, seed=1).values for data in (frame, frame + 1e9))
    np.testing.assert_allclose(one, other, atol=1e-9)
