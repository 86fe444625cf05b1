"""Checks of the lab's machines, and what the stage would do about them: pure, from facts."""

import pytest

from kubert_tui.checks import machines
from kubert_tui.checks.catalogue import judge_across
from kubert_tui.checks.finding import Check, Level
from kubert_tui.events.model import PlannedStep
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.virtual import Libvirt, MachineSeen
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab, Permission
from kubert_tui.machines.image_name import base_volume
from kubert_tui.stages.s13_machines import STAGE, not_for
from tests.support.blank import blank_facts, blank_lab

RUNS = MachineSeen("one", "running", vcpus=2, pins=("2", "3"))
MEMORY = "memory: 4194304 KiB -> 8388608 KiB"


def lab(more: str = "", allow: str = "machines") -> Lab:
    return parse_lab(
        f"name: twins\nhosts: [{{name: bull1}}, {{name: bull2}}]\nallow: [{allow}]\n"
        f"machines: [{{name: one}}{more}]\n",
        "lab.yaml",
    )


def facts(*seen: MachineSeen, libvirt: Fact[Libvirt] | None = None, host: str = "bull1") -> Facts:
    return blank_facts(host, libvirt=libvirt or Known(Libvirt(machines=seen)))


def titles(steps: tuple[PlannedStep, ...]) -> list[str]:
    return [step.title for step in steps]


def planned(of: Lab, *seen: MachineSeen) -> tuple[PlannedStep, ...]:
    assert STAGE.change is not None
    return STAGE.change.plan(of, facts(*seen))


@pytest.mark.parametrize(
    ("check", "seen", "level", "says"),
    [
        (machines.PRESENT, MachineSeen("one", "missing"), Level.FAILED, "Not there: one"),
        (
            machines.PRESENT,
            MachineSeen("one", "missing", trouble="there is a machine twins-one (rename it)"),
            Level.FAILED,
            "one: there is a machine twins-one",
        ),
        (machines.DEFINED, MachineSeen("one", "off", (MEMORY,)), Level.FAILED, MEMORY),
        (machines.CURRENT, MachineSeen("one", "running", restart=(MEMORY,)), Level.WARNING, MEMORY),
        (machines.RUNNING, MachineSeen("one", "paused"), Level.FAILED, "one (paused)"),
        (
            machines.ANSWER,
            MachineSeen("one", "running", unreachable="no route"),
            Level.FAILED,
            "one (no route)",
        ),
        (
            machines.REALTIME,
            MachineSeen("one", "running", left_out=("locked: refused. Without it: faults",)),
            Level.WARNING,
            "one: locked: refused",
        ),
        (machines.STRAYS, MachineSeen("old", "off", stray=True), Level.WARNING, "old (off)"),
    ],
)
def test_what_is_wrong_is_told(check: Check, seen: MachineSeen, level: Level, says: str) -> None:
    finding = check(facts(seen), lab())
    assert finding.level is level
    assert says in finding.summary
    assert finding.fix
    assert check(facts(RUNS), lab()).level is Level.OK


def test_a_restart_that_is_allowed_is_due() -> None:
    pending = facts(MachineSeen("one", "running", restart=(MEMORY,)))
    assert machines.CURRENT(pending, lab(allow="machines, reboot")).level is Level.FAILED


def test_without_libvirt_nothing_is_known_and_without_machines_nothing_is_wanted() -> None:
    unknown = facts(libvirt=Unknown("libvirt does not run there"))
    for check in machines.GOALS:
        finding = check(unknown, lab())
        assert finding.level is Level.UNKNOWN
        assert "libvirt does not run there" in finding.summary
        assert check(facts(host="bull2", libvirt=Unknown("x")), lab()).level is Level.OK
    assert "names no machines" in not_for(unknown, blank_lab())
    assert "to run on bull2" in not_for(facts(host="bull2"), lab())
    assert not_for(facts(), lab()) == ""


@pytest.mark.parametrize(
    ("more", "level"),
    [
        ("", Level.OK),
        (", {name: two}", Level.OK),
        (", {name: two, host: bull2}", Level.FAILED),
        (", {name: two, host: bull2, network: bridge}", Level.OK),
    ],
)
def test_machines_behind_two_hosts_cannot_reach_each_other(more: str, level: Level) -> None:
    both = (facts(RUNS), facts(host="bull2"))
    (finding,) = judge_across(both, lab(more), STAGE.cross_checks)
    assert finding.level is level
    assert ("kind: bridge" in finding.fix) is (level is Level.FAILED)


def test_the_plan_says_what_is_made() -> None:
    of = lab()
    steps = titles(planned(of, MachineSeen("one", "missing")))
    disk = f"a disk of 20GiB, a copy on write of {base_volume(of)}"
    why = "the topology of the host's CPUs is unknown: not read in this test"
    assert steps == [
        f"one: make {disk}, and a seed for cloud-init",
        f"one: define it: vCPUs: 2 on any CPU ({why}); 4GiB; 192.168.77.10 (NAT)",
        "one: start it, and wait until it answers by ssh",
    ]
    assert titles(planned(of)) == steps
    unknown = facts(libvirt=Unknown("libvirt does not run there"))
    assert STAGE.change is not None
    (step,) = STAGE.change.plan(of, unknown)
    assert "libvirt does not run there" in step.title


def test_the_plan_says_what_is_changed_and_restarts_only_what_may_be() -> None:
    changed = MachineSeen("one", "running", changes=(MEMORY, "x: 1 -> 2"), restart=(MEMORY,))
    steps = planned(lab(), changed)
    assert titles(steps)[:2] == [f"one: {MEMORY} (at its next start)", "one: x: 1 -> 2"]
    assert "left running" in titles(steps)[-1]
    assert not any(step.confirm for step in steps)
    restarting = planned(lab(allow="machines, reboot"), changed)
    assert titles(restarting)[-1] == "one: switch it off and start it again"
    assert restarting[-1].confirm
    assert titles(planned(lab(), MachineSeen("one", "off"))) == [
        "one: start it (off now), and wait until it answers by ssh"
    ]
    assert planned(lab(), RUNS) == ()


def test_the_stage_asks_for_its_permission() -> None:
    assert STAGE.change is not None
    assert STAGE.change.needs(lab(), lab().hosts[0]) == {Permission.MACHINES}
