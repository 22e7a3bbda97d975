"""Weighted and design-based scores against R survey 4.1-1 on a simulated cluster sample (make_scores.R).

Published and measured figures of other programs are literals, with program and tolerance beside them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import satmodels as sat
from satmodels.statistics.intervals import net_interval, proportion_interval

HERE = Path(__file__).parent
SAMPLE = pd.read_csv(HERE / "scores_sample.csv")
R: dict[str, Any] = json.loads((HERE / "scores_survey.json").read_text())
JKN = [c for c in SAMPLE if c.startswith("j")]
BOOT = [c for c in SAMPLE if c.startswith("b")]
DESIGNS: dict[str, sat.Design | None] = {
    "weights": None,
    "strata": sat.Design(strata="region", fpc="people"),
    "clusters": sat.Design(strata="region", cluster="shop"),
    "clusters_fpc": sat.Design(strata="region", cluster="shop", fpc="shops"),
    "one_stratum": sat.Design(cluster="shop"),
    "jkn": sat.Design(replicate_weights=tuple(JKN), replicate_scale=tuple(R["meta"]["jkn_scales"])),
    "bootstrap": sat.Design(replicate_weights=tuple(BOOT), replicate_scale=tuple(R["meta"]["boot_scales"])),
}
FIVE = sat.Scale(1, 5)


def score(name: str, **options: Any) -> Any:
    given = {"data": SAMPLE, "weight": "w", **options}
    if name == "net":
        return sat.nps(item="nps", **given)
    if name == "top":
        return sat.csat(item="q", scale=FIVE, **{"method": "wald", **given})
    if name == "q":
        return sat.mean_score(item="q", scale=FIVE, **given)
    return sat.csi(items=["q", "q2"], scale=FIVE, weights={"q": 3, "q2": 1}, **given)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("name", ["net", "top", "q", "index"])
def test_means_and_standard_errors_equal_svymean(design: str, name: str) -> None:
    expected = R[design][name]
    result = score(name, design=DESIGNS[design])
    assert result.estimate == pytest.approx(expected["mean"], rel=1e-9)
    assert result.std_error == pytest.approx(expected["se"], rel=1e-9)
    # 18 for 21 jackknife replicates and for 30 of a bootstrap: the rank of the replicates less 1
    assert result.tidy()["df"][0] == expected["df"]
    assert (result.conf_low, result.conf_high) == pytest.approx((expected["low"], expected["high"]), rel=1e-9)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("name", ["net", "top", "q", "index"])
def test_groups_are_domains_as_in_svyby(design: str, name: str) -> None:
    expected = R[design][name]
    result = score(name, design=DESIGNS[design], by="sex")
    rows = result.tidy()
    assert rows["estimate"].tolist() == pytest.approx(expected["group_mean"], rel=1e-9)
    assert rows["std_error"].tolist() == pytest.approx(expected["group_se"], rel=1e-9)
    if DESIGNS[design] is not None:
        assert result.covariance[0][1] == pytest.approx(expected["group_cov"], rel=1e-9, abs=1e-12)
    difference = sat.compare(result).tidy().iloc[0]
    assert difference["statistic"] == pytest.approx(expected["t"], rel=1e-8)
    if not design.startswith(("jkn", "boot")):
        assert difference["p_value"] == pytest.approx(expected["t_p"], rel=1e-8)


@pytest.mark.parametrize("design", [d for d in DESIGNS if not d.startswith(("jkn", "boot"))])
def test_proportions_equal_svyciprop(design: str) -> None:
    expected = R[design]["ciprop"]
    for ours, theirs in (
        ("logit", "logit"),
        ("arcsine", "asin"),
        ("wald", "mean"),
        ("clopper-pearson", "beta"),
    ):
        result = score("top", design=DESIGNS[design], method=ours)
        limits = np.array([result.conf_low, result.conf_high]) / 100
        np.testing.assert_allclose(limits, expected[theirs], rtol=1e-9)


# R 4.2.2, prop.test / binom.test / qbeta / Agresti-Coull by formula; 1e-9
PROPORTIONS = {
    (85, 120): {
        "wald": (0.627009151, 0.789657516),
        "wilson": (0.621557650, 0.782184364),
        "clopper-pearson": (0.618375718, 0.787710252),
        "agresti-coull": (0.621306116, 0.782435897),
        "jeffreys": (0.622773552, 0.783980909),
    },
    (7, 10): {
        "wald": (0.415974235, 0.984025765),
        "wilson": (0.396778147, 0.892208733),
        "clopper-pearson": (0.347547150, 0.933260489),
        "agresti-coull": (0.392325298, 0.896661582),
        "jeffreys": (0.394181682, 0.907305406),
    },
    (0, 12): {
        "wald": (0, 0),
        "wilson": (0, 0.242494007),
        "clopper-pearson": (0, 0.264648469),
        "agresti-coull": (0, 0.281985322),  # -.0395 clipped
        "jeffreys": (0, 0.185305938),  # the plain beta quantile .00004 set to 0
    },
    (12, 12): {"wilson": (0.757505993, 1), "clopper-pearson": (0.735351531, 1), "jeffreys": (0.814694062, 1)},
}


@pytest.mark.parametrize(("x", "n"), PROPORTIONS)
def test_proportion_intervals(x: int, n: int) -> None:
    for method, expected in PROPORTIONS[x, n].items():
        low, high = proportion_interval(x, n, method=method)
        assert (float(low), float(high)) == pytest.approx(expected, abs=1e-9)


# R package NPS 2.0.999 on counts of detractors, passives, promoters; score interval iterative, 2e-6
NET = {
    (54, 105, 83): {
        "wald": (0.026248108, 0.213421313),
        "adjusted-wald": (0.025394273, 0.211340421),
        "score": (0.025246235, 0.212109859),
    },
    (3, 2, 1): {
        "wald": (-0.929731381, 0.263064715),
        "adjusted-wald": (-0.711877032, 0.267432588),
        "score": (-0.753956733, 0.311073860),
    },
    (0, 0, 20): {
        "wald": (1, 1),
        "adjusted-wald": (0.696833440, 1),  # 1.0423 clipped
        "score": (0.677749634, 1),
    },
    (500, 300, 200): {"score": (-0.347503990, -0.250761110)},
}


@pytest.mark.parametrize("counts", NET)
def test_net_intervals(counts: tuple[int, int, int]) -> None:
    for method, expected in NET[counts].items():
        low, high = net_interval(*counts, method=method)
        assert (float(low), float(high)) == pytest.approx(expected, abs=2e-6 if method == "score" else 1e-9)


def test_two_sample_nps_and_proportions() -> None:
    def two(a: tuple[int, ...], b: tuple[int, ...]) -> pd.DataFrame:
        rows = [
            (g, v)
            for g, c in (("a", a), ("b", b))
            for v, k in zip((3, 8, 10), c, strict=True)
            for _ in range(k)
        ]
        return pd.DataFrame(rows, columns=["g", "nps"])

    data = two((70, 60, 70), (50, 30, 120))
    plain = sat.compare(sat.nps(data, "nps", by="g")).tidy().iloc[0]
    assert plain["std_error"] == pytest.approx(8.44837262, abs=1e-7)  # R package NPS 2.0.999
    assert (plain["conf_low"], plain["conf_high"]) == pytest.approx((18.4414939, 51.5585061), abs=1e-6)
    shrunk = sat.compare(sat.nps(data, "nps", by="g", method="adjusted-wald")).tidy().iloc[0]
    assert (shrunk["conf_low"], shrunk["conf_high"]) == pytest.approx((18.0731844, 50.8923328), abs=1e-6)
    shares = two((50, 0, 60), (35, 0, 85))
    row = sat.compare(sat.csat(shares, "nps", scale=sat.Scale(0, 10), by="g")).tidy().iloc[0]
    # R 4.2.2 prop.test(correct = FALSE) of 85/120 and 60/110
    assert row["statistic"] ** 2 == pytest.approx(6.534974491, abs=1e-8)
    assert row["p_value"] == pytest.approx(0.010577374, abs=1e-9)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((3.9298622, 28.6458953), abs=1e-6)


def test_published_index_weights() -> None:
    """Formula of the ACSI with the weights of a published 2013 study, at means 8.2, 7.5 and 7.1."""
    moments = sat.Moments.from_correlation(
        np.eye(3), 100, mean=[8.2, 7.5, 7.1], columns=["satisfaction", "expectations", "ideal"]
    )
    weights = {"satisfaction": 0.3885, "expectations": 0.3190, "ideal": 0.2925}
    index = sat.csi(moments, list(weights), weights=weights, scale=sat.Scale(1, 10))
    assert index.estimate == pytest.approx(73.94388888888888, rel=1e-12)
    equal = sat.csi(moments, list(weights), scale=sat.Scale(1, 10))
    assert equal.estimate == pytest.approx(73.33333333333333, rel=1e-12)


@pytest.mark.parametrize("design", ["strata", "clusters", "clusters_fpc", "one_stratum", "jkn", "bootstrap"])
@pytest.mark.parametrize("name", ["net", "top", "q", "index"])
def test_the_trend_of_waves_equals_svycontrast(design: str, name: str) -> None:
    """Waves of one sample share its clusters: their covariances enter the error of the slope."""
    expected = R[design]["trend"][name]
    waves = SAMPLE.assign(wave=np.arange(len(SAMPLE)) % 4)
    result = sat.trend(score(name, data=waves, by="wave", design=DESIGNS[design])).tidy()
    assert result["estimate"][0] == pytest.approx(expected["slope"], rel=1e-9)
    assert result["std_error"][0] == pytest.approx(expected["se"], rel=1e-9)
