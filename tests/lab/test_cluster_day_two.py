"""Day two of a cluster, with a real kubeadm: nodes come and go, all of it is upgraded."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kubert_tui.stages.kubeconfig import kubeconfig_path
from tests.lab.test_cluster import cluster, lab_of, nodes, through
from tests.support.kubernetes.binaries import directory
from tests.support.kubernetes.hosts import ClusterHosts
from tests.support.kubernetes.newer import bring_images, bring_programs
from tests.support.twins import CACHE

pytestmark = [pytest.mark.lab, pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(5400)]

NEWER = "v1.21.0"
STAGES = ("--from", "cluster-nodes", "--until", "cluster-network")
APPLICATIONS = """\
apiVersion: v1
kind: Pod
metadata: {name: lone}
spec:
  nodeName: %(node)s
  terminationGracePeriodSeconds: 1
  containers:
  - {name: it, image: "%(image)s", imagePullPolicy: Never, command: [sleep, "100000"]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: guarded}
spec:
  replicas: 1
  selector: {matchLabels: {app: guarded}}
  template:
    metadata: {labels: {app: guarded}}
    spec:
      terminationGracePeriodSeconds: 1
      volumes: [{name: scratch, emptyDir: {}}]
      containers:
      - name: it
        image: "%(image)s"
        imagePullPolicy: Never
        command: [sleep, "100000"]
        volumeMounts: [{name: scratch, mountPath: /scratch}]
---
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: guarded}
spec: {minAvailable: 1, selector: {matchLabels: {app: guarded}}}
"""


def done(lab: Path, *arguments: str, code: int = 0) -> str:
    """Run `kubert-tui cluster ...` to the exit code that is expected; return what it printed."""
    told = cluster(lab, *arguments)
    assert told.returncode == code, told.stdout[-6000:] + told.stderr
    return told.stdout


def failures(told: str) -> str:
    """Return what went wrong, of a command's JSON lines."""
    events = [json.loads(line) for line in told.splitlines()]
    return " ".join(f"{one['what']} {one['fix']}" for one in events if one["event"] == "failure")


def identity(hosts: ClusterHosts, name: str) -> str:
    """What the cluster's own books say a node is: made anew, it is another one."""
    return hosts.kubectl("get", "node", name, "--output=jsonpath={.metadata.uid}")


def changed_on(told: str) -> set[str]:
    """Return the hosts on which tasks changed something, of a command's JSON lines."""
    events = [json.loads(line) for line in told.splitlines()]
    return {
        one["host"]
        for one in events
        if one["event"] == "task-finished" and one["outcome"] == "changed"
    }


@pytest.fixture(scope="module")
def lab(cluster_hosts: ClusterHosts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lab file of both."""
    return lab_of(cluster_hosts, tmp_path_factory.mktemp("day-two") / "twins.yaml")


@pytest.fixture(autouse=True)
def known(cluster_hosts: ClusterHosts, lab: Path) -> None:
    """Every test has its own HOME."""
    assert lab.exists()
    cluster_hosts.twins.introduce()


def test_a_worker_is_added_drained_removed_and_added_again(
    cluster_hosts: ClusterHosts, lab: Path
) -> None:
    hosts = cluster_hosts
    worker, lead = hosts.worker, hosts.control_plane
    through(lab, "--from", "cluster-nodes", "--until", "cluster-control-plane")
    told = done(lab, "add", worker, "--json")
    # With bridges and routes the control plane gets its own route to the new pods, and no more.
    before = told.partition('"stage":"cluster-network"')[0]
    assert changed_on(before.rpartition("\n")[0]) == {worker}
    assert {name: one["ready"] for name, one in nodes(lab).items()} == {lead: True, worker: True}
    assert changed_on(done(lab, "add", worker, "--json")) == set()

    # What cannot go is named, with what it takes, before anything is cordoned.
    hosts.kubectl("apply", "-f", "-",
                  stdin=APPLICATIONS % {"node": worker, "image": hosts.realtime_image})  # fmt: skip
    hosts.kubectl("wait", "--for=condition=Available", "deployment/guarded", "--timeout=120s")
    told = failures(done(lab, "drain", worker, "--json", code=10))
    assert "without a controller (lost with --force): default/lone" in told
    assert re.search(r"\(lost with --delete-emptydir-data\): default/guarded-", told)
    assert nodes(lab)[worker]["schedulable"]
    lost = ("--force", "--delete-emptydir-data")
    told = failures(done(lab, "drain", worker, *lost, "--timeout=10", "--json", code=10))
    assert re.search(r"not asked with --disable-eviction\): default/guarded-", told)
    assert not nodes(lab)[worker]["schedulable"]
    done(lab, "drain", worker, *lost, "--disable-eviction")
    assert changed_on(done(lab, "drain", worker, *lost, "--json")) == set()
    done(lab, "uncordon", worker)
    assert nodes(lab)[worker]["schedulable"]
    hosts.kubectl("delete", "pdb,deployment", "guarded")

    # Removed: only shown, refused without the name, done; and it can come back.
    assert "kubeadm reset" in done(lab, "remove", worker, "--dry-run", "--json")
    assert nodes(lab)[worker]["ready"]
    done(lab, "remove", worker, code=2)
    done(lab, "remove", worker, "--confirm", worker)
    assert nodes(lab)[worker] is None
    assert hosts.run(worker, "[ -e /etc/kubernetes ] || echo gone") == "gone\n"
    done(lab, "remove", worker, "--confirm", worker)
    done(lab, "add", worker)
    assert nodes(lab)[worker]["ready"]


def test_machines_that_were_made_anew_are_nodes_again(
    cluster_hosts: ClusterHosts, lab: Path
) -> None:
    hosts = cluster_hosts
    through(lab, *STAGES)
    before = identity(hosts, hosts.worker)
    hosts.twins.renew(hosts.worker)
    # Its kubelet has never run, and the cluster still believes in the one before.
    assert nodes(lab)[hosts.worker] is not None
    through(lab, "--from", "cluster-nodes", "--until", "cluster-smoke")
    assert identity(hosts, hosts.worker) != before

    # The control plane: a new cluster, which the worker of the old one joins.
    hosts.twins.renew(hosts.control_plane)
    through(lab, "--from", "cluster-nodes", "--until", "cluster-smoke")
    found = nodes(lab)
    assert all(one["ready"] for one in found.values())


def processes(hosts: ClusterHosts) -> dict[str, str]:
    """Return the process of each static pod."""
    names = ("etcd", "kube-apiserver", "kube-scheduler", "kube-controller")
    return {name: hosts.run(hosts.control_plane, f"pgrep -x {name}").strip() for name in names}


def certificate(path: Path) -> str:
    config = yaml.safe_load(path.read_text())
    return str(config["users"][0]["user"]["client-certificate-data"])


def test_certificates_are_renewed_and_only_who_has_them_restarts(
    cluster_hosts: ClusterHosts, lab: Path
) -> None:
    hosts = cluster_hosts
    through(lab, *STAGES)
    merged = Path.home() / ".kube" / "config"
    done(lab, "kubeconfig", "--merge")
    kept = kubeconfig_path("twins")
    first, running = certificate(kept), processes(hosts)

    done(lab, "rotate")
    second = certificate(kept)
    assert second != first
    assert certificate(merged) == second
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert processes(hosts) == running

    done(lab, "rotate", "--within", "400")
    assert certificate(kept) not in (first, second)
    now = processes(hosts)
    assert all(now[name] != running[name] for name in running), (running, now)
    # The new one is good for something, from here on.
    env = {**os.environ, "KUBECONFIG": str(kept)}
    kubectl = str(hosts.twins.root(hosts.control_plane) / "usr/bin/kubectl")
    told = subprocess.run([kubectl, "get", "nodes"], env=env, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert hosts.worker in told.stdout, told.stderr


def kill_when(lab: Path, hosts: ClusterHosts, sign: str) -> None:
    """Run an upgrade, and kill it and what it left at work when a task of that name began."""
    argv = [sys.executable, "-m", "kubert_tui", "cluster", "upgrade", "--yes", "--json"]
    with subprocess.Popen([*argv, "--lab", str(lab)], stdout=subprocess.PIPE, text=True,
                          start_new_session=True) as process:  # fmt: skip
        assert process.stdout
        seen = ""
        for line in process.stdout:
            seen += line
            if f"[{sign}]" in line:
                break
        assert process.poll() is None, seen[-5000:]
        os.killpg(process.pid, signal.SIGKILL)
    for name in hosts.names:
        hosts.twins.inside(name, "pkill", "--signal=KILL", "--exact", "kubeadm", check=False)


def test_an_upgrade_by_one_minor_release_that_is_killed_twice(
    cluster_hosts: ClusterHosts, lab: Path, tmp_path: Path
) -> None:
    hosts, built = cluster_hosts, directory(CACHE)
    through(lab, *STAGES)
    text = lab.read_text()

    def wants(version: str) -> None:
        lab.write_text(re.sub("kubernetes: .*", f"kubernetes: {version.removeprefix('v')}", text))

    # What may not be is refused, by the stages, too; and nothing is begun.
    wants("1.22.1")
    assert "2 minor releases at once" in failures(done(lab, "upgrade", "--yes", "--json", code=10))
    wants(NEWER)
    told = failures(done(lab, "upgrade", "--yes", "--json", code=10))
    assert f"kubeadm is {hosts.version}" in told
    assert "where PATH finds them (/usr/bin)" in told
    for name in hosts.names:
        bring_programs(hosts, name, built, NEWER)
    bring_images(hosts, built, NEWER, tmp_path)
    run = cluster(lab, "status", "--json")
    assert "kubert-tui cluster upgrade" in run.stdout
    assert done(lab, "upgrade", code=8)
    assert {one["version"] for one in nodes(lab).values()} == {hosts.version}

    kill_when(lab, hosts, "upgrade : Upgrade the control plane")
    kill_when(lab, hosts, "kubelet : Stop the kubelet")
    done(lab, "upgrade", "--yes")
    found = nodes(lab)
    assert {one["version"] for one in found.values()} == {NEWER}
    assert all(one["ready"] and one["schedulable"] for one in found.values())
    assert not any(one["kept_off"] for one in found.values())
    version = hosts.kubectl("--namespace=kube-system", "get", "configmap", "kubeadm-config",
                            "--output=jsonpath={.data.ClusterConfiguration}")  # fmt: skip
    assert f"kubernetesVersion: {NEWER}" in version
    assert set(through(lab, *STAGES).values()) == {"satisfied"}
    wants(hosts.version)
    assert "cannot go back" in failures(done(lab, "upgrade", "--yes", "--json", code=10))
