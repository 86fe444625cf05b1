"""What a face asked for and is still to be done, in the order it was asked for."""

import queue
from dataclasses import dataclass, field

from kubert_tui.machines.order import Order
from kubert_tui.stages.machines_acts import Raw


@dataclass(frozen=True, slots=True)
class StageRequest:
    """Work on a stage, or leave it out."""

    stage: str
    again: bool = False
    """Measure once more what is measured already."""
    skip: str = ""
    """Why it is left out; empty if it is to be worked on."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """Do something about machines that are there."""

    order: Order
    raw: Raw | None = None
    """Who takes a console as it is, instead of events."""


Request = StageRequest | OrderRequest


@dataclass(slots=True)
class Requests:
    """A queue with an end: faces put in from any thread, the engine's one takes out."""

    _queue: "queue.SimpleQueue[Request | None]" = field(default_factory=queue.SimpleQueue)

    def put(self, request: Request) -> None:
        """Take a request in, behind those that wait already."""
        self._queue.put(request)

    def close(self) -> None:
        """Let nothing that comes later be reached."""
        self._queue.put(None)

    def next(self) -> Request | None:
        """Wait for the next request; None at the end."""
        return self._queue.get()

    def drop(self) -> None:
        """Forget what waits. The end stays."""
        closing = False
        while not self._queue.empty():
            closing |= self._queue.get() is None
        if closing:
            self._queue.put(None)
