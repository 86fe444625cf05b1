"""Tells how far something is: often enough to be watched, rarely enough to be kept."""

import time
from collections.abc import Callable

from kubert_tui.base.errors import CancelledError
from kubert_tui.events.model import Progress
from kubert_tui.stages.model import Work

_EVERY = 1.0


def meter(
    work: Work, host: str, what: str, clock: Callable[[], float] = time.monotonic
) -> Callable[[int, int | None], None]:
    """Return what takes (bytes done, all bytes or None) and emits `Progress` once a second.

    The first and the last are always told. Raises CancelledError once the user has cancelled.
    """
    told: list[float] = []
    last: list[int] = []

    def tell(done: int, total: int | None) -> None:
        if work.cancel.is_set():
            raise CancelledError(f"{what} was cancelled", fix="start the stage again")
        now = clock()
        if (told and now - told[0] < _EVERY and done != total) or last == [done]:
            return
        told[:], last[:] = [now], [done]
        work.emit(Progress(host=host, what=what, done=done, total=total))

    return tell
