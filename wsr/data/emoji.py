"""The `emoji` data set: 3,391 rendered emoji, MIT licence, from the npm package `@lobehub/fluent-emoji-3d`.

Classes are the nine Unicode groups. The split is by family (an emoji's code points without skin-tone modifiers): nearly
half of the emoji differ from another one in nothing but the skin tone, and a random split would put such near-copies of
training emoji into the held-out split.
"""

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from wsr.data.emoji_names import family
from wsr.data.images import read_image, resize_image
from wsr.data.signals import Signal, Signals
from wsr.errors import WsrError, unknown_name
from wsr.modalities import IMAGE
from wsr.paths import cache_dir

PICTURES, GROUPS = "@lobehub/fluent-emoji-3d@1.1.0", "unicode-emoji-json@0.9.0"
TABLE = "data-by-emoji.json"  # of the package GROUPS
GROUP_CLASS = {
    "Smileys & Emotion": "smileys",
    "People & Body": "people",
    "Animals & Nature": "animals",
    "Food & Drink": "food",
    "Travel & Places": "travel",
    "Activities": "activities",
    "Objects": "objects",
    "Symbols": "symbols",
    "Flags": "flags",
}
CLASSES = tuple(GROUP_CLASS.values())
HELDOUT_SHARE = 8  # one family in eight is held out: 232 families, over 400 emoji


def family_split(name: str) -> str:
    """Returns `heldout` or `train` by a hash of the family's name, so that it does not depend on the other files of the
    folder."""
    return "heldout" if int(hashlib.sha256(name.encode()).hexdigest(), 16) % HELDOUT_SHARE == 0 else "train"


def emoji_dir() -> Path:
    return cache_dir() / "emoji"


def fetch_emoji(folder: str | Path | None = None) -> Path:
    """Copies the pictures and their groups into the cache if they are not there yet, from `folder` (the *.webp files of
    one package, and TABLE of the other) or by `npm pack`. Returns the folder in the cache. WsrError if npm is missing
    or fails."""
    target = emoji_dir()
    if (target / "groups.json").exists():
        return target
    with tempfile.TemporaryDirectory(dir=cache_dir(), prefix=".emoji-") as scratch:
        work = Path(scratch)
        pictures = Path(folder) if folder else _npm_unpack(PICTURES, work / "pictures") / "assets"
        if not pictures.is_dir() or not any(pictures.glob("*.webp")):
            raise WsrError(f"{str(pictures)!r} holds no .webp emoji: give the folder of the package's files.")
        given = Path(folder) / TABLE if folder else None
        table = given if given and given.is_file() else _npm_unpack(GROUPS, work / "groups") / TABLE
        table = json.loads(table.read_text())
        groups = {family("-".join(f"{ord(c):x}" for c in text)): entry["group"] for text, entry in table.items()}
        ready = work / "ready"
        ready.mkdir()
        for file in pictures.glob("*.webp"):
            shutil.copyfile(file, ready / file.name)
        (ready / "groups.json").write_text(json.dumps(groups))
        if not target.exists():
            ready.rename(target)
    return target


def _npm_unpack(package: str, into: Path) -> Path:
    into.mkdir(parents=True)
    if shutil.which("npm") is None:
        raise WsrError(
            f"npm is not installed, and the emoji come from its package {package}: install npm, or give a folder with "
            f"the .webp files of {PICTURES} and {TABLE} of {GROUPS} (`wsr data emoji --folder DIR`)."
        )
    done = subprocess.run(["npm", "pack", "--silent", package], cwd=into, capture_output=True, text=True, timeout=600)
    archives = list(into.glob("*.tgz"))
    if done.returncode or not archives:
        raise WsrError(
            f"`npm pack {package}` failed: {done.stderr.strip()[-300:] or 'no archive came'}. "
            f"Check the network, or give a folder with the .webp files of {PICTURES} and {TABLE} of {GROUPS} "
            "(`wsr data emoji --folder DIR`)."
        )
    with tarfile.open(archives[0]) as archive:
        archive.extractall(into, filter="data")
    return into / "package"


def _read(path: Path, resolution: int) -> np.ndarray:
    image = read_image(path)
    height, width = image.shape[:2]
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    # a few pictures are not square: padding with white keeps their aspect
    square = np.pad(image, ((top, side - height - top), (left, side - width - left), (0, 0)), constant_values=1)
    return resize_image(square, resolution)  # (resolution, resolution, 3)


def load_emoji(group: str | None = None, resolution: int = 128) -> Signals:
    """Loads all emoji, or those of one class (`people`, `flags`, …), as images (resolution, resolution, 3) on white.

    WsrError if the pictures have not been fetched, or the class is unknown.
    """
    if group is not None and group not in CLASSES:
        raise unknown_name("emoji class", group, CLASSES)
    if not (emoji_dir() / "groups.json").exists():
        raise WsrError("The emoji have not been fetched: run `wsr data emoji` once (it asks npm for a 15 MB package).")
    folder = emoji_dir()
    groups = json.loads((folder / "groups.json").read_text())
    signals = []
    for file in sorted(folder.glob("*.webp"), key=lambda file: file.stem):
        name = family(file.stem)
        cls = GROUP_CLASS[groups.get(name, "Symbols")]
        if group in (None, cls):
            reader = partial(_read, file, resolution)
            signals.append(Signal(file.stem, cls, family_split(name), IMAGE.dim, reader))
    return Signals("emoji" if group is None else f"emoji/{group}", IMAGE.dim, signals, IMAGE)
