"""The ladder down to the pod, as tests run it."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.headless import Headless
from tests.support.kubernetes.hosts import ClusterHosts


def give_cyclictest(hosts: ClusterHosts) -> None:
    """Put this computer's cyclictest on both, and leave the worker's CPU to pods of ours."""
    for name in hosts.names:
        shutil.copy("/usr/bin/cyclictest", hosts.twins.root(name) / "usr/bin")
    # With two processors, one of them reserved, it takes the only one there is.
    hosts.kubectl("-n", "kube-system", "scale", "deployment", "coredns", "--replicas=0")
    # At once: a kubelet of this age takes up to a minute to see that a pod has gone.
    pods = ("-n", "kube-system", "pods", "--selector=k8s-app=kube-dns")
    hosts.kubectl("delete", *pods, "--force", "--grace-period=0")
    hosts.await_kubectl("", "get", *pods, "--output=name")


def ladder(lab: Path, *arguments: str) -> Headless:
    """Start `kubert-tui ladder --json` with no terminal, in a session of its own."""
    argv = [sys.executable, "-m", "kubert_tui", "ladder", "--json", "--lab", str(lab), *arguments]
    return Headless(
        subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True,
        )
    )  # fmt: skip


def assert_left_nothing(hosts: ClusterHosts) -> None:
    """See that no pod, no namespace and no run of ours is left."""
    assert "kubert" not in hosts.kubectl("get", "namespaces", "--output=name")
    assert "kubert" not in hosts.kubectl("get", "pods", "--all-namespaces", "--output=name")
    for name in hosts.names:
        assert hosts.run(name, "ls -A /var/lib/kubert-tui/runs") == ""
