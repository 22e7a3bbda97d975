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
    "MissingExtraError": "errors",
    "SatmodelsError": "errors",
    "SatmodelsWarning": "errors",
    "SchemaError": "errors",
    "SmallSampleWarning": "errors",
    "SpecError": "errors",
    # statistics
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
    # scores
    "SEGMENTS": "scores.rfm_segments",
    "Segment": "scores.rfm_segments",
    "rfm": "scores.rfm",
    # structural models
    "ModelSpec": "sem.model.spec",
    "PLSPM": "sem.pls.estimator",
    "acsi": "sem.model.templates",
    "ccsi": "sem.model.templates",
    "ecsi": "sem.model.templates",
    # kano
    "KanoTable": "kano_model.tables",
    "kano": "kano_model.analysis",
    # drivers
    "importance_performance": "drivers.importance_performance",
    "key_drivers": "drivers.key_drivers",
    "priorities": "drivers.priorities",
    # churn
    # figures
    "plot": "plots.plot",
}
_FOLDERS = ("datasets", "plots")  # reached as sat.datasets.…, sat.plots.…

__version__ = "0.1.0"
__all__ = sorted(_PUBLIC)  # noqa: PLE0605  # pyright: ignore[reportUnsupportedDunderAll] - one list, not two

if TYPE_CHECKING:
    # errors and warnings
    from satmodels.errors import ArgumentError as ArgumentError
    from satmodels.errors import ConvergenceError as ConvergenceError
    from satmodels.errors import DataError as DataError
    from satmodels.errors import EngineError as EngineError
    from satmodels.errors import IdentificationError as IdentificationError
    from satmodels.errors import ImproperSolutionWarning as ImproperSolutionWarning
    from satmodels.errors import MissingExtraError as MissingExtraError
    from satmodels.errors import SatmodelsError as SatmodelsError
    from satmodels.errors import SatmodelsWarning as SatmodelsWarning
    from satmodels.errors import SchemaError as SchemaError
    from satmodels.errors import SmallSampleWarning as SmallSampleWarning
    from satmodels.errors import SpecError as SpecError

    # kano
    from satmodels.kano_model.analysis import kano as kano
    from satmodels.kano_model.tables import KanoTable as KanoTable

    # drivers
    from satmodels.drivers.importance_performance import importance_performance as importance_performance
    from satmodels.drivers.key_drivers import key_drivers as key_drivers
    from satmodels.drivers.priorities import priorities as priorities

    # churn
    # figures
    from satmodels.plots.plot import plot as plot

    # scores
    from satmodels.scores.rfm import rfm as rfm
    from satmodels.scores.rfm_segments import SEGMENTS as SEGMENTS
    from satmodels.scores.rfm_segments import Segment as Segment

    # structural models
    from satmodels.sem.model.spec import ModelSpec as ModelSpec
    from satmodels.sem.pls.estimator import PLSPM as PLSPM
    from satmodels.sem.model.templates import acsi as acsi
    from satmodels.sem.model.templates import ccsi as ccsi
    from satmodels.sem.model.templates import ecsi as ecsi

    # statistics
    from satmodels.statistics.counts import ScoreCounts as ScoreCounts
    from satmodels.statistics.moments import Moments as Moments
    from satmodels.statistics.pair_counts import PairCounts as PairCounts

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
    from satmodels.survey.scale import Scale as Scale
    from satmodels.survey.survey import Survey as Survey


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
