"""PLSpredict: how well the model predicts answers that it has not seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, DataError, as_seed, as_whole
from satmodels.intake.library import FrameLibrary
from satmodels.results import FrameBuilder, Result, Table
from satmodels.sem.pls.answers import Answers
from satmodels.sem.pls.estimates import Estimates, estimate
from satmodels.sem.pls.resampling import PLSResampling
from satmodels.sem.pls.structure import Structure
from satmodels.sem.pls.taken import check_plspm
from satmodels.sem.resample_table import MOST_DRAWS, moments_of

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
COLUMNS = ("term", "construct", "q2_predict", "rmse", "mae", "rmse_linear", "mae_linear", "n")
TEST_COLUMNS = ("benchmark", "estimate", "std_error", "statistic", "p_value", "n")


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class PLSPredictResult(Result):
    """Result of :func:`pls_predict`: one row per item of an endogenous construct.

    ``q2_predict`` is 1 minus the squared errors over those of the training mean; ``rmse`` and ``mae`` are
    the model's errors in the units of the answers, ``rmse_linear`` and ``mae_linear`` those of a linear
    regression of the item on all items of the construct's sources.
    """

    library: FrameBuilder = dataclasses.field(default=FrameLibrary.PANDAS, compare=False)
    rows: Table
    tests: Table
    folds: int
    repetitions: int
    seed: int | None
    kind: ClassVar[str] = "pls_predict"

    def _tidy(self) -> Table:
        return self.rows

    def _glance(self) -> Mapping[str, Any]:
        better = sum(a < b for a, b in zip(self.rows["rmse"], self.rows["rmse_linear"], strict=True))
        return {
            "items": len(self.rows),
            "q2_positive": sum(q > 0 for q in self.rows["q2_predict"]),
            "better_than_linear": better,
            "folds": self.folds,
            "repetitions": self.repetitions,
            "seed": self.seed,
        }

    def cvpat(self) -> pd.DataFrame:
        """Return the cross-validated predictive ability test: model's loss minus each benchmark's.

        The loss of a respondent is the mean squared error over the endogenous items; negative
        differences speak for the model. Two-sided t-test (Liengaard et al. 2021, Decision Sciences
        52(2)).
        """
        return FrameLibrary.PANDAS.build(self.tests.columns())


@checked
def pls_predict(
    model: Any,
    X: Any,
    *,
    folds: int = 10,
    repetitions: int = 10,
    seed: int | None = None,
    sample_weight: Any = None,
) -> PLSPredictResult:
    """Predict the items of endogenous constructs by cross-validation.

    Parameters
    ----------
    model : PLSPM
        The model; it is estimated without each fold in turn.
    X : dataframe or array
        The rows.
    folds : int, default 10
        Number of parts.
    repetitions : int, default 10
        How often the rows are dealt into parts anew; predictions are averaged over them.
    seed : int, optional
        Seed of the random numbers.
    sample_weight : array or str, optional
        Survey weights, of the estimates and of the errors.

    Returns
    -------
    PLSPredictResult

    Notes
    -----
    The items of a construct's direct sources give their scores, these the construct, and this its items
    ("direct antecedents"). Weights, paths, means and standard deviations all come from the other folds, and so
    does what the model's ``missing`` makes of gaps there. A gap in a row that is predicted takes the other folds'
    mean; errors count only the answers that were given, ``n`` says how many.

    References
    ----------
    .. [1] Shmueli, G., Ray, S., Velasquez Estrada, J. M. and Chatla, S. B. (2016). The elephant in the
       room: predictive performance of PLS models. Journal of Business Research 69(10), 4552-4564.
    .. [2] Shmueli, G. et al. (2019). Predictive model assessment in PLS-SEM. European Journal of Marketing
       53(11), 2322-2347.
    """
    check_plspm(model, "pls_predict")
    if model.ordered:
        raise ArgumentError("ordered=True predicts no answers: take them as numbers for pls_predict")
    plan, answers = model._row_resampling(X, sample_weight=sample_weight)
    n = len(answers.rows)
    folds = as_whole("folds", folds, 2, n)
    repetitions, seed = as_whole("repetitions", repetitions, 1, MOST_DRAWS), as_seed(seed)
    rng = np.random.default_rng(seed)
    structure = plan.structure
    wanted = [
        (j, place)
        for j, s in enumerate(structure.sources)
        if s
        for place in structure.places[structure.blocks[j]]
    ]
    predicted = np.zeros((3, n, len(wanted)))  # by the model, by the linear regression, by the mean
    for _ in range(repetitions):
        fold = rng.permutation(np.arange(n) % folds)
        predicted += _one_repetition(plan, answers.rows, fold, folds, wanted)
    predicted /= repetitions
    truth = answers.rows[:, [place for _, place in wanted]]
    return _result(plan, answers, predicted - truth, wanted, folds, repetitions, seed)


def _one_repetition(
    plan: PLSResampling, rows: Array, fold: NDArray[np.intp], folds: int, wanted: list[tuple[int, int]]
) -> Array:
    structure, table = plan.structure, plan.parts_table
    counts = (fold != np.arange(folds)[:, None]).astype(float)
    moments = moments_of(table.sums(counts), table.centre)
    at = list(structure.places)
    fitted = estimate(
        moments.corr[np.ix_(at, at)],
        structure,
        scheme=plan.scheme,
        consistent=plan.consistent,
        tol=plan.tol,
        max_iter=plan.max_iter,
    )
    if not fitted.converged.all() or np.isnan(fitted.paths).any():
        raise DataError("the model can't be estimated without one of the folds: use fewer folds")
    found = np.empty((3, len(fold), len(wanted)))
    for f in range(folds):
        held = np.flatnonzero(fold == f)
        mean, std = moments.mean[:, f], moments.std[:, f]
        z = np.nan_to_num((rows[held] - mean) / std)  # a gap takes the mean of the other folds
        corr = moments.corr[:, :, f]
        found[0, held] = _by_model(z, fitted, structure, f, wanted)
        found[1, held] = _by_regression(z, corr, structure, wanted)
        found[2, held] = 0
        places = [place for _, place in wanted]
        found[:, held] = found[:, held] * std[places] + mean[places]
    return found


def _by_model(
    z: Array, fitted: Estimates, structure: Structure, f: int, wanted: list[tuple[int, int]]
) -> Array:
    scores = np.stack(
        [z[:, list(structure.places[b])] @ fitted.weights[b, f] for b in structure.blocks], axis=1
    )
    constructs = scores @ fitted.paths[:, :, f].T
    loading = {
        (j, place): fitted.loadings[b.start + i, f]
        for j, b in enumerate(structure.blocks)
        for i, place in enumerate(structure.places[b])
    }
    return np.stack([constructs[:, j] * loading[j, place] for j, place in wanted], axis=1)


def _by_regression(z: Array, corr: Array, structure: Structure, wanted: list[tuple[int, int]]) -> Array:
    columns: list[Array] = []
    for j, place in wanted:
        inputs = sorted(
            {p for s in structure.sources[j] for p in structure.places[structure.blocks[s]]} - {place}
        )
        slopes = np.linalg.lstsq(corr[np.ix_(inputs, inputs)], corr[inputs, place], rcond=None)[0]
        columns.append(z[:, inputs] @ slopes)
    return np.stack(columns, axis=1)


def _result(
    plan: PLSResampling,
    answers: Answers,
    errors: Array,
    wanted: list[tuple[int, int]],
    folds: int,
    repetitions: int,
    seed: int | None,
) -> PLSPredictResult:
    weights = np.ones(len(answers.rows)) if answers.weights is None else answers.weights
    given = ~np.isnan(errors[0])  # what was not answered can't be missed
    errors = np.where(given, errors, 0.0)
    w = given * weights[:, None]
    w = w / w.sum(axis=0)
    squares = np.einsum("nq,bnq->bq", w, errors**2)
    sizes = np.einsum("nq,bnq->bq", w, np.abs(errors))
    rows = [
        {
            "term": plan.structure.columns[place],
            "construct": plan.structure.constructs[j],
            "q2_predict": float(1 - squares[0, q] / squares[2, q]),
            "rmse": float(np.sqrt(squares[0, q])),
            "mae": float(sizes[0, q]),
            "rmse_linear": float(np.sqrt(squares[1, q])),
            "mae_linear": float(sizes[1, q]),
            "n": int(given[:, q].sum()),
        }
        for q, (j, place) in enumerate(wanted)
    ]
    answered = given.any(axis=1)
    loss = (errors**2).sum(axis=2)[:, answered] / given.sum(axis=1)[answered]
    tests = [
        _loss_test(name, loss[0] - loss[benchmark], weights[answered])
        for name, benchmark in (("mean", 2), ("linear", 1))
    ]
    return PLSPredictResult(
        rows=Table.from_records(rows, COLUMNS),
        tests=Table.from_records(tests, TEST_COLUMNS),
        folds=int(folds),
        repetitions=int(repetitions),
        seed=seed,
    )


def _loss_test(benchmark: str, difference: Array, weights: Array) -> dict[str, Any]:
    """Return the t-test of the mean difference of losses."""
    from scipy.special import stdtr

    n, w = len(difference), weights / weights.sum()
    centre = float(w @ difference)
    spread = w @ (difference - centre) ** 2 * n / (n - 1)
    std_error = float(np.sqrt(spread * (w @ w)))
    t = centre / std_error if std_error > 0 else float("nan")
    p = float(2 * stdtr(n - 1, -abs(t)))
    return {
        "benchmark": benchmark,
        "estimate": centre,
        "std_error": std_error,
        "statistic": t,
        "p_value": p,
        "n": n,
    }
