"""The questions of a survey, typed: each item knows its columns, and what may stand in them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, field_validator, model_validator

from satmodels.errors import ArgumentError
from satmodels.survey.scale import Scale, Spec, Wording, labels_to_codes

NPS_SCALE = Scale(0, 10)
# Answers to both questions of a Kano pair, from like to dislike (Kano et al. 1984)
KANO_SCALE = Scale(1, 5, ["like", "expect", "neutral", "tolerate", "dislike"])
GAP_SCALE = Scale(1, 7)  # SERVQUAL (Parasuraman, Zeithaml and Berry 1988)
MAX_OPTIONS = 1000
MAX_TEXT = 100_000  # characters of a free answer

Name = Annotated[str, Field(min_length=1, max_length=300)]


Code = int | str


def _read_options(options: Any) -> Any:
    """Read the list that :func:`_write_options` makes."""
    if isinstance(options, list) and all(isinstance(o, dict) for o in options):
        if any(set(o) != {"code", "label"} for o in options):
            raise ArgumentError("an option is an object with the fields code and label")
        found = {o["code"]: o["label"] for o in options}
        if len(found) < len(options):
            raise ArgumentError("a code is listed twice")
        return found
    return options


def _write_options(options: dict[Code, Wording]) -> list[dict[str, Any]]:
    # keys of a JSON object are texts, which would turn code 1 into "1"
    return [{"code": code, "label": label} for code, label in options.items()]


Options = Annotated[
    dict[Code, Wording], BeforeValidator(_read_options), PlainSerializer(_write_options, when_used="json")
]


# pydantic still has a long deprecated method `construct`; here it is the field's standard term
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message='Field name "construct"', category=UserWarning)

    class Item(Spec):
        """What all items have in common.

        Parameters
        ----------
        name : str
            Name of the item; for items of one column also the column.
        text : str or mapping, optional
            The question as it was asked, or ``{language: question}``.
        construct : str, optional
            The latent construct that the item measures, for example ``"Quality"``.
        dimension : str, optional
            Dimension or facet of a taxonomy (see :mod:`satmodels.survey.taxonomies`).
        touchpoint, stage, channel : str, optional
            Where the experience happened, at which stage of the journey, and how the question was asked
            (``"online"``, ``"phone"``, ...).
        required : bool, default False
            Whether a missing answer is a violation. A code for a missing answer is an answer here.
        missing_codes : mapping, optional
            ``{code: meaning}`` of this item's codes for missing answers, besides those of the survey.
        """

        name: Name
        text: Wording | None = None
        construct: Name | None = None  # type: ignore[assignment]  # see above
        dimension: Name | None = None
        touchpoint: Name | None = None
        stage: Name | None = None
        channel: Name | None = None
        required: bool = False
        missing_codes: Options | None = None

        def __init__(self, **fields: Any) -> None:
            super().__init__(**fields)

        @model_validator(mode="after")
        def _columns_differ(self) -> Self:
            if len(set(self.columns)) < len(self.columns):
                raise ValueError(f"column {max(self.columns, key=self.columns.count)!r} is given twice")
            return self

        @property
        def columns(self) -> tuple[str, ...]:
            """The columns in which the answers stand."""
            return (self.name,)

        @property
        def scales(self) -> dict[str, Scale]:
            """The scale of each column that has one."""
            return {}


class Weighed(Item):
    """An item that says how important the matter is to the customer.

    Parameters
    ----------
    importance : str or float, optional
        Column of the answers to "how important is this to you", or a number of at least 0 that was
        settled beforehand. See :attr:`Survey.importance`.
    importance_scale : Scale, optional
        Scale of the answers about importance; without it the item's own.
    """

    importance: Name | Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] | None = None
    importance_scale: Scale | None = None

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column of the answers and, where it was asked, of the importance."""
        return self._with_importance((self.name,))

    @property
    def scales(self) -> dict[str, Scale]:
        """The scale of each column."""
        scale: Scale = getattr(self, "scale")  # noqa: B009 - every kind of these items declares one
        return dict.fromkeys(self.columns, scale) | (
            {self.importance: self.importance_scale or scale} if isinstance(self.importance, str) else {}
        )

    def _with_importance(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        return (*columns, self.importance) if isinstance(self.importance, str) else columns


class Rating(Weighed):
    """A question answered on a scale.

    Parameters
    ----------
    name : str
        Column of the answers.
    scale : Scale
        The scale of the answers.
    reverse : bool, default False
        Whether a high code means low satisfaction; :meth:`Survey.prepare` turns such items round.
    text, construct, dimension, touchpoint, stage, channel, required
        See :class:`Item`.
    importance, importance_scale
        See :class:`Weighed`.

    Examples
    --------
    >>> import satmodels as sat
    >>> sat.Rating("q1", sat.Scale(1, 10), construct="Quality").columns
    ('q1',)
    """

    kind: Literal["rating"] = "rating"
    scale: Scale
    reverse: bool = False

    def __init__(
        self,
        name: str,
        scale: Scale,
        text: Wording | None = None,
        construct: str | None = None,
        reverse: bool = False,
        touchpoint: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(
            name=name,
            scale=scale,
            text=text,
            construct=construct,
            reverse=reverse,
            touchpoint=touchpoint,
            **more,
        )


class Recommend(Weighed):
    """The question behind the NPS: how likely are you to recommend us, from 0 to 10.

    Parameters
    ----------
    name : str
        Column of the answers.
    text, construct, dimension, touchpoint, stage, channel, required
        See :class:`Item`.
    importance, importance_scale
        See :class:`Weighed`.
    """

    kind: Literal["recommend"] = "recommend"
    scale: Scale = NPS_SCALE

    def __init__(self, name: str, text: Wording | None = None, **more: Any) -> None:
        super().__init__(name=name, text=text, **more)


class Effort(Weighed):
    """The question behind the CES: how easy it was.

    Parameters
    ----------
    name : str
        Column of the answers.
    scale : Scale
        Usually ``Scale(1, 7)``, agreement with "made it easy" (CES 2.0).
    reverse : bool, default False
        Whether a high code means much effort (CES 1.0).
    text, construct, dimension, touchpoint, stage, channel, required
        See :class:`Item`.
    importance, importance_scale
        See :class:`Weighed`.
    """

    kind: Literal["effort"] = "effort"
    scale: Scale
    reverse: bool = False

    def __init__(
        self, name: str, scale: Scale, text: Wording | None = None, reverse: bool = False, **more: Any
    ) -> None:
        super().__init__(name=name, scale=scale, text=text, reverse=reverse, **more)


class KanoPair(Item):
    """A functional and a dysfunctional question about one feature.

    Parameters
    ----------
    name : str
        The feature.
    functional, dysfunctional : str
        Columns of the answers to "how do you feel if it is there" and "... if it is not there".
    importance : str, optional
        Column of the stated importance.
    scale : Scale, default 1 (like) to 5 (dislike)
        Scale of both answers.
    importance_scale : Scale, default 1 to 9
        Scale of the stated importance.
    """

    kind: Literal["kano_pair"] = "kano_pair"
    functional: Name
    dysfunctional: Name
    importance: Name | None = None
    scale: Scale = KANO_SCALE
    importance_scale: Scale = Scale(1, 9)

    def __init__(
        self, name: str, functional: str, dysfunctional: str, importance: str | None = None, **more: Any
    ) -> None:
        super().__init__(
            name=name, functional=functional, dysfunctional=dysfunctional, importance=importance, **more
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Functional, dysfunctional and, where it was asked, importance."""
        pair = (self.functional, self.dysfunctional)
        return pair if self.importance is None else (*pair, self.importance)

    @property
    def scales(self) -> dict[str, Scale]:
        """The scale of each column."""
        found = {self.functional: self.scale, self.dysfunctional: self.scale}
        return found if self.importance is None else {**found, self.importance: self.importance_scale}


class Gap(Weighed):
    """What was expected and what was perceived (SERVQUAL); the gap is perception minus expectation.

    Parameters
    ----------
    name : str
        Name of the pair, and of the column that :meth:`Survey.prepare` derives.
    expectation, perception : str
        Columns of the answers.
    dimension : str
        Dimension of service quality, for example ``"reliability"``.
    scale : Scale, default 1 to 7
        Scale of both answers.
    reverse : bool, default False
        Whether the item is worded negatively.
    importance, importance_scale
        See :class:`Weighed`.
    """

    kind: Literal["gap"] = "gap"
    expectation: Name
    perception: Name
    scale: Scale = GAP_SCALE
    reverse: bool = False

    def __init__(
        self, name: str, expectation: str, perception: str, dimension: str | None = None, **more: Any
    ) -> None:
        super().__init__(
            name=name, expectation=expectation, perception=perception, dimension=dimension, **more
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Expectation, perception and, where it was asked, importance."""
        return self._with_importance((self.expectation, self.perception))


class Choice(Item):
    """One answer out of several that have no order.

    Parameters
    ----------
    name : str
        Column of the answers.
    options : sequence or mapping
        The options as they stand in the data, or ``{code: label}``.

    Examples
    --------
    >>> import satmodels as sat
    >>> sat.Choice("region", ["north", "south"]).codes
    ('north', 'south')
    """

    kind: Literal["choice"] = "choice"
    options: Options

    def __init__(
        self,
        name: str,
        options: Sequence[Code] | Mapping[Code, Wording],
        text: Wording | None = None,
        **more: Any,
    ) -> None:
        super().__init__(name=name, options=_options(name, options), text=text, **more)

    @field_validator("options")
    @classmethod
    def _some(cls, options: dict[Code, Wording]) -> dict[Code, Wording]:
        return _checked(options)

    @property
    def codes(self) -> tuple[Code, ...]:
        """The codes of the options."""
        return tuple(self.options)


class MultiChoice(Item):
    """Any number of answers out of several: one column of 0 and 1 per option.

    Parameters
    ----------
    name : str
        Name of the question; the columns are ``{name}_{code}``.
    options : sequence or mapping
        The options, or ``{code: label}``.

    Examples
    --------
    >>> import satmodels as sat
    >>> sat.MultiChoice("used", ["app", "shop"]).columns
    ('used_app', 'used_shop')
    """

    kind: Literal["multi_choice"] = "multi_choice"
    options: Options

    def __init__(
        self,
        name: str,
        options: Sequence[Code] | Mapping[Code, Wording],
        text: Wording | None = None,
        **more: Any,
    ) -> None:
        super().__init__(name=name, options=_options(name, options), text=text, **more)

    @field_validator("options")
    @classmethod
    def _some(cls, options: dict[Code, Wording]) -> dict[Code, Wording]:
        return _checked(options)

    @property
    def columns(self) -> tuple[str, ...]:
        """One column per option."""
        return tuple(f"{self.name}_{code}" for code in self.options)


class Number(Item):
    """A number: an amount, an age, a duration.

    Parameters
    ----------
    name : str
        Column of the answers.
    low, high : float, optional
        Smallest and largest answer that is possible, both included.
    integer : bool, default False
        Whether only whole numbers are possible.
    """

    kind: Literal["number"] = "number"
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    integer: bool = False

    def __init__(
        self,
        name: str,
        low: float | None = None,
        high: float | None = None,
        text: Wording | None = None,
        integer: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(name=name, low=low, high=high, text=text, integer=integer, **more)

    @model_validator(mode="after")
    def _ordered(self) -> Number:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low={self.low} is above high={self.high}")
        return self


class Text(Item):
    """A free answer. Free text never enters a statistic.

    Parameters
    ----------
    name : str
        Column of the answers.
    max_length : int, default 100,000
        Longest answer that is accepted, in characters.
    """

    kind: Literal["text"] = "text"
    max_length: int = Field(default=MAX_TEXT, ge=1, le=MAX_TEXT)

    def __init__(self, name: str, text: Wording | None = None, **more: Any) -> None:
        super().__init__(name=name, text=text, **more)


class Date(Item):
    """A date.

    Parameters
    ----------
    name : str
        Column of the answers: dates, timestamps, or ISO text (``"2026-03-31"``).
    earliest, latest : date, optional
        First and last possible date, both included.
    """

    kind: Literal["date"] = "date"
    earliest: date | None = None
    latest: date | None = None

    def __init__(
        self,
        name: str,
        earliest: date | None = None,
        latest: date | None = None,
        text: Wording | None = None,
        **more: Any,
    ) -> None:
        super().__init__(name=name, earliest=earliest, latest=latest, text=text, **more)

    @model_validator(mode="after")
    def _ordered(self) -> Date:
        if self.earliest is not None and self.latest is not None and self.earliest > self.latest:
            raise ValueError(f"earliest={self.earliest} is after latest={self.latest}")
        return self


AnyItem = Annotated[
    Rating | Recommend | Effort | KanoPair | Gap | Choice | MultiChoice | Number | Text | Date,
    Field(discriminator="kind"),
]
SCALED: tuple[type[Item], ...] = (Rating, Recommend, Effort)  # items of one column with a scale


def _options(name: str, options: Sequence[Code] | Mapping[Code, Wording]) -> dict[Code, Wording]:
    if isinstance(options, str):
        raise ArgumentError(f"item {name!r}: options={options!r} is one text; give a list of options")
    if isinstance(options, Mapping):
        return dict(options)
    if not isinstance(options, Iterable) or getattr(options, "ndim", 1) != 1:
        raise ArgumentError(f"item {name!r}: options={options!r}; give a list of options")
    given: list[Any] = list(options)
    if any(isinstance(option, dict) for option in given):
        return _read_options(given)
    if not all(isinstance(option, int | str | float) for option in given):
        raise ArgumentError(f"item {name!r}: options={options!r}; an option is a whole number or a text")
    if len(set(given)) < len(given):
        twice = next(o for o in given if given.count(o) > 1)
        raise ArgumentError(f"item {name!r}: option {twice!r} is listed twice")
    return {code: str(code) for code in given}


def _checked(options: dict[Code, Wording]) -> dict[Code, Wording]:
    if not 1 <= len(options) <= MAX_OPTIONS:
        raise ValueError(f"a question has 1 to {MAX_OPTIONS} options, not {len(options)}")
    kinds = {type(code) for code in options}
    if len(kinds) > 1:
        raise ValueError("codes are either all whole numbers or all texts")
    labels_to_codes(options)  # refuses one label for two codes
    return options
