"""The recorded fit with which the Fit tab opens: the sample that is chosen at first, as the page fits it, drawn on the
way at a few steps. It is an animated picture that plays once, with its last frame for visitors who want no motion."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from app.shared import samples, work
from app.tabs.fit.starting import START
from precompute.experiment import Cell, Context, Experiment
from precompute.tables import write_json
from wsr.fields import registry
from wsr.fitting.fit import representation_for
from wsr.paths import atomic_path
from wsr.render.decode import decode

RANK = 4
FRAMES, SIZE = 24, 192  # a fit at 128 pixels, drawn larger, since a field has no pixels
MILLISECONDS, QUALITY = 140, 55


def run(cell: Cell, context: Context) -> None:
    item, _ = samples.first()
    target = samples.target(item)
    model = representation_for(registry.DEFAULT, None, target.modality, RANK, context.preset)
    wanted, drawn, curve = shown_steps(target.steps), [], []
    for record in _records(target):
        curve.append((record.step, round(float(np.nanmean(record.quality)), 2)))
        if record.step >= wanted[len(drawn)] or record.done:
            seen = decode(model, record.weights, SIZE, target.aspect)[0]
            drawn.append(Image.fromarray(target.modality.picture(seen, SIZE)))
        if record.done:
            break
    _save(drawn, context)
    about = {"item": item, "label": target.label, "representation": model.name, "steps": record.step}
    about |= {"numbers": model.size, "quality": float(np.nanmean(record.quality)), "curve": curve}
    write_json(context.path("reports/recorded-fit.json"), about)


def shown_steps(steps: int) -> list[int]:
    """The steps that are drawn: most of them early, when the picture changes fastest, and the last one."""
    spaced = np.geomspace(min(10, steps), steps, FRAMES)
    return np.unique(spaced.round().astype(int)).tolist()


def _records(target: samples.Target) -> Iterator[work.Step]:
    for _, record in work.fit(target.signal, (registry.DEFAULT,), RANK, target.steps, None, START):
        yield record


def _save(drawn: list[Image.Image], context: Context) -> None:
    with atomic_path(context.path("reports/recorded-fit.webp")) as path:
        every = {"save_all": True, "append_images": drawn[1:], "duration": MILLISECONDS, "loop": 1}
        drawn[0].save(path, "webp", **every, quality=QUALITY, method=6)
    with atomic_path(context.path("reports/recorded-fit-last.webp")) as path:
        drawn[-1].save(path, "webp", quality=QUALITY, method=6)


EXPERIMENT = Experiment(
    name="recorded_fit",
    title="`reports/recorded-fit*`: the fit that plays when the Fit tab is opened",
    run=run,
    needs=("bases/emoji.safetensors",),
    settings=lambda cell, context: {"frames": FRAMES, "size": SIZE, "quality": QUALITY},
    makes=("reports/recorded-fit.webp", "reports/recorded-fit-last.webp", "reports/recorded-fit.json"),
    presets=("cpu",),
    place=20,
    size="0.1 MB",
    time="1 min",
)
