"""Programs that later stages need, and package updates that wait."""

import re

from kubert_tui.base.text import clean_line, last_lines
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import INCOMPLETE_PYTHON, Cyclictest, Tools
from kubert_tui.facts.sections import LINE_LIMIT, Section, Sections

_CYCLICTEST = re.compile(r"^cyclictest V ([0-9]{1,3})\.([0-9]{1,3})", re.MULTILINE | re.ASCII)
_DNF_UPDATE = re.compile(r"^\S+\.[a-z0-9_]+\s+\S+\s+\S+\s*$")


def tools(sections: Sections) -> Tools:
    """Return cyclictests in the order we would use them, and the other programs."""
    return Tools(
        cyclictest=_cyclictest(sections),
        python=_python(sections),
        libvirt=program(sections, "libvirt"),
        qemu=program(sections, "qemu"),
        vagrant=program(sections, "vagrant"),
        ansible=program(sections, "ansible"),
        stress_ng=program(sections, "stress-ng"),
        hackbench=program(sections, "hackbench"),
        rtla=_rtla(sections),
    )


def _python(sections: Sections) -> Fact[str]:
    section = sections["python"]
    if isinstance(section, Section) and "ModuleNotFoundError" in "\n".join(section.lines):
        return Known(INCOMPLETE_PYTHON)
    return program(sections, "python")


def program(sections: Sections, name: str) -> Fact[str]:
    """Return the version (or path) that a program told; `` when it is not installed."""
    section = sections[name]
    if isinstance(section, Section) and section.missing:
        return Known("")
    found = sections.good(name)
    if isinstance(found, Unknown):
        return found
    lines = found.value.lines
    # Warnings of a program (a locale, say) come before its version.
    versions = [line for line in lines if re.search(r"[0-9]+\.[0-9]+", line) or line[:1] == "/"]
    text = clean_line((versions or lines or [""])[0])
    return Known(text) if text else Unknown(found.value.complaint())


def _rtla(sections: Sections) -> Fact[str]:
    """Return what rtla says of its version, however it ended."""
    section = sections["rtla"]
    if isinstance(section, Section) and not section.missing:
        for line in section.lines:
            if line.startswith("rtla version "):
                return Known(line)
    return program(sections, "rtla")


def cyclictest_version(text: str) -> str:
    """Return the rt-tests version in what `cyclictest --help` prints; `` if it is not in there.

    cyclictest prints its version as a number with two decimals ("cyclictest V %1.2f"), so 2.4
    says 2.40, while 2.1 and 2.10 (and 1.1 and 1.10) say the same: options that came or went
    between them tell them apart.
    """
    match = _CYCLICTEST.search(text)
    if not match:
        return ""
    major, minor = int(match[1]), match[2]
    if major == 0:
        return f"0.{minor}"
    if minor == "10":
        older = "--nanosleep" in text if major == 1 else "--deepest-idle-state" not in text
        return f"{major}.1" if older else f"{major}.10"
    return f"{major}.{minor.rstrip('0') or '0'}" if len(minor) == 2 else f"{major}.{minor}"


def _cyclictest(sections: Sections) -> Fact[tuple[Cyclictest, ...]]:
    if isinstance(python := sections["python"], Unknown):
        # The section after them is not there: the list may be cut off.
        return python
    found: list[Cyclictest] = []
    broken = ""
    for section in sections.numbered("cyclictest"):
        version = cyclictest_version("\n".join(section.lines))
        if version:
            found.append(Cyclictest(clean_line(section.subject, limit=500), version))
        else:
            said = clean_line(last_lines(section.content[-LINE_LIMIT:], 1), limit=120)
            broken = broken or f"{section.subject} does not run: {said or section.status}"
    return Unknown(broken) if broken and not found else Known(tuple(found))


def pending_updates(sections: Sections) -> Fact[int]:
    """Return how many package updates the host's own cache knows of."""
    section = sections["updates"]
    if isinstance(section, Unknown):
        return section
    lines = section.lines
    manager = lines[0] if lines else ""
    if manager == "manager apt" and section.status == "0":
        if "lists present" not in lines:
            return Unknown("apt has no package lists yet: apt-get update was never run")
        # Conf alone: unpacked already, but its installation was interrupted.
        words = [line.split() for line in lines if line.startswith(("Inst ", "Conf "))]
        packages = {line[1] for line in words if len(line) > 1}
        # What dpkg is at, apt does not know of yet.
        return Known(len(packages) or int("unfinished" in lines))
    if manager == "manager dnf" and section.status in ("0", "100"):
        # Where repositories may be unavailable (Fedora's dnf.conf allows it), dnf only mentions it.
        if uncached := [line for line in lines if "no cache for" in line]:
            return Unknown(f"dnf has no metadata yet: {clean_line(uncached[0], limit=120)}")
        return Known(_dnf_count(lines[1:]))
    if manager == "manager none":
        return Unknown("neither dnf nor apt is there")
    return Unknown(section.complaint())


def _dnf_count(lines: list[str]) -> int:
    count = 0
    for line in lines:
        if line.lower().startswith("obsoleting"):
            break
        count += bool(_DNF_UPDATE.match(line))
    return count
