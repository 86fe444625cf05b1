"""How the trial of a kernel stands, and the checks of it."""

from enum import Enum, auto

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import (
    Verdict,
    failed,
    ok,
    realtime_running,
    unknown,
    warning,
)
from kubert_tui.facts.containers import container_kind
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts, Trial
from kubert_tui.lab.model import Lab


class Standing(Enum):
    """How a trial stands."""

    NONE = auto()
    """No kernel is on trial."""
    ARMED = auto()
    """It is booted once, at the next restart."""
    PROVED = auto()
    """Its boot is the one that runs, and it is PREEMPT_RT."""
    NOT_REALTIME = auto()
    """Its boot is the one that runs, and nothing says that it is PREEMPT_RT."""
    CAME_BACK = auto()
    """The host restarted, and another kernel runs."""
    UNKNOWN = auto()
    """The facts do not tell."""


def standing(facts: Facts) -> Standing:
    """Return how the trial on a host stands. Pure."""
    kernel = facts.kernel
    trial, boot, running = kernel.trial, kernel.boot_id, kernel.release
    if isinstance(trial, Unknown):
        return Standing.UNKNOWN
    if trial.value is None:
        return Standing.NONE
    if isinstance(boot, Unknown) or isinstance(running, Unknown):
        return Standing.UNKNOWN
    if trial.value.armed_in == boot.value:
        return Standing.ARMED
    if trial.value.release != running.value:
        return Standing.CAME_BACK
    return Standing.PROVED if realtime_running(kernel.realtime) else Standing.NOT_REALTIME


def why_it_came_back(facts: Facts, trial: Trial) -> str:
    """Return what is known of why a trial's boot ended, for a host that came back from it."""
    if isinstance(facts.kernel.next_entry, Known) and facts.kernel.next_entry.value:
        return "GRUB did not take the one-shot entry: it may not be what starts this host"
    if trial.unconfirmed:
        return "it booted, but nobody reached it in time: look at its network and its sshd"
    return "it panicked, hung or was restarted before anybody reached it"


_LOOK = "Look at the console and at what its boot left, then start the kernel stage: it goes on."


def _on_trial(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact, rejected = facts.kernel.trial, facts.kernel.rejected
    if isinstance(fact, Unknown):
        return unknown("Whether a kernel is on trial", fact)
    if fact.value is None:
        if isinstance(rejected, Known) and rejected.value:
            return warning(
                f"{rejected.value} was tried and did not prove itself.",
                "Start the kernel stage to try it again.",
            )
        return ok("No kernel is on trial.")
    release = fact.value.release
    match standing(facts):
        case Standing.ARMED:
            return warning(
                f"{release} is booted once at the next restart, on trial.",
                "Start the kernel stage: it restarts the host, and waits for it.",
            )
        case Standing.PROVED:
            return failed(
                f"{release} runs on trial, and is not adopted yet.",
                "Start the kernel stage now: without it the host soon goes back by itself.",
            )
        case Standing.NOT_REALTIME:
            return failed(f"{release} runs on trial, and is not PREEMPT_RT.", _LOOK)
        case Standing.CAME_BACK:
            why = why_it_came_back(facts, fact.value)
            return failed(f"{release} did not prove itself: {why}.", _LOOK)
    return unknown("How the trial stands", Unknown(f"{release}, and which boot this is"))


def _one_shot(facts: Facts, lab: Lab) -> Verdict:
    del lab
    fact, kernel = facts.kernel.one_shot, facts.kernel
    if isinstance(fact, Unknown):
        fix = "Look again as root, where findmnt is installed; the kernel stage asks GRUB itself."
        if container_kind(facts):
            fix = "A container boots nothing: add the machine that runs it."
        return unknown("Whether GRUB can boot a kernel just once", fact, fix)
    if not fact.value:
        return ok("GRUB can boot a kernel just once.")
    if realtime_running(kernel.realtime) and kernel.default_release == kernel.release:
        return ok(f"GRUB cannot boot a kernel just once ({fact.value}), and need not any more.")
    return failed(
        f"GRUB cannot boot a kernel just once: {fact.value}.",
        "Put /boot on a plain partition with ext4 or xfs. Or, with the console at hand, install "
        "the kernel, make it the default and restart by hand; the kernel stage finds it then.",
    )


TRIAL = Check(
    "kernel.trial",
    "Kernel on trial",
    "A new kernel becomes the default only after it booted and could be reached.",
    "GRUB's environment block: kubert_trial, next_entry",
    _on_trial,
)
ONE_SHOT = Check(
    "kernel.one-shot",
    "One-shot boot",
    "A one-shot entry that GRUB cannot forget boots again and again, whatever becomes of it.",
    "GRUB manual: environment block; grub-probe(8)",
    _one_shot,
)
