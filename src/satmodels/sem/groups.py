"""Does an instrument measure the same in every group? Measurement invariance, step by step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, check_word, one_of
from satmodels.intake.library import FrameLibrary
from satmodels.results import FrameBuilder, Result, Table
from satmodels.sem.covariance.estimator import CBSEM
from satmodels.sem.covariance.options import released, words
from satmodels.sem.covariance.ordinal_table import check_ordinal
from satmodels.sem.covariance.polychoric import categories_of
from satmodels.sem.covariance.reading import read_answer_rows
from satmodels.sem.covariance.result import CovarianceResult
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.model.terms import Fixed, Term

if TYPE_CHECKING:
    import pandas as pd

# step -> what it holds equal across groups, each with all that the step before holds
STEPS: Mapping[str, tuple[str, ...]] = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
}
# ordered answers (Wu and Estabrook 2016): thresholds come first, they say what the unit of a response is
ORDERED_STEPS: Mapping[str, tuple[str, ...]] = {
    "configural": (),
    "thresholds": ("thresholds",),
    "metric": ("thresholds", "loadings"),
    "scalar": ("thresholds", "loadings", "intercepts"),
    "strict": ("thresholds", "loadings", "intercepts", "residuals"),
}
# steps in which intercepts of ordered columns are free in all groups but the first, and means of constructs 0
FREE_INTERCEPTS = ("thresholds", "metric")
WORDS = {"=~": "loadings", "|": "thresholds", "~1": "intercepts", "~~": "residuals"}
# a step fails when fit worsens by more than this (Chen 2007, table 4, samples above 300)
LARGEST_CFI_FALL, LARGEST_RMSEA_RISE = 0.010, 0.015
CHANCE = 0.05  # and the test against the step before has a smaller p-value than this
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
    equalities : dict of str to Table
        Score tests of the equalities of each step, see :meth:`releases`.
    by : str
        The column that holds the groups.
    level_reached : str
        The last step that holds, or "none".
    """

    library: FrameBuilder = dataclasses.field(default=FrameLibrary.PANDAS, compare=False)
    steps: Table
    models: Mapping[str, CovarianceResult]
    equalities: Mapping[str, Table]
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

    @checked
    def releases(self, step: str | None = None) -> pd.DataFrame:
        """Return what letting go of one equality would do: where to look for items that differ.

        Parameters
        ----------
        step : str, optional
            By default the first step that fails, else the last.

        Returns
        -------
        DataFrame
            ``group, lhs, op, rhs, tied_to, score, p_value, change``, largest first: by how much the test statistic
            would fall, and by how much the parameter would move. Name it in ``partial=`` of the next call; many tests
            find something by chance, so release one at a time, and what the content explains.
        """
        if step is None:
            failed = [r["step"] for r in self.steps.rows() if r["decision"] == "fails"]
            step = failed[0] if failed else list(self.models)[-1]
        if step is None or step not in self.equalities:
            raise one_of("step", step, list(self.equalities))
        return FrameLibrary.PANDAS.build(self.equalities[step].columns())

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


@checked
def invariance(
    model: CBSEM,
    X: Any,
    by: str,
    *,
    steps: Sequence[str] | None = None,
    partial: Sequence[str] = (),
    sample_weight: Any = None,
) -> InvarianceResult:
    """Test whether a model measures the same in every group.

    Parameters
    ----------
    model : CBSEM
        The model; it is not changed. Its estimator, treatment of missing answers and ordered columns are used ("MLR"
        and "WLSMV" scale the difference tests).
    X : dataframe
        The answers.
    by : str
        Column of the groups: segment, wave, language.
    steps : sequence of str, optional
        From "configural" (same model), "metric" (equal loadings: paths and covariances may be compared), "scalar"
        (and equal intercepts: means may be compared), "strict" (and equal residual variances); with ordered columns
        "thresholds" comes before "metric". By default all; with yes/no items, whose thresholds say nothing of their
        units, "thresholds" and "metric" are left out.
    partial : sequence of str, default ()
        Parameters that are not held equal in any step, in the model's words: ``"Quality =~ q2"``, ``"q2 ~ 1"``,
        ``"q2 | t1"``, ``"q2 ~~ q2"``. :meth:`InvarianceResult.releases` says which could be.
    sample_weight : array of shape (n,) or str, optional
        Survey weights, or the column that holds them.

    Returns
    -------
    InvarianceResult
        ``.tidy()``: one row per step with its fit, the test against the step before, the changes of CFI and RMSEA and
        a decision. A step fails when CFI falls by more than .010 or RMSEA rises by more than .015 (Chen 2007; of the
        robust measures with MLR, of the scaled ones with WLSMV) and the test rejects at 5 %: with few degrees of
        freedom RMSEA moves that much by chance, and in large samples the test alone rejects differences that do not
        matter. After a step that fails the later ones are "not reached".

    Raises
    ------
    ArgumentError
        A step is unknown or can't be, there are fewer than two groups, or ``partial`` names no parameter.

    Notes
    -----
    Ordered answers follow Wu and Estabrook (2016): equal thresholds come first, with scaling factors and intercepts
    free in all groups but the first; "scalar" (intercepts 0, means of constructs free) is what lavaan does with
    ``group.equal = c("thresholds", "loadings")``; "strict" is fitted in the theta parameterisation. With three
    categories equal thresholds can't be tested: that step has the fit of the first.

    References
    ----------
    .. [1] Chen, F. F. (2007). Sensitivity of goodness of fit indexes to lack of measurement invariance. Structural
       Equation Modeling 14(3), 464-504.
    .. [2] Satorra, A. and Bentler, P. M. (2001). A scaled difference chi-square test statistic for moment
       structure analysis. Psychometrika 66.
    .. [3] Wu, H. and Estabrook, R. (2016). Identification of confirmatory factor analysis models of different levels
       of invariance for ordered categorical outcomes. Psychometrika 81.
    .. [4] Satorra, A. (2000). Scaled and adjusted restricted tests in multi-sample analysis of moment structures.

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
    plan = _Plan(model, X, by, partial)
    models: dict[str, CBSEM] = {}
    records: list[dict[str, Any]] = []
    reached, failed = "none", False
    before: CBSEM | None = None
    for step in plan.chosen(steps):
        fitted = plan.model(step).fit(X, sample_weight=sample_weight)
        if len(fitted.result_.groups) < 2:
            raise ArgumentError(f"column {by!r} has one group only: there is nothing to compare")
        row = _row(step, fitted, before)
        if failed and row["decision"] == "holds":
            row["decision"] = "not reached"  # it holds only what the step before could not hold
        failed = failed or row["decision"] != "holds"
        reached = reached if failed else step
        models[step] = before = fitted
        records.append(row)
    return InvarianceResult(
        steps=Table.from_records(records, COLUMNS),
        models={step: m.result_ for step, m in models.items()},
        equalities={step: _table(m.equality_tests()) for step, m in models.items()},
        by=by,
        level_reached=reached,
    )


def _table(frame: pd.DataFrame) -> Table:
    return Table.of({str(c): frame[c] for c in frame.columns})


class _Plan:
    """Which model belongs to which step."""

    def __init__(self, model: CBSEM, X: Any, by: str, partial: Sequence[str]) -> None:
        self.base, self.by = model, by
        self.spec = ModelSpec.of(model.spec)
        self.released = [(text, t) for text in words("partial", partial) for t in released(text)]
        self.steps = ORDERED_STEPS if words("ordered", model.ordered) else STEPS
        held = [op for op, word in WORDS.items() if any(word in equal for equal in self.steps.values())]
        for text, t in self.released:
            if t.op not in held or (t.op == "~~" and t.lhs != t.rhs):
                raise ArgumentError(
                    f"partial: {text!r} is held equal by no step; these are: {', '.join(held)}"
                )
        self.thresholds: dict[str, int] = {}
        self.n_groups = 0
        if model.ordered:
            ordered = words("ordered", model.ordered)
            check_ordinal(self.spec, ordered)
            groups = read_answer_rows(
                X, self.spec.observed, self.spec.constructs, group=by, incomplete=model.missing == "pairwise"
            )
            self.n_groups = len(groups)
            for j, v in enumerate(self.spec.observed):
                if v in ordered:
                    answers = np.concatenate([g.rows[:, j] for g in groups])
                    self.thresholds[v] = len(categories_of(answers, v)) - 1

    def chosen(self, steps: Sequence[str] | None) -> list[str]:
        """Return the steps to be done, in their order."""
        binary = [v for v, k in self.thresholds.items() if k == 1]
        if steps is None:
            return [s for s in self.steps if not (binary and s in FREE_INTERCEPTS)]
        asked = words("steps", steps)
        for step in asked:
            check_word("steps", step, self.steps)
            if binary and step in FREE_INTERCEPTS:
                raise ArgumentError(
                    f"steps: {step!r} can't be told apart from the others with {binary[0]!r}, which has two categories: "
                    "leave it out"
                )
        return [s for s in self.steps if s in asked]

    def model(self, step: str) -> CBSEM:
        """Return the model of a step, not yet fitted."""
        from sklearn.base import clone

        equal = self.steps[step]
        copy: Any = clone(self.base)
        own = [text for text, t in self.released if WORDS[t.op] in equal]
        copy.set_params(
            group=self.by,
            equal=(*equal, *words("equal", self.base.equal)),
            partial=(*own, *words("partial", self.base.partial)),
        )
        if self.base.ordered and step in FREE_INTERCEPTS:
            copy.set_params(spec=self._with_free_intercepts())
        if self.base.ordered and step == "strict":
            copy.set_params(parameterization="theta")
        return copy

    def _with_free_intercepts(self) -> ModelSpec:
        spoken_of = {t.lhs for t in self.spec.terms if t.op == "~1"}
        zero = (0.0,) * self.n_groups
        free: tuple[Fixed, ...] = (0.0, *["NA" for _ in range(self.n_groups - 1)])
        terms = [Term(lhs=v, op="~1", fixed=free) for v in self.thresholds if v not in spoken_of]
        terms += [Term(lhs=c, op="~1", fixed=zero) for c in self.spec.constructs if c not in spoken_of]
        return self.spec.model_copy(update={"terms": (*self.spec.terms, *terms)})


def _row(step: str, model: CBSEM, before: CBSEM | None) -> dict[str, Any]:
    result = model.result_
    m = result.measures
    kind = "scaled" if model.ordered else "robust"
    cfi, rmsea = m.get(f"cfi_{kind}", m["cfi"]), m.get(f"rmsea_{kind}", m["rmsea"])
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
    b = before.result_.measures
    test: dict[str, float | None] = {"chisq": 0.0, "df": 0, "p_value": None}  # the same fit in other words
    if b["df"] != m["df"]:
        test = model.difference_test(before)
    fall = cfi - (b.get(f"cfi_{kind}", b["cfi"]) or 0.0)
    rise = rmsea - (b.get(f"rmsea_{kind}", b["rmsea"]) or 0.0)
    row |= {
        "delta_chisq": test["chisq"],
        "delta_df": test["df"],
        "p_value": test["p_value"],
        "delta_cfi": fall,
        "delta_rmsea": rise,
    }
    worse = fall < -LARGEST_CFI_FALL or rise > LARGEST_RMSEA_RISE
    # RMSEA of few degrees of freedom moves that much by chance: then the test finds no difference either
    by_chance = test["p_value"] is not None and test["p_value"] >= CHANCE
    if result.converged and worse and not by_chance:
        row["decision"] = "fails"
    return row
