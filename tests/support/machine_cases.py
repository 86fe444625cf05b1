"""Machines of a lab, for tests that need no libvirt: with all of real time, and with none."""

from kubert_tui.cpus.placement import Placement
from kubert_tui.lab.load import parse_lab
from kubert_tui.machines.elements import Case
from kubert_tui.machines.guest import Guest, guests_of
from kubert_tui.machines.traits import Traits

KVM = Traits(kvm=True, hugepages={2048: 0, 1048576: 16})
EMULATED = Traits(kvm=False, why_no_kvm="no /dev/kvm")
PLACED = Placement("one", vcpus=(4, 6), emulator=(0, 1), node=0, shares_cores=False)


def guest(machine: str = "", network: str = "") -> Guest:
    """The machine `one` of the lab `twins`, with further keys in YAML's flow style."""
    text = (
        "name: twins\nhosts: [{name: bull1}]\n"
        f"machines: [{{name: one, {machine}}}]\nnetwork: {{{network}}}\n"
    )
    (found,) = guests_of(parse_lab(text, "lab.yaml"))
    return found


def case(
    machine: str = "",
    network: str = "",
    *,
    traits: Traits = KVM,
    placement: Placement | None = PLACED,
) -> Case:
    """The machine `one` on a host with everything, unless said otherwise."""
    return Case(guest(machine, network), traits, placement)
