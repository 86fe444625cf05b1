"""One kubert-tui per lab on this computer. The kernel drops the lock with the process."""

import fcntl
import os
import re
from pathlib import Path

from kubert_tui.base.errors import BusyError
from kubert_tui.base.paths import private_directory, state


class LabLock:
    """Held from construction to `release`; BusyError if another process holds it."""

    def __init__(self, lab: str, lab_file: str) -> None:
        name = re.sub(r"[^A-Za-z0-9.-]", "_", f"{lab}{lab_file}")[-120:]
        path = private_directory(state() / "locks") / f"{name}.lock"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _owner(path)
            os.close(self._descriptor)
            raise BusyError(
                f"the lab {lab} is being worked on by another kubert-tui{owner}",
                fix="use that one, or close it and start again: nothing will be lost",
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, str(os.getpid()).encode())

    def release(self) -> None:
        """Let go. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _owner(path: Path) -> str:
    pid = path.read_text(errors="replace").strip()
    return f" (process {pid})" if pid.isdigit() else ""
