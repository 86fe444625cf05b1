"""Checks of interrupts."""

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import README, Verdict, failed, ok, unknown
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab

_FIX = "systemctl disable --now irqbalance"


def _irqbalance_off(facts: Facts, lab: Lab) -> Verdict:
    del lab
    running, at_boot = facts.scheduling.irqbalance, facts.scheduling.irqbalance_enabled
    if isinstance(running, Unknown):
        return unknown("Whether irqbalance runs", running)
    if running.value == "active":
        return failed("irqbalance is running.", _FIX)
    if isinstance(at_boot, Unknown):
        return unknown("Whether irqbalance starts at boot", at_boot)
    if at_boot.value == "enabled":
        return failed("irqbalance does not run, but it starts at the next boot.", _FIX)
    if running.value == "absent":
        return ok("irqbalance is not installed.")
    return ok(f"irqbalance does not run and is {at_boot.value} at boot.")


IRQBALANCE_OFF = Check(
    "irq.irqbalance-off",
    "IRQ balancing off",
    "irqbalance moves interrupts to any CPU, isolated ones too, while real-time threads run.",
    f"{README}: IRQ balancing",
    _irqbalance_off,
)
