"""How often nominal 95 % intervals of scores hold the truth, by simulation.

Run: python benchmarks/scores_coverage.py [samples]
First the intervals of single shares, net scores and means by sample size (as many samples as asked for), then every
other interval that the scores give at n = 200 (2,000 samples each, all samples of a case in one call as groups;
those that can't be are computed one by one). About a minute and a half of CPU.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd

import satmodels as sat
from satmodels.statistics.intervals import (
    NET_METHODS,
    PROPORTION_METHODS,
    mean_interval,
    median_interval,
    net_interval,
    proportion_interval,
    rate_interval,
)

SIZES = (20, 50, 200, 1000)
SHARES = (0.5, 0.8, 0.95)
NETS = ((0.25, 0.30, 0.45), (0.05, 0.25, 0.70))  # detractors, passives, promoters
ANSWERS = np.arange(1, 11)
SKEWED = np.array([1, 1, 2, 3, 5, 8, 14, 24, 24, 18]) / 100  # a usual 1-10 distribution


def share_coverage(p: float, n: int, samples: int, rng: np.random.Generator) -> dict[str, float]:
    x = rng.binomial(n, p, samples)
    found = {}
    for method in PROPORTION_METHODS:
        low, high = proportion_interval(x, n, method=method)
        found[method] = float(((low <= p) & (p <= high)).mean())  # the logit has none at 0 and n: a miss
    return found


def net_coverage(
    truth: tuple[float, ...], n: int, samples: int, rng: np.random.Generator
) -> dict[str, float]:
    d, m, p = rng.multinomial(n, truth, samples).T
    net = truth[2] - truth[0]
    found = {}
    for method in NET_METHODS:
        low, high = net_interval(d, m, p, method=method)
        found[method] = float(((low <= net) & (net <= high)).mean())
    return found


def mean_coverage(n: int, samples: int, rng: np.random.Generator) -> dict[str, float]:
    counts = rng.multinomial(n, SKEWED, samples)
    mean = counts @ ANSWERS / n
    variance = (counts @ ANSWERS**2 - n * mean**2) / (n - 1)
    truth = float(SKEWED @ ANSWERS)
    found = {}
    for method, df in (("wald", None), ("t", n - 1)):
        low, high = mean_interval(mean, np.sqrt(variance / n), df=df)
        found[method] = float(((low <= truth) & (truth <= high)).mean())
    return found


# every other interval at n = 200 ---------------------------------------------------------------------------------

N, SAMPLES, ONE_BY_ONE = 200, 2_000, 400
TEN, SEVEN = sat.Scale(1, 10), sat.Scale(1, 7)
SHOPS, STREET = 20, 10  # 20 clusters of 10, in two strata of unequal weight
WEIGHTS = np.array([0.5, 1.5])


def held(tidy: pd.DataFrame, truth: float) -> float:
    """Share of the intervals that hold the truth; a sample without an interval is a miss."""
    return float(((tidy["conf_low"] <= truth) & (truth <= tidy["conf_high"])).mean())


def items(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw three related items and an outcome of 1 to 10, skewed as answers are."""
    x = 0.7 * rng.normal(size=(n, 1)) + rng.normal(size=(n, 3))
    x = np.clip(np.round(6 + 1.5 * x + np.array([0, 1, -2.0])), 1, 10)
    y = np.clip(np.round(x @ [0.3, 0.5, 0.1] + 1.2 * rng.normal(size=n)), 1, 10)
    return pd.DataFrame(x, columns=["a", "b", "c"]).assign(overall=y)


def in_samples(frame: pd.DataFrame, n: int = N) -> pd.DataFrame:
    return frame.assign(sample=np.arange(len(frame)) // n)


def answers(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(ANSWERS, n, p=SKEWED)


def clustered(samples: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw samples of 20 clusters of 10 in two strata; the intraclass correlation is about .1."""
    rows = samples * N
    shop = np.arange(rows) // STREET
    stratum = shop % SHOPS // (SHOPS // 2)
    score = (
        rng.normal(size=samples * SHOPS)[shop] + 3 * rng.normal(size=rows) + np.where(stratum == 0, 6.5, 8.0)
    )
    frame = in_samples(pd.DataFrame({"q": np.clip(np.round(score), 1, 10)}))
    frame = frame.assign(w=WEIGHTS[stratum], shop=shop, stratum=2 * frame["sample"] + stratum)
    place = shop % SHOPS
    for r in range(SHOPS):
        m = SHOPS // 2  # the jackknife of each stratum: its other clusters stand in for the one left out
        other = np.where(stratum == r // m, m / (m - 1), 1.0)
        frame[f"r{r}"] = frame["w"] * np.where(place == r, 0.0, other)
    return frame


def of_several_items(rng: np.random.Generator) -> list[tuple[str, float]]:
    big = items(1_000_000, rng)
    frame = in_samples(items(SAMPLES * N, rng))
    each = ["a", "b", "c"]
    truth = sat.csi(big, each, scale=TEN).estimate
    index = {m: sat.csi(frame, each, scale=TEN, by="sample", method=m).tidy() for m in ("wald", "t")}
    found = [(f"csi, equal weights, {m}", held(tidy, truth)) for m, tidy in index.items()]
    gap = {"x": [("b", "a")], "y": [("c", "overall")]}
    for name in ("x", "overall"):
        truth = sat.servqual(big, gap, scale=TEN).dimension(name).estimate
        result = sat.servqual(frame, gap, scale=TEN, by="sample").dimension(name).tidy()
        found.append((f"servqual gap, {name}", held(result, truth)))
    zone = {"x": [("c", "b", "a")]}
    truth = sat.zone_of_tolerance(big, zone, scale=TEN).dimension("x").estimate
    found.append(
        (
            "zone of tolerance, adequacy",
            held(sat.zone_of_tolerance(frame, zone, scale=TEN, by="sample").dimension("x").tidy(), truth),
        )
    )
    truth = sat.disconfirmation(big, "b", "a", scale=TEN).estimate
    found.append(
        ("disconfirmation", held(sat.disconfirmation(frame, "b", "a", scale=TEN, by="sample").tidy(), truth))
    )
    for score, scale in (("nps", sat.Scale(1, 10)), ("csat", TEN), ("mean", TEN)):
        truth = sat.compare_paired(big, "a", "b", score=score, scale=scale).table["estimate"][0]
        tidy = sat.compare_paired(
            frame, "a", "b", score=score, scale=scale, by="sample", adjust="none"
        ).tidy()
        found.append((f"paired change, {score}", held(tidy, truth)))
    return found


def of_derived_weights(rng: np.random.Generator) -> list[tuple[str, float]]:
    each, text = ["a", "b", "c"], "Quality =~ a + b + c ; Overall =~ overall ; Overall ~ Quality"
    ways = {
        "csi, Shapley weights": lambda frame: sat.key_drivers(frame, "overall", each, interval="none"),
        "csi, PLS weights": lambda frame: sat.PLSPM(text).fit(frame),
        "csi, covariance model's weights": lambda frame: sat.CBSEM(
            "Quality =~ a + b + c ; overall ~ Quality"
        ).fit(frame),
    }
    big = items(300_000, rng)
    found: list[tuple[str, float]] = []
    for name, derive in ways.items():
        truth = sat.csi(big, each, weights=derive(big), scale=TEN).estimate
        tries = ONE_BY_ONE // 2 if "covariance" in name else ONE_BY_ONE
        hits = known = 0
        for _ in range(tries):
            frame = items(N, rng)
            weights = derive(frame)
            result = sat.csi(frame, each, weights=weights, scale=TEN)
            hits += result.conf_low <= truth <= result.conf_high
            fixed = dict(zip(each, result.weights, strict=True))
            result = sat.csi(frame, each, weights=fixed, scale=TEN)
            known += result.conf_low <= truth <= result.conf_high
        found += [(name, hits / tries), (f"{name}, if they counted as known", known / tries)]
    return found


def of_differences(rng: np.random.Generator) -> list[tuple[str, float]]:
    q = answers(SAMPLES * N, rng)
    q2 = np.maximum(answers(SAMPLES * N, rng) - 1, 1)
    frame = in_samples(
        pd.DataFrame({"q": np.where(np.arange(len(q)) % 2, q, q2), "g": np.arange(len(q)) % 2})
    )
    shifted = np.maximum(ANSWERS - 1, 1)

    def truth(worth: np.ndarray, of: np.ndarray = ANSWERS) -> float:
        return float(SKEWED @ np.interp(of, ANSWERS, worth))

    worth = {
        "nps": 100.0 * (ANSWERS > 8) - 100.0 * (ANSWERS < 7),
        "csat": 100.0 * (ANSWERS > 8),
        "mean": ANSWERS.astype(float),
    }
    by = ["sample", "g"]
    results = {
        "nps, wald": sat.nps(frame, "q", scale=TEN, by=by),
        "nps, adjusted-wald": sat.nps(frame, "q", scale=TEN, by=by, method="adjusted-wald"),
        "csat": sat.csat(frame, "q", scale=TEN, by=by),
        "mean": sat.mean_score(frame, "q", scale=TEN, by=by),
    }
    found: list[tuple[str, float]] = []
    for name, result in results.items():
        value = worth[name.split(",")[0]]
        gap = truth(value) - truth(value, shifted)
        tidy = sat.compare(result, within="sample", adjust="none").tidy()
        found.append((f"difference, {name}", held(tidy, gap)))
    rise = in_samples(pd.DataFrame({"q": q, "wave": np.arange(len(q)) % 4}))
    for name, result in {
        "nps": sat.nps(rise, "q", scale=TEN, by=["sample", "wave"]),
        "mean": sat.mean_score(rise, "q", scale=TEN, by=["sample", "wave"]),
    }.items():
        found.append((f"trend slope of 4 waves, {name}", held(sat.trend(result, "wave").tidy(), 0.0)))
    hits = 0
    for _ in range(ONE_BY_ONE):
        level = rng.normal(6, 1.5, (N // 4, 1))
        panel = np.clip(np.round(level + rng.normal(0, 1, (N // 4, 4))), 1, 10)
        long = pd.DataFrame(
            {
                "who": np.repeat(np.arange(N // 4), 4),
                "wave": np.tile(np.arange(4), N // 4),
                "q": panel.ravel(),
            }
        )
        result = sat.mean_score(long, "q", scale=TEN, by="wave", design=sat.Design(cluster="who"))
        slope = sat.trend(result).tidy().iloc[0]
        hits += slope["conf_low"] <= 0 <= slope["conf_high"]
    return [*found, ("trend slope of 4 waves of 50 respondents, mean", hits / ONE_BY_ONE)]


def of_designs(rng: np.random.Generator) -> list[tuple[str, float]]:
    big, frame = clustered(5_000, rng), clustered(SAMPLES, rng)
    design = sat.Design(strata="stratum", cluster="shop")
    replicated = sat.Design(
        replicate_weights=tuple(f"r{r}" for r in range(SHOPS)),
        replicate_scale=(SHOPS / 2 - 1) / (SHOPS / 2),
        replicate_df=SHOPS - 2,
    )
    scores = {
        "nps, wald": lambda data, **more: sat.nps(data, "q", scale=TEN, **more),
        "nps, score": lambda data, **more: sat.nps(data, "q", scale=TEN, method="score", **more),
        "mean": lambda data, **more: sat.mean_score(data, "q", scale=TEN, **more),
    }
    for method in ("wilson", "clopper-pearson", "agresti-coull", "jeffreys", "wald", "logit", "arcsine"):
        scores[f"csat, {method}"] = lambda data, method=method, **more: sat.csat(
            data, "q", scale=TEN, method=method, **more
        )
    found: list[tuple[str, float]] = []
    alone = frame.assign(shop=np.arange(len(frame)), q=rng.permutation(frame["q"]))
    independent = big.assign(q=rng.permutation(big["q"]))
    for name, score in scores.items():
        truth = score(independent, weight="w").estimate
        found.append((f"weights alone, {name}", held(score(alone, weight="w", by="sample").tidy(), truth)))
        truth = score(big, weight="w").estimate
        for said, how in (("strata and clusters", design), ("jackknife weights", replicated)):
            tidy = score(frame, weight="w", design=how, by="sample").tidy()
            found.append((f"{said}, {name}", held(tidy, truth)))
    return found


def of_indicators(rng: np.random.Generator) -> list[tuple[str, float]]:
    hours = rng.exponential(3 * 3600, (SAMPLES, N)).round()
    truth = np.log(2) * 3 * 3600
    limits = np.array([median_interval(v) for v in hours])
    found = [("median (order statistics)", float(((limits[:, 0] <= truth) & (truth <= limits[:, 1])).mean()))]
    for rate in (0.05, 0.5):
        low, high = rate_interval(rng.poisson(rate * N, 20_000), N)
        found.append(
            (
                f"rate of {100 * rate:g} per 100 (exact Poisson)",
                float(((low <= rate) & (rate <= high)).mean()),
            )
        )
    times = 1 + rng.geometric(0.4, (20_000, N)) - 1
    low, high = mean_interval(times.mean(axis=1), times.std(axis=1, ddof=1) / np.sqrt(N), df=N - 1)
    found.append(("purchases per buyer (t)", float(((low <= 2.5) & (high >= 2.5)).mean())))
    return found


def table(title: str, rows: list[tuple[str, dict[str, float]]]) -> None:
    names = list(rows[0][1])
    print(f"\n| {title} | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for label, found in rows:
        print(f"| {label} | " + " | ".join(f"{100 * found[name]:.1f}" for name in names) + " |")


def main(samples: int = 20_000) -> None:
    start, rng = time.process_time(), np.random.default_rng(1)
    table("share, n", [(f"{p}, {n}", share_coverage(p, n, samples, rng)) for p in SHARES for n in SIZES])
    table(
        "net score, n",
        [(f"{t[2] - t[0]:.2f}, {n}", net_coverage(t, n, samples, rng)) for t in NETS for n in SIZES],
    )
    table("mean of 1-10, n", [(str(n), mean_coverage(n, samples, rng)) for n in SIZES])
    print(f"\n| interval at n = {N} | coverage |\n|---|---|")
    for study in (of_several_items, of_derived_weights, of_differences, of_designs, of_indicators):
        for name, coverage in study(rng):
            print(f"| {name} | {100 * coverage:.1f} |", flush=True)
    print(f"\n{samples:,} samples each, {time.process_time() - start:.1f} CPU s")


if __name__ == "__main__":
    main(*(int(v) for v in sys.argv[1:]))
