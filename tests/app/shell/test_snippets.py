"""Pieces of HTML: each term is explained once, and text from outside is always escaped."""

import re

import numpy as np

from app.shell import snippets

WHOLE = (30, 20, 15, 10, 9, 6, 5, 3, 2)


def test_terms_are_explained_whole_and_once():
    said = snippets.caption("The mask of MLP-Asym: unmasked <b>IoU</b>, held out, GL(r).")
    terms = re.findall(r'<abbr title="([^"<>]*)">([^<]*)</abbr>', said)
    assert [term for _, term in terms] == ["mask", "IoU", "held out", "GL(r)"]  # "mask" is not found within "unmasked"
    assert "&lt;b&gt;" in said and all(snippets.TERMS[term] for _, term in terms)
    assert said.count("<abbr") == len(terms)  # explanations do not contain explained terms in turn


def test_a_notice_can_be_closed_without_a_script():
    said = snippets.notice("<img src=x>")
    assert "<img" not in said and '<form method="dialog"><button>' in said and said.startswith("<dialog open")


def test_frames_stand_where_pictures_will_be():
    waiting, drawn = snippets.being_drawn(["a", "b"]), snippets.pictures([("a", np.ones((2, 2, 3)))])
    assert waiting.count("<figure>") == 2 == waiting.count("Decoding …") and drawn.count("<figure>") == 1


def test_shares_are_told_whole_and_none_is_nothing():
    """Those after the sixth were left out, so that the rest seemed to be all; one network of 214 was 0%."""
    few = snippets.shares("214 networks", [("sofa", 0.75, "red"), ("lamp", 0.2454, "blue"), ("car", 0.0046, "grey")])
    assert ">sofa 75% · lamp 25% · car under 1%<" in few
    many = snippets.shares(
        "100 networks", [(name, share / 100, "red") for name, share in zip("abcdefghi", WHOLE, strict=True)]
    )
    assert ">a 30% · b 20% · c 15% · d 10% · e 9% · f 6% · 3 others 10%<" in many
