"""One run as the app holds it: its engine, what its events told so far, and its questions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from textual.app import App
from textual.message import Message
from textual.signal import Signal

from kubert_tui.engine.interface import Engine
from kubert_tui.events.model import Event, StageFinished
from kubert_tui.events.questions import Answered, Question
from kubert_tui.latency.digest import Digest
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.history import History
from kubert_tui.machines.order import Order
from kubert_tui.screens.bridge import Bridge, Result
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.questions.desk import QuestionDesk
from kubert_tui.screens.run_view import Area, Areas, RunView


class EventsReady(Message):
    """Events of a run wait to be taken. Posted from the reader thread."""

    def __init__(self, session: "RunSession") -> None:
        super().__init__()
        self.session = session


class EventsEnded(Message):
    """The events of a run ended; `problem` says why if that was not as it should be."""

    def __init__(self, session: "RunSession", problem: str) -> None:
        super().__init__()
        self.session = session
        self.problem = problem


@dataclass(frozen=True, slots=True)
class RunChange:
    """What one batch of events changed."""

    events: tuple[Event, ...]
    areas: Areas


class RunSession:
    """An engine that is open. Belongs to the app, so that it outlives any screen."""

    def __init__(
        self,
        app: App[int],
        engine: Engine,
        glyphs: Glyphs,
        agreed: frozenset[str] = frozenset(),
    ) -> None:
        """`agreed` are stages whose plan needs no review."""
        self.view = RunView(engine.lab, engine.stages)
        self.changed: Signal[RunChange] = Signal(app, "run-changed")
        """Published on the UI thread after each batch."""
        self.ended = False
        self._engine = engine
        self._bridge = Bridge(
            engine,
            wake=lambda: app.post_message(EventsReady(self)),
            ended=lambda problem: app.post_message(EventsEnded(self, problem)),
        )
        self._desk = QuestionDesk(app, engine.answer, self.view, glyphs, agreed)

    def start(self) -> None:
        """Begin to read events."""
        self._bridge.start()

    def submit(self, *stages: str, again: bool = False) -> None:
        """Ask the engine for stages, in that order."""
        self.view.asked_for(stages)
        for stage in stages:
            self._engine.submit(stage, again=again)
        self._publish((), frozenset({Area.RAIL, Area.GUIDE, Area.STATUS}))

    def skip(self, stage: str, reason: str) -> None:
        """Skip a stage."""
        self._engine.skip(stage, reason)

    def load(self, host: str, preset: str) -> None:
        """Load a host while it is measured; `none` ends that."""
        if not self.ended:
            self._engine.load(host, preset)

    def machines(self, order: Order) -> None:
        """Ask for something to be done about the virtual machines."""
        if not self.ended:
            self.view.ordered = (*self.view.ordered, str(order.action))
            self._engine.machines(order)
            self._publish((), frozenset({Area.STATUS}))

    def watch_cluster(self, *, on: bool) -> None:
        """Have the cluster watched, or not any more."""
        if not self.ended:
            self._engine.watch_cluster(on=on)

    def cancel(self) -> None:
        """Cancel what runs and what is queued."""
        self.view.cancelling = True
        self.view.queued = []
        self._engine.cancel()
        self._publish((), frozenset({Area.RAIL, Area.GUIDE, Area.STATUS}))

    def leave(self) -> None:
        """Let go: the engine ends its work here, a measurement on a host goes on."""
        self._engine.detach()

    def close(self) -> None:
        """Let the engine finish what is queued and end."""
        self._engine.close()

    def snapshot(self, host: str) -> Snapshot | None:
        """Return the newest snapshot of a host's measurement."""
        digest = self._bridge.latest.get(host)
        return None if digest is None else digest.snapshot

    def digest(self, host: str) -> Digest | None:
        """Return it with what is shown of it worked out."""
        return self._bridge.latest.get(host)

    def of_history(self, host: str, use: Callable[[History], Result]) -> Result | None:
        """Return what `use` makes of the history of a host's measurement."""
        return self._bridge.of_history(host, use)

    def take(self) -> bool:
        """Fold the waiting events in and tell who listens; False if there were none."""
        events = self._bridge.take()
        if not events:
            return False
        areas: set[Area] = set()
        for event in events:
            areas |= self.view.apply(event)
        self._publish(events, frozenset(areas))
        self._ask(events)
        return True

    def finish(self, problem: str) -> None:
        """Take what is left after the last event."""
        while self.take():
            pass
        self.ended = True
        self._desk.withdraw_all()
        if problem:
            self.view.activity = problem
            self._publish((), frozenset({Area.STATUS}))

    def _ask(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, Question) and event.number in self.view.questions:
                self._desk.ask(event)
            elif isinstance(event, Answered | StageFinished):
                self._desk.withdraw_settled()

    def _publish(self, events: tuple[Event, ...], areas: Areas) -> None:
        self.changed.publish(RunChange(events, areas))
