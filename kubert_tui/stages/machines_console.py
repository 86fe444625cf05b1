"""A machine's console while it boots: its lines as events, in batches and bounded."""

import time
from collections import deque
from collections.abc import Callable
from threading import Event as Flag
from threading import Thread

from kubert_tui.base.errors import KubertError
from kubert_tui.base.text import clean
from kubert_tui.events.model import ConsoleSaid
from kubert_tui.machines.console import console
from kubert_tui.machines.guest import Guest
from kubert_tui.machines.hypervisor import Hypervisor
from kubert_tui.stages.model import Work

BATCH = 0.5
"""Seconds that lines gather before they are told."""
PROMPT = 1.0
"""Seconds of silence after which a line that has no end yet is told: a prompt."""
BATCH_LINES = 200
"""Of one batch; what is said beyond it is left out, and that is told."""
_LINE = 1000
_KEPT = 10


class Lines:
    """Makes lines, cleaned and not empty, of pieces that end anywhere."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, piece: bytes) -> list[str]:
        """Return the lines that `piece` completes."""
        whole, newline, rest = (self._rest + piece).rpartition(b"\n")
        if not newline and len(rest) > _LINE:
            whole, rest = rest, b""
        self._rest = rest
        return _clean(whole)

    def end(self) -> list[str]:
        """Return what is left, though its line has not ended."""
        rest, self._rest = self._rest, b""
        return _clean(rest)


def _clean(text: bytes) -> list[str]:
    lines = clean(text, line_limit=_LINE).split("\n")
    return [line.rstrip() for line in lines if line.strip()]


class ConsoleReader:
    """Reads one machine's console on a thread of its own while inside."""

    def __init__(self, work: Work, hypervisor: Hypervisor, guest: Guest) -> None:
        self._work = work
        self._hypervisor = hypervisor
        self._guest = guest
        self._stop = Flag()
        self._last: deque[str] = deque(maxlen=_KEPT)
        self._thread = Thread(target=self._read, name=f"{guest.name} console", daemon=True)

    @property
    def last(self) -> tuple[str, ...]:
        """The last lines that were said."""
        return tuple(self._last)

    def __enter__(self) -> "ConsoleReader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        try:
            follow(self._hypervisor, self._guest, self._stop, self._tell)
        except KubertError:
            return  # it went off, or libvirt is lost: whoever waits for the machine tells of it

    def _tell(self, lines: tuple[str, ...]) -> None:
        self._last.extend(lines)
        said = ConsoleSaid(host=self._hypervisor.host, machine=self._guest.name, lines=lines)
        self._work.emit(said)


def follow(
    hypervisor: Hypervisor, guest: Guest, stop: Flag, tell: Callable[[tuple[str, ...]], None]
) -> None:
    """Tell what a machine says on its console in batches, until `stop` or until it is off."""
    lines, gathered = Lines(), list[str]()
    told, left_out, heard = 0.0, 0, time.monotonic()

    def flush() -> None:
        nonlocal told, left_out
        if gathered:
            more = [f"({left_out} lines are left out)"] if left_out else []
            tell((*gathered, *more))
        gathered.clear()
        told, left_out = time.monotonic(), 0

    for piece in console(hypervisor, guest.domain, stop):
        new = lines.take(piece)
        if piece:
            heard = time.monotonic()
        elif time.monotonic() - heard >= PROMPT:
            new = lines.end()
        room = BATCH_LINES - len(gathered)
        gathered += new[:room]
        left_out += max(0, len(new) - room)
        if time.monotonic() - told >= BATCH:
            flush()
    gathered += lines.end()
    flush()
