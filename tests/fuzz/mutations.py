"""Ways in which a file can be damaged: bytes change, numbers grow, fields vanish or hold something else.

Every mutation is a function of the content and of a random generator, so that its kind and number identify a case.
"""

import json
import random
import struct
from collections.abc import Callable
from typing import Any

Mutation = Callable[[bytes, random.Random], bytes]

NUMBERS = (b"0", b"-1", b"nan", b"1e400", b"99999999999999999999", b"4294967295", b"-2147483649", b"1e-320", b"x")


def flipped(data: bytes, rng: random.Random) -> bytes:
    """Flips one to thirty bits."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 30)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def overwritten(data: bytes, rng: random.Random) -> bytes:
    """Overwrites a run of bytes with ones, zeros or noise, so that lengths and counts become huge."""
    start, size = rng.randrange(len(data)), rng.choice((1, 2, 4, 8, 64))
    run = rng.choice((b"\xff" * size, b"\x00" * size, rng.randbytes(size), b"\x7f" + b"\xff" * (size - 1)))
    return data[:start] + run + data[start + size :]


def truncated(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def shortened(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randint(1, 40) :]


def lengthened(data: bytes, rng: random.Random) -> bytes:
    """Repeats a part of the file, once or a thousand times."""
    start = rng.randrange(len(data))
    part = data[start : start + rng.randint(1, 200)]
    return data[:start] + part * rng.choice((1, 3, 1000)) + data[start:]


def renumbered(data: bytes, rng: random.Random) -> bytes:
    """Replaces a number in a text by another one. Binary files have few numbers in text, so their bytes are changed
    too."""
    digits = [i for i, byte in enumerate(data) if 48 <= byte <= 57]
    if not digits:
        return flipped(data, rng)
    at = rng.choice(digits)
    end = at
    while end < len(data) and data[end : end + 1] in b"0123456789.":
        end += 1
    return data[:at] + rng.choice(NUMBERS) + data[end:]


def reordered(data: bytes, rng: random.Random) -> bytes:
    a, b, c = sorted(rng.randrange(len(data)) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


BYTES: tuple[Mutation, ...] = (flipped, overwritten, truncated, shortened, lengthened, renumbered, reordered)


def nasty(rng: random.Random) -> Any:
    """Returns a value that a field should never hold."""
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    return rng.choice(
        (None, "", "x" * 5000, -1, 0, 1, 2.5, 10**9, 10**30, -(10**18), float("nan"), float("inf"), True, [], {},
         [0] * 1000, {"a": {"b": 1}}, deep, "mlp", "1", "../../x", "\x00")
    )  # fmt: skip


def edited(tree: Any, rng: random.Random) -> Any:
    """Removes or replaces one part of a JSON value, at any depth."""
    if isinstance(tree, str) and tree[:1] in ("{", "["):  # JSON inside a string, as safetensors' metadata holds it
        return json.dumps(edited(json.loads(tree), rng))
    if isinstance(tree, dict) and tree and rng.random() < 0.9:
        key = rng.choice(sorted(tree))
        if rng.random() < 0.15:
            return {k: v for k, v in tree.items() if k != key}
        return tree | {key: edited(tree[key], rng)}
    if isinstance(tree, list) and tree and rng.random() < 0.7:
        at = rng.randrange(len(tree))
        return [*tree[:at], edited(tree[at], rng), *tree[at + 1 :]]
    return nasty(rng)


def edited_json(data: bytes, rng: random.Random) -> bytes:
    return json.dumps(edited(json.loads(data), rng)).encode()


def edited_safetensors(data: bytes, rng: random.Random) -> bytes:
    """Changes a field of the metadata, or a tensor's description, in the header. Three times in four the metadata
    remain text, as the format demands."""
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    if rng.random() < 0.8 and "__metadata__" in header:
        meta = edited(header["__metadata__"], rng)
        if isinstance(meta, dict) and rng.random() < 0.75:
            meta = {key: value if isinstance(value, str) else json.dumps(value) for key, value in meta.items()}
        header["__metadata__"] = meta
    else:
        header = edited(header, rng)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + size :]
