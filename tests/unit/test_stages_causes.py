"""The stage that measures what steals time: what it runs where, keeps, tells, and leaves."""

import stat
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest

from kubert_tui.base.errors import ExitCode, UnreachableError
from kubert_tui.causes.job import JobOutput, JobStage, JobState
from kubert_tui.causes.store import StoredHwlat, StoredTimerlat, load, newest
from kubert_tui.checks.finding import Finding, Level
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.measuring import CauseStored
from kubert_tui.events.model import (
    Event,
    Failure,
    FindingMade,
    Finished,
    PlanMade,
    StageFinished,
    StageState,
    Waiting,
)
from kubert_tui.events.questions import Answer, Choice, Question
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts, Tracing
from kubert_tui.hosts.interface import Host
from kubert_tui.latency.counters import Happened
from kubert_tui.latency.launch import Run
from kubert_tui.stages import causes_change, patience
from kubert_tui.stages.s09_causes import STAGE
from tests.support.blank import blank_facts, blank_lab
from tests.support.stages import World

FIXTURES = Path(__file__).parents[1] / "fixtures/causes"
OUT = {
    "hwlat.sh": (FIXTURES / "hwlat-6.1-rt-qemu.txt").read_text(),
    "timerlat.sh": (FIXTURES / "timerlat-rtla-6.1-qemu.txt").read_text(),
}
QUIET = "seconds 60\nthreshold 10\nwindow 1000000\nwidth 500000\nmode \ndone\n"
ENDED = JobState(JobStage.ENDED, exit_status=0)
RUNNING = JobState(JobStage.RUNNING, seconds=3)


@dataclass
class Jobs:
    """Jobs as hosts would run them."""

    states: dict[str, list[JobState]] = field(default_factory=dict)
    """By identity's instrument: what the looks to come tell."""
    begun: dict[str, tuple[str, ...]] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    lost: int = 0
    """Looks that do not get through."""
    text: dict[str, str] = field(default_factory=lambda: dict(OUT))

    def make(self, host: Host, directory: str, identity: str) -> "PretendedJob":
        assert directory
        return PretendedJob(self, host, identity)


@dataclass
class PretendedJob:
    jobs: Jobs
    host: Host
    identity: str
    error = Run.error

    def look(self, *, stop: bool = False) -> JobState:
        if self.jobs.lost:
            self.jobs.lost -= 1
            raise UnreachableError("cut", host=self.host.name)
        if stop:
            self.jobs.stopped.append(self.identity)
            return ENDED
        if self.identity not in self.jobs.begun:
            return JobState(JobStage.ABSENT)
        scripted = self.jobs.states.get(self.identity.split("-")[-2], [])
        return scripted.pop(0) if scripted else ENDED

    def begin(self, command: tuple[str, ...], *, systemd: bool) -> None:
        self.jobs.begun[self.identity] = command

    def is_of(self, command: tuple[str, ...]) -> bool:
        return self.jobs.begun.get(self.identity) == command

    def output(self) -> JobOutput:
        text = self.jobs.text[self.jobs.begun[self.identity][0]]
        return JobOutput(text, "it complained", Happened(3, "", None, False))

    def forget(self) -> None:
        self.jobs.forgotten.append(self.identity)
        self.jobs.begun.pop(self.identity, None)


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    made = Jobs()
    monkeypatch.setattr(causes_change, "Job", made.make)
    monkeypatch.setattr(causes_change, "_TURN", 0.0)
    monkeypatch.setattr(patience, "_RETRY", 0.0)
    return made


@dataclass
class Host8(World):
    """A host with what `tracers` and `rtla` say."""

    tracers: frozenset[str] = frozenset({"hwlat", "timerlat"})
    rtla: str = "rtla version 6.1"
    virtual: str = "none"
    privileged: bool = True

    def gather(self, host: Host, updates: bool, cancel: Flag) -> Facts:
        return blank_facts(
            host.name,
            kernel__boot_id=Known(f"boot-{self.boots.get(host.name, 0)}"),
            tracing=Known(Tracing("", Known(self.tracers), "")),
            tools__rtla=Known(self.rtla),
            virtualization=Known(self.virtual),
            privileged=Known(self.privileged),
        )


def run(world: Host8, *, at: Any = None) -> list[Event]:
    session = Session(
        blank_lab(), Options(), stages=(STAGE,), gather=world.gather, connect=world.connect
    )
    session.submit(STAGE.id)
    session.close()
    events = []
    for event in session.events():
        events.append(event)
        if isinstance(event, Question):
            session.answer(event.number, Answer(Choice.APPLY))
        if at:
            at(session, event)
    return events


def only(events: list[Event], kind: type[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def state(events: list[Event]) -> StageState:
    (finished,) = only(events, StageFinished)
    return StageState(finished.hosts["bull1"])


def findings(events: list[Event]) -> list[Finding]:
    return [event.finding for event in only(events, FindingMade)]


def test_both_instruments_are_measured_kept_and_told(jobs: Jobs) -> None:
    events = run(Host8())
    assert state(events) is StageState.DONE
    hardware, timer = findings(events)
    assert hardware.level is Level.WARNING
    assert "up to 111283 us at once, limit 10 us" in hardware.summary
    assert "3 SMIs" in hardware.summary
    assert "BIOS" in hardware.fix
    assert timer.summary.startswith("rtla timerlat: IRQ ")
    stored = [Path(event.path) for event in only(events, CauseStored)]
    assert [path.name for path in stored] == ["hwlat-bull1-1.json", "timerlat-bull1-1.json"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in stored] == [0o600, 0o600]
    assert load(stored[0], StoredHwlat).maximum == 111283
    assert load(stored[1], StoredTimerlat).histograms("thread")[0].samples > 0
    run_id = stored[0].parent.name
    assert newest(run_id, "bull1", StoredHwlat) == load(stored[0], StoredHwlat)
    assert [one.split("-")[-2] for one in jobs.forgotten] == ["hwlat", "timerlat"]


def test_the_plan_says_what_runs(jobs: Jobs) -> None:
    (plan,) = only(run(Host8()), PlanMade)
    assert [step.command for step in plan.steps] == [
        "hwlat.sh 60 10",
        "timerlat.sh 60 rtla timerlat hist -d 60s -p 200 -E 250 -P f:90",
    ]
    assert "interrupts are off" in plan.steps[0].title


def test_nothing_seen_is_ok_and_says_above_what(jobs: Jobs) -> None:
    jobs.text["hwlat.sh"] = QUIET
    hardware, _ = findings(run(Host8()))
    assert hardware.level is Level.OK
    assert "no gap above 10 us" in hardware.summary


def test_inside_a_hypervisor_it_is_the_hypervisors(jobs: Jobs) -> None:
    hardware, _ = findings(run(Host8(virtual="kvm")))
    assert "hypervisor" in hardware.why
    assert "BIOS" not in hardware.fix


@pytest.mark.parametrize(
    ("world", "why"),
    [
        (Host8(tracers=frozenset()), "its kernel has no hwlat tracer"),
        (Host8(virtual="podman"), "container"),
        (Host8(privileged=False), "root"),
    ],
    ids=["no tracer", "container", "plain user"],
)
def test_where_neither_can_be_used_it_is_skipped(jobs: Jobs, world: Host8, why: str) -> None:
    events = run(world)
    assert state(events) is StageState.SKIPPED
    assert why in only(events, StageFinished)[0].summary
    assert only(events, Finished)[0].exit_code == ExitCode.OK
    assert not jobs.begun
    assert not only(events, Question)


def test_what_one_host_lacks_is_unknown_never_nothing(jobs: Jobs) -> None:
    hardware, timer = findings(run(Host8(rtla="")))
    assert hardware.level is Level.WARNING
    assert (timer.level, timer.fix) == (Level.UNKNOWN, "Install rtla.")
    assert "rtla is not installed" in timer.summary


def test_measured_already_it_is_not_measured_again_unless_wanted(jobs: Jobs) -> None:
    world = Host8()
    session = Session(
        blank_lab(), Options(), stages=(STAGE,), gather=world.gather, connect=world.connect
    )
    session.submit(STAGE.id)
    session.submit(STAGE.id)
    session.submit(STAGE.id, again=True)
    session.close()
    states = []
    for event in session.events():
        if isinstance(event, Question):
            session.answer(event.number, Answer(Choice.APPLY))
        if isinstance(event, StageFinished):
            states.append(event.state)
    assert states == [StageState.DONE, StageState.SATISFIED, StageState.DONE]


def test_how_far_it_is_is_told(jobs: Jobs) -> None:
    jobs.states["hwlat"] = [RUNNING, JobState(JobStage.RUNNING, seconds=40)]
    waits = only(run(Host8()), Waiting)
    assert [(wait.elapsed, wait.limit) for wait in waits] == [(3.0, 60.0), (40.0, 60.0)]


def test_a_lost_connection_is_made_again(jobs: Jobs) -> None:
    jobs.lost = 3
    events = run(Host8())
    assert state(events) is StageState.DONE
    assert "goes on there" in only(events, Waiting)[0].what


def test_killed_it_has_failed_and_nothing_is_left(jobs: Jobs) -> None:
    jobs.states["timerlat"] = [JobState(JobStage.KILLED)]
    events = run(Host8())
    assert state(events) is StageState.FAILED
    (failure,) = only(events, Failure)
    assert "rtla timerlat was cut off" in failure.what
    assert not jobs.begun
    again = run(Host8())
    assert state(again) is StageState.DONE


def test_what_it_complains_of_is_told(jobs: Jobs) -> None:
    jobs.states["hwlat"] = [JobState(JobStage.ENDED, exit_status=1)]
    (failure,) = only(run(Host8()), Failure)
    assert failure.details == "it complained"
    assert failure.exit_code == ExitCode.MEASUREMENT_FAILED


def test_cancelled_it_is_stopped_on_the_host(jobs: Jobs) -> None:
    jobs.states["hwlat"] = [RUNNING] * 1000

    def cancel(session: Session, event: Event) -> None:
        if isinstance(event, Waiting):
            session.cancel()

    events = run(Host8(), at=cancel)
    assert state(events) is StageState.CANCELLED
    assert len(jobs.stopped) == 1
    assert not jobs.begun


def test_let_go_of_it_goes_on_and_is_found_again(jobs: Jobs) -> None:
    jobs.states["hwlat"] = [RUNNING] * 1000

    def let_go(session: Session, event: Event) -> None:
        if isinstance(event, Waiting):
            session.detach()

    events = run(Host8(), at=let_go)
    assert state(events) is StageState.RUNNING
    assert not jobs.stopped
    (there,) = jobs.begun
    jobs.states.clear()
    assert state(run(Host8())) is StageState.DONE
    assert jobs.forgotten[0] == there


def test_one_with_other_settings_is_ended_first(jobs: Jobs) -> None:
    world = Host8()

    def other(session: Session, event: Event) -> None:
        if isinstance(event, Question):
            identity = f"{session.run}-bull1-hwlat-1"
            jobs.begun[identity] = ("hwlat.sh", "9999", "10")

    assert state(run(world, at=other)) is StageState.DONE
    assert len(jobs.stopped) == 1
