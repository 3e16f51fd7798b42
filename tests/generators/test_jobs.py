"""Training a model on a zoo: validation weights decide when it ends, and held-out fits are not used."""

from dataclasses import replace

import pandas as pd
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.generators import files
from wsr.generators.base import TrainSettings
from wsr.generators.diffusion import Diffusion, DiffusionConfig, load_diffusion, sample_zoo, train_diffusion
from wsr.generators.diffusion.clusters import Clusters
from wsr.generators.diffusion.jobs import parts_of, training_of
from wsr.progress import bar
from wsr.zoo import Zoo

TINY = DiffusionConfig(
    16, 1, 2, 8, 3e-3, 60, timesteps=50, beta=(1e-3, 0.2), ema=0.9, patience=2, eval_every=10,
    shared_modulation=True, final_noise=0.3,
)  # fmt: skip


@pytest.fixture
def zoo(base, config, tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    model = make_representation("mlora-asym", base, config, mask_seed=7)
    made = Zoo.create(
        tmp_path / "z", model, dataset="emoji", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=10
    )
    weights = model.initial() + 0.3 * torch.randn(60, model.size, generator=torch.Generator().manual_seed(1))
    made.append(weights, [
        {"id": f"1f{i:03x}", "class": "odd" if i % 2 else "even", "split": "heldout" if i >= 40 else "train",
         "quality": 30.0, "steps": 10, "seconds": 0.0, "target_sha256": "", "status": "ok"}
        for i in range(60)
    ])  # fmt: skip
    return made


def test_a_tenth_of_each_class_is_kept_back():
    rows = pd.DataFrame({"id": [f"{i}" for i in range(55)], "class": ["a"] * 35 + ["b"] * 20})
    train, unseen = parts_of(rows, "shapes10")
    assert unseen["class"].value_counts().to_dict() == {"a": 3, "b": 2}
    assert set(train["id"]) | set(unseen["id"]) == set(rows["id"]) and not set(train["id"]) & set(unseen["id"])
    small = pd.DataFrame({"id": [f"{i}" for i in range(21)], "class": ["a", "b", "c"] * 7})
    assert len(parts_of(small, "shapes10")[1]) == 2 and not len(parts_of(small[:9], "shapes10")[1])


def test_emoji_are_kept_back_by_families():
    tones = ["", "-1f3fb", "-1f3fd", "-1f3ff"]
    ids = [f"1f4{i:02x}{tone}" for i in range(30) for tone in tones]
    rows = pd.DataFrame({"id": ids, "class": "people"})
    train, unseen = parts_of(rows, "emoji/people")
    assert len(unseen) == 3 * len(tones)
    assert not {name[:5] for name in train["id"]} & {name[:5] for name in unseen["id"]}


def test_a_model_of_one_class_is_asked_for_that_class(zoo, tmp_path):
    list(train_diffusion(zoo, tmp_path / "odd.safetensors", config=TINY, cls="odd"))
    model = load_diffusion(tmp_path / "odd.safetensors", zoo.representation)
    assert [*sample_zoo(model, tmp_path / "s", 3, cls="odd", steps=3)] == [3]


def test_a_model_without_classes_learns_all_weights_as_one(zoo, tmp_path):
    training = training_of(zoo, replace(TINY, conditional=False, clusters=3))
    assert training.model.classes == [""] and training.model.about["counts"] == [36]
    assert set(training.validation[1]) == {""} and len(training.validation[0]) == 4
    out = tmp_path / "plain.safetensors"
    list(train_diffusion(zoo, out, preset="cpu", steps=3, conditional=False))
    model = load_diffusion(out, zoo.representation)
    assert not model.config.conditional and model.classes == [""]
    one, other = (model.sample(3, steps=3, seed=1, guidance=guidance) for guidance in (1.0, 4.0))
    assert torch.equal(one, other), "there is no class that guidance could exaggerate"
    assert [*sample_zoo(model, tmp_path / "s", 3, steps=3)] == [3]
    assert set(Zoo.open(tmp_path / "s").index["class"]) == {""}
    with pytest.raises(WsrError, match="odd"):
        model.sample(1, cls="odd")


def test_a_killed_job_goes_on_and_another_zoo_or_setting_begins_anew(zoo, tmp_path):
    """An earlier version wrote both to one file, and the second run continued from the first one's network."""
    out = tmp_path / "m.safetensors"
    for record in train_diffusion(zoo, out, config=TINY):
        if record.step == 50:
            break
    assert next(train_diffusion(zoo, out, config=replace(TINY, lr=1e-3))).step == 50
    assert next(train_diffusion(zoo, out, config=TINY)).step == 60


def test_held_out_fits_are_neither_trained_on_nor_looked_at(zoo):
    training = training_of(zoo, TINY)
    seen = torch.cat([training.model.restore(training.data), training.validation[0]])
    assert len(seen) == 40 and len(training.validation[0]) == 4
    heldout = zoo.weights(zoo.good("heldout")["id"].tolist())
    assert torch.cdist(heldout, seen).min() > 1.0
    assert training_of(zoo, replace(TINY, patience=0)).validation is None


def test_a_model_says_how_it_was_trained_and_its_samples_how_they_were_drawn(zoo, tmp_path):
    records = list(train_diffusion(zoo, tmp_path / "m.safetensors", config=TINY))
    model = load_diffusion(tmp_path / "m.safetensors", zoo.representation)
    assert model.about["steps"] == records[-1].step
    assert model.about["best"] in [step for step, _ in model.about["evaluations"]]
    *_, count = sample_zoo(model, tmp_path / "s", 5, steps=4)
    made = Zoo.open(tmp_path / "s")
    assert count == len(made) == 5 and made.meta["sampled"]["final_noise"] == 0.3
    assert model.about["monitors"][-1]["samples"] == 32
    list(train_diffusion(zoo, tmp_path / "other.safetensors", config=TINY, seed=1))
    with pytest.raises(WsrError, match="s"):  # the existing samples come from another model
        list(sample_zoo(load_diffusion(tmp_path / "other.safetensors", zoo.representation), tmp_path / "s", 8, steps=4))
    whole = list(train_diffusion(zoo, tmp_path / "w.safetensors", config=TINY, steps=6))
    assert whole[-1].step == 6 and whole[-1].validation is None
    with pytest.raises(WsrError, match="class"):
        next(train_diffusion(zoo, tmp_path / "n.safetensors", config=TINY, cls="chair"))


def test_a_generator_without_the_layer_encoder_keeps_everything_else(zoo):
    with_it, without = (Diffusion.config_of(zoo, TrainSettings(preset="paper", encoder=one)) for one in (True, False))
    assert with_it.encoder and without == replace(with_it, encoder=False) and without.predict == "epsilon"


def test_weights_of_one_class_are_drawn_by_clusters(zoo, monkeypatch):
    monkeypatch.setattr("wsr.generators.diffusion.clusters.LEAST", 5)
    apart = zoo.weights()[:40] + 5.0 * (torch.arange(40) % 2)[:, None]  # two groups that no k-means can miss
    clusters = Clusters.of(apart, 2)
    found = clusters(apart)
    assert set(found) == set(clusters.names) and found == [found[i % 2] for i in range(40)]
    training = training_of(zoo, replace(TINY, clusters=4), cls="odd")
    # 18 weights make three clusters of at least five
    assert training.model.classes == ["cluster 01", "cluster 02", "cluster 03"]
    assert sum(training.model.about["counts"]) == 18 and set(training.validation[1]) <= set(training.model.classes)
    assert training_of(zoo, replace(TINY, clusters=4)).model.classes == ["even", "odd"]
    monkeypatch.undo()
    # too few weights for clusters
    assert training_of(zoo, replace(TINY, clusters=4), cls="odd").model.classes == ["odd"]


def _trained_together(zoo, out):
    """Trains in one of two processes, and notes in a file of the process which files it has written."""
    torch.set_num_threads(1)
    AcceleratorState._reset_state(reset_partial_state=True)  # of the process that was forked, which trains alone
    written, write = [], files.save_tensors
    files.save_tensors = lambda path, *rest: (written.append(path.name), write(path, *rest))
    last = list(train_diffusion(zoo, out, config=replace(TINY, patience=0)))[-1]
    with bar("quiet unless first") as update:
        update(1, 1)
    assert Accelerator().num_processes == 2
    torch.save({"written": written, "loss": last.loss}, f"{out}.{torch.distributed.get_rank()}")


@pytest.mark.once
def test_of_two_processes_that_train_together_one_writes(zoo, tmp_path, capfd):
    from accelerate import debug_launcher

    debug_launcher(_trained_together, (zoo, tmp_path / "m.safetensors"), num_processes=2)
    first, second = (torch.load(tmp_path / f"m.safetensors.{rank}") for rank in "01")
    assert first["written"] == ["m.safetensors"] and second["written"] == []
    assert first["loss"] == second["loss"], "they learn from halves of one batch"
    assert capfd.readouterr().out.count("quiet unless first") == 2, "a line for the part, and the bar's last state"
    assert len(load_diffusion(tmp_path / "m.safetensors", zoo.representation).sample(2, steps=2)) == 2
    assert not list((tmp_path / "cache/training").glob("*.safetensors")), "the checkpoint goes when the model is there"
