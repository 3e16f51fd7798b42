"""Places in the queue: one visitor cannot take all of them."""

import asyncio
import time

import aside
import gradio as gr
import httpx
import pytest
from starlette.requests import Request

from app.shell import compute, places


@pytest.fixture
def page():
    """A served page with one slow job and one quick function."""

    def slow():
        time.sleep(1.5)

    with gr.Blocks(analytics_enabled=False) as blocks:
        job, look = gr.Button(), gr.Button()
        job.click(slow, **compute.COMPUTE, **compute.PRIVATE)
        look.click(lambda: None, **compute.LOOK, **compute.PRIVATE)
    places.limit(blocks.queue(max_size=compute.QUEUE_SIZE, api_open=False))
    blocks.launch(prevent_thread_lock=True, quiet=True, footer_links=[])
    yield blocks
    blocks.close()


def ask(page, visitors, event=0):
    """Returns status and answer of one request for each name."""

    async def all_at_once():
        async with httpx.AsyncClient(base_url=page.local_url, timeout=60) as client:
            asked = [
                client.post("gradio_api/queue/join", json={"data": [], "fn_index": event, "session_hash": visitor})
                for visitor in visitors
            ]
            return [(one.status_code, one.json()) for one in await asyncio.gather(*asked)]

    return aside.run(all_at_once())


def test_a_visitor_has_three_jobs_and_others_find_a_place(page):
    answers = ask(page, ["greedy"] * 6)
    assert [status for status, _ in answers].count(200) == places.JOBS
    refused = [answer["detail"] for status, answer in answers if status != 200]
    assert len(refused) == 3 and all("3 jobs" in text and "\n" not in text for text in refused)
    assert ask(page, ["other"])[0][0] == 200
    assert ask(page, ["greedy"], event=1)[0][0] == 200  # a visitor who waits for a job can still use quick functions


def test_many_names_at_one_address_do_not_fill_the_queue(page):
    answers = ask(page, [f"mask{i}" for i in range(places.JOBS_OF_ADDRESS + 6)])
    taken = [status for status, _ in answers].count(200)
    # one more than may wait, where one is already running
    assert places.JOBS_OF_ADDRESS <= taken <= places.JOBS_OF_ADDRESS + 1
    assert all(answer["detail"] == places.CROWDED for status, answer in answers if status != 200)


def test_the_page_has_such_a_queue(built):
    # gradio computes statistics of these events after every answer, and nobody reads them
    assert built._queue.ANALYTICS_MAX_EVENTS <= 100
    assert built._queue.push.__wrapped__ and built._queue.max_size == compute.QUEUE_SIZE


def asked(forwarded):
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return Request({"type": "http", "headers": headers, "client": ("10.0.0.1", 1)})


@pytest.mark.parametrize(
    ("forwarded", "space", "address"),
    [
        (["1.1.1.1, 2.2.2.2"], "me/wsr", "2.2.2.2"), (["1.1.1.1", "2.2.2.2,3.3.3.3"], "me/wsr", "3.3.3.3"),
        ([], "me/wsr", "10.0.0.1"), ([" , "], "me/wsr", "10.0.0.1"), (["1.1.1.1"], "", "10.0.0.1"),
    ],
)  # fmt: skip
def test_behind_a_spaces_proxy_visitors_have_addresses_of_their_own(monkeypatch, forwarded, space, address):
    """The proxy appends the address to a header. Without a proxy anybody may send such a header, so it is not trusted.
    """
    monkeypatch.setenv("SPACE_ID", space)
    assert places._address(asked(forwarded)) == address
