"""Pods that are measured, and what comes in between: a kill, no real-time for pods, no CPUs."""

import os
import signal
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.latency.store import load
from tests.lab.test_cluster import lab_of, through
from tests.support.headless import Headless
from tests.support.kubernetes.hosts import ClusterHosts
from tests.support.kubernetes.ladder import assert_left_nothing, give_cyclictest, ladder

pytestmark = [pytest.mark.lab, pytest.mark.cluster, pytest.mark.long]

SHORT = ("--loops", "2000", "--interval", "1000")


@pytest.fixture
def lab(cluster_hosts: ClusterHosts, tmp_path: Path) -> Path:
    """A cluster that runs; made once."""
    cluster_hosts.twins.introduce()
    file = lab_of(cluster_hosts, tmp_path / "twins.yaml")
    through(file, "--from", "cluster-nodes", "--until", "cluster-network")
    give_cyclictest(cluster_hosts)
    return file


def kill(run: Headless) -> None:
    os.killpg(run.process.pid, signal.SIGKILL)
    run.finish()


def stored(run: Headless) -> dict[str, Path]:
    found = [(one["host"], Path(one["path"])) for one in run.named("latency-stored")]
    assert len(found) == len(dict(found)), "each is collected once"
    return dict(found)


def test_killed_it_goes_on_and_is_collected_once(cluster_hosts: ClusterHosts, lab: Path) -> None:
    hosts, pod = cluster_hosts, f"{cluster_hosts.worker}-pod"
    long = ("--loops", "30000", "--interval", "1000")

    # While the pod is being made: the next session finds it, or makes it.
    making = ladder(lab, *long)
    making.until("host-locked")
    pods = ("-n", "kubert-pods", "get", "pods", "--output=jsonpath={.items[*].kind}")
    hosts.await_kubectl("Pod", *pods)
    kill(making)

    measuring = ladder(lab, *long)
    measuring.until("latency-snapshot", host=pod)
    kill(measuring)
    assert hosts.kubectl(*pods) == "Pod", "made once"

    attached = ladder(lab, *long)
    assert attached.finish() == ExitCode.OK, attached.named("failure")
    started = {one["host"]: one["attached"] for one in attached.named("latency-started")}
    assert started[pod]
    kept = load(stored(attached)[pod])
    assert (kept.summary.samples, kept.exact, kept.interrupted) == (30000, True, "")
    assert_left_nothing(hosts)


def test_layer_by_layer_out_of_what_is_told(cluster_hosts: ClusterHosts, lab: Path) -> None:
    hosts, pod = cluster_hosts, f"{cluster_hosts.worker}-pod"
    run = ladder(lab, *SHORT, "--one-by-one", "--set", "cyclictest.stream=verbose")
    assert run.finish() == ExitCode.OK, run.named("failure")
    paths = stored(run)
    assert [*paths][-1] == pod, "its turn comes when its node's result stands"
    kept = load(paths[pod])
    assert (kept.stream, kept.exact, kept.summary.samples) == ("verbose", True, 2000)
    assert_left_nothing(hosts)


def test_what_keeps_a_pod_from_measuring_is_told(cluster_hosts: ClusterHosts, lab: Path) -> None:
    hosts, pod = cluster_hosts, f"{cluster_hosts.worker}-pod"

    crowded = ladder(lab, *SHORT, "--set", "pods.cpus=2")
    assert crowded.finish() != ExitCode.OK
    (failure,) = crowded.named("failure")
    assert (failure["host"], "1 whole CPUs for pods, not 2" in failure["what"]) == (pod, True)
    assert_left_nothing(hosts)

    # No container has a real-time budget any more.
    wrapper = hosts.twins.root(hosts.worker) / "usr/local/sbin/runc"
    before = wrapper.read_text()
    assert "9 / 80" in before
    wrapper.write_text(before.replace("9 / 80", "0.0"))
    refused = ladder(lab, *SHORT)
    assert refused.finish() != ExitCode.OK
    wrapper.write_text(before)
    (failure,) = refused.named("failure")
    assert hosts.worker in failure["what"]
    if Path("/sys/fs/cgroup/cpu/cpu.rt_runtime_us").exists():
        assert "no real-time budget" in failure["what"]
    assert "CONFIG_RT_GROUP_SCHED" in failure["fix"]
    assert_left_nothing(hosts)
    assert {*stored(refused)} <= {*hosts.names}, "nodes are measured all the same"
