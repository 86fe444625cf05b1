"""The private directory of one Ansible run, and what must not outlive the run.

Everything a run starts carries the directory's path in one environment variable: that finds
Ansible's workers and ssh's masters again, which leave their process group on purpose.
"""

import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kubert_tui.base.errors import ChangeError

MARK = "KUBERT_TUI_ANSIBLE_RUN"
"""Environment variable that every process of a run carries; its value is the directory."""

_PREFIX = "kubert-ansible-"
_LONGEST_BASE = 50
"""Characters: below it, ssh's control sockets fit into the 108 bytes of a socket's path."""
_GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""
_SHARED_MEMORY = b"_ANSIBLE_SSH_ASKPASS_SHM="


@contextmanager
def workspace() -> Iterator[Path]:
    """Make a private directory (0700) for one run; remove it, and what still runs there, after.

    Directories of runs whose kubert-tui was killed are removed on the way.
    """
    base = _base()
    sweep(base)
    try:
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
    except OSError as error:
        raise ChangeError(
            f"no private directory could be made in {base}: {error.strerror}",
            fix="make room there, or set XDG_RUNTIME_DIR to a directory of yours",
        ) from error
    lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory
    finally:
        # Nothing is left after a run that went well, but for what it was told to leave
        # running on this machine: only a directory that is still there means trouble.
        if directory.exists():
            end_processes(directory)
            shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def sweep(base: Path) -> None:
    """Remove directories in `base` whose run is dead (nobody holds the lock), and end its rest."""
    for stale in base.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if stale.is_symlink() or stale.stat().st_uid != os.geteuid():
                continue
            descriptor = os.open(stale, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                end_processes(stale)
                shutil.rmtree(stale, ignore_errors=True)
            finally:
                os.close(descriptor)


def end_processes(directory: Path) -> None:
    """End every process of the run in `directory` but this one: politely, then for good.

    Also removes the shared memory in which Ansible hands a password to ssh, should the
    process that was to remove it be among the ended. Raises nothing.
    """
    memories = set[str]()
    deadline = time.monotonic() + _GRACE
    told = set[int]()
    while processes := _processes(directory):
        late = time.monotonic() > deadline
        for pid, environment in processes.items():
            memories |= _memories(environment)
            if late or pid not in told:
                told.add(pid)
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        if time.monotonic() > deadline + _GRACE:
            break
        time.sleep(0.05)
    for name in memories:
        Path("/dev/shm", name).unlink(missing_ok=True)  # noqa: S108


def _base() -> Path:
    candidates = [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"]  # noqa: S108
    for candidate in candidates:
        path = Path(candidate)
        if (
            candidate
            and path.is_absolute()
            and len(candidate) <= _LONGEST_BASE
            and os.access(path, os.W_OK | os.X_OK)
        ):
            return path
    return Path("/tmp")  # noqa: S108


def _processes(directory: Path) -> dict[int, bytes]:
    mark, path = f"{MARK}={directory}".encode(), f"{directory}/".encode()
    found = dict[int, bytes]()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                environment = (entry / "environ").read_bytes()
                # ssh's masters write their title, which has the path, over their environment.
                marked = (
                    mark in environment.split(b"\0") or path in (entry / "cmdline").read_bytes()
                )
                if marked and not _is_zombie(entry):
                    found[int(entry.name)] = environment
    return found


def _is_zombie(entry: Path) -> bool:
    # The state follows the name, which is in parentheses and may hold anything.
    return (entry / "stat").read_bytes().rpartition(b") ")[2][:1] in (b"Z", b"X")


def _memories(environment: bytes) -> set[str]:
    names = {
        item.removeprefix(_SHARED_MEMORY).decode(errors="replace").lstrip("/")
        for item in environment.split(b"\0")
        if item.startswith(_SHARED_MEMORY)
    }
    return {name for name in names if name and "/" not in name}
