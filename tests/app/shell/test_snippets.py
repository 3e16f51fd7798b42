"""Pieces of HTML: each term is explained once, and text from outside is always escaped."""

import re

import numpy as np

from app.shell import snippets


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
