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

MODEL = Path(__file__).parent / "fixtures/before/diffusion/pictures-mlora-asym.safetensors"


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
    (["--out", "{folder}/w.png", "--render", "{folder}/w.png"], "cannot both be written"),
    (["--ids", "a"], "--ids choose from a data set"),
    (["--lr", "0"], "learning rate must be a positive number"),
    (["--lr", "-1"], "learning rate must be a positive number"),
    (["--lr", "nan"], "learning rate must be a positive number"),
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
    # beyond float32: some CPUs take max(NaN, 0) for 0, and see a grey picture in weights that are only large
    assert main(["fit", str(picture), "--base", "emoji", "--sigma", "1e39", "--steps", "2", *options[4:]]) == FAILED


@pytest.mark.parametrize("command, said", [
    (["render", "{zoo}", "--resolution", "0"], "decoded at 2 to"),
    (["render", "{zoo}", "--resolution", "1000000"], "decoded at 2 to"),
    (["render", "{zoo}", "--count", "0"], "--count must be 1"),
    (["zoo", "build", "images:{folder}", "--out", "{folder}/z", "--count", "0"], "one instance or more"),
    (["zoo", "build", "images:{folder}", "--out", "{folder}/z", "--steps", "0"], "steps must be a whole number"),
    (["zoo", "build", "images:{folder}", "--out", "{folder}/z", "--workers", "-1"], "one worker or more, not -1"),
    (["diffuse", "{zoo}", "--steps", "0"], "--steps must be 1"),
    (["diffuse", "{zoo}", "--generator", "p-diff", "--no-encoder"], "p-diff has no layer encoder"),
    (["diffuse", "{zoo}", "--generator", "p-diff", "--no-conditional"], "p-diff does not"),
    (["render", "{zoo}", "--device", "nope"], "There is no device 'nope'"),
    (["zoo", "check", "{zoo}", "--device", "nope"], "There is no device 'nope'"),
    (["zoo", "check", "{zoo}", "--sample", "0"], "one instance or more, not 0"),
    (["zoo", "check", "{zoo}", "--sample", "-1"], "one instance or more, not -1"),
    (["encoder", "emoji", "--steps", "-1", "--out", "{folder}/e.safetensors"], "one step or more, not -1"),
    (["bench", "surfaces", "--zoo", "{zoo}", "--out", "{folder}/b.json"], "Images have no surface"),
    (["evaluate", "{zoo}", "{zoo}", "--device", "nope"], "There is no device 'nope'"),
    (["evaluate", "{zoo}", "{zoo}", "--repeats", "0"], "--repeats must be 1 or more"),
    (["audit", "{zoo}", "{zoo}", "--show", "-1"], "--show must be 0 or more"),
    (["evaluate", "{zoo}", "{zoo}", "--extractor", "efficientnet-lite0", "--extractor-weights", "w"], "takes no file"),
    (["base", "images:{folder}", "--count", "0"], "--count cannot be 0"),
    (["base", "images:{folder}", "--count", "9", "--out", "{folder}/b.safetensors"], "holds 1 image, and 9"),
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


def said_by(command, capsys) -> str:
    """Returns the one line with which a command ends, which must report a mistake."""
    assert main(command) == MISTAKE
    error = capsys.readouterr().err
    assert error.startswith("wsr: ") and error.count("\n") == 1 and "Traceback" not in error, error
    return error


@pytest.mark.parametrize("command, said", [
    ([], "needs the name of a command: data, base, encoder, fit"),
    (["zoo"], "needs the name of a command: info, check, build"),
    (["fti"], "Unknown command of `wsr` 'fti': did you mean 'fit'?"),
    (["zoo", "biuld"], "Unknown command of `wsr zoo` 'biuld': did you mean 'build'?"),
    (["fit", "me.png", "--stpes", "3"], "Unknown option of `wsr fit` '--stpes': did you mean '--steps'?"),
    (["zoo", "build", "emoji", "--out", "x", "--work=2"], "'--work': did you mean '--workers'?"),
    (["zoo", "info", "a", "b"], "`wsr zoo info` takes nothing more, and 'b' was given"),
    (["zoo", "build", "emoji"], "`wsr zoo build` needs --out (The zoo's folder, or an address such as s3://bucket/zoo)"),
    (["fit", "me.png", "--preset", "gpu"], "'gpu': "),
    (["fit", "me.png", "--steps"], "--steps needs 1 value"),
    (["fit", "me.png", "--steps", "many"], "--steps takes a whole number, not 'many'"),
    (["fit", "me.png", "--sigma=x"], "--sigma takes a number, not 'x'"),
    (["render", "z", "--resolution", "1.5"], "--resolution takes a whole number, not '1.5'"),
    (["bench", "fit", "nope"], "Unknown value of DATASET 'nope': Valid: emoji, faces, shapes10"),
    (["audit", "a", "b", "--alarm", "x"], "takes a number, not 'x'"),
])  # fmt: skip
def test_a_wrong_command_line_is_one_sentence(command, said, capsys):
    """By default tyro prints a box of many lines; a hook of ours replaces it."""
    told = said_by(command, capsys)
    assert said in told and "--help` says" in told


@pytest.mark.parametrize("command", [
    ["zoo", "build", "images:{folder}", "--out", "{full}"], ["zoo", "merge", "{full}", "{zoo}"],
    ["zoo", "compress", "{zoo}", "{full}"], ["sample", "{model}", "--out", "{full}"],
])  # fmt: skip
def test_no_command_writes_a_zoo_among_other_files(command, picture, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("WSR_ASSETS", str(MODEL.parents[1]))
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.tex").write_text("mine")
    places = dict(folder=tmp_path, full=full, zoo=MODEL.parents[1] / "zoos/pictures-mlp", model=MODEL)
    told = said_by([part.format(**places) for part in command], capsys)
    assert "full" in told and [path.name for path in full.iterdir()] == ["thesis.tex"]


def test_a_folder_is_no_file_to_fit(picture, tmp_path, capsys):
    told = said_by(["fit", str(tmp_path)], capsys)
    assert "is a folder, and `wsr fit` takes files" in told and f"`wsr zoo build images:{tmp_path} --out" in told
    assert "meshes:" not in told
    (tmp_path / "empty").mkdir()
    told = said_by(["fit", str(picture), str(tmp_path / "empty")], capsys)
    assert "images:" in told and "meshes:" in told
    zoo = Path(__file__).parent / "fixtures/before/zoos/pictures-mlp"
    assert "is a zoo, whose weights are fitted already" in said_by(["fit", str(zoo)], capsys)
    for command in (["data", str(tmp_path)], ["base", str(tmp_path)]):
        assert f"images:{tmp_path} (images)" in said_by(command, capsys)


def test_a_place_that_cannot_be_written_is_said_before_hours_of_work(picture, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    zoo = str(Path(__file__).parent / "fixtures/before/zoos/pictures-mlp")
    for out, said in (("/proc/none/x", "cannot be written"), (str(tmp_path), "name a file in it"),
                      (str(tmp_path / "file/x"), "no folder")):  # fmt: skip
        for command in (["base", f"images:{tmp_path}"], ["diffuse", zoo], ["evaluate", zoo, zoo],
                        ["bench", "growth"], ["bench", "fit"], ["bench", "photograph"]):  # fmt: skip
            assert said in said_by([*command, "--out", out], capsys)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "me.png"]


def test_a_picture_is_described(tmp_path, capsys):
    path = tmp_path / "me.png"
    Image.new("RGBA", (400, 200), (255, 0, 0, 128)).save(path)
    assert main(["data", str(path)]) == OK
    said = " ".join(capsys.readouterr().out.split())
    assert said == ("PNG picture of 400 × 200 pixels, RGB with transparency. What is transparent is shown on white. It "
                    "is scaled down to 128 × 64 pixels to be fitted.")  # fmt: skip
    (tmp_path / "me.txt").write_text("x")
    assert "is of no kind that is read" in said_by(["data", str(tmp_path / "me.txt")], capsys)
    assert "There is no file" in said_by(["data", str(tmp_path / "none.png")], capsys)


def test_ctrl_c_ends_batches_side_by_side(tmp_path):
    """An earlier version waited for the running batches, which may take minutes."""
    (tmp_path / "p").mkdir()
    for i in range(40):
        Image.new("RGB", (16, 16), (i, 0, 0)).save(tmp_path / f"p/{i}.png")
    command = [sys.executable, "-m", "wsr.cli", "zoo", "build", f"images:{tmp_path / 'p'}", "--out",
               str(tmp_path / "z"), "--representation", "mlp", "--steps", "1000000", "--workers", "2"]  # fmt: skip
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    # A shell makes processes in its background ignore Ctrl-C, and their children inherit this.
    job = subprocess.Popen(command, **pipes, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    until = time.monotonic() + 60
    while not (tmp_path / "z/zoo.json").exists() and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(3)
    job.send_signal(signal.SIGINT)
    _, said = job.communicate(timeout=60)  # time for a busy machine to react; the fits themselves would take hours
    assert job.returncode == STOPPED and "Stopped." in said and "Traceback" not in said
