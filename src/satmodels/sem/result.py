"""SEMResult: what every fitted structural model can tell, whichever method fitted it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, unknown
from satmodels.intake.library import FrameLibrary
from satmodels.results import FrameBuilder, Result, Table
from satmodels.sem.assessment import effects, reliability, validity
from satmodels.sem.summary import GroupSummary

if TYPE_CHECKING:
    import pandas as pd

    from satmodels.sem.diagram import PathDiagram
    from satmodels.sem.model.spec import ModelSpec

PARAMETER_COLUMNS = (
    "lhs", "op", "rhs", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class SEMResult(Result):
    """Base of the results of structural models.

    A subclass gives ``_glance`` and ``_fit_measures``, and fills the fields; every table below
    follows from these. Frames are pandas frames.

    Attributes
    ----------
    spec : ModelSpec
        The model that was fitted.
    parameters : Table
        One row per parameter, in lavaan's words: ``lhs, op, rhs, estimate, std_error, statistic,
        p_value, conf_low, conf_high``, with ``group`` in front where there are groups.
    groups : tuple of GroupSummary
        The standardised solution, one per group (one in all without groups).
    n : int
        Rows that entered.
    converged : bool
        Whether the iteration reached its tolerance.
    admissible : bool
        Whether every estimate is one that can be: no negative variance, no correlation beyond 1.
    problems : tuple of str
        What is wrong, in words; empty when nothing is.
    """

    library: FrameBuilder = dataclasses.field(default=FrameLibrary.PANDAS, compare=False)
    spec: ModelSpec
    parameters: Table
    groups: tuple[GroupSummary, ...]
    n: int
    converged: bool
    admissible: bool = True
    problems: tuple[str, ...] = ()

    def _tidy(self) -> Table:
        return self.parameters

    def _fit_measures(self) -> Mapping[str, float | None]:
        raise NotImplementedError

    def _implied_corr(self, g: GroupSummary) -> Any:
        return g.implied_corr

    # tables of parameters ------------------------------------------------------------------------

    @property
    def paths(self) -> pd.DataFrame:
        """Path coefficients: ``lhs`` is the target, ``rhs`` the source."""
        return self._rows("~")

    @property
    def loadings(self) -> pd.DataFrame:
        """Loadings: ``lhs`` is the construct, ``rhs`` the item."""
        return self._rows("=~")

    @property
    def weights(self) -> pd.DataFrame:
        """Outer weights: ``lhs`` is the construct, ``rhs`` the item."""
        return self._rows("<~")

    def _rows(self, op: str) -> pd.DataFrame:
        return _frame(Table.from_records(self._records(op), self.parameters.names))

    def _records(self, op: str) -> list[dict[str, Any]]:
        return [row for row in self.parameters.rows() if row["op"] == op]

    # tables of the structural part ---------------------------------------------------------------

    @property
    def r2(self) -> pd.DataFrame:
        """Explained variance of the endogenous constructs: ``construct, r2, r2_adjusted``."""
        return self._by_group(effects.r2_table)

    def effects(self) -> pd.DataFrame:
        """Direct, indirect and total effects: ``source, target, direct, indirect, total`` (standardised)."""
        return self._by_group(effects.effects_table)

    def specific_effects(self) -> pd.DataFrame:
        """Effects along every chain of two arrows or more: ``source, target, through, estimate``."""
        return self._by_group(effects.specific_effects_table)

    def f2(self) -> pd.DataFrame:
        """Effect sizes f² = (R² - R² without the source) / (1 - R²): ``target, source, value``."""
        return self._by_group(effects.f2_table)

    def vif(self) -> pd.DataFrame:
        """Variance inflation factors of the sources of each target: ``target, source, value``."""
        return self._by_group(effects.vif_table)

    # tables of the measurement part --------------------------------------------------------------

    def reliability(self) -> pd.DataFrame:
        """Reliability of each construct: ``construct, alpha, rho_a, rho_c, ave``."""
        return self._by_group(reliability.reliability_table)

    @checked
    def htmt(self, group: object = None, *, geometric: bool = False, absolute: bool = False) -> pd.DataFrame:
        """Heterotrait-monotrait ratios of correlations, constructs by constructs.

        Parameters
        ----------
        group : object, optional
            Which group; needed where the model has groups.
        geometric : bool, default False
            Whether to take geometric means (HTMT2); NaN where a correlation is negative.
        absolute : bool, default False
            Whether to take the items' correlations without their signs, as seminr does.
        """
        g = self._group(group)
        return _square(validity.htmt_matrix(g, absolute=absolute, geometric=geometric), g.constructs)

    def fornell_larcker(self, group: object = None) -> pd.DataFrame:
        """Construct correlations with the square root of the AVE on the diagonal."""
        g = self._group(group)
        return _square(validity.fornell_larcker_matrix(g), g.constructs)

    def cross_loadings(self, group: object = None) -> pd.DataFrame:
        """Correlations of every item with every construct: items by constructs."""
        g = self._group(group)
        return _square(validity.cross_loadings_matrix(g), g.constructs, g.moments.columns)

    def residuals(self, group: object = None) -> pd.DataFrame:
        """Correlations of the items minus those that the model implies: items by items."""
        g = self._group(group)
        return _square(g.moments.corr - self._implied_corr(g), g.moments.columns)

    def fit_measures(self) -> dict[str, float | None]:
        """Measures of fit by name, in lavaan's words with underscores; None where undefined."""
        return dict(self._fit_measures())

    # satisfaction --------------------------------------------------------------------------------

    def index(self, scale: Any = None) -> pd.DataFrame:
        """Index 0 to 100 of each construct (see :func:`satmodels.sem.index.index_table`).

        Parameters
        ----------
        scale : Scale, (low, high), or mapping of item to either, optional
            The answer scale of the items; by default the one the model specification knows.

        Returns
        -------
        DataFrame
            ``construct, estimate, std_dev``. Items with negative weights are said with a warning: the index can
            then leave 0 to 100.
        """
        from satmodels.sem.index import index_table, warn_beyond_scale

        def table(g: GroupSummary) -> Table:
            warn_beyond_scale(g)
            return index_table(g, self.spec, scale)

        return self._by_group(table)

    # presentation --------------------------------------------------------------------------------

    @checked
    def diagram(self, group: object = None, *, items: bool = False) -> PathDiagram:
        """Return the path diagram: shown by a notebook, ``.svg``, ``.mermaid``, ``.save(path)``.

        Parameters
        ----------
        group : object, optional
            Which group; needed where the model has groups.
        items : bool, default False
            Whether to list the items with their loadings under each construct.
        """
        from satmodels.sem.diagram import path_diagram

        return path_diagram(self._group(group), items=items)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values; what is missing or not finite is None."""
        return super().to_dict() | {"problems": list(self.problems)}

    # groups --------------------------------------------------------------------------------------

    def _group(self, group: object) -> GroupSummary:
        if len(self.groups) == 1 and group is None:
            return self.groups[0]
        for g in self.groups:
            if (g.group == group) is True:  # of an array it is no truth value
                return g
        names = [g.group for g in self.groups]
        if group is None:
            raise ArgumentError(f"this model has groups: which one? group= one of {names}")
        raise unknown("group", group, names)

    def _by_group(self, table: Callable[[GroupSummary], Table]) -> pd.DataFrame:
        if len(self.groups) == 1:
            return _frame(table(self.groups[0]))
        records: list[dict[str, Any]] = []
        names: tuple[str, ...] = ()
        for g in self.groups:
            part = table(g)
            names = ("group", *part.names)
            records += [{"group": g.group, **row} for row in part.rows()]
        return _frame(Table.from_records(records, names))


def _frame(table: Table) -> pd.DataFrame:
    return FrameLibrary.PANDAS.build(table.columns())


def _square(matrix: Any, columns: Iterable[str], rows: Iterable[str] | None = None) -> pd.DataFrame:
    import pandas as pd

    columns = list(columns)
    return pd.DataFrame(matrix, index=columns if rows is None else list(rows), columns=columns)
