"""The scales of items: given directly, or looked up in a survey."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence, Sized
from typing import Any

from satmodels.errors import ArgumentError, unknown
from satmodels.survey.scale import in_language

Codes = Mapping[float, str]


def scale_of(item: str | None, scale: Any, survey: Any, score: str) -> tuple[float, float, Codes]:
    """Return low, high and the missing codes of one item, from ``scale=`` or ``survey=``.

    Raises
    ------
    ArgumentError
        Neither or both are given, or the survey has no scale for the item.
    """
    if survey is not None and item is None:
        raise ArgumentError(f"{score}: which item of the survey is it? Give its name")
    name = item or "answer"
    scales, codes = item_scales([name], scale, survey, score)
    return *scales[name], codes


def item_scales(
    items: Sequence[str], scale: Any, survey: Any, score: str
) -> tuple[dict[str, tuple[float, float]], Codes]:
    """Return the scale of each item as (low, high), and the survey's missing codes.

    Raises
    ------
    ArgumentError
        Neither or both of scale and survey are given, or an item has no scale.
    """
    if scale is not None and survey is not None:
        raise ArgumentError("give scale= or survey=, not both: the survey knows the scale")
    for item in items:
        if not isinstance(item, Hashable):
            raise ArgumentError(f"item={item!r}: give the name of one column")
    if survey is not None:
        known: Mapping[str, Any] = survey.scales
        for item in items:
            if item not in known:
                raise unknown("column with a scale in this survey:", item, known)
        return {item: limits_of_scale(known[item]) for item in items}, survey_codes(survey)
    if scale is None:
        raise ArgumentError(
            f"{score} needs the scale of the answers, for example scale=Scale(1, 5), or survey= with the item"
        )
    if not isinstance(scale, Mapping):
        return dict.fromkeys(items, limits_of_scale(scale)), {}
    for item in items:
        if item not in scale:
            raise unknown("scale for the item", item, scale)
    return {item: limits_of_scale(scale[item]) for item in items}, {}


def survey_codes(survey: Any) -> Codes:
    """Return the numeric missing codes of a survey; none of anything that is no survey."""
    codes: Mapping[Any, Any] = getattr(survey, "missing_codes", {})
    return {
        float(code): in_language(label) or str(code)
        for code, label in codes.items()
        if isinstance(code, int | float)
    }


def limits_of_scale(scale: Any) -> tuple[float, float]:
    """Return low and high of a Scale, or of a pair (low, high)."""
    given: Any = scale
    try:
        low, high = given if isinstance(given, tuple) else (given.low, given.high)
        low, high = float(low), float(high)
    except (AttributeError, TypeError, ValueError) as error:
        raise ArgumentError(f"scale={scale!r}: give a Scale, for example Scale(1, 10)") from error
    if not low < high:
        raise ArgumentError(f"scale={scale!r}: its low end must be below its high end")
    return low, high


def codes_given(missing_codes: Any, known: Any) -> Any:
    """Return the caller's codes of missing answers, or those that the survey knows where the caller gives none."""
    none = missing_codes is None or (isinstance(missing_codes, Sized) and len(missing_codes) == 0)
    return known if none else missing_codes
