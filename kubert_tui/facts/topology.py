"""The topology of a host from its facts, as CPU plans are made of it."""

from kubert_tui.cpus.topology import Topology
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Facts


def topology_of(facts: Facts) -> Fact[Topology]:
    """Return the host's topology; unknown with the reason where its CPUs are.

    Network cards that could not be read are taken for none: they only decide where a second
    housekeeping core is worth it.
    """
    cpus = facts.processors.topology
    if isinstance(cpus, Unknown):
        return cpus
    return Known(Topology(cpus.value, frozenset(cards_of(facts))))


def cards_of(facts: Facts) -> dict[int, tuple[str, ...]]:
    """Return the names of the network cards on each NUMA node that has some."""
    found: dict[int, list[str]] = {}
    if isinstance(facts.network, Known):
        for card in facts.network.value:
            if card.node is not None:
                found.setdefault(card.node, []).append(card.name)
    return {node: tuple(sorted(found[node])) for node in sorted(found)}
