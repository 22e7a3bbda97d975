"""The result of a covariance structure model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from satmodels.errors import ArgumentError
from satmodels.intake.library import FrameLibrary
from satmodels.results import Table
from satmodels.sem.index import index_rows
from satmodels.sem.result import SEMResult
from satmodels.statistics.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class CovarianceResult(SEMResult):
    """What a fitted covariance structure model tells; estimates in the units of the items.

    Attributes
    ----------
    estimator : str
        How it was fitted.
    n_dropped : int
        Rows left out for missing answers.
    measures : mapping
        Measures of fit, see :meth:`fit_measures`.
    standard : Table
        The standardised solution.
    effect_rows : Table
        Indirect and total effects, see :meth:`effect_tests`.
    index_errors : tuple of dict, optional
        For each group and construct the covariance matrix of means and weights of its items, for :meth:`index`.
    decrement : float
        Distance to the exact minimum in units of the test statistic; convergence is below 1e-6.
    iterations : int
        Steps of the iteration.
    """

    kind: ClassVar[str] = "covariance"

    estimator: str
    n_dropped: int = 0
    measures: Mapping[str, float | None]
    standard: Table
    effect_rows: Table
    index_errors: tuple[dict[str, Any], ...] | None = None
    decrement: float
    iterations: int

    def _glance(self) -> Mapping[str, Any]:
        m = self.measures
        return {
            "estimator": self.estimator,
            "n": self.n,
            "n_dropped": self.n_dropped,
            "npar": m.get("npar"),
            "chisq": m.get("chisq_scaled", m.get("chisq")),
            "df": m.get("df_scaled", m.get("df")),
            "p_value": m.get("pvalue_scaled", m.get("pvalue")),
            "cfi": m.get("cfi_robust", m.get("cfi")),
            "tli": m.get("tli_robust", m.get("tli")),
            "rmsea": m.get("rmsea_robust", m.get("rmsea")),
            "srmr": m.get("srmr"),
            "aic": m.get("aic"),
            "bic": m.get("bic"),
            "converged": self.converged,
            "admissible": self.admissible,
        }

    def _fit_measures(self) -> Mapping[str, float | None]:
        return self.measures

    def index(self, scale: Any = None, *, level: float = 0.95) -> pd.DataFrame:
        """Index 0 to 100 of each construct with its interval (see :func:`satmodels.sem.index.index_table`).

        Parameters
        ----------
        scale : Scale, (low, high), or mapping of item to either, optional
            The answer scale of the items; by default the one the model specification knows.
        level : float, default 0.95
            Level of the intervals.

        Returns
        -------
        DataFrame
            ``construct, estimate, std_error, conf_low, conf_high, std_dev``, with ``group`` in front where the model has
            groups. The standard error is that of the items' means and of their weights together (delta method);
            it is missing for least squares other than GLS and for ordered answers, where :func:`satmodels.bootstrap` has it.
            The limits are not cut at 0 and 100. ``std_dev`` is that among respondents.
        """
        check_level(level)
        grouped = len(self.groups) > 1
        records: list[dict[str, Any]] = []
        for number, g in enumerate(self.groups):
            errors = {} if self.index_errors is None else self.index_errors[number]
            for row in index_rows(g, self.spec, scale, errors, level):
                records.append(({"group": g.group} if grouped else {}) | row)
        return FrameLibrary.PANDAS.build(Table.from_records(records).columns())

    def standardized(self) -> pd.DataFrame:
        """Return the standardised solution, with standard errors by the delta method.

        Returns
        -------
        DataFrame
            The columns of :meth:`tidy`; variables have variance 1, residual covariances are correlations.
        """
        return FrameLibrary.PANDAS.build(self.standard.columns())

    def effect_tests(self) -> pd.DataFrame:
        """Return indirect and total effects with standard errors by the delta method.

        Returns
        -------
        DataFrame
            The columns of :meth:`tidy`: ``lhs`` the target, ``op`` "indirect" or "total", ``rhs`` the source; in the
            units of the variables. (:meth:`effects` has the standardised ones; indirect effects of small samples
            are better tested by :func:`satmodels.bootstrap`.)
        """
        return FrameLibrary.PANDAS.build(self.effect_rows.columns())

    def difference_test(self, other: CovarianceResult) -> dict[str, float | None]:
        """Test the more restricted of two nested models against the other.

        Parameters
        ----------
        other : CovarianceResult
            Fitted to the same rows by the same estimator.

        Returns
        -------
        dict
            ``chisq, df, p_value, scaling_factor``; scaled after Satorra and Bentler (2001) for MLR and MLM.
        """
        from satmodels.sem.covariance.comparison import difference_test

        if not isinstance(other, CovarianceResult):
            raise ArgumentError(
                f"a result is compared with another CovarianceResult, not with {type(other).__name__}"
            )
        return difference_test(self, other)
