"""The survey itself, kept inside a file of another format; and what wins if that file was edited.

SPSS and SurveyJS have no place for constructs, reverse items, pairs of questions or importance. So our
writers put the whole survey into the file as well, as its stored JSON. Reading checks it like any stored document
(version, checksum, unknown fields, size, depth); nothing of it is executed.

What the file itself says wins. The kept survey says how the file looked when it was written; what looks
otherwise now was edited, and is taken from the file: texts, labels, options, scales, missing codes, questions
that are gone or new. All else stays as it was kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from satmodels.errors import ArgumentError
from satmodels.survey.items import Choice, Gap, Item, KanoPair, MultiChoice, Recommend, Weighed
from satmodels.survey.scale import Scale, Wording
from satmodels.survey.survey import Survey

NAME = "satmodels"  # under which a file keeps the survey
MAX_KEPT = 16 * 1024 * 1024  # characters: 2,000 items with long texts in several languages
# what a file of another format can say about a question
FIELDS = ("text", "required", "missing_codes", "low", "high", "integer")
# what it can't
OWN = ("construct", "dimension", "touchpoint", "stage", "channel")


def read_kept(text: Any, where: str) -> Survey:
    """Read the survey that a file keeps."""
    if not isinstance(text, str) or len(text) > MAX_KEPT:
        raise ArgumentError(f"{where}: its part {NAME!r} is no text, or longer than {MAX_KEPT:,} characters")
    try:
        return Survey.from_json(text)
    except ArgumentError as error:
        raise ArgumentError(
            f"{where}: its part {NAME!r} is no stored Survey; take that part out to read the rest ({error})"
        ) from error


def merge(kept: Survey, written: Sequence[Item], found: Sequence[Item]) -> Survey:
    """Return the kept survey with what was edited in its file.

    Parameters
    ----------
    kept : Survey
        The survey as it was written.
    written : sequence of Item
        What the file said then: the items that a reader finds in it without the kept survey.
    found : sequence of Item
        What the file says now.
    """
    before = {item.name: item for item in written}
    now = {item.name: item for item in found}
    order = [name for name in now if name in before] == [name for name in before if name in now]
    if before == now and order:
        return kept
    owners = {column: item for item in kept.items for column in item.columns}
    parts: dict[str, list[str]] = {}
    for name, item in before.items():
        if item.columns[0] in owners:
            parts.setdefault(owners[item.columns[0]].name, []).append(name)
    notes: list[str] = []
    merged: dict[str, tuple[Item, ...]] = {}  # what becomes of each kept item
    for owner in kept.items:
        names = parts.get(owner.name, [])
        merged[owner.name] = _merged(owner, names, before, now, notes)
    items = _in_order(kept, parts, merged, before, now, order, notes)
    return kept.model_copy(update={"items": items, "notes": (*kept.notes, *notes)})


def _merged(
    owner: Item,
    names: Sequence[str],
    before: Mapping[str, Item],
    now: Mapping[str, Item],
    notes: list[str],
) -> tuple[Item, ...]:
    there = [n for n in names if n in now]
    if not names or all(now.get(n) == before[n] for n in names):
        return (owner,)
    if not there:
        notes.append(f"{owner.name}: no longer in the file")
        return ()
    if len(there) < len(names):
        gone = [n for n in names if n not in now]
        notes.append(f"{owner.name}: the file lacks {gone}; what is left is read as it stands there")
        return tuple(now[n] for n in there)
    try:
        edited = _edited(owner, [(before[n], now[n]) for n in names])
    except ArgumentError:
        edited = None
    if edited is None:
        notes.append(f"{owner.name}: read as it stands in the edited file")
        return tuple(_with_own(now[n], owner) for n in names)
    notes.append(f"{owner.name}: as edited in the file")
    return (edited,)


def _edited(owner: Item, pairs: Sequence[tuple[Item, Item]]) -> Item | None:
    """Return a kept item with what changed in its questions, None if it can't hold that."""
    first_before, first_now = pairs[0]
    if any(type(b) is not type(n) for b, n in pairs):
        return None
    update: dict[str, Any] = {}
    for field in FIELDS:
        old, new = getattr(first_before, field, None), getattr(first_now, field, None)
        if old != new and hasattr(owner, field):
            update[field] = _wording(owner.text, old, new) if field == "text" else new
    if isinstance(owner, Choice | MultiChoice):
        old, new = _labels(first_before), _labels(first_now)
        if old != new:
            update["options"] = {c: _wording(owner.options.get(c), old.get(c), w) for c, w in new.items()}
    scales = [
        None if b.scales == n.scales else (b.scales[c], n.scales[c])
        for (b, n) in pairs
        for c in n.columns[:1]
        if c in n.scales and c in b.scales
    ]
    if any(scales):
        given = _edited_scales(owner, scales)
        if given is None:
            return None
        update |= given
    return owner.model_copy(update=update)


def _edited_scales(owner: Item, changed: Sequence[tuple[Scale, Scale] | None]) -> dict[str, Scale] | None:
    update: dict[str, Scale] = {}
    # the last column asks for importance, where it is asked
    asked = isinstance(getattr(owner, "importance", None), str)
    answers = changed[:-1] if asked else changed
    if any(answers):
        if isinstance(owner, Recommend) or len(set(map(str, answers))) > 1:
            return None  # the NPS question has one scale; both questions of a pair share theirs
        if answers[0] is not None:
            update["scale"] = _scale(getattr(owner, "scale"), *answers[0])  # noqa: B009 - of items with scales
    if asked and changed[-1] is not None and isinstance(owner, Weighed | KanoPair | Gap):
        stated = owner.importance_scale or changed[-1][0]
        update["importance_scale"] = _scale(stated, *changed[-1])
    return update


def _scale(kept: Scale, before: Scale, now: Scale) -> Scale:
    old, new = before.labels or {}, now.labels or {}
    labels = {c: _wording((kept.labels or {}).get(c), old.get(c), w) for c, w in new.items()}
    return Scale(now.low, now.high, labels or None)


def _labels(item: Item) -> dict[Any, Wording]:
    return dict(getattr(item, "options", {}))


def _wording(kept: Wording | None, before: Any, now: Any) -> Any:
    """Return an edited text; where the file has one language of several, the others stay."""
    if before == now:
        return kept
    if isinstance(kept, dict) and kept and isinstance(now, str):
        return {**kept, next(iter(kept)): now}
    return now


def _with_own(item: Item, owner: Item) -> Item:
    return item.model_copy(update={field: getattr(owner, field) for field in OWN})


def _in_order(
    kept: Survey,
    parts: Mapping[str, Sequence[str]],
    merged: Mapping[str, tuple[Item, ...]],
    before: Mapping[str, Item],
    now: Mapping[str, Item],
    same_order: bool,
    notes: list[str],
) -> list[Item]:
    """Return the items in the order of the kept survey, or of the file if its questions were moved."""
    owner_of = {name: owner for owner, names in parts.items() for name in names}
    groups: list[list[Item]] = []
    places: dict[str, int] = {}
    if same_order:
        for owner in kept.items:
            places[owner.name] = len(groups)
            groups.append(list(merged[owner.name]))
    start: list[Item] = []
    last = start
    for name, item in now.items():
        owner = owner_of.get(name)
        if owner is None:
            if name in before:
                continue
            notes.append(f"{name}: new in the file")
            last.append(item)
            continue
        if owner not in places:
            places[owner] = len(groups)
            groups.append(list(merged[owner]))
        last = groups[places[owner]]
    if not same_order:
        groups += [list(merged[i.name]) for i in kept.items if i.name not in places and i.name not in parts]
    return [item for group in (start, *groups) for item in group]
