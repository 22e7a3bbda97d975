"""Signs of careless answers: one row of statistics per respondent, with flags.

The statistics are those of Curran (2016, Journal of Experimental Social Psychology 66, 4-19) and Meade and
Craig (2012, Psychological Methods 17, 437-455), with the conventions of the R package careless.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, DataError, as_number
from satmodels.intake.batches import matrix
from satmodels.intake.frames import Frame, open_frame
from satmodels.intake.recode import Recode, recode
from satmodels.results import Result, Table
from satmodels.statistics.collinear import refuse_collinear
from satmodels.survey.prepare import AS_ANSWERED

if TYPE_CHECKING:
    from satmodels.survey.survey import Survey

Array = NDArray[np.float64]

# An answer sheet is flagged beyond these values; each is meant to be rare among careful respondents.
LONGEST_CAREFUL = 5  # shorter runs are never flagged: they happen to careful respondents
LONGSTRING_SHARE = 0.5  # the longest run of equal answers covers this share of the items (Curran 2016)
MAHALANOBIS_LEVEL = 0.001  # upper tail of the chi-squared distribution
LOWEST_CONSISTENCY = 0.0  # a correlation below this contradicts the other respondents ...
INFORMATIVE = 0.3  # ... but only where the median respondent reaches this; otherwise it is noise
CHANCE = 3.09  # ... and only if it is that many standard errors (of Fisher's z) below the median
SECONDS_PER_ITEM = 2.0  # nobody reads and answers faster (Huang et al. 2012)
SYNONYM_CORRELATION = 0.6  # item pairs that correlate above this are synonyms
MIN_ITEMS = 3
MIN_ITEMS_FOR_COPIES = 10  # fewer items are answered alike by chance


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class CarelessResult(Result):
    """Statistics of careless answers: see :func:`careless`.

    Attributes
    ----------
    statistics : dict of str to ndarray
        One array per statistic, respondents in the order of the frame.
    flags : dict of str to ndarray of bool
        Which statistics are beyond their cut-off.
    n, n_items, n_pairs : int
        Respondents, items, and pairs of items that are synonyms.
    cut_offs : dict of str to float
        The cut-offs that were used.
    """

    kind: ClassVar[str] = "careless"
    statistics: Mapping[str, NDArray[Any]]
    flags: Mapping[str, NDArray[np.bool_]]
    n: int
    n_items: int
    n_pairs: int
    cut_offs: Mapping[str, float]

    @property
    def n_flags(self) -> NDArray[np.int64]:
        """How many statistics of each respondent are beyond their cut-off."""
        if not self.flags:
            return np.zeros(self.n, dtype=np.int64)
        return np.array(list(self.flags.values())).sum(axis=0).astype(np.int64)

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Whether any statistic of a respondent is beyond its cut-off."""
        return self.n_flags > 0

    def _tidy(self) -> Table:
        return Table.of({**self.statistics, "n_flags": self.n_flags, "flagged": self.flagged})

    def _glance(self) -> Mapping[str, Any]:
        return {
            "n": self.n,
            "n_items": self.n_items,
            "n_pairs": self.n_pairs,
            **{f"n_{name}": int(flag.sum()) for name, flag in self.flags.items()},
            "n_flagged": int(self.flagged.sum()),
        }


@checked
def careless(
    frame: Any,
    items: Sequence[str] | Survey,
    *,
    scales: Mapping[str, Sequence[str]] | None = None,
    respondent: str | None = None,
    seconds: str | None = None,
    synonyms: float = SYNONYM_CORRELATION,
    irv_parts: int = 1,
    max_rows: int | None = None,
) -> CarelessResult:
    """Look for careless answers.

    Parameters
    ----------
    frame : dataframe
        Any supported dataframe; answers as they were given, before reverse items are turned, so that
        straight lines show. Of a prepared frame the answers as given are taken.
    items : sequence of str, or Survey
        Columns of the items in the order they were asked, in numbers. A Survey gives its ratings,
        reads their labels and missing codes, and gives constructs of two or more as ``scales``.
    scales : mapping of str to sequence of str, optional
        ``{scale: columns}`` for the even-odd statistic, at least three scales.
    respondent : str, optional
        Column that is put in front of the rows.
    seconds : str, optional
        Column of the time that the answers took, in seconds.
    synonyms : float, default 0.6
        Item pairs that correlate above this are synonyms; -``synonyms`` is the bound for antonyms.
    irv_parts : int, default 1
        Number of parts of the questionnaire, in the order of the items and about equally long, for
        which ``irv`` is also given one by one: who loses interest shows in the last ones. Each has at
        least two items.
    max_rows : int, optional
        A larger frame is refused before it is read: a limit for services.

    Returns
    -------
    CarelessResult
        ``tidy()`` has one row per respondent, in order:

        - ``longstring``: longest run of equal answers; a missing answer ends a run;
        - ``irv``: standard deviation of the respondent's answers, divisor n - 1;
        - ``mahalanobis``: squared distance from the mean of all, on the items that were answered;
        - ``average_string``: mean length of the runs;
        - ``irv_1``, ``irv_2``, ... (with ``irv_parts``): the standard deviation within each part; flagged
          (as ``irv_parts``) where it is 0 over more items than a careful respondent answers alike;
        - ``even_odd`` (with ``scales``): correlation over scales of the means of the odd and the even
          items, corrected by Spearman-Brown and not below -1, with the sign of the R package: -1 is
          perfectly consistent, above 0 is inconsistent; a survey's reverse items are turned round for it,
          in a list of columns they have to be;
        - ``synonyms``, ``antonyms``: correlation over the pairs of synonyms (antonyms), NaN where
          there are fewer than three;
        - ``copies``: respondents with exactly these answers;
        - ``seconds_per_item`` (with ``seconds``);
        - ``n_flags`` and ``flagged``: how many statistics are beyond their cut-off, and whether any.

    Raises
    ------
    ArgumentError
        Fewer than three items, or an unknown column.
    DataError
        The covariance of the items is singular: an item is constant or a sum of others.

    Notes
    -----
    A flag is a reason to look, not to delete: the more flags agree, the safer the judgement. Cut-offs
    are the constants of this module.

    Examples
    --------
    >>> import numpy as np, pandas as pd, satmodels as sat
    >>> mood = np.random.default_rng(1).normal(size=(60, 1))
    >>> answers = np.clip(np.round(mood + np.random.default_rng(2).normal(4, 1, (60, 6))), 1, 7)
    >>> answers[7] = 4
    >>> frame = pd.DataFrame(answers, columns=[f"q{i}" for i in range(6)])
    >>> sat.careless(frame, list(frame.columns)).flagged.nonzero()[0].tolist()
    [7]
    """
    columns, found_scales = _items(items)
    if scales is not None and (
        not isinstance(scales, Mapping) or any(not isinstance(v, list | tuple) for v in scales.values())
    ):
        raise ArgumentError(f"scales={scales!r}: give {{scale: [items]}}")
    scales = found_scales if scales is None else dict(scales)
    if not 0 < as_number("synonyms", synonyms, 0, 1) < 1:
        raise ArgumentError(f"synonyms={synonyms!r}: a correlation between 0 and 1")
    whole = isinstance(irv_parts, int) and not isinstance(irv_parts, bool)
    if not whole or not 1 <= irv_parts <= len(columns) // 2:
        raise ArgumentError(
            f"irv_parts={irv_parts!r}: {len(columns)} items make 1 to {len(columns) // 2} parts of two or more"
        )
    opened = open_frame(frame)
    opened.refuse_more_rows(max_rows)
    opened.require(columns, role="item")
    if not isinstance(items, Sequence):
        opened = open_frame(recode(opened, _as_given(items, columns, opened)))
    for name, members in scales.items():
        for member in members:
            if member not in columns:
                raise ArgumentError(f"scale {name!r} has item {member!r}, which is not among the items")
    x = matrix(opened, columns)
    statistics: dict[str, NDArray[Any]] = {}
    flags: dict[str, NDArray[np.bool_]] = {}
    if respondent is not None:
        opened.require([respondent])
        statistics[respondent] = np.array(opened.values(respondent), dtype=object)
    statistics["longstring"], average = runs(x)
    longest = max(LONGEST_CAREFUL + 1, LONGSTRING_SHARE * len(columns))
    flags["longstring"] = statistics["longstring"] >= longest
    statistics["irv"] = individual_variability(x)
    flags["irv"] = (statistics["irv"] == 0) & (statistics["longstring"] > LONGEST_CAREFUL)
    statistics["mahalanobis"], p_value = mahalanobis(x, columns)
    flags["mahalanobis"] = p_value < MAHALANOBIS_LEVEL
    statistics["average_string"] = average
    if irv_parts > 1:
        alike = np.zeros(len(x), dtype=bool)
        for k, part in enumerate(parts_of(len(columns), irv_parts), 1):
            statistics[f"irv_{k}"] = individual_variability(x[:, part])
            long = (~np.isnan(x[:, part])).sum(axis=1) > LONGEST_CAREFUL
            alike |= (statistics[f"irv_{k}"] == 0) & long
        flags["irv_parts"] = alike
    if scales:
        place = {c: i for i, c in enumerate(columns)}
        sides = x if isinstance(items, Sequence) else _turned(x, items, columns)
        statistics["even_odd"] = even_odd(sides, [[place[c] for c in m] for m in scales.values()])
        corrected = -statistics["even_odd"]
        flags["even_odd"] = _inconsistent(corrected / (2 - corrected), len(scales))
    pairs, opposite = synonym_pairs(x, synonyms)
    statistics["synonyms"] = pair_correlation(x, pairs)
    flags["synonyms"] = _inconsistent(statistics["synonyms"], _independent(pairs))
    statistics["antonyms"] = pair_correlation(x, opposite)
    flags["antonyms"] = _inconsistent(-statistics["antonyms"], _independent(opposite))
    statistics["copies"] = copies(x)
    flags["copies"] = (statistics["copies"] > 1) & (len(columns) >= MIN_ITEMS_FOR_COPIES)
    if seconds is not None:
        opened.require([seconds])
        statistics["seconds_per_item"] = matrix(opened, [seconds])[:, 0] / len(columns)
        flags["seconds_per_item"] = statistics["seconds_per_item"] < SECONDS_PER_ITEM
    return CarelessResult(
        library=opened.library,
        statistics=statistics,
        flags=flags,
        n=len(x),
        n_items=len(columns),
        n_pairs=len(pairs),
        cut_offs={
            "longstring": longest,
            "irv": 0.0,
            "mahalanobis": MAHALANOBIS_LEVEL,
            "even_odd": LOWEST_CONSISTENCY,
            "synonyms": LOWEST_CONSISTENCY,
            "seconds_per_item": SECONDS_PER_ITEM,
        },
    )


def _items(items: Sequence[str] | Survey) -> tuple[list[str], dict[str, Sequence[str]]]:
    from satmodels.survey.items import Rating
    from satmodels.survey.survey import Survey

    if isinstance(items, Survey):
        columns = [item.name for item in items.items if isinstance(item, Rating)]
        scales: dict[str, Sequence[str]] = {}
        for construct, members in items.constructs.items():
            rated = [m for m in members if m in columns]
            if len(rated) > 1:
                scales[construct] = rated
        found = columns, scales if len(scales) >= MIN_ITEMS else {}
    else:
        if isinstance(items, str) or not isinstance(items, Iterable) or getattr(items, "ndim", 1) != 1:
            raise ArgumentError(f"items={items!r} is no list of columns; give at least {MIN_ITEMS}")
        found = list(items), {}
    if len(found[0]) < MIN_ITEMS or len(set(found[0])) < len(found[0]):
        raise ArgumentError(f"give at least {MIN_ITEMS} different items, not {found[0]}")
    return found


def _as_given(survey: Survey, columns: Sequence[str], frame: Frame) -> list[Recode]:
    """Read labels and missing codes, but turn nothing round; turned answers are taken from before."""
    found: list[Recode] = []
    for name in columns:
        column = survey.columns[name]
        kept = f"{name}{AS_ANSWERED}"
        source = kept if column.reverse and kept in frame.columns else name
        found.append(Recode(source, name, column.missing, column.codes))
    return found


def _turned(x: Array, survey: Survey, columns: Sequence[str]) -> Array:
    """Turn reverse items round: the halves of a scale agree only when all items run the same way."""
    turned = x.copy()
    for j, name in enumerate(columns):
        column = survey.columns[name]
        if column.reverse and column.scale is not None:
            turned[:, j] = column.scale.low + column.scale.high - x[:, j]
    return turned


def runs(x: Array) -> tuple[NDArray[np.int64], Array]:
    """Return the longest and the mean length of each row's runs of equal answers."""
    n, p = x.shape
    longest = np.zeros(n, dtype=np.int64)
    current = np.zeros(n, dtype=np.int64)
    n_runs = np.zeros(n, dtype=np.int64)
    previous = np.full(n, np.nan)
    for j in range(p):
        answer = x[:, j]
        answered = ~np.isnan(answer)
        same = answer == previous
        n_runs += answered & ~same
        current = np.where(same, current + 1, answered.astype(np.int64))
        np.maximum(longest, current, out=longest)
        previous = answer
    with np.errstate(invalid="ignore", divide="ignore"):
        average = (~np.isnan(x)).sum(axis=1) / n_runs
    return longest, average


def parts_of(n_items: int, n_parts: int) -> list[NDArray[np.int64]]:
    """Return the places of the items in each part: cut at equal distances, as R's careless does."""
    place = np.arange(n_items)
    # the upper end belongs to a part, and so does the first item
    part = np.maximum(-(-place * n_parts // (n_items - 1)), 1)
    return [np.flatnonzero(part == k) for k in range(1, n_parts + 1)]


def individual_variability(x: Array) -> Array:
    """Return the standard deviation of each row (divisor n - 1), NaN with fewer than two answers."""
    answered = ~np.isnan(x)
    k = answered.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(answered, x, 0).sum(axis=1) / k
        deviations = np.where(answered, x - mean[:, None], 0)
        return np.sqrt((deviations**2).sum(axis=1) / np.where(k > 1, k - 1, np.nan))


def mahalanobis(x: Array, columns: Sequence[str]) -> tuple[Array, Array]:
    """Return each row's squared distance from the mean, and its upper tail probability.

    Mean and covariance come from the complete rows; an incomplete row is measured on the items that it
    has, in their own margin of that distribution.
    """
    from scipy.special import chdtrc

    answered = ~np.isnan(x)
    complete = x[answered.all(axis=1)]
    p = x.shape[1]
    if len(complete) <= p:
        raise DataError(
            f"{len(complete)} complete rows are too few for a covariance of {p} items: more than {p} are needed"
        )
    mean = complete.mean(axis=0)
    cov: Array = np.atleast_2d(np.cov(complete, rowvar=False))
    std: Array = np.sqrt(np.diag(cov))
    constant = [c for c, s in zip(columns, std, strict=True) if s == 0]
    if constant:
        raise DataError(f"every answer is the same in {constant}: leave these items out", columns=constant)
    corr: Array = cov / np.outer(std, std)
    refuse_collinear(corr, columns)
    z = (x - mean) / std
    distance = np.full(len(x), np.nan)
    patterns, which = np.unique(answered, axis=0, return_inverse=True)
    for i, pattern in enumerate(patterns):
        if not pattern.any():
            continue
        rows = which.ravel() == i
        part = z[np.ix_(rows, pattern)]
        solved = np.linalg.solve(corr[np.ix_(pattern, pattern)], part.T)
        distance[rows] = (part * solved.T).sum(axis=1)
    return distance, chdtrc(answered.sum(axis=1).clip(min=1), distance)


def even_odd(x: Array, scales: Sequence[Sequence[int]]) -> Array:
    """Return minus each row's correlation, over scales, of odd and even means (Spearman-Brown)."""
    usable = [s for s in scales if len(s) > 1]
    if len(usable) < MIN_ITEMS:
        raise ArgumentError(f"even-odd needs at least {MIN_ITEMS} scales of two or more items")
    with np.errstate(invalid="ignore"):
        odd = np.column_stack([_row_mean(x[:, list(s)[0::2]]) for s in usable])
        even = np.column_stack([_row_mean(x[:, list(s)[1::2]]) for s in usable])
        r = _row_correlation(odd, even)
        corrected = 2 * r / (1 + r)
    # below -1 the correction has no meaning
    return -np.where(corrected < -1, -1.0, corrected)


def _inconsistent(r: Array, k: int) -> NDArray[np.bool_]:
    """Say which correlations (of k pairs) are negative, and below the median by more than chance."""
    known = r[~np.isnan(r)]
    if len(known) == 0 or k < 4 or np.median(known) < INFORMATIVE:
        return np.zeros(len(r), dtype=bool)
    z = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))
    typical = np.arctanh(min(float(np.median(known)), 1 - 1e-12))
    return (r < LOWEST_CONSISTENCY) & ((typical - z) * np.sqrt(k - 3) > CHANCE)


def _independent(pairs: Sequence[tuple[int, int]]) -> int:
    """Count how many pairs could be formed without using an item twice."""
    return len({item for pair in pairs for item in pair}) // 2


def synonym_pairs(x: Array, bound: float) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the pairs of items that correlate above ``bound``, and those below ``-bound``."""
    complete = x[~np.isnan(x).any(axis=1)]
    if len(complete) < MIN_ITEMS:
        return [], []
    with np.errstate(invalid="ignore", divide="ignore"):
        corr: Array = np.atleast_2d(np.corrcoef(complete, rowvar=False))
    rows, columns = np.tril_indices(x.shape[1], -1)
    r = corr[rows, columns]
    alike = [(int(i), int(j)) for i, j in zip(rows[r > bound], columns[r > bound], strict=True)]
    opposite = [(int(i), int(j)) for i, j in zip(rows[r < -bound], columns[r < -bound], strict=True)]
    return alike, opposite


def pair_correlation(x: Array, pairs: Sequence[tuple[int, int]]) -> Array:
    """Return each row's correlation, over pairs of items, of the first with the second answer."""
    if len(pairs) < MIN_ITEMS:
        return np.full(len(x), np.nan)
    return _row_correlation(x[:, [i for i, _ in pairs]], x[:, [j for _, j in pairs]])


def copies(x: Array) -> NDArray[np.int64]:
    """Return how many rows have exactly the answers of each row, itself included."""
    if len(x) == 0:
        return np.zeros(0, dtype=np.int64)
    _, which, counts = np.unique(
        np.nan_to_num(x, nan=-np.inf), axis=0, return_inverse=True, return_counts=True
    )
    return counts[which.ravel()]


def _row_mean(x: Array) -> Array:
    answered = ~np.isnan(x)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(answered, x, 0).sum(axis=1) / answered.sum(axis=1)


def _row_correlation(a: Array, b: Array) -> Array:
    """Correlate two matrices row by row on the places where both have a value."""
    both = ~(np.isnan(a) | np.isnan(b))
    k = both.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        da = np.where(both, a - (np.where(both, a, 0).sum(axis=1) / k)[:, None], 0)
        db = np.where(both, b - (np.where(both, b, 0).sum(axis=1) / k)[:, None], 0)
        saa, sbb = (da**2).sum(axis=1), (db**2).sum(axis=1)
        r = (da * db).sum(axis=1) / np.sqrt(saa * sbb)
    # equal answers leave a sum of squares of rounding errors only
    flat = (saa <= 1e-20 * k) | (sbb <= 1e-20 * k) | (k < MIN_ITEMS)
    return np.where(flat, np.nan, np.clip(r, -1, 1))
