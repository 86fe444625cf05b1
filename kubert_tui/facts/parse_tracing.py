"""What the kernel can trace (tracefs), and whether somebody does."""

import re

from kubert_tui.base.text import clean_line
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Tracing
from kubert_tui.facts.parse_kernel import config_says
from kubert_tui.facts.sections import Sections, keyed

WANTED = ("hwlat", "timerlat")


def tracing(sections: Sections) -> Fact[Tracing | None]:
    """Return what there is; where tracefs is not mounted, the kernel's configuration tells."""
    lines = sections.lines("tracing")
    if isinstance(lines, Unknown):
        return lines
    said = keyed(lines.value)
    match said.get("place", ""):
        case "none" if "nodev\ttracefs" in lines.value:
            return Known(Tracing("", _configured(sections), ""))
        case "none":
            return Known(None)
        case place if "tracers" in said:
            found = frozenset(said["tracers"].split()) & frozenset(WANTED)
            return Known(Tracing(clean_line(place), Known(found), _used(said)))
        case _:
            return Unknown("tracefs could not be understood")


def _configured(sections: Sections) -> Fact[frozenset[str]]:
    found = set()
    for name in WANTED:
        there = config_says(sections, re.compile(f"CONFIG_{name.upper()}_TRACER=y"))
        if isinstance(there, Unknown):
            return Unknown(f"tracefs is not mounted, and {there.reason}")
        if there.value:
            found.add(name)
    return Known(frozenset(found))


def _used(said: dict[str, str]) -> str:
    current = clean_line(said.get("current", "nop"), limit=40)
    if current != "nop":
        return f"tracer {current}"
    events = clean_line(said.get("events", ""), limit=80)
    return f"events {events}" if events else ""
