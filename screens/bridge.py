"""From the engine's thread to Textual: one reader thread, batches, newest snapshots only.

Events go over as few messages as the interface can take: the thread appends to a list and
posts one wake-up while the list was empty; the handler takes all that has gathered. Latency
snapshots never become messages: there is one slot per host, and a timer looks into it.
"""

from collections.abc import Callable
from dataclasses import replace
from threading import Lock, Thread
from typing import TypeVar

from kubert_tui.engine.interface import Engine
from kubert_tui.events.measuring import LatencyPast, LatencySnapshot, LatencyStarted
from kubert_tui.events.model import Event, Output
from kubert_tui.latency.digest import Digest, Digester
from kubert_tui.latency.history import History
from kubert_tui.latency.recorded import Recorded

Result = TypeVar("Result")

USUAL_INTERVAL = 200
"""us; of a measurement whose beginning was not told."""

RECORDED_EVERY = 10.0
"""Seconds."""

TAKE_LIMIT = 400
"""Events handed over at once: bounds how long a handler may take."""


class Bridge:
    """Reads an engine's events on a thread of its own until they end."""

    def __init__(
        self, engine: Engine, wake: Callable[[], object], ended: Callable[[str], object]
    ) -> None:
        """`wake` and `ended` are called on the reader thread; `ended` with an error or ``."""
        self.latest: dict[str, Digest] = {}
        """Newest snapshot by host, digested. Read it when you like; it is replaced, not changed."""
        self._digesters: dict[str, Digester] = {}
        self._histories: dict[str, History] = {}
        self._history_lock = Lock()
        self._engine = engine
        self._wake = wake
        self._ended = ended
        self._lock = Lock()
        self._gathered: list[Event] = []
        self._thread = Thread(target=self._read, name="engine-events", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def take(self) -> tuple[Event, ...]:
        """Return what has gathered (at most TAKE_LIMIT events); wakes again if more is left."""
        with self._lock:
            taken, self._gathered = self._gathered[:TAKE_LIMIT], self._gathered[TAKE_LIMIT:]
            more = bool(self._gathered)
        if more:
            self._wake()
        return tuple(_joined(taken))

    def of_history(self, host: str, use: Callable[[History], Result]) -> Result | None:
        """Return what `use` makes of a host's history, which stands still meanwhile."""
        with self._history_lock:
            history = self._histories.get(host)
            return None if history is None else use(history)

    def _read(self) -> None:
        problem = ""
        try:
            for event in self._engine.events():
                self._one(event)
        except Exception as error:
            # The thread's last words: without them the wizard would wait without end.
            problem = f"{type(error).__name__}: {error}"
        self._ended(problem)

    def _one(self, event: Event) -> None:
        match event:
            case LatencySnapshot(snapshot=snapshot):
                with self._history_lock:
                    self._histories.setdefault(event.host, History()).take(snapshot)
                digester = self._digesters.setdefault(event.host, Digester(USUAL_INTERVAL))
                self.latest[event.host] = digester.digest(snapshot)
                return
            case LatencyPast(recorded=recorded):
                self._precede(event.host, recorded)
                return
            case LatencyStarted(attached=attached, interval=interval):
                self.latest.pop(event.host, None)
                self._digesters[event.host] = Digester(interval)
                if not attached:
                    with self._history_lock:
                        self._histories.pop(event.host, None)
        with self._lock:
            self._gathered.append(event)
            first = len(self._gathered) == 1
        if first:
            self._wake()

    def _precede(self, host: str, recorded: Recorded) -> None:
        """Take the past from the host's records, unless we have seen it ourselves."""
        history = History()
        history.precede(recorded)
        with self._history_lock:
            own = self._histories.get(host)
            if own is not None and _sees_better(own):
                return
            if newest := self.latest.get(host):
                history.take(newest.snapshot)
            self._histories[host] = history


def _sees_better(history: History) -> bool:
    """Whether it was there all the time: the host records but every ten seconds."""
    return history.begin == 0.0 and history.longest < RECORDED_EVERY


def _joined(events: list[Event]) -> list[Event]:
    """Join neighbouring batches of output of one host, stream and stage."""
    joined: list[Event] = []
    run: list[Output] = []

    def flush() -> None:
        if run:
            lines = tuple(line for one in run for line in one.lines)
            joined.append(replace(run[0], lines=lines))
            run.clear()

    for event in events:
        if not isinstance(event, Output):
            flush()
            joined.append(event)
            continue
        if run and (run[0].stage, run[0].host, run[0].stream) != (
            event.stage,
            event.host,
            event.stream,
        ):
            flush()
        run.append(event)
    flush()
    return joined
