"""The engine: the same rules for every stage, whatever the stage does."""

import errno
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest

from kubert_tui.base.errors import (
    BusyError,
    ChangeError,
    ExitCode,
    KubertError,
    LostError,
    UnreachableError,
)
from kubert_tui.engine.journal import FILE_NAME, Journal, read
from kubert_tui.engine.past import all_runs, run_directory
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.model import (
    Event,
    Failure,
    FindingMade,
    Finished,
    Note,
    PlanMade,
    RunStarted,
    StageFinished,
    StageState,
)
from kubert_tui.events.questions import Answer, Choice, Question
from kubert_tui.facts.model import Facts
from kubert_tui.hosts.interface import Asker, Host
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.stages.model import Stage, Work
from tests.support.blank import blank_lab
from tests.support.stages import Measure, Restart, Upgrade, World, stage

APPLY = Answer(Choice.APPLY)


@dataclass
class Outcome:
    events: list[Event] = field(default_factory=list)

    @property
    def finished(self) -> Finished:
        assert isinstance(self.events[-1], Finished)
        return self.events[-1]

    def only(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def run(
    world: World,
    *stages: Stage,
    lab: Lab | None = None,
    answers: tuple[Answer, ...] = (APPLY,) * 9,
    **options: Any,
) -> Outcome:
    session = Session(
        lab or blank_lab(),
        Options(**options),
        stages=stages,
        gather=world.gather,
        connect=world.connect,
    )
    for one in stages:
        session.submit(one.id)
    session.close()
    outcome, left = Outcome(), iter(answers)
    for event in session.events():
        outcome.events.append(event)
        if isinstance(event, Question):
            session.answer(event.number, next(left))
    return outcome


def test_change_is_applied_and_verified() -> None:
    world = World()
    outcome = run(world, stage("kernel", Upgrade(world)))
    assert world.applied == ["bull1"]
    assert outcome.finished.states == {"kernel": StageState.DONE}
    assert outcome.finished.exit_code == ExitCode.OK
    levels = [event.finding.level for event in outcome.only(FindingMade)]
    assert levels == ["failed", "ok"]


def test_what_is_already_so_is_not_touched() -> None:
    world = World(kernel={"bull1": "new"})
    outcome = run(world, stage("kernel", Upgrade(world)))
    assert world.applied == []
    assert outcome.finished.states == {"kernel": StageState.SATISFIED}
    assert not outcome.only(Question)


def test_all_hosts_are_judged_and_only_those_in_need_changed() -> None:
    world = World(kernel={"bull2": "new"})
    outcome = run(world, stage("kernel", Upgrade(world)), lab=blank_lab("bull1", "bull2"))
    assert world.applied == ["bull1"]
    ended = outcome.only(StageFinished)[0]
    assert ended.hosts == {"bull1": StageState.DONE, "bull2": StageState.SATISFIED}


def test_without_permission_the_plan_is_shown_and_nothing_asked() -> None:
    world = World()
    lab = blank_lab(allow=frozenset({Permission.REBOOT}))
    outcome = run(world, stage("kernel", Upgrade(world)), stage("next"), lab=lab)
    assert world.applied == []
    assert outcome.only(PlanMade)[0].missing == ("kernel",)
    assert outcome.finished.states["kernel"] is StageState.NOT_ALLOWED
    assert outcome.finished.states["next"] is StageState.DONE
    assert outcome.finished.exit_code == ExitCode.OK


def test_dry_run_plans_and_asks_nothing() -> None:
    world = World()
    outcome = run(world, stage("kernel", Upgrade(world)), dry_run=True)
    assert world.applied == []
    assert not outcome.only(Question)
    assert outcome.finished.states == {"kernel": StageState.WOULD_CHANGE}
    assert outcome.only(PlanMade)[0].steps[0].command == "apt install new"


def test_a_step_is_not_believed() -> None:
    world = World()
    outcome = run(world, stage("kernel", Upgrade(world, idle=True)), stage("next"))
    assert outcome.finished.states == {"kernel": StageState.FAILED, "next": StageState.PENDING}
    failure = outcome.only(Failure)[0]
    assert "the kernel is old" in failure.what
    assert failure.fix == "install the new one"
    assert outcome.finished.exit_code == ExitCode.CHANGE_FAILED


def test_what_only_a_person_can_do_is_no_failure() -> None:
    world = World()
    outcome = run(world, stage("bios", Upgrade(world, idle=True), by_hand=True), stage("next"))
    assert outcome.finished.states == {"bios": StageState.NEEDS_YOU, "next": StageState.DONE}
    assert outcome.finished.exit_code == ExitCode.NEEDS_CONFIRMATION


def test_failing_change_ends_the_run_with_its_reason() -> None:
    world = World()
    outcome = run(world, stage("kernel", Upgrade(world, failing=True)), stage("next"))
    failure = outcome.only(Failure)[0]
    assert (failure.host, failure.what, failure.fix) == (
        "bull1", "the disk is full", "make room",
    )  # fmt: skip
    assert outcome.finished.states["next"] is StageState.PENDING
    assert outcome.finished.exit_code == ExitCode.FAILED


def test_where_a_change_broke_off_it_is_not_done_whatever_the_checks_say() -> None:
    world, lab = World(), blank_lab("bull1", "bull2")
    outcome = run(world, stage("kernel", Upgrade(world, breaks_off="bull2")), lab=lab)
    (ended,) = outcome.only(StageFinished)
    assert ended.hosts == {"bull1": StageState.DONE, "bull2": StageState.FAILED}
    again = run(world, stage("kernel", Upgrade(world)), lab=lab)
    assert again.finished.states == {"kernel": StageState.SATISFIED}


def test_unreachable_host_fails_alone() -> None:
    world = World(unreachable={"bull2"})
    outcome = run(world, stage("kernel", Upgrade(world)), lab=blank_lab("bull1", "bull2"))
    ended = outcome.only(StageFinished)[0]
    assert ended.hosts == {"bull1": StageState.DONE, "bull2": StageState.FAILED}
    assert outcome.only(Failure)[0].host == "bull2"


class Silent(World):
    """No host of it answers; remembers how often that was tried."""

    def connect(self, spec: HostSpec, lab: Lab, asker: Asker) -> Host:
        self.connected.append(spec.name)
        raise UnreachableError("does not answer within 15 s", fix="wait", host=spec.name)


def test_a_host_that_does_not_answer_is_not_waited_for_twice() -> None:
    world = Silent()
    outcome = run(world, stage("kernel", Upgrade(world)))
    assert world.connected == ["bull1"]
    assert outcome.only(Failure)[0].what == "does not answer within 15 s"


class NeverReturns(Upgrade):
    """Hosts are lost in it, and it says so of each; a preview fails, too."""

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        raise ChangeError("cannot be previewed", host=hosts[0])

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        self.world.unreachable.update(hosts)

        def lose(host: str) -> None:
            work.drop(host)
            if not self.idle:
                raise LostError("did not come back within 11 minutes", host=host)

        work.each(hosts, lose)


def test_that_a_host_is_lost_is_told_once() -> None:
    world, lab = World(), blank_lab("bull1", "bull2")
    outcome = run(world, stage("kernel", NeverReturns(world)), lab=lab)
    assert [failure.what for failure in outcome.only(Failure)] == [
        "did not come back within 11 minutes",
    ] * 2
    assert outcome.finished.states == {"kernel": StageState.FAILED}
    assert outcome.finished.exit_code == ExitCode.CHANGE_FAILED


def test_that_a_host_is_lost_is_told_whatever_a_preview_said() -> None:
    world = World()
    change = NeverReturns(world, idle=True)
    answers = (Answer(Choice.PREVIEW), APPLY)
    outcome = run(world, stage("kernel", change), answers=answers)
    told = [failure.what for failure in outcome.only(Failure)]
    assert told == ["cannot be previewed", "no route to host"]
    assert outcome.finished.states == {"kernel": StageState.FAILED}


@pytest.mark.parametrize(
    ("answer", "state", "code"),
    [
        (Answer(Choice.SKIP, text="later"), StageState.SKIPPED, ExitCode.OK),
        (Answer(Choice.NO, text="no --yes"), StageState.DECLINED, ExitCode.NEEDS_CONFIRMATION),
        (Answer(Choice.SKIP), StageState.DECLINED, ExitCode.NEEDS_CONFIRMATION),
    ],
)
def test_review_can_be_refused(answer: Answer, state: StageState, code: ExitCode) -> None:
    world = World()
    outcome = run(world, stage("kernel", Upgrade(world)), answers=(answer,))
    assert world.applied == []
    assert outcome.finished.states == {"kernel": state}
    assert outcome.finished.exit_code == code


def test_preview_asks_again() -> None:
    world = World()
    answers = (Answer(Choice.PREVIEW), APPLY)
    outcome = run(world, stage("kernel", Upgrade(world)), answers=answers)
    assert world.previewed == ["bull1"]
    assert world.applied == ["bull1"]
    assert len(outcome.only(Question)) == 2


def test_cancel_ends_the_stage_and_the_queue() -> None:
    world, begun = World(), Flag()
    stages = (stage("kernel", Upgrade(world, hold=begun)), stage("next"))
    session = Session(blank_lab(), stages=stages, gather=world.gather, connect=world.connect)
    session.submit("kernel")
    session.submit("next")
    events = []
    for event in session.events():
        events.append(event)
        if isinstance(event, Question):
            session.answer(event.number, APPLY)
            assert begun.wait(30)
            session.cancel()
            session.close()
    assert isinstance(events[-1], Finished)
    assert events[-1].states == {"kernel": StageState.CANCELLED, "next": StageState.PENDING}
    assert events[-1].exit_code == ExitCode.INTERRUPTED


def test_cancel_during_a_question() -> None:
    world = World()
    stages = (stage("kernel", Upgrade(world)),)
    session = Session(blank_lab(), stages=stages, gather=world.gather, connect=world.connect)
    session.submit("kernel")
    for event in session.events():
        if isinstance(event, Question):
            session.cancel()
            session.close()
        if isinstance(event, Finished):
            assert event.states == {"kernel": StageState.CANCELLED}


def test_measurement_survives_letting_go_and_is_not_repeated() -> None:
    world, begun, measure = World(), Flag(), Measure()
    measure.hold = begun
    stages = (stage("measure", measure, measures=True),)
    session = Session(blank_lab(), stages=stages, gather=world.gather, connect=world.connect)
    session.submit("measure")
    for event in session.events():
        if isinstance(event, Question):
            session.answer(event.number, APPLY)
            assert begun.wait(30)
            session.detach()
        if isinstance(event, Finished):
            assert event.exit_code == ExitCode.INTERRUPTED

    measure.hold = None
    second = run(world, *stages)
    assert second.only(RunStarted)[0].resumed
    assert measure.identities[0] == measure.identities[1]
    assert second.finished.states == {"measure": StageState.DONE}

    third = run(world, *stages)
    assert not third.only(RunStarted)[0].resumed
    assert len(set(measure.identities)) == 2


def test_unfinished_run_is_resumed_with_its_results() -> None:
    world, measure = World(), Measure()
    stages = (stage("measure", measure, measures=True), stage("kernel", Upgrade(world)))
    refused = (APPLY, Answer(Choice.NO))
    assert run(world, *stages, answers=refused).finished.exit_code != ExitCode.OK
    second = run(world, *stages)
    assert second.only(RunStarted)[0].states["measure"] is StageState.DONE
    assert second.finished.states["measure"] is StageState.SATISFIED
    assert second.finished.results == ("r.json",)
    assert len(measure.identities) == 1
    assert len(list(all_runs())) == 1


def test_journal_survives_a_torn_line() -> None:
    world = World()
    refused = (Answer(Choice.NO),)
    first = run(world, stage("kernel", Upgrade(world)), answers=refused)
    name = first.only(RunStarted)[0].run
    journal = run_directory(name) / FILE_NAME
    journal.write_bytes(journal.read_bytes()[:-20])
    second = run(world, stage("kernel", Upgrade(world)))
    assert second.only(RunStarted)[0].run == name
    assert second.finished.states == {"kernel": StageState.DONE}
    names = [entry["event"] for entry in read(journal)]
    assert names.count("run-started") == 2
    assert names[-1] == "finished"
    assert journal.stat().st_mode & 0o777 == 0o600
    assert journal.parent.stat().st_mode & 0o777 == 0o700


def test_second_session_on_the_same_lab_is_refused() -> None:
    world = World()
    stages = (stage("kernel"),)
    session = Session(blank_lab(), stages=stages, gather=world.gather, connect=world.connect)
    with pytest.raises(BusyError, match="another kubert-tui"):
        Session(blank_lab(), stages=stages, gather=world.gather, connect=world.connect)
    session.close()
    list(session.events())
    again = Session(blank_lab(), stages=stages, gather=world.gather, connect=world.connect)
    again.close()
    list(again.events())


def test_a_bug_is_reported_and_ends_the_run() -> None:
    world = World()

    class Broken(Upgrade):
        def apply(self, work: object, hosts: tuple[str, ...]) -> None:
            raise ZeroDivisionError("never happens")

    outcome = run(world, stage("kernel", Broken(world)))
    assert outcome.finished.exit_code == ExitCode.INTERNAL
    failure = outcome.only(Failure)[0]
    assert "ZeroDivisionError" in failure.what
    assert "never happens" in Path(failure.log).read_text()


def test_every_event_is_in_the_journal_and_is_json() -> None:
    world = World()
    outcome = run(world, stage("kernel", Upgrade(world)))
    lines = [json.loads(line) for line in Path(outcome.finished.journal).read_text().splitlines()]
    assert len(lines) == len(outcome.events)
    assert {"event", "time"} <= set(lines[0])
    assert lines[-1]["event"] == "finished"


def test_a_retry_that_works_clears_the_exit_code() -> None:
    world, change = World(), Upgrade(World(), failing=True)
    change.world = world
    stages = (stage("kernel", change),)
    session = Session(blank_lab(), stages=stages, gather=world.gather, connect=world.connect)
    session.submit("kernel")
    for event in session.events():
        if isinstance(event, Question):
            session.answer(event.number, APPLY)
        if isinstance(event, StageFinished) and event.state is StageState.FAILED:
            change.failing = False
            session.submit("kernel")
            session.close()
        if isinstance(event, Finished):
            assert event.exit_code == ExitCode.OK


def test_a_partial_run_does_not_close_one_that_still_measures() -> None:
    world, begun, measure = World(), Flag(), Measure()
    measure.hold = begun
    stages = (stage("look"), stage("measure", measure, measures=True))
    session = Session(blank_lab(), stages=stages, gather=world.gather, connect=world.connect)
    session.submit("measure")
    for event in session.events():
        if isinstance(event, Question):
            session.answer(event.number, APPLY)
            assert begun.wait(30)
            session.detach()
    other = Session(blank_lab(), stages=stages, gather=world.gather, connect=world.connect)
    other.submit("look")
    other.close()
    list(other.events())
    measure.hold = None
    assert run(world, *stages).only(RunStarted)[0].run == session.run
    assert len(set(measure.identities)) == 1


def test_a_failed_repetition_is_not_covered_by_the_older_result() -> None:
    world, measure = World(), Measure()
    stages = (stage("measure", measure, measures=True),)
    session = Session(blank_lab(), stages=stages, gather=world.gather, connect=world.connect)
    session.submit("measure")
    ended = []
    for event in session.events():
        if isinstance(event, Question):
            session.answer(event.number, APPLY)
        if isinstance(event, StageFinished):
            ended.append(event.state)
            if len(ended) == 1:
                measure.failing = True
                session.submit("measure", again=True)
                session.close()
    assert ended == [StageState.DONE, StageState.FAILED]


def test_a_host_is_not_restarted_twice_in_one_run() -> None:
    world = World()
    restart = Restart(world)
    stages = (stage("bios", restart, by_hand=True), stage("next"))
    first = run(world, *stages)
    assert first.finished.states == {"bios": StageState.NEEDS_YOU, "next": StageState.DONE}
    second = run(world, *stages)
    assert second.only(RunStarted)[0].resumed
    assert second.finished.states["bios"] is StageState.NEEDS_YOU
    assert not second.only(Question)
    assert world.applied == ["bull1"]


def test_cancel_while_looking_stops_what_is_queued_and_idle_cancel_is_forgotten() -> None:
    world = World()
    stages = (stage("one", Upgrade(world)), stage("two", Upgrade(world)))
    looking, go_on = Flag(), Flag()

    def gather(host: Host, updates: bool, cancel: Flag) -> Facts:
        looking.set()
        assert go_on.wait(30)
        return world.gather(host, updates, cancel)

    session = Session(blank_lab(), stages=stages, gather=gather, connect=world.connect)
    session.submit("one")
    session.submit("two")
    assert looking.wait(30)
    session.cancel()
    go_on.set()
    states: list[StageState] = []
    for event in session.events():
        if isinstance(event, Question):
            session.answer(event.number, APPLY)
        if isinstance(event, StageFinished):
            states.append(event.state)
            if len(states) == 1:
                session.cancel()
                session.submit("two")
                session.close()
    assert states == [StageState.CANCELLED, StageState.DONE]


def test_the_journal_goes_on_after_the_disk_was_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "run")
    journal.append(Note(text="one"))
    write = os.write
    half = [True]

    def full(descriptor: int, data: bytes) -> int:
        if half:
            half.pop()
            return write(descriptor, bytes(data)[:7])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(KubertError, match="No space left"):
        journal.append(Note(text="lost"))
    monkeypatch.undo()
    journal.append(Note(text="two"))
    assert [entry["text"] for entry in read(journal.path)] == ["one", "two"]


def test_a_journal_that_somebody_edited_is_read_as_far_as_it_goes() -> None:
    world = World()
    first = run(world, stage("kernel", Upgrade(world)), answers=(Answer(Choice.NO),))
    name = first.only(RunStarted)[0].run
    journal = run_directory(name) / FILE_NAME
    odd = ['{"event": "facts-gathered", "host": "bull1"}', '{"event": "finished"}', "[]", "\x00"]
    odd += ['{"event": "stage-finished", "stage": "x", "hosts": 3, "state": "done"}', "{"]
    journal.write_text(journal.read_text() + "\n".join(odd))
    second = run(world, stage("kernel", Upgrade(world)))
    assert second.only(RunStarted)[0].run == name
    assert second.finished.states == {"kernel": StageState.DONE}
