"""Which signals a zoo holds: the same 1,000 for every representation, 800 for training and 200 held out."""

import hashlib
from collections import defaultdict
from itertools import zip_longest

from wsr.data import Signals, load_signals
from wsr.data.emoji import family

TRAIN, HELD_OUT = 800, 200


def zoo_signals(dataset: str) -> Signals:
    """In an order that does not depend on the class, so that half a zoo is already representative."""
    signals = load_signals(dataset)
    chosen = [*_balanced(signals, "train", TRAIN), *_balanced(signals, "heldout", HELD_OUT)]
    return signals.select(sorted(chosen, key=_rank))


def _balanced(signals: Signals, split: str, count: int) -> list[str]:
    """`count` ids, as even over the classes as their sizes allow. Of all emoji one of a family (skin tones of each
    other); of people, who have too few families for that, any."""
    groups, seen = defaultdict(list), set()
    for signal in sorted(signals.where(split=split), key=lambda signal: _rank(signal.id)):
        key = family(signal.id) if signals.name == "emoji" else signal.id
        if key not in seen:
            seen.add(key)
            groups[signal.cls].append(signal.id)
    turns = zip_longest(*(groups[cls] for cls in sorted(groups)))
    return [name for turn in turns for name in turn if name is not None][:count]


def _rank(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
