"""The main job, headless, with a real cyclictest, here and over a real sshd."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kubert_tui.base import paths
from kubert_tui.base.errors import ExitCode
from kubert_tui.latency.store import load
from tests.support.headless import Entry, Headless, auto, lab_file
from tests.support.sshd import start_sshd

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="cyclictest needs root"),
]

QUICK = ("--set", "cyclictest.duration=2s")
MEASURE = ("--only", "cyclictest")


def _stored(run: Headless) -> dict[str, Entry]:
    return {entry["host"]: entry for entry in run.named("latency-stored")}


def test_the_built_in_lab_is_judged_and_measured() -> None:
    run = auto(*QUICK)
    assert run.finish() == ExitCode.OK, run.errors()
    last = run.seen[-1]
    assert last["event"] == "finished"
    assert list(last["states"])[:9] == [
        "connect", "update", "kernel", "hyperthreading", "cpu-plan", "irqbalance", "rt-tests",
        "cyclictest", "causes",
    ]  # fmt: skip
    assert last["states"]["cyclictest"] == "done"
    assert last["states"]["ladder"] == "skipped", "the lab has no machines"
    assert last["states"]["cluster-smoke"] == "skipped", "the lab has no cluster"
    assert {last["states"][stage] for stage in ("update", "kernel", "irqbalance")} <= {
        "not allowed", "satisfied", "skipped",
    }  # fmt: skip
    assert not run.named("task-finished"), "nothing is allowed, so nothing may be run"
    kept = load(Path(last["results"][0]))
    assert kept.exact
    assert max(thread.samples for thread in kept.snapshot().threads) == 10_000
    live = [one for one in run.named("latency-snapshot") if not one["snapshot"]["final"]]
    assert live, "the histogram was not shown while it grew"
    for entry in run.seen:
        assert entry["time"] > 0


@pytest.mark.long
def test_twins_over_ssh(tmp_path: Path) -> None:
    with start_sshd(tmp_path / "one") as one, start_sshd(tmp_path / "two") as two:
        lab = lab_file(tmp_path, one.spec("bull1"), two.spec("bull2"))
        refused = auto("--only", "connect", lab=lab)
        assert refused.finish() == ExitCode.HOST_KEY
        assert {entry["host"] for entry in refused.named("failure")} == {"bull1", "bull2"}
        assert "--accept-new-host-keys" in refused.named("failure")[0]["fix"]

        run = auto("--accept-new-host-keys", *QUICK, lab=lab)
        assert run.finish() == ExitCode.OK, run.errors()
        assert set(_stored(run)) == {"bull1", "bull2"}
        assert all(entry["exact"] for entry in _stored(run).values())
        crossed = [e for e in run.named("finding-made") if "," in e["finding"]["host"]]
        assert any(e["finding"]["level"] == "failed" for e in crossed), "twins are one machine"

        known = paths.known_hosts().read_text()
        assert f"[127.0.0.1]:{one.port}" in known
        one.change_host_key()
        changed = auto("--accept-new-host-keys", "--only", "connect", lab=lab)
        assert changed.finish() == ExitCode.HOST_KEY
        failure = changed.named("failure")[0]
        assert failure["host"] == "bull1"
        assert "ssh-keygen -R" in failure["fix"]
        assert paths.known_hosts().read_text() == known


def test_killed_in_the_middle_it_attaches_and_nothing_is_lost(tmp_path: Path) -> None:
    with start_sshd(tmp_path / "one") as server:
        lab = lab_file(tmp_path, server.spec("bull1"))
        options = (*MEASURE, "--accept-new-host-keys", "--set", "cyclictest.duration=8s")
        first = auto(*options, lab=lab)
        started = first.until("latency-started")
        first.until("latency-snapshot")
        first.process.send_signal(signal.SIGKILL)
        first.finish()

        second = auto(*options, lab=lab)
        assert second.finish() == ExitCode.OK, second.errors()
        assert second.seen[0]["resumed"]
        again = second.named("latency-started")[0]
        assert again["attached"]
        assert abs(again["started"] - started["started"]) < 1
        stored = _stored(second)["bull1"]
        assert stored["exact"]
        kept = load(Path(stored["path"]))
        assert max(thread.samples for thread in kept.snapshot().threads) == 40_000

        third = auto(*options, lab=lab)
        third.until("latency-started", attached=False)
        third.process.send_signal(signal.SIGINT)
        assert third.finish() == ExitCode.INTERRUPTED
        assert third.seen[-1]["event"] == "finished"
        assert third.seen[-1]["exit_code"] == ExitCode.INTERRUPTED

        fourth = auto(*options, lab=lab)
        assert fourth.finish() == ExitCode.OK, fourth.errors()
        assert fourth.named("latency-started")[0]["attached"]


def test_the_connection_breaks_while_it_measures(tmp_path: Path) -> None:
    with start_sshd(tmp_path / "one") as server:
        lab = lab_file(tmp_path, server.spec("bull1"))
        run = auto(*MEASURE, "--accept-new-host-keys", "--set", "cyclictest.duration=8s", lab=lab)
        run.until("latency-snapshot")
        server.kill_connections()
        run.until("waiting")
        assert run.finish() == ExitCode.OK, run.errors()
        assert [entry["attached"] for entry in run.named("latency-started")] == [False, True]
        assert _stored(run)["bull1"]["exact"]


def test_a_dry_run_changes_no_host(tmp_path: Path) -> None:
    with start_sshd(tmp_path / "one") as server:
        lab = lab_file(tmp_path, server.spec("bull1"))
        # The first contact writes our known_hosts, which lies here and not on the host.
        auto("--accept-new-host-keys", "--only", "connect", lab=lab).finish()
        before = _tree()
        run = auto("--dry-run", lab=lab)
        assert run.finish() == ExitCode.OK, run.errors()
        assert _tree() == before
        assert run.seen[-1]["states"]["cyclictest"] == "would change"
        assert run.named("plan-made")


def _tree() -> dict[str, tuple[int, int, int]]:
    """Everything a careless dry run would touch on this host: path to mode, size, mtime."""
    home = Path.home()
    found = {}
    for root in ("/etc", "/usr/local", "/var/lib", "/var/cache", "/opt", "/boot", str(home)):
        for directory, _, names in os.walk(root):
            if directory.startswith(str(paths.state())):
                continue
            for name in (".", *names):
                path = os.path.normpath(os.path.join(directory, name))  # noqa: PTH118
                status = os.lstat(path)
                found[path] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return found


def test_check_prints_findings_as_json_and_changes_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kubert_tui", "check", "--json"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode in (ExitCode.OK, ExitCode.FAILED), done.stderr
    assert '"kernel.realtime-running"' in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--auto", "--only", "coffee"), ExitCode.USAGE, "there is no stage 'coffee'"),
        (("--auto", "--until", "connect", "--from", "kernel"), ExitCode.USAGE, "comes before"),
        (("--auto", "--set", "cyclictest.priority=high"), ExitCode.USAGE, "cyclictest.priority"),
        (("--auto", "--lab", "absent.yaml"), ExitCode.LAB_FILE, "absent.yaml"),
        (("--dry-run",), ExitCode.USAGE, "goes with --auto"),
        ((), ExitCode.USAGE, "needs a terminal"),
        (("runs", "absent"), ExitCode.USAGE, "there is no run 'absent'"),
    ],
)
def test_what_cannot_be_is_one_clear_line(
    arguments: tuple[str, ...], code: ExitCode, words: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kubert_tui", *arguments],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
