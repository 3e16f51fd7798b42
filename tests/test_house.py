"""The repository keeps its structural rules (`tests/house`), and each rule finds what it should find."""

import pytest

from tests.house import RULES, Source, broken
from tests.house.identity import ALLOWED_DIM, ALLOWED_NAMES
from tests.house.source import ROOT, functions

pytestmark = pytest.mark.once


@pytest.mark.parametrize("rule", RULES)
def test_the_house_keeps_its_rules(rule):
    """If this fails, fix the code; or, for a dimension or a name, state in `tests/house/identity.py` why it must be so.
    """
    places = [str(place) for place in broken(rule)]
    assert not places, "\n".join(places)


def test_what_is_allowed_is_little_is_there_and_says_why():
    assert len(ALLOWED_DIM) <= 5 and all((ALLOWED_DIM | ALLOWED_NAMES).values())
    for path, function in ALLOWED_DIM | ALLOWED_NAMES:
        source = Source(path, (ROOT / path).read_text())
        assert not function or function in dict(functions(source.tree)), (path, function)


def places(rule, files, path="wsr/a.py"):
    """Returns where a rule finds violations in files with this content, by path; a text is the content of one file."""
    check, _ = RULES[rule]
    files = {path: files} if isinstance(files, str) else files
    return sorted((place.path, place.line) for place in check([Source(*file) for file in files.items()]))


def test_modules_that_import_each_other_are_found():
    files = {"wsr/a.py": "import os\nfrom wsr.b import thing\n", "wsr/b.py": "from wsr import c\n"}
    cycle = files | {"wsr/c.py": "import wsr.a\n"}
    assert places("import cycles", cycle) == [("wsr/a.py", 2), ("wsr/b.py", 1), ("wsr/c.py", 1)]
    later = files | {"wsr/c.py": "def work():\n    import wsr.a\nif TYPE_CHECKING:\n    import wsr.a\n"}
    assert not places("import cycles", later)


def test_a_cycle_through_the_package_of_another_is_found():
    package = {"wsr/x/__init__.py": "from wsr.x.one import f\n", "wsr/x/one.py": "from wsr.y import g\n"}
    package |= {"wsr/x/two.py": ""}
    assert not places("import cycles", package | {"wsr/y.py": "import wsr.errors\n"})
    assert places("import cycles", package | {"wsr/y.py": "from wsr.x.two import h\n"})


LATE = {
    "from wsr.b import light": 1, "import re": 1, "from wsr import b": 1, "from wsr.slow import inner": 0,
    "import torch": 0, "from wsr import Zoo": 0, "from wsr.zoo import Zoo": 0, "from PIL import _webp": 0,
    "from wsr.back import again": 0,
}  # fmt: skip


@pytest.mark.parametrize("statement", LATE)
def test_imports_in_functions_without_need_are_found(statement):
    """A need is a slow or optional library, also one that another module or its package imports, or a cycle."""
    files = {"wsr/a.py": f"import numpy\ndef work():\n    {statement}\n", "wsr/b.py": "import numpy\n"}
    files |= {"wsr/slow/__init__.py": "import trimesh\n", "wsr/slow/inner.py": "", "wsr/back.py": "import wsr.a\n"}
    files |= {"wsr/__init__.py": "", "wsr/zoo/__init__.py": "", "wsr/zoo/zoo.py": "import torch\n"}
    assert len(places("late imports", files)) == LATE[statement]
    loaded = files | {"wsr/a.py": f"import torch\nimport trimesh\n{files['wsr/a.py']}"}
    assert len(places("late imports", loaded)) == (not any(kept in statement for kept in ("_webp", "back")))


def test_what_the_engine_must_not_know_is_found():
    text = "import torch\ndef work():\n    from app.main import launch\n    import plotly.graph_objects\nimport apply\n"
    assert places("imports of the engine", text) == [("wsr/a.py", 3), ("wsr/a.py", 4)]


# For each of two rules: code that it must find, code that it must accept, and a file in which it accepts everything.
ASKED = {
    "tests of a representation's name": (
        ['x = name.endswith("-asym")', 'x = name.startswith(("mlora", "else"))', 'x = "lora" in name',
         'x = name == "mlp"', 'x = name in ("mlp", "mlp-asym")', 'x = {"mlora-asym": 1}[name]',
         'x = name.removesuffix("-asym")', 'match name:\n    case "mlp":\n        pass'],
        ['x = fit("mlora-asym")', 'x = name.endswith(".png")', 'x = {"psnr": 1}', "x = name == other"],
        "wsr/fields/registry.py",
    ),
    "tests of a data set's name": (
        ['x = name.startswith("emoji")', 'x = name == "emoji-people"', 'x = {"shapes10": "Shapes"}[name]',
         'x = source.partition("/")[0] != "emoji"'],
        ['x = load_signals("emoji")', 'x = name.startswith("image")', "x = find(name)"],
        "wsr/data/emoji.py",
    ),
    "branches on dim": (
        ["x = 1 if dim == 2 else 3", "x = signals.dim != 3", 'x = zoo.meta["dim"] == 2', "x = TABLE[model.dim]",
         "x = {2: 'png', 3: 'glb'}[dim]", "x = TABLE[name, dim]", "x = dim in (2, 3)",
         'x = one.modality.name == "image"', "match model.dim:\n    case 2:\n        pass"],
        ["x = w.sum(dim=2)", "x = a.dim == b.dim", "x = w.dim() == 3", "x = rand(1, dim)", "x = w.ndim == 2",
         "x = w.shape[dim]", "x = dim * 2"],
        "wsr/modalities/image.py",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", ASKED)
def test_who_asks_a_name_or_a_dimension_is_found(rule):
    asking, others, home = ASKED[rule]
    for text in asking:
        assert len(places(rule, text)) == 1 and not places(rule, text, home), text
    for text in others:
        assert not places(rule, text), text


def test_who_asks_a_registry_when_imported_is_found():
    rule = "answers that come too early"
    for text in ("from wsr import representations", "def f():\n    from wsr import representations", "ALL = names()",
                 "class C:\n    all = registry.kinds('peer')", "GRID = {'kind': [k for k in everything()]}"):
        assert len(places(rule, text)) == 1, text
    for text in ("def f():\n    return names()", "GRID = {'kind': registry.names}", "GRID = {'kind': lambda: kinds()}"):
        assert not places(rule, text), text


def test_long_signatures_are_found():
    text = "def f(a, b, c, d, *, e, f, g, h): ...\nclass C:\n    def f(self, a, b, c, d, e, f, g, h): ...\n"
    assert not places("long signatures", text)
    text = text.replace("h)", "h, **more)")
    assert places("long signatures", text) == [("wsr/a.py", 1), ("wsr/a.py", 3)]


ANSWERS = {
    "return 1, 2, 3, 4, 5": 1, "yield (gr.skip(),) * 6": 1, "return 1, *others": 1, "return tuple(parts)": 1,
    "return (1,) * 5 if done else {}": 1, "def inner(): return 1, 2, 3, 4, 5\n    return inner": 1,
    "return 1, 2, 3, 4": 0, "return {a: 1, b: 2}": 0, "return": 0,
}  # fmt: skip


@pytest.mark.parametrize("answer", ANSWERS)
def test_long_answers_are_found(answer):
    assert len(places("long answers", f"def handler():\n    {answer}\n", "app/a.py")) == ANSWERS[answer]


def test_long_files_are_found():
    assert not places("long files", "x = 1\n" * 300)
    assert places("long files", "x = 1\n" * 301)
    head = '"""A table.\n\nLonger than 300 lines: one row a shape.\n"""\n'
    assert not places("long files", head + "x = 1\n" * 301)


def test_a_name_that_was_never_imported_is_found_and_a_shape_is_none(tmp_path):
    text = 'from jaxtyping import Float\nimport torch\ndef f(x: Float[torch.Tensor, "n"]):\n    return numpy.array(x)\n'
    path = tmp_path / "a.py"
    path.write_text(text)
    assert places("undefined names", text, str(path)) == [(str(path), 4)]


def test_what_stands_twice_is_found():
    lines = [f"x{i} = {i}" for i in range(10)]
    once, again = "\n".join(lines), "# a comment\n\n" + "\n\n".join(f"    {line}" for line in lines)
    assert places("twins", {"wsr/a.py": once, "wsr/b.py": again}) == [("wsr/b.py", 3)]
    assert not places("twins", {"wsr/a.py": once, "wsr/b.py": "\n".join(lines[:9])})
