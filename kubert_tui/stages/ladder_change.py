"""Measures on hosts and in their virtual machines: all at once, or a layer after the other."""

from kubert_tui.stages.measure_change import MeasureChange
from kubert_tui.stages.model import Work

_LAYERS = ("host", "guest", "pod")


class LadderChange(MeasureChange):
    """`MeasureChange`, in the order that the lab file asks for."""

    __slots__ = ()

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        """Measure; with `order: layers` a layer's turn comes when the results beneath stand."""
        if work.lab.ladder.order == "together":
            self.measure(work, hosts)
            return
        for layer in _LAYERS:
            self.measure(work, tuple(one for one in hosts if work.lab.layer_of(one) == layer))

    def measure(self, work: Work, hosts: tuple[str, ...]) -> None:
        """Measure on all of them at once."""
        MeasureChange.apply(self, work, hosts)
