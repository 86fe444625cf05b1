"""What a host offers to virtual machines, as far as their definition depends on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubert_tui.facts.model import Facts, Known


@dataclass(frozen=True, slots=True)
class Traits:
    """What a definition needs to know of its host."""

    kvm: bool
    """Whether guests run on KVM; best proved by one that did."""
    why_no_kvm: str = ""
    hugepages: Mapping[int, int] = field(default_factory=dict)
    """Size of a page in KiB to the number that the host has reserved."""


def traits_of(facts: Facts, *, kvm_proved: bool | None = None, why: str = "") -> Traits:
    """Return the traits that `facts` tell; `kvm_proved` is what booting a guest has shown."""
    pages = facts.memory.hugepages
    sizes = pages.value if isinstance(pages, Known) else {}
    hugepages = {
        int(name.removeprefix("hugepages-").removesuffix("kB")): count
        for name, count in sizes.items()
        if name.removeprefix("hugepages-").removesuffix("kB").isdigit()
    }
    if kvm_proved is not None:
        return Traits(kvm_proved, "" if kvm_proved else why, hugepages)
    if isinstance(facts.kvm, Known):
        usable = facts.kvm.value == "usable"
        return Traits(usable, "" if usable else facts.kvm.value, hugepages)
    return Traits(False, facts.kvm.reason, hugepages)
