"""A lab's machines in vagrant-libvirt's words: everything said, or said to be missing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.errors import LabFileError
from kubert_tui.lab.edit_machines import with_machine, without_machine
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.machines import MachineSpec
from kubert_tui.machines.definition import define
from kubert_tui.machines.vagrantfile import ruby, vagrantfile
from tests.support.machine_cases import EMULATED, KVM, case


def words(text: str) -> tuple[str, str]:
    """What is code, and what is told in comments."""
    lines = text.splitlines()
    told = [line for line in lines if line.strip().startswith("#")]
    return "\n".join(line for line in lines if line not in told), "\n".join(told)


def test_each_real_time_element_is_said_or_told_to_be_missing() -> None:
    full = case("memory: 8GiB, vcpus: 2")
    code, comments = words(vagrantfile("twins", "bull1", [full]))
    said = {
        "vcpupin": "cpuaffinitiy(0 => '4', 1 => '6')",
        "numatune": "nodeset = '0'",
        "hugepages": "memorybacking :hugepages",
        "nosharepages": "memorybacking :nosharepages",
        "locked": "memorybacking :locked",
        "host-passthrough": "cpu_mode = 'host-passthrough'",
        "topology": "cputopology sockets: '1', cores: '2', threads: '1'",
        "pmu": "\"pmu state='off'\"",
        "hpet": "name: 'hpet', present: 'no'",
        "pit": "name: 'pit', tickpolicy: 'delay'",
        "rtc": "name: 'rtc', tickpolicy: 'catchup'",
        "usb": "usb_controller model: 'none'",
        "memballoon": "memballoon_enabled = false",
    }
    for element in define(full).elements:
        assert (element in said) != (f"- {element}" in comments), element
        assert said.get(element, "") in code
    assert "pages of 1048576 KiB" in comments
    assert "libvirt.cpus = 2" in code
    assert "libvirt.memory = 8192" in code


def test_what_a_host_cannot_do_is_told_with_its_reason() -> None:
    code, comments = words(vagrantfile("twins", "bull1", [case(traits=EMULATED, placement=None)]))
    assert "libvirt.driver = 'qemu'" in code
    assert "cpuaffinitiy" not in code
    assert "host-passthrough is in no definition here: it needs KVM: no /dev/kvm" in comments


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("bridge", ":public_network, dev: 'br0', type: 'bridge'"),
        ("nat", "libvirt__network_name: 'kubert-twins'"),
    ],
)
def test_networks(kind: str, says: str) -> None:
    one = case(network=f"kind: {kind}", traits=KVM)
    code, _ = words(vagrantfile("twins", "bull1", [one]))
    assert says in code
    assert f"mac: '{one.guest.mac}'" in code
    assert "ip: '192.168.77.10', netmask: '255.255.255.0'" in code


@given(st.text())
def test_no_text_gets_out_of_its_quotes(text: str) -> None:
    quoted = ruby(text)
    assert re.fullmatch(r"'(?:[^'\\]|\\['\\])*'", quoted, re.DOTALL)
    assert re.sub(r"\\(['\\])", r"\1", quoted[1:-1]) == text


ADOPTED = MachineSpec(
    name="two", host="bull1", address="10.0.0.2", realtime=False, adopted="proj_two", user="vagrant"
)
HEAD = "hosts:\n  - name: bull1  # the first\n"


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "machines:\n  - name: one\n    # its memory\n    memory: 8GiB  # enough\nname: x\n",
        "machines:\n- name: one\n",
        "name: x\nmachines:\n  - {name: one}\n  - {name: last}",
    ],
)
def test_a_machine_is_added_and_the_rest_stays(rest: str) -> None:
    text = HEAD + rest
    edited = with_machine(text, ADOPTED, "lab.yaml")
    assert all(line in edited.splitlines() for line in text.splitlines())
    before, after = (parse_lab(one, "lab.yaml").machines.each for one in (text, edited))
    assert after == (*before, ADOPTED)
    assert with_machine(edited, ADOPTED, "lab.yaml") == edited
    again = without_machine(edited, ADOPTED.name, "lab.yaml")
    assert again.rstrip("\n") == text.rstrip("\n")
    assert without_machine(text, ADOPTED.name, "lab.yaml") == text


@pytest.mark.parametrize(
    "rest",
    [
        # The others' addresses follow from their places.
        "machines:\n  - name: one\n  - name: two\n",
        "machines: [{name: one}]\n",
        "machines:\n  -\n    name: one\n  - {name: two, address: 192.168.77.12}\n",
        "machines:\n  - name: one\ncluster: {nodes: [{name: one, role: control-plane}]}\n",
    ],
)
def test_a_machine_that_cannot_be_taken_out_is_left(rest: str) -> None:
    with pytest.raises(LabFileError, match="one cannot be taken out") as caught:
        without_machine(HEAD + rest, "one", "lab.yaml")
    assert "Take one out" in caught.value.fix


@pytest.mark.parametrize(
    "rest",
    [
        "machines: {preset: upstream}\n",
        "machines: [{name: one}]\n",
        "machines: {each: [{name: one}]}\n",
        "machines:\n  - name: two\n",
    ],
)
def test_what_cannot_be_edited_is_told_to_be_written_by_hand(rest: str) -> None:
    with pytest.raises(LabFileError) as caught:
        with_machine(HEAD + rest, ADOPTED, "lab.yaml")
    assert "adopted: proj_two" in caught.value.fix


def test_only_adopted_machines_are_in_networks_of_others() -> None:
    with pytest.raises(LabFileError, match="not in the network"):
        parse_lab(HEAD + "machines:\n  - {name: one, address: 10.0.0.2}\n", "lab.yaml")
