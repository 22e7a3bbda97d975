"""The parameter table: what a model text means once lavaan's automatic rules have been applied.

The rules are those of lavaan's ``sem()``: the first loading of each construct is 1 (or its variance, with
``unit_variance``), every variable has a (residual) variance, exogenous constructs covary, outcomes that
explain nothing covary, a single item has no error, and observed variables that only explain are taken as
they are (their moments are neither fitted nor counted).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from satmodels.errors import ArgumentError, SpecError, check_word
from satmodels.sem.model.rules import RESPONSE_OPERATORS
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.model.terms import Term

# what may be held equal across groups: word -> which parameters
EQUALITIES = (
    "loadings",
    "thresholds",
    "intercepts",
    "residuals",
    "residual_covariances",
    "construct_variances",
    "construct_covariances",
    "paths",
    "means",
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of one group.

    Attributes
    ----------
    lhs, op, rhs : str
        In lavaan's words.
    group : int
        Number of the group, from 0.
    free : bool
        Whether it is estimated.
    value : float or None
        Where it is fixed; None with ``exogenous`` is the moment found in the data.
    start : float or None
        The user's starting value.
    label : str
        The user's label, or "".
    tie : str
        Parameters of one tie are equal; "" stands alone.
    written : bool
        Whether the model text has it, or a rule added it.
    exogenous : bool
        Whether it is a moment of observed variables that only explain.
    """

    lhs: str
    op: str
    rhs: str
    group: int = 0
    free: bool = True
    value: float | None = None
    start: float | None = None
    label: str = ""
    tie: str = ""
    written: bool = False
    exogenous: bool = False

    def __str__(self) -> str:
        return f"{self.lhs} {self.op} {self.rhs}".rstrip()


@dataclass(frozen=True)
class ParameterTable:
    """All parameters with the variables they join.

    ``observed`` is the order of the moments; ``exogenous`` are the observed variables taken as they are;
    ``ordered`` are the ordered columns, whose thresholds take the place of mean and variance. With ``theta`` their
    residual variances are parameters (and scaling factors follow), without it it is the other way round.
    """

    parameters: tuple[Parameter, ...]
    observed: tuple[str, ...]
    constructs: tuple[str, ...]
    exogenous: tuple[str, ...]
    n_groups: int
    means: bool
    ordered: tuple[str, ...] = ()
    theta: bool = False

    @property
    def free(self) -> tuple[Parameter, ...]:
        """The free parameters, in the order of the vector of estimates."""
        return tuple(p for p in self.parameters if p.free)

    @property
    def n_moments(self) -> int:
        """Number of fitted moments over all groups."""
        p, q = len(self.observed), len(self.exogenous)
        per_group = p * (p + 1) // 2 - q * (q + 1) // 2 + (p - q if self.means else 0)
        thresholds = sum(row.op == "|" for row in self.parameters)
        return (per_group - 2 * len(self.ordered)) * self.n_groups + thresholds


def build_table(
    spec: ModelSpec,
    *,
    n_groups: int = 1,
    means: bool = False,
    unit_variance: bool = False,
    fixed_exogenous: bool = True,
    equal: Sequence[str] = (),
    partial: Sequence[Term] = (),
    ordered: bool = False,
) -> ParameterTable:
    """Apply the automatic rules to a model.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    n_groups : int, default 1
        Number of groups.
    means : bool, default False
        Whether intercepts are part of the model.
    unit_variance : bool, default False
        Fix the variances of the constructs to 1 instead of their first loadings.
    fixed_exogenous : bool, default True
        Take observed variables that only explain as they are.
    equal : sequence of str
        What is equal across groups, see :data:`EQUALITIES`.
    partial : sequence of Term
        Parameters that are not equal all the same.
    ordered : bool, default False
        Whether the model may speak of thresholds and scaling factors.

    Raises
    ------
    SpecError
        The model has composites, which covariance models don't estimate, thresholds without ordered columns, or
        modifiers for another number of groups.
    """
    for word in equal:
        check_word("equal", word, EQUALITIES)
    if "thresholds" in equal and not ordered:
        raise ArgumentError('equal="thresholds" is for ordered columns: name them in ordered=')
    _check(spec, n_groups, ordered)
    roles = _Roles(spec, fixed_exogenous)
    apart = {key_of(t.lhs, t.op, t.rhs) for t in partial}
    rows: list[Parameter] = []
    for group in range(n_groups):
        rows += _group_rows(spec, roles, group, means, unit_variance, tuple(equal), apart)
    return ParameterTable(tuple(rows), roles.observed, roles.constructs, roles.exogenous, n_groups, means)


def check_partial(table: ParameterTable, partial: Sequence[Term]) -> None:
    """Raise ArgumentError for the first of ``partial`` that can't differ between groups."""
    varying = {key_of(p.lhs, p.op, p.rhs) for p in table.parameters if p.free and p.group > 0}
    for t in partial:
        if key_of(t.lhs, t.op, t.rhs) not in varying:
            what = f"{t.lhs} {t.op} {t.rhs}".rstrip()
            why = "give group=" if table.n_groups == 1 else "it is fixed, or not in the model"
            raise ArgumentError(f"partial: {what!r} is no parameter that could differ between groups: {why}")


def _check(spec: ModelSpec, n_groups: int, ordered: bool) -> None:
    responses = [t for t in spec.terms if t.op in RESPONSE_OPERATORS]
    if responses and not ordered:
        t = responses[0]
        raise SpecError(
            f"'{t.lhs} {t.op} {t.rhs}' speaks of an ordered column: name it in ordered= of a CBSEM with WLSMV"
        )
    composites = [t for t in spec.terms if t.op == "<~"]
    if composites:
        raise SpecError(
            f"{composites[0].lhs!r} is a composite ('<~'); covariance models measure constructs with '=~'. "
            "Use PLSPM for composites."
        )
    if spec.n_groups not in (1, n_groups):
        raise ArgumentError(
            f"the model has modifiers for {spec.n_groups} groups (c(...)), the data has {n_groups}: give group="
            if n_groups == 1
            else f"the model has modifiers for {spec.n_groups} groups (c(...)), the data has {n_groups}"
        )


class _Roles:
    """Which variable plays which part."""

    def __init__(self, spec: ModelSpec, fixed_exogenous: bool) -> None:
        self.constructs = spec.constructs
        self.observed = spec.observed
        measured = {t.rhs for t in spec.terms if t.op == "=~"}
        targets = {t.lhs for t in spec.terms if t.op == "~"}
        sources = {t.rhs for t in spec.terms if t.op == "~"}
        spoken_of = {n for t in spec.terms if t.op in ("~~", "~1") for n in (t.lhs, t.rhs)}
        exogenous = [v for v in self.observed if v in sources and v not in targets and v not in measured]
        if any(v in spoken_of for v in exogenous) or not fixed_exogenous:
            self.exogenous: tuple[str, ...] = ()
            self.random_exogenous = tuple(exogenous)
        else:
            self.exogenous, self.random_exogenous = tuple(exogenous), ()
        self.free_constructs = [c for c in self.constructs if c not in targets and c not in measured]
        self.outcomes = [
            v
            for v in (*self.constructs, *self.observed)
            if v in targets and v not in sources and v not in measured
        ]
        indicators = {c: [t.rhs for t in spec.terms if t.op == "=~" and t.lhs == c] for c in self.constructs}
        owners: dict[str, int] = {}
        for items in indicators.values():
            for item in items:
                owners[item] = owners.get(item, 0) + 1
        self.single = {
            items[0] for items in indicators.values() if len(items) == 1 and owners[items[0]] == 1
        } - targets


def _group_rows(
    spec: ModelSpec,
    roles: _Roles,
    group: int,
    means: bool,
    unit_variance: bool,
    equal: tuple[str, ...],
    apart: set[tuple[str, str, str]],
) -> Iterator[Parameter]:
    rows: dict[tuple[str, str, str], Parameter] = {}
    with_loading: set[str] = set()
    for term in spec.terms:
        if term.op == "~1" and not means:
            continue
        default: float | None = None
        if term.op == "=~" and term.lhs not in with_loading:
            with_loading.add(term.lhs)
            default = None if unit_variance else 1.0
        row = _from_term(term, group, default)
        rows[key_of(row.lhs, row.op, row.rhs)] = row

    def add(lhs: str, op: str, rhs: str, *, value: float | None = None, exogenous: bool = False) -> None:
        free = value is None and not exogenous
        row = Parameter(lhs, op, rhs, group, free, value, exogenous=exogenous)
        rows.setdefault(key_of(lhs, op, rhs), row)

    outside = set(roles.exogenous)
    for v in roles.observed:
        if v not in outside:
            add(v, "~~", v, value=0.0 if v in roles.single else None)
    for c in roles.constructs:
        # equal loadings give the other groups the unit of the first, so that their variances may be free
        varying = "loadings" in equal and ("construct_variances" not in equal or (c, "~~", c) in apart)
        held = unit_variance and not (varying and group > 0)
        add(c, "~~", c, value=1.0 if held else None)
    for a, b in combinations(roles.free_constructs, 2):
        add(a, "~~", b)
    for a, b in combinations(roles.outcomes, 2):
        add(a, "~~", b)
    for a, b in combinations(roles.random_exogenous, 2):
        add(a, "~~", b)
    for i, a in enumerate(roles.exogenous):
        for b in roles.exogenous[i:]:
            add(a, "~~", b, exogenous=True)
    if means:
        for v in roles.observed:
            add(v, "~1", "", exogenous=v in outside)
        for c in roles.constructs:
            # equal thresholds (of ordered items whose intercepts are 0) do what equal intercepts do
            located = "intercepts" in equal or "thresholds" in equal
            free_mean = located and "means" not in equal and group > 0
            add(c, "~1", "", value=None if free_mean else 0.0)
    latent = set(roles.constructs)
    for key, row in rows.items():
        word = _equality(row, latent)
        tied = word in equal and key not in apart and not (word == "means" and group == 0)
        yield tied_across_groups(row) if tied else replace(row, tie=row.label if row.free else "")


def tied_across_groups(row: Parameter) -> Parameter:
    """Return the parameter held equal across groups; its own label goes before."""
    return replace(row, tie=row.label or f"equal across groups: {row}" if row.free else "")


def key_of(lhs: str, op: str, rhs: str) -> tuple[str, str, str]:
    """Return by what a parameter is found; a covariance is the same in either order."""
    return (rhs, op, lhs) if op == "~~" and rhs < lhs else (lhs, op, rhs)


def _from_term(term: Term, group: int, default: float | None) -> Parameter:
    fixed, label = term.fixed_in(group), term.label_in(group)
    value = default if fixed is None else None if fixed == "NA" else float(fixed)
    start = term.start_in(group)
    return Parameter(
        term.lhs,
        term.op,
        term.rhs,
        group,
        value is None,
        value,
        start if value is None else None,
        label or "",
        written=True,
    )


def _equality(row: Parameter, latent: set[str]) -> str:
    """Return the word of :data:`EQUALITIES` that a parameter falls under."""
    if row.op == "=~":
        return "loadings"
    if row.op == "~":
        return "paths"
    if row.op in RESPONSE_OPERATORS:
        return "thresholds" if row.op == "|" else ""
    if row.op == "~1":
        return "means" if row.lhs in latent else "intercepts"
    same = row.lhs == row.rhs
    if row.lhs in latent and row.rhs in latent:
        return "construct_variances" if same else "construct_covariances"
    return "residuals" if same else "residual_covariances"
