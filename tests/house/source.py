"""Source code as the rules read it."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """A file of source code. path: within the repository."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@dataclass(frozen=True, order=True)
class Broken:
    """A place that breaks a rule."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@functools.lru_cache(maxsize=1000)
def _source(path: Path) -> Source:
    return Source(path.relative_to(ROOT).as_posix(), path.read_text())


def sources(folders: tuple[str, ...]) -> list[Source]:
    """Returns every Python file in these folders of the repository."""
    return [_source(path) for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def functions(tree: ast.AST, within: str = "") -> Iterator[tuple[str, Function]]:
    """Yields every function with its qualified name."""
    for node in ast.iter_child_nodes(tree):
        named = isinstance(node, ast.ClassDef | Function)
        name = f"{within}{node.name}." if named else within
        if isinstance(node, Function):
            yield name.removesuffix("."), node
        yield from functions(node, name)


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yields what is evaluated when a module is imported: everything except the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.Lambda):
            continue
        yield child
        yield from at_import(child)


def texts(node: ast.AST) -> set[str]:
    """Returns the strings that an expression is, or that a tuple, list or set contains."""
    items = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return {item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)}
