"""kubert-tui as users run it headless: a process of its own with a HOME of its own."""

import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.faults.points import Count, Entry, Point
from tests.support.sshd import _descendants

LIMIT = 420.0
"""Seconds one run may take before it counts as hanging."""
_DULL = ("facts-gathered", "finding-made", "output", "latency-snapshot")


class HungError(AssertionError):
    """A run did not end."""


@dataclass
class Run:
    """One process. Its events are read by whoever waits for something."""

    process: subprocess.Popen[str]
    errors_file: IO[str]
    seen: list[Entry] = field(default_factory=list)
    limit: float = LIMIT
    _hung: bool = False

    def events(self) -> Iterator[Entry]:
        """Yield events as they come. HungError when it takes too long."""
        assert self.process.stdout is not None
        watch = threading.Timer(self.limit, self._give_up)
        watch.start()
        try:
            for line in self.process.stdout:
                try:
                    entry: Entry = json.loads(line)
                except ValueError:
                    continue  # killed in the middle of a line
                self.seen.append(entry)
                yield entry
        finally:
            watch.cancel()
        if self._hung:
            raise HungError(f"no end after {self.limit:.0f} s; last: {self.tail()}")

    def until(self, point: Point) -> Entry:
        """Read on to a point."""
        count = Count(point)
        for entry in self.events():
            if count.reached(entry):
                return entry
        self.process.wait(60)
        raise AssertionError(f"{point.stage}: no {point}; {self.tail()}\n{self.errors()}")

    def finish(self) -> int:
        """Read to the end; return the exit code."""
        for _ in self.events():
            pass
        return self.process.wait(60)

    def kill(self, *, family: bool) -> None:
        """`kill -9`: the main process, or with all that it started here."""
        victims = [self.process.pid]
        if family:
            victims += _descendants(self.process.pid)
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.finish()

    def named(self, event: str) -> list[Entry]:
        """The events of one name seen so far."""
        return [entry for entry in self.seen if entry["event"] == event]

    def errors(self) -> str:
        """What it wrote on stderr so far."""
        return Path(self.errors_file.name).read_text(errors="replace")

    def tail(self) -> str:
        """The last events in short, for people who look into a failure."""
        told = ("what", "fix", "task", "state", "text", "details")
        lines = [
            " ".join(
                (f"{entry.get('stage', '')}/{entry['event']}",
                 *(str(entry[key]) for key in told if entry.get(key)))
            )
            for entry in self.seen[-20:]
            if entry["event"] not in _DULL
        ]  # fmt: skip
        return "\n  ".join(lines)

    def _give_up(self) -> None:
        self._hung = True
        for pid in (*_descendants(self.process.pid), self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@dataclass(frozen=True)
class Home:
    """A user's directories on this computer: HOME, and all of XDG in it."""

    path: Path

    @property
    def state(self) -> Path:
        return self.path / "state" / "kubert-tui"

    def environment(self, **changes: str) -> dict[str, str]:
        """The environment of a process of this user."""
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "SSH_", "KUBERT_"))
        }
        own = {
            f"XDG_{name}_HOME": str(self.path / name.lower())
            for name in ("STATE", "CONFIG", "CACHE", "DATA")
        }
        return {**kept, "HOME": str(self.path), **own, **changes}

    def start(self, *arguments: str, typed: str | None = None, **environment: str) -> Run:
        """Start `kubert-tui --auto --json`; `typed` is given at a terminal to all it asks."""
        self.path.mkdir(parents=True, exist_ok=True)
        errors = tempfile.NamedTemporaryFile(  # noqa: SIM115 -- kept with the run
            "w", dir=self.path, prefix="stderr-", delete=False
        )
        argv = [sys.executable, "-m", "kubert_tui", "--auto", "--json", *arguments]
        env = self.environment(**environment)
        if typed is None:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                text=True, env=env, start_new_session=True,
            )  # fmt: skip
            return Run(process, errors)
        return Run(_at_terminal(argv, env, typed, errors), errors)


def _at_terminal(
    argv: list[str], env: dict[str, str], typed: str, errors: IO[str]
) -> subprocess.Popen[str]:
    """Start it with a terminal for questions; what it shows there goes to `errors`."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        # setsid --ctty: passwords are read from the terminal itself, not from stdin.
        ["setsid", "--ctty", "--wait", *argv],
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True, env=env,
    )  # fmt: skip
    os.close(theirs)

    def answer() -> None:
        with suppress(OSError), os.fdopen(ours, "r+b", buffering=0) as terminal:
            while data := terminal.read(1000):
                errors.write(data.decode(errors="replace"))
                errors.flush()
                if b": " in data and b"assword" in data:
                    terminal.write(typed.encode() + b"\n")

    threading.Thread(target=answer, daemon=True).start()
    return process
