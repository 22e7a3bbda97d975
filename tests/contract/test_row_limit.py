"""Inside ``limit_rows`` every function that reads rows refuses too many of them, before it computes anything."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.intake import frames

FRAME = pd.DataFrame(
    {
        "a": [1, 2, 3, 4, 5, 4],
        "b": [2, 1, 3, 5, 4, 4],
        "c": [1, 3, 3, 4, 4, 5],
        "day": pd.date_range("2026-01-01", periods=6),
        "who": list("uvwxyz"),
    }
)
FIVE = sat.Scale(1, 5)
MODEL = "Q =~ a + b\nS =~ c\nS ~ Q"
SURVEY = sat.Survey("short", [sat.Rating(name, FIVE) for name in "abc"])
CALLS = {
    "nps": lambda d: sat.nps(d, "a", scale=FIVE, passives=(3, 4)),
    "csat": lambda d: sat.csat(d, "a", scale=FIVE),
    "top_box": lambda d: sat.top_box(d, "a", scale=FIVE),
    "ces": lambda d: sat.ces(d, "a", scale=sat.Scale(1, 7), convention="mean"),
    "mean_score": lambda d: sat.mean_score(d, "a", scale=FIVE),
    "csi": lambda d: sat.csi(d, ["a", "b"], scale=FIVE),
    "servqual": lambda d: sat.servqual(d, [sat.Gap("g", "a", "b", "d")], scale=FIVE),
    "disconfirmation": lambda d: sat.disconfirmation(d, "a", "b", scale=FIVE),
    "rfm": lambda d: sat.rfm(d, customer="who", date="day", amount="a", as_of="2026-02-01"),
    "kano": lambda d: sat.kano(d, {"wifi": ("a", "b")}),
    "key_drivers": lambda d: sat.key_drivers(d, "c", ["a", "b"]),
    "ScoreCounts": lambda d: sat.ScoreCounts.collect(d, "a"),
    "PairCounts": lambda d: sat.PairCounts.collect(d, {"wifi": ("a", "b")}),
    "Moments": lambda d: sat.Moments.collect(d, ["a", "b"]),
    "PLSPM": lambda d: sat.PLSPM(MODEL).fit(d),
    "CBSEM": lambda d: sat.CBSEM(MODEL).fit(d),
    "cronbach_alpha": lambda d: sat.cronbach_alpha(d, ["a", "b", "c"]),
    "careless": lambda d: sat.careless(d, ["a", "b", "c"]),
    "missing_report": lambda d: sat.missing_report(d, ["a", "b"]),
    "outliers": lambda d: sat.outliers(d, ["a", "b"]),
    "check": SURVEY.check,
    "prepare": SURVEY.prepare,
    "kmo": lambda d: sat.kmo(d, ["a", "b", "c"]),
    "rake": lambda d: sat.rake(d, {"a": {k: 1.0 for k in range(1, 6)}}),
    "drift": lambda d: sat.drift(d, d),
}


@pytest.mark.parametrize("name", CALLS)
def test_functions_that_read_rows_honour_it(name):
    with sat.limit_rows(5), pytest.raises(sat.ArgumentError, match="6 rows; max_rows allows 5"):
        CALLS[name](FRAME)


def test_engines_only_count(engine, monkeypatch):
    asked = []
    collect = frames.collect
    monkeypatch.setattr(frames, "collect", lambda frame, step: asked.append(step) or collect(frame, step))
    data = engine(FRAME)
    with sat.limit_rows(5), pytest.raises(sat.ArgumentError, match="6 rows"):
        sat.nps(data, "a", scale=FIVE, passives=(3, 4))
    assert asked == ["counting rows"]
    with sat.limit_rows(6):
        assert sat.mean_score(data, "a", scale=FIVE).n == 6


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series])
def test_sequences(kind):
    with sat.limit_rows(2), pytest.raises(sat.ArgumentError, match="3 rows; max_rows allows 2"):
        sat.nps(kind([9, 10, 3]))
    with sat.limit_rows(3):
        assert sat.nps(kind([9, 10, 3])).n == 3


def test_it_ends_with_its_block_and_the_smallest_holds():
    with sat.limit_rows(3):
        with sat.limit_rows(10), pytest.raises(sat.ArgumentError, match="allows 3"):
            sat.nps([9] * 5)
        with pytest.raises(sat.ArgumentError, match="allows 3"):
            sat.nps([9] * 5)
    assert sat.nps([9] * 5).n == 5


def test_it_holds_for_its_own_thread_alone():
    found = []
    with sat.limit_rows(3):
        other = threading.Thread(target=lambda: found.append(sat.nps([9] * 5).n))
        other.start()
        other.join()
    assert found == [5]


@pytest.mark.parametrize("bad", [-1, 2.5, "9", True, None])
def test_limits_that_cannot_be(bad):
    with pytest.raises(sat.ArgumentError, match="whole number"), sat.limit_rows(bad):
        pass
