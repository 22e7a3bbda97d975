"""Public names and signatures, pinned in public_api.txt.

A difference means that users' code may break. If it is meant, write the file anew and read what
changed:

    python tests/contract/test_public_face.py
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import satmodels
from satmodels import _PUBLIC
from satmodels.results import Result

PINNED = Path(__file__).parent / "public_api.txt"
DATASETS = ("EcsiStudy", "ServiceStudy", "load_ecsi", "simulate_service")


def describe() -> str:
    """Return one line per public name, one indented line per public method or attribute."""
    lines: list[str] = []
    for name in sorted(_PUBLIC):
        lines += _describe(name, getattr(satmodels, name))
    datasets = importlib.import_module("satmodels.datasets")
    for name in DATASETS:
        lines += _describe(f"datasets.{name}", getattr(datasets, name))
    # results are received and never made by users: what can be asked of them is pinned
    for module in pkgutil.walk_packages(satmodels.__path__, "satmodels."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    ours = (cls for cls in _subclasses(Result) if cls.__module__.startswith("satmodels."))
    for cls in sorted(ours, key=lambda c: c.__name__):
        lines.append(f"result {cls.__name__} [{cls.kind}]")
        inherited = set(_members(Result))
        lines += [f"    .{member}" for member in _members(cls) if member not in inherited]
    return "\n".join(lines) + "\n"


def _subclasses(cls: type[Result]) -> set[type[Result]]:
    below = set(cls.__subclasses__())
    return below.union(*(_subclasses(c) for c in below)) if below else below


def _describe(name: str, value: object) -> list[str]:
    if inspect.isclass(value):
        bases = ", ".join(b.__name__ for b in value.__bases__ if b is not object)
        lines = [f"class {name}({bases})"]
        if (signature := _signature(value)) and not issubclass(value, Exception):
            lines.append(f"    {signature}")
        return lines + [f"    .{member}" for member in _members(value)]
    if callable(value):
        return [f"{name}{_signature(value)}"]
    return [f"{name}: {type(value).__name__}"]


def _members(cls: type) -> list[str]:
    """Return methods and properties that this package wrote, inherited ones too."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not base.__module__.startswith("satmodels"):
            continue
        for name, member in vars(base).items():
            if name.startswith("_"):
                continue
            if isinstance(member, classmethod | staticmethod):
                found[name] = f"{name}{_signature(member.__func__)} [{type(member).__name__}]"
            elif isinstance(member, property) or type(member).__name__ == "cached_property":
                found[name] = name
            elif inspect.isfunction(member):
                found[name] = f"{name}{_signature(member)}"
        if dataclasses.is_dataclass(base):
            found |= {f.name: f.name for f in dataclasses.fields(base) if not f.name.startswith("_")}
    # what pydantic calls while it builds a model is no method of ours
    fields = getattr(cls, "__pydantic_decorators__", None)
    hooks = {*getattr(fields, "field_validators", {}), *getattr(fields, "model_validators", {})}
    return [text for name, text in sorted(found.items()) if name not in hooks]


def _signature(value: object) -> str:
    """Return names, kinds and defaults of the parameters; annotations change without breaking anyone."""
    try:
        signature = inspect.signature(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def test_the_public_face_is_as_pinned() -> None:
    assert describe() == PINNED.read_text(encoding="utf-8"), (
        "the public names or signatures changed; if that is meant: python tests/contract/test_public_face.py"
    )


def test_the_list_of_names_equals_the_block_for_type_checkers() -> None:
    tree = ast.parse(Path(satmodels.__file__).read_text(encoding="utf-8"))
    (block,) = (n for n in tree.body if isinstance(n, ast.If) and isinstance(n.test, ast.Name))
    imported = {
        alias.asname: f"{node.module}.{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module != "satmodels"  # folders
        for alias in node.names
    }
    assert imported == {name: f"satmodels.{module}.{name}" for name, module in _PUBLIC.items()}


def test_every_public_name_is_there_and_explained() -> None:
    for name in satmodels.__all__:
        value = getattr(satmodels, name)
        if callable(value):
            doc = inspect.getdoc(value) or ""
            assert len(doc.splitlines()) >= 1, f"{name} has no docstring"
            if not inspect.isclass(value):
                assert "Examples" in doc or "Raises" in doc or "Returns" in doc, f"{name}: say what it gives"


def test_unknown_names_are_answered_with_near_matches() -> None:
    with pytest.raises(AttributeError, match="Moments"):
        satmodels.Momnts  # noqa: B018


def test_no_folder_bears_the_name_of_a_public_function() -> None:
    folders = {path.name for path in Path(satmodels.__file__).parent.iterdir() if path.is_dir()}
    assert not folders & set(_PUBLIC)


if __name__ == "__main__":
    PINNED.write_text(describe(), encoding="utf-8")
    print(f"wrote {PINNED}: read what changed before you commit it")
