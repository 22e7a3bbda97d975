"""From counts of categories to one category per feature: frequency, hierarchy, Blauth, and what a tie is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satmodels.errors import ArgumentError, as_number, check_word
from satmodels.kano_model.tables import CATEGORIES

# ties are decided for the category that costs more when it is overlooked
TIE_ORDER = ("M", "O", "A", "I", "R", "Q")
RULES = ("frequency", "hierarchy", "blauth")
THRESHOLD = 0.06  # of n: the two largest are as good as tied below it (hierarchy)
HIERARCHY = ("M", "O", "A", "I")
NEEDED, NOT_NEEDED = ("O", "A", "M"), ("I", "R", "Q")  # Blauth's two camps
FONG_QUANTILE = 1.65  # Fong (1996): two-sided 10 %


@dataclass(frozen=True)
class Classification:
    """What a rule says of one feature.

    Attributes
    ----------
    category, runner_up : str or None
        The category, and the most frequent other one; None without answers.
    tie : bool
        Whether the rule's order of categories, not the counts, decided.
    """

    category: str | None
    runner_up: str | None
    tie: bool


def check_rule(rule: str, threshold: float) -> None:
    """Raise ArgumentError for an unknown rule or an impossible threshold."""
    check_word("rule", rule, RULES)
    if not as_number("threshold", threshold) < 1 or threshold < 0:
        raise ArgumentError(f"threshold={threshold!r} is a share of the answers: 0 or more, below 1")


def classify(
    counts: NDArray[np.float64], rule: str = "frequency", threshold: float = THRESHOLD
) -> Classification:
    """Apply a rule to the counts of one feature, in the order A, O, M, I, R, Q.

    Examples
    --------
    The indifferent are the largest group, yet most respondents care in one way or other:

    >>> import numpy as np
    >>> counts = np.array([88, 90, 32, 105, 15, 28])
    >>> classify(counts, "frequency").category, classify(counts, "blauth").category
    ('I', 'O')
    """
    n = float(counts.sum())
    if n <= 0:
        return Classification(None, None, tie=False)
    by_name = {c: float(v) for c, v in zip(CATEGORIES, counts, strict=True)}
    tolerance = 1e-9 * n  # sums of weights that differ by rounding are equal
    if rule == "blauth":
        camps = (NEEDED, NOT_NEEDED)
        sums = [sum(by_name[c] for c in camp) for camp in camps]
        first = camps[0] if sums[0] > sums[1] + tolerance else camps[1]
        category, tie = _largest({c: by_name[c] for c in first}, tolerance)
        tie = tie or abs(sums[0] - sums[1]) <= tolerance
    else:
        category, tie = _largest(by_name, tolerance)
        if rule == "hierarchy":
            category, near = _by_hierarchy(by_name, threshold * n + tolerance)
            tie = tie or near
    rest = {c: v for c, v in by_name.items() if c != category and v > 0}
    return Classification(category, _largest(rest, tolerance)[0] if rest else None, tie)


def fong_sides(counts: NDArray[np.float64], n_eff: float) -> tuple[float, float]:
    """Return the difference of the two largest counts, and what it must reach (Fong 1996).

    They differ unless |a - b| < 1.65 sqrt((a + b)(2n - a - b) / 2n). Weighted counts are first brought to
    the effective number of answers ``n_eff``.
    """
    scaled = np.sort(counts * (n_eff / float(counts.sum())))
    a, b, n = float(scaled[-1]), float(scaled[-2]), n_eff
    return a - b, FONG_QUANTILE * float(np.sqrt((a + b) * max(2 * n - a - b, 0.0) / (2 * n)))


def fong_significant(counts: NDArray[np.float64], n_eff: float) -> bool | None:
    """Say whether the two largest categories differ, None without answers."""
    if float(counts.sum()) <= 0 or n_eff <= 0:
        return None
    difference, critical = fong_sides(counts, n_eff)
    return difference >= critical


def _largest(counts: dict[str, float], tolerance: float) -> tuple[str, bool]:
    top = max(counts.values())
    tied = [c for c in TIE_ORDER if c in counts and counts[c] >= top - tolerance]
    return tied[0], len(tied) > 1


def _by_hierarchy(counts: dict[str, float], margin: float) -> tuple[str, bool]:
    """Take the first in M > O > A > I of the two largest when they are within the margin."""
    first, second = sorted(counts, key=lambda c: (-counts[c], TIE_ORDER.index(c)))[:2]
    near = counts[first] - counts[second] <= margin
    if near and first in HIERARCHY and second in HIERARCHY:
        return min(first, second, key=HIERARCHY.index), True
    return first, False
