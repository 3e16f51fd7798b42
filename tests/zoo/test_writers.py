"""If two processes write to one zoo, no row is lost, and no row gets the weights of another."""

import multiprocessing

import pytest
import torch

from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.presets import preset
from wsr.zoo import Zoo, build_zoo, compress_zoo

SETTINGS = dict(dataset="pictures", preset="cpu", init="centered", sigma=0.0, init_seed=0, steps=2)

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


def write(folder, number, opened, go):
    """Opens a zoo, waits until the other writer has opened it too, and appends twelve rows."""
    torch.set_num_threads(1)
    model = make_representation("mlp-asym", None, preset("cpu", 2).field)
    zoo = Zoo.create(folder, model, **SETTINGS)
    opened.release()
    go.wait()
    for i in range(12):
        value = number * 100 + i
        zoo.append(torch.full((1, model.size), float(value)), [row(f"i{value}")])


def row(name, **changed):
    return {"id": name, "class": "", "split": "train", "quality": 1.0, "steps": 2, "seconds": 0.0, "target_sha256": "",
            "status": "ok", **changed}  # fmt: skip


@pytest.fixture
def zoo(tmp_path):
    return Zoo.create(tmp_path / "zoo", make_representation("mlp", None, preset("cpu", 2).field), **SETTINGS)


def test_two_processes_append_and_nothing_is_lost_or_exchanged(tmp_path):
    # processes are forked from a server that has imported torch: each new interpreter would import it for four seconds
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["wsr.zoo.build"])
    opened, go = context.Semaphore(0), context.Event()
    jobs = [context.Process(target=write, args=(tmp_path / "zoo", number, opened, go)) for number in (1, 2)]
    for job in jobs:
        job.start()
    assert all(opened.acquire(timeout=120) for _ in jobs), "both writers open the empty zoo"
    go.set()
    for job in jobs:
        job.join(120)
    assert [job.exitcode for job in jobs] == [0, 0]
    found = Zoo.open(tmp_path / "zoo")
    assert sorted(found.ids) == sorted(f"i{number * 100 + i}" for number in (1, 2) for i in range(12))
    assert [f"i{int(value)}" for value in found.weights()[:, 0]] == found.ids


def test_a_second_build_into_one_folder_is_told_so(made, tmp_path):
    create, signals = made
    first = build_zoo(create(), signals)
    next(first)
    with pytest.raises(WsrError, match="another job.*wsr zoo merge"):
        next(build_zoo(create(), signals[5:]))
    assert [record.done for record in first] == [6, 9, 10]
    assert list(build_zoo(create(), signals[5:])) == []  # the lock has been released, and all fits are done
    assert Zoo.open(tmp_path / "zoo").ids == signals.ids


def test_a_job_that_opened_the_zoo_before_another_wrote_it_knows_what_was_written(made):
    create, signals = made
    early, late = create(), create()
    list(build_zoo(late, signals[:4]))
    list(build_zoo(early, signals[2:]))
    assert early.ids == signals.ids and torch.equal(early.weights(), Zoo.open(early.path).weights())


def test_a_zoo_refuses_what_would_spoil_it(zoo):
    good, size = torch.zeros(2, zoo.representation.size), zoo.representation.size
    for weights, rows, said in (
        (good, [row("a")], "1 row of the index for 2 vectors"),
        (good, [row("a"), row("a")], "twice"),
        (good[:, :-1], [row("a"), row("b")], f"{size:,}"),
        (good * float("nan"), [row("a"), row("b")], "not finite"),
        (good + 1e6, [row("a"), row("b")], "float16"),  # too large for float16
        (good, [row("a"), {"id": "b"}], "lacks"),
        (good, [row("a"), row(3)], "is a text, not 3"),  # 3 and "3" made an index that could not be opened
        (good, [row("a"), row("")], "is a text, not ''"),
    ):
        with pytest.raises(WsrError, match=said):
            zoo.append(weights, rows)
    assert len(zoo) == 0 and not list(zoo.path.glob("*.safetensors"))
    zoo.append(good[:0], [])
    zoo.append(good * float("nan"), [row("a", status="diverged"), row("b", status="diverged")])
    assert len(Zoo.open(zoo.path).good()) == 0 and len(Zoo.open(zoo.path).weights()) == 2


def test_what_cannot_be_read_again_is_not_made(tmp_path, zoo):
    with pytest.raises(WsrError, match="sigma"):
        Zoo.create(tmp_path / "other", zoo.representation, **SETTINGS | {"sigma": -1.0})
    assert not (tmp_path / "other").exists()


def test_two_copies_of_one_zoo_do_not_mix(zoo, tmp_path):
    zoo.append(torch.randn(3, zoo.representation.size), [row(name) for name in "abc"])
    (tmp_path / "small.partial").mkdir()  # the unfinished copy of another job
    compress_zoo(zoo, tmp_path / "small")
    assert (tmp_path / "small.partial").is_dir() and len(Zoo.open(tmp_path / "small")) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small", "small.partial", "zoo"]
