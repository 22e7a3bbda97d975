"""The study as a newcomer runs it, on a small company."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from satmodels.demo.__main__ import main
from satmodels.demo.report import Section, as_text, write_report
from satmodels.results import Table

pytest.importorskip("matplotlib")


def test_the_study_runs_and_writes_one_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path), "--n", "400", "--seed", "2"]) == 0
    said = capsys.readouterr().out
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    # the yardstick study has the figures that other programs publish (seminr 2.3.4, lavaan 0.6-14)
    for figure in ("0.512024", "0.681078", "72.454", "575.571"):
        assert figure in said
        assert figure in page
    for part in ("[8/8]", "HOW SATISFIED", "WHO IS ABOUT TO LEAVE", "Watch list"):
        assert part in said
    figures = sorted(path.stem for path in tmp_path.iterdir() if path.suffix in (".png", ".svg"))
    assert {"nps_by_month", "company_paths", "kano", "drivers", "rfm", "churn"} <= set(figures)
    assert page.count("<figure>") == len(figures)


def test_the_page_fetches_nothing(tmp_path: Path) -> None:
    section = Section("<b>title</b>", words=["a < b & <script>"])
    section.table("t", Table.of({"<i>": ["<img src=x>"], "n": [1.0]}))
    page = write_report("x", "y", [section], tmp_path).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<img" not in page
    assert "<b>" not in page
    assert not re.search(r"(src|href)=\"https?:", page)
    assert "&lt;img src=x&gt;" in page


def test_text_says_how_many_rows_it_leaves_out() -> None:
    section = Section("t")
    section.table("rows", Table.of({"i": list(range(30))}), digits=0)
    assert "18 more rows" in as_text(section)


@pytest.mark.parametrize("arguments", [["--n", "10"], ["--n", "many"], ["--sed", "x"]])
def test_wrong_options_stop_with_a_message(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage" in capsys.readouterr().err
