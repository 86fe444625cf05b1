"""Two operators at one host over a real sshd: races, kills, refusals, broken locks, full disks."""

import getpass
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier
from threading import Event as Flag

import pytest

from kubert_tui.base.errors import ExitCode, KubertError
from kubert_tui.engine.session import Session
from kubert_tui.events.model import (
    Event,
    Finished,
    HostLocked,
    HostLockLost,
    HostUnlocked,
    StageState,
)
from kubert_tui.events.questions import Answer, Choice, Question
from kubert_tui.hosts.connect import connect
from kubert_tui.hosts.host_lock import About, HostLock, LockResult
from kubert_tui.hosts.interface import Host
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.stages.measuring import ROOT_DIRECTORY
from kubert_tui.stages.model import Work
from tests.support.headless import Headless, auto, headless, lab_file
from tests.support.sshd import Answers, Sshd, start_sshd, throwaway_user
from tests.support.stages import Upgrade, World, stage

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="hosts are changed by root only"),
]

RACES = 100
OPERATORS = 4
ME = f"{getpass.getuser()}@{socket.gethostname()}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    with start_sshd(tmp_path / "sshd") as running:
        yield running


def log_in(spec: HostSpec, *sudo_passwords: str) -> Host:
    answers = Answers(accept_host_keys=True, sudo_passwords=list(sudo_passwords))
    return connect(spec, Lab(hosts=(spec,)), answers)


@dataclass
class Operator:
    """Logged in by itself; enters what nobody else may be in at the same time."""

    number: int
    lock: HostLock
    place: Path
    won: list[int] = field(default_factory=list)

    @property
    def about(self) -> About:
        return About(f"operator{self.number}@test", "races", "run")

    def race(self, number: int, start: Barrier, tried: Barrier, holder: list["Operator"]) -> None:
        """Race for a free lock, or (every second time) for one that is to be broken."""
        instead = holder[0].lock.token if holder else "-"
        start.wait(60)
        result = self.lock.take(self.about, instead=instead).result
        if result in (LockResult.TAKEN, LockResult.BROKE):
            self.won.append(number)
            self._enter(number)
            tried.wait(60)
            self._leave(number)
            return
        assert result is LockResult.HELD
        # The winner is inside until all have tried twice.
        assert self.lock.take(self.about).result is LockResult.HELD
        tried.wait(60)

    def _enter(self, number: int) -> None:
        (self.place / "inside").mkdir()  # fails if somebody is
        self._note(f"in {self.number} {number}")

    def _leave(self, number: int) -> None:
        self._note(f"out {self.number} {number}")
        (self.place / "inside").rmdir()

    def _note(self, line: str) -> None:
        with (self.place / "log").open("a") as file:
            file.write(f"{line}\n")


def test_a_hundred_races_have_one_winner_each(server: Sshd, tmp_path: Path) -> None:
    spec = server.spec("bull1")
    operators = [
        Operator(number, HostLock(log_in(spec), f"{number}" * 32), tmp_path)
        for number in range(OPERATORS)
    ]
    holder: list[Operator] = []
    with ThreadPoolExecutor(OPERATORS) as pool:
        for race in range(RACES):
            racers = [one for one in operators if one not in holder]
            start, tried = Barrier(len(racers)), Barrier(len(racers))
            for done in [pool.submit(one.race, race, start, tried, holder) for one in racers]:
                done.result()
            (winner,) = [one for one in operators if race in one.won]
            if holder:
                assert holder[0].lock.release().result is LockResult.HELD
            holder = [] if race % 2 else [winner]
            if not holder:
                assert winner.lock.release().result is LockResult.RELEASED
    told = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    assert len(told) == 2 * RACES
    for entered, left in zip(told[::2], told[1::2], strict=True):
        assert (entered[0], left[0]) == ("in", "out")
        assert entered[1:] == left[1:], "two were inside at once"
    assert [int(line[2]) for line in told[::2]] == list(range(RACES))
    for one in operators:
        one.lock.host.close()


def _auto(lab: Path, *more: str, seconds: int, **environment: str) -> Headless:
    return auto(
        "--only",
        "cyclictest",
        "--accept-new-host-keys",
        "--set",
        f"cyclictest.duration={seconds}s",
        *more,
        lab=lab,
        **environment,
    )


def test_a_killed_owner_goes_on_and_nobody_else_does(server: Sshd, tmp_path: Path) -> None:
    lab = lab_file(tmp_path, server.spec("bull1"))
    first = _auto(lab, seconds=20)
    first.until("host-locked", found=False)
    first.until("latency-snapshot")
    first.process.send_signal(signal.SIGKILL)
    first.finish()
    # However long it has been dead: its lock is broken by nobody but a person.
    second = _auto(lab, seconds=20, XDG_STATE_HOME=str(tmp_path / "elsewhere"))
    assert second.finish() == ExitCode.BUSY, second.errors()
    assert not second.named("host-locked")
    assert not second.named("latency-started")

    resumed = _auto(lab, seconds=20)
    assert resumed.finish() == ExitCode.OK, resumed.errors()
    assert [entry["kind"] for entry in resumed.named("question")] == ["review"]
    assert [entry["found"] for entry in resumed.named("host-locked")] == [True]
    for entry in resumed.named("facts-gathered"):
        assert entry["facts"]["operator"] == {"value": None}, "we are not in our own way"
    assert [entry["attached"] for entry in resumed.named("latency-started")] == [True]
    assert resumed.named("host-unlocked")
    assert not (server.directory / "lock" / "lock").exists()


@dataclass
class Held(Upgrade):
    """A change that goes on until the test says so."""

    go_on: Flag = field(default_factory=Flag)

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        assert self.go_on.wait(120)
        super().apply(work, hosts)


def test_who_is_broken_stops_and_who_broke_goes_on(server: Sshd, tmp_path: Path) -> None:
    spec = server.spec("bull1")
    log_in(spec).close()
    world = World()
    change = Held(world)
    stages = (stage("kernel", change), stage("next", Upgrade(world)))
    ours = Session(
        Lab(name="twins", hosts=(spec,), allow=frozenset(Permission)),
        stages=stages,
        gather=world.gather,
    )
    for one in stages:
        ours.submit(one.id)
    ours.close()
    told: list[Event] = []
    theirs: Headless | None = None
    for event in ours.events():
        told.append(event)
        if isinstance(event, Question):
            ours.answer(event.number, Answer(Choice.APPLY))
        if isinstance(event, HostLocked):
            theirs = _auto(
                lab_file(tmp_path, spec), "--break-lock", seconds=2,
                XDG_STATE_HOME=str(tmp_path / "elsewhere"),
            )  # fmt: skip
            assert f"{ME} (lab twins, stage kernel" in theirs.until("host-locked")["broke"]
            change.go_on.set()
    assert theirs is not None
    assert theirs.finish() == ExitCode.OK, theirs.errors()
    assert theirs.named("host-unlocked")
    assert not theirs.named("host-lock-lost")

    ended = told[-1]
    assert isinstance(ended, Finished)
    assert ended.exit_code == ExitCode.BUSY
    assert ended.states == {"kernel": StageState.FAILED, "next": StageState.PENDING}
    (lost,) = [event for event in told if isinstance(event, HostLockLost)]
    assert f"{ME} (lab twins, stage cyclictest" in lost.holder
    assert not [event for event in told if isinstance(event, HostUnlocked)]


@contextmanager
def ended_afterwards(run: Headless) -> Iterator[None]:
    """End the measurement that a run let go of."""
    try:
        yield
    finally:
        for process in Path(ROOT_DIRECTORY).glob(f"{run.seen[0]['run']}-*/process"):
            with suppress(ProcessLookupError):
                os.kill(int(process.read_text().split()[0]), signal.SIGKILL)
            deadline = time.monotonic() + 30
            # Its launcher still writes down how it ended.
            while not process.with_name("exit").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            shutil.rmtree(process.parent)


def test_the_second_operator_is_shown_the_first_who_measures(server: Sshd, tmp_path: Path) -> None:
    lab = lab_file(tmp_path, server.spec("bull1"))
    elsewhere = str(tmp_path / "elsewhere")
    first = _auto(lab, seconds=3600)
    first.until("latency-snapshot")
    with ended_afterwards(first):
        second = _auto(lab, seconds=1, XDG_STATE_HOME=elsewhere)
        assert second.finish() == ExitCode.BUSY, second.errors()
        failure = second.named("failure")[0]
        assert (failure["host"], failure["exit_code"]) == ("bull1", ExitCode.BUSY)
        assert f"{ME} (lab twins, stage cyclictest, since " in failure["what"]
        assert "--break-lock" in failure["fix"]
        assert _looking(lab, elsewhere) == "warning"

        first.process.send_signal(signal.SIGINT)
        assert first.finish() == ExitCode.INTERRUPTED
        assert not first.named("host-unlocked")
        assert [entry for entry in first.named("note") if "stays locked" in entry["text"]]
        third = _auto(lab, seconds=1, XDG_STATE_HOME=elsewhere)
        assert third.finish() == ExitCode.BUSY, "the measurement goes on, and so does the lock"
        (asked,) = [one for one in third.named("question") if one["kind"] == "host-lock"]
        assert re.search(r"measures for about another [56]\d min\)", asked["text"])
        assert "spoils their measurement" in asked["confirm"]

        # What only measures is told of the same flag, and has it.
        command = ("monitor", "--duration", "1s", "--break-lock")
        fourth = headless(*command, lab=lab, XDG_STATE_HOME=elsewhere)
        assert fourth.finish() == ExitCode.OK, fourth.errors()
        assert f"{ME} (lab twins, stage cyclictest" in fourth.named("host-locked")[0]["broke"]


def _looking(lab: Path, state: str) -> str:
    """Return what `kubert-tui check` thinks of operators on the host."""
    done = subprocess.run(
        [sys.executable, "-m", "kubert_tui", "check", "--json", "--lab", str(lab)],
        env={**os.environ, "XDG_STATE_HOME": state},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    findings = json.loads(done.stdout)["findings"]
    (found,) = [one for one in findings if one["check"] == "host.operator"]
    assert f"worked on by {ME} (lab twins" in found["summary"]
    return str(found["level"])


def test_who_is_not_root_sees_the_lock_and_can_take_none(server: Sshd, tmp_path: Path) -> None:
    about = About("ada@laptop", "twins", "run")
    (server.directory).chmod(0o755)
    tmp_path.chmod(0o755)
    root = HostLock(log_in(server.spec("bull1")), "a" * 32)
    assert root.take(about).result is LockResult.TAKEN
    with throwaway_user(sudoers="ALL=(ALL) ALL") as user:
        keys = user.home / ".ssh"
        keys.mkdir()
        (keys / "authorized_keys").write_bytes((server.directory / "identity.pub").read_bytes())
        subprocess.run(["chown", "-R", user.name, keys], check=True)
        for directory in (*tmp_path.parents, tmp_path):
            if directory.stat().st_uid == 0 and str(directory).startswith("/tmp/pytest"):
                directory.chmod(0o755)
        spec = server.spec("bull1", user=user.name)
        host = log_in(spec, user.password)
        plain = HostLock(host, "b" * 32, sudo=False)
        reply = plain.take(about)
        assert reply.result is LockResult.DENIED
        assert reply.holder is not None
        assert reply.holder.about == about
        with_sudo = HostLock(host, "b" * 32)
        assert with_sudo.take(about).result is LockResult.HELD
        assert with_sudo.take(about, instead="a" * 32).result is LockResult.BROKE
        assert with_sudo.release().result is LockResult.RELEASED
        assert plain.take(about).result is LockResult.DENIED
        host.close()


@contextmanager
def tiny_disk(directory: Path) -> Iterator[None]:
    """Mount a file system of three pages at `directory`."""
    directory.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", directory],
        capture_output=True, check=False,
    )  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


def test_a_full_disk_leaves_the_lock_as_it_was(server: Sshd, tmp_path: Path) -> None:
    ada, bob = (About(f"{name}@test", "twins", "run") for name in ("ada", "bob"))
    place = server.directory / "lock"
    with tiny_disk(place):
        host = log_in(server.spec("bull1"))
        first, second = HostLock(host, "a" * 32), HostLock(host, "b" * 32)
        boot = first.take(ada).boot
        (place / "filler").write_bytes(b"x" * 8192)
        with pytest.raises(OSError, match="No space left"):
            (place / "more").write_bytes(b"x")
        assert first.keep(ada, boot).result is LockResult.KEPT, "a sign of life needs no space"
        with pytest.raises(KubertError, match="No space left"):
            second.take(bob, instead="a" * 32)
        assert first.keep(ada, boot).result is LockResult.KEPT
        assert first.release().result is LockResult.RELEASED

        (place / "more").write_bytes(b"x" * 4096)
        with pytest.raises(KubertError, match="No space left"):
            second.take(bob)
        (place / "filler").unlink()
        assert second.take(bob).result is LockResult.TAKEN, "nothing half written was left"
        host.close()
