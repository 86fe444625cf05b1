"""The whole of it on one host: machines from the lab file, a cluster on them, a pod in that.

Real kubeadm, kubelet and containerd in machines with systemd, cloud-init and kernels of their own,
made and reached by kubert-tui over their host's ssh. Emulated, it takes long.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubert_tui.latency.store import load
from kubert_tui.practice.virtual import Virtual
from tests.lab.test_machines_stage import Bench, over_ssh
from tests.support.headless import Headless
from tests.support.kubernetes import binaries, images
from tests.support.kubernetes.machine_image import node_image
from tests.support.libvirt_here import private_libvirt
from tests.support.twins import CACHE, patient_order, skip_unless_possible

pytestmark = [
    pytest.mark.lab, pytest.mark.virtual, pytest.mark.cluster, pytest.mark.long,
    pytest.mark.timeout(4 * 3600),
]  # fmt: skip

LAB = """\
name: twins
hosts: [{{name: here, {reached}}}]
allow: [machines, cluster, services]
network: {{prefix: 192.168.77.1}}
image: {{source: local, path: '{image}'}}
machines:
{machines}
restart_wait: 60m
cluster:
  kubernetes: '{version}'
  packages: preinstalled
  cni: bridge
  smoke_image: {nginx}
  timeout: 90m
  # Emulated, it may miss its own deadlines.
  controller_manager: [leader-elect=false]
"""
# One CPU keeps house, the cluster's own pods ask for most of another, and one is for ours.
MACHINE = "- {{name: {name}, role: {role}, vcpus: 3, memory: 2GiB, disk: 8GiB}}\n"
ROLES = {"master": "control-plane", "worker": "worker"}


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    skip_unless_possible(Virtual.kind)
    machines = "".join(MACHINE.format(name=name, role=ROLES[name]) for name in request.param)
    image = node_image(CACHE, patient_order())
    version = (binaries.directory(CACHE) / "version").read_text(encoding="ascii").strip()
    with private_libvirt(tmp_path) as libvirt:
        libvirt.hide_kvm()
        made = Bench(libvirt, tmp_path / "lab.yaml", over_ssh(libvirt, tmp_path / "sshd"))
        made.file.write_text(
            LAB.format(
                reached=made.reached, image=image, version=version.removeprefix("v"),
                nginx=images.NGINX[0], machines=machines,
            )
        )  # fmt: skip
        yield made


def started(bench: Bench, *arguments: str) -> Headless:
    argv = bench.command(*arguments, "--lab", str(bench.file), "--json", "--accept-new-host-keys")
    return Headless(
        subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True,
        )
    )  # fmt: skip


def through(bench: Bench, *arguments: str) -> dict[str, str]:
    """Run stages to their end; return how each of them ended."""
    run = started(bench, "--auto", "--yes", *arguments)
    code = run.finish()
    states = {one["stage"]: one["state"] for one in run.named("stage-finished")}
    assert code == 0, (states, run.named("failure"), run.errors())
    return states


def kubectl(bench: Bench, *arguments: str) -> str:
    line = bench.listed()["master"]["ssh"]
    environment = "KUBECONFIG=/etc/kubernetes/admin.conf"
    return bench.ssh(line, "env", environment, "kubectl", *arguments)


@pytest.mark.parametrize(
    ("bench", "names"),
    [(names, names) for names in (("master",), ("master", "worker"))],
    ids=["one machine", "two machines"],
    indirect=["bench"],
)
def test_host_machine_and_pod_are_measured_as_three_layers(
    bench: Bench, names: tuple[str, ...]
) -> None:
    node = names[-1]
    pod = f"{node}-pod"
    made = through(bench, "--only", "image", "--only", "machines")
    assert made == {"image": "done", "machines": "done"}
    grown = through(bench, "--from", "cluster-nodes", "--until", "cluster-smoke")
    stages = {"cluster-nodes", "cluster-control-plane", "cluster-network", "cluster-smoke"}
    assert {stage for stage, state in grown.items() if state == "done"} >= stages

    run = started(bench, "ladder", "--duration", "5s", "--interval", "10000")
    code = run.finish()
    assert code == 0, (run.named("failure"), run.errors())
    rungs: dict[str, dict[str, Any]] = {one["host"]: one for one in run.seen[-1]["rungs"]}
    layers = {name: (one["layer"], one["parent"] or "") for name, one in rungs.items()}
    assert layers == {
        "here": ("host", ""),
        **dict.fromkeys(names, ("guest", "here")),
        pod: ("pod", node),
    }
    assert {name for name, one in rungs.items() if one["deltas"]} == {*layers} - {"here"}
    stored = {one["host"]: load(Path(one["path"])) for one in run.named("latency-stored")}
    assert stored.keys() == layers.keys()
    assert stored[pod].summary.samples == 500
    assert all(one.exact and not one.interrupted for one in stored.values())
    assert stored[pod].policy == "fifo 90"
    assert stored[pod].cpus in ((1,), (2,)), "one of its own, and not the one that keeps house"
    found = {one["finding"]["check"]: one["finding"]["level"] for one in run.named("finding-made")}
    assert found["pods.realtime"] == "ok"
    # Its systemd, which is on cgroup v2, took the machine's own measurement as a unit.
    said = bench.ssh(bench.listed()[node]["ssh"], "journalctl", "--output=cat", "_PID=1")
    assert "kubert-cyclictest-" in said
    assert "kubert" not in kubectl(bench, "get", "namespaces", "--output=name")
    bench.machines("destroy", "--all", "--yes")
