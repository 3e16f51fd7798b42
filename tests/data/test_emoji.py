import json
from collections import defaultdict

import numpy as np
import pytest
from PIL import Image

from wsr.data import load_signals
from wsr.data.emoji import CLASSES, emoji_dir, family_split, fetch_emoji
from wsr.data.emoji_names import family
from wsr.errors import WsrError


@pytest.fixture
def few(tmp_path, monkeypatch):
    """A cache of a few made-up pictures under real names."""
    monkeypatch.setenv("WSR_CACHE", str(tmp_path))
    folder = emoji_dir()
    folder.mkdir()
    stems = ["1f600", "1f44b", "1f44b-1f3fb", "1f44b-1f3ff", "1f1f8-1f1fe", "2764-fe0f"]
    for i, stem in enumerate(stems):
        Image.new("RGBA", (40, 40 - 4 * (i == 0)), (10 * i, 0, 0, 0 if i == 1 else 255)).save(folder / f"{stem}.webp")
    groups = {"1f600": "Smileys & Emotion", "1f44b": "People & Body", "1f1f8-1f1fe": "Flags", "2764": "Symbols"}
    (folder / "groups.json").write_text(json.dumps(groups))
    return stems


def test_a_folder_with_the_files_of_both_packages_needs_no_npm(tmp_path, monkeypatch):
    """The table of groups was fetched nevertheless, and the message said to give the folder."""
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")
    folder = tmp_path / "files"
    folder.mkdir()
    Image.new("RGBA", (8, 8)).save(folder / "1f600.webp")
    with pytest.raises(WsrError, match="npm is not installed.*data-by-emoji.json of unicode-emoji-json"):
        fetch_emoji(folder)
    (folder / "data-by-emoji.json").write_text(json.dumps({"😀": {"group": "Smileys & Emotion"}}))
    assert json.loads((fetch_emoji(folder) / "groups.json").read_text()) == {"1f600": "Smileys & Emotion"}


def test_skin_tones_are_one_family_and_one_split():
    assert family("1f44b-1f3fb") == family("1f44b") == "1f44b"
    assert family("2764-fe0f") == "2764"
    splits = defaultdict(set)
    for tone in ("", "-1f3fb", "-1f3fc", "-1f3fd"):
        for point in range(0x1F600, 0x1F640):
            splits[point].add(family_split(family(f"{point:x}{tone}")))
    assert all(len(found) == 1 for found in splits.values())
    share = np.mean([found == {"heldout"} for found in splits.values()])
    assert 0.02 < share < 0.35


def test_names_classes_and_pictures(few):
    signals = load_signals("emoji")
    assert signals.ids == sorted(few)
    assert dict(zip(signals.ids, signals.classes, strict=True))["1f44b-1f3fb"] == "people"
    image = load_signals("emoji", ["1f44b"])[0].read()
    assert image.shape == (128, 128, 3) and (image == 1).all()  # transparent is white
    # a picture that is not square is padded with white
    assert load_signals("emoji", ["1f600"])[0].read().shape == (128, 128, 3)


def test_subsets_by_class(few):
    assert load_signals("emoji/people").ids == ["1f44b", "1f44b-1f3fb", "1f44b-1f3ff"]
    assert set(load_signals("emoji").classes) <= set(CLASSES)
    with pytest.raises(WsrError, match="people"):
        load_signals("emoji/peeple")


def test_an_unknown_id_names_the_nearest(few):
    with pytest.raises(WsrError, match="1f600"):
        load_signals("emoji", ["1f60"])


def test_without_pictures_it_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_CACHE", str(tmp_path))
    with pytest.raises(WsrError, match="wsr data emoji"):
        load_signals("emoji")
    with pytest.raises(WsrError, match="shapes10"):
        load_signals("shapes1O")
