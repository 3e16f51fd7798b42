"""The encoder arena on permuted weights: what encoders read if the neurons or rank components of each instance, of the
training fits and of the others, are in an order of its own.

The fields are those of the zoo. The fits had one start, which kept the order of their neurons comparable; this is what
a permutation takes away. It is no substitute for fits with independent starts, which differ in more than the order.
An encoder that is invariant to permutations reads here what it reads in `arena`.
"""

from pathlib import Path

from precompute.experiment import Cell, Context, Experiment
from precompute.experiments import arena
from wsr import encoders
from wsr.cleanup import temporary_folder
from wsr.fields import registry
from wsr.paths import cache_dir
from wsr.symmetry import permuted_copies
from wsr.zoo import Zoo

SEEDS = (0,)
ORDERS = 1000  # seed of the orders


def permutable() -> list[str]:
    """The representations whose masks leave the order of neurons or rank components open."""
    return [name for name in registry.names() if "permutation" in registry.named(name).allowed]


def run(cell: Cell, context: Context) -> dict:
    """As for `arena`. All encoders of a run read the same permuted zoo."""
    key = ("permuted", cell.data, cell.representation)
    made = context.shared(key, lambda: permuted(context.open_zoo(cell), temporary_folder("permuted-", cache_dir())))
    return arena.read(made, cell)


def permuted(zoo: Zoo, folder: Path) -> Zoo:
    """Writes a zoo of the same fits, each in an order of its own."""
    model, names = zoo.representation, ("dataset", "preset", "init", "sigma", "init_seed", "steps")
    made = Zoo.create(folder / zoo.path.name, model, **{name: zoo.meta[name] for name in names})
    weights = permuted_copies(model, zoo.weights(), 2, ORDERS)[len(zoo) :]
    made.append(weights, zoo.index.to_dict("records"))
    return made


EXPERIMENT = Experiment(
    name="arena_permuted",
    title="`reports/arena-permuted-*`: the same if the neurons or rank components of each instance have an order of "
    "their own",
    data=("shapes10",),
    grid={"seed": lambda: SEEDS, "encoder": encoders.names, "representation": permutable},
    settings=lambda cell, context: {**arena.EXPERIMENT.settings(cell, context), "orders": ORDERS},
    needs=("zoos/{zoo}",),
    run=run,
    report=arena.report,
    reports=("reports/arena-permuted-{data}.json", "reports/arena-permuted-{data}.md"),
    report_by=("data",),
    held=arena.EXPERIMENT.held,
    final=True,
    threads=1,
    by_hand=True,
    place=9,
    size="10 kB",
    time="8 min",
)
