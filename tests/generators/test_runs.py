"""A diffusion model and a zoo of samples belong to one run: another run neither continues nor overwrites them."""

import json
import logging
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from wsr.cli import main
from wsr.commands import MISTAKE, OK
from wsr.errors import WsrError
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.representation import make_representation
from wsr.generators.diffusion import DiffusionConfig, load_diffusion, sample_zoo, train_diffusion
from wsr.generators.diffusion.jobs import training_of
from wsr.zoo import Zoo

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU

TINY = DiffusionConfig(16, 1, 2, 8, 3e-3, 60, timesteps=20, beta=(1e-3, 0.2), ema=0.9, shared_modulation=True)


def zoo_of(tmp_path, name: str, seed: int) -> Zoo:
    field = load_base(tmp_path / "base.safetensors")
    model = make_representation("mlora-asym", field, field.config, 2, 3)
    settings = dict(dataset="emoji", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=10)
    zoo = Zoo.create(tmp_path / name, model, **settings)
    rows = [{"id": f"i{i}", "class": "ab"[i % 2], "split": "train", "quality": 1.0, "steps": 1, "seconds": 0.0,
             "target_sha256": "", "status": "ok"} for i in range(24)]  # fmt: skip
    noise = torch.randn(24, model.size, generator=torch.Generator().manual_seed(seed))
    zoo.append(model.initial() + 0.1 * noise, rows)
    return zoo


@pytest.fixture
def zoo(base, tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    save_base(tmp_path / "base.safetensors", base, BaseInfo("test", "cpu", 3))
    return zoo_of(tmp_path, "z", 0)


def begin(zoo, out, **options) -> int:
    """Runs a training to its first record, stops it, and returns that record's step."""
    records = train_diffusion(zoo, out, **{"config": TINY} | options)
    step = next(records).step
    records.close()
    return step


def test_only_the_same_run_goes_on(zoo, tmp_path):
    out = tmp_path / "m.safetensors"
    assert begin(zoo, out) == 50
    others = [{"seed": 1}, {"config": replace(TINY, width=32)}, {"cls": "a"}, {"steps": 55}]
    assert [begin(zoo, out, **other) for other in others] == [50, 50, 50, 50]
    assert begin(zoo_of(tmp_path, "other", 1), out) == 50  # other data
    assert begin(zoo, out) == 60


def test_a_run_that_ended_before_its_model_was_written_writes_it(zoo, tmp_path, monkeypatch):
    out = tmp_path / "m.safetensors"
    list(train_diffusion(zoo, tmp_path / "straight.safetensors", config=TINY))
    with monkeypatch.context() as broken:
        broken.setattr("wsr.generators.base.Generator.save", None)
        with pytest.raises(TypeError):
            list(train_diffusion(zoo, out, config=TINY))
    assert not out.exists()
    (last,) = train_diffusion(zoo, out, config=TINY)
    assert last.done and not last.kept and last.step == 60
    both = [load_diffusion(path).network.state_dict() for path in (out, tmp_path / "straight.safetensors")]
    assert all(torch.equal(one, both[1][name]) for name, one in both[0].items())


def test_a_model_of_another_run_is_not_overwritten(zoo, tmp_path, capsys):
    out = tmp_path / "m.safetensors"
    list(train_diffusion(zoo, out, config=TINY))
    before, first = out.read_bytes(), load_diffusion(out)
    assert first.about["identity"]["parts"]["seed"] == 0
    for options, said in (({"seed": 1}, "seed was 0 and is now 1"), ({"config": replace(TINY, lr=1e-4)}, "config.lr")):
        with pytest.raises(WsrError, match=said):
            list(train_diffusion(zoo, out, **{"config": TINY} | options))
    with pytest.raises(WsrError, match="weights is another"):
        list(train_diffusion(zoo_of(tmp_path, "other", 1), out, config=TINY))
    assert [record.kept for record in train_diffusion(zoo, out, config=TINY)] == [True]
    assert out.read_bytes() == before
    assert main(["diffuse", str(zoo.path), "--out", str(out)]) == MISTAKE
    assert "config.width was 16 and is now 320" in " ".join(capsys.readouterr().err.split())
    list(train_diffusion(zoo, out, config=TINY, seed=1, overwrite=True))
    assert out.read_bytes() != before


def test_a_damaged_checkpoint_is_left_aside_with_a_sentence(zoo, tmp_path, caplog):
    assert begin(zoo, tmp_path / "m.safetensors") == 50
    (checkpoint,) = (tmp_path / "cache/training").glob("diffusion-*.safetensors")
    for content in (checkpoint.read_bytes()[:-500], b"none of ours", b""):
        checkpoint.write_bytes(content)
        with caplog.at_level(logging.WARNING, "wsr"):
            assert begin(zoo, tmp_path / "m.safetensors") == 50
        assert "training begins afresh" in caplog.text
        caplog.clear()
    (tmp_path / "x.safetensors").write_bytes(b"mine")
    with pytest.raises(WsrError, match="not a generator"):
        begin(zoo, tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    "damage", ["network", "average", "a moment", "a moment too many", "the evaluations", "no step"]
)
def test_of_a_damaged_checkpoint_nothing_is_taken(damage, zoo, tmp_path, caplog):
    """The file can be read but is incomplete, so the run starts from its beginning."""
    config = replace(TINY, patience=2, eval_every=10)
    straight = list(train_diffusion(zoo, tmp_path / "a.safetensors", config=config, overwrite=True))
    begin(zoo, tmp_path / "m.safetensors", config=config)
    (checkpoint,) = (tmp_path / "cache/training").glob("diffusion-*.safetensors")
    with safe_open(checkpoint, "pt") as file:
        state, meta = {key: file.get_tensor(key) for key in file.keys()}, json.loads(file.metadata()["wsr"])
    last = max((key for key in state if key.startswith("average.")), key=lambda key: int(key.split(".")[1]))
    names = {"network": [key for key in state if key.startswith("network.")][-1], "average": last}
    if damage in names:
        del state[names[damage]]
    elif damage == "a moment":
        state["optimizer.0.exp_avg"] = torch.zeros(3)
    elif damage == "a moment too many":
        state["optimizer.999.exp_avg"] = torch.zeros(3)
    else:
        meta |= {"evaluations": [[1]]} if damage == "the evaluations" else {"step": None}
    save_file(state, checkpoint, {"wsr": json.dumps(meta)})
    training = training_of(zoo, config)
    before = [one.clone() for one in training.model.network.parameters()]
    with caplog.at_level(logging.WARNING, "wsr"):
        training.load(checkpoint)
    assert "training begins afresh" in caplog.text
    assert training.step == 0 and training.best is None and not training.evaluations and not training.losses
    assert not training.optimizer.state_dict()["state"]
    for kept in (training.model.network.parameters(), training.average.shadow_params):
        assert all(torch.equal(one, other) for one, other in zip(before, kept, strict=True))
    assert [record.loss for record in training.run()] == [record.loss for record in straight]


def test_a_finished_model_is_kept_even_if_it_states_no_losses_or_steps(zoo, tmp_path):
    out = tmp_path / "m.safetensors"
    list(train_diffusion(zoo, out, config=TINY))
    with safe_open(out, "pt") as file:
        state, meta = {key: file.get_tensor(key) for key in file.keys()}, json.loads(file.metadata()["wsr"])
    for change in ({"losses": []}, {"losses": None, "steps": "many", "seconds": None}):
        save_file(state, out, {"wsr": json.dumps({**meta, "about": {**meta["about"], **change}})})
        (record,) = train_diffusion(zoo, out, config=TINY)
        assert record.kept and record.loss != record.loss and record.steps == TINY.steps
    for wrong in ({"about": ["no mapping"]}, {"classes": []}, {"format": "other"}):
        save_file(state, out, {"wsr": json.dumps({**meta, **wrong})})
        with pytest.raises(WsrError, match="not a generator"):
            begin(zoo, out)


def test_a_path_that_cannot_be_written_is_refused_before_training(zoo, tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / ("x" * 300), tmp_path / "file" / "m.safetensors"):
        with pytest.raises(WsrError, match="cannot be written"):
            next(train_diffusion(zoo, out, config=TINY))


def test_samples_of_another_run_do_not_go_into_one_zoo(zoo, tmp_path, capsys):
    for seed in (0, 1):
        list(train_diffusion(zoo, tmp_path / f"m{seed}.safetensors", config=replace(TINY, steps=2), seed=seed))
    out, model = tmp_path / "s", load_diffusion(tmp_path / "m0.safetensors")
    assert list(sample_zoo(model, out, 2, steps=2)) == [2]
    assert list(sample_zoo(model, out, 3, steps=2)) == [3]
    with pytest.raises(WsrError, match="holds 3 samples already, which cannot become 2"):
        list(sample_zoo(model, out, 2, steps=2))
    for options, said in (({"seed": 1}, "sampled.seed was 0 and is now 1"), ({"steps": 3}, "sampled.steps was 2"),
                          ({"guidance": 2.0}, "sampled.guidance"), ({"cls": "a"}, "sampled.class")):  # fmt: skip
        with pytest.raises(WsrError, match=said):
            list(sample_zoo(model, out, 4, **{"steps": 2} | options))
    other = load_diffusion(tmp_path / "m1.safetensors")
    with pytest.raises(WsrError, match="sampled.network"):
        list(sample_zoo(other, out, 4, steps=2))
    assert main(["sample", str(tmp_path / "m0.safetensors"), "--seed", "5", "--out", str(out)]) == MISTAKE
    assert "sampled.seed was 0 and is now 5" in " ".join(capsys.readouterr().err.split())
    assert len(Zoo.open(out)) == 3 and OK == 0
