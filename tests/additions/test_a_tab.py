"""The fifth of the seven additions, a tab: one file with a `Tab`, and its place in the list. Here it is this file."""

import time
from dataclasses import dataclass

import aside
import gradio as gr
import pytest

from app import main
from app.shell import compute
from app.shell.address import Part
from app.shell.tabs import Built, Place, Tab, Widgets
from precompute.visitors_page import Page, Refused, Visitor
from wsr.errors import WsrError


@dataclass
class ToyTab(Widgets):
    number: gr.Number
    button: gr.Button
    square: gr.HTML
    greeting: gr.HTML


@dataclass
class Screen:
    square: str | None = None
    number: int | None = None


left = []  # visitors who have left the page


@compute.guarded
def press(tab: ToyTab, number: float, request: gr.Request):
    if number < 0:
        raise WsrError(f"The number must be 0 or more, not {number}.")
    return tab.fill(Screen(square=f"{number**2:g}"))


def restore(tab: ToyTab, given):
    return tab.fill(Screen(number=int(given["n"])))


def forget(request: gr.Request):
    left.append(request.session_hash)


def build(place: Place) -> Built:
    tab = ToyTab(gr.Number(3), gr.Button("Square"), gr.HTML(), gr.HTML())
    tab.button.click(tab.bind(press), tab.number, tab.square, **compute.LOOK, **compute.PRIVATE)
    link = Part("toy", place.view, {"n": tab.number}, tab.bind(restore))
    return Built(link=link, loads=[(lambda: "Hello.", tab.greeting)], forget=forget)


TOY = Tab("toy", "Toy", build)


@pytest.fixture
def page(tmp_path, monkeypatch):
    """The served page with the toy tab after the others, without assets, so that it starts quickly."""
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    blocks = main.build_app([*main.all_tabs(), TOY])
    blocks.launch(prevent_thread_lock=True, quiet=True, footer_links=[])
    yield Page.of(blocks.local_url)
    blocks.close()


def test_a_tab_of_one_file_is_built_answers_and_follows_a_link(page):
    assert [one["props"]["label"] for one in page.widgets.values() if one["type"] == "tabitem"][-1] == "Toy"
    button = page.widget(value="Square", name="button")
    (press,) = page.on(button, "click")
    (number,), (square,) = press["inputs"], press["outputs"]
    read = next(one for one in page.loads() if not one["queue"])

    async def visit():
        async with Visitor(page, "toy visitor") as visitor:
            await visitor.open()
            assert "Hello." in visitor.values.values()  # the value that the tab has asked for
            await visitor.do(press)
            assert visitor.values[square] == "9"
            visitor.values[read["inputs"][0]] = "?tab=toy&n=7"
            await visitor.do(read)
            assert visitor.values[number] == 7
            await visitor.do(press)
            assert visitor.values[square] == "49"
            visitor.values[number] = -1
            with pytest.raises(Refused, match="must be 0 or more, not -1"):
                await visitor.do(press)

    left.clear()
    aside.run(visit())
    until = time.monotonic() + 20
    while not left and time.monotonic() < until:
        time.sleep(0.05)
    assert left == ["toy visitor"], "and it hears of a visitor who leaves"
