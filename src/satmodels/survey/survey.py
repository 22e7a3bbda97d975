"""Survey: what was asked, as one frozen object that checks, prepares and describes the answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, unknown
from satmodels.stored import read_document, write_document
from satmodels.survey.columns import Column, columns_of
from satmodels.survey.items import AnyItem, Code, Gap, Item, Name, Options, Weighed
from satmodels.survey.scale import Scale, Spec, Wording

if TYPE_CHECKING:
    from pydantic import BaseModel

    from satmodels.sem.model.spec import ModelSpec
    from satmodels.survey.check import CheckReport
    from satmodels.survey.difference import SurveyDiff
    from satmodels.survey.prepare import PreparationReport

FORMAT = 1  # of the JSON document
MAX_ITEMS = 2000


class Survey(Spec):
    """What was asked: the items, and what the other columns of the answers mean.

    Parameters
    ----------
    name : str
        Name of the survey.
    items : sequence of items
        :class:`Rating`, :class:`Recommend`, :class:`Effort`, :class:`KanoPair`, :class:`Gap`,
        :class:`Choice`, :class:`MultiChoice`, :class:`Number`, :class:`Text`, :class:`Date`.
    respondent : str, optional
        Column that tells respondents apart. A missing respondent is a violation, and so is every row
        of a respondent after the first (of a wave, where ``wave`` is given).
    date : str, optional
        Column of the date of the answers.
    weight : str, optional
        Column of survey weights.
    segments : sequence of str
        Columns that answers are compared by.
    missing_codes : mapping or sequence
        ``{code: meaning}``, or the codes alone, of the codes that stand for missing answers in all items, for example
        ``{99: "don't know"}``. Amounts (:class:`Number`) keep a code that is a possible amount;
        dates and free texts have only codes that are texts.
    version : str
        Version of the questionnaire.
    wave : str, optional
        Column of the wave, where the same respondents are asked again.
    notes : sequence of str
        Remarks, such as what :meth:`from_frame` and :func:`read_survey` guessed.

    Raises
    ------
    ArgumentError
        Two items share a name or a column, a missing code is an answer of some item, or one column is
        given two roles.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> survey = sat.Survey(
    ...     "shop",
    ...     [sat.Recommend("nps"), sat.Rating("q1", sat.Scale(1, 5), construct="Quality")],
    ...     respondent="id",
    ...     missing_codes={99: "don't know"},
    ... )
    >>> answers = pd.DataFrame({"id": [1, 2, 3], "nps": [9, 11, 99], "q1": [4, 5, 6]})
    >>> survey.check(answers).tidy()[["column", "rule", "n_bad", "first_row", "first_value"]]
      column   rule  n_bad  first_row first_value
    0    nps  0..10      1          1          11
    1     q1   1..5      1          2           6
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))
    name: Name
    items: tuple[AnyItem, ...]
    respondent: Name | None = None
    date: Name | None = None
    weight: Name | None = None
    segments: tuple[Name, ...] = ()
    missing_codes: Options = Field(default_factory=dict)
    version: str = "1"
    wave: Name | None = None
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        name: str,
        items: Sequence[Item],
        respondent: str | None = None,
        date: str | None = None,
        weight: str | None = None,
        segments: Sequence[str] = (),
        missing_codes: Mapping[Code, Wording] | Sequence[Code] | None = None,
        version: str = "1",
        wave: str | None = None,
        notes: Sequence[str] = (),
        **unknown: Any,
    ) -> None:
        if isinstance(items, Item | str) or not isinstance(items, Iterable) or getattr(items, "ndim", 1) != 1:
            raise ArgumentError(f"Survey: items is a list of items, not {items!r}")
        for i, item in enumerate(items):
            if not isinstance(item, Item | Mapping):
                raise ArgumentError(
                    f"Survey: items[{i}] is {item!r}, no item such as Rating(...) or Recommend(...)"
                )
        super().__init__(
            name=name,
            items=items,
            respondent=respondent,
            date=date,
            weight=weight,
            segments=(segments,) if isinstance(segments, str) else segments,
            missing_codes=_codes(missing_codes),
            version=version,
            wave=wave,
            notes=notes,
            **unknown,
        )

    @field_validator("items")
    @classmethod
    def _names(cls, items: tuple[AnyItem, ...]) -> tuple[AnyItem, ...]:
        if not 1 <= len(items) <= MAX_ITEMS:
            raise ValueError(f"a survey has 1 to {MAX_ITEMS} items, not {len(items)}")
        names = [item.name for item in items]
        if len(set(names)) < len(names):
            raise ValueError(f"two items bear the name {max(names, key=names.count)!r}")
        return items

    @model_validator(mode="after")
    def _roles(self) -> Survey:
        roles = [r for r in (self.respondent, self.weight, *self.segments) if r is not None]
        if len(set(roles)) < len(roles):
            raise ValueError(f"column {max(roles, key=roles.count)!r} has two roles")
        columns_of(self)
        return self

    # ------------------------------------------------------------------------------------ description

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every declared column with its rule."""
        return columns_of(self)

    @cached_property
    def constructs(self) -> dict[str, tuple[str, ...]]:
        """``{construct: columns}`` of the items that name a construct; of a :class:`Gap` the perception."""
        found: dict[str, tuple[str, ...]] = {}
        for item in self.items:
            if item.construct is not None:
                columns = (_answer(item),) if isinstance(item, Weighed) else item.columns
                found[item.construct] = (*found.get(item.construct, ()), *columns)
        return found

    @cached_property
    def importance(self) -> dict[str, str | float]:
        """``{column: importance}`` of the items that state one: a column of answers, or a number.

        What ``sat.importance_performance(importance=)`` takes, and with numbers ``sat.csi(weights=)``; of a
        :class:`Gap` the perception is weighed. :meth:`stated_importance` turns columns into numbers.
        """
        weighed = [item for item in self.items if isinstance(item, Weighed)]
        return {_answer(item): item.importance for item in weighed if item.importance is not None}

    @cached_property
    def scales(self) -> dict[str, Scale]:
        """``{column: scale}`` of every column that has a scale."""
        return {name: scale for item in self.items for name, scale in item.scales.items()}

    def __getitem__(self, name: str) -> Item:
        for item in self.items:
            if item.name == name:
                return item
        raise unknown("item", name, [item.name for item in self.items])

    @checked
    def scale(self, column: str) -> Scale:
        """Return the scale of a column.

        Raises
        ------
        ArgumentError
            The column has no scale in this survey.
        """
        if column not in self.scales:
            raise unknown("column with a scale", column, self.scales)
        return self.scales[column]

    def spec(self, structure: str | Callable[[Mapping[str, Sequence[str]]], ModelSpec] = "") -> ModelSpec:
        """Return the structural model of the constructs that the items name, with their scales.

        Parameters
        ----------
        structure : str or template
            Paths between the constructs, in lavaan's words; or one of the templates
            (``sat.ecsi``, ``sat.acsi``, ``sat.ccsi``), which is filled with the constructs. Without it,
            a measurement model.

        Raises
        ------
        ArgumentError
            No item names a construct, or a template lacks one of its constructs.
        SpecError
            The structure is no model text.

        Examples
        --------
        >>> import satmodels as sat
        >>> scale = sat.Scale(1, 10)
        >>> survey = sat.Survey(
        ...     "shop",
        ...     [sat.Rating(f"q{i}", scale, construct="Quality") for i in (1, 2)]
        ...     + [sat.Rating("l1", scale, construct="Loyalty")],
        ... )
        >>> print(survey.spec("Loyalty ~ Quality"))
        Quality =~ q1 + q2
        Loyalty =~ l1
        Loyalty ~ Quality
        """
        # the words of structural models lie below surveys: see the layers in pyproject.toml
        from satmodels.sem.model.spec import ModelSpec

        if not self.constructs:
            raise ArgumentError(
                f"no item of survey {self.name!r} names a construct: Rating(..., construct='Quality')"
            )
        if isinstance(structure, str):
            terms = [
                {"lhs": construct, "op": "=~", "rhs": column}
                for construct, columns in self.constructs.items()
                for column in columns
            ]
            measured = ModelSpec(terms=terms)
            model = ModelSpec.parse(f"{measured}\n{structure}") if structure.strip() else measured
        else:
            model = structure(self.constructs)
        ends = {c: (float(s.low), float(s.high)) for c, s in self.scales.items() if c in model.items}
        return model.with_scales(ends)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the whole description: equal surveys have equal hashes."""
        body = json.dumps(self._body(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(body.encode()).hexdigest()

    def diff(self, other: Survey) -> SurveyDiff:
        """Say what changed from this version of the survey to another.

        Returns
        -------
        SurveyDiff
            ``tidy()``: one row per change, with ``comparable``: False where answers of both versions do
            not mean the same, because the wording, the scale, the options or the codes changed.

        Examples
        --------
        >>> import satmodels as sat
        >>> old = sat.Survey("s", [sat.Rating("q", sat.Scale(1, 5))])
        >>> new = sat.Survey("s", [sat.Rating("q", sat.Scale(1, 7)), sat.Recommend("nps")], version="2")
        >>> old.diff(new).tidy()[["item", "field", "comparable"]]
          item    field  comparable
        0    q    scale       False
        1  nps     item        True
        2       version        True
        """
        from satmodels.survey.difference import diff

        return diff(self, other)

    @classmethod
    def from_frame(cls, frame: Any, name: str = "survey") -> Survey:
        r"""Guess the survey behind a frame of answers; ``notes`` says what was guessed, and why.

        Short whole numbers become ratings on the shortest usual scale that holds them (1..5, 1..7,
        1..10, 0..10), codes such as 99 beside them codes for missing answers, words with an order (never ...
        always) a rating with labels, few different texts a choice, columns of 0 and 1 that are named alike
        one question with several answers, unique ids the respondent. Read the notes, and correct what is wrong.

        Parameters
        ----------
        frame : dataframe
            Any supported dataframe.
        name : str
            Name of the survey.

        Examples
        --------
        >>> import pandas as pd, satmodels as sat
        >>> survey = sat.Survey.from_frame(pd.DataFrame({"nps": [0, 10, 99], "q": [1, 4, 5]}))
        >>> print(*survey.notes, sep="\n")
        nps: the NPS question, by its name and answers from 0 to 10, and [99] as codes for missing answers
        q: a rating 1..5, with answers from 1 to 5
        """
        from satmodels.survey.guess import guess_survey

        return guess_survey(frame, name)

    # ---------------------------------------------------------------------------------------- answers

    def check(self, frame: Any, *, max_rows: int | None = None) -> CheckReport:
        """Check the answers of a frame of any supported library, lazy or not.

        One pass of the engine counts the violations of every rule; only the rules that are broken are
        asked a second time, for their first offenders. The frame is not changed. Columns that the
        survey does not declare are left alone.

        Parameters
        ----------
        frame : dataframe
            Any supported dataframe.
        max_rows : int, optional
            A larger frame is refused before anything is computed: a limit for services.

        Returns
        -------
        CheckReport
            ``.tidy()`` has one row per broken rule; ``.raise_for_errors()`` raises the first as a
            :class:`SchemaError`.
        """
        from satmodels.survey.check import check

        return check(self, frame, max_rows)

    def prepare(
        self,
        frame: Any,
        *,
        invalid: Literal["error", "missing"] = "error",
        duplicates: Literal["error", "first", "last", "keep"] = "error",
        max_rows: int | None = None,
    ) -> Any:
        """Return the answers ready for scores and models, in the library that came in.

        Codes for missing answers become null, labels become codes, small integers are widened, reverse
        items are turned round, and every :class:`Gap` gets its derived column: perception minus
        expectation, under the item's name. The answers of a reverse item as they were given stay in
        ``{column}_as_answered``; so preparing a prepared frame changes nothing.

        Parameters
        ----------
        frame : dataframe
            Any supported dataframe; it is not changed. Lazy frames stay lazy.
        invalid : {"error", "missing"}
            Whether an answer off its scale is an error, or becomes missing
            (:meth:`preparation` counts how many).
        duplicates : {"error", "first", "last", "keep"}
            What to do with several rows of one respondent (of a wave, where ``wave`` is declared): an
            error, the first or the last by the column declared as ``date``, or all of them. Without a
            declared respondent there are none. :meth:`preparation` counts how many rows are too many.
        max_rows : int, optional
            A larger frame is refused before anything else is computed: a limit for services.

        Raises
        ------
        SchemaError
            A column is missing, an answer is neither on its scale nor a declared missing code, or a
            respondent has several rows, of which the date says for ``"first"`` and ``"last"`` no order.
        ArgumentError
            ``"first"`` or ``"last"`` without a declared respondent and date.

        Examples
        --------
        >>> import pandas as pd, satmodels as sat
        >>> survey = sat.Survey("s", [sat.Recommend("nps")], respondent="id", date="day")
        >>> answers = pd.DataFrame(
        ...     {"id": [1, 2, 1], "nps": [3, 7, 9], "day": ["2026-01-02", "2026-01-02", "2026-02-01"]}
        ... )
        >>> survey.prepare(answers, duplicates="last")["nps"].tolist()
        [7, 9]
        """
        from satmodels.survey.prepare import prepare

        return prepare(self, frame, invalid, duplicates, max_rows)

    def preparation(self, frame: Any, *, max_rows: int | None = None) -> PreparationReport:
        """Say what :meth:`prepare` does to a frame, without doing it.

        Parameters
        ----------
        frame : dataframe
            Any supported dataframe.
        max_rows : int, optional
            A larger frame is refused before anything else is computed.

        Returns
        -------
        PreparationReport
            ``tidy()``: ``column, step, code, meaning, n``: how many rows are a respondent's second or
            later, how often each missing code stands there, how many labels become codes, how many answers
            are invalid, what is turned round and derived.

        Examples
        --------
        >>> import pandas as pd, satmodels as sat
        >>> survey = sat.Survey("s", [sat.Recommend("nps")], missing_codes={99: "don't know"})
        >>> survey.preparation(pd.DataFrame({"nps": [9, 99, 99, 12]})).tidy()[["column", "step", "code", "n"]]
          column          step  code  n
        0    nps  missing code    99  2
        1    nps       invalid  None  1
        """
        from satmodels.survey.prepare import preparation

        return preparation(self, frame, max_rows)

    def stated_importance(self, frame: Any, weight: str | None = None) -> dict[str, float]:
        """Return the mean importance that the respondents state for each item, for the weights of an index.

        Parameters
        ----------
        frame : dataframe
            Prepared answers, of any supported library.
        weight : str, optional
            Column of survey weights.

        Returns
        -------
        dict of str to float
            ``{column: mean importance}``, on the scale of importance, over those who answered; a number
            that an item states is taken as it is. Indices turn them into shares (Hill and Alexander 2006,
            The Handbook of Customer Satisfaction and Loyalty Measurement).

        Raises
        ------
        ArgumentError
            No item states its importance, or some as columns and others as numbers.
        SchemaError
            An answer about importance is off its scale: prepare the answers first.
        DataError
            Nobody answered.

        Examples
        --------
        >>> import pandas as pd, satmodels as sat
        >>> five = sat.Scale(1, 5)
        >>> survey = sat.Survey("s", [sat.Rating(q, five, importance=f"{q}_matters") for q in ("a", "b")])
        >>> answers = pd.DataFrame({"a": [5, 3], "b": [1, 3], "a_matters": [5, 4], "b_matters": [2, 1]})
        >>> weights = survey.stated_importance(survey.prepare(answers))
        >>> weights
        {'a': 4.5, 'b': 1.5}
        >>> sat.csi(answers, ["a", "b"], weights=weights, survey=survey).estimate
        62.5
        """
        from satmodels.survey.importance import stated_importance

        return stated_importance(self, frame, weight)

    @cached_property
    def Answer(self) -> type[BaseModel]:
        """Pydantic model of one answer, strict, for API payloads.

        Takes codes or labels, refuses what :meth:`check` refuses, and never shows an answer in its
        errors.
        """
        from satmodels.survey.answer import answer_model

        return answer_model(self)

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) of one answer."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **self.Answer.model_json_schema(by_alias=True),
        }

    # ---------------------------------------------------------------------------------------- storage

    def _body(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)

    def to_json(self) -> str:
        """Return the survey as a JSON document with a checksum."""
        return write_document("Survey", FORMAT, {"survey": self._body()})

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a document of :meth:`to_json`; anything else is an ArgumentError."""
        body = read_document(text, "Survey", FORMAT, ("survey",))["survey"]
        if not isinstance(body, dict):
            raise ArgumentError("the body of a stored Survey is a JSON object")
        try:
            return cls.model_validate(body)
        except ArgumentError:
            raise
        except (ValueError, TypeError) as error:
            raise ArgumentError(f"this is no stored Survey: {error}") from error

    @checked
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed, checked like a new survey."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**fields, **{str(name): value for name, value in (update or {}).items()}})

    def __repr__(self) -> str:
        roles = "".join(
            f", {role}={value!r}"
            for role in ("respondent", "date", "weight", "wave", "segments")
            if (value := getattr(self, role))
        )
        return f"Survey({self.name!r}, {len(self.items)} items{roles}, version={self.version!r})"

    __str__ = __repr__

    def __hash__(self) -> int:
        return hash(self.hash)

    def __getstate__(self) -> dict[Any, Any]:
        # what is derived is derived again: the class of an answer can't be pickled
        state = super().__getstate__()
        fields = type(self).model_fields
        return {**state, "__dict__": {k: v for k, v in state["__dict__"].items() if k in fields}}


def _answer(item: Weighed) -> str:
    """Return the column of what an item measures."""
    return item.perception if isinstance(item, Gap) else item.name


def _codes(given: Any) -> Any:
    """Return missing codes as ``{code: meaning}``; codes without a meaning mean "missing"."""
    if given is None:
        return {}
    if isinstance(given, list | tuple) and all(isinstance(code, int | str) for code in given):
        return dict.fromkeys(given, "missing")
    return given
