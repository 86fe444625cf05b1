"""The running kernel, the installed ones, and every sign of PREEMPT_RT."""

import re

from kubert_tui.base.text import clean_line
from kubert_tui.facts import parse_trial
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Kernel, RealtimeEvidence
from kubert_tui.facts.parse_boot import default_boot
from kubert_tui.facts.sections import Section, Sections, then

_RT_NAME = re.compile(r"(?:^|[-_.+])(?:rt[0-9]*|realtime)(?:[-_.+]|$)", re.IGNORECASE)
_RT_CONFIG = re.compile(r"CONFIG_PREEMPT_RT(?:_FULL)?=y")


def kernel(sections: Sections) -> Kernel:
    """Return all about the kernel: what runs, what is installed, what boots next."""
    entry, release = default_boot(sections)
    installed, realtime = _installed(sections)
    return Kernel(
        release=sections.line("uname-release"),
        version=sections.line("uname-version"),
        machine=sections.line("uname-machine"),
        uname=sections.line("uname-all"),
        realtime=RealtimeEvidence(
            sys_kernel_realtime=_sys_kernel_realtime(sections),
            uname_version=then(sections.line("uname-version"), _says_rt),
            kernel_config=config_says(sections, _RT_CONFIG),
        ),
        boot_id=sections.line("boot-id"),
        command_line=_command_line(sections),
        default_entry=entry,
        default_release=release,
        next_entry=parse_trial.next_entry(sections),
        one_shot=parse_trial.one_shot(sections),
        trial=parse_trial.trial(sections),
        rejected=parse_trial.rejected(sections),
        installed=installed,
        installed_realtime=realtime,
        secure_boot=then(sections.lines("secure-boot"), _secure_boot),
    )


def looks_realtime(release: str) -> bool:
    """Return whether a kernel release is named like a PREEMPT_RT one (`+rt`, `-rt-amd64`)."""
    return _RT_NAME.search(release) is not None


def config_says(sections: Sections, wanted: re.Pattern[str]) -> Fact[bool]:
    """Return whether a line of the running kernel's configuration is `wanted`."""
    section = sections["kernel-config"]
    if isinstance(section, Unknown):
        return section
    lines = section.lines
    if not lines or not lines[0].startswith("source "):
        return Unknown("no kernel configuration can be read in /boot, /lib/modules or /proc")
    if len(lines) < 2:
        return Unknown(f"{clean_line(lines[0][7:])} could not be understood")
    return Known(any(wanted.fullmatch(line.strip()) for line in lines[1:]))


def _sys_kernel_realtime(sections: Sections) -> Fact[bool]:
    read = then(sections.number("sys-realtime"), lambda number: Known(number == 1))
    return sections.unless_absent("sys-realtime", when_absent=False, read=read)


def _says_rt(version: str) -> Fact[bool]:
    # "PREEMPT RT" is what kernels before 5.4 (and the CCRMA ones) say.
    return Known(bool(re.search(r"\bPREEMPT[_ ]\{?RT\b", version)))


def _command_line(sections: Sections) -> Fact[str]:
    section = sections["command-line"]
    if isinstance(section, Section) and section.status == "0" and not section.content.strip():
        return Known("")
    return sections.line("command-line")


def _installed(sections: Sections) -> tuple[Fact[tuple[str, ...]], Fact[tuple[str, ...]]]:
    lines = sections.lines("kernels")
    if isinstance(lines, Unknown):
        return lines, lines
    releases: list[str] = []
    realtime: list[str] = []
    for line in lines.value:
        release, _, answer = clean_line(line).rpartition(" ")
        if not release or "rescue" in release or release in releases:
            continue
        releases.append(release)
        if answer == "yes" or (answer == "unknown" and looks_realtime(release)):
            realtime.append(release)
    return Known(tuple(releases)), Known(tuple(realtime))


def _secure_boot(lines: list[str]) -> Fact[bool]:
    text = " ".join(lines).strip()
    if text == "no efi" or "not supported" in text:
        return Known(value=False)
    if text.startswith("variable "):
        numbers = text.split()[1:]
        if len(numbers) == 5 and numbers[4] in ("0", "1"):
            return Known(numbers[4] == "1")
    for word, value in (("SecureBoot enabled", True), ("SecureBoot disabled", False)):
        if word in text:
            return Known(value)
    return Unknown(f"Secure Boot state not understood: {clean_line(text, limit=60)}")
