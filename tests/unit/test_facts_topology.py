"""Where the CPUs of a host sit, from what its kernel says of each."""

import pytest

from kubert_tui.cpus.topology import Cpu
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.topology import cards_of, topology_of
from tests.support.fact_samples import DEBIAN, HPE, changed, facts_of, section

NO_NUMA = {"numa": ""}


def cpus(facts: Facts) -> tuple[Cpu, ...]:
    found = topology_of(facts)
    assert isinstance(found, Known), found
    return found.value.cpus


def told(*lines: str) -> str:
    return "".join(f"/cpu{line}\n" for line in lines)


def test_two_sockets_with_a_card_on_each() -> None:
    facts = facts_of(HPE)
    found = topology_of(facts)
    assert isinstance(found, Known)
    assert found.value.cpus == tuple(Cpu(n, n, n // 20, n // 20) for n in range(40))
    assert found.value.network_nodes == {0, 1}
    assert cards_of(facts) == {0: ("eno1np0",), 1: ("eno2np1",)}
    assert facts.processors.offline == Known(())


def test_siblings_belong_to_one_core() -> None:
    facts = facts_of(DEBIAN)
    assert cpus(facts) == tuple(Cpu(n, n % 16, n % 16 // 8, 0) for n in range(32))
    assert cards_of(facts) == {}, "the firmware does not say where its card hangs"


def test_without_lists_of_siblings_package_die_and_core_say_it() -> None:
    lines = [
        f"{cpu}/topology/{name}:{value}"
        for cpu in range(8)
        for name, value in (
            ("physical_package_id", cpu // 4),
            ("die_id", cpu // 2 % 2),
            ("core_id", 0),
        )
    ]
    facts = facts_of(changed(DEBIAN, topology=told(*lines), cpu_online="0-7", numa=""))
    assert [cpu.core for cpu in cpus(facts)] == [0, 0, 2, 2, 4, 4, 6, 6]
    assert [cpu.socket for cpu in cpus(facts)] == [0, 0, 0, 0, 1, 1, 1, 1]


def test_what_is_offline_is_not_in_the_topology() -> None:
    sample = changed(DEBIAN, cpu_online="0-15", topology=told("0/topology/core_id:0"))
    facts = facts_of(sample)
    assert facts.processors.offline == Known(tuple(range(16, 32)))
    assert [cpu.number for cpu in cpus(facts)] == list(range(16))


def test_a_core_is_called_by_its_lowest_cpu_that_is_online() -> None:
    lines = told(*(f"{cpu}/topology/thread_siblings_list:0-1,4" for cpu in (1, 4)))
    facts = facts_of(changed(DEBIAN, cpu_online="1,4-5", topology=lines, numa=""))
    assert cpus(facts) == (Cpu(1, 1, 0, 0), Cpu(4, 1, 0, 0), Cpu(5, 5, 0, 0))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"topology": ""}, "no topology"),
        ({"cpu_online": "0-65000"}, "more than we believe"),
        ({"cpu_online": ""}, "no topology"),
        ({"cpu_online": "x"}, "not a CPU list"),
        ({"numa": "/node0/cpulist:x"}, "not a CPU list"),
    ],
)
def test_what_is_not_known_is_unknown_with_its_reason(
    changes: dict[str, str | bytes], reason: str
) -> None:
    found = topology_of(facts_of(changed(DEBIAN, **changes)))
    assert isinstance(found, Unknown)
    assert reason in found.reason


def test_a_probe_that_broke_off_is_no_topology() -> None:
    found = topology_of(facts_of({"cpu-online": section("cpu-online", "0-3")}))
    assert found == Unknown("the probe did not get that far")


def test_a_hostile_host_costs_no_time() -> None:
    lines = told(*(f"{cpu}/topology/thread_siblings_list:0-999999,x,-" for cpu in range(4000)))
    facts = facts_of(changed(DEBIAN, cpu_online="0-3999", topology=lines, numa=""))
    assert {cpu.core for cpu in cpus(facts)} == {0}
