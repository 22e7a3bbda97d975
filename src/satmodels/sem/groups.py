"""Does an instrument measure the same in every group? Measurement invariance, step by step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from satmodels.errors import ArgumentError, one_of
from satmodels.intake.library import FrameLibrary
from satmodels.results import FrameBuilder, Result, Table
from satmodels.sem.covariance.comparison import difference_test
from satmodels.sem.covariance.estimator import CBSEM
from satmodels.sem.covariance.options import words
from satmodels.sem.covariance.result import CovarianceResult

if TYPE_CHECKING:
    import pandas as pd

# step -> what it holds equal across groups, each with all that the step before holds
STEPS: Mapping[str, tuple[str, ...]] = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
}
# a step fails when fit worsens by more than this (Chen 2007, table 4, samples above 300)
LARGEST_CFI_FALL, LARGEST_RMSEA_RISE = 0.010, 0.015
COLUMNS = (
    "step", "chisq", "df", "cfi", "rmsea", "srmr", "delta_chisq", "delta_df", "p_value", "delta_cfi",
    "delta_rmsea", "decision",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class InvarianceResult(Result):
    """Result of :func:`invariance`.

    Attributes
    ----------
    steps : Table
        What :meth:`tidy` returns.
    models : dict of str to CovarianceResult
        The fitted model of each step.
    by : str
        The column that holds the groups.
    level_reached : str
        The last step that holds, or "none".
    """

    library: FrameBuilder = dataclasses.field(default=FrameLibrary.PANDAS, compare=False)
    steps: Table
    models: Mapping[str, CovarianceResult]
    by: str
    level_reached: str
    kind: ClassVar[str] = "invariance"

    def _tidy(self) -> Table:
        return self.steps

    def _glance(self) -> Mapping[str, Any]:
        first = next(iter(self.models.values()))
        return {
            "by": self.by,
            "groups": len(first.groups),
            "n": first.n,
            "estimator": first.estimator,
            "level_reached": self.level_reached,
        }

    def mean_differences(self) -> pd.DataFrame:
        """Return the means of the constructs against the first group, from the model with equal intercepts.

        Returns
        -------
        DataFrame
            ``group, construct, estimate, std_error, statistic, p_value, conf_low, conf_high``, in the units of the
            constructs (of their first item). They mean something where "scalar" holds.
        """
        if "scalar" not in self.models:
            raise ArgumentError(
                "the step 'scalar' was not among the steps: constructs have no comparable means"
            )
        model = self.models["scalar"]
        first = model.groups[0].group
        constructs = set(model.spec.constructs)
        records = [
            {"group": row["group"], "construct": row["lhs"]}
            | {k: v for k, v in row.items() if k not in ("group", "lhs", "op", "rhs")}
            for row in model.parameters.rows()
            if row["op"] == "~1" and row["lhs"] in constructs and row["group"] != first
        ]
        return FrameLibrary.PANDAS.build(Table.from_records(records).columns())


def invariance(
    model: CBSEM, X: Any, by: str, *, steps: Sequence[str] = ("configural", "metric", "scalar", "strict")
) -> InvarianceResult:
    """Test whether a model measures the same in every group.

    Parameters
    ----------
    model : CBSEM
        The model; it is not changed. Its estimator and treatment of missing answers are used ("MLR" scales the
        difference tests).
    X : dataframe
        The answers.
    by : str
        Column of the groups: segment, wave, language.
    steps : sequence of str
        From "configural" (same model), "metric" (equal loadings: paths and covariances may be compared), "scalar"
        (and equal intercepts: means may be compared), "strict" (and equal residual variances).

    Returns
    -------
    InvarianceResult
        ``.tidy()``: one row per step with its fit, the test against the step before, the changes of CFI and RMSEA and
        a decision. A step holds unless CFI falls by more than .010 or RMSEA rises by more than .015 (Chen 2007);
        after a step that fails the later ones are "not reached"; the p-value is shown, but in large samples it rejects differences that do not matter.

    Raises
    ------
    ArgumentError
        A step is unknown, or there are fewer than two groups.

    References
    ----------
    .. [1] Chen, F. F. (2007). Sensitivity of goodness of fit indexes to lack of measurement invariance. Structural
       Equation Modeling 14(3), 464-504.
    .. [2] Satorra, A. and Bentler, P. M. (2001). A scaled difference chi-square test statistic for moment
       structure analysis. Psychometrika 66.

    Examples
    --------
    >>> import numpy as np, pandas as pd, satmodels as sat
    >>> rng = np.random.default_rng(1)
    >>> quality = rng.normal(size=(600, 1))
    >>> frame = pd.DataFrame(quality + 0.6 * rng.normal(size=(600, 4)), columns=["q1", "q2", "q3", "q4"])
    >>> frame["shop"] = np.repeat(["north", "south"], 300)
    >>> sat.invariance(sat.CBSEM("Quality =~ q1 + q2 + q3 + q4"), frame, "shop").level_reached
    'strict'
    """
    if not isinstance(model, CBSEM):
        raise ArgumentError(f"invariance needs a CBSEM, not {type(model).__name__}")
    for step in steps:
        if step not in STEPS:
            raise one_of("steps", step, list(STEPS))
    if model.ordered:
        raise ArgumentError("invariance of ordered answers is not supported: leave ordered= out")
    from sklearn.base import clone

    chosen = [s for s in STEPS if s in steps]
    models: dict[str, CovarianceResult] = {}
    records: list[dict[str, Any]] = []
    reached, failed = "none", False
    for step in chosen:
        copy: Any = clone(model)
        copy.set_params(group=by, equal=(*STEPS[step], *words(model.equal)))
        result: CovarianceResult = copy.fit(X).result_
        if len(result.groups) < 2:
            raise ArgumentError(f"column {by!r} has one group only: there is nothing to compare")
        row = _row(step, result, models[chosen[len(models) - 1]] if models else None)
        if failed and row["decision"] == "holds":
            row["decision"] = "not reached"  # it holds only what the step before could not hold
        failed = failed or row["decision"] != "holds"
        reached = reached if failed else step
        models[step] = result
        records.append(row)
    return InvarianceResult(
        steps=Table.from_records(records, COLUMNS), models=models, by=by, level_reached=reached
    )


def _row(step: str, result: CovarianceResult, before: CovarianceResult | None) -> dict[str, Any]:
    m = result.measures
    cfi, rmsea = m.get("cfi_robust", m["cfi"]), m.get("rmsea_robust", m["rmsea"])
    row: dict[str, Any] = {
        "step": step,
        "chisq": m.get("chisq_scaled", m["chisq"]),
        "df": m["df"],
        "cfi": cfi,
        "rmsea": rmsea,
        "srmr": m["srmr"],
        "decision": "holds" if result.converged else "did not converge",
    }
    if before is None or cfi is None or rmsea is None:
        return row
    test = difference_test(result, before)
    b = before.measures
    fall = cfi - (b.get("cfi_robust", b["cfi"]) or 0.0)
    rise = rmsea - (b.get("rmsea_robust", b["rmsea"]) or 0.0)
    row |= {
        "delta_chisq": test["chisq"],
        "delta_df": test["df"],
        "p_value": test["p_value"],
        "delta_cfi": fall,
        "delta_rmsea": rise,
    }
    if result.converged and (fall < -LARGEST_CFI_FALL or rise > LARGEST_RMSEA_RISE):
        row["decision"] = "fails"
    return row
