"""Checks of the scheduler: real-time throttling and real-time groups."""

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import RT_DOC, TUNED, Verdict, ok, unknown, warning
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab


def _rt_throttling(facts: Facts, lab: Lab) -> Verdict:
    del lab
    runtime, period = facts.scheduling.rt_runtime_us, facts.scheduling.rt_period_us
    if isinstance(runtime, Unknown):
        return unknown("Real-time throttling", runtime)
    if runtime.value == -1:
        return ok("Real-time throttling is off.")
    of = f" of {period.value}" if isinstance(period, Known) else ""
    return warning(
        f"Real-time threads are stopped after {runtime.value}{of} us.",
        "sysctl kernel.sched_rt_runtime_us=-1",
    )


def _rt_group(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.scheduling.rt_group_sched
    if isinstance(fact, Unknown):
        return unknown("CONFIG_RT_GROUP_SCHED", fact)
    if not fact.value:
        return ok("Real-time groups are not built in: no cgroup lacks a budget.")
    return warning(
        "CONFIG_RT_GROUP_SCHED is on: SCHED_FIFO is refused in a cgroup without a budget.",
        "Use a kernel without it, or give the cgroups cpu.rt_runtime_us.",
    )


RT_THROTTLING = Check(
    "scheduling.rt-throttling",
    "Real-time throttling",
    "A throttled thread waits out the period: cyclictest then shows almost a second, "
    "and still ends with status 0.",
    f"{TUNED}; Documentation/scheduler/sched-rt-group",
    _rt_throttling,
)
RT_GROUP = Check(
    "scheduling.rt-group",
    "Real-time groups",
    "Virtual machines and pods run in cgroups; without a budget there even root gets EPERM.",
    f"kubernetes#62434; siderolabs/pkgs#1484; {RT_DOC}",
    _rt_group,
)
