"""Measures on hosts and in their virtual machines: all at once, or a layer after the other."""

from kubert_tui.stages.measure_change import MeasureChange
from kubert_tui.stages.model import Work


class LadderChange(MeasureChange):
    """`MeasureChange`, in the order that the lab file asks for."""

    __slots__ = ()

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        """Measure; with `order: layers` the machines' turn comes when the hosts' results stand."""
        if work.lab.ladder.order == "together":
            MeasureChange.apply(self, work, hosts)
            return
        guests = tuple(name for name in hosts if work.lab.parent_of(name))
        for layer in (tuple(name for name in hosts if name not in guests), guests):
            MeasureChange.apply(self, work, layer)
