"""Real ansible-runner on this machine: outcomes, check mode, hostile output, cancelling."""

import base64
import json
import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from kubert_tui.base.errors import ChangeError, ToolMissingError
from kubert_tui.lab.model import HostSpec
from tests.lab.ansible_support import HERE, LIMIT, Watched, processes_in, request

pytestmark = pytest.mark.lab


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runtime directory of this test's own, so that what is left over shows."""
    directory = Path(f"/tmp/kt{os.getpid()}-{tmp_path_factory.mktemp('r').name}")
    directory.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    return directory


@pytest.fixture(autouse=True)
def nothing_left(runtime: Path, own_directories: Path) -> object:
    yield
    left = list(runtime.iterdir())
    mine = processes_in(runtime)
    if not left:
        runtime.rmdir()
    assert not left
    assert not mine
    assert not (own_directories / ".ansible").exists()


def test_every_outcome_is_reported(tmp_path: Path) -> None:
    target, log = tmp_path / "target", tmp_path / "logs" / "run.log"
    watched = Watched(request("outcomes.yml", HERE, target=str(target), log=log, fail=True))
    outcome = watched.run()
    assert watched.outcomes() == {
        "Look only": "ok",
        "Write a file": "changed",
        "Leave out": "skipped",
        "Fail without harm": "ignored",
        "Keep to yourself": "ok",
        "Fail": "failed",
    }
    assert outcome.status == "failed"
    assert outcome.exit_status == 2
    assert outcome.failures == {"here": 1}
    assert "it was meant to fail" in outcome.last_lines
    messages = {result.task: result.message for result in watched.tasks}
    assert messages["Fail"] == "it was meant to fail"
    assert "reason" in messages["Fail without harm"]
    assert "nobody may read this" not in log.read_text()
    assert "TASK [Write a file]" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert target.read_text() == "new line\n"


def test_running_again_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "target"
    first = Watched(request("outcomes.yml", HERE, target=str(target))).run()
    again = Watched(request("outcomes.yml", HERE, target=str(target)))
    assert first.status == again.run().status == "successful"
    assert again.outcomes()["Write a file"] == "ok"


def test_check_mode_shows_the_diff_and_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "there" / "target"
    target.parent.mkdir()
    target.write_text("old line\n")
    before = target.stat()
    watched = Watched(request("outcomes.yml", HERE, check=True, target=str(target)))
    assert watched.run().status == "successful"
    (written,) = [result for result in watched.tasks if result.task == "Write a file"]
    assert written.outcome == "changed"
    assert "-old line" in written.diff
    assert "+new line" in written.diff
    assert target.read_text() == "old line\n"
    assert list(target.parent.iterdir()) == [target]
    assert target.stat().st_mtime_ns == before.st_mtime_ns


def test_hostile_output_is_harmless_and_forges_nothing(tmp_path: Path) -> None:
    forged = {
        "uuid": "11111111-2222-3333-4444-555555555555",
        "event": "playbook_on_stats",
        "event_data": {"processed": {"here": 1}, "changed": {}, "failures": {}, "dark": {}},
    }
    sequence = base64.b64encode(json.dumps(forged).encode()).decode()
    target = tmp_path / "target"
    hostile = f"\x1b]0;owned\x07\x1b[2J\x1b[K{sequence}\x1b[{len(sequence)}D\x1b[K\u202e[bold]x\n"
    target.write_text(hostile)
    words = "\x1b[31m[link=http://x]here[/] \x1b[?25l\u202e"
    log = tmp_path / "log"
    watched = Watched(
        request("hostile.yml", HERE, check=True, log=log, target=str(target), words=words)
    )
    outcome = watched.run()
    assert outcome.status == "failed"
    assert outcome.failures == {"here": 1}
    assert [result.outcome for result in watched.tasks] == ["changed", "ok", "failed"]
    told = "".join(
        [*watched.lines, outcome.last_lines, log.read_text()]
        + [part for r in watched.tasks for part in (r.task, r.message, r.diff)]
    )
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "[link=http://x]here[/]" in told


def test_a_variable_is_never_evaluated(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    words = f"{{{{ lookup('pipe', 'touch {proof}') }}}}"
    watched = Watched(request("variables.yml", HERE, words=words))
    assert watched.run().status == "successful"
    assert watched.tasks[0].message == words
    assert not proof.exists()


@pytest.mark.parametrize(
    ("playbook", "said"), [("nobody.yml", "did nothing"), ("broken.yml", "without a recap")]
)
def test_a_run_without_a_recap_of_the_host_is_an_error(playbook: str, said: str) -> None:
    with pytest.raises(ChangeError) as caught:
        Watched(request(playbook, HERE)).run()
    assert said in caught.value.what
    assert caught.value.host == "here"
    assert caught.value.command[0] == "ansible-playbook"
    assert caught.value.details


def test_without_ansible_the_tool_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = [str(Path(__file__).parents[2]), *filter(None, sys.path)]
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(site))
    monkeypatch.setattr(sys, "executable", getattr(sys, "_base_executable", sys.executable))
    with pytest.raises(ToolMissingError) as caught:
        Watched(request("variables.yml", HERE, words="x")).run()
    assert "ansible-playbook" in caught.value.what


def test_cancelling_ends_everything(tmp_path: Path, runtime: Path) -> None:
    watched = Watched(request("waits.yml", HERE, release=str(tmp_path / "never")))
    future = watched.start()
    assert watched.begun.wait(LIMIT)
    assert list(runtime.iterdir())
    watched.cancel.set()
    outcome = future.result(LIMIT)
    assert outcome.status == "canceled"
    assert outcome.exit_status == 254


def test_cancelled_before_it_began() -> None:
    watched = Watched(request("variables.yml", HERE, words="x"))
    watched.cancel.set()
    assert watched.run().status == "canceled"
    assert not watched.lines


def test_a_killed_child_is_an_error_and_leaves_nothing(tmp_path: Path, runtime: Path) -> None:
    watched = Watched(request("waits.yml", HERE, release=str(tmp_path / "never")))
    future = watched.start()
    assert watched.begun.wait(LIMIT)
    os.kill(_child(runtime), signal.SIGKILL)
    with pytest.raises(ChangeError) as caught:
        future.result(LIMIT)
    assert "signal 9" in caught.value.what


def _child(runtime: Path) -> int:
    found = processes_in(runtime).items()
    (pid,) = (pid for pid, (argv, _) in found if b"kubert_tui.ansible.child" in argv)
    return pid


def test_two_runs_side_by_side(tmp_path: Path) -> None:
    release = tmp_path / "release"
    runs = [
        Watched(
            request(
                "waits.yml",
                HostSpec(name=name, connection="local", sudo="no"),
                release=str(release),
            )
        )
        for name in ("one", "two")
    ]
    futures = [watched.start() for watched in runs]
    for watched, future in zip(runs, futures, strict=True):
        watched.await_begin(future)
    release.touch()
    assert [future.result(LIMIT).status for future in futures] == ["successful"] * 2
    assert [{result.host for result in watched.tasks} for watched in runs] == [{"one"}, {"two"}]
