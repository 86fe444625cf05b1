"""Stages for hosts, for the virtual machines inside them, and for both."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from kubert_tui.base.errors import ExitCode, UnreachableError
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.engine.targets import about_guest, targets, with_guests
from kubert_tui.events.model import Failure, HostLocked, RunStarted, StageFinished, StageState
from kubert_tui.hosts.interface import Asker, Host
from kubert_tui.hosts.ssh_config import Endpoint, endpoint_of
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.machines import NO_MACHINES
from kubert_tui.lab.model import HostSpec, Lab
from kubert_tui.machines import keys
from kubert_tui.machines.guest import guests_of
from kubert_tui.stages.model import Stage, Where
from tests.support.blank import blank_lab
from tests.support.stages import Measure, Upgrade, World, stage
from tests.unit.test_engine_session import Outcome, run

LAB = """\
name: twins
hosts: [{name: bull1, address: bull1.invalid}, {name: bull2, address: bull2.invalid}]
allow: [kernel]
machines:
  - {name: master, host: bull1}
  - {name: worker-1, host: bull2, vcpus: 4}
  - {name: worker-2, host: bull1, vcpus: 1}
  - {name: slow, host: bull1, realtime: false}
"""
INSIDE = ("master", "worker-2", "slow", "worker-1")


def lab() -> Lab:
    return parse_lab(LAB, "lab.yaml")


@pytest.fixture
def made() -> None:
    """The machines were made once: there is the key that logs in to them."""
    keys.login_key("twins")


@dataclass
class Dialled(World):
    """Remembers how each host was reached."""

    ways: dict[str, Endpoint] = field(default_factory=dict)

    def connect(self, spec: HostSpec, lab: Lab, asker: Asker) -> Host:
        if spec.name in self.unreachable:
            raise UnreachableError("no route to host", fix="plug it in", host=spec.name)
        self.ways[spec.name] = endpoint_of(spec, lab)
        return super().connect(spec, lab, asker)


def outcome_of(world: World, *stages: Stage, **options: Any) -> Outcome:
    return run(world, *stages, lab=options.pop("lab", None) or lab(), **options)


def ended(outcome: Outcome) -> StageFinished:
    (found,) = outcome.only(StageFinished)
    return found  # type: ignore[no-any-return]


@pytest.mark.usefixtures("made")
def test_a_stage_of_the_guests_works_on_them_only_and_through_their_hosts() -> None:
    world = Dialled()
    outcome = outcome_of(world, stage("guest-kernel", Upgrade(world), where=Where.GUESTS))
    assert ended(outcome).hosts == dict.fromkeys(INSIDE, StageState.DONE)
    assert tuple(world.applied) == INSIDE
    assert [hop.address for hop in world.ways["worker-1"].jumps] == ["bull2.invalid"]
    way = world.ways["master"]
    assert (way.user, way.address, way.port) == ("root", "192.168.77.10", 22)
    assert way.identity_file == keys.login_key_file("twins")
    # Nobody has to accept the machines' keys: they are ours.
    assert set(keys.known_machines("twins")) == {f"192.168.77.1{n}" for n in range(4)}


@pytest.mark.usefixtures("made")
def test_a_stage_of_the_hosts_leaves_the_guests_alone() -> None:
    world = World()
    outcome = outcome_of(world, stage("kernel", Upgrade(world)))
    assert world.connected == ["bull1", "bull2"]
    assert ended(outcome).hosts == dict.fromkeys(("bull1", "bull2"), StageState.DONE)
    assert keys.known_machines("twins") == ()


@pytest.mark.usefixtures("made")
def test_a_stage_of_all_has_each_guest_after_its_host() -> None:
    world = World()
    outcome = outcome_of(world, stage("ladder", Measure(), where=Where.ALL, measures=True))
    assert list(ended(outcome).hosts) == ["bull1", *INSIDE[:3], "bull2", "worker-1"]


def test_the_run_tells_which_guests_there_are_and_where() -> None:
    (started,) = outcome_of(World()).only(RunStarted)
    assert started.hosts == ("bull1", "bull2")
    assert started.guests == {
        "master": "bull1", "worker-2": "bull1", "slow": "bull1", "worker-1": "bull2",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("where", "chosen", "expected"),
    [
        (Where.HOSTS, ("bull2",), "bull2"),
        (Where.GUESTS, ("bull2",), "worker-1"),
        (Where.ALL, ("bull2",), "bull2 worker-1"),
        (Where.GUESTS, ("bull1",), "master worker-2 slow"),
        (Where.GUESTS, ("slow",), "slow"),
        (Where.ALL, ("slow",), "slow"),
        (Where.ALL, ("bull2", "slow"), "slow bull2"),
        (Where.HOSTS, ("slow",), ""),
        (Where.ALL, (), "bull1 master worker-2 slow bull2 worker-1"),
    ],
)
def test_a_chosen_host_brings_its_guests_unless_guests_are_chosen(
    where: Where, chosen: tuple[str, ...], expected: str
) -> None:
    assert " ".join(targets(where, with_guests(lab()), chosen)) == expected


@pytest.mark.parametrize("where", [Where.GUESTS, Where.ALL])
def test_without_machines_such_a_stage_is_skipped_and_says_why(where: Where) -> None:
    world = World()
    change = Upgrade(world)
    outcome = outcome_of(world, stage("guest-kernel", change, where=where), lab=blank_lab())
    assert ended(outcome).state is StageState.SKIPPED
    assert ended(outcome).summary == f"skipped: {NO_MACHINES}"
    assert world.connected == []
    assert outcome.finished.exit_code == ExitCode.OK


def test_where_only_guests_were_chosen_the_stages_of_hosts_are_skipped() -> None:
    world = World()
    outcome = outcome_of(world, stage("kernel", Upgrade(world)), hosts=("slow",))
    assert ended(outcome).state is StageState.SKIPPED
    assert world.connected == []


def test_a_machine_that_was_never_made_is_told_so() -> None:
    world = World()
    outcome = outcome_of(world, stage("guest-kernel", Upgrade(world), where=Where.GUESTS))
    assert ended(outcome).hosts == dict.fromkeys(INSIDE, StageState.FAILED)
    told: list[Failure] = outcome.only(Failure)
    assert {one.host for one in told} == set(INSIDE)
    assert all("never made" in one.what and "stage machines first" in one.fix for one in told)
    # Looking made no key, and no place for keys.
    assert keys.kept("twins") == ()
    assert not keys.login_key_file("twins").parent.exists()


@pytest.mark.usefixtures("made")
def test_a_machine_that_does_not_run_is_told_so_and_the_others_are_worked_on() -> None:
    world = Dialled(unreachable={"slow"})
    outcome = outcome_of(world, stage("guest-kernel", Upgrade(world), where=Where.GUESTS))
    (told,) = outcome.only(Failure)
    assert told.host == "slow"
    assert "if it does not run on bull1, run the stage machines first" in told.fix
    assert told.fix.endswith("else: plug it in")
    assert ended(outcome).hosts["master"] is StageState.DONE


@pytest.mark.usefixtures("made")
def test_guests_are_locked_and_measured_as_hosts_are() -> None:
    world, measure = World(), Measure()
    outcome = outcome_of(world, stage("ladder", measure, where=Where.ALL, measures=True))
    assert {event.host for event in outcome.only(HostLocked)} == {"bull1", "bull2", *INSIDE}
    assert len(outcome.finished.results) == len(set(measure.identities)) == 6


def test_a_run_of_another_kind_is_not_the_labs_run() -> None:
    plain = outcome_of(World(unreachable={"bull1"}), stage("kernel"))
    other = outcome_of(World(), stage("kernel"), kind="monitor")
    assert plain.finished.exit_code != ExitCode.OK
    (started,) = other.only(RunStarted)
    assert (started.lab, started.resumed) == ("twins-monitor", False)
    (resumed,) = outcome_of(World(), stage("kernel")).only(RunStarted)
    assert resumed.resumed


def test_the_first_virtual_cpu_of_a_realtime_guest_keeps_house() -> None:
    found = with_guests(lab())
    assert found.plan_of("worker-1") == CpuPlan(frozenset({0}), frozenset({1, 2, 3}))
    # One CPU does everything; and who is not for real time has nothing to isolate.
    assert found.plan_of("worker-2") is None
    assert found.plan_of("slow") is None


def test_guests_are_no_part_of_the_lab_file_and_survive_its_changes() -> None:
    found = with_guests(lab())
    assert found.model_dump() == lab().model_dump()
    planned = found.with_plans({"bull1": CpuPlan(frozenset({0}), frozenset({1}))})
    assert [one.name for one in planned.everyone] == [one.name for one in found.everyone]
    assert [one.name for one in lab().everyone] == ["bull1", "bull2"]
    assert {guest.name for guest in guests_of(found)} == set(INSIDE)


def test_a_stage_of_the_cluster_is_for_its_nodes() -> None:
    """Machines by default; hosts where the lab file says so, or names no machines."""
    text = LAB.replace("{name: master,", "{name: master, role: control-plane,")
    clustered = with_guests(parse_lab(text + "cluster: {}\n", "lab.yaml"))
    assert targets(Where.NODES, clustered) == INSIDE
    assert targets(Where.NODES, clustered, ["bull2"]) == ("worker-1",)
    assert targets(Where.NODES, clustered, ["master"]) == ("master",)
    bare = parse_lab("name: twins\nhosts: [{name: bull1}, {name: bull2}]\ncluster: {}\n", "lab")
    assert targets(Where.NODES, bare, ["bull2"]) == ("bull2",)
    assert targets(Where.NODES, lab()) == ()


def test_without_a_cluster_its_stages_are_skipped() -> None:
    world = World()
    outcome = outcome_of(world, stage("nodes", Upgrade(world), where=Where.NODES))
    assert ended(outcome).state is StageState.SKIPPED
    assert "add `cluster:`" in ended(outcome).summary
    assert world.connected == []


def test_an_adopted_machine_needs_no_key_of_the_lab() -> None:
    lab = with_guests(
        parse_lab(
            "name: twins\nhosts: [{name: bull1}]\n"
            "machines: [{name: one}, {name: two, adopted: proj_two, user: vagrant}]\n",
            "lab.yaml",
        )
    )
    with about_guest(lab, "two"), about_guest(lab, "bull1"):
        pass
    with pytest.raises(UnreachableError, match="never made"), about_guest(lab, "one"):
        pass
    with pytest.raises(UnreachableError) as caught, about_guest(lab, "two"):
        raise UnreachableError("no route", fix="plug it in")
    assert "does not run on bull1" in caught.value.fix
