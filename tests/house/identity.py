"""Rules about identity: code asks the registries what a thing is, and does not read it out of a name or a number."""

import ast
from collections.abc import Collection, Iterator

from tests.house.modules import imports
from tests.house.source import Broken, Source, at_import, functions, texts

REPRESENTATIONS = ("mlp", "mlp-asym", "lora", "lora-asym", "mlora", "mlora-asym")
PARTS = (*REPRESENTATIONS, "-asym", "asym", "mlp-", "lora-", "mlora-")  # words that code looks for in names
DATA_SETS = ("emoji", "emoji-people", "emoji/people", "shapes10")  # `faces` are also those of a mesh
# files that register such names
REGISTRY = tuple(f"wsr/fields/{name}.py" for name in ("registry", "mlp", "lora", "mlora"))
INTO_TEXT = {"endswith", "startswith", "removesuffix", "removeprefix", "split", "rsplit", "partition", "rpartition",
             "replace", "find", "count"}  # fmt: skip

# Exceptions by file and function ("" for the module), with the reason.
ALLOWED_NAMES = {
    ("wsr/fields/legacy_presets.py", ""): "the learning rates of zoos that were made before files held them",
}
# Five at the most.
ALLOWED_DIM = {
    ("wsr/fields/legacy_presets.py", "_entry"): "zoos of before fields were described name their preset and dimension",
}


def _allowed(source: Source, table: dict[tuple[str, str], str]) -> set[int]:
    """Returns the lines of a file for which a rule's table states a reason."""
    lines = {
        line
        for name, function in functions(source.tree)
        if (source.path, name) in table
        for line in range(function.lineno, function.end_lineno + 1)
    }
    if (source.path, "") in table:
        inside = [range(one.lineno, one.end_lineno + 1) for _, one in functions(source.tree)]
        lines |= set(range(1, source.text.count("\n") + 2)).difference(*inside)
    return lines


def tests_of_names(found: list[Source]) -> list[Broken]:
    """Finds code that inspects the name of a representation. It should ask `named(name)`, its kind."""
    broken = []
    for source in found:
        if source.path in REGISTRY:
            continue
        allowed = _allowed(source, ALLOWED_NAMES)
        for line, looked in _looked_for(source.tree):
            if looked and line not in allowed:
                broken.append(Broken(source.path, line, f"looks for {', '.join(sorted(looked))} in a name"))
    return broken


def tests_of_data_sets(found: list[Source]) -> list[Broken]:
    """Finds code that inspects the name of a data set. It should ask `wsr.data.registry.find(name)`."""
    return [
        Broken(source.path, line, f"looks for {', '.join(sorted(looked))} in a name")
        for source in found
        if not source.path.startswith("wsr/data/")
        for line, looked in _looked_for(source.tree, DATA_SETS, DATA_SETS)
        if looked
    ]


def _looked_for(
    tree: ast.AST, parts: Collection[str] = PARTS, keys: Collection[str] = REPRESENTATIONS
) -> Iterator[tuple[int, set[str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in INTO_TEXT:
            yield node.lineno, set().union(*map(texts, node.args[:1])) & set(parts)
        elif isinstance(node, ast.Compare):
            yield node.lineno, set().union(*map(texts, (node.left, *node.comparators))) & set(parts)
        elif isinstance(node, ast.Dict):
            yield node.lineno, {text for key in node.keys if key for text in texts(key)} & set(keys)
        elif isinstance(node, ast.MatchValue):
            yield node.value.lineno, texts(node.value) & set(parts)


def early_answers(found: list[Source]) -> list[Broken]:
    """Finds code that lists the contents of a registry while its module is imported: what is registered later would be
    left out. It should ask when it needs the list, and give a grid the function itself as axis."""
    broken = []
    for source in found:
        broken += [
            Broken(source.path, line, "takes the representations that there are now: ask `registry.names()`")
            for line, module, taken in imports(source.tree, everywhere=True)
            if module == "wsr" and "representations" in taken
        ]
        broken += [
            Broken(source.path, node.lineno, f"asks when it is imported: {ast.unparse(node)[:60]}")
            for node in at_import(source.tree)
            if isinstance(node, ast.Call) and not node.keywords and _asks_all(node.func)
        ]
    return broken


def _asks_all(function: ast.AST) -> bool:
    """Tells whether this is a function that lists the contents of a registry."""
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("names", "kinds", "everything", "needing")


def branches_on_dim(found: list[Source]) -> list[Broken]:
    """Finds code that infers from the dimension what a signal is: comparisons with numbers, tables by dimension and
    `match`; also comparisons with a modality's name. It should ask the modality."""
    broken = []
    for source in found:
        if source.path.startswith("wsr/modalities/"):
            continue
        allowed = _allowed(source, ALLOWED_DIM)
        for node in ast.walk(source.tree):
            if _asks_dim(node):
                line = node.subject.lineno if isinstance(node, ast.Match) else node.lineno
                if line not in allowed:
                    broken.append(Broken(source.path, line, f"branches on dim: {ast.unparse(node)[:60]}"))
    return broken


def _is_dim(node: ast.AST) -> bool:
    """Tells whether an expression is the dimension of a domain: `dim`, `x.dim` or `x["dim"]`."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value == "dim"
    return (isinstance(node, ast.Name) and node.id == "dim") or (isinstance(node, ast.Attribute) and node.attr == "dim")


def _asks_dim(node: ast.AST) -> bool:
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        number = any(isinstance(one, ast.Constant | ast.Tuple | ast.List | ast.Set) for one in sides)
        modality = any("modality" in ast.unparse(one) for one in sides) and any(map(texts, sides))
        return (number and any(map(_is_dim, sides))) or modality
    if isinstance(node, ast.Subscript):  # of a table, not of a tensor's sizes
        index = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        sizes = isinstance(node.value, ast.Attribute) and node.value.attr == "shape"
        return any(map(_is_dim, index)) and not sizes
    return isinstance(node, ast.Match) and _is_dim(node.subject)
