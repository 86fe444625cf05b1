"""Checks of the kernel: PREEMPT_RT installed, default and running; Secure Boot; arguments."""

from kubert_tui.checks.arguments import judge_arguments
from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import (
    README,
    RT_DOC,
    TUNED,
    Verdict,
    failed,
    ok,
    place,
    realtime_running,
    unknown,
    warning,
)
from kubert_tui.facts.containers import container_kind
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.parse_kernel import looks_realtime
from kubert_tui.lab.model import Lab

_BENEATH = "Install the kernel on the machine that runs this container."


def _installed(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact = facts.kernel.installed_realtime
    if isinstance(fact, Unknown):
        return unknown("Which kernels are installed", fact)
    if fact.value:
        return ok(f"PREEMPT_RT kernel installed: {', '.join(fact.value)}.")
    if kind := container_kind(facts):
        return failed(f"No PREEMPT_RT kernel, and this is a container ({kind}).", _BENEATH)
    return failed("No PREEMPT_RT kernel is installed.", "Run the kernel stage.")


def _default(facts: Facts, lab: Lab) -> Verdict:
    del lab
    release = facts.kernel.default_release
    if isinstance(release, Unknown):
        fix = _BENEATH if container_kind(facts) else "Set the default with grubby or GRUB_DEFAULT."
        return unknown("The kernel that boots by default", release, fix)
    realtime = facts.kernel.installed_realtime
    listed = isinstance(realtime, Known) and release.value in realtime.value
    if listed or (isinstance(realtime, Unknown) and looks_realtime(release.value)):
        return ok(f"{release.value} boots by default.")
    return failed(
        f"{release.value} boots by default, which is not PREEMPT_RT.",
        "Run the kernel stage: it makes the PREEMPT_RT kernel the default once that runs.",
    )


def _running(facts: Facts, lab: Lab) -> Verdict:
    del lab
    evidence = facts.kernel.realtime
    release = facts.kernel.release
    name = release.value if isinstance(release, Known) else "The running kernel"
    signs: dict[str, Fact[bool]] = {
        "/sys/kernel/realtime": evidence.sys_kernel_realtime,
        "uname -v": evidence.uname_version,
        "its configuration": evidence.kernel_config,
    }
    yes = [sign for sign, fact in signs.items() if fact == Known(value=True)]
    # Mainline kernels can be PREEMPT_RT without /sys/kernel/realtime: its absence speaks
    # against nothing.
    no = [sign for sign, fact in list(signs.items())[1:] if fact == Known(value=False)]
    reasons = [fact for fact in signs.values() if isinstance(fact, Unknown)]
    if yes and not no:
        return ok(f"{name} is PREEMPT_RT by {' and '.join(yes)}{place(facts)}.")
    if yes:
        return warning(
            f"{name} is PREEMPT_RT by {' and '.join(yes)}, but not by {' and '.join(no)}.",
            "Check which kernel runs (uname -a) and that /boot/config belongs to it.",
        )
    if not no and reasons:
        return unknown("Whether the running kernel is PREEMPT_RT", reasons[0])
    fix = "Run the kernel stage: it restarts the host into the PREEMPT_RT kernel."
    if container_kind(facts):
        fix = _BENEATH
    return failed(f"{name} is not PREEMPT_RT{place(facts)}.", fix)


def _secure_boot(facts: Facts, lab: Lab) -> Verdict:
    fact = facts.kernel.secure_boot
    if isinstance(fact, Unknown):
        return unknown("Secure Boot", fact)
    if not fact.value:
        return ok("Secure Boot is off.")
    if realtime_running(facts.kernel.realtime):
        return ok("Secure Boot is on, and the running kernel is PREEMPT_RT: it is signed.")
    fix = "Switch Secure Boot off in the firmware, or sign the kernel and enrol the key."
    if lab.kernel.source == "packages":
        return failed("Secure Boot is on: an unsigned kernel package will not boot.", fix)
    return warning("Secure Boot is on: only a signed kernel will boot.", fix)


def _command_line(facts: Facts, lab: Lab) -> Verdict:
    fact = facts.kernel.command_line
    if isinstance(fact, Unknown):
        return unknown("The kernel command line", fact)
    level, summary, fix = judge_arguments(fact.value, lab.plan_of(facts.host))
    if fix and (kind := container_kind(facts)):
        fix = f"On the machine that runs this container ({kind}): {fix}"
    return level, summary, fix


REALTIME_INSTALLED = Check(
    "kernel.realtime-installed",
    "PREEMPT_RT kernel installed",
    "Only a PREEMPT_RT kernel bounds how long a real-time thread waits for its CPU.",
    f"{README}: precompiled kernel provided by Planet CCRMA",
    _installed,
)
REALTIME_DEFAULT = Check(
    "kernel.realtime-default",
    "PREEMPT_RT kernel boots by default",
    "After any reboot the host must come back real-time, with nobody at its console.",
    f"{README}: grubby --set-default",
    _default,
)
REALTIME_RUNNING = Check(
    "kernel.realtime-running",
    "PREEMPT_RT kernel running",
    "A latency figure measured on another kernel says nothing about real-time.",
    f"{README}: uname -a; {RT_DOC}",
    _running,
)
SECURE_BOOT = Check(
    "kernel.secure-boot",
    "Secure Boot",
    "With Secure Boot an unsigned kernel does not boot, and the host may not come back.",
    "mokutil(1); UEFI specification, SecureBoot variable",
    _secure_boot,
)
COMMAND_LINE = Check(
    "kernel.command-line",
    "Kernel command line",
    "CPUs isolated from the scheduler but not from ticks and RCU callbacks still see latencies.",
    f"/proc/cmdline; {TUNED}",
    _command_line,
)
