"""A limit on the rows that data may have, for services: one setting at the door instead of a parameter everywhere."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from satmodels.arguments import checked
from satmodels.errors import ArgumentError

_MAX_ROWS: ContextVar[int | None] = ContextVar("max_rows", default=None)


@contextmanager
@checked
def limit_rows(max_rows: int) -> Generator[None, None, None]:
    """Refuse, inside a ``with`` block, dataframes and sequences of more rows, before anything is computed.

    For a service that computes what others send. Rows are counted in the engine that holds them, by a query
    that only counts; each frame costs one such query, also a lazy one, and outside of the block none.
    The limit holds for the thread or task that set it. Inside one another the smallest limit holds.

    Parameters
    ----------
    max_rows : int
        Largest number of rows that a dataframe or a sequence of answers may have.

    Raises
    ------
    ArgumentError
        ``max_rows`` is no whole number of at least 0; inside the block, data have more rows.

    Examples
    --------
    >>> import satmodels as sat
    >>> with sat.limit_rows(1000):
    ...     result = sat.nps([9, 10, 3])
    >>> with sat.limit_rows(1000):
    ...     sat.nps([9, 10, 3] * 1000)
    Traceback (most recent call last):
    ...
    satmodels.errors.ArgumentError: the data have 3,000 rows; max_rows allows 1,000
    """
    limit = _checked(max_rows)
    outer = _MAX_ROWS.get()
    token = _MAX_ROWS.set(limit if outer is None else min(limit, outer))
    try:
        yield
    finally:
        _MAX_ROWS.reset(token)


def refuse_more_rows(count: Callable[[], int], max_rows: int | None = None) -> None:
    """Raise ArgumentError if there are more rows than allowed; count them only where there is a limit.

    ``max_rows`` is a function's own limit; without it, that of :func:`limit_rows`.
    """
    limit = _MAX_ROWS.get() if max_rows is None else _checked(max_rows)
    if limit is not None and (rows := count()) > limit:
        raise ArgumentError(f"the data have {rows:,} rows; max_rows allows {limit:,}")


def _checked(max_rows: Any) -> int:
    if isinstance(max_rows, bool) or not isinstance(max_rows, int) or max_rows < 0:
        raise ArgumentError(f"max_rows={max_rows!r} is no whole number of at least 0")
    return max_rows
