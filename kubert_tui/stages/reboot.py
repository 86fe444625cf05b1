"""Restarting hosts, and waiting for each to come back as a new boot."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from kubert_tui.base.errors import (
    CancelledError,
    ChangeError,
    DetachedError,
    HostKeyError,
    KubertError,
)
from kubert_tui.base.text import clean_line
from kubert_tui.events.model import Note, PlannedStep, Restarting, Waiting
from kubert_tui.facts.model import Facts, Known
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.stages.model import Change, Work
from kubert_tui.stages.playbook_change import PlaybookChange

LIMIT = 1800.0
"""Seconds a host gets to come back. A big server's self-test alone takes many minutes, and
somebody may be in its firmware menus meanwhile."""

POLL = 5.0
"""Seconds between two looks."""


class RestartingHereError(DetachedError):
    """The computer kubert-tui runs on is restarting; the run goes on after a new start."""


@dataclass(frozen=True, slots=True)
class RebootChange:
    """Restart hosts, all at once; this computer, if it is one of them, last."""

    confirm: str = "The hosts restart: whatever runs on them ends."
    previews: bool = False
    restart: Change = field(
        default_factory=lambda: PlaybookChange("reboot.yml", frozenset({Permission.REBOOT}))
    )
    """What triggers the restart; it returns at once."""
    limit: float = LIMIT
    poll: float = POLL
    clock: Callable[[], float] = monotonic

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:  # noqa: ARG002
        return frozenset({Permission.REBOOT})

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        host = facts.host
        steps = [
            PlannedStep(host, _comes_back_on(facts)),
            *self.restart.plan(lab, facts),
        ]
        if lab.host(host).connection == "local":
            steps.append(
                PlannedStep(host, "kubert-tui ends with this computer; start it again afterwards")
            )
        else:
            minutes = round(self.limit / 60)
            steps.append(
                PlannedStep(host, f"Wait up to {minutes} minutes for it to come back (new boot id)")
            )
            steps.append(PlannedStep(host, "Look which kernel it runs", "uname -a"))
        return tuple(steps)

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        for host in hosts:
            work.emit(Note(host=host, text=_comes_back_on(work.facts(host))))

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        here = tuple(name for name in hosts if work.lab.host(name).connection == "local")
        remote = tuple(name for name in hosts if name not in here)
        if remote:
            self._restart_remote(work, remote)
        if here:
            self._restart_here(work, here)

    def _restart_remote(self, work: Work, hosts: tuple[str, ...]) -> None:
        before: dict[str, str] = {}

        def remember(host: str) -> None:
            # The facts may be from before somebody restarted the host by hand: look now.
            facts = work.look_again(host)
            before[host] = _boot_id(facts)
            work.emit(Note(host=host, text=_comes_back_on(facts)))
            work.emit(Restarting(host=host, boot_id=before[host]))

        work.each(hosts, remember)
        self.restart.apply(work, hosts)
        for host in hosts:
            work.drop(host)
        work.each(hosts, lambda host: self._wait(work, host, before[host]))

    def _restart_here(self, work: Work, hosts: tuple[str, ...]) -> None:
        for host in hosts:
            work.emit(Note(host=host, text=_comes_back_on(work.facts(host))))
            work.emit(Restarting(host=host, boot_id=_boot_id(work.facts(host))))
            work.emit(
                Note(
                    host=host,
                    text="This computer restarts now, and kubert-tui ends with it. "
                    "Start kubert-tui again afterwards: it goes on with this stage.",
                )
            )
        self.restart.apply(work, hosts)
        raise RestartingHereError(
            "This computer is restarting",
            fix="Start kubert-tui again when it is back: the run goes on from here.",
            host=", ".join(hosts),
        )

    def _wait(self, work: Work, host: str, old_boot: str) -> None:
        """Return when `host` is back as another boot; ChangeError when the limit passed."""
        started = self.clock()
        reason = "going down"
        while (elapsed := self.clock() - started) < self.limit:
            work.emit(
                Waiting(
                    host=host,
                    what=f"{host} to come back ({reason})",
                    elapsed=elapsed,
                    limit=self.limit,
                )
            )
            if work.cancel.wait(self.poll) or work.detach.is_set():
                error = CancelledError if work.cancel.is_set() else DetachedError
                raise error(
                    f"Stopped waiting for {host} to come back",
                    fix="The restart itself goes on; start the stage again to look.",
                    host=host,
                )
            try:
                facts = work.look_again(host)
            except (CancelledError, HostKeyError):
                # A changed key is no matter of time.
                raise
            except KubertError as error:
                reason = f"{clean_line(error.what, limit=80)} so far"
                work.drop(host)
                continue
            boot = facts.kernel.boot_id
            if not isinstance(boot, Known):
                reason = f"it answers, its boot id is unknown: {clean_line(boot.reason, limit=80)}"
            elif boot.value == old_boot:
                reason = "it answers, but has not restarted yet"
            else:
                work.emit(Note(host=host, text=f"{host} is back: {_uname(facts)}"))
                return
        raise ChangeError(
            f"{host} did not come back within {round(self.limit / 60)} minutes: {reason}",
            fix="Look at its console (iLO, iDRAC, XClarity or BMC: remote console). If it stands "
            "in GRUB, choose a kernel; if the PREEMPT_RT kernel does not boot, choose the old one. "
            "When it is up again, start this stage again: it goes on from here.",
            host=host,
        )


def _boot_id(facts: Facts) -> str:
    boot = facts.kernel.boot_id
    if isinstance(boot, Known):
        return boot.value
    raise ChangeError(
        f"The boot id is unknown ({boot.reason}), so a restart could not be noticed",
        fix="Make /proc/sys/kernel/random/boot_id readable on the host.",
        host=facts.host,
    )


def _comes_back_on(facts: Facts) -> str:
    release, realtime = facts.kernel.default_release, facts.kernel.installed_realtime
    if not isinstance(release, Known):
        return f"Restart; which kernel boots by default is unknown ({release.reason})"
    if isinstance(realtime, Known):
        kind = "PREEMPT_RT" if release.value in realtime.value else "not PREEMPT_RT"
        return f"Restart; it comes back on {release.value} ({kind})"
    return f"Restart; it comes back on {release.value}"


def _uname(facts: Facts) -> str:
    uname = facts.kernel.uname
    return uname.value if isinstance(uname, Known) else f"uname -a unknown ({uname.reason})"
