"""Lessons for a class or for oneself: sequences of states of the page, each a link, with a question before each answer.

A lesson is a file `NUMBER-name.toml` in this folder; whoever adds one touches nothing else.
"""

import functools
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from wsr.errors import WsrError, unknown_name

HERE = Path(__file__).parent
MINUTES = 10  # that a lesson takes


@dataclass(frozen=True)
class Step:
    """A state of the page and a question about it. link: the query that opens it; look: what to do or to look at;
    right: the place of the right one among `options`; answer: what is said afterwards."""

    link: str
    look: str
    question: str
    options: tuple[str, ...]
    right: int
    answer: str


@dataclass(frozen=True)
class Lesson:
    """id: its name in the address; about: one sentence about it."""

    id: str
    title: str
    about: str
    steps: tuple[Step, ...]


@functools.cache
def everything() -> dict[str, Lesson]:
    """Returns the lessons by id, in the order of their files."""
    return {lesson.id: lesson for lesson in map(_read, sorted(HERE.glob("*.toml")))}


def _read(path: Path) -> Lesson:
    data = tomllib.loads(path.read_text())
    steps = tuple(Step(**{**step, "options": tuple(step["options"])}) for step in data.pop("steps"))
    return Lesson(**data, steps=steps)


def step(lesson: str, number: str = "1") -> Step:
    """Returns a step by the texts of an address. WsrError if there is none."""
    found = everything().get(lesson)
    if found is None:
        raise unknown_name("lesson", lesson, list(everything()))
    if not (number.isdecimal() and 1 <= int(number[:4]) <= len(found.steps)):
        raise WsrError(f"{found.title} has the steps 1 to {len(found.steps)}, and no step {number[:20]!r}.")
    return found.steps[int(number) - 1]


def address(lesson: Lesson, number: int) -> str:
    """Returns the query that opens a step, with the lesson's own strip above the page."""
    return f"{lesson.steps[number - 1].link}&lesson={lesson.id}&step={number}"


def told() -> dict[str, Any]:
    """Returns all lessons as the page's script takes them: by id, the title and the steps."""
    return {
        one.id: {
            "title": one.title,
            "steps": [vars(step) | {"link": address(one, i)} for i, step in enumerate(one.steps, 1)],
        }
        for one in everything().values()
    }


def script() -> str:
    return f"{(HERE / 'strip.js').read_text()}({json.dumps('wsr/lessons.json')});"


def overview() -> str:
    """Returns the page of all lessons, for teachers with the answers, as HTML."""
    template = Environment(autoescape=True, loader=FileSystemLoader(HERE)).get_template("lessons.html")
    return template.render(lessons=everything().values(), address=address, minutes=MINUTES)
