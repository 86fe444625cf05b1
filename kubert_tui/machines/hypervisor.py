"""libvirt on one host: its domains. All that is said to it passes here, `storage` or `networks`."""

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import libvirt

from kubert_tui.base.errors import KubertError
from kubert_tui.machines import calls
from kubert_tui.machines.calls import told
from kubert_tui.machines.definition import Origin, origin_of
from kubert_tui.machines.difference import Change
from kubert_tui.machines.xml import add, element, parse, text_of

_KEEPALIVE = (10, 3)
"""Seconds between two signs of life, and how many may stay out."""


class State(StrEnum):
    """What a domain does."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    OFF = "off"
    CRASHED = "crashed"


ON = frozenset({State.RUNNING, State.PAUSED, State.STOPPING})
"""The states in which a domain has a process."""
_STATES = {
    libvirt.VIR_DOMAIN_RUNNING: State.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: State.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: State.PAUSED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: State.PAUSED,
    libvirt.VIR_DOMAIN_SHUTDOWN: State.STOPPING,
    libvirt.VIR_DOMAIN_CRASHED: State.CRASHED,
}


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain as libvirt has it."""

    name: str
    state: State
    config: str
    """Its definition, which the next start takes."""
    live: str
    """What runs; the same as `config` when nothing does."""
    origin: Origin | None
    """None: no lab of kubert-tui made it."""

    @property
    def on(self) -> bool:
        """Whether there is a process of it."""
        return self.state in ON


class Hypervisor:
    """A connection to libvirt. Methods raise RefusedError and UnreachableError, naming the host."""

    def __init__(self, host: str, connection: Any) -> None:
        self.host = host
        self.connection = connection

    def close(self) -> None:
        """End the connection. Idempotent; machines go on."""
        if self.connection is not None:
            with suppress(libvirt.libvirtError):  # it may be gone already
                self.connection.close()
            self.connection = None

    def __enter__(self) -> "Hypervisor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def domains(self) -> tuple[Domain, ...]:
        """Return all domains, running or not, by name."""
        with told(self.host, "listing machines"):
            found = self.connection.listAllDomains(0)
        read = [self._read(one) for one in found]
        return tuple(sorted(filter(None, read), key=lambda domain: domain.name))

    def domain(self, name: str) -> Domain | None:
        """Return the domain called `name`, None if there is none."""
        found = self._lookup(name)
        return None if found is None else self._read(found)

    def define(self, xml: str) -> None:
        """Make or replace a definition; libvirt checks it against its own schema, too."""
        with told(self.host, "defining a machine"):
            self.connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)

    def start(self, name: str) -> None:
        """Switch it on, or have it go on if it is paused; nothing happens if it runs."""
        with told(self.host, f"starting {name}"):
            one = self._needed(name)
            if not one.isActive():
                one.create()
            elif _STATES.get(one.state(0)[0]) is State.PAUSED:
                one.resume()

    def ask_to_stop(self, name: str) -> None:
        """Press the power button; the guest decides what follows. Nothing happens if it is off."""
        with told(self.host, f"stopping {name}"):
            one = self._needed(name)
            if one.isActive():
                one.shutdown()

    def cut_power(self, name: str) -> None:
        """Switch it off at once. Nothing happens if it is off or not there."""
        one = self._lookup(name)
        if one is None:
            return
        with told(self.host, f"switching {name} off"):
            try:
                one.destroy()
            except libvirt.libvirtError:
                if one.isActive():
                    raise

    def undefine(self, name: str) -> None:
        """Forget the definition, snapshots and saved states of a domain that is off."""
        one = self._lookup(name)
        if one is None:
            return
        flags = (
            libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
            | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
            | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
            | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
        )
        with told(self.host, f"removing the definition of {name}"):
            one.undefineFlags(flags)

    def apply_live(self, name: str, change: Change) -> None:
        """Do a change that is `live` to a running domain. ValueError for any other."""
        kind, _, number = change.setting.partition(" ")
        mask = self._mask(change.after)
        with told(self.host, f"changing {change.setting} of {name}"):
            one = self._needed(name)
            flags = libvirt.VIR_DOMAIN_AFFECT_LIVE
            if kind == "vcpupin":
                one.pinVcpuFlags(int(number), mask, flags)
            elif kind == "emulatorpin":
                one.pinEmulator(mask, flags)
            elif kind == "iothreadpin":
                one.pinIOThread(int(number), mask, flags)
            else:
                raise ValueError(f"{change.setting} cannot be changed while a machine runs")

    def snapshot(self, name: str, label: str) -> None:
        """Keep the machine's disk (and memory, if it runs) as they are now, as `label`."""
        snapshot = element("domainsnapshot")
        add(snapshot, "name", label)
        with told(self.host, f"making the snapshot {label} of {name}"):
            self._needed(name).snapshotCreateXML(text_of(snapshot), 0)

    def snapshots(self, name: str) -> tuple[str, ...]:
        """Return the labels of the machine's snapshots."""
        with told(self.host, f"listing the snapshots of {name}"):
            return tuple(sorted(self._needed(name).snapshotListNames(0)))

    def revert(self, name: str, label: str) -> None:
        """Put the machine back to what it was at a snapshot."""
        with told(self.host, f"going back to the snapshot {label} of {name}"):
            one = self._needed(name)
            one.revertToSnapshot(one.snapshotLookupByName(label, 0), 0)

    def _mask(self, cpus: str) -> tuple[bool, ...]:
        wanted = {int(cpu) for cpu in cpus.split(",") if cpu}
        with told(self.host, "reading the host's number of CPUs"):
            total = self.connection.getCPUMap(0)[0]
        return tuple(number in wanted for number in range(max(total, *wanted, 0) + 1))

    def _needed(self, name: str) -> Any:
        one = self._lookup(name)
        if one is None:
            raise KubertError(f"there is no machine {name}", host=self.host)
        return one

    def _lookup(self, name: str) -> Any:
        with told(self.host, f"looking for {name}"):
            try:
                return self.connection.lookupByName(name)
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                    return None
                raise

    def _read(self, one: Any) -> Domain | None:
        """What libvirt says of a domain; None if it vanished meanwhile."""
        with told(self.host, "reading a machine's definition"):
            try:
                config = one.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
                state = _STATES.get(one.state(0)[0], State.OFF)
                live = one.XMLDesc(0) if one.isActive() else config
                return Domain(one.name(), state, config, live, origin_of(parse(config)))
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                    return None
                raise


def open_hypervisor(host: str, uri: str) -> Hypervisor:
    """Connect to libvirt at `uri`. Raises as `calls.explained` says; nothing is printed."""
    calls.prepare()
    with told(host, "connecting to libvirt"):
        connection = libvirt.open(uri)
        try:
            connection.setKeepAlive(*_KEEPALIVE)
        except libvirt.libvirtError as error:
            # Drivers inside this process (test:///) have no connection to keep alive.
            if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
                connection.close()
                raise
    return Hypervisor(host, connection)
