"""A change by playbook: planned without a host, told as events, failed with names."""

import shlex
from pathlib import Path

import pytest

from kubert_tui.ansible.request import PlaybookOutcome, TaskResult
from kubert_tui.base.errors import (
    AuthenticationError,
    CancelledError,
    ChangeError,
    KubertError,
    ToolMissingError,
)
from kubert_tui.events.model import CommandFinished, CommandStarted, Note, Output, TaskFinished
from kubert_tui.facts.model import Distribution
from kubert_tui.lab.model import KernelSpec, Lab, Permission
from kubert_tui.stages import playbook_change
from kubert_tui.stages.model import Change
from kubert_tui.stages.playbook_change import PlaybookChange
from kubert_tui.stages.registry import stage
from tests.support.blank import blank_lab
from tests.support.recording import DEBIAN, FEDORA, RecordingWork, Runs, facts_of


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    ansible = Runs()
    monkeypatch.setattr(playbook_change, "run_playbook", ansible)
    return ansible


CHANGE = PlaybookChange("irqbalance.yml", frozenset({Permission.SERVICES}))


def change_of(stage_id: str) -> Change:
    change = stage(stage_id).change
    assert change
    return change


def titles(change: Change, distribution: Distribution, lab: Lab | None = None) -> list[str]:
    plan = change.plan(lab or blank_lab(), facts_of(distribution=distribution))
    assert {step.host for step in plan} == {"bull1"}
    return [step.title for step in plan]


def test_the_plan_begins_with_the_plain_command() -> None:
    first = CHANGE.plan(blank_lab(), facts_of())[0]
    assert first.title == "Run the playbook irqbalance.yml"
    assert first.command.startswith("ansible-playbook -i ")
    assert shlex.split(first.command)[-1].endswith("/irqbalance.yml")


def test_the_plan_is_that_of_the_hosts_family() -> None:
    update = change_of("update")
    assert "Upgrade every package from fresh package lists" in titles(update, DEBIAN)
    assert "Upgrade every package from fresh metadata" in titles(update, FEDORA)
    assert "Upgrade every package from fresh metadata" not in titles(update, DEBIAN)


def test_the_plan_knows_whether_systemd_runs() -> None:
    planned = titles(CHANGE, DEBIAN)
    assert "Stop irqbalance and keep it from starting at boot" in planned
    assert "Keep irqbalance from starting at boot where systemd does not run" not in planned


def test_the_kernel_plan_shows_the_packages_and_their_checksums() -> None:
    package = {"url": "https://example.org/kernel-rt.rpm", "sha256": "a" * 64}
    kernel = KernelSpec.model_validate({"packages": [package]})
    lab = Lab(hosts=blank_lab().hosts, kernel=kernel)
    planned = titles(change_of("kernel"), FEDORA, lab)
    assert any(package["url"] in title and package["sha256"] in title for title in planned)
    assert "Download them and verify their checksums" in planned


def test_the_kernel_plan_without_packages_installs_the_distributions() -> None:
    planned = titles(change_of("kernel"), DEBIAN)
    assert "Install the PREEMPT_RT kernel of the distribution" in planned
    assert "Download them and verify their checksums" not in planned
    plan = change_of("kernel").plan(blank_lab(), facts_of())
    assert any("linux-image-rt-amd64" in step.command for step in plan)


def test_applying_tells_every_step(runs: Runs, tmp_path: Path) -> None:
    runs.results = (TaskResult("bull1", "Stop irqbalance", "changed", "stopped", "-a\n+b"),)
    work = RecordingWork(blank_lab("bull1", "bull2"), tmp_path)
    CHANGE.apply(work, ("bull1", "bull2"))
    kinds = [type(event) for event in work.events]
    assert kinds == [CommandStarted, Output, TaskFinished, CommandFinished, Note]
    task = work.events[2]
    assert isinstance(task, TaskFinished)
    assert (task.host, task.task, task.outcome, task.diff) == (
        "bull1",
        "Stop irqbalance",
        "changed",
        "-a\n+b",
    )
    # bull1 changed; bull2 did not, and is told so.
    note = work.events[-1]
    assert isinstance(note, Note)
    assert note.host == "bull2"
    assert "Nothing was changed" in note.text


def test_all_hosts_go_to_one_run_with_their_secrets(runs: Runs, tmp_path: Path) -> None:
    work = RecordingWork(blank_lab("bull1", "bull2"), tmp_path)
    CHANGE.apply(work, ("bull1", "bull2"))
    (request,) = runs.requests
    assert [spec.name for spec in request.hosts] == ["bull1", "bull2"]
    assert not request.check
    sudo = request.secrets["bull2"].sudo
    assert sudo
    assert sudo.reveal() == "hunter2-bull2"
    assert "hunter2" not in repr(work.events)


def test_a_preview_is_ansibles_check_mode(runs: Runs, tmp_path: Path) -> None:
    work = RecordingWork(blank_lab(), tmp_path)
    CHANGE.preview(work, ("bull1",))
    assert runs.requests[0].check
    assert work.notes() == []


def test_a_failure_names_host_task_and_log(runs: Runs, tmp_path: Path) -> None:
    runs.results = (TaskResult("bull2", "Stop irqbalance", "failed", "unit is broken"),)
    runs.outcome = PlaybookOutcome(2, "failed", {}, {"bull2": 1}, "the last line")
    work = RecordingWork(blank_lab("bull1", "bull2"), tmp_path)
    with pytest.raises(ChangeError) as caught:
        CHANGE.apply(work, ("bull1", "bull2"))
    error = caught.value
    assert "Stop irqbalance" in error.what
    assert error.host == "bull2"
    assert error.exit_status == 2
    assert "unit is broken" in error.details
    assert error.log == str(tmp_path / "irqbalance-apply.log")
    assert error.command[0] == "ansible-playbook"


@pytest.mark.parametrize(
    ("message", "kind", "word"),
    [
        ("/bin/sh: 1: /usr/bin/python3: not found", ToolMissingError, "python3"),
        ("Task failed: Incorrect sudo password", AuthenticationError, "sudo"),
    ],
)
def test_what_is_no_matter_of_the_task_says_so(
    runs: Runs, tmp_path: Path, message: str, kind: type[KubertError], word: str
) -> None:
    runs.results = (TaskResult("bull1", "Gathering Facts", "failed", message),)
    runs.outcome = PlaybookOutcome(2, "failed", {}, {"bull1": 1})
    with pytest.raises(kind) as caught:
        CHANGE.apply(RecordingWork(blank_lab(), tmp_path), ("bull1",))
    assert word in caught.value.what
    assert "Gathering Facts" not in caught.value.what
    assert message in caught.value.details


def test_a_failure_without_a_task_shows_the_last_lines(runs: Runs, tmp_path: Path) -> None:
    runs.outcome = PlaybookOutcome(4, "failed", {}, {}, "no inventory")
    with pytest.raises(ChangeError) as caught:
        CHANGE.apply(RecordingWork(blank_lab(), tmp_path), ("bull1",))
    assert caught.value.details == "no inventory"


def test_failures_count_whatever_the_exit_status_says(runs: Runs, tmp_path: Path) -> None:
    runs.outcome = PlaybookOutcome(0, "successful", {}, {"bull1": 1})
    with pytest.raises(ChangeError) as caught:
        CHANGE.apply(RecordingWork(blank_lab(), tmp_path), ("bull1",))
    assert caught.value.host == "bull1"


def test_a_cancelled_run_is_no_failure(runs: Runs, tmp_path: Path) -> None:
    runs.outcome = PlaybookOutcome(254, "canceled", {}, {})
    with pytest.raises(CancelledError):
        CHANGE.apply(RecordingWork(blank_lab(), tmp_path), ("bull1",))


def test_a_retry_keeps_the_log_before_it(runs: Runs, tmp_path: Path) -> None:
    work = RecordingWork(blank_lab(), tmp_path)
    (tmp_path / "irqbalance-apply.log").touch()
    CHANGE.apply(work, ("bull1",))
    assert runs.requests[0].log == tmp_path / "irqbalance-apply-2.log"
