"""``rule="R"`` against the rule of R's rfm, computed in R (make_rfm.R, R 4.2.2): every score of every customer."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import satmodels as sat

EXPECTED = json.loads((Path(__file__).parent / "rfm_rule.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("bins", [3, 4, 5, 6])
def test_every_customer_has_rs_score(bins):
    frame = pd.DataFrame(
        {
            "id": EXPECTED["id"],
            "day": pd.Timestamp("2026-06-30") - pd.to_timedelta(EXPECTED["age"], unit="D"),
            "amount": EXPECTED["amount"],
        }
    )
    found = sat.rfm(
        frame,
        customer="id",
        date="day",
        amount="amount",
        as_of="2026-06-30",
        bins=bins,
        rule="R",
        segments=None,
    ).customers
    assert found["id"].tolist() == EXPECTED["customer"]
    assert found["rfm"].tolist() == EXPECTED[f"rfm_{bins}"]
