"""One stage, from looking to looking again: probe, judge, plan, ask, change, verify."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kubert_tui.base.disk import own_disk_error
from kubert_tui.base.errors import (
    CancelledError,
    ChangeError,
    DetachedError,
    KubertError,
    UnreachableError,
)
from kubert_tui.checks.catalogue import judge_across, judge_all
from kubert_tui.checks.finding import Finding, Level
from kubert_tui.engine.lock_order import lock_in_order
from kubert_tui.engine.lock_question import NotBrokenError
from kubert_tui.engine.stage_states import StageStates
from kubert_tui.engine.targets import introduce_guests
from kubert_tui.engine.work import StageWork, failure
from kubert_tui.events.model import (
    FindingMade,
    PlanMade,
    PlannedStep,
    StageFinished,
    StageStarted,
    StageState,
)
from kubert_tui.events.questions import Answer, Choice, QuestionKind
from kubert_tui.stages.model import Change, Decision, Stage, Where

_MET = (Level.OK, Level.WARNING)


@dataclass(slots=True)
class StageRun:
    """Works through one stage once; `states` grows as hosts get theirs."""

    stage: Stage
    work: StageWork
    hosts: tuple[str, ...]
    dry_run: bool = False
    again: bool = False
    states: StageStates = field(default_factory=StageStates)

    def run(self) -> StageFinished:
        """Do it. KubertErrors end in the states; anything else is a bug and comes out."""
        hosts = self.hosts
        self.work.emit(StageStarted(title=self.stage.title))
        try:
            if self.stage.where is not Where.HOSTS:
                introduce_guests(self.work.lab)
            self._run(hosts)
        except DetachedError as error:
            self.states.reason = error.what
            self.states.rest(self._ended(hosts), StageState.RUNNING)
        except CancelledError as error:
            self.states.reason = error.what
            self.states.rest(self._ended(hosts), StageState.CANCELLED)
        except KubertError as error:
            self.work.emit(failure(error))
            self.states.rest(hosts, StageState.FAILED)
        except OSError as error:
            if (trouble := own_disk_error(error)) is None:
                raise
            self.work.emit(failure(trouble))
            self.states.rest(hosts, StageState.FAILED)
        finished = StageFinished(
            stage=self.stage.id,
            state=self.states.overall(),
            hosts=dict(self.states.by_host),
            summary=self.states.summary(),
        )
        self.work.emit(finished)
        return finished

    def _run(self, hosts: tuple[str, ...]) -> None:
        waiting = self._look(hosts)
        if self.stage.decision is not None:
            self._decide(self.stage.decision, waiting)
            return
        if self.stage.change is None:
            self.states.give(waiting, StageState.DONE)
            return
        self.work.stop_if_cancelled()
        agreed: frozenset[PlannedStep] = frozenset()
        while todo := tuple(host for host in waiting if not self._finished(host)):
            steps = self._steps(self.stage.change, todo)
            if not agreed.issuperset(steps):
                todo = self._plan(self.stage.change, todo, steps)
                if not todo or not self._agreed(self.stage.change, todo, steps):
                    return
            locked, contested = self._lock(todo)
            if not contested:
                if locked:
                    self._change(self.stage.change, locked)
                return
            # Somebody else was at work there: what was agreed to may not be what is left to do.
            waiting, agreed = self._look(locked), frozenset(steps)

    def _look(self, hosts: tuple[str, ...]) -> tuple[str, ...]:
        """Gather facts and judge them; return the hosts that answered.

        Of a host that a change has just told to be lost it is not told once more.
        """
        errors = self.work.all_of(hosts, self.work.look_again)
        for host, error in errors.items():
            if isinstance(error, CancelledError):
                raise error
            if error is not None:
                self.states.give((host,), StageState.FAILED)
                if not (isinstance(error, UnreachableError) and host in self.work.lost):
                    self.work.emit(failure(error))
        answered = tuple(host for host, error in errors.items() if error is None)
        self._judge(answered)
        return answered

    def _judge(self, hosts: tuple[str, ...]) -> None:
        """Emit the findings; hosts whose goals are met are satisfied."""
        facts = tuple(self.work.facts(host) for host in hosts)
        for one in facts:
            in_pod = self.work.lab.layer_of(one.host) == "pod"
            checks = self.stage.pod_checks if in_pod else self.stage.checks
            findings = judge_all(one, self.work.lab, checks)
            for finding in findings:
                self.work.emit(FindingMade(host=one.host, finding=finding))
            met = self.stage.goals and not self.stage.measures and not self._unmet(findings)
            why = self.stage.not_for(one, self.work.lab) if self.stage.not_for else ""
            if why and self.stage.not_for_first:
                met = False
            if met and not (self.stage.decision and self.again):
                self.states.rest((one.host,), StageState.SATISFIED)
            elif why:
                self.states.rest((one.host,), StageState.SKIPPED)
                self.states.reason = self.states.reason or why
        for finding in judge_across(facts, self.work.lab, self.stage.cross_checks):
            self.work.emit(FindingMade(finding=finding))

    def _unmet(self, findings: Iterable[Finding]) -> list[Finding]:
        goals = self.stage.goals
        return [one for one in findings if one.check in goals and one.level not in _MET]

    def _finished(self, host: str) -> bool:
        if host in self.states or self.again:
            return host in self.states
        if self.stage.measures and self._measured_as_wanted(host):
            self.states.give((host,), StageState.SATISFIED)
            self.states.reason = "measured already in this run"
        left = self.work.past.restarted.get((self.stage.id, host))
        if self.stage.by_hand and left and left != self.work.past.boots.get(host):
            self.states.give((host,), StageState.NEEDS_YOU)
            self.states.reason = "restarted already in this run"
        return host in self.states

    def _measured_as_wanted(self, host: str) -> bool:
        """Whether a stored result is of this boot and of the command that is wanted now."""
        kept = self.work.past.measured.get((self.stage.id, host))
        if kept is None or kept.boot_id != self.work.past.boots.get(host, ""):
            return False
        steps = self._steps(self.stage.change, (host,)) if self.stage.change else ()
        return not kept.commands or kept.commands == {step.command for step in steps} - {""}

    def _plan(
        self, change: Change, hosts: tuple[str, ...], steps: tuple[PlannedStep, ...]
    ) -> tuple[str, ...]:
        """Emit the plan; return the hosts on which it may be carried out now."""
        lab = self.work.lab
        needs = {host: change.needs(lab, lab.host(host)) for host in hosts}
        wanted = frozenset().union(*needs.values())
        self.work.emit(
            PlanMade(
                steps=steps,
                needs=tuple(sorted(wanted)),
                missing=tuple(sorted(wanted - lab.allow)),
            )
        )
        forbidden = tuple(host for host in hosts if not needs[host] <= lab.allow)
        self.states.give(forbidden, StageState.NOT_ALLOWED)
        allowed = tuple(host for host in hosts if host not in forbidden)
        if self.dry_run:
            self.states.give(allowed, StageState.WOULD_CHANGE)
            return ()
        return allowed

    def _steps(self, change: Change, hosts: tuple[str, ...]) -> tuple[PlannedStep, ...]:
        return tuple(
            step for host in hosts for step in change.plan(self.work.lab, self.work.facts(host))
        )

    def _agreed(
        self, change: Change, hosts: tuple[str, ...], steps: tuple[PlannedStep, ...]
    ) -> bool:
        """Ask whether to apply; a preview is shown and the question asked again."""
        choices: tuple[Choice, ...] = (Choice.APPLY, Choice.SKIP, Choice.NO)
        if change.previews:
            choices = (Choice.APPLY, Choice.PREVIEW, Choice.SKIP, Choice.NO)
        while True:
            answer = self.work.stream.ask(
                self.work.cancel,
                stage=self.stage.id,
                kind=QuestionKind.REVIEW,
                text=f"{self.stage.title}: apply this on {', '.join(hosts)}?",
                choices=choices,
                confirm=change.confirm or _confirm(steps, hosts),
                typed=_typed(steps, hosts),
                steps=tuple(step for step in steps if step.host in hosts),
            )
            if answer.choice is Choice.PREVIEW:
                try:
                    change.preview(self.work, hosts)
                except CancelledError:
                    raise
                except KubertError as error:
                    self.work.emit(failure(error))
                continue
            if answer.choice is Choice.APPLY:
                return True
            self._left(answer, hosts)
            return False

    def _left(self, answer: Answer, hosts: tuple[str, ...]) -> None:
        """Nothing is done on these hosts: so it was answered."""
        self.states.reason = answer.text
        skipped = answer.choice is Choice.SKIP and answer.text
        state = StageState.SKIPPED if skipped else StageState.DECLINED
        self.states.give(hosts, state)

    def _decide(self, decision: Decision, hosts: tuple[str, ...]) -> None:
        """Ask, keep what was decided, judge by it. There is nothing to change on any host."""
        todo = self.states.without(hosts)
        if not todo:
            return
        self.work.stop_if_cancelled()
        lab, facts = self.work.lab, tuple(self.work.facts(host) for host in hosts)
        steps = tuple(step for one in facts for step in decision.steps(lab, one))
        self.work.emit(PlanMade(steps=tuple(step for step in steps if step.host in todo)))
        if self.dry_run:
            self.states.give(todo, StageState.WOULD_CHANGE)
            return
        asking = decision.asking(lab, facts)
        answer = self.work.decide(asking)
        if answer.choice not in (Choice.APPLY, Choice.SAVE):
            if self.again:
                self._judge_again(hosts)
            self._left(answer, self.states.without(todo))
            return
        new = decision.decided(lab, asking, answer)
        self.work.keep_plans(asking, new, save=answer.choice is Choice.SAVE)
        self._judge_again(hosts)
        self.states.give(self.states.those(new, StageState.SATISFIED), StageState.DONE)
        self._unfinished(self.states.without(todo), None)

    def _judge_again(self, hosts: tuple[str, ...]) -> None:
        """Judge by what was decided; who has a plan that fits has what is wanted."""
        self.again = False
        self._judge(hosts)

    def _lock(self, hosts: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
        """Return the hosts that are ours to change now, and whether any was somebody else's."""
        lab, helpers = self.work.lab, self.stage.helpers
        first = helpers(lab) if helpers else ()
        outcome = lock_in_order(self.work, first, hosts)
        for machine, error in outcome.errors.items():
            self.work.emit(failure(error))
            # Without who helps nothing can be done to any of them.
            lost = hosts if machine in first else self._on_machine(machine, hosts)
            declined = isinstance(error, NotBrokenError)
            self.states.rest(lost, StageState.DECLINED if declined else StageState.FAILED)
            if declined:
                self.states.reason = f"{machine}: {error.what}"
        ours = self.states.without(hosts)
        return ours, outcome.contested

    def _on_machine(self, machine: str, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(host for host in hosts if self.work.lab.machine_of(host) == machine)

    def _change(self, change: Change, hosts: tuple[str, ...]) -> None:
        """Apply, then look again: only what the checks confirm is done."""
        trouble: KubertError | None = None
        if self.stage.measures:
            for host in hosts:
                self.work.past.measured.pop((self.stage.id, host), None)
        try:
            change.apply(self.work, hosts)
        except CancelledError:
            raise
        except KubertError as error:
            trouble = error
            self.work.emit(failure(error))
        self._still_ours(hosts)
        if self.stage.measures:
            self.states.rest(self._ended(hosts), StageState.FAILED)
            return
        self._look(self.states.without(hosts))
        # Where it broke off, something may be left half done that no check of this stage sees.
        broke_off = trouble.host.split(", ") if trouble else []
        for host in self.states.those(hosts, StageState.SATISFIED):
            self.states.give((host,), StageState.FAILED if host in broke_off else StageState.DONE)
        self._unfinished(self.states.without(hosts), trouble)

    def _still_ours(self, hosts: tuple[str, ...]) -> None:
        """Fail the hosts on which somebody else may have been at work beside us."""
        machines = (*map(self.work.lab.machine_of, hosts), *self.work.helpers)
        settled = self.work.all_of(tuple(dict.fromkeys(machines)), self.work.settle_lock)
        for machine, error in settled.items():
            if error is None:
                continue
            lost = self._on_machine(machine, hosts) or hosts
            if self.stage.measures:
                for one in lost:
                    self.work.past.measured.pop((self.stage.id, one), None)
                error.what += "; what was measured meanwhile may be spoiled"
            self.states.give(lost, StageState.FAILED)
            if machine not in self.work.failed:
                self.work.emit(failure(error))

    def _unfinished(self, hosts: tuple[str, ...], trouble: KubertError | None) -> None:
        for host in hosts:
            if self.stage.by_hand and trouble is None:
                self.states.give((host,), StageState.NEEDS_YOU)
                continue
            self.states.give((host,), StageState.FAILED)
            if trouble is None:
                found = judge_all(self.work.facts(host), self.work.lab, self.stage.checks)
                left = self._unmet(found)
                self.work.emit(
                    failure(
                        ChangeError(
                            "applied, but " + "; ".join(one.summary for one in left),
                            fix=" ".join(one.fix for one in left),
                            host=host,
                        )
                    )
                )

    def _ended(self, hosts: tuple[str, ...]) -> tuple[str, ...]:
        """Give the hosts that came to an end before the rest was stopped their states."""
        if self.stage.measures:
            measured = tuple(h for h in hosts if (self.stage.id, h) in self.work.past.measured)
            self.states.rest(measured, StageState.DONE)
        self.states.rest(tuple(h for h in hosts if h in self.work.failed), StageState.FAILED)
        return hosts


def _confirm(steps: tuple[PlannedStep, ...], hosts: tuple[str, ...]) -> str:
    """Why a person has to agree to some of the steps; `` when to none."""
    return " ".join(step.confirm for step in steps if step.confirm and step.host in hosts)


def _typed(steps: tuple[PlannedStep, ...], hosts: tuple[str, ...]) -> str:
    """What has to be typed to agree to some of the steps, each word once; `` for nothing."""
    words = (step.typed for step in steps if step.typed and step.host in hosts)
    return " ".join(dict.fromkeys(words))
