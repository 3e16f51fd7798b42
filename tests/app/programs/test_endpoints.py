"""A stranger's program talks to a running page, by `gradio_client` alone."""

from concurrent.futures import FIRST_EXCEPTION, wait
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from gradio_client.utils import QueueError
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import wsr
from app.programs import endpoints
from app.shell import places
from app.tabs.generate import models
from wsr.memory import MEMORY


@pytest.fixture(scope="module")
def client(served):
    address, _ = served
    return Client(address, verbose=False)


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("given") / "mine.png"
    slope = np.linspace(0, 255, 24, dtype=np.uint8)
    Image.fromarray(np.stack([np.tile(slope, (24, 1)), np.tile(slope[:, None], (1, 24)), np.full((24, 24), 99)], 2)
                    .astype(np.uint8)).save(path)  # fmt: skip
    return path


@pytest.fixture(scope="module")
def fitted(client, picture):
    return client.predict(handle_file(picture), steps=20, api_name="/fit")


def altered(path, folder, weights=None, **metadata):
    """A copy of a file of weights in which something is another."""
    with safe_open(path, "pt") as file:
        about = file.metadata() | metadata
    save_file(
        {"weights": load_file(path)["weights"] if weights is None else weights}, folder / "altered.safetensors", about
    )
    return handle_file(folder / "altered.safetensors")


@pytest.mark.parametrize(
    "mark", [{}, {"meta": {}}, {"meta": {"_type": "a file"}}, {"meta": {"_type": "gradio.FileData"}}]
)
@pytest.mark.parametrize("name", ["fit", "decode"])
def test_only_a_file_that_was_sent_is_read(client, picture, name, mark):
    """A path without the mark of a file was read wherever it led on the server, and its picture was sent back."""
    asked = next(fn for fn in client.endpoints.values() if fn.api_name == f"/{name}")
    body = {"data": [{"path": str(picture), **mark}, *[one["parameter_default"] for one in asked.parameters_info[1:]]]}
    number = httpx.post(f"{client.src}gradio_api/call/{name}", json=body).json()["event_id"]
    answer = httpx.get(f"{client.src}gradio_api/call/{name}/{number}", timeout=120).text
    assert "event: error" in answer and "complete" not in answer and ("A file is needed" in answer or mark.get("meta"))


def test_a_picture_comes_back_as_weights_and_as_what_they_decode_to(fitted):
    about, weights, decoded = fitted
    assert about["steps"] == 20 and about["unit"] == "dB" and about["quality"] > 5 and about["numbers"] > 100
    found = wsr.load_weights(weights)
    assert found.weights.shape == (1, about["numbers"]) and found.representation.name == "mlora-asym"
    with Image.open(decoded) as shown:
        assert shown.format == "PNG" and shown.size[0] == shown.size[1]


def test_weights_are_decoded_at_any_size_as_the_library_does(client, fitted):
    _, weights, _ = fitted
    with Image.open(client.predict(handle_file(weights), size=50, api_name="/decode")) as shown:
        drawn = np.asarray(shown, np.float32) / 255
    expected = wsr.load_weights(weights).render(50)[0]
    assert drawn.shape == (50, 50, 3) and np.abs(drawn - np.clip(expected, 0, 1)).max() < 2 / 255


def test_between_two_fits_are_their_weighted_means(client, fitted, tmp_path):
    _, weights, _ = fitted
    other = altered(weights, tmp_path, weights=load_file(weights)["weights"] + 0.1)
    between, decoded = client.predict(
        handle_file(weights), other, alpha=0.25, aligned=False, size=16, api_name="/interpolate"
    )
    difference = load_file(between)["weights"] - load_file(weights)["weights"]
    torch.testing.assert_close(difference, torch.full_like(difference, 0.025), rtol=0, atol=1e-5)
    with Image.open(decoded) as shown:
        assert shown.size == (16, 16)


def test_samples_come_with_their_weights_and_can_be_decoded(client):
    """The toy zoo has too few held-out fits for verdicts (`test_in_child` has enough), which is said."""
    verdicts, weights = client.predict("emoji", count=2, steps=10, api_name="/sample")
    assert wsr.load_weights(weights).ids == ["sample-0", "sample-1"]
    assert verdicts == []
    with Image.open(client.predict(handle_file(weights), index=1, size=16, api_name="/decode")) as shown:
        assert shown.size == (16, 16)
    with pytest.raises(AppError, match="held-out fits"):
        client.predict(handle_file(weights), "emoji", api_name="/audit")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ({"file": "text.txt", "api_name": "/fit"}, "text.txt"),
        ({"file": "mine.png", "steps": 10**6, "api_name": "/fit"}, "between 10 and 3000"),
        ({"file": "mine.png", "representation": "lore", "api_name": "/fit"}, "'lore'"),
        ({"weights": "mine.png", "api_name": "/decode"}, "saved weights"),
        ({"weights": "weights", "size": 4000, "api_name": "/decode"}, "between 16 and 512"),
        ({"weights": "weights", "index": 3, "api_name": "/decode"}, "no row 3"),
        ({"weights": "nan", "api_name": "/decode"}, "not finite"),
        ({"weights": "foreign", "api_name": "/decode"}, "does not have"),
        ({"weights": "weights", "data": "nowhere", "api_name": "/audit"}, "nowhere-mlora-asym"),
        ({"data": "emoji", "count": 1000, "api_name": "/sample"}, "between 1 and 16"),
        ({"data": "nowhere", "api_name": "/sample"}, "nowhere-mlora-asym"),
        ({"data": "nowhere", "api_name": "/sample"}, "data may be .*emoji"),
        ({"data": "emoji", "representation": "lore", "api_name": "/sample"}, "representation may be .*mlora-asym"),
        ({"data": "emoji", "count": 1.5, "api_name": "/sample"}, "whole number, not '1.5'"),
        ({"file": "mine.png", "steps": 20.5, "api_name": "/fit"}, "whole number, not '20.5'"),
        ({"weights": "weights", "index": None, "api_name": "/decode"}, "index must be a whole number"),
        ({"weights": "mine.png", "api_name": "/decode"}, "^'mine.png'"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_a_sentence(client, fitted, picture, tmp_path, call, says):
    text = tmp_path / "text.txt"
    text.write_text("no picture")
    one = load_file(fitted[1])["weights"]
    files = {
        "text.txt": lambda: handle_file(text),
        "mine.png": lambda: handle_file(picture),
        "weights": lambda: handle_file(fitted[1]),
        "nan": lambda: altered(fitted[1], tmp_path, weights=torch.full_like(one, torch.nan)),
        "foreign": lambda: altered(fitted[1], tmp_path, base="../../secret"),
    }
    given = {key: files[value]() if value in files else value for key, value in call.items()}
    with pytest.raises(AppError, match=says):
        client.predict(**given)


def test_a_program_with_too_many_jobs_is_told_in_a_sentence(served, picture):
    """`gradio_client` showed no more than "400 Bad Request"."""
    many = Client(served[0], verbose=False)
    jobs = [many.submit(handle_file(picture), steps=3000, api_name="/fit") for _ in range(places.JOBS + 2)]
    ended = wait([job.future for job in jobs], timeout=60, return_when=FIRST_EXCEPTION).done
    for job in jobs:
        job.cancel()
    errors = [one.exception() for one in ended if not one.cancelled() and one.exception()]
    assert errors and all(isinstance(error, QueueError) and "full" in str(error) for error in errors)


def test_a_data_set_is_called_as_the_docs_call_it(monkeypatch):
    """Only the large zoo of faces has a generator, of which programs know nothing: `data="faces"` was refused."""
    monkeypatch.setenv("WSR_ASSETS", str(Path(__file__).resolve().parents[3] / "assets"))
    MEMORY.drop()
    for data in ("faces", "shapes10"):
        assert models.checked(endpoints.learnt(data, "mlora-asym"), "mlora-asym", models.ANY, 1.0, 100, 0)
    assert endpoints.learnt("faces", "mlora-asym") == "faces-large"
    assert endpoints.learnt("shapes10", "mlora-asym") == "shapes10"
    assert endpoints.learnt("nowhere", "mlp") == "nowhere"
    MEMORY.drop()


def test_the_page_s_own_listeners_cannot_be_called(client):
    names = client.view_api(return_format="dict")["named_endpoints"]
    assert set(names) == {"/fit", "/decode", "/interpolate", "/sample", "/audit"}
    with pytest.raises(ValueError, match="pick"):
        client.predict(api_name="/pick")
