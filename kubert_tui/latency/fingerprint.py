"""What a host was like when it was measured."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from kubert_tui.facts.fact import Fact, Known
from kubert_tui.facts.model import Facts


class Part(BaseModel):
    """Base of all parts of a measurement's file.

    The text below a field describes it in the schema and in docs/measurements.md.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


class Fingerprint(Part):
    """What the host was like. Runs on unlike hosts are not compared silently.

    Texts, as the host told them; a fact that was not known says so: `unknown: reason`.
    """

    kernel: str
    """Release of the running kernel (`uname -r`)."""
    kernel_version: str
    """Its version (`uname -v`)."""
    machine: str
    """Its architecture (`uname -m`)."""
    command_line: str
    """Its command line, /proc/cmdline."""
    realtime: dict[str, str]
    """Each evidence of PREEMPT_RT: yes, no or unknown."""
    boot_id: str
    """Id of the boot; another one after each restart."""
    microcode: str
    """Revision of the processor's microcode."""
    processor: str
    """The processor's name."""
    smt: str
    """Whether simultaneous multithreading (hyperthreading) was active: yes or no."""
    governor: str
    """cpufreq governors in use; empty when there is no cpufreq."""
    idle_states: str
    """Enabled idle states of CPU 0; empty when there is no cpuidle."""
    isolated: str
    """Isolated CPUs; empty when there are none."""
    bios: str
    """Vendor, product, version and date of the firmware."""
    virtualization: str
    """The hypervisor or container it ran in; `none` on bare metal."""
    tuned_profile: str
    """Active profile of tuned; empty when there is none."""
    rt_runtime_us: str
    """us of each period that real-time tasks may have; -1: they are not throttled."""
    transparent_hugepages: str
    """always, madvise or never."""


def fingerprint(facts: Facts) -> Fingerprint:
    """Return what tells this host, as it was set up, from another one."""
    kernel, processors, firmware = facts.kernel, facts.processors, facts.firmware
    realtime = kernel.realtime
    bios = (firmware.vendor, firmware.product, firmware.bios_version, firmware.bios_date)
    return Fingerprint(
        kernel=_text(kernel.release),
        kernel_version=_text(kernel.version),
        machine=_text(kernel.machine),
        command_line=_text(kernel.command_line),
        realtime={
            "/sys/kernel/realtime": _text(realtime.sys_kernel_realtime),
            "uname -v": _text(realtime.uname_version),
            "CONFIG_PREEMPT_RT": _text(realtime.kernel_config),
        },
        boot_id=_text(kernel.boot_id),
        microcode=_text(processors.microcode),
        processor=_text(processors.model),
        smt=_text(processors.smt_active),
        governor=_text(processors.governor),
        idle_states=_text(processors.idle_states),
        isolated=_text(processors.isolated),
        bios=", ".join(map(_text, bios)),
        virtualization=_text(facts.virtualization),
        tuned_profile=_text(facts.scheduling.tuned_profile),
        rt_runtime_us=_text(facts.scheduling.rt_runtime_us),
        transparent_hugepages=_text(facts.memory.transparent_hugepages),
    )


def _text(fact: Fact[Any]) -> str:
    if not isinstance(fact, Known):
        return f"unknown: {fact.reason}"
    match fact.value:
        case bool(value):
            return "yes" if value else "no"
        case tuple(values):
            return ", ".join(map(str, values))
        case value:
            return str(value)
