"""What the wizard asks of practice labs: how they stand, up, down. Nothing else."""

from typing import Protocol

from kubert_tui.lab.model import Lab
from kubert_tui.practice.model import Kind, Order
from kubert_tui.practice.status import Status


class PracticeLabs(Protocol):
    """Both kinds of them. Every method may block and raise KubertError or OSError."""

    def look(self, kind: Kind) -> Status:
        """Return how it stands."""

    def up(self, kind: Kind, order: Order) -> Lab:
        """Make it, or switch on what is off; return its lab."""

    def down(self, kind: Kind, order: Order) -> None:
        """Remove it and all that belongs to it; what was built once stays in the cache."""
