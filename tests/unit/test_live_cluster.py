"""What a cluster is right now: from the watcher's lines to rows of a table."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.facts import cluster_watcher
from kubert_tui.facts.live_cluster import (
    Condition,
    GivenCpus,
    LiveCluster,
    NonsenseError,
    Sign,
    moment,
    of_node,
    quantity,
    told,
)
from kubert_tui.facts.live_lines import Lines
from kubert_tui.facts.nodes_now import NOT_IN_LAB, age, nodes_now
from kubert_tui.facts.parse_given import given_cpus
from kubert_tui.facts.sections import split
from kubert_tui.lab.load import parse_lab
from tests.support import cluster_objects as objects

LAB = parse_lab(
    "name: bulls\nhosts: [{name: Bull1, address: 10.0.0.1}, {name: bull2, address: 10.0.0.2}]\n"
    "cluster: {kubernetes: 1.36, nodes: [{name: Bull1, role: control-plane}, {name: bull2}]}\n",
    "lab.yaml",
)


def line(kind: str, *items: dict[str, Any]) -> dict[str, Any]:
    cut = [cluster_watcher.TOLD[kind](item) for item in items]
    decoded: dict[str, Any] = json.loads(json.dumps({"type": kind, "items": cut}))
    return decoded


def cluster(*lines: dict[str, Any]) -> LiveCluster:
    known = LiveCluster()
    for one in lines:
        found = told(one, known)
        assert isinstance(found, LiveCluster)
        known = found
    return known


def test_a_node_that_is_as_it_should_be() -> None:
    (found,) = cluster(line("nodes", objects.node("bull1"))).nodes
    assert (found.name, found.ready, found.wrong, found.cordoned) == ("bull1", True, (), False)
    assert (found.address, found.version) == ("10.0.0.1", "v1.36.4")
    assert (found.kernel, found.runtime) == ("6.12.0-rt-amd64", "containerd://2.1.4")
    assert (found.capacity, found.allocatable) == (4.0, 3.0)
    assert found.created == moment("2026-11-28T20:00:00Z") > 1.7e9


def test_a_node_with_troubles_says_ready_first() -> None:
    item = objects.node(
        "bull1",
        conditions={
            "DiskPressure": ("True", "KubeletHasDiskPressure", "disk is full"),
            "Ready": ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."),
        },
        cordoned=True,
    )
    (found,) = cluster(line("nodes", item)).nodes
    assert not found.ready
    assert found.cordoned
    assert found.wrong == (
        Condition("Ready", "NodeStatusUnknown", "Kubelet stopped posting node status."),
        Condition("DiskPressure", "KubeletHasDiskPressure", "disk is full"),
    )


def test_pods_that_get_cpus_of_their_own() -> None:
    pods = cluster(
        line(
            "pods",
            objects.pod("a", "bull2", cpus=("2", "1"), qos="Guaranteed"),
            objects.pod("b", "bull2", cpus=("1500m",), qos="Guaranteed"),
            objects.pod("c", "bull2", cpus=("2",), qos="Burstable"),
            objects.pod("d", "", cpus=(), qos="BestEffort", phase="Pending", unscheduled="Full"),
            objects.pod("e", "bull2", waiting="CrashLoopBackOff", restarts=4),
            objects.pod("f", "bull2", leaving=True, waiting="Error"),
        )
    ).pods
    assert [(pod.name, pod.cpus, pod.whole) for pod in pods[:4]] == [
        ("a", 3.0, True), ("b", 1.5, False), ("c", 2.0, False), ("d", 0.0, False),
    ]  # fmt: skip
    assert (pods[3].phase, pods[3].why, pods[3].node) == ("Pending", "Full", "")
    assert (pods[4].why, pods[4].restarts) == ("CrashLoopBackOff", 4)
    assert (pods[5].phase, pods[5].why) == ("Terminating", "")


def test_what_happened_to_a_node_and_its_pods_newest_first() -> None:
    known = cluster(
        line("pods", objects.pod("mine", "bull2"), objects.pod("other", "bull1")),
        line(
            "events",
            objects.event("Pod", "mine", "Started", minute=1),
            objects.event("Node", "bull2", "NodeReady", minute=2),
            objects.event("Pod", "other", "Started", minute=3),
            objects.event("Pod", "gone", "BackOff", minute=4, node="bull2", warning=True),
            objects.event("Node", "bull1", "NodeReady", minute=5),
        ),
    )
    own = [pod for pod in known.pods if pod.node == "bull2"]
    found = of_node(known.occurrences, "bull2", own)
    assert [one.reason for one in found] == ["BackOff", "NodeReady", "Started"]
    assert [one.warning for one in found] == [True, False, False]


def test_everything_is_cleaned() -> None:
    item = objects.node("bull1", runtime="x\x1b]0;title\x07y\nz")
    (found,) = cluster(line("nodes", item)).nodes
    assert found.runtime == "xy z"


def test_signs_of_life() -> None:
    sign = {"type": "alive", "trouble": "refused\x1b[1m", "paused": ""}
    assert told(sign, LiveCluster()) == Sign("refused", "")


@pytest.mark.parametrize(
    "nonsense",
    [
        [], 3, None, {}, {"type": "nodes"}, {"type": "nodes", "items": [1]},
        {"type": "pods", "items": [{"uid": "x"}]}, {"type": "other", "items": []},
        {"type": "nodes", "items": [{"name": "x", "conditions": [["Ready"]]}]},
    ],
)  # fmt: skip
def test_nonsense_is_known_as_such(nonsense: Any) -> None:
    with pytest.raises(NonsenseError):
        told(nonsense, LiveCluster())


@given(st.binary(max_size=300))
def test_lines_of_anything_raise_nothing(data: bytes) -> None:
    assert list(Lines().feed(data + b"\n", LiveCluster())) == []


def test_lines_come_in_pieces_and_build_on_each_other() -> None:
    whole = b"".join(
        json.dumps(one).encode() + b"\n"
        for one in (
            line("nodes", objects.node("bull1")),
            {"type": "alive", "trouble": "", "paused": ""},
            line("pods", objects.pod("a", "bull1")),
        )
    )
    lines, known, signs = Lines(), LiveCluster(), 0
    for start in range(0, len(whole), 7):
        for found in lines.feed(whole[start : start + 7], known):
            if isinstance(found, Sign):
                signs += 1
            else:
                known = found
    assert (len(known.nodes), len(known.pods), signs) == (1, 1, 1)
    at_once = [one for one in Lines().feed(whole, LiveCluster()) if isinstance(one, LiveCluster)]
    assert at_once[-1] == known


@pytest.mark.parametrize(
    ("text", "cpus"),
    [("4", 4.0), ("1500m", 1.5), (2, 2.0), ("", 0.0), ("x", 0.0), ("-1", 0.0), (None, 0.0)],
)
def test_amounts_of_cpus(text: object, cpus: float) -> None:
    assert quantity(text) == cpus


@pytest.mark.parametrize("text", ["", "yesterday", None, 7, "9" * 50])
def test_times_that_are_none(text: object) -> None:
    assert moment(text) == 0.0


def test_rows_of_nodes_that_are_there_and_of_those_that_are_not() -> None:
    known = cluster(
        line("nodes", objects.node("bull1", version="v1.35.1"), objects.node("stray")),
        line("pods", objects.pod("a", "bull1"), objects.pod("b", "")),
    )
    rows = nodes_now(LAB, known, {})
    assert [(row.name, row.role, row.state) for row in rows] == [
        ("bull1", "control-plane", "Ready"), ("bull2", "worker", "not joined"),
        ("stray", NOT_IN_LAB, "Ready"),
    ]  # fmt: skip
    assert [len(row.pods) for row in rows] == [1, 0, 0]
    assert [row.other_version for row in rows] == [True, False, False]
    assert "the lab wants 1.36" in rows[0].advice[0]
    assert "the stage cluster-workers gets it in" in rows[1].advice[0]
    assert "does not name it" in rows[2].advice[0]


def test_nothing_is_said_of_a_cluster_that_has_not_told_anything() -> None:
    rows = nodes_now(LAB, None, {})
    assert [(row.state, row.advice) for row in rows] == [("not heard yet", ())] * 2
    assert nodes_now(LAB, LiveCluster(), {})[1].state == "not joined"


@pytest.mark.parametrize(
    ("condition", "advice"),
    [
        (("Unknown", "NodeStatusUnknown", "stopped posting"), "systemctl status kubelet"),
        (("False", "KubeletNotReady", "cni plugin not initialized"), "cluster-network"),
    ],
)
def test_what_to_do_about_a_node_that_is_not_ready(
    condition: tuple[str, str, str], advice: str
) -> None:
    known = cluster(line("nodes", objects.node("bull1", conditions={"Ready": condition})))
    row = nodes_now(LAB, known, {})[0]
    assert row.state == "NotReady"
    assert condition[2] in row.advice[0]
    assert advice in row.advice[1]
    assert not row.well


def test_a_cordoned_node_says_how_to_take_that_back() -> None:
    row = nodes_now(LAB, cluster(line("nodes", objects.node("bull2", cordoned=True))), {})[1]
    assert row.state == "Ready, cordoned"
    assert "kubectl uncordon bull2" in row.advice[0]


def test_cpus_that_pods_have_for_themselves() -> None:
    known = cluster(line("nodes", objects.node("bull1")), line("pods", objects.pod("a", "bull1")))
    (pod,) = known.pods
    cpus = {"bull1": GivenCpus("static", "0", "0", {pod.uid: "1-2", "other": "2-3"})}
    row = nodes_now(LAB, known, cpus)[0]
    assert row.exclusive == 3
    assert row.cpus_of(pod) == "1-2"
    assert row.cpus_of(replace(pod, uid="none")) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172_800, "2d")],
)
def test_ages(seconds: float, text: str) -> None:
    assert age(seconds) == text


STATE = (
    '{"policyName":"static","defaultCpuSet":"0,3","entries":'
    '{"uid-1":{"a":"1","b":"2"}},"checksum":1}'
)


def looked(**sections: str) -> GivenCpus:
    nonce = "kubert-0"
    text = "".join(
        f"\n{nonce} begin {name.replace('_', '-')} {name}\n{content}\n{nonce} end "
        f"{'absent' if content == 'absent' else 0}\n"
        for name, content in sections.items()
    )
    return given_cpus(split(text.encode(), nonce))


def test_who_has_which_cpus() -> None:
    found = looked(
        measured="no", cpu_state=STATE, running="--a=b\n--reserved-cpus=0,3", version="#1 SMP",
    )  # fmt: skip
    assert found == GivenCpus("static", "0,3", "0,3", {"uid-1": "1-2"}, realtime=False)
    assert looked(measured="no", cpu_state=STATE, version="#1 SMP PREEMPT_RT Debian").realtime
    assert looked(measured="no", cpu_state=STATE, realtime="1").realtime


def test_nobody_looks_while_cyclictest_runs() -> None:
    assert looked(measured="yes") == GivenCpus(paused=True)


def test_a_node_without_a_kubelet_and_one_that_writes_nonsense() -> None:
    assert looked(measured="no", cpu_state="absent") == GivenCpus()
    for nonsense in ("[]", "x", '{"entries": {"a": {"b": "no cpus"}}}', '{"entries": 3}'):
        assert "not what a kubelet writes" in looked(measured="no", cpu_state=nonsense).unknown
