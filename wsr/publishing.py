"""Puts zoos, bases and models on the Hub, and fetches them from there."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsr.errors import WsrError, counted
from wsr.fields.checkpoint import FORMAT as BASE_FORMAT
from wsr.fields.checkpoint import base_dirs, base_path
from wsr.formats.files import shown, there
from wsr.formats.tensors import open_tensors
from wsr.generators.files import copy_generator
from wsr.generators.metadata import read_about
from wsr.hub import BASE_FILE, PREFIX, Kind, Place, fetch_folder, on_hub, send_folder
from wsr.paths import new_folder
from wsr.zoo.checked import located, zoo_path
from wsr.zoo.meta import completed
from wsr.zoo.zoo import Zoo

SHARED_FILE = "shared.safetensors"
_BESIDE = tuple(Path(name).stem for name in (BASE_FILE, SHARED_FILE))


def push(path: str | Path, repo: str, *, private: bool = True) -> str:
    """Puts a zoo (its folder or name), a base, or a generator's file on the Hub, and returns the repository's address.
    What is written names no folder of this machine, except that a base states its data set as it was named. WsrError
    for anything else, for an empty zoo or one that is being written, for a revision, and if the Hub cannot be reached
    or refuses."""
    place = Place.named(repo)
    if "@" in str(repo):
        raise WsrError(
            f"What is pushed becomes the newest revision of {place.repo!r}: name it without {'@' + place.revision!r}."
        )
    with tempfile.TemporaryDirectory(prefix="wsr-push-") as folder:
        kind, message = _staged(path, Path(folder), place)
        return send_folder(place.repo, Path(folder), kind, private=private, message=message)


def pull(name: str, out: str | Path) -> Path:
    """Fetches a zoo, a base or a generator from the Hub as a new folder `out`. WsrError if there is nothing of this
    name or nothing that wsr reads in it, if `out` exists, or if the Hub cannot be reached."""
    place, out = Place.named(name), Path(out)
    with new_folder(out) as folder:
        fetch_folder(place, folder)
        shutil.rmtree(folder / ".cache", ignore_errors=True)  # of huggingface_hub
        files = sorted(path.name for path in folder.iterdir())
        if not any(name.endswith(".safetensors") for name in files):
            held = f"it holds {', '.join(files[:5])}" if files else "it holds none of their files"
            raise WsrError(f"{place.repo!r} on the Hub is no zoo, base or generator: {held}.")
        if "zoo.json" in files:
            Zoo.open(folder)  # raises an error if it is damaged
        else:
            for path in folder.glob("*.safetensors"):
                with open_tensors(path, "weights"):
                    pass
    return out


def _staged(path: str | Path, folder: Path, place: Place) -> tuple[Kind, str]:
    """Copies what is pushed into a folder. Returns the kind of its repository, and a message for its history."""
    if there(path):
        return _staged_file(Path(path), folder, place)
    zoo = Zoo.open(zoo_path(path))
    with zoo.writing():
        if not len(zoo):
            raise WsrError(f"The zoo {shown(zoo.path)} is empty: there is nothing to put on the Hub yet.")
        for file in (*zoo.path.glob("weights-*.safetensors"), zoo.path / "index.parquet"):
            shutil.copyfile(file, folder / file.name)
        meta = portable(zoo.meta, folder)
    (folder / "zoo.json").write_text(json.dumps(meta))
    fields = f"{counted(len(zoo), 'neural field')} of {zoo.modality.plural}"
    about = f"A zoo of {fields} as weights (`{meta['representation']}`)"
    _card(folder, place, f"{about}, for `wsr`.", f"wsr pull {PREFIX}{place.repo} --out ZOO")
    return "dataset", f"{about}."


def _staged_file(path: Path, folder: Path, place: Place) -> tuple[Kind, str]:
    with open_tensors(path, "a base or a generator", "np") as file:
        is_base, is_generator = file.metadata.get("format") == BASE_FORMAT, "wsr" in file.metadata
    if is_base:
        shutil.copyfile(path, folder / BASE_FILE)
        _card(folder, place, "A base for `wsr`.", f"wsr fit me.png --base {PREFIX}{place.repo}")
        return "model", "A base."
    if not is_generator:
        raise WsrError(f"{shown(path)} is neither a base nor a generator: only these and zoos are put on the Hub.")
    meta = read_about(path)
    if zoo := meta["about"].get("zoo"):
        zoo = portable(completed(located(zoo, path.parent)), folder)
        meta = {**meta, "about": {**meta["about"], "zoo": zoo}}
    name = f"{'generator' if path.stem in _BESIDE else path.stem}.safetensors"
    copy_generator(path, folder / name, meta)
    commands = f"wsr pull {PREFIX}{place.repo} --out MODEL\nwsr sample MODEL/{name} --out new"
    _card(folder, place, "A generator of weights for `wsr`.", commands)
    return "model", "A generator of weights."


def portable(meta: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Returns a zoo.json that names no folder of this machine, and copies into `folder` what decoding needs and others
    do not have: a base that does not come with wsr, and what imported instances share."""
    meta = dict(meta)
    kind, colon, rest = str(meta["dataset"]).partition(":")
    meta["dataset"] = f"{kind}:{Path(rest).name}" if colon else meta["dataset"]
    base = meta["base"]
    if base and not on_hub(base) and not there(base_dirs()[1] / f"{base}.safetensors"):
        shutil.copyfile(base_path(base), folder / BASE_FILE)
        meta["base"] = BASE_FILE
    if shared := (meta.get("field") or {}).get("shared"):
        shutil.copyfile(shared["path"], folder / SHARED_FILE)
        meta["field"] = {**meta["field"], "shared": {**shared, "path": SHARED_FILE}}
    return meta


def _card(folder: Path, place: Place, about: str, command: str) -> None:
    name = place.repo.rpartition("/")[2]
    (folder / "README.md").write_text(
        f"---\ntags:\n- weight-space\n- neural-fields\n---\n\n# {name}\n\n{about}\n\n```sh\n{command}\n```\n"
    )
