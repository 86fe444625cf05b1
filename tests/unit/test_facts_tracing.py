"""What the kernel can trace: from tracefs, else from its configuration, else unknown."""

import pytest

from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Tracing
from tests.support.fact_samples import HPE, changed, facts_of

MOUNTED = "place /sys/kernel/tracing\nnodev\ttracefs\ntracers {}\ncurrent {}\nevents {}\n"
CONFIG = "source /boot/config-x\nCONFIG_PREEMPT_RT=y\nCONFIG_HWLAT_TRACER=y\n"


def tracing(text: str, config: str = CONFIG) -> Fact[Tracing | None]:
    return facts_of(changed(HPE, tracing=text, kernel_config=config)).tracing


@pytest.mark.parametrize(
    ("tracers", "current", "events", "found", "used"),
    [
        ("timerlat osnoise hwlat blk nop", "nop", "", {"hwlat", "timerlat"}, ""),
        ("blk function nop", "function", "", set(), "tracer function"),
        ("nop", "nop", "sched:sched_switch irq:irq", set(), "events sched:sched_switch irq:irq"),
    ],
)
def test_where_tracefs_is_mounted(
    tracers: str, current: str, events: str, found: set[str], used: str
) -> None:
    told = tracing(MOUNTED.format(tracers, current, events))
    assert told == Known(Tracing("/sys/kernel/tracing", Known(frozenset(found)), used))


def test_where_it_is_not_the_configuration_tells() -> None:
    told = tracing("place none\nnodev\ttracefs\n")
    assert told == Known(Tracing("", Known(frozenset({"hwlat"})), ""))


def test_without_a_configuration_the_tracers_are_unknown_and_tracefs_is_there() -> None:
    told = tracing("place none\nnodev\ttracefs\n", config="")
    assert isinstance(told, Known)
    assert told.value is not None
    assert isinstance(told.value.tracers, Unknown)
    assert "not mounted" in told.value.tracers.reason


def test_a_kernel_without_tracefs() -> None:
    assert tracing("place none\n") == Known(None)


@pytest.mark.parametrize("text", ["", "nonsense\n", "place /sys/kernel/tracing\n"])
def test_nonsense_is_unknown(text: str) -> None:
    assert isinstance(tracing(text), Unknown)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("\nrtla version 6.1\n\n  usage: rtla COMMAND ...\n", "rtla version 6.1"),
        ("rtla version 6.14.0\n", "rtla version 6.14.0"),
    ],
)
def test_rtla_tells_its_version_among_other_things(said: str, version: str) -> None:
    assert facts_of(changed(HPE, rtla=said)).tools.rtla == Known(version)


def test_without_rtla() -> None:
    assert facts_of(HPE).tools.rtla == Known("")
