"""The header, what is said of each tab, the tour's data, and the documents that the server hands out."""

import base64
import json
from types import SimpleNamespace
from urllib.parse import parse_qsl

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app import main
from app.guide import about, pages, tour
from app.shared import library
from app.tabs.atlas import controls
from wsr.errors import WsrError


@pytest.fixture
def client():
    return TestClient(Starlette(routes=pages.routes()))


# What somebody who has never heard of weight spaces says after a tab, in one sentence: the words about the tab must
# bring them there.
EVOKES = {
    "atlas": ("Every dot is a network that draws something, and similar things lie together.", ["network", "map"]),
    "fit": ("Some numbers turned into a picture, and there are no pixels in them.", ["numbers", "pixels"]),
    "connect": ("Halfway between two networks the picture survives, or it does not.", ["straight", "middle"]),
    "symmetry": ("All the numbers changed and the picture did not.", ["numbers", "stays the same"]),
    "generate": ("These networks are new, or copies, and one can see which.", ["new", "nearest"]),
    "audit": ("On the left are copies, on the right is what is new.", ["left", "right", "copies"]),
    "results": ("They checked what the paper claims, also where it does not hold.", ["claims", "refuted"]),
}


@pytest.mark.parametrize("tab", main.TABS)
def test_three_plain_sentences_bring_a_visitor_to_what_the_tab_shows(tab):
    said, (sentence, words) = about.ABOUT[tab], EVOKES[tab]
    assert len(said) == 3 and all(one[0].isupper() and one.endswith(".") and len(one) < 160 for one in said)
    assert sentence.endswith(".") and all(word in " ".join(said) for word in words)


def test_the_header_has_all_tabs_and_a_tab_of_somebody_else_s_too(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "some/<body>")
    made = about.header("wsr", "A <sentence>.", {"atlas": "Atlas", "toy": "Toy"})
    assert about.ABOUT["atlas"][0] in made and about.DEFAULT[0] in made and made.count("<section") == 2
    assert "A &lt;sentence&gt;." in made and f"{about.SPACES}some/&lt;body&gt;/tree/main" in made
    monkeypatch.delenv("SPACE_ID")
    assert about.SPACES not in about.header("wsr", "A sentence.", {"atlas": "Atlas"})


def test_documents_are_pages_and_nothing_else_of_the_folder_is_handed_out(client):
    for _, address in about.LINKS:
        if not address.startswith("https:"):
            answer = client.get(f"/{address}")
            assert answer.status_code == 200 and "<h1>" in answer.text and "sdk_version" not in answer.text, address
    beyond = ("read/%2e%2e/README.md", "read/assets/reports/%2e%2e/%2e%2e/app/shell/pictures/icon.png")
    reports = ("claims.json", "no.png")
    others = ("read/pyproject.toml", "read/app/main.py", *(f"read/assets/reports/{name}" for name in reports))
    for name in beyond + others:
        assert client.get(f"/{name}").status_code == 404, name


def test_the_tour_is_one_network_among_all_of_a_map(assets, client):
    told = client.get("/wsr/tour.json").json()
    found = library.collection(library.collection_names()[0])
    assert len(told["dots"]) == len(found.ids) and told["label"] == found.labels[told["me"]]
    assert told["picture"].startswith("data:image/") and len(base64.b64decode(told["weights"])) == told["count"]
    assert all(0 <= x <= 1000 and 0 <= y <= 1000 and 0 <= cls < len(told["colours"]) for x, y, cls in told["dots"])
    view, item, _ = controls.linked(dict(parse_qsl(told["link"])))
    assert (view.name, item) == (found.name, found.ids[told["me"]])
    assert 0 <= told["me"] < len(told["dots"]) and len(json.dumps(told)) < 100_000


def test_without_a_map_there_is_no_tour(tmp_path, monkeypatch, client):
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    with pytest.raises(WsrError, match="no map here yet"):
        tour.told()
    assert client.get("/wsr/tour.json").status_code == 404


def test_the_tour_s_network_lies_among_its_like():
    """Most flags lie together and one lies among others: the best fit of those together is shown."""
    classes = ["flag", *"abcdefghij"] + ["flag"] * 25
    places = np.array([[9.0, 9.0], *([9.0 + i, 9.0] for i in range(1, 11)), *([0.0, 0.1 * i] for i in range(25))])
    found = SimpleNamespace(classes=classes, quality=np.arange(36.0)[::-1])
    assert tour._clearest(found, places, list(range(36))) == 11
