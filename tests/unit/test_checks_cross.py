"""Checks across hosts, at each of their levels."""

import pytest

from kubert_tui.checks.catalogue import CROSS, judge_across
from kubert_tui.checks.finding import Finding, Level
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.lab.model import HostSpec, Lab
from tests.support.fact_samples import HPE, changed, facts_of

LAB = Lab(hosts=(HostSpec(name="alpha"), HostSpec(name="beta")))
TWIN: dict[str, str | bytes] = {
    "hostname": "beta\n",
    "machine_id": "fedcba9876543210fedcba9876543210\n",
    "addresses": "2: eno1np0    inet 192.168.11.12/24 scope global eno1np0\n"
    "2: eno1np0    inet6 fe80::5eed:8cff:fe00:1/64 scope link\n"
    "4: virbr0    inet 192.168.122.1/24 scope global virbr0\n",
}
ALPHA = facts_of(HPE)


def across(changes: dict[str, str | bytes]) -> dict[str, Finding]:
    beta = facts_of(changed(HPE, **(TWIN | changes)), host="beta")
    return {one.check: one for one in judge_across((ALPHA, beta), LAB)}


@pytest.mark.parametrize("check", [check.id for check in CROSS])
def test_proper_twins_are_ok(check: str) -> None:
    finding = across({})[check]
    assert finding.level is Level.OK, finding.summary
    assert finding.host == "alpha, beta"
    assert not finding.fix


@pytest.mark.parametrize(
    ("check", "changes", "level", "says"),
    [
        ("hosts.names", {"hostname": "alpha"}, Level.FAILED, "alpha and beta: alpha"),
        (
            "hosts.machine-ids",
            {"machine_id": "0123456789abcdef0123456789abcdef"},
            Level.FAILED,
            "0123456789abcdef",
        ),
        (
            "hosts.addresses",
            {"addresses": "2: eno1np0    inet 192.168.11.11/24 scope global\n"},
            Level.FAILED,
            "192.168.11.11 on alpha and beta",
        ),
        ("hosts.kernels", {"uname_release": "6.1.0"}, Level.WARNING, "beta: 6.1.0"),
        ("hosts.processors", {"processor": "model name : EPYC"}, Level.WARNING, "EPYC"),
        (
            "hosts.clocks",
            {"clock_begin": "1795000004.5", "clock_end": "1795000005.5"},
            Level.WARNING,
            "alpha and beta are 3.750 s apart",
        ),
        (
            "hosts.realtime",
            {"sys_realtime": "0", "uname_version": "#1", "kernel_config": "source /x\nA=y\n"},
            Level.WARNING,
            "beta: not real-time",
        ),
    ],
)
def test_twins_with_one_thing_changed(
    check: str, changes: dict[str, str | bytes], level: Level, says: str
) -> None:
    finding = across(changes)[check]
    assert finding.level is level, finding.summary
    assert says in finding.summary
    assert finding.fix


# What machines are to be where is the lab's matter, not the hosts'.
@pytest.mark.parametrize("check", [one.id for one in CROSS if one.id != "machines.network"])
def test_an_unknown_host_is_named(check: str) -> None:
    findings = judge_across((ALPHA, facts_of({}, host="gamma")), LAB)
    finding = next(one for one in findings if one.check == check)
    assert finding.level is Level.UNKNOWN
    assert "gamma" in finding.summary


def test_what_is_wrong_counts_more_than_what_is_unknown() -> None:
    findings = judge_across((ALPHA, ALPHA, facts_of({}, host="gamma")), LAB)
    names = next(one for one in findings if one.check == "hosts.names")
    assert names.level is Level.FAILED


def test_clocks_that_are_only_uncertain_agree() -> None:
    # 1.9 s apart, each known to 0.5 s.
    clocks: dict[str, str | bytes] = {"clock_begin": "1795000002.65", "clock_end": "1795000003.65"}
    assert across(clocks)["hosts.clocks"].level is Level.OK


def test_one_host_is_not_compared() -> None:
    assert judge_across((ALPHA,), LAB) == ()
    assert judge_across((), LAB) == ()


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, Level.WARNING),
        ({"cpu_online": "0-38"}, Level.OK),
    ],
)
def test_equal_hosts_with_different_plans(changes: dict[str, str | bytes], level: Level) -> None:
    lab = LAB.with_plans(
        {
            "alpha": CpuPlan(frozenset({0, 1}), frozenset(range(2, 40))),
            "beta": CpuPlan(frozenset({0}), frozenset(range(1, 40))),
        }
    )
    beta = facts_of(changed(HPE, **(TWIN | changes)), host="beta")
    found = {one.check: one for one in judge_across((ALPHA, beta), lab)}["hosts.cpu-plans"]
    assert found.level is level, found.summary
    if level is Level.WARNING:
        assert "alpha: housekeeping 0-1" in found.summary
        assert "beta: housekeeping 0, isolated 1-39" in found.summary
