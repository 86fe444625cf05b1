"""Where our files lie (XDG), and how they are written: privately and whole."""

import os
import stat
import tempfile
from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs(appname="kubert-tui", appauthor=False)


def private_directory(path: Path) -> Path:
    """Make `path` (and its parents) if need be, readable by its owner only; return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def state() -> Path:
    """Journals, results, our known_hosts: kept, private (0700)."""
    return private_directory(_DIRS.user_state_path)


def config() -> Path:
    """Lab files that the wizard writes."""
    return private_directory(_DIRS.user_config_path)


def cache() -> Path:
    """What can be built or fetched again: rt-tests sources and builds."""
    return private_directory(_DIRS.user_cache_path)


def runs() -> Path:
    """One directory per run: journal, logs and stored measurements."""
    return private_directory(state() / "runs")


def imported() -> Path:
    """Results of others that were imported, one file each."""
    return private_directory(state() / "imported")


def known_hosts() -> Path:
    """Our own known_hosts: the one paramiko, Ansible and libvirt read."""
    return state() / "known_hosts"


def write_private(path: Path, data: str | bytes) -> None:
    """Write `data` to `path` as 0600, so that a reader sees the old file or the new one whole."""
    if not path.parent.exists():
        private_directory(path.parent)
    _write(path, data, 0o600)


def write_public(path: Path, data: str | bytes) -> None:
    """Write `data` to `path` with the mode that any new file gets, whole or not at all.

    For what somebody else reads meanwhile: a collector of metrics, a web server.
    """
    umask = os.umask(0)
    os.umask(umask)
    if path.exists() and not path.is_file():
        # A pipe or a terminal: it cannot be replaced.
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    else:
        _write(path.resolve(), data, 0o666 & ~umask)


def rewrite(path: Path, data: str | bytes) -> None:
    """Write a file that is there anew, whole or not at all; mode and owner stay as they are."""
    like = path.stat()
    owner = (like.st_uid, like.st_gid)
    _write(path, data, stat.S_IMODE(like.st_mode), owner if owner != _ourselves() else None)


def _ourselves() -> tuple[int, int]:
    return os.geteuid(), os.getegid()


def _write(path: Path, data: str | bytes, mode: int, owner: tuple[int, int] | None = None) -> None:
    whole = data.encode() if isinstance(data, str) else data
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            file.write(whole)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
