"""Words in which answer scales are written: whether labels have an order, and which way it runs.

Labels are read, never guessed: every label must be understood, as ``intensity × direction`` (very
dissatisfied, satisfied, 非常满意), as neutral (neither, 一般), or as a step of a known ladder (never, rarely,
sometimes, often, always). Labels that are not understood have no order here.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from satmodels.survey.scale import Wording, in_all_languages

RECOMMEND = re.compile(r"nps|recommend|\bltr\b|推荐", re.IGNORECASE)  # the question behind the NPS
# ladders from low to high; labels may use some of the steps
LADDERS: tuple[tuple[str, ...], ...] = tuple(
    tuple(ladder.split(", "))
    for ladder in (
        "never, almost never, very rarely, rarely, seldom, occasionally, sometimes, about half the time, often, "
        "frequently, most of the time, usually, very often, almost always, nearly always, always",
        "terrible, awful, very poor, very bad, poor, bad, below average, fair, average, okay, ok, acceptable, "
        "above average, good, very good, great, excellent, outstanding",
        "not at all, a little, slightly, somewhat, moderately, quite a bit, quite, very, very much, extremely, "
        "a great deal, completely",
        "far below expectations, below expectations, meets expectations, met expectations, above expectations, "
        "exceeds expectations, exceeded expectations, far above expectations",
        "far short of expectations, short of expectations, equals expectations, exceeds expectations, "
        "far exceeds expectations",
        "definitely not, probably not, might or might not, probably yes, definitely yes",
        "none at all, a little, a moderate amount, a lot, a great deal",
        "much worse, worse, somewhat worse, slightly worse, about the same, the same, slightly better, "
        "somewhat better, better, much better",
        "not well at all, slightly well, moderately well, very well, extremely well",
        "very low, low, medium, mid, moderate, high, very high",
        "从不, 很少, 偶尔, 有时, 有时候, 经常, 常常, 总是",
        "非常差, 很差, 较差, 差, 一般, 尚可, 良好, 较好, 好, 很好, 非常好, 优秀",
    )
)
# what may be more or less so: the word, and the word for its opposite
STEMS: tuple[tuple[str, str | None], ...] = (
    ("satisfied", "dissatisfied"),
    ("agree", "disagree"),
    ("likely", "unlikely"),
    ("important", "unimportant"),
    ("easy", "difficult"),
    ("happy", "unhappy"),
    ("useful", "useless"),
    ("helpful", "unhelpful"),
    ("positive", "negative"),
    ("like", "dislike"),
    ("good", "bad"),
    ("confident", None),
    ("familiar", "unfamiliar"),
)
INTENSITY: tuple[tuple[int, tuple[str, ...]], ...] = (
    (1, ("slightly", "a little", "somewhat", "rather", "fairly", "mildly", "tend to")),
    (3, ("moderately", "quite", "mostly", "generally")),
    (5, ("very", "strongly", "highly")),
    (6, ("extremely", "completely", "totally", "fully", "entirely", "absolutely")),
)
PLAIN = 4  # "satisfied" lies between "somewhat satisfied" and "very satisfied"
NEUTRAL = re.compile(
    r"^(neutral|neither\b.*|undecided|neither|no opinion either way|mixed|中立|一般|不确定|说不清)$"
)
CHINESE = re.compile(
    r"^(完全|非常|极其|十分|很|比较|较|有点|有些)?(不太|不)?(满意|同意|可能|愿意|重要|容易|方便|认可|喜欢)$"
)
CHINESE_INTENSITY = {
    "完全": 6,
    "极其": 6,
    "非常": 5,
    "十分": 5,
    "很": 5,
    "比较": 3,
    "较": 3,
    "有点": 1,
    "有些": 1,
}
NOT_AT_ALL, FULLY = -7, 6  # ranks of "not at all important" and "extremely important"
# ends of ladders
ENDS = (
    ("never", "always"),
    ("terrible", "excellent"),
    ("very poor", "very good"),
    ("very poor", "excellent"),
    ("poor", "excellent"),
    ("very bad", "very good"),
    ("not at all", "extremely"),
    ("not at all", "completely"),
    ("not at all", "very much"),
    ("far below expectations", "far above expectations"),
    ("low", "high"),
    ("far short of expectations", "far exceeds expectations"),
    ("definitely not", "definitely yes"),
    ("none at all", "a great deal"),
    ("much worse", "much better"),
    ("not well at all", "extremely well"),
    ("从不", "总是"),
    ("很差", "很好"),
    ("非常差", "非常好"),
)
LEAST = 3  # two labels are yes and no, whatever they say


def order_of(labels: Sequence[Wording]) -> int | None:
    """Return 1 where labels run from low to high, -1 where they run from high to low, None without an order."""
    ranks = ranks_of(labels)
    if ranks is None:
        return None
    steps = {second > first for first, second in itertools.pairwise(ranks)}
    if len(steps) > 1:
        return None
    return 1 if steps == {True} else -1


def ranks_of(labels: Sequence[Wording]) -> list[int] | None:
    """Return where each label stands between low and high, None if any is not understood."""
    if len(labels) < LEAST:
        return None
    for number in range(max((len(in_all_languages(w)) for w in labels), default=0)):
        texts = [in_all_languages(w)[number : number + 1] or in_all_languages(w)[:1] for w in labels]
        found = _ranks([_bare(t[0]) if t else "" for t in texts])
        if found is not None:
            return found
    return None


def _bare(text: str) -> str:
    """Return a label without a number before or behind it: "5 - Very satisfied" or "very satisfied (5)"."""
    text = re.sub(r"^[0-9]+\s*[-–—.:=)、．]?\s*|\s*\([0-9]+\)$", "", text.strip().lower())
    return " ".join(text.strip(" .。").split())


def _ranks(texts: list[str]) -> list[int] | None:
    for ladder in LADDERS:
        if all(t in ladder for t in texts):
            return _distinct([ladder.index(t) for t in texts])
    found = [_read(t) for t in texts]
    if any(f is None for f in found):
        return None
    known = [f for f in found if f is not None]
    stems = {stem for stem, _ in known if stem is not None}
    return _distinct([rank for _, rank in known]) if len(stems) == 1 else None


def _distinct(ranks: list[int]) -> list[int] | None:
    return ranks if len(set(ranks)) == len(ranks) else None


def _read(text: str) -> tuple[str | None, int] | None:
    """Return what a label speaks of and how much of it, None if it is not understood."""
    if NEUTRAL.match(text):
        return None, 0
    if match := CHINESE.match(text):
        strength, negation, stem = match.groups()
        rank = CHINESE_INTENSITY.get(strength or "", PLAIN)
        if negation == "不太":
            rank = CHINESE_INTENSITY["比较"]
        return stem, -rank if negation else rank
    for stem, opposite in STEMS:
        for word, sign in ((stem, 1), (opposite, -1)):
            if word is not None and (match := re.fullmatch(rf"(.*?)\s*\b{word}", text)):
                rank = _strength(match.group(1).strip())
                if rank is not None:
                    return stem, sign * rank if rank else NOT_AT_ALL
    return None


def _strength(words: str) -> int | None:
    if not words:
        return PLAIN
    if words in ("not at all", "not"):
        return 0
    return next((rank for rank, known in INTENSITY if words in known), None)


def complete(labels: Sequence[str]) -> bool:
    """Say whether labels that were observed are all labels of a scale: both ends are there.

    Labels may lack an end that nobody chose; a scale made of the others would be too short. So labels must
    lie alike on both sides of the middle (very dissatisfied ... very satisfied), or hold both ends of a
    ladder (never ... always, not at all important ... extremely important).
    """
    ranks = ranks_of(labels)
    if ranks is None:
        return False
    if (min(ranks), max(ranks)) == (NOT_AT_ALL, FULLY) or sorted(ranks) == sorted(-rank for rank in ranks):
        return True
    texts = {_bare(label) for label in labels}
    return any(low in texts and high in texts for low, high in ENDS)
