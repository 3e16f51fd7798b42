"""Every handler of the page returns its changes by widget, so that nobody has to count the values of a tuple."""

import ast
import inspect
import textwrap
import types
from pathlib import Path

import pytest

import app

MOST = 4  # values of any tuple that a function of the app returns


def function_of(handler):
    """Returns the function of a handler as it is written in its file, without the bound tab and the decorators."""
    handler = inspect.unwrap(handler)
    return inspect.unwrap(handler.__func__) if isinstance(handler, types.MethodType) else handler


def answers(tree):
    """Returns the expressions that a function itself returns or yields, not those of functions inside it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Return | ast.Yield) and node.value is not None:
            yield node.value
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from answers(node)


def branches(expression):
    if isinstance(expression, ast.IfExp):
        return [*branches(expression.body), *branches(expression.orelse)]
    return [expression]


def test_no_handler_returns_a_tuple(built):
    seen = set()
    for fn in built.fns.values():
        if fn.fn is None or function_of(fn.fn) in seen:
            continue
        handler = function_of(fn.fn)
        seen.add(handler)
        if fn.api_visibility == "public":  # a program, which has no widgets, takes what comes by its place
            continue
        if handler.__name__ == "<lambda>":
            assert len(fn.outputs) == 1 or not isinstance(fn.fn(), tuple)
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(handler))).body
        for answer in (one for found in answers(tree) for one in branches(found)):
            assert not isinstance(answer, ast.Tuple | ast.List), f"{handler.__qualname__} returns {ast.unparse(answer)}"
        assert "tuple" not in str(handler.__annotations__.get("return", "")), handler.__qualname__
    assert len(seen) > 25


@pytest.mark.parametrize("path", sorted(Path(app.__file__).parent.rglob("*.py")), ids=lambda path: path.stem)
def test_no_function_returns_a_tuple_of_more_than_four(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            for answer in (one for found in answers(node) for one in branches(found)):
                assert not (isinstance(answer, ast.Tuple) and len(answer.elts) > MOST), f"{path.name}: {node.name}"
