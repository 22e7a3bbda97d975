"""Ready lists of dimensions: what an item's ``dimension`` can be.

A taxonomy is a mapping from a dimension to what it covers; ``dimension=`` of an item takes any of its
keys, or a word of your own. :func:`check_dimensions` says which words a taxonomy does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from satmodels.errors import ArgumentError, near_matches

if TYPE_CHECKING:
    from satmodels.survey.survey import Survey

# Parasuraman, Zeithaml and Berry (1988), Journal of Retailing 64, 12-40
SERVQUAL: Mapping[str, str] = MappingProxyType(
    {
        "tangibles": "facilities, equipment, appearance of personnel",
        "reliability": "the promised service, dependably and accurately",
        "responsiveness": "willingness to help, promptly",
        "assurance": "knowledge and courtesy that inspire trust",
        "empathy": "caring, individual attention",
    }
)
# what a customer meets at one touchpoint
FACETS: Mapping[str, str] = MappingProxyType(
    {
        "service": "what is done, and how quickly and correctly",
        "environment": "where it is done: place, site, app",
        "personnel": "who does it",
        "value": "what it costs, set against what it brings",
    }
)
# the five satisfactions of customer-satisfaction (CS) strategy, from a company's ideas to its after-sales service
CS_STRATEGY: Mapping[str, str] = MappingProxyType(
    {
        "concept": "mind satisfaction: what the company stands for",
        "behaviour": "behaviour satisfaction: how the company acts",
        "image": "visual satisfaction: how the company appears",
        "product": "product satisfaction: what is bought",
        "service": "service satisfaction: what comes with it",
    }
)
# the levels on which a customer is satisfied
LEVELS: Mapping[str, str] = MappingProxyType(
    {
        "material": "what the product does",
        "spiritual": "how owning and using it feels",
        "social": "what it does to others and to society",
    }
)
TAXONOMIES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"servqual": SERVQUAL, "facets": FACETS, "cs_strategy": CS_STRATEGY, "levels": LEVELS}
)


def check_dimensions(survey: Survey, taxonomy: Mapping[str, str]) -> None:
    """Raise ArgumentError, with near matches, for the first item whose dimension a taxonomy lacks.

    Examples
    --------
    >>> import satmodels as sat
    >>> from satmodels.survey.taxonomies import SERVQUAL, check_dimensions
    >>> survey = sat.Survey("s", [sat.Gap("g1", "e1", "p1", "reliabilty")])
    >>> check_dimensions(survey, SERVQUAL)
    Traceback (most recent call last):
        ...
    satmodels.errors.ArgumentError: item 'g1' has dimension 'reliabilty'. Did you mean 'reliability'? ...
    """
    for item in survey.items:
        if item.dimension is not None and item.dimension not in taxonomy:
            raise ArgumentError(
                f"item {item.name!r} has dimension {item.dimension!r}.{near_matches(item.dimension, taxonomy)}"
            )
