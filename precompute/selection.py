"""The data sets of experiments: their names in files, how they are fetched or generated, and which of their signals a
zoo holds. A data set's zoos hold the same signals for every representation."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import zip_longest

from wsr import modalities
from wsr.data import Signals, load_signals
from wsr.data.occupancy import prepare_occupancy
from wsr.data.parts import folder_and_part, rank
from wsr.data.registry import choices, find
from wsr.data.splits import HELDOUT, TEST, TRAIN, VALIDATION, Split
from wsr.errors import unknown_name
from wsr.modalities import Modality
from wsr.progress import bar

# How many signals of each split a zoo holds.
SIZES: Mapping[Split, int] = {TRAIN: 800, HELDOUT: 200}
LARGE_SIZES: Mapping[Split, int] = {TRAIN: 1600, VALIDATION: 200, TEST: 200}
SIZES_OF: Mapping[str, Mapping[Split, int]] = {"faces": LARGE_SIZES}
# And how many of them its zoos in assets/ hold, if those are only a part of the zoos in the cache.
SHIPPED_OF: Mapping[str, Mapping[Split, int]] = {"faces": {TRAIN: 800, VALIDATION: 100, TEST: 100}}


def base_data(data: str) -> str:
    """The data set on which the base of a data set's adapters was trained. For a part (`emoji/people`) it is the whole
    data set, and for a folder the folder itself."""
    return data if ":" in data else data.partition("/")[0]


def bases_of(datasets: Iterable[str]) -> list[str]:
    """The data sets on which the bases of these data sets were trained, each once."""
    return list(dict.fromkeys(map(base_data, datasets)))


def modality_of(data: str) -> Modality:
    """The modality of a data set's signals, found from its name alone. Raises a WsrError if there is no such data
    set."""
    dataset, _ = find(data)
    if dataset:
        return dataset.modality
    kind, _, folder = data.partition(":")
    for modality in modalities.everything():
        if folder and kind == modality.folder:
            return modality
    raise unknown_name("data set", data, choices())


def has_surfaces(data: str) -> bool:
    """Whether the signals of a data set are shapes, whose surfaces can be compared."""
    return modality_of(data).has_surface


def quality_of(data: str) -> str:
    """The name of a fit's quality in tables, such as "PSNR"."""
    return modality_of(data).title.partition(" (")[0]


def prepare(data: str) -> None:
    """Fetches emoji, generates procedural shapes, and samples the occupancy of the shapes that a base learns from. All
    of it is kept in the cache."""
    dataset, _ = find(data)
    if dataset:
        dataset.fetch_from()
    if dataset and dataset.builds:
        with bar(dataset.builds) as update:
            dataset.built(update)
    if has_surfaces(data):
        with bar("occupancy") as update:
            prepare_occupancy(training_signals(data), progress=update)


def training_signals(data: str) -> Signals:
    """The signals that the base of a data set is trained on."""
    return load_signals(base_data(data)).where(split="train")


def zoo_signals(dataset: str) -> Signals:
    """The signals of a data set's zoos, in an order that does not depend on the class, so that the first half of a zoo
    represents all of it. A part of a folder that is stated in numbers ("images:DIR#5000") is meant whole."""
    signals = load_signals(dataset)
    if ":" in dataset and folder_and_part(dataset.partition(":")[2])[1]:
        return signals.select(sorted(signals.ids, key=rank))
    return _chosen(signals, SIZES_OF.get(base_data(dataset), SIZES))


def zoo_size(dataset: str) -> int:
    """How many signals a data set's zoos hold, if it has enough."""
    part = folder_and_part(dataset.partition(":")[2])[1] if ":" in dataset else ""
    if part:
        return math.prod(map(int, part.split("x")))
    return sum(SIZES_OF.get(base_data(dataset), SIZES).values())


def large_zoo_signals(dataset: str) -> Signals:
    """The signals of a data set's large zoos (`precompute.large`): all of them. Those whose weights come with the
    assets are first, and the others follow in an order that does not depend on the class either."""
    signals, first = load_signals(dataset), shipped_of_large(dataset).ids
    return signals.select([*first, *sorted(set(signals.ids) - set(first), key=rank)])


def shipped_of_large(dataset: str) -> Signals:
    """The signals whose weights in a large zoo come with the assets."""
    return _chosen(load_signals(dataset), LARGE_SIZES)


def shipped_signals(dataset: str) -> Signals | None:
    """The signals of a data set's zoos whose weights come with the assets; None if they are all of them."""
    sizes = SHIPPED_OF.get(base_data(dataset))
    return _chosen(load_signals(dataset), sizes) if sizes else None


def _chosen(signals: Signals, sizes: Mapping[Split, int]) -> Signals:
    chosen = [name for split, count in sizes.items() for name in _balanced(signals, split, count)]
    return signals.select(sorted(chosen, key=rank))


def _balanced(signals: Signals, split: Split, count: int) -> list[str]:
    """Returns `count` ids, spread over the classes as evenly as their sizes allow. From a whole data set it takes only
    one of each group (the skin tones of one emoji). A part such as `emoji/people` has too few groups for that, so
    several may be taken."""
    dataset, part = find(signals.name)
    whole = None if part else dataset
    groups, seen = defaultdict(list), set()
    for signal in sorted(signals.where(split=split), key=lambda signal: rank(signal.id)):
        key = whole.group_of(signal.id) if whole else signal.id
        if key not in seen:
            seen.add(key)
            groups[signal.cls].append(signal.id)
    turns = zip_longest(*(groups[cls] for cls in sorted(groups)))
    return [name for turn in turns for name in turn if name is not None][:count]
