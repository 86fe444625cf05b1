"""How a host's network is put together: links, what carries us, and who looks after each."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Link:
    """One network interface, as `ip -d link` tells it."""

    name: str
    index: int
    kind: str = ""
    """bridge, veth, vlan, bond, ...; `` for a card of hardware."""
    master: str = ""
    """The bridge or bond that it is a port of."""
    lower: str = ""
    """What it lies upon, such as a VLAN's card."""


@dataclass(frozen=True, slots=True)
class Networking:
    """What has to be known before a bridge is made."""

    links: Mapping[str, Link] = field(default_factory=dict)
    """By name, loopback left out."""
    carriers: frozenset[str] = frozenset()
    """The links that our connection comes over, and those beneath them."""
    assumed: bool = False
    """Nothing told how we come: the carriers are those of the way out."""
    managers: Mapping[str, str] = field(default_factory=dict)
    """NetworkManager, systemd-networkd or ifupdown, by link; none for one nobody looks after."""
    gateways: tuple[str, ...] = ()
    trials: Mapping[str, str] = field(default_factory=dict)
    """How a bridge of ours stands (playbooks/bridge.sh), by its name: trying, working, keeping,
    kept, failed or back, with a reason."""
