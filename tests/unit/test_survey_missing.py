"""Missing answers, versions of a survey, and taxonomies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.statistics.em import em_moments
from satmodels.survey.taxonomies import SERVQUAL, TAXONOMIES, check_dimensions


def answers(n: int = 400, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    trait = rng.normal(size=(n, 1))
    return pd.DataFrame(np.round(trait + rng.normal(5, 0.8, (n, 4)), 1), columns=list("abcd"))


def test_em_equals_the_closed_form_of_a_monotone_pattern():
    rng = np.random.default_rng(1)
    x = rng.normal(size=300)
    y = 2 + 0.7 * x + rng.normal(scale=0.5, size=300)
    y[x > 0.4] = np.nan
    found = em_moments(np.column_stack([x, y]), ["x", "y"])
    seen = ~np.isnan(y)
    slope = np.cov(x[seen], y[seen], ddof=0)[0, 1] / x[seen].var()
    mean = y[seen].mean() + slope * (x.mean() - x[seen].mean())
    residual = (y[seen] - y[seen].mean() - slope * (x[seen] - x[seen].mean())).var()
    assert found.mean[1] == pytest.approx(mean, abs=1e-7)
    assert found.cov[1, 1] == pytest.approx(residual + slope**2 * x.var(), abs=1e-7)


def test_missing_report_counts_and_tests(engine):
    frame = answers()
    rng = np.random.default_rng(2)
    by_chance = frame.mask(rng.uniform(size=frame.shape) < 0.1)
    report = sat.missing_report(engine(by_chance), list("abcd"))
    assert report.p_value > 0.01 and report.n == 400
    assert report.item_rows["n_missing"] == tuple(by_chance.isna().sum().tolist())
    assert sum(report.pattern_rows["n"]) <= 400 and report.n_complete == len(by_chance.dropna())
    depends = frame.assign(b=frame.b.where(frame.a < 5.2))
    assert sat.missing_report(engine(depends), list("abcd")).p_value < 1e-6
    whole = sat.missing_report(engine(frame), list("abcd"))
    assert whole.p_value is None and whole.n_complete == 400


def test_impute_marks_what_it_fills_in(engine):
    frame = pd.DataFrame(
        {"shop": ["A"] * 5 + ["B"] * 3, "q": [1, 3, 3, 9, None, 5, 5, None], "r": [1.0] * 8}, index=None
    )
    for method, values in (("median", (3.0, 5.0)), ("mode", (3.0, 5.0))):
        out = sat.impute(engine(frame), ["q", "r"], method=method, by="shop")
        out = out if isinstance(out, pd.DataFrame) else out.to_pandas()
        assert (out["q"][4], out["q"][7]) == values
        assert out["q_imputed"].tolist() == [False] * 4 + [True, False, False, True]
        assert "r_imputed" not in out.columns
    assert frame["q"].isna().sum() == 2


def test_em_imputation_keeps_means_where_medians_do_not():
    frame = answers()
    holes = frame.assign(b=frame.b.where(frame.a < 5.5))
    filled = sat.impute(holes, list("abcd"), method="em")
    truth = frame.b.mean()
    assert abs(filled.b.mean() - truth) < 0.12 < abs(holes.b.mean() - truth)


def test_imputation_refuses_what_it_can_not_do():
    frame = pd.DataFrame({"s": ["A", "B"], "q": [1.0, None], "q_imputed": [False, False]})
    with pytest.raises(sat.ArgumentError, match="method"):
        sat.impute(frame, ["q"], method="mean")
    with pytest.raises(sat.ArgumentError, match="already"):
        sat.impute(frame, ["q"], method="median")
    with pytest.raises(sat.ArgumentError, match="by="):
        sat.impute(frame, ["q"], method="em", by="s")
    with pytest.raises(sat.DataError, match="segment"):
        sat.impute(frame[["s", "q"]], ["q"], method="median", by="s")
    with pytest.raises(sat.DataError, match="fewer than two"):
        sat.impute(frame[["q"]].assign(z=np.nan), ["q", "z"], method="em")


def test_versions_of_a_survey_are_compared():
    old = sat.Survey(
        "s",
        [
            sat.Rating("q1", sat.Scale(1, 5), text={"en": "Good?"}),
            sat.Rating("q2", sat.Scale(1, 5), touchpoint="shop"),
            sat.Recommend("nps"),
            sat.Text("gone"),
        ],
    )
    same = sat.Survey.from_json(old.to_json())
    assert old.diff(same).same and old.diff(same).comparable
    new = old.model_copy(
        update={
            "items": (
                sat.Rating("q1", sat.Scale(1, 5), text={"en": "Good?", "zh": "好吗？"}),
                sat.Rating("q2", sat.Scale(1, 5), touchpoint="app"),
                sat.Recommend("nps"),
                sat.Recommend("new"),
            ),
            "version": "2",
        }
    )
    diff = old.diff(new)
    assert diff.comparable and not diff.same
    assert [(r["item"], r["field"]) for r in diff.changes.rows()] == [
        ("q1", "text"),
        ("q2", "touchpoint"),
        ("gone", "item"),
        ("new", "item"),
        ("", "version"),
    ]
    reworded = old.model_copy(
        update={"items": (sat.Rating("q1", sat.Scale(1, 5), text="Bad?"), *old.items[1:])}
    )
    assert not old.diff(reworded).comparable
    other_kind = old.model_copy(update={"items": (sat.Text("q1"), *old.items[1:])})
    assert not old.diff(other_kind).comparable


def test_taxonomies_name_dimensions():
    survey = sat.Survey("s", [sat.Gap("g", "e", "p", "empathy"), sat.Recommend("nps")])
    check_dimensions(survey, SERVQUAL)
    with pytest.raises(sat.ArgumentError, match="dimension 'empathy'"):
        check_dimensions(survey, TAXONOMIES["levels"])
