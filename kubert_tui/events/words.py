"""How both faces word what an event tells."""

from kubert_tui.events.measuring import (
    ApplicationsRunning,
    CauseStored,
    DensityMeasured,
    LatencyStored,
)
from kubert_tui.events.model import Note

_SHOWN = 12
"""Lines of a trace; the rest is in its file."""


def trace_lines(event: LatencyStored) -> tuple[str, ...]:
    """Return where the trace of a measurement is, and what happened last in it."""
    if not event.trace:
        return ()
    return (f"what led to it was traced, in {event.trace}:", *event.excerpt[-_SHOWN:])


def said(event: Note | CauseStored | ApplicationsRunning | DensityMeasured) -> str:
    """Return what an event tells in one line."""
    match event:
        case Note():
            return event.text
        case CauseStored():
            return event.summary
        case ApplicationsRunning():
            return running_line(event)
        case DensityMeasured():
            return event.statement


def running_line(event: ApplicationsRunning) -> str:
    """Return which applications run now, in a density run."""
    names = " + ".join(event.names)
    if not event.applications:
        return f"none of {names} runs: what it is like without"
    each = f"{event.applications} x {names} on each node"
    return f"{each}: {event.pods} pod{'' if event.pods == 1 else 's'}, all ready"


def density_lines(event: DensityMeasured) -> tuple[str, ...]:
    """Return the curve of a density run as a small table, and where the limit breaks."""
    rows: list[tuple[str, ...]] = [("n", "p50", "p99", "p99.9", "max", "")]
    for one in event.points:
        over = "  over" if one.below is False else ""
        rows.append((str(one.applications), *one.figures, over))
    table = (
        f"{count:>3}{''.join(f'{figure:>7}' for figure in figures)}{over}"
        for count, *figures, over in rows
    )
    names = " + ".join(event.names)
    return (f"us, beside n x {names} on each node:", *table, event.statement)
