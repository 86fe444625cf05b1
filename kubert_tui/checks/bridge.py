"""Whether a host has the bridge that its virtual machines are to be on."""

from collections.abc import Container

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import Verdict, failed, ok, unknown
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.networking import Link, Networking
from kubert_tui.lab.model import Lab

NO_CARD = "none"
"""What the lab file says for a bridge that reaches no further than its host."""
_UNDER_WAY = ("trying", "working", "keeping")


def needs_bridge(lab: Lab, host: str) -> bool:
    """Whether a machine of this host is on the lab's bridge."""
    return any(one.host == host and one.network == "bridge" for one in lab.guests)


def nic_of(lab: Lab, host: str) -> str:
    """Return the card that the lab names for a host's bridge; `` if it names none."""
    return next((one.bridge_nic for one in lab.hosts if one.name == host), "")


def on_trial(networking: Networking, bridge: str) -> bool:
    """Whether a bridge is there on trial: taken back soon, unless it is kept."""
    return networking.trials.get(bridge, "").startswith(_UNDER_WAY)


def choice_of(facts: Facts) -> str:
    """Return the network cards that could go into a bridge, for a person to choose from."""
    networking = facts.networking
    if isinstance(networking, Unknown):
        return "none is known"
    told = (_card(facts, networking.value, link) for link in networking.value.links.values())
    return "; ".join(one for one in told if one) or "there is none"


def carries_us(facts: Facts, nic: str) -> bool:
    """Whether our connection comes over a card; unknown counts as yes."""
    networking = facts.networking
    return isinstance(networking, Unknown) or nic in networking.value.carriers


def bridge_instead(all_facts: tuple[Facts, ...], lab: Lab) -> str:
    """Say what to write into the lab file for machines on the hosts' own network, by its facts."""
    hosts = {one.host for one in lab.guests}
    cards = "; ".join(f"{one.host}: {choice_of(one)}" for one in all_facts if one.host in hosts)
    example = next((told for one in all_facts if (told := _network_of(one, all_facts))), "")
    return (
        f"In the lab file: `network: {{kind: bridge, {example or 'prefix: ..., gateway: ...'}}}` "
        "(the hosts' own network; prefix0, prefix1, ... have to be free there; length: 24 if left "
        f"out), and under each host `bridge_nic: CARD`. Cards of {cards}. The stage bridge makes "
        f"{lab.network.bridge} from them."
    )


def _network_of(facts: Facts, all_facts: tuple[Facts, ...]) -> str:
    """Where a host is, as a lab file's prefix of ten addresses that no host has, and gateway."""
    networking = facts.networking.value if isinstance(facts.networking, Known) else Networking()
    taken = {*networking.gateways, *(text for one in all_facts for text in _addresses(one))}
    for address in _addresses(facts, networking.carriers):
        network = address.rpartition(".")[0]
        for block in (5, 6, 7, 8, 9, 10, 4, 3, 2, 1):
            prefix = f"{network}.{block}"
            if taken.isdisjoint(f"{prefix}{digit}" for digit in range(10)):
                ways = (one for one in networking.gateways if one.startswith(f"{network}."))
                return f"prefix: {prefix}, gateway: {next(ways, 'none')}"
    return ""


def _addresses(facts: Facts, links: Container[str] | None = None) -> list[str]:
    """Its IPv4 addresses, on these links only if they are given."""
    cards = facts.network.value if isinstance(facts.network, Known) else ()
    chosen = [card for card in cards if links is None or card.name in links]
    return [text for card in chosen for text in card.addresses if text.count(".") == 3]


def _card(facts: Facts, networking: Networking, link: Link) -> str:
    if link.master or link.kind not in ("", "veth", "bond", "team", "dummy", "vlan"):
        return ""
    cards = facts.network.value if isinstance(facts.network, Known) else ()
    known = next((card for card in cards if card.name == link.name), None)
    traits = [*(known.addresses if known else ())]
    if known and known.speed_mbit:
        traits.append(f"{known.speed_mbit / 1000:g} Gbit/s")
    if link.name in networking.carriers:
        traits.append("carries this connection")
    return f"{link.name} ({', '.join(traits)})" if traits else link.name


def _bridge(facts: Facts, lab: Lab) -> Verdict:
    host, bridge = facts.host, lab.network.bridge
    if not needs_bridge(lab, host):
        return ok("No machine here is on a bridge.")
    if isinstance(facts.networking, Unknown):
        return unknown(f"Whether there is the bridge {bridge}", facts.networking)
    networking, nic = facts.networking.value, nic_of(lab, host)
    link = networking.links.get(bridge)
    if on_trial(networking, bridge):
        return failed(
            f"{bridge} is there on trial only: it is taken back soon.",
            "Start the bridge stage: it looks whether it works, and keeps it.",
        )
    if link is not None and link.kind != "bridge":
        return failed(
            f"{bridge} is a {link.kind or 'card'}, not a bridge.",
            "Name another in the lab file: network: bridge:",
        )
    if link is not None:
        ports = [one.name for one in networking.links.values() if one.master == bridge]
        if nic in ("", NO_CARD, *ports):
            return ok(f"{bridge} is there, with {', '.join(ports) or 'no card'}.")
        return failed(
            f"{bridge} is there, and {nic} is no port of it.",
            f"Add it by hand, remove {bridge}, or leave bridge_nic out of the lab file.",
        )
    if not nic:
        return failed(
            f"There is no bridge {bridge}, and nothing says which card it is to be made from.",
            f"Name one under {host} in the lab file, such as bridge_nic: eno2 (none: a bridge "
            f"for this host alone). There are: {choice_of(facts)}.",
        )
    if nic != NO_CARD and nic not in networking.links:
        return failed(
            f"There is no network card {nic} to make {bridge} from.",
            f"Name another in the lab file (bridge_nic). There are: {choice_of(facts)}.",
        )
    why = networking.trials.get(bridge, "").removeprefix("back ")
    last = f" The last trial ended: {why}." if why else ""
    return failed(f"There is no bridge {bridge} yet.{last}", "Start the bridge stage.")


BRIDGE = Check(
    "network.bridge",
    "Bridge for machines",
    "Machines on a bridge have addresses of the hosts' own network, and reach each other across "
    "hosts.",
    "ip -d link; kubert README's upstream: a bridge br0 on every host",
    _bridge,
)
