"""The glossary: a plain sentence for every term, and the page's script gets all of them."""

import json
import re

import pytest

from app.shell import glossary, head, snippets
from wsr.data import registry

EVERYTHING = glossary.NAMES | glossary.MATRICES | glossary.TERMS


ASKED_FOR = ("MLP", "LoRA", "mLoRA", "Asym", "UMAP", "α", "λ", "σ", "GL(r)", "ARI", "logit", "A", "Bᵀ")


@pytest.mark.parametrize("term", ASKED_FOR)
def test_the_terms_of_the_page_are_explained(term):
    assert 30 < len(EVERYTHING[term]) < 160


def test_a_data_set_is_told_from_the_larger_one_of_the_same_kind():
    """The page has Faces and All faces side by side."""
    for dataset in (registry.find("faces")[0], registry.find("shapes10")[0]):
        usual, larger = dataset.titles().values()
        assert f"than in the set {usual}," in glossary.TERMS[larger]


def test_each_term_has_one_plain_sentence():
    for term, said in EVERYTHING.items():
        assert not said.endswith((".", " ")) and ". " not in said, term  # the page puts the full stop
        assert not re.search(r"[<>\"]", said) and term.lower() not in said.lower().split()[:3], term


def test_the_script_in_the_head_has_all_terms_and_cannot_be_ended_by_them():
    script = glossary.script()
    assert script in head.SCRIPTS and "</" not in script
    data = json.loads(script[script.rindex('({"terms"') + 1 : -2])
    assert data == {"terms": glossary.NAMES | glossary.TERMS, "matrices": glossary.MATRICES}


def test_captions_mark_terms_and_leave_names_to_the_script():
    said = snippets.caption("UMAP of mLoRA-Asym, σ 0.1")
    assert re.findall("<abbr[^>]*>([^<]*)</abbr>", said) == ["UMAP", "σ"] and "mLoRA-Asym" in said
