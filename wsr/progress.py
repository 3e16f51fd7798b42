"""A progress bar with the remaining time, which is readable in a log file too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def bar(title: str) -> Iterator[Callable[..., None]]:
    """Yields a function update(done, total, note=""). If the output is not a terminal, a line is printed for every
    twentieth part."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns) as progress:
        task = progress.add_task(title, total=None, note="")
        printed = -1

        def update(done: int, total: int, note: str = "") -> None:
            nonlocal printed
            progress.update(task, completed=done, total=total, note=note)
            if not progress.console.is_terminal and (part := done * 20 // max(total, 1)) > printed:
                printed = part
                progress.console.print(f"{title}: {done}/{total} {note}")

        yield update
