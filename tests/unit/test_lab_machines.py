"""The lab file's virtual machines and their network."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.errors import LabFileError, UsageError
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab, MachineSpec, NetworkSpec
from kubert_tui.lab.overrides import override
from kubert_tui.lab.schema import schema
from kubert_tui.lab.size import format_size, parse_size
from kubert_tui.lab.write import dump_lab

HOSTS = "hosts: [{name: bull1}, {name: bull2}]\n"
UPSTREAM = f"""\
{HOSTS}network: {{kind: bridge, prefix: 192.168.11.5, gateway: none, dns: [192.168.11.2]}}
machines: {{preset: upstream, workers: 2, hosts: [bull1, bull2]}}
"""


def lab(text: str) -> Lab:
    return parse_lab(HOSTS + text, "lab.yaml")


def test_preset_is_the_upstream_of_the_readme() -> None:
    guests = parse_lab(UPSTREAM, "lab.yaml").guests
    assert [(one.name, one.role, one.host, one.address) for one in guests] == [
        ("master", "control-plane", "bull1", "192.168.11.50"),
        ("worker-1", "worker", "bull2", "192.168.11.51"),
        ("worker-2", "worker", "bull1", "192.168.11.52"),
    ]
    assert {(one.vcpus, one.memory, one.network) for one in guests} == {(2, "4GiB", "bridge")}


def test_machines_one_by_one() -> None:
    found = lab(
        "machines:\n"
        "  - {name: one, host: bull2, vcpus: 4, memory: 8 GiB, disk: 40G}\n"
        "  - {name: two, address: 192.168.77.99, network: bridge, realtime: no}\n"
        "  - name: three\n"
    ).guests
    assert [(one.host, one.address, one.network, one.realtime) for one in found] == [
        ("bull2", "192.168.77.10", "nat", True),
        ("bull1", "192.168.77.99", "bridge", False),
        ("bull1", "192.168.77.12", "nat", True),
    ]
    assert (found[0].vcpus, parse_size(found[0].memory), parse_size(found[0].disk)) == (
        4,
        8192,
        40960,
    )
    assert lab("").guests == ()


def test_the_way_out() -> None:
    assert NetworkSpec().way_out == "192.168.77.1"
    assert NetworkSpec(prefix="10.1.2.3", length=16).way_out == "10.1.0.1"
    assert NetworkSpec(gateway="none").way_out == ""
    assert NetworkSpec(gateway="192.168.77.254").way_out == "192.168.77.254"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("machines:\n  - name: Bob", "3: machines.Bob.name: expected a host name: lower-case"),
        ("machines:\n  - {name: a, ram: 4G}", "machines.a.ram: unknown key"),
        ("machines:\n  - {name: a, ram: 4G}", "(did you mean memory?)"),
        ("machines: [{name: a, memory: 4}]", "machines.a.memory: expected a unit: 4MiB or 4GiB"),
        ("machines: [{name: a, memory: 4 KiB}]", "expected a size such as 512MiB"),
        ("machines: [{name: a, memory: 1MiB}]", "expected a size from 64MiB to 16TiB"),
        ("machines: [{name: a, vcpus: 0}]", "machines.a.vcpus: expected at least 1, got `0`"),
        ("machines: [{name: a, role: master}]", "expected 'control-plane' or 'worker'"),
        ("machines: [{name: a, host: bul1}]", "no host bul1 (did you mean bull1?)"),
        ("machines: [{name: a}, {name: a}]", "another machine is called a already"),
        ("machines: [{name: bull1}]", "another host is called bull1 already"),
        ("machines: [{name: a, address: 1.2.3}]", "machines.a.address: expected an IPv4 address"),
        ("machines: [{name: a, address: 10.0.0.9}]", "10.0.0.9 is not in the network 192.168.77"),
        ("machines: [{name: a, address: 192.168.77.1}]", "192.168.77.1 is taken by the gateway"),
        (
            "machines: [{name: a, address: 192.168.77.11}, {name: b}]",
            "machines.b.address: 192.168.77.11 is taken by a (give it an address)",
        ),
        ("network: {prefix: 192.168.11}", "network.prefix: expected an address without its last"),
        ("network: {prefix: 192.168.300.1}", "network.prefix: expected an IPv4 address"),
        ("network: {kind: bridged}", "(did you mean bridge?)"),
        ("network: {bridge: -x}", "network.bridge: expected an interface's name such as br0"),
        ("network: {gateway: nobody}", "network.gateway: expected an IPv4 address"),
        ("network: {length: 31}", "network.length: expected at most 30"),
        ("machines: {preset: upstreem}", "machines.preset: expected"),
        ("machines: {preset: upstream, workers: 10}", "machines.workers: expected at most 9"),
        ("machines: {preset: upstream, hosts: [bull3]}", "this lab has no host bull3"),
        ("machines: {preset: upstream, each: [{name: a}]}", "a preset or a list of machines"),
        (
            "machines: {preset: upstream}\nnetwork: {prefix: 192.168.11.25, length: 30}",
            "its broadcasts",
        ),
        ("machines: {workers: 3}", "machines: workers is for a preset"),
        ("machines: {vcpus: 3, each: [{name: a}]}", "machines: vcpus is for a preset"),
        ("machines: 5", "machines: expected keys and values"),
        ("machines: [5]", "machines[0]: expected keys and values"),
    ],
)
def test_one_problem_with_file_line_and_key(text: str, expected: str) -> None:
    with pytest.raises(LabFileError) as caught:
        lab(text)
    assert expected in caught.value.what
    assert all(line.startswith("lab.yaml:") for line in caught.value.what.split("\n"))


def test_labs_made_in_python_hold_to_the_same_rules() -> None:
    with pytest.raises(ValueError, match="another machine is called a"):
        Lab.model_validate({"hosts": [{"name": "h"}], "machines": [{"name": "a"}, {"name": "a"}]})


names = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
specs = st.builds(
    MachineSpec,
    name=names,
    role=st.sampled_from(["worker", "control-plane"]),
    vcpus=st.integers(1, 64),
    memory=st.integers(64, 1 << 20).map(format_size),
    network=st.sampled_from(["", "nat", "bridge"]),
    realtime=st.booleans(),
)


@given(st.lists(specs, max_size=5, unique_by=lambda one: one.name), st.integers(16, 24))
def test_what_is_written_is_read_again(each: list[MachineSpec], length: int) -> None:
    hosts = [{"name": "HOST"}]
    network = NetworkSpec(prefix="10.1.2.3", length=length, dns=("9.9.9.9",))
    wanted = Lab.model_validate({"hosts": hosts, "machines": each, "network": network})
    assert parse_lab(dump_lab(wanted), "lab.yaml") == wanted
    assert Lab.model_validate_json(wanted.model_dump_json()) == wanted


def test_presets_are_written_and_overridden() -> None:
    wanted = parse_lab(UPSTREAM, "lab.yaml")
    assert parse_lab(dump_lab(wanted), "lab.yaml") == wanted
    more = override(wanted, ["machines.workers=4", "machines.memory=8GiB", "network.kind=nat"])
    assert len(more.guests) == 5
    assert {one.memory for one in more.guests} == {"8GiB"}
    with pytest.raises(UsageError, match="workers is for a preset"):
        override(lab("machines: [{name: a}]"), ["machines.workers=4"])
    with pytest.raises(UsageError, match=r"machines\.workers=x"):
        override(wanted, ["machines.workers=x"])
    with pytest.raises(UsageError, match=r"network\.prefix=300"):
        override(wanted, ["network.prefix=300.1.1.1"])


def test_schema_takes_both_spellings() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json.loads(json.dumps(schema())))
    hosts = [{"name": "a"}]
    for good in ([], [{"name": "one", "memory": "4GiB"}], {"preset": "upstream", "workers": 2}):
        assert list(validator.iter_errors({"hosts": hosts, "machines": good})) == []
    for bad in (5, [{"nam": "one"}], {"preset": "x"}, [{"name": "One"}], {"workers": 10}):
        assert list(validator.iter_errors({"hosts": hosts, "machines": bad})), bad


@pytest.mark.parametrize(
    ("text", "mib"),
    [("4GiB", 4096), ("4 G", 4096), ("1.5gb", 1536), ("512M", 512), ("1T", 1 << 20)],
)
def test_sizes(text: str, mib: int) -> None:
    assert parse_size(text) == mib
    assert parse_size(format_size(mib)) == mib


@pytest.mark.parametrize("text", ["", "4", "0M", "-1G", "4 KiB", "four G", "4G4M", "٤G"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_size(text)
