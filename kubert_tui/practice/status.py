"""How a practice lab stands, as faces show it."""

import shlex
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kubert_tui.practice.model import Kind


class Standing(StrEnum):
    """Whether there is a practice lab."""

    ABSENT = "absent"
    OFF = "off"
    """It is there, but not all of it runs and answers."""
    UP = "up"


@dataclass(frozen=True, slots=True)
class MachineStatus:
    """One machine."""

    name: str
    address: str
    port: int
    running: bool
    answers: bool
    """Whether root gets in with the lab's key."""
    console: Path


@dataclass(frozen=True, slots=True)
class Status:
    """One lab."""

    kind: Kind
    name: str
    exists: bool
    machines: tuple[MachineStatus, ...]
    lab_file: Path | None
    """None where it has not been written."""
    key: Path
    password: Path
    """The file with `engineer`'s password."""
    known_hosts: Path
    image_built: bool
    """Whether `up` finds the image of the present recipe in the cache."""
    cache: Path

    @property
    def standing(self) -> Standing:
        """Return it in one word."""
        if not self.exists:
            return Standing.ABSENT
        whole = bool(self.machines) and self.lab_file is not None
        return Standing.UP if whole and all(one.answers for one in self.machines) else Standing.OFF

    def engineer_password(self) -> str | None:
        """Return the password of `engineer`; None where there is none, or not for us to read."""
        try:
            return self.password.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return None

    def ssh(self, machine: MachineStatus, command: tuple[str, ...] = ()) -> list[str]:
        """Return the ssh command that logs in as root, or runs `command` there."""
        options = ["-i", str(self.key), "-o", "IdentitiesOnly=yes", "-o",
                   f'UserKnownHostsFile="{self.known_hosts}"', "-p", str(machine.port)]  # fmt: skip
        # ssh joins its arguments with blanks and leaves the rest to the shell there. A single one
        # is taken for a line of shell, as by ssh itself; several arrive as they are.
        remote = [*command] if len(command) < 2 else [shlex.join(command)]
        return ["ssh", *options, f"root@{machine.address}", *remote]
