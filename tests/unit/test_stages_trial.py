"""The kernel stage from end to end on machines of ours: each fate of a new kernel, each break."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.engine.session import Session
from kubert_tui.events.model import (
    Event,
    Failure,
    Finished,
    Note,
    Output,
    PlanMade,
    Restarting,
    StageFinished,
    StageState,
    Waiting,
)
from kubert_tui.events.questions import Answer, Choice, Question
from kubert_tui.facts.fact import Known
from kubert_tui.lab.model import HostSpec, KernelSpec, Lab, Permission
from kubert_tui.stages.registry import stage
from tests.support.blank import blank_facts, blank_lab
from tests.support.trial_world import OLD, RT, Machine, TrialWorld

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@dataclass
class Outcome:
    events: list[Event] = field(default_factory=list)

    def only(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def states(self) -> dict[str, StageState]:
        (finished,) = self.only(StageFinished)
        return dict(finished.hosts)

    @property
    def exit_code(self) -> int:
        (finished,) = self.only(Finished)
        return int(finished.exit_code)

    @property
    def failures(self) -> dict[str, Failure]:
        return {event.host: event for event in self.only(Failure)}


def world(*fates: str) -> TrialWorld:
    names = [f"bull{number}" for number in range(1, len(fates) + 1)]
    return TrialWorld({name: Machine(name, fate) for name, fate in zip(names, fates, strict=True)})


def run(the: TrialWorld, lab: Lab | None = None, first: Choice = Choice.APPLY) -> Outcome:
    lab = lab or blank_lab(*the.machines)
    session = Session(lab, stages=(the.stage(),), gather=the.gather, connect=the.connect)
    session.submit("kernel")
    session.close()
    outcome, answers = Outcome(), iter([first, Choice.APPLY])
    for event in session.events():
        outcome.events.append(event)
        if isinstance(event, Question):
            session.answer(event.number, Answer(next(answers)))
    return outcome


def test_a_good_kernel_is_adopted_and_then_left_alone() -> None:
    the = world("good", "good")
    outcome = run(the)
    assert outcome.states == {"bull1": StageState.DONE, "bull2": StageState.DONE}
    assert outcome.exit_code == ExitCode.OK
    assert sorted(the.done) == sorted(
        f"{what} {host}" for what in ("install", "reboot", "adopt") for host in the.machines
    )
    for machine in the.machines.values():
        assert (machine.default, machine.trial, machine.boot) == (RT, None, 2)
    assert {event.boot_id for event in outcome.only(Restarting)} == {"bull1-boot-1", "bull2-boot-1"}
    told = "\n".join(event.text for event in outcome.only(Note))
    assert f"Restart once into {RT}; {OLD} stays the default until that runs" in told
    assert "bull1 is back: Linux bull1 6.1.0-28-rt-amd64" in told
    waits = outcome.only(Waiting)
    assert {wait.limit for wait in waits} == {1800 + 600}
    assert "come back from the trial of its new kernel" in waits[0].what

    again = run(the)
    assert again.states == {"bull1": StageState.SATISFIED, "bull2": StageState.SATISFIED}
    assert not again.only(Question)


@pytest.mark.parametrize(
    ("fate", "why"),
    [
        ("panics", "it panicked, hung or was restarted before anybody reached it"),
        ("unreachable", "it booted, but nobody reached it in time"),
        ("ignored", "GRUB did not take the one-shot entry"),
    ],
)
def test_a_kernel_that_does_not_prove_itself_is_left_told_of_and_tried_again(
    fate: str, why: str
) -> None:
    the = world(fate)
    machine = the.machines["bull1"]
    outcome = run(the)
    assert outcome.states == {"bull1": StageState.FAILED}
    assert outcome.exit_code == ExitCode.CHANGE_FAILED
    failure = outcome.failures["bull1"]
    assert f"{RT} did not prove itself: bull1 came back by itself on {OLD}; {why}" in failure.what
    assert f"{OLD} is still the default" in failure.fix
    assert "Kernel panic - not syncing" in failure.details
    assert "\x1b" not in failure.details
    assert any("Kernel panic" in line for event in outcome.only(Output) for line in event.lines)
    assert (machine.default, machine.running, machine.trial) == (OLD, OLD, None)
    assert machine.rejected == RT
    assert the.done == ["install bull1", "reboot bull1", "disarm bull1"]

    machine.fate = "good"
    assert run(the).states == {"bull1": StageState.DONE}
    assert (machine.default, machine.rejected) == (RT, "")


def test_one_host_that_fails_keeps_no_other_from_being_adopted() -> None:
    the = world("gone", "good", "panics", "other key")
    outcome = run(the)
    assert outcome.states == {
        "bull1": StageState.FAILED,
        "bull2": StageState.DONE,
        "bull3": StageState.FAILED,
        "bull4": StageState.FAILED,
    }
    whats = {event.host: event.what for event in reversed(outcome.only(Failure))}
    assert "did not come back within 40 minutes: no route to host so far" in whats["bull1"]
    assert "did not prove itself" in whats["bull3"]
    assert "host key has changed" in whats["bull4"]
    assert the.machines["bull2"].default == RT


def test_a_host_that_never_returns_is_a_clear_end_and_goes_on_when_it_is_back() -> None:
    the = world("gone")
    machine = the.machines["bull1"]
    lab = blank_lab().model_copy(update={"restart_wait": "2m", "kernel": KernelSpec(trial="1m")})
    outcome = run(the, lab)
    assert outcome.states == {"bull1": StageState.FAILED}
    first = outcome.only(Failure)[0]
    assert "did not come back within 3 minutes" in first.what
    for words in ("iLO", "GRUB", "start this stage again"):
        assert words in first.fix
    assert outcome.only(Waiting)[-1].elapsed < 180

    # Somebody pressed the button: GRUB had forgotten the one-shot.
    machine.error = None
    reported = run(the, lab)
    assert reported.states == {"bull1": StageState.FAILED}
    assert f"came back by itself on {OLD}" in reported.failures["bull1"].what
    assert the.done[-1] == "disarm bull1"
    machine.fate = "good"
    assert run(the, lab).states == {"bull1": StageState.DONE}


@pytest.mark.parametrize("fate", ["good", "panics"])
@pytest.mark.parametrize("at", ["install", "reboot", "adopt", "disarm"])
def test_killed_anywhere_it_goes_on_with_what_is_left(fate: str, at: str) -> None:
    the = world(fate)
    machine = the.machines["bull1"]
    the.killed_at = at
    lab = blank_lab()
    session = Session(lab, stages=(the.stage(),), gather=the.gather, connect=the.connect)
    session.submit("kernel")
    session.close()
    for event in session.events():
        if isinstance(event, Question):
            session.answer(event.number, Answer(Choice.APPLY))
    ends = [run(the).states["bull1"] for _ in range(2)]
    assert the.done.count("reboot bull1") == (
        1 if fate == "good" else the.done.count("disarm bull1")
    )
    if fate == "good":
        assert StageState.FAILED not in ends
        assert (machine.running, machine.default, machine.trial) == (RT, RT, None)
    else:
        assert (machine.running, machine.default) == (OLD, OLD)
        assert machine.rejected == RT


def test_this_computer_goes_on_after_its_restart() -> None:
    """kubert-tui ends with it; the next start adopts, without another restart."""
    the = world("good")
    lab = Lab(
        name="here",
        hosts=(HostSpec(name="bull1", connection="local"),),
        allow=frozenset(Permission),
    )
    outcome = run(the, lab)
    assert outcome.states == {"bull1": StageState.RUNNING}
    assert the.done == ["install bull1", "reboot bull1"]
    told = "\n".join(event.text for event in outcome.only(Note))
    assert "Start kubert-tui again within 10 minutes after it is back" in told
    plan = outcome.only(PlanMade)[0]
    assert any("kubert-tui ends with this computer" in step.title for step in plan.steps)

    after = run(the, lab)
    assert after.states == {"bull1": StageState.DONE}
    assert the.done[2:] == ["adopt bull1"]
    assert any("no restart" in step.title for step in after.only(PlanMade)[0].steps)


def test_this_computer_that_came_back_by_itself_says_so_before_it_tries_again() -> None:
    the = world("panics")
    lab = Lab(
        name="here",
        hosts=(HostSpec(name="bull1", connection="local"),),
        allow=frozenset(Permission),
    )
    run(the, lab)
    after = run(the, lab)
    assert after.states == {"bull1": StageState.FAILED}
    assert "did not prove itself" in after.failures["bull1"].what
    assert the.done == ["install bull1", "reboot bull1", "disarm bull1"], "no second restart"


def test_a_running_kernel_is_adopted_beside_one_that_is_tried() -> None:
    the = world("good", "good", "panics")
    the.machines["bull1"].running = RT
    the.machines["bull1"].installed = (RT,)
    the.machines["bull3"].fate = "panics"
    outcome = run(the)
    assert outcome.states == {
        "bull1": StageState.DONE,
        "bull2": StageState.DONE,
        "bull3": StageState.FAILED,
    }
    assert "reboot bull1" not in the.done
    assert "install bull1" not in the.done


def test_who_runs_it_by_default_is_left_alone() -> None:
    the = world("good")
    machine = the.machines["bull1"]
    machine.running = machine.default = RT
    machine.installed = (RT,)
    assert run(the).states == {"bull1": StageState.SATISFIED}
    assert the.done == []


def test_the_review_says_what_happens_and_the_preview_restarts_nothing() -> None:
    the = world("good")
    outcome = run(the, first=Choice.PREVIEW)
    question = outcome.only(Question)[0]
    assert question.confirm == "They restart."
    titles = [step.title for step in question.steps]
    back = (
        f"Else it goes back to {OLD} by itself: at once after a panic, after 10 minutes if nobody "
        "can reach it"
    )
    assert titles == [
        f"{OLD} stays the default until the new kernel runs",
        "install",
        "Restart once, into the new kernel",
        "reboot",
        "Wait up to 40 minutes for it to come back and look which kernel runs",
        "Only if the new kernel runs, and is PREEMPT_RT:",
        "adopt",
        back,
    ]
    assert the.done[0] == "preview install bull1"
    assert [one for one in the.done if one.startswith("reboot")] == ["reboot bull1"]


def test_both_permissions_are_needed() -> None:
    the = world("good")
    lab = blank_lab(allow=frozenset({Permission.KERNEL}))
    outcome = run(the, lab)
    assert outcome.states == {"bull1": StageState.NOT_ALLOWED}
    (plan,) = outcome.only(PlanMade)
    assert (plan.needs, plan.missing) == (("kernel", "reboot"), ("reboot",))


def test_a_container_is_skipped_beside_a_machine_that_is_not() -> None:
    the = world("good", "good")
    the.machines["bull1"].kind = "systemd-nspawn"
    outcome = run(the)
    assert outcome.states == {"bull1": StageState.SKIPPED, "bull2": StageState.DONE}
    assert outcome.exit_code == ExitCode.OK
    (finished,) = outcome.only(StageFinished)
    assert "a container (systemd-nspawn) has the kernel of the machine" in finished.summary
    assert {one.split()[1] for one in the.done} == {"bull2"}


def test_where_a_stage_does_not_apply() -> None:
    kernel, bios = stage("kernel"), stage("hyperthreading")
    assert kernel.not_for
    assert bios.not_for
    for kind, kernel_says, bios_says in (
        ("systemd-nspawn", "has the kernel of the machine", "has the processors of the machine"),
        ("kvm", "", "a virtual machine (kvm) has no firmware menu"),
        ("none", "", ""),
    ):
        facts = blank_facts(virtualization=Known(kind))
        assert kernel_says in kernel.not_for(facts, blank_lab())
        assert bool(kernel.not_for(facts, blank_lab())) is bool(kernel_says)
        assert bios_says in bios.not_for(facts, blank_lab())
        assert bool(bios.not_for(facts, blank_lab())) is bool(bios_says)
