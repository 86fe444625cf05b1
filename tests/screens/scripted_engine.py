"""An engine that plays prepared events: what the screens are tested and looked at with."""

import queue
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event as Flag
from threading import Thread

from kubert_tui.events.measuring import LatencySnapshot
from kubert_tui.events.model import Event, Finished, StageFinished, StageStarted, StageState
from kubert_tui.events.questions import Answer, Answered, Question
from kubert_tui.lab.model import Lab
from kubert_tui.machines.order import Order
from kubert_tui.stages.machines_acts import Raw
from kubert_tui.stages.model import Stage

CLOCK = 1_700_000_000.0
"""Time of every event of a script."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A step of a script: wait until the test releases it (or the stage is cancelled)."""

    flag: Flag


@dataclass(frozen=True, slots=True)
class Branch:
    """A step of a script: go on with what the last answer chooses."""

    choose: Callable[[Answer], Sequence["Step"]]


Step = Event | Pause | Branch


@dataclass
class ScriptedEngine:
    """Plays `scripts[stage]` when a stage is submitted; `calls` says what was asked of it."""

    lab: Lab
    stages: tuple[Stage, ...]
    scripts: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    opening: Sequence[Event] = ()
    calls: list[tuple[object, ...]] = field(default_factory=list)
    answers: dict[int, Answer] = field(default_factory=dict)
    exit_code: int = 0
    _events: "queue.SimpleQueue[Event]" = field(default_factory=queue.SimpleQueue)
    _requests: "queue.SimpleQueue[str | None]" = field(default_factory=queue.SimpleQueue)
    _given: "queue.SimpleQueue[Answer | None]" = field(default_factory=queue.SimpleQueue)
    _open: set[int] = field(default_factory=set)
    _cancelled: Flag = field(default_factory=Flag)
    _detached: Flag = field(default_factory=Flag)
    _paused: Flag | None = None

    def __post_init__(self) -> None:
        for event in self.opening:
            self._emit(event)
        Thread(target=self._work, name="scripted-engine", daemon=True).start()

    def events(self) -> Iterator[Event]:
        while True:
            event = self._events.get()
            yield event
            if isinstance(event, Finished):
                return

    def submit(self, stage: str, *, again: bool = False) -> None:
        self.calls.append(("submit", stage, again) if again else ("submit", stage))
        self._requests.put(stage)

    def skip(self, stage: str, reason: str) -> None:
        self.calls.append(("skip", stage, reason))
        self._emit(
            StageFinished(
                stage=stage,
                state=StageState.SKIPPED,
                hosts={host.name: StageState.SKIPPED for host in self.lab.hosts},
                summary=f"skipped: {reason}",
            )
        )

    def answer(self, question: int, answer: Answer) -> None:
        self.calls.append(("answer", question, answer.choice))
        if question in self._open:
            self._open.discard(question)
            self.answers[question] = answer
            self._given.put(answer)

    def load(self, host: str, preset: str) -> None:
        self.calls.append(("load", host, preset))

    def machines(self, order: Order, raw: Raw | None = None) -> None:
        assert raw is None
        self.calls.append(("machines", order))

    def watch_cluster(self, *, on: bool) -> None:
        self.calls.append(("watch_cluster", on))

    def cancel(self) -> None:
        self.calls.append(("cancel",))
        self._stop()

    def detach(self) -> None:
        self.calls.append(("detach",))
        self._detached.set()
        self._stop()
        self._requests.put(None)

    def close(self) -> None:
        self.calls.append(("close",))
        self._requests.put(None)

    def play(self, events: Iterable[Event]) -> None:
        """Emit events out of order, as a test needs them."""
        for event in events:
            self._emit(event)

    def _stop(self) -> None:
        self._cancelled.set()
        if self._paused is not None:
            self._paused.set()
        self._given.put(None)

    def _emit(self, event: Event) -> None:
        self._events.put(replace(event, time=event.time or CLOCK))

    def _work(self) -> None:
        while (stage := self._requests.get()) is not None:
            self._emit(StageStarted(stage=stage, title=self._title(stage)))
            ended = self._play(stage, self.scripts.get(stage, ()))
            if self._cancelled.is_set():
                state = StageState.RUNNING if self._detached.is_set() else StageState.CANCELLED
                self._emit(self._end(stage, state))
                self._cancelled.clear()
            elif not ended:
                self._emit(self._end(stage, StageState.SATISFIED))
        self._emit(Finished(states={}, results=(), journal="journal", exit_code=self.exit_code))

    def _play(self, stage: str, steps: Sequence[Step]) -> bool:
        ended = False
        answer: Answer | None = None
        for step in steps:
            if self._cancelled.is_set():
                return ended
            match step:
                case Pause(flag):
                    self._paused = flag
                    flag.wait()
                    self._paused = None
                case Branch(choose):
                    ended |= answer is not None and self._play(stage, choose(answer))
                case Question():
                    answer = self._ask(replace(step, stage=stage))
                case LatencySnapshot():
                    self._emit(replace(step, stage=stage))
                case _:
                    ended |= isinstance(step, StageFinished)
                    self._emit(replace(step, stage=stage))
        return ended

    def _ask(self, question: Question) -> Answer | None:
        self._open.add(question.number)
        self._emit(question)
        answer = self._given.get()
        if answer is not None:
            self._emit(
                Answered(
                    stage=question.stage,
                    host=question.host,
                    number=question.number,
                    kind=question.kind,
                    choice=answer.choice,
                    text=answer.text,
                )
            )
        return answer

    def _end(self, stage: str, state: StageState) -> StageFinished:
        hosts = {host.name: state for host in self.lab.hosts}
        return StageFinished(stage=stage, state=state, hosts=hosts, summary=str(state))

    def _title(self, stage: str) -> str:
        return next(one.title for one in self.stages if one.id == stage)
