"""Checks of KVM."""

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import Verdict, failed, machine_kind, ok, unknown
from kubert_tui.facts.containers import container_kind
from kubert_tui.facts.model import Facts, Unknown
from kubert_tui.lab.model import Lab


def _kvm(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.kvm
    if isinstance(fact, Unknown):
        return unknown("KVM", fact)
    if fact.value == "usable":
        return ok("/dev/kvm opens. That guests boot is proved only by booting one.")
    if kind := container_kind(facts):
        fix = f"Give this container ({kind}) the device /dev/kvm."
    elif kind := machine_kind(facts):
        fix = f"Enable nested virtualization on the hypervisor ({kind}) beneath."
    elif "may not be opened" in fact.value:
        fix = "Add this login to the group kvm, or use sudo."
    else:
        fix = "Enable Intel VT-x or AMD-V in the firmware; load kvm_intel or kvm_amd."
    return failed(f"KVM is not usable: {fact.value}.", fix)


KVM = Check(
    "virtualization.kvm",
    "KVM usable",
    "KVM is the real-time hypervisor of this lab; emulation is slower by orders of magnitude.",
    "/dev/kvm; kubert README: KVM as real-time hypervisor",
    _kvm,
)
