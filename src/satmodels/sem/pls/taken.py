"""What the functions about PLS models take: an estimator, fitted or not."""

from __future__ import annotations

from typing import Any

from satmodels.errors import ArgumentError


def check_plspm(model: Any, function: str, instead: str = "") -> None:
    """Raise ArgumentError, with what to do instead, unless a model is a PLSPM."""
    # known by a method of its own: the class itself lies above the functions that it calls
    if not hasattr(model, "_staged_resampling"):
        raise ArgumentError(f"{function} takes a PLSPM, not a {type(model).__name__}{instead}")
