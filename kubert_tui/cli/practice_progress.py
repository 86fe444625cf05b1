"""Shows how far a practice lab is, on stderr; Ctrl-C calls it off."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event as Flag
from types import FrameType

from kubert_tui.cli.words import duration
from kubert_tui.practice.model import Order, Progress

_ERASE = "\r\x1b[2K"


@contextmanager
def shown() -> Iterator[Order]:
    """Yield an order whose progress is shown and that SIGINT and SIGTERM call off."""
    cancel = Flag()
    report = _Report(live=sys.stderr.isatty())

    def call_off(_number: int, _frame: FrameType | None) -> None:
        cancel.set()
        report.say("cancelling; what was begun is removed")

    handlers = {number: signal.signal(number, call_off) for number in _SIGNALS}
    try:
        yield Order(report.show, cancel)
    finally:
        report.end()
        for number, handler in handlers.items():
            signal.signal(number, handler)


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Report:
    """One line that changes where a person looks on; a line per step in a log."""

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._step = ""
        self._dirty = False

    def show(self, progress: Progress) -> None:
        """Show how far it is."""
        left = "" if progress.remaining is None else f", {duration(progress.remaining)} left"
        if progress.done >= 1:
            return
        if self._live:
            text = f"practice: {progress.done:4.0%} {progress.step}{left}"
            self._write(f"{_ERASE}{text}")
            self._dirty = True
        elif progress.step != self._step:
            self._step = progress.step
            self._write(f"practice: {progress.step} ({progress.done:.0%}{left})\n")

    def say(self, text: str) -> None:
        """Print a line of its own."""
        self.end()
        self._write(f"practice: {text}\n")

    def end(self) -> None:
        """Take the line away."""
        if self._dirty:
            self._write(_ERASE)
            self._dirty = False

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            self._live = False
