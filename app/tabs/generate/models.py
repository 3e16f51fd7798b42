"""The generators that a visitor can sample from, and checks of what they ask for."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.shared import library, networks
from wsr.caching import cached_by_file
from wsr.errors import WsrError, unknown_name
from wsr.generators.metadata import read_about
from wsr.generators.registry import GeneratorKind, kinds, named
from wsr.paths import assets_dir

if TYPE_CHECKING:
    from torch import Tensor

    from wsr.analysis.novelty import Audit, Verdict
    from wsr.analysis.realism import Realism
    from wsr.generators.base import Generator
    from wsr.metrics.features import Extractor

COUNT = 16
STEPS, GUIDANCE, SEEDS = (10, 200), (0.0, 4.0), (0, 99_999)
PLAIN = 2.5  # guidance of a new page: the models' own, which the samples in assets have too
KEPT_STEPS = 100  # of the samples in assets, which are those of seed 0
ANY = "any"
OWN, BASELINE = "diffusion", "baseline"  # our generator; the role of those that need no more than the zoo


@dataclass(frozen=True)
class Asked:
    """What a visitor wants, as checked by `checked`. name: the collection whose weights the generator has learnt. by:
    the generator's registered name."""

    name: str
    by: str
    cls: str | None
    guidance: float
    steps: int
    seed: int


@dataclass
class Sampled:
    """The result of sampling: the weights (n, p); if there is an audit, a verdict on each; and if realism has been
    calibrated, whether what each shows is like real ones."""

    asked: Asked
    weights: "Tensor"
    verdicts: "list[Verdict]"
    real: list[bool] = field(default_factory=list)


def models() -> list[str]:
    """Returns the collections with a trained generator, first those of data sets of which anybody can name a new
    instance. Empty until the assets are made."""
    return library.nameable_first(filter(_has_trained, library.collection_names()))


def _has_trained(name: str) -> bool:
    return any(kind.role != BASELINE for kind in generators(name))


def generators(name: str) -> list[GeneratorKind]:
    """Returns the generators of a collection's weights, in order of registration: those that were trained, and the
    baselines."""
    return [kind for kind in kinds() if kind.role == BASELINE or _is_trained(name, kind.name)]


def _is_trained(name: str, by: str) -> bool:
    return file_of(name, by).is_file() and not problem(name, by)


@cached_by_file(lambda name, by: [file_of(name, by)], maxsize=256)
def problem(name: str, by: str) -> str:
    """Returns the sentence that says why an existing model cannot be used, and logs it; "" for one that can be used."""
    try:
        read_about(file_of(name, by))
    except WsrError as error:
        library.log.error("The model %s is left out of the page. %s", file_of(name, by).stem, error)
        return str(error)
    return ""


def checked(
    dataset: Any, representation: Any, cls: Any, guidance: Any, steps: Any, seed: Any, by: Any = ""
) -> Asked:  # fmt: skip
    """Checks the values of the page's controls, which a visitor can forge. by: "" for the collection's first generator.
    WsrError for one that is missing or out of range."""
    name = library.name_of(dataset, representation)
    if name not in models():
        raise unknown_name("model", name, models())
    there = [kind.name for kind in generators(name)]
    by = by or there[0]
    if by not in there:
        raise unknown_name("generator", str(by), there)
    classes = [ANY, *classes_of(name, by)]
    if cls not in classes:
        raise unknown_name("class", str(cls), classes)
    for what, value, (low, high) in (("guidance", guidance, GUIDANCE), ("number of steps", steps, STEPS),
                                     ("seed", seed, SEEDS)):  # fmt: skip
        require_within(what, value, low, high)
    return Asked(name, by, None if cls == ANY else cls, float(guidance), int(steps), int(seed))


def require_within(what: str, value: Any, low: float, high: float) -> None:
    """Raises a WsrError unless a value from outside is a number in this range."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        but = "there is none" if value is None else f"{str(value)[:20]!r} does not"
        raise WsrError(f"The {what} must lie between {low} and {high}, and {but}.")


def classes_of(name: str, by: str) -> list[str]:
    """Returns the classes that a generator was trained with: the data set's own, clusters, or none. Does not import the
    engine, so that the page is built without it."""
    return [] if named(by).role == BASELINE else [cls for cls in read_about(file_of(name, by))["classes"] if cls]


def file_of(name: str, by: str = OWN) -> Path:
    """Returns the first file of a trained generator, which is written last."""
    return assets_dir() / "diffusion" / f"{named(by).stem(name)}.safetensors"


def source_of(asked: Asked) -> Path:
    """Returns what `work.generator` reads: the generator's file, or for a baseline the zoo."""
    zoo = assets_dir() / "zoos" / asked.name
    return zoo if named(asked.by).role == BASELINE else file_of(asked.name, asked.by)


def files_of(name: str, by: str = OWN) -> list[str | Path]:
    """Returns the files from which a generator and its zoo are read."""
    return [file_of(name, by), *library.files_of(name)]


@cached_by_file(files_of, maxsize=6)
def model(name: str, by: str = OWN) -> "Generator":
    """Loads a trained generator."""
    from wsr.generators.files import load_generator

    return load_generator(file_of(name, by))


@cached_by_file(library.files_of, maxsize=6)
def audit(name: str) -> "tuple[Audit, list[str]]":
    """Returns the calibrated audit of a collection, and the ids of its training weights by row."""
    from wsr.analysis.novelty import audit_of

    made, training, _ = audit_of(networks.zoo(name))
    return made, training


def realism_file(name: str) -> Path:
    return assets_dir() / "metrics" / f"realism-{name}.safetensors"


@cached_by_file(lambda name: [realism_file(name)], maxsize=6)
def realism(name: str) -> "tuple[Realism, Extractor] | None":
    """Returns what tells whether samples of a collection are like real ones, with its extractor of features. None where
    it has not been calibrated, or was with another extractor than this machine has, whose features mean nothing
    beside ours."""
    from wsr.analysis.realism import load_realism

    if not realism_file(name).is_file():
        return None
    try:
        made, extractor = load_realism(realism_file(name)), library.collection(name).modality.extractor()
    except WsrError as error:
        library.log.error("Samples of %s are not compared with real ones. %s", name, error)
        return None
    if made.extractor == extractor.name:
        return made, extractor
    library.log.warning("Realism of %s was calibrated with %s, not %s.", name, made.extractor, extractor.name)
    return None


def learnt_from(name: str, by: str) -> int:
    """Returns how many weights a trained generator has learnt from, as its file states it; 0 for a baseline."""
    return 0 if named(by).role == BASELINE else int(read_about(file_of(name, by))["about"].get("trained_on", 0))


def kept_in(name: str, by: str) -> Path:
    """Returns the folder with a generator's stored samples of a collection, if there is one."""
    return assets_dir() / "samples" / named(by).stem(name)


def kept(name: str, by: str = OWN) -> Asked | None:
    """Returns the settings of the samples in assets; None if there are none."""
    there = (kept_in(name, by) / "zoo.json").is_file()
    return Asked(name, by, None, PLAIN, KEPT_STEPS, 0) if there else None


def alike(one: Asked, other: Asked | None) -> bool:
    """Returns whether two settings lead to the same samples, except for details that more steps refine."""
    return other is not None and replace(one, steps=0) == replace(other, steps=0)


def are_stored(sampled: Sampled) -> bool:
    """Returns whether these are the first of the stored samples."""
    return sampled.asked == kept(sampled.asked.name, sampled.asked.by)


def awaits_verdicts(sampled: Sampled) -> bool:
    """Returns whether these are stored samples on which the verdicts are still being found."""
    return not sampled.verdicts and are_stored(sampled)
