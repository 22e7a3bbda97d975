"""Sphinx: pydata theme, MyST pages, numpydoc docstrings; the API pages are written from the public names."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import sys
from pathlib import Path

import satmodels
from satmodels import _PUBLIC
from satmodels.results import Result

sys.path.append(str(Path(__file__).parent))  # for the extension that stands beside this file

project = "satmodels"
author = "The satmodels developers"
version = release = satmodels.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "mathml",
]
html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "satmodels"
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
# pages without pages below them need no list of them
html_sidebars = {page: [] for page in ("index", "quickstart", "glossary", "architecture", "changelog")}
maximum_signature_line_length = 90
html_static_path: list[str] = ["_static"]
html_css_files = ["house.css"]
html_show_sourcelink = False
exclude_patterns = ["_build", "jupyter_execute"]
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the tests run the notebooks
numpydoc_show_class_members = False  # autodoc lists them
numpydoc_class_members_toctree = False
autodoc_typehints = "none"  # the docstrings say the types in words
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
suppress_warnings = ["myst.header"]  # a page may start its sections where it likes

# page -> (title, folders or modules of satmodels whose public names it lists)
API_PAGES = {
    "survey": ("Survey", ("survey",)),
    "statistics": ("Data and statistics", ("statistics", "intake")),
    "scores": ("Scores and RFM", ("scores",)),
    "sem": ("Structural models", ("sem",)),
    "kano": ("Kano", ("kano_model",)),
    "drivers": ("Drivers and priorities", ("drivers",)),
    "churn": ("Churn", ("churn",)),
    "plots": ("Figures", ("plots",)),
    "datasets": ("Data sets", ("datasets",)),
    "errors": ("Stored results, errors and warnings", ("errors", "results", "records", "stored")),
}


def write_api_pages(folder: Path) -> None:
    """Write one page per family with all its public names, so that none can be forgotten."""
    folder.mkdir(parents=True, exist_ok=True)
    left = dict(_PUBLIC)
    for page, (title, places) in API_PAGES.items():
        names = sorted((n for n, module in left.items() if module.split(".")[0] in places), key=str.lower)
        for name in names:
            del left[name]
        lines = [title, "=" * len(title), ""]
        if page == "datasets":
            names, module = (
                ["load_ecsi", "simulate_service", "EcsiStudy", "ServiceStudy", "ServiceTruth"],
                "satmodels.datasets",
            )
        else:
            module = "satmodels"
        lines += [f".. currentmodule:: {module}", ""]
        for name in names:
            lines += _directive(module, name)
        _write_if_changed(folder / f"{page}.rst", "\n".join(lines) + "\n")
    _write_if_changed(folder / "results.rst", _results_page())
    if left:
        raise RuntimeError(f"public names on no API page: {sorted(left)}")


def _results_page() -> str:
    """Return the page of all result classes, which users receive and never import."""
    for module in pkgutil.walk_packages(satmodels.__path__, "satmodels."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    title = "Results"
    lines = [title, "=" * len(title), ""]
    lines += ["What functions and fitted models give. Every result can do what :class:`Result` can.", ""]
    classes = sorted(_subclasses(Result), key=lambda cls: cls.__name__.lower())
    for cls in (Result, *classes):
        if not cls.__name__.startswith("_"):
            lines += [
                f".. currentmodule:: {cls.__module__}",
                "",
                f".. autoclass:: {cls.__name__}()",
                "   :members:",
                "",
            ]
    return "\n".join(lines) + "\n"


def _subclasses(cls: type) -> set[type]:
    below = set(cls.__subclasses__())
    return below.union(*(_subclasses(c) for c in below)) if below else below


def _directive(module: str, name: str) -> list[str]:
    value = getattr(importlib.import_module(module), name)
    if inspect.isclass(value) and issubclass(value, Exception):
        return [f".. autoexception:: {name}", "   :show-inheritance:", ""]
    if inspect.isclass(value):
        inherited = _inherited(value)
        return [f".. autoclass:: {name}", "   :members:", *inherited, ""]
    if callable(value):
        return [f".. autofunction:: {name}", ""]
    return [f".. autodata:: {name}", "   :no-value:", ""]


def _inherited(cls: type) -> list[str]:
    """List what a class inherits from ours, and leave out what pydantic and scikit-learn give it."""
    foreign = [b.__name__ for b in cls.__mro__[1:] if not b.__module__.startswith("satmodels")]
    requests = [name for name in dir(cls) if name.startswith("set_") and name.endswith("_request")]
    lines = [f"   :inherited-members: {', '.join(foreign)}"]
    return [*lines, f"   :exclude-members: {', '.join(requests)}"] if requests else lines


def list_notebooks(path: Path) -> None:
    """Write the list of notebooks with their titles, which the guide includes."""
    lines: list[str] = []
    for notebook in sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb")):
        first = "".join(json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]["source"])
        title = first.splitlines()[0].lstrip("# ")
        lines.append(f"- {{download}}`{title} <../notebooks/{notebook.name}>`")
    _write_if_changed(path, "\n".join(lines) + "\n")


def _write_if_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


generated = Path(__file__).parent / "api" / "generated"
write_api_pages(generated)
list_notebooks(generated / "notebooks.inc")
