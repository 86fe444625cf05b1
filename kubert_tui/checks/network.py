"""Checks of the network cards."""

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import Verdict, failed, ok, unknown, warning
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Facts, NetworkCard
from kubert_tui.lab.model import Lab

_SLOW = 1000
"""Mbit/s below which a physical card is worth a warning."""


def _cards(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.network
    if isinstance(fact, Unknown):
        return unknown("The network cards", fact)
    if not fact.value:
        return failed("There is no network card.", "Check the cards and their drivers.")
    # A bridge or bond carries the address while the card beneath has the driver.
    real = [card for card in fact.value if card.driver]
    if not real:
        return warning(
            f"Only virtual interfaces: {', '.join(card.name for card in fact.value[:4])}.",
            "Fine in a container; on a machine of its own check the drivers.",
        )
    slow = [card for card in real if card.speed_mbit is not None and card.speed_mbit < _SLOW]
    said = ", ".join(_describe(card) for card in real[:6])
    if slow:
        names = ", ".join(card.name for card in slow)
        return warning(f"{said}: {names} is slow.", "Check cable and switch port.")
    if not any(card.addresses for card in fact.value):
        return warning(f"{said}: none has an address.", "Configure the network.")
    return ok(f"{said}.")


def _describe(card: NetworkCard) -> str:
    speed = "no link" if card.speed_mbit is None else f"{card.speed_mbit / 1000:g} Gbit/s"
    if card.speed_mbit is None and card.addresses:
        speed = "speed not told"
    return f"{card.name} ({card.driver}, {speed})"


CARDS = Check(
    "network.cards",
    "Network cards",
    "The hosts of the lab work together over these; driver and speed belong to every result.",
    "/sys/class/net; kubert README: the infrastructure setup",
    _cards,
)
