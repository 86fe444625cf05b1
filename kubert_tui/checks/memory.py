"""Checks of memory: transparent hugepages, KSM, reserved hugepages, swap."""

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import TUNED, Verdict, ok, unknown, warning
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab

_GIB = 1024**3


def _thp(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.memory.transparent_hugepages
    if isinstance(fact, Unknown):
        return unknown("The transparent hugepage mode", fact)
    if fact.value == "never":
        return ok("Transparent hugepages are off.")
    return warning(
        f"Transparent hugepages: {fact.value}.",
        "Boot with transparent_hugepage=never, or let tuned set it.",
    )


def _ksm(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.memory.ksm
    if isinstance(fact, Unknown):
        return unknown("Kernel same-page merging", fact)
    if fact.value == 1:
        return warning(
            "Kernel same-page merging is running.",
            "echo 2 > /sys/kernel/mm/ksm/run, and disable ksm and ksmtuned.",
        )
    return ok("Kernel same-page merging is off.")


def _hugepages(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.memory.hugepages
    if isinstance(fact, Unknown):
        return unknown("Reserved hugepages", fact)
    reserved = {size: count for size, count in fact.value.items() if count > 0}
    if reserved:
        said = ", ".join(f"{count} of {size[10:]}" for size, count in sorted(reserved.items()))
        return ok(f"Hugepages reserved: {said}.")
    return warning(
        "No hugepages are reserved for virtual machines.",
        "Boot with default_hugepagesz=1G hugepagesz=1G hugepages=N (before the first VM).",
    )


def _swap(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.memory.swap_total
    if isinstance(fact, Unknown):
        return unknown("Swap", fact)
    if fact.value == 0:
        return ok("There is no swap.")
    return warning(
        f"{fact.value / _GIB:.1f} GiB of swap are active.",
        "swapoff -a, remove it from /etc/fstab; on Fedora dnf remove zram-generator-defaults.",
    )


THP = Check(
    "memory.thp",
    "Transparent hugepages",
    "khugepaged moves pages about and stalls whoever touches them.",
    f"{TUNED}; /sys/kernel/mm/transparent_hugepage/enabled",
    _thp,
)
KSM = Check(
    "memory.ksm",
    "Kernel same-page merging",
    "A write to a merged page must copy it first: a stall nobody planned.",
    f"{TUNED}; /sys/kernel/mm/ksm/run",
    _ksm,
)
HUGEPAGES = Check(
    "memory.hugepages",
    "Hugepages",
    "Guest memory in reserved hugepages saves TLB misses and page faults.",
    "libvirt kbase: kvm-realtime",
    _hugepages,
)
SWAP = Check(
    "memory.swap",
    "Swap",
    "Memory read back from swap takes milliseconds, and the kubelet refuses swap by default.",
    "kubeadm preflight; /proc/meminfo",
    _swap,
)
