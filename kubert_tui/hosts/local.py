"""The machine kubert-tui runs on."""

import contextlib
import getpass
import os
import select
import signal
import subprocess
from collections.abc import Sequence
from threading import Lock
from typing import IO

from kubert_tui.base.errors import ToolMissingError
from kubert_tui.hosts.interface import Asker
from kubert_tui.hosts.piped import PipedHost
from kubert_tui.lab.model import HostSpec

_TURN = 200
"""ms; how soon a thread that waits for a pipe sees that it was abandoned."""


class LocalHost(PipedHost):
    """This machine. Commands run in sessions of their own; sudo only if we are not root."""

    def __init__(self, spec: HostSpec, asker: Asker) -> None:
        super().__init__(spec, "root" if os.geteuid() == 0 else getpass.getuser(), asker)

    @property
    def is_local(self) -> bool:
        """Always true."""
        return True

    def _pipes(self, argv: Sequence[str]) -> "_ProcessPipes":
        return _ProcessPipes(self.name, argv)

    def close(self) -> None:
        """Nothing to end here."""


class _ProcessPipes:
    """The pipes of a child process. See `Pipes`."""

    def __init__(self, host: str, argv: Sequence[str]) -> None:
        self._host = host
        self._argv = argv
        self._process: subprocess.Popen[bytes] | None = None
        self._abandoned = False
        self._stdin_lock = Lock()

    def open(self) -> None:
        try:
            process = subprocess.Popen(
                self._argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise ToolMissingError(
                f"{self._argv[0]} cannot be started: {error.strerror}", host=self._host
            ) from error
        assert process.stdin is not None  # noqa: S101 -- tells mypy what PIPE means
        os.set_blocking(process.stdin.fileno(), False)
        self._process = process
        if self._abandoned:
            self.abandon()

    def read_stdout(self, size: int) -> bytes:
        return self._read(self._opened.stdout, size)

    def read_stderr(self, size: int) -> bytes:
        return self._read(self._opened.stderr, size)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            with self._stdin_lock:
                stdin = self._opened.stdin
                if stdin is None or stdin.closed or self._abandoned:
                    raise BrokenPipeError
                ready = _wait(stdin.fileno(), select.POLLOUT)
                with contextlib.suppress(BlockingIOError):
                    view = view[os.write(stdin.fileno(), view) if ready else 0 :]

    def close_stdin(self) -> None:
        with self._stdin_lock, contextlib.suppress(OSError):
            if self._opened.stdin is not None:
                self._opened.stdin.close()

    def wait(self) -> int:
        status = self._opened.wait()
        for pipe in (self._opened.stdout, self._opened.stderr):
            if pipe is not None:
                pipe.close()
        return status

    def check(self) -> None:
        """A local process cannot go silent."""

    def abandon(self) -> None:
        self._abandoned = True
        if self._process is None:
            return
        self.close_stdin()
        if self._process.poll() is None:
            # A process of root's cannot be signalled by us: sudo ends because its input did.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    @property
    def _opened(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise BrokenPipeError
        return self._process

    def _read(self, pipe: IO[bytes] | None, size: int) -> bytes:
        if pipe is None:
            raise BrokenPipeError
        number = pipe.fileno()
        while not self._abandoned:
            if _wait(number, select.POLLIN):
                return os.read(number, size)
        return b""


def _wait(descriptor: int, what: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, what)
    return bool(poll.poll(_TURN))
