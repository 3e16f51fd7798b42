"""The README's commands parse, the files it names exist, and its Python uses names that exist."""

import ast
import importlib
import re
import shlex

import pytest

import wsr
from precompute import __main__ as runner
from precompute import soak, visitors
from precompute.experiments import experiments
from tests.readme.readme_text import FLAT, ROOT, TEXT
from wsr.cli import Command
from wsr.commands.options import parsed
from wsr.generators.registry import GeneratorKind, registered

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


def commands() -> list[str]:
    blocks = [
        line.partition("#")[0] for block in re.findall(r"```sh\n(.*?)```", TEXT, re.S) for line in block.splitlines()
    ]
    spans = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", TEXT, flags=re.S))
    lines = [" ".join(line.split()) for text in (*blocks, *spans) for line in text.split("&&")]
    return sorted({one for one in lines if re.match(r"(wsr|make|python -m|sh) (?!…)", one)})


def parse(words: list[str]) -> None:
    """Parses a command line of `wsr` without running it."""
    if not any(word.isupper() or "-" in word or "." in word for word in words) and words[:1] != ["bench"]:
        words = [*words, "--help"]
    try:
        with registered(GeneratorKind("yours", "Yours", "nowhere:Yours")):  # the README's name for one that is added
            parsed(Command, words, "")
    except SystemExit as end:
        assert end.code == 0, words


@pytest.mark.parametrize("line", commands())
def test_every_command_is_one(line, capsys):
    program, *words = shlex.split(line)
    if program == "wsr":
        parse(words)
    elif program == "make":
        assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(), re.M)
    elif program == "sh":
        assert (ROOT / words[0]).exists() and all(word in (ROOT / words[0]).read_text() for word in words)
    elif words[1] == "precompute":
        assert set(runner.arguments(words[2:]).names) <= experiments().keys()
    else:
        {"precompute.soak": soak, "precompute.visitors": visitors}[words[1]].arguments(words[2:])


def test_the_commands_are_found():
    assert {"make demo", "wsr audit new emoji-mlora-asym", "python -m precompute run audits"} <= set(commands())


def test_every_option_that_is_named_alone_is_one():
    visitors.arguments(re.search(r"`(--seconds 60 [^`]+)`", FLAT)[1].split())
    visitors.arguments(re.search(r"`(--seconds 120 [^`]+)`", FLAT)[1].split())
    parsed(Command, ["bench", "photograph", "--code", "DIR"], "")


def test_every_file_is_there():
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    names = re.findall(r"`((?:wsr|app|tests|tools|precompute|assets)/[\w./-]*)`", TEXT)
    assert len(links) > 10 and len(names) > 10
    for name in (*links, *names, *re.findall(r"^(wsr/\S+|app/|precompute/)", TEXT, re.M)):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", TEXT, re.S))
def test_python_uses_names_that_there_are(code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            assert all(hasattr(module, name.name) for name in node.names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node).startswith("wsr."):
            found = wsr
            for part in ast.unparse(node).split(".")[1:]:
                found = getattr(found, part)
