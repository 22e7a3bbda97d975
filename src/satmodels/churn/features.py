"""Features of a point in time: a name, a sentence, and a function of a History.

The names are regular (``complaint_count_30d``, ``nps_last``), so that a reason can be read out of them in
words; the sentences make the feature dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.churn.history import History, Log
from satmodels.errors import ArgumentError, DataError
from satmodels.intake.library import FrameLibrary

RECENT_DAYS = 30  # "recently" in the features that the package proposes, where the window is longer
SERVICE_LEVEL_DAYS = 14  # within which a complaint counts as put right
MOST_CHANNELS = 30  # a column with more different words is no channel
RESOLVED = "_resolved"  # a kind "complaint_resolved" closes the kind "complaint"
RESERVED = ("customer", "cutoff", "churned", "time", "left")


@dataclass(frozen=True)
class Feature:
    """One column of the panel.

    Attributes
    ----------
    name : str
        Name of the column.
    description : str
        One sentence for the feature dictionary and for whoever reads a reason.
    compute : callable
        Function of a :class:`History` that returns one value per customer at risk: a number (NaN where it
        is not known) or a text (None where it is not known).
    risk : {-1, 0, 1}, default 0
        1 if more of it can only raise the risk, -1 if it can only lower it, 0 if it may do either: what a
        monotone model is held to.
    """

    name: str
    description: str
    compute: Callable[[History], NDArray[Any]]
    risk: int = 0

    def __post_init__(self) -> None:
        if not self.name or not isinstance(self.name, str):
            raise ArgumentError(f"a feature's name is a text, not {self.name!r}")
        if self.risk not in (-1, 0, 1):
            raise ArgumentError(f"risk={self.risk!r}: 1 (raises), -1 (lowers) or 0 (either)")

    def __call__(self, history: History) -> NDArray[Any]:
        """Compute the feature, and hold it to one value per customer."""
        values = np.asarray(self.compute(history))
        if values.shape != (history.n,):
            raise DataError(
                f"feature {self.name!r} returned {values.shape}: it returns one value for each of the "
                f"{history.n} customers of the history",
                columns=[self.name],
            )
        if values.dtype.kind in "OUS":
            return values.astype(object)
        values = values.astype(float)
        if np.isinf(values).any():
            raise DataError(
                f"feature {self.name!r} is infinite for {int(np.isinf(values).sum())} customers: return NaN "
                "where it is not defined",
                columns=[self.name],
            )
        return values


@checked
def churn_feature(
    name: str, description: str, *, risk: int = 0
) -> Callable[[Callable[[History], NDArray[Any]]], Feature]:
    """Make a feature of a function: the way to add one's own.

    Parameters
    ----------
    name, description : str
        Column name, and a sentence for the feature dictionary.
    risk : {-1, 0, 1}, default 0
        Direction in which it can move the risk; see :class:`Feature`.

    Examples
    --------
    >>> import satmodels as sat
    >>> @sat.churn_feature("weekend_calm", "No event in the last week before the cutoff", risk=1)
    ... def weekend_calm(history):
    ...     return history.count(days=7) == 0
    >>> weekend_calm.name
    'weekend_calm'
    """

    def make(compute: Callable[[History], NDArray[Any]]) -> Feature:
        return Feature(name, description, compute, risk)

    return make


def proposed_features(
    log: Log, observation_days: float, service_level: float | None = None
) -> tuple[Feature, ...]:
    """Return the features that a log suggests: counts, change, recency, money, scores, tenure, complaints.

    A service level (in days) that was declared adds the share of complaints put right within it.
    """
    recent = RECENT_DAYS if observation_days > RECENT_DAYS else None
    made: list[Feature] = [Feature("tenure_days", "Days since the customer's start", lambda h: h.tenure())]
    for kind in log.kinds:
        made += _of_kind(kind, observation_days, recent)
    for opened in log.kinds:
        if opened + RESOLVED in log.kinds:
            made.append(_unresolved(opened, opened + RESOLVED, service_level or SERVICE_LEVEL_DAYS))
            if service_level is not None:
                made.append(_recovered(opened, opened + RESOLVED, service_level))
    if len(log.kinds) > 1:
        made.append(_variety(observation_days))
    for channel in sorted(log.channels):
        made.append(_of_channel(str(log.channel_column), channel, observation_days))
    money = sorted({name for name, kind in log.numbers if kind is not None} - {log.delay})
    for name in money:
        made += _of_amount(name, observation_days)
    if log.delay is not None:
        made += _of_delay(log.delay, observation_days)
    for name in sorted({n for n, kind in log.numbers if kind is None} - {*money, log.delay}):
        made += _of_score(name, observation_days)
    for name in log.attributes:
        made.append(_attribute(name, name in log.dates))
    return tuple(made)


def _of_kind(kind: str, observed: float, recent: int | None) -> Iterable[Feature]:
    worse = 1 if kind in ("complaint", "payment_late") else 0
    yield Feature(
        f"{kind}_count_{observed:g}d",
        f"Number of events '{kind}' in the last {observed:g} days",
        lambda h: h.count(kind),
        worse,
    )
    if recent is not None:
        yield Feature(
            f"{kind}_count_{recent}d",
            f"Number of events '{kind}' in the last {recent} days",
            lambda h: h.count(kind, recent),
            worse,
        )
        yield Feature(
            f"{kind}_change_{recent}d",
            f"Events '{kind}' in the last {recent} days, minus the average of {recent} days before "
            "that in the observation window (from the start, for who joined within it)",
            lambda h: _change(h, kind, recent),
        )
    yield Feature(
        f"{kind}_days_since",
        f"Days since the last event '{kind}'; missing if there was none in {observed:g} days",
        lambda h: h.days_since(kind),
    )


def _change(history: History, kind: str, recent: int) -> NDArray[Any]:
    earlier_days = np.minimum(history.tenure(), history.days_observed) - recent
    earlier = history.count(kind, until=recent)
    usual = np.divide(earlier * recent, earlier_days, out=np.full(history.n, np.nan), where=earlier_days >= 1)
    return history.count(kind, recent) - usual


def _unresolved(opened: str, closed: str, within: float) -> Feature:
    def compute(history: History) -> NDArray[Any]:
        decided, in_time = history.followed(opened, closed, within)
        return decided - in_time

    return Feature(
        f"{opened}_unresolved",
        f"Number of events '{opened}' in the observation window that no '{closed}' followed within "
        f"{_length(within)}, this time being over",
        compute,
        1,
    )


def _recovered(opened: str, closed: str, within: float) -> Feature:
    def compute(history: History) -> NDArray[Any]:
        decided, in_time = history.followed(opened, closed, within)
        return np.divide(in_time, decided, out=np.full(history.n, np.nan), where=decided > 0)

    return Feature(
        f"{opened}_recovered_share",
        f"Share of the events '{opened}' in the observation window that a '{closed}' followed within the service "
        f"level of {_length(within)}; missing without one that is decided",
        compute,
        -1,
    )


def _length(days: float) -> str:
    return f"{days:g} days" if days >= 3 or days == int(days) else f"{24 * days:g} hours"


def _of_channel(column: str, channel: str, observed: float) -> Feature:
    return Feature(
        f"{column}_{channel}_share",
        f"Share of the contacts in the last {observed:g} days with {column} '{channel}', of those with a known "
        f"{column}; missing if there was none",
        lambda h: h.channel_share(channel),
    )


def _of_delay(name: str, observed: float) -> Iterable[Feature]:
    yield Feature(
        f"{name}_last",
        f"Latest '{name}' (a delay); missing if there was none in {observed:g} days",
        lambda h: h.last(name),
        1,
    )
    yield Feature(
        f"{name}_mean_{observed:g}d",
        f"Mean '{name}' (a delay) in the last {observed:g} days; missing if there was none",
        lambda h: h.mean(name),
        1,
    )
    yield Feature(
        f"{name}_slope",
        f"Change of '{name}' (a delay) per 30 days (least squares over {observed:g} days); missing with fewer than "
        "two",
        lambda h: h.slope(name),
    )


def _variety(observed: float) -> Feature:
    return Feature(
        "kinds_active",
        f"Number of different kinds of events in the last {observed:g} days",
        lambda h: np.sum([h.count(kind) > 0 for kind in h.log.kinds], axis=0).astype(float),
    )


def _of_amount(name: str, observed: float) -> Iterable[Feature]:
    yield Feature(
        f"{name}_total_{observed:g}d",
        f"Sum of '{name}' in the last {observed:g} days",
        lambda h: h.total(name),
    )
    yield Feature(
        f"{name}_mean_{observed:g}d",
        f"Mean '{name}' per event in the last {observed:g} days; missing if there was none",
        lambda h: h.mean(name),
    )


def _of_score(name: str, observed: float) -> Iterable[Feature]:
    yield Feature(
        f"{name}_last",
        f"Latest answer '{name}'; missing if there was none in {observed:g} days",
        lambda h: h.last(name),
    )
    yield Feature(
        f"{name}_slope",
        f"Change of '{name}' per 30 days (least squares over the answers in {observed:g} days); "
        "missing with fewer than two",
        lambda h: h.slope(name),
    )
    yield Feature(
        f"{name}_answers_{observed:g}d",
        f"Number of answers '{name}' in the last {observed:g} days",
        lambda h: h.answers(name),
    )
    yield Feature(
        f"{name}_days_since",
        f"Days since the latest answer '{name}'; missing if there was none in {observed:g} days",
        lambda h: h.days_since_value(name),
    )


def _attribute(name: str, is_date: bool) -> Feature:
    return Feature(
        name,
        f"Days from '{name}' to the cutoff" if is_date else f"'{name}' of the customer table",
        lambda h: h.attribute(name),
    )


def distinct(features: Sequence[Feature]) -> tuple[Feature, ...]:
    """Return the features, or raise ArgumentError if two share a name or one takes a reserved one."""
    for made in features:
        if not isinstance(made, Feature):
            raise ArgumentError(
                f"{made!r} is no feature: make one of a function with churn_feature(name, description)"
            )
    names = [f.name for f in features]
    for name in names:
        if names.count(name) > 1:
            raise ArgumentError(f"two features are called {name!r}: rename one of them")
        if name in RESERVED:
            raise ArgumentError(f"no feature may be called {name!r}: the panel has a column of that name")
    return tuple(features)


@checked
def feature_dictionary(features: Iterable[Feature], library: FrameLibrary = FrameLibrary.PANDAS) -> Any:
    """Say what each feature column of a panel means.

    Parameters
    ----------
    features : iterable of Feature
        For example those that :func:`satmodels.churn_features` proposes.
    library : FrameLibrary, default pandas
        Library of the table.

    Returns
    -------
    DataFrame
        ``feature, description, risk``; risk is 1 where more can only raise the risk, -1 where it can only
        lower it, 0 where it may do either.
    """
    listed = distinct(tuple(features))
    return library.build(
        {
            "feature": [f.name for f in listed],
            "description": [f.description for f in listed],
            "risk": [f.risk for f in listed],
        }
    )
