"""What local and SSH hosts share: everything but how a command gets its pipes."""

import getpass
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kubert_tui.base.errors import (
    AuthenticationError,
    KubertError,
    ToolMissingError,
    UnreachableError,
)
from kubert_tui.base.secrets import Secret
from kubert_tui.base.text import last_lines
from kubert_tui.hosts.execution import (
    GRACE,
    Execution,
    NotStartedError,
    Pipes,
    SudoRefusedError,
)
from kubert_tui.hosts.interface import Asker, Completed, Invocation
from kubert_tui.hosts.sudo import ATTEMPTS, SudoPassword
from kubert_tui.hosts.wrapping import as_operand, end_group_argv, put_argv, wrap
from kubert_tui.lab.model import HostSpec

TRANSFER_LIMIT = 600.0
"""Seconds one file may take."""


class PipedHost(ABC):
    """A host whose commands we start with pipes to their outputs and input."""

    def __init__(self, spec: HostSpec, user: str, asker: Asker) -> None:
        self._spec = spec
        self._escalate = spec.sudo == "yes" or (spec.sudo == "auto" and user != "root")
        self._sudo = SudoPassword(spec.name, user or getpass.getuser(), asker)

    @property
    def name(self) -> str:
        """The name the lab file gives it."""
        return self._spec.name

    @property
    @abstractmethod
    def is_local(self) -> bool:
        """Whether it is the machine kubert-tui runs on."""

    @abstractmethod
    def _pipes(self, argv: Sequence[str]) -> Pipes:
        """Return the pipes of a command that is not started yet."""

    @abstractmethod
    def close(self) -> None:
        """End the connection. Idempotent; what runs detached goes on."""

    def run(self, invocation: Invocation) -> Completed:
        """Run one command to its end, as `Host.run` says."""
        sudo = invocation.sudo and self._escalate
        password = self._sudo.current if sudo else None
        for _ in range(ATTEMPTS):
            try:
                return self._once(invocation, sudo, password)
            except SudoRefusedError:
                password = self._sudo.another(password)
        try:
            return self._once(invocation, sudo, password)
        except SudoRefusedError:
            self._sudo.forget(password)
            raise AuthenticationError(
                f"sudo refused {ATTEMPTS} passwords",
                fix="make sure it is the password of the login itself, not root's",
                host=self.name,
                command=invocation.argv,
            ) from None

    def put(self, data: bytes | Path, path: str, *, mode: int = 0o600, sudo: bool = False) -> None:
        """Write `data` (or the local file) to `path` there, atomically."""
        content = data.read_bytes() if isinstance(data, Path) else data
        argv = put_argv(path, mode, len(content))
        done = self.run(Invocation(argv, stdin=content, timeout=TRANSFER_LIMIT, sudo=sudo))
        if not done.ok:
            raise self._file_error(f"could not write {path}", done)

    def get(self, path: str, *, sudo: bool = False) -> bytes:
        """Return the content of the file `path` there."""
        argv = ("cat", as_operand(path))
        done = self.run(Invocation(argv, timeout=TRANSFER_LIMIT, sudo=sudo))
        if not done.ok:
            raise self._file_error(f"could not read {path}", done)
        if done.truncated:
            raise KubertError(f"{path} is larger than can be fetched at once", host=self.name)
        return done.stdout

    def _once(self, invocation: Invocation, sudo: bool, password: Secret | None) -> Completed:
        wrapped = wrap(invocation, sudo=sudo)
        execution = Execution(self.name, self._pipes(wrapped.argv), wrapped, invocation, password)

        def end_group(group: int) -> None:
            argv = end_group_argv(group, GRACE)
            ender = Invocation(argv, timeout=GRACE + 10)
            self._once(ender, sudo, password)

        try:
            return execution.run(end_group)
        except NotStartedError as error:
            raise self._not_started(replace(invocation, stdin=b""), sudo, error) from None

    def _not_started(
        self, invocation: Invocation, sudo: bool, error: NotStartedError
    ) -> KubertError:
        if sudo and error.exit_status == 127:
            return ToolMissingError(
                "sudo is not installed",
                fix="install sudo, log in as root, or set `sudo: no` for this host",
                host=self.name,
                command=invocation.argv,
                details=error.details,
            )
        if sudo:
            return AuthenticationError(
                "sudo does not let this login run commands",
                fix="add the login to the sudoers, or log in as root",
                host=self.name,
                command=invocation.argv,
                details=error.details,
                exit_status=error.exit_status,
            )
        return UnreachableError(
            "the login works but does not run commands",
            fix="give the login a normal shell (see `getent passwd`), or use another login",
            host=self.name,
            command=invocation.argv,
            details=error.details,
            exit_status=error.exit_status,
        )

    def _file_error(self, what: str, done: Completed) -> KubertError:
        from_host = last_lines(done.stderr, 3)
        return KubertError(
            f"{what}: {from_host}" if from_host else what,
            fix="look at the path, its permissions and the free space there",
            host=self.name,
            command=done.argv[-4:] if done.argv[0] == "/bin/sh" else done.argv,
            exit_status=done.exit_status,
        )
