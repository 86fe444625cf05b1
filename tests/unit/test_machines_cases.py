"""The machines of one host: where each goes, what the host offers, how each is reached."""

import dataclasses

import pytest

from kubert_tui.cpus.plan import propose
from kubert_tui.cpus.topology import Cpu, Topology
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.virtual import KvmBoot
from kubert_tui.hosts.known_hosts import our_file
from kubert_tui.hosts.ssh_config import endpoint_of
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.machines.cases import cases_for, cases_of, host_of
from kubert_tui.machines.definition import define
from kubert_tui.machines.guest import guests_of
from kubert_tui.machines.keys import login_key_file
from kubert_tui.machines.traits import traits_of
from tests.support.fact_samples import HPE, facts_of
from tests.support.machine_cases import KVM

EIGHT = Topology(tuple(Cpu(number, number, 0, 0) for number in range(8)))


def lab(machines: str) -> Lab:
    hosts = "hosts: [{name: bull1, user: ops}, {name: here, connection: local}]\n"
    return parse_lab(f"name: twins\n{hosts}machines: [{machines}]\n", "lab.yaml")


def test_who_finds_no_room_is_told_and_the_others_get_theirs() -> None:
    wanted = lab(
        "{name: one, vcpus: 4}, {name: large, vcpus: 6}, {name: plain, realtime: no},"
        " {name: two, vcpus: 3}, {name: else, host: here}"
    )
    found = cases_of(wanted, "bull1", KVM, propose(EIGHT), EIGHT)
    assert [case.guest.name for case in found] == ["one", "large", "plain", "two"]
    pinned = [() if case.placement is None else case.placement.vcpus for case in found]
    assert pinned == [(1, 2, 3, 4), (), (), (5, 6, 7)]
    told = {one.name: one.why for one in define(found[1]).left_out}
    assert told["vcpupin"] == "large wants 6 isolated CPUs, 3 are left"
    assert define(found[2]).left_out == ()


def test_without_a_plan_or_a_topology_machines_are_told_why_they_are_not_pinned() -> None:
    wanted = lab("{name: one}, {name: plain, realtime: no}")
    known = facts_of(HPE, host="bull1")
    unknown = facts_of({}, host="bull1")
    planned = wanted.with_plans({"bull1": propose(EIGHT)})
    for facts, of, why in (
        (known, wanted, "no CPU plan"),
        (unknown, planned, "topology of the host's CPUs is unknown: the probe did not get"),
    ):
        one, plain = cases_for(of, facts, KVM)
        told = {element.name: element.why for element in define(one).left_out}
        assert why in told["vcpupin"]
        assert define(plain).left_out == ()
    (placed, _) = cases_for(planned, known, KVM)
    assert placed.placement is not None


def test_pages_are_given_out_once() -> None:
    wanted = lab(
        "{name: one, memory: 10GiB}, {name: plain, realtime: no, memory: 8GiB},"
        " {name: two, memory: 8GiB}, {name: three, memory: 6GiB}"
    )
    made = [define(one) for one in cases_of(wanted, "bull1", KVM, propose(EIGHT), EIGHT)]
    assert ["hugepages" in one.elements for one in made] == [True, False, False, True]
    told = {one.name: one.why for one in made[2].left_out}
    assert told == {"hugepages": "the host has too few pages reserved for 8GiB (6 of 1048576 KiB)"}


def test_guests_are_hosts_reached_through_theirs() -> None:
    wanted = lab("{name: one}, {name: two, host: here}")
    one, two = (host_of(guest, wanted) for guest in guests_of(wanted))
    hosts = {host.name: host for host in (*wanted.hosts, one, two)}
    endpoint = endpoint_of(one, hosts)
    assert (endpoint.address, endpoint.user) == ("192.168.77.10", "root")
    assert endpoint.identity_file == login_key_file("twins")
    assert [(jump.name, jump.user) for jump in endpoint.jumps] == [("bull1", "ops")]
    assert endpoint_of(two, hosts).jumps == ()
    assert our_file().parent.is_dir()


def test_what_a_host_offers() -> None:
    facts = facts_of(HPE)
    memory = dataclasses.replace(
        facts.memory, hugepages=Known({"hugepages-2048kB": 7, "hugepages-1048576kB": 4, "odd": 1})
    )
    known = dataclasses.replace(facts, memory=memory, kvm=Known("usable"))
    assert traits_of(known) == dataclasses.replace(KVM, hugepages={2048: 7, 1048576: 4})
    boot = KvmBoot(boots=False, told="the kernel said not a word within 30 s")
    disproved = traits_of(dataclasses.replace(known, kvm_boot=Known(boot)))
    assert not disproved.kvm
    assert "no guest boots: the kernel said not a word within 30 s" in disproved.why_no_kvm
    for proved in (KvmBoot(boots=True, told=""), KvmBoot(boots=None, told="no kernel")):
        assert traits_of(dataclasses.replace(known, kvm_boot=Known(proved))).kvm
    absent = traits_of(dataclasses.replace(known, kvm=Known("no /dev/kvm")))
    assert (absent.kvm, absent.why_no_kvm) == (False, "no /dev/kvm")
    unread = dataclasses.replace(memory, hugepages=Unknown("no sysfs"))
    unknown = traits_of(dataclasses.replace(facts, memory=unread, kvm=Unknown("no access")))
    assert (unknown.kvm, unknown.why_no_kvm, dict(unknown.hugepages)) == (False, "no access", {})


@pytest.mark.parametrize("machines", ["", "{name: one, host: here}"])
def test_a_host_without_machines(machines: str) -> None:
    assert cases_of(lab(machines), "bull1", KVM, propose(EIGHT), EIGHT) == ()
