"""A pod that is measured: what it is, what it was given, and what is said of that."""

import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from kubert_tui.base.errors import UnreachableError
from kubert_tui.checks.finding import Level
from kubert_tui.checks.pods import pod_findings
from kubert_tui.engine.targets import nothing_to_do, targets, with_guests
from kubert_tui.facts.cluster import ClusterSeen, NodeSeen
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.pod import Granted, PodSeen, parse_granted, parse_pod
from kubert_tui.hosts.interface import Completed, Host, Invocation
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.lab.write import dump_lab
from kubert_tui.latency.command import order_in_pod
from kubert_tui.pods import look, pack
from kubert_tui.pods.kubectl import Cluster, Room
from kubert_tui.pods.manifest import PodOrder, pod, pod_name
from kubert_tui.stages.model import Where
from kubert_tui.stages.registry import stage
from tests.support.blank import blank_lab
from tests.support.latency_facts import facts_of
from tests.support.stages import PretendedHost

TEXT = """\
name: twins
hosts:
  - {name: bull1, address: 10.0.0.1, cpus: {housekeeping: "0", isolated: "1-3"}}
  - {name: bull2, address: 10.0.0.2, cpus: {housekeeping: "0", isolated: "1-3"}}
machines: [{name: inside, vcpus: 2}]
cluster: {nodes: [{name: bull1, role: control-plane}, {name: bull2}, {name: inside}]}
"""
LAB = with_guests(parse_lab(TEXT, "twins.yaml"))


def facts(host: str = "bull2-pod") -> Facts:
    found = facts_of(online=(0, 1, 2, 3))
    processors = replace(found.processors, isolated=Known((1, 2, 3)))
    return replace(found, host=host, processors=processors)


def test_every_worker_has_a_pod_that_stands_on_it() -> None:
    assert targets(Where.PODS, LAB) == (
        "bull1", "inside", "inside-pod", "bull2", "bull2-pod",
    )  # fmt: skip
    assert [(LAB.layer_of(one), LAB.parent_of(one)) for one in ("inside-pod", "inside")] == [
        ("pod", "inside"), ("guest", "bull1"),
    ]  # fmt: skip
    assert LAB.plan_of("bull2-pod") == LAB.plan_of("bull2")
    assert targets(Where.PODS, LAB, ("bull2",)) == ("bull2", "bull2-pod")
    assert targets(Where.ALL, LAB) == ("bull1", "inside", "bull2"), "no other stage sees pods"
    assert [host.name for host in LAB.hosts] == ["bull1", "bull2"], "nor does the lab file"


def test_the_control_plane_has_one_if_it_is_alone_or_the_lab_says_so() -> None:
    both = with_guests(parse_lab(TEXT + "pods: {control_plane: true}\n", "twins.yaml"))
    assert [*both.pod_nodes.values()] == ["bull1", "bull2", "inside"]
    alone = TEXT.replace(", {name: bull2}, {name: inside}]}", "]}")
    assert with_guests(parse_lab(alone, "twins.yaml")).pod_nodes == {"bull1-pod": "bull1"}


def test_the_lab_file_keeps_how_pods_are_measured() -> None:
    text = TEXT + "pods: {image: 'reg:5000/rt@sha256:0', cpus: 2}\nladder: {order: layers}\n"
    lab = parse_lab(text, "twins.yaml")
    assert parse_lab(dump_lab(lab), "again") == lab


def test_a_pod_is_called_as_no_host_is() -> None:
    taken = with_guests(parse_lab(TEXT.replace("inside", "bull2-pod"), "twins.yaml"))
    assert {**taken.pod_nodes}["bull2-pod-pod"] == "bull2"


def test_without_a_cluster_there_is_nothing_to_do() -> None:
    pods = stage("pods")
    assert "names no cluster" in nothing_to_do(pods, blank_lab(), ("this-machine",))
    assert nothing_to_do(pods, LAB, ("bull2",)) == ""


def test_in_a_pod_all_cpus_are_its_own() -> None:
    order = order_in_pod(LAB, facts(), "r-1", (2, 3))
    assert "--smp" in order.command
    assert (order.cpus, order.housekeeping) == ((2, 3), (0,))
    old = order_in_pod(LAB, facts(), "r-1", (2, 3), path="/opt/cyclictest", version="1.5")
    assert old.command[0] == "/opt/cyclictest"
    assert "--affinity=2-3" in old.command, "1.x counts CPUs, whichever it may use"


ORDER = PodOrder(
    identity="20261128-200000-Twins_1-ab12-bull2-pod-1", node="bull2", image="x:1", ours=True,
    cpus=3, directory="/var/lib/kubert-tui/runs/r", program="/usr/bin/cyclictest", priority=90,
)  # fmt: skip


def test_the_pod_is_guaranteed_and_ends_by_itself() -> None:
    spec = pod(ORDER)["spec"]
    (container,) = spec["containers"]
    assert container["resources"]["limits"] == container["resources"]["requests"]
    assert container["resources"]["limits"]["cpu"] == "3", "whole: only those are given for good"
    assert spec["restartPolicy"] == "Never"
    assert container["imagePullPolicy"] == "Never", "it is in no registry"
    assert pod(replace(ORDER, ours=False))["spec"]["containers"][0]["imagePullPolicy"] != "Never"
    assert pod_name(ORDER.identity) == "20261128-200000-twins-1-ab12-bull2-pod-1"


GRANTED = b"""\
CapEff: 0000000000800000
Cpus_allowed_list: 2-3
process 4711 123456
program /usr/bin/cyclictest
realtime no chrt: failed to set pid 0's policy: Operation not permitted
done
"""


def test_what_the_container_says() -> None:
    told = parse_granted(GRANTED)
    assert isinstance(told, Known)
    assert (told.value.pid, told.value.cpus, told.value.nice) == (4711, (2, 3), True)
    assert (told.value.realtime, told.value.program) == (False, "/usr/bin/cyclictest")
    assert "not permitted" in told.value.refusal
    assert parse_granted(GRANTED.removesuffix(b"done\n")) is None, "it is still writing"
    for broken in (b"4711", b"2-3", b"0000000000800000"):
        assert isinstance(parse_granted(GRANTED.replace(broken, b"\x1b[1m?")), Unknown)


def test_what_its_node_says() -> None:
    granted = Granted(1, (2, 3), nice=True, realtime=True, refusal="", program="/c")
    told = {"groups": [["/kubepods.slice", 700]], "policy": "static", "default": "0",
            "own": "2-3", "others": ["1"]}  # fmt: skip
    seen = parse_pod(granted, "Guaranteed", json.dumps(told).encode())
    assert seen == Known(
        PodSeen(granted, "Guaranteed", (("/kubepods.slice", 700),), "static", (2, 3), (0, 1))
    )
    for key in told:
        assert isinstance(
            parse_pod(granted, "", json.dumps({**told, key: 5.5}).encode()), Unknown | Known
        )
    assert isinstance(parse_pod(granted, "", b"[]"), Unknown)
    assert isinstance(parse_pod(granted, "", b""), Unknown)


GOOD = PodSeen(
    Granted(1, (2, 3), nice=True, realtime=True, refusal="", program="/c"),
    "Guaranteed", (), "static", (2, 3), (0, 1),
)  # fmt: skip
REFUSED = replace(GOOD.granted, realtime=False, refusal="chrt: Operation not permitted")


def levels(seen: PodSeen, about: Facts | None = None, lab: Lab = LAB) -> list[tuple[Level, str]]:
    found = pod_findings(about or facts(), lab, seen)
    assert all(one.fix for one in found if one.level is not Level.OK)
    assert all(one.host == "bull2-pod" and "bull2" in one.summary for one in found)
    return [(one.level, one.summary + one.fix) for one in found]


def test_a_pod_as_it_should_be() -> None:
    assert [level for level, _ in levels(GOOD)] == [Level.OK, Level.OK]


@pytest.mark.parametrize(
    ("seen", "group_sched", "told"),
    [
        (replace(GOOD, granted=replace(REFUSED, nice=False)), False, "SYS_NICE"),
        (replace(GOOD, granted=REFUSED, groups=(("/kubepods.slice", 0),)), True, "/kubepods.slice"),
        (replace(GOOD, granted=REFUSED), True, "cgroup v2"),
        (replace(GOOD, granted=REFUSED), False, "not permitted"),
    ],
)
def test_why_real_time_is_refused(seen: PodSeen, group_sched: bool, told: str) -> None:
    about = facts()
    scheduling = replace(about.scheduling, rt_group_sched=Known(group_sched))
    level, text = levels(seen, replace(about, scheduling=scheduling))[0]
    assert level is Level.FAILED
    assert told in text


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (replace(GOOD, quality="Burstable"), "Burstable"),
        (replace(GOOD, policy="none"), "policy on bull2 is none"),
        (replace(GOOD, own=()), "none of its own"),
        (replace(GOOD, shared=(0, 2)), "CPUs 2-3"),
        (replace(GOOD, granted=replace(GOOD.granted, cpus=(0, 1, 2, 3))), "CPUs 0-3"),
        (
            replace(GOOD, own=(0, 2), granted=replace(GOOD.granted, cpus=(0, 2)), shared=(1,)),
            "the CPU plan isolates",
        ),
    ],
)
def test_why_its_cpus_are_not_its_own(seen: PodSeen, told: str) -> None:
    level, text = levels(seen)[1]
    assert level is Level.FAILED
    assert told in text


def test_cpus_that_the_kernel_does_not_isolate_are_measured_all_the_same() -> None:
    about = facts()
    processors = replace(about.processors, isolated=Known(()))
    assert levels(GOOD, replace(about, processors=processors))[1][0] is Level.WARNING


def test_budgets_are_looked_for_from_the_top_down(tmp_path: Path) -> None:
    mounts = "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n"
    assert look.hierarchy(mounts) == (1, "/sys/fs/cgroup/cpu,cpuacct")
    assert look.hierarchy("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n") == (2, "/sys/fs/cgroup")
    told = "4:cpu,cpuacct:/kubepods.slice/pod1\n1:name=systemd:/x\n0::/y\n"
    assert look.group_of(told, 1) == "/kubepods.slice/pod1"
    assert look.group_of(told, 2) == "/y"
    for name, budget in (("kubepods.slice", "700"), ("kubepods.slice/pod1", "0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cpu.rt_runtime_us").write_text(budget)
    assert look.budgets(tmp_path, "/kubepods.slice/pod1") == [
        ["/kubepods.slice", 700], ["/kubepods.slice/pod1", 0],
    ]  # fmt: skip


def test_an_image_is_what_it_is_called(tmp_path: Path) -> None:
    cyclictest = tmp_path / "cyclictest"
    cyclictest.write_bytes(Path("/bin/true").read_bytes())
    files = pack.content(str(cyclictest))
    assert {str(cyclictest), "/bin/sh", "/bin/chrt", "/bin/flock"} <= {*files}
    assert any("libc.so" in path for path in files)
    tag, archive = pack.image("localhost/x", files)
    assert pack.image("localhost/x", files) == (tag, archive), "made twice it is the same"
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        members = {one.name: opened.extractfile(one) for one in opened}
        layer, manifest = members["layer.tar"], members["manifest.json"]
        assert layer
        assert manifest
        content = layer.read()
        assert json.load(manifest)[0]["RepoTags"] == [tag]
    assert tag == f"localhost/x:{hashlib.sha256(content).hexdigest()[:16]}"
    cyclictest.write_bytes(cyclictest.read_bytes() + b"x")
    assert pack.image("localhost/x", pack.content(str(cyclictest)))[0] != tag


class Answers(PretendedHost):
    """A control plane whose kubectl says what it is told to say, call after call."""

    def __init__(self, *answers: Completed) -> None:
        super().__init__("bull1")
        self.answers = list(answers)
        self.asked: list[Invocation] = []

    def run(self, invocation: Invocation) -> Completed:
        self.asked.append(invocation)
        return self.answers.pop(0)


def said(text: object = "", status: int = 0) -> Completed:
    data = text if isinstance(text, str) else json.dumps(text)
    return Completed(("kubectl",), status, data.encode(), data.encode() if status else b"")


def cluster(*answers: Completed) -> tuple[Cluster, Answers]:
    host = Answers(*answers)

    def there() -> Host:
        return host

    return Cluster(there, host.asked.clear), host


def test_the_cpus_that_pods_have_asked_for_are_not_free() -> None:
    pods = [
        {"status": {"phase": phase}, "spec": {"containers": [{}, {"resources": {"requests": cpu}}]}}
        for phase, cpu in (
            ("Running", {"cpu": "100m"}),
            ("Pending", {"cpu": "0.5"}),
            ("Succeeded", {"cpu": "1"}),
            ("Running", {}),
        )
    ]
    asked, _ = cluster(said({"status": {"allocatable": {"cpu": "3"}}}), said({"items": pods}))
    room = asked.room("bull2")
    assert room == Room(3000, 600)
    assert room.whole == 2


def test_a_pod_that_is_there_already_is_no_error() -> None:
    there = said('Error from server (AlreadyExists): pods "x" already exists', 1)
    asked, host = cluster(there, there)
    asked.create(pod(ORDER))
    assert not host.answers


def test_a_namespace_that_is_just_being_made_is_waited_for() -> None:
    early = said('pods "x" is forbidden: serviceaccount "default" not found', 1)
    asked, host = cluster(said(), early, said(), said())
    asked.create(pod(ORDER))
    assert not host.answers


def test_a_namespace_in_which_a_pod_works_stays() -> None:
    asked, host = cluster(said({"items": [{"status": {"phase": "Running"}}]}))
    asked.leave()
    assert len(host.asked) == 1
    asked, host = cluster(said({"items": [{"status": {"phase": "Failed"}}]}), said())
    asked.leave()
    assert "delete" in host.asked[1].argv


def test_a_control_plane_that_was_lost_is_asked_again() -> None:
    asked, host = cluster(said(""))
    before = host.run
    lost = iter([UnreachableError("gone")])

    def run(invocation: Invocation) -> Completed:
        for error in lost:
            raise error
        return before(invocation)

    host.run = run  # type: ignore[method-assign]
    assert asked.status("x") is None


def test_a_node_that_is_in_no_cluster_yet_has_no_pod() -> None:
    not_for = stage("pods").not_for
    assert not_for
    seen = ClusterSeen(nodes=Known((NodeSeen("bull2", "v1.36.4", "10.0.0.2", ready=True),)))
    assert not_for(replace(facts(), cluster=Known(seen)), LAB) == ""
    assert not_for(facts(), LAB) == "", "what nobody could look at may be there"
    none_yet = replace(facts(), cluster=Known(ClusterSeen(nodes=Known(()))))
    assert "bull2 is in no cluster yet" in not_for(none_yet, LAB)
    assert not_for(replace(none_yet, host="bull2"), LAB) == ""


def test_why_a_pod_does_not_run() -> None:
    waiting = {"reason": "ErrImageNeverPull", "message": "no such \x1b[31mimage"}
    told = {
        "metadata": {"uid": "u"},
        "status": {"phase": "Pending", "qosClass": "Guaranteed",
                   "containerStatuses": [{"state": {"waiting": waiting}}]},
    }  # fmt: skip
    status = cluster(said(told))[0].status("x")
    assert status
    assert status.trouble == "ErrImageNeverPull: no such image"
    assert not status.ended
    assert cluster(said(""))[0].status("x") is None
