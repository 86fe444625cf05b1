"""A lab's machines on one host: listed, stopped, destroyed; and what is left of them, if anything.

Only what this lab made is ever touched: domains by their metadata, volumes by their names in our
own pool, the network by its identity.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event as Flag

from kubert_tui.base.errors import CancelledError, KubertError
from kubert_tui.machines import keys
from kubert_tui.machines.adopt import let_go, refuse_destroy
from kubert_tui.machines.guest import Guest, network_name, volume_prefix
from kubert_tui.machines.hypervisor import Domain, Hypervisor, State
from kubert_tui.machines.networks import has_network, remove_network
from kubert_tui.machines.storage import Storage

_TURN = 0.5
_STOP_LIMIT = 120.0


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of the lab that is there."""

    name: str
    """In the lab."""
    domain: str
    state: State


def machines(hypervisor: Hypervisor, lab: str) -> tuple[Machine, ...]:
    """Return the machines that the lab made on this host, in the lab file or not any more."""
    return tuple(
        Machine(one.origin.machine, one.name, one.state)
        for one in _domains(hypervisor, lab)
        if one.origin is not None
    )


def strays(hypervisor: Hypervisor, lab: str, guests: Sequence[Guest]) -> tuple[Machine, ...]:
    """Return the lab's machines on this host that are not among `guests`, those it should have."""
    names = {guest.name for guest in guests}
    return tuple(one for one in machines(hypervisor, lab) if one.name not in names)


def start(hypervisor: Hypervisor, guest: Guest) -> None:
    """Switch a machine on as it is defined."""
    hypervisor.start(_needed(hypervisor, guest).name)


def stop(
    hypervisor: Hypervisor, guest: Guest, *, limit: float = _STOP_LIMIT, cancel: Flag | None = None
) -> None:
    """Press a machine's power button and wait until it is off.

    KubertError when it is not after `limit` seconds; CancelledError when `cancel` was set.
    """
    domain = _needed(hypervisor, guest)
    hypervisor.ask_to_stop(domain.name)
    flag = cancel or Flag()
    deadline = time.monotonic() + limit
    while (now := hypervisor.domain(domain.name)) is not None and now.on:
        if time.monotonic() > deadline:
            raise KubertError(
                f"{guest.name} did not switch off within {limit:.0f} s",
                fix="look at its console, or cut its power: kubert-tui machines stop --force "
                f"{guest.name}",
                host=hypervisor.host,
            )
        if flag.wait(_TURN):
            raise CancelledError(f"waiting for {guest.name} was cancelled", host=hypervisor.host)


def cut_power(hypervisor: Hypervisor, guest: Guest) -> None:
    """Switch a machine off at once; what it did not write is lost."""
    hypervisor.cut_power(_needed(hypervisor, guest).name)


def destroy(hypervisor: Hypervisor, lab: str, name: str) -> None:
    """Remove one machine with its disks. Nothing happens if it is not there; safe to repeat.

    KubertError for one that somebody else made: `release` lets go of it.
    """
    for domain in _domains(hypervisor, lab):
        if domain.origin is not None and domain.origin.machine == name:
            if domain.origin.adopted:
                raise refuse_destroy(domain, name, hypervisor.host)
            hypervisor.cut_power(domain.name)
            hypervisor.undefine(domain.name)
    storage = Storage(hypervisor)
    # Also where the definition is gone already.
    for volume in storage.volumes():
        if volume.name in _volumes_of(lab, name):
            storage.delete(volume.name)


def release(hypervisor: Hypervisor, lab: str, name: str) -> None:
    """Let go of a machine that the lab adopted: it goes on as it was. Safe to repeat.

    KubertError for one that the lab made.
    """
    for domain in _domains(hypervisor, lab):
        if domain.origin is not None and domain.origin.machine == name:
            if not domain.origin.adopted:
                raise KubertError(
                    f"the lab made {name} itself: there is nobody to leave it to",
                    fix=f"remove it with its disks: kubert-tui machines destroy {name}",
                    host=hypervisor.host,
                )
            let_go(hypervisor, domain)


def destroy_all(hypervisor: Hypervisor, lab: str) -> None:
    """Remove everything that the lab made on this host; images that nobody uses, too.

    Machines that it adopted are let go of: they stay as they are, without our metadata.

    The keys go when no host has anything of the lab any more: `keys.forget`.
    """
    for domain in _domains(hypervisor, lab):
        if domain.origin is not None and domain.origin.adopted:
            let_go(hypervisor, domain)
            continue
        hypervisor.cut_power(domain.name)
        hypervisor.undefine(domain.name)
    storage = Storage(hypervisor)
    for volume in storage.volumes():
        if volume.name.startswith(volume_prefix(lab)):
            storage.delete(volume.name)
    remove_network(hypervisor, lab)
    storage.remove_unused()


def leftovers(hypervisor: Hypervisor, lab: str) -> tuple[str, ...]:
    """Return what there is of the lab on this host, a line each: () after `destroy_all`."""
    found = [f"machine {one.name}" for one in _domains(hypervisor, lab)]
    found += [
        f"volume {one.name}"
        for one in Storage(hypervisor).volumes()
        if one.name.startswith(volume_prefix(lab))
    ]
    if has_network(hypervisor, lab):
        found.append(f"network {network_name(lab)}")
    return tuple(found)


def leftovers_here(lab: str) -> tuple[str, ...]:
    """Return what this computer keeps for the lab's machines: () after `keys.forget`."""
    known = keys.known_machines(lab)
    return (*(f"key {path}" for path in keys.kept(lab)), *(f"known host {one}" for one in known))


def _domains(hypervisor: Hypervisor, lab: str) -> tuple[Domain, ...]:
    return tuple(
        one for one in hypervisor.domains() if one.origin is not None and one.origin.lab == lab
    )


def _needed(hypervisor: Hypervisor, guest: Guest) -> Domain:
    for domain in _domains(hypervisor, guest.lab):
        if domain.origin is not None and domain.origin.machine == guest.name:
            return domain
    raise KubertError(f"this lab has made no machine {guest.name}", host=hypervisor.host)


def _volumes_of(lab: str, name: str) -> tuple[str, ...]:
    prefix = f"{volume_prefix(lab)}{name}"
    return (f"{prefix}.qcow2", f"{prefix}.seed.iso")
