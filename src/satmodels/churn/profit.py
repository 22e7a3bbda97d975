"""Money: what a warning is worth, whom to contact, and the expected maximum profit of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ValidationInfo, field_validator

from satmodels.arguments import checked
from satmodels.churn.outcomes import OFFENDERS, RankedBlocks, ranked_blocks, read_outcomes
from satmodels.errors import ArgumentError, SchemaError
from satmodels.intake.library import FrameLibrary
from satmodels.results import Result, Table
from satmodels.survey.scale import Spec

Array = NDArray[np.float64]

COLUMNS = ("value", "acceptance_rate")  # costs that may be the name of a column


class ChurnCosts(Spec):
    """What a retention campaign costs and saves, per customer contacted, in one currency.

    The parameters and their defaults are those of Verbeke et al. (2012). The share of churners who accept
    the offer and stay is not known exactly: it follows a Beta distribution.

    Parameters
    ----------
    contact : float, default 1
        Cost of contacting a customer.
    incentive : float, default 10
        Cost of the offer to a customer who takes it; whoever would have stayed anyway takes it too.
    value : float or str, default 200
        What a customer is worth who stays: one amount, or the name of a column with an amount per customer.
    alpha, beta : float, default 6 and 14
        Beta distribution of the acceptance rate; the mean is alpha / (alpha + beta), 0.3 by default.
    acceptance_rate : float or str, optional
        The acceptance rate where it is known, between 0 and 1, instead of the Beta distribution: one number, or
        the name of a column with a rate per customer.

    References
    ----------
    Verbeke, W., Dejaeger, K., Martens, D., Hur, J., & Baesens, B. (2012). New insights into churn
    prediction in the telecommunication sector: a profit driven data mining approach. European Journal of
    Operational Research, 218(1), 211-229.

    Examples
    --------
    >>> import satmodels as sat
    >>> costs = sat.ChurnCosts(contact=2, incentive=20, value=500)
    >>> round(costs.threshold(), 3)
    0.134
    """

    contact: float = 1.0
    incentive: float = 10.0
    value: float | str = 200.0
    alpha: float = 6.0
    beta: float = 14.0
    acceptance_rate: float | str | None = None

    @field_validator("contact", "incentive", "value", "alpha", "beta", "acceptance_rate", mode="before")
    @classmethod
    def _finite(cls, number: Any, info: ValidationInfo) -> Any:
        if info.field_name in COLUMNS and isinstance(number, str):
            return number
        if info.field_name == "acceptance_rate" and number is None:
            return number
        if (
            isinstance(number, bool)
            or not isinstance(number, int | float | np.number)
            or not np.isfinite(number)
        ):
            raise ValueError(f"a finite number, not {number!r}")
        return float(number)

    @field_validator("contact", "incentive")
    @classmethod
    def _not_negative(cls, number: float) -> float:
        if number < 0:
            raise ValueError("a cost is 0 or more")
        return number

    @field_validator("value")
    @classmethod
    def _worth(cls, number: float | str) -> float | str:
        if number == "" or (not isinstance(number, str) and number <= 0):
            raise ValueError("a customer is worth more than 0, or it is the name of a column")
        return number

    @field_validator("alpha", "beta")
    @classmethod
    def _positive(cls, number: float) -> float:
        if number <= 0:
            raise ValueError("must be above 0")
        return number

    @field_validator("acceptance_rate")
    @classmethod
    def _share(cls, rate: float | str | None) -> float | str | None:
        if rate == "" or (isinstance(rate, float) and not 0 <= rate <= 1):
            raise ValueError("a share between 0 and 1, or the name of a column")
        return rate

    @property
    def per_customer(self) -> tuple[str, ...]:
        """Columns that hold an amount or a rate per customer."""
        return tuple(name for name in (self.value, self.acceptance_rate) if isinstance(name, str))

    @property
    def acceptance(self) -> float:
        """Mean share of contacted churners who accept the offer and stay.

        Raises
        ------
        ArgumentError
            It differs per customer.
        """
        if isinstance(self.acceptance_rate, str):
            raise ArgumentError(
                f"acceptance_rate={self.acceptance_rate!r} is a column, but one rate for all is needed here: use "
                "costs.model_copy(update={'acceptance_rate': mean})"
            )
        return self.alpha / (self.alpha + self.beta) if self.acceptance_rate is None else self.acceptance_rate

    def one_value(self) -> float:
        """Return the value where it is one amount for all."""
        if isinstance(self.value, str):
            raise ArgumentError(
                f"value={self.value!r} is a column, but one amount for all is needed here: use "
                "costs.model_copy(update={'value': mean})"
            )
        return float(self.value)

    def threshold(self, value: ArrayLike | None = None, acceptance: ArrayLike | None = None) -> Any:
        """Return the risk above which contacting a customer pays on average.

        A contacted churner brings ``acceptance * (value - incentive) - contact``, anybody else costs
        ``incentive + contact``; above the threshold the first outweighs the second. 1 where it never pays.

        Parameters
        ----------
        value, acceptance : array-like, optional
            Values and acceptance rates per customer; default the one value and the mean rate.
        """
        gain = self._saved(value, acceptance) + self.incentive
        never = (gain <= 0) | (self.incentive + self.contact >= gain)
        found = np.where(never, 1.0, (self.incentive + self.contact) / np.where(gain > 0, gain, 1.0))
        return float(found) if found.ndim == 0 else found

    def profit(
        self, risk: ArrayLike, value: ArrayLike | None = None, acceptance: ArrayLike | None = None
    ) -> Array:
        """Return the expected profit of contacting customers of these risks."""
        p = _numbers(risk, "risk")
        if not ((p >= 0) & (p <= 1)).all():
            raise ArgumentError("risk= takes shares between 0 and 1, one per customer")
        return p * (self._saved(value, acceptance) - self.contact) - (1 - p) * (self.incentive + self.contact)

    def _saved(self, value: ArrayLike | None, acceptance: ArrayLike | None) -> Array:
        """Return what the offer is expected to save of a churner, before the contact is paid."""
        worth = _numbers(self.one_value() if value is None else value, "value")
        rate = _numbers(self.acceptance if acceptance is None else acceptance, "acceptance")
        return rate * (worth - self.incentive)


def _numbers(values: ArrayLike, name: str) -> Array:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(f"{name}= takes a number, or one per customer") from error


def check_amounts(values: Array, name: str) -> None:
    """Raise SchemaError unless every customer has a value of at least 0."""
    _refuse(
        ~((values >= 0) & np.isfinite(values)),
        values,
        name,
        "a value of at least 0 for every customer",
        "Give what a customer is worth who stays, for example the mean where it is not known.",
    )


def check_rates(rates: Array, name: str) -> None:
    """Raise SchemaError unless every customer has an acceptance rate between 0 and 1."""
    _refuse(
        ~((rates >= 0) & (rates <= 1)),
        rates,
        name,
        "an acceptance rate between 0 and 1 for every customer",
        "Give the share of leavers who would take the offer and stay, for example the mean where it is not known.",
    )


def _refuse(wrong: NDArray[np.bool_], values: Array, name: str, rule: str, remedy: str) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        raise SchemaError.answers(
            name,
            rule,
            remedy,
            n_bad=len(rows),
            offenders=[(int(i), float(values[i])) for i in rows[:OFFENDERS]],
        )


def check_costs(costs: object) -> None:
    """Raise ArgumentError unless it is a ChurnCosts."""
    if not isinstance(costs, ChurnCosts):
        raise ArgumentError(f"costs={costs!r}: give ChurnCosts(contact=..., incentive=..., value=...)")


@dataclass(frozen=True, kw_only=True, repr=False)
class ExpectedMaximumProfit(Result):
    """The expected maximum profit of a churn model.

    Attributes
    ----------
    estimate : float
        Profit per customer (contacted or not), in the currency of the costs, averaged over the acceptance
        rate, when for each rate the best share of customers is contacted.
    fraction : float
        The share of customers contacted, averaged in the same way.
    threshold : float
        The lowest score among them: contact who has at least this score. Infinite when nobody should be.
    maximum_profit, maximum_fraction : float
        The same at the mean acceptance rate alone.
    n, n_churned : int
        Customers, and those who left.
    """

    kind: ClassVar[str] = "expected_maximum_profit"
    estimate: float
    fraction: float
    threshold: float
    maximum_profit: float
    maximum_fraction: float
    n: int
    n_churned: int

    def _glance(self) -> Mapping[str, Any]:
        return {
            "estimate": self.estimate,
            "fraction": self.fraction,
            "threshold": self.threshold if np.isfinite(self.threshold) else None,
            "maximum_profit": self.maximum_profit,
            "maximum_fraction": self.maximum_fraction,
            "n": self.n,
            "n_churned": self.n_churned,
        }

    def _tidy(self) -> Table:
        terms = ("estimate", "fraction", "threshold", "maximum_profit", "maximum_fraction")
        named = ("expected_maximum_profit", "fraction", "threshold", "maximum_profit", "maximum_fraction")
        glance = self._glance()
        return Table.of({"term": named, "estimate": [glance[t] for t in terms], "n": [self.n] * len(terms)})


@checked
def expected_maximum_profit(
    y: ArrayLike,
    probability: ArrayLike,
    *,
    costs: ChurnCosts | None = None,
    sample_weight: ArrayLike | None = None,
) -> ExpectedMaximumProfit:
    """Return the expected maximum profit of a churn model (EMPC, Verbeke et al. 2012).

    For an acceptance rate g, contacting a set of customers brings ``g (value - incentive) - contact`` per
    churner in it and costs ``incentive + contact`` per other. For each g the best set is a corner of the
    convex hull of the ROC curve; the expectation over g ~ Beta(alpha, beta) is a sum over the hull's segments
    of differences of incomplete beta functions, so the number is exact.

    Parameters
    ----------
    y : array-like of bool or {0, 1}, shape (n,)
        Whether the customer left.
    probability : array-like, shape (n,)
        Risk or any score; only its order counts. Equal scores are contacted together.
    costs : ChurnCosts, optional
        Default ``ChurnCosts()``, the paper's values. The measure is one of a single value and one distribution of
        the acceptance rate (or one rate): columns per customer are refused.
    sample_weight : array-like, optional
        How many customers a row stands for.

    Returns
    -------
    ExpectedMaximumProfit
        ``.estimate``, ``.fraction``, ``.threshold``.

    Raises
    ------
    SchemaError
        An outcome is neither bool nor 0/1, or a probability is missing or infinite.
    DataError
        There are no rows.

    Examples
    --------
    >>> import satmodels as sat
    >>> found = sat.expected_maximum_profit(
    ...     [0, 1, 0, 1, 1, 0, 0, 1], [0.1, 0.9, 0.35, 0.6, 0.4, 0.55, 0.2, 0.8]
    ... )
    >>> round(found.estimate, 6), round(found.fraction, 6)
    (26.625198, 0.62479)
    """
    costs = ChurnCosts() if costs is None else costs
    check_costs(costs)
    data = read_outcomes(y, probability, sample_weight)
    blocks = ranked_blocks(data)
    path = _best_path(blocks, costs)
    fraction = float(np.sum(path.contacted * path.mass))
    at_mean = costs.acceptance * path.slope - path.cost
    best = int(np.argmax(at_mean))
    return ExpectedMaximumProfit(
        library=FrameLibrary.PANDAS,
        estimate=path.profit,
        fraction=fraction,
        threshold=_score_at(blocks, fraction),
        maximum_profit=float(at_mean[best]),
        maximum_fraction=float(path.contacted[best]),
        n=len(data.y),
        n_churned=int(np.count_nonzero(data.y)),
    )


@dataclass(frozen=True)
class _Path:
    """Corners of the ROC curve's convex hull: share contacted, profit ``rate * slope - cost``, their probability.

    ``mass`` is the probability that the acceptance rate makes a corner the best one, ``mean`` its part of the
    mean rate.
    """

    contacted: Array
    slope: Array
    cost: Array
    mass: Array
    mean: Array

    @property
    def profit(self) -> float:
        return float(np.sum(self.slope * self.mean - self.cost * self.mass))


def maximum_profit(blocks: RankedBlocks, costs: ChurnCosts) -> float:
    """Return the expected maximum profit of ranked customers."""
    return _best_path(blocks, costs).profit


def _best_path(blocks: RankedBlocks, costs: ChurnCosts) -> _Path:
    from scipy import special
    from scipy.optimize import isotonic_regression

    # the hull's segments are the blocks of the decreasing isotonic regression of the churn rate
    used = blocks.weight > 0
    block_churn, block_weight = (
        (blocks.churn, blocks.weight) if used.all() else (blocks.churn[used], blocks.weight[used])
    )
    if len(block_weight) == 0:
        return _Path(*(np.zeros(1) for _ in range(5)))
    hull = isotonic_regression(block_churn / block_weight, weights=block_weight, increasing=False)
    edges = np.asarray(hull.blocks)[:-1]
    churn = np.add.reduceat(block_churn, edges)
    stay = np.maximum(np.add.reduceat(block_weight, edges) - churn, 0.0)
    n = churn.sum() + stay.sum()
    # contacting the next segment pays for an acceptance rate above its own; these ascend along the hull
    worth = costs.one_value() - costs.incentive
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = (stay / churn * (costs.incentive + costs.contact) + costs.contact) / worth
    rate = np.where((churn > 0) & (worth > 0), np.clip(rate, 0.0, 1.0), 1.0)
    churned = np.concatenate([[0.0], np.cumsum(churn)]) / n
    stayed = np.concatenate([[0.0], np.cumsum(stay)]) / n
    steps = np.concatenate([[0.0], rate, [1.0]])
    if costs.acceptance_rate is None:
        below = special.betainc(costs.alpha, costs.beta, steps)
        mean_below = special.betainc(costs.alpha + 1, costs.beta, steps)
    else:  # a rate that is known lies in one of the steps for certain
        below = (steps >= costs.acceptance).astype(float)
        below[0] = 0.0
        mean_below = below
    return _Path(
        contacted=churned + stayed,
        slope=churned * worth,
        cost=churned * costs.contact + stayed * (costs.incentive + costs.contact),
        mass=np.diff(below),
        mean=costs.acceptance * np.diff(mean_below),
    )


def _score_at(blocks: RankedBlocks, fraction: float) -> float:
    """Return the lowest score of the best ``fraction`` of customers; infinite for none."""
    if fraction <= 0:
        return float("inf")
    share = np.cumsum(blocks.weight) / blocks.weight.sum()
    return float(blocks.score[min(int(np.searchsorted(share, fraction - 1e-12)), len(share) - 1)])
