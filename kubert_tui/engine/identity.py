"""Who we are to hosts on which others work, too."""

import getpass
import hashlib
import os
import re
import secrets
import socket
from pathlib import Path

from kubert_tui.base.errors import KubertError
from kubert_tui.base.paths import state, write_private
from kubert_tui.base.text import clean_line

_ID = re.compile(r"[0-9a-f]{32}")
_MACHINE = Path("/etc/machine-id")


def lock_token(lab: str, lab_file: str) -> str:
    """Return the token of this installation's sessions of one lab, 32 hex digits.

    It is the same again after a kill and a new start. Of one lab there is one session on this
    computer (`engine.lock`); a home directory that two computers share is two installations.
    """
    parts = (_installation(), _machine(), lab, lab_file)
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()[:32]


def operator() -> str:
    """Return `user@computer`, for the other operators."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return clean_line(f"{user}@{socket.gethostname()}", limit=60)


def _installation() -> str:
    """Return the random id that is kept with our state, making it at the first start."""
    path = state() / "installation"
    try:
        if not (path.exists() and _ID.fullmatch(path.read_text(errors="replace").strip())):
            _make(path)
        return path.read_text(errors="replace").strip()
    except OSError as error:
        raise KubertError(
            f"{path} cannot be written: {error.strerror}",
            fix="make room on this computer's disk, or see who owns the directory",
        ) from error


def _make(path: Path) -> None:
    """Write a new id; of several starts at once one wins, and all read the same."""
    fresh = path.with_name(f"{path.name}-{secrets.token_hex(4)}")
    write_private(fresh, secrets.token_hex(16))
    try:
        if path.exists():
            fresh.replace(path)
        else:
            path.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink(missing_ok=True)


def _machine() -> str:
    try:
        return _MACHINE.read_text(errors="replace").strip()
    except OSError:
        return ""
