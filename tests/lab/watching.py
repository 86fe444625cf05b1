"""What `kubert-tui cluster status --watch` sees of a real cluster."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.headless import Headless
from tests.support.kubernetes.hosts import ClusterHosts

_LEFT = "pgrep --full '^(python3 -I -|kubectl .*get --raw)' || true"


def sees_a_cordon(hosts: ClusterHosts, lab: Path) -> None:
    """Watch, cordon and uncordon the worker, and leave: nothing may be left on the hosts."""
    argv = ("cluster", "status", "--watch", "--json", "--lab", str(lab))
    watch = Headless(
        subprocess.Popen(
            [sys.executable, "-m", "kubert_tui", *argv],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ}, start_new_session=True,
        )
    )  # fmt: skip
    try:
        found = _until(watch, lambda nodes, cpus: len(nodes) == len(cpus) == 2)
        assert {node["name"] for node in found["cluster"]["nodes"]} == set(hosts.names)
        for node in found["cluster"]["nodes"]:
            assert node["ready"], node
            assert node["version"] == hosts.version
            assert node["allocatable"] == node["capacity"] - 1
            given = found["cpus"][node["name"]]
            assert (given["policy"], given["reserved"], given["unknown"]) == ("static", "0", "")
        assert any(pod["node"] == hosts.worker for pod in found["cluster"]["pods"])
        hosts.kubectl("cordon", hosts.worker)
        _until(watch, lambda nodes, _: nodes[hosts.worker]["cordoned"])
        hosts.kubectl("uncordon", hosts.worker)
        _until(watch, lambda nodes, _: not nodes[hosts.worker]["cordoned"])
    finally:
        watch.process.send_signal(signal.SIGINT)
        code = watch.finish()
    assert code == 0, watch.errors()
    assert [hosts.run(name, _LEFT) for name in hosts.names] == ["", ""]


def _until(
    watch: Headless, wanted: Callable[[dict[str, Any], dict[str, Any]], object]
) -> dict[str, Any]:
    for event in watch.events():
        if event["event"] != "cluster-watched":
            continue
        nodes = {node["name"]: node for node in event["cluster"]["nodes"]}
        if wanted(nodes, event["cpus"]):
            return event
    raise AssertionError(watch.errors())
