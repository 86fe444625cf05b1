"""Where in a run a fault strikes: at the k-th event of a kind, or in the midst of something."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Entry = dict[str, Any]

_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}


@dataclass(frozen=True)
class Point:
    """An event of a stage; with `held`, the moment after it at which an installation stands."""

    stage: str
    event: str
    kth: int = 1
    held: bool = False
    fields: Mapping[str, object] = field(default_factory=dict)

    def matches(self, entry: Entry) -> bool:
        """Whether this is such an event (the k-th is for whoever counts)."""
        return (
            entry["event"] == self.event
            and entry.get("stage", "") == self.stage
            and self.fields.items() <= entry.items()
        )

    def __str__(self) -> str:
        if self.held:
            return "a package half installed"
        count = "" if self.kth == 1 and self.event not in _MANY else f"{_ORDINALS[self.kth]} "
        more = "".join(f", {key} {value}" for key, value in self.fields.items())
        return f"{count}{self.event}{more}"


_MANY = ("task-finished", "latency-snapshot", "waiting", "facts-gathered")


@dataclass
class Count:
    """Counts matching events up to a point."""

    point: Point
    seen: int = 0

    def reached(self, entry: Entry) -> bool:
        """Take one event; true for the k-th that matches."""
        self.seen += self.point.matches(entry)
        return self.seen == self.point.kth and self.point.matches(entry)
