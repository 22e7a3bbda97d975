"""Churn: what leakage would have claimed, speed of panels and of the expected maximum profit.

    python benchmarks/bench_churn.py            # honest against leaky validation, EMPC, a panel of 1 million events
    python benchmarks/bench_churn.py --full     # the panel with 10 million events, 200,000 customers, 12 cutoffs

CPU seconds of one run; ratios are within the run.
"""

from __future__ import annotations

import argparse
import os
import resource
import time

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np
import pandas as pd

import satmodels as sat

KINDS = np.array(["login", "purchase", "complaint", "complaint_resolved", "payment", "payment_late"])


def leakage(n: int = 6000, seed: int = 5) -> None:
    """Honest: gap, later cutoff, purged. Leaky: no gap, rows shuffled, features up to the day of leaving."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    study = sat.datasets.simulate_service(n=n, months=18, seed=seed)
    cutoffs = pd.date_range("2025-04-01", "2026-03-01", freq="MS")
    options = dict(kind="kind", end="end", amount="amount", attributes=["region", "plan"])
    logs = {"use": study.events, "purchase": study.transactions}

    def panel(window: sat.ChurnWindow, label: object = True) -> pd.DataFrame:
        return sat.churn_panel(logs, study.customers, cutoffs=cutoffs, window=window, label=label, **options)

    window = sat.ChurnWindow(observation=90, gap=14, horizon=60)
    honest = panel(window)
    ((train, test),) = sat.CutoffSplit(1, window).split(honest)
    model = sat.ChurnClassifier(window=window, costs=sat.ChurnCosts(value=300)).fit(honest.iloc[train])
    risk = model.predict_proba(honest.iloc[test])[:, 1]
    y = honest["churned"].to_numpy()[test]
    _say("gap 14 days, later cutoff, purged", y, risk)
    truth = study.truth.hazard[study.truth.hazard["month"] == str(cutoffs[-1])[:7]].set_index("customer")[
        "hazard"
    ]
    known = honest.iloc[test]["customer"].map(truth).fillna(truth.mean()).to_numpy()
    _say("  the true hazard of that month", y, known)
    times = panel(window, "time").iloc[test]
    top = np.argsort(-risk)[: len(risk) // 10]
    lead = window.gap.days + times["time"].to_numpy()[top][y[top] == 1]
    print(
        f"  days from the warning to leaving, leavers in the riskiest 10 %: median {np.median(lead):.0f}, least {lead.min():.0f}"
    )

    easy = panel(sat.ChurnWindow(observation=90, gap=0, horizon=60))
    X, label = easy.drop(columns=["customer", "cutoff", "churned"]), easy["churned"].to_numpy()
    shuffled = StratifiedKFold(3, shuffle=True, random_state=0)
    plain = sat.ChurnClassifier("boosting", calibration=None)
    _say(
        "no gap, rows shuffled",
        label,
        cross_val_predict(plain, X, label, cv=shuffled, method="predict_proba")[:, 1],
    )
    # the usual accident: features from a table of today, in which who has left has long been silent
    seen = study.events[study.events["date"] < cutoffs[-1] + pd.Timedelta(days=60)]
    silent = (seen["date"].max() - seen.groupby("customer")["date"].max()).dt.days
    stale = X.assign(days_silent=easy["customer"].map(silent).to_numpy(dtype=float))
    _say(
        "  and recency as of today",
        label,
        cross_val_predict(plain, stale, label, cv=shuffled, method="predict_proba")[:, 1],
    )


def _say(name: str, y: np.ndarray, risk: np.ndarray) -> None:
    found = sat.churn_report(y, risk).glance().iloc[0]
    print(
        f"{name:36s} AUC {found['auc']:.3f}  top-decile recall {found['recall_10']:.3f}  "
        f"Brier {found['brier']:.4f}  ECE {found['ece']:.4f}  (n {int(found['n']):,}, {found['churn_rate']:.1%} left)"
    )


def profit(n: int = 1_000_000) -> None:
    """Expected maximum profit of a million customers."""
    rng = np.random.default_rng(0)
    p = rng.random(n)
    y = (rng.random(n) < p).astype(int)
    ours = min(_cpu(lambda: sat.expected_maximum_profit(y, p)) for _ in range(3))
    line = f"EMPC, {n:,} rows: {ours:.3f} CPU s"
    try:
        from empulse.metrics import empc_score
    except ImportError:
        print(line)
        return
    theirs = min(_cpu(lambda: empc_score(y, p)) for _ in range(3))
    gap = abs(empc_score(y, p) - sat.expected_maximum_profit(y, p).estimate)
    print(f"{line}; empulse {theirs:.3f} (ratio {ours / theirs:.2f}); difference {gap:.1e}")


def panels(events: int, customers: int, cutoffs: int = 12) -> None:
    """A panel from a log of six kinds of events, on pandas, polars and DuckDB."""
    rng = np.random.default_rng(0)
    who = rng.integers(0, customers, events)
    when = np.datetime64("2024-01-01", "us") + rng.integers(0, 540 * 86_400, events) * np.timedelta64(1, "s")
    kind = KINDS[rng.choice(6, events, p=[0.7, 0.12, 0.03, 0.02, 0.1, 0.03])]
    amount = np.where(kind == "purchase", rng.gamma(2, 20, events), np.nan)
    log = pd.DataFrame({"customer": who, "date": when, "kind": kind, "amount": amount})
    table = pd.DataFrame({"customer": np.arange(customers), "start": np.datetime64("2023-01-01", "us")})
    window = sat.ChurnWindow(observation=90, gap=14, horizon=30)
    moments = [np.datetime64("2024-04-01") + 30 * i for i in range(cutoffs)]
    for name, convert in _engines().items():
        frames = convert(log), convert(table)
        shape: list[tuple[int, int]] = []

        def build(frames: tuple[object, object] = frames, shape: list[tuple[int, int]] = shape) -> None:
            made = sat.churn_panel(*frames, cutoffs=moments, window=window, kind="kind", amount="amount")
            shape.append((len(made), len(made.columns) if hasattr(made, "columns") else made.num_columns))

        seconds = _cpu(build)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"panel, {name}: {events:,} events, {customers:,} customers, {cutoffs} cutoffs: {seconds:.1f} CPU s, "
            f"{shape[0][0]:,} rows x {shape[0][1]} columns; peak of the process so far {peak:.2f} GiB"
        )


def _engines() -> dict[str, object]:
    found: dict[str, object] = {"pandas": lambda frame: frame}
    try:
        import polars as pl

        found["polars"] = pl.from_pandas
    except ImportError:
        pass
    try:
        import duckdb

        connection = duckdb.connect()
        found["duckdb"] = lambda frame: connection.from_df(frame)
    except ImportError:
        pass
    return found


def _cpu(call: object) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    full = parser.parse_args().full
    if full:
        panels(10_000_000, 200_000)
    else:
        leakage()
        profit()
        panels(1_000_000, 20_000)
