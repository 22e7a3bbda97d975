"""From items to columns: which rule each column of a survey's answers obeys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from satmodels.errors import ArgumentError
from satmodels.intake.rules import ColumnRule
from satmodels.survey.items import Choice, Code, Date, Item, KanoPair, MultiChoice, Number, Text
from satmodels.survey.scale import Scale, labels_to_codes

if TYPE_CHECKING:
    from satmodels.survey.survey import Survey


@dataclass(frozen=True)
class Column:
    """One column of the answers.

    Attributes
    ----------
    name : str
        The column.
    rule : ColumnRule
        What may stand in it.
    item : Item or None
        The item it belongs to; None for the respondent, the date, weights and segments.
    scale : Scale or None
        Its scale, where it has one.
    codes : dict
        Texts that :meth:`Survey.prepare` replaces, with what replaces them.
    missing : tuple
        Codes for missing answers.
    reverse : bool
        Whether the answers are turned round.
    """

    name: str
    rule: ColumnRule
    item: Item | None = None
    scale: Scale | None = None
    codes: dict[str, Code] | None = None
    missing: tuple[Code, ...] = ()
    reverse: bool = False


def columns_of(survey: Survey) -> dict[str, Column]:
    """Return every column that the survey declares, items first."""
    found: dict[str, Column] = {}
    for item in survey.items:
        for name in item.columns:
            if name in found:
                other = found[name].item
                raise ArgumentError(
                    f"survey {survey.name!r}: column {name!r} belongs to item {item.name!r} and to item "
                    f"{other.name if other else name!r}"
                )
            found[name] = _column(survey, item, name)
    for name in (survey.respondent, survey.wave):
        if name is not None:
            known = found.get(name, Column(name, ColumnRule(name, anything=True)))
            found[name] = replace(known, rule=replace(known.rule, required=True))
    if survey.date is not None and survey.date not in found:
        found[survey.date] = Column(survey.date, ColumnRule(survey.date, dates=True))
    if survey.weight is not None and survey.weight not in found:
        found[survey.weight] = Column(
            survey.weight, ColumnRule(survey.weight, numbers=True, low=0.0, required=True)
        )
    for name in survey.segments:
        found.setdefault(name, Column(name, ColumnRule(name, anything=True)))
    return found


def _column(survey: Survey, item: Item, name: str) -> Column:
    scale = item.scales.get(name)
    missing = _missing_codes(survey, item, scale)
    codes = tuple(code for code in missing if isinstance(code, int))
    texts = tuple(code for code in missing if isinstance(code, str))
    rule = ColumnRule(name, codes=codes, texts=texts, required=item.required)
    # importance is never worded negatively
    reverse = bool(getattr(item, "reverse", False)) and name != getattr(item, "importance", None)
    if scale is not None:
        labels = labels_to_codes(scale.labels or {})
        rule = replace(
            rule,
            numbers=True,
            low=float(scale.low),
            high=float(scale.high),
            whole=True,
            scale=True,
            texts=(*labels, *texts),
        )
        return Column(name, rule, item, scale, dict(labels), missing, reverse)
    if isinstance(item, Choice):
        options = labels_to_codes(item.options)
        named = tuple(code for code in item.options if isinstance(code, str))
        numbered = tuple(code for code in item.options if isinstance(code, int))
        all_texts = tuple(dict.fromkeys((*named, *options, *texts)))
        # True and False answer a question of 1 and 0
        yes_no = set(item.options) == {0, 1}
        rule = replace(rule, codes=(*numbered, *codes), texts=all_texts, bools=yes_no)
        renamed = {text: code for text, code in options.items() if text != code}
        return Column(name, rule, item, None, renamed, missing)
    if isinstance(item, MultiChoice):
        return Column(name, replace(rule, codes=(0, 1, *codes), bools=True), item, None, None, missing)
    if isinstance(item, Number):
        rule = replace(rule, numbers=True, low=item.low, high=item.high, whole=item.integer)
    elif isinstance(item, Text):
        rule = replace(rule, max_length=item.max_length)
    elif isinstance(item, Date):
        rule = replace(rule, dates=True, earliest=item.earliest, latest=item.latest)
    return Column(name, rule, item, None, None, missing)


def _missing_codes(survey: Survey, item: Item, scale: Scale | None) -> tuple[Code, ...]:
    own, shared = dict(item.missing_codes or {}), dict(survey.missing_codes)
    if isinstance(item, Number):
        # a code of the whole survey that is a possible amount stays an amount
        shared = {c: w for c, w in shared.items() if isinstance(c, str) or not _possible(item, c)}
    elif isinstance(item, MultiChoice):
        shared = {c: w for c, w in shared.items() if c not in (0, 1)}
    elif isinstance(item, Text | Date):
        shared = {c: w for c, w in shared.items() if isinstance(c, str)}
    elif isinstance(item, Choice) and all(isinstance(c, str) for c in item.options):
        shared = {str(c): w for c, w in shared.items()}  # a column of texts holds "99", not 99
    codes = tuple(dict.fromkeys((*own, *shared)))
    answers: set[Code] = set(scale.codes) | set(labels_to_codes(scale.labels or {})) if scale else set()
    if isinstance(item, Choice):
        answers = set(item.options)
    for code in codes:
        if code in answers:
            raise ArgumentError(
                f"survey {survey.name!r}: {code!r} is declared as a missing code, but is an answer of item "
                f"{item.name!r}. Declare it on the items that use it: missing_codes= of an item."
            )
    return codes


def _possible(item: Number, code: int) -> bool:
    low_enough = item.high is None or code <= item.high
    return low_enough and (item.low is None or code >= item.low)


def kano_pairs(survey: Survey) -> list[tuple[str, str]]:
    """Return the pairs of columns that are answered together or not at all."""
    return [(item.functional, item.dysfunctional) for item in survey.items if isinstance(item, KanoPair)]
