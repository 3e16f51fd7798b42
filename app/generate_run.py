"""What the Generate tab computes: samples from noise, step by step, and what each of them is nearest to."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app import jobs, library, looking, snippets, workers
from app.fit_run import Fitted
from wsr import representations
from wsr.caching import Stamp, cached_by_file, file_stamp
from wsr.errors import WsrError, unknown_name
from wsr.generators.metadata import read_about
from wsr.paths import assets_dir

if TYPE_CHECKING:
    from torch import Tensor

    from wsr.analysis.novelty import Audit, Verdict
    from wsr.generators.base import Generator, SampleStep

COUNT = 16
STEPS, GUIDANCE, SEEDS = (10, 200), (0.0, 4.0), (0, 99_999)
PLAIN = 2.5  # guidance that visitors begin with: as the models' own, and as the samples in assets
KEPT_STEPS = 100  # of the samples in assets, which are those of seed 0
ANY = "any"
# On the way and at the end, by dimension: pixels of an image or samples along a surface's edge, and seconds between two
# looks on the way.
LIVE = {2: (48, 0.3), 3: (20, 1.5)}
FINAL = {2: 96, 3: 48}
OPENED = {2: 256, 3: 64}  # of a sample that is looked at
LARGE = {2: 256, 3: 96}  # of one that is taken home
DRAWN, SKETCHED = 192, 96  # pixels of a drawn surface, at the end and on the way
MEANING = {
    "replica": "a replica: one training network is much nearer to it than all others. New networks rarely have that",
    "blend": "a blend: it lies almost on the line between two training networks. New networks rarely do",
    "novel": "novel: it is no nearer to a training network, or to a mix of two, than a really new one would be",
}


_drawing = threading.Lock()
_drawn: dict[tuple[Path, Stamp], list] = {}  # pictures of kept samples, by their folder and its state


@dataclass(frozen=True)
class Asked:
    """What a visitor wants, as checked by `checked`. name: of the collection whose weights the model has learnt."""

    name: str
    cls: str | None
    guidance: float
    steps: int
    seed: int


@dataclass
class Sampled:
    """What came: the weights (n, p), and, where the audit can say, a verdict on each."""

    asked: Asked
    weights: "Tensor"
    verdicts: "list[Verdict]"


@dataclass
class Screen:
    """What the page shows while samples appear. None leaves a part as it is."""

    state: str
    items: list[dict[str, Any]] | None = None
    sampled: Sampled | None = None


def models() -> list[str]:
    """Collections with a diffusion model, shapes first: anybody can name what was sampled. Empty until the assets are
    made."""
    there = [name for name in library.collection_names() if _file(name).is_file() and not problem(name)]
    return sorted(there, key=lambda name: name.startswith("emoji"))


@cached_by_file(lambda name: [_file(name)], maxsize=256)
def problem(name: str) -> str:
    """Why a model that is there cannot be used, as a sentence, which the log has as well; "" where it can."""
    try:
        classes_of(name)
    except WsrError as error:
        library.log.error("The model of %s is left out of the page. %s", name, error)
        return str(error)
    return ""


def checked(dataset: Any, representation: Any, cls: Any, guidance: Any, steps: Any, seed: Any) -> Asked:
    """Values of the page's controls, which a visitor can forge. WsrError for one that is not there or out of range."""
    name = f"{dataset}-{representation}"
    if representation not in representations or name not in models():
        raise unknown_name("model", name, models())
    classes = [ANY, *classes_of(name)]
    if cls not in classes:
        raise unknown_name("class", str(cls), classes)
    for what, value, (low, high) in (("guidance", guidance, GUIDANCE), ("number of steps", steps, STEPS),
                                     ("seed", seed, SEEDS)):  # fmt: skip
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise WsrError(f"The {what} must lie between {low} and {high}, not at {str(value)[:20]!r}.")
    return Asked(name, None if cls == ANY else cls, float(guidance), int(steps), int(seed))


def classes_of(name: str) -> list[str]:
    """The classes that the model was trained with: a data set's own, or clusters. Read without the engine, which the
    page is built without."""
    return read_about(_file(name))["classes"]


def _file(name: str) -> Path:
    return assets_dir() / "diffusion" / f"{name}.safetensors"


def _model_files(name: str) -> list[str | Path]:
    """The model's first file, which is written last, and what its zoo is read from."""
    return [_file(name), *library.files_of(name)]


def _sample_files(path: Path, name: str) -> list[str | Path]:
    return [path / "zoo.json", path / "index.parquet", *library.files_of(name)]


@cached_by_file(_model_files, maxsize=6)
def model(name: str) -> "Generator":
    from wsr.generators.files import load_generator

    return load_generator(_file(name))


@cached_by_file(library.files_of, maxsize=6)
def audit(name: str) -> "tuple[Audit, list[str]]":
    """The audit of a collection, calibrated, and the ids of its training weights by row."""
    from wsr.analysis.novelty import audit_of

    made, training, _ = audit_of(library.zoo(name))
    return made, training


def kept(name: str) -> Asked:
    """What was asked for the samples in assets."""
    return Asked(name, None, PLAIN, KEPT_STEPS, 0)


def alike(one: Asked, other: Asked) -> bool:
    """Whether the same samples come, but for what more steps refine."""
    return replace(one, steps=0) == replace(other, steps=0)


def opening(name: str) -> Iterator[Screen]:
    """The first of the samples in assets: what a visitor sees before they press anything."""
    path = assets_dir() / "samples" / name
    if not (path / "zoo.json").is_file():
        yield Screen(snippets.settled("Press Sample: sixteen networks appear that nobody fitted."), [])
        return
    sampled = _kept_samples(path, name)
    said = snippets.settled(f"{len(sampled.weights)} networks that nobody fitted. Press Sample for others.")
    key = path, file_stamp(_sample_files(path, name))
    if key not in _drawn:
        yield Screen(said, items(sampled.asked, sampled.weights, LIVE))
    with _drawing:  # what is the same for all visitors is drawn once, however many come with one link
        for older in [known for known in _drawn if known[0] == path and known != key]:
            del _drawn[older]
        shown = _drawn.get(key) or _drawn.setdefault(key, items(sampled.asked, sampled.weights, FINAL))
    yield Screen(said, shown)
    with _drawing:
        sampled.verdicts = sampled.verdicts or judged(name, sampled.weights)
    yield Screen(snippets.settled(summary(sampled)), noted(shown, sampled), sampled)


@cached_by_file(_model_files, maxsize=26)
def warm(name: str) -> None:
    """Loads the model and takes a step, which the first time takes half a second longer: while the visitor looks, so
    that the first press of Sample need not wait for it."""
    workers.ahead(jobs.sample, _file(name), COUNT, None, PLAIN, STEPS[0], 0)


@cached_by_file(_sample_files, maxsize=26)
def _kept_samples(path: Path, name: str) -> Sampled:
    from wsr.zoo import Zoo

    return Sampled(kept(name), Zoo.open(path).weights()[:COUNT], [])


def run(asked: Asked, stop: Path) -> Iterator[Screen]:
    """Samples and yields what to show, a few times a second. Ends early, with what there is, once `stop` exists."""
    yield Screen(snippets.working("Loading the model …"))
    dim, drawn, record = library.collection(asked.name).dim, 0.0, None
    records = _records(asked, stop.exists)
    try:
        for record in records:
            if stop.exists():
                break
            if record.step < record.steps and time.monotonic() - drawn > LIVE[dim][1]:
                said = f"Step {record.step} of {record.steps}: from noise to networks"
                yield Screen(snippets.working(said, record.step / record.steps), items(asked, record.weights, LIVE))
                drawn = time.monotonic()
    finally:
        records.close()
    if record is None:
        yield Screen(snippets.settled("Stopped before the first step."))
        return
    if stop.exists():
        said = snippets.settled(f"Stopped after {record.step} of {record.steps} steps.")
        yield Screen(said)  # at once; the pictures take half a second
        yield Screen(said, items(asked, record.weights, LIVE), Sampled(asked, record.weights, []))
        return
    shown = items(asked, record.weights, FINAL)
    yield Screen(snippets.working("Looking for copies …", 1.0), shown)
    sampled = Sampled(asked, record.weights, [] if stop.exists() else judged(asked.name, record.weights))
    yield Screen(snippets.settled(summary(sampled)), noted(shown, sampled), sampled)


_sampling = workers.Job(jobs.sample, duration=30, what="Sampling")


def _records(asked: Asked, stopped: Callable[[], bool] = lambda: False) -> "Iterator[SampleStep]":
    settings = COUNT, asked.cls, asked.guidance, asked.steps, asked.seed
    return _sampling(_file(asked.name), *settings, stopped=stopped)


def judged(name: str, weights: "Tensor") -> "list[Verdict]":
    """Empty where there are too few held-out fits to say."""
    try:
        return audit(name)[0].judge(weights)
    except WsrError:
        return []


def summary(sampled: Sampled) -> str:
    if not sampled.verdicts:
        return f"{len(sampled.weights)} new networks."
    words = [verdict.word for verdict in sampled.verdicts]
    many = {"novel": "novel", "blend": "blends of two", "replica": "replicas"}
    one = {"novel": "novel", "blend": "blend of two", "replica": "replica"}
    parts = [f"{words.count(word)} {(one if words.count(word) == 1 else many)[word]}" for word in many]
    return f"{len(words)} new networks: {', '.join(parts)}. Open one to see what it is nearest to."


def items(asked: Asked, weights: "Tensor", size: dict[int, int] | dict[int, tuple[int, float]]) -> list[dict[str, Any]]:
    """What weights decode to, for the grid."""
    dim = library.collection(asked.name).dim
    live = isinstance(size[dim], tuple)
    resolution, pixels = (size[dim][0], SKETCHED) if live else (size[dim], DRAWN)
    shown = pictures(asked.name, weights, resolution, pixels)
    sources = map(snippets.data_uri, shown)
    return [{"id": str(i), "label": f"sample {i + 1}", "src": source} for i, source in enumerate(sources)]


def noted(shown: list[dict[str, Any]], sampled: Sampled) -> list[dict[str, Any]]:
    """The same with each one's verdict and the training networks that it is nearest to below it."""
    if not sampled.verdicts:
        return shown
    name = sampled.asked.name
    found = []
    for i, (item, verdict) in enumerate(zip(shown, sampled.verdicts, strict=True), 1):
        near = " + ".join(label(name, audit(name)[1][row]) for row in origins(verdict))
        about = {"note": f"near {near}", "title": f"Sample {i} is {MEANING[verdict.word]}."}
        found.append({**item, "label": f"{i} · {verdict.word}", **about})
    return found


def origins(verdict: "Verdict") -> list[int]:
    """Rows of the training networks that a sample is nearest to: two of a blend."""
    return list(verdict.pair) if verdict.word == "blend" else [verdict.nearest]


def label(name: str, item: str) -> str:
    found = library.collection(name)
    return found.labels[found.position(item)]


def pictures(name: str, weights: "Tensor", resolution: int, pixels: int = DRAWN) -> list[np.ndarray]:
    """Images, or surfaces as they are drawn from one side."""
    from wsr.render.pictures import draw_weights

    return draw_weights(library.zoo(name).representation, weights, resolution, pixels)


def look(one: Fitted, folder: Path) -> tuple[np.ndarray, str | None]:
    """A sample's picture, and of a shape its surface as a GLB file, if it has any."""
    from wsr.render.decode import decode

    if one.dim == 2:
        key = one.model, "opened", looking.digest(one.weights)
        return looking.SEEN.get(key, lambda: decode(one.model, one.weights, OPENED[2])[0]), None
    key = one.model, "opened", looking.digest(one.weights)
    shown, drawn = looking.SEEN.get(key, lambda: _opened_surface(one))
    path = folder / f"sample-{time.monotonic_ns()}.glb"  # a new name: the viewer keeps what it has for an old one
    if shown:
        folder.mkdir(exist_ok=True)  # a visitor who has just left takes it along
        path.write_bytes(shown)
    return drawn, str(path) if shown else None


def _opened_surface(one: Fitted) -> tuple[bytes, np.ndarray]:
    """A shape as a GLB file, empty where there is no surface, and as it is drawn from one side."""
    from wsr.render.decode import decode
    from wsr.render.pictures import draw_mesh
    from wsr.render.surfaces import to_glb

    mesh = decode(one.model, one.weights, OPENED[3])[0]
    return to_glb(mesh, None) if len(mesh.faces) else b"", draw_mesh(mesh, DRAWN)


def opened_picture(name: str, weights: "Tensor") -> np.ndarray:
    """What one network's weights (1, p) are, as large as beside an opened sample."""
    size = OPENED[library.collection(name).dim]
    key = library.zoo(name), "opened", looking.digest(weights)
    return looking.SEEN.get(key, lambda: pictures(name, weights, size)[0])


def between(asked: Asked, first: int, second: int, part: float) -> "Tensor":
    """The sample (1, p) of the noise that is `part` of the way, along the sphere, from one sample's to another's."""
    import torch

    from wsr.generators.diffusion.model import WeightDiffusion, draw

    for number in (first, second):
        if not 0 <= number < COUNT:
            raise WsrError(f"Samples are numbered 1 to {COUNT}, not {number + 1}.")
    made = model(asked.name)
    if not isinstance(made, WeightDiffusion):
        raise WsrError("Only a diffusion model leads from one sample to another: it makes both from noise.")
    size = len(made.mean)
    a, b = (draw(1, size, asked.seed, number) for number in (first, second))
    angle = torch.acos(torch.nn.functional.cosine_similarity(a, b).clamp(-1, 1))[:, None]
    near = first == second or float(angle) < 1e-4
    noise = a if near else (torch.sin((1 - part) * angle) * a + torch.sin(part * angle) * b) / torch.sin(angle)
    cls = [asked.cls] if asked.cls else made.draw_classes(1, asked.seed, first if part < 0.5 else second)
    return made.sample(1, classes=cls, guidance=asked.guidance, steps=asked.steps, noise=noise)


def fitted(sampled: Sampled, number: int) -> Fitted:
    """A sample as the Atlas takes a visitor's fit."""
    found = library.collection(sampled.asked.name)
    one = sampled.weights[number : number + 1]
    model = library.zoo(found.name).representation
    return Fitted(f"sample {number + 1}", found.dim, model, one, (1, 1), 0.0, 0, found.name)


def files(sampled: Sampled, number: int, folder: Path) -> list[str]:
    """A sample as files: its weights (safetensors, decoded by `wsr`), and its picture (PNG) or surface (GLB)."""
    from PIL import Image

    from wsr.fitting.saved import save_weights
    from wsr.render.decode import decode
    from wsr.render.surfaces import to_glb

    one = fitted(sampled, number)
    stem = folder / f"{sampled.asked.name}-seed{sampled.asked.seed}-{number + 1}"
    weights = stem.with_name(stem.name + ".safetensors")
    save_weights(weights, one.weights, one.model, [one.label])
    shown = decode(one.model, one.weights, LARGE[one.dim])[0]
    if one.dim == 2:
        path = stem.with_name(stem.name + ".png")
        Image.fromarray(np.round(np.clip(shown, 0, 1) * 255).astype(np.uint8)).save(path)
    elif not len(shown.faces):
        return [str(weights)]
    else:
        path = stem.with_name(stem.name + ".glb")
        path.write_bytes(to_glb(shown, None))
    return [str(weights), str(path)]
