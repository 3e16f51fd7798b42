"""What tabs need to take weights that visitors bring."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr

from app.shared import library, own
from app.shell import compute, session, snippets
from wsr.errors import were
from wsr.fields.registry import named
from wsr.formats.schema import read_json
from wsr.imports.formats import MOST_ROWS
from wsr.imports.housed import Taken
from wsr.imports.registry import kinds
from wsr.isolation import Stopped

STATE = "wsr-brought"  # the class of the line that says what came of it
# For an event: shows what has come of it, which is at the top of the page, unless the line says more than that.
SHOWN = """() => {
  const line = [...document.querySelectorAll(".STATE")].find((one) => one.offsetParent);
  if (!line || line.querySelector(".wsr-failed") || /^Stopped|left out|taken for/.test(line.textContent.trim())) return;
  window.scrollTo({ top: 0, behavior: "smooth" });
}""".replace("STATE", STATE)


def forms() -> list[tuple[str, str]]:
    """The formats of another program's files, as choices."""
    return [("detected", ""), *((kind.name, kind.name) for kind in kinds())]


def taken(name: str, form: Any = "", most: int = MOST_ROWS) -> Taken:
    """What is known here of weights that a visitor brings. name: the collection on screen, to which vectors belong that
    do not say what decodes them. form: the format that the visitor has chosen, "" to find it out."""
    bases = frozenset(Path(one).stem for one in library.bases())
    like = read_json(library.zoo_dir(name) / "zoo.json", "the description of a zoo")
    known = library.collection(name)
    return Taken(bases, like, f"{known.title} in {named(known.representation).label}", str(form or ""), most)


def told(state: gr.HTML, screens: Iterator[dict[Any, Any]]) -> Iterator[dict[Any, Any]]:
    """Yields the screens of a job that makes something of what was brought. If it fails, its line says why, and all
    else stays."""
    try:
        yield from screens
    except Stopped:
        yield {state: snippets.settled("Stopped. Nothing was kept.")}
    except Exception as error:
        yield {state: snippets.failed(compute.sentence(error))}


@contextmanager
def filling(folder: Path) -> Iterator[None]:
    """Context in which a new folder is filled. It is removed if that fails."""
    try:
        folder.mkdir(mode=0o700)
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def left_out(sentences: Sequence[str]) -> list[str]:
    """What is said of instances that cannot be used, of which each has a sentence; nothing if there are none."""
    count = len(sentences)
    return [f"{count:,} {were(count)} left out. The first: {sentences[0]}"] if count else []


def taken_for(like: str) -> list[str]:
    """What is said of vectors that were taken for those of another zoo, `like`; nothing if that is ""."""
    if not like:
        return []
    return [
        f"The file does not say what decodes its weights: they were taken for weights like those of {like}. If they "
        "are others, choose above what they are like, and bring them again."
    ]


def forget(request: gr.Request) -> None:
    """Forgets what a visitor has brought who leaves."""
    own.forget_within(session.session_dir(request))
