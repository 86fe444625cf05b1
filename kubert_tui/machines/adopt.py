"""A machine that somebody else made (`vagrant up`) becomes one of the lab; and is let go again.

Nothing of it is changed but its metadata. Its definition and its disks stay whose they are: what
the lab did not make, it neither converges nor removes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libvirt

from kubert_tui.base.errors import KubertError
from kubert_tui.base.text import clean_line
from kubert_tui.lab.model import MachineSpec
from kubert_tui.lab.size import format_size
from kubert_tui.machines.calls import told
from kubert_tui.machines.hypervisor import Domain, Hypervisor
from kubert_tui.machines.xml import NAMESPACE, Element, element, parse, text_of

USER = "vagrant"
_ID_LIMIT = 100
_MACHINES_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Vagrant:
    """Vagrant's own record of a machine."""

    name: str
    """In its Vagrantfile."""
    key: Path | None
    """The private key that logs in, where there is one."""


def vagrant_machine(directory: Path, uuid: str) -> Vagrant | None:
    """Return what vagrant keeps below `directory` of the domain with this id; None if nothing."""
    found = sorted(directory.glob(".vagrant/machines/*/libvirt/id"))[:_MACHINES_LIMIT]
    for file in found:
        try:
            told_id = file.read_bytes()[:_ID_LIMIT].decode("ascii", "replace").strip()
        except OSError:
            continue
        if told_id == uuid:
            key = file.with_name("private_key")
            return Vagrant(file.parents[1].name, key if key.is_file() else None)
    return None


def uuid_of(domain: Domain) -> str:
    """Return the domain's id."""
    return (parse(domain.config).findtext("uuid") or "").strip()


def addresses(hypervisor: Hypervisor, name: str) -> tuple[str, ...]:
    """Return the IPv4 addresses of a running machine, as leases or the host's ARP table tell."""
    sources = (
        libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE,
        libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP,
    )
    found: dict[str, None] = {}
    with told(hypervisor.host, f"asking for the addresses of {name}"):
        one = hypervisor.connection.lookupByName(name)
        for source in sources if one.isActive() else ():
            try:
                cards: dict[str, Any] = one.interfaceAddresses(source)
            except libvirt.libvirtError:
                continue
            for card in cards.values():
                for address in card.get("addrs") or ():
                    if address.get("type") == libvirt.VIR_IP_ADDR_TYPE_IPV4:
                        found[str(address.get("addr", ""))] = None
    return tuple(found)


def adopt(hypervisor: Hypervisor, lab: str, domain: str, machine: str) -> Domain:
    """Write into the metadata of `domain` that it is the lab's `machine`; safe to repeat.

    KubertError if there is no such domain, another lab has it, or this lab made one of that name.
    """
    present = hypervisor.domain(domain)
    if present is None:
        names = ", ".join(one.name for one in hypervisor.domains()[:20]) or "none"
        raise KubertError(
            f"there is no machine {clean_line(domain)}",
            fix=f"those there are: {names}",
            host=hypervisor.host,
        )
    origin = present.origin
    if origin is not None and ((origin.lab, origin.machine) != (lab, machine)):
        raise KubertError(
            f"{domain} belongs to the lab {origin.lab} already, as {origin.machine}",
            fix=f"let that lab go of it first: kubert-tui machines release {origin.machine}",
            host=hypervisor.host,
        )
    for one in hypervisor.domains():
        other = one.origin
        if one.name != domain and other and (other.lab, other.machine) == (lab, machine):
            raise KubertError(
                f"the lab has a machine {machine} already: {one.name}",
                fix="give it another name: --as NAME",
                host=hypervisor.host,
            )
    if origin is None:
        made = element("machine", lab=lab, name=machine, recipe="", seed="", adopted="yes")
        _set_metadata(hypervisor, present, text_of(made))
    return hypervisor.domain(domain) or present


def let_go(hypervisor: Hypervisor, domain: Domain) -> None:
    """Take our metadata out of an adopted machine; it goes on as it was. Idempotent."""
    if domain.origin is not None and domain.origin.adopted:
        _set_metadata(hypervisor, domain, None)


def foreign_disks(domain: Domain) -> tuple[str, ...]:
    """Return the files (or devices) of an adopted machine's disks: none of them is the lab's."""
    found: list[str] = []
    for disk in parse(domain.config).iterfind("devices/disk"):
        source = disk.find("source")
        if source is not None and disk.find("readonly") is None:
            path = source.get("file") or source.get("dev") or source.get("volume") or ""
            found += [path] if path else []
    return tuple(found)


def refuse_destroy(domain: Domain, machine: str, host: str) -> KubertError:
    """Return why an adopted machine is neither destroyed nor made anew."""
    disks = ", ".join(foreign_disks(domain)) or "its disks"
    return KubertError(
        f"the lab did not make {domain.name}, so it does not remove it: {disks}",
        fix=f"let it go, and it stays as it is: kubert-tui machines release {machine}; or destroy "
        "it where it was made (vagrant destroy)",
        host=host,
    )


def spec_of(
    domain: Domain, name: str, host: str, *, address: str, key: Path | None, user: str = USER
) -> MachineSpec:
    """Return the adopted machine as the lab file's entry."""
    definition = parse(domain.config)
    kib = _kib(definition.find("memory"))
    return MachineSpec(
        name=name,
        host=host,
        vcpus=int((definition.findtext("vcpu") or "1").strip()),
        memory=format_size(max(64, kib // 1024)),
        address=address,
        realtime=False,
        adopted=domain.name,
        user=user,
        identity_file=str(key) if key else "",
    )


def _kib(memory: Element | None) -> int:
    units = {"b": 1 / 1024, "kib": 1, "mib": 1024, "gib": 1024**2}
    if memory is None or not (memory.text or "").strip().isdigit():
        return 0
    factor = units.get(memory.get("unit", "KiB").lower(), 1)
    return round(int((memory.text or "0").strip()) * factor)


def _set_metadata(hypervisor: Hypervisor, domain: Domain, text: str | None) -> None:
    flags = libvirt.VIR_DOMAIN_AFFECT_CONFIG
    if domain.on:
        flags |= libvirt.VIR_DOMAIN_AFFECT_LIVE
    with told(hypervisor.host, f"marking {domain.name}"):
        one = hypervisor.connection.lookupByName(domain.name)
        one.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, text, "kubert", NAMESPACE, flags)
