"""Makes a zoo in shards: ranges of its signals, each fitted as a zoo of its own on any machine, and merged afterwards.

Shards are independent of each other, resume after a kill, and may be run twice without harm. Any scheduler may run
them, on any machine that has the base.
"""

import json
from pathlib import Path

import torch

from wsr.data.signals import Signals
from wsr.errors import WsrError
from wsr.fields.description import FieldDescription
from wsr.fields.representation import Representation
from wsr.paths import atomic_path
from wsr.zoo.checked import taken_along
from wsr.zoo.meta import require_same_settings
from wsr.zoo.recipe import FIRST, zoo_start
from wsr.zoo.zoo import Zoo

WHOLE = "A zoo whose init is 'first' is built as a whole; several machines build it with --cluster."


def shard(signals: Signals, text: str) -> Signals:
    """Returns the signals of a shard like "3/16", the fourth of sixteen ranges, counted from 0. WsrError for any other
    text."""
    part, slash, of = text.partition("/")
    if not (slash and part.isdecimal() and of.isdecimal() and int(part) < int(of) <= len(signals)):
        raise WsrError(
            f"A shard is named like 0/16 … 15/16, with no more shards than signals ({len(signals)}), not {text!r}."
        )
    first, last = (len(signals) * i // int(of) for i in (int(part), int(part) + 1))
    return signals[first:last]


def merge_zoos(out: str | Path, parts: list[str | Path], representation: Representation | None = None) -> Zoo:
    """Appends the instances of all `parts`, in order, to the zoo `out`, which is made if it does not exist. Instances
    that it holds already are skipped, so that a merge may be repeated. WsrError if the parts differ in settings, or
    hold different targets, or different networks of unknown targets, under one id, or if all fits of each begin at its
    own first one.

    representation: the representation of all parts, if it is already loaded; by default that of their zoo.json.
    """
    if not parts:
        raise WsrError("There is nothing to merge: name the shards' folders.")
    zoos = [Zoo.open(part) for part in parts]
    for final in (zoo for zoo in zoos if zoo.meta["dtype"] == "uint8"):
        raise WsrError(f"The zoo {str(final.path)!r} is compressed, and so final: merge those that it was made of.")
    for zoo in zoos[1:]:
        remedy = f"its weights do not belong into one zoo with those of {str(zoos[0].path)!r}"
        require_same_settings(zoo.path, zoos[0].meta, zoo.meta, remedy)
    stated = {"dim", "modality", "field"}  # which the description of an older zoo of adapters lacks
    made = {"format", "code_version", "layout", *FieldDescription.read(zoos[0].meta).record(), *stated}
    settings = {key: value for key, value in zoos[0].meta.items() if key not in made}
    merged = Zoo.create(out, representation or zoos[0].representation, **settings)
    with merged.writing():
        _require_same_targets([merged, *zoos])
        _require_same_start([merged, *zoos])
        if (moved := taken_along(merged.meta, zoos[0].path, merged.path)) != merged.meta:
            with atomic_path(merged.path / "zoo.json") as temporary:
                temporary.write_text(json.dumps(moved))
        for zoo in zoos:
            known = set(merged.ids)
            new = [row for row in zoo.index.to_dict("records") if row["id"] not in known]
            if new:
                merged.append(zoo.weights([row["id"] for row in new]), new)
    return merged


def _require_same_targets(zoos: list[Zoo]) -> None:
    """Raises a WsrError if two zoos hold fits of different targets under one id, or different weights where nobody
    knows the targets, as in imports."""
    known: dict[str, tuple[str, Zoo]] = {}
    for zoo in zoos:
        again: dict[Zoo, list[str]] = {}
        for name, sha256 in zip(zoo.ids, zoo.index["target_sha256"], strict=True):
            before, where = known.setdefault(name, (sha256, zoo))
            if before != sha256:
                raise WsrError(
                    f"{name!r} in {str(zoo.path)!r} was fitted to another target than in {str(where.path)!r}: shards "
                    "of one zoo are of the same data."
                )
            if not sha256 and where is not zoo:
                again.setdefault(where, []).append(name)
        for where, names in again.items():
            same = torch.isclose(zoo.weights(names), where.weights(names), 0, 0, equal_nan=True).all(1)
            if not same.all():
                other = names[int((~same).nonzero()[0])]
                raise WsrError(
                    f"{other!r} in {str(zoo.path)!r} is another network than in {str(where.path)!r}: a zoo holds one "
                    "of each id. Of imports, rename the file of one of the two, and import it again."
                )


def _require_same_start(zoos: list[Zoo]) -> None:
    """Raises a WsrError if the fits of each zoo begin at its first one, and these are not the same."""
    begun = [zoo for zoo in zoos if len(zoo) and zoo.meta["init"] == FIRST]
    for zoo in begun[1:]:
        if not torch.equal(zoo_start(zoo), zoo_start(begun[0])):
            raise WsrError(
                f"All fits of {str(zoo.path)!r} begin at its first one, {zoo.ids[0]!r}, and those of "
                f"{str(begun[0].path)!r} at {begun[0].ids[0]!r}: their weights do not belong into one zoo, whose fits "
                f"share a start. {WHOLE}"
            )
