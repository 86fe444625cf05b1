"""Restarting: a host is back when its boot id is another one, and not before."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.ansible.request import HostSecrets
from kubert_tui.base.errors import (
    CancelledError,
    ChangeError,
    DetachedError,
    HostKeyError,
    KubertError,
    UnreachableError,
)
from kubert_tui.events.model import Event, Note, PlannedStep, Waiting
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.hosts.interface import Host
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.machines.guest import Guest
from kubert_tui.machines.hypervisor import Hypervisor
from kubert_tui.stages.model import Work
from kubert_tui.stages.reboot import RebootChange
from kubert_tui.stages.restart import RestartingHereError
from tests.support.blank import blank_facts, blank_lab

REFUSED = UnreachableError("ssh refused")


def booted(boot_id: str, *, default: str = "6.1.0-28-rt-amd64") -> Facts:
    return blank_facts(
        kernel__boot_id=Known(boot_id),
        kernel__default_release=Known(default),
        kernel__installed_realtime=Known(("6.1.0-28-rt-amd64",)),
        kernel__uname=Known(f"Linux bull1 {default} PREEMPT_RT"),
    )


class Timer(Flag):
    """A cancel flag whose waiting takes no time but moves the clock."""

    def __init__(self, cancel_after: int = -1) -> None:
        super().__init__()
        self.now = 0.0
        self.left = cancel_after

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        self.left -= 1
        if self.left == 0:
            self.set()
        return self.is_set()


@dataclass
class ScriptedWork:
    """Lends a lab whose hosts answer what the script says, look by look."""

    lab: Lab
    looks: Iterator[Facts | KubertError]
    cancel: Timer = field(default_factory=Timer)
    detach: Flag = field(default_factory=Flag)
    stage: str = "hyperthreading"
    directory: Path = Path("unused")
    events: list[Event] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    dry_run: bool = False

    def measurement(self, host: str, instrument: str = "") -> str:
        raise AssertionError("nothing is measured")

    def facts(self, host: str) -> Facts:
        return booted("old")

    def look_again(self, host: str) -> Facts:
        answer = next(self.looks)
        if isinstance(answer, KubertError):
            raise answer
        return answer

    def host(self, name: str) -> Host:
        raise AssertionError("Ansible does it")

    def hypervisor(self, name: str) -> AbstractContextManager[Hypervisor]:
        raise AssertionError("nobody asks libvirt")

    def drop(self, name: str) -> None:
        self.dropped.append(name)

    def guest(self, guest: Guest) -> Host:
        raise AssertionError(guest)

    def takes_loads(self, host: str, take: Callable[[str], None] | None) -> None:
        raise AssertionError("nothing is measured")

    def secrets(self, name: str) -> HostSecrets:
        return HostSecrets()

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def each(self, hosts: tuple[str, ...], do: Callable[[str], None]) -> None:
        for host in hosts:
            do(host)

    def waits(self) -> list[Waiting]:
        return [event for event in self.events if isinstance(event, Waiting)]

    def notes(self) -> str:
        return "\n".join(event.text for event in self.events if isinstance(event, Note))


@dataclass
class Trigger:
    """Stands for reboot.yml."""

    restarted: list[str] = field(default_factory=list)
    failing: list[str] = field(default_factory=list)
    """Hosts on which the next playbook fails."""
    confirm: str = ""
    previews: bool = False

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:
        return frozenset()

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        return (PlannedStep(facts.host, "Schedule the restart", "systemctl reboot"),)

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        raise AssertionError("a restart has no preview of its own")

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        failing, self.failing = self.failing, []
        self.restarted.extend(host for host in hosts if host not in failing)
        if failing:
            raise ChangeError("reboot.yml failed", host=", ".join(failing))


def reboot(work: ScriptedWork, *hosts: str, failing: tuple[str, ...] = ()) -> Trigger:
    trigger = Trigger(failing=list(failing))
    change = RebootChange(restart=trigger, clock=lambda: work.cancel.now)
    change.apply(work, hosts or ("bull1",))
    return trigger


def script(*answers: Facts | KubertError) -> ScriptedWork:
    return ScriptedWork(blank_lab(), iter(answers))


def test_it_waits_until_the_boot_id_has_changed() -> None:
    work = script(booted("old"), booted("old"), REFUSED, REFUSED, booted("new"))
    trigger = reboot(work)
    assert trigger.restarted == ["bull1"]
    assert [wait.what for wait in work.waits()] == [
        "bull1 to come back (going down)",
        "bull1 to come back (it answers, but has not restarted yet)",
        "bull1 to come back (ssh refused so far)",
        "bull1 to come back (ssh refused so far)",
    ]
    assert [wait.elapsed for wait in work.waits()] == [0.0, 5.0, 10.0, 15.0]
    assert {wait.limit for wait in work.waits()} == {1800.0}
    assert "bull1 is back: Linux bull1 6.1.0-28-rt-amd64 PREEMPT_RT" in work.notes()


def test_where_the_restart_fails_because_the_host_goes_down_already_it_is_awaited() -> None:
    work = script(booted("old"), booted("old"), booted("old"), REFUSED, REFUSED, booted("new"))
    trigger = reboot(work, failing=("bull1",))
    assert trigger.restarted == []
    assert "reboot.yml failed; looking whether it restarts all the same" in work.notes()
    assert work.notes().count("is back") == 1


def test_where_the_restart_failed_and_the_host_stays_it_is_tried_once_more() -> None:
    lab = Lab(hosts=(HostSpec(name="bull1"), HostSpec(name="bull2")), allow=frozenset(Permission))
    before, stays = (booted("old"),) * 2, (REFUSED, *(booted("old"),) * 3)
    work = ScriptedWork(lab, iter((*before, *stays, booted("new"), booted("new"))))
    trigger = reboot(work, "bull1", "bull2", failing=("bull1",))
    assert trigger.restarted == ["bull2", "bull1"]


def test_a_failure_of_no_host_in_particular_is_told_at_once() -> None:
    work = script(booted("old"))
    with pytest.raises(ChangeError, match="failed"):
        reboot(work, failing=("",))


def test_the_connection_is_dropped_before_the_first_look() -> None:
    work = script(booted("old"), booted("new"))
    reboot(work)
    assert work.dropped == ["bull1"]


def test_the_kernel_it_comes_back_on_is_told_before() -> None:
    work = script(booted("old", default="6.1.0-30-amd64"), booted("new"))
    reboot(work)
    assert "comes back on 6.1.0-30-amd64 (not PREEMPT_RT)" in work.notes()


def test_a_host_that_never_returns_is_a_failure_with_a_way_out() -> None:
    def forever() -> Iterator[Facts | KubertError]:
        yield booted("old")
        while True:
            yield REFUSED

    work = ScriptedWork(blank_lab(), forever())
    with pytest.raises(ChangeError) as caught:
        reboot(work)
    assert "did not come back within 30 minutes: ssh refused so far" in caught.value.what
    assert caught.value.host == "bull1"
    for word in ("iLO", "GRUB", "start this stage again"):
        assert word in caught.value.fix
    assert work.cancel.now == pytest.approx(1800, abs=5)


def test_a_host_that_keeps_its_boot_id_never_restarted() -> None:
    def same() -> Iterator[Facts | KubertError]:
        while True:
            yield booted("old")

    with pytest.raises(ChangeError, match="has not restarted yet"):
        reboot(ScriptedWork(blank_lab(), same()))


def test_an_unknown_boot_id_is_no_return() -> None:
    work = script(booted("old"), blank_facts(), booted("new"))
    reboot(work)
    assert "its boot id is unknown" in work.waits()[-1].what


def test_without_a_boot_id_nothing_is_restarted() -> None:
    work = script(blank_facts())
    trigger = Trigger()
    with pytest.raises(ChangeError, match="boot id is unknown"):
        RebootChange(restart=trigger).apply(work, ("bull1",))
    assert trigger.restarted == []


def test_cancelling_ends_the_wait() -> None:
    work = script(booted("old"), REFUSED, booted("new"))
    work.cancel = Timer(cancel_after=2)
    with pytest.raises(CancelledError) as caught:
        reboot(work)
    assert not isinstance(caught.value, DetachedError)
    assert len(work.waits()) == 2


def test_detaching_ends_the_wait_and_says_that_the_restart_goes_on() -> None:
    work = script(booted("old"), booted("new"))
    work.detach.set()
    with pytest.raises(DetachedError) as caught:
        reboot(work)
    assert "goes on" in caught.value.fix


def test_a_changed_host_key_is_a_hard_stop() -> None:
    work = script(booted("old"), HostKeyError("the host key changed"), booted("new"))
    with pytest.raises(HostKeyError):
        reboot(work)


def test_this_computer_is_restarted_last_and_the_run_is_let_go() -> None:
    lab = Lab(
        hosts=(HostSpec(name="here", connection="local"), HostSpec(name="bull1")),
        allow=frozenset(Permission),
    )
    work = ScriptedWork(lab, iter((booted("old"), booted("new"))))
    trigger = Trigger()
    with pytest.raises(RestartingHereError) as caught:
        RebootChange(restart=trigger, clock=lambda: work.cancel.now).apply(work, ("here", "bull1"))
    assert trigger.restarted == ["bull1", "here"]
    assert "Start kubert-tui again" in caught.value.fix
    assert "bull1 is back" in work.notes()
    assert "Start kubert-tui again afterwards" in work.notes()


def test_the_plan_names_the_kernel_the_command_and_the_wait() -> None:
    plan = RebootChange(restart=Trigger()).plan(blank_lab(), booted("old"))
    assert [(step.title, step.command) for step in plan] == [
        ("Restart; it comes back on 6.1.0-28-rt-amd64 (PREEMPT_RT)", ""),
        ("Schedule the restart", "systemctl reboot"),
        ("Wait up to 30 minutes for it to come back (new boot id)", ""),
        ("Look which kernel it runs", "uname -a"),
    ]


def test_the_real_plan_runs_the_reboot_playbook() -> None:
    plan = RebootChange().plan(blank_lab(), booted("old"))
    assert any("reboot.yml" in step.command for step in plan)
    assert any("systemctl reboot" in step.title for step in plan)
