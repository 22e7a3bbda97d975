"""Stone-Geisser Q²: against the definition written out with fits of the public estimator."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pls_simulated import ITEMS, SPEC, simulated

import satmodels as sat


def by_definition(frame: pd.DataFrame, construct: str, items: list[str], omission: int) -> float:
    rows = frame.astype(float)
    sse = sso = 0.0
    for g in range(omission):
        filled = rows.copy()
        left_out = []
        for k, item in enumerate(items):
            out = [i for i in range(len(rows)) if (k * len(rows) + i) % omission == g]
            filled.loc[out, item] = rows[item].drop(index=out).mean()
            left_out.append(out)
        model = sat.PLSPM(SPEC, tol=1e-12).fit(filled)
        scores = pd.DataFrame(model.transform(filled), columns=model.get_feature_names_out())
        paths = model.result_.paths.query("lhs == @construct")
        inner = sum(r.estimate * scores[r.rhs] for r in paths.itertuples())
        loading = model.result_.loadings.set_index("rhs")["estimate"]
        for item, out in zip(items, left_out, strict=True):
            mean, sd = filled[item].mean(), filled[item].std()
            predicted = mean + sd * loading[item] * inner[out]
            sse += (((rows.loc[out, item] - predicted) / rows[item].std()) ** 2).sum()
            sso += (((rows.loc[out, item] - rows[item].drop(index=out).mean()) / rows[item].std()) ** 2).sum()
    return 1 - sse / sso


@pytest.mark.parametrize("omission", [5, 7])
def test_the_definition(omission: int) -> None:
    frame = simulated(152)
    found = sat.blindfold(sat.PLSPM(SPEC, tol=1e-12), frame, omission=omission).tidy().set_index("term")
    assert list(found.index) == ["Value", "Loyalty"]
    assert found.loc["Loyalty", "n"] == 304
    for construct, items in (("Value", ["v1", "v2"]), ("Loyalty", ["l1", "l2"])):
        expected = by_definition(frame, construct, items, omission)
        assert found.loc[construct, "estimate"] == pytest.approx(expected, abs=1e-9)


def test_what_q2_means() -> None:
    frame = simulated(300)
    model = sat.PLSPM(SPEC)
    strong = sat.blindfold(model, frame).tidy()["estimate"]
    assert (strong > 0.15).all()
    rng = np.random.default_rng(99)
    noise = frame.assign(l1=rng.normal(size=300), l2=rng.normal(size=300))
    assert sat.blindfold(model, noise).tidy()["estimate"].iloc[1] < 0.02
    copies = sat.blindfold(model, frame, sample_weight=np.full(300, 2.0)).tidy()["estimate"]
    np.testing.assert_allclose(copies, strong, atol=1e-12)
    np.testing.assert_allclose(sat.blindfold(model, frame * 3 - 5).tidy()["estimate"], strong, atol=1e-9)


def test_bad_omission() -> None:
    model, frame = sat.PLSPM(SPEC), simulated(70)
    for omission in (1, 2.5, True, 70, 7):
        with pytest.raises(sat.ArgumentError, match="omission="):
            sat.blindfold(model, frame, omission=omission)
    with pytest.raises(sat.ArgumentError, match="dataframe"):
        sat.blindfold(model, sat.Moments.collect(frame, ITEMS))
    with pytest.raises(sat.ArgumentError, match="PLSPM"):
        sat.blindfold(sat.CBSEM("Q =~ q1 + q2 + q3"), frame)
    with pytest.raises(sat.ArgumentError, match="numbers"):
        sat.blindfold(sat.PLSPM(SPEC, ordered=True), frame)
