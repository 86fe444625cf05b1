"""Orders about machines, carried out on one host: `machines.order.Order` says which there are."""

from collections.abc import Callable, Sequence

from kubert_tui.base.errors import ChangeError, KubertError, UsageError
from kubert_tui.events.model import ConsoleSaid, Note
from kubert_tui.facts.fact import Known
from kubert_tui.facts.virtual import MachineSeen
from kubert_tui.lab.model import Lab, MachineSpec
from kubert_tui.machines import keys, lifecycle
from kubert_tui.machines.cases import cases_for
from kubert_tui.machines.console import console
from kubert_tui.machines.ensure import rebuild
from kubert_tui.machines.guest import Guest, guests_of
from kubert_tui.machines.hypervisor import Hypervisor
from kubert_tui.machines.image_name import base_volume
from kubert_tui.machines.order import Action, Order
from kubert_tui.machines.seen import MISSING
from kubert_tui.machines.traits import traits_of
from kubert_tui.stages.machines_boot import Boot
from kubert_tui.stages.machines_change import tell_outcome
from kubert_tui.stages.machines_console import follow
from kubert_tui.stages.model import Work

Raw = Callable[[bytes], None]
"""Takes what a console says, as it is."""

_DONE = {
    Action.START: "is started",
    Action.STOP: "is off",
    Action.REVERT: "is what it was at the snapshot {}",
    Action.SNAPSHOT: "is kept as the snapshot {}",
    Action.REBUILD: "is made anew",
    Action.DESTROY: "is removed, its disks too",
    Action.RELEASE: "is let go, and stays as it is",
}


def hosts_of(lab: Lab, order: Order) -> tuple[str, ...]:
    """Return the hosts that have to be looked at for an order, in the lab's order."""
    homes = {guest.name: guest.host for guest in lab.guests}
    everywhere = tuple(host.name for host in lab.hosts)
    # What the lab file does not name any more may be anywhere.
    if not order.names or not homes.keys() >= set(order.names):
        return everywhere
    return tuple(host for host in everywhere if host in {homes[one] for one in order.names})


def chosen(work: Work, hosts: Sequence[str], order: Order) -> dict[str, tuple[MachineSeen, ...]]:
    """Return the machines that an order is about, by host.

    Raises UsageError for a name that nobody knows, and the reason where libvirt could not be
    looked at.
    """
    found: dict[str, tuple[MachineSeen, ...]] = {}
    for host in hosts:
        libvirt = work.facts(host).libvirt
        if not isinstance(libvirt, Known):
            raise KubertError(f"its machines could not be looked at: {libvirt.reason}", host=host)
        there = libvirt.value.machines
        found[host] = tuple(one for one in there if not order.names or one.name in order.names)
    known = {one.name for machines in found.values() for one in machines}
    if missing := [name for name in order.names if name not in known]:
        names = ", ".join(guest.name for guest in work.lab.guests) or "none"
        raise UsageError(
            f"lab {work.lab.name} has no machine {missing[0]}", fix=f"its machines: {names}"
        )
    return found


def act(
    work: Work, host: str, order: Order, machines: Sequence[MachineSeen], raw: Raw | None = None
) -> None:
    """Carry an order out on one host; raises KubertError at the first machine that fails."""
    with work.hypervisor(host) as hypervisor:
        if order.action is Action.DESTROY and not order.names:
            _destroy_all(work, hypervisor)
            return
        for machine in machines:
            guest = _guest(work.lab, host, machine.name)
            if machine.state == MISSING and order.action is not Action.REBUILD:
                if order.names and order.action not in (Action.DESTROY, Action.RELEASE):
                    raise KubertError(
                        f"{machine.name} has not been made yet", fix="run the stage machines",
                        host=host,
                    )  # fmt: skip
                continue
            _one(work, hypervisor, guest, order, raw)
            if done := _DONE.get(order.action):
                text = f"{machine.name} {done.format(order.label)}"
                work.emit(Note(host=host, text=text))
        if order.action is Action.REBUILD:
            names = {one.name for one in machines}
            guests = tuple(one for one in guests_of(work.lab, host) if one.name in names)
            Boot(work, hypervisor, guests, work.lab.restart_seconds).wait()


def _one(work: Work, hypervisor: Hypervisor, guest: Guest, order: Order, raw: Raw | None) -> None:
    match order.action:
        case Action.START:
            keys.introduce(work.lab.name, guests_of(work.lab))
            lifecycle.start(hypervisor, guest)
        case Action.STOP if order.force:
            lifecycle.cut_power(hypervisor, guest)
        case Action.STOP:
            lifecycle.stop(hypervisor, guest, cancel=work.cancel)
        case Action.CONSOLE:
            _console(work, hypervisor, guest, raw)
        case Action.SNAPSHOT:
            hypervisor.snapshot(guest.domain, order.label)
        case Action.REVERT:
            hypervisor.revert(guest.domain, order.label)
        case Action.REBUILD:
            _rebuild(work, hypervisor, guest)
        case Action.DESTROY:
            lifecycle.destroy(hypervisor, guest.lab, guest.name)
            if guest.name not in {one.name for one in work.lab.guests}:
                keys.forget_machine(guest.lab, guest.name)
        case Action.RELEASE:
            lifecycle.release(hypervisor, guest.lab, guest.name)


def _console(work: Work, hypervisor: Hypervisor, guest: Guest, raw: Raw | None) -> None:
    domain = hypervisor.domain(guest.domain)
    if domain is None or not domain.on:
        fix = f"kubert-tui machines start {guest.name}"
        raise KubertError(f"{guest.name} is off and says nothing", fix=fix, host=hypervisor.host)
    if raw is not None:
        for piece in console(hypervisor, guest.domain, work.cancel):
            raw(piece)
        return

    def tell(lines: tuple[str, ...]) -> None:
        work.emit(ConsoleSaid(host=hypervisor.host, machine=guest.name, lines=lines))

    follow(hypervisor, guest, work.cancel, tell)


def _rebuild(work: Work, hypervisor: Hypervisor, guest: Guest) -> None:
    facts = work.facts(hypervisor.host)
    for case in cases_for(work.lab, facts, traits_of(facts)):
        if case.guest.name == guest.name:
            keys.introduce(work.lab.name, guests_of(work.lab))
            outcome = rebuild(hypervisor, case, base_volume(work.lab))
            tell_outcome(work, hypervisor.host, outcome)
            return
    raise KubertError(
        f"the lab file does not name {guest.name} any more, so nothing says how to make it",
        fix="destroy it, or name it in the lab file",
        host=hypervisor.host,
    )


def _destroy_all(work: Work, hypervisor: Hypervisor) -> None:
    lab = work.lab.name
    lifecycle.destroy_all(hypervisor, lab)
    if left := lifecycle.leftovers(hypervisor, lab):
        raise ChangeError(
            f"something of the lab is left: {', '.join(left)}",
            fix="look who made it anew (another kubert-tui?), then destroy again",
            host=hypervisor.host,
        )
    text = "nothing of the lab's machines is left: domains, disks, network"
    work.emit(Note(host=hypervisor.host, text=text))


def forget_keys(work: Work) -> None:
    """Remove what this computer has for the lab's machines, once no host has any of them."""
    keys.forget(work.lab.name)
    if left := lifecycle.leftovers_here(work.lab.name):
        raise ChangeError(f"something of the lab is left here: {', '.join(left)}", fix="remove it")
    work.emit(Note(text="nothing of them is left on this computer: keys, known hosts"))


def _guest(lab: Lab, host: str, name: str) -> Guest:
    """The machine as the lab file has it, or as much of it as names need."""
    for guest in guests_of(lab):
        if guest.name == name:
            return guest
    return Guest(lab.name, MachineSpec(name=name, host=host), lab.network)
