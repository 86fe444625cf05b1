"""From the lab to its machines on one host: what each is defined by, and how each is reached."""

from dataclasses import replace

from kubert_tui.cpus.placement import NoRoomError, Placement, Wanted, place
from kubert_tui.cpus.plan import CpuPlan, plan_inside
from kubert_tui.cpus.topology import Cpu, Topology
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.topology import topology_of
from kubert_tui.hosts.known_hosts import our_file
from kubert_tui.hosts.openssh import connection_options, quoted_path
from kubert_tui.hosts.ssh_config import endpoint_of
from kubert_tui.lab.model import CpusSpec, HostSpec, Lab
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


def cases_for(lab: Lab, facts: Facts, traits: Traits) -> tuple[Case, ...]:
    """Return the cases of the machines of a host as it is, with a CPU plan or without one.

    Where there is none, or the topology of its CPUs is unknown, machines are told why they are
    not pinned.
    """
    topology, plan = topology_of(facts), lab.plan_of(facts.host)
    if isinstance(topology, Known) and plan is not None:
        return cases_of(lab, facts.host, traits, plan, topology.value)
    why = "the host has no CPU plan: run the stage cpu-plan"
    if isinstance(topology, Unknown):
        why = f"the topology of the host's CPUs is unknown: {topology.reason}"
    nothing = CpuPlan(housekeeping=frozenset({0}), isolated=frozenset())
    cases = cases_of(lab, facts.host, traits, nothing, Topology((Cpu(0, 0, 0, 0),)))
    return tuple(replace(one, why_no_placement=why) for one in cases)


def login_command(guest: Guest, lab: Lab) -> tuple[str, ...]:
    """Return the argv with which people log in on a machine; raises as `endpoint_of` does."""
    spec = host_of(guest, lab)
    how: tuple[str, ...] = ("-o", f"UserKnownHostsFile={quoted_path(our_file())}")
    if spec.jump:
        # `-J` would not hold the host to our known_hosts.
        how = connection_options(endpoint_of(spec, lab), our_file())
    return ("ssh", "-i", spec.identity_file, *how, f"{spec.user}@{spec.address}")


def host_of(guest: Guest, lab: Lab) -> HostSpec:
    """Return the machine as a host of its own: root, with the lab's key, through its host.

    An adopted one has a login and a key of its own.
    """
    local = lab.host(guest.spec.host).connection == "local"
    plan = plan_inside(guest.spec.vcpus) if guest.spec.realtime else None
    return HostSpec(
        name=guest.name,
        address=guest.spec.address,
        port=22,
        user=guest.spec.user or "root",
        identity_file=guest.spec.identity_file or str(login_key_file(guest.lab)),
        jump="" if local else guest.spec.host,
        cpus=CpusSpec.of(plan) if plan else CpusSpec(),
    )
