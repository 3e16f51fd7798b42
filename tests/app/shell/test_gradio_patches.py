"""The parts of gradio that we patch still exist, are unchanged, and still need the patch."""

import asyncio
import hashlib
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import aside
import gradio as gr
import pytest

from app.shell import gradio_patches

# What each patch changes in gradio or relies on, and the digest of its source where the patch was last tried.
PATCHED = {
    "gradio.component_meta:create_or_modify_pyi": ("write_no_stubs", "b40501ddad1680d0"),
    "gradio.utils:diff": ("whole", "06eace6b99ed23a3"),
    "gradio.blocks:Blocks.handle_streaming_diffs": ("send_values_whole", "6023f1a42fe834a4"),
    "gradio.queueing:Queue.start_processing": ("rest", "d65be5a5cbed97d7"),
    "gradio.queueing:Queue.start_progress_updates": ("rest", "7cbbec1cf932324c"),
    "gradio.blocks:BlocksConfig.get_config": ("first_listener", "6a2f81f0fda86780"),
    "gradio.block_function:BlockFunction.get_config": ("hear_choices", "ff0e57e533e51941"),
    "gradio.blocks:BlocksConfig.set_event_trigger": ("hear_last_choice", "5306930a389ee6cb"),
    "gradio.queueing:Queue.push": ("refuse_first", "c7b4091f41b8f075"),
}


@pytest.mark.parametrize("where", PATCHED)
def test_gradio_is_as_it_was_when_we_changed_it(where):
    """If this fails, read the new code in gradio, check whether the patch still fits and is still needed, and update
    the digest."""
    module, _, path = where.partition(":")
    thing = importlib.import_module(module)
    if where == "gradio.utils:diff":  # the patch has already replaced it
        lines = inspect.getsource(thing).splitlines(keepends=True)
        begin = next(i for i, line in enumerate(lines) if line.startswith("def diff("))
        source = "".join(inspect.getblock(lines[begin:]))
    else:
        for part in path.split("."):
            thing = getattr(thing, part)
        source = inspect.getsource(thing)
    patch, digest = PATCHED[where]
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == digest, f"gradio {gr.__version__}: see {patch}"


def test_each_patch_says_what_it_changes():
    patches = {name for name, _ in inspect.getmembers(gradio_patches, inspect.isfunction)}
    assert patches == {patch for patch, _ in PATCHED.values()}


COMPONENT = """
import gradio
class Mine(gradio.HTML):
    EVENTS = ["pick"]
"""


@pytest.mark.parametrize("before", ["import app\n", ""])
def test_gradio_writes_no_stub_beside_a_component_and_would_without_us(before, tmp_path):
    (tmp_path / "mine.py").write_text(before + COMPONENT)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import mine"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine.pyi").exists() == (not before)


def looks(page, seconds=0.6):
    """Counts how often per second an idle queue checks whether there is anything to do."""
    found, sleep = [], asyncio.sleep

    async def counted(delay, *rest):
        found.append(delay)
        await sleep(delay, *rest)

    async def idle():
        asyncio.sleep = counted
        try:
            page._queue.start()
            await sleep(seconds)
        finally:
            page._queue.close()
            asyncio.sleep = sleep
            await sleep(0.3)

    aside.run(idle())
    return len(found) / seconds


def small_page():
    with gr.Blocks() as page:
        gr.Button().click(lambda: None)
    return page.queue()


def test_a_queue_with_nobody_there_rests():
    assert looks(gradio_patches.rest(small_page())) < 80


def test_gradios_own_queue_still_needs_it():
    """If this fails, gradio has fixed the problem and `rest` can be removed."""
    assert looks(small_page()) > 200


def test_rest_shortens_nothing_that_gradio_itself_knows_not():
    """The patch relies on gradio's own names; with a new name, gradio may read another attribute."""
    queue = small_page()._queue
    assert queue.sleep_when_free < gradio_patches.LOOK_AT_QUEUE
    assert queue.progress_update_sleep_when_free < gradio_patches.LOOK_AT_PROGRESS


def test_a_press_is_still_answered_at_once():
    with gr.Blocks() as page:
        box = gr.Textbox()
        gr.Button().click(lambda: "here", None, box, api_name="press")
    gradio_patches.rest(page.queue())

    async def press():
        import httpx

        async with httpx.AsyncClient(transport=httpx.ASGITransport(page.app), base_url="http://test") as client:
            page.run_startup_events()
            body = {"data": [], "fn_index": 0, "session_hash": "visitor"}
            took = []
            for _ in range(4):
                begun = asyncio.get_running_loop().time()
                assert (await client.post("/gradio_api/queue/join", json=body)).status_code == 200
                answer = await client.get("/gradio_api/queue/data", params={"session_hash": "visitor"})
                took.append(asyncio.get_running_loop().time() - begun)
                assert "here" in answer.text
            page._queue.close()
            await asyncio.sleep(0.3)
        assert min(took) < 1  # the first request takes longer, because it imports pandas

    aside.run(press())


@pytest.mark.parametrize("later", [gr.skip(), gr.update(visible=False), "text"])
def test_gradio_asks_our_diff_what_to_send(later):
    """The second value of a stream reaches the page as a whole, because gradio's own way of sending edits loses some.
    """
    with gr.Blocks() as page:
        box = gr.Textbox()
        gr.Button().click(lambda: None, None, box)
    fn = page.fns[0]
    page.handle_streaming_diffs(fn, ["first"], "visitor", "run", False)
    sent = page.handle_streaming_diffs(fn, [later], "visitor", "run", False)
    assert sent == [[["replace", [], later]]]


def test_a_queue_asks_us_before_it_takes_an_event():
    """tests/app/shell/test_places.py checks the same on a served page."""
    page, asked = small_page(), []
    gradio_patches.refuse_first(page, lambda *what: asked.append(what) or "Not now.")
    answer = aside.run(page._queue.push(body="body", request="request", username=None))
    assert answer == (False, "Not now.", "error") and asked == [(page._queue, "body", "request")]


def test_a_dropdown_s_input_is_heard_as_a_choice():
    """tests/browser/test_access_page.py tries it."""
    with gr.Blocks() as page:
        one, several, box = gr.Dropdown(["a", "b"]), gr.Dropdown(["a"], multiselect=True), gr.Textbox()
        for widget in (one, several, box):
            widget.input(lambda: None)
        gradio_patches.hear_choices(page)
    (hidden,) = (block for block in page.blocks.values() if isinstance(block, gr.Textbox) and block is not box)
    targets = [fn.targets for fn in page.fns.values()]
    assert targets[:3] == [[(hidden._id, "change")], [(several._id, "input")], [(box._id, "input")]]
    assert targets[3:] == [[(one._id, "focus")], [(one._id, "input")]]


def test_a_choice_counts_before_the_one_before_is_answered():
    """A press of a button that has not been answered still begins nothing a second time."""

    def told(event: gr.EventData):
        return event.target

    with gr.Blocks() as page:
        radio, button, strip = gr.Radio(["a", "b"]), gr.Button(), gr.Textbox()
        radio.input(lambda: None).then(lambda: None)
        strip.change(told, trigger_mode="once")
        button.click(lambda: None).then(lambda: None)
        gr.on([button.click, radio.input], lambda: None)
        gradio_patches.hear_last_choice(page)
    modes = [fn.trigger_mode for fn in page.fns.values()]
    assert modes == ["always_last", "always_last", "multiple", "once", "once", "once"]


def test_gradio_still_drops_such_a_choice():
    """If this fails, see whether `hear_last_choice` can be removed."""
    with gr.Blocks() as page:
        gr.Radio(["a", "b"]).input(lambda: None)
    assert [fn.trigger_mode for fn in page.fns.values()] == ["once"]


def test_gradio_still_reports_an_input_when_a_dropdown_is_left():
    """If this fails, see whether `hear_choices` can be removed."""
    scripts = (Path(gr.__file__).parent / "templates/frontend/assets").glob("Index-*.js")
    assert any("on_blur?.(),o.on_input?.()" in script.read_text() for script in scripts)


def test_gradios_clocks_are_still_what_the_page_takes_for_them():
    """`clocks.js` knows them by their text. If this fails, see whether a page at rest still asks for frames."""
    (tracker,) = (Path(gr.__file__).parent / "templates/frontend/assets").glob("statustracker-*.js")
    clocks = re.findall(r"\((\(\)=>\{[^{}]*performance\.now\(\)-[^{}]*/1e3\)[^{}]*\})\)", tracker.read_text())
    assert [len(text) < 100 for text in clocks] == [True]
