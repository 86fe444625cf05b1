"""The program that watches on the control plane, with a kubectl that says what a test wants."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from kubert_tui.facts import cluster_watcher
from kubert_tui.facts.cluster_watcher import ABSENT, Watcher, complaint, measured
from tests.support import cluster_objects as objects

# The path is the last argument; watches are fifos, which end when who writes closes them.
KUBECTL = """\
#!/bin/sh
for path; do :; done
if [ -e "$PLAYED/refuses" ]; then
    echo 'The connection to the server a:6443 was refused - did you specify the right host?' >&2
    exit 1
fi
kind=${path#/api/v1/} kind=${kind%%[?]*}
case $path in
    /readyz) echo ok ;;
    *watch=1*) echo "$path" >>"$PLAYED/watches"; exec cat "$PLAYED/$kind.watch" ;;
    *) exec cat "$PLAYED/$kind.list" ;;
esac
"""
TRIES = 400


class Played:
    """A watcher, what the API server has, and the lines that were told."""

    def __init__(self, directory: Path, told: Callable[[], str]) -> None:
        self.directory = directory
        self.watcher = Watcher()
        self.lines: list[dict[str, Any]] = []
        self._told = told
        os.mkfifo(directory / "nodes.watch")

    def has(self, *items: dict[str, Any], version: str = "1") -> None:
        found = {"metadata": {"resourceVersion": version}, "items": items}
        (self.directory / "nodes.list").write_text(json.dumps(found))

    def begin(self) -> None:
        Thread(target=self.watcher.follow, args=("nodes",), daemon=True).start()

    def says(self, *changes: tuple[str, dict[str, Any]]) -> None:
        """One watch of the nodes, from its beginning to its end."""
        with (self.directory / "nodes.watch").open("w") as out:
            for kind, item in changes:
                out.write(json.dumps({"type": kind, "object": item}) + "\n")

    def until(self, wanted: Callable[[], object]) -> None:
        for _ in range(TRIES):
            self.watcher.tell()
            self.lines += [json.loads(line) for line in self._told().splitlines()]
            if wanted():
                return
            self.watcher.rest()
        raise AssertionError(self.lines)

    def nodes(self) -> list[str] | None:
        """Names in the newest line about nodes, `*` where they are cordoned."""
        told = [line["items"] for line in self.lines if line["type"] == "nodes"]
        return [one["name"] + "*" * one["cordoned"] for one in told[-1]] if told else None

    def trouble(self) -> str | None:
        told = [line["trouble"] for line in self.lines if line["type"] == "alive"]
        return told[-1] if told else None


@pytest.fixture
def played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Played]:
    program = tmp_path / "kubectl"
    program.write_text(KUBECTL)
    program.chmod(0o755)
    (tmp_path / "admin.conf").touch()
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PLAYED", str(tmp_path))
    monkeypatch.setattr(cluster_watcher, "KUBECONFIG", str(tmp_path / "admin.conf"))
    monkeypatch.setattr(cluster_watcher, "AGAIN", 0.01)
    monkeypatch.setattr(cluster_watcher, "SETTLE", 0.01)
    one = Played(tmp_path, lambda: capsys.readouterr().out)
    yield one
    one.watcher.stop()


def test_all_of_them_and_then_what_changes(played: Played) -> None:
    played.has(objects.node("bull1"), version="7")
    played.begin()
    played.until(lambda: played.nodes() == ["bull1"])
    played.until(lambda: played.trouble() == "")
    with (played.directory / "nodes.watch").open("w") as out:
        for kind, item in (
            ("ADDED", objects.node("bull2")),
            ("MODIFIED", objects.node("bull1", cordoned=True)),
        ):
            out.write(json.dumps({"type": kind, "object": item}) + "\n")
            out.flush()
        played.until(lambda: played.nodes() == ["bull1*", "bull2"])
        out.write(json.dumps({"type": "DELETED", "object": objects.node("bull1")}) + "\n")
        out.flush()
        played.until(lambda: played.nodes() == ["bull2"])
        # What changes nothing that is shown is not told.
        before = len(played.lines)
        out.write(json.dumps({"type": "MODIFIED", "object": objects.node("bull2")}) + "\n")
        out.write(json.dumps({"type": "ADDED", "object": objects.node("bull3")}) + "\n")
        out.flush()
        played.until(lambda: played.nodes() == ["bull2", "bull3"])
        assert len(played.lines) == before + 1
    (first, *_) = (played.directory / "watches").read_text().splitlines()
    assert "resourceVersion=7&" in first


def test_a_watch_that_ends_begins_with_all_of_them_again(played: Played) -> None:
    played.has(objects.node("bull1"), objects.node("bull2"))
    played.begin()
    played.until(lambda: played.nodes() == ["bull1", "bull2"])
    # Meanwhile nobody tells of what goes.
    played.has(objects.node("bull2"))
    played.says(("ERROR", {"code": 410, "message": "too old resource version"}))
    played.until(lambda: played.nodes() == ["bull2"])


def test_a_server_that_refuses_is_told_and_comes_back(played: Played) -> None:
    played.has(objects.node("bull1"))
    (played.directory / "refuses").touch()
    played.begin()
    played.until(lambda: played.trouble() == "The connection to the server a:6443 was refused")
    assert played.nodes() is None
    (played.directory / "refuses").unlink()
    played.until(lambda: played.trouble() == "" and played.nodes() == ["bull1"])


def test_nonsense_is_told_and_asked_for_again(played: Played) -> None:
    (played.directory / "nodes.list").write_text('{"items": [3]}')
    played.begin()
    played.until(lambda: "none of its nodes" in (played.trouble() or ""))
    played.has(objects.node("bull1"))
    played.until(lambda: played.nodes() == ["bull1"])


def test_without_a_control_plane_there_are_no_nodes(played: Played) -> None:
    (played.directory / "admin.conf").unlink()
    played.begin()
    played.until(lambda: played.trouble() == ABSENT and played.nodes() == [])
    (played.directory / "admin.conf").touch()
    played.has(objects.node("bull1"))
    played.until(lambda: played.trouble() == "" and played.nodes() == ["bull1"])


def test_without_kubectl(played: Played) -> None:
    (played.directory / "kubectl").chmod(0o644)
    os.environ["PATH"] = str(played.directory)
    played.begin()
    played.until(lambda: "kubectl cannot be run" in (played.trouble() or ""))


def test_stopping_ends_the_programs(played: Played) -> None:
    played.has(objects.node("bull1"))
    played.begin()
    played.until(lambda: "nodes" in played.watcher.running)
    process = played.watcher.running["nodes"]
    played.watcher.stop()
    process.wait(30)
    assert process.returncode


def test_what_kubectl_complains_of() -> None:
    checks = '(InternalError): "[+]ping ok\\n[-]etcd failed: reason withheld\\n[-]log failed"'
    assert complaint(checks, 1) == "the API server is not ready yet: etcd, log"
    assert complaint("first\nThe last line\n", 1) == "The last line"
    assert complaint("", 3) == "kubectl ended with status 3"


def test_whether_something_is_measured_here(tmp_path: Path) -> None:
    for number, name in (("1", "init"), ("22", "cyclictestbench"), ("x", "cyclictest")):
        (tmp_path / number).mkdir()
        (tmp_path / number / "comm").write_text(f"{name}\n")
    assert not measured(tmp_path)
    (tmp_path / "1" / "comm").write_text("cyclictest\n")
    assert measured(tmp_path)


def test_it_steps_aside() -> None:
    script = (
        "from kubert_tui.facts.cluster_watcher import *; step_aside('0');"
        "print(os.nice(0), os.sched_getaffinity(0))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.split() == [b"19", b"{0}"]
