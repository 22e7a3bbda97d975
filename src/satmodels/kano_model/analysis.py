"""Kano's analysis: from paired answers, or their counts, to the class of every feature."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from satmodels.errors import ArgumentError, SatmodelsWarning, unknown
from satmodels.intake.frames import open_frame
from satmodels.intake.library import FrameLibrary
from satmodels.kano_model.coefficients import coefficient_intervals, coefficients, strengths
from satmodels.kano_model.continuous import (
    DYSFUNCTIONAL,
    FUNCTIONAL,
    KanoContinuousResult,
    continuous_analysis,
)
from satmodels.kano_model.importance import stated_importance
from satmodels.kano_model.resampling import DRAWS, KanoBootstrapResult, bootstrap_counts
from satmodels.kano_model.rules import THRESHOLD, check_rule, classify, fong_significant
from satmodels.kano_model.segments import (
    KanoChangesResult,
    KanoSegmentsResult,
    segment_tests,
    wave_changes,
)
from satmodels.kano_model.tables import CATEGORIES, KanoTable, as_table
from satmodels.results import Result, Table
from satmodels.statistics.counts import as_names
from satmodels.statistics.intervals import check_level
from satmodels.statistics.pair_counts import PairCounts
from satmodels.survey.items import KanoPair
from satmodels.survey.scale import labels_to_codes
from satmodels.survey.survey import Survey

# reverse and questionable answers beyond this share: are the two columns of the pair swapped?
SUSPECT_SHARE = 0.3


@dataclass(frozen=True, kw_only=True, repr=False)
class KanoResult(Result):
    """Class, coefficients and strengths of every feature.

    Attributes
    ----------
    estimates : Table
        What :meth:`tidy` gives.
    by : tuple of str
        Grouping columns.
    counts : PairCounts
        The pair counts that everything was computed from.
    table : KanoTable
        The evaluation table.
    rule, threshold : str, float
        The rule, and the threshold of the hierarchy rule.
    level : float
        Confidence level of the limits.
    problems : tuple of str
        What looks wrong in the answers, in words.
    importance : Table or None
        Mean stated importance of each feature, where the pairs name its column.
    """

    kind: ClassVar[str] = "kano"

    estimates: Table
    by: tuple[str, ...]
    counts: PairCounts
    table: KanoTable
    rule: str
    threshold: float
    level: float
    problems: tuple[str, ...] = ()
    importance: Table | None = None

    @property
    def categories(self) -> dict[str, str | None]:
        """The category of each feature, over all groups together."""
        w = self.table.count(self.counts.w.sum(axis=0))
        return {
            f: classify(c, self.rule, self.threshold).category
            for f, c in zip(self.counts.features, w, strict=True)
        }

    def group(self, *key: Any) -> KanoResult:
        """Return the analysis of one group alone, named by its values of the by-columns."""
        if key not in self.counts.keys:
            raise unknown("group", key, self.counts.keys)
        g = self.counts.keys.index(key)
        counts = self.counts
        one = PairCounts(
            counts.features,
            (),
            counts.size,
            ((),),
            counts.n[g : g + 1],
            counts.w[g : g + 1],
            counts.w2[g : g + 1],
            counts.n_missing[g : g + 1],
            counts.weighted,
        )
        rows = [row for row in self.estimates.rows() if tuple(row[b] for b in self.by) == key]
        importance = None
        if self.importance is not None:
            named = [row for row in self.importance.rows() if tuple(row[b] for b in self.by) == key]
            importance = Table.from_records(named, self.importance.names[len(self.by) :])
        return dataclasses.replace(
            self,
            estimates=Table.from_records(rows, _COLUMNS),
            by=(),
            counts=one,
            problems=_problems(one, self.table),
            importance=importance,
        )

    def bootstrap(
        self, draws: int = DRAWS, *, level: float | None = None, seed: int | None = None
    ) -> KanoBootstrapResult:
        """Resample the answers: limits of coefficients and strengths, and the chance of every class.

        Each feature's counts are drawn from their multinomial distribution, which is what drawing
        respondents with replacement gives, so counts are enough. With weights the effective number of
        answers is drawn.

        Parameters
        ----------
        draws : int, default 10,000
            Number of draws, 100 to 1,000,000.
        level : float, optional
            Confidence level of the percentile limits; that of the analysis unless given.
        seed : int, optional
            Makes the draws repeatable.

        Returns
        -------
        KanoBootstrapResult
            ``tidy()`` adds to the estimates their limits, and ``p_A`` ... ``p_Q``: in what share of the
            draws the rule gives that class; ``p_category`` for the class found.

        Examples
        --------
        >>> import pandas as pd, satmodels as sat
        >>> answers = pd.DataFrame({"with": [1] * 6 + [3] * 4, "without": [5] * 6 + [3] * 4})
        >>> drawn = sat.kano(answers, {"wifi": ("with", "without")}).bootstrap(2000, seed=1)
        >>> bool(drawn.tidy()["p_O"][0] > 0.7)
        True
        """
        return bootstrap_counts(
            self.counts,
            self.table,
            self.rule,
            self.threshold,
            self.estimates,
            draws=draws,
            level=self.level if level is None else check_level(level),
            seed=seed,
            library=self.library,
        )

    def continuous(
        self,
        *,
        functional: Sequence[float] = FUNCTIONAL,
        dysfunctional: Sequence[float] = DYSFUNCTIONAL,
    ) -> KanoContinuousResult:
        """Place every feature by the means of its coded answers (DuMouchel in Berger et al. 1993).

        Parameters
        ----------
        functional, dysfunctional : sequence of float
            Numbers for the answers from like to dislike; 4, 2, 0, -1, -2 and -2, -1, 0, 2, 4.

        Returns
        -------
        KanoContinuousResult
            ``tidy()``: means, standard deviations (divisor n - 1) and limits of both codes, the mean
            stated importance where the pairs name its column, and the class of the point.

        Examples
        --------
        >>> import pandas as pd, satmodels as sat
        >>> answers = pd.DataFrame({"with": [1, 1, 3], "without": [5, 4, 5]})
        >>> found = sat.kano(answers, {"wifi": ("with", "without")}).continuous()
        >>> found.tidy()[["functional", "dysfunctional", "category"]].round(2)
           functional  dysfunctional category
        0        2.67           3.33        O
        """
        return continuous_analysis(
            self.counts,
            self.importance,
            functional=functional,
            dysfunctional=dysfunctional,
            level=self.level,
            library=self.library,
        )

    def segments(self) -> KanoSegmentsResult:
        """Test, feature by feature, whether the groups see it differently.

        Pearson's chi-square over the categories, p-values also adjusted for the number of features
        (Holm 1979): ``differ`` says whether the adjusted one is below 1 - level. Cramér's V is the size
        of the difference. Weighted counts enter with their effective size.

        Raises
        ------
        ArgumentError
            The analysis has no groups.
        """
        if len(self.counts.keys) < 2:
            raise ArgumentError("there is one group only: call kano(..., by=...) with a column of segments")
        return segment_tests(self.counts, self.table, self.estimates, level=self.level, library=self.library)

    def changes(self, later: KanoResult) -> KanoChangesResult:
        """Compare with a later wave of the same questions, asked of other respondents.

        Parameters
        ----------
        later : KanoResult
            The later wave; both without groups (``result.group(...)`` picks one) and with one table.

        Returns
        -------
        KanoChangesResult
            ``tidy()``: the class before and after, whether the distribution over the categories changed
            (chi-square, Holm-adjusted), and the change of better and worse with Newcombe's limits.

        Raises
        ------
        ArgumentError
            The waves have groups, other features, or another table.
        """
        for wave in (self, later):
            if wave.by:
                raise ArgumentError("waves are compared one group at a time: pick it with result.group(...)")
        if set(self.counts.features) != set(later.counts.features) or self.table != later.table:
            raise ArgumentError("the two waves have different features or different tables")
        return wave_changes(
            (self.counts, self.categories),
            (later.counts, later.categories),
            self.table,
            level=self.level,
            library=self.library,
        )

    def _tidy(self) -> Table:
        return self.estimates

    def _glance(self) -> Mapping[str, Any]:
        return {
            "features": len(self.counts.features),
            "groups": len(self.counts.keys) if self.by else None,
            "n": max((int(v) for v in self.counts.n.sum(axis=(2, 3)).sum(axis=0)), default=0),
            "table": self.table.name,
            "rule": self.rule,
            "threshold": self.threshold if self.rule == "hierarchy" else None,
            "level": self.level,
            "problems": len(self.problems),
        }


def kano(
    data: Any,
    pairs: Survey | Sequence[KanoPair] | Mapping[str, tuple[str, str]] | None = None,
    *,
    by: str | Sequence[str] = (),
    weight: str | None = None,
    table: str | KanoTable = "standard",
    rule: str = "frequency",
    threshold: float = THRESHOLD,
    labels: Mapping[str, int] | Sequence[str] | None = None,
    level: float = 0.95,
) -> KanoResult:
    """Classify features by Kano's method.

    Parameters
    ----------
    data : dataframe or PairCounts
        Answers 1 (like) to 5 (dislike) of any supported dataframe, or counts of pairs.
    pairs : Survey, sequence of KanoPair, or mapping
        The pairs of questions: those of a survey, a list of them, or ``{feature: (functional column,
        dysfunctional column)}``. Not needed for PairCounts.
    by : str or sequence of str
        Columns to group by; a missing segment is a group of its own.
    weight : str, optional
        Column of survey weights. Counts then are sums of weights, limits and Fong's test use the
        effective number of answers.
    table : str or KanoTable, default "standard"
        ``"standard"``, ``"pouliot"``, ``"three_level"``, or an own :class:`KanoTable`.
    rule : str, default "frequency"
        - ``"frequency"``: the most frequent category.
        - ``"hierarchy"``: the same, but when the two largest differ by no more than ``threshold`` of n,
          the first of M > O > A > I.
        - ``"blauth"``: if O + A + M > I + R + Q the largest of O, A, M, else the largest of I, R, Q.

        Exact ties go M > O > A > I > R > Q and are flagged.
    threshold : float, default 0.06
        For the hierarchy rule, as a share of the answers.
    labels : mapping or sequence, optional
        ``{text: code}``, or the texts from like to dislike, for columns that hold texts. A KanoPair
        whose scale has labels needs none.
    level : float, default 0.95
        Confidence level of the limits of better and worse.

    Returns
    -------
    KanoResult
        ``tidy()``: the by-columns, ``feature``, counts ``A, O, M, I, R, Q``, ``category``,
        ``runner_up``, ``tie``, ``significant`` (Fong 1996), ``better`` (0..1) and ``worse`` (-1..0)
        with their limits, ``total_strength``, ``category_strength``, ``n``, ``n_missing``.

    Raises
    ------
    ArgumentError
        A column is not there, a feature is listed twice, or an option is not known.
    SchemaError
        An answer is no code of the scale and no label.

    Warns
    -----
    SatmodelsWarning
        So many answers are reverse or questionable that the columns of a pair may be swapped.

    Notes
    -----
    A pair counts only when both questions are answered. Kano, Seraku, Takahashi and Tsuji (1984);
    Berger et al. (1993); Fong (1996). Limits are Wilson's, given the number of A, O, M and I.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> answers = pd.DataFrame({"with": [1, 1, 3, 2, 1], "without": [5, 3, 3, 5, 5]})
    >>> result = sat.kano(answers, {"delivery on time": ("with", "without")})
    >>> result.tidy()[["feature", "category", "better", "worse"]]
                feature category  better  worse
    0  delivery on time        O     0.6   -0.6
    """
    table = as_table(table)
    check_rule(rule, threshold)
    check_level(level)
    if isinstance(data, PairCounts):
        if pairs is not None or by or weight is not None or labels is not None:
            raise ArgumentError("PairCounts are already counted: leave out pairs, by, weight and labels")
        counts, library, importance = data, FrameLibrary.PANDAS, None
    else:
        frame = open_frame(data)
        if isinstance(pairs, Survey):
            pairs = [item for item in pairs.items if isinstance(item, KanoPair)]
        columns, texts = _columns(pairs, labels, table.size)
        counts = PairCounts.collect(frame, columns, by, weight, size=table.size, labels=texts)
        library = frame.library
        importance = stated_importance(frame, pairs, as_names(by), weight)
    if counts.size != table.size:
        raise ArgumentError(
            f"the answers have {counts.size} codes, the table {table.name!r} {table.size}: choose a table= of that size"
        )
    problems = _problems(counts, table)
    for problem in problems:
        warnings.warn(problem, SatmodelsWarning, stacklevel=2)
    return KanoResult(
        library=library,
        estimates=_estimates(counts, table, rule, threshold, level),
        by=as_names(counts.by),
        counts=counts,
        table=table,
        rule=rule,
        threshold=threshold,
        level=level,
        problems=problems,
        importance=importance,
    )


def _estimates(counts: PairCounts, table: KanoTable, rule: str, threshold: float, level: float) -> Table:
    sums = table.count(counts.w)
    n = counts.n.sum(axis=(2, 3))
    squares = counts.w2.sum(axis=(2, 3))
    better, worse = coefficients(sums)
    better_low, better_high, worse_low, worse_high = coefficient_intervals(counts.w, counts.w2, table, level)
    total, category = strengths(sums)
    rows: list[dict[str, Any]] = []
    for g, key in enumerate(counts.keys):
        for f, feature in enumerate(counts.features):
            found = classify(sums[g, f], rule, threshold)
            weight = float(sums[g, f].sum())
            n_eff = weight**2 / float(squares[g, f]) if squares[g, f] > 0 else 0.0
            shown = sums[g, f] if counts.weighted else sums[g, f].astype(np.int64)
            rows.append(
                {
                    **dict(zip(counts.by, key, strict=True)),
                    "feature": feature,
                    **dict(zip(CATEGORIES, shown.tolist(), strict=True)),
                    "category": found.category,
                    "runner_up": found.runner_up,
                    "tie": found.tie,
                    "significant": fong_significant(sums[g, f], n_eff),
                    "better": better[g, f],
                    "better_low": better_low[g, f],
                    "better_high": better_high[g, f],
                    "worse": worse[g, f],
                    "worse_low": worse_low[g, f],
                    "worse_high": worse_high[g, f],
                    "total_strength": total[g, f],
                    "category_strength": category[g, f],
                    "n": int(n[g, f]),
                    "n_missing": int(counts.n_missing[g, f]),
                }
            )
    return Table.from_records(rows, (*counts.by, *_COLUMNS))


_COLUMNS = (
    "feature",
    *CATEGORIES,
    *("category", "runner_up", "tie", "significant"),
    *("better", "better_low", "better_high", "worse", "worse_low", "worse_high"),
    *("total_strength", "category_strength", "n", "n_missing"),
)


def _columns(
    pairs: Any, labels: Mapping[str, int] | Sequence[str] | None, size: int
) -> tuple[dict[str, tuple[str, str]], dict[str, dict[str, int]]]:
    """Read the pairs: the two columns of each feature, and the texts of each column."""
    if pairs is None:
        raise ArgumentError(
            "which columns are pairs? Give KanoPair items, or {feature: (functional, dysfunctional)}"
        )
    given = _codes(labels, size)
    columns: dict[str, tuple[str, str]] = {}
    texts: dict[str, dict[str, int]] = {}
    if isinstance(pairs, Mapping):
        for feature, pair in pairs.items():
            if isinstance(pair, str) or len(pair) != 2:
                raise ArgumentError(
                    f"pair {feature!r}: give (functional column, dysfunctional column), not {pair!r}"
                )
            columns[str(feature)] = (pair[0], pair[1])
    else:
        for pair in [pairs] if isinstance(pairs, KanoPair) else pairs:
            if not isinstance(pair, KanoPair):
                raise ArgumentError(f"pairs holds {pair!r}: give KanoPair items, or a mapping")
            if pair.name in columns:
                raise ArgumentError(f"feature {pair.name!r} is listed twice")
            if (pair.scale.low, pair.scale.high) != (1, size):
                raise ArgumentError(
                    f"feature {pair.name!r} is answered on {pair.scale.rule}, the table has answers 1..{size}"
                )
            columns[pair.name] = (pair.functional, pair.dysfunctional)
            for column in columns[pair.name]:
                texts[column] = labels_to_codes(pair.scale.labels or {})
    if not columns:
        raise ArgumentError("pairs is empty: give at least one pair of questions")
    for pair in columns.values():
        for column in pair:
            texts[column] = {**texts.get(column, {}), **given}
    return columns, texts


def _codes(labels: Mapping[str, int] | Sequence[str] | None, size: int) -> dict[str, int]:
    if labels is None:
        return {}
    if isinstance(labels, str):
        raise ArgumentError(
            f"labels={labels!r} is one text: give {{text: code}}, or all texts from like to dislike"
        )
    if not isinstance(labels, Mapping):
        if len(labels) != size or len(set(labels)) < size:
            raise ArgumentError(
                f"labels: give {size} different texts from like to dislike, not {list(labels)!r}"
            )
        return {text: code for code, text in enumerate(labels, start=1)}
    for text, code in labels.items():
        if isinstance(code, bool) or code not in range(1, size + 1):
            raise ArgumentError(f"labels: {text!r} has code {code!r}, which is none of 1..{size}")
    return dict(labels)


def _problems(counts: PairCounts, table: KanoTable) -> tuple[str, ...]:
    """Say which pairs look as if their columns were swapped, or not understood."""
    joint = counts.w.sum(axis=0)
    found: list[str] = []
    for feature, as_given, turned in zip(
        counts.features, table.count(joint), table.count(np.swapaxes(joint, 1, 2)), strict=True
    ):
        n = as_given.sum()
        odd, odd_turned = as_given[4:].sum(), turned[4:].sum()
        if n < 5 or odd <= SUSPECT_SHARE * n:
            continue
        share = f"feature {feature!r}: {odd / n:.0%} of the answers are reverse or questionable"
        if odd_turned <= SUSPECT_SHARE * n and odd_turned < odd / 2:
            found.append(
                f"{share}, and {odd_turned / n:.0%} with the two columns exchanged: are they swapped?"
            )
        elif as_given[4] > as_given[5]:
            found.append(f"{share}, most of them reverse: is it unwelcome, or are its two columns swapped?")
        else:
            found.append(f"{share}: was the question understood, and are the codes 1 = like?")
    return tuple(found)


def feature_index(counts: PairCounts, feature: str) -> int:
    """Return the place of a feature, or raise ArgumentError with near matches."""
    if feature not in counts.features:
        raise unknown("feature", feature, counts.features)
    return counts.features.index(feature)
