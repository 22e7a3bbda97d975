"""One public function draws every result: the result's kind decides the figure."""

from __future__ import annotations

import importlib
from typing import Any

from satmodels.arguments import checked
from satmodels.errors import ArgumentError
from satmodels.results import Result

# result kind -> module of this folder and its function(result, **options) -> matplotlib Figure
_FIGURES: dict[str, tuple[str, str]] = {
    "reliability": ("survey", "reliability_figure"),
    "missing": ("survey", "missing_figure"),
    "outliers": ("survey", "outliers_figure"),
    "weight_summary": ("survey", "weights_figure"),
    "careless": ("survey", "careless_figure"),
    "check": ("survey", "check_figure"),
    "churn_report": ("churn", "churn_figure"),
    "drift": ("churn", "drift_figure"),
    "inactivity_horizon": ("churn", "inactivity_figure"),
    "survival_report": ("churn", "survival_figure"),
    "pls": ("sem", "structural"),
    "covariance": ("covariance", "covariance"),
    "invariance": ("covariance", "invariance"),
    "bootstrap": ("sem", "bootstrap"),
    "group_comparison": ("sem", "groups"),
    "micom": ("pls", "micom_figure"),
    "pls_predict": ("pls", "predict_figure"),
    "fit_test": ("pls", "fit_test_figure"),
    "blindfold": ("pls", "blindfold_figure"),
    "ipma": ("sem", "importance_map"),
    "what_if": ("sem", "change"),
    "importance_performance": ("drivers", "importance_performance_figure"),
    "journey": ("journey", "journey_figure"),
    "kano": ("kano", "kano_figure"),
    "kano_bootstrap": ("kano_stability", "stability_figure"),
    "kano_changes": ("kano_groups", "changes_figure"),
    "kano_continuous": ("kano", "continuous_figure"),
    "kano_segments": ("kano_groups", "segments_figure"),
    "dominance": ("dominance", "dominance_figure"),
    "key_drivers": ("drivers", "drivers_figure"),
    "penalty_reward": ("drivers", "penalty_reward_figure"),
    "priorities": ("drivers", "priorities_figure"),
    "reach_noise": ("drivers", "reach_noise_figure"),
    "response_curve": ("drivers", "response_curve_figure"),
    "rfm": ("rfm", "rfm_figure"),
    "rfm_migration": ("rfm", "migration_figure"),
    "score": ("scores", "score_figure"),
    "indicators": ("indicators", "indicator_figure"),
    "tolerance": ("servqual", "tolerance_figure"),
    "servqual": ("servqual", "servqual_figure"),
    "control": ("comparisons", "control_figure"),
    "trend": ("comparisons", "trend_figure"),
    "comparison": ("comparisons", "comparison_figure"),
    "index": ("scores", "score_figure"),
}


@checked
def plot(result: Result, **options: Any) -> Any:
    """Draw a result.

    Parameters
    ----------
    result : Result
        Any result of satmodels.
    **options
        Options of that kind of figure; see the module of :mod:`satmodels.plots` that draws it.

    Returns
    -------
    matplotlib.figure.Figure
        Shown as it is by a notebook; ``.savefig(path)`` writes it.

    Raises
    ------
    ArgumentError
        There is no figure for this kind of result, or an option is unknown.
    MissingExtraError
        matplotlib is not installed.
    """
    kind = getattr(result, "kind", None)
    if not isinstance(kind, str) or kind not in _FIGURES:
        known = ", ".join(sorted(_FIGURES))
        raise ArgumentError(f"there is no figure for {type(result).__name__}; results with one: {known}")
    module, name = _FIGURES[kind]
    draw = getattr(importlib.import_module(f"satmodels.plots.{module}"), name)
    try:
        return draw(result, **options)
    except TypeError as error:
        if "unexpected keyword argument" in str(error):
            raise ArgumentError(f"{error}: see satmodels.plots.{module}.{name}") from error
        raise
