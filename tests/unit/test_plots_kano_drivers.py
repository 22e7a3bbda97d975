"""Kano and driver figures: they draw, and labels keep apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def many_features():
    rng = np.random.default_rng(3)
    columns, pairs = {}, {}
    for k in range(40):
        kind = rng.choice(4, size=200, p=rng.dirichlet([2, 2, 2, 2]))
        columns[f"f{k}"] = np.array([1, 1, 2, 3])[kind]
        columns[f"d{k}"] = np.array([3, 5, 5, 3])[kind]
        pairs[f"特性 feature {k}"] = (f"f{k}", f"d{k}")
    return sat.kano(pd.DataFrame(columns), pairs)


def test_forty_labels_do_not_cover_each_other(many_features):
    figure = sat.plot(many_features)
    axes = figure.axes[0]
    renderer = figure.canvas.get_renderer()
    texts = [t for t in axes.texts if "feature" in t.get_text()]
    assert len(texts) == 40
    boxes = [t.get_window_extent(renderer).shrunk(0.98, 0.9) for t in texts]
    covering = sum(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert covering == 0


def test_every_view_draws(many_features):
    assert len(sat.plot(many_features, view="bars").axes) == 1
    with pytest.raises(sat.ArgumentError, match="bars"):
        sat.plot(many_features, view="pie")


def test_groups_are_panels_and_missing_coefficients_do_no_harm():
    frame = pd.DataFrame({"f": [1, 1, 3, 5], "d": [5, 3, 5, 5], "g": ["$a", "$a", "b", None]})
    result = sat.kano(frame, {"x_$1": ("f", "d")}, by="g")
    assert len(sat.plot(result).axes) == 3
    assert len(sat.plot(result, view="bars")._repr_png_()) > 1000


def test_driver_figures_draw():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(np.clip(rng.normal(6, 2, size=(200, 4)), 1, 10), columns=["价格", "b$", "c", "y"])
    frame["c"] = 11 - frame["y"] + rng.normal(size=200) * 0.1
    frame["c"] = frame["c"].clip(1, 10)
    drivers = sat.key_drivers(frame, "y", ["价格", "b$", "c"])
    grouped = sat.key_drivers(
        frame.assign(g=np.arange(200) % 2), "y", ["价格", "b$"], by="g", interval="none"
    )
    for result in (
        drivers,
        grouped,
        sat.importance_performance(drivers, scale=sat.Scale(1, 10)),
        sat.importance_performance(grouped),
        sat.key_drivers(frame.assign(z=rng.integers(0, 2, size=200)), "z", ["价格", "b$"], method="logit"),
        sat.reach_noise(frame, "y", ["价格", "b$"], dissatisfied=5, failed=4),
        sat.priorities(drivers, scale=sat.Scale(1, 10), budget=1, kano={"c": "M"}),
    ):
        assert len(sat.plot(result)._repr_png_()) > 1000


def test_segments_waves_and_dominance_draw():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {"f": rng.integers(1, 4, 300), "d": rng.integers(3, 6, 300), "g": np.arange(300) % 3}
    )
    frame["none"] = np.nan  # a feature without answers has no test and no change
    pairs = {"x_$1": ("f", "d"), "空": ("none", "d")}
    wave = sat.kano(frame, pairs)
    segments = sat.plot(sat.kano(frame, pairs, by="g").segments())
    assert [t.get_text() for t in segments.axes[0].get_yticklabels()] == [r"x_\$1"]
    changes = sat.plot(wave.changes(wave), title="2025 to 2026")
    assert len(changes.axes) == 2
    corr = 0.4 + 0.6 * np.eye(17)
    moments = sat.Moments.from_correlation(corr, 200, columns=[f"q${k}" for k in range(17)])
    dominance = sat.plot(sat.key_drivers(moments, "q$0").dominance())
    assert len(dominance.axes[0].lines) == 16
    for figure in (segments, changes, dominance):
        assert len(figure._repr_png_()) > 1000


def test_stability_shows_the_least_certain_class_on_top(many_features):
    stability = many_features.bootstrap(draws=200, seed=1)
    axes = sat.plot(stability).axes[0]
    labels = [t.get_text() for t in axes.get_yticklabels()]
    least = min(stability.estimates.rows(), key=lambda row: row["p_category"])
    assert len(labels) == 40
    assert labels[0] == f"{least['feature']}  [{least['category']}]"
    widths = sum(bar.get_width() for bar in axes.patches)
    assert widths == pytest.approx(40 * 100)


def test_stability_leaves_out_what_nobody_answered():
    frame = pd.DataFrame({"f": [1, 1, 3], "d": [5, 3, 5], "e": [None] * 3, "h": [None] * 3})
    result = sat.kano(frame.astype(float), {"asked": ("f", "d"), "silent": ("e", "h")})
    axes = sat.plot(result.bootstrap(draws=200, seed=1)).axes[0]
    assert [t.get_text()[:5] for t in axes.get_yticklabels()] == ["asked"]


def test_too_many_features_for_a_figure_of_stability_are_refused():
    frame = pd.DataFrame({"f": [1, 1, 3] * 31, "d": [5, 3, 5] * 31, "g": np.arange(93) % 31})
    result = sat.kano(frame, {"x": ("f", "d"), "y": ("f", "d")}, by="g")
    with pytest.raises(sat.ArgumentError, match="62 rows"):
        sat.plot(result.bootstrap(draws=100, seed=1))
