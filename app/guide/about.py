"""Three plain sentences about each tab, and the page's header, in which a button opens those of the tab on screen."""

import os
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

# By the tab's id: what is seen, why it matters, what to try. A tab without an entry is described by DEFAULT.
ABOUT = {
    "atlas": (
        "Each point is a small neural network whose weights draw one picture or shape: click a point to see which.",
        "Its place comes from the weights alone. Nobody said what anything is, and most like things lie together.",
        "Change the data set, colour the map by something else, or look for a class and see whether it stays together.",
    ),
    "fit": (
        "A few thousand numbers change, step by step, until a network, first an average, draws the target.",
        "These numbers, and a network that all share, are all that is kept: no pixels, so it can be drawn at any size.",
        "Press Fit, or bring a picture or a shape of your own, and then place the result on the map.",
    ),
    "connect": (
        "Each column is a way to write a picture into weights, and has done so twice; the slider leads from one result "
        "straight to the other.",
        "Where the middle falls apart, the two results say one thing in different ways; where it holds, they agree, or "
        "began almost alike.",
        "Pull α from 0 to 1 and look which pictures stay whole.",
    ),
    "symmetry": (
        "Exchange neurons, flip signs or change scales: numbers of a network change, and its picture stays the same.",
        "So one picture has many sets of weights, which makes them hard to compare, until a mask holds some still.",
        "Where a card asks, guess first: it answers with the picture itself.",
    ),
    "generate": (
        "A generator has learnt what weights look like and draws new ones out of noise: here is what they show.",
        "Beside each is the training network nearest to it, because what looks new may be a copy.",
        "Press Sample, open one of them, and compare it with its nearest network.",
    ),
    "audit": (
        "Each point is a generated network: copies lie on the left, new ones on the right, and odd ones high up.",
        "Copies and mixtures have been planted, so that you see where they land and can judge the generators by them.",
        "Click a point to see it beside the training network that it resembles most.",
    ),
    "results": (
        "These are the paper's claims beside what we measured: confirmed, refuted, open, or not comparable.",
        "One rule makes every verdict from the measurements, whether we like it or not.",
        "Click a claim to see its numbers, its interval, and the command that makes them again.",
    ),
}
DEFAULT = ("This tab is an addition to the page, and its own words say what it shows.",)
# The paper and its page are the authors'; the other documents are ours and come from this server (`pages.py`).
LINKS = (
    ("The paper", "https://arxiv.org/abs/2512.01759"),
    ("Its authors’ page, code and models", "https://inrainbws.github.io/wsr/"),
    ("Our README", "read/README.md"),
    ("Manual", "read/MANUAL.md"),
)
SPACES = "https://huggingface.co/spaces/"
_environment = Environment(autoescape=True, loader=FileSystemLoader(Path(__file__).parent))


def space() -> str:
    """Returns the address of the Space that this server is, or ""."""
    return f"{SPACES}{name}" if (name := os.environ.get("SPACE_ID")) else ""


def header(title: str, sentence: str, tabs: dict[str, str]) -> str:
    """Returns the page's header. tabs: titles by id."""
    links = [*LINKS, ("Our code", f"{space()}/tree/main")] if space() else LINKS
    words = [(tab, name, ABOUT.get(tab, DEFAULT)) for tab, name in tabs.items()]
    return _environment.get_template("header.html").render(
        title=title, sentence=sentence, words=words, links=links, space=space()
    )
