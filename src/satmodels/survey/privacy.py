"""Protect respondents: keyed pseudonyms, small cells, and exports that run nothing."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Any

import numpy as np

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, unknown
from satmodels.intake.frames import Frame, is_sequence, like_sequence, open_frame, sequence_values
from satmodels.intake.rules import is_missing

MIN_KEY_BYTES = 16
DIGEST_CHARACTERS = 32  # 128 bits: two of 10^9 respondents share a pseudonym with probability 1e-21
MINIMUM = 10  # smallest number of respondents that is published
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")  # OWASP, CWE-1236


@checked
def pseudonymise(column: Any, key: bytes | str) -> Any:
    """Replace ids by pseudonyms that can't be turned back, or guessed, without the key.

    HMAC-SHA256 (RFC 2104) of each value. The same value and key always give the same pseudonym, so
    tables can still be joined; a plain hash would not do, because all phone numbers can be tried.

    Parameters
    ----------
    column : list, tuple, array or series
        The ids: texts or whole numbers. 7, 7.0 and "7" are one id. Missing values stay missing.
    key : bytes or str
        The secret, at least 16 bytes (``secrets.token_bytes(32)``). Keep it apart from the data.

    Returns
    -------
    column of the same kind
        Pseudonyms such as ``"k3f9a1-0f3c…"``: the first part tells keys apart and says nothing about
        the key.

    Raises
    ------
    ArgumentError
        The key is too short, or a value is no id.

    Examples
    --------
    >>> import satmodels as sat
    >>> secret = b"kept apart from the data"
    >>> a, b, c = sat.pseudonymise(["ann", "bob", "ann"], secret)
    >>> a == c, a == b, len(a)
    (True, False, 40)
    """
    secret = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else bytes(key)
    if len(secret) < MIN_KEY_BYTES:
        raise ArgumentError(
            f"the key has {len(secret)} bytes; at least {MIN_KEY_BYTES} are needed: secrets.token_bytes(32)"
        )
    if not is_sequence(column):
        raise ArgumentError(
            f"a {type(column).__name__} is no column: give a list, an array or a series, such as frame['id']"
        )
    prefix = "k" + hmac.new(secret, b"satmodels key id", hashlib.sha256).hexdigest()[:6]
    known: dict[str, str] = {}

    def pseudonym(value: Any) -> str | None:
        if is_missing(value):
            return None
        text = _canonical(value)
        if text not in known:
            digest = hmac.new(secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
            known[text] = f"{prefix}-{digest[:DIGEST_CHARACTERS]}"
        return known[text]

    return like_sequence(column, [pseudonym(v) for v in sequence_values(column)])


def _canonical(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        raise ArgumentError("True and False are no ids")
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating | Decimal) and value == int(value):
        return str(int(value))  # whole numbers beside missing ones are floats in some libraries
    raise ArgumentError(f"a value of type {type(value).__name__} is no id: ids are texts or whole numbers")


@checked
def suppress(
    table: Any, minimum: int = MINIMUM, *, n: str = "n", by: str | Sequence[str] | None = None
) -> Any:
    """Blank the rows of a table that rest on too few respondents, so that none can be derived.

    A row with fewer than ``minimum`` respondents is blanked. If the totals are known, a single blanked
    row follows by subtraction; therefore further rows, the smallest first, are blanked until, in the
    table and in every slice of it, none or at least two rows are blanked and these have ``minimum``
    respondents together (complementary suppression).

    Parameters
    ----------
    table : dataframe or Result
        A table of any supported library, such as ``result.tidy()``; or the result itself.
    minimum : int, default 10
        Smallest number of respondents that is published.
    n : str, default "n"
        Column of the unweighted numbers of respondents.
    by : str or sequence of str, optional
        Columns that name the rows and stay. By default, in a table of estimates, the columns before
        ``estimate`` (and ``term``); in other tables those that hold no numbers.

    Returns
    -------
    dataframe
        The table, with blanks (null) in every other column of the blanked rows, and a new column
        ``suppressed``. Rows with no respondents stay: there is nobody to protect.

    Raises
    ------
    ArgumentError
        A column is not there, or ``minimum`` is below 2.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> table = pd.DataFrame({"shop": ["A", "B", "C"], "nps": [20.0, 35.0, -5.0], "n": [60, 57, 3]})
    >>> sat.suppress(table)
      shop   nps     n  suppressed
    0    A  20.0  60.0       False
    1    B   NaN   NaN        True
    2    C   NaN   NaN        True
    """
    if isinstance(minimum, bool) or not isinstance(minimum, int | np.integer) or minimum < 2:
        raise ArgumentError(f"minimum={minimum!r}: a whole number of at least 2")
    frame = open_frame(table.tidy() if hasattr(table, "tidy") else table)
    if n not in frame.columns:
        raise unknown("column of numbers of respondents", n, frame.columns)
    if by is not None and not isinstance(by, Iterable):
        raise ArgumentError(f"by={by!r}: give the names of the columns that name a row")
    names = _row_names(frame, n) if by is None else [by] if isinstance(by, str) else list(by)
    frame.require(names)
    rows = frame.table(list(frame.columns))
    counts = [0 if v is None else _count(v, n) for v in rows[n]]
    hidden = hidden_rows(
        counts, list(zip(*(rows[c] for c in names), strict=True)) if names else [()] * len(counts), minimum
    )
    columns: dict[str, Sequence[Any]] = {}
    for name in frame.columns:
        values = rows[name]
        columns[name] = (
            values if name in names else [None if h else v for v, h in zip(values, hidden, strict=True)]
        )
    columns["suppressed"] = hidden
    return frame.library.build(columns)


def _row_names(frame: Frame, n: str) -> list[str]:
    """Return the columns that name the rows: those before the estimates, or else all that are no numbers."""
    columns = frame.columns
    if "term" in columns:
        return list(columns[: columns.index("term") + 1])
    if "estimate" in columns:
        return [c for c in columns[: columns.index("estimate")] if c != n]
    return [c for c in columns if not frame.dtype(c).is_numeric()]


def _count(value: Any, n: str) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"column {n!r} holds {value!r}, which is no number of respondents") from error
    if number != value or number < 0:
        raise ArgumentError(
            f"column {n!r} holds {value!r}: give the column of unweighted, whole numbers of respondents"
        )
    return number


def hidden_rows(counts: Sequence[int], keys: Sequence[tuple[Any, ...]], minimum: int) -> list[bool]:
    """Say which rows to blank: the small ones, and those that would give them away."""
    hidden = [0 < c < minimum for c in counts]
    slices = _slices(keys)

    def betrays(members: Sequence[int]) -> bool:
        blank = [i for i in members if hidden[i]]
        return bool(blank) and (len(blank) == 1 or sum(counts[i] for i in blank) < minimum)

    changed = True
    while changed:
        changed = False
        for members in slices:
            rest = [i for i in members if not hidden[i] and counts[i] > 0]
            if rest and betrays(members):
                # one that mends other slices as well, then the smallest
                mended = {i: sum(i in other and betrays(other) for other in slices) for i in rest}
                hidden[min(rest, key=lambda i: (-mended[i], counts[i], i))] = True
                changed = True
    return hidden


def _slices(keys: Sequence[tuple[Any, ...]]) -> list[list[int]]:
    """Return every set of rows whose total may be known, the finest first, the whole table last."""
    width = len(keys[0]) if keys else 0
    found: list[list[int]] = []
    for size in reversed(range(max(width, 1))):
        for fixed in combinations(range(width), size):
            groups: dict[tuple[Any, ...], list[int]] = {}
            for i, key in enumerate(keys):
                groups.setdefault(tuple(key[j] for j in fixed), []).append(i)
            found += groups.values()
    return found


def neutralised(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe goes in front where needed."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
