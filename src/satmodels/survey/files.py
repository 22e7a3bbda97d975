"""Survey files: one function reads them, one writes them; the ending says which format it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from satmodels.arguments import checked
from satmodels.errors import ArgumentError
from satmodels.stored import read_json
from satmodels.survey.survey import Survey

READS = (".sav", ".zsav", ".csv", ".xlsx", ".json", ".qsf")
WRITES = (".sav", ".csv", ".xlsx", ".json", ".qsf")


@checked
def read_survey(path: str | Path, schema: str | Path | None = None) -> tuple[Survey, Any]:
    """Read a survey file: what was asked, and what was answered.

    Parameters
    ----------
    path : str or Path
        The answers:

        - ``.sav``, ``.zsav``: SPSS, with value labels and user-defined missing values;
        - ``.csv``: a Qualtrics export (known by its three header rows), or a table of codes or labels;
        - ``.xlsx``: the first sheet; a sheet ``codebook`` describes it;
        - ``.json``: SurveyJS answers (``schema`` is needed), or a SurveyJS questionnaire or a stored
          Survey without answers;
        - ``.qsf``: a Qualtrics questionnaire without answers.
    schema : str or Path, optional
        The questionnaire of answers in CSV, Excel or JSON: a QSF file, a SurveyJS JSON file, a stored
        Survey (:meth:`Survey.to_json`), or a codebook with the columns
        ``column, text, code, label, missing``.

    Returns
    -------
    survey : Survey
        What was asked; ``survey.notes`` says what was guessed or left out.
    frame : pandas.DataFrame or None
        The answers as they stand in the file; None where the file holds only a questionnaire.

    Raises
    ------
    ArgumentError
        The file is not there, or is not what its ending says.
    MissingExtraError
        pyreadstat (extra ``spss``) or openpyxl (extra ``excel``) is not installed.

    Notes
    -----
    SPSS and SurveyJS files of :func:`write_survey` keep the whole survey. It comes back as it was; texts,
    labels, scales and questions that were edited in the file are taken from the file, and noted.

    JSON, CSV and Excel files may come from strangers. SPSS files are read by C code that a damaged file can
    make end the process: read those in a process of their own.
    """
    source = Path(path)
    if not source.is_file():
        raise ArgumentError(f"there is no file {source}")
    kind = source.suffix.lower()
    book = None if schema is None else Path(schema)
    if book is not None and not book.is_file():
        raise ArgumentError(f"there is no file {book}")
    if kind in (".sav", ".zsav"):
        if book is not None:
            raise ArgumentError("an SPSS file describes itself: leave schema out")
        from satmodels.survey.spss import read_spss

        return read_spss(source)
    if kind in (".csv", ".xlsx"):
        return _table(source, book)
    if kind == ".json":
        return _json(source, book)
    if kind == ".qsf":
        from satmodels.survey.qsf import survey_of_qsf

        return survey_of_qsf(source), None
    raise ArgumentError(
        f"{source.name}: the endings {', '.join(READS)} are read. Never load pickles as surveys."
    )


def _table(source: Path, book: Path | None) -> tuple[Survey, Any]:
    from satmodels.survey.labelled import read_labelled
    from satmodels.survey.qualtrics import is_qualtrics, read_qualtrics

    kind = None if book is None else book.suffix.lower()
    if source.suffix.lower() == ".csv" and is_qualtrics(source):
        if kind not in (None, ".qsf"):
            raise ArgumentError("the schema of a Qualtrics export is its QSF file")
        return read_qualtrics(source, book)
    if book is not None and kind == ".json":
        return _questionnaire(book), read_labelled(source)[1]
    if kind not in (None, ".csv", ".xlsx"):
        raise ArgumentError(
            f"{book}: the schema of a table is a codebook (.csv, .xlsx) or a stored Survey (.json)"
        )
    return read_labelled(source, book)


def _json(source: Path, book: Path | None) -> tuple[Survey, Any]:
    from satmodels.survey.surveyjs import read_answers

    if book is None:
        return _questionnaire(source), None
    survey = _questionnaire(book)
    return survey, read_answers(source, survey)


def _questionnaire(path: Path) -> Survey:
    from satmodels.survey.surveyjs import is_surveyjs, read_surveyjs

    text = path.read_bytes()
    document = read_json(text)
    if is_surveyjs(document):
        return read_surveyjs(document, path.stem)
    if isinstance(document, list):
        raise ArgumentError(f"{path.name} holds answers: give the questionnaire as schema=")
    return Survey.from_json(text)


@checked
def write_survey(survey: Survey, path: str | Path, frame: Any = None) -> None:
    """Write a survey, and its answers where the format holds them.

    Parameters
    ----------
    survey : Survey
        What was asked.
    path : str or Path
        ``.sav``: SPSS, with labels, missing codes (at most three per column), measurement levels, and the
        survey itself in the notes of the file;
        ``.xlsx``: answers and a codebook; ``.csv``: answers, and the codebook beside them in
        ``{name}.codebook.csv``; ``.json``: a SurveyJS questionnaire, which keeps the survey as well;
        ``.qsf``: a Qualtrics questionnaire (what Qualtrics has a place for); both without answers.
    frame : dataframe, optional
        The answers; needed for all but ``.json`` and ``.qsf``. Texts that a spreadsheet would run are neutralised
        in ``.csv`` and ``.xlsx``.

    Raises
    ------
    ArgumentError
        The ending is unknown, or there are no answers to write.
    """
    target = Path(path)
    kind = target.suffix.lower()
    if kind not in WRITES:
        raise ArgumentError(f"{target.name}: the endings {', '.join(WRITES)} are written")
    if kind == ".json":
        from satmodels.survey.write_surveyjs import write_surveyjs

        return write_surveyjs(survey, target)
    if kind == ".qsf":
        from satmodels.survey.write_qsf import write_qsf

        return write_qsf(survey, target)
    if frame is None:
        raise ArgumentError(f"{target.name}: give the answers as well: write_survey(survey, path, frame)")
    if kind == ".sav":
        from satmodels.survey.spss import write_spss

        return write_spss(survey, frame, target)
    import pandas as pd

    from satmodels.survey.labelled import CODEBOOK, codebook, safe_table, write_sheets, write_table

    book = pd.DataFrame(codebook(survey), columns=list(CODEBOOK))
    if kind == ".csv":
        write_table(frame, target)
        write_table(book, target.with_suffix(".codebook.csv"))
        return None
    return write_sheets({"answers": safe_table(frame), "codebook": safe_table(book)}, target)
