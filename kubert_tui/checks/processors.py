"""Checks of the CPUs: SMT, isolation, frequency governor, idle states."""

import re

from kubert_tui.checks.arguments import wanted
from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import (
    README,
    TUNED,
    Verdict,
    failed,
    machine_kind,
    numbers,
    ok,
    unknown,
    warning,
)
from kubert_tui.facts.containers import container_kind
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab

_SHALLOW = re.compile(r"POLL|C0|C1E?(?:[-_ ].*)?|haltpoll.*|WFI", re.IGNORECASE)
_OFF = ("off", "forceoff", "notsupported", "notimplemented")


def _smt_off(facts: Facts, lab: Lab) -> Verdict:
    del lab
    active, control = facts.processors.smt_active, facts.processors.smt_control
    state = control.value if isinstance(control, Known) else "unknown"
    if isinstance(active, Unknown):
        if state in ("off", "forceoff", "notsupported"):
            return ok(f"Hyperthreading is off ({state}).")
        return unknown("Whether hyperthreading is on", active)
    if not active.value:
        word = f"control: {state}"
        if machine_kind(facts):
            return ok(f"This virtual machine shows no sibling threads ({word}); its host may.")
        return ok(f"Hyperthreading is off ({word}).")
    if state in _OFF:
        return warning(
            f"Sibling threads are active although the control says {state}.",
            "Reboot, then look again.",
        )
    if kind := container_kind(facts) or machine_kind(facts):
        return failed(
            f"Hyperthreading is on (control: {state}) beneath this {kind} host.",
            "Switch it off on the machine beneath, or give each virtual CPU a core of its own.",
        )
    return failed(
        f"Hyperthreading is on (control: {state}).",
        "Switch it off in the firmware (the hyperthreading stage shows where), then reboot.",
    )


def _isolated(facts: Facts, lab: Lab) -> Verdict:
    isolated, online = facts.processors.isolated, facts.processors.online
    plan = lab.plan_of(facts.host)
    if isinstance(isolated, Unknown):
        return unknown("Which CPUs are isolated", isolated)
    if not isolated.value:
        fix = "Isolate CPUs with isolcpus=managed_irq,domain,<CPUs> and leave some for the host."
        if plan is not None and plan.isolated:
            fix = f"Boot with {wanted(plan)}."
        return warning(
            "No CPU is isolated: other tasks share every CPU with the real-time ones.", fix
        )
    if isinstance(online, Known) and set(online.value) <= set(isolated.value):
        return failed(
            "All CPUs are isolated: none is left for the host's own work.",
            "Leave at least one CPU per NUMA node out of isolcpus.",
        )
    nohz = facts.processors.nohz_full
    if isinstance(nohz, Known) and nohz.value and nohz.value != isolated.value:
        return warning(
            f"CPUs {numbers(isolated.value)} are isolated, {numbers(nohz.value)} are nohz_full.",
            "Give isolcpus and nohz_full the same CPUs.",
        )
    if plan is not None and plan.isolated != {*isolated.value}:
        return warning(
            f"CPUs {numbers(isolated.value)} are isolated, by the CPU plan "
            f"{numbers(plan.isolated)} should be.",
            "See the finding about the kernel command line, or change the plan.",
        )
    return ok(f"CPUs {numbers(isolated.value)} are isolated.")


def _governor(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.processors.governor
    if isinstance(fact, Unknown):
        return unknown("The frequency governor", fact)
    if not fact.value:
        return ok("The kernel does not change CPU frequencies here.")
    if fact.value == ("performance",):
        return ok("All CPUs use the performance governor.")
    return warning(
        f"CPU frequency governors in use: {', '.join(fact.value)}.",
        "Use performance everywhere: cpupower frequency-set -g performance, or tuned.",
    )


def _idle_states(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.processors.idle_states
    if isinstance(fact, Unknown):
        return unknown("The idle states", fact)
    if not fact.value:
        return ok("The kernel uses no idle states here.")
    deep = [name for name in fact.value if not _SHALLOW.fullmatch(name)]
    if not deep:
        return ok(f"Only shallow idle states: {', '.join(fact.value)}.")
    return warning(
        f"Deep idle states are enabled: {', '.join(deep)}. cyclictest holds CPUs out of them "
        "while it runs, so it measures better than applications will.",
        "Limit them: processor.max_cstate=1 intel_idle.max_cstate=0, or tuned's force_latency.",
    )


SMT_OFF = Check(
    "cpu.smt-off",
    "Hyperthreading off",
    "Two threads of one core share its units: each delays the other at random.",
    f"{README}: Hyperthreading; /sys/devices/system/cpu/smt",
    _smt_off,
)
ISOLATED = Check(
    "cpu.isolated",
    "Isolated CPUs",
    "Real-time threads need CPUs where the scheduler puts nothing else.",
    f"{TUNED}; Documentation/admin-guide/kernel-parameters: isolcpus",
    _isolated,
)
GOVERNOR = Check(
    "cpu.governor",
    "Frequency governor",
    "A CPU that changes its frequency needs time for it, and is slower just after waking.",
    f"{TUNED}; /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
    _governor,
)
IDLE_STATES = Check(
    "cpu.idle-states",
    "Idle states",
    "Leaving a deep idle state takes up to some hundred microseconds.",
    "/sys/devices/system/cpu/cpu0/cpuidle; cyclictest(8): /dev/cpu_dma_latency",
    _idle_states,
)
