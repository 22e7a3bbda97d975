"""Another program's opinion on a fitted model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from satmodels.arguments import checked
from satmodels.errors import ArgumentError
from satmodels.sem.covariance.estimator import CBSEM
from satmodels.sem.covariance.fitting import LIKELIHOOD
from satmodels.sem.covariance.result import CovarianceResult

if TYPE_CHECKING:
    import pandas as pd


@checked
def cross_check(result: CovarianceResult) -> pd.DataFrame:
    """Refit a model with semopy, from the moments in its result, and lay the estimates side by side.

    Parameters
    ----------
    result : CovarianceResult
        Of maximum likelihood from complete rows of one group.

    Returns
    -------
    DataFrame
        ``lhs, op, rhs, native, semopy, difference`` (in standard errors), largest difference first.

    Raises
    ------
    EngineError
        semopy lacks what the model has; the message says what.

    Examples
    --------
    >>> import satmodels as sat
    >>> study = sat.datasets.load_ecsi()
    >>> result = sat.CBSEM(study.spec).fit(study.moments).result_
    >>> bool(sat.cross_check(result)["difference"].max() < 1e-4)
    True
    """
    if len(result.groups) != 1 or result.estimator not in LIKELIHOOD:
        raise ArgumentError("cross_check compares maximum likelihood of one group of complete rows")
    return CBSEM(result.spec).fit(result.groups[0].moments).cross_check()
