"""What the files of the project may look like."""

from __future__ import annotations

import ast
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "satmodels"
LONGEST = 600  # lines
NAMELESS = {"util", "utils", "helper", "helpers", "common", "base", "misc", "tools", "manager"}
ENGINES = {"narwhals", "polars", "duckdb", "pyarrow", "dask", "pyspark", "ibis", "modin"}
EXECUTING = {"eval", "exec", "compile", "__import__"}
UNPICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def files(*folders: str, suffix: str) -> list[Path]:
    found = [p for folder in folders for p in sorted((ROOT / folder).rglob(f"*{suffix}"))]
    return [p for p in found if not {"_build", "generated", ".ipynb_checkpoints"} & set(p.parts)]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module


def place(path: Path, line: int = 0) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_no_file_is_longer_than_it_should_be() -> None:
    lengths = {
        place(p): len(p.read_text(encoding="utf-8").splitlines())
        for p in files("src", "tests", "benchmarks", suffix=".py")
    }
    assert not {name: n for name, n in lengths.items() if n > LONGEST}


def test_files_are_named_for_what_is_in_them() -> None:
    assert not [place(p) for p in files("src", suffix=".py") if p.stem.strip("_") in NAMELESS]


def test_nothing_is_executed_or_unpickled() -> None:
    found: list[str] = []
    for path in files("src", suffix=".py"):
        found += [place(path, n) for n, name in imports(path) if name.split(".")[0] in UNPICKLING]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in EXECUTING:
                found.append(place(path, node.lineno))
    assert not found


def test_only_intake_imports_dataframe_engines() -> None:
    found = [
        f"{place(path, line)} {name}"
        for path in files("src", suffix=".py")
        if path.relative_to(SOURCE).parts[0] != "intake"
        for line, name in imports(path)
        if name.split(".")[0] in ENGINES
    ]
    assert not found


def test_pandas_and_the_large_libraries_are_imported_where_they_are_used() -> None:
    """At the top of a file they would be loaded with it; plots and estimators load theirs on purpose."""
    found: list[str] = []
    for path in files("src", suffix=".py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            found += [
                f"{place(path, node.lineno)} {n}"
                for n in names
                if n.split(".")[0] in {"pandas", "matplotlib", "semopy"}
            ]
    assert not found


def test_the_folders_hand_nothing_on() -> None:
    """Only the datasets do, which are reached as satmodels.datasets."""
    found = [
        place(path)
        for path in files("src", suffix="__init__.py")
        if path.parent not in (SOURCE, SOURCE / "datasets") and list(imports(path))
    ]
    assert [name for name in found if "demo" not in name] == []


@pytest.mark.parametrize("path", files("notebooks", "docs", suffix=".ipynb"), ids=lambda p: p.name)
def test_notebooks_are_stored_without_outputs(path: Path) -> None:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_the_readme_has_both_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    start = "python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt -e "
    assert f"{start}'.[plot]' && .venv/bin/python -m satmodels.demo\n" in text
    assert f"{start}'.[all,test]' && .venv/bin/pytest\n" in text


def test_every_dependency_has_a_tested_version() -> None:
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(r for rs in project["optional-dependencies"].values() for r in rs)]
    names = {r.split(">")[0].split("[")[0].strip().lower().replace("_", "-") for r in wanted} - {"satmodels"}
    assert names <= pinned
