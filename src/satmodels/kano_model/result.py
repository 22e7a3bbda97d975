"""The result of a Kano analysis, and what can be asked of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, unknown
from satmodels.kano_model.continuous import (
    DYSFUNCTIONAL,
    FUNCTIONAL,
    KanoContinuousResult,
    continuous_analysis,
)
from satmodels.kano_model.estimates import COLUMNS
from satmodels.kano_model.problems import find_problems
from satmodels.kano_model.resampling import DRAWS, KanoBootstrapResult, bootstrap_counts
from satmodels.kano_model.rules import classify
from satmodels.kano_model.segments import (
    KanoChangesResult,
    KanoSegmentsResult,
    segment_tests,
    wave_changes,
)
from satmodels.kano_model.significance import KanoTestsResult, category_tests
from satmodels.kano_model.tables import KanoTable
from satmodels.results import Result, Table
from satmodels.statistics.intervals import check_level
from satmodels.statistics.pair_counts import PairCounts


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

    @checked
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
            estimates=Table.from_records(rows, COLUMNS),
            by=(),
            counts=one,
            problems=find_problems(one, self.table),
            importance=importance,
        )

    @checked
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

    @checked
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

    def tests(self) -> KanoTestsResult:
        """Show the tests behind ``significant``: Fong's two sides, and chi-square against no preference.

        Returns
        -------
        KanoTestsResult
            ``tidy()``: ``difference`` of the two largest counts and Fong's ``critical`` value for it;
            ``chisq``, ``df`` and ``p_value`` of the hypothesis that all six categories are as frequent.
            Weighted counts enter with their effective size.

        Examples
        --------
        >>> import pandas as pd, satmodels as sat
        >>> answers = pd.DataFrame({"with": [1] * 30 + [3] * 10, "without": [5] * 30 + [3] * 10})
        >>> found = sat.kano(answers, {"wifi": ("with", "without")}).tests().tidy()
        >>> found[["difference", "critical", "significant"]].round(2)
           difference  critical  significant
        0        20.0      7.38         True
        """
        return category_tests(self.counts, self.table, library=self.library)

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

    @checked
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
            if not isinstance(wave, KanoResult):
                raise ArgumentError(f"later is {type(wave).__name__}: give another result of kano()")
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
