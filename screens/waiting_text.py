"""What is waited for, since when and for how long at most."""

from collections.abc import Collection, Iterable

from textual.content import Content

from kubert_tui.events.model import Waiting
from kubert_tui.screens.durations import clock
from kubert_tui.screens.glyphs import Glyphs

_TRUSTED = 60.0
"""Seconds we count on by ourselves after an event: our clock may jump, and threads may hang."""

_BAR = 24


def elapsed(wait: Waiting, now: float) -> float:
    """Return how long it lasts by now; the engine tells it every few seconds only."""
    since = wait.elapsed + min(max(0.0, now - wait.time), _TRUSTED)
    return since if wait.limit is None else min(since, max(wait.limit, wait.elapsed))


def waits_line(waits: Collection[Waiting], now: float) -> str:
    """Return one line, its figures first: the end of a line is what small terminals cut."""
    first = next(iter(waits))
    limit = f" of {clock(first.limit)}" if first.limit is not None else ""
    more = f" (and {len(waits) - 1} more)" if len(waits) > 1 else ""
    return f"Waiting {clock(elapsed(first, now))}{limit} for {first.what}{more}"


def waits_content(waits: Iterable[Waiting], now: float, glyphs: Glyphs) -> Content:
    """Return two lines for each wait: what for, and how much of the time is over."""
    parts: list[tuple[str, str]] = []
    for wait in waits:
        since = elapsed(wait, now)
        parts.append(("\n" if parts else "", ""))
        parts.append((f"for {wait.what}\n", ""))
        if not wait.limit:
            parts.append((f"{clock(since)} so far", "bold $text-warning"))
            continue
        done = min(_BAR, round(since / wait.limit * _BAR))
        parts += [
            (f"{clock(since)} of {clock(wait.limit)} at most  ", "bold $text-warning"),
            (glyphs.done * done, "$text-warning"),
            (glyphs.left * (_BAR - done), "$foreground-muted"),
        ]
    return Content.assemble(*parts)
