"""PLSResult: what a fitted PLS path model tells."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.intake.library import FrameLibrary
from satmodels.results import Table
from satmodels.sem.assessment import implied
from satmodels.sem.model.expression import compute, parse_expression
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.pls.compile import compile_structure
from satmodels.sem.pls.estimates import Estimates, estimate
from satmodels.sem.pls.structure import Structure
from satmodels.sem.pls.weighting import Scheme
from satmodels.sem.result import PARAMETER_COLUMNS, SEMResult
from satmodels.sem.summary import GroupSummary
from satmodels.statistics.moments import Moments

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


FIT_MEASURES = ("srmr", "d_uls", "d_g", "srmr_saturated", "d_uls_saturated", "d_g_saturated", "gof")


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class PLSResult(SEMResult):
    """Result of :class:`satmodels.PLSPM`; see :class:`satmodels.sem.result.SEMResult` for its tables.

    Attributes
    ----------
    scheme : str
        Inner weighting scheme.
    consistent : bool
        Whether the reflective blocks are corrected for measurement error.
    iterations : int
        Rounds of the algorithm.
    n_missing, n_dropped : int
        Missing answers that were replaced, rows that were left out.
    order : tuple of int
        Constructs, sources before targets.
    """

    scheme: Scheme
    consistent: bool
    iterations: int
    n_missing: int = 0
    n_dropped: int = 0
    order: tuple[int, ...] = ()
    kind: ClassVar[str] = "pls"

    def _glance(self) -> Mapping[str, Any]:
        fit = self._fit_measures()
        return {
            "n": self.n,
            "n_dropped": self.n_dropped,
            "n_missing": self.n_missing,
            "constructs": len(self.groups[0].constructs),
            "items": len(self.groups[0].moments.columns),
            "scheme": self.scheme,
            "consistent": self.consistent,
            "converged": self.converged,
            "iterations": self.iterations,
            "admissible": self.admissible,
            "gof": fit["gof"],
            "srmr": fit["srmr"],
        }

    def _fit_measures(self) -> Mapping[str, float | None]:
        """Give fit of the estimated model (the paths must explain the construct correlations), and saturated.

        With ``consistent=True`` reflective blocks are common factors, otherwise every block is a
        composite. ``gof`` is the geometric mean of the mean communality of the items of blocks of more
        than one item and the mean R² (Tenenhaus, Amato and Esposito Vinzi 2004).
        """
        g = self.groups[0]
        items = [item for block in g.items for item in block]
        if len(set(items)) < len(items):  # repeated indicators: no item belongs to one construct alone
            return dict.fromkeys(FIT_MEASURES)
        corr = g.moments.corr
        saturated = implied.implied_item_corr(corr, g.loadings, g.construct_corr, self._common_factors())
        wide = [j for j, items in enumerate(g.items) if len(items) > 1]
        communality = [g.loadings[i, j] ** 2 for j in wide for i in g.block(j)]
        r2 = [float(value) for j, value in enumerate(g.r2) if g.predecessors(j)]
        distances = [
            distance(corr, model)
            for model in (self._implied_corr(g), saturated)
            for distance in (implied.srmr, implied.d_uls, implied.d_g)
        ]
        gof = float(np.sqrt(np.mean(communality) * np.mean(r2))) if communality else None
        return dict(zip(FIT_MEASURES, [*distances, gof], strict=True))

    @checked
    def f2(self, *, reestimate: bool = False) -> pd.DataFrame:
        """Effect sizes f² = (R² - R² without the source) / (1 - R²): ``target, source, value``.

        Parameters
        ----------
        reestimate : bool, default False
            Whether the R² without a source comes from the whole model estimated without that path, as in
            seminr; by default the constructs stay as they are, as in cSEM.
        """
        if not reestimate:
            return super().f2()
        g = self.groups[0]
        structure = compile_structure(self.spec)
        r2 = dict(zip(g.constructs, g.r2, strict=True))
        records: list[dict[str, Any]] = []
        for target, sources in enumerate(structure.sources):
            name = g.constructs[target]
            for source in sources:
                without = 0.0
                if len(sources) > 1:
                    rest = [
                        (g.constructs[t], g.constructs[s])
                        for t, s in structure.paths
                        if (t, s) != (target, source)
                    ]
                    joined = {end for path in rest for end in path}  # a source may have had this path only
                    blocks = {
                        c: (structure.modes[j], structure.items(j))
                        for j, c in enumerate(structure.constructs)
                        if c in joined
                    }
                    smaller = Structure.of(tuple(blocks), blocks, rest)
                    at = [g.moments.columns.index(smaller.columns[place]) for place in smaller.places]
                    corr = g.moments.corr[np.ix_(at, at)]
                    fit = estimate(
                        corr[:, :, None], smaller, scheme=self.scheme, consistent=self.consistent, tol=1e-10
                    )
                    without = float(fit.r2[smaller.constructs.index(name), 0])
                value = (r2[name] - without) / (1 - r2[name]) if r2[name] < 1 else None
                records.append({"target": name, "source": g.constructs[source], "value": value})
        return FrameLibrary.PANDAS.build(Table.from_records(records, ("target", "source", "value")).columns())

    def _implied_corr(self, g: GroupSummary) -> Array:
        by_paths = implied.implied_construct_cov(g.construct_corr, g.paths)
        return implied.implied_item_corr(g.moments.corr, g.loadings, by_paths, self._common_factors())

    def _common_factors(self) -> list[bool]:
        modes = {name: mode for name, (mode, _) in self.spec.blocks.items()}
        return [self.consistent and modes.get(name) == "A" for name in self.groups[0].constructs]


def build_result(
    spec: ModelSpec,
    structure: Structure,
    estimates: Estimates,
    moments: Moments,
    *,
    scheme: Scheme,
    consistent: bool,
    n_missing: int = 0,
) -> PLSResult:
    """Turn the estimates of one correlation matrix (a batch of one) into the result."""
    summary = _summary(structure, estimates, moments)
    problems = _problems(structure, estimates) if consistent else ()
    converged = bool(estimates.converged[0])
    if not converged:
        problems = (
            f"the weights still moved after {int(estimates.iterations[0])} rounds: raise max_iter, or look for "
            "constructs that are hardly correlated",
            *problems,
        )
    return PLSResult(
        spec=spec,
        parameters=_parameters(spec, structure, estimates),
        groups=(summary,),
        n=moments.n,
        converged=converged,
        admissible=not problems,
        problems=problems,
        scheme=scheme,
        consistent=consistent,
        iterations=int(estimates.iterations[0]),
        n_missing=n_missing,
        n_dropped=moments.n_dropped,
        order=structure.order,
    )


def parameter_names(spec: ModelSpec, structure: Structure) -> list[tuple[str, str, str]]:
    """Return (lhs, op, rhs) of every parameter: loadings, weights, paths, defined parameters."""
    blocks = [(name, item) for j, name in enumerate(structure.constructs) for item in structure.items(j)]
    names = structure.constructs
    return [
        *((name, "=~", item) for name, item in blocks),
        *((name, "<~", item) for name, item in blocks),
        *((names[t], "~", names[s]) for t, s in structure.paths),
        *((d.name, ":=", d.expression) for d in spec.defined),
    ]


def parameter_values(spec: ModelSpec, structure: Structure, estimates: Estimates) -> Array:
    """Return the parameters of :func:`parameter_names`, shape (parameters, batch)."""
    targets, sources = zip(*structure.paths, strict=True)
    values = [estimates.loadings, estimates.weights, estimates.paths[targets, sources]]
    if spec.defined:
        labelled = _labelled(spec, structure, estimates)
        for d in spec.defined:
            labelled[d.name] = compute(parse_expression(d.expression), labelled)
            values.append(labelled[d.name][None])
    return np.concatenate(values)


def _labelled(spec: ModelSpec, structure: Structure, estimates: Estimates) -> dict[str, Array]:
    at = {name: j for j, name in enumerate(structure.constructs)}
    found: dict[str, Array] = {}
    for term in spec.terms:
        label = term.label_in(0)
        if label is None:
            continue
        if term.op == "~":
            found[label] = estimates.paths[at[term.lhs], at[term.rhs]]
        else:
            j = at[term.lhs]
            row = structure.blocks[j].start + structure.items(j).index(term.rhs)
            found[label] = (estimates.loadings if term.op == "=~" else estimates.weights)[row]
    return found


def _parameters(spec: ModelSpec, structure: Structure, estimates: Estimates) -> Table:
    values = parameter_values(spec, structure, estimates)[:, 0].tolist()
    lhs, op, rhs = zip(*parameter_names(spec, structure), strict=True)
    unknown = (None,) * len(values)  # what takes resampling to know
    return Table(PARAMETER_COLUMNS, (lhs, op, rhs, tuple(values), *[unknown] * (len(PARAMETER_COLUMNS) - 4)))


def _summary(structure: Structure, estimates: Estimates, moments: Moments) -> GroupSummary:
    shape = (len(structure.columns), len(structure.constructs))
    loadings, weights = np.zeros(shape), np.zeros(shape)
    at = list(structure.places), structure.mask.argmax(axis=1)
    loadings[at], weights[at] = estimates.loadings[:, 0], estimates.weights[:, 0]
    return GroupSummary(
        constructs=structure.constructs,
        items=tuple(structure.items(j) for j in range(len(structure.constructs))),
        moments=moments,
        loadings=loadings,
        weights=weights,
        construct_corr=estimates.construct_corr[:, :, 0],
        paths=estimates.paths[:, :, 0],
        rho_a=estimates.rho_a[:, 0],
    )


def _problems(structure: Structure, estimates: Estimates) -> tuple[str, ...]:
    """Say which corrected estimates can't be: consistent PLS may leave the admissible range."""
    names = structure.constructs
    found: list[str] = []
    for j, rho in enumerate(estimates.rho_a[:, 0]):
        if not 0 < rho <= 1:
            found.append(f"the reliability rho_A of {names[j]} is {rho:.3f}, outside 0..1")
    for row, loading in enumerate(estimates.loadings[:, 0]):
        if abs(loading) > 1 + 1e-9:
            found.append(
                f"the loading of {structure.columns[structure.places[row]]} is {loading:.3f}, beyond 1"
            )
    corr = estimates.construct_corr[:, :, 0]
    for a in range(len(names)):
        for b in range(a):
            if abs(corr[a, b]) > 1 + 1e-9:
                found.append(f"the correlation of {names[b]} and {names[a]} is {corr[a, b]:.3f}, beyond 1")
    for j, r2 in enumerate(estimates.r2[:, 0]):
        if r2 > 1 + 1e-9:
            found.append(f"R² of {names[j]} is {r2:.3f}, beyond 1")
    return tuple(found)
