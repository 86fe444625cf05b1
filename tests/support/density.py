"""Density runs on a real cluster: the lab's workloads, the command, what is left afterwards."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kubert_tui.base.errors import ExitCode
from kubert_tui.lab.load import load_lab
from kubert_tui.lab.workloads import WorkloadSpec
from kubert_tui.lab.write import write_lab
from tests.support.headless import Headless
from tests.support.kubernetes.hosts import ClusterHosts

CYCLICTEST = Path("/usr/bin/cyclictest")
LIBNUMA = Path("/usr/lib/x86_64-linux-gnu/libnuma.so.1")
MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: plc}}
data: {{recipe: "{{{{ not Ansible's }}}}", since: 2026-01-01}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: plc}}
spec:
  selector: {{matchLabels: {{app: plc}}}}
  template:
    metadata: {{labels: {{app: plc}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: plc
        image: {image}
        imagePullPolicy: Never
        command: [sh, -c, "test \\"$RECIPE\\" = \\"{{{{ not Ansible's }}}}\\" && exec sleep 3600"]
        env:
        - name: RECIPE
          valueFrom: {{configMapKeyRef: {{name: plc, key: recipe}}}}
"""


def density_lab(hosts: ClusterHosts, lab: Path, *, limit: str, most: int) -> Path:
    """Write the lab of a cluster that is made, with applications; the hosts get cyclictest.

    One application takes a whole CPU (the worker gives one to pods), one nothing.
    """
    for name in hosts.names:
        shutil.copy(CYCLICTEST, hosts.twins.root(name) / "usr/bin")
        shutil.copy(LIBNUMA, hosts.twins.root(name) / "usr/lib/x86_64-linux-gnu")
    # Else its DNS may have a part of that CPU.
    hosts.kubectl("--namespace=kube-system", "scale", "--replicas=0", "deployment/coredns")
    hosts.kubectl("--namespace=kube-system", "delete", "pods", "--selector=k8s-app=kube-dns",
                  "--now")  # fmt: skip
    manifest = lab.parent / "plc.yaml"
    manifest.write_text(MANIFEST.format(image=hosts.realtime_image))
    made = load_lab(lab)
    image = hosts.realtime_image
    written = lab.parent / "density.yaml"
    write_lab(
        made.model_copy(
            update={
                "workloads": (
                    WorkloadSpec(name="loop", preset="control-loop", image=image, memory="64MiB"),
                    WorkloadSpec(name="plc", manifest="plc.yaml"),
                    WorkloadSpec(name="burn", preset="stress-ng", image=image, memory="64MiB"),
                ),
                "cyclictest": made.cyclictest.model_copy(
                    update={"preset": "quick", "duration": "2s", "limit": limit}
                ),
                "density": made.density.model_copy(update={"max": most}),
            }
        ),
        written,
        overwrite=True,
    )
    return written


def density(lab: Path, *arguments: str) -> Headless:
    """Start `kubert-tui density --json`."""
    argv = [sys.executable, "-m", "kubert_tui", "density", "--lab", str(lab), "--json", *arguments]
    return Headless(
        subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True,
        )
    )  # fmt: skip


def curve_of(run: Headless) -> dict[str, Any]:
    """Let a run come to its end; return its only curve."""
    code = run.finish()
    told = [one for one in run.seen if one["event"] == "failure"]
    assert code == ExitCode.OK, (told, run.errors())
    assert run.seen[-1]["event"] == "density"
    (curve,) = run.seen[-1]["curves"]
    return dict(curve)


def nothing_left(hosts: ClusterHosts) -> None:
    """Neither the applications nor their namespace are there."""
    left = hosts.kubectl("get", "namespaces", "--output=name")
    assert "kubert-workloads" not in left


def steps(curve: dict[str, Any]) -> Sequence[int]:
    """Return how many applications ran in each step."""
    return [one["applications"] for one in curve["points"]]


def until_there_is_no_room(hosts: ClusterHosts, lab: Path) -> None:
    """A preset and a manifest, until the worker has no CPU for another: the quick way through."""
    run = density(
        density_lab(hosts, lab, limit="1us", most=3), "--workload", "loop", "--workload", "plc"
    )
    curve = curve_of(run)
    assert (curve["host"], curve["applications"]) == (hosts.worker, ["loop", "plc"])
    assert steps(curve) == [0, 1]
    assert (curve["reached"], curve["breaks"]) == (1, 0)
    assert curve["ended"] == "no room for the 2nd: Insufficient cpu"
    assert [one["pods"] for one in curve["points"]] == [0, 2]
    stored = [json.loads(Path(one["path"]).read_text()) for one in run.named("latency-stored")]
    assert [one["applications"]["count"] for one in stored] == [0, 1]
    assert {tuple(one["applications"]["names"]) for one in stored} == {("loop", "plc")}
    nothing_left(hosts)
