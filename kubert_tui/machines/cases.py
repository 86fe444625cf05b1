"""From the lab to its machines on one host: what each is defined by, and how each is reached."""

from dataclasses import replace

from kubert_tui.cpus.placement import NoRoomError, Placement, Wanted, place
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.cpus.topology import Topology
from kubert_tui.lab.model import HostSpec, Lab
from kubert_tui.machines.elements import Case, page_size
from kubert_tui.machines.guest import Guest, guests_of
from kubert_tui.machines.keys import login_key_file
from kubert_tui.machines.traits import Traits


def cases_of(
    lab: Lab, host: str, traits: Traits, plan: CpuPlan, topology: Topology
) -> tuple[Case, ...]:
    """Return the cases of all machines that `host` is to run, in the lab file's order.

    Real-time machines get CPUs and reserved pages in that order; one for which there is no room
    is told why and goes without, and those after it still get theirs.
    """
    wanted: list[Wanted] = []
    placed: tuple[Placement, ...] = ()
    reasons = dict[str, str]()
    guests = guests_of(lab, host)
    for guest in guests:
        if guest.spec.realtime:
            one = Wanted(guest.name, guest.spec.vcpus)
            try:
                placed = place(plan, topology, [*wanted, one])
            except NoRoomError as error:
                reasons[guest.name] = str(error)
            else:
                wanted.append(one)
    placements = {placement.name: placement for placement in placed}
    pages = dict(traits.hugepages)
    cases = []
    for guest in guests:
        left = replace(traits, hugepages=dict(pages))
        case = Case(guest, left, placements.get(guest.name), reasons.get(guest.name, ""))
        cases.append(case)
        if guest.spec.realtime and (size := page_size(case)):
            pages[size] -= guest.memory_mib * 1024 // size
    return tuple(cases)


def host_of(guest: Guest, lab: Lab) -> HostSpec:
    """Return the machine as a host of its own: root, with the lab's key, through its host.

    An adopted one has a login and a key of its own.
    """
    local = lab.host(guest.spec.host).connection == "local"
    return HostSpec(
        name=guest.name,
        address=guest.spec.address,
        port=22,
        user=guest.spec.user or "root",
        identity_file=guest.spec.identity_file or str(login_key_file(guest.lab)),
        jump="" if local else guest.spec.host,
    )
