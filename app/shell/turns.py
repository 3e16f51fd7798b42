"""Which of a visitor's questions is the newest, while several are being answered by different threads."""

import threading
from dataclasses import dataclass, field

PATIENCE = 2.0  # seconds to wait for a part of an older answer that is on its way to a visitor who may have left

_changed = threading.Condition()


@dataclass(eq=False)
class Turn:
    """One question. topic: what it is about. at: when the visitor asked, in milliseconds by the page's clock, where the
    page says it. older: questions that this one ended while a part of their answers was on its way. sending: whether a
    part of its own answer is on its way to the page."""

    topic: str
    at: float | None = None
    older: list["Turn"] = field(default_factory=list)
    over: bool = False
    sending: bool = False

    def end(self, by: "Turn") -> None:
        """Ends this question because of a newer one, which then waits for what is on its way."""
        with _changed:
            self.over = True
            by.older += [turn for turn in (self, *self.older) if turn.sending]  # nothing else of them will go

    def send(self) -> bool:
        """Says that a part goes to the page now; False if a newer question has been asked, and nothing may go. A part
        of an older answer that left before, and would replace this one on the page, is waited for."""
        with _changed:
            _changed.wait_for(lambda: self.over or not any(turn.sending for turn in self.older), PATIENCE)
            self.older = []
            self.sending = not self.over
            return self.sending

    def sent(self) -> None:
        """Says that the part is in the page's queue, behind which newer ones go."""
        with _changed:
            self.sending = False
            _changed.notify_all()
