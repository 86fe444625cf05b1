"""Any plan proposed is consistent, from 1 to 256 CPUs, with and without SMT, on 1 to 8 nodes."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubert_tui.cpus.placement import NoRoomError, Wanted, place
from kubert_tui.cpus.plan import CpuPlan, adapted, problems, propose, toggled
from kubert_tui.cpus.topology import Cpu, Topology


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """Hosts as kernels number them: siblings next to each other, or in a second half; CPUs off."""
    nodes = draw(st.integers(1, 8))
    threads = draw(st.sampled_from((1, 1, 2, 4)))
    most = max(1, 256 // threads // nodes)
    sizes = [draw(st.integers(0 if node else 1, most)) for node in range(nodes)]
    cores = [(core, node) for node, size in enumerate(sizes) for core in range(size)]
    halves = draw(st.booleans())
    cpus = []
    for index, (_, node) in enumerate(cores):
        for thread in range(threads):
            number = thread * len(cores) + index if halves else index * threads + thread
            cpus.append(Cpu(number, index, node // 2, node))
    off = draw(st.sets(st.sampled_from([cpu.number for cpu in cpus]), max_size=len(cpus) - 1))
    off = off if draw(st.booleans()) else set()
    cards = draw(st.frozensets(st.integers(0, nodes - 1)))
    return Topology(tuple(sorted(cpu for cpu in cpus if cpu.number not in off)), cards)


@given(topologies())
def test_every_proposal_is_consistent(topology: Topology) -> None:
    plan = propose(topology)
    assert problems(plan, topology) == ()
    cores = len(topology.cores)
    assert bool(plan.isolated) == (cores > 1), "more than one core is worth isolating"
    keeping = {cpu.core for cpu in topology.cpus if cpu.number in plan.housekeeping}
    assert len(keeping) <= max(1, len(topology.cores_of_nodes) * 2, cores // 4)


@given(topologies(), st.data())
def test_toggling_moves_whole_cores_and_back(topology: Topology, data: st.DataObject) -> None:
    plan = propose(topology)
    cpu = data.draw(st.sampled_from(sorted(topology.numbers)))
    there = toggled(plan, topology, cpu)
    assert (cpu in there.isolated) != (cpu in plan.isolated)
    assert not [one for one in problems(there, topology) if "sibling" in one or "both" in one]
    assert toggled(there, topology, cpu) == plan


@given(topologies(), topologies())
def test_a_plan_of_other_cpus_is_adapted(before: Topology, now: Topology) -> None:
    plan = propose(before)
    found = adapted(plan, now)
    assert problems(found, now) == ()
    if not problems(plan, now):
        assert found == plan


def test_a_chosen_plan_outlives_hyperthreading() -> None:
    on, off = _host(4, threads=2), _host(4)
    chosen = toggled(propose(on), on, 2)
    assert chosen == CpuPlan(frozenset({0, 2, 4, 6}), frozenset({1, 3, 5, 7}))
    assert adapted(chosen, off) == CpuPlan(frozenset({0, 2}), frozenset({1, 3}))
    assert adapted(adapted(chosen, off), on) == chosen


@given(topologies(), st.lists(st.integers(1, 12), max_size=8))
@settings(max_examples=200)
def test_placements_share_no_core_and_stay_isolated(topology: Topology, sizes: list[int]) -> None:
    plan = propose(topology)
    wanted = [Wanted(f"vm{index}", size) for index, size in enumerate(sizes)]
    try:
        placed = place(plan, topology, wanted)
    except NoRoomError:
        assert sum(sizes) > 0
        return
    core_of = {cpu.number: cpu.core for cpu in topology.cpus}
    node_of = {cpu.number: cpu.node for cpu in topology.cpus}
    owners = Counter(core for one in placed for core in {core_of[cpu] for cpu in one.vcpus})
    assert set(owners.values()) <= {1}, "two machines on one core"
    for one, size in zip(placed, sizes, strict=True):
        assert len(set(one.vcpus)) == size
        assert plan.isolated.issuperset(one.vcpus)
        assert plan.housekeeping.issuperset(one.emulator)
        assert one.emulator
        assert one.node is None or {node_of[cpu] for cpu in one.vcpus} == {one.node}


def _host(cores: int, *, nodes: int = 1, threads: int = 1) -> Topology:
    return Topology(
        tuple(
            sorted(
                Cpu(thread * cores + core, core, core * nodes // cores, core * nodes // cores)
                for core in range(cores)
                for thread in range(threads)
            )
        )
    )


def test_the_twins_of_the_readme() -> None:
    # Two sockets of twenty cores, hyperthreading switched off as the README asks.
    plan = propose(_host(40, nodes=2))
    assert sorted(plan.housekeeping) == [0, 1, 20, 21]
    first, second = place(plan, _host(40, nodes=2), [Wanted("master", 2), Wanted("node", 18)])
    assert first.node == 0
    assert first.emulator == (0, 1)
    assert second.node == 1, "eighteen only fit where nothing was taken"


def test_a_core_for_each_where_there_are_enough() -> None:
    host = _host(8, threads=2)
    (small,) = place(propose(host), host, [Wanted("small", 3)])
    assert (small.vcpus, small.shares_cores) == ((1, 2, 3), False)
    (large,) = place(propose(host), host, [Wanted("large", 10)])
    assert large.shares_cores
    with pytest.raises(NoRoomError, match="wants 20 isolated CPUs, 14 are left"):
        place(propose(host), host, [Wanted("huge", 20)])


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (CpuPlan(frozenset({0, 1}), frozenset({1, 2, 3})), "in both"),
        (CpuPlan(frozenset({0, 2}), frozenset({3})), "in neither"),
        (CpuPlan(frozenset({0, 2}), frozenset({1, 3, 9})), "not online"),
        (CpuPlan(frozenset(), frozenset({0, 1, 2, 3})), "No CPU is left"),
        (CpuPlan(frozenset({1, 3}), frozenset({0, 2})), "boots the host"),
        (CpuPlan(frozenset({0, 1, 2}), frozenset({3})), "sibling 1"),
    ],
)
def test_what_is_wrong_is_said(plan: CpuPlan, told: str) -> None:
    # CPUs 0 and 2, 1 and 3 are siblings.
    assert told in " ".join(problems(plan, _host(2, threads=2)))
