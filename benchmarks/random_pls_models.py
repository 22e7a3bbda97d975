"""Lay PLSPM beside the Python seminr package on random models and data.

    OMP_NUM_THREADS=1 python benchmarks/random_pls_models.py [CASES] [SEED]

Draws 2 to 6 constructs with 1 to 4 items each, modes A and B, recursive paths, the path or factorial scheme, plain or
consistent PLS, and sometimes gaps (mean replacement); seminr iterates to 1e-10, ours to 1e-12. Prints the largest difference of each
table, and every case that differs by more than 1e-8.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import seminr

import satmodels as sat

TOLERANCE = 1e-8


def draw(
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, dict[str, list[str]], dict[str, str], dict[str, list[str]]]:
    """Return answers, items and modes of each construct, and the sources of each target."""
    k, n = int(rng.integers(2, 7)), int(rng.choice([60, 250, 1000]))
    scores, sources = rng.normal(size=(n, k)), {}
    for j in range(1, k):
        at = [i for i in range(j) if rng.random() < 0.5] or [j - 1]
        sources[f"F{j}"] = [f"F{i}" for i in at]
        scores[:, j] += scores[:, at] @ rng.uniform(0.1, 0.9, len(at))
    columns: dict[str, Any] = {}
    items: dict[str, list[str]] = {}
    for j in range(k):
        items[f"F{j}"] = [f"c{j}i{i}" for i in range(rng.integers(1, 5))]
        for item in items[f"F{j}"]:
            columns[item] = (
                rng.uniform(0.5, 1.5) * scores[:, j] + rng.normal(size=n) * rng.uniform(0.4, 1.2) + 5
            )
    modes = {c: str(rng.choice(["A", "A", "B"])) if len(block) > 1 else "A" for c, block in items.items()}
    frame = pd.DataFrame(columns)
    if rng.random() < 0.3:
        frame = frame.mask(rng.random(frame.shape) < 0.03)
    return frame, items, modes, sources


def ours(frame: pd.DataFrame, text: str, scheme: Any, consistent: bool) -> dict[str, pd.DataFrame]:
    """Return the tables of PLSPM, constructs or items by constructs."""
    model = sat.PLSPM(text, scheme=scheme, consistent=consistent, tol=1e-12, max_iter=3000)
    result = model.fit(frame).result_
    tables = {name: getattr(result, name) for name in ("paths", "weights", "loadings")}
    wide = {name: t.pivot(index="rhs", columns="lhs", values="estimate") for name, t in tables.items()}
    return wide | {"r2": result.r2.set_index("construct")[["r2"]].T}


def theirs(
    frame: pd.DataFrame,
    items: dict[str, list[str]],
    modes: dict[str, str],
    sources: dict[str, list[str]],
    scheme: str,
    consistent: bool,
) -> dict[str, pd.DataFrame]:
    """Return the same tables of seminr."""
    marks = {"A": seminr.mode_A, "B": seminr.mode_B}
    blocks = [
        seminr.reflective(c, block)
        if consistent and modes[c] == "A"
        else seminr.composite(c, block, weights=marks[modes[c]])
        for c, block in items.items()
    ]
    paths = [seminr.paths(from_=s, to=target) for target, s in sources.items()]
    inner = seminr.path_weighting if scheme == "path" else seminr.path_factorial
    model = seminr.estimate_pls(
        frame,
        seminr.constructs(*blocks),
        seminr.relationships(*paths),
        inner_weights=inner,
        max_it=3000,
        stop_criterion=10,
    )
    named = {
        "paths": model.path_coef,
        "weights": model.outer_weights,
        "loadings": model.outer_loadings,
        "r2": model.r_squared,
    }
    wide = {
        name: pd.DataFrame(m.values, index=list(m.rows), columns=list(m.cols)) for name, m in named.items()
    }
    # seminr leaves a construct's sign as the iteration ends; ours is that of most of its loadings
    sign = np.sign(wide["loadings"].sum()).replace(0, 1)
    wide = {name: t * sign.reindex(t.columns) for name, t in wide.items()}
    wide["paths"] = wide["paths"].mul(sign.reindex(wide["paths"].index), axis=0)
    return wide | {"r2": wide["r2"].loc[["Rsq"]].set_axis(["r2"]).abs()}


def main(cases: int = 150, seed: int = 7) -> None:
    """Draw, fit and compare."""
    warnings.simplefilter("ignore")
    rng, worst = np.random.default_rng(seed), dict.fromkeys(("paths", "weights", "loadings", "r2"), 0.0)
    for c in range(cases):
        frame, items, modes, sources = draw(rng)
        scheme, consistent = str(rng.choice(["path", "factorial"])), bool(rng.random() < 0.25)
        lines = [f"{j} {'=~' if modes[j] == 'A' else '<~'} {' + '.join(items[j])}" for j in items]
        lines += [f"{target} ~ {' + '.join(s)}" for target, s in sources.items()]
        try:
            own = ours(frame, "\n".join(lines), scheme, consistent)
        except sat.SatmodelsError as error:  # a correction that does not exist, said before it is tried
            print(c, type(error).__name__, str(error)[:120])
            continue
        peer = theirs(frame, items, modes, sources, scheme, consistent)
        for name, table in own.items():
            gap = float((table - peer[name].reindex_like(table)).abs().max(axis=None))
            worst[name] = max(worst[name], gap)
            if not gap < TOLERANCE:
                print(c, name, scheme, "consistent" if consistent else "", gap)
    print(f"{cases} random models; largest differences:", {name: f"{gap:.1e}" for name, gap in worst.items()})


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
