"""How the served page behaves with many visitors, and over a long time. Both measurements take options when they are
run directly: `python -m precompute.visitors --help`, `python -m precompute.soak --help`."""

from precompute import soak, visitors
from precompute.experiment import Cell, Context, of_this_machine


def run_visitors(cell: Cell, context: Context) -> None:
    visitors.main(["--report"])


def run_soak(cell: Cell, context: Context) -> None:
    soak.main(["--report"])


EXPERIMENTS = [
    of_this_machine(
        name="visitors",
        title="`reports/visitors.json`: how long twenty visitors wait for each other, three of them fitting, and with "
        "one who brings the worst meshes",
        makes=("reports/visitors.json",),
        run=run_visitors,
        place=29,
        size="3 kB",
        time="5 min",
    ),
    of_this_machine(
        name="soak",
        title="`reports/soak.json`: memory, temporary files and idle time of the served page over 300 clicks, 30 steps "
        "of α and 10 fits",
        makes=("reports/soak.json",),
        run=run_soak,
        place=30,
        size="3 kB",
        time="some min",
    ),
]
