"""What each kind of practice machine brings: an image built once, and machines run from it.

`practice.lab` does the rest for all kinds alike: lock, cache, keys, waiting for ssh, known_hosts,
lab file. It calls a driver in this order:

    up:    missing → (image not in the cache: build) → create → machines → start those not running
    down:  destroy

Any of these may have been cut off by a kill -9 at any point before, and may be called again.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from kubert_tui.practice.model import Kind, Machine
from kubert_tui.practice.pace import Pace, Step
from kubert_tui.practice.state import LabDirectory
from kubert_tui.practice.tools import Tool

__all__ = ["ENGINEER", "Driver", "Tool"]

ENGINEER = "engineer"
"""The plain user of every machine: the lab's key logs in, `sudo` asks for the password."""


class Driver(Protocol):
    """One kind of machines. Its methods raise KubertError."""

    @property
    def kind(self) -> Kind:
        """What the machines are."""

    @property
    def build_steps(self) -> Sequence[Step]:
        """The steps of `build`, in order, as it begins them."""

    def missing(self) -> list[Tool]:
        """Which programs are not here. Empty: `build` and `create` will find what they need."""

    def recipe(self) -> str:
        """Everything that the image depends on, as text: same text, same image."""

    def build(self, target: Path, pace: Pace) -> None:
        """Fill `target`, an empty directory, with the image. Long; `pace` may cancel it.

        It is renamed into the cache when this returns and never written to afterwards; what is
        inside must not depend on where it lies.
        """

    def discard(self, target: Path) -> None:
        """Undo what an interrupted `build` may have left beyond files.

        Mounts below `target`, loop devices, processes. The caller removes the directory.
        """

    def create(self, lab: LabDirectory, image: Path) -> None:
        """Bring about all but the running machines: networks and copies of the image.

        Copies that are there are kept. In them are the lab's public key for root and `engineer`,
        the host key, and `engineer`'s password. Called at every `up`, also after this computer
        restarted or while machines are running.
        """

    def machines(self, lab: LabDirectory) -> tuple[Machine, ...]:
        """Return the machines in order. Changes nothing; empty if `create` never got through."""

    def destroy(self, lab: LabDirectory) -> None:
        """Switch all off and undo what `create` and `start` did, whatever state that is in.

        Only files may stay: the caller removes the lab's directory. Idempotent.
        """
