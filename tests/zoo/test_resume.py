"""A zoo build that is killed at random moments and continued gives the same zoo."""

import multiprocessing
import random
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wsr.data import load_signals
from wsr.fields.representation import make_representation
from wsr.presets import preset
from wsr.zoo import Zoo, build, build_zoo

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU

KILLS, PICTURES = 10, 40


def make(folder: Path, name: str) -> None:
    """Builds a zoo of all pictures of the folder, with two steps each, in batches of the preset's size."""
    torch.set_num_threads(1)
    build.APPEND_EVERY = 0.0  # appends after each batch, so that some kills interrupt appending
    model = make_representation("mlp-asym", None, preset("cpu", 2).field)
    settings = dict(dataset="pictures", preset="cpu", init="centered", sigma=0.0, init_seed=0, steps=2)
    zoo = Zoo.create(folder / name, model, **settings)
    for _ in build_zoo(zoo, load_signals(f"images:{folder / 'pictures'}")):
        time.sleep(0.05)  # makes a batch last longer, so that kills come at all stages


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    for i in range(PICTURES):
        pixels = np.random.default_rng(i).integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"p{i:02d}.png")
    return tmp_path


def test_ten_kills_change_nothing(folder):
    make(folder, "whole")
    # Processes are forked from a server that has imported torch: a new interpreter would spend the time of the test on
    # imports.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["wsr.zoo.build"])
    moments = random.Random(1)
    for _ in range(KILLS):
        job = context.Process(target=make, args=(folder, "killed"))
        job.start()
        job.join(moments.uniform(0.02, 0.4))
        job.kill()
        job.join()
    make(folder, "killed")
    whole, killed = Zoo.open(folder / "whole"), Zoo.open(folder / "killed")
    assert killed.ids == whole.ids and len(set(killed.ids)) == PICTURES
    assert torch.equal(killed.weights(), whole.weights())
    assert killed.index["status"].tolist() == whole.index["status"].tolist()
    assert not killed.index["status"].str.startswith("diverged").any()
