"""Samples of the visitor's own, judged against the zoo that their generator has learnt from: one of the page, or one
that they bring as well."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from app.shared import library, own
from app.shared.taking import SHOWN, STATE, filling, forms, left_out, taken, taken_for, told
from app.shell import compute, session, snippets, workers
from app.shell.jobs import HALT, Job, Step, over
from app.tabs.audit import handlers, run
from app.tabs.audit.handlers import AuditTab, Bringing
from wsr.errors import WsrError, counted, were
from wsr.imports.formats import ENDINGS

SECONDS = 400.0  # of reading and judging together; visitors' work takes turns, and others wait
MEMORY = 3_000 * 2**20  # bytes
MOST = 1_000  # samples


def build() -> Bringing:
    with gr.Row(equal_height=False):
        samples = gr.File(label="Samples of a generator", height=130, file_types=list(ENDINGS), min_width=240)
        training = gr.File(label="Its training zoo", height=130, file_types=list(ENDINGS), min_width=240)
    with gr.Row():
        form = gr.Dropdown(forms(), value="", label="Format", min_width=190, scale=0)
        start = gr.Button("Audit", variant="primary", min_width=120, scale=0)
        stop = gr.Button("Stop", interactive=False, min_width=120, scale=0, elem_classes=HALT)
    state = gr.HTML(elem_classes=STATE)
    gr.HTML(
        snippets.caption(
            "Are these samples new? Bring weights that a generator has made: a zoo's folder (.zip), a table of weights "
            "(.parquet), saved weights (.safetensors), or another program's networks. They are compared with the zoo "
            "of this page whose networks are of the same kind, first with the one chosen above, or with a training zoo "
            "that you bring as well, where it is not on this page. Nobody else sees them, and they are gone when you "
            "leave."
        )
    )
    return Bringing(samples, training, form, Job("judge", start, stop, state, "another audit"))


def wire(tab: AuditTab, shown: list[Any]) -> None:
    """Connects the widgets. shown: those that an audit fills."""
    own_part = tab.bringing
    asked = {tab.dataset, tab.kind, tab.mine, own_part.samples, own_part.training, own_part.form}
    changed = [own_part.samples, own_part.training, tab.mine, tab.dataset, tab.kind, *shown]
    ended = own_part.job.wire(Step(tab.bind(judge), asked, changed), queue=compute.BRING)
    ended.then(None, js=SHOWN, queue=False, **compute.PRIVATE)


def judge(tab: AuditTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    """Judges the visitor's samples and shows the audit. If that fails, the line says why, and all else stays."""
    yield from told(tab.bringing.job.state, _brought(tab, values, request))


def _brought(tab: AuditTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    part, mine = tab.bringing, list(values[tab.mine] or [])
    samples, training = values[part.samples], values[part.training] or ""
    if not samples:
        raise WsrError("Choose the samples first: a zoo's folder as a .zip, a table of weights, or saved weights.")
    name, stop = own.new_name(), partial(over, part.job.stop_file(request))
    zoos = _offered(values[tab.dataset], values[tab.kind], mine)
    known = taken(zoos[0], values[part.form], MOST), taken(zoos[0], values[part.form])
    yield {part.job.state: snippets.working(f"Reading {Path(samples).name} …", 0.0)}
    folder = session.session_dir(request) / name
    with filling(folder):
        for last in child(samples, training, folder, known, zoos, stop):
            yield {part.job.state: snippets.working(last.said, last.done)}
    for path in filter(None, (samples, training)):
        with session.DISK.reading(path):  # it is not needed any more
            pass
    against = None if training else library.zoo_dir(zoos[last.against])
    own.add(name, samples, folder, against)
    mine = own.kept(mine, name)
    choices = [*library.titles(run.names()), *own.titles(mine)]
    found = handlers.kinds(name)
    there = {
        part.job.state: snippets.settled(_said(last, training, zoos)), part.samples: None, part.training: None,
        tab.mine: mine, tab.dataset: gr.update(choices=choices, value=name),
        tab.kind: gr.update(choices=found, value=found[0][1]),
    }  # fmt: skip
    for screen in session.newest(request, handlers.shown(name, found[0][1], ""), "audit", "audit point"):
        yield there | tab.fill(screen) if screen != gr.skip() else screen


def _offered(dataset: Any, kind: Any, mine: list[str]) -> list[str]:
    """Names of the zoos that samples may be judged against, that on screen first."""
    own.require(dataset, mine)
    names = library.collection_names()
    chosen = "" if own.is_own(dataset) else library.name_of(dataset, kind)
    return [*filter(None, [chosen]), *(name for name in names if name != chosen)]


def child(
    samples: str, training: str, folder: Path, known: Any, zoos: list[str], stopped: Any
) -> Iterator[Any]:  # fmt: skip
    from app.shared.judging import judged

    offered, what = [str(library.zoo_dir(name)) for name in zoos], f"The audit of {Path(samples).name!r}"
    return workers.preparing(
        judged, samples, training, str(folder), known, offered, seconds=SECONDS, memory=MEMORY, what=what,
        stopped=stopped,
    )  # fmt: skip


def _said(last: Any, training: str, zoos: list[str]) -> str:
    zoo = Path(training).stem if training else library.collection(zoos[last.against]).title
    sentences = [f"{counted(last.judged, 'sample')} {were(last.judged)} compared with the training networks of {zoo}."]
    if last.judged < last.rows:
        sentences.append(f"There are {last.rows:,}; the first were judged.")
    sentences += [*taken_for(last.like), *left_out(last.left_out)]
    return " ".join(sentences)
