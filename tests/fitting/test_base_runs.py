"""A base belongs to one run: another run neither continues from its checkpoint nor overwrites its result."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from wsr import presets
from wsr.cli import main
from wsr.commands import MISTAKE, OK
from wsr.data import load_signals
from wsr.errors import WsrError
from wsr.fields.checkpoint import load_base
from wsr.fields.representation import make_representation
from wsr.fitting.autodecoder import BaseTraining
from wsr.fitting.bases import default_base_path, train_base, training_targets
from wsr.presets import BaseTrainingConfig, FieldConfig, FitConfig, PresetConfig, Stage
from wsr.zoo import Zoo

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU

FIELD = FieldConfig(2, 16, 2, 6.0, 8, 2, 16, 12, 2)
SCHEDULE = BaseTrainingConfig((Stage(55, 4, 32, 2e-3), Stage(50, 2, 64, 1e-3)), ema=0.5)


def draw(folder, seed: int = 0):
    """Draws six pictures, with the same six names for every seed."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(6):
        pixels = np.random.default_rng(10 * seed + i).integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((128, 128)).save(folder / f"{i}.png")
    return f"images:{folder}"


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setitem(presets._PRESETS, ("cpu", "image"), PresetConfig(16, FIELD, FitConfig(2, 16, 2), SCHEDULE))
    wide = replace(FIELD, channels=24)
    monkeypatch.setitem(presets._PRESETS, ("paper", "image"), PresetConfig(16, wide, FitConfig(2, 16, 2), SCHEDULE))
    return draw(tmp_path / "pictures")


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The numbers of a base that is trained on the pictures of `data` without an interruption."""
    folder = tmp_path_factory.mktemp("straight")
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("WSR_CACHE", str(folder / "cache"))
        changed.setitem(presets._PRESETS, ("cpu", "image"), PresetConfig(16, FIELD, FitConfig(2, 16, 2), SCHEDULE))
        whole(draw(folder / "pictures"), folder / "straight.safetensors")
    return numbers(folder / "straight.safetensors")


def begin(name: str, out, **options) -> None:
    """Starts a run and stops it at its first record."""
    for record in train_base(load_signals(name), out, **options):
        assert record.step == 50
        break


def whole(name: str, out, **options):
    *_, last = train_base(load_signals(name), out, **options)
    return last


def numbers(out) -> torch.Tensor:
    return torch.cat([value.flatten() for value in load_base(out).state_dict().values()])


def test_the_same_run_goes_on_where_it_was_stopped(data, tmp_path, straight):
    begin(data, tmp_path / "a.safetensors")
    first = next(train_base(load_signals(data), tmp_path / "a.safetensors"))
    assert first.step == 100
    whole(data, tmp_path / "a.safetensors")
    assert not list((tmp_path / "cache/training").iterdir()), "a base that is written needs no checkpoint"
    assert torch.equal(numbers(tmp_path / "a.safetensors"), straight)


def test_a_run_that_ended_before_its_result_was_written_writes_it(data, tmp_path, straight, monkeypatch):
    """A full disk, or a kill between the last checkpoint and the file: the next run ended in a traceback."""
    out, full = tmp_path / "a.safetensors", OSError(28, "No space left on device")
    with monkeypatch.context() as broken:
        broken.setattr("wsr.fitting.bases.save_base", lambda *_: (_ for _ in ()).throw(full))
        with pytest.raises(OSError, match="No space"):
            whole(data, out)
    assert not out.exists()
    assert main(["base", data, "--out", str(out)]) == OK
    assert torch.equal(numbers(out), straight) and not list((tmp_path / "cache/training").iterdir())


@pytest.mark.parametrize("other", ["seed", "mask seed", "pictures", "preset", "schedule"])
def test_another_run_begins_afresh(other, data, tmp_path, monkeypatch):
    """An earlier version trained 0 steps, and stored the first run's network under the label of the second."""
    begin(data, tmp_path / "a.safetensors")
    options = {"seed": {"seed": 1}, "mask seed": {"mask_seed": 4}, "preset": {"preset": "paper"}}.get(other, {})
    if other == "pictures":
        draw(tmp_path / "pictures", 7)  # other pictures under the same names in the same folder
    if other == "schedule":
        slower = replace(SCHEDULE, latent_penalty=1e-2)
        monkeypatch.setitem(presets._PRESETS, ("cpu", "image"), PresetConfig(16, FIELD, FitConfig(2, 16, 2), slower))
    first = next(train_base(load_signals(data), tmp_path / "b.safetensors", **options))
    assert first.step == 50
    whole(data, tmp_path / "b.safetensors", **options)
    chosen = presets.preset(options.get("preset", "cpu"), 2)
    targets = training_targets(load_signals(data).where(split="train"))
    straight = BaseTraining(targets, chosen.field, chosen.base, options.get("seed", 0))
    list(straight.run())
    expected = torch.cat([value.flatten() for value in straight.finish()[0].state_dict().values()])
    assert torch.equal(numbers(tmp_path / "b.safetensors"), expected)


@pytest.mark.parametrize("damage", ["half of it", "no checkpoint", "nothing", "another network"])
def test_a_damaged_checkpoint_is_ignored_with_a_warning(damage, data, tmp_path, caplog, straight):
    begin(data, tmp_path / "a.safetensors")
    (checkpoint,) = (tmp_path / "cache/training").glob("base-*.pt")
    state = torch.load(checkpoint, weights_only=True)
    content = {"half of it": checkpoint.read_bytes()[:-2000], "no checkpoint": b"PK\x03\x04 nothing", "nothing": b""}
    if damage == "another network":
        state["latents"]["weight"] = torch.zeros(2, 3)
        torch.save(state, checkpoint)
    else:
        checkpoint.write_bytes(content[damage])
    with caplog.at_level(logging.WARNING, "wsr"):
        first = next(train_base(load_signals(data), tmp_path / "a.safetensors"))
    assert first.step == 50 and "training begins afresh" in caplog.text and "Traceback" not in caplog.text
    whole(data, tmp_path / "a.safetensors")
    assert torch.equal(numbers(tmp_path / "a.safetensors"), straight)


def test_a_checkpoint_of_another_run_is_refused_by_name(data, tmp_path):
    targets = training_targets(load_signals(data).where(split="train"))
    for _ in (training := BaseTraining(targets, FIELD, SCHEDULE, 0)).run(checkpoint=tmp_path / "c.pt"):
        break
    assert training.step == 50
    with pytest.raises(WsrError, match="seed was 0 and is now 1"):
        next(BaseTraining(targets, FIELD, SCHEDULE, 1).run(checkpoint=tmp_path / "c.pt"))


@pytest.mark.parametrize(
    "options, said",
    [
        (["--preset", "paper"], "field.channels was 16 and is now 24"),
        (["--seed", "1"], "seed was 0 and is now 1"),
        (["--mask-seed", "2"], "mask_seed was 0 and is now 2"),
    ],
)
def test_a_base_of_another_run_is_not_overwritten(options, said, data, tmp_path, capsys):
    """An earlier version let `wsr base emoji --preset paper` replace the base that all zoos were fitted on."""
    out = tmp_path / "assets/bases/test.safetensors"
    assert main(["base", data, "--out", str(out)]) == OK
    before = out.read_bytes()
    model = make_representation("mlora-asym", load_base(out), FIELD)
    settings = dict(dataset=data, preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=1)
    Zoo.create(tmp_path / "assets/zoos/standing", model, **settings)
    assert main(["base", data, "--out", str(out), *options]) == MISTAKE
    error = " ".join(capsys.readouterr().err.split())
    assert said in error and "the zoos standing stand on it" in error and "--overwrite" in error
    assert out.read_bytes() == before
    assert main(["base", data, "--out", str(out), *options, "--overwrite"]) == OK
    assert out.read_bytes() != before


def test_the_same_command_again_keeps_its_base(data, tmp_path, capsys):
    out = tmp_path / "b.safetensors"
    assert main(["base", data, "--out", str(out)]) == OK
    stamp = out.stat()
    assert main(["base", data, "--out", str(out)]) == OK
    assert "is there already" in " ".join(capsys.readouterr().out.split())
    assert (out.stat().st_mtime_ns, out.stat().st_ino) == (stamp.st_mtime_ns, stamp.st_ino)
    draw(tmp_path / "pictures", 3)
    assert main(["base", data, "--out", str(out)]) == MISTAKE
    assert "data is another" in " ".join(capsys.readouterr().err.split())


def test_a_base_that_is_older_than_identities_is_compared_by_what_it_says(data, tmp_path):
    from safetensors import safe_open
    from safetensors.torch import save_file

    out = tmp_path / "b.safetensors"
    whole(data, out)
    with safe_open(out, "pt") as file:
        tensors, meta = {key: file.get_tensor(key) for key in file.keys()}, file.metadata()
    training = json.loads(meta["training"])
    training.pop("identity")
    save_file(tensors, out, meta | {"training": json.dumps(training)})
    assert whole(data, out).kept
    with pytest.raises(WsrError, match="seed was 0 and is now 1"):
        whole(data, out, seed=1)


def test_the_name_of_a_base_states_the_settings_that_are_not_defaults():
    given = ("emoji",), ("emoji/people", "paper"), ("emoji", "cpu", 1, 2)
    names = [default_base_path(*one).name for one in given]
    assert names == ["emoji.safetensors", "emoji-people-paper.safetensors", "emoji-s1-m2.safetensors"]


def test_a_path_that_cannot_be_written_is_refused_before_training(data, tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / ("x" * 300), tmp_path / "file" / "b.safetensors"):
        with pytest.raises(WsrError, match="cannot be written"):
            begin(data, out)
    with pytest.raises(WsrError, match="There is no folder"):
        load_signals("images:" + "x" * 300)
    with pytest.raises(WsrError, match="There is no folder"):
        load_signals("meshes:" + "x" * 300)


def test_the_file_that_is_in_the_way_is_no_base(data, tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"mine")
    with pytest.raises(WsrError, match="not a base"):
        whole(data, tmp_path / "x.safetensors")
    assert (tmp_path / "x.safetensors").read_bytes() == b"mine"
