"""Glyphs, words and colours for states and levels: never a colour or a glyph alone."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from kubert_tui.checks.finding import Level
from kubert_tui.events.model import StageState

STATE_WORDS: Mapping[StageState, str] = {
    StageState.PENDING: "to do",
    StageState.RUNNING: "running",
    StageState.SATISFIED: "already so",
    StageState.DONE: "done",
    StageState.WOULD_CHANGE: "would change",
    StageState.NOT_ALLOWED: "not allowed",
    StageState.NEEDS_YOU: "needs you",
    StageState.DECLINED: "declined",
    StageState.SKIPPED: "skipped",
    StageState.CANCELLED: "cancelled",
    StageState.FAILED: "failed",
}

STATE_STYLES: Mapping[StageState, str] = {
    StageState.PENDING: "$foreground-muted",
    StageState.RUNNING: "bold $text-accent",
    StageState.SATISFIED: "$text-success",
    StageState.DONE: "bold $text-success",
    StageState.WOULD_CHANGE: "$text-warning",
    StageState.NOT_ALLOWED: "$text-warning",
    StageState.NEEDS_YOU: "bold $text-warning",
    StageState.DECLINED: "$text-warning",
    StageState.SKIPPED: "$foreground-muted",
    StageState.CANCELLED: "$text-warning",
    StageState.FAILED: "bold $text-error",
}

LEVEL_STYLES: Mapping[Level, str] = {
    Level.OK: "$text-success",
    Level.WARNING: "$text-warning",
    Level.FAILED: "bold $text-error",
    Level.UNKNOWN: "$foreground-muted",
}


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of single-cell characters."""

    states: Mapping[StageState, str]
    levels: Mapping[Level, str]
    queued: str
    blocks: str
    """Bar characters by height: first empty, last full."""
    heat: str
    """Shades of a cell of a heatmap, from one sample to the most."""
    done: str
    left: str
    """Finished and remaining part of a progress bar."""
    corner: str
    box: str
    """Corners of a frame: top left, top right, bottom left, bottom right."""
    vertical: str
    horizontal: str
    tick: str
    marker: str
    limit: str
    """Part of a vertical line."""
    other: str
    """A dot of a second histogram over the bars of the first."""
    beyond: str
    ellipsis: str
    dot: str
    """Separates facts on one line."""
    plain: bool = False
    """Only ASCII: borders have to be plain too."""


UNICODE = Glyphs(
    states={
        StageState.PENDING: "○",
        StageState.RUNNING: "▶",
        StageState.SATISFIED: "=",
        StageState.DONE: "✓",
        StageState.WOULD_CHANGE: "△",
        StageState.NOT_ALLOWED: "⊘",
        StageState.NEEDS_YOU: "!",
        StageState.DECLINED: "–",  # noqa: RUF001
        StageState.SKIPPED: "»",
        StageState.CANCELLED: "×",  # noqa: RUF001
        StageState.FAILED: "✗",
    },
    levels={Level.OK: "✓", Level.WARNING: "!", Level.FAILED: "✗", Level.UNKNOWN: "?"},
    queued="…",
    blocks=" ▁▂▃▄▅▆▇█",
    heat="·░▒▓█",
    done="━",
    left="─",
    corner="└",
    box="┌┐└┘",
    vertical="│",
    horizontal="─",
    tick="┬",
    marker="▲",
    limit="┊",
    other="○",
    beyond="▶",
    ellipsis="…",
    dot="·",
)

ASCII = Glyphs(
    states={
        StageState.PENDING: ".",
        StageState.RUNNING: ">",
        StageState.SATISFIED: "=",
        StageState.DONE: "+",
        StageState.WOULD_CHANGE: "~",
        StageState.NOT_ALLOWED: "#",
        StageState.NEEDS_YOU: "!",
        StageState.DECLINED: "-",
        StageState.SKIPPED: "s",
        StageState.CANCELLED: "c",
        StageState.FAILED: "x",
    },
    levels={Level.OK: "+", Level.WARNING: "!", Level.FAILED: "x", Level.UNKNOWN: "?"},
    queued=":",
    blocks=" .:|#",
    heat=".:+x#",
    done="#",
    left="-",
    corner="+",
    box="++++",
    vertical="|",
    horizontal="-",
    tick="+",
    marker="^",
    limit=":",
    other="o",
    beyond=">",
    ellipsis="~",
    dot="-",
    plain=True,
)


def choose(environment: Mapping[str, str], encoding: str | None) -> Glyphs:
    """Return the set that this terminal can show.

    ASCII when NO_COLOR is set, on the Linux console and other terminals with a poor font
    (TERM=linux, dumb, vt100), and when the output's encoding is not UTF-8.
    """
    poor = environment.get("TERM", "") in {"linux", "dumb", "vt100", "vt220"}
    utf8 = (encoding or "").lower().replace("-", "") in {"utf8", "utf8sig"}
    return ASCII if poor or not utf8 or "NO_COLOR" in environment else UNICODE


def output_encoding() -> str | None:
    """Return the encoding of the terminal we draw on (Textual writes to stderr's twin)."""
    return getattr(sys.__stdout__, "encoding", None)
