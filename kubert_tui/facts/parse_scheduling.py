"""What may get between a real-time thread and its CPU: throttling, groups, services."""

import re

from kubert_tui.base.text import clean_line
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import MemoryAccess, Scheduling
from kubert_tui.facts.parse_kernel import config_says
from kubert_tui.facts.sections import Section, Sections, then

_RT_GROUP = re.compile(r"CONFIG_RT_GROUP_SCHED=y")
_CAPABILITIES = re.compile(r"CapEff:\s*([0-9a-f]{1,16})", re.ASCII)
_SYS_PTRACE = 19
"""The bit of CAP_SYS_PTRACE (linux/capability.h)."""


def scheduling(sections: Sections) -> Scheduling:
    """Return the scheduler's settings and the services that interfere."""
    return Scheduling(
        rt_period_us=sections.number("rt-period"),
        rt_runtime_us=sections.number("rt-runtime"),
        rt_group_sched=_rt_group_sched(sections),
        timer_migration=sections.number("timer-migration"),
        irqbalance=_irqbalance(sections),
        irqbalance_enabled=then(sections.good("irqbalance"), lambda found: Known(_enabled(found))),
        tuned_profile=_tuned_profile(sections),
        init=sections.line("init"),
    )


def memory_access(sections: Sections) -> MemoryAccess:
    """Return whether the memory of another process may be read."""
    return MemoryAccess(
        scope=sections.unless_absent("ptrace-scope", 0, sections.number("ptrace-scope")),
        capable=then(sections.lines("capabilities"), _may_trace),
    )


def _may_trace(lines: list[str]) -> Fact[bool]:
    found = _CAPABILITIES.fullmatch(lines[0].strip()) if lines else None
    if not found:
        return Unknown("CapEff in /proc/self/status could not be understood")
    return Known(bool(int(found[1], 16) >> _SYS_PTRACE & 1))


def _rt_group_sched(sections: Sections) -> Fact[bool]:
    configured = config_says(sections, _RT_GROUP)
    if isinstance(configured, Known):
        return configured
    files = sections.lines("rt-group-file")
    # Without the file the kernel may still have it: only cgroup v1 shows it.
    return Known(value=True) if isinstance(files, Known) and files.value else configured


def _running(sections: Sections, name: str) -> Fact[bool]:
    return then(
        sections.lines("processes"),
        lambda lines: Known(any(line.strip() == name for line in lines)),
    )


def _irqbalance(sections: Sections) -> Fact[str]:
    """Return absent, inactive or active: by process, and by unit."""
    running = _running(sections, "irqbalance")
    section = sections.good("irqbalance")
    if isinstance(running, Unknown):
        return running
    if running.value:
        return Known("active")
    if isinstance(section, Unknown):
        return section
    said = _said(section.value)
    if said.get("active") in ("active", "activating", "reloading"):
        return Known("active")
    if not said:
        return Unknown("the state of irqbalance could not be understood")
    present = bool(said.get("program")) or _enabled(section.value) != "absent"
    return Known("inactive" if present else "absent")


def _enabled(section: Section) -> str:
    """Return absent, disabled, masked or enabled, from systemd or from SysV links."""
    said = _said(section)
    if said.get("link"):
        return "enabled"
    match said.get("enabled", ""):
        case "enabled" | "enabled-runtime" | "alias":
            return "enabled"
        case "masked" | "masked-runtime":
            return "masked"
        case "disabled" | "static" | "indirect" | "linked" | "linked-runtime" | "generated":
            return "disabled"
        case _:
            return "disabled" if said.get("script") else "absent"


def _said(section: Section) -> dict[str, str]:
    said: dict[str, str] = {}
    for line in section.lines:
        key, _, value = line.partition(" ")
        said[key] = value.strip()
    return said


def _tuned_profile(sections: Sections) -> Fact[str]:
    running = _running(sections, "tuned")
    if isinstance(running, Known) and not running.value:
        # The file keeps the last profile; without its daemon nothing holds it up.
        return Known("")
    section = sections["tuned-profile"]
    if isinstance(section, Section) and section.status == "0":
        return Known(clean_line(section.content))
    return sections.unless_absent("tuned-profile", "", sections.line("tuned-profile"))
