"""Events as JSON objects: one shape for the journal and for `--auto --json`.

Every object has `event` (the class name in kebab case) and `time`; `stage` and `host` where
they apply. Histograms are sparse: `"counts": {"12": 34}` is 34 samples of 12 us. All strings
pass the redactor, so a secret cannot leave by this door.
"""

import re
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

from kubert_tui.base.secrets import redactor
from kubert_tui.events.measuring import LatencyPast, LatencySnapshot
from kubert_tui.events.model import Event
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.latency.histogram import ThreadHistogram

Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"

_NAMES = frozenset({"stage", "host", "run", "lab", "hosts", "stages", "states", "check"})
"""Fields that hold names of ours: faces and resuming go by them, whatever anybody's password is."""


def redacted(event: Event) -> Event:
    """Return the event with secrets masked in all of its text, as faces may have it."""
    # Snapshots hold numbers only, and a great many of them.
    numbers = isinstance(event, LatencySnapshot | LatencyPast)
    masked = event if numbers else _masked(event)
    return masked if isinstance(masked, Event) else event


def _masked(value: Any) -> Any:
    """The value itself if there is nothing to mask in it."""
    match value:
        case Enum() | bool() | int() | float() | None:
            return value
        case str():
            return redactor.redact(value)
        case tuple():
            items = tuple(map(_masked, value))
            return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
        case dict():
            return {key: _masked(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        old = {one.name: getattr(value, one.name) for one in fields(value)}
        new = {name: _masked(one) for name, one in old.items() if name not in _NAMES}
        changed = {name: one for name, one in new.items() if one is not old[name]}
        return replace(value, **changed) if changed else value
    return value


def event_name(kind: type[Event]) -> str:
    """Return the name an event has in JSON: `LatencySnapshot` is `latency-snapshot`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()


def encode(event: Event) -> dict[str, Plain]:
    """Return the event as a JSON-ready object, secrets masked."""
    plain: dict[str, Plain] = {"event": event_name(type(event)), "time": round(event.time, 3)}
    for field in fields(event):
        if field.name == "time":
            continue
        value = getattr(event, field.name)
        if field.name in ("stage", "host", "run"):
            # Our own names: resuming reads them back, even if somebody's password is `kernel`.
            if value:
                plain[field.name] = str(value)
            continue
        plain[field.name] = to_plain(value)
    return plain


def to_plain(value: object) -> Plain:
    """Return `value` as JSON-ready data. TypeError for what has no place in an event."""
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return str(value.value)
        case str():
            return redactor.redact(value)
        case Path():
            return redactor.redact(str(value))
        case Known(inner):
            return {"value": to_plain(inner)}
        case Unknown(reason):
            return {"unknown": redactor.redact(reason)}
        case ThreadHistogram():
            return _histogram(value)
        case dict():
            return {redactor.redact(str(key)): to_plain(item) for key, item in value.items()}
        case tuple() | list() | frozenset():
            # Sets have no order of their own.
            items = sorted(value) if isinstance(value, frozenset) else value
            return [to_plain(item) for item in items]
        case _ if is_dataclass(value):
            return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} cannot be part of an event")


def _histogram(thread: ThreadHistogram) -> dict[str, Plain]:
    return {
        "cpu": thread.cpu,
        "buckets": len(thread.counts),
        "counts": {str(us): count for us, count in enumerate(thread.counts) if count},
        "overflows": thread.overflows,
        "minimum": thread.minimum,
        "average": round(thread.average, 3),
        "maximum": thread.maximum,
        "samples": thread.samples,
    }
