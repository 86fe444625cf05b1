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


def known_hosts() -> Path:
    """Our own known_hosts: the one paramiko, Ansible and libvirt read."""
    return state() / "known_hosts"


def write_private(path: Path, data: str | bytes) -> None:
    """Write `data` to `path` as 0600, so that a reader sees the old file or the new one whole."""
    if not path.parent.exists():
        private_directory(path.parent)
    _replace(path, data)


def rewrite(path: Path, data: str | bytes) -> None:
    """Write a file that is there anew, whole or not at all; mode and owner stay as they are."""
    _replace(path, data, like=path.stat())


def _replace(path: Path, data: str | bytes, like: os.stat_result | None = None) -> None:
    content = data.encode() if isinstance(data, str) else data
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if like is not None:
                if (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(file.fileno(), like.st_uid, like.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(like.st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
