"""Structural rules, checked on the source: each rule lists the places that break it (`tests/test_house.py`).

`python -m tests.house` prints all of them.
"""

from collections.abc import Callable

from tests.house.identity import branches_on_dim, early_answers, tests_of_data_sets, tests_of_names
from tests.house.late import late_imports
from tests.house.modules import import_cycles, imports_of_the_engine, undefined_names
from tests.house.sizes import long_answers, long_files, long_signatures, twins
from tests.house.source import Broken, Source, sources

CODE, ALL = ("wsr", "app", "precompute"), ("wsr", "app", "precompute", "tools", "tests")

# Each rule, and the folders that it holds for.
RULES: dict[str, tuple[Callable[[list[Source]], list[Broken]], tuple[str, ...]]] = {
    "import cycles": (import_cycles, CODE),
    "late imports": (late_imports, CODE),
    "imports of the engine": (imports_of_the_engine, ("wsr",)),
    "tests of a representation's name": (tests_of_names, CODE),
    "tests of a data set's name": (tests_of_data_sets, ("wsr", "app")),
    "answers that come too early": (early_answers, CODE),
    "branches on dim": (branches_on_dim, CODE),
    "long signatures": (long_signatures, (*CODE, "tools")),
    "long answers": (long_answers, ("app",)),
    "long files": (long_files, ALL),
    "undefined names": (undefined_names, ALL),
    "twins": (twins, ALL),
}


def broken(rule: str) -> list[Broken]:
    """Returns what breaks a rule in the repository."""
    check, folders = RULES[rule]
    return sorted(check(sources(folders)))
