"""`kubert-tui practice` and `--lab practice`: what they say where no machine can be made."""

import json
import os
from pathlib import Path

import pytest

from kubert_tui.base import paths
from kubert_tui.base.errors import ExitCode
from kubert_tui.cli import practice_command
from kubert_tui.cli.main import main
from kubert_tui.cli.practice_progress import shown
from kubert_tui.practice.lab import Practice
from kubert_tui.practice.model import Kind, Progress
from kubert_tui.practice.state import LabDirectory
from kubert_tui.practice.status import MachineStatus, Status
from kubert_tui.practice.tools import Tool

KINDS = [str(kind) for kind in Kind]


@pytest.fixture
def not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.parametrize("kind", KINDS)
def test_status_of_nothing(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["practice", "status", "--kind", kind]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "absent" in told
    assert "kubert-tui practice up" in told


def test_status_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["practice", "status", "--json"]) == ExitCode.OK
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["kind"] for line in lines] == KINDS
    assert all(line["standing"] == "absent" and line["machines"] == [] for line in lines)


def test_nothing_to_log_in_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["practice", "ssh", "bull1"]) == ExitCode.USAGE
    assert "practice up makes one" in capsys.readouterr().err


def test_down_of_nothing_needs_nothing(not_root: None) -> None:
    assert main(["practice", "down", "--cache"]) == ExitCode.OK


@pytest.mark.usefixtures("not_root")
@pytest.mark.parametrize(
    "arguments",
    [
        ["practice", "up"],
        ["practice", "up", "--kind", "virtual"],
        ["--auto", "--lab", "practice"],
        ["--auto", "--dry-run", "--lab", "practice-virtual"],
    ],
)
def test_root_is_asked_for(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == ExitCode.FAILED
    told = capsys.readouterr().err
    assert "needs root" in told
    assert "sudo" in told


def test_a_missing_tool_has_a_code_and_a_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(
        "kubert_tui.practice.containers.missing",
        lambda tools: [Tool("nft", "nftables", "nftables")],
    )
    assert main(["practice", "up"]) == ExitCode.TOOL_MISSING
    assert "apt-get install nftables" in capsys.readouterr().err


@pytest.mark.parametrize("lab", [None, "local", "mylab", "./practice.yaml"])
def test_other_labs_bring_nothing_up(lab: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(practice_command, "Practice", None)
    assert not practice_command.bring_up(lab)


@pytest.mark.usefixtures("not_root")
def test_a_lab_of_ones_own_called_practice_is_an_ordinary_lab(
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths.write_private(
        paths.config() / "labs" / "practice.yaml",
        "name: practice\nhosts:\n  - name: here\n    connection: local\n",
    )
    assert not practice_command.bring_up("practice")
    assert main(["lab", "show", "practice"]) == ExitCode.OK
    assert "here" in capsys.readouterr().out


def test_a_stage_that_does_not_exist_is_told_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Practice, "up", None)
    assert main(["--auto", "--lab", "practice", "--only", "nonsense"]) == ExitCode.USAGE


def test_progress_goes_to_stderr_a_line_per_step(capsys: pytest.CaptureFixture[str]) -> None:
    with shown() as order:
        for done, step in ((0.0, "fetching"), (0.25, "fetching"), (0.5, "unpacking"), (1.0, "x")):
            order.on_progress(Progress(step, done, 90 * (1 - done)))
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "practice: fetching (0%, 1m 30s left)",
        "practice: unpacking (50%, 45s left)",
    ]


def test_how_to_log_in(tmp_path: Path) -> None:
    lab = LabDirectory(tmp_path, "practice")
    machine = MachineStatus("bull1", "127.0.0.1", 2222, True, True, tmp_path / "console")
    status = Status(
        kind=Kind.VIRTUAL, name="x", exists=True, machines=(machine,), lab_file=None,
        key=lab.user_key, password=lab.password, known_hosts=tmp_path / "known hosts",
        image_built=True, cache=tmp_path,
    )  # fmt: skip
    assert status.ssh(machine)[-3:] == ["-p", "2222", "root@127.0.0.1"]
    assert f'UserKnownHostsFile="{tmp_path}/known hosts"' in status.ssh(machine)
    assert status.ssh(machine, ("uptime; id",))[-1] == "uptime; id"
    assert status.ssh(machine, ("echo", "a b"))[-1] == "echo 'a b'"
    assert status.engineer_password() is None
