"""Reads what a child says: cleans and redacts it, logs it, and judges how the run ended."""

import os
import threading
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from kubert_tui.ansible.protocol import (
    EndMessage,
    ErrorMessage,
    StatsMessage,
    TaskMessage,
    decode_message,
)
from kubert_tui.ansible.request import OnLines, OnTask, PlaybookOutcome, TaskResult
from kubert_tui.base import paths
from kubert_tui.base.errors import AuthenticationError, ChangeError, KubertError, ToolMissingError
from kubert_tui.base.secrets import redactor
from kubert_tui.base.text import clean, clean_line

_KEPT_LINES = 15
_STATUSES = frozenset({"successful", "failed", "canceled", "timeout"})


def safe(text: str) -> str:
    """Return host text cleaned and redacted (before and after: escapes can hide a secret)."""
    return redactor.redact(clean(redactor.redact(text)))


class Report:
    """Where the runs of one request report to: one log and the callbacks, one at a time."""

    def __init__(self, log: Path | None, on_task: OnTask, on_lines: OnLines) -> None:
        self._lock = threading.Lock()
        self._on_task = on_task
        self._on_lines = on_lines
        self._log = _open_private(log) if log else None

    def task(self, result: TaskResult) -> None:
        """Tell of a task."""
        with self._lock:
            self._on_task(result)

    def lines(self, lines: Iterable[str]) -> None:
        """Log lines that are safe already, and tell of them."""
        batch = tuple(lines)
        with self._lock:
            if self._log:
                self._log.write("".join(f"{line}\n" for line in batch))
                self._log.flush()
            self._on_lines(batch)

    def close(self) -> None:
        """Close the log."""
        if self._log:
            self._log.close()


class Reading:
    """What one child has said so far."""

    def __init__(self, hosts: tuple[str, ...], command: tuple[str, ...], report: Report) -> None:
        self._hosts = hosts
        self._command = command
        self._report = report
        self._last: deque[str] = deque(maxlen=_KEPT_LINES)
        self._stats: StatsMessage | None = None
        self._end: EndMessage | None = None
        self._error: ErrorMessage | None = None
        self._fatal = ""

    def take(self, line: bytes) -> None:
        """Read one line of the child's stdout."""
        try:
            message = decode_message(line)
        except ValueError as error:
            self._fatal = f"Ansible's helper process said something unreadable: {error}"
            return
        if message["kind"] == "lines":
            self.lines(message["lines"])
        elif message["kind"] == "task":
            self._task(message)
        elif message["kind"] == "stats":
            self._stats = message
        elif message["kind"] == "end":
            self._end = message
        else:
            self._error = message

    def lines(self, lines: Iterable[str]) -> None:
        """Read lines of Ansible's output, or of the child's stderr."""
        whole = [part for line in lines for part in safe(line).split("\n")]
        self._last.extend(line for line in whole if line.strip())
        self._report.lines(whole)

    def _task(self, message: TaskMessage) -> None:
        host = message["host"]
        if host not in self._hosts:
            self._fatal = f"Ansible reported a host it was not given: {clean_line(safe(host))}"
            return
        self._report.task(
            TaskResult(
                host=host,
                task=clean_line(safe(message["task"])),
                outcome=message["outcome"],
                message=safe(message["message"]),
                diff=safe(message["diff"]),
            )
        )

    def outcome(self, returncode: int, *, cancelled: bool = False) -> PlaybookOutcome:
        """Return how the run ended; `returncode` is the child's.

        With `cancelled` a child that left without a word is a cancelled run, no error.

        Only Ansible's own recap of every host is believed, never a status alone. Raises
        ChangeError without one, ToolMissingError, AuthenticationError.
        """
        if self._error:
            raise self._failure(self._error)
        if not self._end and cancelled:
            return PlaybookOutcome(254, "canceled", {}, {}, self._tail())
        if not self._end:
            raise self._broken(f"Ansible's helper process {_ending(returncode)}")
        if self._fatal:
            raise self._broken(self._fatal)
        end, status = self._end, self._end["status"]
        if status not in _STATUSES:
            raise self._broken(f"ansible-runner ended with the status {clean_line(safe(status))}")
        stats = self._stats
        if status in ("canceled", "timeout"):
            return self._outcome(end, status, stats)
        if stats is None:
            raise self._broken(
                f"ansible-playbook ended with status {end['exit_status']} and without a recap"
            )
        if missing := [host for host in self._hosts if host not in stats["processed"]]:
            raise self._broken("Ansible did nothing on this host", host=", ".join(missing))
        bad = any(stats["failures"].values()) or any(stats["unreachable"].values())
        good = status == "successful" and end["exit_status"] == 0 and not bad
        return self._outcome(end, "successful" if good else "failed", stats)

    def _outcome(self, end: EndMessage, status: str, stats: StatsMessage | None) -> PlaybookOutcome:
        if stats is None:
            return PlaybookOutcome(end["exit_status"], status, {}, {}, self._tail())
        failures = {
            host: stats["failures"].get(host, 0) + stats["unreachable"].get(host, 0)
            for host in self._hosts
        }
        return PlaybookOutcome(
            exit_status=end["exit_status"],
            status=status,
            changed={host: stats["changed"].get(host, 0) for host in self._hosts},
            failures={host: count for host, count in failures.items() if count},
            last_lines=self._tail(),
        )

    def _failure(self, message: ErrorMessage) -> KubertError:
        kind = {"tool-missing": ToolMissingError, "authentication": AuthenticationError}.get(
            message["reason"], ChangeError
        )
        return kind(
            clean_line(safe(message["what"])),
            fix=clean_line(safe(message["fix"])),
            host=", ".join(self._hosts),
            command=self._command,
            details=self._tail(),
        )

    def _broken(self, what: str, host: str = "") -> ChangeError:
        return ChangeError(
            what,
            fix="read the last lines and the full log, then try again",
            host=host or ", ".join(self._hosts),
            command=self._command,
            details=self._tail(),
            exit_status=self._end["exit_status"] if self._end else None,
        )

    def _tail(self) -> str:
        return "\n".join(self._last)


def _ending(returncode: int) -> str:
    how = f"was ended by signal {-returncode}" if returncode < 0 else f"exited with {returncode}"
    return f"{how} before the playbook was through"


def _open_private(path: Path) -> TextIO:
    if not path.parent.exists():
        paths.private_directory(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "a", encoding="utf-8", errors="replace")
