"""Differences of a score between groups, results and benchmarks, with tests that fit the score."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, DataError, as_number, check_word, unknown
from satmodels.results import Result, Table
from satmodels.scores.difference import POWER, Difference, Side, check_power, difference, from_benchmark, wald
from satmodels.scores.result import ScoreResult, list_of_notes
from satmodels.statistics.counts import as_names, sort_key
from satmodels.statistics.intervals import check_level
from satmodels.statistics.multiplicity import ADJUSTMENTS, adjust_p

PAIRS = ("reference", "all")
# below this an A/B test was not split as planned; strict, for it voids the test (Fabijan et al. 2019, KDD)
MISMATCH = 0.001
UNTESTED: Mapping[str, float | None] = {"chi2": None, "df": None, "p_value": None}
MAX_PAIRS = 100_000
Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class CompareResult(Result):
    """Differences of a score with their tests.

    Attributes
    ----------
    score : str
        The score.
    level : float
        Confidence level of each single interval.
    adjust : str
        How ``p_adjusted`` was adjusted for the number of differences.
    table : Table
        One row per difference.
    homogeneity : mapping
        Test that all groups have one and the same score: ``chi2``, ``df``, ``p_value`` (None where
        groups are not compared with each other, or only within others). Pearson's chi-square for percentages and
        rates, else Wald's, which groups whose answers are all alike can't enter: ``df`` tells. Its p-value is
        that of Welch's F for means and with weights, of F with the degrees of freedom that the design leaves, and of
        chi-square for net scores.
    split_check : mapping
        Test that the groups are as large as planned (sample ratio mismatch), Pearson's chi-square: ``chi2``, ``df``,
        ``p_value`` (None unless ``planned_split`` was given).
    notes : tuple of str
        What a reader should know: a split that is not as planned (p below 0.001).
    """

    kind: ClassVar[str] = "comparison"
    score: str
    level: float
    adjust: str
    unit: str
    table: Table
    homogeneity: Mapping[str, float | None]
    split_check: Mapping[str, float | None] = dataclasses.field(default_factory=lambda: dict(UNTESTED))
    notes: tuple[str, ...] = ()

    def _tidy(self) -> Table:
        return self.table

    def _repr_html_(self) -> str:
        return super()._repr_html_() + list_of_notes(self.notes)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values; what is missing or not finite is None."""
        return {**super().to_dict(), "notes": list(self.notes)}

    def _glance(self) -> Mapping[str, Any]:
        significant = [p for p in self.table["p_adjusted"] if p is not None and p < 1 - self.level]
        return {
            "score": self.score,
            "differences": len(self.table),
            "significant": len(significant),
            "adjust": self.adjust,
            **{f"homogeneity_{k}": v for k, v in self.homogeneity.items()},
            "split_p_value": self.split_check["p_value"],
            "level": self.level,
        }


@checked
def compare(
    result: ScoreResult,
    other: ScoreResult | None = None,
    *,
    reference: str | float | Decimal | date | tuple[Any, ...] | None = None,
    benchmark: float | Mapping[Any, float] | None = None,
    benchmark_error: float = 0.0,
    within: str | Sequence[str] = (),
    pairs: str = "reference",
    adjust: str = "holm",
    level: float | None = None,
    power: float = POWER,
    planned_split: Mapping[Any, float] | None = None,
) -> CompareResult:
    """Compare a score between its groups, with another result, or with a benchmark.

    Parameters
    ----------
    result : ScoreResult
        A score with groups (or without, for a comparison with ``other`` or a benchmark).
    other : ScoreResult, optional
        The same score of other, independent respondents: the last wave, a competitor. Each group is
        compared with the group of the same name, or with the whole where ``other`` has no groups.
    reference : str, number, date or tuple, optional
        The group that the others are compared with; by default the first. With several by-columns a
        tuple. ``term`` and ``estimate`` are group minus reference.
    benchmark : float or mapping, optional
        A fixed value to compare each group with, or one value per group.
    benchmark_error : float, default 0
        Standard error of the benchmark, where it was itself estimated.
    within : str or sequence of str
        By-columns that are held: groups are compared only with groups of the same value, such as shops
        within a month.
    pairs : {"reference", "all"}, default "reference"
        Each group with the reference, or each with each.
    adjust : {"holm", "bh", "bonferroni", "none"}, default "holm"
        Adjustment of the p-values in ``p_adjusted`` (see
        :func:`satmodels.statistics.multiplicity.adjust_p`).
    level : float, optional
        Confidence level of each interval; by default that of the result.
    power : float, default 0.8
        Power at which ``detectable`` is given.
    planned_split : mapping, optional
        Of an A/B test: ``{group: planned share}``, such as ``{"A": 50, "B": 50}``. ``split_check`` then tells whether
        the respondents (those without an answer included) are split as planned. Where they are not, something but
        chance divided them, and the difference may be that of the respondents instead of the variants.

    Returns
    -------
    CompareResult
        ``tidy()``: the held by-columns, term, estimate, std_error, statistic, p_value, conf_low,
        conf_high, n, n_reference, p_adjusted, effect_size and detectable (the smallest true difference
        that a sample of this size would have found with the given power). The effect size is Cohen's h
        for percentages, else the difference in standard deviations (Cohen's d).

    Raises
    ------
    ArgumentError
        A group, a column or a parameter is not known, or the results are of different scores.

    Notes
    -----
    Net scores use z with sqrt(se1² + se2²), after the pseudo-answers of the adjusted Wald interval where
    the result has that method; percentages the chi-square test without continuity correction and the
    Wald interval of the difference; means and indexes Welch's t. With weights or a design all use the
    linearised variance of the difference, covariances of groups included, and t with the design's
    degrees of freedom less the number of groups - 1, as R's svyttest; with ``other`` Satterthwaite's, from those of
    both samples.

    Examples
    --------
    >>> import pandas as pd, satmodels as sat
    >>> answers = [10] * 120 + [8] * 30 + [3] * 50 + [10] * 70 + [8] * 60 + [3] * 70
    >>> frame = pd.DataFrame({"nps": answers, "wave": ["2"] * 200 + ["1"] * 200})
    >>> test = sat.compare(sat.nps(frame, "nps", by="wave"))
    >>> test.tidy()[["term", "estimate", "conf_low", "conf_high"]].round(2).values.tolist()
    [['2 - 1', 35.0, 18.44, 51.56]]
    >>> variants = sat.nps(frame.iloc[:320], "nps", by="wave")
    >>> sat.compare(variants, planned_split={"1": 50, "2": 50}).notes[0][:41]
    'the groups are not split as planned (p = '
    """
    level = result.level if level is None else check_level(level)
    check_word("adjust", adjust, ADJUSTMENTS)
    check_word("pairs", pairs, PAIRS)
    check_power(power)
    as_number("benchmark_error", benchmark_error, low=0)
    if other is not None and benchmark is not None:
        raise ArgumentError("compare with another result or with a benchmark, not with both")
    split = UNTESTED if planned_split is None else _split_check(result, planned_split)
    sides = _sides(result)
    rows: list[dict[str, Any]] = []
    held: tuple[str, ...] = ()
    if benchmark is not None:
        for key, side in sides.items():
            value = _benchmark_of(benchmark, key)
            found = from_benchmark(side, value, benchmark_error, level=level, power=power)
            rows.append(_row(result.by, key, f"{_label(key, result)} - benchmark", side, None, found))
        held = result.by
    elif other is not None:
        for key, side, opposite in _matched(result, other, sides):
            found = difference(side, opposite, level=level, power=power)
            rows.append(_row(result.by, key, f"{_label(key, result)} - other", side, opposite, found))
        held = result.by
    else:
        held = as_names(within)
        for key, name, a, b, covariance in _pairs_of(result, sides, held, reference, pairs):
            found = difference(
                a, b, covariance=covariance, level=level, power=power, df=result.design_df - len(sides) + 1
            )
            rows.append(_row(held, key, name, a, b, found))
    names = (*held, "term", *_COLUMNS)
    adjusted = adjust_p([np.nan if r["p_value"] is None else r["p_value"] for r in rows], adjust)
    for row, p in zip(rows, adjusted.tolist(), strict=True):
        row["p_adjusted"] = p
    return CompareResult(
        library=result.library,
        score=result.score,
        level=level,
        adjust=adjust,
        unit=result.unit,
        table=Table.from_records(rows, names),
        homogeneity=_homogeneity(result if benchmark is None and other is None and not held else None),
        split_check=split,
        notes=_split_note(split),
    )


_COLUMNS = (
    "estimate",
    "std_error",
    "statistic",
    "p_value",
    "conf_low",
    "conf_high",
    "n",
    "n_reference",
    "p_adjusted",
    "effect_size",
    "detectable",
)


def _split_check(result: ScoreResult, planned: Mapping[Any, float]) -> Mapping[str, float | None]:
    """Test that the groups are as large as planned, by Pearson's chi-square."""
    if len(result.by) != 1:
        raise ArgumentError(
            f"planned_split= goes with one by-column, the variant; there are {list(result.by)}"
        )
    table = result.table
    groups = table[result.by[0]]
    for name in planned:
        if name not in groups:
            raise unknown("group", name, groups)
    if lacking := [name for name in groups if name not in planned]:
        raise ArgumentError(f"planned_split= has no share for {lacking}")
    share = np.array([as_number("planned_split", planned[name], low=0.0) for name in groups])
    if not (share > 0).all() or len(share) < 2:
        raise ArgumentError(f"planned_split={dict(planned)!r}: two groups or more, each with a share above 0")
    n = np.array(table["n"], dtype=float) + np.array(table["n_missing"], dtype=float)
    expected = n.sum() * share / share.sum()
    if not n.sum():
        return UNTESTED
    chi2, df = float(((n - expected) ** 2 / expected).sum()), len(share) - 1
    return _chi_square(chi2, df)


def _split_note(split: Mapping[str, float | None]) -> tuple[str, ...]:
    p = split["p_value"]
    if p is None or p >= MISMATCH:
        return ()
    return (
        f"the groups are not split as planned (p = {p:.2g}): find out why before reading the differences; "
        "who is in a group may depend on more than chance",
    )


def _sides(result: ScoreResult) -> dict[tuple[Any, ...], Side]:
    table, worth = result.table, np.array(result.worth)
    # rates are tested as net scores are: by z
    net = (result.limits[0] == -100 and result.unit == "points") or result.unit == "rate"
    kind = "share" if result.unit == "percent" else "net" if net else "mean"
    counts: list[tuple[float, ...] | None] = [None] * len(table)
    if kind == "net" and result.counts is not None:
        w = result.counts.w
        parts = np.column_stack([w[:, m].sum(axis=1) for m in (worth < 0, worth == 0, worth > 0)])
        counts = [tuple(p) for p in parts.tolist()]

    def known(name: str, i: int) -> float:
        value = table[name][i]
        return np.nan if value is None else value

    return {
        key: Side(
            kind=kind,
            estimate=known("estimate", i),
            std_error=known("std_error", i),
            n=table["n"][i],
            spread=result.spread[i],
            linearised=result.linearised,
            adjusted=result.method == "adjusted-wald",
            net_counts=counts[i],
            df=table["df"][i] if "df" in table else None,
        )
        for i, key in enumerate(_keys(result))
    }


def _keys(result: ScoreResult) -> list[tuple[Any, ...]]:
    if not result.by:
        return [()]
    return list(zip(*(result.table[name] for name in result.by), strict=True))


def _label(key: tuple[Any, ...], result: ScoreResult) -> str:
    return " / ".join("missing" if k is None else str(k) for k in key) or result.score


def _benchmark_of(benchmark: float | Mapping[Any, float], key: tuple[Any, ...]) -> float:
    if not isinstance(benchmark, Mapping):
        return as_number("benchmark", benchmark)
    name = key[0] if len(key) == 1 else key
    if name not in benchmark:
        raise ArgumentError(f"benchmark: there is no value for the group {name!r}")
    return as_number("benchmark", benchmark[name])


def _matched(
    result: ScoreResult, other: ScoreResult, sides: Mapping[tuple[Any, ...], Side]
) -> Iterator[tuple[tuple[Any, ...], Side, Side]]:
    if not isinstance(other, ScoreResult) or (other.score, other.unit, other.limits) != (
        result.score,
        result.unit,
        result.limits,
    ):
        raise ArgumentError(f"other= is not a {result.score} in the same units, so there is no difference")
    if other.by not in ((), result.by):
        raise ArgumentError(f"the results are grouped by {list(result.by)} and by {list(other.by)}")
    opposites = _sides(other)
    for key, side in sides.items():
        if (opposite := opposites.get(key if other.by else ())) is not None:
            yield key, side, opposite


def _pairs_of(
    result: ScoreResult,
    sides: Mapping[tuple[Any, ...], Side],
    held: tuple[str, ...],
    reference: Any,
    pairs: str,
) -> Iterator[tuple[tuple[Any, ...], str, Side, Side, float]]:
    if not result.by:
        raise ArgumentError("there are no groups to compare: give by= to the score, other= or benchmark=")
    for name in held:
        if name not in result.by:
            raise unknown("by-column of this result", name, result.by)
    free = [i for i, name in enumerate(result.by) if name not in held]
    fixed = [i for i, name in enumerate(result.by) if name in held]
    if not free:
        raise ArgumentError(f"within={list(held)} holds every by-column: nothing is left to compare")
    place = {key: i for i, key in enumerate(sides)}
    blocks: dict[tuple[Any, ...], dict[tuple[Any, ...], tuple[Any, ...]]] = {}
    for key in sides:
        block = blocks.setdefault(tuple(key[i] for i in fixed), {})
        block[tuple(key[i] for i in free)] = key
    wanted = None if reference is None else reference if isinstance(reference, tuple) else (reference,)
    if wanted is not None and not any(
        isinstance(reference, Hashable) and wanted in block for block in blocks.values()
    ):
        groups = sorted({k for block in blocks.values() for k in block}, key=sort_key)
        raise unknown("group", reference, [k[0] if len(k) == 1 else k for k in groups])
    count = 0
    for fixed_key, block in blocks.items():
        names = list(block)
        if pairs == "all":
            chosen = [(b, a) for a, b in combinations(names, 2)]
        else:
            base = names[0] if wanted is None else wanted
            chosen = [(a, base) for a in names if a != base] if base in block else []
        for a, b in chosen:
            if (count := count + 1) > MAX_PAIRS:
                raise ArgumentError(f"more than {MAX_PAIRS:,} differences: compare within= something")
            i, j = place[block[a]], place[block[b]]
            covariance = 0.0 if result.covariance is None else result.covariance[i][j]
            name = " - ".join(" / ".join("missing" if k is None else str(k) for k in part) for part in (a, b))
            yield fixed_key, name, sides[block[a]], sides[block[b]], covariance


def _row(
    names: Sequence[str],
    key: tuple[Any, ...],
    term: str,
    side: Side,
    opposite: Side | None,
    found: Difference,
) -> dict[str, Any]:
    values = {k: None if v is None or np.isnan(v) else float(v) for k, v in dataclasses.asdict(found).items()}
    return {
        **dict(zip(names, key, strict=True)),
        "term": term,
        **values,
        "n": side.n,
        "n_reference": None if opposite is None else opposite.n,
    }


def _homogeneity(result: ScoreResult | None) -> Mapping[str, float | None]:
    """Test that all groups share one score: Pearson's chi-square of shares and rates, Wald's of other estimates."""
    if result is None:
        return UNTESTED
    table = result.table
    if not result.linearised and result.unit in ("percent", "rate"):
        # the variances are those of the one score that is tested: a group with none or all has its say too
        use = [i for i in range(len(table)) if table["estimate"][i] is not None and table["n"][i]]
        size = np.array([table["exposure" if "exposure" in table else "n"][i] for i in use], dtype=float)
        estimate = np.array([table["estimate"][i] for i in use], dtype=float)
        centre = float(size @ estimate / size.sum()) if use else 0.0
        variance = centre * (100 - centre) if result.unit == "percent" else centre
        if len(use) < 2 or variance <= 0:
            return UNTESTED
        return _chi_square(float(size @ (estimate - centre) ** 2 / variance), len(use) - 1)
    use = [i for i in range(len(table)) if table["std_error"][i]]  # known, and not 0
    if len(use) < 2:
        return UNTESTED
    estimate = np.array([table["estimate"][i] for i in use], dtype=float)
    if result.covariance is None:
        weight = 1 / np.array([table["std_error"][i] for i in use], dtype=float) ** 2
        chi2 = float(weight @ (estimate - weight @ estimate / weight.sum()) ** 2)
        if result.unit == "points" and result.limits[0] == -100 and not result.linearised:
            return _chi_square(chi2, len(use) - 1)  # as net scores are tested by z
        own = [table["df"][i] if "df" in table else table["n"][i] - 1 for i in use]
        return _welch(chi2, weight / weight.sum(), np.array(own, dtype=float))
    covariance = np.array(result.covariance)[np.ix_(use, use)]
    contrast = np.eye(len(use))[1:] - np.eye(len(use))[0]
    chi2 = wald(contrast @ estimate, contrast @ covariance @ contrast.T)
    if chi2 is None:
        raise DataError("the design has too few clusters to compare so many groups at once")
    df = len(use) - 1
    rest = result.design_df - df
    p = float(special.fdtrc(df, rest, chi2 / df)) if rest >= 1 else None
    return {"chi2": chi2, "df": float(df), "p_value": p}


def _welch(chi2: float, share: Array, own: Array) -> Mapping[str, float | None]:
    """Give Wald's chi-square the p-value of Welch's F (1951), which knows that variances of few answers are uncertain."""
    k = len(share)
    if (own < 1).any():
        return {"chi2": chi2, "df": k - 1.0, "p_value": None}
    uncertain = float(((1 - share) ** 2 / own).sum())
    f = chi2 / (k - 1) / (1 + 2 * (k - 2) / (k**2 - 1) * uncertain)
    return {
        "chi2": chi2,
        "df": k - 1.0,
        "p_value": float(special.fdtrc(k - 1, (k**2 - 1) / (3 * uncertain), f)),
    }


def _chi_square(chi2: float, df: int) -> Mapping[str, float | None]:
    return {"chi2": chi2, "df": float(df), "p_value": float(special.chdtrc(df, chi2))}
