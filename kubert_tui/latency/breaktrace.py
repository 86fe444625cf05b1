"""cyclictest's --breaktrace: stop at the first latency above a threshold, with a trace of it.

`breaktrace.sh` turns tracing on before cyclictest starts and puts everything back afterwards;
cyclictest marks the trace (`hit latency threshold`) and stops it. Tracing costs latency itself:
that is the price of knowing what happened, and every result of it says so.
"""

import re
import zlib
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from kubert_tui.base.text import clean
from kubert_tui.facts.containers import container_kind
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.rt_tests.versions import number

TEXT_LIMIT = 8 * 1024 * 1024
"""Bytes of a trace that are kept: its end, where the latency is."""
EXCERPT = 40
"""Lines of it that are shown."""
MARK = "--tracemark"
HIT = "hit latency threshold"
"""What cyclictest writes into the trace before it stops it."""
_CPU = re.compile(r" \[([0-9]{3,5})\] ")
_THRESHOLD = re.compile(r"--breaktrace=([0-9]{1,7})")


@dataclass(frozen=True, slots=True)
class Stopped:
    """What made --breaktrace stop cyclictest."""

    latency: int
    """us"""
    cpu: int
    cycles: int
    """Of that CPU, the last one included."""

    def __str__(self) -> str:
        return (
            f"stopped at {self.latency} us on CPU {self.cpu} by breaktrace"
            f" after {self.cycles} cycles"
        )


class StoredBreak(BaseModel):
    """What a stored measurement tells of --breaktrace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: int = Field(ge=1, description="us; a latency above it stops cyclictest.")
    traced: bool = Field(description="A trace was recorded meanwhile, which costs latency.")
    latency: int | None = Field(default=None, ge=0, description="us; null when none was above.")
    cpu: int | None = Field(default=None, ge=0, description="On which; null when none was above.")
    cycles: int | None = Field(default=None, ge=0, description="Of that CPU up to then.")
    trace: str = Field(default="", description="File beside this one; empty when there is none.")
    excerpt: tuple[str, ...] = Field(
        default=(), max_length=EXCERPT, description="The last lines of that CPU in it."
    )


def threshold_of(command: tuple[str, ...]) -> int:
    """Return the --breaktrace of a command in us; 0 if it has none."""
    return next((int(m[1]) for part in command if (m := _THRESHOLD.fullmatch(part))), 0)


def stopped(kept: StoredBreak | None) -> str:
    """Return what made --breaktrace stop a stored measurement; `` if nothing did."""
    if kept is None or kept.latency is None or kept.cpu is None or kept.cycles is None:
        return ""
    return str(Stopped(kept.latency, kept.cpu, kept.cycles))


def stored_break(command: tuple[str, ...], broke: Stopped | None, trace: str) -> StoredBreak | None:
    """Return what is kept of a run of `command`, but for the trace's name."""
    if not (threshold := threshold_of(command)):
        return None
    if broke is None:
        return StoredBreak(threshold=threshold, traced=MARK in command)
    return StoredBreak(
        threshold=threshold,
        traced=MARK in command,
        latency=broke.latency,
        cpu=broke.cpu,
        cycles=broke.cycles,
        excerpt=excerpt(trace, broke.cpu),
    )


def break_options(threshold: int, version: str, *, traced: bool) -> tuple[str, ...]:
    """Return cyclictest's options; 1.x would set up a tracer of its own without `--notrace`."""
    if not threshold:
        return ()
    major, _ = number(version) or (0, 0)
    mark = (MARK,) if traced else ("--notrace",) if major < 2 else ()
    return (f"--breaktrace={threshold}", *mark)


def untraceable(facts: Facts) -> str:
    """Return why no trace can be recorded on a host; `` when one can."""
    tracing = facts.tracing
    if kind := container_kind(facts):
        return f"it is a container ({kind}), and the kernel's trace is its host's"
    if isinstance(tracing, Unknown):
        return f"whether it can trace is unknown: {tracing.reason}"
    if tracing.value is None:
        return "its kernel has no tracefs"
    if facts.privileged != Known(value=True):
        return "tracing needs root"
    return f"somebody traces there already: {tracing.value.used}" if tracing.value.used else ""


def unpacked(data: bytes) -> str:
    """Return a trace as clean text, at most `TEXT_LIMIT` bytes of it; empty if it is no gzip."""
    inflate = zlib.decompressobj(wbits=31)
    try:
        text = inflate.decompress(data, TEXT_LIMIT + 4096)
    except zlib.error:
        return ""
    return clean(text)


def excerpt(trace: str, cpu: int | None) -> tuple[str, ...]:
    """Return the last lines of a trace that are of `cpu`: what ran up to the latency.

    What was still recorded after cyclictest marked the latency is left out.
    """
    lines = []
    before, marked, after = trace.rpartition(HIT)
    if marked:
        trace = before + marked + after.partition("\n")[0]
    for line in reversed(trace.splitlines()):
        found = _CPU.search(line[:80])
        if found and (cpu is None or int(found[1]) == cpu):
            lines.append(line[:200].strip())
        if len(lines) == EXCERPT:
            break
    return tuple(reversed(lines))
