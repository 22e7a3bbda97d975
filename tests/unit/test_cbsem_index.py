"""Indices of covariance models with their intervals, against the bootstrap and against replication."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

TEXT = "Quality =~ q1 + q2 + q3 ; Loyal =~ l1 + l2 ; Loyal ~ Quality + age"


def answers(n: int, seed: int = 1) -> pd.DataFrame:
    """Simulate items of different means, so that an index hangs on the weights too."""
    rng = np.random.default_rng(seed)
    quality, age = rng.normal(size=n), rng.normal(40, 10, size=n)
    loyal = 0.6 * quality + 0.02 * age + 0.7 * rng.normal(size=n)
    columns = {
        "q1": (quality, 4.0),
        "q2": (quality, 6.0),
        "q3": (quality, 8.0),
        "l1": (loyal, 5),
        "l2": (loyal, 7),
    }
    frame = {name: mean + c + 0.7 * rng.normal(size=n) for name, (c, mean) in columns.items()}
    return pd.DataFrame(frame | {"age": age, "region": np.where(rng.random(n) < 0.4, "north", "south")})


SCALE = dict.fromkeys(("q1", "q2", "q3", "l1", "l2"), (0, 12)) | {"age": (0, 100)}


@pytest.fixture(scope="module")
def drawn() -> pd.DataFrame:
    """Bootstrap of the indices."""
    return (
        sat.bootstrap(sat.CBSEM(TEXT), answers(300), n=400, seed=1, scale=SCALE)
        .table("index")
        .set_index("lhs")
    )


@pytest.mark.parametrize("options", [{}, {"estimator": "MLR"}, {"estimator": "GLS"}, {"missing": "fiml"}])
def test_standard_errors_are_those_of_the_bootstrap(options: dict[str, str], drawn: pd.DataFrame):
    frame = answers(300)
    table = sat.CBSEM(TEXT, **options).fit(frame).result_.index(SCALE).set_index("construct")
    assert list(table.columns) == ["estimate", "std_error", "conf_low", "conf_high", "std_dev"]
    np.testing.assert_allclose(table["std_error"], drawn.loc[table.index, "std_error"], rtol=0.2)
    age = table.loc["age"]
    assert age["std_error"] == pytest.approx(frame["age"].std(ddof=0) / np.sqrt(300), rel=1e-9)
    assert (age["conf_high"] - age["estimate"]) == pytest.approx(1.959963984540054 * age["std_error"])


def test_gaps_groups_moments_and_levels():
    frame = answers(400)
    gaps = frame.copy()
    gaps.loc[gaps.index[::7], "q3"] = np.nan
    whole = sat.CBSEM(TEXT, missing="fiml").fit(frame).result_.index(SCALE)
    partial = sat.CBSEM(TEXT, missing="fiml").fit(gaps).result_.index(SCALE)
    assert whole["std_error"][0] < partial["std_error"][0] < 1.2 * whole["std_error"][0]
    groups = sat.CBSEM(TEXT, group="region").fit(frame).result_.index(SCALE)
    assert list(groups.columns[:3]) == ["group", "construct", "estimate"] and len(groups) == 6
    alone = sat.CBSEM(TEXT).fit(frame[frame["region"] == "north"]).result_.index(SCALE)
    north = groups[groups["group"] == "north"].reset_index(drop=True)
    np.testing.assert_allclose(north["std_error"], alone["std_error"], rtol=1e-4)
    moments = sat.Moments.collect(frame, list(SCALE))
    narrow = sat.CBSEM(TEXT).fit(moments).result_.index(SCALE, level=0.5)
    assert (narrow["conf_high"] - narrow["conf_low"] < whole["conf_high"] - whole["conf_low"]).all()
    with pytest.raises(sat.ArgumentError, match="level"):
        sat.CBSEM(TEXT).fit(moments).result_.index(SCALE, level=95)


def test_least_squares_has_the_index_without_an_interval():
    table = sat.CBSEM(TEXT.replace(" + age", ""), estimator="ULS").fit(answers(200)).result_.index((0, 12))
    assert table["estimate"].notna().all() and table["std_error"].isna().all()


def test_weighted_answers_count_by_their_weights():
    frame = answers(300)
    weight = np.where(np.arange(300) % 2 == 0, 2.0, 0.0) + 1e-9
    table = sat.CBSEM(TEXT).fit(frame, sample_weight=weight).result_.index(SCALE)
    half = sat.CBSEM(TEXT, estimator="MLR").fit(frame[::2]).result_.index(SCALE)
    np.testing.assert_allclose(table["estimate"], half["estimate"], rtol=1e-6)
    np.testing.assert_allclose(table["std_error"], half["std_error"], rtol=0.02)


def test_a_stored_result_keeps_its_intervals():
    result = sat.CBSEM(TEXT).fit(answers(200)).result_
    back = sat.read_result(result.to_json(full=True))
    pd.testing.assert_frame_equal(back.index(SCALE), result.index(SCALE))


def test_a_copied_column_of_ordered_answers_is_named():
    rng = np.random.default_rng(5)
    quality = rng.normal(size=300)
    frame = pd.DataFrame(
        {f"q{i}": np.digitize(quality + rng.normal(size=300), [-1, 0, 1]) for i in range(1, 5)}
    )
    frame["copy"] = 5 - frame["q1"]
    model = sat.CBSEM("Quality =~ q1 + q2 + q3 + q4 + copy", estimator="WLSMV", ordered=tuple(frame))
    with pytest.raises(sat.DataError, match="collinear"):
        model.fit(frame)
