"""What the assessments of a structural model need of one group: small matrices, nothing of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupSummary:
    """The standardised solution of one group.

    Attributes
    ----------
    group : object
        The group's value; None where the model has no groups.
    constructs : tuple of str
        Names of the constructs: the order of the matrices below. Observed variables that take part in
        paths are constructs too (of one item, themselves).
    items : tuple of tuple of str
        The items of each construct.
    moments : Moments
        Moments of the items, in the units of the answers.
    loadings : ndarray, shape (columns of ``moments``, constructs)
        Standardised loadings, 0 outside the blocks.
    weights : ndarray, shape (columns of ``moments``, constructs)
        Outer weights for standardised items, 0 outside the blocks; construct scores have unit variance.
    construct_corr : ndarray, shape (constructs, constructs)
        Correlations of the constructs (with consistent PLS and covariance models: of the constructs
        without measurement error).
    paths : ndarray, shape (constructs, constructs)
        Standardised path coefficients; row: target, column: source.
    implied_corr : ndarray, shape (columns of ``moments``, columns of ``moments``), optional
        Correlations of the items that the model implies; None where the result computes them from the rest
        when it is asked.
    rho_a : ndarray, shape (constructs,), optional
        Dijkstra and Henseler's reliability of the composites, where the method gives it.
    """

    group: object = None
    constructs: tuple[str, ...]
    items: tuple[tuple[str, ...], ...]
    moments: Moments
    loadings: Array
    weights: Array
    construct_corr: Array
    paths: Array
    implied_corr: Array | None = None
    rho_a: Array | None = None

    def block(self, construct: int) -> list[int]:
        """Return the places of a construct's items among the columns of ``moments``."""
        return [self.moments.columns.index(item) for item in self.items[construct]]

    def predecessors(self, construct: int) -> list[int]:
        """Return the constructs with a path to this one."""
        return [int(k) for k in np.flatnonzero(self.paths[construct])]

    @property
    def r2(self) -> Array:
        """Explained share of variance of each construct (0 where nothing explains it)."""
        return np.einsum("ts,ts->t", self.paths, self.construct_corr)
