"""Which driver makes which kind of machines."""

from kubert_tui.practice.containers import Containers
from kubert_tui.practice.driver import Driver
from kubert_tui.practice.model import Kind
from kubert_tui.practice.node_containers import NodeContainers


def driver_of(kind: Kind) -> Driver:
    """Return the driver of a kind."""
    if kind is Kind.CONTAINERS:
        return Containers()
    if kind is Kind.NODES:
        return NodeContainers()
    # Imported where it is used: the other kind need not even be loadable.
    from kubert_tui.practice.virtual import Virtual  # noqa: PLC0415

    return Virtual()
