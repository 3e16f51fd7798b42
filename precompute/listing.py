"""The table of all experiments, which `python -m precompute list` prints and precompute/README.md holds, and the lines
of `status`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from precompute import records
from precompute.experiment import Cell, Context, Experiment
from precompute.plan import Plan, State

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- python -m precompute list --write -->\n", "<!-- end -->\n"


def table(experiments: Mapping[str, Experiment]) -> str:
    """All experiments in Markdown: name, what it makes, size, time, and the experiments that it needs."""
    plan = Plan(experiments, Context())
    lines = ["| name | what it makes | size | time | needs |", "|---|---|---|---|---|"]
    for one in experiments.values():
        name = f"`{one.name}`" + ("*" if one.by_hand else "")
        lines.append(f"| {name} | {one.title} | {one.size} | {one.time} | {', '.join(needed(plan, one)) or '–'} |")
    return "\n".join(lines) + "\n"


def needed(plan: Plan, experiment: Experiment) -> list[str]:
    """The names of the experiments whose results this one reads, including those that it could do without."""
    paths = [path for cell in plan.context.cells(experiment) for path in (*plan.needs(cell), *plan.uses(cell))]
    makers = dict.fromkeys(node.experiment for path in paths for node in plan.producers.get(path, []))
    return [name for name in makers if name != experiment.name]


def readme(experiments: Mapping[str, Experiment]) -> str:
    """The text of precompute/README.md with the current table."""
    before, _, rest = README.read_text().partition(BEGIN)
    return before + BEGIN + table(experiments) + END + rest.partition(END)[2]


def status(plan: Plan, names: Iterable[str]) -> list[str]:
    """A line for each cell and report of these experiments: its state, or which process is making it."""
    return [f"{node}: {state}" for name in names for node, state in _states(plan, name)]


def summary(plan: Plan, names: Iterable[str]) -> list[str]:
    """A line for each of these experiments: how many of its cells and reports are in each state."""
    lines = []
    for name in names:
        counts = Counter(str(state) for _, state in _states(plan, name))
        lines.append(f"{name}: {', '.join(f'{count} {state}' for state, count in counts.items())}")
    return lines


def _states(plan: Plan, name: str) -> Iterator[tuple[Cell, State | str]]:
    for node in plan.nodes(plan.experiments[name]):
        if plan.context.is_asked(node):
            yield node, f"being made by {records.maker(node)}" if records.is_locked(node) else plan.state(node)
