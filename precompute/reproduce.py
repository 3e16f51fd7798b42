"""`wsr reproduce`: the paper's tables and figures by name, over the runner of experiments.

A target is a table, a figure or a group of reports. It consists of parts: experiments on data sets, which bring
whatever they need. What exists is used, what is lacking is made, and what is stale (made of something else, by the
identity of its inputs) is told.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from precompute.durations import Duration, duration, in_words
from precompute.experiment import Cell, Context, Experiment, refuse_unfit
from precompute.experiments import experiments
from precompute.plan import STALE, THERE, Plan, State
from precompute.runner import Runner
from precompute.selection import modality_of
from wsr.devices import default_device
from wsr.errors import WsrError, counted, unknown_name
from wsr.presets import PRESETS

ALL, LIST = "all", "list"
STANDARD = PRESETS[0]
# What the data sets of the paper are like, in the plan of a run that names none: the first 5,000 pictures of one
# folder, and 500 shapes of each of the ten largest classes of another.
LIKE_THE_PAPER = ("images:FFHQ#5000", "meshes:ShapeNet#10x500")


@dataclass(frozen=True)
class Part:
    """Experiments on data sets. shapes: whether the paper has it about shapes (True), pictures (False) or both (None);
    data sets that are given take the place of those of their kind. only: the representation that it is about, if it is
    one."""

    names: tuple[str, ...]
    data: tuple[str, ...] = ()
    shapes: bool | None = None
    only: str | None = None


@dataclass(frozen=True)
class Target:
    """What a name stands for. by_name: left out of `all`, with the reason."""

    title: str
    parts: tuple[Part, ...]
    by_name: str = ""


SHAPES = ("shapes10",)
TARGETS = {
    "table1": Target("reconstruction", (
        Part(("zoos", "table1"), ("emoji", "shapes10")),
        Part(("zoos", "table1", "own_rates"), ("faces",), shapes=False))),
    "table2": Target("generation of pictures", (
        Part(("zoos", "generation", "audits", "generation_tables"), ("faces",), shapes=False),),
        by_name="its generators of faces have not been published yet and take hours"),
    "table3": Target("generation of shapes", (
        Part(("unconditional",), SHAPES, shapes=True),
        Part(("zoos", "generation", "audits", "generation_tables"), SHAPES, shapes=True),)),
    "table4": Target("what simple methods read in weights", (Part(("table4",), ("emoji", "shapes10")),)),
    "table5": Target("the layer encoder of the generator", (
        Part(("unconditional",), SHAPES, shapes=True, only="mlora-asym"),
        Part(("generation", "audits", "generation_tables"), SHAPES, shapes=True))),
    "figure3": Target("two fits of one target, and the line between them", (
        Part(("figure3", "wide_starts"), ("emoji", "shapes10")), Part(("zero_starts",), SHAPES, shapes=True))),
    "audits": Target("whether generated weights are new", (
        Part(("peers", "audits", "audit_drawn", "regimes"), SHAPES),)),
    "maps": Target("maps of weights (Figure 5)", (Part(("maps", "sheets"), SHAPES, shapes=True),)),
    "scaling": Target("generators by the number of weights that they learn from", (
        Part(("scaling",), ("faces", "shapes10")),),
        by_name="its 20,000 fits and its trainings take days"),
    "learnability": Target("which ways of fitting make weights learnable", (
        Part(("learnability",), ("faces", "shapes10")),),
        by_name="it is a search whose outcome is in the presets"),
    "arena": Target("what encoders of weights read: symmetries ignored, removed or respected", (
        Part(("arena", "arena_ceilings"), ("shapes10", "faces", "emoji")), Part(("arena_independent",), SHAPES)),
        by_name="shapes10 and faces have been measured, with short trainings"),
    "claims": Target("every claim of the paper, with its verdict: REPRODUCTION.md", (Part(("claims",)),)),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a command line asks for. say: prints a line."""

    names: tuple[str, ...]
    preset: str = STANDARD
    data: tuple[str, ...] = ()
    device: str | None = None
    dry_run: bool = False
    again: bool = False
    say: Callable[[str], None] = field(default=print)


@dataclass(frozen=True)
class Step:
    """A part of a target in one context."""

    target: str
    names: tuple[str, ...]
    plan: Plan

    def __str__(self) -> str:
        data = self.plan.context.given
        return f"{self.target} ({', '.join(data)})" if data else self.target


def reproduce(asked: Asked) -> int:
    """Does what is asked for. Returns 0 if all went well, 1 if something could not be made. WsrError for a mistake in
    what is asked."""
    if LIST in asked.names:
        for name, target in TARGETS.items():
            asked.say(
                f"{name:13} {target.title}" + (f" (not part of `all`: {target.by_name})" if target.by_name else "")
            )
        asked.say("Any experiment of `python -m precompute list` has a name here as well.")
        return 0
    known = experiments()
    steps = list(_steps(asked, known))
    if asked.dry_run:
        _tell(steps, asked)
        return 0
    return 1 if _run(steps, asked) else 0


def _steps(asked: Asked, known: dict[str, Experiment]) -> Iterator[Step]:
    """The parts of the targets that are asked for, those that others need first."""
    names = list(asked.names)
    if not names and not asked.dry_run:
        raise WsrError("Name what to make, or `all`: `wsr reproduce list` shows the names.")
    if asked.preset not in PRESETS:
        raise unknown_name("preset", asked.preset, PRESETS)
    if not names or ALL in names:
        names = [name for name, one in TARGETS.items() if not one.by_name or asked.preset != STANDARD or name in names]
    for name in names:
        if name not in TARGETS and name not in known:
            raise unknown_name("table, figure or experiment", name, [*TARGETS, ALL, LIST, *known])
        target = TARGETS.get(name) or Target("", (Part((name,), known[name].data),))
        done: set[tuple[str, str]] = set()  # the pairs of an experiment and a data set that earlier parts have
        for part in target.parts:
            data = _data(part, asked)
            pairs = {(one, where) for one in part.names for where in data or ("",)}
            step = None if pairs <= done else _step(name, part, data, asked, known)
            done |= pairs
            if step is not None:
                yield step


def _step(
    target: str, part: Part, data: tuple[str, ...] | None, asked: Asked, known: dict[str, Experiment]
) -> Step | None:
    """A part of a target on these data sets; None, and a line that says so, if there is nothing of it at this preset
    or with these data sets."""
    if data is None:
        asked.say(f"{target}: left out, because it is not about {' or '.join(asked.data)}")
        return None
    given = () if data == _usual(part.names, known) and not asked.data else data
    context = Context(asked.preset, given, part.only, device=asked.device or default_device())
    left = []
    for name in part.names:
        try:
            refuse_unfit(known[name], context)
        except WsrError as error:
            asked.say(f"{target}: {error}")
            continue
        if context.asked(known[name]):
            left.append(name)
    return Step(target, tuple(left), Plan(known, context)) if left else None


def _usual(names: Iterable[str], known: dict[str, Experiment]) -> tuple[str, ...] | None:
    """The data sets that all these experiments are usually run on, if they are the same."""
    found = {known[name].data for name in names}
    return found.pop() if len(found) == 1 else None


def _data(part: Part, asked: Asked) -> tuple[str, ...] | None:
    """The data sets of a part: those that are given and of its kind, otherwise its own. None if those that are given
    are of another kind."""
    given = asked.data or (LIKE_THE_PAPER if asked.preset != STANDARD else ())
    if not asked.data and given and not asked.dry_run:
        raise WsrError(
            f"At the preset {asked.preset!r} there are no usual data sets: give --data, such as "
            f"{' '.join(LIKE_THE_PAPER)}, or --dry-run for the plan."
        )
    if not given or not part.data:
        return part.data
    return tuple(one for one in given if part.shapes in (None, modality_of(one).has_surface)) or None


def _nodes(step: Step) -> list[Cell]:
    return step.plan.order(step.names)


def _tell(steps: list[Step], asked: Asked) -> None:
    """Prints what would be done, and how long it would take."""
    making: dict[str, Duration] = {}
    for step in steps:
        asked.say(f"{step}:")
        states = {node: step.plan.state(node) for node in _nodes(step)}  # each looks at files, and none changes here
        by_experiment: dict[str, list[Cell]] = {}
        for node in states:
            if not node.is_report:
                by_experiment.setdefault(node.experiment, []).append(node)
        for name, nodes in by_experiment.items():
            missing = {str(node): duration(step.plan, node) for node in nodes if _lacks(states[node])}
            words = Counter(_word(step.plan, node, states[node], making) for node in nodes)
            fresh = {node: long for node, long in missing.items() if node not in making}
            told = ", ".join(f"{count} {word}" for word, count in words.items())
            asked.say(f"  {name}: {told}{_times(fresh.values())}")
            making |= fresh
        for line in _stale(step, states):
            asked.say(f"  {line}")
    asked.say(
        f"To make: {counted(len(making), 'cell')}{_times(making.values())}"
        + (f", on {_machine(asked)}" if making else "")
    )
    _tell_left_out(asked)


def _lacks(state: State) -> bool:
    return state.word not in (*THERE, STALE)


def _word(plan: Plan, node: Cell, state: State, making: Iterable[str]) -> str:
    if _lacks(state):
        return "made above" if str(node) in making else "to make"
    if state.word in THERE:
        return "used"
    return "stale" if _stays(plan, node, state) else "to write again, from what has changed"


def _times(of: Iterable[Duration]) -> str:
    """How long cells take together: "; 12 min (measured), 3 of unknown time"."""
    of = list(of)
    parts = []
    for how in ("measured", "estimated"):
        seconds = sum(one.seconds or 0.0 for one in of if one.how == how)
        parts += [f"{in_words(seconds)} ({how})"] if seconds else []
    lacking = sum(one.seconds is None for one in of)
    parts += [f"{lacking} of unknown time"] if lacking else []
    return f"; {', '.join(parts)}" if parts else ""


def _machine(asked: Asked) -> str:
    return "two cores of an EPYC" if asked.preset == STANDARD else "one H100, by speeds measured there"


def _tell_left_out(asked: Asked) -> None:
    if asked.preset == STANDARD and (ALL in asked.names or not asked.names):
        left = [f"{name} ({one.by_name})" for name, one in TARGETS.items() if one.by_name and name not in asked.names]
        asked.say(f"Not part of `all`: {'; '.join(left)}; and the experiments with a * in `python -m precompute list`.")


def _stale(step: Step, states: Mapping[Cell, State]) -> Iterator[str]:
    """A line for each cell that is stale and stays as it is."""
    for node, state in states.items():
        if _stays(step.plan, node, state):
            yield f"{node} is {state}; it stays as it is without --again"


def _stays(plan: Plan, node: Cell, state: State) -> bool:
    return state.word == STALE and not node.is_report and not plan.of(node).gathers


def _run(steps: list[Step], asked: Asked) -> list[str]:
    """Makes what is lacking. Returns what could not be made."""
    failed: list[str] = []
    for place, step in enumerate(steps):
        runner = Runner(step.plan.experiments, step.plan.context, say=asked.say)
        nodes, used = _nodes(step), 0
        for line in () if asked.again else _stale(step, {node: step.plan.state(node) for node in nodes}):
            asked.say(line)
        for i, node in enumerate(nodes):
            stays = _stays(step.plan, node, state := step.plan.state(node))
            if state.word in THERE or (stays and not asked.again):
                used += 1
                continue
            if not node.is_report:
                left = _left(step.plan, nodes[i:]) + sum(_left(one.plan, _nodes(one)) for one in steps[place + 1 :])
                asked.say(f"{step}: {node}, about {in_words(left)} left of what is known")
            failed += filter(None, [runner.attempt(node, asked.again and stays)])
        asked.say(f"{step}: {used} of {len(nodes)} were there and are used")
    _tell_left_out(asked)
    return failed


def _left(plan: Plan, nodes: list[Cell]) -> float:
    """Seconds that the cells still to be made take, as far as is known."""
    return sum(duration(plan, node).seconds or 0.0 for node in nodes if _lacks(plan.state(node)))
