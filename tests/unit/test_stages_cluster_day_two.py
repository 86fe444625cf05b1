"""Day two of the cluster: what is asked of the engine, and what is refused at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubert_tui.base.errors import ChangeError
from kubert_tui.checks.finding import Level
from kubert_tui.cli.main import main
from kubert_tui.facts.cluster import Certificate, ClusterSeen, NodeSeen
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import node_of
from kubert_tui.lab.write import write_lab
from kubert_tui.stages import cluster_upkeep
from kubert_tui.stages.cluster_change import control_plane_helps
from kubert_tui.stages.cluster_moves import (
    UNCORDON,
    DrainOptions,
    add_stages,
    drain_stage,
    lost_stage,
    remove_stage,
)
from kubert_tui.stages.cluster_reset import RESET
from kubert_tui.stages.cluster_upkeep import (
    against_upgrade,
    rotate_stage,
    to_renew,
    upgrade_stage,
)
from kubert_tui.stages.model import Stage
from kubert_tui.stages.registry import all_stages
from tests.support.recording import DEBIAN, RecordingWork, facts_of

TEXT = """\
name: twins
hosts:
  - {{name: bull1, address: 10.0.0.1}}
  - {{name: bull2, address: 10.0.0.2}}
  - {{name: bull3, address: 10.0.0.3}}
cluster: {{kubernetes: 1.36.4, {more}}}
"""


def lab_with(more: str = "") -> Lab:
    return parse_lab(TEXT.format(more=more), "twins.yaml")


LAB = lab_with()
BY_HAND = (
    RESET,
    UNCORDON,
    drain_stage(DrainOptions()),
    remove_stage(DrainOptions()),
    upgrade_stage(DrainOptions()),
)


@pytest.mark.parametrize("stage", [*all_stages(), *BY_HAND], ids=lambda stage: stage.id)
def test_whoever_works_on_nodes_has_the_control_plane_locked(stage: Stage) -> None:
    if stage.id.startswith("cluster-"):
        assert stage.helpers
        assert stage.helpers(LAB) == ("bull1",)
    assert control_plane_helps(LAB) == ("bull1",)


def test_who_is_added_is_the_only_one_that_is_changed() -> None:
    stages, hosts = add_stages(LAB, "bull3")
    assert [(one.id, one.only) for one in stages] == [
        ("cluster-nodes", {"bull3"}),
        ("cluster-workers", {"bull3"}),
        ("cluster-network", frozenset()),
    ]
    assert hosts == ("bull1", "bull3")
    # Routes to its pods are needed everywhere.
    assert add_stages(lab_with("cni: bridge"), "bull3")[1] == ("bull1", "bull2", "bull3")


def test_only_what_was_agreed_to_is_an_option_of_the_drain() -> None:
    def options(**given: Any) -> object:
        return DrainOptions(**given).variables(LAB, facts_of())["cluster_drain_options"]

    assert options() == []
    assert options(force=True, disable_eviction=True) == ["--force", "--disable-eviction"]
    assert options(delete_emptydir_data=True) == ["--delete-emptydir-data"]
    steps = planned(drain_stage(DrainOptions(force=True, seconds=7)))
    assert (
        "kubectl --kubeconfig=/etc/kubernetes/admin.conf drain bull2 --ignore-daemonsets "
        "--timeout=7s --skip-wait-for-delete-timeout=120 --force"
    ) in " ".join(steps)


def planned(stage: Stage, host: str = "bull2", lab: Lab = LAB) -> list[str]:
    assert stage.change
    return [step.command for step in stage.change.plan(lab, facts_of(host))]


def test_a_removal_is_planned_as_what_it_does() -> None:
    steps = planned(remove_stage(DrainOptions()))
    assert any("drain bull2" in step for step in steps)
    assert (
        "kubectl --kubeconfig=/etc/kubernetes/admin.conf delete node bull2 --ignore-not-found"
    ) in steps
    assert any(step.startswith("kubeadm reset --force") for step in steps)


def test_a_lost_worker_is_forgotten_on_the_control_plane_unless_it_answers() -> None:
    lost = node_of(LAB, "bull2")
    assert lost
    stage = lost_stage(lost)
    (check,) = stage.checks
    assert stage.change
    here = replace(running("v1.36.4", "v1.36.4", "v1.36.4"), distribution=Known(DEBIAN))
    assert check(here, LAB).level is Level.FAILED
    with pytest.raises(ChangeError, match="bull2 is not lost"):
        stage.change.plan(LAB, here)
    silent = (node("bull1", "v1.36.4"), replace(node("bull2", "v1.36.4"), ready=False))
    away = running("v1.36.4", nodes=Known(silent))
    commands = [step.command for step in stage.change.plan(LAB, away)]
    assert any("delete node bull2" in command for command in commands), commands
    assert check(running("v1.36.4", "v1.36.4"), LAB).level is Level.OK


def node(name: str, version: str) -> NodeSeen:
    return NodeSeen(name, version, "10.0.0.1", ready=True)


def running(server: str, *kubelets: str, **more: Any) -> Facts:
    nodes = tuple(node(f"bull{number}", one) for number, one in enumerate(kubelets, 1))
    seen = ClusterSeen(server=Known(server), nodes=Known(nodes))
    return replace(facts_of("bull1"), cluster=Known(replace(seen, **more)))


@pytest.mark.parametrize(
    ("server", "kubelets", "what"),
    [
        ("v1.35.1", ("v1.35.1", "v1.35.1"), ""),
        ("v1.34.1", ("v1.34.1",), "2 minor releases at once"),
        ("v1.37.0", ("v1.37.0",), "which is older"),
        ("v1.35.1", ("v1.35.1", "v1.36.0"), "bull2 runs v1.36.0, newer"),
    ],
)
def test_an_upgrade_that_may_not_be_is_refused_before_it_is_planned(
    server: str, kubelets: tuple[str, ...], what: str
) -> None:
    error = against_upgrade(LAB, running(server, *kubelets))
    assert (what in error.what) if error else what == ""
    assert error is None or error.fix


def test_what_is_not_known_is_not_upgraded() -> None:
    away = running("v1.35.1", nodes=Unknown("bull1: no route"))
    for facts in (facts_of("bull1"), away):
        error = against_upgrade(LAB, facts)
        assert error
        assert "not known" in error.what


def test_programs_that_are_to_be_there_already_have_to_be() -> None:
    lab = lab_with("packages: preinstalled")
    programs = {"kubeadm": Known("v1.36.4"), "kubelet_version": Known("v1.35.1")}
    error = against_upgrade(lab, running("v1.35.1", "v1.35.1", **programs))
    assert error
    assert "kubelet is v1.35.1" in error.what
    assert "where PATH finds them (/usr/bin)" in error.fix
    there = {**programs, "kubelet_version": Known("v1.36.4")}
    assert against_upgrade(lab, running("v1.35.1", "v1.35.1", **there)) is None
    # From a repository they come by themselves.
    assert against_upgrade(LAB, running("v1.35.1", "v1.35.1", **programs)) is None


def test_an_upgrade_is_confirmed_and_installs_in_turn() -> None:
    stage = upgrade_stage(DrainOptions())
    assert stage.change
    assert "no way back" in stage.change.confirm
    lead = replace(running("v1.35.1", "v1.35.1"), distribution=facts_of().distribution)
    titles = [step.title for step in stage.change.plan(LAB, lead)]
    order = ["Install kubeadm", "Upgrade the control plane", "Install kubelet, kubectl"]
    assert [title for title in titles if title in order] == order


def good_for(**days: int) -> tuple[Certificate, ...]:
    return tuple(Certificate(name, left, name) for name, left in days.items())


def test_what_expires_soon_is_renewed_with_the_administrators() -> None:
    found = (*good_for(apiserver=20, etcd=31), Certificate("admin.conf", 300, "old"))
    assert to_renew(found, 30) == ("admin.conf", "apiserver")
    assert to_renew((), 30) == ("admin.conf",)


@contextmanager
def rotation(kept: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Stage, list[str]]]:
    """A rotation where a kubeconfig with the certificate `kept` is kept here; what it exports."""
    exported: list[str] = []
    state = {"kept": kept}
    monkeypatch.setattr(cluster_upkeep, "kept_fingerprint", lambda _lab: state["kept"])
    monkeypatch.setattr(cluster_upkeep, "observe_node", lambda _work, facts: facts)

    def export(_work: object, host: str) -> None:
        exported.append(host)
        state["kept"] = "new"

    monkeypatch.setattr(cluster_upkeep, "export", export)
    yield rotate_stage("twins", 30), exported


def administrator(fingerprint: str, server: str = "s", days: int = 364) -> Facts:
    found = (
        Certificate("admin.conf", 364, fingerprint),
        Certificate("apiserver", days, server),
        Certificate("etcd-server", 31, "e"),
    )
    seen = ClusterSeen(certificates=Known(found))
    return replace(facts_of("bull1"), cluster=Known(seen))


@pytest.mark.parametrize("kept", ["old", ""])
def test_a_rotation_is_done_when_what_was_due_is_another_and_kept_here(
    kept: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with rotation(kept, monkeypatch) as (stage, exported):
        work = RecordingWork(LAB, tmp_path)
        (check,) = stage.checks

        def level(fingerprint: str, server: str, days: int) -> Level:
            assert stage.observe
            facts = stage.observe(work, administrator(fingerprint, server, days))
            return check(facts, LAB).level

        assert (level("old", "s", 12), exported) == (Level.FAILED, [])
        assert (level("new", "s", 12), exported) == (Level.FAILED, ["bull1"])
        # However long the new one is good for.
        assert (level("new", "t", 12), exported) == (Level.OK, ["bull1"])


def test_a_rotation_that_was_killed_before_it_was_kept_here_is_not_done_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with rotation("old", monkeypatch) as (stage, exported):
        assert stage.observe
        facts = stage.observe(RecordingWork(LAB, tmp_path), administrator("new"))
        assert stage.checks[0](facts, LAB).level is Level.OK
        assert exported == ["bull1"]


def test_a_dry_run_keeps_no_new_kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with rotation("old", monkeypatch) as (stage, exported):
        assert stage.observe
        stage.observe(RecordingWork(LAB, tmp_path, dry_run=True), administrator("new"))
        assert exported == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "bull1"), "bull1 is the control plane"),
        (("remove", "bull1", "--confirm", "bull1"), "bull1 is the control plane"),
        (("add", "store"), "its nodes: bull1, bull2, bull3"),
        (("drain", "store"), "has no node 'store'"),
        (("remove", "bull2"), "not confirmed: nothing was done (--confirm bull2)"),
        (("remove", "bull2", "--confirm", "twins"), "not confirmed"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(
    arguments: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "twins.yaml"
    write_lab(LAB, path)
    assert main(["cluster", *arguments, "--lab", str(path)]) == 2
    assert told in capsys.readouterr().err
