"""Shows samples: as pictures of the grid, opened beside their nearest training networks, and as files."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.components.field.files import Shape, field_of, fields_of
from app.shared import library, networks
from app.shared.fitted import Fitted
from app.shell import looking, snippets
from app.tabs.generate import models
from app.tabs.generate.models import Sampled
from wsr.generators.registry import named
from wsr.modalities import Modality

if TYPE_CHECKING:
    from torch import Tensor

    from wsr.analysis.novelty import Verdict

PART = 4  # samples that are drawn between two looks at Stop
DRAWN, SKETCHED = 192, 96  # pixels of a drawn surface, at the end and on the way
THUMB = Shape(32, 96)  # of a surface in the grid that the page draws: sixteen of them take six times as much at 64
MEANING = {
    "replica": "a replica: one training network is much nearer to it than all others, as is rare for new ones",
    "blend": "a blend: it lies almost on the line between two training networks. New networks rarely do",
    "novel": "novel: it is no nearer to a training network, or to a mix of two, than a really new one would be",
}
# What is said of novel samples, by whether what they show is like real ones.
SHORT = {True: "new, and like real ones", False: "new, but unlike real ones"}
LONG = {
    True: "What it shows is like real ones: no further from the nearest of them than they are from each other.",
    False: "What it shows is unlike real ones: further from the nearest of them than {share:.0%} of them are from each "
    "other.",
}


def items(
    name: str, weights: "Tensor", *, live: bool = False, stays: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> list[dict[str, Any]] | None:  # fmt: skip
    """Returns items of the grid for weights (n, p) that are new: the weights, if the page draws them, else the decoded
    pictures. live: coarser and faster, for unfinished samples. stays: whether these are the last ones all the same; the
    page draws them as finely as others, and can blend them. Returns None as soon as `stopped` returns True, because
    sixteen surfaces take seconds."""
    at = library.collection(name).modality.resolutions
    if stopped():
        return None
    passing = live and not stays
    fields = fields_of(networks.zoo(name).representation, weights, passing=passing, shape=THUMB)
    if fields is None:
        return decoded_items(name, weights, live=live, stopped=stopped)
    size = at.live_samples.resolution if passing else at.sample
    if library.collection(name).modality.has_surface:
        size = SKETCHED // 2 if passing else SKETCHED
    known = enumerate(_named(name, fields))
    return [{"id": str(i), "label": f"sample {i + 1}", "size": size, **one} for i, one in known]


def _named(name: str, fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the page knows of samples: by which network it draws them, and how large it draws surfaces of blends."""
    of = library.collection(name).modality
    return [{"field": one} | ({"large": asdict(shape_of(of))} if of.has_surface else {}) for one in fields]


def stored_items(name: str, weights: "Tensor", *, live: bool = False) -> list[dict[str, Any]]:
    """Returns items of the grid for weights that are shown to all visitors: surfaces are drawn once, by the server, and
    the page knows their networks as well."""
    if not library.collection(name).modality.has_surface:
        return items(name, weights, live=live)
    fields = None if live else fields_of(networks.zoo(name).representation, weights, shape=THUMB)
    shown = decoded_items(name, weights, live=live)
    return [one | more for one, more in zip(shown, _named(name, fields), strict=True)] if fields else shown


def decoded_items(
    name: str, weights: "Tensor", *, live: bool = False, stopped: Callable[[], bool] = lambda: False
) -> list[dict[str, Any]] | None:
    """Returns items of the grid with the decoded pictures of weights, as `items`."""
    at, shown = library.collection(name).modality.resolutions, []
    resolution, pixels = (at.live_samples.resolution, SKETCHED) if live else (at.sample, DRAWN)
    for part in weights.split(PART):
        if stopped():
            return None
        shown += pictures(name, part, resolution, pixels)
    sources = map(snippets.data_uri, shown)
    return [{"id": str(i), "label": f"sample {i + 1}", "src": source} for i, source in enumerate(sources)]


def noted(shown: list[dict[str, Any]], sampled: Sampled) -> list[dict[str, Any]]:
    """Adds to each item its verdict and its nearest training networks."""
    if not sampled.verdicts:
        return shown
    name = sampled.asked.name
    found = []
    for i, (item, verdict) in enumerate(zip(shown, sampled.verdicts, strict=True)):
        near = " + ".join(label(name, models.audit(name)[1][row]) for row in origins(verdict))
        word = SHORT[sampled.real[i]] if sampled.real and verdict.word == "novel" else verdict.word
        found.append({**item, "label": f"{i + 1} · {word}", "note": f"near {near}", "title": told(sampled, i)})
    return found


def told(sampled: Sampled, at: int) -> str:
    """The sentences about a sample: whether it is new, and if so, whether it is like real ones."""
    word = sampled.verdicts[at].word
    said = f"Sample {at + 1} is {MEANING[word]}."
    if word != "novel" or not sampled.real:
        return said
    measure, _ = models.realism(sampled.asked.name)
    return f"{said} {LONG[sampled.real[at]].format(share=1 - measure.rate)}"


def origins(verdict: "Verdict") -> list[int]:
    """Returns the rows of the training networks nearest to a sample: two for a blend."""
    return list(verdict.pair) if verdict.word == "blend" else [verdict.nearest]


def label(name: str, item: str) -> str:
    found = library.collection(name)
    return found.labels[found.position(item)]


def pictures(name: str, weights: "Tensor", resolution: int, pixels: int = DRAWN) -> list[np.ndarray]:
    """Draws the pictures of weights: images, or surfaces seen from one side."""
    from wsr.render.pictures import draw_weights

    return draw_weights(networks.zoo(name).representation, weights, resolution, pixels)


def shape_of(modality: Modality) -> Shape:
    """How an opened surface is drawn by the page: a little coarser than by the server."""
    return Shape(modality.resolutions.sample, DRAWN)


def field(one: Fitted) -> dict[str, Any] | None:
    """What the page needs to turn a surface; None for a picture of the plane, or where the page cannot."""
    return field_of(one.model, {"a": one.weights[0]}, shape_of(one.modality)) if one.modality.has_surface else None


def look(one: Fitted, folder: Path) -> tuple[np.ndarray, str | None]:
    """Returns a sample's picture and the path of a GLB file of its surface; None for an image, or if there is no
    surface."""
    shown, drawn = _opened(one)
    path = folder / f"sample-{time.monotonic_ns()}.glb"  # a new name: the viewer keeps what it has for an old one
    if shown:
        folder.mkdir(exist_ok=True)  # a visitor who has just left takes it along
        path.write_bytes(shown)
    return drawn, str(path) if shown else None


def picture(one: Fitted) -> np.ndarray:
    """Returns a sample's picture alone."""
    return _opened(one)[1]


def _opened(one: Fitted) -> tuple[bytes, np.ndarray]:
    """Returns the bytes of the GLB file of a sample's surface, empty for an image or if there is no surface, and its
    picture. Both are kept for the next visitor."""
    draw = _surface if one.modality.has_surface else _image
    return looking.SEEN.get((one.model, "opened", looking.digest(one.weights)), lambda: draw(one))


def _image(one: Fitted) -> tuple[bytes, np.ndarray]:
    from wsr.render.decode import decode

    return b"", one.modality.picture(decode(one.model, one.weights, one.modality.resolutions.opened)[0], DRAWN)


def _surface(one: Fitted) -> tuple[bytes, np.ndarray]:
    from wsr.render.decode import decode
    from wsr.render.pictures import draw_mesh
    from wsr.render.surfaces import to_glb

    mesh = decode(one.model, one.weights, one.modality.resolutions.opened)[0]
    return to_glb(mesh, None) if len(mesh.faces) else b"", draw_mesh(mesh, DRAWN)


def opened_picture(name: str, weights: "Tensor") -> np.ndarray:
    """Draws one network's weights (1, p) at the size of an opened sample."""
    size = library.collection(name).modality.resolutions.opened
    key = networks.zoo(name), "opened", looking.digest(weights)
    return looking.SEEN.get(key, lambda: pictures(name, weights, size)[0])


def fitted(sampled: Sampled, number: int) -> Fitted:
    """Returns a sample in the form in which the Atlas takes a visitor's fit."""
    found = library.collection(sampled.asked.name)
    one = sampled.weights[number : number + 1]
    model = networks.zoo(found.name).representation
    return Fitted(f"sample {number + 1}", model, one, (1, 1), 0.0, 0, found.name)


def files(sampled: Sampled, number: int, folder: Path, shown: Fitted | None = None) -> list[str]:
    """Writes a sample to files and returns their paths: its weights (safetensors, which `wsr` decodes), and its picture
    (PNG) or surface (GLB). shown: the sample as it has been edited."""
    from wsr.fitting.saved import save_weights
    from wsr.render.decode import decode

    plain = fitted(sampled, number)
    one = shown or plain
    stem = f"{named(sampled.asked.by).stem(sampled.asked.name)}-seed{sampled.asked.seed}-{number + 1}"
    stem = folder / (stem if one.label == plain.label else f"{stem}-edited")
    weights = stem.with_name(stem.name + ".safetensors")
    save_weights(weights, one.weights, one.model, [one.label])
    shown = decode(one.model, one.weights, one.modality.resolutions.large)[0]
    if one.modality.empty(shown):
        return [str(weights)]
    path = stem.with_name(stem.name + one.modality.suffix)
    one.modality.save(shown, path)
    return [str(weights), str(path)]
