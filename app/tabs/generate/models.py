"""What there is to sample from: the diffusion models of the assets, and what a visitor may ask of them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.shared import library, networks
from wsr import representations
from wsr.caching import cached_by_file
from wsr.errors import WsrError, unknown_name
from wsr.generators.metadata import read_about
from wsr.paths import assets_dir

if TYPE_CHECKING:
    from torch import Tensor

    from wsr.analysis.novelty import Audit, Verdict
    from wsr.generators.base import Generator

COUNT = 16
STEPS, GUIDANCE, SEEDS = (10, 200), (0.0, 4.0), (0, 99_999)
PLAIN = 2.5  # guidance that visitors begin with: as the models' own, and as the samples in assets
KEPT_STEPS = 100  # of the samples in assets, which are those of seed 0
ANY = "any"


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


def models() -> list[str]:
    """Collections with a diffusion model, shapes first: anybody can name what was sampled. Empty until the assets are
    made."""
    there = [name for name in library.collection_names() if file_of(name).is_file() and not problem(name)]
    return sorted(there, key=lambda name: name.startswith("emoji"))


@cached_by_file(lambda name: [file_of(name)], maxsize=256)
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
    return read_about(file_of(name))["classes"]


def file_of(name: str) -> Path:
    """The model's first file, which is written last."""
    return assets_dir() / "diffusion" / f"{name}.safetensors"


def files_of(name: str) -> list[str | Path]:
    """The files that a model and its zoo are read from."""
    return [file_of(name), *library.files_of(name)]


@cached_by_file(files_of, maxsize=6)
def model(name: str) -> "Generator":
    from wsr.generators.files import load_generator

    return load_generator(file_of(name))


@cached_by_file(library.files_of, maxsize=6)
def audit(name: str) -> "tuple[Audit, list[str]]":
    """The audit of a collection, calibrated, and the ids of its training weights by row."""
    from wsr.analysis.novelty import audit_of

    made, training, _ = audit_of(networks.zoo(name))
    return made, training


def kept(name: str) -> Asked:
    """What was asked for the samples in assets."""
    return Asked(name, None, PLAIN, KEPT_STEPS, 0)


def alike(one: Asked, other: Asked) -> bool:
    """Whether the same samples come, but for what more steps refine."""
    return replace(one, steps=0) == replace(other, steps=0)
