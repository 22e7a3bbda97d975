"""The regression behind every driver analysis, from moments: checked once, then read by all methods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, DataError, unknown
from satmodels.statistics.collinear import collinear
from satmodels.statistics.moments import Moments

Array = NDArray[np.float64]

SINGULAR = 1e-9  # a driver whose share of own variance (1 / VIF) is below this is a copy of the others
ALONE = 0.99  # leverage of an answer that stands alone: its residual is 0 and tells nothing
HIGH_VIF = 10.0  # the usual mark of multicollinearity (Marquardt 1970)


@dataclass(frozen=True)
class DriverRegression:
    """Regression of an outcome on drivers.

    Attributes
    ----------
    outcome : str
        The outcome.
    drivers : tuple of str
        The drivers.
    moments : Moments
        Moments of the drivers and, last, the outcome.
    joint : ndarray, shape (p + 1, p + 1)
        Their correlations in that order.
    """

    outcome: str
    drivers: tuple[str, ...]
    moments: Moments
    joint: Array

    @classmethod
    def of(cls, moments: Moments, outcome: str, drivers: Sequence[str] | None = None) -> DriverRegression:
        """Check that the moments carry the regression.

        Raises
        ------
        ArgumentError
            The outcome is among the drivers, or a column is not there.
        DataError
            A constant column, collinear drivers (named), or no more answers than columns.
        """
        if outcome not in moments.columns:
            raise unknown("column of these moments", outcome, moments.columns)
        names = tuple(c for c in moments.columns if c != outcome) if drivers is None else tuple(drivers)
        check_drivers(outcome, names)
        chosen = moments.select([*names, outcome])
        p = len(names)
        if chosen.n <= p + 1:
            dropped = f" ({chosen.n_dropped} rows were incomplete)" if chosen.n_dropped else ""
            raise DataError(
                f"{p} drivers need more than {p + 1} complete answers; there are n={chosen.n}{dropped}",
                columns=names,
            )
        joint = chosen.corr
        check_collinear(joint[:p, :p], names)
        return cls(outcome, names, chosen, joint)

    @property
    def corr(self) -> Array:
        """Correlations of the drivers."""
        return self.joint[:-1, :-1]

    @property
    def r(self) -> Array:
        """Correlations of the drivers with the outcome."""
        return self.joint[:-1, -1]

    @cached_property
    def inverse(self) -> Array:
        """Inverse of the drivers' correlations."""
        return np.asarray(np.linalg.inv(self.corr), dtype=np.float64)

    @cached_property
    def beta(self) -> Array:
        """Standardised coefficients."""
        return np.asarray(np.linalg.solve(self.corr, self.r), dtype=np.float64)

    @property
    def r2(self) -> float:
        """Share of the outcome's variance that the drivers explain."""
        return float(min(max(self.beta @ self.r, 0.0), 1.0))

    @property
    def n(self) -> float:
        """Number of answers that count: with weights the effective number."""
        return self.moments.n_eff if self.moments.weighted else float(self.moments.n)

    @property
    def r2_adjusted(self) -> float:
        """R² less what p drivers explain by chance."""
        left = self.n - len(self.drivers) - 1
        return 1 - (1 - self.r2) * (self.n - 1) / left if left > 0 else float("nan")

    @property
    def vif(self) -> Array:
        """Variance inflation factors."""
        return np.diag(self.inverse).copy()

    @property
    def slope(self) -> Array:
        """Coefficients in the units of the columns: outcome per unit of the driver."""
        std = self.moments.std
        return self.beta * std[-1] / std[:-1]

    @property
    def slope_cov(self) -> Array:
        """Covariance matrix of the coefficients (ordinary least squares)."""
        std = self.moments.std
        left = max(self.n - len(self.drivers) - 1, 1.0)
        scale = std[-1] / std[:-1]
        return self.inverse * np.outer(scale, scale) * ((1 - self.r2) / left)

    def robust_slope_cov(self, blocks: Iterable[tuple[Array, Array | None]]) -> Array:
        """Return the covariance matrix HC3 of the coefficients, which bears that some answers spread more than others.

        A residual counts as what it would be without its own answer, e / (1 - h) with the leverage h (MacKinnon
        and White 1985, Journal of Econometrics 29).

        Parameters
        ----------
        blocks : iterable of (ndarray, ndarray or None)
            The same complete answers in the order of ``moments.columns``, and their weights.
        """
        moments = self.moments
        inverse = np.linalg.inv(moments.scatter[:-1, :-1])
        left = (1 - self.r2) * moments.std[-1] ** 2  # variance of the residuals
        meat = np.zeros_like(inverse)
        for rows, w in blocks:
            x = rows - moments.mean
            drivers, mass = x[:, :-1], np.ones(len(x)) if w is None else w
            leverage = mass * (1 / moments.sum_w + ((drivers @ inverse) * drivers).sum(axis=1))
            error = (x[:, -1] - drivers @ self.slope) / np.maximum(1 - leverage, 1 - ALONE)
            squared = mass**2 * np.where(leverage > ALONE, left, error**2)
            meat += (drivers * squared[:, None]).T @ drivers
        return inverse @ meat @ inverse

    def problems(self) -> tuple[str, ...]:
        """Say in words what a reader of the importances must know."""
        found: list[str] = []
        for name, r, beta, vif in zip(self.drivers, self.r, self.beta, self.vif, strict=True):
            if r < 0:
                found.append(
                    f"{name!r} correlates negatively with {self.outcome!r} ({r:.2f}): is it a burden, or a "
                    "reversed item?"
                )
            elif beta < 0:
                found.append(
                    f"{name!r} correlates positively with {self.outcome!r} ({r:.2f}) but has the coefficient "
                    f"{beta:.2f} beside the others: it shares their information, read no harm into the sign"
                )
            if vif > HIGH_VIF:
                near = int(
                    np.argmax(
                        np.abs(
                            self.corr[self.drivers.index(name)]
                            - np.eye(1, len(self.r), self.drivers.index(name))[0]
                        )
                    )
                )
                found.append(
                    f"{name!r} is {1 - 1 / vif:.0%} explained by the other drivers (VIF {vif:.0f}; most like "
                    f"{self.drivers[near]!r}): their importances can hardly be told apart, join them"
                )
        return tuple(found)


def check_drivers(outcome: str, drivers: Sequence[str], weight: str | None = None) -> None:
    """Raise ArgumentError for an empty list, and for a column that is used twice."""
    if weight is not None and weight in (outcome, *drivers):
        raise ArgumentError(f"{weight!r} can't be the weight too")
    if not drivers:
        raise ArgumentError("drivers is empty: name at least one column")
    if outcome in drivers:
        raise ArgumentError(f"{outcome!r} is the outcome and can't be a driver too")
    if len(set(drivers)) < len(drivers):
        twice = sorted({d for d in drivers if list(drivers).count(d) > 1})
        raise ArgumentError(f"drivers listed twice: {twice}")


def check_collinear(corr: Array, names: Sequence[str]) -> None:
    """Raise DataError naming the drivers that are linear copies of one another."""
    if copies := collinear(corr, names, SINGULAR):
        raise DataError(
            f"the drivers {copies} are collinear: each is a combination of the others, so their importance has "
            "no answer. Leave one of them out.",
            columns=copies,
        )
