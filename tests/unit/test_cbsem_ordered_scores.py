"""Modal construct scores of ordered answers beside numbers that explain: against the density on a grid."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import satmodels as sat


def answers(n: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    age = rng.normal(40, 10, n)
    quality = 0.05 * (age - 40) + rng.normal(size=n)
    frame = pd.DataFrame({f"q{i}": np.digitize(quality + rng.normal(size=n), [-1, 0, 1]) for i in (1, 2, 3)})
    frame["q4"] = quality + rng.normal(size=n)
    return frame.assign(age=age, spend=3 * quality + rng.normal(size=n))


ORDERED = ("q1", "q2", "q3")


def test_scores_with_columns_that_explain_and_are_explained():
    frame = answers()
    text = "Quality =~ q1 + q2 + q3 + q4\nQuality ~ age\nspend ~ Quality + age"
    model = sat.CBSEM(text, estimator="WLSMV", ordered=ORDERED).fit(frame)
    rows = frame.head(5).copy()
    rows.loc[1, "age"] = np.nan
    rows.loc[2, ["q4", "spend"]] = np.nan
    rows.loc[3, ["q1", "q2", "q3"]] = np.nan
    scores = model.transform(rows)[:, 0]
    np.testing.assert_allclose(model.transform(rows.iloc[[4]])[:, 0], scores[4], rtol=1e-8)  # one row alone
    estimates = {
        (r["lhs"], r["op"], r["rhs"]): r["estimate"] for r in model.result_.tidy().to_dict("records")
    }
    get = estimates.__getitem__
    eta = np.linspace(-4, 6, 20_001)
    slope, rest = get(("Quality", "~", "age")), get(("Quality", "~~", "Quality"))
    for k in (0, 2, 4):  # age is there: the density is a product
        row = rows.iloc[k]
        density = stats.norm.logpdf(eta, slope * row["age"], np.sqrt(rest))
        for item in ORDERED:
            loading = 1.0 if item == "q1" else get(("Quality", "=~", item))
            error = np.sqrt(get((item, "~~", item)))
            edges = [-np.inf, *(get((item, "|", f"t{i}")) for i in (1, 2, 3)), np.inf]
            code = int(row[item])
            high, low = (stats.norm.cdf((e - loading * eta) / error) for e in (edges[code + 1], edges[code]))
            density = density + np.log(high - low)
        if not np.isnan(row["q4"]):
            density += stats.norm.logpdf(
                row["q4"],
                get(("q4", "~1", "")) + get(("Quality", "=~", "q4")) * eta,
                np.sqrt(get(("q4", "~~", "q4"))),
            )
            expected = get(("spend", "~1", "")) + get(("spend", "~", "age")) * row["age"]
            density += stats.norm.logpdf(
                row["spend"],
                expected + get(("spend", "~", "Quality")) * eta,
                np.sqrt(get(("spend", "~~", "spend"))),
            )
        assert scores[k] == pytest.approx(eta[density.argmax()], abs=6e-4)
    assert np.isfinite(scores).all()


def test_what_has_no_scores_says_why():
    frame = answers()
    text = "Quality =~ q1 + q2 + q3 + q4\nq1 ~ age"
    model = sat.CBSEM(text, estimator="WLSMV", ordered=ORDERED).fit(frame)
    with pytest.raises(sat.EngineError, match="explain directly"):
        model.transform(frame)
