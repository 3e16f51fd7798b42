"""Rules about what modules import and which names they use."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import ROOT, Broken, Function, Source

FORBIDDEN = ("app", "precompute", "tests", "gradio", "plotly")  # in the engine


def imports(tree: ast.AST, everywhere: bool) -> Iterator[tuple[int, str, list[str]]]:
    """Yields (line, module, the names imported from it). everywhere: also imports in functions and for type checkers.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, node.module, [alias.name for alias in node.names]
        elif everywhere or not _comes_later(node):
            yield from imports(node, everywhere)


def _comes_later(node: ast.AST) -> bool:
    """Tells whether the imports below a node are executed later than the import of the module."""
    for_checkers = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    return for_checkers or isinstance(node, Function | ast.Lambda)


def import_cycles(found: list[Source]) -> list[Broken]:
    """Finds modules that import each other, directly or indirectly, while they are imported."""
    names = {source.module for source in found}
    graph = {source.module: edges(source, names) for source in found}
    behind = {module: reached(graph, module) for module in graph}
    return [
        Broken(source.path, line, f"imports {target}, which imports {source.module}")
        for source in found
        for target, line in graph[source.module].items()
        if source.module in behind[target]
    ]


def edges(source: Source, names: set[str]) -> dict[str, int]:
    """Returns the modules that a module imports, with the lines. Importing `a.b` imports `a` first, which says nothing
    about cycles within `a`."""
    found: dict[str, int] = {}
    for line, module, taken in imports(source.tree, everywhere=False):
        inside = [f"{module}.{name}" for name in taken if f"{module}.{name}" in names]
        targets = inside if inside and len(inside) == len(taken) else [module, *inside]
        for target in targets:
            packages = [target.rsplit(".", i)[0] for i in range(1, target.count(".") + 1)]
            for one in (target, *packages):
                own = one in packages and f"{source.module}.".startswith(f"{one}.")
                if one in names and one != source.module and not own:
                    found.setdefault(one, line)
    return found


def reached(graph: dict[str, dict[str, int]], start: str) -> set[str]:
    """Returns the modules that are imported with a module, in these edges."""
    seen, todo = set(), [start]
    while todo:
        new = set(graph[todo.pop()]) - seen
        seen |= new
        todo += new
    return seen


def imports_of_the_engine(found: list[Source]) -> list[Broken]:
    """Finds imports of the app, or of its drawing libraries, in the engine."""
    return [
        Broken(source.path, line, f"imports {module}")
        for source in found
        for line, module, _ in imports(source.tree, everywhere=True)
        if module.partition(".")[0] in FORBIDDEN
    ]


def undefined_names(found: list[Source]) -> list[Broken]:
    """Finds names that are neither imported nor defined: ruff's F821, but not for words in strings, because jaxtyping's
    shapes are not names."""
    check = ["-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F821", "--output-format", "json"]
    by_path = {(ROOT / source.path).resolve(): source for source in found}
    done = subprocess.run([sys.executable, *check, *map(str, by_path)], capture_output=True, text=True)
    if not done.stdout:
        raise RuntimeError(done.stderr)
    broken = []
    for one in json.loads(done.stdout):
        source, at = by_path[Path(one["filename"]).resolve()], one["location"]
        if not _in_string(source.tree, at["row"], at["column"]):
            broken.append(Broken(source.path, at["row"], one["message"]))
    return broken


def _in_string(tree: ast.Module, row: int, column: int) -> bool:
    return any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and (node.lineno, node.col_offset) < (row, column) <= (node.end_lineno, node.end_col_offset)
        for node in ast.walk(tree)
    )
