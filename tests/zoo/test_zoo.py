import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from wsr.data import Signals, load_signals
from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.fitting.loop import run_fit
from wsr.presets import preset
from wsr.zoo import Zoo, build_zoo, check_zoo, compress_zoo
from wsr.zoo.recipe import zoo_start
from wsr.zoo.shards import merge_zoos, shard
from wsr.zoo.trajectories import build_trajectories


def test_a_few_rows_are_read_without_the_rest(made, tmp_path, monkeypatch):
    create, signals = made
    list(build_zoo(create(), signals))
    whole, few = Zoo.open(tmp_path / "zoo"), Zoo.open(tmp_path / "zoo")
    everything = whole.weights()
    monkeypatch.setattr("wsr.zoo.zoo.FEW", 3)
    monkeypatch.setattr(Zoo, "_read_weights", lambda self: pytest.fail("read the whole zoo"))
    ids = [few.ids[i] for i in (7, 2, 7)]
    assert torch.equal(few.weights(ids), everything[[7, 2, 7]])
    assert few.weights(ids, dtype=None).dtype == torch.float16


def test_good_fits_are_those_that_did_not_fail(made, tmp_path):
    create, signals = made
    list(build_zoo(create(), signals))
    zoo = Zoo.open(tmp_path / "zoo")
    assert len(zoo.good()) == 0  # after so few steps all fits are poor
    zoo.index["status"] = ["ok", "poor: 9.00 dB is below 15 dB", "diverged", *["ok"] * (len(zoo) - 3)]
    assert not {zoo.ids[1], zoo.ids[2]} & set(zoo.good()["id"]) and len(zoo.good()) == len(zoo) - 2
    parts = [set(zoo.good(split)["id"]) for split in ("train", "heldout")]
    assert not parts[0] & parts[1] and parts[0] | parts[1] == set(zoo.good()["id"])


def test_a_zoo_is_made_read_back_and_checked(made, tmp_path):
    create, signals = made
    records = list(build_zoo(create(), signals))
    assert [r.done for r in records] == [3, 6, 9, 10]
    zoo = Zoo.open(tmp_path / "zoo")
    assert zoo.ids == signals.ids and len(zoo.weights()) == 10
    assert zoo.weights(["p3.png", "p1.png"]).shape == (2, zoo.representation.size)
    assert torch.equal(zoo.weights(["p3.png", "p1.png"])[1], zoo.weights()[zoo.rows(["p1.png"])[0]])
    assert zoo.decode(["p0.png"], 8).shape == (1, 8, 8, 3)
    report = check_zoo(zoo)
    assert report.ok and len(report.recomputed) == 10 and report.largest_difference < 0.05


def test_a_killed_run_resumes_to_the_same_zoo(made, tmp_path):
    create, signals = made
    list(build_zoo(create("whole"), signals))
    run = build_zoo(create("cut"), signals)
    next(run)
    run.close()
    # as if killed between writing weights and index: the file holds a batch that the index does not list
    zoo = Zoo.open(tmp_path / "cut")
    file = tmp_path / "cut" / "weights-00000.safetensors"
    save_file({"weights": torch.cat([load_file(file)["weights"], torch.ones(3, zoo.representation.size).half()])}, file)
    list(build_zoo(create("cut"), signals))
    whole, cut = Zoo.open(tmp_path / "whole"), Zoo.open(tmp_path / "cut")
    assert cut.ids == whole.ids and torch.equal(cut.weights(), whole.weights())


def test_workers_make_the_same_zoo(tmp_path, monkeypatch):
    """Uses a representation like those of the assets, because each worker opens the zoo again from disk."""
    (tmp_path / "pictures").mkdir()
    for i in range(9):
        pixels = np.random.default_rng(i).integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"p{i}.png")
    signals = load_signals(f"images:{tmp_path / 'pictures'}")
    model = make_representation("mlp-asym", None, preset("cpu", 2).field)
    zoos = []
    for workers in (1, 2):
        settings = dict(dataset="pictures", preset="cpu", init="centered", sigma=0.0, init_seed=0, steps=2)
        zoos.append(Zoo.create(tmp_path / f"zoo{workers}", model, **settings))
        assert [record.done for record in build_zoo(zoos[-1], signals, workers=workers)] == [8, 9]
    assert zoos[0].ids == zoos[1].ids == signals.ids
    assert torch.allclose(zoos[0].weights(), zoos[1].weights(), atol=1e-3)


def test_the_first_instance_starts_the_others(made, tmp_path):
    """As in HyperDiffusion, all other fits start from the first one, and end nearer to it than to its own start."""
    create, signals = made
    zoo = create(init="first")
    assert [record.done for record in build_zoo(zoo, signals[:4])] == [1, 4]
    cosine = torch.nn.functional.cosine_similarity(zoo.weights()[:1], zoo.weights()[1:])
    apart = torch.nn.functional.cosine_similarity(zoo.representation.initial()[None], zoo.weights()[1:])
    assert (cosine > apart).all()
    assert torch.equal(zoo_start(Zoo.open(tmp_path / "zoo")), zoo.weights()[0])


def test_no_held_out_instance_starts_the_others(made):
    create, signals = made
    items = [replace(signal, split="heldout" if i < 2 else "train") for i, signal in enumerate(signals[:4])]
    zoo = create(init="first")
    list(build_zoo(zoo, Signals(signals.name, signals.dim, items)))
    assert zoo.ids == [items[i].id for i in (2, 0, 1, 3)]


def test_what_diverges_is_tried_once_more_and_then_marked(made, monkeypatch):
    """The results of the other instances in the batch do not change."""
    create, signals = made
    alone = create("alone")
    list(build_zoo(alone, signals[1:3]))
    rates = []

    def spoilt(problem, model, start, config, *rest):
        rates.append(config.lr)
        for record in run_fit(problem, model, start, config, *rest):
            if "p0.png" in problem.ids:
                record.result.weights[0], record.result.quality[0] = float("nan"), float("nan")
                record.result.status[0] = "diverged: weights are not finite"
            yield record

    monkeypatch.setattr("wsr.zoo.recipe.run_fit", spoilt)
    zoo = create()
    list(build_zoo(zoo, signals[:3]))
    assert rates == [1e-2, 2.5e-3]
    assert [status.split(":")[0] for status in zoo.index["status"]] == ["diverged", "poor", "poor"]
    assert torch.equal(zoo.weights(["p1.png", "p2.png"]), alone.weights())


def test_shards_merge_to_the_whole(made, tmp_path):
    """The result does not depend on the order in which shards are built, and merging them twice changes nothing."""
    create, signals = made
    whole = create("whole")
    list(build_zoo(whole, signals))
    for name in ("2/3", "0/3", "1/3"):
        list(build_zoo(create(f"part{name[0]}"), shard(signals, name)))
    parts = [tmp_path / f"part{i}" for i in range(3)]
    for _ in range(2):
        merged = merge_zoos(tmp_path / "merged", parts, whole.representation)
    assert merged.ids == whole.ids and torch.equal(merged.weights(), whole.weights())
    assert merged.meta == whole.meta
    with pytest.raises(WsrError, match="0/16"):
        shard(signals, "3/3")
    create("other", sigma=0.5)
    with pytest.raises(WsrError, match="sigma"):
        merge_zoos(tmp_path / "merged", [parts[0], tmp_path / "other"])


def test_trajectories_hold_the_weights_on_their_way(made, tmp_path):
    create, signals = made
    zoo = create(snapshots=[1, 3, 6])
    assert [record.done for record in build_trajectories(zoo, signals[:4], [1, 3, 6])] == [3, 4]
    assert list(build_trajectories(Zoo.open(tmp_path / "zoo"), signals[:4], [1, 3, 6])) == []
    kept = Zoo.open(tmp_path / "zoo")
    assert check_zoo(kept).ok and len(check_zoo(kept).recomputed) == 12
    losses = kept.index.groupby("steps")["loss"].mean()
    assert list(losses.index) == [1, 3, 6] and losses[6] < losses[1]
    plain = create("plain")
    list(build_zoo(plain, signals[:4]))
    assert torch.equal(kept.weights(["p0.png@6", "p3.png@6"]), plain.weights(["p0.png", "p3.png"]))


def test_large_zoos_are_split_into_files(made, tmp_path, monkeypatch):
    create, signals = made
    monkeypatch.setattr("wsr.zoo.zoo.MAX_FILE_BYTES", 2000)
    list(build_zoo(create(), signals))
    files = sorted(tmp_path.glob("zoo/weights-*.safetensors"))
    assert len(files) > 1
    assert len(Zoo.open(tmp_path / "zoo").weights()) == 10


def test_check_finds_what_does_not_hold(made, tmp_path):
    create, signals = made
    list(build_zoo(create(), signals))
    zoo = Zoo.open(tmp_path / "zoo")
    zoo.index.loc[2, "quality"] += 1
    zoo.index.loc[4, "target_sha256"] = "0" * 64
    report = check_zoo(zoo)
    assert not report.ok and len(report.problems) == 2
    assert "p2" in report.problems[0] and "p4" in report.problems[1]


def test_without_the_targets_only_the_decode_is_checked(made, tmp_path):
    create, signals = made
    list(build_zoo(create(), signals))
    zoo = Zoo.open(tmp_path / "zoo")
    zoo.meta["dataset"] = f"images:{tmp_path / 'gone'}"
    report = check_zoo(zoo)
    assert report.ok and report.targets_missing and not report.recomputed


def test_nothing_is_stored_twice_and_no_zoo_is_overwritten(made, tmp_path):
    create, signals = made
    zoo = create()
    list(build_zoo(zoo, signals[:3]))
    with pytest.raises(WsrError, match="already"):
        zoo.append(torch.zeros(1, zoo.representation.size), [dict(zoo.index.iloc[0])])
    with pytest.raises(WsrError, match="sigma"):
        create(sigma=0.5)


def test_damage_is_named(made, tmp_path):
    create, signals = made
    list(build_zoo(create(), signals))
    with pytest.raises(WsrError, match="no zoo|zoo"):
        Zoo.open(tmp_path / "nothing")
    (tmp_path / "zoo" / "weights-00000.safetensors").write_bytes(b"broken")
    with pytest.raises(WsrError, match="safetensors"):
        Zoo.open(tmp_path / "zoo").weights()
    (tmp_path / "zoo" / "zoo.json").write_text("{")
    with pytest.raises(WsrError, match="zoo"):
        Zoo.open(tmp_path / "zoo")


def test_zoo_json_says_everything_that_decoding_needs(made, tmp_path):
    create, _ = made
    create()
    meta = json.loads((tmp_path / "zoo" / "zoo.json").read_text())
    for key in (
        "representation",
        "dim",
        "preset",
        "rank",
        "base",
        "base_sha256",
        "mask_seed",
        "init",
        "sigma",
        "init_seed",
        "steps",
        "dataset",
        "code_version",
        "layout",
    ):
        assert key in meta


def test_rows_that_the_index_lacks_are_named(made, tmp_path, capsys):
    """Checks this with and without targets. If a lost row of the index were not noticed, weights would get the id of
    another instance."""
    from wsr.cli import main
    from wsr.commands import FAILED

    create, signals = made
    list(build_zoo(create(), signals))
    path = tmp_path / "zoo/index.parquet"
    index = pd.read_parquet(path)
    for rest, said in ((index.drop(index.index[3]), r"10 vectors, and its index names 9: 1 has no row"),
                       (index.iloc[:7], "names 7: 3 have no row"), (index.iloc[:0], "names 0: 10 have")):  # fmt: skip
        rest.to_parquet(path, index=False)
        for dataset in (signals.name, "images:gone"):
            zoo = Zoo.open(tmp_path / "zoo")
            zoo.meta["dataset"] = dataset
            report = check_zoo(zoo)
            assert not report.ok and any(re.search(said, problem) for problem in report.problems)
        assert main(["zoo", "check", str(tmp_path / "zoo")]) == FAILED
        assert "fetch index.parquet again" in " ".join(capsys.readouterr().out.split())
    path.unlink()
    assert any("names 0: 10 have" in problem for problem in check_zoo(Zoo.open(tmp_path / "zoo")).problems)
    list(build_zoo(create(), signals))
    assert check_zoo(Zoo.open(tmp_path / "zoo")).ok  # rows that a stopped run has left are overwritten


def test_rows_of_a_killed_writer_shift_nobody_s_weights(made, tmp_path, monkeypatch):
    """Checks this also for rows that are then written into another file."""
    create, signals = made
    list(build_zoo(create("whole"), signals))
    run = build_zoo(create("cut"), signals)
    next(run)
    run.close()
    file = tmp_path / "cut" / "weights-00000.safetensors"
    kept = load_file(file)["weights"]
    save_file({"weights": torch.cat([kept, torch.ones_like(kept)])}, file)
    monkeypatch.setattr("wsr.zoo.zoo.MAX_FILE_BYTES", 1)
    list(build_zoo(create("cut"), signals))
    whole, cut = Zoo.open(tmp_path / "whole"), Zoo.open(tmp_path / "cut")
    assert len(list(cut.path.glob("weights-*"))) > 1 and cut.ids == whole.ids
    assert torch.equal(cut.weights(), whole.weights()) and check_zoo(cut).ok


def test_a_zoo_is_made_in_a_folder_of_its_own(made, tmp_path):
    create, signals = made
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo/.DS_Store").write_text("")  # as macOS leaves it in folders
    list(build_zoo(create(), signals[:1]))
    list(build_zoo(create(), signals[:2]))  # the zoo's own run continues
    assert Zoo.open(tmp_path / "zoo").ids == signals.ids[:2]
    (tmp_path / "full").mkdir()
    for i in range(5):
        (tmp_path / f"full/{i}.txt").write_text("mine")
    with pytest.raises(WsrError, match=r"holds other things \('0.txt', '1.txt', '2.txt' and 2 more\)"):
        create("full")
    assert len(list((tmp_path / "full").iterdir())) == 5
    (tmp_path / "empty").mkdir()
    assert compress_zoo(Zoo.open(tmp_path / "zoo"), tmp_path / "empty").ids == signals.ids[:2]
