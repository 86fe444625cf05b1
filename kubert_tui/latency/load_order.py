"""Which command loads a host, from the lab's wish and what is there."""

from kubert_tui.base.errors import MeasurementError
from kubert_tui.cpus.lists import cpu_list
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.load_presets import LOAD_PRESETS, STRESS_NG
from kubert_tui.lab.model import Lab
from kubert_tui.latency.cpu_lists import parse_cpu_list
from kubert_tui.latency.loads import LoadOrder


def load_for(lab: Lab, facts: Facts, preset: str) -> LoadOrder | None:
    """Decide what loads the host of `facts`; None for a preset that starts nothing.

    Where the lab names no CPUs to load, those that are not isolated are: isolated ones are left to
    the measurement, as rteval does.

    MeasurementError (with what to do) when there is no such preset, its program is not there, or
    the CPUs are not.
    """
    wanted = LOAD_PRESETS.get(preset)
    if wanted is None:
        known = ", ".join(LOAD_PRESETS)
        raise MeasurementError(f"there is no load {preset!r}", fix=f"one of: {known}")
    if not wanted.tool:
        return None
    if missing := missing_tool(facts, preset):
        raise MeasurementError(missing, fix=install(preset), host=facts.host)
    online = facts.processors.online
    if isinstance(online, Unknown) or not online.value:
        raise MeasurementError("which CPUs are online is not known", host=facts.host)
    isolated = facts.processors.isolated
    alone = frozenset(isolated.value if isinstance(isolated, Known) else ())
    # Numbers in the lab file are those of the hosts' CPUs, not of their machines'.
    inside = lab.parent_of(lab.machine_of(facts.host))
    chosen = "" if inside else lab.cyclictest.load_cpus
    usual = tuple(cpu for cpu in sorted(online.value) if cpu not in alone)
    cpus = parse_cpu_list(chosen) if chosen else usual or tuple(sorted(online.value))
    if absent := set(cpus) - set(online.value):
        raise MeasurementError(
            f"CPUs {cpu_list(tuple(absent))} are to be loaded but are not online",
            fix=f"choose from {cpu_list(online.value)} in cyclictest.load_cpus of the lab file",
            host=facts.host,
        )
    where = cpu_list(cpus)
    command = wanted.command(_place(facts, preset), where, len(cpus))
    return LoadOrder(preset, where, command, spread=cpus if alone & set(cpus) else ())


def missing_tool(facts: Facts, preset: str) -> str:
    """Return what a preset lacks on the host of `facts`, as a sentence without its full stop."""
    tool = LOAD_PRESETS[preset].tool
    if not tool or _place(facts, preset):
        return ""
    return f"the load {preset} needs {tool}, and there is none"


def tool_fact(facts: Facts, preset: str) -> Fact[str]:
    """Return where the program of a preset is."""
    stressing = LOAD_PRESETS[preset].tool == STRESS_NG
    return facts.tools.stress_ng if stressing else facts.tools.hackbench


def install(preset: str) -> str:
    """Return how to get what a preset needs."""
    if LOAD_PRESETS[preset].tool == STRESS_NG:
        return "install the package stress-ng, or let the rt-tests stage do it"
    return "build or install rt-tests: the rt-tests stage does it"


def _place(facts: Facts, preset: str) -> str:
    """The path of the preset's program; its name where nobody could look; empty if it is absent."""
    fact = tool_fact(facts, preset)
    return fact.value if isinstance(fact, Known) else LOAD_PRESETS[preset].tool
