"""PLSPM: partial least squares path modelling as a scikit-learn estimator."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from satmodels.arguments import check_arguments
from satmodels.errors import (
    ArgumentError,
    ConvergenceError,
    DataError,
    ImproperSolutionWarning,
    as_number,
    as_whole,
    one_of,
)
from satmodels.sem.index import item_scales
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.normal_table import NormalTable
from satmodels.sem.pls.answers import (
    Answers,
    check_scales,
    is_frame,
    read_answers,
    read_clusters,
    read_labels,
    read_moments,
    read_ordinal,
    read_recomputed,
)
from satmodels.sem.pls.compile import compile_structure
from satmodels.sem.pls.estimates import Estimates, estimate
from satmodels.sem.pls.missing import ROW_POLICIES, Missing
from satmodels.sem.pls.resampling import PLSResampling, ResamplingTable
from satmodels.sem.pls.result import PLSResult, build_result
from satmodels.sem.pls.structure import Structure
from satmodels.sem.pls.weighting import MAX_ITERATIONS, SCHEMES, TOLERANCE, Scheme
from satmodels.sem.recomputed_table import RecomputedTable
from satmodels.sem.resample_table import ResampleTable
from satmodels.statistics.moments import Moments
from satmodels.stored import read_document, write_document

Array = NDArray[np.float64]
VERSION = 1  # of the stored form
REPEATED = 1e-12  # correlations this near to 1 are of the same answers
COLLINEAR = 1e-10  # smallest eigenvalue of a mode-B block that is still treated as full rank


class PLSPM(TransformerMixin, BaseEstimator):
    r"""Partial least squares path modelling (PLS-PM, PLS-SEM).

    Parameters
    ----------
    spec : ModelSpec or str
        The model: constructs with their items and paths. ``=~`` blocks are mode A (correlation
        weights), ``<~`` blocks mode B (regression weights); a single item is its construct.
    scheme : {"path", "factorial", "centroid"}, default "path"
        Inner weights: regression coefficients on sources and correlations with targets; correlations;
        or their signs. "path" is what SmartPLS and seminr use by default.
    consistent : bool, default False
        Correct ``=~`` blocks for measurement error (consistent PLS, PLSc). Use it where the constructs
        are common factors of their items.
    missing : {"mean", "drop", "pairwise", "em", "error"}, default "mean"
        Replace a missing answer by the column's mean; leave the row out; correlate each pair of columns
        on the rows that have both; estimate the moments by maximum likelihood (EM, for answers missing at
        random); or refuse. "pairwise" and "em" give moments and no complete rows: resampling computes them anew
        in each draw, and what transforms or replaces rows (:func:`fit_test`, :func:`blindfold`) refuses them.
    ordered : bool, default False
        Whether the items are ordered categories (up to 15): polychoric correlations take the place of
        Pearson's (ordinal PLS). Rows with gaps are left out. It needs rows, large samples, and no weights;
        bootstraps and comparisons of groups compute them anew in each draw, what needs scores or predicts
        answers refuses them.
    tol : float, default 1e-7
        The iteration stops when no weight changes by this much.
    max_iter : int, default 300
        Largest number of rounds.

    Attributes
    ----------
    result_ : PLSResult
        Every table of the fitted model.
    n_iter_ : int
        Rounds of the algorithm.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        The columns that the model reads.

    Notes
    -----
    Items are standardised with divisor n - 1; construct scores have mean 0 and variance 1; a
    construct's sign is such that its loadings sum to a positive number. The algorithm works on the
    correlation matrix, so a fit from :class:`~satmodels.Moments` equals the fit from the rows.

    References
    ----------
    .. [1] Wold, H. (1982). Soft modeling: the basic design and some extensions. In Jöreskog and Wold
       (eds.), Systems under Indirect Observation, part 2, 1-54.
    .. [2] Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M. and Lauro, C. (2005). PLS path modeling.
       Computational Statistics & Data Analysis 48(1), 159-205.
    .. [3] Dijkstra, T. K. and Henseler, J. (2015). Consistent partial least squares path modeling. MIS
       Quarterly 39(2), 297-316.

    Examples
    --------
    >>> import satmodels as sat
    >>> study = sat.datasets.load_ecsi()
    >>> model = sat.PLSPM(study.spec).fit(study.moments)
    >>> model.result_.r2.round(3).iloc[2:4]
          construct     r2  r2_adjusted
    2         Value  0.345        0.340
    3  Satisfaction  0.681        0.676
    """

    def __init__(
        self,
        spec: ModelSpec | str,
        *,
        scheme: Scheme = "path",
        consistent: bool = False,
        missing: Missing = "mean",
        ordered: bool = False,
        tol: float = TOLERANCE,
        max_iter: int = MAX_ITERATIONS,
    ) -> None:
        self.spec = spec
        self.scheme: Scheme = scheme
        self.consistent = consistent
        self.missing: Missing = missing
        self.ordered = ordered
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Estimate the model.

        Parameters
        ----------
        X : dataframe, array or Moments
            Answers, one row per respondent, of any supported library; an array has the columns
            "x0", "x1", ... Only the model's columns are read. Moments give the same fit.
        y : ignored
        sample_weight : array of shape (rows,) or str, optional
            Survey weights, or the column that holds them.

        Raises
        ------
        ArgumentError
            A column is not there, or a parameter is wrong.
        SchemaError
            A column holds no numbers, or answers off the scale that the model knows.
        DataError
            A column is constant, the items of a mode-B block are collinear, or there are too few rows.
        ConvergenceError
            The construct scores vanish, so that no weights exist.
        """
        spec, structure = self._compile()
        check_scales(X, structure.columns, spec.scales)
        if self.ordered:
            moments, n_missing = read_ordinal(X, structure.columns, sample_weight, self.missing), 0
        else:
            moments, n_missing = read_moments(X, structure.columns, sample_weight, self.missing)
        self._fit_moments(spec, structure, moments, n_missing)
        if not isinstance(X, Moments) and not is_frame(X):
            del self.feature_names_in_  # the columns of an array have no names
            self.n_features_in_ = np.asarray(X).shape[1]
        return self

    def _fit_moments(self, spec: ModelSpec, structure: Structure, moments: Moments, n_missing: int) -> None:
        estimates = self._estimate(moments, structure)
        self.structure_ = structure
        self.result_: PLSResult = build_result(
            spec,
            structure,
            estimates,
            moments,
            scheme=self.scheme,
            consistent=self.consistent,
            n_missing=n_missing,
        )
        if self.result_.problems:
            warnings.warn("; ".join(self.result_.problems), ImproperSolutionWarning, stacklevel=3)
        self.n_iter_ = self.result_.iterations
        self.n_features_in_ = len(structure.columns)
        self.feature_names_in_ = np.asarray(structure.columns, dtype=object)

    def transform(self, X: Any) -> Array:
        """Return construct scores, shape (rows, constructs).

        New rows are standardised with the means and standard deviations of the rows that the model was
        fitted on. Missing answers take the fitted mean (``missing="mean"``); a row with a missing
        answer gives missing scores otherwise.
        """
        return self._standardised(X) @ self._weights()

    def predict(self, X: Any) -> Array:
        """Predict the items of the endogenous constructs, in the units of the answers.

        The scores of each construct's direct sources are computed from their items, its own score is
        predicted from theirs, and its items from that (Shmueli et al. 2016, "direct antecedents").

        Returns
        -------
        ndarray, shape (rows, items)
            Columns in the order of ``endogenous_items_``.
        """
        scores = self._standardised(X) @ self._weights()
        g = self.result_.groups[0]
        predicted = scores @ g.paths.T @ g.loadings.T
        at = [g.moments.columns.index(item) for item in self.endogenous_items_]
        return predicted[:, at] * g.moments.std[at] + g.moments.mean[at]

    @property
    def endogenous_items_(self) -> tuple[str, ...]:
        """The items that :meth:`predict` predicts."""
        check_is_fitted(self, "result_")
        g = self.result_.groups[0]
        return tuple(item for j, items in enumerate(g.items) if g.predecessors(j) for item in items)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the constructs: the columns of :meth:`transform`."""
        check_is_fitted(self, "result_")
        return np.asarray(self.result_.groups[0].constructs, dtype=object)

    def _check_parameters(self) -> None:
        check_arguments(type(self).__init__, self.get_params(deep=False))
        if self.scheme not in SCHEMES:
            raise one_of("scheme", self.scheme, SCHEMES)
        if not as_number("tol", self.tol) > 0:
            raise ArgumentError(f"tol={self.tol!r}: the tolerance is larger than 0")
        as_whole("max_iter", self.max_iter, 1)

    def _compile(self) -> tuple[ModelSpec, Structure]:
        self._check_parameters()
        spec = ModelSpec.of(self.spec)
        return spec, compile_structure(spec)

    def _estimate(self, moments: Moments, structure: Structure) -> Estimates:
        corr = checked_corr(moments, structure)
        estimates = estimate(
            corr[:, :, None],
            structure,
            scheme=self.scheme,
            consistent=self.consistent,
            tol=self.tol,
            max_iter=int(self.max_iter),
        )
        if np.isnan(estimates.weights).any():
            raise ConvergenceError(
                "the outer weights vanish: some construct is uncorrelated with all its neighbours, or two "
                "neighbours are the same. Check the paths and the items of each construct."
            )
        _refuse_undefined(estimates, structure, consistent=self.consistent)
        return estimates

    def _resampling(self, X: Any, *, sample_weight: Any, cluster: Any, scale: Any) -> PLSResampling:
        """Give :func:`satmodels.bootstrap` and the other resampling methods what they need."""
        spec, structure = self._compile()
        if isinstance(X, Moments) and not self.ordered:
            if cluster is not None:
                raise ArgumentError("moments hold no clusters: give the dataframe")
            moments, _ = read_moments(X, structure.columns, sample_weight, self.missing)
            self._estimate(moments, structure)
            return self._plan(spec, structure, NormalTable.of(moments), scale)
        check_scales(X, structure.columns, spec.scales)
        if self.ordered or self.missing not in ROW_POLICIES:
            redone, answers = read_recomputed(
                X, structure.columns, sample_weight, self.missing, ordered=self.ordered
            )
            self._estimate(redone.whole, structure)
            redone = replace(redone, unit=read_clusters(X, cluster, answers))
            return self._plan(spec, structure, redone, scale)
        answers = read_answers(X, structure.columns, sample_weight, self.missing)
        self._estimate(answers.moments, structure)  # what is wrong with the data is said before the draws
        unit = read_clusters(X, cluster, answers)
        return self._plan(spec, structure, ResampleTable.of(answers.rows, answers.weights, unit), scale)

    def _staged_resampling(
        self, X: Any, *, interaction: Any, higher_order: Any, sample_weight: Any, cluster: Any, scale: Any
    ) -> PLSResampling:
        """Give :func:`satmodels.bootstrap` a two-stage model, both stages of which each draw estimates."""
        from satmodels.sem.pls.stages import answered_columns, higher_order_table, interaction_table

        self._check_parameters()
        if interaction is not None:
            if higher_order is not None:
                raise ArgumentError(
                    "give either interaction= or higher_order=: a draw has two stages, not three"
                )
            spec, table = interaction_table(self, X, interaction, sample_weight, cluster)
        else:
            spec, table = higher_order_table(self, X, higher_order, sample_weight, cluster)
            if table is None:
                whole = type(self)(**self.get_params()).set_params(spec=spec)
                return whole._resampling(X, sample_weight=sample_weight, cluster=cluster, scale=scale)
        structure = compile_structure(spec)
        self._estimate(table.whole, structure)
        answered = answered_columns(spec, ModelSpec.of(self.spec))
        plan = self._plan(spec, structure, table, scale, answered)
        return plan if interaction is None else replace(plan, interaction=tuple(interaction))

    def _row_resampling(
        self, X: Any, *, sample_weight: Any, scale: Any = None
    ) -> tuple[PLSResampling, Answers]:
        """Give comparisons of parts of the rows what they need: the plan, and the rows with their gaps.

        Gaps are made up for within each part, as a fit of that part would.
        """
        spec, structure = self._compile()
        check_scales(X, structure.columns, spec.scales)
        if self.ordered or self.missing not in ("drop", "error"):
            table, answers = read_recomputed(
                X, structure.columns, sample_weight, self.missing, ordered=self.ordered
            )
            if not self.ordered and not np.isnan(answers.rows).any():
                table = ResampleTable.of(answers.rows, answers.weights)
        else:
            answers = read_answers(X, structure.columns, sample_weight, self.missing)
            table = ResampleTable.of(answers.rows, answers.weights)
        whole = table.whole if isinstance(table, RecomputedTable) else answers.moments
        self._estimate(whole, structure)
        return self._plan(spec, structure, table, scale), answers

    def _grouped_resampling(
        self, X: Any, by: str, *, sample_weight: Any, cluster: Any, scale: Any
    ) -> tuple[PLSResampling, list[Any], NDArray[np.intp] | None]:
        """Give the comparisons of groups what they need: the plan, and the group and the cluster of each row."""
        plan, answers = self._row_resampling(X, sample_weight=sample_weight, scale=scale)
        if by in plan.structure.columns:
            raise ArgumentError(f"column {by!r} is an item of the model: it can't be the group as well")
        return plan, read_labels(X, by, answers), read_clusters(X, cluster, answers)

    def _plan(
        self,
        spec: ModelSpec,
        structure: Structure,
        table: ResamplingTable,
        scale: Any,
        answered: Collection[str] | None = None,
    ) -> PLSResampling:
        """Return the plan; constructs made of scores, whose items are not among ``answered``, have no index."""
        items = [c for c in structure.columns if answered is None or c in answered]
        known = scale is not None or all(item in spec.scales for item in items)
        return PLSResampling(
            spec=spec,
            structure=structure,
            table=table,
            scheme=self.scheme,
            consistent=self.consistent,
            tol=self.tol,
            max_iter=int(self.max_iter),
            limits=item_scales(items, spec, scale) if known else {},
        )

    def _weights(self) -> Array:
        return self.result_.groups[0].weights

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing != "error"
        return tags

    def to_json(self) -> str:
        """Return the fitted model as a JSON document: parameters, specification, moments; no respondent."""
        check_is_fitted(self, "result_")
        parameters = {name: value for name, value in self.get_params().items() if name != "spec"}
        body = {
            "spec": self.result_.spec.to_json(),
            "parameters": parameters,
            "moments": self.result_.groups[0].moments.to_json(),
        }
        return write_document("PLSPM", VERSION, body)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a document of :meth:`to_json`: the model is estimated again from its moments.

        Raises
        ------
        ArgumentError, SpecError
            Anything about the text is not as :meth:`to_json` leaves it.
        """
        body = read_document(text, "PLSPM", VERSION, ("spec", "parameters", "moments"))
        try:
            model = cls(ModelSpec.from_json(body["spec"]), **body["parameters"])
        except (TypeError, AttributeError) as error:
            raise ArgumentError(f"the parameters of this stored PLSPM are not known: {error}") from error
        spec, structure = model._compile()
        # not fit(): the moments of ordered answers have their polychoric correlations already
        model._fit_moments(spec, structure, Moments.from_json(body["moments"]).select(structure.columns), 0)
        return model

    def _standardised(self, X: Any) -> Array:
        check_is_fitted(self, "result_")
        shape = () if is_frame(X) else np.asarray(X).shape
        if len(shape) == 2 and shape[1] != self.n_features_in_:
            raise ArgumentError(
                f"X has {shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} "
                "features as input"
            )
        moments = self.result_.groups[0].moments
        check_scales(X, moments.columns, self.result_.spec.scales)
        rows = read_answers(X, moments.columns, None, "keep").rows
        z = (rows - moments.mean) / moments.std
        return np.nan_to_num(z) if self.missing == "mean" else z


def checked_corr(moments: Moments, structure: Structure) -> Array:
    """Return the correlations in block order, shape (rows, rows).

    Raises
    ------
    DataError
        Naming the columns: no more rows than items, a constant column, a column that is there twice, a
        collinear block of mode B, or correlations that no data can have.
    """
    if moments.n < 3:
        raise DataError(f"a path model needs at least 3 rows: n_samples = {moments.n}")
    if moments.n <= len(moments.columns):
        raise DataError(
            f"{moments.n} rows are too few for {len(moments.columns)} items: with no more rows than items the "
            "correlations are singular. Collect more answers, or leave items out."
        )
    corr = moments.corr
    if np.linalg.eigvalsh(corr)[0] < -1e-8 * len(corr):
        raise DataError(
            "the correlations of the items are not positive semidefinite, so no data can have them: were "
            "pairs of columns correlated on different rows, or are there few rows for polychoric correlations?"
        )
    for j, sources in enumerate(structure.sources):
        name = structure.constructs[j]
        if len(sources) + 2 > moments.n:
            raise DataError(f"{name} has {len(sources)} sources: {moments.n} rows are too few")
    at = list(structure.places)
    corr = corr[np.ix_(at, at)]
    for j, block in enumerate(structure.blocks):
        if structure.modes[j] == "B":
            _refuse_collinear(corr[block, block], structure, j)
    _refuse_repeated(corr, [moments.columns[i] for i in at])
    return corr


def _refuse_undefined(estimates: Estimates, structure: Structure, *, consistent: bool) -> None:
    """Raise DataError where a correction or a regression does not exist."""
    names = structure.constructs
    if consistent:
        for j, rho in enumerate(estimates.rho_a[:, 0]):
            if not rho > 0:
                raise DataError(
                    f"the items {list(structure.items(j))} of {names[j]!r} have the reliability rho_A {rho:.3f}: they "
                    "hardly go together, and the correction for measurement error does not exist. Check their "
                    "coding, or use consistent=False.",
                    columns=structure.items(j),
                )
    undefined = np.isnan(estimates.paths[:, :, 0]).any(axis=1)
    if undefined.any():
        target = int(undefined.argmax())
        sources = [names[s] for s in structure.sources[target]]
        if consistent:
            raise DataError(
                f"the sources {sources} of {names[target]!r}, corrected for measurement error, have correlations "
                "that can't be (not positive definite), so their paths don't exist. Use consistent=False, or join "
                "constructs that respondents don't tell apart (see .htmt())."
            )
        raise DataError(
            f"the sources {sources} of {names[target]!r} are collinear: one is explained by the others, so their "
            "paths don't exist. Leave one out, or join them."
        )


def _refuse_repeated(corr: Array, columns: list[str]) -> None:
    """Raise DataError naming two columns that hold the same answers, or the same turned round."""
    alike = np.abs(corr) > 1 - REPEATED
    if np.count_nonzero(alike) == len(corr):  # each with itself
        return
    pairs = ([columns[i], columns[j]] for i, j in np.argwhere(np.triu(alike, 1)) if columns[i] != columns[j])
    for pair in pairs:
        raise DataError(
            f"the columns {pair} are collinear: the same answers are there twice. Leave one of them out.",
            columns=pair,
        )


def _refuse_collinear(corr: Array, structure: Structure, construct: int) -> None:
    values, vectors = np.linalg.eigh(corr)
    if values[0] > COLLINEAR:
        return
    items = structure.items(construct)
    involved = [item for item, v in zip(items, vectors[:, 0], strict=True) if abs(v) > 1e-6]
    raise DataError(
        f"the items {involved} of {structure.constructs[construct]!r} are collinear: regression weights "
        "(mode B, '<~') don't exist. Leave one out, or use '=~' (mode A).",
        columns=involved,
    )
