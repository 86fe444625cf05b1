"""Convergence: a machine becomes what the lab file says, and what takes a restart is told."""

from dataclasses import dataclass

from kubert_tui.base.errors import KubertError
from kubert_tui.machines import keys
from kubert_tui.machines.adopt import refuse_destroy
from kubert_tui.machines.calls import RefusedError
from kubert_tui.machines.definition import Definition, define, origin_of
from kubert_tui.machines.difference import Change, difference
from kubert_tui.machines.elements import ELEMENTS, Case, LeftOut, refused_by
from kubert_tui.machines.guest import Guest
from kubert_tui.machines.hypervisor import ON, Domain, Hypervisor, State
from kubert_tui.machines.lifecycle import destroy, machines
from kubert_tui.machines.networks import ensure_network, has_network, restart_network
from kubert_tui.machines.seed import seed_digest, seed_files, seed_image
from kubert_tui.machines.storage import Storage
from kubert_tui.machines.xml import parse


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done to a machine: nothing, if it is all empty."""

    create: bool
    """There is no such machine yet."""
    volumes: bool
    """Its disk or its seed is not there: a new one is made."""
    network: bool
    """Its network is not there."""
    changes: tuple[Change, ...]
    """What differs from its definition."""
    restart: tuple[Change, ...]
    """Which of what runs stays as it is until the machine starts anew."""
    start: bool
    """It is off, or paused."""
    state: State | None = None
    """None when there is no such machine."""
    left_out: tuple[LeftOut, ...] = ()
    """The real-time elements that it has to do without, as it is defined now."""

    @property
    def empty(self) -> bool:
        """Whether the machine is as it should be, all of it in effect."""
        missing = self.create or self.volumes or self.network or self.start
        return not (missing or self.changes or self.restart)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done to a machine."""

    guest: Guest
    created: bool
    started: bool
    changed: tuple[Change, ...]
    """In its definition; those that are live, in what runs, too."""
    restart: tuple[Change, ...]
    """What takes effect only when the machine starts anew."""
    left_out: tuple[LeftOut, ...]
    """The real-time elements that it has to do without."""


def look(hypervisor: Hypervisor, case: Case) -> Plan:
    """Return what `ensure` would do, and do none of it. KubertError if the name is another's."""
    guest, storage = case.guest, Storage(hypervisor)
    present = _ours(hypervisor, guest)
    if guest.spec.adopted:
        off = present is None or not present.on or present.state is State.PAUSED
        state = None if present is None else present.state
        return Plan(present is None, False, False, (), (), off, state)
    volumes = any(storage.volume(name) is None for name in (guest.disk, guest.seed))
    network = guest.spec.network == "nat" and not has_network(hypervisor, guest.lab)
    changes: tuple[Change, ...] = ()
    restart: tuple[Change, ...] = ()
    wanted = define(case)
    if present is not None:
        wanted = _wanted(case, present)
        changes, restart = _changes(present, wanted, _seed(guest)[1])
    return Plan(
        create=present is None,
        volumes=volumes,
        network=network,
        changes=changes,
        restart=restart,
        start=present is None or not present.on or present.state is State.PAUSED,
        state=None if present is None else present.state,
        left_out=wanted.left_out,
    )


def ensure(hypervisor: Hypervisor, case: Case, base: str) -> Outcome:
    """Make the machine what it should be and have it run; safe to repeat, at any point.

    `base` is the volume its disk is a copy of, when it has none yet. What a running machine
    takes without a restart is done at once; it is never restarted here. The hypervisor's
    refusals are looked into: an element it names is left out and told, all else is an error.
    """
    guest, storage = case.guest, Storage(hypervisor)
    present = _ours(hypervisor, guest)
    if guest.spec.adopted:
        return _ensure_adopted(hypervisor, guest, present)
    storage.ensure()
    pending = _network(hypervisor, guest) if guest.spec.network == "nat" else ()
    if storage.volume(guest.disk) is None:
        if present is not None and present.on:
            raise KubertError(
                f"the disk of {guest.name} is gone while it runs",
                fix=f"destroy {guest.name} and make it anew",
                host=hypervisor.host,
            )
        storage.copy_on_write(guest.disk, base, guest.disk_mib)
    image, digest = _seed(guest)
    old_seed = present.origin.seed if present is not None and present.origin else ""
    if digest != old_seed or storage.volume(guest.seed) is None:
        storage.write(guest.seed, image)
    if present is None or not present.on:
        changed: tuple[Change, ...] = ()
        if present is not None:
            changed, _ = _changes(present, _wanted(case, present), digest)
        final = _start(hypervisor, case, digest)
        return Outcome(guest, present is None, True, changed, pending, final.left_out)
    wanted = _wanted(case, present, digest)
    changed, restart = _changes(present, wanted, digest)
    if changed:
        hypervisor.define(wanted.xml)
    for change in difference(present.live, wanted.xml):
        if change.live:
            hypervisor.apply_live(guest.domain, change)
    paused = present.state is State.PAUSED
    if paused:
        hypervisor.start(guest.domain)
    return Outcome(guest, False, paused, changed, (*restart, *pending), wanted.left_out)


def _ensure_adopted(hypervisor: Hypervisor, guest: Guest, present: Domain | None) -> Outcome:
    """Have a machine run that somebody else made; how it is made is theirs to say."""
    if present is None:
        raise KubertError(
            f"{guest.domain}, which the lab adopted as {guest.name}, is gone",
            fix="make it again where it was made (vagrant up), or take it out of the lab file",
            host=hypervisor.host,
        )
    starts = not present.on or present.state is State.PAUSED
    if starts:
        hypervisor.start(guest.domain)
    return Outcome(guest, False, starts, (), (), ())


def _network(hypervisor: Hypervisor, guest: Guest) -> tuple[Change, ...]:
    """Have the lab's network there; return what waits until its machines are off."""
    pending = ensure_network(hypervisor, guest)
    if pending and not any(one.state in ON for one in machines(hypervisor, guest.lab)):
        restart_network(hypervisor, guest.lab)
        return ()
    return pending


def _ours(hypervisor: Hypervisor, guest: Guest) -> Domain | None:
    """The machine as it is; None if there is none. KubertError if the lab did not make it."""
    present = hypervisor.domain(guest.domain)
    made = None if present is None else present.origin
    if present is not None and (
        made is None or (made.lab, made.machine) != (guest.lab, guest.name)
    ):
        raise KubertError(
            f"there is a machine {guest.domain} that this lab did not make",
            fix="rename the lab, or that machine",
            host=hypervisor.host,
        )
    return present


def _seed(guest: Guest) -> tuple[bytes, str]:
    files = seed_files(guest, keys.login_key(guest.lab), keys.host_key(guest))
    return seed_image(files), seed_digest(files)


def _wanted(case: Case, present: Domain, digest: str = "") -> Definition:
    """The definition to compare with: what the hypervisor refused at its last start is no change.

    It is asked again when the machine starts anew.
    """
    refusals = {} if present.origin is None else present.origin.refused
    return define(case, refusals, digest)


def _changes(
    present: Domain, wanted: Definition, digest: str
) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """What differs in the definition, and what of it a running machine takes only at its start."""
    changes = (*difference(present.config, wanted.xml), *_seed_change(present.config, digest))
    if not present.on:
        return changes, ()
    waiting = (one for one in difference(present.live, wanted.xml) if not one.live)
    return changes, (*waiting, *_seed_change(present.live, digest))


def _seed_change(xml: str, digest: str) -> tuple[Change, ...]:
    origin = origin_of(parse(xml))
    old = "" if origin is None else origin.seed
    return (Change("seed", old, digest),) if old != digest else ()


def _without_bridge(error: RefusedError, guest: Guest) -> RefusedError:
    """The error itself; says what to do where it is about the bridge."""
    bridge = guest.net.bridge
    if guest.spec.network == "bridge" and f"'{bridge}'" in error.details:
        error.fix = f"make the bridge {bridge} on the host, or use `kind: nat` in the lab file"
    return error


def _start(hypervisor: Hypervisor, case: Case, digest: str) -> Definition:
    """Define the machine as fully as the hypervisor allows, and start it."""
    refusals = dict[str, str]()
    for _ in range(len(ELEMENTS) + 1):
        definition = define(case, refusals, digest)
        try:
            hypervisor.define(definition.xml)
            hypervisor.start(case.guest.domain)
        except RefusedError as error:
            name = refused_by(error.details, definition.elements)
            if not name:
                raise _without_bridge(error, case.guest) from None
            refusals[name] = error.details
        else:
            return definition
    raise AssertionError("an element was refused twice")


def rebuild(hypervisor: Hypervisor, case: Case, base: str) -> Outcome:
    """Make a machine anew from the image; what its disk had is lost. Its keys stay the same."""
    present = _ours(hypervisor, case.guest)
    if present is not None and present.origin is not None and present.origin.adopted:
        raise refuse_destroy(present, case.guest.name, hypervisor.host)
    destroy(hypervisor, case.guest.lab, case.guest.name)
    return ensure(hypervisor, case, base)
