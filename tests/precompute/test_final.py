"""Only the final tables read the test split: no other code names it, asks for it, or reads the results."""

import ast
import functools
from pathlib import Path

import pandas as pd
import pytest
import torch

from precompute.experiment import Context, Experiment
from precompute.experiments import experiments
from precompute.final import final_fits, final_signals
from precompute.plan import Plan
from tests.data.test_splits import signals
from wsr.analysis.novelty import audit_of
from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.generators.diffusion import DiffusionConfig
from wsr.generators.diffusion.jobs import training_of
from wsr.zoo import Zoo

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU
ROOT = Path(__file__).resolve().parents[2]
# The files that define the split, assign signals to it or count all splits, and the one that reads it.
MAY_NAME_IT = {
    "wsr/data/splits.py", "wsr/data/faces/dataset.py", "wsr/data/shapes10/dataset.py", "wsr/commands/data.py",
    "precompute/selection.py", "precompute/final.py",
    # the splits of other people's files, which are only taken over
    "wsr/imports/splits.py", "wsr/imports/dwsnets.py", "wsr/imports/nfn.py",
}  # fmt: skip
READERS = {"final_fits", "final_signals"}


@functools.cache
def sources() -> list[tuple[str, ast.Module]]:
    found = [path for folder in ("wsr", "app", "precompute", "tools") for path in (ROOT / folder).rglob("*.py")]
    return [(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())) for path in found]


def names_the_test(tree: ast.AST) -> list[int]:
    """Lines that name the split: a text "test" that is compared, passed on or looked up, or the constant of
    `wsr.data.splits`. Keys of a dictionary that is written down do not count."""
    keys = {id(key) for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys}
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value == "test" and id(node) not in keys:
            lines.append(node.lineno)
        if isinstance(node, ast.ImportFrom) and node.module == "wsr.data.splits":
            lines += [node.lineno for alias in node.names if alias.name in ("TEST", "SPLITS", "*")]
        if isinstance(node, ast.Attribute) and node.attr == "TEST":
            lines.append(node.lineno)
    return lines


def used(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & READERS


def test_no_script_names_the_test_split():
    found = [f"{path}:{line}" for path, tree in sources() if path not in MAY_NAME_IT for line in names_the_test(tree)]
    assert not found, f"These read the test split past precompute.final: {found}"


@pytest.mark.parametrize(
    "code",
    [
        'zoo.good("test")', 'signals.where(split="test")', 'index[index["split"] == "test"]', 'f(["train", "test"])',
        "from wsr.data.splits import TEST", "from wsr.data import splits\nzoo.good(splits.TEST)",
        'for split in ("validation", "test"): zoo.good(split)',
    ],
)  # fmt: skip
def test_a_script_that_does_is_found(code):
    assert names_the_test(ast.parse(code))


def test_only_final_tables_ask_for_it():
    declared = {one.run.__module__: one for one in experiments().values()}
    for path, tree in sources():
        if used(tree) and path not in MAY_NAME_IT:
            experiment = declared.get(path.removesuffix(".py").replace("/", "."))
            assert experiment is not None and experiment.final, f"{path} reads the test split and is no final table"


def test_nothing_is_chosen_by_what_a_final_table_says():
    found = experiments()
    plan = Plan(found, Context())
    for one in found.values():
        for node in plan.nodes(one):
            read = [*plan.needs(node), *plan.uses(node)]
            makers = {maker.experiment for path in read for maker in plan.producers.get(path, [])} - {one.name}
            final = {name for name in makers if found[name].final}
            assert one.final or one.gathers or not final, f"{one.name} reads what {final} found on the test split"


def experiment(final: bool) -> Experiment:
    return Experiment(name="tried", title="", run=lambda cell, context: None, final=final)


class _Zoo:
    def __init__(self, *splits: str):
        self.index = pd.DataFrame({"id": [f"i{i}" for i in range(len(splits))], "split": splits})


def test_who_is_no_final_table_is_refused():
    for ask in (lambda: final_fits(experiment(False), _Zoo("test")),
                lambda: final_signals(experiment(False), signals("test"))):  # fmt: skip
        with pytest.raises(WsrError, match="'tried' makes no final table"):
            ask()


def test_a_final_table_uses_the_test_split_or_else_the_held_out_fits():
    three, two = ("train", "validation", "test"), ("train", "heldout", "heldout")
    assert final_signals(experiment(True), signals(*three)).ids == ["p2"]
    assert final_signals(experiment(True), signals(*two)).ids == ["p1", "p2"]
    assert final_fits(experiment(True), _Zoo(*three))["id"].tolist() == ["i2"]
    assert final_fits(experiment(True), _Zoo(*two))["id"].tolist() == ["i1", "i2"]


def test_what_trains_and_what_audits_never_reads_fits_of_the_test(base, config, tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    model = make_representation("mlora-asym", base, config, mask_seed=7)
    about = dict(dataset="faces", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=10)
    zoo, splits = Zoo.create(tmp_path / "zoo", model, **about), ["train"] * 40 + ["validation"] * 80 + ["test"] * 40
    common = {"class": "", "quality": 30.0, "steps": 10, "seconds": 0.0, "target_sha256": "", "status": "ok"}
    rows = [{"id": f"face-{i:06d}", "split": split, **common} for i, split in enumerate(splits)]
    noise = torch.Generator().manual_seed(1)
    zoo.append(model.initial() + 0.3 * torch.randn(len(rows), model.size, generator=noise), rows)
    read, weights = set(), Zoo.weights
    monkeypatch.setattr(
        Zoo, "weights", lambda self, ids=None, *more: read.update(ids or self.ids) or weights(self, ids, *more)
    )
    training_of(zoo, DiffusionConfig(16, 1, 2, 8, 3e-3, 60, patience=2, eval_every=10, shared_modulation=True))
    audit_of(zoo)
    assert read == {row["id"] for row in rows if row["split"] != "test"}
