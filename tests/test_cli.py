"""The command line as a user sees it; it runs in a process of its own only where the exit code matters."""

import subprocess
import sys

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from wsr.cli import main
from wsr.commands import FAILED, MISTAKE, OK
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.representation import make_representation
from wsr.zoo import Zoo


@pytest.fixture
def small_base(base, tmp_path):
    save_base(tmp_path / "base.safetensors", base, BaseInfo("test", "cpu", 3))
    return str(tmp_path / "base.safetensors")


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "me.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)).save(path)
    return str(path)


def test_the_list_of_commands_imports_no_engine():
    """Fails if a command imports at the top of its file what only running it needs: `wsr --help` then takes longer."""
    heavy = {"torch", "pydantic", "pandas", "wsr.modalities"}
    script = f"import sys, wsr.cli; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.mark.parametrize("command", [[], ["data"], ["base"], ["fit"], ["zoo"], ["zoo", "check"], ["zoo", "info"],
                                     ["zoo", "build"], ["render"], ["app"],
                                     ["diffuse"], ["sample"], ["evaluate"],
                                     ["audit"]])  # fmt: skip
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*command, "--help"])
    assert stop.value.code == 0
    assert "usage: wsr" in capsys.readouterr().out


def test_a_picture_becomes_weights_and_a_picture_again(small_base, picture, tmp_path, capsys):
    out, render = tmp_path / "w.safetensors", tmp_path / "again.png"
    code = main(["fit", picture, "--base", small_base, "--rank", "2", "--steps", "3", "--out", str(out),
                 "--render", str(render)])  # fmt: skip
    assert code == OK and out.exists() and "dB" in capsys.readouterr().out
    with Image.open(render) as image:
        assert image.size == (128, 85)  # the aspect of the picture, with the preset's resolution as its longer side
    assert main(["render", str(out), "--resolution", "64", "--out", str(tmp_path / "alone")]) == OK
    (again,) = (tmp_path / "alone").glob("*.png")
    with Image.open(again) as image:
        assert image.size[0] == 64 > image.size[1]


def test_a_zoo_of_one_s_own_is_built_informed_about_and_checked(small_base, picture, tmp_path, capsys):
    folder = str(tmp_path / "zoo")
    data = f"images:{tmp_path}"
    assert main(["zoo", "build", data, "--out", folder, "--base", small_base, "--rank", "2", "--steps", "2"]) == OK
    assert main(["zoo", "info", folder]) == OK
    assert "mlora-asym" in capsys.readouterr().out
    assert main(["zoo", "check", folder]) == OK
    assert main(["render", folder, "--resolution", "16", "--out", str(tmp_path / "decoded")]) == OK
    assert list((tmp_path / "decoded").glob("*.png"))


def test_a_zoo_that_was_not_sent_is_sent_by_the_next_run(small_base, picture, tmp_path, capsys, monkeypatch):
    """It said "is complete already", and nothing was at the address."""
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    there, data = f"file://{tmp_path}/far/zoo", f"images:{tmp_path}"
    command = ["zoo", "build", data, "--out", there, "--base", small_base, "--rank", "2", "--steps", "2"]
    (tmp_path / "far").write_text("in the way")
    assert main(command) == MISTAKE and "cannot be sent to" in " ".join(capsys.readouterr().err.split())
    (tmp_path / "far").unlink()
    assert main(command) == OK and "complete already" in capsys.readouterr().out
    assert {"zoo.json", "index.parquet"} < {path.name for path in (tmp_path / "far/zoo").iterdir()}
    written = (tmp_path / "far/zoo/index.parquet").stat().st_mtime_ns
    assert main(command) == OK and (tmp_path / "far/zoo/index.parquet").stat().st_mtime_ns == written


def test_of_a_zoo_that_has_fits_that_failed_the_others_are_drawn(small_base, picture, tmp_path, capsys):
    """A fit that had diverged became a black picture."""
    folder, data = str(tmp_path / "zoo"), f"images:{tmp_path}"
    assert main(["zoo", "build", data, "--out", folder, "--base", small_base, "--rank", "2", "--steps", "2"]) == OK
    zoo = Zoo.open(folder)
    row = zoo.index.iloc[0].to_dict() | {"id": "gone", "status": "diverged at step 1"}
    with zoo.writing():
        zoo.append(torch.full((1, zoo.stored), torch.nan), [row])
    out = tmp_path / "decoded"
    assert main(["render", folder, "--resolution", "16", "--out", str(out)]) == OK
    assert [path.name for path in out.iterdir()] == ["me-png.png"]
    assert main(["render", folder, "--ids", "gone", "--resolution", "16", "--out", str(out)]) == MISTAKE
    assert "its fit diverged" in " ".join(capsys.readouterr().err.split())


def test_a_folder_is_read_file_by_file(picture, tmp_path, capsys):
    assert main(["data", f"images:{tmp_path}"]) == OK
    (tmp_path / "no.png").write_text("a text")
    assert main(["data", f"images:{tmp_path}"]) == FAILED
    told = " ".join(capsys.readouterr().out.split())
    assert "2 images." in told and "'no.png' cannot be used: " in told


@pytest.mark.parametrize(
    "command",
    [
        ["zoo", "check", "no-such-zoo"],
        ["fit", "no-such-file.png"],
        ["fit", "emogi"],
        ["data", "shapes11"],
        ["render", "no-such-zoo"],
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(command, capsys):
    assert main(command) == MISTAKE
    shown = capsys.readouterr()
    assert "wsr:" in shown.err and "Traceback" not in shown.err + shown.out


def test_a_broken_upload_is_a_mistake_too(small_base, tmp_path, capsys):
    for name, content in (("a.png", b"\x89PNG broken"), ("b.glb", b"glTF broken"), ("c.obj", b"v 1 2 3\n")):
        (tmp_path / name).write_bytes(content)
        assert main(["fit", str(tmp_path / name), "--base", small_base, "--steps", "1"]) == MISTAKE
        assert name in capsys.readouterr().err


def test_an_open_mesh_is_fitted_and_written_as_glb(tmp_path):
    from tests.conftest import tiny_config
    from wsr.fields.base import BaseField

    save_base(tmp_path / "base3.safetensors", BaseField(tiny_config(3), 1), BaseInfo("test", "cpu", 3))
    mesh = trimesh.creation.icosphere(3)
    mesh.update_faces(np.arange(len(mesh.faces)) % 9 != 0)  # every ninth face is missing
    mesh.export(tmp_path / "open.ply")
    files = {name: str(tmp_path / name) for name in ("open.ply", "base3.safetensors", "w.safetensors", "o.glb")}
    code = main(
        ["fit", files["open.ply"], "--base", files["base3.safetensors"], "--rank", "2", "--steps", "150"]
        + ["--out", files["w.safetensors"], "--render", files["o.glb"]]
    )
    assert code == OK and len(trimesh.load_mesh(tmp_path / "o.glb").faces) > 0


def test_the_exit_code_reaches_the_shell():
    done = subprocess.run([sys.executable, "-m", "wsr", "zoo", "info", "nothing"], capture_output=True, text=True)
    assert done.returncode == MISTAKE and "Traceback" not in done.stderr
    assert FAILED == 1


def test_weights_are_learnt_sampled_and_audited(base, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    save_base(tmp_path / "bases/test.safetensors", base, BaseInfo("test", "cpu", 3))
    model = make_representation("mlora-asym", load_base("test"), base.config, 4, 3)
    settings = dict(dataset="test", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=1)
    zoo = Zoo.create(tmp_path / "zoos/test-mlora-asym", model, **settings)
    rows = [{"id": f"i{i}", "class": "ab"[i % 2], "split": "train" if i < 40 else "heldout", "quality": 1.0, "steps": 1,
             "seconds": 0.0, "target_sha256": "", "status": "ok"} for i in range(120)]  # fmt: skip
    zoo.append(model.initial() + 0.1 * torch.randn(120, model.size), rows)
    out, new = str(tmp_path / "m.safetensors"), str(tmp_path / "new")
    assert main(["diffuse", "test-mlora-asym", "--out", out, "--steps", "2"]) == OK
    assert main(["sample", out, "--count", "3", "--cls", "a", "--steps", "2", "--out", new]) == OK
    samples = Zoo.open(new)
    assert len(samples) == 3 and set(samples.index["class"]) == {"a"} and set(samples.index["split"]) == {"sampled"}
    assert samples.decode(resolution=8)[0].shape == (8, 8, 3)
    assert main(["sample", out, "--count", "5", "--cls", "a", "--steps", "2", "--out", new]) == OK
    assert torch.equal(Zoo.open(new).weights()[:3], samples.weights())
    assert main(["audit", new, "test-mlora-asym", "--alarm", "0.1"]) == OK
    said = capsys.readouterr().out
    assert "sample-00004" in said and "replica" in said and "stated rate 10%" in said
    table = tmp_path / "table.csv"
    assert main(["evaluate", new, "test-mlora-asym", "--count", "4", "--repeats", "2", "--out", str(table)]) == OK
    assert "FD" in capsys.readouterr().out and "EfficientNet" in table.read_text()
    failed = {"id": "bad", "status": "diverged: weights are not finite"}
    Zoo.open(new).append(torch.full((1, model.size), torch.nan), [rows[0] | failed])
    assert main(["audit", new, "test-mlora-asym", "--alarm", "0.1", "--show", "9"]) == OK
    assert main(["evaluate", new, "test-mlora-asym", "--count", "4", "--repeats", "1"]) == OK
    said = capsys.readouterr().out  # a fit that diverged is far from everything, and was called novel
    assert said.count("Left out: 1 fit that diverged") == 2 and "bad" not in said and "nan" not in said
    other = make_representation("mlora", load_base("test"), base.config, 4, 3)
    Zoo.create(tmp_path / "zoos/test-mlora", other, **settings).append(other.initial()[None], [rows[0]])
    for command in ("audit", "evaluate"):
        assert main([command, new, "test-mlora"]) == MISTAKE
        assert "their representations differ" in capsys.readouterr().err.replace("\n", " ")
    assert main(["render", new, "--count", "2", "--resolution", "8", "--out", str(tmp_path / "drawn")]) == OK
    assert len(list((tmp_path / "drawn").glob("*.png"))) == 2
    assert main(["sample", out, "--cls", "c", "--out", new]) == MISTAKE


def test_a_mesh_is_described_before_it_is_fitted(tmp_path, capsys):
    path = tmp_path / "plate.obj"
    trimesh.creation.box((1, 1, 0.004)).export(path)
    assert main(["data", str(path)]) == OK
    said = " ".join(capsys.readouterr().out.split())
    assert "12 faces, closed." in said and "a cell of the 96³ grid" in said
    assert main(["fit", str(path), "--steps", "2", "--out", str(tmp_path / "w.safetensors")]) == OK
    said = " ".join(capsys.readouterr().out.split())
    assert said.index("a cell of the 96³ grid") < said.index("poor: an IoU of")


def test_a_name_that_no_file_can_have_is_a_sentence(capsys):
    for name in ("x" * 300 + ".obj", "x" * 300 + ".obj/" + "y" * 300, "a" * 5000):
        assert main(["fit", name, "--steps", "1"]) == MISTAKE
