"""Which programs are needed here, and how to get those that are missing."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kubert_tui.base.errors import KubertError, ToolMissingError

SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Not on everybody's PATH, but where half of what we need lives."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program (or a file, by its path) that is needed here, and the packages that bring it."""

    program: str
    debian: str
    fedora: str


def missing(tools: Sequence[Tool]) -> list[Tool]:
    """Return those that are not here, in order."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *SBIN))
    return [
        tool
        for tool in tools
        if not (
            Path(tool.program).exists()
            if tool.program.startswith("/")
            else shutil.which(tool.program, path=path)
        )
    ]


def require_root() -> None:
    """Raise KubertError unless we are root: namespaces, mounts and disks need it."""
    if os.geteuid() != 0:
        raise KubertError(
            "the practice lab needs root: it makes namespaces, networks and disks",
            fix="start kubert-tui with sudo, also later for working on the practice lab",
        )


def refuse_missing(tools: Sequence[Tool], whose: str = "the practice lab") -> None:
    """Raise ToolMissingError naming the packages if `tools`, those missing, is not empty."""
    if not tools:
        return
    names = ", ".join(Path(tool.program).name for tool in tools)
    raise ToolMissingError(
        f"{whose} needs {names}, not installed on this computer",
        fix=_install_command(tools),
    )


def _install_command(tools: Sequence[Tool]) -> str:
    debian = " ".join(dict.fromkeys(tool.debian for tool in tools))
    fedora = " ".join(dict.fromkeys(tool.fedora for tool in tools))
    return f"Debian: apt-get install {debian}; Fedora: dnf install {fedora}"
