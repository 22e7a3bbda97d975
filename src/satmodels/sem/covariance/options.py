"""Which options of a covariance model there are, and which go together."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from satmodels.arguments import check_arguments
from satmodels.errors import ArgumentError, SpecError, check_word
from satmodels.sem.covariance.fitting import LIKELIHOOD
from satmodels.sem.covariance.ordinal import ORDINAL
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.model.terms import Term
from satmodels.statistics.intervals import check_level

ESTIMATORS = (*LIKELIHOOD, "GLS", "ULS", "WLS", "DWLS", "WLSMV", "ULSMV")
STANDARD_ERRORS = ("auto", "expected", "observed", "robust")
MISSING = ("drop", "fiml", "pairwise")
PARAMETERIZATIONS = ("delta", "theta")


def check_options(model: Any) -> None:
    """Refuse options of a CBSEM that are unknown or exclude each other."""
    check_arguments(type(model).__init__, model.get_params(deep=False))
    for name, known in (
        ("estimator", ESTIMATORS),
        ("missing", MISSING),
        ("likelihood", ("normal", "wishart")),
        ("engine", ("native", "semopy")),
        ("standard_errors", STANDARD_ERRORS),
        ("parameterization", PARAMETERIZATIONS),
    ):
        check_word(name, getattr(model, name), known)
    for name in ("ordered", "equal", "partial"):
        words(name, getattr(model, name))
    check_level(model.level)
    if model.ordered:
        _check_ordered(model)
        return
    if model.estimator in ("WLSMV", "ULSMV"):
        raise ArgumentError(
            f"estimator={model.estimator!r} is for ordered answers: name the columns in ordered="
        )
    if model.missing == "pairwise":
        raise ArgumentError(
            'missing="pairwise" is for ordered answers; missing="fiml" uses all numbers there are'
        )
    if model.missing == "fiml" and model.estimator not in LIKELIHOOD:
        raise ArgumentError(
            f'missing="fiml" needs maximum likelihood ({", ".join(LIKELIHOOD)}), not {model.estimator!r}'
        )
    if model.likelihood == "wishart" and (model.estimator != "ML" or model.missing == "fiml"):
        raise ArgumentError('likelihood="wishart" goes with estimator "ML" and complete rows')
    if model.parameterization != "delta":
        raise ArgumentError("parameterization= speaks of ordered answers: name the columns in ordered=")


def _check_ordered(model: Any) -> None:
    if model.estimator not in ORDINAL:
        raise ArgumentError(
            f"estimator={model.estimator!r} does not take ordered columns; these do: {', '.join(ORDINAL)}"
        )
    if model.missing == "fiml":
        raise ArgumentError('ordered columns go with missing="drop" or missing="pairwise"')
    if model.cluster is not None:
        raise ArgumentError("ordered columns go without clusters so far")


def words(parameter: str, given: object) -> tuple[str, ...]:
    """Return the texts of a parameter, one text standing for a list of one, or raise ArgumentError."""
    texts: Any = (given,) if isinstance(given, str) else given
    if not isinstance(texts, Sequence | Set) or not all(isinstance(t, str) for t in texts):
        raise ArgumentError(f"{parameter}={given!r}: give texts, as in {parameter}=[...]")
    return tuple(texts)


def released(partial: Sequence[str] | str) -> tuple[Term, ...]:
    """Return the parameters that are not equal across groups, given in the model's words: ``"q2 ~ 1"``.

    Raises
    ------
    ArgumentError
        A text names no parameter.
    """
    found: list[Term] = []
    for text in words("partial", partial):
        try:
            found += ModelSpec.parse(text).terms
        except SpecError as error:
            raise ArgumentError(
                f"partial: {text!r} names no parameter; one reads 'Quality =~ q2', 'q2 ~ 1', 'q2 ~~ q2' or 'q2 | t1'"
            ) from error
    return tuple(found)
