"""Checks of the programs that measure."""

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import README, Verdict, failed, ok, unknown
from kubert_tui.facts.model import Facts, Unknown
from kubert_tui.lab.model import Lab
from kubert_tui.lab.rt_tests import pinned_version


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
