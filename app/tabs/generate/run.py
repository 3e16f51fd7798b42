"""Content of the Generate tab: samples from noise, step by step, and a verdict on each."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.shared import library, networks, work
from app.shell import snippets, workers
from app.shell.jobs import Pace
from app.tabs.generate import drawn, models
from app.tabs.generate.models import BASELINE, OWN, PLAIN, STEPS, Asked, Sampled
from wsr.caching import Stamp, cached_by_file, file_stamp
from wsr.errors import WsrError, counted
from wsr.generators.registry import named

if TYPE_CHECKING:
    from torch import Tensor

    from wsr.analysis.novelty import Verdict
    from wsr.generators.base import SampleStep

_drawing = threading.Lock()
_kept_items: dict[tuple[Path, Stamp], list] = {}  # pictures of kept samples, by their folder and its state


@dataclass
class Screen:
    """What the page shows while samples appear, by widget. None leaves a part as it is."""

    state: str
    items: list[dict[str, Any]] | None = None
    sampled: Sampled | None = None


def _sample_files(path: Path, name: str, *_: str) -> list[str | Path]:
    return [path / "zoo.json", path / "index.parquet", *library.files_of(name)]


def opening(name: str, by: str = OWN) -> Iterator[Screen]:
    """Yields the first of the stored samples, which a visitor sees before pressing anything."""
    path = models.kept_in(name, by)
    if not models.kept(name, by):
        yield Screen(snippets.settled("Press Sample: sixteen networks appear that nobody fitted."), [])
        return
    sampled = Sampled(models.kept(name, by), _kept_samples(path, name, by).weights, [])  # what is opened meanwhile
    said = snippets.settled(f"{len(sampled.weights)} networks that nobody fitted. Press Sample for others.")
    if not library.collection(name).modality.has_surface:
        shown = drawn.items(name, sampled.weights)  # which the page draws
    else:
        key = path, file_stamp(_sample_files(path, name))
        if key not in _kept_items:
            yield Screen(said, drawn.stored_items(name, sampled.weights, live=True), sampled)
        with _drawing:  # what is the same for all visitors is drawn once, however many come with one link
            for older in [known for known in _kept_items if known[0] == path and known != key]:
                del _kept_items[older]
            shown = _kept_items.get(key) or _kept_items.setdefault(key, drawn.stored_items(name, sampled.weights))
    yield Screen(said, shown, sampled)
    sampled = compared(name, by)
    yield Screen(snippets.settled(summary(sampled)), drawn.noted(shown, sampled), sampled)


def compared(name: str, by: str) -> Sampled:
    """Returns the first of the stored samples with a verdict on each. It is found once for all visitors."""
    sampled = _kept_samples(models.kept_in(name, by), name, by)
    with _drawing:
        sampled.verdicts = sampled.verdicts or judged(name, sampled.weights)
        sampled.real = sampled.real or realistic(sampled)
    return sampled


@cached_by_file(models.files_of, maxsize=26)
def warm(name: str, by: str) -> None:
    """Loads the model and takes one step, which takes half a second longer the first time. This happens while the
    visitor looks, so that the first press of Sample need not wait for it."""
    first = Asked(name, by, None, PLAIN, STEPS[0], 0)
    workers.ahead(work.sample, models.source_of(first), models.COUNT, None, PLAIN, STEPS[0], 0, by)


@cached_by_file(_sample_files, maxsize=26)
def _kept_samples(path: Path, name: str, by: str) -> Sampled:
    from wsr.zoo import Zoo

    return Sampled(models.kept(name, by), Zoo.open(path).weights()[: models.COUNT], [])


def run(asked: Asked, stop: Path) -> Iterator[Screen]:
    """Samples and yields what to show, a few times a second. Ends early, with what there is, once `stop` exists."""
    yield Screen(snippets.working("Loading the model …"))
    pace, record = Pace(library.collection(asked.name).modality.resolutions.live_samples.seconds), None
    steps = records(asked, stop.exists, models.COUNT)
    try:
        for record in steps:
            if stop.exists():
                break
            if record.step < record.steps and pace.is_due():
                said = f"Step {record.step} of {record.steps}: from noise to networks"
                shown = drawn.items(asked.name, record.weights, live=True)
                yield Screen(snippets.working(said, record.step / record.steps), shown)
                pace.drawn()
    finally:
        steps.close()
    if record is None:
        yield Screen(snippets.settled("Stopped before the first step."))
        return
    shown = drawn.items(asked.name, record.weights, stopped=stop.exists)
    if shown is None:
        said = snippets.settled(f"Stopped after {record.step} of {record.steps} steps.")
        yield Screen(said)  # at once; the pictures take half a second
        shown = drawn.items(asked.name, record.weights, live=True, stays=True)
        yield Screen(said, shown, Sampled(asked, record.weights, []))
        return
    yield Screen(snippets.working("Looking for copies …", 1.0), shown)
    sampled = Sampled(asked, record.weights, [] if stop.exists() else judged(asked.name, record.weights))
    if not stop.exists() and models.realism_file(asked.name).is_file():
        yield Screen(snippets.working("Comparing with real ones …", 1.0), drawn.noted(shown, sampled))
        sampled.real = realistic(sampled)
    yield Screen(snippets.settled(summary(sampled)), drawn.noted(shown, sampled), sampled)


_sampling = workers.Task(work.sample, duration=30, what="Sampling")


def records(asked: Asked, stopped: Callable[[], bool], count: int) -> "Iterator[SampleStep]":
    """Samples in a child process, and yields each step."""
    settings = count, asked.cls, asked.guidance, asked.steps, asked.seed, asked.by
    return _sampling(models.source_of(asked), *settings, stopped=stopped)


def judged(name: str, weights: "Tensor") -> "list[Verdict]":
    """Returns a verdict on each sample; empty if there are too few held-out fits."""
    try:
        return models.audit(name)[0].judge(weights)
    except WsrError:
        return []


def realistic(sampled: Sampled) -> list[bool]:
    """Tells of each sample whether what it shows is like real ones; empty where that cannot be said, or where no sample
    is novel."""
    from wsr.analysis.evaluation import decoded

    name = sampled.asked.name
    if not any(verdict.word == "novel" for verdict in sampled.verdicts) or (found := models.realism(name)) is None:
        return []
    measure, extractor = found
    seen = decoded(networks.zoo(name).representation, sampled.weights, extractor, measure.resolution)
    return measure.like_real(seen.features).tolist()


def summary(sampled: Sampled) -> str:
    if not sampled.verdicts:
        return f"{counted(len(sampled.weights), 'sample')}."
    words = [verdict.word for verdict in sampled.verdicts]
    many = {"novel": "novel", "blend": "blends of two", "replica": "replicas"}
    one = {"novel": "novel", "blend": "blend of two", "replica": "replica"}
    if sampled.real:
        like = sum(real for real, word in zip(sampled.real, words, strict=True) if word == "novel")
        many["novel"] = one["novel"] = f"novel ({like} like real ones)"
    parts = [f"{words.count(word)} {(one if words.count(word) == 1 else many)[word]}" for word in many]
    said = f"{counted(len(words), 'sample')}: {', '.join(parts)}. Open one to see what it is nearest to."
    here, learnt = len(models.audit(sampled.asked.name)[1]), models.learnt_from(sampled.asked.name, sampled.asked.by)
    if learnt <= here + 1:  # the weight that all MLPs began from is not compared with
        return said
    return f"{said} They were compared with {here:,} of the {learnt:,} networks that the generator was trained on."


def between(asked: Asked, first: int, second: int, part: float) -> "Tensor":
    """Returns the sample (1, p) of a noise between those of two samples: `part` of the way along the sphere."""
    import torch

    from wsr.generators.diffusion.model import WeightDiffusion, draw

    for number in (first, second):
        if not 0 <= number < models.COUNT:
            raise WsrError(f"Samples are numbered 1 to {models.COUNT}, not {number + 1}.")
    made = None if named(asked.by).role == BASELINE else models.model(asked.name, asked.by)
    if not isinstance(made, WeightDiffusion):
        raise WsrError("Only a diffusion model can walk from one sample to another, because it makes both from noise.")
    size = len(made.mean)
    a, b = (draw(1, size, asked.seed, number) for number in (first, second))
    angle = torch.acos(torch.nn.functional.cosine_similarity(a, b).clamp(-1, 1))[:, None]
    near = first == second or float(angle) < 1e-4
    noise = a if near else (torch.sin((1 - part) * angle) * a + torch.sin(part * angle) * b) / torch.sin(angle)
    cls = [asked.cls] if asked.cls else made.draw_classes(1, asked.seed, first if part < 0.5 else second)
    return made.sample(1, classes=cls, guidance=asked.guidance, steps=asked.steps, noise=noise)
