"""Sections of a study, and the one self-contained HTML page they make.

Nothing is fetched when the page is opened: figures are inside it, there is no script, and every text
is escaped.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from satmodels.plots.style import png
from satmodels.results import Table, show_number

STYLE = """
body { font: 16px/1.55 system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif; color: #1f2933;
       max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; background: #fff; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.3rem; margin: 2.75rem 0 .5rem; padding-top: 1rem; border-top: 1px solid #e4e7eb; }
p.lead { color: #52606d; margin-top: 0; }
ul.findings { background: #f5f8fa; border-left: 4px solid #0072B2; padding: 1rem 1rem 1rem 2.2rem; }
ul.findings li { margin: .35rem 0; }
nav { font-size: .9rem; margin: 1rem 0 2rem; } nav a { margin-right: 1rem; color: #0072B2; }
figure { margin: 1.25rem 0; } figure img, figure svg { max-width: 100%; height: auto; }
figcaption, caption { color: #52606d; font-size: .88rem; text-align: left; padding: .3rem 0; }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; margin: .75rem 0 1.25rem; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .7rem; border-bottom: 1px solid #e4e7eb; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; }
thead th { border-bottom: 2px solid #9aa5b1; }
footer { margin-top: 3rem; color: #7b8794; font-size: .85rem; }
"""


@dataclass
class Exhibit:
    """A table or a figure with the sentence that says what it shows."""

    name: str  # file stem of a figure
    caption: str
    table: Table | None = None
    figure: Any = None  # a matplotlib Figure, or SVG text
    digits: int = 2


@dataclass
class Section:
    """One chapter of the study: what was found, in words, and the exhibits behind it."""

    title: str
    words: list[str] = field(default_factory=list[str])
    exhibits: list[Exhibit] = field(default_factory=list[Exhibit])
    finding: str = ""  # the one sentence that goes on the first page

    def table(self, caption: str, table: Table, *, digits: int = 2) -> None:
        """Add a table."""
        self.exhibits.append(Exhibit("", caption, table=table, digits=digits))

    def figure(self, name: str, caption: str, figure: Any) -> None:
        """Add a figure under a file name."""
        self.exhibits.append(Exhibit(name, caption, figure=figure))


def as_text(section: Section, *, rows: int = 12) -> str:
    """Return a section as plain text for a terminal."""
    parts = [section.title.upper(), *(_wrapped(words) for words in section.words)]
    for exhibit in section.exhibits:
        if exhibit.table is not None:
            parts.append(f"{exhibit.caption}\n{_text_table(exhibit.table, rows, exhibit.digits)}")
    return "\n\n".join(parts)


def write_report(title: str, lead: str, sections: Sequence[Section], directory: Path) -> Path:
    """Write report.html and one PNG or SVG per figure; return the path of the page."""
    directory.mkdir(parents=True, exist_ok=True)
    body = [f"<h1>{html.escape(title)}</h1>", f'<p class="lead">{html.escape(lead)}</p>']
    findings = [s.finding for s in sections if s.finding]
    body.append('<ul class="findings">' + "".join(f"<li>{html.escape(f)}</li>" for f in findings) + "</ul>")
    links = (f'<a href="#s{i}">{html.escape(s.title)}</a>' for i, s in enumerate(sections))
    body.append("<nav>" + "".join(links) + "</nav>")
    for i, section in enumerate(sections):
        body.append(f'<h2 id="s{i}">{html.escape(section.title)}</h2>')
        body += [f"<p>{html.escape(words)}</p>" for words in section.words]
        body += [_exhibit_html(exhibit, directory) for exhibit in section.exhibits]
    body.append("<footer>Made by satmodels. Intervals are 95 % intervals unless said otherwise.</footer>")
    page = directory / "report.html"
    page.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>",
        encoding="utf-8",
    )
    return page


def _exhibit_html(exhibit: Exhibit, directory: Path) -> str:
    caption = html.escape(exhibit.caption)
    if exhibit.table is not None:
        return f'<div class="wide">{_html_table(exhibit.table, caption, exhibit.digits)}</div>'
    if isinstance(exhibit.figure, str):  # SVG that the library drew, its texts escaped there
        (directory / f"{exhibit.name}.svg").write_text(exhibit.figure, encoding="utf-8")
        picture = exhibit.figure
    else:
        data = png(exhibit.figure)
        (directory / f"{exhibit.name}.png").write_bytes(data)
        encoded = base64.b64encode(data).decode("ascii")
        picture = f'<img alt="{caption}" src="data:image/png;base64,{encoded}">'
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _html_table(table: Table, caption: str, digits: int) -> str:
    numeric = [_is_numeric(column) for column in table.values]
    mark = [' class="number"' if n else "" for n in numeric]
    head = "".join(f"<th{m}>{html.escape(name)}</th>" for m, name in zip(mark, table.names, strict=True))
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{m}>{html.escape(show_number(v, digits))}</td>" for m, v in zip(mark, row, strict=True)
        )
        + "</tr>"
        for row in zip(*table.values, strict=True)
    )
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _is_numeric(column: Sequence[Any]) -> bool:
    return all(v is None or (isinstance(v, int | float) and not isinstance(v, bool)) for v in column)


def _text_table(table: Table, rows: int, digits: int) -> str:
    shown = [[show_number(v, digits) for v in column[:rows]] for column in table.values]
    widths = [
        max(len(name), *(len(v) for v in column)) if column else len(name)
        for name, column in zip(table.names, shown, strict=True)
    ]
    numeric = [_is_numeric(column) for column in table.values]

    def line(cells: Sequence[str]) -> str:
        aligned = (c.rjust(w) if n else c.ljust(w) for c, w, n in zip(cells, widths, numeric, strict=True))
        return "  " + "  ".join(aligned).rstrip()

    lines = [line(table.names), *(line(row) for row in zip(*shown, strict=True))]
    if len(table) > rows:
        lines.append(f"  … {len(table) - rows} more rows in the report")
    return "\n".join(lines)


def _wrapped(words: str) -> str:
    import textwrap

    return textwrap.fill(words, width=96)
