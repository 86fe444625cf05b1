"""How both faces word what an event tells."""

from kubert_tui.events.measuring import LatencyStored

_SHOWN = 12
"""Lines of a trace; the rest is in its file."""


def trace_lines(event: LatencyStored) -> tuple[str, ...]:
    """Return where the trace of a measurement is, and what happened last in it."""
    if not event.trace:
        return ()
    return (f"what led to it was traced, in {event.trace}:", *event.excerpt[-_SHOWN:])
