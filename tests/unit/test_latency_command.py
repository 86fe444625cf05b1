"""The README's command for every version, and the orders made from facts."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from kubert_tui.base.errors import MeasurementError
from kubert_tui.cpus.lists import cpu_list
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Cyclictest, Tracing
from kubert_tui.lab.model import CyclictestSpec, HostSpec, Lab
from kubert_tui.latency.breaktrace import threshold_of, untraceable
from kubert_tui.latency.command import (
    arguments,
    order_for,
)
from kubert_tui.latency.cpu_lists import parse_cpu_list
from kubert_tui.rt_tests.versions import accepts
from tests.support.blank import blank_facts
from tests.support.latency_facts import facts_of

README = (
    "cyclictest --mlockall --smp --nanosleep --priority=90 --interval=200 --histogram=250"
    " --distance=0 --loops=36000000 --quiet"
)


def test_version_1_0_gets_the_readmes_command_literally() -> None:
    settings = CyclictestSpec(preset="readme")
    assert " ".join(arguments(settings, "1.0", path="cyclictest", cpus=())) == README


@pytest.mark.parametrize("version", ["1.2", "1.10", "2.4", "2.6", "2.10", "unknown", ""])
def test_later_versions_get_it_without_nanosleep(version: str) -> None:
    settings = CyclictestSpec(preset="readme")
    command = " ".join(arguments(settings, version, path="cyclictest", cpus=()))
    assert command == README.replace(" --nanosleep", "")


@pytest.mark.parametrize("version", ["1.0", "1.00", "v1.0", "stable/v1.0", "1.1"])
def test_nanosleep_is_known_to_the_first_versions(version: str) -> None:
    assert accepts(version, "nanosleep")


def test_chosen_cpus_and_settings() -> None:
    settings = CyclictestSpec(
        priority=80, interval=500, histogram=400, loops=10, mlockall=False, distance=3
    )
    assert arguments(settings, "2.4", path="/opt/ct", cpus=(2, 3, 4, 9)) == (
        "/opt/ct",
        "--affinity=2-4,9",
        "--threads=4",
        "--priority=80",
        "--interval=500",
        "--histogram=400",
        "--distance=3",
        "--loops=10",
        "--quiet",
    )


def test_more_loops_than_cyclictest_can_count_are_refused() -> None:
    with pytest.raises(MeasurementError, match="2147483648"):
        arguments(CyclictestSpec(loops=2**31), "2.4", path="ct", cpus=())


@pytest.mark.parametrize(
    ("cpus", "text"), [((), ""), ((3,), "3"), ((0, 1, 2, 5), "0-2,5"), ((1, 3, 5), "1,3,5")]
)
def test_cpu_lists(cpus: tuple[int, ...], text: str) -> None:
    assert cpu_list(cpus) == text
    if text:
        assert parse_cpu_list(text) == cpus


@pytest.mark.parametrize("text", ["", "a", "3-1", "1,,2", "-1", "1-", "999999"])
def test_what_is_no_cpu_list(text: str) -> None:
    with pytest.raises(MeasurementError, match="CPU list"):
        parse_cpu_list(text)


def lab(cpus: str = "") -> Lab:
    return Lab(hosts=(HostSpec(name="one"),), cyclictest=CyclictestSpec(cpus=cpus, duration="10s"))


def test_an_order_measures_all_cpus_that_are_online() -> None:
    order = order_for(lab(), facts_of(online=(0, 1, 2, 3)), "run-1")
    assert order.identity == "run-1"
    assert order.command[:3] == ("/usr/bin/cyclictest", "--mlockall", "--smp")
    assert order.cpus == (0, 1, 2, 3)
    assert order.housekeeping == ()
    assert (order.interval, order.loops, order.histogram) == (200, 50_000, 250)


def test_an_order_leaves_the_other_cpus_for_housekeeping() -> None:
    order = order_for(lab("2-3"), facts_of(online=(0, 1, 2, 3)), "run-1")
    assert "--affinity=2-3" in order.command
    assert order.cpus == (2, 3)
    assert order.housekeeping == (0, 1)


PLAN = CpuPlan(frozenset({0, 1}), frozenset({2, 3}))


@pytest.mark.parametrize(
    ("chosen", "measured", "helpers"),
    [
        ("", (0, 1, 2, 3), (0, 1)),
        ("isolated", (2, 3), (0, 1)),
        ("1-3", (1, 2, 3), (0,)),
        ("0-1", (0, 1), (0, 1)),
    ],
)
def test_with_a_plan_our_helpers_stay_where_house_is_kept(
    chosen: str, measured: tuple[int, ...], helpers: tuple[int, ...]
) -> None:
    planned = lab(chosen).with_plans({"one": PLAN})
    order = order_for(planned, facts_of(online=(0, 1, 2, 3)), "run-1")
    assert (order.cpus, order.housekeeping) == (measured, helpers)
    # The README's first measurement is of all CPUs, with a plan or without.
    assert ("--smp" in order.command) is (chosen == "")


@pytest.mark.parametrize("plan", [None, CpuPlan(frozenset({0}), frozenset())])
def test_without_isolated_cpus_there_is_nothing_to_measure_on_them(plan: CpuPlan | None) -> None:
    planned = lab("isolated").with_plans({"one": plan} if plan else {})
    with pytest.raises(MeasurementError, match="the CPU plan isolates") as caught:
        order_for(planned, facts_of(online=(0, 1)), "run-1")
    assert "cpu-plan" in caught.value.fix


def test_a_plan_for_other_cpus_holds_nothing_up() -> None:
    planned = lab().with_plans({"one": CpuPlan(frozenset({8}), frozenset({9}))})
    assert order_for(planned, facts_of(online=(0, 1)), "run-1").housekeeping == ()


def test_cpus_that_are_offline_are_named() -> None:
    with pytest.raises(MeasurementError, match="CPUs 4-5 are to be measured") as caught:
        order_for(lab("2-5"), facts_of(online=(0, 1, 2, 3)), "run-1")
    assert "0-3" in caught.value.fix


def test_version_1_cannot_measure_where_cpu_numbers_have_holes() -> None:
    facts = facts_of(online=(0, 2), version="1.0")
    with pytest.raises(MeasurementError, match="cannot pin to CPU 2"):
        order_for(lab(), facts, "run-1")
    assert order_for(lab(), facts_of(online=(0, 2), version="2.4"), "run-1").cpus == (0, 2)


@pytest.mark.parametrize("tools", [Known(()), Unknown("no permission")])
def test_without_cyclictest_there_is_no_order(tools: Fact[tuple[Cyclictest, ...]]) -> None:
    facts = facts_of(online=(0,))
    facts = replace(facts, tools=replace(facts.tools, cyclictest=tools))
    with pytest.raises(MeasurementError, match="no cyclictest"):
        order_for(lab(), facts, "run-1")


def test_without_known_cpus_there_is_no_order() -> None:
    facts = facts_of(online=(0,))
    unknown = replace(facts.processors, online=Unknown("no sysfs"))
    with pytest.raises(MeasurementError, match="no sysfs"):
        order_for(lab(), replace(facts, processors=unknown), "run-1")


@pytest.mark.parametrize(
    ("version", "traced", "options"),
    [
        ("1.0", True, ["--breaktrace=100", "--tracemark"]),
        ("1.0", False, ["--breaktrace=100", "--notrace"]),
        ("2.4", True, ["--breaktrace=100", "--tracemark"]),
        ("2.10", False, ["--breaktrace=100"]),
    ],
)
def test_breaktrace_with_a_trace_and_without(
    version: str, traced: bool, options: list[str]
) -> None:
    settings = CyclictestSpec(breaktrace="100us")
    command = arguments(settings, version, path="cyclictest", cpus=(), traced=traced)
    assert command[-len(options) :] == tuple(options)
    assert command[-len(options) - 1] == "--quiet"


@pytest.mark.parametrize(
    ("tracing", "virtual", "privileged", "why"),
    [
        (Known(Tracing("/sys/kernel/tracing", Known(frozenset()), "")), "none", True, ""),
        (Known(Tracing("", Known(frozenset()), "")), "kvm", True, ""),
        (
            Known(Tracing("/x", Known(frozenset()), "tracer function")),
            "none",
            True,
            "tracer function",
        ),
        (Known(Tracing("/x", Known(frozenset()), "")), "podman", True, "container"),
        (Known(Tracing("/x", Known(frozenset()), "")), "none", False, "root"),
        (Known(None), "none", True, "no tracefs"),
        (Unknown("cut off"), "none", True, "cut off"),
    ],
)
def test_where_a_trace_can_be_recorded(
    tracing: Fact[Tracing | None], virtual: str, privileged: bool, why: str
) -> None:
    facts = blank_facts(
        tracing=tracing, virtualization=Known(virtual), privileged=Known(privileged)
    )
    told = untraceable(facts)
    assert why in told
    assert bool(told) == bool(why)


def test_the_threshold_is_found_in_the_command() -> None:
    settings = CyclictestSpec(breaktrace="0.5ms")
    command = arguments(settings, "2.4", path="cyclictest", cpus=(), traced=True)
    assert threshold_of(command) == 500
    assert threshold_of(arguments(CyclictestSpec(), "2.4", path="cyclictest", cpus=())) == 0


@pytest.mark.parametrize("wrong", ["fast", "2s", "0us", "-1"])
def test_a_threshold_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        CyclictestSpec(breaktrace=wrong)


def test_a_bare_number_means_microseconds() -> None:
    assert CyclictestSpec(breaktrace="100").breaktrace_us == 100
