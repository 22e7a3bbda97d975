"""The response around the neutral point: how the outcome answers an item, and where it starts to.

Near average service little may happen; below one point satisfaction falls sharply, above another it
rises (zone of tolerance: Zeithaml, Berry and Parasuraman 1993, Journal of the Academy of Marketing
Science 21(1)). Both points are estimated as the knots of a line in three pieces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.drivers.regression import check_drivers
from satmodels.errors import ArgumentError, DataError, SchemaError, as_seed
from satmodels.intake.cells import count_cells
from satmodels.intake.frames import check_numeric_type, open_frame
from satmodels.results import Result, Table
from satmodels.statistics.intervals import check_level, quantile

Array = NDArray[np.float64]

DRAWS = 1_000
STEPS = 4  # knots are looked for at quarters of the way between neighbouring answers
MOST_VALUES = 101  # distinct answers of the item; more is no scale
_COLUMNS = ("value", "mean", "std_error", "conf_low", "conf_high", "fitted", "n")


@dataclass(frozen=True, kw_only=True, repr=False)
class ResponseCurveResult(Result):
    """Mean outcome by answer, and the three-piece line through it.

    Attributes
    ----------
    estimates : Table
        What :meth:`tidy` gives: one row per answer of the item.
    line : Table
        ``term, estimate, conf_low, conf_high`` of ``lower`` and ``upper`` (the thresholds), and of the
        slopes ``below``, ``between`` and ``above``.
    outcome, item : str
        The columns.
    r2 : float
        Share of the outcome's variance that the line explains.
    p_value : float
        Of a straight line: how often one would leave so much to the three pieces by chance.
    level : float
        Confidence level.
    n, n_missing : int
        Complete pairs of answers, and others.
    """

    kind: ClassVar[str] = "response_curve"

    estimates: Table
    line: Table
    outcome: str
    item: str
    r2: float
    p_value: float
    level: float
    n: int
    n_missing: int

    def thresholds(self) -> Any:
        """Return thresholds and slopes with their limits, as a dataframe."""
        return self.library.build(self.line.columns())

    def _tidy(self) -> Table:
        return self.estimates

    def _glance(self) -> Mapping[str, Any]:
        by_term = {row["term"]: row["estimate"] for row in self.line.rows()}
        return {
            "outcome": self.outcome,
            "item": self.item,
            **by_term,
            "r2": self.r2,
            "p_value": self.p_value,
            "n": self.n,
            "n_missing": self.n_missing,
            "level": self.level,
        }


@checked
def response_curve(
    data: Any,
    outcome: str,
    item: str,
    *,
    weight: str | None = None,
    level: float = 0.95,
    seed: int | None = None,
) -> ResponseCurveResult:
    """Estimate how an outcome responds to an item, and the two points where the response changes.

    Parameters
    ----------
    data : dataframe
        Answers of any supported dataframe; counted in the engine, in one pass.
    outcome, item : str
        Columns of numbers; the item with 4 to 101 distinct answers.
    weight : str, optional
        Column of survey weights.
    level : float, default 0.95
        Confidence level.
    seed : int, optional
        Of the 1,000 bootstrap draws behind the limits of thresholds and slopes.

    Returns
    -------
    ResponseCurveResult
        ``tidy()``: the mean outcome by answer with limits, and the fitted line; ``thresholds()``: the
        lower and the upper threshold and the slopes ``below``, ``between`` and ``above`` them, with
        percentile limits.

    Raises
    ------
    ArgumentError
        A column is not there, or the item has too many distinct answers.
    DataError
        The item has fewer than four distinct answers, or the outcome is constant.

    Notes
    -----
    Least squares over all pairs of knots at quarters of the way between neighbouring answers, at least
    one answer apart and inside the second and last but one answer. The draws resample the outcome among
    those who gave the same answer, so they keep the distribution of the item and need only the counts.
    ``p_value`` compares the gain over a straight line with its distribution when the line is true.

    Examples
    --------
    >>> import numpy as np, pandas as pd, satmodels as sat
    >>> rng = np.random.default_rng(1)
    >>> wait = rng.integers(1, 11, size=4000)
    >>> overall = 6 - 1.5 * np.maximum(4 - wait, 0) + 1.0 * np.maximum(wait - 7, 0) + rng.normal(size=4000)
    >>> frame = pd.DataFrame({"wait": wait, "overall": overall.round()})
    >>> sat.response_curve(frame, "overall", "wait", seed=1).thresholds()[["term", "estimate"]].round(1)
          term  estimate
    0    lower       4.0
    1    upper       7.0
    2    below       1.5
    3  between       0.0
    4    above       1.0
    """
    check_level(level)
    seed = as_seed(seed)
    check_drivers(outcome, (item,), weight)
    frame = open_frame(data)
    frame.require([outcome, item])
    for column in (outcome, item):
        check_numeric_type(frame, column)
    cells = count_cells(frame, (item, outcome), weight)
    complete = [i for i, key in enumerate(cells.keys) if None not in key and cells.w[i] > 0]
    _check_numbers(frame, cells.keys, (item, outcome))
    values = sorted({float(cells.keys[i][0]) for i in complete})
    answers = sorted({float(cells.keys[i][1]) for i in complete})
    if len(values) > MOST_VALUES:
        raise ArgumentError(
            f"{item!r} has {len(values)} distinct answers: give a scale of at most {MOST_VALUES}"
        )
    if len(values) < 4 or len(answers) < 2:
        column = item if len(values) < 4 else outcome
        raise DataError(
            f"two thresholds need an item of at least four distinct answers and an outcome that varies; "
            f"{column!r} has {len(values) if column == item else len(answers)}",
            columns=[column],
        )
    x, y = np.array(values), np.array(answers)
    w, n = np.zeros((2, len(x), len(y)))
    squares = np.zeros(len(x))
    for i in complete:
        at = values.index(float(cells.keys[i][0])), answers.index(float(cells.keys[i][1]))
        w[at] += cells.w[i]
        n[at] += cells.n[i]
        squares[at[0]] += cells.w2[i]
    # weights that differ among those with the same answer tell less of it; between answers they may differ freely
    n_eff = w.sum(axis=1) ** 2 / squares
    return _fit(x, y, w, n_eff, n, frame.library, outcome, item, level, seed, cells.n)


def _fit(
    x: Array,
    y: Array,
    w: Array,
    n_eff: Array,
    n: Array,
    library: Any,
    outcome: str,
    item: str,
    level: float,
    seed: int | None,
    all_n: NDArray[np.int64],
) -> ResponseCurveResult:
    """Fit everything on a table of weights, answers of the item by answers of the outcome.

    ``n_eff`` is the effective number of respondents who gave each answer of the item.
    """
    rng = np.random.default_rng(seed)
    per_value = w.sum(axis=1)
    mean = w @ y / per_value
    within = float((w * (y[None, :] - mean[:, None]) ** 2).sum())
    grand = float(per_value @ mean / per_value.sum())
    total = within + float(per_value @ (mean - grand) ** 2)
    if not total > 0:
        raise DataError(f"{outcome!r} does not vary", columns=[outcome])
    lines = _Lines.over(x, per_value)
    best, coefficients = lines.best(mean[None, :])
    # draws: the outcome anew among those with the same answer
    size = np.maximum(np.rint(n_eff), 1).astype(int)
    drawn = np.stack(
        [rng.multinomial(s, row / row.sum(), size=DRAWS) @ y / s for s, row in zip(size, w, strict=True)],
        axis=1,
    )
    knots, slopes = lines.best(drawn)
    tail = (1 - level) / 2
    rows: list[dict[str, Any]] = []
    for term, value, found in (
        ("lower", lines.knots[best[0], 0], lines.knots[knots, 0]),
        ("upper", lines.knots[best[0], 1], lines.knots[knots, 1]),
        ("below", coefficients[0, 1], slopes[:, 1]),
        ("between", coefficients[0, 2], slopes[:, 2]),
        ("above", coefficients[0, 3], slopes[:, 3]),
    ):
        low, high = np.quantile(found, [tail, 1 - tail])
        rows.append(
            {"term": term, "estimate": float(value), "conf_low": float(low), "conf_high": float(high)}
        )
    straight = _straight(x, per_value, mean)
    # with the straight line true: its means plus the noise of the draws
    gain = lines.gain(mean[None, :], straight[None, :])[0]
    noise = straight[None, :] + drawn - mean[None, :]
    chance = lines.gain(noise, np.stack([_straight(x, per_value, m) for m in noise]))
    known = n_eff > 1 + 1e-9
    free = np.maximum(n_eff - 1, 1e-9)
    spread = np.sqrt((w * (y[None, :] - mean[:, None]) ** 2).sum(axis=1) / per_value * n_eff / free)
    std_error = np.where(known, spread / np.sqrt(n_eff), np.nan)
    half = quantile(level, np.where(known, free, 0)) * std_error
    fitted = lines.designs[best[0]] @ coefficients[0]
    residual = within + float(per_value @ (mean - fitted) ** 2)
    return ResponseCurveResult(
        library=library,
        estimates=Table.of(
            dict(
                zip(
                    _COLUMNS,
                    (x, mean, std_error, mean - half, mean + half, fitted, n.sum(axis=1).astype(int)),
                    strict=True,
                )
            )
        ),
        line=Table.from_records(rows),
        outcome=outcome,
        item=item,
        r2=1 - residual / total,
        p_value=float((1 + (chance >= gain - 1e-12).sum()) / (DRAWS + 1)),
        level=level,
        n=int(n.sum()),
        n_missing=int(all_n.sum() - n.sum()),
    )


@dataclass(frozen=True)
class _Lines:
    """All candidate lines: their knots, their designs over the answers, and their solutions."""

    knots: Array  # (lines, 2)
    designs: Array  # (lines, values, 4): 1, below, between, above
    solve: Array  # (lines, 4, values): coefficients from the means
    weight: Array  # (values,)

    @classmethod
    def over(cls, x: Array, weight: Array) -> _Lines:
        parts = np.linspace(0, 1, STEPS, endpoint=False)
        grid = np.concatenate([(x[1:-2, None] + np.diff(x[1:-1])[:, None] * parts).ravel(), x[-2:-1]])
        gap = float(np.diff(x).min())
        pairs = np.array([(a, b) for a in grid for b in grid if b - a >= gap - 1e-9])
        low, high = pairs[:, :1], pairs[:, 1:]
        designs = np.stack(
            [
                np.ones((len(pairs), len(x))),
                np.minimum(x - low, 0),
                np.clip(x, low, high) - low,
                np.maximum(x - high, 0),
            ],
            axis=2,
        )
        root = np.sqrt(weight)
        solve = np.asarray(np.linalg.pinv(designs * root[None, :, None]) * root, dtype=np.float64)
        return cls(pairs, designs, solve, weight)

    def best(self, means: Array) -> tuple[NDArray[np.intp], Array]:
        """Return, for each row of means, the line of least squares and its coefficients."""
        best = np.full(len(means), np.inf)
        place = np.zeros(len(means), dtype=np.intp)
        for k in range(len(self.knots)):
            fitted = means @ (self.designs[k] @ self.solve[k]).T
            loss = (means - fitted) ** 2 @ self.weight
            better = loss < best - 1e-12 * (1 + np.abs(loss))
            best, place = np.where(better, loss, best), np.where(better, k, place)
        return place, np.einsum("dkv,dv->dk", self.solve[place], means)

    def gain(self, means: Array, straight: Array) -> Array:
        """Return by how much the best line beats the straight one."""
        place, coefficients = self.best(means)
        fitted = np.einsum("dvk,dk->dv", self.designs[place], coefficients)
        return ((means - straight) ** 2 - (means - fitted) ** 2) @ self.weight


def _straight(x: Array, weight: Array, means: Array) -> Array:
    centre = weight @ x / weight.sum()
    level = weight @ means / weight.sum()
    slope = (weight * (x - centre)) @ means / (weight @ (x - centre) ** 2)
    return np.asarray(level + slope * (x - centre), dtype=np.float64)


def _check_numbers(frame: Any, keys: list[tuple[Any, ...]], columns: tuple[str, str]) -> None:
    for k, column in enumerate(columns):
        for value in {key[k] for key in keys}:
            number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
            if value is not None and not (number and np.isfinite(float(value))):
                raise SchemaError.answers(
                    column,
                    "finite numbers",
                    "Infinite values and texts are no answers: correct them or set them to missing.",
                    n_bad=1,
                    offenders=frame.offenders(column, [value]),
                    value=value,
                )
