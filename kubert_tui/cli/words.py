"""Words, glyphs and colours that the small commands share."""

from kubert_tui.checks.finding import Level
from kubert_tui.events.model import StageState

LEVEL_STYLE = {
    Level.OK: "green",
    Level.WARNING: "yellow",
    Level.FAILED: "red",
    Level.UNKNOWN: "magenta",
}

_STATES = {
    StageState.PENDING: ("·", "dim"),
    StageState.RUNNING: ("▶", "cyan"),
    StageState.SATISFIED: ("✓", "green"),
    StageState.DONE: ("✓", "green"),
    StageState.WOULD_CHANGE: ("~", "cyan"),
    StageState.NOT_ALLOWED: ("⊘", "yellow"),
    StageState.NEEDS_YOU: ("!", "yellow"),
    StageState.DECLINED: ("-", "yellow"),
    StageState.SKIPPED: ("-", "dim"),
    StageState.CANCELLED: ("✗", "yellow"),
    StageState.FAILED: ("✗", "bold red"),
}


def state_text(state: StageState) -> tuple[str, str]:
    """Return glyph and word of a state, and its style."""
    glyph, style = _STATES[state]
    return f"{glyph} {state}", style


def duration(seconds: float) -> str:
    """Return seconds as people say them: `42s`, `3m 05s`, `2h 00m`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02}m"
