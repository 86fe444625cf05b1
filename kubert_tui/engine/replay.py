"""A run that is over, played back as an engine: the same events, in less time."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag
from typing import Any

from kubert_tui.base.errors import ExitCode, MeasurementError
from kubert_tui.base.text import clean_line
from kubert_tui.engine.journal import read
from kubert_tui.events.measuring import LatencySnapshot, LatencyStarted, LatencyStored, LoadChanged
from kubert_tui.events.model import Event, Finished, StageFinished, StageStarted, StageState
from kubert_tui.events.questions import Answer
from kubert_tui.lab.model import HostSpec, Lab
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.latency.stream import seconds, whole
from kubert_tui.machines.order import Order
from kubert_tui.results.evidence import limit_named
from kubert_tui.stages.machines_acts import Raw
from kubert_tui.stages.measured_load import load_changes
from kubert_tui.stages.measuring import stored_event
from kubert_tui.stages.model import Stage
from kubert_tui.stages.registry import all_stages

STAGE = "cyclictest"
LENGTH = 20.0
"""Seconds that a replay takes, however long the run was."""
_BUCKETS_LIMIT = 1_000_000


class Replay:
    """An engine that only tells (`engine.interface.Engine`): what it is asked for is ignored."""

    def __init__(
        self, name: str, events: list[Event], *, length: float = LENGTH,
        rest: Callable[[float], object] | None = None,
    ) -> None:  # fmt: skip
        """Play `events` (in their order, with their times) in `length` seconds."""
        hosts = dict.fromkeys(event.host for event in events if event.host)
        if not hosts:
            raise MeasurementError(f"{name} holds no measurement that could be played back")
        self._lab = Lab(name="replay", hosts=tuple(HostSpec(name=host) for host in hosts))
        self._events = events
        self._length = length
        self._name = name
        self._over = Flag()
        self._rest = rest or self._over.wait

    @property
    def lab(self) -> Lab:
        """The hosts that were measured."""
        return self._lab

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages."""
        return all_stages()

    def events(self) -> Iterator[Event]:
        """Yield what was told, at its pace; at once when it is let go."""
        yield StageStarted(stage=STAGE, title=f"Replay of {self._name}", time=time.time())
        times = [event.time for event in self._events]
        begin, whole_length = min(times), max(max(times) - min(times), 0.001)
        now = 0.0
        for event in self._events:
            at = (event.time - begin) / whole_length * self._length
            if at > now and not self._over.is_set():
                self._rest(at - now)
                now = at
            yield event
        done = dict.fromkeys((host.name for host in self._lab.hosts), StageState.DONE)
        yield StageFinished(stage=STAGE, state=StageState.DONE, hosts=done, summary="played back")
        yield Finished(
            states={STAGE: StageState.DONE}, results=(), journal="", exit_code=int(ExitCode.OK)
        )

    def submit(self, stage: str, *, again: bool = False) -> None:
        """Nothing is done."""

    def skip(self, stage: str, reason: str) -> None:
        """Nothing is done."""

    def answer(self, question: int, answer: Answer) -> None:
        """Nothing is asked."""

    def machines(self, order: Order, raw: Raw | None = None) -> None:
        """Nothing is ordered."""

    def load(self, host: str, preset: str) -> None:
        """Nothing is loaded."""

    def watch_cluster(self, *, on: bool) -> None:
        """Nothing is watched."""

    def cancel(self) -> None:
        """Tell the rest at once."""
        self._over.set()

    def detach(self) -> None:
        """Tell the rest at once."""
        self._over.set()

    def close(self) -> None:
        """It ends by itself."""


def events_of_journal(path: Path) -> list[Event]:
    """Return what a journal tells of measurements; lines that make no sense are left out."""
    found: list[Event] = []
    for entry in read(path):
        try:
            event = _event(entry)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            continue
        if event is not None:
            found.append(event)
    return sorted(found, key=lambda event: event.time)


def events_of_stored(stored: StoredMeasurement, path: str) -> list[Event]:
    """Return the events of a result that stands alone: its beginning, its end, its judgement."""
    host = clean_line(stored.host, limit=100)
    limit = limit_named(stored)
    about: dict[str, Any] = {"stage": STAGE, "host": host}
    # The file is somebody's: what it says is shown.
    told = stored_event(host, clean_line(path, limit=4096), stored)
    told = replace(
        told,
        stage=STAGE,
        time=stored.finished,
        notes=tuple(map(clean_line, told.notes)),
        interrupted=clean_line(told.interrupted),
        verdict=clean_line(told.verdict),
        reasons=tuple(map(clean_line, told.reasons)),
    )
    loads = [
        replace(change, stage=STAGE, time=stored.started + change.elapsed)
        for one in stored.loads
        for change in load_changes(host, one)
    ]
    return [
        LatencyStarted(
            time=stored.started, **about, command=tuple(map(clean_line, stored.command)),
            version=clean_line(stored.version), interval=stored.interval, loops=stored.loops,
            cpus=stored.cpus, started=stored.started, limit=limit.microseconds if limit else 0,
            parent=clean_line(stored.parent, limit=100),
        ),
        *loads,
        LatencySnapshot(
            time=stored.finished, **about,
            snapshot=replace(stored.snapshot(), final=not stored.interrupted),
        ),
        told,
    ]  # fmt: skip


def _event(entry: dict[str, Any]) -> Event | None:
    about: dict[str, Any] = {"time": seconds(entry["time"]), "stage": STAGE}
    about["host"] = clean_line(str(entry.get("host", "")), limit=100)
    match entry["event"]:
        case "latency-started":
            return LatencyStarted(
                **about,
                command=tuple(clean_line(str(word)) for word in entry["command"]),
                version=clean_line(str(entry["version"])),
                interval=max(whole(entry["interval"]), 1),
                loops=max(whole(entry["loops"]), 1),
                cpus=tuple(whole(cpu) for cpu in entry["cpus"]),
                started=seconds(entry["started"]),
                limit=whole(entry.get("limit", 0)),
                parent=clean_line(str(entry.get("parent", "")), limit=100),
            )
        case "latency-snapshot":
            return LatencySnapshot(**about, snapshot=_snapshot(entry["snapshot"]))
        case "load-changed":
            return LoadChanged(
                **about,
                preset=clean_line(str(entry["preset"]), limit=32),
                command=tuple(clean_line(str(word)) for word in entry["command"]),
                cpus=clean_line(str(entry["cpus"]), limit=100),
                elapsed=seconds(entry["elapsed"]),
                on=entry["on"] is True,
                reason=clean_line(str(entry.get("reason", ""))),
            )
        case "latency-stored":
            return LatencyStored(
                **about,
                path=clean_line(str(entry["path"]), limit=4096),
                samples=whole(entry["samples"]),
                maximum=whole(entry["maximum"]),
                exact=entry["exact"] is True,
                interrupted=clean_line(str(entry.get("interrupted", ""))),
                passed=entry.get("passed") if isinstance(entry.get("passed"), bool) else None,
                verdict=clean_line(str(entry.get("verdict", ""))),
                reasons=tuple(clean_line(str(one)) for one in entry.get("reasons", ())),
            )
    return None


def _snapshot(told: dict[str, Any]) -> Snapshot:
    one, five, fifteen = (seconds(load) for load in told["load"])
    return Snapshot(
        sequence=whole(told["sequence"]),
        elapsed=seconds(told["elapsed"]),
        threads=tuple(_thread(thread) for thread in told["threads"]),
        load=(one, five, fifteen),
        final=told["final"] is True,
    )


def _thread(told: dict[str, Any]) -> ThreadHistogram:
    size = whole(told["buckets"])
    if size > _BUCKETS_LIMIT:
        raise ValueError("too many buckets")
    counts = [0] * size
    for us, count in told["counts"].items():
        if not us.isdecimal():
            raise ValueError("no bucket")
        counts[int(us[:9])] = whole(count)
    return ThreadHistogram(
        cpu=whole(told["cpu"]),
        counts=tuple(counts),
        overflows=whole(told["overflows"]),
        minimum=whole(told["minimum"]),
        average=seconds(told["average"]),
        maximum=whole(told["maximum"]),
    )
