"""Do two nested models differ? Likelihood-ratio and scaled difference tests."""

from __future__ import annotations

from satmodels.errors import ArgumentError
from satmodels.sem.assessment.fit import upper_tail
from satmodels.sem.covariance.result import CovarianceResult


def difference_test(a: CovarianceResult, b: CovarianceResult) -> dict[str, float | None]:
    """Return the test of the more restricted of two nested models against the other.

    With MLR and MLM the difference is scaled (Satorra and Bentler 2001); where that factor is negative there is no
    test, and the values are None.

    Raises
    ------
    ArgumentError
        The models were not fitted to the same rows by the same estimator, or have equal degrees of freedom.
    """
    if a.estimator != b.estimator or a.n != b.n:
        raise ArgumentError(
            f"models to be compared are fitted by one estimator to the same rows, not {a.estimator} on {a.n} rows and "
            f"{b.estimator} on {b.n} rows"
        )
    if a.estimator in ("MLMV", "MLMVS", "ULS", "WLSMV", "ULSMV", "DWLS"):
        raise ArgumentError(
            f"differences of the test statistic of {a.estimator} have no known distribution; models of ordered answers "
            "are compared by model.difference_test(other), which has the moments"
        )
    restricted, free = sorted((a, b), key=lambda r: -(r.measures["df"] or 0))
    df0, df1 = restricted.measures["df"] or 0, free.measures["df"] or 0
    if df0 == df1:
        raise ArgumentError(f"both models have {df0:.0f} degrees of freedom: neither restricts the other")
    gap = (restricted.measures["chisq"] or 0.0) - (free.measures["chisq"] or 0.0)
    df = df0 - df1
    factor: float = 1.0
    c0 = restricted.measures.get("chisq_scaling_factor")
    if c0 is not None:
        c1 = free.measures.get("chisq_scaling_factor") or 0.0
        factor = (df0 * c0 - df1 * c1) / df
    if factor <= 0:
        return {"chisq": None, "df": df, "p_value": None, "scaling_factor": factor}
    gap /= factor
    return {"chisq": gap, "df": df, "p_value": upper_tail(max(gap, 0.0), df), "scaling_factor": factor}
