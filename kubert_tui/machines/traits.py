"""What a host offers to virtual machines, as far as their definition depends on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts


@dataclass(frozen=True, slots=True)
class Traits:
    """What a definition needs to know of its host."""

    kvm: bool
    """Whether guests run on KVM; best proved by one that did."""
    why_no_kvm: str = ""
    hugepages: Mapping[int, int] = field(default_factory=dict)
    """Size of a page in KiB to the number that the host has reserved."""


def traits_of(facts: Facts) -> Traits:
    """Return the traits that `facts` tell.

    Whether KVM runs guests is what booting one has shown; where that was not tried, /dev/kvm is
    believed. `kvm_proof.prove_kvm` tries it.
    """
    pages = facts.memory.hugepages
    sizes = pages.value if isinstance(pages, Known) else {}
    hugepages = {
        int(name.removeprefix("hugepages-").removesuffix("kB")): count
        for name, count in sizes.items()
        if name.removeprefix("hugepages-").removesuffix("kB").isdigit()
    }
    why = why_no_kvm(facts)
    return Traits(not why, why, hugepages)


def why_no_kvm(facts: Facts) -> str:
    """Return why guests do not run on KVM; `` when they do, or nothing speaks against it."""
    if isinstance(facts.kvm, Unknown):
        return facts.kvm.reason
    if facts.kvm.value != "usable":
        return facts.kvm.value
    boot = facts.kvm_boot
    if isinstance(boot, Known) and boot.value.boots is False:
        return f"/dev/kvm opens, but no guest boots: {boot.value.told}"
    return ""
