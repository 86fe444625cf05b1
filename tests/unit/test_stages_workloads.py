"""Applications on their way into the cluster and out: what is waited for, and for how long."""

import json
from dataclasses import dataclass, field
from threading import Event as Flag
from typing import Any

import pytest

from kubert_tui.base.errors import CancelledError, ChangeError, DetachedError
from kubert_tui.events.model import CommandStarted, Event, Waiting
from kubert_tui.hosts.interface import Completed, Invocation
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.lab.workload_objects import applications
from kubert_tui.stages import workloads_change
from kubert_tui.stages.workloads_change import Workloads

LAB = """\
name: twins
hosts: [{name: bull1, address: a.invalid}, {name: bull2, address: b.invalid}]
cluster: {packages: preinstalled, timeout: 1m}
workloads: [{name: loop, preset: control-loop, image: rt}]
"""
READY = {"metadata": {"name": "loop-1"}, "status": {"conditions": [
    {"type": "Ready", "status": "True"}]}}  # fmt: skip
STARTING = {"metadata": {"name": "loop-1"}, "status": {"phase": "Pending"}}
GOING = {"metadata": {"name": "loop-0", "deletionTimestamp": "now"}, "status": {}}


@dataclass
class Cluster:
    """What kubectl answers, one look after another; the last one stays."""

    answers: list[Any] = field(default_factory=list)
    """Lists of pods, or an exit status."""
    lab: Lab = field(default_factory=lambda: parse_lab(LAB, "twins.yaml"))
    cancel: Flag = field(default_factory=Flag)
    detach: Flag = field(default_factory=Flag)
    told: list[Event] = field(default_factory=list)
    ran: list[Invocation] = field(default_factory=list)
    applied: list[dict[str, object]] = field(default_factory=list)

    def host(self, name: str) -> "Cluster":
        assert name == "bull1"
        return self

    def run(self, invocation: Invocation) -> Completed:
        self.ran.append(invocation)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        argv = tuple(invocation.argv)
        if isinstance(answer, int):
            return Completed(argv, answer, b"", b"the server\x1b[31m is busy")
        return Completed(argv, 0, json.dumps({"items": answer}).encode())

    def emit(self, event: Event) -> None:
        self.told.append(event)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()

    class Playbook:
        def __init__(self, name: str, permissions: object, *, helpers: Any) -> None:
            assert name == "cluster-workloads.yml"
            self.helpers = helpers

        def apply(self, work: Cluster, hosts: tuple[str, ...]) -> None:
            assert hosts == ()
            made.applied.append(self.helpers(work.lab)["bull1"])

    monkeypatch.setattr(workloads_change, "PlaybookChange", Playbook)
    monkeypatch.setattr(workloads_change, "_PERIOD", 0.0)
    return made


def workloads(cluster: Cluster) -> Workloads:
    work: Any = cluster
    return Workloads(work, applications(cluster.lab))


def test_all_pods_are_waited_for_and_none_that_goes(cluster: Cluster) -> None:
    cluster.answers = [[], [STARTING], 1, [READY, GOING], [READY]]
    assert workloads(cluster).run(1) == ""
    assert len(cluster.ran) == 5
    (told,) = cluster.applied
    assert (told["workloads_copies"], told["workloads_wait"]) == (1, False)
    assert told["cluster_role"] == "control-plane"


def test_an_api_server_that_never_answers_is_told(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.answers = [1]
    clock = iter(range(0, 1000, 40))
    monkeypatch.setattr("kubert_tui.stages.workloads_change.time.monotonic", lambda: next(clock))
    with pytest.raises(ChangeError, match="cannot be looked at: the server is busy"):
        workloads(cluster).run(1)


def test_who_does_not_get_ready_in_time_is_told_meanwhile_and_at_the_end(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.answers = [[STARTING]]
    clock = iter(range(0, 1000, 20))
    monkeypatch.setattr("kubert_tui.stages.workloads_change.time.monotonic", lambda: next(clock))
    with pytest.raises(ChangeError, match="of 1 pods 0 were ready after 60 s"):
        workloads(cluster).run(1)
    waits = [one for one in cluster.told if isinstance(one, Waiting)]
    assert waits[0].what == "1 pods to be ready (0 are)"


@pytest.mark.parametrize(("detach", "error"), [(False, CancelledError), (True, DetachedError)])
def test_who_is_told_to_stop_does(
    cluster: Cluster, detach: bool, error: type[CancelledError]
) -> None:
    cluster.answers = [[STARTING]]
    cluster.cancel.set()
    if detach:
        cluster.detach.set()
    with pytest.raises(error) as caught:
        workloads(cluster).run(1)
    assert isinstance(caught.value, DetachedError) is detach


def test_only_what_is_ours_is_removed_and_a_cancel_does_not_hinder(cluster: Cluster) -> None:
    cluster.answers = [[]]
    cluster.cancel.set()
    workloads(cluster).remove()
    (invocation,) = cluster.ran
    assert invocation.cancel is None
    assert "--selector=app.kubernetes.io/managed-by=kubert-tui" in invocation.argv
    assert "--field-selector=metadata.name=kubert-workloads" in invocation.argv
    assert isinstance(cluster.told[0], CommandStarted)
    cluster.answers = [1]
    with pytest.raises(ChangeError, match="cannot be removed: the server is busy") as caught:
        workloads(cluster).remove()
    assert "kubectl delete namespace kubert-workloads" in caught.value.fix
