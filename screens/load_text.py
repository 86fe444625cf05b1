"""The load beside a measurement in words: badge, marks over time, what was refused."""

from kubert_tui.events.measuring import LoadChanged, LoadRefused
from kubert_tui.screens.run_view import RunView
from kubert_tui.screens.widgets.heatmap_layout import Mark


def load_on(view: RunView, host: str) -> LoadChanged | None:
    """Return the load that runs on a host now."""
    changes = view.loads.get(host, ())
    return changes[-1] if changes and changes[-1].on else None


def load_badge(view: RunView, host: str) -> list[tuple[str, str]]:
    """Return a badge that names the load; nothing if there is none."""
    on = load_on(view, host)
    if on is None:
        return []
    return [(" ", ""), (f" load: {on.preset} ", "bold $text-warning on $warning-muted")]


def load_marks(view: RunView, host: str) -> list[Mark]:
    """Return a mark for each beginning and each end."""
    return [
        Mark(0, change.elapsed, f"{'+' if change.on else '-'}{change.preset}")
        for change in view.loads.get(host, ())
    ]


def refusal(event: LoadRefused) -> str:
    """Return why there is no load, and what to do."""
    fix = f"; {event.fix}" if event.fix else ""
    return f"no load {event.preset}: {event.what}{fix}"


def change_line(event: LoadChanged) -> str:
    """Return what changed, on one line."""
    if event.on:
        return f"load {event.preset} begins on CPUs {event.cpus}: {' '.join(event.command)}"
    return f"load {event.preset} ends: {event.reason or 'the run is over'}"
