"""`python -m precompute list | run NAME… | status [NAME…]`: see precompute/README.md."""

import argparse
import sys
from functools import partial

from precompute.experiment import Context, Experiment, refuse_unfit
from precompute.experiments import experiments
from precompute.listing import README, readme, status, summary, table
from precompute.plan import Plan
from precompute.runner import Runner
from precompute.selection import modality_of
from precompute.side_by_side import SideBySide
from wsr.errors import WsrError, unknown_name
from wsr.fields import registry
from wsr.paths import atomic_path
from wsr.presets import PRESETS


def arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m precompute", description="Runs the experiments that made assets/.")
    commands = parser.add_subparsers(dest="command", required=True)
    listed = commands.add_parser("list", help="print what each experiment makes and needs, its size and its time")
    listed.add_argument("--write", action="store_true", help="write the table into precompute/README.md")
    run = commands.add_parser("run", help="run the missing cells of these experiments, and those that they need")
    run.add_argument("names", nargs="*", metavar="NAME")
    run.add_argument("--all", action="store_true", help="run all experiments except those that are only run by name")
    run.add_argument("--again", action="store_true", help="make the named experiments anew, even where results exist")
    run.add_argument("--jobs", type=int, default=1, help="processes that run a cell each; by default one")
    told = commands.add_parser("status", help="print how many cells are made, stale or missing; with NAMEs, each cell")
    told.add_argument("names", nargs="*", metavar="NAME")
    for command in (run, told):
        command.add_argument("--preset", default="cpu", help=f"{' or '.join(PRESETS)}; by default cpu")
        command.add_argument(
            "--data", action="append", default=[], metavar="NAME", help="a data set to use instead of the usual ones"
        )
        command.add_argument("--only", metavar="REPRESENTATION", help="take only the cells of this representation")
    return parser.parse_args(given)


def context_of(asked: argparse.Namespace) -> Context:
    """The context that a command line asks for. Raises a WsrError for unknown names, which suggests the nearest one."""
    if asked.preset not in PRESETS:
        raise unknown_name("preset", asked.preset, PRESETS)
    if asked.only is not None:
        registry.named(asked.only)
    for name in asked.data:
        modality_of(name)  # raises if there is no such data set
    return Context(asked.preset, tuple(asked.data), asked.only)


def chosen(asked: argparse.Namespace, known: dict[str, Experiment], context: Context) -> list[str]:
    """The names of the experiments that a command is about: those that it names, otherwise all that can be run at this
    preset and on these data sets."""
    for name in asked.names:
        if name not in known:
            raise unknown_name("experiment", name, known)
        refuse_unfit(known[name], context)
    if asked.names:
        return _with_cells(asked.names, known, context)
    if asked.command == "run" and not asked.all:
        raise WsrError("Name the experiments to run (`python -m precompute list` shows them), or give --all.")
    found = []
    for name, one in known.items():
        if asked.command == "run" and one.by_hand:
            continue
        try:
            refuse_unfit(one, context)
        except WsrError:
            continue
        if context.asked(one):
            found.append(name)
    return found


def _with_cells(names: list[str], known: dict[str, Experiment], context: Context) -> list[str]:
    """Leaves out the experiments that have no cell for --only, and says so. Raises a WsrError if none is left."""
    lacking = [name for name in names if not context.asked(known[name])]
    of = context.only or " or ".join(context.given)
    if len(lacking) == len(names):
        raise WsrError(f"There is no cell of {of} in {', '.join(names)}.")
    for name in lacking:
        print(f"{name}: left out, because it has no cell of {of}")
    return [name for name in names if name not in lacking]


def main(given: list[str] | None = None) -> int:
    """Runs a command. Returns 0 if all went well, 1 if a cell failed, 2 for a mistake in the command line, 130 if it
    was stopped."""
    asked, known = arguments(given), experiments()
    try:
        if asked.command == "list":
            print(table(known), end="")
            if asked.write:
                text = readme(known)
                with atomic_path(README) as temporary:
                    temporary.write_text(text)
            return 0
        context = context_of(asked)
        names = chosen(asked, known, context)
        if asked.command == "status":
            print("\n".join((status if asked.names else summary)(Plan(known, context), names)))
            return 0
        if asked.jobs < 1:
            raise WsrError(f"--jobs is a number of processes, one or more, not {asked.jobs}.")
        kind = Runner if asked.jobs == 1 else partial(SideBySide, jobs=asked.jobs)
        return 1 if kind(known, context, again=asked.again).run(names) else 0
    except WsrError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. Run the same command again to continue.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
