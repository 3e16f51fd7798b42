"""Five hundred damaged files: each is read, or refused with a sentence. None hangs, crashes or raises anything else.

A case is identified by its kind and number. `WSR_FUZZ=20000 pytest tests/fuzz` tries as many, with other numbers.
"""

import os
import random
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import mutations
import seeds

from wsr.errors import WsrError

COUNT = int(os.environ.get("WSR_FUZZ", 500))
SHARES = {"picture": 0.24, "mesh": 0.3, "weights": 0.14, "base": 0.08, "model": 0.08, "zoo": 0.16}
SECONDS = 30.0  # per file: the deadline for a visitor's target, with a reserve for a busy machine


@pytest.fixture(scope="module")
def assets(tiny_folder):
    before = {name: os.environ.get(name) for name in ("WSR_ASSETS", "WSR_CACHE")}
    os.environ.update(WSR_ASSETS=str(tiny_folder), WSR_CACHE=str(tiny_folder / "cache"))
    yield tiny_folder
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    sys.path.insert(0, str(Path(__file__).parent.parent / "app"))
    import tiny_assets

    return tiny_assets.make(tmp_path_factory.mktemp("assets"))


def picture(assets, folder, rng):
    from wsr.data.images import read_image

    name, data = rng.choice(sorted(seeds.pictures().items()))
    path = written(folder / name, rng.choice(mutations.BYTES)(data, rng))
    found = read_image(path, 64)
    assert found.dtype == np.float32 and found.ndim == 3 and found.shape[2] == 3 and max(found.shape[:2]) <= 64
    assert 0 <= found.min() and found.max() <= 1


def mesh(assets, folder, rng):
    from wsr.fitting.problem import make_problem

    name, data = rng.choice(sorted(seeds.meshes().items()))
    path = written(folder / name, rng.choice(mutations.BYTES)(data, rng))
    problem = make_problem([path], 64, evaluation_points=500)
    assert problem.dim == 3


def weights(assets, folder, rng):
    from wsr import Zoo, load_weights

    name = rng.choice(("emoji-mlora-asym", "emoji-mlp", "shapes10-lora-asym"))
    data = seeds.weights(Zoo.open(assets / "zoos" / name), folder)
    changed = rng.choice((*mutations.BYTES, *[mutations.edited_safetensors] * 20))(data, rng)
    load_weights(written(folder / "w.safetensors", changed)).render(16)


def base(assets, folder, rng):
    from wsr import load_base
    from wsr.fields.checkpoint import load_latents

    data = (assets / "bases" / "emoji.safetensors").read_bytes()
    changed = rng.choice((*mutations.BYTES, *[mutations.edited_safetensors] * 20))(data, rng)
    path = written(folder / "b.safetensors", changed)
    load_base(path)
    load_latents(path)


def model(assets, folder, rng):
    from wsr.generators.diffusion import load_diffusion

    data = (assets / "diffusion" / "emoji-mlora-asym.safetensors").read_bytes()
    changed = rng.choice((*mutations.BYTES, *[mutations.edited_safetensors] * 20))(data, rng)
    load_diffusion(written(folder / "m.safetensors", changed)).sample(1, steps=2)


def zoo(assets, folder, rng):
    from wsr import Zoo
    from wsr.zoo import check_zoo

    name = rng.choice(("emoji-mlora-asym", "emoji-mlp", "shapes10-lora-asym", "shapes10-mlp-asym"))
    path = seeds.copied(assets / "zoos" / name, folder / "zoo")
    change = rng.choice(("zoo.json", "zoo.json", "zoo.json", "index", "bytes", "gone"))
    if change == "zoo.json":
        written(path / "zoo.json", mutations.edited_json((path / "zoo.json").read_bytes(), rng))
    elif change == "index":
        changed_index(path / "index.parquet", rng)
    else:
        file = rng.choice(sorted(path.iterdir()))
        data = file.read_bytes()
        file.unlink() if change == "gone" else written(file, rng.choice(mutations.BYTES)(data, rng))
    found = Zoo.open(path)
    found.weights()
    found.decode(found.ids[:1], 16)
    check_zoo(found, sample=2)


def changed_index(path: Path, rng: random.Random) -> None:
    index = pd.read_parquet(path)
    column, change = rng.choice(list(index.columns)), rng.randrange(5)
    if change == 0:
        index = index.drop(columns=column)
    elif change == 1:
        index = index.iloc[: rng.randrange(len(index))]
    elif change == 2:
        index = pd.concat([index, index.iloc[:3]])
    else:
        value = [None, -1, "x" * 300, float("nan"), 10**15][rng.randrange(5)]
        index[column] = value if change == 3 else [value, *index[column].astype(object)[1:]]
        if change == 4 and isinstance(value, str) != isinstance(index[column].iloc[-1], str):
            index[column] = index[column].astype(str)  # all values of a column in a Parquet file have one type
    index.to_parquet(path, index=False)


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", SHARES)
def test_a_mutated_file_is_read_or_refused_with_a_sentence(kind, assets, tmp_path):
    read, refused, wrong = 0, 0, []
    for number in range(round(COUNT * SHARES[kind])):
        folder = tmp_path / str(number)
        folder.mkdir()
        begun = time.monotonic()
        try:
            globals()[kind](assets, folder, random.Random(f"{kind} {number}"))
            read += 1
        except WsrError as error:
            refused += 1
            if not 10 < len(str(error)) < 1000:
                wrong.append(f"{kind} {number}: not a sentence: {str(error)[:200]!r}")
        except Exception as error:
            wrong.append(f"{kind} {number}: {type(error).__name__}: {str(error)[:200]}")
        if (took := time.monotonic() - begun) > SECONDS:
            wrong.append(f"{kind} {number}: took {took:.0f} s")
    assert not wrong, f"{len(wrong)} of {read + refused + len(wrong)}:\n" + "\n".join(wrong)
    assert refused, "no file was refused: the mutations do nothing"
