"""The table of all experiments, as `python -m precompute list` prints it and precompute/README.md holds it, and how the
cells of a run stand."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from precompute import records
from precompute.experiment import Context, Experiment
from precompute.plan import Plan

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
    """The names of the experiments that make what this one reads, whether it can do without or not."""
    paths = [path for cell in plan.context.cells(experiment) for path in (*plan.needs(cell), *plan.uses(cell))]
    makers = dict.fromkeys(node.experiment for path in paths for node in plan.producers.get(path, []))
    return [name for name in makers if name != experiment.name]


def readme(experiments: Mapping[str, Experiment]) -> str:
    """precompute/README.md with the table as it would be printed now."""
    before, _, rest = README.read_text().partition(BEGIN)
    return before + BEGIN + table(experiments) + END + rest.partition(END)[2]


def status(plan: Plan, names: Iterable[str]) -> list[str]:
    """A line for each cell and report of these experiments: how it stands, and who is making it."""
    lines = []
    for name in names:
        for node in plan.nodes(plan.experiments[name]):
            if plan.context.is_asked(node):
                busy = f"being made by {records.maker(node)}" if records.is_locked(node) else ""
                lines.append(f"{node}: {busy or plan.state(node)}")
    return lines
