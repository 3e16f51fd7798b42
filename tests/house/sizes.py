"""Rules about the length of signatures, return values, files and repetitions."""

import ast
from collections import defaultdict
from collections.abc import Iterator

from tests.house.source import Broken, Function, Source, functions

PARAMETERS, VALUES, LINES, TWIN = 8, 4, 300, 10
REASON = f"Longer than {LINES} lines: "  # begins the line in the head of a longer file that states the reason
HEAD = 40  # lines
MANY = 1000  # the length of a tuple that cannot be read where it is made


def long_signatures(found: list[Source]) -> list[Broken]:
    """Finds functions with more than eight parameters; settings should be one object."""
    broken = []
    for source in found:
        for name, function in functions(source.tree):
            given = function.args
            names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
            count = len(names) - (names[:1] in (["self"], ["cls"])) + bool(given.vararg) + bool(given.kwarg)
            if count > PARAMETERS:
                broken.append(Broken(source.path, function.lineno, f"{name} has {count} parameters"))
    return broken


def long_answers(found: list[Source]) -> list[Broken]:
    """Finds functions of the page that return a tuple of more than four values, or one whose length is not visible
    where it is built. Handlers should return `{component: value}`."""
    broken = []
    for source in found:
        for name, function in functions(source.tree):
            answers = [(_length(node.value), node.lineno) for node in _answers(function) if node.value is not None]
            count, line = max(answers, default=(0, 0))
            if count > VALUES:
                said = count if count < MANY else "many"
                broken.append(Broken(source.path, line, f"{name} answers with a tuple of {said} values"))
    return broken


def _answers(function: ast.AST) -> Iterator[ast.Return | ast.Yield]:
    """Returns the expressions that a function itself returns or yields, not those of functions inside it."""
    for node in ast.iter_child_nodes(function):
        if isinstance(node, ast.Return | ast.Yield):
            yield node
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            yield from _answers(node)


def _length(value: ast.AST) -> int:
    """Returns the length of a tuple as written, at least `MANY` if it is not visible, and 0 for anything but a tuple.
    """
    if isinstance(value, ast.Tuple):
        return sum((_length(one.value) or MANY) if isinstance(one, ast.Starred) else 1 for one in value.elts)
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult) and isinstance(value.left, ast.Tuple):
        return len(value.left.elts) * value.right.value if isinstance(value.right, ast.Constant) else MANY
    if isinstance(value, ast.IfExp):
        return max(_length(value.body), _length(value.orelse))
    made = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "tuple"
    return MANY if made else 0


def long_files(found: list[Source]) -> list[Broken]:
    """Finds files of more than 300 lines whose head does not state a reason."""
    broken = []
    for source in found:
        lines = source.text.splitlines()
        said = any(line.lstrip("# ").startswith(REASON) for line in lines[:HEAD])
        if len(lines) > LINES and not said:
            what = f"has {len(lines)} lines, and no line in its head begins with {REASON!r}"
            broken.append(Broken(source.path, 1, what))
    return broken


def twins(found: list[Source]) -> list[Broken]:
    """Finds ten lines that occur twice, one place per file; blank lines, comments, brackets and imports do not count.
    """
    places: dict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    for source in found:
        lines = [(i, line.strip()) for i, line in enumerate(source.text.splitlines(), 1)]
        lines = [(i, line) for i, line in lines if any(map(str.isalnum, line))]
        lines = [(i, line) for i, line in lines if not line.startswith(("#", "import ", "from "))]
        for at in range(len(lines) - TWIN + 1):
            places[tuple(line for _, line in lines[at : at + TWIN])].append((source.path, lines[at][0]))
    broken: dict[str, Broken] = {}
    for (twin, line), *others in places.values():
        for path, at in others:
            broken.setdefault(path, Broken(path, at, f"has {TWIN} lines that stand at {twin}:{line} as well"))
    return list(broken.values())
