"""What commands refuse before they start any work, and how they end when interrupted."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from wsr.cli import main
from wsr.commands import FAILED, MISTAKE, OK, STOPPED


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "me.png"
    Image.new("RGB", (16, 16), "orange").save(path)
    return path


@pytest.mark.parametrize("options, said", [
    (["--out", "{picture}"], "another name"),
    (["--out", "{folder}"], "is a folder"),
    (["--out", "{picture}/w.safetensors"], "cannot be written"),
    (["--out", "{folder}/w.safetensors", "--render", "{picture}"], "another name"),
    (["--out", "{folder}/w.safetensors", "--render", "{folder}/x.glb"], "end in .png"),
    (["--out", "{folder}/w.safetensors", "--device", "foo"], "no device 'foo'"),
    (["--out", "{folder}/w.safetensors", "--device", "cuda:99"], "no device 'cuda:99'"),
])  # fmt: skip
def test_what_cannot_be_written_or_computed_is_said_before_a_fit(options, said, picture, tmp_path, capsys):
    before = picture.read_bytes()
    options = [option.format(picture=picture, folder=tmp_path) for option in options]
    assert main(["fit", str(picture), "--representation", "mlp", "--steps", "1000000", *options]) == MISTAKE
    assert said in " ".join(capsys.readouterr().err.split()) and picture.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["me.png"]


def test_the_folder_of_an_output_is_made(picture, tmp_path):
    out = tmp_path / "new/folder/w.safetensors"
    assert main(["fit", str(picture), "--representation", "mlp", "--steps", "2", "--out", str(out)]) == OK
    assert [path.name for path in out.parent.iterdir()] == ["w.safetensors"]


def test_a_fit_that_diverged_is_no_success(picture, tmp_path):
    options = ["--representation", "mlp", "--steps", "2", "--out", str(tmp_path / "w.safetensors")]
    assert main(["fit", str(picture), *options]) == OK
    assert main(["fit", str(picture), "--base", "emoji", "--sigma", "1e30", "--steps", "2", *options[4:]]) == FAILED


@pytest.mark.parametrize("command, said", [
    (["render", "{zoo}", "--resolution", "0"], "decoded at 2 to"),
    (["render", "{zoo}", "--resolution", "1000000"], "decoded at 2 to"),
    (["render", "{zoo}", "--count", "0"], "--count must be 1"),
    (["zoo", "build", "images:{folder}", "--out", "{folder}/z", "--count", "0"], "one instance or more"),
    (["diffuse", "{zoo}", "--steps", "0"], "--steps must be 1"),
    (["data", "nope.obj"], "There is no file"),
    (["app", "--port", "99999"], "A port is a number"),
    (["app", "--port", "{taken}"], "choose another port"),
])  # fmt: skip
def test_numbers_and_names_that_make_no_sense_are_said(command, said, picture, tmp_path, capsys):
    zoo = Path(__file__).parent / "fixtures/before/zoos/pictures-mlp"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert main([part.format(zoo=zoo, folder=tmp_path, taken=taken) for part in command]) == MISTAKE
    assert said in " ".join(capsys.readouterr().err.split())


def test_ctrl_c_ends_batches_side_by_side(tmp_path):
    """It waited for the batches in hand, which may take minutes."""
    (tmp_path / "p").mkdir()
    for i in range(40):
        Image.new("RGB", (16, 16), (i, 0, 0)).save(tmp_path / f"p/{i}.png")
    command = [sys.executable, "-m", "wsr.cli", "zoo", "build", f"images:{tmp_path / 'p'}", "--out",
               str(tmp_path / "z"), "--representation", "mlp", "--steps", "1000000", "--workers", "2"]  # fmt: skip
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    job = subprocess.Popen(command, **pipes)
    until = time.monotonic() + 60
    while not (tmp_path / "z/zoo.json").exists() and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(3)
    job.send_signal(signal.SIGINT)
    _, said = job.communicate(timeout=20)
    assert job.returncode == STOPPED and "Stopped." in said and "Traceback" not in said
