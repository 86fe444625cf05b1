"""From the lab file to a domain's definition, and what differs between two of them."""

import dataclasses
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.errors import KubertError
from kubert_tui.cpus.placement import Placement, Wanted, place
from kubert_tui.cpus.plan import propose
from kubert_tui.cpus.topology import Cpu, Topology
from kubert_tui.machines.definition import define, network_xml, origin_of
from kubert_tui.machines.difference import difference
from kubert_tui.machines.elements import ELEMENTS, refused_by
from kubert_tui.machines.xml import parse
from tests.support.machine_cases import EMULATED, PLACED, case, guest

NAMES = frozenset(element.name for element in ELEMENTS)


def root(xml: str) -> ET.Element:
    return ET.fromstring(xml)


def attributes(xml: str, path: str) -> list[dict[str, str]]:
    return [dict(one.attrib) for one in root(xml).iterfind(path)]


def test_the_whole_of_real_time() -> None:
    made = define(case())
    assert made.left_out == ()
    assert made.elements == NAMES
    xml = made.xml
    assert root(xml).get("type") == "kvm"
    assert attributes(xml, "cputune/vcpupin") == [
        {"vcpu": "0", "cpuset": "4"},
        {"vcpu": "1", "cpuset": "6"},
    ]
    assert attributes(xml, "cputune/emulatorpin") == [{"cpuset": "0,1"}]
    assert attributes(xml, "cputune/iothreadpin") == [{"iothread": "1", "cpuset": "0,1"}]
    assert attributes(xml, "cputune/vcpusched") == [
        {"vcpus": "0-1", "scheduler": "fifo", "priority": "1"}
    ]
    assert attributes(xml, "numatune/memory") == [{"mode": "strict", "nodeset": "0"}]
    assert attributes(xml, "memoryBacking/hugepages/page") == [{"size": "1048576", "unit": "KiB"}]
    assert [one.tag for one in root(xml).iterfind("memoryBacking/*")] == [
        "hugepages",
        "nosharepages",
        "locked",
    ]
    assert attributes(xml, "cpu") == [{"mode": "host-passthrough"}]
    assert attributes(xml, "cpu/topology")[0]["threads"] == "1"
    assert attributes(xml, "cpu/feature") == [{"policy": "require", "name": "tsc-deadline"}]
    assert attributes(xml, "features/pmu") == [{"state": "off"}]
    assert attributes(xml, "clock/timer") == [
        {"name": "hpet", "present": "no"},
        {"name": "pit", "tickpolicy": "delay"},
        {"name": "rtc", "tickpolicy": "catchup"},
    ]
    assert attributes(xml, "devices/controller[@type='usb']") == [{"type": "usb", "model": "none"}]
    assert attributes(xml, "devices/memballoon") == [{"model": "none"}]


def test_what_is_missing_is_told_with_reason_cost_and_remedy() -> None:
    made = define(case("memory: 4GiB", traits=EMULATED, placement=None))
    told = {one.name: one for one in made.left_out}
    assert told.keys() == NAMES - made.elements == {
        "vcpupin", "emulatorpin", "iothreadpin", "vcpusched", "numatune", "hugepages",
        "host-passthrough", "tsc-deadline",
    }  # fmt: skip
    for one in told.values():
        assert one.why
        assert one.cost
        assert one.remedy
        assert not one.refused
    assert "no /dev/kvm" in told["host-passthrough"].why
    assert "CPU plan" in told["vcpusched"].remedy
    assert root(made.xml).get("type") == "qemu"
    assert attributes(made.xml, "cpu")[0] == {"mode": "maximum"}
    assert root(made.xml).find("cputune") is None


def test_what_was_refused_is_left_out_and_remembered() -> None:
    made = define(case(), {"locked": "cannot limit <locked> memory & more"}, "abc")
    assert made.elements == NAMES - {"locked"}
    (one,) = made.left_out
    assert one.refused
    assert "CAP_SYS_RESOURCE" in one.remedy
    origin = origin_of(parse(made.xml))
    assert origin is not None
    assert (origin.lab, origin.machine, origin.seed) == ("twins", "one", "abc")
    assert origin.refused == {"locked": "cannot limit <locked> memory & more"}
    assert origin.recipe == made.recipe != define(case()).recipe


def test_pages_are_taken_only_where_the_host_has_enough() -> None:
    def pages(memory: str, **sizes: int) -> list[str]:
        reserved = {int(size[1:]): count for size, count in sizes.items()}
        traits = dataclasses.replace(EMULATED, hugepages=reserved)
        made = define(case(f"memory: {memory}", traits=traits))
        return [one["size"] for one in attributes(made.xml, "memoryBacking/hugepages/page")]

    assert pages("4GiB", k1048576=4, k2048=9999) == ["1048576"]
    assert pages("4GiB", k1048576=3, k2048=2048) == ["2048"]
    assert pages("1536MiB", k1048576=4, k2048=768) == ["2048"]
    assert pages("4GiB", k1048576=3, k2048=2047) == []


def test_no_node_for_a_machine_that_spans_several() -> None:
    made = define(case(placement=dataclasses.replace(PLACED, node=None)))
    (one,) = made.left_out
    assert (one.name, one.refused) == ("numatune", False)


def test_a_machine_that_needs_no_real_time_misses_none() -> None:
    made = define(case("realtime: no"))
    assert made.left_out == ()
    assert made.elements == frozenset()
    assert root(made.xml).find("memoryBacking") is None


def test_networks() -> None:
    inside = define(case())
    assert attributes(inside.xml, "devices/interface/source") == [{"network": "kubert-twins"}]
    bridged = define(case(network="kind: bridge, bridge: br7"))
    assert attributes(bridged.xml, "devices/interface/source") == [{"bridge": "br7"}]
    own = define(case("network: bridge"))
    assert attributes(own.xml, "devices/interface/source") == [{"bridge": "br0"}]
    assert attributes(bridged.xml, "devices/interface/mac") == [{"address": guest().mac}]
    xml = network_xml(guest(network="prefix: 10.1.2.3, length: 16"), "u")
    assert attributes(xml, "ip") == [{"address": "10.1.0.1", "prefix": "16"}]
    assert root(xml).find("ip/dhcp") is None


def test_names_are_the_labs_own() -> None:
    one = guest()
    assert (one.domain, one.disk, one.seed) == (
        "twins-one",
        "twins+one.qcow2",
        "twins+one.seed.iso",
    )
    assert one.uuid == guest("memory: 8GiB").uuid
    assert int(one.mac[:2], 16) & 3 == 2, "a local address of one card"


def as_libvirt_has_it(xml: str) -> str:
    """The definition with what libvirt adds, and in its own spelling."""
    text = xml.replace('machine="q35"', 'machine="pc-q35-7.2"')
    text = text.replace('cpuset="0,1"', 'cpuset="0-1"')
    domain = root(text)
    domain.set("id", "3")
    memory = domain.find("memory")
    assert memory is not None
    assert memory.text is not None
    for sched in domain.iterfind("cputune/vcpusched[@vcpus='0-1']"):
        cputune = domain.find("cputune")
        assert cputune is not None
        cputune.remove(sched)
        for vcpu in "01":
            ET.SubElement(cputune, "vcpusched", {**sched.attrib, "vcpus": vcpu})
    ET.SubElement(domain, "on_poweroff").text = "destroy"
    ET.SubElement(domain, "seclabel", {"type": "dynamic"})
    devices = domain.find("devices")
    assert devices is not None
    for number, one in enumerate(devices):
        ET.SubElement(one, "alias", {"name": f"device{number}"})
        ET.SubElement(one, "address", {"type": "pci", "slot": f"0x{number:02x}"})
    ET.SubElement(devices, "emulator").text = "/usr/bin/qemu-system-x86_64"
    ET.SubElement(devices, "controller", {"type": "pci", "model": "pcie-root"})
    ET.SubElement(devices, "input", {"type": "mouse", "bus": "ps2"})
    cpu = domain.find("cpu")
    assert cpu is not None
    cpu.set("check", "none")
    ET.SubElement(cpu, "feature", {"policy": "require", "name": "hypervisor"})
    return ET.tostring(domain, encoding="unicode")


@pytest.mark.parametrize("traits", [None, EMULATED])
@pytest.mark.parametrize("realtime", ["yes", "no"])
def test_what_libvirt_adds_is_no_difference(traits: object, realtime: str) -> None:
    keys = f"realtime: {realtime}"
    made = define(case(keys) if traits is None else case(keys, traits=EMULATED)).xml
    assert difference(made, made) == ()
    assert difference(as_libvirt_has_it(made), made) == ()


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        ("memory: 8GiB", {"memory: 4194304 KiB -> 8388608 KiB"}),
        ("network: bridge", {"interface {mac}: network kubert-twins virtio -> bridge br0 virtio"}),
    ],
)
def test_a_changed_lab_file(machine: str, expected: set[str]) -> None:
    found = difference(as_libvirt_has_it(define(case()).xml), define(case(machine)).xml)
    assert {str(one) for one in found} == {one.format(mac=guest().mac) for one in expected}
    assert not any(one.live for one in found)


def test_pins_move_live_but_do_not_vanish_or_appear_live() -> None:
    present = as_libvirt_has_it(define(case()).xml)
    moved = dataclasses.replace(PLACED, vcpus=(4, 8), emulator=(2,))
    found = {one.setting: one for one in difference(present, define(case(placement=moved)).xml)}
    assert found.keys() == {"vcpupin 1", "emulatorpin", "iothreadpin 1"}
    assert all(one.live for one in found.values())
    gone = difference(present, define(case(placement=None)).xml)
    assert {one.setting.split()[0] for one in gone} == {
        "vcpupin", "emulatorpin", "iothreadpin", "vcpusched", "numatune"
    }  # fmt: skip
    assert not any(one.live for one in gone)
    four = Placement("one", (4, 6, 8, 9), (0, 1), 0, False)
    more = difference(present, define(case("vcpus: 4", placement=four)).xml)
    live = {one.setting: one.live for one in more}
    assert live == {
        "vcpus": False, "vcpupin 2": False, "vcpupin 3": False, "vcpusched 2": False,
        "vcpusched 3": False, "topology": False,
    }  # fmt: skip


def test_every_element_that_is_lost_is_seen() -> None:
    whole = define(case()).xml
    for name in NAMES:
        less = define(case(), {name: "refused"}).xml
        assert difference(less, whole), name
        assert difference(as_libvirt_has_it(whole), less), name


def test_somebody_elses_disk_is_seen() -> None:
    made = define(case()).xml
    domain = root(made)
    devices = domain.find("devices")
    assert devices is not None
    disk = ET.SubElement(devices, "disk", {"type": "file", "device": "disk"})
    ET.SubElement(disk, "source", {"file": "/srv/data.img"})
    ET.SubElement(disk, "target", {"dev": "vdc", "bus": "virtio"})
    (found,) = difference(ET.tostring(domain, encoding="unicode"), made)
    assert str(found) == "disk vdc: /srv/data.img virtio -> not there"


@pytest.mark.parametrize(
    ("complaint", "name"),
    [
        (
            "Process exited prior to exec: libvirt: cannot limit locked memory of process 5",
            "locked",
        ),
        ("Cannot set scheduler parameters for pid 203: Operation not permitted", "vcpusched"),
        ("internal error: Unable to find any usable hugetlbfs mount for 1048576 KiB", "hugepages"),
        ("hugepages: node 0 has not enough free huge pages", "hugepages"),
        ("cannot set CPU affinity on process 12: Invalid argument", "vcpupin"),
        ("CPU mode 'host-passthrough' for x86_64 qemu domain is not supported", "host-passthrough"),
        ("the CPU is incompatible: missing features: tsc-deadline", "tsc-deadline"),
        ("unable to start the network: address in use", ""),
        ("Cannot access storage file '/x': Permission denied", ""),
    ],
)
def test_who_is_meant_by_a_refusal(complaint: str, name: str) -> None:
    assert refused_by(complaint, NAMES) == name
    assert refused_by(complaint, NAMES - {name}) != name or not name


def test_no_documents_that_grow() -> None:
    for text in ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "no XML", "<a>", "<a/>" * (1 << 21)):
        with pytest.raises(KubertError):
            parse(text)


@given(
    st.integers(1, 4), st.integers(1, 12), st.booleans(), st.lists(st.integers(1, 8), max_size=4)
)
def test_every_placement_becomes_a_definition_inside_the_plan(
    nodes: int, cores: int, smt: bool, wanted: list[int]
) -> None:
    """Pins are the plan's: vCPUs on isolated CPUs that nobody else has, the rest keeps house."""
    threads = 2 if smt else 1
    cpus = [
        Cpu(thread * nodes * cores + core, core, node, node)
        for thread in range(threads)
        for node in range(nodes)
        for core in range(node * cores, (node + 1) * cores)
    ]
    topology = Topology(tuple(sorted(cpus)))
    plan = propose(topology)
    try:
        placed = place(plan, topology, [Wanted(f"m{i}", n) for i, n in enumerate(wanted)])
    except ValueError:
        return
    used: list[int] = []
    for one in placed:
        made = define(case(f"vcpus: {len(one.vcpus)}", placement=one)).xml
        pins = [int(pin["cpuset"]) for pin in attributes(made, "cputune/vcpupin")]
        used += pins
        assert plan.isolated.issuperset(pins)
        for tag in ("emulatorpin", "iothreadpin"):
            (pin,) = attributes(made, f"cputune/{tag}")
            assert plan.housekeeping.issuperset(map(int, pin["cpuset"].split(",")))
    assert len(used) == len(set(used))
