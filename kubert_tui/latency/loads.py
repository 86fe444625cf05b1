"""What loaded a host while cyclictest measured on it: as it was ordered, and as it was recorded."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace

from kubert_tui.base.text import clean_line

TICKS = 100.0
"""Clock ticks in a second, as the kernel tells times to programs."""
LIMIT = 10_000
"""Lines of the record that are read; people start fewer loads."""
_ALIVE = 15.0
"""Seconds after which a load that was not seen again counts as gone; its guard looks every 5 s."""
_ON = re.compile(r"on ([0-9]{1,12}\.[0-9]{1,9}) ([a-z][a-z0-9-]{0,31}) ([0-9,-]{1,4096}) (.+)")
_OFF = re.compile(r"off ([0-9]{1,12}\.[0-9]{1,9}) ?(.*)")
_ALIVE_AT = re.compile(r"([0-9]{1,12}\.[0-9]{1,9})\s*")


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """A load that is to run beside a measurement."""

    preset: str
    cpus: str
    """CPU list that it may run on."""
    command: tuple[str, ...]
    """Its argv, literally; its working directory is that of the run."""
    spread: tuple[int, ...] = ()
    """CPUs that are handed out to its processes in turn, because the kernel would not use them."""


@dataclass(frozen=True, slots=True)
class Load:
    """A load that ran, or runs, beside a measurement. Times are seconds since cyclictest began."""

    preset: str
    command: tuple[str, ...]
    cpus: str
    """CPU list that it was to run on."""
    after: float
    until: float | None = None
    """None: it runs, as far as is known."""
    ended: str = ""
    """Why it ended."""


def parse_loads(record: bytes, start_ticks: int) -> tuple[Load, ...]:
    """Read the file `loads` of a run (`load.sh` tells of it), in order of time.

    `start_ticks` is when cyclictest began, in clock ticks since boot. What makes no sense is left
    out, and so is a line that a kill cut off.
    """
    found: list[Load] = []
    began = start_ticks / TICKS
    whole, _, _ = record.decode("utf-8", errors="replace").rpartition("\n")
    for line in whole.split("\n")[:LIMIT]:
        running = bool(found) and found[-1].until is None
        if off := _OFF.fullmatch(line):
            if running:
                # Those that come after it tell that others saw it, too.
                until = max(float(off[1]) - began, found[-1].after)
                told = clean_line(off[2], limit=200)
                found[-1] = replace(found[-1], until=round(until, 3), ended=told)
        elif (on := _ON.fullmatch(line)) and not running:
            after = round(max(float(on[1]) - began, 0.0), 3)
            found.append(Load(on[2], _words(on[4]), on[3], after))
    return tuple(found)


def settled(
    loads: Iterable[Load], elapsed: float, alive: bytes, start_ticks: int
) -> tuple[Load, ...]:
    """Return the loads of a run that ended after `elapsed` seconds: none of them runs any more.

    `alive` is the file that says when the guard last saw the load: one whose end nobody could
    record ended then.
    """
    at = _ALIVE_AT.fullmatch(alive.decode("ascii", errors="replace"))
    seen = float(at[1]) - start_ticks / TICKS if at else 0.0
    told = []
    for load in loads:
        until = load.until
        if until is None:
            until = elapsed if seen > elapsed - _ALIVE else seen
            if until <= load.after:
                continue  # nobody saw it run
        # One that failed at once ended in the clock tick in which it began.
        if load.after < elapsed:
            told.append(replace(load, until=min(round(min(until, elapsed), 3), elapsed)))
    return tuple(told)


def covered(stretches: Iterable[tuple[float, float]]) -> float:
    """Return how many seconds stretches of time (after, until) cover; where they overlap, once."""
    total = reached = 0.0
    for after, until in sorted(stretches):
        total += max(0.0, until - max(after, reached))
        reached = max(reached, until)
    return total


def _words(line: str) -> tuple[str, ...]:
    line = clean_line(line, limit=4096)
    try:
        return tuple(shlex.split(line))
    except ValueError:
        return (line,)
