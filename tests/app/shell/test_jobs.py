"""A job on the page: its buttons, its turn in the queue, stopping it, and what is shown about it."""

import html
import threading
import time
from types import SimpleNamespace

import gradio as gr
import pytest

from app.shell import compute, jobs, session
from app.shell.tabs import Widgets
from wsr.errors import WsrError

ANN, BEN, CAT = (SimpleNamespace(session_hash=f"{name} of jobs") for name in ("ann", "ben", "cat"))


@pytest.fixture
def job():
    return jobs.Job("test", "start", "halt", "state", "another test", "withdrawn")


def test_a_press_answers_at_once_and_the_end_gives_the_buttons_back(job):
    assert not job.is_going_on(ANN)
    pressed = job.prepare(ANN)
    assert "Waiting for the machine" in pressed["state"] and job.is_going_on(ANN) and not job.is_going_on(BEN)
    assert not pressed["start"]["interactive"] and pressed["halt"]["interactive"]
    ended = job.finish(ANN)
    assert ended["start"]["interactive"] and not ended["halt"]["interactive"] and not job.is_going_on(ANN)


def test_a_stop_is_one_visitors_and_ends_with_the_next_press(job):
    job.stop(ANN)
    assert job.stop_file(ANN).exists() and not job.stop_file(BEN).exists()
    job.prepare(ANN)
    assert not job.stop_file(ANN).exists()


def test_a_stop_takes_a_job_out_of_the_queue_and_leaves_one_that_has_begun_to_itself(job):
    job.prepare(ANN)
    told = job.stop(ANN)
    assert "still waiting for its turn" in told["state"] and told["withdrawn"]
    assert told["start"]["interactive"] and not told["halt"]["interactive"] and not job.is_going_on(ANN)
    assert "state" not in job.refused(ANN)  # which gradio calls then as well, and would replace what was said
    assert job.stop(ANN) == gr.skip()  # there is no job any more

    def run(request):
        yield "its answer"

    job.prepare(ANN)
    begun = job._marked(run)(ANN)
    assert next(begun) == "its answer"
    assert job.stop(ANN) == gr.skip() and job.stop_file(ANN).exists() and job.is_going_on(ANN)


def test_ending_a_job_waits_until_it_has_sent_its_last_message(job):
    assert not job.end(CAT) and not job.stop_file(CAT).exists()  # no job is running
    job.prepare(CAT)
    said = []

    def work():
        while not job.stop_file(CAT).exists():
            time.sleep(0.01)
        said.append("last words")
        job.finish(CAT)

    thread = threading.Thread(target=work)
    thread.start()
    assert job.end(CAT)
    said.append("next")
    thread.join()
    assert said == ["last words", "next"] and not job.is_going_on(CAT)


def test_a_job_that_is_left_says_nothing_more_and_one_that_is_stopped_does(job, monkeypatch):
    """A machine that is busy takes longer to end a job than is waited for. Samples of a data set that had been left
    then appeared under the next one's name."""
    monkeypatch.setattr(jobs, "COURTESY", 0.0)

    def run(request):
        yield from ("on the way", "at the end")

    for leave, last in ((job.end, gr.skip()), (job.stop, "at the end")):
        job.prepare(CAT)
        running = job._marked(run)(CAT)
        assert next(running) == "on the way"
        leave(CAT)
        assert list(running) == [last]
    job.prepare(CAT)
    assert list(job._marked(run)(CAT)) == ["on the way", "at the end"]


def test_a_job_whose_turn_has_not_come_is_not_waited_for(job, monkeypatch):
    monkeypatch.setattr(jobs, "COURTESY", 0.1)
    job.prepare(CAT)
    began = time.monotonic()
    assert job.end(CAT) and job.is_going_on(CAT) and job.stop_file(CAT).exists()
    assert time.monotonic() - began < 5


def test_a_refusal_is_a_sentence_and_leaves_the_buttons_as_before(job):
    job.prepare(ANN)
    told = job.refused(ANN)
    assert "no room for another test at the moment. Please try again" in told["state"] and "failed" in told["state"]
    assert told["start"]["interactive"] and not job.is_going_on(ANN)


def test_what_goes_wrong_is_said_in_the_line(job):
    @jobs.said_in_line
    def run(tab, error):
        yield {"chart": 1}
        raise error

    tab = SimpleNamespace(job=job)
    first, last = run(tab, WsrError("It is too large."))
    assert first == {"chart": 1} and "It is too large." in last["state"]
    _, last = run(tab, ZeroDivisionError("secret"))
    assert compute.UNEXPECTED in html.unescape(last["state"]) and "secret" not in last["state"]


def test_a_visitor_who_has_left_is_told_nothing(job, caplog):
    """Their folder is gone, and what the job wanted to put there has no place."""

    @jobs.said_in_line
    def run(tab, request):
        folder = session.session_dir(request)
        session.forget(request)
        yield {"chart": 1}
        (folder / "surface.glb").write_bytes(b"")

    assert list(run(SimpleNamespace(job=job), ANN)) == [{"chart": 1}] and not caplog.records


def test_its_events_are_a_press_the_work_in_its_turn_and_an_end(job):
    class Tab(Widgets):
        def __init__(self):
            self.box, self.more = gr.Textbox(), gr.HTML()
            self.job = jobs.Job("wired", gr.Button(), gr.Button(), gr.HTML(), "another")

    @jobs.said_in_line
    def work(tab: Tab, text: str, request: gr.Request):
        yield {tab.more: text}

    with gr.Blocks() as page:
        tab = Tab()
        tab.job.wire(jobs.Step(tab.bind(work), tab.box, [tab.more]))
    names = {fn.api_name: fn for fn in page.fns.values()}
    assert {"prepare", "work", "finish", "refused", "stop"} <= set(names)
    assert not names["prepare"].queue and names["work"].concurrency_id == compute.COMPUTE["concurrency_id"]
    assert names["work"].outputs == [tab.job.state, tab.more] and names["work"].inputs == [tab.box]
    assert names["prepare"].outputs == tab.job.widgets
    stopping = next(fn for fn in page.fns.values() if fn.js)
    assert "Stopping" in stopping.js and stopping.outputs == [tab.job.state] and stopping.fn is None
    assert names["stop"].outputs[:3] == tab.job.widgets
    cancelled = {index for fn in page.fns.values() for index in fn.cancels}
    assert cancelled == {names["work"]._id}


def test_what_is_drawn_on_the_way_is_drawn_at_its_pace():
    pace = jobs.Pace(0.05)
    assert pace.is_due()
    pace.drawn()
    assert not pace.is_due()
    time.sleep(0.06)
    assert pace.is_due() and pace.is_due()
