"""The identity of a run: everything that its result depends on, as named parts, and one hash of all parts.

A job that can be resumed names its checkpoint by the hash, so that two runs never share one; a job that appends to a
file compares the parts and refuses another run's file with a sentence that says what differs. Where a run takes place
(device, threads, type of the matrix products) is no part of it: it may be continued elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wsr.errors import WsrError
from wsr.modalities.registry import implied_by

SHOWN = 4  # differences that a message lists one by one
LONG = 40  # characters of a value that a message still shows
KEY = 16  # characters of the hash in the name of a file


@dataclass(frozen=True)
class Identity:
    """method: the kind of run. version: a number that is raised by hand whenever the same settings would give a
    different result. parts: settings, seeds and hashes of data, as JSON values."""

    method: str
    version: int
    parts: Mapping[str, Any]

    @classmethod
    def of(cls, method: str, version: int, **parts: Any) -> "Identity":
        """Makes an identity from parts. Dataclasses become dictionaries and tuples become lists, so that the identity
        equals the one read back from a file."""
        return cls(method, version, _without_implied(json.loads(json.dumps(parts, default=_plain))))

    @classmethod
    def read(cls, record: Any) -> "Identity | None":
        """Reads an identity from the `record` in a file. None if it is not one, as in files that were written before
        runs had an identity."""
        known = isinstance(record, dict) and isinstance(record.get("parts"), dict)
        return cls(str(record.get("method")), record.get("version"), record["parts"]) if known else None

    def record(self) -> dict:
        """The identity as JSON values, to be written into a file."""
        return {"method": self.method, "version": self.version, "key": self.key, "parts": dict(self.parts)}

    @property
    def key(self) -> str:
        """Hash of method, version and parts, as 64 hexadecimal digits."""
        text = json.dumps([self.method, self.version, self.parts], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def short(self) -> str:
        """The beginning of the hash, as used in file names."""
        return self.key[:KEY]

    def differences(self, begun: "Identity") -> list[str]:
        """Lists in words what differs from the run that was begun; empty for the same run."""
        named = {"method": self.method, "version of the method": self.version}
        return differences({"method": begun.method, "version of the method": begun.version, **begun.parts},
                           {**named, **self.parts})  # fmt: skip

    def require_same(self, begun: "Identity | None", path: str | Path, remedy: str, clause: str = "") -> None:
        """Raises a WsrError that says what differs if the file at `path` comes from another run. remedy: what the
        reader can do about it; clause: what else the message says about the file."""
        changed = ["it does not say what it was made of"] if begun is None else self.differences(begun)
        if changed:
            raise WsrError(f"{str(path)!r} comes from another run ({in_words(changed)}){clause}: {remedy}.")


def differences(begun: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Lists in words the settings that differ between two runs: "seed was 0 and is now 1"."""
    before, after = _flat(begun), _flat(now)
    return [
        _difference(name, before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def in_words(changed: list[str]) -> str:
    """Joins the first few differences into a phrase, with the number of those left out."""
    more = f"; and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    return "; ".join(changed[:SHOWN]) + more


def content_hash(*items: torch.Tensor | np.ndarray | str | bytes | Iterable[str]) -> str:
    """Hash of arrays or tensors (values, shapes and types), texts, and lists of texts."""
    digest = hashlib.sha256()
    for item in items:
        if isinstance(item, torch.Tensor):
            item = item.detach().cpu().contiguous()
            # bfloat16 is unknown to NumPy: its bytes, then
            kind, item = str(item.dtype), item.view(torch.uint8).numpy() if item.ndim else item.reshape(1).numpy()
            digest.update(kind.encode())
        if isinstance(item, np.ndarray):
            digest.update(f"{item.dtype}{item.shape}".encode())
            digest.update(np.ascontiguousarray(item).data)
        else:
            text = item if isinstance(item, bytes) else json.dumps(item if isinstance(item, str) else list(item))
            digest.update(text if isinstance(text, bytes) else text.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def files_hash(paths: Iterable[str | Path]) -> str:
    """Hash of the names and contents of files."""
    digest = hashlib.sha256()
    for path in map(Path, paths):
        with open(path, "rb") as file:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {one.name: getattr(value, one.name) for one in fields(value) if not _left_out(value, one)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"A {type(value).__name__} is no part of an identity.")


def _left_out(settings: Any, one: Field) -> bool:
    """Whether a setting is not stated: one that came later and has its default (`wsr.presets.later`)."""
    return bool(one.metadata.get("later")) and getattr(settings, one.name) == one.default


def _without_implied(value: Any) -> Any:
    """Leaves out modalities that the dimension beside them implies, so that a run that was begun before sizes of fields
    named their modality is the same run."""
    if isinstance(value, list):
        return [_without_implied(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _without_implied(item) for key, item in value.items()}
    if found.get("modality") == implied_by(found.get("dim")) is not None:
        del found["modality"]
    return found


def _flat(parts: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Flattens nested settings to names like `field.channels`. Lists of settings are flattened too, lists of plain
    values are kept."""
    found = {}
    for name, value in parts.items():
        if isinstance(value, list) and any(isinstance(item, dict) for item in value):
            value = {str(number): item for number, item in enumerate(value)}
        found |= _flat(value, f"{above}{name}.") if isinstance(value, dict) else {f"{above}{name}": value}
    return found


def _difference(name: str, before: Any, now: Any) -> str:
    shown = [json.dumps(value) for value in (before, now)]
    if max(map(len, shown)) > LONG:
        return f"{name} is another" if None not in (before, now) else f"{name} was not stated by both"
    if before is None:
        return f"{name} is now {shown[1]} and was not stated"
    return f"{name} was {shown[0]} and is now {shown[1] if now is not None else 'not stated'}"
