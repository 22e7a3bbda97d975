"""The customer journey."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

FIVE = sat.Scale(1, 5)
STOPS = {"找到 find": ["search", "advice"], "pay": ["checkout"], "receive": ["delivery"]}


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    x = np.clip(np.round(3.6 + 0.5 * rng.normal(size=(300, 1)) + rng.normal(size=(300, 4))), 1, 5)
    frame = pd.DataFrame(x, columns=["search", "advice", "checkout", "delivery"])
    frame["overall"] = np.clip(np.round(0.2 * x[:, 0] + 0.8 * x[:, 3] + 0.4 * rng.normal(size=300)), 1, 5)
    frame.loc[:59, "delivery"] = np.nan
    return frame


def test_numbers_by_hand_on_every_engine(answers, engine):
    found = sat.journey(engine(answers), STOPS, scale=FIVE, outcome="overall")
    rows = {r["touchpoint"]: r for r in found.estimates.rows()}
    both = (answers[["search", "advice"]] - 1) / 4 * 100
    first = rows["找到 find"]
    assert first["satisfaction"] == pytest.approx(both.mean(axis=1).mean())
    assert first["pain"] == pytest.approx((both <= 45).any(axis=1).mean() * 100)
    assert rows["receive"]["frequency"] == pytest.approx(0.8)
    assert rows["receive"]["n_missing"] == 60
    shares = sat.key_drivers(answers, "overall", ["search", "advice", "checkout", "delivery"]).estimates[
        "share"
    ]
    assert first["importance"] == pytest.approx(shares[0] + shares[1])
    for row in rows.values():
        assert row["moment_of_truth"] == pytest.approx(row["importance"] * row["frequency"] * row["gap"])
    assert rows["receive"]["rank"] == 1


def test_ratings_bring_touchpoints_and_scales(answers):
    ratings = [sat.Rating(name, FIVE, touchpoint=stop) for stop, names in STOPS.items() for name in names] + [
        sat.Rating("overall", FIVE)
    ]
    assert sat.journey(answers, ratings).estimates == sat.journey(answers, STOPS, scale=FIVE).estimates


def test_a_survey_brings_its_ratings_and_stages_group_touchpoints(answers):
    ratings = [sat.Rating(name, FIVE, touchpoint=stop) for stop, names in STOPS.items() for name in names]
    survey = sat.Survey("shop", [*ratings, sat.Rating("overall", FIVE)])
    stages = {"before": ["找到 find"], "during": ["pay"], "after": ["receive"]}
    found = sat.journey(answers, survey, stages=stages)
    assert found.estimates["stage"] == ("before", "during", "after")
    with pytest.raises(sat.ArgumentError, match="one stage"):
        sat.journey(answers, survey, stages={"before": ["pay"]})
    with pytest.raises(sat.ArgumentError, match="receive"):
        sat.journey(answers, survey, stages={"after": ["recieve"]})
    staged = [
        sat.Rating(name, FIVE, touchpoint=stop, stage=stage)
        for stage, stops in stages.items()
        for stop in stops
        for name in STOPS[stop]
    ]
    assert sat.journey(answers, staged).estimates == found.estimates
    with pytest.raises(sat.ArgumentError, match="has no stage"):
        sat.journey(answers, [*staged[:-1], sat.Rating("delivery", FIVE, touchpoint="receive")])
    pytest.importorskip("matplotlib")
    assert len(sat.plot(found)._repr_png_()) > 1000


def test_given_frequency_and_weights(answers):
    given = {"找到 find": 0.5, "pay": 0.1, "receive": 1}
    found = sat.journey(answers, STOPS, scale=FIVE, frequency=given)
    assert found.estimates["frequency"] == (0.5, 0.1, 1.0)
    frame = answers.assign(w=1.0 + np.arange(300) % 2)
    weighted = sat.journey(frame, STOPS, scale=FIVE, weight="w").estimates
    copies = sat.journey(frame.loc[frame.index.repeat(frame["w"].astype(int))], STOPS, scale=FIVE).estimates
    np.testing.assert_allclose(weighted["satisfaction"], copies["satisfaction"])
    np.testing.assert_allclose(weighted["pain"], copies["pain"])


def test_bad_input(answers):
    with pytest.raises(sat.ArgumentError, match="scale="):
        sat.journey(answers, STOPS)
    with pytest.raises(sat.ArgumentError, match="two touchpoints"):
        sat.journey(answers, {"a": ["search"], "b": ["search"]}, scale=FIVE)
    with pytest.raises(sat.ArgumentError, match="empty"):
        sat.journey(answers, {}, scale=FIVE)
    with pytest.raises(sat.ArgumentError, match="frequency"):
        sat.journey(answers, STOPS, scale=FIVE, frequency={"pay": 2})
    with pytest.raises(sat.SchemaError, match=r"1\.\.3"):
        sat.journey(answers, STOPS, scale=sat.Scale(1, 3))
    with pytest.raises(sat.DataError, match="nobody"):
        sat.journey(answers.assign(checkout=np.nan), STOPS, scale=FIVE)


def test_the_map_draws(answers):
    pytest.importorskip("matplotlib")
    assert len(sat.plot(sat.journey(answers, STOPS, scale=FIVE, outcome="overall"))._repr_png_()) > 1000


def test_the_frequency_is_that_of_the_weighted_answers():
    frame = pd.DataFrame({"find": [5, 4, 4, 5], "pay": [2, 1, 4, None], "w": [1.0, 1.0, 1.0, 5.0]})
    stops = {"shop": ["find"], "checkout": ["pay"]}
    found = sat.journey(frame, stops, scale=sat.Scale(1, 5), weight="w").estimates
    copies = frame.loc[frame.index.repeat(frame["w"].astype(int))]
    repeated = sat.journey(copies, stops, scale=sat.Scale(1, 5)).estimates
    for column in ("satisfaction", "pain", "frequency", "moment_of_truth"):
        assert found[column] == pytest.approx(repeated[column]), column
    assert found["frequency"] == pytest.approx((1.0, 3 / 8))  # it was 3 of 4 rows
