"""Stone-Geisser Q² by blindfolding: cross-validated redundancy of the endogenous constructs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, DataError, as_whole
from satmodels.intake.library import FrameLibrary
from satmodels.results import FrameBuilder, Result, Table
from satmodels.sem.pls.answers import Answers
from satmodels.sem.pls.estimates import estimate
from satmodels.sem.pls.missing import ROW_POLICIES, mean_replaced
from satmodels.sem.pls.resampling import PLSResampling
from satmodels.sem.pls.taken import check_plspm
from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]
OMISSION = 7  # Wold (1982): from 5 to 10
COLUMNS = ("term", "estimate", "sse", "sso", "n")


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class BlindfoldResult(Result):
    """Result of :func:`blindfold`: one row per endogenous construct.

    ``estimate`` is Q², 1 - ``sse`` / ``sso``; these are the sums of squared errors of the model and of the
    mean of the answers left, over all answers of the construct's items in their standard deviations; ``n``
    says how many answers.
    """

    library: FrameBuilder = dataclasses.field(default=FrameLibrary.PANDAS, compare=False)
    rows: Table
    omission: int
    kind: ClassVar[str] = "blindfold"

    def _tidy(self) -> Table:
        return self.rows

    def _glance(self) -> Mapping[str, Any]:
        return {
            "constructs": len(self.rows),
            "positive": sum(q > 0 for q in self.rows["estimate"]),
            "omission": self.omission,
        }


@checked
def blindfold(model: Any, X: Any, *, omission: int = OMISSION, sample_weight: Any = None) -> BlindfoldResult:
    r"""Compute Stone-Geisser Q² of each endogenous construct, as cross-validated redundancy.

    Parameters
    ----------
    model : PLSPM
        The model; it is not changed.
    X : dataframe or array
        The rows.
    omission : int, default 7
        Omission distance D: every D-th answer of a construct's items is left out, in D rounds that together
        leave out each answer once. From 5 to 12 is usual; D must not divide the number of rows, or whole
        rows would be left out.
    sample_weight : array or str, optional
        Survey weights, of the estimates and of the errors.

    Returns
    -------
    BlindfoldResult

    Notes
    -----
    The answers of a construct's items are counted item by item. In round g those numbered g, g + D, ... are
    replaced by the mean of the item's other answers, the whole model is estimated again, and each answer left
    out is predicted from the *sources* of its construct: path coefficients times their scores, times the
    item's loading. With E the squared errors of these predictions and O those of the means,

    .. math:: Q^2 = 1 - \frac{\sum_g E_g}{\sum_g O_g}.

    Missing answers (``missing="mean"``) are replaced like those left out, and not predicted: ``n`` counts the
    answers that were given. A positive value says that the model predicts better than means. Blindfolding leaves single answers out
    and keeps the rest of their row: for predictions of new respondents see :func:`pls_predict`.

    Raises
    ------
    ArgumentError
        The omission distance is no whole number from 2, or divides the number of rows.
    DataError
        The model can't be estimated in a round.

    References
    ----------
    .. [1] Stone, M. (1974). Cross-validatory choice and assessment of statistical predictions. Journal of the
       Royal Statistical Society B 36(2), 111-147.
    .. [2] Geisser, S. (1974). A predictive approach to the random effect model. Biometrika 61(1), 101-107.
    .. [3] Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M. and Lauro, C. (2005). PLS path modeling.
       Computational Statistics & Data Analysis 48(1), 159-205, section 5.

    Examples
    --------
    >>> import numpy as np, pandas as pd, satmodels as sat
    >>> rng = np.random.default_rng(1)
    >>> quality = rng.normal(size=200)
    >>> frame = pd.DataFrame({f"q{i}": quality + rng.normal(size=200) for i in (1, 2, 3)})
    >>> frame["l1"] = 0.6 * quality + rng.normal(size=200)
    >>> model = sat.PLSPM("Quality =~ q1 + q2 + q3\nLoyal =~ l1\nLoyal ~ Quality")
    >>> sat.blindfold(model, frame).tidy()[["term", "estimate"]].round(2)
        term  estimate
    0  Loyal      0.16
    """
    check_plspm(model, "blindfold")
    if model.ordered or model.missing not in ROW_POLICIES:
        raise ArgumentError(
            "blindfolding replaces answers by means: it takes the answers as numbers, with missing='mean' or 'drop'"
        )
    plan, answers = model._row_resampling(X, sample_weight=sample_weight)
    n = len(answers.rows)
    omission = as_whole("omission", omission, 2, n - 1)
    if n % omission == 0:
        usable = [d for d in range(5, 13) if n % d]
        raise ArgumentError(
            f"omission={omission!r} divides the number of rows, {n}, so that whole rows would be left out: "
            f"choose one of {usable}"
        )
    structure = plan.structure
    records: list[dict[str, Any]] = []
    for j, sources in enumerate(structure.sources):
        if sources:
            sse, sso, left_out = _errors(plan, answers, j, int(omission))
            q2 = 1 - sse / sso
            records.append(
                {"term": structure.constructs[j], "estimate": q2, "sse": sse, "sso": sso, "n": left_out}
            )
    return BlindfoldResult(rows=Table.from_records(records, COLUMNS), omission=int(omission))


def _errors(plan: PLSResampling, answers: Answers, construct: int, omission: int) -> tuple[float, float, int]:
    """Return the squared errors of the model and of the means, over all answers of a construct, and their number."""
    structure = plan.structure
    w = np.ones(len(answers.rows)) if answers.weights is None else answers.weights / answers.weights.mean()
    rows = mean_replaced(answers.rows, w, structure.columns)
    own = list(structure.places[structure.blocks[construct]])
    given = ~np.isnan(answers.rows[:, own])
    std = Moments.of_block(structure.columns, rows, w).std[own]
    number = np.arange(len(own) * len(rows)).reshape(len(own), len(rows)).T
    blinded: list[tuple[NDArray[np.bool_], Array, Moments]] = []
    for g in range(omission):
        out = number % omission == g
        left = (given & ~out) * w[:, None]
        mean = (rows[:, own] * left).sum(axis=0) / left.sum(axis=0)
        filled = rows.copy()
        filled[:, own] = np.where(given & ~out, rows[:, own], mean)
        blinded.append((given & out, filled, Moments.of_block(structure.columns, filled, w)))
    at = list(structure.places)
    corr = np.stack([moments.corr[np.ix_(at, at)] for _, _, moments in blinded], axis=2)
    fitted = estimate(
        corr,
        structure,
        scheme=plan.scheme,
        consistent=plan.consistent,
        tol=plan.tol,
        max_iter=plan.max_iter,
    )
    if not fitted.converged.all() or np.isnan(fitted.paths).any():
        raise DataError(
            f"the model can't be estimated without some answers of {structure.constructs[construct]!r}: choose "
            "another omission distance"
        )
    sse = sso = 0.0
    for g, (out, filled, moments) in enumerate(blinded):
        z = (filled - moments.mean) / moments.std
        inner = np.zeros(len(rows))
        for s in structure.sources[construct]:
            block = structure.blocks[s]
            scores = z[:, list(structure.places[block])] @ fitted.weights[block, g]
            inner += fitted.paths[construct, s, g] * scores
        predicted = inner[:, None] * fitted.loadings[structure.blocks[construct], g] * moments.std[own]
        truth = rows[:, own] - moments.mean[own]  # the mean of the filled answers is that of those left
        sse += float((out * w[:, None] * ((truth - predicted) / std) ** 2).sum())
        sso += float((out * w[:, None] * (truth / std) ** 2).sum())
    return sse, sso, int(given.sum())
