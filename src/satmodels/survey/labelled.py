"""Answers as CSV and Excel, with a codebook; and tables written so that no spreadsheet runs them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, MissingExtraError
from satmodels.intake.frames import open_frame
from satmodels.survey.coded import gapless
from satmodels.survey.guess import guess_survey
from satmodels.survey.items import Choice, Code, Item, Number, Rating
from satmodels.survey.privacy import neutralised
from satmodels.survey.scale import Scale, Wording, in_language
from satmodels.survey.survey import Survey

CODEBOOK = (
    "column",
    "text",
    "code",
    "label",
    "missing",
)  # columns of a codebook; label and missing may be empty
CODEBOOK_SHEET = "codebook"
MAX_FILE_BYTES = 2 * 1024**3
# a number as a program writes it; 007 and 1_000 stay texts
NUMBER = re.compile(r"^-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][-+]?[0-9]{1,3})?$")


def as_pandas(data: Any) -> Any:
    """Return a frame of any library as pandas."""
    return open_frame(data).to_pandas()


def read_text_table(path: Path, rows: int | None = None) -> Any:
    """Read a CSV file as texts, or its first rows; only an empty cell is missing."""
    import pandas as pd

    if path.stat().st_size > MAX_FILE_BYTES:
        raise ArgumentError(f"{path.name} has more than {MAX_FILE_BYTES:,} bytes: read it with an engine")
    try:
        return pd.read_csv(
            path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig", nrows=rows
        )
    except UnicodeDecodeError as error:
        raise ArgumentError(f"{path.name} is not UTF-8: save it as UTF-8 first ({error})") from error
    except pd.errors.ParserError as error:
        raise ArgumentError(f"{path.name} is no CSV table: {error}") from error
    except pd.errors.EmptyDataError as error:
        raise ArgumentError(f"{path.name} is empty") from error


def typed(frame: Any) -> Any:
    """Turn the columns of texts that are all numbers into numbers; nothing else is converted."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for name in frame.columns:
        series = frame[name]
        known = series.dropna()
        if (
            series.dtype == object
            and len(known)
            and all(isinstance(v, str) and NUMBER.match(v) for v in known)
        ):
            whole = known.str.match(r"^-?[0-9]+$").all()
            numbers = pd.to_numeric(series)
            columns[name] = numbers.astype("Int64") if whole and series.isna().any() else numbers
        else:
            columns[name] = series
    return pd.DataFrame(columns, index=frame.index)


def read_labelled(path: Path, codebook: Path | None = None) -> tuple[Survey, Any]:
    """Read a CSV or Excel file, with its codebook if there is one."""
    book: Any = None
    if path.suffix.lower() == ".csv":
        frame = typed(read_text_table(path))
    else:
        sheets = _read_excel(path)
        names = list(sheets)
        book = sheets.pop(CODEBOOK_SHEET, None)
        frame = typed(sheets[next(n for n in names if n != CODEBOOK_SHEET)])
    if codebook is not None:
        book = (
            read_text_table(codebook)
            if codebook.suffix.lower() == ".csv"
            else next(iter(_read_excel(codebook).values()))
        )
    if book is None:
        return guess_survey(frame, path.stem), frame
    return survey_of_codebook(book, frame, path.stem), frame


def _read_excel(path: Path) -> dict[str, Any]:
    import pandas as pd

    try:
        return pd.read_excel(path, sheet_name=None, dtype=object, keep_default_na=False, na_values=[""])
    except ImportError as error:
        raise MissingExtraError("openpyxl", "excel") from error
    except (ValueError, OSError, KeyError) as error:
        raise ArgumentError(f"{path.name} is no Excel file: {error}") from error


def survey_of_codebook(book: Any, frame: Any, name: str) -> Survey:
    """Build the survey of a codebook: one row per code of a column (``column, text, code, label, missing``).

    Columns of the frame without labels in the codebook are guessed from their values.
    """
    lacking = [c for c in ("column", "code", "label") if c not in book.columns]
    if lacking:
        raise ArgumentError(f"the codebook lacks the columns {lacking}; it has {list(CODEBOOK)}")
    rows: dict[str, list[dict[str, Any]]] = {}
    texts: dict[str, Wording] = {}
    for row in book.to_dict("records"):
        column = str(row["column"])
        if not _blank(row.get("text")):
            texts.setdefault(column, str(row["text"]))
        if not _blank(row.get("code")):
            rows.setdefault(column, []).append(row)
    unknown = [c for c in rows if c not in frame.columns]
    if unknown:
        raise ArgumentError(f"the codebook describes columns that the answers lack: {unknown}")
    guessed = guess_survey(frame, name, texts=texts)
    items: list[Item] = []
    notes: list[str] = []
    known = {column: item for item in guessed.items for column in item.columns}
    guesses = {note.split(": ", 1)[0]: note for note in guessed.notes}
    done: set[str] = set()
    for column in frame.columns:
        item = known.get(column)
        if column in rows:
            items.append(_item(column, rows[column], texts.get(column)))
            notes.append(f"{column}: {type(items[-1]).__name__}, by the codebook")
        elif item is not None and done.isdisjoint(item.columns) and rows.keys().isdisjoint(item.columns):
            items.append(item)
            done.update(item.columns)
            notes += [guesses[c] for c in item.columns if c in guesses]
    return guessed.model_copy(update={"items": tuple(items), "notes": tuple(notes)})


def _blank(value: Any) -> bool:
    return value is None or value != value or str(value).strip() == ""


def _item(column: str, rows: list[dict[str, Any]], text: Wording | None) -> Item:
    answers: dict[Code, Wording] = {}
    missing: dict[Code, Wording] = {}
    for row in rows:
        code = _code(row["code"])
        label = str(code) if _blank(row["label"]) else str(row["label"])
        is_gap = str(row.get("missing", "")).strip().lower() in ("1", "1.0", "true", "yes", "x")
        (missing if is_gap else answers)[code] = label
    more: dict[str, Any] = {"missing_codes": missing} if missing else {}
    whole = [c for c in answers if isinstance(c, int)]
    if not answers:
        return Number(column, text=text, **more)
    if len(whole) == len(answers) > 2 and gapless(whole):
        labels: dict[int, Wording] = {c: answers[c] for c in sorted(whole)}
        return Rating(column, Scale(min(whole), max(whole), labels), text, **more)
    return Choice(column, answers, text, **more)


def _code(value: Any) -> Code:
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"-?(0|[1-9][0-9]*)", value) else value
    return int(value)


def codebook(survey: Survey) -> list[dict[str, Any]]:
    """Return the rows of the codebook of a survey."""
    rows: list[dict[str, Any]] = []
    for name, column in survey.columns.items():
        item = column.item
        if item is None:
            continue
        text = in_language(item.text) or ""
        labels: dict[Any, Wording] = {}
        if column.scale is not None:
            labels = {code: column.scale.label(code) or str(code) for code in column.scale.codes}
        elif isinstance(item, Choice):
            labels = dict(item.options)
        declared = {**survey.missing_codes, **(item.missing_codes or {})}
        for code, label in labels.items():
            rows.append(
                {"column": name, "text": text, "code": code, "label": in_language(label), "missing": ""}
            )
        for code in column.missing:
            label = in_language(declared.get(code)) or "missing"
            rows.append({"column": name, "text": text, "code": code, "label": label, "missing": "yes"})
        if not labels and not column.missing:
            rows.append({"column": name, "text": text, "code": None, "label": None, "missing": ""})
    return rows


@checked
def write_table(frame: Any, path: str | Path, *, raw: bool = False) -> None:
    """Write a frame as CSV or Excel, so that no spreadsheet takes an answer for a formula.

    A text that starts with ``=``, ``+``, ``-``, ``@``, a tab or a line break gets an apostrophe in
    front (CWE-1236); numbers stay numbers.

    Parameters
    ----------
    frame : dataframe or Result
        Any supported dataframe, or a result, whose ``tidy()`` is written.
    path : str or Path
        A file ending in ``.csv`` (UTF-8) or ``.xlsx``.
    raw : bool, default False
        Whether texts are written as they are.

    Raises
    ------
    ArgumentError
        The ending is neither ``.csv`` nor ``.xlsx``.
    """
    target = Path(path)
    table = safe_table(frame.tidy() if hasattr(frame, "tidy") else frame, raw=raw)
    if target.suffix.lower() == ".csv":
        table.to_csv(target, index=False, encoding="utf-8")
    elif target.suffix.lower() == ".xlsx":
        write_sheets({"answers": table}, target)
    else:
        raise ArgumentError(f"{target.name}: a table is written as .csv or .xlsx")


def safe_table(frame: Any, *, raw: bool = False) -> Any:
    """Return a frame as pandas with every text, and every column name, made harmless."""
    table = as_pandas(frame)
    if raw:
        return table
    new = {
        neutralised(str(name)): [neutralised(v) if isinstance(v, str) else v for v in table[name]]
        if table[name].dtype.kind not in "iufbM"
        else table[name]
        for name in table.columns
    }
    return type(table)(new, index=table.index)


def write_sheets(sheets: dict[str, Any], path: Path) -> None:
    """Write pandas frames as the sheets of one Excel file."""
    import pandas as pd

    try:
        with pd.ExcelWriter(path, engine="openpyxl") as writer:
            for name, table in sheets.items():
                table.to_excel(writer, sheet_name=name, index=False)
    except ImportError as error:
        raise MissingExtraError("openpyxl", "excel") from error
