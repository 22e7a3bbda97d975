"""The door asks the engines only for what means the same on all of them; this reads its source to hold it.

Measured: a condition inside ``agg`` is silently dropped on three engines, ``n_unique`` counts wrongly on one,
``rank``, ``quantile`` and ``median`` differ between engines. So: select, filter, elementwise with_columns, and
group_by(names).agg(plain sum, min, max, len).
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import satmodels

FOLDER = Path(satmodels.__file__).parent / "intake"
FILES = sorted(p for p in FOLDER.glob("*.py") if "narwhals" in p.read_text(encoding="utf-8"))
AGGREGATES = {"sum", "min", "max"}
ELEMENTWISE = {
    *(
        "alias",
        "cast",
        "is_null",
        "is_nan",
        "fill_null",
        "is_in",
        "is_between",
        "abs",
        "otherwise",
        "then",
        "when",
    ),
    *("str", "contains", "starts_with", "ends_with", "len_chars", "slice", "dt", "timestamp", "truncate"),
    *("col", "lit", "len", "all", "any_horizontal", "all_horizontal", "coalesce"),
}
ON_FRAMES = {"select", "filter", "with_columns", "group_by", "agg", "head", "collect", "lazy"}
# no method of any frame or expression, whatever it is called on in these files
NEVER = {
    *("n_unique", "rank", "quantile", "median", "over", "qcut", "cut", "cum_sum", "cum_count", "cum_max"),
    *("map_batches", "pivot", "unpivot", "skew", "kurtosis", "corr", "rolling_mean", "ewm_mean", "shift"),
    *("replace_strict", "approx_n_unique", "mode", "first", "last", "drop_duplicates"),
}


def chain(node: ast.expr) -> tuple[list[str], ast.expr]:
    """Return the names of a chain of calls and attributes, outermost last, and what it starts from."""
    names: list[str] = []
    while True:
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        else:
            return names[::-1], node


def starts_in_narwhals(node: ast.expr) -> bool:
    return isinstance(chain(node)[1], ast.Name) and chain(node)[1].id == "nw"


def findings(tree: ast.Module) -> list[str]:
    found: list[str] = []
    for function in [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]:
        # names that hold an expression: assigned from something that contains a call of narwhals
        expressions = {
            target.id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and starts_in_narwhals(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            name, base = node.func.attr, node.func.value
            where = f"line {node.lineno}: {ast.unparse(node)[:80]}"
            root = chain(base)[1]
            foreign = isinstance(root, ast.Name) and root.id in ("np", "pd", "pl", "pa", "pc", "dt", "math")
            if name in NEVER and not foreign:
                found.append(f"{where}: {name} differs between engines")
            if starts_in_narwhals(node):
                names = chain(node)[0]
                if names[0][0].isupper() or names[0] in ("from_native", "new_series", "dtypes"):
                    continue
                unknown = set(names) - ELEMENTWISE - AGGREGATES
                if unknown:
                    found.append(f"{where}: {sorted(unknown)} is not in the safe set")
            if name in AGGREGATES:
                of_expression = isinstance(base, ast.BinOp | ast.Compare) and any(
                    isinstance(n, ast.Name) and n.id == "nw" for n in ast.walk(base)
                )
                of_chain = starts_in_narwhals(base) and chain(base)[0] not in (["col"], ["all"])
                of_name = isinstance(base, ast.Name) and base.id in expressions
                if of_expression or of_chain or of_name:
                    found.append(f"{where}: {name} of something other than a plain column")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_only_the_safe_set_is_used(path):
    assert findings(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "frame.group_by('g').agg(nw.when(nw.col('x') >= 9).then(nw.col('w')).otherwise(0).sum())",
        "frame.group_by('g').agg((nw.col('x') * nw.col('w')).sum())",
        "frame.group_by('g').agg(nw.col('x').n_unique())",
        "frame.select(nw.col('x').median())",
        "frame.select(nw.col('x').rank().over('g'))",
        "frame.select(nw.col('x').mean())",
        "value = nw.col('x').cast(nw.Float64)\n    frame.select(value.sum())",
        "frame.group_by('g').agg(nw.col('x').fill_null(0).sum())",
    ],
)
def test_the_reader_sees_what_it_should(code):
    assert findings(ast.parse(f"def f(frame):\n    {code}\n"))
