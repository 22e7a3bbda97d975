"""satmodels: satisfaction models for Python.

``import satmodels as sat`` gives every public name, and loads each only when it is used: the import
itself pulls in no dataframe library, no scikit-learn and no plotting.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# The only list of public names: name -> module that defines it. The block below repeats it for type
# checkers and editors; a test holds the two together.
_PUBLIC: dict[str, str] = {
    # errors and warnings
    "ArgumentError": "errors",
    "ConvergenceError": "errors",
    "DataError": "errors",
    "EngineError": "errors",
    "IdentificationError": "errors",
    "ImproperSolutionWarning": "errors",
    "LeakageWarning": "errors",
    "MissingExtraError": "errors",
    "SatmodelsError": "errors",
    "SatmodelsWarning": "errors",
    "SchemaError": "errors",
    "SmallSampleWarning": "errors",
    "SpecError": "errors",
    # results
    "read_result": "results",
    # data
    "limit_rows": "intake.row_limit",
    # statistics
    "Design": "statistics.design",
    "Moments": "statistics.moments",
    "PairCounts": "statistics.pair_counts",
    "ScoreCounts": "statistics.counts",
    # survey
    "Choice": "survey.items",
    "Date": "survey.items",
    "Effort": "survey.items",
    "Gap": "survey.items",
    "KanoPair": "survey.items",
    "MultiChoice": "survey.items",
    "Number": "survey.items",
    "Rating": "survey.items",
    "Recommend": "survey.items",
    "Scale": "survey.scale",
    "Survey": "survey.survey",
    "Text": "survey.items",
    "careless": "survey.careless",
    "poststratify": "survey.weights",
    "pseudonymise": "survey.privacy",
    "rake": "survey.weights",
    "read_survey": "survey.files",
    "write_survey": "survey.files",
    "write_table": "survey.labelled",
    "bartlett": "survey.adequacy",
    "composite_reliability": "survey.composite_reliability",
    "cronbach_alpha": "survey.reliability",
    "icc": "survey.adequacy",
    "kmo": "survey.adequacy",
    "mcdonald_omega": "survey.reliability",
    "impute": "survey.missing",
    "missing_report": "survey.missing",
    "outliers": "survey.outliers",
    "suppress": "survey.privacy",
    "trim_weights": "survey.weights",
    "weight_summary": "survey.weights",
    # scores
    "ces": "scores.effort",
    "kpis": "scores.tickets",
    "indicators": "scores.indicators",
    "disconfirmation": "scores.disconfirmation",
    "zone_of_tolerance": "scores.tolerance",
    "servperf": "scores.servqual",
    "servqual": "scores.servqual",
    "control_chart": "scores.control",
    "trend": "scores.trend",
    "Period": "scores.periods",
    "detectable_difference": "scores.planning",
    "sample_size": "scores.planning",
    "compare_paired": "scores.paired",
    "compare": "scores.compare",
    "csat": "scores.satisfaction",
    "csi": "scores.index",
    "mean_score": "scores.satisfaction",
    "nps": "scores.nps",
    "top_box": "scores.satisfaction",
    "SEGMENTS": "scores.rfm_segments",
    "Segment": "scores.rfm_segments",
    "rfm": "scores.rfm",
    # structural models
    "CBSEM": "sem.covariance.estimator",
    "cross_check": "sem.covariance.second_opinion",
    "invariance": "sem.groups",
    "to_lavaan": "sem.covariance.export",
    "to_semopy": "sem.covariance.export",
    "ModelSpec": "sem.model.spec",
    "PLSPM": "sem.pls.estimator",
    "acsi": "sem.model.templates",
    "apa_text": "sem.model_table",
    "blindfold": "sem.pls.blindfold",
    "bootstrap": "sem.bootstrap",
    "ccsi": "sem.model.templates",
    "compare_groups": "sem.pls.multigroup",
    "compare_models": "sem.model_table",
    "ecsi": "sem.model.templates",
    "fit_test": "sem.pls.fit_test",
    "from_seminr": "sem.model.seminr",
    "higher_order": "sem.pls.higher_order",
    "ipma": "sem.ipma",
    "micom": "sem.pls.micom",
    "pls_predict": "sem.pls.predict",
    "simple_slopes": "sem.pls.interactions",
    "what_if": "sem.what_if",
    "with_interaction": "sem.pls.interactions",
    # kano
    "KanoTable": "kano_model.tables",
    "kano": "kano_model.analysis",
    # drivers
    "importance_performance": "drivers.importance_performance",
    "journey": "drivers.journey",
    "key_drivers": "drivers.key_drivers",
    "penalty_reward": "drivers.asymmetry",
    "response_curve": "drivers.response_curve",
    "priorities": "drivers.priorities",
    "reach_noise": "drivers.reach_noise",
    # churn
    "ChurnClassifier": "churn.classifier",
    "ChurnCosts": "churn.profit",
    "ChurnHazard": "churn.hazard",
    "survival_report": "churn.survival_report",
    "save_churn_model": "churn.storage",
    "load_churn_model": "churn.storage",
    "drift": "churn.drift",
    "inactivity_horizon": "churn.inactivity",
    "model_card": "churn.card",
    "ChurnWindow": "churn.window",
    "CutoffSplit": "churn.split",
    "churn_feature": "churn.features",
    "churn_features": "churn.panel",
    "churn_panel": "churn.panel",
    "churn_report": "churn.report",
    "expected_maximum_profit": "churn.profit",
    "feature_dictionary": "churn.features",
    # figures
    "plot": "plots.plot",
}
_FOLDERS = ("datasets", "plots")  # reached as sat.datasets.…, sat.plots.…

__version__ = "0.1.0"
__all__ = sorted(_PUBLIC)  # noqa: PLE0605  # pyright: ignore[reportUnsupportedDunderAll] - one list, not two

if TYPE_CHECKING:
    from satmodels import datasets as datasets
    from satmodels import plots as plots

    # errors and warnings
    # churn
    from satmodels.churn.card import model_card as model_card
    from satmodels.churn.classifier import ChurnClassifier as ChurnClassifier
    from satmodels.churn.drift import drift as drift
    from satmodels.churn.features import churn_feature as churn_feature
    from satmodels.churn.features import feature_dictionary as feature_dictionary
    from satmodels.churn.hazard import ChurnHazard as ChurnHazard
    from satmodels.churn.inactivity import inactivity_horizon as inactivity_horizon
    from satmodels.churn.panel import churn_features as churn_features
    from satmodels.churn.panel import churn_panel as churn_panel
    from satmodels.churn.profit import ChurnCosts as ChurnCosts
    from satmodels.churn.profit import expected_maximum_profit as expected_maximum_profit
    from satmodels.churn.report import churn_report as churn_report
    from satmodels.churn.split import CutoffSplit as CutoffSplit
    from satmodels.churn.storage import load_churn_model as load_churn_model
    from satmodels.churn.storage import save_churn_model as save_churn_model
    from satmodels.churn.survival_report import survival_report as survival_report
    from satmodels.churn.window import ChurnWindow as ChurnWindow

    # drivers
    from satmodels.drivers.asymmetry import penalty_reward as penalty_reward
    from satmodels.drivers.importance_performance import importance_performance as importance_performance
    from satmodels.drivers.journey import journey as journey
    from satmodels.drivers.key_drivers import key_drivers as key_drivers
    from satmodels.drivers.priorities import priorities as priorities
    from satmodels.drivers.reach_noise import reach_noise as reach_noise
    from satmodels.drivers.response_curve import response_curve as response_curve
    from satmodels.errors import ArgumentError as ArgumentError
    from satmodels.errors import ConvergenceError as ConvergenceError
    from satmodels.errors import DataError as DataError
    from satmodels.errors import EngineError as EngineError
    from satmodels.errors import IdentificationError as IdentificationError
    from satmodels.errors import ImproperSolutionWarning as ImproperSolutionWarning
    from satmodels.errors import LeakageWarning as LeakageWarning
    from satmodels.errors import MissingExtraError as MissingExtraError
    from satmodels.errors import SatmodelsError as SatmodelsError
    from satmodels.errors import SatmodelsWarning as SatmodelsWarning
    from satmodels.errors import SchemaError as SchemaError
    from satmodels.errors import SmallSampleWarning as SmallSampleWarning
    from satmodels.errors import SpecError as SpecError

    # data
    from satmodels.intake.row_limit import limit_rows as limit_rows

    # kano
    from satmodels.kano_model.analysis import kano as kano
    from satmodels.kano_model.tables import KanoTable as KanoTable

    # figures
    from satmodels.plots.plot import plot as plot
    from satmodels.results import read_result as read_result
    from satmodels.scores.compare import compare as compare
    from satmodels.scores.control import control_chart as control_chart
    from satmodels.scores.disconfirmation import disconfirmation as disconfirmation

    # scores
    from satmodels.scores.effort import ces as ces
    from satmodels.scores.index import csi as csi
    from satmodels.scores.indicators import indicators as indicators
    from satmodels.scores.nps import nps as nps
    from satmodels.scores.paired import compare_paired as compare_paired
    from satmodels.scores.periods import Period as Period
    from satmodels.scores.planning import detectable_difference as detectable_difference
    from satmodels.scores.planning import sample_size as sample_size
    from satmodels.scores.rfm import rfm as rfm
    from satmodels.scores.rfm_segments import SEGMENTS as SEGMENTS
    from satmodels.scores.rfm_segments import Segment as Segment
    from satmodels.scores.satisfaction import csat as csat
    from satmodels.scores.satisfaction import mean_score as mean_score
    from satmodels.scores.satisfaction import top_box as top_box
    from satmodels.scores.servqual import servperf as servperf
    from satmodels.scores.servqual import servqual as servqual
    from satmodels.scores.tickets import kpis as kpis
    from satmodels.scores.tolerance import zone_of_tolerance as zone_of_tolerance
    from satmodels.scores.trend import trend as trend
    from satmodels.sem.bootstrap import bootstrap as bootstrap

    # structural models
    from satmodels.sem.covariance.estimator import CBSEM as CBSEM
    from satmodels.sem.covariance.export import to_lavaan as to_lavaan
    from satmodels.sem.covariance.export import to_semopy as to_semopy
    from satmodels.sem.covariance.second_opinion import cross_check as cross_check
    from satmodels.sem.groups import invariance as invariance
    from satmodels.sem.ipma import ipma as ipma
    from satmodels.sem.model.seminr import from_seminr as from_seminr
    from satmodels.sem.model.spec import ModelSpec as ModelSpec
    from satmodels.sem.model.templates import acsi as acsi
    from satmodels.sem.model.templates import ccsi as ccsi
    from satmodels.sem.model.templates import ecsi as ecsi
    from satmodels.sem.model_table import apa_text as apa_text
    from satmodels.sem.model_table import compare_models as compare_models
    from satmodels.sem.pls.blindfold import blindfold as blindfold
    from satmodels.sem.pls.estimator import PLSPM as PLSPM
    from satmodels.sem.pls.fit_test import fit_test as fit_test
    from satmodels.sem.pls.higher_order import higher_order as higher_order
    from satmodels.sem.pls.interactions import simple_slopes as simple_slopes
    from satmodels.sem.pls.interactions import with_interaction as with_interaction
    from satmodels.sem.pls.micom import micom as micom
    from satmodels.sem.pls.multigroup import compare_groups as compare_groups
    from satmodels.sem.pls.predict import pls_predict as pls_predict
    from satmodels.sem.what_if import what_if as what_if

    # statistics
    from satmodels.statistics.counts import ScoreCounts as ScoreCounts
    from satmodels.statistics.design import Design as Design
    from satmodels.statistics.moments import Moments as Moments
    from satmodels.statistics.pair_counts import PairCounts as PairCounts
    from satmodels.survey.adequacy import bartlett as bartlett
    from satmodels.survey.adequacy import icc as icc
    from satmodels.survey.adequacy import kmo as kmo
    from satmodels.survey.careless import careless as careless
    from satmodels.survey.composite_reliability import composite_reliability as composite_reliability
    from satmodels.survey.files import read_survey as read_survey
    from satmodels.survey.files import write_survey as write_survey

    # survey
    from satmodels.survey.items import Choice as Choice
    from satmodels.survey.items import Date as Date
    from satmodels.survey.items import Effort as Effort
    from satmodels.survey.items import Gap as Gap
    from satmodels.survey.items import KanoPair as KanoPair
    from satmodels.survey.items import MultiChoice as MultiChoice
    from satmodels.survey.items import Number as Number
    from satmodels.survey.items import Rating as Rating
    from satmodels.survey.items import Recommend as Recommend
    from satmodels.survey.items import Text as Text
    from satmodels.survey.labelled import write_table as write_table
    from satmodels.survey.missing import impute as impute
    from satmodels.survey.missing import missing_report as missing_report
    from satmodels.survey.outliers import outliers as outliers
    from satmodels.survey.privacy import pseudonymise as pseudonymise
    from satmodels.survey.privacy import suppress as suppress
    from satmodels.survey.reliability import cronbach_alpha as cronbach_alpha
    from satmodels.survey.reliability import mcdonald_omega as mcdonald_omega
    from satmodels.survey.scale import Scale as Scale
    from satmodels.survey.survey import Survey as Survey
    from satmodels.survey.weights import poststratify as poststratify
    from satmodels.survey.weights import rake as rake
    from satmodels.survey.weights import trim_weights as trim_weights
    from satmodels.survey.weights import weight_summary as weight_summary


if not TYPE_CHECKING:  # a type checker that saw it would take every misspelt name for an existing one

    def __getattr__(name: str) -> Any:
        if name in _PUBLIC:
            value = getattr(importlib.import_module(f"satmodels.{_PUBLIC[name]}"), name)
            globals()[name] = value  # the next access costs nothing
            return value
        if name in _FOLDERS:
            return importlib.import_module(f"satmodels.{name}")
        import difflib

        close = difflib.get_close_matches(name, [*_PUBLIC, *_FOLDERS], n=3)
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        raise AttributeError(f"module 'satmodels' has no attribute {name!r}.{hint}")


def __dir__() -> list[str]:
    return sorted([*_PUBLIC, *_FOLDERS, "__version__"])
