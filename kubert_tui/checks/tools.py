"""Checks of the programs that measure."""

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import README, Verdict, failed, ok, unknown
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.load_presets import LOAD_PRESETS
from kubert_tui.lab.model import Lab
from kubert_tui.lab.rt_tests import pinned_version
from kubert_tui.latency.load_order import install, missing_tool, tool_fact


def _cyclictest(facts: Facts, lab: Lab) -> Verdict:
    fact = facts.tools.cyclictest
    build = "Run the rt-tests stage: it builds or installs it."
    if isinstance(fact, Unknown):
        return unknown("cyclictest", fact, build)
    if not fact.value:
        return failed("There is no cyclictest.", build)
    pinned = pinned_version(lab)
    for one in fact.value:
        if not pinned or one.version == pinned:
            return ok(f"cyclictest {one.version} at {one.path}.")
    found = ", ".join(f"{one.version} at {one.path}" for one in fact.value)
    return failed(f"cyclictest {found}; the lab asks for {pinned}.", build)


CYCLICTEST = Check(
    "tools.cyclictest",
    "cyclictest",
    "It is the measure of all: how late a real-time thread wakes up.",
    f"{README}: Real-time test",
    _cyclictest,
)


def _load(facts: Facts, lab: Lab) -> Verdict:
    name = lab.cyclictest.load
    preset = LOAD_PRESETS[name]
    if not preset.tool:
        return ok("The lab asks for no load beside the measurement.")
    fact = tool_fact(facts, name)
    if isinstance(fact, Unknown):
        return unknown(preset.tool, fact)
    if missing := missing_tool(facts, name):
        fix = f"{install(name)}; or set cyclictest.load to none."
        return failed(f"{missing[0].upper()}{missing[1:]}.", f"{fix[0].upper()}{fix[1:]}")
    return ok(f"The load {name} is {preset.tool} at {fact.value}.")


LOAD = Check(
    "tools.load",
    "Load beside the measurement",
    "What was never asked for cannot come in between: a latency counts for something under load.",
    "rteval; OSADL: Test latency under load",
    _load,
)
