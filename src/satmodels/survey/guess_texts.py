"""Guess what a column of texts asks: ordered labels, options, dates written otherwise, or free text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from satmodels.survey.coded import gapless
from satmodels.survey.items import Choice, Code, Item, Rating, Recommend, Text
from satmodels.survey.ordered import complete, ranks_of
from satmodels.survey.scale import Scale, Wording, distinct_labels

MAX_OPTIONS = 30  # a text column with more distinct answers is free text
MAX_LADDER = 11  # labels of a scale
# texts that stand for no answer
MISSING_TEXTS = frozenset(
    [
        "",
        "-",
        "--",
        ".",
        "n/a",
        "na",
        "n.a.",
        "nan",
        "null",
        "not applicable",
        "no answer",
        "missing",
        "prefer not to say",
        "prefer not to answer",
        "refused",
        "不适用",
        "拒绝回答",
        "未回答",
        "缺失",
    ]
)
# ... beside an ordered scale
UNSURE = frozenset(
    [
        "don't know",
        "dont know",
        "don’t know",
        "do not know",
        "dk",
        "not sure",
        "no opinion",
        "不知道",
        "不清楚",
    ]
)
PERSON = re.compile(
    r"e-?mail|phone|telephone|first.?name|last.?name|surname|address|邮箱|电话|手机|姓名|地址", re.IGNORECASE
)
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,8})")
# "1 - Very bad" has a number; "18-24" is a range
_NUMBERED = re.compile(r"(-?[0-9]{1,2})(?![0-9]|\s*[-–~]\s*[0-9]|[.,/][0-9])")
_DATE = re.compile(r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}([ T].*)?|[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日")
_LISTED = re.compile(r"[^;|]+[;|]")


def stands_for_none(label: str) -> bool:
    """Say whether a label says that there is no answer."""
    return label.strip().lower() in MISSING_TEXTS | UNSURE


def guess_texts(
    column: str,
    known: Sequence[Any],
    text: Wording | None,
    n: int | None,
    numbers: Callable[[list[int]], tuple[Item, str]],
) -> tuple[Item, str]:
    """Guess the item of a column of texts (some may be numbers) and say why.

    Parameters
    ----------
    column : str
        The column.
    known : sequence
        Its distinct answers.
    text : str or mapping, optional
        The question.
    n : int, optional
        Number of answers.
    numbers : callable
        Guesses the item of whole numbers.
    """
    texts = [v for v in known if isinstance(v, str)]
    gaps = [t for t in texts if t.strip().lower() in MISSING_TEXTS]
    words = [t for t in texts if t not in gaps]
    others = [v for v in known if not isinstance(v, str)]
    if others:
        return _mixed(column, words, others, gaps, text, numbers)
    missing = {t: "missing" for t in gaps}
    more: dict[str, Any] = {"missing_codes": missing} if missing else {}
    said = f"; {gaps} as missing" if gaps else ""
    if not words:
        return Text(column, text, **more), "free text, because no answer is there" + said
    found = _written_numbers(column, words, gaps, text, numbers) or _ordered(column, words, gaps, text)
    if found is not None:
        return found
    repeated = n is None or 2 * len(words) <= n
    if all(_DATE.fullmatch(w) for w in words):
        return Text(column, text, **more), "free text: dates, but not written as 2026-12-31" + said
    # options are chosen again and again; texts that hardly repeat were written freely
    if len(words) <= MAX_OPTIONS and repeated:
        why = f"a choice, with {len(words)} different answers" + said
        answers = [w for w in words if w.strip().lower() not in UNSURE]
        if ranks_of(answers) is not None:
            why += "; they look like part of a scale: declare a Rating with all its labels"
        elif any(_LISTED.match(w) for w in words):
            why += "; some seem to hold several answers, parted by ; or |"
        return Choice(column, sorted(words), text, **more), why
    why = f"free text, with {len(words)} different answers" + said
    return Text(column, text, **more), why + ("; it may point at a person" if PERSON.search(column) else "")


def _written_numbers(
    column: str,
    words: Sequence[str],
    gaps: Sequence[str],
    text: Wording | None,
    numbers: Callable[[list[int]], tuple[Item, str]],
) -> tuple[Item, str] | None:
    """Read ratings that are written as texts: their labels are the numbers, so that the texts count."""
    if not all(_WHOLE.fullmatch(w) for w in words):
        return None
    item, why = numbers([int(w) for w in words])
    if not isinstance(item, Rating | Recommend):
        return None
    scale = item.scale
    labels: dict[int, Wording] = {c: str(c) for c in scale.codes}
    missing = {str(c): w for c, w in (item.missing_codes or {}).items()} | {t: "missing" for t in gaps}
    more: dict[str, Any] = {"missing_codes": missing} if missing else {}
    rating = Rating(column, Scale(scale.low, scale.high, labels), text, **more)
    return rating, f"{why}; the numbers are texts, which prepare() turns into numbers"


def _ordered(
    column: str, words: Sequence[str], gaps: Sequence[str], text: Wording | None
) -> tuple[Item, str] | None:
    """Read labels that have an order as a rating."""
    unsure = [w for w in words if w.strip().lower() in UNSURE]
    answers = [w for w in words if w not in unsure]
    if not 3 <= len(answers) <= MAX_LADDER:
        return None
    codes = _numbers_in(answers)
    if codes is None:
        ranks = ranks_of(answers)
        if ranks is None or not complete(answers):
            return None
        order = sorted(range(len(answers)), key=ranks.__getitem__)
        codes = {i: rank for rank, i in enumerate(order, 1)}
    labels: dict[int, Wording] = {code: answers[i] for i, code in sorted(codes.items(), key=lambda e: e[1])}
    missing = {t: "missing" for t in (*gaps, *unsure)}
    more: dict[str, Any] = {"missing_codes": missing} if missing else {}
    low, high = min(labels), max(labels)
    why = f"a rating {low}..{high}, from {labels[low]!r} to {labels[high]!r}, by the words"
    return Rating(column, Scale(low, high, distinct_labels(labels)), text, **more), why + (
        f"; {list(missing)} as missing" if missing else ""
    )


def _numbers_in(answers: Sequence[str]) -> dict[int, int] | None:
    """Return the number before each label: "5 - very good"."""
    found = [_NUMBERED.match(a.strip()) for a in answers]
    codes = [int(m.group(1)) for m in found if m]
    if len(codes) < len(answers) or not gapless(codes):
        return None
    return dict(enumerate(codes)) if min(codes) in (0, 1) and max(codes) in (3, 4, 5, 7, 10) else None


def _mixed(
    column: str,
    words: Sequence[str],
    others: Sequence[Any],
    gaps: Sequence[str],
    text: Wording | None,
    numbers: Callable[[list[int]], tuple[Item, str]],
) -> tuple[Item, str]:
    """Read numbers beside texts for missing answers as numbers."""
    plain = [w for w in words if w.strip().lower() not in UNSURE]
    if not plain and all(float(v).is_integer() for v in others if v == v):
        item, why = numbers([int(v) for v in others])
        codes: dict[Code, Wording] = {**(item.missing_codes or {}), **{t: "missing" for t in (*gaps, *words)}}
        return item.model_copy(update={"missing_codes": codes}), f"{why}; {[*gaps, *words]} as missing"
    return Text(column, text), "free text, because the answers are of several types: texts and numbers"
