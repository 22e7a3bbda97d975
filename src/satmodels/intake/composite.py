"""What a composite of several columns is: a weighted sum, such as an index or a gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Composite:
    """One composite: ``sum(coefficient * column + offset)`` over its columns.

    ``products`` of two of its columns, each measured from its centre in ``about``, are added with their own
    coefficients. A row with any missing answer has no value, unless ``filled``: the answer is then its column's
    centre. With ``importance`` (positive, one per column) a missing
    answer only leaves the sum, which is then divided by the importance of what was answered.
    """

    name: str
    coefficients: Mapping[str, float]
    offsets: Mapping[str, float]
    importance: Mapping[str, float] | None = None
    products: Mapping[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])
    about: Mapping[str, float] = field(default_factory=dict[str, float])
    filled: bool = False
