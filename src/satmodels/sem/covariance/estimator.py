"""CBSEM: covariance structure models as a scikit-learn estimator."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from satmodels.arguments import checked
from satmodels.errors import (
    ArgumentError,
    ConvergenceError,
    EngineError,
    ImproperSolutionWarning,
    as_seed,
    as_whole,
    one_of,
)
from satmodels.intake.batches import matrix
from satmodels.intake.frames import open_frame
from satmodels.intake.library import FrameLibrary
from satmodels.sem.covariance.construct_scores import Scoring, conditional_mean, scoring_of
from satmodels.sem.covariance.fitting import LIKELIHOOD, Fit, fit_table
from satmodels.sem.covariance.inference import Inference, infer
from satmodels.sem.covariance.modification import modification_table
from satmodels.sem.covariance.options import check_options, released, words
from satmodels.sem.covariance.ordered_scores import OrderedScoring, no_scoring, ordered_scoring
from satmodels.sem.covariance.ordinal import fit_ordinal, ordered_difference
from satmodels.sem.covariance.ordinal_table import check_ordinal
from satmodels.sem.covariance.outcome import build_result
from satmodels.sem.covariance.reading import read_answer_rows, read_samples
from satmodels.sem.covariance.release import release_table
from satmodels.sem.covariance.resampling import CovarianceResampling, bollen_stine
from satmodels.sem.covariance.resampling_plan import plan_resampling
from satmodels.sem.covariance.responses import as_responses
from satmodels.sem.covariance.result import CovarianceResult
from satmodels.sem.covariance.semopy_engine import cross_check, semopy_estimates
from satmodels.sem.covariance.table import build_table, check_partial
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.pls.answers import check_scales, is_frame, named_columns
from satmodels.sem.resample_table import MOST_DRAWS
from satmodels.statistics.moments import Moments

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.floating[Any]]
NEEDS_ROWS = (*LIKELIHOOD[1:], "WLS", "DWLS")


class CBSEM(TransformerMixin, BaseEstimator):
    """Covariance structure model (covariance-based SEM, confirmatory factor analysis, path analysis).

    Parameters
    ----------
    spec : ModelSpec or str
        The model, in lavaan's words. Constructs are measured by ``=~``.
    estimator : {"ML", "MLR", "MLM", "MLMV", "MLMVS", "GLS", "ULS", "WLS", "DWLS", "WLSMV", "ULSMV"}, default "ML"
        Maximum likelihood; the same with standard errors and a test that do not lean on normality (MLR:
        Yuan-Bentler and the observed information, also with missing answers; MLM: Satorra-Bentler; MLMV and MLMVS:
        also the variance of the test is put right, by scale and shift or by degrees of freedom);
        generalised, unweighted, distribution-free and diagonally weighted least squares.
    missing : {"drop", "fiml", "pairwise"}, default "drop"
        Leave rows with missing answers out, or use all that is there: full information maximum likelihood, and with
        ordered answers each threshold and correlation from the rows that have it.
    likelihood : {"normal", "wishart"}, default "normal"
        Covariances with divisor n, or n - 1 and (n - 1) F as the test statistic.
    standard_errors : {"auto", "expected", "observed", "robust"}, default "auto"
        From the expected or the observed information, or by sandwich. "auto" is expected for ML and GLS,
        observed with missing answers, robust for MLR, MLM, ULS and DWLS. (For ULS and DWLS "expected" is what
        lavaan calls standard; it is not valid unless the weight happens to be right.)
    ordered : sequence of str, default ()
        Columns of ordered answers (Likert items, 1-5, 1-7); the model's other columns are numbers. Goes with
        "WLSMV" (the usual choice), "ULSMV", "DWLS" and "ULS" on polychoric, polyserial and Pearson correlations.
    group : str, optional
        Column that divides the rows into groups; every group gets its own parameters (and intercepts),
        save for equal labels and what ``equal`` says.
    cluster : str, optional
        Column of clusters (shops, households) whose rows are not independent.
    equal : sequence of str, default ()
        What is equal across groups: "loadings", "thresholds", "intercepts", "residuals", "residual_covariances",
        "paths", "construct_variances", "construct_covariances", "means".
    partial : sequence of str, default ()
        Parameters that are not equal all the same, in the model's words: ``"Quality =~ q2"``, ``"q2 ~ 1"``,
        ``"q2 ~~ q2"``, ``"q2 | t1"``.
    means : bool, optional
        Whether intercepts are part of the model; by default with groups and where the model text has ``~ 1``.
    unit_variance : bool, default False
        Give constructs variance 1 instead of fixing their first loading.
    parameterization : {"delta", "theta"}, default "delta"
        With ordered columns: scaling factors are parameters and residual variances follow, or the other way round.
    engine : {"native", "semopy"}, default "native"
        Whose point estimates to use; everything else is ours, and so is the proof of convergence. semopy gets
        complete rows of one group only, in text that we write anew.
    strict : bool, default False
        Raise instead of warning when the solution is improper.
    level : float, default 0.95
        Level of the intervals.

    Attributes
    ----------
    result_ : CovarianceResult
    feature_names_in_ : ndarray of str
        The columns that the model reads.
    n_features_in_ : int
    groups_ : tuple
        The groups' values.

    Notes
    -----
    The fit minimises F = log|Sigma| + tr(S Sigma^-1) - log|S| - p, S with divisor n, by Fisher scoring on the
    correlation scale ending in Newton steps. It counts as converged when the Newton decrement (the distance to
    the minimum in chi-square units) is below 1e-6. Automatic rules, degrees of freedom and measures of fit are
    lavaan's.

    References
    ----------
    .. [1] Bollen, K. A. (1989). Structural equations with latent variables. Wiley.
    .. [2] McArdle, J. J. and McDonald, R. P. (1984). Some algebraic properties of the reticular action model.
       British Journal of Mathematical and Statistical Psychology 37.

    Examples
    --------
    >>> import numpy as np, pandas as pd, satmodels as sat
    >>> rng = np.random.default_rng(1)
    >>> quality, noise = rng.normal(size=(400, 1)), rng.normal(size=(400, 6))
    >>> loyal = 0.6 * quality + 0.8 * rng.normal(size=(400, 1))
    >>> frame = pd.DataFrame(
    ...     np.hstack([quality + 0.5 * noise[:, :3], loyal + 0.5 * noise[:, 3:]]),
    ...     columns=["q1", "q2", "q3", "l1", "l2", "l3"],
    ... )
    >>> text = "Quality =~ q1 + q2 + q3 ; Loyal =~ l1 + l2 + l3 ; Loyal ~ Quality"
    >>> result = sat.CBSEM(text).fit(frame).result_
    >>> result.fit_measures()["df"]
    8
    >>> float(result.paths["estimate"].round(1).iloc[0])
    0.6
    """

    def __init__(
        self,
        spec: ModelSpec | str,
        *,
        estimator: str = "ML",
        missing: str = "drop",
        ordered: tuple[str, ...] = (),
        likelihood: str = "normal",
        standard_errors: str = "auto",
        group: str | None = None,
        cluster: str | None = None,
        equal: tuple[str, ...] = (),
        partial: tuple[str, ...] = (),
        means: bool | None = None,
        unit_variance: bool = False,
        parameterization: str = "delta",
        engine: str = "native",
        strict: bool = False,
        level: float = 0.95,
    ) -> None:
        self.spec = spec
        self.estimator = estimator
        self.missing = missing
        self.ordered = ordered
        self.likelihood = likelihood
        self.standard_errors = standard_errors
        self.group = group
        self.cluster = cluster
        self.equal = equal
        self.partial = partial
        self.means = means
        self.unit_variance = unit_variance
        self.parameterization = parameterization
        self.engine = engine
        self.strict = strict
        self.level = level

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : dataframe or Moments
            The answers. From Moments the cost does not depend on the number of rows.
        y : ignored
        sample_weight : array of shape (n,) or str, optional
            Survey weights, or the column that holds them (pseudo-maximum likelihood). With weights or
            clusters "ML" becomes "MLR": the standard errors and the test account for them.

        Raises
        ------
        SpecError, IdentificationError
            The model is wrong, or its parameters can't be told apart.
        ArgumentError, SchemaError, DataError
            A parameter or the data is wrong; the message says what to do.
        ConvergenceError
            With ``strict=True``: no minimum was reached, or the solution is improper.

        Warns
        -----
        ImproperSolutionWarning
            A variance is negative, a correlation is beyond 1, or the iteration did not converge.
        """
        check_options(self)
        spec = ModelSpec.of(self.spec)
        if not isinstance(X, Moments):
            check_scales(named_columns(X), spec.observed, spec.scales)
        if self.ordered:
            self._fit_ordered(X, spec, sample_weight)
        else:
            self._fit_numbers(X, spec, sample_weight)
        if not isinstance(X, Moments) and not is_frame(X):
            del self.feature_names_in_  # the columns of an array have no names
            self.n_features_in_ = np.asarray(X).shape[1]
        return self

    def _fit_numbers(self, X: Any, spec: ModelSpec, sample_weight: Any) -> None:
        # rules of the model are looked at before the data is
        plain = build_table(spec, n_groups=max(spec.n_groups, 1))
        # weighted or clustered rows are no simple sample: what follows from its likelihood would be too narrow
        designed = sample_weight is not None or self.cluster is not None
        estimator = "MLR" if designed and self.estimator == "ML" else self.estimator
        if designed and estimator not in ("MLR", "MLM"):
            raise ArgumentError(
                f'weights and clusters go with estimator "ML", "MLR" or "MLM", not {self.estimator!r}'
            )
        samples = read_samples(
            X,
            spec.observed,
            spec.constructs,
            group=self.group,
            sample_weight=sample_weight,
            cluster=self.cluster,
            keep_rows=designed or self.estimator in NEEDS_ROWS or self.standard_errors == "robust",
            incomplete=self.missing == "fiml",
            exogenous=plain.exogenous,
        )
        incomplete = any(s.patterns is not None for s in samples)
        means = incomplete or self._has_means(spec, len(samples))
        if means and self.estimator in ("ULS", "WLS", "DWLS"):
            raise ArgumentError(
                f"estimator={self.estimator!r} fits covariances alone: no groups and no intercepts"
            )
        table = build_table(
            spec,
            n_groups=len(samples),
            means=means,
            unit_variance=self.unit_variance,
            equal=words("equal", self.equal),
            partial=released(self.partial),
        )
        check_partial(table, released(self.partial))
        wishart = self.likelihood == "wishart"
        fit = fit_table(table, samples, estimator="wishart" if wishart else estimator, spec=spec)
        if self.engine == "semopy":
            fit = self._by_semopy(spec, fit, estimator)
        inference = infer(fit, estimator, wishart=wishart, errors=self.standard_errors)
        self._finish(fit, spec, inference, estimator=estimator)

    def _by_semopy(self, spec: ModelSpec, fit: Fit, estimator: str) -> Fit:
        if estimator not in LIKELIHOOD or self.unit_variance or self.likelihood == "wishart":
            raise EngineError(
                "semopy is asked for maximum likelihood with first loadings of 1 only",
                engine="semopy",
                feature="other estimators",
                alternative='engine="native"',
            )
        return fit.at(semopy_estimates(spec, fit).x)

    def cross_check(self) -> pd.DataFrame:
        """Refit with semopy and lay its estimates beside these.

        Returns
        -------
        DataFrame
            ``lhs, op, rhs, native, semopy, difference`` (in standard errors), largest difference first.

        Raises
        ------
        EngineError
            semopy lacks what the model has.
        """
        check_is_fitted(self, "result_")
        if self.ordered or self.unit_variance:
            raise EngineError("semopy does not do this model", engine="semopy", alternative='engine="native"')
        return cross_check(ModelSpec.of(self.spec), self._fit, self.result_)

    def _fit_ordered(self, X: Any, spec: ModelSpec, sample_weight: Any) -> None:
        ordered = words("ordered", self.ordered)
        check_ordinal(spec, ordered)
        groups = read_answer_rows(
            X,
            spec.observed,
            spec.constructs,
            group=self.group,
            sample_weight=sample_weight,
            incomplete=self.missing == "pairwise",
        )
        found = fit_ordinal(
            spec,
            groups,
            ordered,
            self.estimator,
            unit_variance=self.unit_variance,
            errors=self.standard_errors,
            equal=words("equal", self.equal),
            partial=released(self.partial),
            theta=self.parameterization == "theta",
        )
        self._ordered_scorings: list[OrderedScoring | str] = [
            ordered_scoring(as_responses(i), f) for i, f in zip(found.fit.implied, found.found, strict=True)
        ]
        self._ordinal = found
        self._finish(found.fit, spec, found.inference)

    def _finish(
        self,
        fit: Fit,
        spec: ModelSpec,
        inference: Inference,
        estimator: str | None = None,
    ) -> None:
        self.result_: CovarianceResult = build_result(
            fit,
            spec,
            estimator=estimator or self.estimator,
            vcov=inference.vcov,
            measures=inference.measures,
            level=self.level,
            extra_problems=inference.problems,
            moments=inference.moments,
        )
        self.scorings_: list[Scoring] = [
            scoring_of(i, s.mean, fit.table.means, spec.constructs)
            for i, s in zip(fit.implied, fit.samples, strict=True)
        ]
        self.groups_ = tuple(s.group for s in fit.samples)
        self.feature_names_in_ = np.array(spec.observed, dtype=object)
        self.n_features_in_ = len(spec.observed)
        self._constructs, self._columns = spec.constructs, spec.observed
        self._incomplete = any(s.patterns is not None for s in fit.samples)
        self._fit = replace(fit, samples=[s.without_rows() for s in fit.samples])
        self._warn()

    def _has_means(self, spec: ModelSpec, n_groups: int) -> bool:
        if self.means is not None:
            return self.means
        return n_groups > 1 or any(t.op == "~1" for t in spec.terms)

    def _warn(self) -> None:
        result = self.result_
        if not result.problems:
            return
        text = "; ".join(result.problems)
        if self.strict:
            raise ConvergenceError(f"the solution can't be used: {text}")
        warnings.warn(ImproperSolutionWarning(text), stacklevel=5)  # the line that called fit()

    def transform(self, X: Any) -> Array:
        """Return the construct scores of rows, by regression: E[constructs | answers].

        With ordered answers it is the mode of the constructs given the answers (empirical Bayes modal), as lavaan has it.

        Parameters
        ----------
        X : dataframe
            One row or many; the model's columns, and the group column where the model has groups. Rows are
            measured from the means of the fit, so one row is scored as it would have been among the others.

        Returns
        -------
        ndarray of shape (n, constructs)
            In the units of the constructs (of their first item). A row with some answers missing is scored
            from the others.
        """
        return self.scores(X)

    @checked
    def scores(self, X: Any, method: str = "regression") -> Array:
        """Return construct scores by ``method`` "regression" or "bartlett" (without ordered answers).

        Bartlett's are unbiased given the constructs: nothing but the items counts, not the columns that explain the
        constructs. They exist for constructs with items of their own.
        """
        if method not in ("regression", "bartlett"):
            raise one_of("method", method, ("regression", "bartlett"))
        check_is_fitted(self, "result_")
        rows, number = self._rows(X)
        if self.ordered and method != "regression":
            raise one_of("method", method, ("regression",))
        result = np.full((len(rows), len(self._constructs)), np.nan)
        for g, scoring in enumerate(self._ordered_scorings if self.ordered else self.scorings_):
            inside = number == g
            if isinstance(scoring, OrderedScoring):
                result[inside] = scoring.modal(rows[inside])
            elif isinstance(scoring, str):
                raise no_scoring(scoring)
            else:
                result[inside] = getattr(scoring, method)(rows[inside])
        return result

    @checked
    def modification_indices(self, minimum: float = 0.0) -> pd.DataFrame:
        """Return what freeing one more parameter would do.

        Parameters
        ----------
        minimum : float, default 0
            Smallest index shown; 3.84 is the 5 % point.

        Returns
        -------
        DataFrame
            ``lhs, op, rhs, mi, p_value, epc, epc_standardized``, largest first: by how much the test statistic would
            fall, and the value the parameter would take. A model changed after such a table is a new hypothesis,
            for new data.
        """
        check_is_fitted(self, "result_")
        return FrameLibrary.PANDAS.build(modification_table(self._fit, minimum).columns())

    def equality_tests(self) -> pd.DataFrame:
        """Return what letting go of one equality would do: of labels, across groups, ``==``.

        Returns
        -------
        DataFrame
            ``(group,) lhs, op, rhs, tied_to, score, p_value, change``, largest first: by how much the test statistic
            would fall (score test, one degree of freedom), and by how much the parameter would move. With ordered
            columns intercepts that are 0 in all groups are among them, and the score is not scaled.
        """
        check_is_fitted(self, "result_")
        return FrameLibrary.PANDAS.build(release_table(self._fit, ModelSpec.of(self.spec)).columns())

    def difference_test(self, other: CBSEM) -> dict[str, float | None]:
        """Test the more restricted of two nested models, both fitted to the same rows, against the other.

        Returns
        -------
        dict
            ``chisq, df, p_value, scaling_factor``. Ordered answers (WLSMV, ULSMV): scaled and shifted after Satorra
            (2000), as lavaan's ``lavTestLRT``; everything else as ``result_.difference_test``.
        """
        if not isinstance(other, CBSEM):
            raise ArgumentError(
                f"a CBSEM is compared with another fitted CBSEM, not with {type(other).__name__}"
            )
        check_is_fitted(self, "result_")
        check_is_fitted(other, "result_")
        if not (self.ordered and other.ordered):
            return self.result_.difference_test(other.result_)
        return ordered_difference(self._ordinal, other._ordinal)

    def predict(self, X: Any) -> Array:
        """Predict the items of endogenous constructs (and endogenous columns) from all other columns.

        Returns
        -------
        ndarray of shape (n, predicted columns)
            E[endogenous items | exogenous items] under the model, in the units of the items.
        """
        check_is_fitted(self, "result_")
        self._refuse_ordered("predictions")
        rows, number = self._rows(X)
        columns = list(self._columns)
        target = [columns.index(c) for c in self.predicted_columns_]
        source = [i for i in range(len(columns)) if i not in target]
        result = np.full((len(rows), len(target)), np.nan)
        for g, s in enumerate(self.scorings_):
            inside = number == g
            result[inside] = conditional_mean(
                rows[np.ix_(inside, source)],
                s.centre[source],
                s.sigma[np.ix_(source, source)],
                s.sigma[np.ix_(target, source)],
                s.centre[target],
            )
        return result

    def _resampling(
        self, X: Any, *, sample_weight: Any = None, cluster: Any = None, scale: Any = None
    ) -> CovarianceResampling:
        """Give :func:`satmodels.bootstrap` what it needs."""
        return plan_resampling(self, X, sample_weight, cluster, scale)

    @checked
    def bollen_stine(self, X: Any, *, n: int = 1000, seed: int | None = None) -> dict[str, float | int]:
        """Return the bootstrap p-value of the test of fit (Bollen and Stine 1992).

        Parameters
        ----------
        X : dataframe
            The rows.
        n : int, default 1000
            Number of resamples.
        seed : int, optional
            Seed of the random numbers.

        Returns
        -------
        dict
            ``chisq, df, p_value, draws, n_failed``.
        """
        n, seed = as_whole("n", n, 1, MOST_DRAWS), as_seed(seed)
        if self.missing != "drop" or self.group is not None or self.ordered:
            raise ArgumentError(
                'the Bollen-Stine test takes complete rows (missing="drop") of numbers in one group'
            )
        return bollen_stine(self._resampling(X), n, seed)

    def _refuse_ordered(self, what: str) -> None:
        if self.ordered:
            raise EngineError(
                f"{what} from ordered answers are not supported; fit the model without ordered= for them",
                engine="native",
                feature=what,
                alternative="ordered=()",
            )

    @property
    def predicted_columns_(self) -> tuple[str, ...]:
        """The columns that :meth:`predict` predicts."""
        spec = ModelSpec.of(self.spec)
        targets = {t.lhs for t in spec.terms if t.op == "~"}
        changed = True
        while changed:  # items of endogenous constructs, and of constructs that these measure
            more = {t.rhs for t in spec.terms if t.op == "=~" and t.lhs in targets} - targets
            targets |= more
            changed = bool(more)
        return tuple(v for v in spec.observed if v in targets)

    def _rows(self, X: Any) -> tuple[Array, NDArray[np.intp]]:
        if isinstance(X, Moments):
            raise ArgumentError("scores belong to rows: give the dataframe, not its moments")
        shape = () if is_frame(X) else np.asarray(X).shape
        if len(shape) == 2 and shape[1] != self.n_features_in_:
            raise ArgumentError(
                f"X has {shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} "
                "features as input"
            )
        frame = open_frame(named_columns(X))
        columns = list(self._columns)
        frame.require(columns)
        if self.group is None:
            rows = matrix(frame, columns)
            return rows, np.zeros(len(rows), dtype=np.intp)
        frame.require([self.group])
        table = frame.table([*columns, self.group])
        rows = np.array([[np.nan if v is None else float(v) for v in table[c]] for c in columns]).T
        at = {v: i for i, v in enumerate(self.groups_)}
        strangers = [v for v in dict.fromkeys(table[self.group]) if v not in at]
        if strangers:
            raise ArgumentError(f"the model has no group {strangers[0]!r}; it has {list(self.groups_)}")
        return rows.reshape(-1, len(columns)), np.array([at[v] for v in table[self.group]], dtype=np.intp)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True  # left out and counted, or used by full information
        return tags

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the constructs' names, the columns of :meth:`transform`."""
        check_is_fitted(self, "result_")
        return np.array(self._constructs, dtype=object)
