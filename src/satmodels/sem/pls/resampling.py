"""Every quantity of a PLS path model for thousands of resamples at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import pairwise
from operator import mul
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError
from satmodels.sem.assessment.effects import chains
from satmodels.sem.index import index_weights
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.normal_table import NEEDS_ROWS, NormalTable
from satmodels.sem.pls.batch_algebra import block_product, dot, inverse_spd
from satmodels.sem.pls.estimates import Estimates, estimate, total_effects
from satmodels.sem.pls.result import parameter_names, parameter_values
from satmodels.sem.pls.structure import Structure
from satmodels.sem.pls.weighting import Scheme
from satmodels.sem.recomputed_table import RecomputedTable
from satmodels.sem.resample_table import ResampledMoments, ResampleTable, moments_of

Array = NDArray[np.float64]
ResamplingTable = ResampleTable | NormalTable | RecomputedTable
Htmt = Literal["signed", "absolute", "geometric"]
MODERATOR_AT = (-1.0, 0.0, 1.0)  # standard deviations from the moderator's mean
NEEDS_NUMBERS = (
    "this needs complete rows of numbers, and ordered=True, missing='pairwise' and 'em' give moments only: take the "
    "answers as numbers, with missing='mean' or 'drop'."
)


@dataclass(frozen=True, eq=False)
class PLSResampling:
    """A PLS path model and the rows that it is estimated on again and again.

    Attributes
    ----------
    names : list of (lhs, op, rhs)
        What is computed: the model's parameters first, then, with operators of our own, ``r2``,
        ``total``, ``indirect``, ``via`` (one chain of arrows), ``htmt``, ``alpha``, ``rho_a``, ``rho_c``, ``ave`` and, where the
        scales are known, ``index`` and ``slope`` (paths in index points). With an interaction also
        ``conditional`` (effects at values of the moderator) and ``moderated`` (how these change with it).
    n_parameters : int
        How many of the names are parameters of the model.
    """

    spec: ModelSpec
    structure: Structure
    table: ResamplingTable
    scheme: Scheme
    consistent: bool
    tol: float
    max_iter: int
    limits: Mapping[str, tuple[float, float]]
    interaction: tuple[str, str, str] | None = None
    htmt: Htmt = "signed"
    also: tuple[str, ...] = ()

    @property
    def n_parameters(self) -> int:
        """How many of the names are parameters of the model."""
        return len(parameter_names(self.spec, self.structure))

    @property
    def names(self) -> list[tuple[str, str, str]]:
        """The (lhs, op, rhs) of every quantity, the model's parameters first."""
        constructs = self.structure.constructs
        effects = [(constructs[t], constructs[s]) for t, s in linked(self.structure)]
        chained = [(constructs[t], constructs[s]) for t, s in linked(self.structure, indirect=True)]
        endogenous = [c for c, sources in zip(constructs, self.structure.sources, strict=True) if sources]
        pairs = [(a, b) for i, a in enumerate(constructs) for b in constructs[:i]]
        slopes = [(t, s) for t, s in self.structure.paths if {t, s} <= set(self._indexed)]
        return [
            *parameter_names(self.spec, self.structure),
            *((c, "r2", c) for c in endogenous),
            *((t, "total", s) for t, s in effects),
            *((t, "indirect", s) for t, s in chained),
            *((constructs[c[-1]], "via", " -> ".join(constructs[j] for j in c[:-1])) for c in self._chains),
            *((a, "htmt", b) for a, b in pairs),
            *((c, op, c) for op in ("alpha", "rho_a", "rho_c", "ave") for c in constructs),
            *((constructs[j], "index", constructs[j]) for j in self._indexed),
            *((constructs[t], "slope", constructs[s]) for t, s in slopes),
            *self._conditional_names,
            *self._further_names,
        ]

    @property
    def rows_table(self) -> ResampleTable:
        """The rows; ArgumentError where there are moments only."""
        if isinstance(self.table, NormalTable):
            raise ArgumentError(NEEDS_ROWS.format(what="this"))
        if isinstance(self.table, RecomputedTable):
            raise ArgumentError(NEEDS_NUMBERS)
        return self.table

    @property
    def parts_table(self) -> ResampleTable | RecomputedTable:
        """The rows, which can be taken apart; ArgumentError where there are moments only."""
        return self.table if isinstance(self.table, RecomputedTable) else self.rows_table

    @cached_property
    def _chains(self) -> list[tuple[int, ...]]:
        return chains(self.structure.sources)

    def compute(self, sums: Array) -> Array:
        """Return every quantity for a batch of sums; NaN columns where the estimation failed.

        Parameters
        ----------
        sums : ndarray, shape (1 + items + pairs, batch)
            From :class:`~satmodels.sem.resample_table.ResampleTable`.

        Returns
        -------
        ndarray, shape (quantities, batch)
        """
        moments = moments_of(sums, self.table.centre)
        at = list(self.structure.places)
        corr = moments.corr if at == list(range(len(at))) else moments.corr[np.ix_(at, at)]
        fitted = estimate(
            corr,
            self.structure,
            scheme=self.scheme,
            consistent=self.consistent,
            tol=self.tol,
            max_iter=self.max_iter,
        )
        with np.errstate(divide="ignore", invalid="ignore"):  # draws that failed have no values
            values = np.concatenate(
                [
                    parameter_values(self.spec, self.structure, fitted),
                    self._assessments(corr, fitted),
                    *([self._index(moments, fitted)] if self._indexed else []),
                    *([self._conditional(sums[0], moments, fitted)] if self.interaction else []),
                    *([self._further(corr, fitted)] if self.also else []),
                ]
            )
        values[:, ~fitted.converged] = np.nan
        return values

    def _assessments(self, corr: Array, fitted: Estimates) -> Array:
        structure = self.structure
        total = total_effects(fitted.paths, structure)
        endogenous = [j for j, sources in enumerate(structure.sources) if sources]
        means = _block_means(corr, structure)
        within = means[np.arange(len(means)), np.arange(len(means))]
        sizes = np.array([block.stop - block.start for block in structure.blocks], dtype=float)[:, None]
        alpha = np.where(sizes > 1, sizes * within / (1 + (sizes - 1) * within), 1.0)
        sums = np.stack([fitted.loadings[block].sum(axis=0) for block in structure.blocks])
        squares = np.stack([(fitted.loadings[block] ** 2).sum(axis=0) for block in structure.blocks])
        rho_c = sums**2 / (sums**2 + sizes - squares)
        return np.concatenate(
            [
                fitted.r2[endogenous],
                np.stack([total[t, s] for t, s in linked(structure)]),
                *((total[t, s] - fitted.paths[t, s])[None] for t, s in linked(structure, indirect=True)),
                *(
                    reduce(mul, (fitted.paths[t, s] for s, t in pairwise(chain)))[None]
                    for chain in self._chains
                ),
                _ratios(means) if self.htmt == "signed" else _htmt(corr, structure, self.htmt),
                alpha,
                fitted.rho_a,
                rho_c,
                squares / sizes,
            ]
        )

    @cached_property
    def _indexed(self) -> list[int]:
        """Return the constructs all of whose items have a scale."""
        known = [
            set(self.structure.items(j)) <= set(self.limits) for j in range(len(self.structure.constructs))
        ]
        return [j for j, there in enumerate(known) if there]

    def _index(self, moments: ResampledMoments, fitted: Estimates) -> Array:
        """Return the indices, and the paths between constructs that have one in index points."""
        found: dict[int, Array] = {}
        spread: dict[int, Array] = {}
        for j in self._indexed:
            block = self.structure.blocks[j]
            at = list(self.structure.places[block])
            low = np.array([self.limits[item][0] for item in self.structure.items(j)])[:, None]
            span = np.array([self.limits[item][1] for item in self.structure.items(j)])[:, None] - low
            v = index_weights(fitted.weights[block], moments.std[at])
            found[j] = (v * (moments.mean[at] - low) / span).sum(axis=0) * 100
            # what the index answers to one standard deviation of its construct
            spread[j] = dot(v / span * moments.std[at], fitted.loadings[block])
        paths = ((t, s) for t, s in self.structure.paths if {t, s} <= set(found))
        slopes = [fitted.paths[t, s] * spread[t] / spread[s] for t, s in paths]
        return np.stack([*found.values(), *slopes])

    @property
    def _moderated(self) -> list[tuple[int, int]]:
        """Return (target, source) of the effects that run through the moderated path."""
        if self.interaction is None:
            return []
        source, moderator, target = (self.structure.constructs.index(name) for name in self.interaction)
        chained = linked(self.structure)
        first = [source, *(s for t, s in chained if t == source and s != moderator)]
        last = [target, *(t for t, s in chained if s == target)]
        return [(t, s) for s in first for t in last]

    @property
    def _conditional_names(self) -> list[tuple[str, str, str]]:
        if self.interaction is None:
            return []
        names, moderator = self.structure.constructs, self.interaction[1]
        return [
            *(
                (names[t], "conditional", f"{names[s]} | {moderator} = {value:g}")
                for t, s in self._moderated
                for value in MODERATOR_AT
            ),
            *((names[t], "moderated", f"{names[s]} | {moderator}") for t, s in self._moderated),
        ]

    def _conditional(self, n: Array, moments: ResampledMoments, fitted: Estimates) -> Array:
        """Return effects at values of the moderator, then their changes per standard deviation of it."""
        assert self.interaction is not None  # noqa: S101 - the caller looked
        at = {name: j for j, name in enumerate(self.structure.constructs)}
        source, moderator, target = (at[name] for name in self.interaction)
        name = f"{self.interaction[0]}*{self.interaction[1]}"
        # scores have variance 1 with divisor n - 1, and so is their product measured
        spread = moments.std[self.structure.columns.index(name)] * np.sqrt(n / (n - 1))
        change = fitted.paths[target, at[name]] / spread
        if source == moderator:
            change = 2 * change  # the slope of b x + c x² is b + 2 c x
        total = total_effects(fitted.paths, self.structure)
        one = np.ones_like(change)
        outside = [
            (one if s == source else total[source, s]) * (one if t == target else total[t, target])
            for t, s in self._moderated
        ]
        main = fitted.paths[target, source]
        return np.stack(
            [
                *(factor * (main + value * change) for factor in outside for value in MODERATOR_AT),
                *(factor * change for factor in outside),
            ]
        )

    @property
    def _others(self) -> list[tuple[int, int]]:
        """Return (construct, row) of the items of other constructs: the cross-loadings."""
        k = len(self.structure.constructs)
        return [(j, row) for j in range(k) for row in np.flatnonzero(~self.structure.mask[:, j]).tolist()]

    @property
    def _further_names(self) -> list[tuple[str, str, str]]:
        structure = self.structure
        constructs = structure.constructs
        arrows = [(constructs[t], constructs[s]) for t, s in structure.paths]
        pairs = [(a, b) for i, a in enumerate(constructs) for b in constructs[:i]]
        items = [structure.columns[place] for place in structure.places]
        cross = [(constructs[j], items[row]) for j, row in self._others]
        known = {"f2": arrows, "vif": arrows, "corr": pairs, "cross": cross}
        return [(lhs, name, rhs) for name in self.also for lhs, rhs in known[name]]

    def _further(self, corr: Array, fitted: Estimates) -> Array:
        """Return what is computed only when asked for, in the order of ``_further_names``."""
        structure = self.structure
        found: dict[str, list[Array]] = {"f2": [], "vif": [], "corr": [], "cross": []}
        between = fitted.construct_corr
        if {"f2", "vif"} & set(self.also):
            for target, sources in enumerate(structure.sources):
                if sources:
                    factors = np.einsum("iib->ib", inverse_spd(between[np.ix_(sources, sources)]))
                    rest = 1 - fitted.r2[target]
                    for i, source in enumerate(sources):
                        # without a source R² falls by b² / VIF
                        fall = fitted.paths[target, source] ** 2 / factors[i]
                        found["f2"].append(np.where(rest > 0, fall / rest, np.nan))
                        found["vif"].append(factors[i])
        i, j = np.tril_indices(len(structure.constructs), -1)
        found["corr"] = list(between[i, j])
        if "cross" in self.also:
            blocks = structure.blocks
            wide = [block_product(corr[:, block], fitted.weights[block]) for block in blocks]
            found["cross"] = [wide[j][row] for j, row in self._others]
        return np.stack([value for name in self.also for value in found[name]])


def linked(structure: Structure, *, indirect: bool = False) -> list[tuple[int, int]]:
    """Return (target, source) of every chain of arrows; with ``indirect`` those of two arrows or more."""
    k = len(structure.constructs)
    one = np.zeros((k, k), dtype=int)
    for t, s in structure.paths:
        one[t, s] = 1
    chains = np.linalg.inv(np.eye(k) - one / (k + 1))  # counts chains, damped so that none overflows
    longer = chains - np.eye(k) - one / (k + 1)
    wanted = longer if indirect else chains - np.eye(k)
    # source by source, as the table of effects has them
    return [(t, s) for s in range(k) for t in range(k) if wanted[t, s] > 1e-12]


def _block_means(matrix: Array, structure: Structure) -> Array:
    """Return the means of the entries between and, off the diagonal, within blocks: (constructs, constructs, batch)."""
    blocks = structure.blocks
    rows = np.stack([matrix[block].sum(axis=0) for block in blocks])
    sums = np.stack([rows[:, block].sum(axis=1) for block in blocks], axis=1)
    sizes = np.array([block.stop - block.start for block in blocks])
    means = sums / (sizes[:, None] * sizes)[:, :, None]
    for j, (block, m) in enumerate(zip(blocks, sizes, strict=True)):
        if m > 1:
            means[j, j] = (sums[j, j] - np.trace(matrix[block, block])) / (m * (m - 1))
    return means


def _ratios(means: Array) -> Array:
    """Return each mean between two blocks over the geometric mean of those within, (pairs, batch)."""
    i, j = np.tril_indices(len(means), -1)
    within = means[np.arange(len(means)), np.arange(len(means))]
    with np.errstate(invalid="ignore", divide="ignore"):
        root = np.sqrt(np.where(within > 0, within, np.nan))
        return means[i, j] / (root[i] * root[j])


def _htmt(corr: Array, structure: Structure, kind: Htmt) -> Array:
    """Return heterotrait-monotrait ratios of correlations without signs, or of geometric means (HTMT2)."""
    if kind == "absolute":
        return _ratios(_block_means(np.abs(corr), structure))
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.exp(_block_means(np.log(corr), structure))
    alone = [j for j, block in enumerate(structure.blocks) if block.stop - block.start == 1]
    means[alone, alone] = 1.0
    return _ratios(means)
