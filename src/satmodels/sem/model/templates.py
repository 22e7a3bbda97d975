"""The national satisfaction models, ready to fill with one's own items.

Each returns an ordinary, editable :class:`ModelSpec`.

References
----------
.. [1] Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J. and Bryant, B. E. (1996). The American
   Customer Satisfaction Index. Journal of Marketing 60(4), 7-18.
.. [2] Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M. and Lauro, C. (2005). PLS path modeling.
   Computational Statistics & Data Analysis 48(1), 159-205 (the ECSI model for mobile phones).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, near_matches
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.model.terms import Term
from satmodels.sem.model.tokens import name_problem

# target -> sources; the order of the targets is the order of the constructs
ACSI_ARROWS: dict[str, tuple[str, ...]] = {
    "Expectation": (),
    "Quality": ("Expectation",),
    "Value": ("Expectation", "Quality"),
    "Satisfaction": ("Expectation", "Quality", "Value"),
    "Complaints": ("Satisfaction",),
    "Loyalty": ("Satisfaction", "Complaints"),
}
ECSI_ARROWS: dict[str, tuple[str, ...]] = {
    "Image": (),
    "Expectation": ("Image",),
    "Quality": ("Expectation",),
    "Value": ("Expectation", "Quality"),
    "Satisfaction": ("Image", "Expectation", "Quality", "Value"),
    "Complaints": ("Satisfaction",),
    "Loyalty": ("Image", "Satisfaction", "Complaints"),
}
# eleven paths are reported for the Chinese index; which ones is not settled in the open literature
CCSI_ARROWS: dict[str, tuple[str, ...]] = {
    "Image": (),
    "Expectation": ("Image",),
    "Quality": ("Image", "Expectation"),
    "Value": ("Expectation", "Quality"),
    "Satisfaction": ("Image", "Expectation", "Quality", "Value"),
    "Loyalty": ("Image", "Satisfaction"),
}

Items = Mapping[str, Sequence[str]]


@checked
def acsi(items: Items) -> ModelSpec:
    """Return the American Customer Satisfaction Index model: six constructs, nine or ten paths.

    Parameters
    ----------
    items : mapping of str to sequence of str
        ``{"Expectation": [...], "Quality": [...], "Value": [...], "Satisfaction": [...], "Complaints":
        [...], "Loyalty": [...]}``: the columns that measure each construct. "Complaints" may be left
        out; its arrows then go with it.

    Returns
    -------
    ModelSpec
        All blocks reflective (``=~``). To change arrows, edit ``str(spec)`` and parse it again.

    Raises
    ------
    ArgumentError
        A construct is missing or unknown, has no items, or an item is used twice.

    Examples
    --------
    >>> print(
    ...     acsi(
    ...         {
    ...             "Expectation": ["e1", "e2"],
    ...             "Quality": ["q1"],
    ...             "Value": ["v1"],
    ...             "Satisfaction": ["s1", "s2"],
    ...             "Loyalty": ["l1"],
    ...         }
    ...     )
    ... )
    Expectation =~ e1 + e2
    Quality =~ q1
    Value =~ v1
    Satisfaction =~ s1 + s2
    Loyalty =~ l1
    Quality ~ Expectation
    Value ~ Expectation + Quality
    Satisfaction ~ Expectation + Quality + Value
    Loyalty ~ Satisfaction
    """
    return _fill("acsi", ACSI_ARROWS, items, optional="Complaints")


@checked
def ecsi(items: Items) -> ModelSpec:
    """Return the European Customer Satisfaction Index model: seven constructs, twelve paths.

    Image joins the American model and acts on expectation, satisfaction and loyalty. Without
    "Complaints", as in the later European surveys, there are six constructs and ten paths.

    Parameters
    ----------
    items : mapping of str to sequence of str
        ``{"Image": [...], "Expectation": [...], "Quality": [...], "Value": [...], "Satisfaction": [...],
        "Complaints": [...], "Loyalty": [...]}``.

    Returns
    -------
    ModelSpec

    Raises
    ------
    ArgumentError
        A construct is missing or unknown, has no items, or an item is used twice.

    Examples
    --------
    >>> blocks = {name: [f"{name[:2].lower()}1"] for name in ECSI_ARROWS}
    >>> len(ecsi(blocks).paths)
    12
    """
    return _fill("ecsi", ECSI_ARROWS, items, optional="Complaints")


@checked
def ccsi(items: Items) -> ModelSpec:
    """Return a model after the Chinese Customer Satisfaction Index: six constructs, eleven paths.

    A starting point to edit: six constructs (brand image, expected quality, perceived quality, perceived
    value, satisfaction, loyalty) and eleven paths are documented, but the open literature does not agree on the
    list of arrows. Check it against the standard that you report to (GB/T 19038).

    Parameters
    ----------
    items : mapping of str to sequence of str
        ``{"Image": [...], "Expectation": [...], "Quality": [...], "Value": [...], "Satisfaction": [...],
        "Loyalty": [...]}``.

    Returns
    -------
    ModelSpec

    Raises
    ------
    ArgumentError
        A construct is missing or unknown, has no items, or an item is used twice.

    Examples
    --------
    >>> blocks = {name: [f"{name[:2].lower()}1"] for name in CCSI_ARROWS}
    >>> len(ccsi(blocks).paths)
    11
    """
    return _fill("ccsi", CCSI_ARROWS, items, optional=None)


def _fill(template: str, arrows: dict[str, tuple[str, ...]], items: Items, optional: str | None) -> ModelSpec:
    for name in items:
        if name not in arrows:
            raise ArgumentError(f"{template} has no construct {name!r}.{near_matches(name, arrows)}")
    lacking = [name for name in arrows if name not in items and name != optional]
    if lacking:
        raise ArgumentError(f"{template} needs items for {', '.join(map(repr, lacking))}")
    owner: dict[str, str] = {}
    for construct, block in items.items():
        _check_block(template, construct, block, owner)
    there = [name for name in arrows if name in items]
    measured = [Term(lhs=name, op="=~", rhs=item) for name in there for item in items[name]]
    paths = [Term(lhs=name, op="~", rhs=s) for name in there for s in arrows[name] if s in items]
    return ModelSpec(terms=(*measured, *paths))


def _check_block(template: str, construct: str, block: object, owner: dict[str, str]) -> None:
    if isinstance(block, str) or not isinstance(block, Sequence):
        raise ArgumentError(f"{template}: {construct!r} takes a list of columns, not {block!r}")
    if not block:
        raise ArgumentError(f"{template}: {construct!r} has no items")
    for item in block:
        if not isinstance(item, str):
            raise ArgumentError(f"{template}: {item!r} in {construct!r} is no name of a column")
        if wrong := name_problem(item):
            raise ArgumentError(f"{template}: {construct!r}: {wrong}")
        if item in owner:
            raise ArgumentError(f"{template}: item {item!r} is in {owner[item]!r} and in {construct!r}")
        owner[item] = construct
