"""Checks of the host itself: rights, distribution, clock, disk, Python."""

import re

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import README, Verdict, failed, ok, unknown, warning
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import INCOMPLETE_PYTHON, DiskSpace, Facts
from kubert_tui.lab.model import Lab

_GIB = 1024**3
_MIB = 1024**2

# Oldest releases with updates, as of 2026-11.
_OLDEST = {"fedora": (43,), "debian": (12,), "ubuntu": (22, 4)}

_NEEDED = {"/": 2 * _GIB, "/var": 2 * _GIB, "/boot": 200 * _MIB}
_COMFORTABLE = {"/": 10 * _GIB, "/var": 10 * _GIB, "/boot": 400 * _MIB}


def _privileged(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.privileged
    if isinstance(fact, Unknown):
        return unknown("Whether we have root rights", fact)
    if fact.value:
        return ok("We have root rights.")
    return failed(
        "We have no root rights: some facts are unknown and nothing can be changed.",
        "Allow this login to use sudo, or log in as root.",
    )


def _distribution(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.distribution
    if isinstance(fact, Unknown):
        return unknown("The distribution", fact)
    name = fact.value.pretty_name
    if not fact.value.family or not fact.value.package_manager:
        return failed(
            f"{name} is neither of the Fedora nor of the Debian family.",
            "Use Fedora, CentOS Stream, Debian or Ubuntu, or prepare this host by hand.",
        )
    oldest = _OLDEST.get(fact.value.id)
    version = tuple(int(part) for part in re.findall(r"[0-9]{1,6}", fact.value.version))
    if oldest and version and version < oldest:
        return warning(
            f"{name} gets no updates any more.",
            "Install a supported release; old ones also lack current packages.",
        )
    return ok(f"{name}, {fact.value.package_manager}.")


def _clock(facts: Facts, lab: Lab) -> Verdict:
    del lab
    offset, give = facts.clock_offset, facts.clock_uncertainty
    if isinstance(offset, Unknown):
        return unknown("The clock", offset)
    if isinstance(give, Unknown):
        return unknown("The clock", give)
    text = f"The clock is {offset.value:+.3f} s from ours (known to {give.value:.3f} s)"
    certain = abs(offset.value) - give.value
    fix = "Switch time synchronisation on: timedatectl set-ntp true (chrony or timesyncd)."
    if certain > 60:
        return failed(f"{text}: certificates and package signatures will fail.", fix)
    if certain > 1:
        return warning(f"{text}.", fix)
    return ok(f"{text}.")


def _disk(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.disks
    if isinstance(fact, Unknown):
        return unknown("Free disk space", fact)
    fix = "Free space there: remove old kernels, clean the package cache."
    full = [disk for disk in fact.value if disk.available < _NEEDED.get(disk.mount, 0)]
    if full:
        return failed(f"Too little free space: {_spaces(full)}.", fix)
    tight = [disk for disk in fact.value if disk.available < _COMFORTABLE.get(disk.mount, 0)]
    if tight:
        return warning(f"Little free space: {_spaces(tight)}.", fix)
    return ok(f"Free: {_spaces(list(fact.value))}.")


def _spaces(disks: list[DiskSpace]) -> str:
    return ", ".join(f"{disk.available / _GIB:.1f} GiB on {disk.mount}" for disk in disks)


def _python(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.tools.python
    if isinstance(fact, Unknown):
        return unknown("Python", fact)
    install = "Install the package python3."
    if not fact.value:
        return failed("There is no python3: Ansible cannot work on this host.", install)
    if fact.value == INCOMPLETE_PYTHON:
        return failed("python3 lacks its standard library: Ansible cannot work.", install)
    found = re.search(r"\b([0-9]{1,3})\.([0-9]{1,3})", fact.value)
    if found and (int(found[1]), int(found[2])) < (3, 8):
        return warning(f"{fact.value} is older than Ansible supports (3.8).", install)
    return ok(f"{fact.value}.")


def _operator(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.operator
    if isinstance(fact, Unknown):
        return unknown("Whether somebody else works here", fact)
    if fact.value is None:
        return ok("Nobody else works on this host with kubert-tui.")
    fix = "Wait until they have finished, or agree with them; a change here asks you first."
    return warning(f"Being worked on by {fact.value.describe()}.", fix)


PRIVILEGED = Check(
    "host.privileged",
    "Root rights",
    "Kernel, services and SCHED_FIFO measurements need root.",
    f"{README}: every step uses sudo",
    _privileged,
)
OPERATOR = Check(
    "host.operator",
    "Other operators",
    "Two who change one host at once see each other's half-done work, and spoil measurements.",
    "the lock that kubert-tui keeps in /run/kubert-tui while it works",
    _operator,
)
DISTRIBUTION = Check(
    "host.distribution",
    "Distribution",
    "The playbooks know the Fedora and the Debian family; a PREEMPT_RT kernel comes from there.",
    "/etc/os-release",
    _distribution,
)
CLOCK = Check(
    "host.clock",
    "Clock",
    "A wrong clock breaks TLS, package signatures and the comparison of runs between hosts.",
    "clock read at both ends of one round trip (RFC 5905, section 8)",
    _clock,
)
DISK = Check(
    "host.disk",
    "Disk space",
    "A full /boot leaves a kernel half installed; a full /var stops packages and images.",
    "df",
    _disk,
)
PYTHON = Check(
    "host.python",
    "Python",
    "Ansible runs its modules with the host's Python; the live histogram needs it too.",
    "ansible-core support matrix",
    _python,
)
