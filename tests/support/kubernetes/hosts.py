"""Two hosts on which kubeadm can make a cluster, and none yet.

Usage, in a lab test (`pytestmark = [pytest.mark.lab, pytest.mark.cluster]`)::

    def test_x(cluster_hosts: ClusterHosts) -> None:   # one pair for all tests of the module
        cluster_hosts.run("bull1", "kubeadm init ...")

What is there is what a package repository and a registry would have brought: kubeadm, kubelet (its
unit is not enabled), kubectl, crictl, containerd running as its package configures it, CNI plugins
in /opt/cni/bin, all images in containerd's store. How the hosts differ from stock ones:

* kubeadm and the others are Debian's source of Kubernetes 1.20.2 built without the code of cloud
  providers and of Docker; they are files, not packages. crictl, pause and coredns are small
  programs of ours (`go/`); coredns resolves no names. etcd and nginx are Debian's.
* `runc` is /usr/local/sbin/runc, a wrapper (`files/runc.py`): without CAP_SYS_RESOURCE here, it
  takes that from containers, and negative oom_score_adj; on cgroup v1 with CONFIG_RT_GROUP_SCHED
  it gives containers with SYS_NICE a real-time budget of 22 ms each second (one in a pod).
* kube-proxy does not touch the limits of connection tracking: they belong to this computer.
* The kernel is this computer's: nothing can be loaded, and what sysctls outside of net are set to
  is seen in the host only.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.base.errors import KubertError
from kubert_tui.practice.lab import Practice
from kubert_tui.practice.model import MACHINES, Kind, Order, Progress
from kubert_tui.practice.tools import missing
from tests.support.kubernetes import binaries, images
from tests.support.kubernetes.driver import ClusterContainers
from tests.support.kubernetes.look import LOOK
from tests.support.twins import (
    CACHE,
    Twins,
    patient_order,
    places_in,
    remove_strays,
    skip_unless_possible,
    wait_until,
)

NAME = "cluster"
_PREFIX = "kubert-cluster-"
_UNREACHABLE = re.compile(
    "Failed to fetch|Could not resolve|Unable to (connect|fetch|find a source)|unreachable"
)


@dataclass(frozen=True)
class ClusterHosts:
    """Both; nothing has been done to them yet."""

    twins: Twins
    version: str
    """Of Kubernetes: `v1.20.2`."""
    control_plane: str = MACHINES[0]
    worker: str = MACHINES[1]
    runtime_socket: str = "/run/containerd/containerd.sock"
    pod_cidr: str = "10.244.0.0/16"
    service_cidr: str = "10.96.0.0/12"
    realtime_image: str = images.REALTIME
    nginx_image: str = images.NGINX[0]

    @property
    def names(self) -> tuple[str, str]:
        """Of both hosts: control plane, worker."""
        return self.control_plane, self.worker

    def address(self, name: str) -> str:
        """Where a host is reached, by us and by the other."""
        return self.twins.machine(name).address

    def run(self, name: str, script: str, *, stdin: str = "", limit: float = 300) -> str:
        """Run a shell script as root over ssh; return what it printed."""
        practice = self.twins.practice
        argv = ["ssh", "-i", str(practice.directory.user_key), "-o", "BatchMode=yes", "-F", "none",
                "-o", f"UserKnownHostsFile={practice.places.known_hosts}",
                f"root@{self.address(name)}", f"set -eu; {script}"]  # fmt: skip
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, timeout=limit, check=False
        )
        if done.returncode:
            raise AssertionError(f"{name}: {script}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
        return done.stdout

    def renew(self) -> None:
        """Put both back to how they were first, and start them (seconds)."""
        self.twins.renew(*self.names)

    def kubectl(self, *argv: str, stdin: str = "") -> str:
        """Run kubectl on the control plane as its administrator."""
        line = " ".join(f"'{argument}'" for argument in argv)
        command = f"KUBECONFIG=/etc/kubernetes/admin.conf kubectl {line}"
        return self.run(self.control_plane, command, stdin=stdin)

    def await_kubectl(self, wanted: str, *argv: str, limit: float = 180) -> None:
        """Wait until kubectl prints exactly `wanted`."""
        wait_until(lambda: self.kubectl(*argv) == wanted, f"{argv}: {wanted}", limit)

    def lay_pod_network(self) -> None:
        """Connect pods without a registry: a bridge on each host, a route to the other's pods."""
        for name in self.names:
            others = "; ".join(
                f"ip route replace {self.pods_of(other)} via {self.address(other)}"
                for other in self.names if other != name
            )  # fmt: skip
            conflist = _CONFLIST % {"subnet": self.pods_of(name), "cidr": self.pod_cidr}
            script = f"mkdir -p /etc/cni/net.d; cat >/etc/cni/net.d/10-pods.conflist; {others}"
            self.run(name, script, stdin=conflist)

    def pods_of(self, name: str) -> str:
        """The addresses of a host's pods: a /24 of `pod_cidr`."""
        first, second, *_ = self.pod_cidr.split(".")
        return f"{first}.{second}.{self.names.index(name)}.0/24"

    def state(self, name: str) -> Mapping[str, list[str]]:
        """What a reset has to leave as it was first, looked at past the network."""
        told: Mapping[str, list[str]] = json.loads(
            self.twins.inside(name, "python3", "-", stdin=LOOK)
        )
        return told


_CONFLIST = """\
{"cniVersion": "0.3.1", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "%(subnet)s"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
"""


def _practice(directory: Path) -> Practice:
    return Practice(places_in(directory), Kind.NODES, name=NAME, driver=ClusterContainers(CACHE))


def _stop(directory: Path) -> None:
    _practice(directory).down(patient_order())
    shutil.rmtree(directory)


def _telling(config: pytest.Config) -> Callable[[Progress], None]:
    """What tells of the steps of a long build, past pytest's capture."""
    capture = config.pluginmanager.getplugin("capturemanager")
    begun: list[str] = []

    def tell(progress: Progress) -> None:
        if progress.step in begun[-1:]:
            return
        begun.append(progress.step)
        left = f", {progress.remaining:.0f} s left" if progress.remaining else ""
        with capture.global_and_fixture_disabled():
            print(f"{time.strftime('%H:%M:%S')} cluster hosts: {progress.step}{left}", flush=True)

    return tell


@pytest.fixture(scope="module")
def cluster_hosts(request: pytest.FixtureRequest) -> Iterator[ClusterHosts]:
    """Both, as new, running. Built first where the cache is empty (10 to 15 minutes)."""
    skip_unless_possible()
    if lacking := missing(binaries.TOOLS):
        pytest.skip(f"needs {', '.join(tool.debian for tool in lacking)} installed")
    remove_strays(_PREFIX, _stop)
    directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    practice = _practice(directory)
    cold = not practice.status().image_built
    order = Order(_telling(request.config), Flag()) if cold else patient_order()
    try:
        try:
            practice.up(order)
        except KubertError as error:
            if not binaries.directory(CACHE).is_dir() and _UNREACHABLE.search(error.details):
                pytest.skip(f"Kubernetes' source cannot be fetched: {error.details[-300:]}")
            raise
        version = (binaries.directory(CACHE) / "version").read_text(encoding="ascii").strip()
        yield ClusterHosts(Twins(practice), version)
    finally:
        _stop(directory)
