"""``rule="R"`` against the rule of R's rfm, computed in R (make_rfm.R, R 4.2.2): every score of every customer.

The data has totals on cut points, where R's position of a quantile (3 times 1/5 is above 3/5 in floating point) and
its sums in extended precision decide in the last bit.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import satmodels as sat

EXPECTED = json.loads((Path(__file__).parent / "rfm_rule.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("bins", [3, 4, 5, 6])
def test_every_customer_has_rs_score(bins, engine):
    frame = pd.DataFrame(
        {
            "id": EXPECTED["id"],
            "day": pd.Timestamp("2026-06-30") - pd.to_timedelta(EXPECTED["age"], unit="D"),
            "amount": EXPECTED["amount"],
        }
    )
    found = sat.rfm(
        engine(frame),
        customer="id",
        date="day",
        amount="amount",
        as_of="2026-06-30",
        bins=bins,
        rule="R",
        segments=None,
    ).customers
    assert list(map(int, found["id"])) == EXPECTED["customer"]
    assert list(map(int, found["rfm"])) == EXPECTED[f"rfm_{bins}"]


def test_customers_published_with_their_scores() -> None:
    """The ten customers that the documentation of rfm 0.2.2 shows, scored with the cut points it gives.

    Recency (days before 2006-12-31), orders, revenue and the score rfm_table_order() prints for them; cut points
    from the example of the same help page.
    """
    published = [
        ("Abbey O'Reilly DVM", 205, 6, 472, 343),
        ("Add Senger", 140, 3, 340, 412),
        ("Aden Lesch Sr.", 194, 4, 405, 323),
        ("Admiral Senger", 132, 5, 448, 433),
        ("Agness O'Keefe", 90, 9, 843, 555),
        ("Aileen Barton", 84, 9, 763, 555),
        ("Ailene Hermann", 281, 8, 699, 355),
        ("Aiyanna Bruen PhD", 246, 4, 157, 321),
        ("Ala Schmidt DDS", 349, 3, 363, 212),
        ("Alannah Borer", 619, 4, 196, 121),
    ]
    end = pd.Timestamp("2006-12-31")
    orders = pd.DataFrame(
        [
            (name, end - pd.Timedelta(days=days), total / n)
            for name, days, n, total, _ in published
            for _ in range(n)
        ],
        columns=["customer", "day", "amount"],
    )
    found = sat.rfm(
        orders,
        customer="customer",
        date="day",
        amount="amount",
        as_of="2006-12-31",
        rule="R",
        cuts={
            "recency": [115, 181, 297, 482],
            "frequency": [4, 5, 6, 8],
            "monetary": [256, 382, 506, 666],
        },
    ).customers
    assert dict(zip(found["customer"], found["rfm"], strict=True)) == {name: s for name, *_, s in published}
