"""What is missing, whether it is missing by chance, and filling it in, where you decide to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, DataError, check_word
from satmodels.intake.batches import matrix
from satmodels.intake.frames import open_frame
from satmodels.results import Result, Table
from satmodels.statistics.counts import as_names
from satmodels.statistics.em import em_moments, fill_in, patterns_of

Array = NDArray[np.float64]

METHODS = ("median", "mode", "em")
MARK = "_imputed"  # a column of this ending says which answers were filled in
MAX_PATTERNS = 20  # patterns that a report names


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class MissingResult(Result):
    """What is missing: see :func:`missing_report`.

    Attributes
    ----------
    item_rows : Table
        What :meth:`tidy` returns.
    pattern_rows : Table
        What :attr:`patterns` returns.
    n, n_complete, n_empty : int
        Rows, rows without and rows with nothing but missing answers.
    statistic, df, p_value : float or None
        Little's test that answers are missing completely at random; None where nothing is missing.
    """

    kind: ClassVar[str] = "missing"
    item_rows: Table
    pattern_rows: Table
    n: int
    n_complete: int
    n_empty: int
    n_patterns: int
    statistic: float | None
    df: int | None
    p_value: float | None

    @property
    def patterns(self) -> Any:
        """The most frequent patterns: number of rows, number of missing answers, and the missing items."""
        return self.library.build(self.pattern_rows.columns())

    def _tidy(self) -> Table:
        return self.item_rows

    def _glance(self) -> Mapping[str, Any]:
        names = ("n", "n_complete", "n_empty", "n_patterns", "statistic", "df", "p_value")
        return {name: getattr(self, name) for name in names}


@checked
def missing_report(frame: Any, items: Sequence[str], *, max_rows: int | None = None) -> MissingResult:
    """Count missing answers by item and pattern, and test whether they are missing by chance.

    Parameters
    ----------
    frame : dataframe
        Any supported dataframe; codes for missing answers already null (:meth:`Survey.prepare`).
    items : sequence of str
        Columns of numbers.
    max_rows : int, optional
        A larger frame is refused before it is read: a limit for services.

    Returns
    -------
    MissingResult
        ``tidy()``: ``item, n, n_missing, share``. ``statistic``, ``df`` and ``p_value`` are Little's
        (1988, Journal of the American Statistical Association 83, 1198-1202): a small ``p_value`` says that
        the respondents who left answers out differ from the others, so that leaving their rows out
        biases the results.

    Raises
    ------
    DataError
        An item has no answers or no variance, or there are too few rows for the test.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame({"a": [1, 2, 3, 4, 5, 2], "b": [2, None, 3, 5, 4, 1]})
    >>> sat.missing_report(frame, ["a", "b"]).tidy()
      item  n  n_missing     share
    0    a  6          0  0.000000
    1    b  5          1  0.166667
    """
    names = _names(items)
    opened = open_frame(frame)
    opened.refuse_more_rows(max_rows)
    x = matrix(opened, names)
    gone = np.isnan(x)
    groups = patterns_of(x)
    n_empty = int(gone.all(axis=1).sum())
    counted = [(len(rows), [c for c, s in zip(names, seen, strict=True) if not s]) for seen, rows in groups]
    if n_empty:
        counted.append((n_empty, list(names)))
    counted.sort(key=lambda c: (-c[0], len(c[1]), c[1]))
    statistic = df = p_value = None
    if gone.any() and len(groups) > 1:
        statistic, df, p_value = _little(x, names)
    n_missing = gone.sum(axis=0)
    return MissingResult(
        library=opened.library,
        item_rows=Table.of(
            {
                "item": names,
                "n": (len(x) - n_missing).tolist(),
                "n_missing": n_missing.tolist(),
                "share": (n_missing / max(len(x), 1)).tolist(),
            }
        ),
        pattern_rows=Table.of(
            {
                "n": [k for k, _ in counted[:MAX_PATTERNS]],
                "n_missing": [len(c) for _, c in counted[:MAX_PATTERNS]],
                "missing": [", ".join(c) for _, c in counted[:MAX_PATTERNS]],
            }
        ),
        n=len(x),
        n_complete=int((~gone.any(axis=1)).sum()),
        n_empty=n_empty,
        n_patterns=len(counted),
        statistic=statistic,
        df=df,
        p_value=p_value,
    )


def _little(x: Array, names: Sequence[str]) -> tuple[float, int, float]:
    """Compare the means of each pattern with those expected for its items (Little 1988, eq. 5)."""
    from scipy.special import chdtrc

    moments = em_moments(x, names)
    statistic, df = 0.0, -len(names)
    for seen, rows in patterns_of(x):
        distance = x[rows][:, seen].mean(axis=0) - moments.mean[seen]
        inner = moments.cov[np.ix_(seen, seen)]
        statistic += len(rows) * float(distance @ np.linalg.solve(inner, distance))
        df += int(seen.sum())
    return statistic, df, float(chdtrc(df, statistic)) if df > 0 else 1.0


@checked
def impute(
    frame: Any,
    items: Sequence[str],
    *,
    method: str,
    by: str | Sequence[str] = (),
    max_rows: int | None = None,
) -> Any:
    """Fill in missing answers, and mark them.

    Nothing in satmodels fills in answers by itself. Filled-in answers make intervals too narrow; for
    structural models full-information likelihood is better (``CBSEM(missing="fiml")``).

    Parameters
    ----------
    frame : dataframe
        Any supported dataframe; it is not changed.
    items : sequence of str
        Columns of numbers.
    method : {"median", "mode", "em"}
        The median or the most frequent answer (the smallest of several) of the segment; or the
        expectation given the respondent's other items, from maximum-likelihood moments (means stay
        right where answers are missing at random; spread is too small; answers are not whole).
    by : str or sequence of str, optional
        Columns of the segments; not for ``"em"``.
    max_rows : int, optional
        A larger frame is refused before it is read: a limit for services.

    Returns
    -------
    dataframe
        The frame with the answers filled in, and for each item that had gaps a column
        ``{item}_imputed`` of True and False. Lazy frames come back collected.

    Raises
    ------
    ArgumentError
        The method is unknown, ``by`` is given with ``"em"``, or there are more rows than ``max_rows``.
    DataError
        A segment has no answer to an item.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> frame = pd.DataFrame({"shop": ["A", "A", "A", "B"], "q": [1.0, 3.0, None, 9.0]})
    >>> sat.impute(frame, ["q"], method="median", by="shop")
      shop    q  q_imputed
    0    A  1.0      False
    1    A  3.0      False
    2    A  2.0       True
    3    B  9.0      False
    """
    check_word("method", method, METHODS)
    names, segments = _names(items), as_names(by)
    if method == "em" and segments:
        raise ArgumentError('by= belongs to "median" and "mode"; "em" uses the other items instead')
    opened = open_frame(frame)
    opened.refuse_more_rows(max_rows)
    opened.require(segments, role="segment")
    clash = [f"{c}{MARK}" for c in names if f"{c}{MARK}" in opened.columns]
    if clash:
        raise ArgumentError(f"the frame has {clash} already: were its answers filled in before?")
    x = matrix(opened, names)
    gone = np.isnan(x)
    filled = fill_in(x, em_moments(x, names)) if method == "em" else x.copy()
    if method != "em":
        keys = list(zip(*(opened.values(c) for c in segments), strict=True)) if segments else [()] * len(x)
        _by_segment(filled, names, keys, method)
    new: dict[str, NDArray[Any]] = {}
    for j, name in enumerate(names):
        if gone[:, j].any():
            new[name] = filled[:, j]
            new[f"{name}{MARK}"] = gone[:, j]
    return opened.with_arrays(new)


def _by_segment(x: Array, names: Sequence[str], keys: list[tuple[Any, ...]], method: str) -> None:
    rows_of: dict[tuple[Any, ...], list[int]] = {}
    for i, key in enumerate(keys):
        rows_of.setdefault(key, []).append(i)
    for key, rows in rows_of.items():
        part = x[rows]
        for j, name in enumerate(names):
            known = part[~np.isnan(part[:, j]), j]
            if len(known) == len(rows):
                continue
            if len(known) == 0:
                where = f" in segment {key}" if key else ""
                raise DataError(f"item {name!r} has no answers{where}: use larger segments", columns=[name])
            if method == "median":
                value = float(np.median(known))
            else:
                values, counts = np.unique(known, return_counts=True)
                value = float(values[np.argmax(counts)])
            part[np.isnan(part[:, j]), j] = value
        x[rows] = part


def _names(items: Sequence[str]) -> list[str]:
    if isinstance(items, str):
        raise ArgumentError(f"items={items!r} is one column; give a list")
    names = list(as_names(items))
    if not names:
        raise ArgumentError("items is empty")
    return names
