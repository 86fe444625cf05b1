"""The stages of the cluster, headless, on hosts that take a real kubeadm."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kubert_tui.lab.cluster import ClusterSpec
from kubert_tui.lab.cpus import CpusSpec
from kubert_tui.lab.model import Lab, Permission
from kubert_tui.lab.write import write_lab
from kubert_tui.latency.store import load
from kubert_tui.stages.kubeconfig import kubeconfig_path
from tests.lab.watching import sees_a_cordon
from tests.support.headless import Headless, auto
from tests.support.kubernetes.hosts import ClusterHosts
from tests.support.kubernetes.ladder import assert_left_nothing, give_cyclictest, ladder
from tests.support.twins import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.cluster]

TOKEN = re.compile(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b")
MADE = "/etc/kubernetes/manifests/etcd.yaml"


def lab_of(hosts: ClusterHosts, path: Path) -> Path:
    specs = tuple(
        hosts.twins.spec(name).model_copy(update={"cpus": CpusSpec(housekeeping="0", isolated="1")})
        for name in hosts.names
    )
    cluster = ClusterSpec(
        kubernetes=hosts.version.removeprefix("v"),
        packages="preinstalled",
        cni="bridge",
        conntrack=False,
        pod_cidr=hosts.pod_cidr,
        service_cidr=hosts.service_cidr,
        smoke_image=hosts.nginx_image,
    )
    allow = frozenset({Permission.CLUSTER, Permission.SERVICES})
    write_lab(Lab(name="twins", hosts=specs, allow=allow, cluster=cluster), path)
    return path


def through(lab: Path, *arguments: str) -> dict[str, str]:
    """Run stages to their end; return how each of them ended."""
    run = auto("--yes", *arguments, lab=lab)
    code = run.finish()
    states = {one["stage"]: one["state"] for one in run.named("stage-finished")}
    told = [one for one in run.seen if one["event"] == "failure"]
    assert code == 0, (states, told, run.errors())
    no_tokens(run)
    return states


def no_tokens(run: Headless) -> None:
    for entry in run.seen:
        assert not TOKEN.search(json.dumps(entry)), entry


def cluster(lab: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "kubert_tui", "cluster", *arguments, "--lab", str(lab)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600)


def nodes(lab: Path) -> dict[str, Any]:
    told = cluster(lab, "status", "--json")
    assert told.returncode == 0, told.stderr
    return {one["name"]: one["seen"] for one in json.loads(told.stdout)["nodes"]}


def break_off_init(hosts: ClusterHosts, lab: Path) -> None:
    """Kill kubert-tui and kubeadm once the control plane has begun to start."""
    lead = hosts.control_plane
    run = auto("--yes", "--only", "cluster-control-plane", lab=lab)
    made = hosts.twins.root(lead) / MADE.lstrip("/")
    wait_until(lambda: made.exists() or run.process.poll() is not None, "kubeadm init has begun")
    assert made.exists(), run.finish() or run.seen
    hosts.twins.inside(lead, "pkill", "--signal=KILL", "--exact", "kubeadm", check=False)
    os.killpg(run.process.pid, signal.SIGKILL)
    run.finish()


def measured_down_to_the_pod(hosts: ClusterHosts, lab: Path) -> None:
    """The ladder in one command; nothing of it stays in the cluster, or on its nodes."""
    pod = f"{hosts.worker}-pod"
    give_cyclictest(hosts)
    run = ladder(lab, "--loops", "3000", "--interval", "1000")
    code = run.finish()
    assert code == 0, (run.named("failure"), run.errors())
    *_, told = run.seen
    rungs = {rung["host"]: rung for rung in told["rungs"]}
    assert [*rungs] == [*hosts.names, pod]
    assert rungs[pod]["deltas"] is not None, "it stands below its node"
    stored = {one["host"]: load(Path(one["path"])) for one in run.named("latency-stored")}
    kept = stored[pod]
    assert (kept.layer, kept.parent, kept.policy) == ("pod", hosts.worker, "fifo 90")
    assert (kept.cpus, kept.summary.samples, kept.interrupted) == ((1,), 3000, "")
    assert kept.command == stored[hosts.worker].command
    assert {one.exact for one in stored.values()} == {True}
    seen = [one for one in run.named("latency-snapshot") if one["host"] == pod]
    assert not seen[0]["snapshot"]["final"], "it was seen while it ran"
    found = {one["finding"]["check"]: one["finding"]["level"] for one in run.named("finding-made")}
    assert found["pods.realtime"] == "ok"
    # The kernel is this computer's, and isolates nothing.
    assert found["pods.cpus"] in ("ok", "warning")
    assert_left_nothing(hosts)


def test_a_cluster_from_the_lab_file_and_back(cluster_hosts: ClusterHosts, tmp_path: Path) -> None:
    hosts = cluster_hosts
    hosts.twins.introduce()
    lab = lab_of(hosts, tmp_path / "twins.yaml")

    assert through(lab, "--only", "cluster-nodes") == {"cluster-nodes": "done"}
    assert through(lab, "--only", "cluster-nodes") == {"cluster-nodes": "satisfied"}
    before = {name: hosts.state(name) for name in hosts.names}

    break_off_init(hosts, lab)
    made = through(lab, "--from", "cluster-control-plane", "--until", "cluster-smoke")
    assert made == dict.fromkeys(
        ("cluster-control-plane", "cluster-workers", "cluster-network", "cluster-smoke"), "done"
    )

    # Both are ready; no token and no join configuration is left, and kubectl works from here.
    found = nodes(lab)
    assert {name: one["ready"] for name, one in found.items()} == dict.fromkeys(hosts.names, True)
    assert {one["version"] for one in found.values()} == {hosts.version}
    sees_a_cordon(hosts, lab)
    tokens = ("--field-selector=type=bootstrap.kubernetes.io/token", "--output=name")
    assert hosts.kubectl("--namespace=kube-system", "get", "secrets", *tokens) == ""
    assert hosts.run(hosts.worker, "ls -A /run/kubert-join") == ""
    assert hosts.kubectl("get", "namespaces", "--output=name").count("kubert-smoke") == 0
    assert stat.S_IMODE(kubeconfig_path("twins").stat().st_mode) == 0o600
    merged = cluster(lab, "kubeconfig", "--merge")
    assert merged.returncode == 0, merged.stderr
    assert "kubert-twins" in (Path.home() / ".kube" / "config").read_text()

    # The kubelets give whole CPUs to pods, from those that are isolated.
    for name in hosts.names:
        state = json.loads(hosts.run(name, "cat /var/lib/kubelet/cpu_manager_state"))
        assert state["policyName"] == "static"
        running = hosts.run(name, "tr '\\0' ' ' </proc/$(pgrep -x kubelet)/cmdline")
        assert "--reserved-cpus=0 " in running

    measured_down_to_the_pod(hosts, lab)

    # Again: nothing to do. A worker that lost its identity is cleaned, and joins again.
    again = through(lab, "--from", "cluster-nodes", "--until", "cluster-network")
    assert set(again.values()) == {"satisfied"}
    hosts.run(hosts.worker, "rm /etc/kubernetes/kubelet.conf; systemctl kill -s KILL kubelet")
    hosts.kubectl("delete", "node", hosts.worker)
    rejoined = through(lab, "--from", "cluster-workers", "--until", "cluster-network")
    assert rejoined["cluster-workers"] == "done"
    assert nodes(lab)[hosts.worker]["ready"]

    # One node, then all of it: nothing of the cluster is left.
    assert cluster(lab, "remove", hosts.worker).returncode == 2
    one = cluster(lab, "remove", hosts.worker, "--confirm", hosts.worker)
    assert one.returncode == 0, one.stdout + one.stderr
    assert nodes(lab)[hosts.worker] is None
    everything = cluster(lab, "reset", "--confirm", "twins")
    assert everything.returncode == 0, everything.stdout + everything.stderr
    assert not kubeconfig_path("twins").exists()
    for name in hosts.names:
        after = hosts.state(name)
        different = {key: {*before[name][key]} ^ {*after[key]} for key in before[name]}
        assert {key: what for key, what in different.items() if what} == {}
