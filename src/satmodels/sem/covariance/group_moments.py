"""The moments of a group of ordered answers, as a fit weighs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.sem.covariance.answer_moments import AnswerMoments

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class GroupMoments:
    """The moments of a group in the units of the fit: what they are, n times their covariances, and their weights.

    ``spread`` is the product of the group's standard deviations for each moment of second order, and ``share`` the
    group's share of all (weighted) rows.
    """

    n: int
    found: Array
    gamma: Array
    weight: Array
    spread: Array
    share: float

    @classmethod
    def of(cls, answers: AnswerMoments, scale: Array, share: float, estimator: str) -> GroupMoments:
        """Return the moments of columns divided by ``scale``."""
        found, gamma = answers.scaled(scale)
        # unweighted means in the units of the columns
        unweighted = estimator in ("ULS", "ULSMV")
        weight = answers.units(scale) ** 2 if unweighted else 1 / np.diag(gamma)
        own = answers.std / scale
        return cls(answers.n, found, gamma, weight, own[answers.rows] * own[answers.others], share)
