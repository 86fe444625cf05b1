"""What a trial needs next: every combination of what the facts can say."""

from itertools import product

import pytest

from kubert_tui.checks.catalogue import judge_all
from kubert_tui.checks.finding import Level
from kubert_tui.checks.trial import ONE_SHOT, TRIAL, Standing, standing
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Facts, RealtimeEvidence, Trial
from kubert_tui.stages.registry import stage
from kubert_tui.stages.trial_steps import Step, next_step
from tests.support.blank import blank_facts, blank_lab

OLD, RT, OTHER = "6.1.0-30-amd64", "6.1.0-28-rt-amd64", "6.1.0-20-rt-amd64"
NOW, BEFORE = "boot-now", "boot-before"
LAB = blank_lab()


def host(
    running: str | None = OLD,
    default: str | None = OLD,
    trial: Fact[Trial | None] | None = None,
    boot: str | None = NOW,
    installed: tuple[str, ...] = (RT, OTHER),
) -> Facts:
    """A host; its kernel is PREEMPT_RT if it is one of those. None is unknown."""
    why = Unknown("unreadable")
    realtime = running in (RT, OTHER)
    return blank_facts(
        kernel__release=Known(running) if running else why,
        kernel__boot_id=Known(boot) if boot else why,
        kernel__realtime=RealtimeEvidence(
            Known(realtime), Known(realtime), Known(realtime) if running else why
        ),
        kernel__default_release=Known(default) if default else why,
        kernel__installed_realtime=Known(installed),
        kernel__trial=trial or Known(None),
        kernel__rejected=Known(""),
        kernel__next_entry=Known(""),
        kernel__one_shot=Known(""),
        virtualization=Known("none"),
    )


def record(release: str = RT, armed_in: str = BEFORE, *, unconfirmed: bool = False) -> Fact[Trial]:
    return Known(Trial(release, armed_in, unconfirmed))


def satisfied(facts: Facts) -> bool:
    """Whether the engine leaves the host alone."""
    kernel = stage("kernel")
    findings = judge_all(facts, LAB, kernel.checks)
    return all(
        finding.level in (Level.OK, Level.WARNING)
        for finding in findings
        if finding.check in kernel.goals
    )


UNREADABLE: Fact[Trial | None] = Unknown("not ours")

CASES = [
    # Nothing was done yet, or something of it.
    (host(installed=()), Standing.NONE, Step.TRY),
    (host(), Standing.NONE, Step.TRY),
    (host(default=RT), Standing.NONE, Step.TRY),
    (host(trial=record(armed_in=NOW)), Standing.ARMED, Step.TRY),
    # It runs.
    (host(RT, OLD), Standing.NONE, Step.ADOPT),
    (host(RT, OLD, record()), Standing.PROVED, Step.ADOPT),
    (host(RT, RT, record()), Standing.PROVED, Step.ADOPT),
    (host(RT, OLD, record(OTHER, NOW)), Standing.ARMED, Step.ADOPT),
    (host(RT, OLD, UNREADABLE), Standing.UNKNOWN, Step.ADOPT),
    # It does not.
    (host(OLD, OLD, record()), Standing.CAME_BACK, Step.REPORT),
    (host(OLD, OLD, record(unconfirmed=True)), Standing.CAME_BACK, Step.REPORT),
    (host(OLD, RT, record()), Standing.CAME_BACK, Step.REPORT),
    (host(OTHER, OTHER, record()), Standing.CAME_BACK, Step.REPORT),
    (host("6.9-plain", OLD, record("6.9-plain")), Standing.NOT_REALTIME, Step.REPORT),
    # Nobody knows.
    (host(trial=UNREADABLE), Standing.UNKNOWN, Step.TRY),
    (host(boot=None, trial=record()), Standing.UNKNOWN, Step.TRY),
    (host(None, trial=record()), Standing.UNKNOWN, Step.TRY),
]


@pytest.mark.parametrize(("facts", "expected", "step"), CASES)
def test_the_next_step_follows_from_the_facts(facts: Facts, expected: Standing, step: Step) -> None:
    assert standing(facts) is expected
    assert next_step(facts) is step
    assert not satisfied(facts), "there is a step to take, so the stage must take it"


@pytest.mark.parametrize(
    "facts",
    [
        host(RT, RT),
        host(RT, OTHER),
        # Somebody armed another one by hand, and it has not been booted.
        host(RT, RT, record(OTHER, NOW)),
    ],
)
def test_who_runs_a_realtime_kernel_by_default_is_left_alone(facts: Facts) -> None:
    assert satisfied(facts)


def test_every_combination_ends_in_a_step_that_is_safe() -> None:
    """Adopting needs a running PREEMPT_RT kernel; a restart never follows a trial unreported."""
    trials = (
        Known(None),
        UNREADABLE,
        *(record(r, b) for r in (RT, OTHER, OLD) for b in (NOW, BEFORE)),
    )
    seen = set()
    for running, default, trial, boot, installed in product(
        (OLD, RT, OTHER, None), (OLD, RT, None), trials, (NOW, None), ((), (RT,), (RT, OTHER))
    ):
        facts = host(running, default, trial, boot, installed)
        step = next_step(facts)
        seen.add(step)
        over = isinstance(trial, Known) and trial.value and trial.value.armed_in != boot
        if step is Step.ADOPT:
            assert running in (RT, OTHER)
        if step is Step.TRY:
            assert running not in (RT, OTHER)
            assert not (over and boot and running)
        if step is Step.REPORT:
            assert over
        if satisfied(facts):
            assert running in (RT, OTHER)
            assert default in installed
    assert seen == set(Step)


@pytest.mark.parametrize(
    ("facts", "level", "says"),
    [
        (host(), Level.OK, "No kernel is on trial"),
        (host(trial=record(armed_in=NOW)), Level.WARNING, f"{RT} is booted once"),
        (host(RT, OLD, record()), Level.FAILED, "is not adopted yet"),
        (host(OLD, OLD, record()), Level.FAILED, "it panicked, hung or was restarted"),
        (host(OLD, OLD, record(unconfirmed=True)), Level.FAILED, "nobody reached it in time"),
        (host("6.9-plain", OLD, record("6.9-plain")), Level.FAILED, "is not PREEMPT_RT"),
        (host(trial=UNREADABLE), Level.UNKNOWN, "not ours"),
        (host(boot=None, trial=record()), Level.UNKNOWN, RT),
    ],
)
def test_the_check_says_how_the_trial_stands(facts: Facts, level: Level, says: str) -> None:
    finding = TRIAL(facts, LAB)
    assert finding.level is level
    assert says in finding.summary
    assert bool(finding.fix) is (level is not Level.OK)


def test_a_kernel_that_failed_before_is_told_of_and_tried_again() -> None:
    facts = blank_facts(kernel__trial=Known(None), kernel__rejected=Known(RT))
    finding = TRIAL(facts, LAB)
    assert (finding.level, finding.summary) == (
        Level.WARNING,
        f"{RT} was tried and did not prove itself.",
    )


def test_a_one_shot_that_grub_never_took_is_another_story() -> None:
    facts = blank_facts(
        kernel__trial=record(),
        kernel__boot_id=Known(NOW),
        kernel__release=Known(OLD),
        kernel__next_entry=Known("kubert-trial"),
    )
    assert "GRUB did not take the one-shot entry" in TRIAL(facts, LAB).summary


def test_a_grub_that_cannot_forget_fails_unless_nothing_is_left_to_try() -> None:
    why = "/boot/grub/grubenv lies on lvm, which GRUB cannot write to"

    def facts(running: str, default: str) -> Facts:
        return blank_facts(
            kernel__one_shot=Known(why),
            kernel__release=Known(running),
            kernel__default_release=Known(default),
            kernel__realtime=host(running).kernel.realtime,
        )

    refused = ONE_SHOT(facts(OLD, OLD), LAB)
    assert refused.level is Level.FAILED
    assert why in refused.summary
    assert "make it the default and restart by hand" in refused.fix
    assert ONE_SHOT(facts(RT, OLD), LAB).level is Level.FAILED
    assert ONE_SHOT(facts(RT, RT), LAB).level is Level.OK
