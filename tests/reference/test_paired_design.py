"""``compare_paired`` under a design against R's survey (make_paired.R; R 4.2.2, survey 4.1.1), tolerance 1e-9."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import satmodels as sat

EXPECTED = json.loads((Path(__file__).parent / "paired_design.json").read_text(encoding="utf-8"))
DATA = pd.DataFrame({name: values for name, values in EXPECTED.items() if name != "expected"})
DESIGN = sat.Design(strata="region", cluster="shop", fpc="shops")


@pytest.mark.parametrize(("score", "by", "rows"), [
    ("mean", (), [0]),
    ("nps", (), [1]),
    ("mean", "group", [2, 3]),
    ("nps", "group", [4, 5]),
])  # fmt: skip
def test_changes_under_a_design(score, by, rows, engine) -> None:
    found = sat.compare_paired(
        engine(DATA),
        "before",
        "after",
        score=score,
        scale=sat.Scale(0, 10),
        by=by,
        weight="weight",
        design=DESIGN,
    )
    for row, (mean, error, _, p) in zip(
        found._tidy().rows(), [EXPECTED["expected"][i] for i in rows], strict=True
    ):
        assert row["estimate"] == pytest.approx(mean, rel=1e-9)
        assert row["std_error"] == pytest.approx(error, rel=1e-9)
        assert row["p_value"] == pytest.approx(p, rel=1e-9)


def test_codes_and_answers_off_the_scale_are_left_out_of_both() -> None:
    frame = pd.DataFrame({"before": [3, 99, 8, 6, 10, 7, 5], "after": [7, 9, 9, 6, 10, 11, 98]})
    found = sat.compare_paired(
        frame,
        "before",
        "after",
        score="mean",
        scale=sat.Scale(0, 10),
        missing_codes=(98, 99),
        on_invalid="exclude",
    )
    whole = frame.iloc[[0, 2, 3, 4]]
    same = sat.compare_paired(whole, "before", "after", score="mean", scale=sat.Scale(0, 10))
    pd.testing.assert_frame_equal(found.tidy(), same.tidy())
