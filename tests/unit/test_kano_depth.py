"""Kano beyond the table: resampling, the continuous analysis, segments, waves, one pass."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.kano_model.coefficients import coefficients
from satmodels.kano_model.resampling import class_shares
from satmodels.kano_model.rules import RULES, classify
from satmodels.kano_model.segments import chi_square
from satmodels.statistics import pair_counts


def simulated(n: int, shares: list[float], seed: int) -> pd.DataFrame:
    """Answers of n respondents: attractive, one-dimensional, must-be, indifferent with these shares."""
    kind = np.random.default_rng(seed).choice(4, size=n, p=shares)
    return pd.DataFrame({"f": np.array([1, 1, 2, 3])[kind], "d": np.array([3, 5, 5, 4])[kind]})


PAIR = {"x": ("f", "d")}


@pytest.mark.parametrize("rule", RULES)
def test_class_shares_apply_the_rule_draw_by_draw(rule):
    drawn = np.random.default_rng(0).multinomial(25, [0.2, 0.2, 0.2, 0.2, 0.1, 0.1], size=300).astype(float)
    found = class_shares(drawn, rule, 0.06)
    one_by_one = [classify(row, rule, 0.06).category for row in drawn]
    np.testing.assert_allclose(found, [one_by_one.count(c) / 300 for c in "AOMIRQ"])


def test_bootstrap_is_the_exact_distribution_of_resampled_respondents():
    frame = simulated(80, [0.3, 0.3, 0.2, 0.2], 1)
    result = sat.kano(frame, PAIR)
    row = next(result.bootstrap(20_000, seed=1).estimates.rows())
    rng = np.random.default_rng(2)
    drawn = frame.to_numpy()[rng.integers(0, 80, size=(4_000, 80))]
    categories = np.array([list(r) for r in result.table.rows])[drawn[..., 0] - 1, drawn[..., 1] - 1]
    counts = np.stack([(categories == c).sum(axis=1) for c in "AOMIRQ"], axis=1).astype(float)
    better = coefficients(counts)[0]
    assert row["better_std_error"] == pytest.approx(np.std(better), rel=0.06)
    np.testing.assert_allclose(
        np.quantile(better, [0.025, 0.975]), [row["better_low"], row["better_high"]], atol=0.02
    )
    assert sum(row[f"p_{c}"] for c in "AOMIRQ") == pytest.approx(1)
    assert row["p_category"] == row[f"p_{row['category']}"]


def test_bootstrap_is_repeatable_and_bears_empty_groups():
    frame = simulated(60, [0.3, 0.3, 0.2, 0.2], 1).assign(g=["a"] * 59 + ["b"])
    frame.loc[59, "f"] = np.nan
    result = sat.kano(frame, PAIR, by="g")
    first = result.bootstrap(500, seed=4)
    assert first.estimates == result.bootstrap(500, seed=4).estimates
    assert first.estimates["p_A"][1] is None
    with pytest.raises(sat.ArgumentError, match="draws"):
        result.bootstrap(3)


def test_wilson_limits_cover_as_they_say():
    rng = np.random.default_rng(7)
    shares = [0.25, 0.3, 0.15, 0.2, 0.06, 0.04]
    truth = (0.25 + 0.3) / 0.9
    pairs = np.zeros((4_000, 1, 5, 5))
    drawn = rng.multinomial(120, shares, size=4_000)
    for k, (f, d) in enumerate([(0, 2), (0, 4), (2, 4), (2, 2), (4, 1), (4, 4)]):
        pairs[:, 0, f, d] = drawn[:, k]
    counts = sat.PairCounts(
        ("x",),
        ("draw",),
        5,
        tuple((k,) for k in range(4_000)),
        pairs.astype(int),
        pairs,
        pairs,
        np.zeros((4_000, 1), int),
    )
    found = sat.kano(counts).estimates
    low, high = np.array(found["better_low"]), np.array(found["better_high"])
    assert 0.94 < ((low <= truth) & (truth <= high)).mean() < 0.96


def test_continuous_analysis_by_hand_with_importance_and_labels():
    frame = pd.DataFrame(
        {
            "f": ["like", "like", "must", None],
            "d": ["dislike", "neutral", "dislike", "like"],
            "importance": ["9 very", "7", None, "5"],
            "w": [1.0, 2.0, 1.0, 1.0],
        }
    )
    words = ["like", "must", "neutral", "live", "dislike"]
    pair = sat.KanoPair(
        "x",
        "f",
        "d",
        "importance",
        scale=sat.Scale(1, 5, words),
        importance_scale=sat.Scale(1, 9, {9: "9 very", 7: "7", 5: "5"}),
    )
    row = next(sat.kano(frame, [pair]).continuous().estimates.rows())
    assert row["functional"] == pytest.approx((4 + 4 + 2) / 3)
    assert row["functional_sd"] == pytest.approx(np.std([4, 4, 2], ddof=1))
    assert row["dysfunctional"] == pytest.approx((4 + 0 + 4) / 3)
    assert row["importance"] == pytest.approx(7)
    assert row["category"] == "O"
    weighted = next(sat.kano(frame, [pair], weight="w").continuous().estimates.rows())
    assert weighted["functional"] == pytest.approx((4 + 2 * 4 + 2) / 4)
    with pytest.raises(sat.ArgumentError, match="functional"):
        sat.kano(frame, [pair]).continuous(functional=[1, 0, -1])
    with pytest.raises(sat.SchemaError, match="12"):
        sat.kano(frame.assign(importance=[12, 1, 2, 3]), [pair])


def test_segments_are_told_apart_when_they_differ_and_only_then():
    a, b = simulated(300, [0.6, 0.2, 0.1, 0.1], 1), simulated(300, [0.1, 0.2, 0.6, 0.1], 2)
    same = simulated(300, [0.6, 0.2, 0.1, 0.1], 3)
    apart = sat.kano(pd.concat([a.assign(g="a"), b.assign(g="b")]), PAIR, by="g").segments().estimates
    assert apart["differ"] == (True,) and apart["categories"] == ("A M",)
    alike = sat.kano(pd.concat([a.assign(g="a"), same.assign(g="b")]), PAIR, by="g").segments().estimates
    assert alike["differ"] == (False,)
    with pytest.raises(sat.ArgumentError, match="by="):
        sat.kano(a, PAIR).segments()


def test_chi_square_by_hand():
    # 2 x 2 of 10, 20, 20, 10: n (ad - bc)² / product of the margins
    assert chi_square(np.array([[10.0, 20], [20, 10]]))["chisq"] == pytest.approx(60 * 300**2 / 30**4)
    few = chi_square(np.array([[3.0, 0], [0, 3]]))
    # Fisher's exact test of this table: 0.1 (R 4.2.2)
    assert few["test"] == "random tables" and few["p_value"] == pytest.approx(0.1, abs=0.02)
    assert chi_square(np.array([[3.0, 0], [5, 0]]))["p_value"] is None


def test_waves_show_what_changed_with_newcombes_limits():
    before, after = (
        sat.kano(simulated(200, s, k), PAIR)
        for k, s in enumerate([[0.5, 0.2, 0.1, 0.2], [0.1, 0.2, 0.5, 0.2]])
    )
    row = next(before.changes(after).estimates.rows())
    assert (row["before"], row["after"], row["changed"]) == ("A", "M", True)
    b, a = (next(r.estimates.rows()) for r in (before, after))
    assert row["better_change"] == pytest.approx(a["better"] - b["better"])
    assert row["worse_change"] == pytest.approx(a["worse"] - b["worse"])
    assert row["worse_low"] < row["worse_change"] < row["worse_high"] < 0
    back = next(after.changes(before).estimates.rows())
    assert back["better_low"] == pytest.approx(-row["better_high"])
    other = sat.kano(simulated(50, [0.25] * 4, 0), {"y": ("f", "d")})
    with pytest.raises(sat.ArgumentError, match="different features"):
        before.changes(other)


def test_newcombe_as_published():
    # Newcombe (1998), table II, a: 56/70 and 48/80 differ by 0.2 with limits 0.0524 and 0.3339
    frames = [
        pd.DataFrame({"f": [1] * x + [2] * (n - x), "d": [3] * x + [5] * (n - x)})
        for x, n in ((48, 80), (56, 70))
    ]
    row = next(sat.kano(frames[0], PAIR).changes(sat.kano(frames[1], PAIR)).estimates.rows())
    assert (row["better_low"], row["better_high"]) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_a_group_alone_is_the_analysis_of_its_rows():
    frame = simulated(120, [0.3, 0.3, 0.2, 0.2], 5).assign(g=np.arange(120) % 2, h="z")
    whole = sat.kano(frame, PAIR, by=["g", "h"])
    assert whole.group(1, "z").estimates == sat.kano(frame[frame.g == 1], PAIR).estimates
    with pytest.raises(sat.ArgumentError, match="group"):
        whole.group(7, "z")


def test_lazy_frames_are_read_once_and_count_the_same(engine):
    frame = pd.DataFrame({"f": [1.0, None, 3.0, 5.0], "d": [5.0, 5.0, None, 1.0], "w": [1.0, 2.0, 3.0, 0.5]})
    pairs = {"x": ("f", "d"), "y": ("d", "f")}
    assert sat.PairCounts.collect(engine(frame), pairs) == sat.PairCounts.collect(frame, pairs)
    weighted = sat.PairCounts.collect(engine(frame), pairs, weight="w")
    assert weighted == sat.PairCounts.collect(frame, pairs, weight="w")
    assert weighted.weighted


def test_continuous_figure_draws():
    pytest.importorskip("matplotlib")
    result = sat.kano(simulated(80, [0.3, 0.3, 0.2, 0.2], 1), PAIR)
    assert len(sat.plot(result.continuous())._repr_png_()) > 1000


def test_lazy_frames_count_two_pairs_at_a_time_and_the_same(engine, monkeypatch):
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.integers(1, 6, size=(300, 8)), columns=list("abcdefgh"))
    frame = frame.assign(
        region=rng.choice(["n", "s"], 300), w=rng.uniform(0.5, 2, 300), a=frame["a"].where(frame["b"] > 1)
    )
    frame["h"] = frame["h"].map({1: "like", 2: "expect", 3: "neutral", 4: "bear", 5: "dislike"})
    labels = {"h": {"like": 1, "expect": 2, "neutral": 3, "bear": 4, "dislike": 5}}
    # the second and third pair share a column, so they can't be counted together
    pairs = {"1": ("a", "b"), "2": ("c", "d"), "3": ("e", "d"), "4": ("f", "g"), "5": ("a", "h")}
    plain = sat.PairCounts.collect(frame, pairs, "region", "w", labels=labels)
    for many in (10_000, 10):  # above so many cells it is one by one again
        monkeypatch.setattr(pair_counts, "MANY_CELLS", many)
        found = sat.PairCounts.collect(engine(frame), pairs, "region", "w", labels=labels)
        assert found.keys == plain.keys
        for name in ("n", "n_missing", "w", "w2"):
            np.testing.assert_allclose(getattr(found, name), getattr(plain, name), rtol=1e-12)
    bad = frame.assign(c=frame["c"].replace(2, 7))
    with pytest.raises(sat.SchemaError) as caught:
        sat.PairCounts.collect(engine(bad), pairs, "region", labels=labels)
    assert (caught.value.column, caught.value.n_bad) == ("c", int((bad["c"] == 7).sum()))
