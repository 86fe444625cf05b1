"""Checks of the host's packages."""

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import README, Verdict, failed, ok, unknown
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab


def _updated(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.pending_updates
    if isinstance(fact, Unknown):
        return unknown("Whether updates wait", fact, "Run the update stage: it asks the mirrors.")
    if fact.value == 0:
        return ok("No updates wait, as far as the host's package cache knows.")
    word = "update waits" if fact.value == 1 else "updates wait"
    return failed(
        f"{fact.value} package {word}.", "Update the system: dnf upgrade, apt-get upgrade."
    )


UPDATED = Check(
    "packages.updated",
    "System up to date",
    "Firmware, microcode and kernel updates change latency: bring them in before measuring.",
    f"{README}: sudo yum update",
    _updated,
)
