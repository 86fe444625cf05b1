"""Density runs: which steps are measured, what is left behind, and how a run goes on."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest

from kubert_tui.base.errors import (
    CancelledError,
    ChangeError,
    DetachedError,
    ExitCode,
    MeasurementError,
    UnreachableError,
)
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.measuring import (
    ApplicationsRunning,
    DensityMeasured,
    LatencyStarted,
    MeasurementEnded,
)
from kubert_tui.events.model import Failure, Note, PlanMade, StageFinished, StageState
from kubert_tui.events.questions import Answer, Choice, Question
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.facts.workloads import PodSeen
from kubert_tui.hosts.interface import Host
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.lab.workload_objects import Application
from kubert_tui.latency.applications import StoredApplications, end_of
from kubert_tui.latency.command import order_for
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.launch import RunState, Stage
from kubert_tui.latency.store import save
from kubert_tui.stages import density_change, density_steps
from kubert_tui.stages.measuring import result_path, stored_event
from kubert_tui.stages.model import Work
from kubert_tui.stages.s25_density import STAGE
from tests.support.latency_facts import facts_of
from tests.support.stages import World
from tests.support.stored import stored_measurement
from tests.unit.test_engine_session import Outcome, run

LAB = """\
name: twins
hosts: [{name: bull1, address: a.invalid}, {name: Bull2, address: b.invalid}]
allow: [cluster]
cluster: {packages: preinstalled}
workloads:
  - {name: loop, preset: control-loop, image: rt}
  - {name: burn, preset: stress-ng, image: rt}
cyclictest: {duration: 1s, limit: 50us}
density: {max: 2}
"""
NO_CPU = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had taints."


@dataclass
class Cluster(World):
    """Two nodes; the second runs applications, as many as there is room for."""

    room: int = 99
    wrong: str = ""
    """The applications do not run, because of this."""
    stays: bool = False
    """What is to be removed cannot be."""
    running: int = 0
    restarts: int = 0
    """Of each pod."""
    applied: list[str] = field(default_factory=list)
    worst: dict[int, int] = field(default_factory=dict)
    """us, by number of applications."""
    trouble: Callable[[str, int], BaseException | None] = lambda host, count: None
    measured: list[tuple[str, int]] = field(default_factory=list)
    states: dict[str, RunState] = field(default_factory=dict)
    """By identity: what is under way on a host."""
    stopped: list[str] = field(default_factory=list)

    def gather(self, host: Host, updates: bool, cancel: Flag) -> Facts:
        del updates, cancel
        facts = facts_of(online=(0, 1))
        boot = Known(f"boot-{self.boots.get(host.name, 0)}")
        return replace(facts, host=host.name, kernel=replace(facts.kernel, boot_id=boot))

    def measure(
        self, work: Work, host: str, applications: StoredApplications | None = None
    ) -> None:
        assert applications is not None
        count = applications.count
        assert count == self.running
        if error := self.trouble(host, count):
            raise error
        self.measured.append((host, count))
        counts = [0] * 100
        worst = self.worst.get(count, 10)
        counts[worst] = 1000
        thread = ThreadHistogram(0, tuple(counts), 0, worst, float(worst), worst)
        order = order_for(work.lab, work.facts(host), work.measurement(host))
        stored = stored_measurement(host, Snapshot(1, 1.0, (thread,), final=True))
        marks = stored.fingerprint.model_copy(
            update={"boot_id": f"boot-{self.boots.get(host, 0)}", "realtime": {"uname": "yes"}}
        )
        stored = stored.model_copy(
            update={
                "identity": work.measurement(host), "command": order.command,
                "run": work.directory.name, "limit": work.lab.cyclictest.limit, "stage": work.stage,
                "applications": applications, "fingerprint": marks, "policy": "fifo 90",
                "interval": 1000,
            }
        )  # fmt: skip
        path = result_path(work, host)
        save(path, stored)
        work.emit(stored_event(host, str(path), stored))


@dataclass
class Pretended:
    """Stands for `Workloads`."""

    cluster: Cluster
    work: Work
    found: tuple[Application, ...]

    def run(self, copies: int) -> str:
        self.cluster.applied.append(f"{copies}")
        if self.cluster.wrong:
            raise ChangeError(self.cluster.wrong)
        self.cluster.running = copies
        return NO_CPU if copies > self.cluster.room else ""

    @property
    def lead(self) -> str:
        return "bull1"

    def pods(self) -> tuple[PodSeen, ...]:
        one = PodSeen("p", "loop", "bull2", ready=True, restarts=self.cluster.restarts)
        return (one,) * (2 * self.cluster.running)

    def remove(self) -> None:
        self.cluster.applied.append("removed")
        if self.cluster.stays:
            raise ChangeError("the applications cannot be removed", host="bull1")
        self.cluster.running = 0


@dataclass
class PretendedRun:
    """Stands for `Run`: what is under way on a host."""

    cluster: Cluster
    identity: str

    def look(self) -> RunState:
        return self.cluster.states.get(self.identity, RunState(Stage.ABSENT))

    def stop(self) -> None:
        self.cluster.stopped.append(self.identity)
        self.cluster.states[self.identity] = RunState(Stage.ENDED, exit_status=0)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    monkeypatch.setattr(density_change, "Workloads", lambda *about: Pretended(made, *about))
    monkeypatch.setattr(density_steps, "measure_one", made.measure)
    monkeypatch.setattr(
        density_steps, "Run", lambda host, directory, identity: PretendedRun(made, identity)
    )
    return made


def lab(text: str = LAB) -> Lab:
    return parse_lab(text, "twins.yaml")


def density(world: Cluster, of: Lab | None = None, **options: Any) -> Outcome:
    return run(world, STAGE, lab=of or lab(), **options)


def state(outcome: Outcome) -> dict[str, StageState]:
    (finished,) = outcome.only(StageFinished)
    return dict(finished.hosts)


def test_each_step_is_measured_and_nothing_is_left(cluster: Cluster) -> None:
    cluster.worst = {0: 10, 1: 30, 2: 60}
    outcome = density(cluster)
    assert state(outcome) == {"bull1": StageState.SKIPPED, "Bull2": StageState.DONE}
    assert cluster.measured == [("Bull2", 0), ("Bull2", 1), ("Bull2", 2)]
    assert cluster.applied == ["0", "1", "2", "removed"]
    told = outcome.only(ApplicationsRunning)
    assert [(one.applications, one.names, one.pods) for one in told] == [
        (0, ("loop", "burn"), 0), (1, ("loop", "burn"), 2), (2, ("loop", "burn"), 4),
    ]  # fmt: skip
    (curve,) = outcome.only(DensityMeasured)
    assert [(one.applications, one.figures[-1], one.below) for one in curve.points] == [
        (0, "10", True), (1, "30", True), (2, "60", False),
    ]  # fmt: skip
    assert curve.statement == "the limit of 50 us breaks at 2 applications: the worst took 60 us"


def test_the_plan_names_applications_steps_and_the_measurement(cluster: Cluster) -> None:
    (plan,) = density(cluster, dry_run=True).only(PlanMade)
    assert [step.host for step in plan.steps] == ["Bull2"] * len(plan.steps)
    titles = "\n".join(step.title for step in plan.steps)
    assert "application loop on bull2: rt, 1 CPU and 256MiB of its own" in titles
    assert "then with 1 to 2 of each" in titles
    assert "stress-ng --quiet --cpu 1" in [step.command for step in plan.steps]
    assert any("cyclictest" in step.command for step in plan.steps)
    assert plan.needs == ("cluster",)
    assert cluster.applied == []


def test_who_asks_again_gets_all_of_it_measured_again(cluster: Cluster) -> None:
    cluster.trouble = lambda _, count: MeasurementError("cut off") if count == 2 else None
    density(cluster)  # it fails, so that the same run goes on
    cluster.trouble = lambda _, count: None
    session = Session(lab(), Options(), (STAGE,), cluster.gather, cluster.connect)
    session.submit(STAGE.id)
    session.submit(STAGE.id)
    session.submit(STAGE.id, again=True)
    session.close()
    outcome = Outcome()
    for event in session.events():
        outcome.events.append(event)
        if isinstance(event, Question):
            session.answer(event.number, Answer(Choice.APPLY))
    states = [one.hosts["Bull2"] for one in outcome.only(StageFinished)]
    assert states == [StageState.DONE, StageState.SATISFIED, StageState.DONE]
    assert [count for _, count in cluster.measured] == [0, 1, 2, 0, 1, 2]


def test_no_room_for_another_ends_the_steps_with_that_fact(cluster: Cluster) -> None:
    cluster.room = 1
    outcome = density(cluster)
    assert state(outcome)["Bull2"] is StageState.DONE
    assert cluster.measured == [("Bull2", 0), ("Bull2", 1)]
    assert cluster.applied == ["0", "1", "2", "removed"]
    (curve,) = outcome.only(DensityMeasured)
    assert curve.statement == (
        "the limit of 50 us is not reached up to 1 application: the worst took 10 us; "
        "no room for the 2nd: Insufficient cpu"
    )
    end = end_of(Path(outcome.finished.journal).parent.name)
    assert end is not None
    assert (end.reached, end.reason) == (1, "no room for the 2nd: Insufficient cpu")


@pytest.mark.parametrize("error", [CancelledError("stop"), MeasurementError("broken")])
def test_whatever_fails_the_applications_are_removed(
    cluster: Cluster, error: BaseException
) -> None:
    cluster.trouble = lambda _, count: error if count == 1 else None
    outcome = density(cluster)
    assert cluster.applied[-2:] == ["1", "removed"]
    assert not outcome.only(DensityMeasured)
    assert outcome.finished.exit_code != ExitCode.OK
    # The same again goes on: what is measured is not measured again.
    cluster.trouble = lambda _, count: None
    again = density(cluster)
    assert cluster.measured == [("Bull2", 0), ("Bull2", 1), ("Bull2", 2)]
    assert cluster.applied[-3:] == ["1", "2", "removed"]
    assert len(again.only(DensityMeasured)[0].points) == 3


def test_applications_that_do_not_run_fail_the_stage_and_go(cluster: Cluster) -> None:
    cluster.wrong = "the pod x does not run: ImagePullBackOff"
    outcome = density(cluster)
    assert state(outcome)["Bull2"] is StageState.FAILED
    assert cluster.applied == ["0", "removed"]
    assert outcome.only(Failure)[0].what == cluster.wrong


@pytest.mark.parametrize(
    "error", [DetachedError("let go"), UnreachableError("it is gone", host="Bull2")]
)
def test_what_is_measured_on_without_us_keeps_its_applications(
    cluster: Cluster, error: BaseException
) -> None:
    cluster.trouble = lambda _, count: error if count == 1 else None
    density(cluster)
    assert cluster.applied == ["0", "1"]
    cluster.trouble = lambda _, count: None
    density(cluster)
    assert cluster.applied[2:] == ["1", "2", "removed"]
    assert cluster.measured == [("Bull2", 0), ("Bull2", 1), ("Bull2", 2)]


def test_removing_that_fails_is_told_and_tried_again(cluster: Cluster) -> None:
    cluster.stays = True
    outcome = density(cluster)
    assert state(outcome)["Bull2"] is StageState.FAILED
    assert "cannot be removed" in outcome.only(Failure)[0].what
    cluster.stays = False
    again = density(cluster)
    assert state(again)["Bull2"] is StageState.DONE
    assert len(cluster.measured) == 3
    assert cluster.applied[-1] == "removed"


def test_a_note_tells_what_stays_after_another_failure(cluster: Cluster) -> None:
    cluster.stays, cluster.wrong = True, "they do not run"
    notes = [one.text for one in density(cluster).only(Note)]
    assert any("cannot be removed" in text for text in notes)


def test_applications_that_did_not_last_are_told_of(cluster: Cluster) -> None:
    assert not density(cluster).only(Note)
    cluster.restarts = 1
    notes = [one.text for one in density(cluster).only(Note)]
    assert [text.partition(":")[0] for text in notes] == [
        "of 2 pods 2 were ready at the end of this step, and they were restarted 2 times",
        "of 4 pods 4 were ready at the end of this step, and they were restarted 4 times",
    ]


def test_a_measurement_of_another_step_is_ended_first(cluster: Cluster) -> None:
    def lost(work: Work, host: str, applications: StoredApplications | None = None) -> None:
        if applications and applications.count == 1:
            identity = work.measurement(host)
            cluster.states[identity] = RunState(Stage.RUNNING)
            work.emit(
                LatencyStarted(
                    host=host, command=("cyclictest",), version="2.4", interval=200, loops=1,
                    cpus=(0,), started=0,
                )
            )  # fmt: skip
            raise DetachedError("let go")
        cluster.measure(work, host, applications)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(density_steps, "measure_one", lost)
        density(cluster)
    # The lab file is edited: one application only, so that what runs is of no step any more.
    changed = lab(LAB.replace("density: {max: 2}", "density: {max: 2, workloads: [burn]}"))
    outcome = density(cluster, changed)
    assert cluster.stopped == list(cluster.states)
    (ended,) = outcome.only(MeasurementEnded)
    assert "other applications" in ended.reason
    assert cluster.measured == [("Bull2", 0), ("Bull2", 0), ("Bull2", 1), ("Bull2", 2)]
    (curve,) = outcome.only(DensityMeasured)
    assert curve.names == ("burn",)


def test_a_host_that_restarted_is_measured_again(cluster: Cluster) -> None:
    cluster.trouble = lambda _, count: MeasurementError("cut off") if count == 2 else None
    density(cluster)
    cluster.trouble = lambda _, count: None
    cluster.boots["Bull2"] = 1
    outcome = density(cluster)
    assert cluster.measured[2:] == [("Bull2", 0), ("Bull2", 1), ("Bull2", 2)]
    assert len(outcome.only(DensityMeasured)[0].points) == 3
