"""What a practice lab is: machines of one kind, built from a recipe, run from copies of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Event as Flag
from typing import Protocol

from kubert_tui.base import paths
from kubert_tui.base.errors import CancelledError


class Kind(StrEnum):
    """What the machines are."""

    CONTAINERS = "containers"
    """systemd-nspawn: seconds to start, native speed, this computer's kernel."""
    VIRTUAL = "virtual"
    """QEMU: a disk, GRUB, kernels and a power button of their own."""
    NODES = "nodes"
    """Like containers, and kubelet runs in them: Kubernetes nodes."""


NAMES = {
    Kind.CONTAINERS: "practice",
    Kind.NODES: "practice-nodes",
    Kind.VIRTUAL: "practice-virtual",
}
"""What the lab of each kind is called, on the command line and in its file."""

MACHINES = ("bull1", "bull2")
"""The twins."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far building or starting has come."""

    step: str
    """What is done now: `unpacking packages`, `waiting for bull1 to answer`."""
    done: float
    """From 0 to 1."""
    remaining: float | None
    """Seconds, from earlier builds or measured so far; None when nobody can know."""


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Order:
    """Who is told of progress, and how the work is called off."""

    on_progress: OnProgress
    cancel: Flag

    def stop_if_cancelled(self) -> None:
        """Raise CancelledError once it was called off."""
        if self.cancel.is_set():
            raise CancelledError("building the practice lab was cancelled")


@dataclass(frozen=True, slots=True)
class Places:
    """Where a practice lab keeps what. Tests give their own."""

    cache: Path
    """Images, by recipe: shared by all labs, kept by `down`."""
    state: Path
    """One directory per lab: keys, disks, addresses, process numbers. `down` removes it."""
    labs: Path
    """Where the lab file NAME.yaml is written."""
    known_hosts: Path
    """Gets the machines' host keys, which we made ourselves; `down` takes them out."""

    @classmethod
    def of_user(cls) -> "Places":
        """Return the user's own (XDG)."""
        return cls(
            cache=paths.cache() / "practice",
            state=paths.state() / "practice",
            labs=paths.config() / "labs",
            known_hosts=paths.known_hosts(),
        )


class Machine(Protocol):
    """One throw-away machine, seen from this computer: what a person standing at it can do."""

    @property
    def name(self) -> str:
        """Its host name, and its name in the lab file."""

    @property
    def address(self) -> str:
        """Where its sshd listens."""

    @property
    def port(self) -> int:
        """The port there."""

    @property
    def console(self) -> Path:
        """The file that its console is written to."""

    def running(self) -> bool:
        """Whether it is switched on."""

    def start(self) -> None:
        """Switch it on; returns at once."""

    def cut_power(self) -> None:
        """Take the power away. Its disk keeps what was written."""

    def reset(self) -> None:
        """Press the reset button: like `cut_power` and `start`."""

    def drop_packets(self, drop: bool) -> None:
        """Make the network swallow everything both ways (nothing is refused), or mend it."""
