"""Zoos that several processes build with Ray, and zoos at addresses."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import fsspec
import numpy as np
import pytest
import torch
from PIL import Image

from precompute.experiments.cluster_speed import fitting_processes
from wsr.cli import main
from wsr.data.signals import Signal, Signals, same
from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.presets import preset
from wsr.zoo import Zoo, build_zoo, merge_zoos
from wsr.zoo.cluster import LOCAL, cluster, place
from wsr.zoo.remote import local, sent

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU

COUNT, WORKERS, KILLED, STEPS = 120, 2, 2, 10


def pictures(count=COUNT):
    noise = np.random.default_rng(0)
    made = [noise.random((16, 16, 3), dtype=np.float32) for _ in range(count)]
    return Signals("toys", 2, [Signal(f"p{i:02d}", "", "train", 2, lambda one=one: one) for i, one in enumerate(made)])


def begun(folder, steps=2):
    model = make_representation("mlp-asym", None, preset("cpu", 2).field)
    settings = dict(dataset="toys", preset="cpu", init="centered", sigma=0.0, init_seed=0, steps=steps)
    return Zoo.create(folder, model, **settings)


@pytest.fixture(scope="module")
def ray_is_here():
    """A cluster of this machine, which takes ten seconds to begin."""
    with cluster(LOCAL).run(len, (), WORKERS):
        yield pytest.importorskip("ray")


def kill(killed: set[int], over: threading.Event) -> None:
    """Kills workers as soon as they fit, KILLED in all. On a busy machine a look after each batch would come when none
    is fitting."""
    while len(killed) < KILLED and not over.wait(0.01):
        if there := fitting_processes() - killed:
            killed.add(min(there))
            os.kill(min(there), signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found as on Linux")
def test_workers_that_are_killed_change_nothing(ray_is_here, tmp_path):
    for _ in build_zoo(begun(tmp_path / "whole", STEPS), pictures()):
        pass
    killed, over = set(), threading.Event()
    killing = threading.Thread(target=kill, args=(killed, over))
    killing.start()
    try:
        for _ in build_zoo(begun(tmp_path / "spread", STEPS), pictures(), workers=WORKERS, spread=cluster(LOCAL)):
            pass
    finally:
        over.set()
        killing.join()
    assert len(killed) == KILLED, "the workers were not killed while they were fitting"
    whole, spread = Zoo.open(tmp_path / "whole"), Zoo.open(tmp_path / "spread")
    assert spread.ids == whole.ids and len(spread) == COUNT
    torch.testing.assert_close(spread.weights(), whole.weights(), rtol=0, atol=1e-2)
    assert spread.index["target_sha256"].tolist() == whole.index["target_sha256"].tolist()


HOLDS = """
import pathlib, sys, time
from wsr.zoo.cluster import place
with place(pathlib.Path(sys.argv[1]), 2):
    print("in", flush=True)
    time.sleep(600)
"""


def test_no_more_batches_run_at_once_than_there_are_places_and_a_killed_one_frees_its_place(tmp_path):
    """Four workers on two cores, each with half a core, were slower than two."""
    holds = [sys.executable, "-c", HOLDS, tmp_path / "core"]
    held = [subprocess.Popen(holds, stdout=subprocess.PIPE) for _ in range(2)]
    try:
        assert [one.stdout.readline() for one in held] == [b"in\n"] * 2
        entered = threading.Event()

        def wait():
            with place(tmp_path / "core", 2):
                entered.set()

        waiting = threading.Thread(target=wait, daemon=True)
        waiting.start()
        assert not entered.wait(0.5)
        held[1].kill()
        assert entered.wait(60)
        waiting.join()
    finally:
        for one in held:
            one.kill()
            one.communicate()


def test_an_error_of_a_fit_comes_back_as_itself_and_a_cluster_of_others_goes_on(ray_is_here, tmp_path):

    def broken():
        raise WsrError("This picture cannot be read.")

    items = [Signal("broken", "", "train", 2, broken)]
    with pytest.raises(WsrError, match="cannot be read"):
        for _ in build_zoo(begun(tmp_path / "zoo"), Signals("toys", 2, items), workers=1, spread=cluster(LOCAL)):
            pass
    assert ray_is_here.is_initialized()


@pytest.mark.parametrize(
    ("address", "said"),
    [("ray://127.0.0.1:1", "no Ray cluster at"), ("127.0.0.1:99999", "no Ray cluster at"),
     ("here", "no address of a Ray cluster"), ("ray://", "no address of a Ray cluster")],
)  # fmt: skip
def test_a_cluster_that_is_not_there_is_told_of_before_a_zoo_is_begun(address, said, tmp_path, monkeypatch, capsys):
    """The folder of an empty zoo was left, and Ray looked for the cluster for minutes."""
    monkeypatch.setattr("ray.is_initialized", lambda: False)  # other tests of this file have begun one
    Image.new("RGB", (16, 16)).save(tmp_path / "one.png")
    asked = ["zoo", "build", f"images:{tmp_path}", "--representation", "mlp", "--out", str(tmp_path / "zoo")]
    assert main([*asked, "--cluster", address]) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "zoo").exists()


def test_what_is_carried_reads_nothing_any_more():
    reads = []
    one = Signal(
        "p", "a", "test", 2, lambda: reads.append(1) or np.zeros((4, 4, 3), np.float32), describe=lambda: {"n": 1}
    )
    there = one.carried()
    assert there.sha256() == one.sha256() and there.attributes == {"n": 1} and (there.cls, there.split) == ("a", "test")
    before = len(reads)
    there.read()
    assert len(reads) == before and there.reader.func is same


def test_shards_are_merged_at_an_address(tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    everything = pictures(6)
    for number, part in enumerate((everything[:3], everything[3:])):
        zoo = begun(tmp_path / f"shard{number}")
        for _ in build_zoo(zoo, part):
            pass
        sent(zoo.path, f"memory://shards/{number}")
    names = [Path(name).name for name in fsspec.filesystem("memory").ls("/shards/0", detail=False)]
    assert {"zoo.json", "index.parquet"} < set(names)
    merged = merge_zoos(local("memory://all"), [local("memory://shards/0"), local("memory://shards/1")])
    sent(merged.path, "memory://all")
    again = Zoo.open(local("memory://all"))
    assert again.ids == everything.ids
    assert torch.equal(again.weights(everything.ids[:3]), Zoo.open(tmp_path / "shard0").weights())
    assert local(tmp_path) == tmp_path


def test_what_a_killed_run_has_made_is_not_overwritten_by_what_is_at_the_address(tmp_path, monkeypatch):
    """A zoo of an address was continued, killed, and begun again with what had been sent before."""
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    everything, place = pictures(6), f"file://{tmp_path}/far/zoo"
    folder = local(place)
    list(build_zoo(begun(folder), everything[:2]))
    sent(folder, place)
    list(build_zoo(Zoo.open(folder), everything[:4]))  # and killed before it was sent
    assert Zoo.open(local(place)).ids == everything[:4].ids
    (tmp_path / "far/zoo/more").mkdir()  # is no file of the zoo
    elsewhere = Zoo.open(tmp_path / "far/zoo")
    list(build_zoo(elsewhere, everything))  # by another machine, which has more
    assert Zoo.open(local(place)).ids == everything.ids
    assert torch.equal(Zoo.open(local(place)).weights(), elsewhere.weights())
    index = elsewhere.index.assign(quality=0.0)
    index.to_parquet(tmp_path / "far/zoo/index.parquet")  # another zoo altogether
    assert (Zoo.open(local(place)).index["quality"] == 0).all()


def test_what_the_cache_holds_gives_way_to_other_networks_of_the_same_names(tmp_path, monkeypatch):
    """Nobody knows the targets of imports, whose old copy would have been sent over the new ones; and of a copy that
    was cut off, what is missing was never fetched again."""
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    place = f"file://{tmp_path}/far/zoo"
    zoo = begun(tmp_path / "far/zoo")
    row = {"id": "a", "class": "", "split": "train", "quality": float("nan"), "steps": 0, "seconds": 0.0,
           "target_sha256": "", "status": "ok"}  # fmt: skip
    zoo.append(torch.zeros(1, zoo.representation.size), [row])
    held = Zoo.open(local(place))
    assert not held.weights().any()
    shutil.rmtree(tmp_path / "far/zoo")
    begun(tmp_path / "far/zoo").append(torch.ones(1, zoo.representation.size), [row])
    assert Zoo.open(local(place)).weights().all()
    next(held.path.glob("weights-*.safetensors")).unlink()
    assert Zoo.open(local(place)).weights().all()


def test_an_address_that_nothing_knows_is_refused():
    with pytest.raises(WsrError, match="nowhere://there"):
        local("nowhere://there/zoo")


def test_no_cluster_at_an_address_is_said(tmp_path):
    pytest.importorskip("ray").shutdown()  # of the tests before
    with pytest.raises(WsrError, match="no Ray cluster at 'auto'"):
        for _ in build_zoo(begun(tmp_path / "zoo"), pictures(1), spread=cluster("auto")):
            pass
