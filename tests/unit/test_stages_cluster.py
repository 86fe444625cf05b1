"""The stages of the cluster: whom they are for, what they plan, and who helps."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from kubert_tui.ansible.request import HostSecrets
from kubert_tui.base.errors import ChangeError, KubertError, UnreachableError
from kubert_tui.base.secrets import Secret
from kubert_tui.cli.main import main
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.hosts.interface import Completed, Host, Invocation
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab, Permission
from kubert_tui.lab.write import write_lab
from kubert_tui.stages import playbook_change
from kubert_tui.stages.cluster_change import observe_node, only_control_plane
from kubert_tui.stages.model import Change
from kubert_tui.stages.registry import stage
from tests.support.blank import blank_lab
from tests.support.recording import DEBIAN, FEDORA, RecordingWork, Runs, facts_of
from tests.support.stages import PretendedHost

LAB = parse_lab(
    """\
name: twins
hosts:
  - {name: bull1, address: 10.0.0.1}
  - {name: bull2, address: 10.0.0.2}
  - {name: store, address: 10.0.0.3}
cluster: {nodes: [{name: bull1, role: control-plane}, {name: bull2}]}
""",
    "twins.yaml",
)
STAGES = (
    "cluster-nodes",
    "cluster-control-plane",
    "cluster-workers",
    "cluster-network",
    "cluster-smoke",
)


def change_of(stage_id: str) -> Change:
    change = stage(stage_id).change
    assert change
    return change


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    ansible = Runs()
    monkeypatch.setattr(playbook_change, "run_playbook", ansible)
    return ansible


@dataclass
class OnePassword(RecordingWork):
    """Nodes that take one password, and whose connections are made before Ansible's."""

    def secrets(self, name: str) -> HostSecrets:
        return HostSecrets(sudo=Secret("same"))

    def host(self, name: str) -> Host:
        return PretendedHost(name)


class Passwords(OnePassword):
    def secrets(self, name: str) -> HostSecrets:
        return HostSecrets(sudo=Secret(f"of {name}"))


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_for_the_nodes_of_a_lab_that_has_a_cluster(name: str) -> None:
    not_for = stage(name).not_for
    assert not_for
    assert "names no cluster" in not_for(facts_of(), blank_lab())
    assert not_for(facts_of("bull1"), LAB) == ""
    assert not_for(facts_of("store"), LAB)


def test_what_only_the_control_plane_does_is_not_for_workers() -> None:
    assert only_control_plane(facts_of("bull2"), LAB) == (
        "this is done on the control plane, bull1"
    )
    none = parse_lab("hosts: [{name: bull1}]\ncluster: {cni: none}\n", "x.yaml")
    not_for = stage("cluster-network").not_for
    assert not_for
    assert "the network is yours" in not_for(facts_of("bull1"), none)


@pytest.mark.parametrize(
    ("name", "host", "commands"),
    [
        (
            "cluster-control-plane",
            "bull1",
            ["kubeadm init --config=/etc/kubert-tui/kubeadm.yaml --skip-token-print"],
        ),
        (
            "cluster-workers",
            "bull2",
            [
                "kubeadm join --config=/run/kubert-join/join.yaml",
                "kubeadm reset --force --cri-socket=unix:///run/containerd/containerd.sock",
            ],
        ),
        ("cluster-nodes", "bull1", ["swapoff --all"]),
    ],
)
def test_the_plan_shows_what_the_roles_would_run(name: str, host: str, commands: list[str]) -> None:
    planned = [step.command for step in change_of(name).plan(LAB, facts_of(host))]
    assert {*commands} <= {*planned}


def test_the_plan_is_that_of_the_family_and_of_the_network() -> None:
    def titles(name: str, **more: object) -> set[str]:
        cluster = LAB.cluster
        assert cluster
        lab = LAB.model_copy(update={"cluster": cluster.model_copy(update=more)})
        return {
            step.title
            for family in (DEBIAN, FEDORA)[: 2 if name == "cluster-nodes" else 1]
            for step in change_of(name).plan(lab, facts_of("bull1", family))
        }

    nodes = titles("cluster-nodes")
    assert {"Trust the key for this repository only", "Install containerd"} <= nodes
    assert "Trust the repository's key, if it is the lab file's" in nodes
    bare = titles("cluster-nodes", packages="preinstalled")
    assert "Trust the key for this repository only" not in bare
    assert "Apply it" in titles("cluster-network")
    assert "Describe the bridge" in titles("cluster-network", cni="bridge")
    assert "Apply it" not in titles("cluster-network", cni="bridge")


def test_packages_that_are_there_need_no_permission() -> None:
    nodes = change_of("cluster-nodes")
    assert nodes.needs(LAB, LAB.host("bull1")) == {
        Permission.CLUSTER, Permission.PACKAGES, Permission.SERVICES,
    }  # fmt: skip
    assert LAB.cluster
    given = LAB.cluster.model_copy(update={"packages": "preinstalled"})
    lab = LAB.model_copy(update={"cluster": given})
    assert Permission.PACKAGES not in nodes.needs(lab, lab.host("bull1"))


def test_the_control_plane_helps_and_has_no_tasks_of_its_own(runs: Runs, tmp_path: Path) -> None:
    change_of("cluster-workers").apply(OnePassword(LAB, tmp_path), ("bull2",))
    (request,) = runs.requests
    assert [spec.name for spec in request.hosts] == ["bull2", "bull1"]
    assert request.variables["bull1"]["cluster_helper"] is True
    assert request.variables["bull2"]["cluster_helper"] is False


def test_nodes_that_take_different_passwords_cannot_help_one_another(
    runs: Runs, tmp_path: Path
) -> None:
    with pytest.raises(ChangeError, match="take different passwords") as caught:
        change_of("cluster-workers").apply(Passwords(LAB, tmp_path), ("bull2",))
    assert "log in with keys" in caught.value.fix
    assert not runs.requests


@dataclass
class Broken(PretendedHost):
    error: KubertError | None = None

    def run(self, invocation: Invocation) -> Completed:
        if self.error:
            raise self.error
        return Completed(tuple(invocation.argv), 0, b"")


@dataclass
class Looking(RecordingWork):
    errors: dict[str, KubertError] | None = None

    def host(self, name: str) -> Host:
        return Broken(name, error=(self.errors or {}).get(name))


def look(lab: Lab, host: str, tmp_path: Path, **errors: KubertError) -> object:
    return observe_node(Looking(lab, tmp_path, errors=errors), facts_of(host)).cluster


def test_a_control_plane_that_is_away_leaves_the_nodes_unknown(tmp_path: Path) -> None:
    seen = look(LAB, "bull2", tmp_path, bull1=UnreachableError("no route"))
    assert isinstance(seen, Known)
    assert seen.value.nodes == Unknown("bull1: no route")
    with pytest.raises(UnreachableError):
        look(LAB, "bull2", tmp_path, bull2=UnreachableError("no route"))
    refused = look(LAB, "bull2", tmp_path, bull2=KubertError("sudo says no"))
    assert refused == Unknown("sudo says no")
    assert look(LAB, "store", tmp_path) == facts_of("store").cluster


def test_a_reset_wants_the_name_typed_and_the_control_plane_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "twins.yaml"
    write_lab(LAB, path)

    def told(*arguments: str) -> str:
        assert main(["cluster", *arguments, "--lab", str(path)]) == 2
        return capsys.readouterr().err

    assert "not confirmed: nothing was done (--confirm bull2)" in told("reset", "bull2")
    assert "--confirm twins" in told("reset", "--confirm", "bull2")
    assert "bull1 is the control plane" in told("reset", "bull1", "--confirm", "bull1")
    assert "its nodes: bull1, bull2" in told("reset", "store")
    write_lab(replace_cluster(LAB), path, overwrite=True)
    assert "names no cluster" in told("status")


def replace_cluster(lab: Lab) -> Lab:
    return lab.model_copy(update={"cluster": None})


def test_the_inventory_is_for_plain_ansible(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "twins.yaml"
    write_lab(LAB, path)
    assert main(["lab", "inventory", str(path)]) == 0
    told = capsys.readouterr().out
    assert "cluster_role: worker" in told
    assert "store:" not in told
    write_lab(replace_cluster(LAB), path, overwrite=True)
    assert main(["lab", "inventory", str(path)]) == 2
