"""A lab's machines as a Vagrantfile for vagrant-libvirt, as far as that can tell them. Pure.

Checked against vagrant-libvirt 0.11 (its config.rb and domain.xml.erb). What it has no words for
stands beside each machine as a comment, with what the absence costs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from kubert_tui.base.text import clean_line
from kubert_tui.machines.definition import define
from kubert_tui.machines.elements import ELEMENTS, Case, page_size
from kubert_tui.machines.guest import network_name

BOX = "debian/bookworm64"
"""What machines are made from unless somebody names another box."""
_HEAD = """\
# -*- mode: ruby -*-
# The virtual machines of the lab {lab} on {host}, written by kubert-tui machines export.
# vagrant up --provider=libvirt makes them. They have the names that the lab's own machines have
# in libvirt, so make them with one of the two; kubert-tui machines adopt takes one over.
"""
_GIB = 1024


def ruby(text: str) -> str:
    """Return `text` as a Ruby string in which nothing is evaluated."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def vagrantfile(lab: str, host: str, cases: Sequence[Case], box: str = BOX) -> str:
    """Return the Vagrantfile of the machines on one host."""
    lines = [
        *_HEAD.format(lab=clean_line(lab), host=clean_line(host)).splitlines(),
        "",
        "Vagrant.configure('2') do |config|",
        f"  config.vm.box = {ruby(box)}",
        "  config.vm.synced_folder '.', '/vagrant', disabled: true",
        "  config.vm.provider :libvirt do |libvirt|",
        f"    libvirt.default_prefix = {ruby(f'{lab}-')}",
        "  end",
    ]
    for case in cases:
        lines += ["", *(f"  {line}" if line else "" for line in _machine(case))]
    return "\n".join([*lines, "end", ""])


def _machine(case: Case) -> Iterator[str]:
    guest = case.guest
    yield from (f"# {line}" for line in _cannot(case))
    yield f"config.vm.define {ruby(guest.name)} do |machine|"
    yield f"  machine.vm.hostname = {ruby(guest.name)}"
    yield f"  {_network(case)}"
    yield "  machine.vm.provider :libvirt do |libvirt|"
    for line in (*_ordinary(case), *_realtime(case)):
        yield f"    {line}"
    yield "  end"
    yield "end"


def _network(case: Case) -> str:
    guest = case.guest
    address = f"ip: {ruby(guest.spec.address)}, netmask: {ruby(str(guest.net.network.netmask))}"
    mac = f"mac: {ruby(guest.mac)}"
    if guest.spec.network == "bridge":
        bridge = ruby(guest.net.bridge)
        return (
            f"machine.vm.network :public_network, dev: {bridge}, type: 'bridge', {mac}, {address}"
        )
    name = ruby(network_name(guest.lab))
    return (
        f"machine.vm.network :private_network, {address}, {mac}, libvirt__network_name: {name},"
        f" libvirt__host_ip: {ruby(guest.net.first)}, libvirt__dhcp_enabled: false,"
        " libvirt__forward_mode: 'nat'"
    )


def _ordinary(case: Case) -> Iterator[str]:
    guest = case.guest
    yield f"libvirt.driver = {ruby('kvm' if case.traits.kvm else 'qemu')}"
    yield f"libvirt.uuid = {ruby(guest.uuid)}"
    yield f"libvirt.cpus = {guest.spec.vcpus}"
    yield f"libvirt.memory = {guest.memory_mib}"
    # In whole GiB, and never less than wanted.
    yield f"libvirt.machine_virtual_size = {-(-guest.disk_mib // _GIB)}"
    yield "libvirt.disk_driver cache: 'none', discard: 'unmap'"
    yield "libvirt.machine_type = 'q35'"
    yield "libvirt.random model: 'random'"
    yield "libvirt.graphics_type = 'none'"
    yield "libvirt.serial type: 'pty'"
    yield "libvirt.nested = false"
    pmu = ", \"pmu state='off'\"" if "pmu" in _present(case) else ""
    yield f"libvirt.features = ['acpi', 'apic'{pmu}]"


def _pins(case: Case) -> str:
    vcpus = case.placement.vcpus if case.placement else ()
    # Vagrant's name for it is spelt like that.
    pairs = ", ".join(f"{number} => '{cpu}'" for number, cpu in enumerate(vcpus))
    return f"libvirt.cpuaffinitiy({pairs})"


_WORDS: Mapping[str, Callable[[Case], str]] = {
    "vcpupin": _pins,
    "numatune": lambda case: f"libvirt.nodeset = '{case.placement.node if case.placement else 0}'",
    "hugepages": lambda _: "libvirt.memorybacking :hugepages",
    "nosharepages": lambda _: "libvirt.memorybacking :nosharepages",
    "locked": lambda _: "libvirt.memorybacking :locked",
    "host-passthrough": lambda _: "libvirt.cpu_mode = 'host-passthrough'",
    "topology": lambda case: (
        f"libvirt.cputopology sockets: '1', cores: '{case.guest.spec.vcpus}', threads: '1'"
    ),
    "hpet": lambda _: "libvirt.clock_timer name: 'hpet', present: 'no'",
    "pit": lambda _: "libvirt.clock_timer name: 'pit', tickpolicy: 'delay'",
    "rtc": lambda _: "libvirt.clock_timer name: 'rtc', tickpolicy: 'catchup'",
    "usb": lambda _: "libvirt.usb_controller model: 'none'",
    "memballoon": lambda _: "libvirt.memballoon_enabled = false",
}
"""How vagrant-libvirt says each real-time element that it has words for; pmu is a feature above."""
_NO_WORDS = {
    "tsc-deadline": "it takes features of a CPU only together with a named model",
}


def _present(case: Case) -> frozenset[str]:
    return define(case).elements


def _realtime(case: Case) -> Iterator[str]:
    present = _present(case)
    for element in ELEMENTS:
        if element.name in present and element.name in _WORDS:
            yield _WORDS[element.name](case)


def _cannot(case: Case) -> Iterator[str]:
    """What the machine of the lab has that vagrant-libvirt cannot tell, a line each."""
    guest, definition = case.guest, define(case)
    yield f"{guest.name}: what vagrant-libvirt cannot say of it"
    for element in ELEMENTS:
        if element.name not in definition.elements or element.name in (*_WORDS, "pmu"):
            continue
        because = f" ({_NO_WORDS[element.name]})" if element.name in _NO_WORDS else ""
        yield f"- {element.name}{because}: {element.cost}"
    if "hugepages" in definition.elements:
        yield f"- pages of {page_size(case)} KiB: it takes those of the host's default size"
    for lack in definition.left_out:
        yield f"- {lack.name} is in no definition here: {clean_line(lack.why, limit=200)}"
    yield "- an I/O thread of the disk's own; a disk and a seed in the pool kubert-tui"
    yield "- it adds a card of its own, in its management network, by which it logs in"
    if guest.disk_mib % _GIB:
        yield f"- a disk of {guest.spec.disk}: it counts whole GiB"
