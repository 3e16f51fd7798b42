"""Each visitor has a folder, and only the newest of a visitor's questions is answered."""

import re
import threading
from types import SimpleNamespace

import gradio as gr
import pytest

from app.shell import session
from app.shell import turns as session_turns


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "", None, "x" * 500, "ok123", "shared", "\ud800"])
def test_a_session_has_a_folder_inside_our_own(name):
    folder = session.session_dir(SimpleNamespace(session_hash=name))
    assert folder.parent == session._ROOT / "visitors" and re.fullmatch(r"[a-f0-9]{40}", folder.name)
    session.forget(SimpleNamespace(session_hash=name))
    assert not folder.exists()


@pytest.mark.parametrize("name", ["shared", "../shared", "visitors"])
def test_no_visitor_s_leaving_takes_along_what_is_shared_or_another_s(name):
    other = session.session_dir(SimpleNamespace(session_hash="somebody"))
    (session.shared_dir() / "surface.glb").write_text("of all")
    session.forget(SimpleNamespace(session_hash=name))
    assert (session.shared_dir() / "surface.glb").exists() and other.exists()
    assert session.session_dir(SimpleNamespace(session_hash="ab")) != session.session_dir(
        SimpleNamespace(session_hash="a-b")
    )


def test_a_newer_question_of_the_same_visitor_ends_the_older_answer(monkeypatch):
    monkeypatch.setattr(session_turns, "PATIENCE", 0.0)

    class Visitor:
        def __init__(self, name):
            self.session_hash = name

    ann, ben = Visitor("ann"), Visitor("ben")
    nothing = gr.skip()  # every answer ends with it, because gradio sends the last values twice
    older = session.newest(ann, iter([("a",), ("b",), ("c",)]))
    assert next(older) == ("a",)
    assert list(session.newest(ben, iter([("x",), ("y",)]))) == [("x",), ("y",), nothing]
    newer = session.newest(ann, iter([("d",), ("e",)]))
    assert next(newer) == ("d",)
    assert list(older) == [nothing]
    assert list(newer) == [("e",), nothing]


def test_a_question_that_was_asked_earlier_and_arrives_later_is_not_answered():
    ann = SimpleNamespace(session_hash="ann of two clicks")
    last = session.newest(ann, iter([("c",), ("d",)]), "map", at=3000.0)
    assert next(last) == ("c",)
    assert list(session.newest(ann, iter([("a",)]), "map", at=2000.0)) == [gr.skip()]
    assert list(session.newest(ann, iter([("x",)]), "other", at=2000.0)) == [("x",), gr.skip()]
    assert list(last) == [("d",), gr.skip()]
    assert list(session.newest(ann, iter([("e",)]), "map")) == [("e",), gr.skip()]


def test_a_slow_answer_of_another_listener_does_not_come_last():
    """A verdict on a question stood under the next one, which had been answered faster."""
    ann, nothing = SimpleNamespace(session_hash="ann of two listeners"), gr.skip()

    def slow(text):  # while it is at work, the next question comes and is answered
        assert list(session.latest(str.upper, "card")(ann, "b")) == ["B", nothing]
        return text

    assert list(session.latest(slow, "card")(ann, "a")) == [nothing]
    assert list(session.latest(str.upper, "card")(ann, "c")) == ["C", nothing]


def test_what_left_for_the_page_before_a_newer_answer_reaches_it_first():
    """Each part is handed to the page by another thread, and threads keep no order."""
    ann = SimpleNamespace(session_hash="ann of two threads")
    older, newer = (session.newest(ann, iter(parts), "map") for parts in (["a", "b"], ["c"]))
    arrived = [next(older)]  # under way
    waiting = threading.Thread(target=lambda: arrived.append(next(newer)))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    assert next(older) == gr.skip()  # gradio asks for the next part once the first is in the page's queue
    waiting.join(session_turns.PATIENCE)
    assert arrived == ["a", "c"]


def test_a_visitor_who_left_keeps_nobody_waiting_for_long(monkeypatch):
    monkeypatch.setattr(session_turns, "PATIENCE", 0.05)
    ann = SimpleNamespace(session_hash="ann who left")
    assert next(gone := session.newest(ann, iter("ab"), "map")) == "a"
    assert list(session.newest(ann, iter("c"), "map")) == ["c", gr.skip()]
    gone.close()


def test_a_question_about_a_part_does_not_end_the_answer_about_the_whole(monkeypatch):
    monkeypatch.setattr(session_turns, "PATIENCE", 0.0)
    ann = SimpleNamespace(session_hash="ann of parts")
    whole = session.newest(ann, iter("abc"), "whole", "part")
    assert next(whole) == "a"
    part = session.newest(ann, iter("xy"), "part")
    assert next(part) == "x" and next(whole) == "b"
    again = session.newest(ann, iter("de"), "whole", "part")
    assert next(again) == "d"
    assert list(part) + list(whole) == [gr.skip(), gr.skip()]
    assert list(again) == ["e", gr.skip()]


def test_turns_of_visitors_who_never_left_are_forgotten(monkeypatch):
    monkeypatch.setattr(session, "MANY", 10)
    monkeypatch.setattr(session, "_turns", {})
    first = session.newest(SimpleNamespace(session_hash="first"), iter([("a",), ("b",)]), "map", "panel")
    assert next(first) == ("a",)
    for i in range(40):
        list(session.newest(SimpleNamespace(session_hash=f"visitor {i}"), iter([("x",)]), "map"))
    assert len(session._turns) == 10
    assert next(first) == ("b",)  # although its turn has been forgotten
