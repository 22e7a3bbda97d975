"""Every error and warning class of satmodels.

An error message says which column, which rows, which value, and what to do about it. The same facts
are attributes, so that a service can answer with them without parsing text.
"""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Self

MAX_NAMES_SHOWN = 12  # an error about a frame of 500 columns must stay readable
REDACTED = "[redacted]"


class SatmodelsError(Exception):
    """Base class of every error that satmodels raises on purpose."""


class ArgumentError(SatmodelsError, ValueError):
    """A parameter is wrong: an unknown column, an impossible level, two options that exclude each other."""


class SchemaError(SatmodelsError, ValueError):
    """An answer breaks its schema or its scale.

    Attributes
    ----------
    column : str or None
        Column of the offending answers.
    row : object
        Position (0-based) of the first offender, or the value of the declared id column on engines
        whose rows have no order; None where the rows are not at hand (a stored statistic).
    value : object
        The first offending value.
    rule : str or None
        The rule that was broken, for example ``"0..10"``.
    n_bad : int or None
        How many answers break the rule.
    offenders : tuple of (row, value)
        The first few offenders.
    """

    def __init__(
        self,
        message: str,
        *,
        column: str | None = None,
        row: Any = None,
        value: Any = None,
        rule: str | None = None,
        n_bad: int | None = None,
        offenders: Sequence[tuple[Any, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.column = column
        self.row = row
        self.value = value
        self.rule = rule
        self.n_bad = n_bad
        self.offenders = tuple(offenders)

    @classmethod
    def answers(
        cls,
        column: str,
        rule: str,
        remedy: str,
        *,
        n_bad: int,
        offenders: Sequence[tuple[Any, Any]] = (),
        value: Any = None,
    ) -> Self:
        """Build the error from the facts, in the one wording that all checks share."""
        if offenders:
            value = offenders[0][1]
            where = ", ".join(
                f"{value_!r} in row {row!r}" if row is not None else repr(value_) for row, value_ in offenders
            )
            where = f"first: {where}"
        else:
            where = f"for example {value!r}"
        plural = "answer breaks" if n_bad == 1 else "answers break"
        return cls(
            f"column {column!r}: {n_bad} {plural} the rule {rule} ({where}). {remedy}",
            column=column,
            row=offenders[0][0] if offenders else None,
            value=value,
            rule=rule,
            n_bad=n_bad,
            offenders=offenders,
        )

    def redacted(self) -> SchemaError:
        """Return the same error without any answer in it, for logs and API replies."""
        rows = ", ".join(repr(row) for row, _ in self.offenders)
        plural = "answer breaks" if self.n_bad == 1 else "answers break"
        message = f"column {self.column!r}: {self.n_bad} {plural} the rule {self.rule}" + (
            f" (rows {rows})" if rows else ""
        )
        return type(self)(
            message,
            column=self.column,
            row=self.row,
            value=REDACTED,
            rule=self.rule,
            n_bad=self.n_bad,
            offenders=tuple((row, REDACTED) for row, _ in self.offenders),
        )

    def to_dict(self, *, redact: bool = True) -> dict[str, Any]:
        """Return the facts as plain values; answers are left out unless ``redact=False``."""
        error = self.redacted() if redact else self
        return {
            "error": type(self).__name__,
            "message": str(error),
            "column": error.column,
            "row": error.row,
            "value": error.value,
            "rule": error.rule,
            "n_bad": error.n_bad,
            "offenders": [{"row": row, "value": value} for row, value in error.offenders],
        }


class DataError(SatmodelsError, ValueError):
    """The data can't carry the model: a constant column, collinear columns, fewer rows than columns.

    Attributes
    ----------
    columns : tuple of str
        The columns that cause it, where columns do.
    """

    def __init__(self, message: str, *, columns: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.columns = tuple(columns)


class SpecError(SatmodelsError, ValueError):
    """A model text or specification is wrong; ``line`` and ``column`` count from 1.

    The message ends with the offending line and a caret under the place.
    """

    def __init__(
        self, message: str, *, line: int | None = None, column: int | None = None, text: str | None = None
    ) -> None:
        if line is not None and column is not None and text is not None:
            message = f"line {line}, column {column}: {message}\n    {text}\n    {' ' * (column - 1)}^"
        super().__init__(message)
        self.line = line
        self.column = column


class IdentificationError(SpecError):
    """The model has more freedom than the data has moments.

    Attributes
    ----------
    parameters : tuple of str
        Parameters that can't be told apart.
    df : int or None
        Degrees of freedom of the model.
    """

    def __init__(self, message: str, *, parameters: Iterable[str] = (), df: int | None = None) -> None:
        super().__init__(message)
        self.parameters = tuple(parameters)
        self.df = df


class ConvergenceError(SatmodelsError, RuntimeError):
    """An iteration did not reach its solution within its limits."""


class EngineError(SatmodelsError, NotImplementedError):
    """Something is not supported on, or failed in, the engine that holds the data.

    Attributes
    ----------
    engine, feature, alternative : str or None
        Where, what, and what works instead.
    """

    def __init__(
        self,
        message: str,
        *,
        engine: str | None = None,
        feature: str | None = None,
        alternative: str | None = None,
    ) -> None:
        super().__init__(message)
        self.engine = engine
        self.feature = feature
        self.alternative = alternative


class MissingExtraError(SatmodelsError, ImportError):
    """An optional dependency is not installed; the message says which extra brings it."""

    def __init__(self, package: str, extra: str | None = None) -> None:
        remedy = f"pip install 'satmodels[{extra}]'" if extra else f"pip install {package}"
        super().__init__(f"this needs the package {package!r}, which is not installed: {remedy}")
        self.package = package
        self.extra = extra

    def __reduce__(self) -> tuple[type[Self], tuple[str, str | None]]:
        return type(self), (self.package, self.extra)


class SatmodelsWarning(UserWarning):
    """Base class of every warning of satmodels."""


class ImproperSolutionWarning(SatmodelsWarning):
    """An estimate lies outside what it can mean: a negative variance, a correlation beyond one."""


class LeakageWarning(SatmodelsWarning):
    """A feature tells the outcome so well that it most likely knows it."""


class SmallSampleWarning(SatmodelsWarning):
    """There are too few answers for the interval to keep its level."""


def near_matches(name: object, known: Iterable[object]) -> str:
    """Return the part of a message that suggests near matches and says what there is."""
    names = [str(k) for k in known]
    close = difflib.get_close_matches(str(name), names, n=3, cutoff=0.6)
    hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    shown = ", ".join(map(repr, names[:MAX_NAMES_SHOWN]))
    more = f" and {len(names) - MAX_NAMES_SHOWN} more" if len(names) > MAX_NAMES_SHOWN else ""
    return f"{hint} There is: {shown}{more}." if names else f"{hint} There is none."


def unknown(kind: str, name: object, known: Iterable[object]) -> ArgumentError:
    """Return the error for a name that does not exist, with near matches."""
    return ArgumentError(f"there is no {kind} {name!r}.{near_matches(name, known)}")


def one_of(parameter: str, value: object, allowed: Sequence[object]) -> ArgumentError:
    """Return the error for a parameter outside its allowed words."""
    return ArgumentError(f"{parameter}={value!r} is not known.{near_matches(value, allowed)}")


def check_word(parameter: str, value: object, allowed: Collection[object]) -> None:
    """Raise ArgumentError unless a parameter is one of its allowed words; arrays and the like are none."""
    if not any(isinstance(value, type(word)) and value == word for word in allowed):
        raise one_of(parameter, value, list(allowed))


def _as_float(value: object) -> float:
    """Return a number as a float, and NaN for what is none."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def as_number(parameter: str, value: object, low: float = -math.inf, high: float = math.inf) -> float:
    """Return a parameter as a finite float within its limits, both included, or raise ArgumentError."""
    number = _as_float(value)
    if low <= number <= high and math.isfinite(number):
        return number
    limits = f" from {low:g}" * math.isfinite(low) + f" up to {high:g}" * math.isfinite(high)
    raise ArgumentError(f"{parameter}={value!r}: give a finite number{limits}")


def as_whole(parameter: str, value: object, low: int, high: float = math.inf) -> int:
    """Return a parameter as a whole number within its limits, both included, or raise ArgumentError."""
    number = _as_float(value)
    if low <= number <= high and number % 1 == 0:
        return int(number)
    limit = f" to {high:g}" if math.isfinite(high) else ""
    raise ArgumentError(f"{parameter}={value!r}: give a whole number from {low}{limit}")


def as_seed(seed: object) -> int | None:
    """Return a seed of random numbers: a whole number from 0, or None for another one each time."""
    return None if seed is None else as_whole("seed", seed, 0)
