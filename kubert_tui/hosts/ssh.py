"""A host over SSH: every command in a channel of its own, over one connection."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore

import paramiko

from kubert_tui.base.errors import UnreachableError
from kubert_tui.base.text import clean_line
from kubert_tui.hosts.connection import Connection
from kubert_tui.hosts.dialling import CONNECT_LIMIT
from kubert_tui.hosts.interface import Asker, Completed, Invocation
from kubert_tui.hosts.piped import PipedHost
from kubert_tui.lab.model import HostSpec

CHANNELS = 5
"""Commands at once. sshd allows 10 sessions per connection; ending each takes one more."""


class SshHost(PipedHost):
    """A host we are logged in to."""

    def __init__(self, spec: HostSpec, connection: Connection, asker: Asker) -> None:
        super().__init__(spec, connection.endpoint.user, asker)
        self._connection = connection
        self._free = BoundedSemaphore(CHANNELS)

    @property
    def is_local(self) -> bool:
        """Always false."""
        return False

    def run(self, invocation: Invocation) -> Completed:
        """Run one command to its end, as `Host.run` says."""
        with self._free:
            return super().run(invocation)

    def close(self) -> None:
        """End the connection. Idempotent; what runs detached goes on."""
        self._connection.close()

    def _pipes(self, argv: Sequence[str]) -> "_ChannelPipes":
        return _ChannelPipes(self.name, self._connection, argv)


@contextmanager
def _broken_pipes() -> Iterator[None]:
    """Turn what paramiko raises on a dead connection into BrokenPipeError."""
    try:
        yield
    except (EOFError, paramiko.SSHException) as error:
        raise BrokenPipeError from error


class _ChannelPipes:
    """The pipes of a command in a channel. See `Pipes`."""

    def __init__(self, host: str, connection: Connection, argv: Sequence[str]) -> None:
        self._host = host
        self._connection = connection
        # SSH carries a line for the login shell, no argv. `exec` makes the wrapper replace
        # that shell, so that it leads the session that sshd made.
        self._line = f"exec {shlex.join(argv)}"
        self._channel: paramiko.Channel | None = None
        self._abandoned = False

    def open(self) -> None:
        try:
            self._channel = self._connection.transport.open_session(timeout=CONNECT_LIMIT)
            if self._abandoned:
                self.abandon()
            self._channel.exec_command(self._line)
        except (paramiko.SSHException, OSError, EOFError) as error:
            if self._abandoned:
                raise BrokenPipeError from error
            raise self._lost(clean_line(str(error))) from error

    def read_stdout(self, size: int) -> bytes:
        with _broken_pipes():
            return self._opened.recv(size)

    def read_stderr(self, size: int) -> bytes:
        with _broken_pipes():
            return self._opened.recv_stderr(size)

    def write(self, data: bytes) -> None:
        with _broken_pipes():
            self._opened.sendall(data)

    def close_stdin(self) -> None:
        with suppress(OSError), _broken_pipes():
            self._opened.shutdown_write()

    def wait(self) -> int:
        channel = self._opened
        status = channel.recv_exit_status()
        number = self._connection.transport.signals.pop(channel.chanid, 0)
        if number:
            return -number
        if status < 0:
            raise self._lost("")
        return status

    def check(self) -> None:
        self._connection.check()

    def abandon(self) -> None:
        self._abandoned = True
        if self._channel is not None:
            with suppress(OSError), _broken_pipes():
                self._channel.close()

    @property
    def _opened(self) -> paramiko.Channel:
        if self._channel is None:
            raise BrokenPipeError
        return self._channel

    def _lost(self, said: str) -> UnreachableError:
        if self._connection.transport.is_active():
            what = "the host ended the command's channel" + (f": {said}" if said else "")
        else:
            what = "the connection was lost"
        return UnreachableError(
            what,
            fix="check power and network, then connect again; what was started detached goes on",
            host=self._host,
        )
