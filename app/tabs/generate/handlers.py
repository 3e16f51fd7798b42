"""Handlers of the Generate tab."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.shared import library
from app.shared.palette import NAMES
from app.shell import compute, session, snippets
from app.shell.jobs import said_in_line
from app.tabs.generate import drawn, models, run
from app.tabs.generate.models import ANY, BASELINE, PLAIN, Asked, Sampled, are_stored, awaits_verdicts
from app.tabs.generate.open_sample import NONE_OPEN, closed, large, number
from app.tabs.generate.widgets import GenerateTab
from wsr.errors import WsrError
from wsr.generators.registry import named

STEPS = 50  # that visitors begin with
ON_THEIR_WAY = "New samples are on their way: one opens here as soon as they have come."
_warming: set[tuple[str, str]] = set()  # collections and generators that are being made ready


def kinds_of(dataset: str) -> list[tuple[str, str]]:
    found = [library.collection(name) for name in models.models()]
    return [(NAMES[one.representation], one.representation) for one in found if one.dataset == dataset]


def generators_of(name: str) -> list[tuple[str, str]]:
    """Returns a collection's generators as choices of a widget."""
    return [(f"{kind.title} (baseline)" if kind.role == BASELINE else kind.title, kind.name)
            for kind in models.generators(name)]  # fmt: skip


def _offered(tab: GenerateTab, asked: Asked) -> dict[Any, Any]:
    """Returns the generators and classes to choose from, with the chosen ones, and what else this generator heeds: only
    one that knows classes has a guidance, and not all make a sample in steps."""
    classes = [ANY, *models.classes_of(asked.name, asked.by)]
    return {
        tab.by: gr.update(choices=generators_of(asked.name), value=asked.by),
        tab.cls: gr.update(choices=classes, value=asked.cls or ANY, visible=len(classes) > 1),
        tab.guidance: gr.update(interactive=len(classes) > 1),
        tab.steps: gr.update(interactive=named(asked.by).in_steps),
    }


def restore(tab: GenerateTab, given: dict[str, str]) -> dict[Any, Any]:
    """Returns the values of the widgets for a link. WsrError for a value that does not exist."""
    first = library.collection(models.models()[0])
    dataset, kind = given.get("data", first.dataset), given.get("kind", first.representation)
    values = [float(given.get(name, value)) for name, value in (("guidance", PLAIN), ("steps", STEPS), ("seed", 0))]
    asked = models.checked(dataset, kind, given.get("class", ANY), *values, given.get("by", ""))
    picked = given.get("sample", "")
    if picked and not (picked.isdecimal() and int(picked) < models.COUNT):
        raise WsrError(f"Samples of a link are numbered 0 to {models.COUNT - 1}, not {picked[:20]!r}.")
    stored = models.alike(asked, models.kept(asked.name, asked.by))
    offered = _offered(tab, asked)
    return tab.said(None if stored else asked) | offered | {
        tab.dataset: dataset,
        tab.kind: gr.update(choices=kinds_of(dataset), value=kind),
        tab.guidance: offered[tab.guidance] | {"value": asked.guidance},
        tab.steps: offered[tab.steps] | {"value": asked.steps},
        tab.seed: asked.seed,
        tab.picked: picked,
        # other samples than those that are kept have to be drawn first: a change of this does it
        tab.linked: "" if stored else f"{asked}",
        tab.sampled: None,
    }


@compute.guarded
def change_dataset(tab: GenerateTab, dataset: str, request: gr.Request) -> dict[Any, Any]:
    """Offers what there is of another data set."""
    left, kinds = _left_behind(tab, request), kinds_of(dataset)
    if not kinds:
        raise WsrError(f"There is no model of {dataset!r} here.")
    asked = models.checked(dataset, kinds[0][1], ANY, PLAIN, STEPS, 0)
    return {tab.kind: gr.update(choices=kinds, value=kinds[0][1])} | _offered(tab, asked) | tab.said(None) | left


@compute.guarded
def change_kind(tab: GenerateTab, dataset: str, kind: str, request: gr.Request) -> dict[Any, Any]:
    left = _left_behind(tab, request)
    return _offered(tab, models.checked(dataset, kind, ANY, PLAIN, STEPS, 0)) | tab.said(None) | left


@compute.guarded
def change_generator(tab: GenerateTab, dataset: str, kind: str, by: str, request: gr.Request) -> dict[Any, Any]:
    left = _left_behind(tab, request)
    return _offered(tab, models.checked(dataset, kind, ANY, PLAIN, STEPS, 0, by)) | tab.said(None) | left


def _left_behind(tab: GenerateTab, request: gr.Request) -> dict[Any, Any]:
    """Ends samples that are being drawn: they would go on appearing under the name of what is chosen now. Those that
    are kept of it take their place, also where they come from the same generator as the last ones."""
    if not tab.job.end(request):
        return {}
    return {tab.state: snippets.working("Drawing the samples …"), tab.sampled: None}


@compute.guarded
def opened(
    tab: GenerateTab, dataset: str, kind: str, by: str, sampled: Sampled | None, request: gr.Request
) -> Iterator[dict[Any, Any]]:
    """Shows the stored samples when the tab or another generator is opened. A visitor's own samples stay, and those
    that are being drawn come first. There is always one answer, because gradio empties the outputs of a handler that
    yields none."""
    asked = models.checked(dataset, kind, ANY, PLAIN, STEPS, 0, by)
    if not _are_of(sampled, asked) or awaits_verdicts(sampled):
        yield from session.newest(request, _kept(tab, asked, request), "samples")
    else:
        yield gr.skip() if are_stored(sampled) else tab.said(sampled.asked)


def _are_of(sampled: Sampled | None, asked: Asked) -> bool:
    """Returns whether samples come from the same generator."""
    return sampled is not None and (sampled.asked.name, sampled.asked.by) == (asked.name, asked.by)


@compute.guarded
def ended(
    tab: GenerateTab, dataset: str, kind: str, by: str, sampled: Sampled | None, said: str, request: gr.Request
) -> Iterator[dict[Any, Any]]:
    """Shows what `opened` does after samples have been drawn, because another generator may have been chosen meanwhile.
    said: the tab's line. What it says of a failure stays, unless it is about another generator."""
    asked = models.checked(dataset, kind, ANY, PLAIN, STEPS, 0, by)
    stays = snippets.tells_of_failure(said) and (sampled is None or _are_of(sampled, asked))
    for shown in opened(tab, dataset, kind, by, sampled, request):
        yield {widget: value for widget, value in shown.items() if not stays or widget is not tab.state}


def _kept(tab: GenerateTab, asked: Asked, request: gr.Request) -> Iterator[dict[Any, Any]]:
    for screen in run.opening(asked.name, asked.by):
        if tab.job.is_going_on(request):
            yield gr.skip()
            return
        yield _filled(tab, screen) | ({} if screen.sampled else {tab.sampled: None} | closed(tab, NONE_OPEN))


def _filled(tab: GenerateTab, screen: run.Screen) -> dict[Any, Any]:
    """Returns what a screen changes. New pictures end the waiting, and new samples are told in the address."""
    shown = tab.fill(screen)
    if screen.items is not None:
        shown[tab.items] = gr.update(value=screen.items, stale=False)
    if screen.sampled is not None:
        shown |= tab.said(_asked(screen.sampled))
    return shown


def prepare(tab: GenerateTab, values: dict[Any, Any], request: gr.Request) -> dict[Any, Any]:
    """Answers a press on Sample or on a class. What was said of the samples on screen goes at once. If the settings are
    theirs, the seed changes, so that new samples come. A class that is chosen meanwhile ends the running job. The
    samples that a link asks for are drawn with its own seed: the page may not yet hold the link's generator."""
    tab.job.end(request)
    begun, sampled = tab.job.prepare(request) | _left(tab), values[tab.sampled]
    with contextlib.suppress(WsrError):  # `sample` says what is wrong
        asked, linked = tab.checked(values), sampled is None and values[tab.linked]
        if not linked and models.alike(asked, sampled.asked if sampled else models.kept(asked.name, asked.by)):
            begun[tab.seed] = (asked.seed + 1) % (models.SEEDS[1] + 1)
    return begun


def _left(tab: GenerateTab) -> dict[Any, Any]:
    """Takes the verdicts, and the opened sample, from the screen."""
    return closed(tab, ON_THEIR_WAY) | {tab.items: gr.update(stale=True)}


def finish(tab: GenerateTab, request: gr.Request) -> dict[Any, Any]:
    return tab.job.finish(request) | {tab.items: gr.update(stale=False)}


def refused(tab: GenerateTab, sampled: Sampled | None, picked: str, request: gr.Request) -> dict[Any, Any]:
    """Shows the samples of before again where there was no room for others: they are no older than they were."""
    told = tab.job.refused(request) | {tab.items: gr.update(stale=False)}
    if sampled is None:
        return told
    return tab.fill(large(sampled, number(sampled, picked or "0"), request)) | told | tab.said(_asked(sampled))


def _asked(sampled: Sampled) -> Asked | None:
    """What the address tells of samples: nothing of those that are stored."""
    return None if are_stored(sampled) else sampled.asked


@compute.guarded
def draw(tab: GenerateTab, sampled: Sampled | None, request: gr.Request) -> dict[Any, Any]:
    """Draws the samples of the grid for a browser that cannot."""
    if sampled is None or tab.job.is_going_on(request):  # it asks again once they are there
        return gr.skip()
    shown = drawn.decoded_items(sampled.asked.name, sampled.weights)
    return {tab.items: gr.update(value=drawn.noted(shown, sampled))}


@said_in_line
def sample(tab: GenerateTab, values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
    for screen in run.run(tab.checked(values), tab.job.stop_file(request)):
        yield _filled(tab, screen)


@compute.guarded
def warm(dataset: str, kind: str, by: str) -> None:
    """Prepares a generator on a thread of its own: it may wait a minute for its turn, and handlers that show something
    must not."""
    asked = models.checked(dataset, kind, ANY, PLAIN, STEPS, 0, by)
    which = asked.name, asked.by
    if which not in _warming:
        _warming.add(which)
        threading.Thread(target=_warm, args=which, name="wsr-warm", daemon=True).start()


def _warm(name: str, by: str) -> None:
    try:
        run.warm(name, by)
    except Exception as error:  # nobody asked for it: a press of Sample says what is wrong
        compute.log.warning("%s of %s is not ready: %s", by, name, error)
    finally:
        _warming.discard((name, by))
