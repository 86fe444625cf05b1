"""Network cards, and disk space where packages are written."""

import re

from kubert_tui.base.text import clean_line
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import DiskSpace, NetworkCard
from kubert_tui.facts.sections import CPU_LIMIT, Sections, integer

_ADDRESS = re.compile(r"^[0-9]{1,9}:\s+([^\s@]+)(?:@\S+)?\s+inet6?\s+([0-9A-Fa-f.:]{2,45})(?:/|\s)")
_DF = re.compile(r"\s([0-9]{1,18})\s+([0-9]{1,18})\s+([0-9]{1,18})\s+(?:[0-9]{1,3}%|-)\s+(/.*)$")


def cards(sections: Sections) -> Fact[tuple[NetworkCard, ...]]:
    """Return every interface but loopback."""
    lines = sections.lines("cards")
    if isinstance(lines, Unknown):
        return lines
    addresses = addresses_of(sections)
    found: list[dict[str, str]] = []
    for line in lines.value:
        key, _, value = line.partition(" ")
        if key == "card":
            found.append({})
        if found:
            found[-1][key] = clean_line(value, limit=80)
    return Known(
        tuple(
            NetworkCard(
                name=card["card"],
                driver=card.get("driver", ""),
                speed_mbit=_speed(card.get("speed", "")),
                addresses=tuple(addresses.get(card["card"], ())),
                mac=card.get("mac", ""),
                node=_node(card.get("node", "")),
            )
            for card in found
            if card["card"] not in ("", "lo")
        )
    )


def addresses_of(sections: Sections) -> dict[str, list[str]]:
    """Return the addresses of every interface."""
    lines = sections.lines("addresses")
    result: dict[str, list[str]] = {}
    for line in [] if isinstance(lines, Unknown) else lines.value:
        if match := _ADDRESS.match(line):
            result.setdefault(match[1], []).append(match[2])
    return result


def _speed(text: str) -> int | None:
    """Return Mbit/s; the kernel says -1 (or fails to say) when the link is down."""
    number = integer(text, "speed")
    return number.value if isinstance(number, Known) and number.value > 0 else None


def _node(text: str) -> int | None:
    """Return a NUMA node; the kernel says -1 where a device belongs to none."""
    number = integer(text, "numa_node")
    return number.value if isinstance(number, Known) and 0 <= number.value < CPU_LIMIT else None


def disks(sections: Sections) -> Fact[tuple[DiskSpace, ...]]:
    """Return the distinct mounts under the places where packages are written, in bytes."""
    section = sections["disks"]
    if isinstance(section, Unknown):
        return section
    mounts: dict[str, DiskSpace] = {}
    # df ends with status 1 when one of the places does not exist; the others still count.
    for line in section.lines:
        if match := _DF.search(line):
            total, _, available, mount = match.groups()
            name = clean_line(mount)
            mounts.setdefault(name, DiskSpace(name, int(total) * 1024, int(available) * 1024))
    return Known(tuple(mounts.values())) if mounts else Unknown(section.complaint())
