"""Arguments of public functions, checked against the annotations of the functions.

An array where a column's name belongs would otherwise end in an error from deep below. What a number or a text says
is checked where it is used: here only its kind is.
"""

from __future__ import annotations

import builtins
import numbers
import os
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from functools import cache, wraps
from typing import Any, Literal, ParamSpec, TypeVar, Union

import numpy as np

from satmodels.errors import ArgumentError

P = ParamSpec("P")
R = TypeVar("R")

# what an annotation takes, and what that is called; any other class takes its instances
_TAKEN: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a text"),
    bool: ((bool, np.bool_), "True or False"),
    int: ((numbers.Real,), "a whole number"),
    float: ((numbers.Real,), "a number"),
    type(None): ((type(None),), "None"),
    bytes: ((bytes, bytearray), "bytes"),
    Mapping: ((Mapping,), "a mapping such as a dict"),
    os.PathLike: ((os.PathLike,), "a path"),
}
_SHOWN = 40


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function raise ArgumentError for an argument of another kind than it is annotated with."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        names = function.__code__.co_varnames
        check_arguments(function, {**dict(zip(names, args, strict=False)), **kwargs})
        return function(*args, **kwargs)

    return call


def check_arguments(function: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Raise ArgumentError for the first argument of another kind than its annotation says."""
    kinds = _kinds(function)
    for name, value in given.items():
        if name not in kinds:
            continue  # it takes anything
        classes, words = kinds[name]
        column = str in classes and type(value).__name__ == "Series"  # a column where its name belongs
        if column or not isinstance(value, classes) or _only_looks_like_one(value):
            remedy = ": name the column, it is read from the data" if column else ""
            raise ArgumentError(f"{name}= takes {words}, not {_shown(value)}{remedy}")


def _only_looks_like_one(value: object) -> bool:
    """Say whether it is an array without a dimension, which is no list, or a whole number beyond all floats."""
    if isinstance(value, np.ndarray):
        return value.ndim == 0
    return isinstance(value, int) and abs(value) > sys.float_info.max


def _shown(value: object) -> str:
    """Show a plain value; of anything else, which may hold answers, only say what it is."""
    if value is None or isinstance(value, str | numbers.Real):
        text = repr(value)
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    remedy = ": give its result_" if hasattr(value, "result_") else ""
    return f"a value of the type {type(value).__name__}{remedy}"


@cache
def _kinds(function: Callable[..., Any]) -> dict[str, tuple[tuple[type, ...], str]]:
    """Return the classes that each annotated argument takes, and their names; arguments that take anything are left out."""
    names = _Names(function)
    found: dict[str, tuple[tuple[type, ...], str]] = {}
    for name, annotation in function.__annotations__.items():
        holder = types.SimpleNamespace(__annotations__={name: annotation})
        try:
            hint = typing.get_type_hints(holder, localns=names)[name]
        except (
            TypeError,
            AttributeError,
        ):  # a type that only type checkers import, in brackets or with a dot
            continue
        taken = _taken(hint)
        if taken is not None:
            classes, words = zip(*taken, strict=True)
            found[name] = sum(classes, ()), _listed(list(dict.fromkeys(words)))
    return found


class _Names(dict[str, Any]):
    """The names that annotations of a function use; what only type checkers import takes anything."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(vars(builtins) | function.__globals__)

    def __missing__(self, name: str) -> Any:
        return Any


def _taken(hint: Any) -> list[tuple[tuple[type, ...], str]] | None:
    """Return what a type takes, part by part, or None for anything."""
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        parts = [_taken(part) for part in typing.get_args(hint)]
        return None if None in parts else [kind for part in parts if part for kind in part]
    if origin is Literal:
        words = {type(word).__name__: type(word) for word in typing.get_args(hint)}
        return [_TAKEN.get(kind, ((kind,), name)) for name, kind in sorted(words.items())]
    kind = origin or hint
    if kind in _TAKEN:
        return [_TAKEN[kind]]
    if (
        kind in (Any, object)
        or not isinstance(kind, type)
        or typing.is_typeddict(kind)
        or getattr(kind, "_is_protocol", False)
    ):
        return None
    if (
        issubclass(kind, Iterable)
        and not issubclass(kind, str | bytes)
        and kind.__module__ in ("builtins", "collections.abc")
    ):
        return [((Iterable,), "a list")]  # arrays, and columns of a frame, are lists here
    return [((kind,), kind.__name__)]


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
