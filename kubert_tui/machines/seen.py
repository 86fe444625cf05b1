"""What libvirt on a host says of the lab's machines, as facts."""

from collections.abc import Sequence
from dataclasses import replace

from kubert_tui.base.errors import KubertError
from kubert_tui.facts.virtual import MachineSeen
from kubert_tui.machines.calls import RefusedError
from kubert_tui.machines.difference import settings
from kubert_tui.machines.elements import Case, LeftOut
from kubert_tui.machines.ensure import Plan, look
from kubert_tui.machines.hypervisor import Domain, Hypervisor
from kubert_tui.machines.xml import parse

MISSING = "missing"
"""The state of a machine that is not there."""


def seen(hypervisor: Hypervisor, lab: str, cases: Sequence[Case]) -> tuple[MachineSeen, ...]:
    """Return the machines of `cases`, all of one host, and those that the lab made there before.

    Nothing is changed. Raises as Hypervisor does.
    """
    domains = {one.name: one for one in hypervisor.domains()}
    found = [_wanted(hypervisor, case, domains.get(case.guest.domain)) for case in cases]
    names = {one.name for one in found}
    for domain in domains.values():
        made = domain.origin
        if made is not None and made.lab == lab and made.machine not in names:
            stray = MachineSeen(made.machine, domain.state, stray=True)
            found.append(_described(hypervisor, stray, domain))
    return tuple(found)


def told(left_out: LeftOut) -> str:
    """Return a line about an element that is left out: which, why, its cost, what to do."""
    remedy = f" ({left_out.remedy})" if left_out.remedy else ""
    return f"{left_out.name}: {left_out.why}. Without it: {left_out.cost}{remedy}"


def _wanted(hypervisor: Hypervisor, case: Case, domain: Domain | None) -> MachineSeen:
    name = case.guest.name
    try:
        plan = look(hypervisor, case)
    except RefusedError:
        raise
    except KubertError as error:
        if type(error) is not KubertError:
            raise  # the connection, not the machine
        return MachineSeen(name, MISSING, trouble=f"{error.what} ({error.fix})")
    machine = MachineSeen(
        name,
        plan.state or MISSING,
        changes=_changes(plan),
        restart=tuple(map(str, plan.restart)),
        left_out=tuple(map(told, plan.left_out)),
    )
    return machine if domain is None else _described(hypervisor, machine, domain)


def _changes(plan: Plan) -> tuple[str, ...]:
    if plan.create:
        return ()
    parts = (("network", plan.network), ("disk or seed", plan.volumes))
    gone = (f"{what}: not there -> made" for what, missing in parts if missing)
    return (*gone, *map(str, plan.changes))


def _described(hypervisor: Hypervisor, machine: MachineSeen, domain: Domain) -> MachineSeen:
    """The machine with what its definition says of its CPUs, and its snapshots."""
    told = settings(parse(domain.live))
    vcpus = int(told["vcpus"]) if told.get("vcpus", "").isdigit() else 0
    pins = tuple(told.get(f"vcpupin {number}", "") for number in range(vcpus))
    snapshots = hypervisor.snapshots(domain.name)
    return replace(machine, vcpus=vcpus, pins=pins if any(pins) else (), snapshots=snapshots)
