"""A call of each public name that works, on small data of its own: what the sweeps of wrong arguments and frames start from."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import satmodels as sat

Calls = dict[str, tuple[Callable[..., Any], dict[str, Any]]]
N = 120
ITEMS = ["q1", "q2", "q3", "l1", "l2", "l3"]
MODEL = "Q =~ q1 + q2 + q3\nL =~ l1 + l2 + l3\nL ~ Q"
SCALE = (1, 4)


@cache
def answers() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    common = rng.normal(size=(N, 1))
    second = 0.6 * common + 0.8 * rng.normal(size=(N, 1))
    latent = np.hstack([common + 0.6 * rng.normal(size=(N, 3)), second + 0.6 * rng.normal(size=(N, 3))])
    frame = pd.DataFrame(np.digitize(latent, [-1, 0, 1]) + 1, columns=ITEMS)
    frame["g"] = rng.choice(["a", "b"], N)
    frame["w"] = 1.0
    frame["nps"] = rng.integers(0, 11, N)
    frame["day"] = pd.date_range("2025-01-01", periods=N)
    frame["id"] = range(N)
    frame["seconds"] = rng.uniform(20, 90, N)
    for name in ("e1", "e2", "m1"):
        frame[name] = rng.integers(1, 5, N)
    frame["with"], frame["without"] = rng.integers(1, 6, N), rng.integers(1, 6, N)
    return frame


@cache
def pls() -> sat.PLSPM:
    return sat.PLSPM(MODEL)


@cache
def fitted_pls() -> Any:
    return pls().fit(answers()).result_


@cache
def cbsem() -> sat.CBSEM:
    return sat.CBSEM(MODEL)


@cache
def fitted_cbsem() -> Any:
    return cbsem().fit(answers()).result_


@cache
def monthly() -> Any:
    return sat.mean_score(answers(), "q1", scale=SCALE, by=sat.Period("day", "month"))


@cache
def grouped() -> Any:
    return sat.mean_score(answers(), "q1", scale=SCALE, by="g")


@cache
def orders() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    days = pd.Timestamp("2025-06-30") - pd.to_timedelta(rng.integers(0, 170, 400), unit="D")
    return pd.DataFrame(
        {
            "customer": rng.integers(0, 60, 400),
            "date": days,
            "amount": rng.gamma(2, 10, 400),
            "kind": rng.choice(["order", "complaint", "praise"], 400),
        }
    )


@cache
def contracts() -> pd.DataFrame:
    ends = [pd.NaT if i % 2 else pd.Timestamp("2025-04-05") + pd.Timedelta(days=i) for i in range(60)]
    return pd.DataFrame({"customer": range(60), "start": pd.Timestamp("2025-01-01"), "end": ends})


@cache
def tickets() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    opened = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 2000, 80), unit="h")
    return pd.DataFrame(
        {
            "opened": opened,
            "responded": opened + pd.to_timedelta(rng.integers(1, 30, 80), unit="h"),
            "severity": rng.choice(["serious", "slight"], 80),
        }
    )


@cache
def window() -> sat.ChurnWindow:
    return sat.ChurnWindow(observation=60, gap=0, horizon=30)


@cache
def panel() -> pd.DataFrame:
    return sat.churn_panel(orders(), cutoffs=["2025-04-01", "2025-05-15"], window=window())


@cache
def times() -> pd.DataFrame:
    return sat.churn_panel(
        orders(), contracts(), cutoffs=["2025-04-01"], window=window(), end="end", label="time"
    )


@cache
def classifier() -> sat.ChurnClassifier:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return sat.ChurnClassifier(make_pipeline(SimpleImputer(), LogisticRegression()), calibration=None).fit(
        panel()
    )


@cache
def report() -> Any:
    return sat.churn_report(panel()["churned"], np.linspace(0.05, 0.95, len(panel())))


@cache
def survey() -> sat.Survey:
    items = [sat.Rating(c, sat.Scale(1, 4)) for c in ITEMS]
    return sat.Survey("s", [*items, sat.Recommend("nps")], respondent="id")


KANO = {"wifi": ("with", "without")}


def calls(tmp: Path) -> Calls:
    """A call of each public name that works, by name."""
    d, model = answers(), {"X": answers(), "n": 20, "seed": 1}
    churned = panel()["churned"]
    risk = np.linspace(0.05, 0.95, len(churned))
    kept = tmp / "kept.skops"
    item = {"data": d, "item": "q1", "scale": SCALE}
    moved = {"model": pls(), "X": d}
    driving = {"data": d, "outcome": "nps", "items": ["q1", "q2"]}
    days = times()
    return {
        "nps": (sat.nps, {"data": d, "item": "nps"}),
        "csat": (sat.csat, item),
        "top_box": (sat.top_box, item),
        "ces": (sat.ces, item),
        "mean_score": (sat.mean_score, item),
        "csi": (sat.csi, {"data": d, "items": ["q1", "q2"], "scale": SCALE}),
        "servqual": (sat.servqual, {"data": d, "gaps": {"a": [("e1", "q1")]}, "scale": SCALE}),
        "servperf": (sat.servperf, {"data": d, "items": {"a": ["q1", "q2"]}, "scale": SCALE}),
        "zone_of_tolerance": (
            sat.zone_of_tolerance,
            {"data": d, "items": {"a": [("m1", "e1", "q1")]}, "scale": SCALE},
        ),
        "disconfirmation": (
            sat.disconfirmation,
            {"data": d, "expectation": "e1", "perception": "q1", "scale": SCALE},
        ),
        "trend": (sat.trend, {"result": monthly()}),
        "control_chart": (sat.control_chart, {"result": monthly()}),
        "compare": (sat.compare, {"result": grouped()}),
        "compare_paired": (
            sat.compare_paired,
            {"data": d, "before": "q1", "after": "q2", "score": "mean", "scale": SCALE},
        ),
        "sample_size": (sat.sample_size, {"margin": 5.0, "promoters": 50.0, "detractors": 20.0}),
        "detectable_difference": (
            sat.detectable_difference,
            {"n": 300, "promoters": 50.0, "detractors": 20.0},
        ),
        "indicators": (sat.indicators, {"events": orders(), "date": "date"}),
        "kpis": (sat.kpis, {"tickets": tickets(), "responded": "responded"}),
        "rfm": (
            sat.rfm,
            {
                "transactions": orders(),
                "customer": "customer",
                "date": "date",
                "amount": "amount",
                "as_of": "2025-06-30",
            },
        ),
        "limit_rows": (_limited, {"max_rows": 10**6}),
        "careless": (sat.careless, {"frame": d, "items": ITEMS}),
        "impute": (sat.impute, {"frame": d, "items": ITEMS, "method": "median"}),
        "missing_report": (sat.missing_report, {"frame": d, "items": ITEMS}),
        "outliers": (sat.outliers, {"frame": d, "items": ITEMS}),
        "cronbach_alpha": (sat.cronbach_alpha, {"data": d, "items": ITEMS}),
        "mcdonald_omega": (sat.mcdonald_omega, {"data": d, "items": ITEMS}),
        "composite_reliability": (sat.composite_reliability, {"data": d, "items": ITEMS}),
        "kmo": (sat.kmo, {"data": d, "items": ITEMS}),
        "bartlett": (sat.bartlett, {"data": d, "items": ITEMS}),
        "icc": (sat.icc, {"data": d, "raters": ITEMS}),
        "rake": (sat.rake, {"frame": d, "margins": {"g": {"a": 0.5, "b": 0.5}}}),
        "poststratify": (sat.poststratify, {"frame": d, "strata": "g", "totals": {"a": 5, "b": 5}}),
        "trim_weights": (sat.trim_weights, {"weights": d["w"], "low": 0.5, "high": 2.0}),
        "weight_summary": (sat.weight_summary, {"weights": d["w"]}),
        "suppress": (sat.suppress, {"table": pd.DataFrame({"g": ["a", "b"], "n": [60, 60]})}),
        "pseudonymise": (sat.pseudonymise, {"column": d["id"], "key": b"0" * 32}),
        "write_table": (sat.write_table, {"frame": d, "path": tmp / "t.csv"}),
        "write_survey": (sat.write_survey, {"survey": survey(), "path": tmp / "s.json"}),
        "read_survey": (sat.read_survey, {"path": tmp / "given.json"}),
        "read_result": (sat.read_result, {"text": grouped().to_json(full=True)}),
        "plot": (sat.plot, {"result": grouped()}),
        "bootstrap": (sat.bootstrap, {"model": pls(), **model}),
        "compare_groups": (sat.compare_groups, {"model": pls(), "by": "g", **model}),
        "micom": (sat.micom, {"model": pls(), "by": "g", **model}),
        "fit_test": (sat.fit_test, {"model": pls(), **model}),
        "blindfold": (sat.blindfold, moved),
        "pls_predict": (sat.pls_predict, {**moved, "folds": 3, "repetitions": 1, "seed": 1}),
        "with_interaction": (
            sat.with_interaction,
            {"model": sat.PLSPM(MODEL3), "X": d, "source": "Q", "moderator": "M", "target": "L"},
        ),
        "higher_order": (sat.higher_order, {"model": sat.PLSPM(SECOND_ORDER), "X": d}),
        "simple_slopes": (
            sat.simple_slopes,
            {"result": moderated(), "source": "Q", "moderator": "M", "target": "L"},
        ),
        "ipma": (sat.ipma, {"result": fitted_pls(), "target": "L", "scale": SCALE}),
        "what_if": (sat.what_if, {"result": fitted_pls(), "changes": {"Q": 1.0}, "scale": SCALE}),
        "compare_models": (sat.compare_models, {"models": {"one": fitted_pls(), "two": fitted_pls()}}),
        "apa_text": (sat.apa_text, {"result": sat.bootstrap(pls(), d, n=10, seed=1)}),
        "invariance": (sat.invariance, {"model": cbsem(), "X": d, "by": "g"}),
        "cross_check": (sat.cross_check, {"result": fitted_cbsem()}),
        "acsi": (sat.acsi, {"items": _blocks(ACSI)}),
        "ecsi": (sat.ecsi, {"items": _blocks(ECSI)}),
        "ccsi": (sat.ccsi, {"items": _blocks(CCSI)}),
        "from_seminr": (sat.from_seminr, {"text": SEMINR}),
        "to_lavaan": (sat.to_lavaan, {"spec": MODEL}),
        "to_semopy": (sat.to_semopy, {"spec": MODEL}),
        "kano": (sat.kano, {"data": d, "pairs": KANO}),
        "key_drivers": (sat.key_drivers, {"data": d, "outcome": "nps", "drivers": ["q1", "q2"]}),
        "penalty_reward": (sat.penalty_reward, {**driving, "scale": sat.Scale(1, 4)}),
        "reach_noise": (sat.reach_noise, {**driving, "dissatisfied": 5, "failed": 2}),
        "response_curve": (sat.response_curve, {"data": d, "outcome": "nps", "item": "q1", "seed": 1}),
        "importance_performance": (
            sat.importance_performance,
            {"data": d, "outcome": "nps", "items": ["q1", "q2"], "scale": sat.Scale(1, 4)},
        ),
        "journey": (
            sat.journey,
            {
                "data": d,
                "touchpoints": {"shop": ["q1"], "desk": ["q2"]},
                "scale": sat.Scale(1, 4),
                "outcome": "nps",
            },
        ),
        "priorities": (
            sat.priorities,
            {
                "drivers": driven(),
                "scale": {"q1": sat.Scale(1, 4), "q2": sat.Scale(1, 4), "nps": sat.Scale(0, 10)},
            },
        ),
        "churn_feature": (sat.churn_feature, {"name": "calm", "description": "days without an event"}),
        "churn_features": (sat.churn_features, {"events": orders(), "window": window()}),
        "churn_panel": (
            sat.churn_panel,
            {"events": orders(), "cutoffs": ["2025-04-01"], "window": window()},
        ),
        "churn_report": (sat.churn_report, {"y": churned, "probability": risk}),
        "expected_maximum_profit": (sat.expected_maximum_profit, {"y": churned, "probability": risk}),
        "drift": (sat.drift, {"reference": panel(), "current": panel()}),
        "feature_dictionary": (
            sat.feature_dictionary,
            {"features": sat.churn_features(orders(), window=window())},
        ),
        "inactivity_horizon": (sat.inactivity_horizon, {"events": orders()}),
        "survival_report": (
            sat.survival_report,
            {
                "time": days["time"],
                "left": days["left"],
                "survival": np.full((len(days), 1), 0.6),
                "days": [30],
            },
        ),
        "model_card": (
            sat.model_card,
            {"model": classifier(), "report": report(), "purpose": "Calls"},
        ),
        "save_churn_model": (sat.save_churn_model, {"model": classifier(), "path": kept}),
        "load_churn_model": (sat.load_churn_model, {"path": tmp / "model.skops", "trusted": ["numpy.dtype"]}),
        # classes
        "PLSPM": (lambda **k: sat.PLSPM(**k).fit(d), {"spec": MODEL}),
        "CBSEM": (lambda **k: sat.CBSEM(**k).fit(d), {"spec": MODEL}),
        "ChurnClassifier": (
            lambda **k: sat.ChurnClassifier(**k).fit(panel()),
            {"estimator": classifier().estimator, "calibration": None},
        ),
        "ChurnHazard": (lambda **k: sat.ChurnHazard(**k).fit(times()), {"period_days": 15, "periods": 2}),
        "ChurnWindow": (sat.ChurnWindow, {"observation": 60, "gap": 0, "horizon": 30}),
        "ChurnCosts": (sat.ChurnCosts, {}),
        "CutoffSplit": (lambda **k: list(sat.CutoffSplit(**k).split(panel())), {"n_splits": 1}),
        "Design": (sat.Design, {"strata": "g"}),
        "Period": (sat.Period, {"column": "day", "every": "month"}),
        "Segment": (sat.Segment, {"name": "best", "r": (4, 5)}),
        "KanoTable": (sat.KanoTable, {"rows": ["QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ"]}),
        "Scale": (sat.Scale, {"low": 1, "high": 4}),
        "Rating": (sat.Rating, {"name": "q", "scale": sat.Scale(1, 4)}),
        "Recommend": (sat.Recommend, {"name": "q"}),
        "Effort": (sat.Effort, {"name": "q", "scale": sat.Scale(1, 7)}),
        "Choice": (sat.Choice, {"name": "q", "options": ["a", "b"]}),
        "MultiChoice": (sat.MultiChoice, {"name": "q", "options": ["a", "b"]}),
        "Number": (sat.Number, {"name": "q"}),
        "Date": (sat.Date, {"name": "q"}),
        "Text": (sat.Text, {"name": "q"}),
        "Gap": (sat.Gap, {"name": "q", "expectation": "a", "perception": "b"}),
        "KanoPair": (sat.KanoPair, {"name": "q", "functional": "a", "dysfunctional": "b"}),
        "Survey": (sat.Survey, {"name": "s", "items": [sat.Recommend("q")]}),
        "ModelSpec": (sat.ModelSpec.parse, {"text": MODEL}),
        "Moments": (sat.Moments.collect, {"data": d, "columns": ["q1", "q2"]}),
        "PairCounts": (sat.PairCounts.collect, {"data": d, "pairs": KANO}),
        "ScoreCounts": (sat.ScoreCounts.collect, {"data": d, "item": "q1"}),
    }


MODEL3 = "Q =~ q1 + q2\nM =~ q3 + l1\nL =~ l2 + l3\nL ~ Q + M"
CCSI = ("Image", "Expectation", "Quality", "Value", "Satisfaction", "Loyalty")
ACSI = ("Expectation", "Quality", "Value", "Satisfaction", "Complaints", "Loyalty")
ECSI = (*CCSI, "Complaints")
SECOND_ORDER = "Q =~ q1 + q2\nM =~ q3 + l1\nL =~ l2 + l3\nH =~ Q + M\nL ~ H"
SEMINR = """
measurements <- constructs(composite("Q", multi_items("q", 1:3)), composite("L", multi_items("l", 1:3)))
structure <- relationships(paths(from = "Q", to = "L"))
"""


@cache
def moderated() -> Any:
    spec, data = sat.with_interaction(sat.PLSPM(MODEL3), answers(), "Q", "M", "L")
    return sat.PLSPM(spec).fit(data).result_


@cache
def driven() -> Any:
    return sat.key_drivers(answers(), "nps", ["q1", "q2"])


def _limited(max_rows: Any) -> None:
    with sat.limit_rows(max_rows):
        sat.nps(answers(), "nps")


def _blocks(constructs: tuple[str, ...]) -> dict[str, list[str]]:
    return {name: [f"{name}1", f"{name}2"] for name in constructs}


def parameters_of(call: Callable[..., Any]) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [name for name, p in inspect.signature(call).parameters.items() if p.kind in kinds]


PUBLIC = [
    name
    for name in sat.__all__
    if callable(value := getattr(sat, name)) and not (inspect.isclass(value) and issubclass(value, Exception))
]


_FRAMES = {"data", "frame", "X", "events", "transactions", "tickets", "table", "reference"}
FRAMED = [
    name
    for name in PUBLIC
    if name in ("Moments", "PairCounts", "ScoreCounts") or _FRAMES & set(parameters_of(getattr(sat, name)))
]


def error_from_below(call: Callable[..., Any], arguments: dict[str, Any]) -> str | None:
    """Return what is wrong: an error from below, or None where a call works or says what it lacks."""
    try:
        call(**arguments)
    except sat.SatmodelsError:
        return None
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:120]}"
    return None


def calls_in(folder: Path) -> Calls:
    """The calls, with the files that they read."""
    sat.write_survey(survey(), folder / "given.json")
    sat.save_churn_model(classifier(), folder / "model.skops")
    return calls(folder)
