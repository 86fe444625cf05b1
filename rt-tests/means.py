"""What getting and building works with: programs, downloads, progress, cancel."""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from typing import Protocol

from kubert_tui.base import download
from kubert_tui.rt_tests.processes import OnLine, Run, run

_SIZE_LIMIT = 20 * 1024 * 1024
"""Bytes; rt-tests archives are under 200 kB, anything near this is not one."""


class Download(Protocol):
    """How a file is fetched; tests pass a scripted one."""

    def __call__(self, address: str, target: Path, cancel: Flag) -> None:
        """Write what lies at `address` to `target`."""


def fetch(address: str, target: Path, cancel: Flag) -> None:
    """Write what lies at the https `address` to `target`, as `base.download` says."""
    download.download(address, target, cancel, limit=_SIZE_LIMIT)


@dataclass(frozen=True, slots=True)
class Means:
    """Handed down to every place a source may come from; tests script `run` and `download`."""

    on_line: OnLine
    cancel: Flag
    run: Run = field(default=run)
    download: Download = field(default=fetch)
