"""Which item asks for coded answers: a rating where the codes have an order, and a choice otherwise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from satmodels.survey.items import Choice, Code, Item, Rating, Recommend
from satmodels.survey.ordered import RECOMMEND, order_of
from satmodels.survey.scale import MAX_CODES, Scale, Wording, in_language

LEAST_RATED = 3  # two answers are yes and no


def gapless(codes: Sequence[int]) -> bool:
    """Say whether whole numbers follow each other without a gap, in any order; one alone does not."""
    return len(codes) > 1 and max(codes) - min(codes) == len(set(codes)) - 1 == len(codes) - 1


def coded_item(
    name: str, text: Wording | None, labels: dict[Code, Wording], *, is_scale: bool = False, **more: Any
) -> tuple[Item, str | None]:
    """Return the item of coded answers, and what was guessed.

    Codes have an order where they are whole numbers without a gap, and either the labels are the numbers
    (the ends may say more: "5 (the best)"), or are words with an order (``satmodels.survey.ordered``), or the file says that they are a scale. Where such
    words run from high to low, the item is a reverse one.
    """
    codes = sorted(c for c in labels if isinstance(c, int))
    whole = len(codes) == len(labels) and gapless(codes) and len(codes) <= MAX_CODES
    numbered = whole and _numbered({c: labels[c] for c in codes})
    order = order_of([labels[c] for c in codes]) if whole else None
    if not whole or not (numbered or order or (is_scale and len(codes) >= LEAST_RATED)):
        return Choice(name, labels, text, **more), None
    words = {c: labels[c] for c in codes if labels[c] != str(c)} or None
    if (codes[0], codes[-1]) == (0, 10) and words is None and RECOMMEND.search(f"{name} {text or ''}"):
        return Recommend(name, text, **more), None
    reverse = order == -1
    why = "reverse, because its labels run from high to low" if reverse else None
    return Rating(name, Scale(codes[0], codes[-1], words), text, reverse=reverse, **more), why


def _numbered(labels: dict[int, Wording]) -> bool:
    first = {c: (in_language(wording) or "").strip() for c, wording in labels.items()}
    bare = [c for c, text in first.items() if text == str(c)]
    return bool(bare) and all(re.match(rf"{c}(?![0-9])", text) for c, text in first.items())
