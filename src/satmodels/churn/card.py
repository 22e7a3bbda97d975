"""Model card: what a churn model is, what it was fitted on, how good it is, what it is not for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, ClassVar

from sklearn.utils.validation import check_is_fitted

from satmodels.arguments import checked
from satmodels.churn.classifier import ChurnClassifier
from satmodels.churn.drift import DriftReport
from satmodels.churn.features import Feature, distinct
from satmodels.churn.report import OVERALL, ChurnReport
from satmodels.intake.library import FrameLibrary
from satmodels.results import Result, Table, plain, show_number

LIMITS = (
    "A risk is the share that leaves among customers of like features; it is no statement about one person.",
    "A reason says what moves the risk in the model, not what would change if it were acted upon.",
    "The expected profit holds for the costs and the acceptance rate given; test a campaign with a control group.",
    "Customers at risk and outcome are defined by the window; another window needs another model.",
)


@dataclass(frozen=True, kw_only=True, repr=False)
class ModelCard(Result):
    """A model card. ``tidy()``: ``section, name, value``; ``to_json()`` and :meth:`to_markdown` to keep it."""

    kind: ClassVar[str] = "model_card"
    rows: Table

    def _tidy(self) -> Table:
        return self.rows

    def _glance(self) -> Mapping[str, Any]:
        return {"sections": len(set(self.rows["section"])), "entries": len(self.rows)}

    def to_markdown(self) -> str:
        """Return the card as Markdown: a heading and a table per section."""
        lines = ["# Churn model", ""]
        for section in dict.fromkeys(self.rows["section"]):
            lines += [f"## {section}", "", "| | |", "|---|---|"]
            for row in self.rows.rows():
                if row["section"] == section:
                    lines.append(f"| {_cell(row['name'])} | {_cell(row['value'])} |")
            lines.append("")
        return "\n".join(lines)


@checked
def model_card(
    model: ChurnClassifier,
    report: ChurnReport,
    *,
    purpose: str,
    owner: str | None = None,
    features: Iterable[Feature] = (),
    drift: DriftReport | None = None,
) -> ModelCard:
    """Write the card of a fitted model.

    Parameters
    ----------
    model : ChurnClassifier
        Fitted.
    report : ChurnReport
        On rows the model has not seen.
    purpose : str
        What the risks are used for, and by whom.
    owner : str, optional
        Who answers for it.
    features : iterable of Feature, optional
        Their descriptions go into the card.
    drift : DriftReport, optional
        The latest one.

    Returns
    -------
    ModelCard

    Raises
    ------
    ArgumentError
        ``report`` is no ChurnReport.
    sklearn.exceptions.NotFittedError
        The model is not fitted.
    """
    check_is_fitted(model)
    described = {f.name: f.description for f in distinct(tuple(features))}
    entries: list[tuple[str, str, Any]] = [("Use", "purpose", purpose)]
    if owner:
        entries.append(("Use", "owner", owner))
    entries += [("Use", f"limit {i}", text) for i, text in enumerate(LIMITS, 1)]
    entries += [
        ("Model", "estimator", model.chosen_),
        *(("Model", f"held-out log loss, {name}", value) for name, value in model.validation_.items()),
        ("Model", "calibration", model.calibration_.method),
        ("Model", "threshold", "per customer" if model.threshold_ is None else model.threshold_),
        ("Model", "window", None if model.window is None else str(model.window)),
        ("Model", "costs", None if model.costs is None else model.costs.model_dump_json()),
        ("Model", "satmodels", version("satmodels")),
        ("Training data", "rows", model.n_rows_),
        ("Training data", "share that left", model.churn_rate_),
        ("Training data", "first and last cutoff", model.cutoffs_),
    ]
    entries += [("Features", name, described.get(name, "")) for name in model.encoding_.names]
    entries += [("Features", f"note {i}", text) for i, text in enumerate(model.notes_, 1)]
    for row in report.measures.rows():
        group = "" if all(row[b] == OVERALL for b in report.by) else f"{row[report.by[0]]}: "
        value = _with_interval(row)
        entries.append(
            (f"Quality on {report.measures['n'][0]:,} unseen rows", f"{group}{row['term']}", value)
        )
    if drift is not None:
        entries += [("Drift", name, value) for name, value in drift._glance().items()]
    return ModelCard(
        library=FrameLibrary.PANDAS,
        rows=Table.of(
            {
                "section": [e[0] for e in entries],
                "name": [e[1] for e in entries],
                "value": [None if e[2] is None else str(plain(e[2])) for e in entries],
            }
        ),
    )


def _with_interval(row: Mapping[str, Any]) -> str | None:
    if row["estimate"] is None:
        return None
    text = show_number(row["estimate"])
    if row["conf_low"] is None or row["conf_high"] is None:
        return text
    return f"{text} ({show_number(row['conf_low'])} to {show_number(row['conf_high'])})"


def _cell(value: Any) -> str:
    """Return a value that stays in its cell and is no markup, whatever a user wrote in it."""
    text = "" if value is None else str(value)
    for sign in ("\\", "|", "`", "*", "_", "[", "]", "#"):
        text = text.replace(sign, "\\" + sign)
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")
