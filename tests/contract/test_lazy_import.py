"""What is not imported: `import satmodels` is cheap, and scores on polars never load pandas."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = (
    "pandas",
    "sklearn",
    "scipy",
    "semopy",
    "matplotlib",
    "polars",
    "duckdb",
    "pyarrow",
    "narwhals",
    "dask",
)


def loaded_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after running the code."""
    program = f"""
import json, sys, time
started = time.process_time()
{code}
seconds = time.process_time() - started
print(json.dumps([seconds, sorted({{name.split(".")[0] for name in sys.modules}})]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    seconds, modules = json.loads(done.stdout.splitlines()[-1])
    print(f"{code!r}: {seconds:.3f} s CPU")  # shown by pytest -s; a clock makes no good test
    return set(modules)


def test_import_loads_no_library() -> None:
    modules = loaded_after("import satmodels")
    assert not modules & {*HEAVY, "numpy", "pydantic"}


def test_dir_and_a_mistyped_name_load_no_library() -> None:
    modules = loaded_after("import satmodels as sat\ndir(sat)\nhasattr(sat, 'npss')")
    assert not modules & {*HEAVY, "numpy", "pydantic"}


def test_a_score_of_a_plain_list_loads_no_dataframe_library() -> None:
    pytest.importorskip("polars")
    modules = loaded_after("import satmodels as sat\nsat.ScoreCounts.collect([9, 10, 3])")
    assert not modules & {"pandas", "polars", "duckdb", "sklearn", "matplotlib", "semopy"}


def test_nps_on_polars_loads_no_pandas() -> None:
    pytest.importorskip("polars")
    modules = loaded_after(
        "import satmodels as sat, polars as pl\n"
        "frame = pl.DataFrame({'q': [9, 10, 3], 'shop': ['a', 'b', 'b']})\n"
        "sat.nps(frame, 'q', by='shop').tidy()\n"
        "sat.nps(frame.lazy(), 'q').to_json()"
    )
    assert "polars" in modules
    assert not modules & {"pandas", "sklearn", "semopy", "matplotlib", "duckdb"}


def test_the_ecsi_study_loads_no_pandas() -> None:
    modules = loaded_after("from satmodels.datasets import load_ecsi\nload_ecsi().moments.corr")
    assert not modules & {"pandas", "sklearn", "semopy", "matplotlib", "polars", "duckdb"}
