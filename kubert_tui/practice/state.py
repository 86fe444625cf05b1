"""What one practice lab keeps on this computer while it exists: a directory, and what is in it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from kubert_tui.practice.model import MACHINES


@dataclass(frozen=True, slots=True)
class LabDirectory:
    """The state directory of one lab (0700), with the names of everything the lab has.

    All names follow from the directory, so that what a crash left can be found and removed even
    if nothing was written down. The keys and the password are there before a driver is called.
    """

    path: Path
    name: str
    """What the lab is called, in its file and on the command line."""
    machines: tuple[str, ...] = MACHINES

    @property
    def tag(self) -> str:
        """Eight characters, `k` and hex, that only this directory has.

        For what is known machine-wide: namespaces, interfaces (of at most 15 characters), units.
        """
        return "k" + hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:7]

    def of(self, machine: str) -> Path:
        """The directory of one machine: disk, console, process numbers. The driver makes it."""
        return self.path / machine

    @property
    def user_key(self) -> Path:
        """The ed25519 key that logs in as root and as `engineer` (0600); `.pub` beside it."""
        return self.path / "key"

    def host_key(self, machine: str) -> Path:
        """The machine's ed25519 host key (0600), to be its only one; `.pub` beside it."""
        return self.path / f"{machine}.host-key"

    @property
    def password(self) -> Path:
        """The file (0600, no newline) with the password of `engineer`, who may sudo with it."""
        return self.path / "engineer.password"
