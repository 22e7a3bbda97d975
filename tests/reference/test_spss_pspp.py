"""An SPSS file that another program wrote (PSPP); see make_spss.sps."""

from __future__ import annotations

from pathlib import Path

import pytest

import satmodels as sat

HERE = Path(__file__).parent


def test_a_file_of_pspp():
    pytest.importorskip("pyreadstat")
    survey, frame = sat.read_survey(HERE / "spss_pspp.sav")
    yes = ["no", "rather no", "so so", "rather yes", "yes"]
    assert survey.items == (
        sat.Number("id"),
        sat.Rating(
            "sat", sat.Scale(1, 7, {1: "low", 7: "high"}), "满意度：总体", missing_codes={98: "dk", 99: "na"}
        ),
        sat.Rating("agree", sat.Scale(1, 5, yes), "I agree", missing_codes={9: "n/a"}),
        sat.Text("city", missing_codes={"": "missing"}),
        sat.Number("amount"),
        sat.Date("day"),
        sat.Text("at"),
        sat.Number("many", missing_codes={-5: "missing"}),
        sat.Choice("kind", {"a": "first", "b": "second"}, missing_codes={"ZZZ": "missing"}),
    )
    survey.check(frame).raise_for_errors()
    prepared = survey.prepare(frame)
    assert prepared["sat"].isna().tolist() == [False, True, True, False]
    assert prepared["many"].isna().tolist() == [False, False, True, True]
    assert prepared["at"].tolist()[:3] == ["10:30:00", "11:00:00", "12:00:00"]
    assert prepared["city"].tolist()[:3] == ["北京", "Paris", "Oslo"]
