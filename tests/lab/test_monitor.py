"""`kubert-tui monitor` with real cyclictest, as a process: to the end, let go and found again."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pytest

from kubert_tui.base.errors import ExitCode
from tests.support.headless import Headless

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="cyclictest needs root"),
]

PROGRAM = (sys.executable, "-m", "kubert_tui", "monitor")


def monitor(*arguments: str) -> Headless:
    return Headless(
        subprocess.Popen(
            [*PROGRAM, "--json", *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
    )  # fmt: skip


def test_the_last_line_says_that_it_was_exact() -> None:
    run = monitor("--duration", "2s", "--interval", "500")
    assert run.finish() == ExitCode.OK, run.errors()
    assert run.named("latency-snapshot")
    last = run.seen[-1]
    assert (last["event"], last["exact"], last["inexact"]) == ("finished", True, {})
    (started,) = run.named("latency-started")
    assert "--interval=500" in started["command"]


def test_let_go_it_measures_on_and_is_found_again() -> None:
    first = monitor("--duration", "6s")
    first.until("latency-snapshot")
    first.process.send_signal(signal.SIGTERM)
    first.finish()
    assert first.seen[-1]["exact"] is None
    again = monitor("--duration", "6s")
    assert again.finish() == ExitCode.OK, again.errors()
    (started,) = again.named("latency-started")
    assert started["attached"]
    last = again.seen[-1]
    # On a busy machine it is over before it is found again: then nobody has seen it live.
    if started["live"]:
        assert last["exact"] is True
    else:
        assert "already ended" in last["inexact"]["this-machine"]


def test_killed_cyclictest_is_not_exact_and_it_says_why() -> None:
    run = monitor("--duration", "30s")
    run.until("latency-snapshot")
    name = run.seen[0]["run"]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = name in str((process / "cwd").readlink())
            if ours and (process / "comm").read_text() == "cyclictest\n":
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            continue
    assert run.finish() == ExitCode.MEASUREMENT_FAILED
    assert run.seen[-1]["exact"] is False
    (reason,) = run.seen[-1]["inexact"].values()
    assert "SIGKILL" in reason


def test_on_a_terminal_it_is_watched() -> None:
    screen = pexpect.spawn(
        PROGRAM[0], [*PROGRAM[1:], "--duration", "3s"], dimensions=(30, 100), timeout=60,
        env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    screen.expect("cyclictest --mlockall|cyclictest")
    screen.expect("final")
    screen.expect("verdict|smoke")
    screen.send("q")
    told = r"this-machine: the worst of \d+ samples took \d+ us: (\S+)\r"
    # The result is stored; on a busy machine the run is not quite over yet, and it asks.
    if screen.expect([told, r"Leave \(y\)"]) == 1:
        screen.send("y")
        screen.expect(told)
    path = screen.match.group(1).decode()
    screen.expect(r"\(smoke\)|no verdict: ")
    screen.expect(pexpect.EOF)
    screen.close()
    assert screen.exitstatus == ExitCode.OK
    assert re.search(r"latency-this-machine-\d+\.json$", path)
    assert Path(path).is_file()


def test_breaktrace_stops_it_which_is_a_result() -> None:
    run = monitor("--duration", "60s", "--breaktrace", "1")
    assert run.finish() == ExitCode.OK, run.errors()
    (stored,) = run.named("latency-stored")
    assert re.fullmatch(
        r"stopped at \d+ us on CPU \d+ by breaktrace after \d+ cycles", stored["stopped"]
    )
    assert not stored["interrupted"]
    kept = json.loads(Path(stored["path"]).read_text())["breaktrace"]
    assert kept["threshold"] == 1
    # In a container, as this may be one, the trace would be that of its host.
    assert kept["traced"] == bool(stored["trace"])
