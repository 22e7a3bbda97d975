"""What the functions about PLS models take: an estimator, fitted or not."""

from __future__ import annotations

import warnings
from typing import Any

from satmodels.errors import ArgumentError, SatmodelsWarning


def check_plspm(model: Any, function: str, instead: str = "") -> None:
    """Raise ArgumentError, with what to do instead, unless a model is a PLSPM."""
    # known by a method of its own: the class itself lies above the functions that it calls
    if not hasattr(model, "_staged_resampling"):
        raise ArgumentError(f"{function} takes a PLSPM, not a {type(model).__name__}{instead}")


def warn_uncorrected(model: Any, what: str) -> None:
    """Warn that consistent PLS leaves the measurement error in what is computed from scores."""
    if model.consistent:
        warnings.warn(
            f"consistent=True does not correct {what} for measurement error: effects of it and on it are too small "
            "where items are not perfectly reliable",
            SatmodelsWarning,
            stacklevel=4,
        )
