"""The registry of data sets: each has a line here, or calls `register` from anywhere. Folders of files are not among
them: a modality loads those.

Importing this module loads no data set, so that the libraries of the others are not needed: what is stated as
"module:name" is imported on first use.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wsr.data.signals import Signals
from wsr.modalities import IMAGE, OCCUPANCY, Modality
from wsr.modalities import everything as modalities
from wsr.paths import cache_dir
from wsr.registry import Registry, imported

Progress = Callable[[int, int], None]
Measures = Mapping[str, Callable[[Any], float]]
LAST = 99


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set with its own name, or a part of one that has its own place on the page. Functions may be stated as
    "module:name"."""

    name: str
    """As `wsr.load_signals` takes it; that of a part is "emoji/people"."""
    modality: Modality
    load: Callable[[str | None], Signals] | str
    """Loads its signals, or a part of them by the part's name: one of its classes, for example."""
    classes: tuple[str, ...] = ()
    part_of: str = ""
    """The data set of which it is a part; empty if it is a whole one."""

    # where its signals come from
    fetch: Callable[[Path | None], Any] | str | None = None
    """Copies its source files into the cache, from a folder or by default from their package; does nothing if they are
    there. None if nothing has to be fetched."""
    fetched: Callable[[], Iterable[Path]] = tuple
    """Returns the paths that exist once it has been fetched."""
    build: Callable[..., Any] | str | None = None
    """Fills the cache with what takes long to compute, with the keyword `progress` of type `Progress`; None if there is
    nothing."""
    builds: str = ""
    """What `build` counts, in the plural."""

    # what is known of a signal from its id
    label: Callable[[str], str] | str | None = None
    """Returns an id in words; None if ids are shown as they are."""
    group: Callable[[str], str] | str | None = None
    """Returns the group of an id, if some signals are near-copies of others: members of one group fall into the same
    split. None if each signal is its own group."""
    describes: bool = False
    """Whether its signals have attributes."""
    measures: Callable[[str | None], Measures] | str | None = None
    """Returns, for a class or for None (any class), the functions that measure attributes from the content that weights
    decode to, by attribute."""

    # how it is shown
    title: str = ""
    """By default its name."""
    place: int = LAST
    """Its place among the data sets of the page, the lowest first; parts have the place of the whole and follow it."""
    nameable: bool = True
    """Whether anybody can say what a new instance shows. The page begins with such data sets where it shows generated
    weights."""
    first_class: str = ""
    """The class of the item that is open at first; by default the largest class."""
    liked: tuple[str, ...] = ()
    """Held-out ids shown first among examples, if a zoo holds them."""
    left_out: tuple[str, ...] = ()
    """Groups that are never shown as examples."""
    samples: tuple[str, ...] = ()
    """Held-out ids that the Fit tab offers as targets."""
    quick: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """For some of these, the number of steps after which a fit in the default representation looks right (a PSNR of 30
    dB, an IoU of 0.9), where that is much less than usual."""
    called: str = "{}"
    """How these are called by their class."""
    in_links: str = ""
    """What the ids of these samples begin with in links; by default its name."""

    packages: tuple[str, ...] = ()
    """Modules of further packages without which its signals cannot be read."""

    @property
    def is_here(self) -> bool:
        """Whether its signals can be read on this machine, without fetching or installing anything."""
        return all(path.exists() for path in self.fetched()) and all(map(find_spec, self.packages))

    def loaded(self, part: str | None = None) -> Signals:
        return imported(self.load)(part)

    def label_of(self, item: str) -> str:
        return item if self.label is None else imported(self.label)(item)

    def group_of(self, item: str) -> str:
        """Returns the group of an id. That of a snapshot `<id>@<step>` is the group of its instance."""
        instance = item.partition("@")[0]
        return instance if self.group is None else imported(self.group)(instance)

    def measured(self, cls: str | None) -> Measures:
        return {} if self.measures is None else imported(self.measures)(cls)

    def fetch_from(self, folder: Path | None = None) -> None:
        if self.fetch is not None:
            imported(self.fetch)(folder)

    def built(self, progress: Progress) -> None:
        if self.build is not None:
            imported(self.build)(progress=progress)

    def titles(self) -> dict[str, str]:
        """Returns the titles of its zoos by their names in file names: the usual ones, and those of all its signals."""
        if not self.title:
            return {}
        usual = slug(self.name)
        return {usual: self.title, large(usual): f"All {self.title.lower()}"}

    def part(self, name: str, title: str = "", **shown: Any) -> "DataSet":
        """Returns the part of this name, to be registered with a title of its own. The ids that are liked and the first
        class are not those of the whole."""
        own = {"first_class": "", "liked": (), "samples": (), "quick": {}} | shown
        return replace(self, name=f"{self.name}/{name}", part_of=self.name, title=title, **own)


_DATA_SETS = Registry[DataSet]("data set")


def register(dataset: DataSet) -> DataSet:
    """Registers a data set for commands, experiments and the page. WsrError if its name is taken."""
    return _DATA_SETS.register(dataset)


@contextmanager
def registered(*added: DataSet) -> Iterator[None]:
    """Registers data sets for the duration of the context."""
    with _DATA_SETS.restored():
        for dataset in added:
            register(dataset)
        yield


def named(name: str) -> DataSet:
    """Returns the data set of this name. WsrError, with the nearest name, if there is none."""
    return _DATA_SETS.named(name)


def everything(parts: bool = False) -> tuple[DataSet, ...]:
    """Returns all data sets in their order. parts: the registered parts as well."""
    found = _DATA_SETS.everything()
    return tuple(sorted((one for one in found if parts or not one.part_of), key=lambda one: order(one.name)))


def names() -> tuple[str, ...]:
    """Returns the names of all data sets, without parts, in their order."""
    return tuple(one.name for one in everything())


def find(name: str) -> tuple[DataSet | None, str | None]:
    """Returns the data set of a name like "shapes10/chair", and the name of the part. Either is None if the name does
    not contain it. A part that is registered is returned itself, and any other as its whole."""
    whole, _, part = name.partition("/")
    known = _DATA_SETS.names()
    found = next((one for one in (name, whole) if one in known), None)
    return None if found is None else _DATA_SETS[found], part or None


def order(name: str) -> tuple[int, int]:
    """The key by which data sets are sorted; those that are not registered come last."""
    dataset, _ = find(name)
    known = _DATA_SETS.names()
    return (LAST + 1, len(known)) if dataset is None else (dataset.place, known.index(dataset.name))


def choices() -> list[str]:
    """Returns all names that a data set can have, for messages: the registered ones, and folders as "images:DIR"."""
    return [*names(), *(f"{modality.folder}:DIR" for modality in modalities() if modality.folder)]


def groups(dataset: str, ids: Iterable[str]) -> list[str]:
    """Returns the group of each id; members of one group fall into the same split."""
    found, _ = find(dataset)
    return [item.partition("@")[0] if found is None else found.group_of(item) for item in ids]


@lru_cache(maxsize=4096)  # a plan of all experiments asks ten thousand times
def slug(name: str) -> str:
    """Returns a data set's name as it appears in file names: `emoji/people` is `emoji-people`, and
    `images:some/where/faces` is `images-faces`."""
    kind, _, folder = name.partition(":")
    name = f"{kind}-{folder.rstrip('/').rpartition('/')[2] or 'root'}" if folder else name
    return re.sub(r"[^\w.]+", "-", name).strip("-")


def large(name: str) -> str:
    """Returns the name in file names of a data set's large zoos, which hold all of its signals. name: that of its usual
    zoos, which hold a part of them."""
    return f"{name}-large"


EMOJI = register(DataSet(
    name="emoji", title="Emoji", modality=IMAGE, place=1,
    load="wsr.data.emoji:load_emoji", fetch="wsr.data.emoji:fetch_emoji",
    fetched=lambda: [cache_dir() / "emoji" / "groups.json"],
    label="wsr.data.emoji_names:label", group="wsr.data.emoji_names:family",
    classes=("smileys", "people", "animals", "food", "travel", "activities", "objects", "symbols", "flags"),
    nameable=False, first_class="animals", left_out=("1f595",),  # a rude gesture
    # faces and things with a clear shape
    liked=(
        *("1f475", "1f981", "1f601", "1f9d1-1f3ff-200d-1f4bc", "1f9d9-1f3fd-200d-2640-fe0f", "1f995", "1f36e", "1f63b"),
        *("1f6f0-fe0f", "1f454", "1f68e", "1f400", "1f40b", "1f96a", "2650", "1f1e7-1f1f8"),
    ),
    # a keycap, a family, a woman bowing, a man playing handball
    samples=("0039-fe0f-20e3", "1f468-200d-1f468-200d-1f467-200d-1f467", "1f647-1f3fe-200d-2640-fe0f",
             "1f93e-1f3ff-200d-2642-fe0f"),
    quick={"0039-fe0f-20e3": 100},
))  # fmt: skip
register(EMOJI.part("people", "People"))
register(DataSet(
    name="faces", title="Faces", modality=IMAGE, place=2,
    load="wsr.data.faces:load_faces", describes=True, classes=("bald", "short", "curly", "long"), first_class="long",
    # all lengths of hair, with and without glasses and beards
    liked=(
        *("face-900250", "face-900497", "face-900127", "face-900160", "face-900044", "face-900227", "face-900061"),
        *("face-900358", "face-900032", "face-900183", "face-900411", "face-900446"),
    ),
    samples=("face-900250", "face-900497"), called="face, {} hair", in_links="face",
    packages=("python_avatars", "resvg_py"),
    quick={"face-900250": 90, "face-900497": 90},  # from an encoder's start
))  # fmt: skip
register(DataSet(
    name="shapes10", title="Shapes", modality=OCCUPANCY, place=3,
    load="wsr.data.shapes10:load_shapes10", build="wsr.data.shapes10:build_cache", builds="shapes",
    describes=True, measures="wsr.data.shapes10.measured:measures",
    classes=("airplane", "chair", "table", "car", "lamp", "sofa", "watercraft", "bench", "loudspeaker", "cabinet"),
    first_class="chair",
    liked=(
        *("chair-00483", "airplane-00456", "lamp-00471", "car-00451", "watercraft-00499", "table-00492"),
        *("bench-00450", "cabinet-00463"),
    ),
    samples=("airplane-00451", "chair-00452", "lamp-00453", "car-00454", "table-00455", "watercraft-00456"),
    quick={"car-00454": 70},
    in_links="shape",
))  # fmt: skip
