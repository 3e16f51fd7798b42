"""A progress bar with the remaining time, which is readable in a log file too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

from wsr.first_process import is_first_process

BAR = 20  # characters: with a count and two times it leaves room for a title and a note in 80


class _Note(TextColumn):
    """What is cut where the terminal is too narrow for all: of the other columns nothing is."""

    def render(self, task) -> Text:
        text = super().render(task)
        text.no_wrap, text.overflow = True, "ellipsis"
        return text


@contextmanager
def bar(title: str, console: Console | None = None) -> Iterator[Callable[..., None]]:
    """Yields a function update(done, total, note=""). If the output is not a terminal, a line is printed for every
    twentieth part. Only the first of processes that train together shows it."""
    if not is_first_process():
        yield lambda done, total, note="": None
        return
    whole = [Column(no_wrap=True) for _ in range(5)]
    columns = (
        TextColumn("{task.description}", table_column=whole[0]),
        BarColumn(BAR, table_column=whole[1]),
        MofNCompleteColumn(table_column=whole[2]),
        TimeElapsedColumn(table_column=whole[3]),
        TimeRemainingColumn(table_column=whole[4]),
        _Note("{task.fields[note]}", table_column=Column()),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=None, note="")
        printed = -1

        def update(done: int, total: int, note: str = "") -> None:
            nonlocal printed
            progress.update(task, completed=done, total=total, note=note)
            if not progress.console.is_terminal and (part := done * 20 // max(total, 1)) > printed:
                printed = part
                progress.console.print(f"{title}: {done}/{total} {note}", soft_wrap=True)

        yield update
