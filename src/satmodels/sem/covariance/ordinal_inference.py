"""Standard errors, tests and difference tests of models of ordered answers.

References
----------
.. [1] Satorra, A. (2000). Scaled and adjusted restricted tests in multi-sample analysis of moment structures. In
   Heijmans, Pollock and Satorra (eds), Innovations in multivariate statistical analysis.
.. [2] Asparouhov, T. and Muthen, B. (2010). Simple second order chi-square correction. Mplus technical appendix.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from satmodels.sem.assessment import fit as measures
from satmodels.sem.covariance.categorical_fit import categorical_measures
from satmodels.sem.covariance.fitting import Fit, inverse_or_none
from satmodels.sem.covariance.group_moments import GroupMoments
from satmodels.sem.covariance.inference import NOT_IDENTIFIED, Inference
from satmodels.sem.covariance.responses import as_responses

Array = NDArray[np.floating[Any]]
Held = NDArray[np.bool_]
ADJUSTED = ("WLSMV", "ULSMV")


def infer_ordinal(
    fit: Fit, moments: Sequence[GroupMoments], held: Held, estimator: str, errors: str
) -> Inference:
    """Return standard errors and measures of fit.

    Parameters
    ----------
    fit : Fit
    moments : sequence of GroupMoments
    held : ndarray of bool
        Moments of a group that the baseline model holds at 0.
    estimator : {"WLSMV", "ULSMV", "DWLS", "ULS"}
    errors : str
        "expected" trusts the weights; anything else is a sandwich.
    """
    k = fit.problem.ties.k
    slopes = jacobians(fit)
    inner = inverse_or_none(_products(slopes, [m.weight for m in moments], moments))
    vcov = None
    if inner is not None:
        middle = inner
        if errors != "expected":
            middle = inner @ _meat(slopes, moments) @ inner
        vcov = fit.to_units(k @ middle @ k.T)
    result = _measures(fit, moments, held)
    if estimator in ADJUSTED and inner is not None:
        blocks = [m.weight[:, None] * m.gamma for m in moments]
        base = [b[np.ix_(held, held)] for b in blocks]
        result |= _scaled_and_shifted(
            result, _traces(blocks, slopes, moments, inner), _plain_traces(base), fit
        )
        result |= categorical_measures(fit, moments, slopes, result)
    if estimator in ("ULS", "ULSMV"):
        result |= {"pvalue": None, "baseline_pvalue": None}
    return Inference(vcov, result, [] if vcov is not None else [NOT_IDENTIFIED])


def jacobians(fit: Fit) -> list[Array]:
    """Return per group the derivatives of its moments in the parameters that vary."""
    k = fit.problem.ties.k
    found: list[Array] = []
    for implied in fit.solution.implied:
        responses = as_responses(implied)
        found.append(responses.jacobian @ k[implied.arrows.places])
    return found


def _products(slopes: Sequence[Array], weights: Sequence[Array], moments: Sequence[GroupMoments]) -> Array:
    parts = [size * (d.T * w) @ d for d, w, size in zip(slopes, weights, _sizes(moments), strict=True)]
    return np.asarray(sum(parts))


def _sizes(moments: Sequence[GroupMoments]) -> list[float]:
    """Return the groups' sizes, which together make n less the number of groups (as lavaan has it)."""
    n = sum(m.n for m in moments)
    return [m.n * (n - len(moments)) / n for m in moments]


def _meat(slopes: Sequence[Array], moments: Sequence[GroupMoments]) -> Array:
    parts: list[Array] = []
    for d, m, size in zip(slopes, moments, _sizes(moments), strict=True):
        weighted = m.weight[:, None] * d
        parts.append(size * weighted.T @ m.gamma @ weighted)
    return np.asarray(sum(parts))


def _plain_traces(blocks: Sequence[Array]) -> tuple[float, float]:
    """Return tr(B) and tr(B B) of a block-diagonal matrix."""
    return (
        sum(float(np.trace(b)) for b in blocks),
        sum(float((b * b.T).sum()) for b in blocks),
    )


def _traces(
    blocks: Sequence[Array], slopes: Sequence[Array], moments: Sequence[GroupMoments], inner: Array
) -> tuple[float, float]:
    """Return tr(U Gamma) and tr(U Gamma U Gamma), U the weights less what the parameters take up.

    With blocks B = W Gamma, U Gamma = B - n W D I^-1 D' B, so that the traces are sums over groups.
    """
    first, second = _plain_traces(blocks)
    size = len(inner)
    one, two = np.zeros((size, size)), np.zeros((size, size))
    for b, d, m, share in zip(blocks, slopes, moments, _sizes(moments), strict=True):
        half = b @ (m.weight[:, None] * d)  # W Gamma W D
        one += share * d.T @ half
        two += share * d.T @ b @ half
    taken = inner @ one
    return first - float(np.trace(taken)), second - 2 * float((inner * two.T).sum()) + float(
        (taken * taken.T).sum()
    )


def _measures(fit: Fit, moments: Sequence[GroupMoments], held: Held) -> dict[str, float | None]:
    p, groups = len(fit.table.observed), len(moments)
    df, base_df = fit.df, int(held.sum()) * groups
    chisq = 2 * fit.solution.value
    # weights are diagonal: what the baseline model leaves free fits exactly
    base = sum((m.n - 1) * float(m.weight[held] @ m.found[held] ** 2) for m in moments)
    result: dict[str, float | None] = {
        "npar": fit.npar,
        "chisq": chisq,
        "df": df,
        "pvalue": measures.upper_tail(chisq, df),
        "baseline_chisq": base,
        "baseline_df": base_df,
        "baseline_pvalue": measures.upper_tail(base, base_df),
    }
    result |= measures.comparative_fit(chisq, df, base, base_df)
    result["ntotal"] = fit.n
    result |= measures.rmsea(chisq, df, fit.n - groups, groups)
    srmr = 0.0
    for m, implied in zip(moments, fit.solution.implied, strict=True):
        responses = as_responses(implied)
        gap = (responses.moments - m.found)[-len(m.spread) :] / m.spread
        srmr += m.share * float(np.sqrt((gap**2).sum() / (p * (p + 1) / 2)))
    result["srmr"] = srmr
    return result


def _scaled_and_shifted(
    found: dict[str, float | None], traces: tuple[float, float], base_traces: tuple[float, float], fit: Fit
) -> dict[str, float | None]:
    chisq, df = found["chisq"] or 0.0, int(found["df"] or 0)
    base, base_df = found["baseline_chisq"] or 0.0, int(found["baseline_df"] or 0)
    scaled, factor = shifted(chisq, df, traces)
    base_scaled, base_factor = shifted(base, base_df, base_traces)
    result: dict[str, float | None] = {
        "chisq_scaled": scaled,
        "df_scaled": df,
        "pvalue_scaled": measures.upper_tail(scaled, df),
        "chisq_scaling_factor": factor,
        "baseline_chisq_scaled": base_scaled,
        "baseline_df_scaled": base_df,
        "baseline_pvalue_scaled": measures.upper_tail(base_scaled, base_df),
        "baseline_chisq_scaling_factor": base_factor,
    }
    relative = measures.comparative_fit(scaled, df, base_scaled, base_df)
    result |= {f"{name}_scaled": value for name, value in relative.items()}
    groups = len(fit.samples)
    close = measures.rmsea(scaled, df, fit.n - groups, groups)
    return result | {f"{name}_scaled": value for name, value in close.items()}


def shifted(chisq: float, df: int, traces: tuple[float, float]) -> tuple[float, float]:
    """Return the statistic with the mean and variance of a chi-square variable, and its scaling factor."""
    if df == 0:
        return chisq, 1.0
    a = float(np.sqrt(df / traces[1]))
    return a * chisq + df - a * traces[0], 1 / a


def satorra_difference(
    restricted: Fit, free: Fit, moments: Sequence[GroupMoments]
) -> dict[str, float | None]:
    """Return the test of a restricted model against a less restricted one, scaled and shifted (Satorra 2000).

    The restriction is read off the derivatives of the moments: what the parameters of the free model can do and those
    of the restricted one can't.
    """
    df = free.npar - restricted.npar
    chisq = 2 * (restricted.solution.value - free.solution.value)
    slopes, inside = jacobians(free), np.vstack(jacobians(restricted))
    whole = np.vstack(slopes)
    reach = np.linalg.lstsq(whole, inside, rcond=None)[0]
    restriction = linalg.null_space(reach.T).T
    inner = inverse_or_none(_products(slopes, [m.weight for m in moments], moments))
    if inner is None or df <= 0 or len(restriction) != df:
        return {"chisq": None, "df": df, "p_value": None, "scaling_factor": None}
    back = inner @ restriction.T
    kernel = back @ np.linalg.inv(restriction @ back) @ back.T
    product = kernel @ _meat(slopes, moments)
    traces = float(np.trace(product)), float((product * product.T).sum())
    scaled, factor = shifted(chisq, df, traces)
    scaled = max(scaled, 0.0)
    return {
        "chisq": scaled,
        "df": df,
        "p_value": measures.upper_tail(scaled, df),
        "scaling_factor": factor,
    }
