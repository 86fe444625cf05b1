"""One at a time: a lock that the kernel drops with its process."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kubert_tui.base.errors import BusyError

_POLL = 0.2
_LIMIT = 3600.0
"""Seconds after which waiting for somebody else has no point any more."""


@contextmanager
def locked(path: Path, why: str, tick: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock file at `path`. It may be unlinked by the one who holds it.

    If somebody else holds it: wait, calling `tick` meanwhile; without `tick` BusyError that
    says `why`.
    """
    descriptor = _acquire(path, why, tick)
    try:
        yield
    finally:
        os.close(descriptor)


def _acquire(path: Path, why: str, tick: Callable[[], None] | None) -> int:
    deadline = time.monotonic() + _LIMIT
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, descriptor):
                return descriptor
            os.close(descriptor)
        except BlockingIOError:
            os.close(descriptor)
            if tick is None or time.monotonic() > deadline:
                raise BusyError(f"{why}", fix="wait for it, or end it") from None
            tick()
            time.sleep(_POLL)


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the file we locked is still the one that others would lock."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
