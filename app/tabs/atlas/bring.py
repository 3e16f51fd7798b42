"""A zoo of the visitor's own: it is uploaded, read, mapped and drawn in a child process, and then shown like the zoos
of the page. Nobody else sees it, and it goes when the visitor leaves."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from app.shared import library, own
from app.shared.taking import SHOWN, STATE, filling, forms, left_out, taken, taken_for, told
from app.shell import compute, session, snippets, workers
from app.shell.jobs import HALT, Job, Step, over
from app.tabs.atlas import handlers
from app.tabs.atlas.widgets import AtlasTab, Bringing
from wsr.errors import WsrError, counted, were
from wsr.imports.formats import ENDINGS, MOST_ROWS

SECONDS = 240.0  # of reading, mapping and drawing together; visitors' work takes turns, and others wait
MEMORY = 3_000 * 2**20  # bytes


def build() -> Bringing:
    file = gr.File(label="A zoo of yours", height=130, file_types=list(ENDINGS))
    with gr.Row():
        form = gr.Dropdown(forms(), value="", label="Format", min_width=190, scale=0)
        start = gr.Button("Map it", variant="primary", min_width=120, scale=0)
        stop = gr.Button("Stop", interactive=False, min_width=120, scale=0, elem_classes=HALT)
    state = gr.HTML(elem_classes=STATE)
    most = f"{session.UPLOAD_LIMIT // 2**20} MB and {MOST_ROWS:,} networks"
    gr.HTML(
        snippets.caption(
            f"A zoo's folder as a .zip, a table with a column of weights (.parquet), saved weights (.safetensors), or "
            f"another program's networks, of at most {most}. It is mapped by its weights alone, like the zoos above. "
            "Nobody else sees it, and it is gone when you leave."
        )
    )
    return Bringing(file, form, Job("bring", start, stop, state, "another zoo"))


def wire(tab: AtlasTab, shown: list[Any]) -> None:
    """Connects the widgets. shown: those of the map and the panel that a new zoo changes."""
    mine = tab.bringing
    asked, changed = {*tab.inputs, mine.file, mine.form}, [mine.file, tab.visit, tab.dataset, *shown]
    ended = mine.job.wire(Step(tab.bind(bring), asked, changed), triggers=[mine.file.upload], queue=compute.BRING)
    ended.then(None, js=SHOWN, queue=False, **compute.PRIVATE)


def bring(tab: AtlasTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Makes a zoo of the visitor's file and shows it. If that fails, the line says why, and all else stays."""
    yield from told(tab.bringing.job.state, _brought(tab, values, request))


def _brought(tab: AtlasTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    mine, visit = tab.bringing, values[tab.visit]
    if not (path := values[mine.file]):
        raise WsrError("Choose a file first: a zoo's folder as a .zip, a table of weights, or saved weights.")
    name, stop = own.new_name(), partial(over, mine.job.stop_file(request))
    folder = session.session_dir(request) / name
    known = taken(tab.asked(values), values[mine.form])
    yield {mine.job.state: snippets.working(f"Reading {Path(path).name} …", 0.0)}
    with filling(folder):
        for last in child(path, folder, known, stop):
            yield {mine.job.state: snippets.working(last.said, last.done)}
    with session.DISK.reading(path):  # it is not needed any more
        own.add(name, path, folder)
    visit = replace(visit, own=own.kept(visit.own, name))
    choices = [*library.titles(library.collection_names()), *own.titles(visit.own)]
    there = {
        mine.job.state: snippets.settled(said(last)), mine.file: None, tab.visit: visit,
        tab.dataset: gr.update(choices=choices, value=name),
    }  # fmt: skip
    chosen = {tab.dataset: name, tab.representation: library.collection(name).representation, tab.visit: visit}
    yield from handlers.collection_shown(tab, values | chosen, request, there)


def child(path: str, folder: Path, known: Any, stopped: Any) -> Iterator[Any]:
    from app.shared.bringing import brought as made

    what = f"Reading {Path(path).name!r}"
    return workers.preparing(made, path, str(folder), known, seconds=SECONDS, memory=MEMORY, what=what, stopped=stopped)


def said(last: Any) -> str:
    """The sentence about a zoo that has been brought."""
    sentences = [f"{counted(last.rows, 'network')}, placed by nothing but {were(last.rows, 'its', 'their')} weights."]
    if last.failed:
        sentences.append(f"{counted(last.failed, 'failed fit')} {were(last.failed, 'is', 'are')} not shown.")
    sentences += [*taken_for(last.like), *left_out(last.left_out)]
    if last.pictures < last.rows:
        drawn = f"{counted(last.pictures, 'thumbnail')} {were(last.pictures, 'is', 'are')} drawn"
        sentences.append(f"{drawn}; the other networks are decoded when you open them.")
    return " ".join(sentences)
