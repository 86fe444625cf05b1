"""How far a long piece of work is and when it ends: steps, their usual durations, a clock."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubert_tui.base import paths
from kubert_tui.practice.model import Order, Progress


@dataclass(frozen=True, slots=True)
class Step:
    """A part of building or starting that takes long enough to be told about."""

    name: str
    """What is being done, as people read it: `unpacking packages`."""
    seconds: float
    """How long it takes on a small computer: used until it has been measured here."""


class Pace:
    """Reports progress of `steps`, worked on in order, and stops the work once cancelled.

    `memory` is a JSON file of measured durations by step name; unreadable is the same as absent.
    """

    def __init__(
        self,
        order: Order,
        steps: Sequence[Step],
        memory: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._order = order
        self._memory = memory
        self._clock = clock
        known = _durations(memory)
        self._expected = {step.name: max(known.get(step.name, step.seconds), 0.1) for step in steps}
        self._spent: dict[str, float] = {}
        self._now = ""
        self._began = 0.0

    def begin(self, step: str) -> None:
        """Finish the step before and begin this one; CancelledError once called off."""
        self.finish_step()
        self._expected.setdefault(step, 1.0)
        self._now, self._began = step, self._clock()
        self.tick()

    def tick(self) -> None:
        """Report again (call it about once a second); CancelledError once called off."""
        self._order.stop_if_cancelled()
        if not self._now:
            return
        spent = self._clock() - self._began
        # A step that takes longer than usual is nearly done for as long as it takes.
        part = min(spent, 0.97 * self._expected[self._now])
        finished = sum(self._expected[name] for name in self._spent)
        total = sum(self._expected.values())
        done = (finished + part) / total
        self._order.on_progress(Progress(self._now, min(done, 1.0), total - finished - part))

    def wait(self) -> None:
        """Report that somebody else has to get done first; CancelledError once called off."""
        self._order.stop_if_cancelled()
        self._order.on_progress(Progress("waiting for another kubert-tui", 0.0, None))

    def finish_step(self) -> None:
        """The step under way is done; how long it took is remembered."""
        if self._now:
            self._spent[self._now] = self._clock() - self._began
            self._now = ""

    def finish(self, *, remember: bool = True) -> None:
        """All is done: report that, and keep the measured durations for the next time."""
        last = self._now
        self.finish_step()
        if remember and self._memory is not None and self._spent:
            durations = {**_durations(self._memory), **self._spent}
            rounded = {name: round(seconds, 1) for name, seconds in durations.items()}
            paths.write_private(self._memory, json.dumps(rounded, indent=1, sort_keys=True))
        self._order.on_progress(Progress(last, 1.0, 0.0))


def _durations(memory: Path | None) -> dict[str, float]:
    try:
        data = json.loads(memory.read_text(encoding="utf-8")) if memory else {}
    except (OSError, ValueError):
        return {}
    if not isinstance(data, dict):
        return {}
    return {
        str(name): float(seconds)
        for name, seconds in data.items()
        if isinstance(seconds, int | float) and 0 <= seconds < 86400
    }
