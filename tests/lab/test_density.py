"""Density of applications, for real: all that takes longer than the quick way in test_cluster."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.cli.main import main
from tests.lab.test_cluster import lab_of, through
from tests.support.density import (
    curve_of,
    density,
    density_lab,
    nothing_left,
    steps,
    until_there_is_no_room,
)
from tests.support.kubernetes.hosts import ClusterHosts

pytestmark = [pytest.mark.lab, pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(2400)]

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"


def killed_while_one_runs(hosts: ClusterHosts, lab: Path) -> None:
    """0 to 2 of a manifest, killed in the second step: nothing is lost, or measured twice."""
    arguments = ("--workload", "plc", "--max", "2", "--limit", "10000000")
    run = density(lab, *arguments, "--duration", "15s")
    run.until("applications-running", applications=1)
    run.until("latency-started")
    os.killpg(run.process.pid, signal.SIGKILL)
    run.finish()
    pods = ("--namespace=kubert-workloads", "get", "pods", "--output=name")
    assert hosts.kubectl(*pods).count("pod/plc-") == 1

    again = density(lab, *arguments, "--duration", "15s")
    curve = curve_of(again)
    assert steps(curve) == [0, 1, 2]
    assert (curve["breaks"], curve["ended"]) == (None, "")
    assert "is not reached up to 2 applications" in curve["statement"]
    assert [one["pods"] for one in curve["points"]] == [0, 1, 2]
    told = [one["applications"] for one in again.named("latency-stored")]
    assert told == [1, 2]
    assert [one["attached"] for one in again.named("latency-started")] == [True, False]
    nothing_left(hosts)


def one_that_cannot_run(hosts: ClusterHosts, lab: Path) -> None:
    """An image that is nowhere: said so, and removed."""
    text = lab.read_text()
    broken = lab.parent / "broken.yaml"
    broken.write_text(
        text.replace(f"preset: stress-ng\n    image: {hosts.realtime_image}", "image: nowhere/x:1")
    )
    run = density(broken, "--workload", "burn", "--max", "1")
    assert run.finish() == ExitCode.CHANGE_FAILED, run.errors()
    (told,) = run.named("failure")
    assert "of burn does not run: ImagePullBackOff" in told["what"]
    nothing_left(hosts)


def by_hand(hosts: ClusterHosts, lab: Path) -> None:
    """The same with plain ansible-playbook, and what it refuses."""
    one = lab.parent / "one.yaml"
    one.write_text(re.sub(r"  - name: (loop|burn)\n(    .*\n)*", "", lab.read_text()))
    inventory = lab.parent / "inventory.yml"
    argv = [sys.executable, "-m", "kubert_tui", "lab", "inventory", str(one)]
    inventory.write_text(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)

    def play(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory),
             str(PLAYBOOKS / "cluster-workloads.yml"), *arguments],
            capture_output=True, text=True, check=False,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        )  # fmt: skip
        return done.returncode, done.stdout

    def changed(*arguments: str) -> int:
        code, text = play(*arguments)
        assert code == 0, text
        found = re.search(rf"{hosts.control_plane} .*changed=([0-9]+)", text)
        assert found, text
        return int(found[1])

    assert changed("--check") == 0
    nothing_left(hosts)
    assert changed("--extra-vars", "workloads_copies=2") == 1
    ready = hosts.kubectl("--namespace=kubert-workloads", "get", "deployment", "plc",
                          "--output=jsonpath={.status.readyReplicas}")  # fmt: skip
    assert ready == "2"
    assert changed("--extra-vars", "workloads_copies=2") == 0
    assert changed("--extra-vars", "workloads_copies=0") == 1
    nothing_left(hosts)

    # What somebody else made under that name is neither used nor removed.
    hosts.kubectl("create", "namespace", "kubert-workloads")
    code, text = play()
    assert (code != 0, "that kubert-tui did not make" in text) == (True, True), text
    run = density(lab, "--workload", "plc", "--max", "1")
    assert run.finish() == ExitCode.CHANGE_FAILED
    assert "namespace/kubert-workloads" in hosts.kubectl("get", "namespaces", "--output=name")
    hosts.kubectl("delete", "namespace", "kubert-workloads")


def test_applications_are_stepped_measured_and_removed(
    cluster_hosts: ClusterHosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hosts = cluster_hosts
    hosts.twins.introduce()
    lab = lab_of(hosts, tmp_path / "twins.yaml")
    through(lab, "--from", "cluster-nodes", "--until", "cluster-network")
    until_there_is_no_room(hosts, lab)

    lab = density_lab(hosts, lab, limit="50us", most=1)
    killed_while_one_runs(hosts, lab)
    run = density(lab, "--workload", "burn")
    curve = curve_of(run)
    assert (steps(curve), curve["applications"]) == ([0, 1], ["burn"])
    nothing_left(hosts)
    assert main(["report", curve["run"]]) == 0
    page = capsys.readouterr().out
    assert "Density of applications" in page
    assert "applications on each node" in page

    one_that_cannot_run(hosts, lab)
    by_hand(hosts, lab)
