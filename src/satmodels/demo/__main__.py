"""``python -m satmodels.demo [--out DIR] [--n 2000] [--seed 1]``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

FEWEST = 300  # customers: with fewer, some month or segment has no answers to speak of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study, print it, and write the report; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m satmodels.demo",
        description="A whole satisfaction study: of the published ECSI data, and of a simulated service company.",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("satmodels-study"), help="folder for report.html and figures"
    )
    parser.add_argument(
        "--n", type=int, default=2000, help="customers of the simulated company (default 2000)"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulation (default 1)")
    options = parser.parse_args(arguments)
    if options.n < FEWEST:
        parser.error(f"--n {options.n}: the study needs at least {FEWEST} customers")

    # one BLAS thread, set before numpy is loaded: the matrices are small, and more threads only wait
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from satmodels.errors import MissingExtraError, SatmodelsError

    try:
        page = run(options.out, n=options.n, seed=options.seed)
    except MissingExtraError as error:
        print(error, file=sys.stderr)
        return 2
    except (SatmodelsError, OSError) as error:
        print(f"the study stopped: {error}", file=sys.stderr)
        return 1
    print(f"\nThe report: {page}")
    return 0


def run(out: Path, *, n: int, seed: int) -> Path:
    """Run every part of the study and write the report into a folder."""
    import importlib.util

    from satmodels.datasets import simulate_service
    from satmodels.demo import action, answers, customers, structure
    from satmodels.demo.report import Section, as_text, write_report
    from satmodels.errors import MissingExtraError

    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib", "plot")
    began = time.perf_counter()
    sections: list[Section] = []

    def step(number: int, what: str, work: Callable[[], Any]) -> Any:
        print(f"[{number}/8] {what} ...", end=" ", flush=True)
        start = time.perf_counter()
        done = work()
        print(f"{time.perf_counter() - start:.1f} s", flush=True)
        return done

    study = step(1, f"a service company with {n:,} customers", lambda: simulate_service(n=n, seed=seed))
    checked, clean = step(2, "checking and preparing the survey", lambda: answers.sound_answers(study))
    sections.append(checked)
    sections.append(step(3, "scores by month and segment", lambda: answers.scores(study, clean)))
    sections.append(step(4, "structural model of the company", lambda: structure.company_model(study, clean)))
    sections.append(step(5, "Kano classes", lambda: action.kano_classes(study, clean)))
    sections.append(step(6, "drivers and priorities", lambda: action.drivers_and_priorities(study, clean)))
    sections.append(step(7, "segments and churn warning", lambda: customers.rfm_segments(study)))
    sections.append(customers.churn_warning(study))
    sections.append(step(8, "the published ECSI study", structure.ecsi_study))
    for section in sections:
        print(f"\n{as_text(section)}")
    print("\nIN SHORT\n\n" + "\n".join(f"- {section.finding}" for section in sections if section.finding))
    page = write_report(
        "Satisfaction study of a service company",
        f"{n:,} customers of a simulated company (seed {seed}) over a year: survey, purchases and events. "
        "What a manager needs first; the numbers behind it follow.",
        sections,
        out,
    )
    print(f"\nDone in {time.perf_counter() - began:.0f} s.")
    return page


if __name__ == "__main__":
    raise SystemExit(main())
