"""A real OpenSSH server on loopback for tests, with keys and configuration of its own.

Usage, in a lab test (`pytestmark = pytest.mark.lab`)::

    from tests.support.sshd import Answers, start_sshd

    with start_sshd(tmp_path / "alpha") as server:
        spec = server.spec("alpha")                    # a HostSpec that reaches it
        host = connect(spec, Lab(hosts=(spec,)), Answers(accept_host_keys=True))

The login is the user that runs the tests (root in most containers), with the key
`server.identity`. `throwaway_user` makes a system user with a password, for password and
sudo tests; it skips the test if we are not root. What a server does to a connection:
`kill_connections()`, `freeze()`/`thaw()` (SIGSTOP: half open), `change_host_key()`.

Nothing here touches the user's `~/.ssh` (tests/conftest.py gives each test a HOME of its own).
"""

import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import pytest

from kubert_tui.base.secrets import Secret
from kubert_tui.hosts.interface import HostKeyOffer
from kubert_tui.lab.model import HostSpec

PROGRAM = Path("/usr/sbin/sshd")
_START_LIMIT = 20.0


@dataclass
class Answers:
    """An `Asker` that answers from what it was given, and counts what it was asked."""

    accept_host_keys: bool = False
    passwords: list[str] = field(default_factory=list)
    """Login passwords, one per question; None to each question after the last."""
    passphrases: list[str] = field(default_factory=list)
    sudo_passwords: list[str] = field(default_factory=list)
    offers: list[HostKeyOffer] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """`password HOST`, `passphrase FILE` and `sudo HOST`, in order."""

    def accept_host_key(self, offer: HostKeyOffer) -> bool:
        self.offers.append(offer)
        return self.accept_host_keys

    def password(self, host: str, prompt: str) -> Secret | None:
        return self._next(f"password {host}", self.passwords)

    def passphrase(self, host: str, key_file: str) -> Secret | None:
        return self._next(f"passphrase {key_file}", self.passphrases)

    def sudo_password(self, host: str, prompt: str) -> Secret | None:
        return self._next(f"sudo {host}", self.sudo_passwords)

    def _next(self, question: str, answers: list[str]) -> Secret | None:
        self.asked.append(question)
        return Secret(answers.pop(0)) if answers else None


@dataclass(frozen=True)
class SystemUser:
    """A throw-away user of this machine."""

    name: str
    password: str
    home: Path


class Sshd:
    """A running server. Also a context manager that stops it."""

    def __init__(self, directory: Path, port: int, extra: tuple[str, ...]) -> None:
        self.directory = directory
        self.port = port
        self.identity = directory / "identity"
        """Private key that may log in."""
        self._extra = extra
        self._process: subprocess.Popen[bytes] | None = None
        self._strays: list[int] = []

    def spec(self, name: str, **changes: object) -> HostSpec:
        """Return a HostSpec that reaches this server; `changes` are its other fields."""
        fields: dict[str, object] = {
            "name": name,
            "address": "127.0.0.1",
            "port": self.port,
            "user": getpass.getuser(),
            "identity_file": str(self.identity),
        }
        return HostSpec.model_validate(fields | changes)

    def host_key(self, kind: str = "ed25519") -> tuple[str, str]:
        """Return type and base64 of the server's public host key."""
        first, second, *_ = (self.directory / f"host_{kind}.pub").read_text().split()
        return first, second

    def known_hosts_line(self, kind: str = "ed25519") -> str:
        """Return the line about this server that a known_hosts file would have."""
        return f"[127.0.0.1]:{self.port} {' '.join(self.host_key(kind))}\n"

    def start(self) -> None:
        """Start (again) on the same port; returns when it accepts connections."""
        config = self.directory / "sshd_config"
        kinds = [path.with_suffix("") for path in sorted(self.directory.glob("host_*.pub"))]
        lines = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            *(f"HostKey {key}" for key in kinds),
            f"AuthorizedKeysFile {self.directory}/authorized_keys .ssh/authorized_keys",
            "PidFile none",
            "StrictModes no",
            "UsePAM no",
            "PermitRootLogin yes",
            "LogLevel VERBOSE",
            "MaxStartups 100",
            # A nested shell reads no ~/.bashrc: what the tester has in there is not our subject,
            # and a connection cut in the middle of it can leave things behind.
            # Each server stands for a host of its own, with a lock of its own.
            f"SetEnv SHLVL=2 KUBERT_TUI_LOCK_DIRECTORY={self.directory}/lock",
            *self._extra,
        ]
        config.write_text("\n".join(lines) + "\n")
        log = self.directory / "log"
        self._process = subprocess.Popen(
            [str(PROGRAM), "-D", "-f", str(config), "-E", str(log)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + _START_LIMIT
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"sshd did not start:\n{log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server, its connections and the commands in them. Idempotent."""
        if self._process is None:
            return
        family = [*_descendants(self._process.pid), *self._strays]
        self._process.kill()
        self._process.wait()
        _signal(family, signal.SIGKILL)
        self._strays.clear()
        self._process = None

    def kill_connections(self) -> None:
        """Cut all connections; the server goes on listening, and what runs goes on running."""
        family = _descendants(self._pid)
        servers = [process for process in family if _is_sshd(process)]
        self._strays += [process for process in family if process not in servers]
        _signal(servers, signal.SIGKILL)

    def freeze(self) -> None:
        """Stop answering on all connections, without closing them."""
        _signal(filter(_is_sshd, [self._pid, *_descendants(self._pid)]), signal.SIGSTOP)

    def thaw(self) -> None:
        """Undo `freeze`."""
        _signal(filter(_is_sshd, [self._pid, *_descendants(self._pid)]), signal.SIGCONT)

    def change_host_key(self) -> None:
        """Come back on the same port with other host keys."""
        self.stop()
        for path in self.directory.glob("host_*"):
            path.unlink()
        _make_key(self.directory / "host_ed25519", "ed25519")
        self.start()

    @property
    def _pid(self) -> int:
        assert self._process is not None, "sshd is not running"
        return self._process.pid

    def __enter__(self) -> "Sshd":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start_sshd(
    directory: Path, *, host_keys: tuple[str, ...] = ("ed25519",), extra: tuple[str, ...] = ()
) -> Sshd:
    """Start a server that keeps all its files in `directory` (made if need be).

    `host_keys` are key types for ssh-keygen; `extra` are lines for sshd_config, which come
    last (sshd takes the first value of most keywords, so they add and do not replace).
    Skips the test if there is no OpenSSH server.
    """
    if not PROGRAM.exists():
        pytest.skip("no OpenSSH server (apt: openssh-server) on this machine")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    directory.mkdir(parents=True, exist_ok=True)
    for kind in host_keys:
        _make_key(directory / f"host_{kind}", kind)
    _make_key(directory / "identity", "ed25519")
    shutil.copy(directory / "identity.pub", directory / "authorized_keys")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = Sshd(directory, port, extra)
    server.start()
    return server


@contextmanager
def throwaway_user(*, sudoers: str = "") -> Iterator[SystemUser]:
    """Make a user with a password, and remove it afterwards. Skips unless root.

    `sudoers` is what it may do, such as `ALL=(ALL) ALL` or `ALL=(ALL) NOPASSWD: ALL`.
    """
    if os.geteuid() != 0:
        pytest.skip("needs root, to make a user")
    name = f"kubert{secrets.token_hex(4)}"
    user = SystemUser(name, secrets.token_urlsafe(12), Path("/home") / name)
    rules = Path("/etc/sudoers.d") / name
    subprocess.run(["useradd", "-m", "-d", user.home, "-s", "/bin/bash", name], check=True)
    try:
        subprocess.run(
            ["chpasswd"], input=f"{name}:{user.password}".encode(), check=True, timeout=30
        )
        if sudoers:
            kept = f'Defaults:{name} env_keep += "KUBERT_TUI_LOCK_DIRECTORY"\n'
            rules.write_text(f"{kept}{name} {sudoers}\n")
            rules.chmod(0o440)
        yield user
    finally:
        rules.unlink(missing_ok=True)
        subprocess.run(["userdel", "-r", "-f", name], check=False, capture_output=True)


def make_key(path: Path, *, kind: str = "ed25519", passphrase: str = "") -> Path:
    """Make a private key at `path` (and `path`.pub); return `path`."""
    _make_key(path, kind, passphrase)
    return path


def is_alive(process: int) -> bool:
    """Whether a process of this machine runs (a zombie does not)."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def _make_key(path: Path, kind: str, passphrase: str = "") -> None:
    path.unlink(missing_ok=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path)],
        check=True,
        stdin=subprocess.DEVNULL,
    )


def _descendants(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found: list[int] = []
    waiting = [root]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def _is_sshd(process: int) -> bool:
    """Whether it is a part of sshd, and not a command that sshd runs."""
    try:
        return Path(f"/proc/{process}/comm").read_text().startswith("sshd")
    except OSError:
        return False


def _signal(processes: Iterable[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)
