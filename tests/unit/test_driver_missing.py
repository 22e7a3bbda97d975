"""Key drivers of rows with gaps: EM and pairwise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

NAMES = ["a", "b", "c", "y"]
METHODS = ["shapley", "relative_weights", "standardized", "correlation"]


def simulated(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) + 0.7 * rng.normal(size=(n, 1))
    y = x @ [0.6, 0.3, 0.1] + rng.normal(size=n)
    return pd.DataFrame(np.column_stack([x, y]), columns=NAMES)


def at_random(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Who is content with ``a``, which everyone answered, often leaves out the others."""
    rng = np.random.default_rng(seed)
    gone = rng.random((len(frame), 3)) < np.where(frame["a"] > 0, 0.5, 0.05)[:, None]
    return frame.assign(**{c: frame[c].mask(gone[:, j]) for j, c in enumerate(["b", "c", "y"])})


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("missing", ["em", "pairwise"])
def test_without_gaps_all_policies_agree(missing, method, engine):
    frame = simulated(200, 0).assign(w=np.random.default_rng(0).uniform(0.5, 2, 200))
    plain = sat.key_drivers(frame, "y", NAMES[:3], method=method, weight="w").estimates
    found = sat.key_drivers(engine(frame), "y", NAMES[:3], method=method, weight="w", missing=missing)
    for column in ("estimate", "std_error", "conf_low", "conf_high", "vif"):
        np.testing.assert_allclose(found.estimates[column], plain[column], rtol=1e-7)
    assert (found.missing, found.n_missing) == (missing, (0,))


@pytest.mark.parametrize("missing", ["em", "pairwise"])
def test_standard_errors_are_those_of_the_jackknife(missing):
    frame = at_random(simulated(600, 1), 2) if missing == "em" else simulated(600, 1)
    if missing == "pairwise":
        frame = frame.mask(np.random.default_rng(3).random(frame.shape) < 0.25)
    found = sat.key_drivers(frame, "y", NAMES[:3], missing=missing).estimates
    part = np.arange(600) % 100
    left_out = [
        sat.key_drivers(frame[part != k], "y", NAMES[:3], missing=missing, interval="none").estimates[
            "estimate"
        ]
        for k in range(100)
    ]
    spread = np.sqrt(99 / 100 * ((left_out - np.mean(left_out, axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(found["std_error"], spread, rtol=0.25)


def test_em_is_right_where_dropping_rows_is_not():
    whole = simulated(20_000, 4)
    frame = at_random(whole, 5)
    truth = np.array(sat.key_drivers(whole, "y", NAMES[:3], interval="none").estimates["estimate"])
    em = np.array(sat.key_drivers(frame, "y", NAMES[:3], missing="em").estimates["estimate"])
    dropped = np.array(sat.key_drivers(frame, "y", NAMES[:3]).estimates["estimate"])
    assert np.abs(em - truth).max() < 0.01
    assert np.abs(dropped - truth).max() > 0.04


def test_n_counts_rows_with_any_answer(engine):
    frame = simulated(100, 6).assign(region=["north"] * 60 + ["south"] * 40)
    frame.loc[[0, 1, 60], "b"] = np.nan
    frame.loc[2, NAMES] = np.nan
    for missing, n in (("drop", (57, 39)), ("em", (59, 40)), ("pairwise", (59, 40))):
        found = sat.key_drivers(engine(frame), "y", NAMES[:3], by="region", missing=missing)
        assert found.estimates["n"][::3] == n
        assert found.n_missing == found.estimates["n_missing"][::3] == (3, 1)
    copies = pd.concat([frame, frame[:30]])
    weighted = frame.assign(w=[2.0] * 30 + [1.0] * 70)
    for missing in ("em", "pairwise"):
        twice = sat.key_drivers(copies, "y", NAMES[:3], missing=missing, interval="none").estimates
        found = sat.key_drivers(
            weighted, "y", NAMES[:3], weight="w", missing=missing, interval="none"
        ).estimates
        np.testing.assert_allclose(found["estimate"], twice["estimate"], rtol=1e-6)


def test_later_steps_do_not_count_bridged_rows_as_complete():
    frame = simulated(400, 8).clip(-5, 5)
    gaps = frame.mask(np.random.default_rng(9).random(frame.shape) < 0.2)
    scale = sat.Scale(-5, 5)
    for step, (low, high) in (
        (sat.priorities, ("gain_low", "gain_high")),
        (sat.importance_performance, ("performance_low", "performance_high")),
    ):
        width = {}
        for missing in ("drop", "em", "pairwise"):
            rows = step(sat.key_drivers(gaps, "y", NAMES[:3], missing=missing), scale=scale).estimates
            by_term = sorted(zip(rows["term"], rows[low], rows[high], strict=True))
            width[missing] = np.array([b - a for _, a, b in by_term])
        for missing in ("em", "pairwise"):
            np.testing.assert_allclose(width[missing], width["drop"], rtol=0.35)


def test_what_gaps_make_impossible_is_said():
    z = np.random.default_rng(0).normal(size=20)
    rows = np.full((60, 3), np.nan)
    rows[:20, 0], rows[:20, 1] = z, z
    rows[20:40, 1], rows[20:40, 2] = z, z
    rows[40:, 0], rows[40:, 2] = z, -z
    frame = pd.DataFrame(rows, columns=["a", "b", "y"]).assign(region="north")
    with pytest.raises(sat.DataError, match=r"group region='north'.*not positive definite.*missing='em'"):
        sat.key_drivers(frame, "y", ["a", "b"], by="region", missing="pairwise")
    frame = simulated(100, 7)
    gone = frame.assign(a=frame["a"][:50], b=frame["b"][50:])
    with pytest.raises(sat.DataError, match="never answered together"):
        sat.key_drivers(gone, "y", ["a", "b"], missing="pairwise")
    with pytest.raises(sat.ArgumentError, match="pairwise"):
        sat.key_drivers(frame, "y", NAMES[:3], missing="pairwize")
    for options in ({"interval": "bootstrap"}, {"interval": "normal"}, {"method": "logit"}):
        with pytest.raises(sat.ArgumentError, match="robust limits or none"):
            sat.key_drivers(frame, "y", NAMES[:3], missing="em", **options)
    with pytest.raises(sat.ArgumentError, match="no rows any more"):
        sat.key_drivers(sat.Moments.collect(frame, NAMES), "y", missing="em")
    with pytest.raises(sat.ArgumentError, match="used twice"):
        sat.key_drivers(frame, "y", NAMES[:3], missing="em", weight="a")
