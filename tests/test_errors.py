"""Sentences about numbers of things ("1 face", never "1 faces"), and about names that are unknown."""

import ast
import re
from pathlib import Path

import pytest

from wsr.errors import counted, unknown_name, were

WSR = Path(__file__).parents[1] / "wsr"
# Matches a number, an optional adjective, and a noun in the plural. Verbs end in an s as well, so some words are
# excluded.
PLURAL = re.compile(r"^ (?:[a-z-]+ )?(?!(?:has|is|was|as|its|this|holds|less|across|takes)\b)[a-z]{2,}s\b")
NUMBERS = {"count", "total", "steps", "size", "instances", "repeats", "faces", "vertices", "parts", "world"}


def test_one_is_not_many():
    assert [counted(n, "face") for n in (0, 1, 2, 1200)] == ["0 faces", "1 face", "2 faces", "1,200 faces"]
    assert counted(1, "vertex", "vertices") == "1 vertex" and counted(3, "vertex", "vertices") == "3 vertices"
    assert [were(n) for n in (0, 1, 2)] == ["were", "was", "were"] and were(1, "has", "have") == "has"


def uncounted(text: str) -> list[int]:
    """Lines of source code in which a number that may be 1 is put before a noun in the plural."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            for value, after in zip(node.values, node.values[1:], strict=False):
                said = isinstance(after, ast.Constant) and PLURAL.match(str(after.value))
                if said and isinstance(value, ast.FormattedValue) and _may_be_one(value):
                    found.append(node.lineno)
    return found


def _may_be_one(value: ast.FormattedValue) -> bool:
    one, spec = value.value, value.format_spec
    if isinstance(one, ast.Name) and one.id.isupper():  # a constant is known to be more than 1
        return False
    name = getattr(one, "id", getattr(one, "attr", ""))
    called = isinstance(one, ast.Call) and getattr(one.func, "id", "") in ("len", "sum", "int")
    return called or name in NUMBERS or bool(spec and ast.unparse(spec) == "f','")


@pytest.mark.parametrize("text, wrong", [
    ('f"{len(rows)} rows"', True), ('f"{n:,} open parts, {x}"', True), ('f"it has {count} faces"', True),
    ('f"{LIMIT:,} faces"', False), ('f"{name} holds {what}"', False), ('f"{x:.1f} times"', False),
    ('f"{number:,} of them"', False), ('f"{len(rows)} is less"', False),
])  # fmt: skip
def test_a_number_before_a_plural_is_found(text, wrong):
    assert bool(uncounted(text)) == wrong


def test_the_engine_counts_with_its_one_helper():
    found = {str(path.relative_to(WSR)): uncounted(path.read_text()) for path in sorted(WSR.rglob("*.py"))}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_an_unknown_name_is_answered_by_the_valid_ones_if_there_are_any():
    assert str(unknown_name("model", "mpl", ["mlp", "lora"])) == (
        "Unknown model 'mpl': did you mean 'mlp'? Valid: mlp, lora."
    )
    assert str(unknown_name("model", "mlp", [])) == "Unknown model 'mlp': there is none."
