"""Ctrl-] ends watching a console, as with virsh and telnet."""

import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event as Flag
from threading import Thread

from kubert_tui.engine.interface import Engine

_LEAVE = b"\x1d"
_TURN = 0.2


@contextmanager
def leaving_on_key(engine: Engine, *, wanted: bool) -> Iterator[None]:
    """Cancel what the engine does on Ctrl-]; the terminal is put back afterwards.

    Keys are not echoed meanwhile; Ctrl-C does what it always does. Nothing happens unless `wanted`.
    """
    if not wanted:
        yield
        return
    over, terminal = Flag(), sys.stdin.fileno()

    def watch() -> None:
        while not over.is_set():
            ready, _, _ = select.select([terminal], [], [], _TURN)
            if ready and _LEAVE in os.read(terminal, 64):
                engine.cancel()
                return

    before = termios.tcgetattr(terminal)
    print("Ctrl-] leaves the console; the machine goes on.", file=sys.stderr)
    tty.setcbreak(terminal)
    thread = Thread(target=watch, name="console keys", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
