"""The endpoints: what their arguments may be, which queue they wait in, and what they return. They obey the limits of
the page: a few jobs of one program at a time, fits and samples by turns, files of at most 32 MB."""

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gradio as gr
from gradio_client.utils import is_file_obj_with_meta

from app.shared import library, networks
from app.shell import compute, jobs, session, workers
from app.tabs.fit import preparing
from app.tabs.fit import run as fits
from app.tabs.generate import models
from app.tabs.generate import run as samples
from wsr.data.registry import large
from wsr.errors import WsrError
from wsr.fields import registry

SIZES = (16, 512)  # pixels, or points of a shape's grid, which has an end of its own
SECONDS = 60.0  # that reading, decoding and judging may take
MOST = 16  # samples at a time


def fit(
    file: gr.FileData, representation: str = registry.DEFAULT, steps: int = 0, rank: int = 4,
    request: gr.Request = None,
) -> tuple[dict, gr.FileData, gr.FileData]:  # fmt: skip
    """Fits a picture or a mesh as a small neural field.

    Args:
        file: a picture (PNG, JPEG, WebP …) or a mesh (OBJ, GLB, STL …) of at most 32 MB
        representation: one of mlp, mlp-asym, lora, lora-asym, mlora, mlora-asym
        steps: of Adam, 10 to 3,000; 0 for as many as the page would take
        rank: of the adapters, 1 to 16

    Returns:
        what came out (quality in dB of PSNR or as IoU, steps, seconds, numbers, status), the weights as a safetensors
        file, and what they decode to: a PNG file, or a GLB file of the surface
    """
    from app.programs import in_child  # imports torch, which the page must not wait for

    folder, over = _folder(request), _gone(request)
    target = preparing.measured(preparing.uploaded(_path(file), over), over)
    if target.trouble:
        raise WsrError(target.trouble)
    asked = fits.checked(representation, _whole("rank", rank), _whole("number of steps", steps or target.steps))
    last = _last(step for _, step in fits.records(target, asked, over))
    fitted = fits.outcome(target, fits.model_of(target, asked), last)
    weights = fits.weights_file(fitted, folder)
    size = fitted.modality.resolutions.final
    found = _prepared(in_child.decoded, weights, 0, size, folder, request=request)
    about = {"quality": fitted.quality, "unit": fitted.modality.unit, "steps": fitted.steps,
             "seconds": last.seconds, "numbers": fitted.weights.shape[1], "status": last.status or "ok"}  # fmt: skip
    return about, _file(weights), _file(found)


def decode(weights: gr.FileData, index: int = 0, size: int = 128, request: gr.Request = None) -> gr.FileData:
    """Decodes weights to a picture or a surface, at any resolution.

    Args:
        weights: a safetensors file of `fit`, `sample` or `interpolate`, or one that the page or `wsr fit` has written
        index: which of its rows, from 0 on
        size: pixels of the picture's longer side, 16 to 512, or points of the surface's grid a side, up to 128

    Returns:
        a PNG file, or a GLB file of the surface
    """
    from app.programs import in_child  # imports torch, which the page must not wait for

    index, size = _whole("index", index), _size(size)
    return _file(_prepared(in_child.decoded, _path(weights), index, size, _folder(request), request=request))


def interpolate(
    first: gr.FileData, second: gr.FileData, alpha: float = 0.5, aligned: bool = True, size: int = 128,
    request: gr.Request = None,
) -> tuple[gr.FileData, gr.FileData]:  # fmt: skip
    """Walks from one fit to another: the weights (1 − alpha) · first + alpha · second.

    Args:
        first: a safetensors file of weights, of which the first row counts
        second: another, of the same representation, base and rank
        alpha: 0 for the first, 1 for the second; from −1 to 2
        aligned: whether the second is moved next to the first before, by symmetries that leave its field as it is
        size: as of `decode`

    Returns:
        the weights between them as a safetensors file, and what they decode to
    """
    from app.programs import in_child  # imports torch, which the page must not wait for

    models.require_within("alpha", alpha, -1, 2)
    if not isinstance(aligned, bool):
        raise WsrError(f"aligned is true or false, not {str(aligned)[:20]!r}.")
    paths, size = (_path(first), _path(second)), _size(size)
    found = _prepared(in_child.mixed, *paths, float(alpha), aligned, size, _folder(request), request=request)
    return _file(found[0]), _file(found[1])


def sample(
    data: str, representation: str = registry.DEFAULT, count: int = 4, cls: str = models.ANY,
    guidance: float = models.PLAIN, steps: int = 100, seed: int = 0, request: gr.Request = None,
) -> tuple[list[dict], gr.FileData]:  # fmt: skip
    """Samples new weights from the generator that has learnt a data set's fits, and says whether they are copies.

    Args:
        data: a data set of the Generate tab, such as faces or shapes10
        representation: of the weights
        count: how many, 1 to 16
        cls: a class that the generator knows, by default any
        guidance: how strongly the class is followed, 0 to 4
        steps: of the sampler, 10 to 200
        seed: of the noise

    Returns:
        a verdict on each (replica, blend or novel, with the nearest training network; empty where there is no audit),
        and the weights as one safetensors file, whose rows `decode` draws
    """
    from app.programs.in_child import told  # imports torch, which the page must not wait for
    from wsr.fitting.saved import save_weights  # the same

    _require_known(data, representation, models.models())
    asked = models.checked(
        learnt(data, representation), representation, cls, guidance, _whole("number of steps", steps),
        _whole("seed", seed),
    )  # fmt: skip
    count = _whole("count", count)
    models.require_within("count", count, 1, MOST)
    last = _last(samples.records(asked, _gone(request), count))
    if last is None:
        raise WsrError("Sampling was stopped before its first step.")
    ids = [f"sample-{i}" for i in range(len(last.weights))]
    path = _folder(request) / f"samples-{asked.name}.safetensors"
    save_weights(path, last.weights, networks.zoo(asked.name).representation, ids)
    verdicts = samples.judged(asked.name, last.weights)
    training = models.audit(asked.name)[1] if verdicts else []
    return [told(item, one, training) for item, one in zip(ids, verdicts)], _file(path)  # noqa: B905 (there may be none)


def audit(
    weights: gr.FileData, data: str, representation: str = registry.DEFAULT, request: gr.Request = None
) -> list[dict]:
    """Says of weights whether they are copies of training weights, blends of two, or novel.

    Args:
        weights: a safetensors file with at most 1,000 rows
        data: the data set whose training fits they are compared with, as on the page
        representation: of the weights

    Returns:
        for each row its id, the verdict (replica, blend or novel), the nearest training network and the distance to it
    """
    from app.programs import in_child  # imports torch, which the page must not wait for

    _require_known(data, representation, library.collection_names())
    name = library.name_of(learnt(data, representation), representation)
    return _prepared(in_child.judged, _path(weights), name, request=request)


def learnt(data: str, representation: str) -> str:
    """The data set by the name under which a generator has learnt it: "faces" means "faces-large" as long as only the
    large zoo of faces has a generator. Other names are returned as they are."""
    with_model = [one for one in (data, large(data)) if f"{one}-{representation}" in models.models()]
    return next(iter(with_model), data)


def _require_known(data: Any, representation: Any, names: Sequence[str]) -> None:
    """WsrError, with what there is, unless one of these collections is of the data set in the representation. A data
    set may be called without "-large"."""
    asked = f"{data}-{representation}"
    if any(one in names for one in (asked, f"{large(str(data))}-{representation}")):
        return
    kinds = [kind for kind in registry.names() if f"{data}-{kind}" in names]
    here = [name.removesuffix(f"-{representation}") for name in names if name.endswith(f"-{representation}")]
    if here:
        remedy = f"with {str(representation)!r}, data may be {', '.join(here)}"
    elif kinds:
        remedy = f"with {str(data)!r}, representation may be {', '.join(kinds)}"
    else:
        remedy = f"data and representation together may be {', '.join(names)}"
    raise WsrError(f"There is no {asked[:80]!r} to do this with: {remedy}.")


def _whole(what: str, value: Any) -> int:
    """A whole number, also where a program has sent it as 20.0. WsrError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise WsrError(f"The {what} must be a whole number, not {str(value)[:20]!r}.")
    return int(value)


def _size(value: Any) -> int:
    models.require_within("size", value, *SIZES)
    return _whole("size", value)


# Each with the queue that it waits in.
ENDPOINTS: dict[str, tuple[Callable, dict[str, Any]]] = {
    "fit": (fit, compute.COMPUTE), "decode": (decode, compute.PREPARE), "interpolate": (interpolate, compute.PREPARE),
    "sample": (sample, compute.COMPUTE), "audit": (audit, compute.PREPARE),
}  # fmt: skip


def offer() -> None:
    """Adds the endpoints to the page that is being built."""
    for name, (function, queue) in ENDPOINTS.items():
        gr.api(compute.guarded(function), api_name=name, api_visibility="public", **queue)


def are_tools() -> bool:
    """Whether the endpoints are also tools of the Model Context Protocol, as `WSR_MCP=1` in the environment asks for.
    WsrError if the package for it is missing."""
    asked = os.environ.get("WSR_MCP", "") not in ("", "0")
    if asked and find_spec("mcp") is None:
        raise WsrError("WSR_MCP asks for tools, for which a package is missing: pip install 'gradio[mcp]' installs it.")
    return asked


def _path(file: Any) -> str:
    """The path of a file that was uploaded: gradio has made sure of that for what is marked as a file, and lets any
    other path pass, also those of the server's own files."""
    found = file.get("path") if is_file_obj_with_meta(file) else None
    if not isinstance(found, str):
        raise WsrError("A file is needed: give `handle_file(path)` of `gradio_client`.")
    return found


def _file(path: str | Path) -> dict[str, Any]:
    return {"path": str(path), "orig_name": Path(path).name, "meta": {"_type": "gradio.FileData"}}


def _folder(request: gr.Request | None) -> Path:
    """A new folder for the answer's files; it goes when the program leaves."""
    return Path(tempfile.mkdtemp(dir=session.session_dir(request)))


def _prepared(function: Callable, *args: Any, request: gr.Request | None) -> Any:
    """Computes in a child process, which ends when the program leaves."""
    plain = [str(one) if isinstance(one, Path) else one for one in args]
    return workers.prepared(function, *plain, seconds=SECONDS, what="The answer", stopped=_gone(request))


def _last(values: Iterable[Any]) -> Any:
    """The last of some values; None where there is none."""
    return next(iter(deque(values, maxlen=1)), None)


def _gone(request: gr.Request | None) -> Callable[[], bool]:
    """Returns a function that says whether the program has left."""
    return partial(jobs.over, session.session_dir(request) / "stop")
