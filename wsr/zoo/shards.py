"""A zoo made in shards: ranges of its signals, each a zoo of its own, fitted anywhere and merged afterwards.

A shard is independent of the others, resumes where it was killed, and is done twice without harm; so any scheduler may
run shards, on any machine that has the base.
"""

from pathlib import Path

from wsr.data.signals import Signals
from wsr.errors import WsrError
from wsr.fields.description import FieldDescription
from wsr.fields.representation import Representation
from wsr.zoo.meta import require_same_settings
from wsr.zoo.zoo import Zoo


def shard(signals: Signals, text: str) -> Signals:
    """The signals of a shard named "3/16": the fourth of sixteen ranges, counted from 0. WsrError for another text."""
    part, slash, of = text.partition("/")
    if not (slash and part.isdecimal() and of.isdecimal() and int(part) < int(of) <= len(signals)):
        raise WsrError(
            f"A shard is named like 0/16 … 15/16, with no more shards than signals ({len(signals)}), not {text!r}."
        )
    first, last = (len(signals) * i // int(of) for i in (int(part), int(part) + 1))
    return signals[first:last]


def merge_zoos(out: str | Path, parts: list[str | Path], representation: Representation | None = None) -> Zoo:
    """The instances of all `parts`, in their order, appended to the zoo `out`, made if there is none yet. What it holds
    already is left out, so a merge may be repeated. WsrError where the parts were not made with the same settings, or
    hold different targets under one id.

    representation: what decodes the zoos, where it is at hand; else each zoo.json says it.
    """
    if not parts:
        raise WsrError("There is nothing to merge: name the shards' folders.")
    zoos = [Zoo.open(part) for part in parts]
    for zoo in zoos[1:]:
        remedy = f"its weights do not belong into one zoo with those of {str(zoos[0].path)!r}"
        require_same_settings(zoo.path, zoos[0].meta, zoo.meta, remedy)
    stated = {"dim", "modality", "field"}  # not by the description of an older zoo of adapters
    made = {"format", "code_version", "layout", *FieldDescription.read(zoos[0].meta).record(), *stated}
    settings = {key: value for key, value in zoos[0].meta.items() if key not in made}
    merged = Zoo.create(out, representation or zoos[0].representation, **settings)
    with merged.writing():
        _require_same_targets([merged, *zoos])
        for zoo in zoos:
            known = set(merged.ids)
            new = [row for row in zoo.index.to_dict("records") if row["id"] not in known]
            if new:
                merged.append(zoo.weights([row["id"] for row in new]), new)
    return merged


def _require_same_targets(zoos: list[Zoo]) -> None:
    """WsrError where two zoos hold fits of different targets under one id."""
    known: dict[str, tuple[str, Zoo]] = {}
    for zoo in zoos:
        for name, sha256 in zip(zoo.ids, zoo.index["target_sha256"], strict=True):
            before, where = known.setdefault(name, (sha256, zoo))
            if before != sha256:
                raise WsrError(
                    f"{name!r} in {str(zoo.path)!r} was fitted to another target than in {str(where.path)!r}: shards "
                    "of one zoo are of the same data."
                )
