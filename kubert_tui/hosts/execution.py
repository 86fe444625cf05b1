"""One command from its start to its end, over three pipes that may lead anywhere.

Three threads: one opens the pipes and reads standard output, one reads standard error, one
feeds standard input. The caller's thread waits, and looks after cancel, timeout and a dead
connection. Nothing waits for one pipe while another is full.
"""

import time
from collections.abc import Callable
from threading import Event as Flag
from threading import Thread
from typing import Protocol

from kubert_tui.base.errors import CancelledError, KubertError, UnreachableError
from kubert_tui.base.secrets import Secret
from kubert_tui.base.text import last_lines
from kubert_tui.hosts.interface import CommandTimeout, Completed, Invocation
from kubert_tui.hosts.output import Output
from kubert_tui.hosts.wrapping import GO, Wrapped

START_LIMIT = 60.0
"""Seconds in which a host has to start a command it accepted (PAM and sudo can be slow)."""
GRACE = 3.0
"""Seconds between TERM and KILL."""

_TURN = 0.1
_CHUNK = 64 * 1024


class Pipes(Protocol):
    """A started command's pipes. `abandon` makes every other call return or raise OSError."""

    def open(self) -> None:
        """Start the command. Raises KubertError."""

    def read_stdout(self, size: int) -> bytes:
        """Return some bytes; none at the end."""

    def read_stderr(self, size: int) -> bytes:
        """Return some bytes; none at the end."""

    def write(self, data: bytes) -> None:
        """Write all of `data`; OSError when nobody reads it any more."""

    def close_stdin(self) -> None:
        """Tell the command that its input ends. Idempotent."""

    def wait(self) -> int:
        """After the end of both outputs: return the exit status. Raises UnreachableError."""

    def check(self) -> None:
        """Give up (end both outputs) if the other side has gone silent."""

    def abandon(self) -> None:
        """Close everything. Idempotent."""


class SudoRefusedError(Exception):
    """Sudo wanted a password we did not have, or refused it. The command was not started."""


class NotStartedError(Exception):
    """The host ended the attempt before the command was started."""

    def __init__(self, exit_status: int, details: str) -> None:
        super().__init__(details)
        self.exit_status = exit_status
        self.details = details


class Execution:
    """One command. `run` is called once."""

    def __init__(
        self, host: str, pipes: Pipes, wrapped: Wrapped, invocation: Invocation, sudo: Secret | None
    ) -> None:
        self._host = host
        self._pipes = pipes
        self._wrapped = wrapped
        self._invocation = invocation
        self._sudo = sudo
        self._stdout = Output(wrapped.marker, invocation.on_stdout)
        self._stderr = Output(wrapped.marker, invocation.on_stderr)
        self._prompts = 0
        self._refused = False
        self._group = 0
        self._status = 0
        self._error: BaseException | None = None
        self._ready = Flag()
        self._ended = Flag()

    def run(self, end_group: Callable[[int], None]) -> Completed:
        """Run the command; `end_group` ends a process group on the host.

        Raises SudoRefusedError and NotStartedError when the command did not start, and what
        `Host.run` raises.
        """
        Thread(target=self._conduct, name=f"{self._host} command", daemon=True).start()
        try:
            self._await_start()
            if self._ready.is_set():
                Thread(target=self._feed, name=f"{self._host} stdin", daemon=True).start()
                self._await_end(end_group)
        finally:
            self._pipes.abandon()
        return self._completed()

    # The caller's thread.

    def _await_start(self) -> None:
        deadline = time.monotonic() + START_LIMIT
        while not (self._ready.wait(_TURN) or self._ended.is_set() or self._error is not None):
            self._pipes.check()
            if self._cancelled():
                raise self._cancelled_error("it had not started yet")
            if time.monotonic() > deadline:
                raise UnreachableError(
                    f"the host did not start the command within {START_LIMIT:.0f} s",
                    fix="log in by hand and see what the login shell or sudo waits for",
                    host=self._host,
                    command=self._invocation.argv,
                )

    def _await_end(self, end_group: Callable[[int], None]) -> None:
        timeout = self._invocation.timeout
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._ended.wait(_TURN):
            self._pipes.check()
            if self._error is not None:
                self._end(end_group)
                return
            if self._cancelled():
                raise self._cancelled_error(self._end(end_group))
            if deadline is not None and time.monotonic() > deadline:
                trouble = self._end(end_group)
                raise CommandTimeout(
                    f"the command did not end within {timeout:g} s and was stopped"
                    + (f", but {trouble}" if trouble else ""),
                    fix="see its last output, then try again",
                    host=self._host,
                    command=self._invocation.argv,
                    details=last_lines(self._stderr.kept or self._stdout.kept),
                )

    def _cancelled(self) -> bool:
        return self._invocation.cancel is not None and self._invocation.cancel.is_set()

    def _cancelled_error(self, trouble: str) -> CancelledError:
        return CancelledError(
            "the command was cancelled" + (f"; {trouble}" if trouble else ""),
            host=self._host,
            command=self._invocation.argv,
        )

    def _end(self, end_group: Callable[[int], None]) -> str:
        """End the group; return what went wrong, for people, or nothing."""
        try:
            end_group(self._group)
        except KubertError as error:
            return f"it may still be running: {error.what}"
        self._ended.wait(GRACE)
        return ""

    def _completed(self) -> Completed:
        if self._error is not None:
            raise self._error
        if self._refused:
            raise SudoRefusedError
        if not self._ready.is_set():
            noise = (self._stderr.noise + b"\n" + self._stdout.noise).replace(
                self._wrapped.prompt or b"\0", b""
            )
            raise NotStartedError(self._status, last_lines(noise))
        return Completed(
            argv=tuple(self._invocation.argv),
            exit_status=self._status,
            stdout=self._stdout.kept,
            stderr=self._stderr.kept,
            truncated=self._stdout.truncated or self._stderr.truncated,
        )

    # The threads of this command.

    def _conduct(self) -> None:
        try:
            self._pipes.open()
            errors = Thread(target=self._read_stderr, name=f"{self._host} stderr", daemon=True)
            errors.start()
            self._read(self._pipes.read_stdout, self._take_stdout)
            errors.join()
            self._status = self._pipes.wait()
        except BaseException as error:
            self._error = self._error or error
        finally:
            self._ended.set()

    def _read_stderr(self) -> None:
        self._read(self._pipes.read_stderr, self._take_stderr)

    def _read(self, read: Callable[[int], bytes], take: Callable[[bytes], None]) -> None:
        while data := _read_or_nothing(read):
            if self._error is not None:
                continue  # drained, so that the command can be ended in peace
            try:
                take(data)
            except Exception as error:
                self._error = error

    def _take_stdout(self, data: bytes) -> None:
        self._stdout.feed(data)
        if self._stdout.started and not self._ready.is_set():
            group = self._stdout.rest_of_marker
            if not (group.isdigit() and int(group) > 1):
                raise UnreachableError("the host answered with nonsense", host=self._host)
            self._group = int(group)
            self._ready.set()

    def _take_stderr(self, data: bytes) -> None:
        self._stderr.feed(data)
        if self._stderr.started or not self._wrapped.prompt:
            return
        prompts = self._stderr.noise.count(self._wrapped.prompt)
        if prompts <= self._prompts:
            return
        self._prompts = prompts
        if self._sudo is None or prompts > 1:
            self._refused = True
            self._pipes.close_stdin()
        else:
            self._write(self._sudo.reveal().encode() + b"\n")

    def _feed(self) -> None:
        self._write(GO)
        data = memoryview(self._invocation.stdin)
        for start in range(0, len(data), _CHUNK):
            if not self._write(bytes(data[start : start + _CHUNK])):
                break
        self._pipes.close_stdin()

    def _write(self, data: bytes) -> bool:
        try:
            self._pipes.write(data)
        except OSError:
            return False  # a command need not read its input
        return True


def _read_or_nothing(read: Callable[[int], bytes]) -> bytes:
    try:
        return read(_CHUNK)
    except OSError:
        return b""
