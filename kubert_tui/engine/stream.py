"""The stream: events in order to one consumer and the journal; answers back to who asked."""

import queue
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Condition, Lock
from threading import Event as Flag
from typing import Any

from kubert_tui.base.errors import CancelledError
from kubert_tui.engine.journal import Journal
from kubert_tui.events.codec import redacted
from kubert_tui.events.model import Event, Finished
from kubert_tui.events.questions import Answer, Answered, Question


class Stream:
    """Numbers questions, stamps and redacts events, and keeps their order. Thread-safe."""

    def __init__(self, journal: Journal, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._clock = clock
        self._order = Lock()
        self._unread: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._answers: dict[int, Answer | None] = {}
        self._answered = Condition()
        self._numbers = 0

    def emit(self, event: Event) -> None:
        """Stamp and redact one event, write it to the journal, then hand it to the consumer."""
        with self._order:
            stamped = redacted(replace(event, time=self._clock()))
            try:
                self._journal.append(stamped)
            finally:
                # The face must hear of a full disk too: the consumer gets what the journal lost.
                self._unread.put(stamped)

    def events(self) -> Iterator[Event]:
        """Yield events until `Finished` has been yielded."""
        while True:
            event = self._unread.get()
            yield event
            if isinstance(event, Finished):
                return

    def ask(self, give_up: Flag, **question: Any) -> Answer:
        """Emit a question and wait for its answer. CancelledError when `give_up` is set."""
        with self._answered:
            self._numbers += 1
            number = self._numbers
            self._answers[number] = None
        asked = Question(number=number, **question)
        self.emit(asked)
        with self._answered:
            self._answered.wait_for(lambda: self._answers[number] is not None or give_up.is_set())
            answer = self._answers.pop(number)
        if answer is None:
            raise CancelledError("cancelled while a question was open", host=asked.host)
        self.emit(
            Answered(
                stage=asked.stage,
                host=asked.host,
                number=number,
                kind=asked.kind,
                choice=answer.choice,
                text=answer.text,
            )
        )
        return answer

    def answer(self, number: int, answer: Answer) -> None:
        """Give the answer to an open question; anything else is ignored."""
        with self._answered:
            if number in self._answers and self._answers[number] is None:
                self._answers[number] = answer
                self._answered.notify_all()

    def wake(self) -> None:
        """Let waiting questions look at their `give_up` flags again."""
        with self._answered:
            self._answered.notify_all()
