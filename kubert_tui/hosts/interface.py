"""What a host can do for us. Local and SSH hosts both are this, and nothing more."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from typing import Protocol

from kubert_tui.base.errors import KubertError
from kubert_tui.base.secrets import Secret

OUTPUT_LIMIT = 64 * 1024 * 1024
"""Bytes of each output that `run` keeps; the rest is read and dropped."""


class CommandTimeout(KubertError):  # noqa: N818 -- named beside CancelledError in the interface
    """A command ran longer than it was given; its process group on the host was ended."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that ended. `exit_status` is negative for a signal where that is known."""

    argv: tuple[str, ...]
    exit_status: int
    stdout: bytes = b""
    stderr: bytes = b""
    truncated: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ended with status 0."""
        return self.exit_status == 0


OnOutput = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Invocation:
    """One command to run: an argv (never a shell line), its input and its bounds."""

    argv: Sequence[str]
    stdin: bytes = b""
    timeout: float | None = 60.0
    """Seconds; None waits without end (then `cancel` is the way out)."""
    sudo: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    on_stdout: OnOutput | None = None
    on_stderr: OnOutput | None = None
    cancel: Flag | None = None
    """When set, the command's whole process group on the host is ended."""


class Host(Protocol):
    """A machine we can run commands on. Methods may be called from several threads."""

    @property
    def name(self) -> str:
        """The name the lab file gives it."""

    @property
    def is_local(self) -> bool:
        """Whether it is the machine kubert-tui runs on."""

    def run(self, invocation: Invocation) -> Completed:
        """Run one command to its end.

        With `on_stdout`/`on_stderr` the bytes go there as they come (from another thread)
        and the result holds none. Raises UnreachableError (connection lost), CommandTimeout,
        CancelledError, AuthenticationError (sudo); a non-zero status is not an error.
        """

    def put(self, data: bytes | Path, path: str, *, mode: int = 0o600, sudo: bool = False) -> None:
        """Write `data` (or the local file) to `path` there, atomically."""

    def get(self, path: str, *, sudo: bool = False) -> bytes:
        """Return the content of the file `path` there."""

    def close(self) -> None:
        """End the connection. Idempotent; what runs detached goes on."""


@dataclass(frozen=True, slots=True)
class HostKeyOffer:
    """The key a host shows at first contact."""

    host: str
    address: str
    port: int
    key_type: str
    fingerprint: str
    """As OpenSSH prints it: `SHA256:...`."""


class Asker(Protocol):
    """Who answers while we connect. The engine turns these calls into questions."""

    def accept_host_key(self, offer: HostKeyOffer) -> bool:
        """Whether this unknown key may be trusted from now on."""

    def password(self, host: str, prompt: str) -> Secret | None:
        """The login password; None if nobody can give it."""

    def passphrase(self, host: str, key_file: str) -> Secret | None:
        """The passphrase of a private key; None leaves that key out."""

    def sudo_password(self, host: str, prompt: str) -> Secret | None:
        """The sudo password; None if nobody can give it."""
