"""A new kernel with a way back: installed, booted once, and made the default when it proved itself.

The kernel that runs stays the default until then. Which step comes next is read from the facts of
each host (`trial_steps`), so that a stage that was killed, or that ended with the computer it ran
on, goes on where it was.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic

from kubert_tui.base.errors import CancelledError, ChangeError, KubertError
from kubert_tui.checks.trial import Standing, standing, why_it_came_back
from kubert_tui.events.model import Note, Output, PlannedStep
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts, Trial
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.stages.model import Change, Work
from kubert_tui.stages.playbook_change import PlaybookChange, Variables, no_variables
from kubert_tui.stages.reboot import reboot_playbook
from kubert_tui.stages.restart import CONSOLE, POLL, Restart, minutes
from kubert_tui.stages.trial_evidence import evidence
from kubert_tui.stages.trial_steps import Step, next_step

_PERMISSIONS = frozenset({Permission.KERNEL, Permission.REBOOT})
_LOST = (
    "If it stands in GRUB, choose the kernel that ran before; so does it itself after a reset, for "
    "the trial is over then."
)


def _playbook(name: str, variables: Variables = no_variables) -> PlaybookChange:
    return PlaybookChange(name, _PERMISSIONS, variables=variables)


def _rejected(_lab: Lab, facts: Facts) -> Mapping[str, object]:
    trial = facts.kernel.trial
    known = isinstance(trial, Known) and trial.value
    return {"kubert_failed_kernel": known.release} if known else {}


@dataclass(frozen=True, slots=True)
class TrialChange:
    """Install, try and adopt a kernel. See `Change` for what the methods promise."""

    confirm: str
    install: Change
    """Installs the kernel and arms its trial; what is done already it leaves."""
    adopt: Change = field(default_factory=lambda: _playbook("kernel-adopt.yml"))
    disarm: Change = field(default_factory=lambda: _playbook("kernel-disarm.yml", _rejected))
    reboot: Change = field(default_factory=reboot_playbook)
    previews: bool = True
    poll: float = POLL
    clock: Callable[[], float] = monotonic

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:  # noqa: ARG002
        return _PERMISSIONS

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        match next_step(facts):
            case Step.ADOPT:
                title = f"{_running(facts)} runs and is PREEMPT_RT: make it the default, no restart"
                return (PlannedStep(facts.host, title), *self.adopt.plan(lab, facts))
            case Step.REPORT:
                title = "Tell what the failed trial left, and clear it away; no restart"
                return (PlannedStep(facts.host, title), *self.disarm.plan(lab, facts))
            case Step.TRY:
                return self._plan_trial(lab, facts)

    def _plan_trial(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        host = facts.host
        here = lab.host(host).connection == "local"
        trial = minutes(lab.kernel.trial_seconds)
        after = (
            f"kubert-tui ends with this computer: start it again within {trial} after the restart"
            if here
            else f"Wait up to {minutes(_limit(lab))} for it to come back and look which kernel runs"
        )
        return (
            PlannedStep(host, f"{_running(facts)} stays the default until the new kernel runs"),
            *self.install.plan(lab, facts),
            PlannedStep(host, "Restart once, into the new kernel"),
            *self.reboot.plan(lab, facts),
            PlannedStep(host, after),
            PlannedStep(host, "Only if the new kernel runs, and is PREEMPT_RT:"),
            *self.adopt.plan(lab, facts),
            PlannedStep(
                host,
                f"Else it goes back to {_running(facts)} by itself: at once after a panic, after "
                f"{trial} if nobody can reach it",
            ),
        )

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        by_step = _by_step(work, hosts)
        for step, change in ((Step.ADOPT, self.adopt), (Step.REPORT, self.disarm)):
            if by_step[step]:
                change.preview(work, by_step[step])
        if by_step[Step.TRY]:
            self.install.preview(work, by_step[Step.TRY])
            for host in by_step[Step.TRY]:
                work.emit(Note(host=host, text=_goes(work.facts(host))))

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        by_step = _by_step(work, hosts)
        errors: dict[str, KubertError] = {}
        for group, do in (
            ((*by_step[Step.ADOPT], *by_step[Step.REPORT]), self._settle_all),
            (by_step[Step.TRY], self._try),
        ):
            if not group:
                continue
            try:
                do(work, group)
            except KubertError as error:
                # What one host ends with is no reason to leave the others as they are.
                errors[group[0]] = error
                if isinstance(error, CancelledError):
                    break
        work.each(tuple(errors), lambda host: _raise(errors[host]))

    def _settle_all(self, work: Work, hosts: tuple[str, ...]) -> None:
        work.each(hosts, lambda host: self._settle(work, host))

    def _try(self, work: Work, hosts: tuple[str, ...]) -> None:
        lab = work.lab
        self.install.apply(work, hosts)
        trial = minutes(lab.kernel.trial_seconds)
        restart = Restart(
            self.reboot,
            _limit(lab),
            _goes,
            awaited="to come back from the trial of its new kernel",
            lost=_LOST,
            here=f"Start kubert-tui again within {trial} after it is back: it makes the new kernel "
            "the default then. Otherwise this computer restarts once more, into the kernel that "
            "runs now.",
            poll=self.poll,
            clock=self.clock,
        )
        # Each at once, for the trial of one ends by itself while another is waited for.
        restart.run(work, hosts, lambda host: self._settle(work, host))

    def _settle(self, work: Work, host: str) -> None:
        """Adopt the kernel of a host that is back; or raise ChangeError saying how it failed."""
        facts = work.facts(host)
        if next_step(facts) is Step.ADOPT:
            self.adopt.apply(work, (host,))
            return
        trial = facts.kernel.trial
        known = trial.value if isinstance(trial, Known) else None
        if known is None or standing(facts) not in (Standing.CAME_BACK, Standing.NOT_REALTIME):
            raise ChangeError(
                f"{host} restarted, but nothing tells how the trial of its kernel went",
                fix="Look which kernel runs there (uname -a), then start this stage again.",
                host=host,
            )
        left = evidence(work, host, known)
        work.emit(Output(host=host, lines=tuple(left.splitlines()), stream="trial"))
        also = ""
        try:
            self.disarm.apply(work, (host,))
        except CancelledError:
            raise
        except KubertError as error:
            also = f" Its trial could not be cleared away: {error.what}"
        raise _failed(facts, known, left, also)


def _failed(facts: Facts, trial: Trial, left: str, also: str) -> ChangeError:
    host, running = facts.host, _running(facts)
    if standing(facts) is Standing.NOT_REALTIME:
        what = f"{trial.release} did not prove itself: it runs on {host}, but is not PREEMPT_RT"
        fix = (
            "Restart the host: it comes back on the kernel it had before. Then look at "
            f"/boot/config-{trial.release} and at the kernel the lab file names."
        )
        return ChangeError(what, fix=fix + also, host=host, details=left)
    why = why_it_came_back(facts, trial)
    what = f"{trial.release} did not prove itself: {host} came back by itself on {running}; {why}"
    fix = (
        f"{running} is still the default, and nothing has to be undone. {CONSOLE} See what that "
        "boot left, below. When you know better, start this stage again: it tries once more."
    )
    return ChangeError(what, fix=fix + also, host=host, details=left)


def _limit(lab: Lab) -> float:
    """Seconds until a host is given up: for its restarts, and for its kernel to be reached."""
    return lab.restart_seconds + lab.kernel.trial_seconds


def _by_step(work: Work, hosts: tuple[str, ...]) -> dict[Step, tuple[str, ...]]:
    steps = {host: next_step(work.facts(host)) for host in hosts}
    return {step: tuple(host for host in hosts if steps[host] is step) for step in Step}


def _goes(facts: Facts) -> str:
    trial = facts.kernel.trial
    known = trial.value if isinstance(trial, Known) else None
    into = known.release if known else "the new kernel"
    return f"Restart once into {into}; {_running(facts)} stays the default until that runs"


def _running(facts: Facts) -> str:
    release = facts.kernel.release
    return release.value if isinstance(release, Known) else "the kernel that runs now"


def _raise(error: KubertError) -> None:
    raise error
