"""What is on its way, how much of it is there, and how long the rest takes."""

from collections.abc import Collection, Iterable

from textual.content import Content

from kubert_tui.events.transfer import Transfer
from kubert_tui.screens.durations import clock
from kubert_tui.screens.glyphs import Glyphs

_BAR = 24


def transfers_line(transfers: Collection[Transfer]) -> str:
    """Return one line, its figures first: the end of a line is what small terminals cut."""
    # Who is last is who we wait for.
    slowest = min(transfers, key=lambda one: one.part or 0.0)
    more = f" (and {len(transfers) - 1} more)" if len(transfers) > 1 else ""
    return f"{slowest.figures()}{_left(slowest)}: {slowest.newest.what}{more}"


def transfers_content(transfers: Iterable[Transfer], glyphs: Glyphs) -> Content:
    """Return two lines for each: what it is, and how far."""
    parts: list[tuple[str, str]] = []
    for one in transfers:
        parts.append(("\n" if parts else "", ""))
        parts.append((f"{one.newest.what}\n", ""))
        if one.part is not None:
            done = int(one.part * _BAR)
            parts += [
                (glyphs.done * done, "$text-primary"),
                (glyphs.left * (_BAR - done), "$foreground-muted"),
                ("  ", ""),
            ]
        parts.append((f"{one.figures()}{_left(one)}", "bold"))
    return Content.assemble(*parts)


def _left(one: Transfer) -> str:
    return "" if one.remaining is None else f", {clock(one.remaining)} left"
