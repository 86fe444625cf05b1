"""Pods of applications as kubectl tells of them: ready, without room, stuck."""

import json
from typing import Any

import pytest

from kubert_tui.base.errors import ChangeError
from kubert_tui.facts.workloads import PodSeen, pods_of


def pod(name: str = "loop-1", **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"kubert-tui/workload": "loop"}},
        "spec": {"nodeName": "bull2"},
        "status": status,
    }


def seen(*items: dict[str, Any]) -> tuple[PodSeen, ...]:
    return pods_of(json.dumps({"items": items}).encode())


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {
        "phase": "Pending",
        "containerStatuses": [
            {"state": {"waiting": {"reason": reason, "message": message}}, "restartCount": 0}
        ],
    }


def test_a_pod_that_is_ready() -> None:
    item = pod(phase="Running", conditions=[{"type": "Ready", "status": "True"}])
    assert seen(item) == (PodSeen("loop-1", "loop", "bull2", ready=True),)


def test_one_that_no_node_takes() -> None:
    item = pod(
        phase="Pending",
        conditions=[
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": "0/2 nodes are available: 2 Insufficient cpu.",
            }
        ],
    )
    del item["spec"]["nodeName"]
    (one,) = seen(item)
    assert (one.node, one.no_room, one.stuck) == (
        "", "0/2 nodes are available: 2 Insufficient cpu.", "",
    )  # fmt: skip


@pytest.mark.parametrize("reason", ["OutOfcpu", "SMTAlignmentError", "TopologyAffinityError"])
def test_one_that_the_kubelet_turns_away_has_no_room_either(reason: str) -> None:
    (one,) = seen(pod(phase="Failed", reason=reason, message="no CPUs"))
    assert (one.no_room, one.stuck) == (f"{reason}: no CPUs", "")


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (waiting("ImagePullBackOff", "Back-off"), "ImagePullBackOff: Back-off"),
        (waiting("ErrImageNeverPull"), "ErrImageNeverPull"),
        (waiting("ContainerCreating"), ""),
        (waiting("ErrImagePull", "perhaps later"), ""),
        ({"phase": "Failed", "reason": "Evicted", "message": "disk"}, "Evicted: disk"),
        ({"phase": "Failed"}, "it failed"),
        ({}, ""),
    ],
)
def test_one_that_will_not_run(status: dict[str, Any], told: str) -> None:
    (one,) = seen(pod(**status))
    assert (one.ready, one.no_room, one.stuck) == (False, "", told)


def test_one_that_ends_again_and_again_says_with_what() -> None:
    status = waiting("CrashLoopBackOff", "back-off 10s")
    status["containerStatuses"][0]["lastState"] = {"terminated": {"exitCode": 2}}
    status["containerStatuses"][0]["restartCount"] = 3
    (one,) = seen(pod(**status))
    assert one.restarts == 3
    assert one.stuck == "CrashLoopBackOff: back-off 10s (it ended with 2)"


def test_what_the_cluster_says_is_clean() -> None:
    (one,) = seen(pod("a\x1b[31mb\n", phase="Failed", reason="\x1b]0;x\x07Evicted"))
    assert (one.name, one.stuck) == ("ab", "Evicted")


@pytest.mark.parametrize(
    "output",
    [b"", b"{}", b"[]", b'{"items": [3]}', b'{"items": [{"metadata": {}}]}', b"\xff",
     b'{"items": [{"metadata": {"name": "a"}, "status": {"conditions": 3}}]}'],
)  # fmt: skip
def test_what_is_no_list_of_pods_is_refused(output: bytes) -> None:
    with pytest.raises(ChangeError, match="no list of pods"):
        pods_of(output)
