"""An ssh-agent of our own for one run: encrypted keys, opened by ssh-add at a terminal prompt."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pexpect  # type: ignore[import-untyped]

from kubert_tui.base.errors import AuthenticationError, ToolMissingError
from kubert_tui.base.text import clean_line

_PATIENCE = 20.0
"""Seconds for the agent to listen, and for ssh-add to take a key."""


@contextmanager
def key_agent(
    socket: Path, passphrases: Mapping[str, str], environment: Mapping[str, str]
) -> Iterator[None]:
    """Run an agent on `socket` that holds the keys in `passphrases` (by file) while inside.

    Without passphrases nothing is started. Raises AuthenticationError for a passphrase that
    does not open its key, ToolMissingError without OpenSSH's programs.
    """
    if not passphrases:
        yield
        return
    try:
        agent = subprocess.Popen(
            ["ssh-agent", "-D", "-a", str(socket)],  # noqa: S607
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise ToolMissingError(
            "ssh-agent is not installed", fix="install OpenSSH's client"
        ) from error
    try:
        _wait_for(socket, agent)
        for file, passphrase in passphrases.items():
            _add(file, passphrase, {**environment, "SSH_AUTH_SOCK": str(socket)})
        yield
    finally:
        agent.terminate()
        agent.wait()


def _wait_for(socket: Path, agent: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not socket.exists():
        if agent.poll() is not None or time.monotonic() > deadline:
            raise AuthenticationError("ssh-agent did not start", command=("ssh-agent", "-D"))
        time.sleep(0.02)


def _add(file: str, passphrase: str, environment: dict[str, str]) -> None:
    path = str(Path(file).expanduser())
    command = ("ssh-add", path)
    try:
        # `--`: a file name is never an option. ssh-add asks at its terminal, where only we are.
        ssh_add = pexpect.spawn(
            "ssh-add",
            ["--", path],
            env=environment,
            timeout=_PATIENCE,
            echo=False,
            encoding="utf-8",
            codec_errors="replace",
        )
    except pexpect.ExceptionPexpect as error:
        raise ToolMissingError(
            "ssh-add is not installed", fix="install OpenSSH's client"
        ) from error
    try:
        if ssh_add.expect([r"Enter passphrase for .*: ?$", pexpect.EOF]) == 0:
            ssh_add.sendline(passphrase)
            if ssh_add.expect([r"Bad passphrase", pexpect.EOF]) == 0:
                raise AuthenticationError(f"the passphrase does not open {path}", command=command)
        said = clean_line(ssh_add.before or "")
    except pexpect.TIMEOUT:
        raise AuthenticationError(f"ssh-add did not take {path} in time", command=command) from None
    finally:
        ssh_add.close(force=True)
    if ssh_add.exitstatus != 0:
        raise AuthenticationError(f"ssh-add refused {path}: {said}", command=command)
