"""Who the host is: name, login, distribution, firmware, and its clock against ours."""

import re
import shlex

from kubert_tui.base.text import clean_line
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Distribution, Firmware
from kubert_tui.facts.sections import Section, Sections, keyed, then
from kubert_tui.hosts.host_lock import Holder, shown

_FEDORA = {"fedora", "rhel", "centos", "rocky", "almalinux"}
_DEBIAN = {"debian", "ubuntu"}


def hostname(sections: Sections) -> Fact[str]:
    """Return the node name."""
    return sections.line("hostname")


def machine_id(sections: Sections) -> Fact[str]:
    """Return /etc/machine-id; an image that was never booted has none."""
    return then(sections.line("machine-id"), _machine_id)


def _machine_id(text: str) -> Fact[str]:
    if re.fullmatch(r"[0-9a-f]{32}", text):
        return Known(text)
    return Unknown(f"/etc/machine-id is not set: {clean_line(text, limit=40)}")


def user(sections: Sections) -> Fact[str]:
    """Return the login (not root, when the probe ran through sudo)."""
    return then(sections.lines("id"), lambda lines: _key(lines, "user"))


def privileged(sections: Sections) -> Fact[bool]:
    """Return whether the probe ran as root."""
    uid = then(sections.lines("id"), lambda lines: _key(lines, "uid"))
    return then(uid, lambda text: Known(text == "0"))


def operator(sections: Sections) -> Fact[Holder | None]:
    """Return who has the host's lock."""
    return then(sections.good("operator-lock"), _operator)


def _operator(section: Section) -> Fact[Holder | None]:
    try:
        return Known(shown(section.content))
    except ValueError:
        return Unknown(section.complaint())


def _key(lines: list[str], key: str) -> Fact[str]:
    value = keyed(lines).get(key, "")
    return Known(clean_line(value)) if value else Unknown(f"`id` gave no {key}")


def distribution(sections: Sections) -> Fact[Distribution]:
    """Return the distribution, its family and its package manager."""
    managers = sections.lines("package-managers")
    available = [] if isinstance(managers, Unknown) else managers.value
    return then(sections.lines("os-release"), lambda lines: _distribution(lines, available))


def _distribution(lines: list[str], managers: list[str]) -> Fact[Distribution]:
    values = {key: _unquoted(value) for key, value in keyed(lines, "=").items()}
    identity = values.get("ID", "")
    if not identity:
        return Unknown("os-release has no ID")
    kin = {identity, *values.get("ID_LIKE", "").split()}
    family = "fedora" if kin & _FEDORA else "debian" if kin & _DEBIAN else ""
    manager = "dnf" if "dnf" in managers else "apt" if "apt-get" in managers else ""
    version = values.get("VERSION_ID", "")
    pretty = values.get("PRETTY_NAME", "") or f"{identity} {version}".strip()
    return Known(Distribution(identity, version, pretty, family, manager))


def _unquoted(value: str) -> str:
    try:
        return clean_line(" ".join(shlex.split(value)))
    except ValueError:
        return clean_line(value.strip("\"'"))


def firmware(sections: Sections) -> Firmware:
    """Return what DMI says; many virtual machines and all containers have none."""
    return Firmware(
        vendor=sections.line("dmi-vendor"),
        product=sections.line("dmi-product"),
        bios_version=sections.line("bios-version"),
        bios_date=sections.line("bios-date"),
    )


def clock(sections: Sections, sent: float, received: float) -> tuple[Fact[float], Fact[float]]:
    """Return the host's clock minus ours, and how far that may be off, in seconds.

    `sent` and `received` are our clock around the run. The host reads its clock when it begins
    and when it ends, so that the time it works does not count as travel: the offset is from the
    middle of the round trip, the uncertainty half of the trip (RFC 5905, section 8).
    """
    begin = then(sections.line("clock-begin"), _seconds)
    end = then(sections.line("clock-end"), _seconds)
    if isinstance(begin, Unknown):
        return begin, begin
    if isinstance(end, Unknown):
        return end, end
    (began, step), (ended, _) = begin.value, end.value
    travel = (received - sent) - (ended - began)
    if ended < began or travel < -2 * step - 0.05:
        stepped = Unknown("a clock was set while it was read")
        return stepped, stepped
    offset = ((began - sent) + (ended - received)) / 2 + step / 2
    return Known(offset), Known(max(travel, 0.0) / 2 + step / 2)


def _seconds(text: str) -> Fact[tuple[float, float]]:
    """Return seconds since the epoch and the clock's step (1 s where date knows no %N)."""
    match = re.fullmatch(r"([0-9]{9,11})(?:\.([0-9]{1,9})|\D.*)?", text, re.ASCII)
    if not match:
        return Unknown(f"date gave no time: {clean_line(text, limit=40)}")
    if match[2]:
        return Known((float(f"{match[1]}.{match[2]}"), 0.0))
    return Known((float(match[1]), 1.0))
