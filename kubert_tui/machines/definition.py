"""From a machine, its host and its place on the host's CPUs to libvirt's definition of it. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kubert_tui.machines.elements import ELEMENTS, IOTHREAD, Case, LeftOut, lacking, refused
from kubert_tui.machines.guest import POOL, Guest, network_name
from kubert_tui.machines.xml import Element, add, element, own, text_of, within

_ORDER = (
    "name", "uuid", "metadata", "memory", "currentMemory", "memoryBacking", "vcpu", "iothreads",
    "cputune", "numatune", "os", "features", "cpu", "clock", "devices",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Definition:
    """A domain's definition, and which real-time elements are not in it."""

    guest: Guest
    xml: str
    elements: frozenset[str]
    """The real-time elements that are in it."""
    left_out: tuple[LeftOut, ...]
    recipe: str
    """Changes when anything but what was left out does."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a domain's metadata says of it: that a lab of kubert-tui made it, and how."""

    lab: str
    machine: str
    recipe: str
    seed: str = ""
    """Which seed it was made with."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Real-time elements that its hypervisor refused, and its words."""
    adopted: bool = False
    """Somebody else made it, and only the metadata is ours (`adopt`)."""


def define(case: Case, refusals: Mapping[str, str] | None = None, seed: str = "") -> Definition:
    """Return the definition of a machine, without the elements in `refusals` (name to reason).

    The elements that cannot be in it are in `left_out`, each with its reason. A machine that is
    not to be real-time (`realtime: false`) has none of them and misses none. `seed` says which
    seed goes with it.
    """
    domain = _ordinary(case)
    missing: list[LeftOut] = []
    present = set[str]()
    for one in ELEMENTS if case.guest.spec.realtime else ():
        lack = lacking(one, case)
        if lack is None and one.name in (refusals or {}):
            lack = refused(one, (refusals or {})[one.name])
        if lack is None:
            one.put(domain, case)
            present.add(one.name)
        else:
            missing.append(lack)
    domain[:] = sorted(domain, key=lambda child: _ORDER.index(child.tag))
    recipe = hashlib.sha256(text_of(domain).encode()).hexdigest()[:16]
    _sign(domain, case.guest, recipe, seed, missing)
    return Definition(case.guest, text_of(domain), frozenset(present), tuple(missing), recipe)


def origin_of(domain: Element) -> Origin | None:
    """Return who made a domain; None if it was not a lab of kubert-tui."""
    made = domain.find(f"metadata/{own('machine')}")
    if made is None:
        return None
    reasons = {one.get("element", ""): one.text or "" for one in made.iter(own("refused"))}
    return Origin(
        lab=made.get("lab", ""),
        machine=made.get("name", ""),
        recipe=made.get("recipe", ""),
        seed=made.get("seed", ""),
        refused=reasons,
        adopted=made.get("adopted") == "yes",
    )


def network_xml(guest: Guest, uuid: str, bridge: str = "") -> str:
    """Return the definition of the NAT network of a lab; the host has its first address.

    Without DHCP: the machines' seeds tell them their addresses, so there are no leases. `bridge`
    is the one it has already: by its name libvirt finds what to remove with the network.
    """
    network = element("network")
    add(network, "name", network_name(guest.lab))
    add(network, "uuid", uuid)
    add(network, "forward", mode="nat")
    add(network, "bridge", stp="on", delay="0", **({"name": bridge} if bridge else {}))
    add(network, "ip", address=guest.net.first, prefix=guest.net.length)
    return text_of(network)


def _ordinary(case: Case) -> Element:
    """The definition without what is for real time only."""
    guest = case.guest
    domain = element("domain", type="kvm" if case.traits.kvm else "qemu")
    add(domain, "name", guest.domain)
    add(domain, "uuid", guest.uuid)
    add(domain, "memory", str(guest.memory_mib * 1024), unit="KiB")
    add(domain, "currentMemory", str(guest.memory_mib * 1024), unit="KiB")
    add(domain, "vcpu", str(guest.spec.vcpus), placement="static")
    add(domain, "iothreads", str(IOTHREAD))
    system = add(domain, "os")
    add(system, "type", "hvm", arch="x86_64", machine="q35")
    add(system, "boot", dev="hd")
    features = add(domain, "features")
    add(features, "acpi")
    add(features, "apic")
    # The nearest to the host's CPU; passthrough, where it is possible, is an element of its own.
    add(domain, "cpu", mode="host-model" if case.traits.kvm else "maximum")
    add(domain, "clock", offset="utc")
    _devices(add(domain, "devices"), guest)
    return domain


def _devices(devices: Element, guest: Guest) -> None:
    disk = add(devices, "disk", type="volume", device="disk")
    driver = {"name": "qemu", "type": "qcow2", "cache": "none", "discard": "unmap"}
    add(disk, "driver", **driver, iothread=IOTHREAD)
    add(disk, "source", pool=POOL, volume=guest.disk)
    add(disk, "target", dev="vda", bus="virtio")
    # Not a CD-ROM: the kernels of cloud images have no driver for the controller of one.
    seed = add(devices, "disk", type="volume", device="disk")
    add(seed, "driver", name="qemu", type="raw")
    add(seed, "source", pool=POOL, volume=guest.seed)
    add(seed, "target", dev="vdb", bus="virtio")
    add(seed, "readonly")
    bridged = guest.spec.network == "bridge"
    card = add(devices, "interface", type="bridge" if bridged else "network")
    add(card, "mac", address=guest.mac)
    if bridged:
        add(card, "source", bridge=guest.net.bridge)
    else:
        add(card, "source", network=network_name(guest.lab))
    add(card, "model", type="virtio")
    serial = add(devices, "serial", type="pty")
    add(serial, "target", port="0")
    console = add(devices, "console", type="pty")
    add(console, "target", type="serial", port="0")
    entropy = add(devices, "rng", model="virtio")
    add(entropy, "backend", "/dev/urandom", model="random")


def _sign(
    domain: Element, guest: Guest, recipe: str, seed: str, missing: Sequence[LeftOut]
) -> None:
    """Write who made it into the definition: what has no such mark is never touched."""
    metadata = within(domain, "metadata")
    made = add(metadata, own("machine"), lab=guest.lab, name=guest.name, recipe=recipe, seed=seed)
    for one in missing:
        if one.refused:
            add(made, own("refused"), one.why, element=one.name)
    domain[:] = sorted(domain, key=lambda child: _ORDER.index(child.tag))
