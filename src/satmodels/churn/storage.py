"""Save and load a fitted churn model: skops files, never pickle."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from satmodels.arguments import checked
from satmodels.churn.classifier import ChurnClassifier
from satmodels.churn.hazard import ChurnHazard
from satmodels.errors import ArgumentError, MissingExtraError
from satmodels.statistics.counts import as_names

# The types a saved churn model consists of, beyond those that skops trusts by itself. Loading builds
# objects of these types from plain data; it executes nothing else.
TRUSTED: tuple[str, ...] = (
    "datetime.timedelta",
    "functools.partial",  # of check_array, inside boosting with columns of words; a function needs trust of its own
    "satmodels.churn.calibration.Calibration",
    "satmodels.churn.classifier.ChurnClassifier",
    "satmodels.churn.encoding.Encoding",
    "satmodels.churn.hazard.ChurnHazard",
    "satmodels.churn.learners.BlendLearner",
    "satmodels.churn.learners.BoostingLearner",
    "satmodels.churn.learners.GivenLearner",
    "satmodels.churn.learners.SplineLearner",
    "satmodels.churn.profit.ChurnCosts",
    "satmodels.churn.spline_logistic.ColumnBasis",
    "satmodels.churn.spline_logistic.SplineLogistic",
    "satmodels.churn.window.ChurnWindow",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)


@checked
def save_churn_model(model: ChurnClassifier | ChurnHazard, path: str | os.PathLike[str]) -> None:
    """Save a fitted model.

    Parameters
    ----------
    model : ChurnClassifier or ChurnHazard
        A fitted model.
    path : path
        File to write; ``.skops`` is usual. An existing file is replaced.

    Raises
    ------
    ArgumentError
        It is another kind of model.
    MissingExtraError
        skops is not installed.
    """
    target = Path(path)
    try:
        _skops().dump(model, target)
    except ValueError as error:  # a name that no file can have
        raise ArgumentError(f"{path!r} is no path of a file: {error}") from error


@checked
def load_churn_model(path: str | os.PathLike[str], *, trusted: Sequence[str] = ()) -> Any:
    """Load a model that :func:`save_churn_model` wrote.

    Parameters
    ----------
    path : path
        The file.
    trusted : sequence of str
        Further types to trust, in full (``"module.Class"``): those of a classifier of your own. Look at the
        file with ``skops.io.get_untrusted_types`` first.

    Raises
    ------
    ArgumentError
        The file is no skops file (a pickle or joblib file is never read: it could execute anything), or it
        has types that are not trusted.
    MissingExtraError
        skops is not installed.

    Examples
    --------
    >>> import satmodels as sat
    >>> sat.load_churn_model("model.pkl")
    Traceback (most recent call last):
    ...
    satmodels.errors.ArgumentError: 'model.pkl' is no skops file...
    """
    path = Path(path)
    if not path.is_file() or not zipfile.is_zipfile(path):
        raise ArgumentError(
            f"{str(path)!r} is no skops file: write it with save_churn_model. Pickle and joblib files are not "
            "read, because reading one can execute anything."
        )
    io = _skops()
    try:
        found: list[str] = io.get_untrusted_types(file=path)
    except (KeyError, ValueError, TypeError) as error:
        raise ArgumentError(f"{str(path)!r} is no skops file: {error}") from error
    strange = sorted(set(found) - set(TRUSTED) - set(as_names(trusted)))
    if strange:
        raise ArgumentError(
            f"{str(path)!r} has types that are not trusted: {strange[:5]}. If the file is your own and these are "
            "the parts of your classifier, name them in trusted=."
        )
    model = io.load(path, trusted=found)
    if not isinstance(model, ChurnClassifier | ChurnHazard):
        raise ArgumentError(f"{str(path)!r} holds a {type(model).__name__}, not a churn model")
    return model


def _skops() -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise MissingExtraError("skops", "skops") from error
    return skops.io
