"""A change that restarts hosts so that somebody can get at their firmware on the way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic

from kubert_tui.events.model import Note, PlannedStep
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.stages.model import Change, Work
from kubert_tui.stages.playbook_change import PlaybookChange
from kubert_tui.stages.restart import POLL, Restart, minutes

_LOST = "If it stands in GRUB, choose a kernel; if the default does not boot, choose another."


def reboot_playbook() -> Change:
    """Return what triggers a restart: of the boot that was seen, so that nobody restarts twice."""
    return PlaybookChange("reboot.yml", frozenset({Permission.REBOOT}), variables=_seen)


def _seen(_lab: Lab, facts: Facts) -> Mapping[str, object]:
    boot = facts.kernel.boot_id
    return {"kubert_reboot_boot": boot.value} if isinstance(boot, Known) else {}


@dataclass(frozen=True, slots=True)
class RebootChange:
    """Restart hosts, all at once; this computer, if it is one of them, last."""

    confirm: str = "The hosts restart: whatever runs on them ends."
    previews: bool = False
    restart: Change = field(default_factory=reboot_playbook)
    """What triggers the restart; it returns at once."""
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
            limit = minutes(lab.restart_seconds)
            steps.append(PlannedStep(host, f"Wait up to {limit} for it to come back (new boot id)"))
            steps.append(PlannedStep(host, "Look which kernel it runs", "uname -a"))
        return tuple(steps)

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        for host in hosts:
            work.emit(Note(host=host, text=_comes_back_on(work.facts(host))))

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        restart = Restart(
            self.restart,
            work.lab.restart_seconds,
            _comes_back_on,
            lost=_LOST,
            poll=self.poll,
            clock=self.clock,
        )
        restart.run(work, hosts)


def _comes_back_on(facts: Facts) -> str:
    release, realtime = facts.kernel.default_release, facts.kernel.installed_realtime
    if not isinstance(release, Known):
        return f"Restart; which kernel boots by default is unknown ({release.reason})"
    if isinstance(realtime, Known):
        kind = "PREEMPT_RT" if release.value in realtime.value else "not PREEMPT_RT"
        return f"Restart; it comes back on {release.value} ({kind})"
    return f"Restart; it comes back on {release.value}"
