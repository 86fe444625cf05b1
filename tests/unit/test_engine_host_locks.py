"""Two operators at one host: the engine takes, shows, breaks, loses and gives back its lock."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier, Thread
from threading import Event as Flag
from typing import Any

import pytest

from kubert_tui.base import paths
from kubert_tui.base.errors import ExitCode
from kubert_tui.engine.host_locks import HostLocks
from kubert_tui.engine.identity import lock_token
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.measuring import LatencyStarted
from kubert_tui.events.model import (
    CommandStarted,
    Event,
    Failure,
    Finished,
    HostLocked,
    HostLockLost,
    HostUnlocked,
    Note,
    StageFinished,
    StageState,
)
from kubert_tui.events.questions import Answer, Choice, Question, QuestionKind
from kubert_tui.hosts.host_lock import About, HostLock, LockResult
from kubert_tui.hosts.interface import Completed, Host, Invocation
from kubert_tui.lab.model import HostSpec, Lab
from kubert_tui.stages.model import Stage, Work
from tests.support.blank import blank_lab
from tests.support.stages import Measure, PretendedHost, Upgrade, World, stage

ADA = About("ada@laptop", "twins", "run-1", "kernel")
OURS = "test"
"""The lab's name in these tests."""


@dataclass
class Outcome:
    events: list[Event] = field(default_factory=list)

    @property
    def finished(self) -> Finished:
        assert isinstance(self.events[-1], Finished)
        return self.events[-1]

    def names(self, *kinds: type[Event]) -> list[str]:
        return [type(event).__name__ for event in self.events if isinstance(event, kinds)]

    def failure(self) -> Failure:
        return next(event for event in self.events if isinstance(event, Failure))

    def lock_questions(self) -> list[Question]:
        asked = [event for event in self.events if isinstance(event, Question)]
        return [one for one in asked if one.kind is QuestionKind.HOST_LOCK]


def run(
    world: World,
    *stages: Stage,
    about_lock: Callable[[Question], Choice] = lambda _: Choice.NO,
    lab: Lab | None = None,
    options: Options | None = None,
) -> Outcome:
    session = Session(
        lab or blank_lab(),
        options or Options(),
        stages=stages,
        gather=world.gather,
        connect=world.connect,
    )
    for one in stages:
        session.submit(one.id)
    session.close()
    outcome = Outcome()
    for event in session.events():
        outcome.events.append(event)
        if isinstance(event, Question):
            lock = event.kind is QuestionKind.HOST_LOCK
            session.answer(event.number, Answer(about_lock(event) if lock else Choice.APPLY))
    return outcome


def ada(host: str = "bull1") -> HostLock:
    """The other operator."""
    return HostLock(PretendedHost(host), "a" * 32)


def lock_file(host: str = "bull1") -> Path:
    return Path(os.environ["KUBERT_TUI_LOCK_DIRECTORY"], host, "lock")


def test_a_host_is_locked_once_for_a_run_and_given_back() -> None:
    world = World()
    outcome = run(world, stage("look"), stage("one", Upgrade(world)), stage("two", Upgrade(world)))
    told = outcome.names(HostLocked, HostUnlocked, StageFinished)
    assert told == ["StageFinished", "HostLocked", "StageFinished", "StageFinished", "HostUnlocked"]
    assert not outcome.lock_questions()
    assert not lock_file().exists()


def test_looking_and_dry_runs_take_no_lock() -> None:
    world = World()
    run(world, stage("look"))
    run(world, stage("kernel", Upgrade(world)), options=Options(dry_run=True))
    assert not lock_file().parent.exists()


def test_the_second_operator_is_shown_the_first_and_leaves_everything() -> None:
    world = World()
    ada().take(ADA)
    outcome = run(world, stage("kernel", Upgrade(world)), stage("next", Measure(), measures=True))
    asked = outcome.lock_questions()[0]
    assert asked.host == "bull1"
    assert "bull1 is being worked on by ada@laptop (lab twins, stage kernel, since " in asked.text
    assert asked.choices == (Choice.RETRY, Choice.BREAK, Choice.NO)
    assert "two operators changing one host" in asked.confirm
    failure = outcome.failure()
    assert (failure.host, failure.exit_code) == ("bull1", ExitCode.BUSY)
    assert "ada@laptop" in failure.what
    assert "--break-lock" in failure.fix
    assert outcome.finished.exit_code == ExitCode.BUSY
    assert outcome.finished.states["kernel"] is StageState.DECLINED
    assert world.applied == []
    assert ada().take(ADA).result is LockResult.KEPT


def test_only_the_hosts_that_are_free_are_changed() -> None:
    world = World()
    ada("bull2").take(ADA)
    outcome = run(world, stage("kernel", Upgrade(world)), lab=blank_lab("bull1", "bull2"))
    assert world.applied == ["bull1"]
    ended = next(event for event in outcome.events if isinstance(event, StageFinished))
    assert ended.hosts == {"bull1": StageState.DONE, "bull2": StageState.DECLINED}


@dataclass
class Helped(Upgrade):
    """A change of others that also works on `bull1`: somebody may break its lock meanwhile."""

    meanwhile: Callable[[], object] = lambda: None

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        assert HostLock(PretendedHost("bull1"), "b" * 32).take(ADA).result is LockResult.HELD
        self.meanwhile()
        work.emit(CommandStarted(host=hosts[0], argv=("ansible-playbook",)))
        super().apply(work, hosts)


def helped(world: World, **more: Any) -> Stage:
    return stage("join", Helped(world, **more), helpers=lambda _lab: ("bull1",))


CLUSTER = blank_lab("bull1", "bull2", "bull3")
WORKERS = Options(hosts=("bull2", "bull3"))


def test_a_host_that_helps_is_locked_too_before_all_others() -> None:
    world = World()
    outcome = run(world, helped(world), lab=CLUSTER, options=WORKERS)
    assert world.applied == ["bull2", "bull3"]
    locked = [event.host for event in outcome.events if isinstance(event, HostLocked)]
    assert (locked[0], sorted(locked)) == ("bull1", ["bull1", "bull2", "bull3"])
    assert not any(lock_file(host).exists() for host in locked)


def test_without_the_host_that_helps_no_other_is_locked_or_changed() -> None:
    world = World()
    ada("bull1").take(ADA)
    outcome = run(world, helped(world), lab=CLUSTER, options=WORKERS)
    assert world.applied == []
    assert not outcome.names(HostLocked)
    ended = next(event for event in outcome.events if isinstance(event, StageFinished))
    assert ended.hosts == {"bull2": StageState.DECLINED, "bull3": StageState.DECLINED}
    assert "bull1: the host is being worked on by ada@laptop" in ended.summary
    assert outcome.finished.exit_code == ExitCode.BUSY


def test_two_operators_of_one_cluster_never_wait_for_each_other() -> None:
    """Whoever does not get the control plane has nothing that the other one could wait for."""
    worlds = [World(), World()]
    stages = [helped(worlds[0]), helped(worlds[1])]
    labs = [CLUSTER.model_copy(update={"name": name}) for name in ("ada", "bob")]
    start = Barrier(2)
    outcomes: dict[int, Outcome] = {}

    def operate(number: int) -> None:
        start.wait()
        outcomes[number] = run(worlds[number], stages[number], lab=labs[number], options=WORKERS)

    threads = [Thread(target=operate, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for number, world in enumerate(worlds):
        # All of it or nothing; one after the other both may have got through.
        assert world.applied in ([], ["bull2", "bull3"])
        locked = {one.host for one in outcomes[number].events if isinstance(one, HostLocked)}
        assert locked in (set(), {"bull1", "bull2", "bull3"})
    assert any(world.applied for world in worlds)


def test_who_lost_the_host_that_helps_stops_before_the_next_change() -> None:
    world = World()
    change = helped(
        world, meanwhile=lambda: ada("bull1").take(ADA, instead=_token_of(lock_file("bull1")))
    )
    outcome = run(world, change, lab=CLUSTER, options=WORKERS)
    assert world.applied == []
    assert outcome.failure().host == "bull1"
    ended = next(event for event in outcome.events if isinstance(event, StageFinished))
    assert set(ended.hosts.values()) == {StageState.FAILED}


def _token_of(file: Path) -> str:
    reply = HostLock(PretendedHost(file.parent.name), "c" * 32).take(ADA)
    assert reply.holder
    return reply.holder.token


def test_it_is_broken_when_that_is_asked_for_and_the_host_looked_at_anew() -> None:
    world = World()
    ada().take(ADA)
    outcome = run(world, stage("kernel", Upgrade(world)), about_lock=lambda _: Choice.BREAK)
    assert world.applied == ["bull1"]
    assert outcome.finished.exit_code == ExitCode.OK
    locked = next(event for event in outcome.events if isinstance(event, HostLocked))
    assert "ada@laptop" in locked.broke
    assert outcome.names(Question) == ["Question"] * 2, "the plan was still right: no new review"
    assert outcome.names(HostUnlocked)


def test_what_the_other_one_did_meanwhile_is_not_done_again() -> None:
    world = World()
    ada().take(ADA)

    def she_finishes(_question: Question) -> Choice:
        world.kernel["bull1"] = "new"
        ada().release()
        return Choice.RETRY

    outcome = run(world, stage("kernel", Upgrade(world)), about_lock=she_finishes)
    assert world.applied == []
    assert outcome.finished.states["kernel"] is StageState.SATISFIED


def test_another_lock_than_the_one_shown_is_not_broken() -> None:
    world = World()
    ada().take(ADA)
    bob = HostLock(PretendedHost("bull1"), "b" * 32)

    def bob_is_faster(question: Question) -> Choice:
        if "ada@laptop" not in question.text:
            return Choice.NO
        bob.take(About("bob@desk", "other", "run-2"), instead="a" * 32)
        return Choice.BREAK

    outcome = run(world, stage("kernel", Upgrade(world)), about_lock=bob_is_faster)
    assert ["bob@desk" in one.text for one in outcome.lock_questions()] == [False, True]
    assert world.applied == []


@dataclass
class Robbed(Upgrade):
    """An upgrade in the middle of which somebody breaks the lock."""

    gives_back: bool = False
    before: bool = False
    """Before the command starts, not while it runs."""

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        if not self.before:
            work.emit(CommandStarted(argv=("upgrade",)))
        for host in hosts:
            thief = ada(host)
            assert thief.take(ADA, instead=lock_token(OURS, "")).result is LockResult.BROKE
            if self.gives_back:
                thief.release()
        if self.before:
            work.emit(CommandStarted(argv=("upgrade",)))
        super().apply(work, hosts)


@pytest.mark.parametrize("gives_back", [False, True])
@pytest.mark.parametrize("before", [False, True])
def test_who_lost_the_lock_stops_before_the_next_change(gives_back: bool, before: bool) -> None:
    world = World()
    robbed = Robbed(world, gives_back=gives_back, before=before)
    outcome = run(world, stage("kernel", robbed), stage("next", Upgrade(world)))
    assert world.applied == ([] if before else ["bull1"])
    assert outcome.finished.states == {"kernel": StageState.FAILED, "next": StageState.PENDING}
    assert outcome.finished.exit_code == ExitCode.BUSY
    assert outcome.names(HostLockLost, HostUnlocked) == ["HostLockLost"]
    assert ("nobody has it" if gives_back else "ada@laptop") in outcome.failure().what
    assert lock_file().exists() is not gives_back, "it was never taken back"


def test_after_a_loss_the_user_may_start_again_and_is_asked() -> None:
    world = World()
    stages = (stage("kernel", Robbed(world, idle=True)), stage("next", Upgrade(world)))
    session = Session(blank_lab(), stages=stages, gather=world.gather, connect=world.connect)
    session.submit("kernel")
    asked = []
    for event in session.events():
        if isinstance(event, Question):
            lock = event.kind is QuestionKind.HOST_LOCK
            asked.append(event.text) if lock else None
            session.answer(event.number, Answer(Choice.BREAK if lock else Choice.APPLY))
        if isinstance(event, StageFinished) and event.stage == "kernel":
            session.submit("next")
            session.close()
        if isinstance(event, Finished):
            assert event.states["next"] is StageState.DONE
    assert len(asked) == 1
    assert "ada@laptop" in asked[0]


def test_the_own_lock_of_a_killed_session_is_no_question() -> None:
    world = World()
    killed = HostLock(PretendedHost("bull1"), lock_token(OURS, ""))
    killed.take(About("me@here", OURS, "run-0"))
    outcome = run(world, stage("kernel", Upgrade(world)))
    assert world.applied == ["bull1"]
    assert not outcome.lock_questions()
    locked = next(event for event in outcome.events if isinstance(event, HostLocked))
    assert locked.found
    assert not lock_file().exists()


def test_a_measurement_that_goes_on_keeps_its_host_locked() -> None:
    world, begun = World(), Flag()
    stages = (stage("measure", Measure(hold=begun), measures=True),)
    session = Session(blank_lab(), stages=stages, gather=world.gather, connect=world.connect)
    session.submit("measure")
    told = []
    for event in session.events():
        told.append(event)
        if isinstance(event, Question):
            session.answer(event.number, Answer(Choice.APPLY))
            assert begun.wait(30)
            session.detach()
    assert [event for event in told if isinstance(event, Note) and "stays locked" in event.text]
    assert lock_file().exists()
    shown = ada().take(ADA).holder
    assert shown is not None
    assert shown.about is not None
    assert (shown.about.lab, shown.about.stage) == (OURS, "measure")


def test_tokens_tell_installations_and_labs_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = lock_token("twins", "/twins.yaml")
    assert ours == lock_token("twins", "/twins.yaml")
    assert len({ours, lock_token("other", "/twins.yaml"), lock_token("twins", "/b.yaml")}) == 3
    kept = paths.state() / "installation"
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_text("torn")
    assert lock_token("twins", "/twins.yaml") not in ("", ours)
    assert [path.name for path in kept.parent.iterdir()] == ["installation"]
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert lock_token("twins", "/twins.yaml") != ours


# The locks by themselves: what happens while nobody asks.


class Connected:
    """Stands for `Connections`: one host, always there."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def existing(self, name: str) -> Host:
        assert name == self.host.name
        return self.host


@dataclass
class Rebooting(PretendedHost):
    """A host that can pretend to have restarted."""

    boot: bytes = b""
    answered: Flag = field(default_factory=Flag)

    def run(self, invocation: Invocation) -> Completed:
        argv = [one.replace("boot-two", "x") for one in invocation.argv]
        done = super().run(Invocation(argv))
        if b"result kept" in done.stdout:
            self.answered.set()
        return done


@dataclass
class Locks:
    host: Rebooting
    told: list[Event]
    news: Flag
    locks: HostLocks

    def take(self, stage: str = "kernel") -> bool:
        return self.locks.take(
            "bull1", stage, lambda call: call(self.host), _nobody, sudo=True, cancel=Flag()
        )


def _nobody(**_question: object) -> Answer:
    raise AssertionError("nobody is asked")


@pytest.fixture
def held() -> Locks:
    host, told, news = Rebooting("bull1"), list[Event](), Flag()

    def hear(event: Event) -> None:
        told.append(event)
        news.set()

    connections: object = Connected(host)
    locks = HostLocks("f" * 32, ADA, connections, hear, beat=0.01)  # type: ignore[arg-type]
    made = Locks(host, told, news, locks)
    assert not made.take()
    news.clear()
    return made


def test_signs_of_life_come_by_themselves_and_end(held: Locks) -> None:
    assert held.host.answered.wait(30)
    held.locks.close(())
    assert [type(event) for event in held.told] == [HostLocked, HostUnlocked]
    assert not lock_file().exists()


def test_a_theft_is_told_while_nobody_asks(held: Locks) -> None:
    ada().take(ADA, instead="f" * 32)
    assert held.news.wait(30)
    lost = held.told[-1]
    assert isinstance(lost, HostLockLost)
    assert "ada@laptop" in lost.holder
    held.locks.close(())
    assert held.told[-1] is lost
    assert ada().take(ADA).result is LockResult.KEPT


def test_a_restart_takes_the_lock_with_it_and_it_is_taken_anew(held: Locks) -> None:
    before = lock_file().read_text()
    for known in held.locks._held.values():
        # What the host forgot with its restart, we remember of the boot before.
        known.boot = "an-earlier-boot"
    lock_file().unlink()
    assert held.news.wait(30)
    assert isinstance(held.told[-1], HostLocked)
    assert not held.take("next")
    assert lock_file().read_text() != before
    held.locks.close(())


def test_the_lock_says_how_long_it_measures_until_it_has_ended(held: Locks) -> None:
    started = LatencyStarted(
        host="bull1", command=("cyclictest",), version="2.4", interval=200, loops=36_000_000,
        cpus=(0,), started=0.0,
    )  # fmt: skip
    held.locks.told(started)
    held.locks.check("bull1")
    other = ada().take(ADA).holder
    assert other is not None
    assert 7000 < other.left <= 7200
    held.locks.close(("bull1",))
    assert lock_file().exists()
    assert "stays locked" in str(held.told[-1])


def test_where_no_lock_can_be_taken_it_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain(PretendedHost):
        def run(self, invocation: Invocation) -> Completed:
            text = b"result denied\nboot b\nnow 5\n"
            return Completed(tuple(invocation.argv), 0, text)

    world = World()

    def connect(spec: HostSpec, lab: Lab, asker: object) -> Host:
        return Plain(spec.name)

    monkeypatch.setattr(world, "connect", connect)
    outcome = run(world, stage("one", Upgrade(world)), stage("two", Measure(), measures=True))
    assert outcome.finished.exit_code == ExitCode.OK
    notes = [event.text for event in outcome.events if isinstance(event, Note)]
    assert len([text for text in notes if "no lock" in text]) == 1
