"""What we change in gradio is still there to be changed, and still needs it."""

import asyncio

import aside
import gradio as gr
import pytest

from app.shell import gradio_patches


def looks(page, seconds=0.6):
    """How often an idle queue looks whether there is anything to do, a second."""
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
    """Where this fails, gradio has mended it: `rest` can go."""
    assert looks(small_page()) > 200


def test_rest_shortens_nothing_that_gradio_itself_knows_not():
    """gradio's own names: a new one may look elsewhere."""
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
        assert min(took) < 1  # the first loads pandas

    aside.run(press())


@pytest.mark.parametrize("later", [gr.skip(), gr.update(visible=False), "text"])
def test_gradio_asks_our_diff_what_to_send(later):
    """A stream's second value reaches the page whole: gradio's own way of sending edits loses some."""
    with gr.Blocks() as page:
        box = gr.Textbox()
        gr.Button().click(lambda: None, None, box)
    fn = page.fns[0]
    page.handle_streaming_diffs(fn, ["first"], "visitor", "run", False)
    sent = page.handle_streaming_diffs(fn, [later], "visitor", "run", False)
    assert sent == [[["replace", [], later]]]
