"""The catalogue: fixed ids, complete texts, and one finding per check."""

import pytest

from kubert_tui.checks import kernel, processors, tools
from kubert_tui.checks.arguments import arguments
from kubert_tui.checks.catalogue import ALL, CROSS, judge_all
from kubert_tui.checks.finding import Check, CrossCheck
from kubert_tui.checks.judging import numbers
from kubert_tui.lab.model import HostSpec, Lab
from tests.support.fact_samples import HPE, facts_of

EVERY: tuple[Check | CrossCheck, ...] = (*ALL, *CROSS)
IDS = [
    "host.privileged",
    "host.operator",
    "host.distribution",
    "host.clock",
    "host.disk",
    "host.python",
    "packages.updated",
    "kernel.realtime-installed",
    "kernel.realtime-default",
    "kernel.realtime-running",
    "kernel.trial",
    "kernel.one-shot",
    "kernel.secure-boot",
    "kernel.command-line",
    "cpu.smt-off",
    "cpu.plan",
    "cpu.isolated",
    "cpu.governor",
    "cpu.idle-states",
    "irq.irqbalance-off",
    "tools.cyclictest",
    "tools.load",
    "memory.thp",
    "memory.ksm",
    "memory.hugepages",
    "memory.swap",
    "scheduling.rt-throttling",
    "scheduling.rt-group",
    "virtualization.kvm",
    "image.present",
    "image.room",
    "image.architecture",
    "machines.present",
    "machines.defined",
    "machines.current",
    "machines.running",
    "machines.answer",
    "machines.realtime",
    "machines.strays",
    "virtualization.installed",
    "virtualization.libvirt",
    "virtualization.access",
    "virtualization.kvm-boots",
    "network.cards",
    "network.bridge",
]


def test_the_ids_are_fixed() -> None:
    assert [check.id for check in ALL] == IDS
    assert kernel.REALTIME_RUNNING.id == "kernel.realtime-running"
    assert processors.SMT_OFF.id == "cpu.smt-off"
    assert tools.CYCLICTEST.id == "tools.cyclictest"


def test_ids_are_unique() -> None:
    every = [check.id for check in EVERY]
    assert len(every) == len(set(every))


@pytest.mark.parametrize("check", EVERY, ids=[check.id for check in EVERY])
def test_every_check_says_what_why_and_whence(check: Check | CrossCheck) -> None:
    assert check.title
    assert check.why.endswith(".")
    assert check.source


def test_one_finding_per_check_with_why_and_source() -> None:
    findings = judge_all(facts_of(HPE), Lab(hosts=(HostSpec(name="alpha"),)))
    assert [one.check for one in findings] == IDS
    for one, check in zip(findings, ALL, strict=True):
        assert (one.host, one.why, one.source) == ("alpha", check.why, check.source)
        assert one.summary
        assert "\n" not in one.summary


@pytest.mark.parametrize(
    ("cpus", "text"), [((), "none"), ((3,), "3"), ((0, 1, 2, 8), "0-2,8"), ((5, 4), "4-5")]
)
def test_cpu_numbers_as_the_kernel_writes_them(cpus: tuple[int, ...], text: str) -> None:
    assert numbers(cpus) == text


def test_arguments_after_two_dashes_are_for_process_1() -> None:
    assert arguments("quiet a=1 a=2=3 -- a=4") == {"quiet": "", "a": "2=3"}
