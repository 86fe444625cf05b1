"""A lab of two servers and what happens there: the material of the scripts."""

from kubert_tui.checks.finding import Finding, Level
from kubert_tui.events.model import (
    CommandFinished,
    CommandStarted,
    FactsGathered,
    Failure,
    FindingMade,
    HostConnected,
    Output,
    PlanMade,
    PlannedStep,
    RunStarted,
    StageFinished,
    StageState,
    TaskFinished,
    Waiting,
)
from kubert_tui.events.questions import Answer, Choice, Question, QuestionKind
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.stages.model import Guide, Stage
from tests.screens.sample_facts import facts
from tests.screens.scripted_engine import Branch, Step

HOSTILE = "[red]x[/] [/nope] [link=http://x]y"

LAB = Lab(
    name="bulls",
    hosts=(
        HostSpec(name="bull1", address="192.168.11.11", user="lab"),
        HostSpec(name="bull2", address="192.168.11.12", user="lab"),
    ),
    allow=frozenset({Permission.PACKAGES, Permission.SERVICES}),
)

COMMAND = (
    "cyclictest",
    "--mlockall",
    "--smp",
    "--nanosleep",
    "--priority=90",
    "--interval=200",
    "--histogram=250",
    "--distance=0",
    "--loops=36000000",
    "--quiet",
)


def _stage(identity: str, title: str, what: str, **more: object) -> Stage:
    guide = Guide(
        what=what,
        why="A latency that nobody can explain is a latency that nobody can promise.",
        readme=str(more.pop("readme", "")),
        ours=str(more.pop("ours", "")),
        differs=str(more.pop("differs", "")),
    )
    return Stage(id=identity, title=title, guide=guide, **more)  # type: ignore[arg-type]


def bios_guide(facts: Facts) -> str:
    """What a person does in the firmware of one host."""
    return (
        f"{facts.host}: System Utilities > System Configuration > BIOS/Platform Configuration "
        "(RBSU) > Processor Options > Intel (R) Hyperthreading Options > Disabled > "
        "Save Your Settings"
    )


class _Nothing:
    """A change that is only there to be there."""


STAGES: tuple[Stage, ...] = (
    _stage(
        "connect",
        "Connect and inspect",
        "Reaches every host over SSH and reads its facts in one round trip. Changes nothing.",
    ),
    _stage(
        "update",
        "System update",
        "Brings the distribution's packages up to date.",
        readme="sudo yum update",
        ours="dnf: name='*' state=latest",
        differs="Ansible's module says what it changed, and can say it beforehand.",
        change=_Nothing(),
    ),
    _stage(
        "kernel",
        "PREEMPT_RT kernel",
        "Installs a real-time kernel and makes it the default.",
        readme="sudo rpm -ivh http://ccrma.stanford.edu/.../kernel-rt-core-5.10.2-200.rt20.1.rpm\n"
        "sudo grubby --set-default /boot/vmlinuz-5.10.2-200.rt20.1.fc33.ccrma.x86_64+rt",
        ours="dnf install kernel-rt\ngrubby --set-default /boot/vmlinuz-6.6.0-rt15",
        differs="The README's packages are for Fedora 33; yours is newer.",
        change=_Nothing(),
    ),
    _stage(
        "hyperthreading",
        "Hyperthreading",
        "Switched off in the firmware, by you; then the hosts restart.",
        host_guide=bios_guide,
        change=_Nothing(),
        by_hand=True,
    ),
    _stage(
        "irqbalance",
        "IRQ balancing",
        "Stops and disables irqbalance, so that interrupts stay where they are put.",
        readme="sudo systemctl stop irqbalance & sudo systemctl disable irqbalance",
        ours="systemd_service: name=irqbalance state=stopped enabled=false",
        change=_Nothing(),
    ),
    _stage("rt-tests", "rt-tests", "Builds and installs cyclictest.", change=_Nothing()),
    _stage(
        "cyclictest",
        "First cyclictest",
        "Measures how late a real-time thread wakes up, on every CPU.",
        readme=" ".join(("sudo", *COMMAND)),
        ours=" ".join(COMMAND),
        change=_Nothing(),
        measures=True,
    ),
)


def finding(check: str, host: str, level: Level, summary: str, fix: str = "") -> Finding:
    """One finding."""
    why = "Without it a real-time thread waits for work that is not its own."
    return Finding(check, host, level, summary, why, fix, "kubert README, PREEMPT_RT patch")


def findings(host: str) -> tuple[FindingMade, ...]:
    """What the checks found on one host."""
    made = (
        finding(
            "kernel.realtime-running",
            host,
            Level.FAILED,
            "The running kernel is not PREEMPT_RT",
            "Install one in stage 3, then restart.",
        ),
        finding("cpu.smt", host, Level.WARNING, "Hyperthreading is on", "Stage 4 switches it off."),
        finding("memory.ksm", host, Level.UNKNOWN, "KSM could not be read: permission denied"),
        finding("kvm.usable", host, Level.OK, "KVM is usable"),
        finding("hostile", host, Level.OK, HOSTILE),
    )
    return tuple(FindingMade(host=host, finding=one) for one in made)


def opening() -> tuple[RunStarted, ...]:
    """How a run begins."""
    return (
        RunStarted(
            run="20261123-221130-bulls-3f9a",
            lab=LAB.name,
            hosts=("bull1", "bull2"),
            stages=tuple(stage.id for stage in STAGES),
            version="0.1.0",
        ),
    )


def ended(state: StageState, summary: str) -> StageFinished:
    """The end of a stage on both hosts."""
    return StageFinished(state=state, hosts={"bull1": state, "bull2": state}, summary=summary)


def host_key(number: int = 1, host: str = "bull1") -> Question:
    """First contact."""
    return Question(
        number=number,
        host=host,
        kind=QuestionKind.HOST_KEY,
        text=f"{host} is new to us. Is this its host key?",
        details="address      192.168.11.11 port 22\nkey          ssh-ed25519\n"
        "fingerprint  SHA256:oYFqRk0ZkLx0ckDFo0SPBgqGTDP8WnGQ5c0wXhJzg2A",
        choices=(Choice.YES, Choice.NO),
    )


def secret(
    number: int = 2, kind: QuestionKind = QuestionKind.SUDO_PASSWORD, host: str = "bull1"
) -> Question:
    """A password."""
    return Question(
        number=number,
        host=host,
        kind=kind,
        text=f"[sudo] password for lab on {host}",
        choices=(Choice.YES, Choice.NO),
        secret=True,
    )


def host_lock(number: int = 4, host: str = "bull1") -> Question:
    """Somebody else works there."""
    return Question(
        number=number,
        host=host,
        kind=QuestionKind.HOST_LOCK,
        text=f"{host} is being worked on by ada@laptop (lab twins, stage kernel, since 12:03; last "
        "sign of life 8 s ago).",
        details="Their kubert-tui is at work there, or open and connected.",
        confirm="Breaking the lock ends in two operators changing one host: the other one is "
        "stopped at the next step only.",
        choices=(Choice.RETRY, Choice.BREAK, Choice.NO),
    )


STEPS = (
    PlannedStep("bull1", "Stop irqbalance", "systemd_service: name=irqbalance state=stopped"),
    PlannedStep("bull1", "Keep it off at boot", "systemd_service: name=irqbalance enabled=false"),
    PlannedStep("bull2", "Stop irqbalance", "systemd_service: name=irqbalance state=stopped"),
    PlannedStep("bull2", HOSTILE, "systemd_service: name=irqbalance enabled=false"),
)


def review(number: int = 3, confirm: str = "", typed: str = "") -> Question:
    """Exactly what would run."""
    return Question(
        number=number,
        kind=QuestionKind.REVIEW,
        text="IRQ balancing: apply this on bull1, bull2?",
        choices=(Choice.APPLY, Choice.PREVIEW, Choice.SKIP),
        confirm=confirm,
        typed=typed,
        steps=STEPS,
    )


def connecting() -> tuple[Step, ...]:
    """Stage 1 gets through."""
    steps: list[Step] = []
    for spec in LAB.hosts:
        steps += [
            HostConnected(host=spec.name, address=spec.address, user=spec.user),
            FactsGathered(host=spec.name, facts=facts(spec.name), seconds=0.8),
            *findings(spec.name),
        ]
    return (*steps, ended(StageState.DONE, "done: bull1, bull2"))


def applying() -> tuple[Step, ...]:
    """A playbook changes something."""
    return (
        CommandStarted(argv=("ansible-playbook", "irqbalance.yml")),
        TaskFinished(host="bull1", task="Stop irqbalance", outcome="changed"),
        Output(host="bull1", lines=("Stopping irqbalance daemon...", HOSTILE)),
        Output(host="bull1", lines=("Stopped irqbalance daemon.",)),
        TaskFinished(host="bull2", task="Stop irqbalance", outcome="changed"),
        CommandFinished(argv=("ansible-playbook", "irqbalance.yml"), exit_status=0, seconds=12.3),
        ended(StageState.DONE, "done: bull1, bull2"),
    )


def irqbalance() -> tuple[Step, ...]:
    """Review, perhaps preview, apply or skip."""
    diff = "--- before\n+++ after\n-enabled\n+disabled"
    preview = (
        TaskFinished(host="bull1", task="Stop irqbalance", outcome="changed", diff=diff),
        TaskFinished(host="bull2", task="Stop irqbalance", outcome="ok"),
        review(4),
        Branch(_after_review),
    )

    def first(answer: Answer) -> tuple[Step, ...]:
        return preview if answer.choice is Choice.PREVIEW else _after_review(answer)

    return (
        PlanMade(steps=STEPS, needs=("services",)),
        review(3),
        Branch(first),
    )


def _after_review(answer: Answer) -> tuple[Step, ...]:
    if answer.choice is Choice.APPLY:
        return applying()
    state = StageState.SKIPPED if answer.text else StageState.DECLINED
    return (ended(state, f"{state}: {answer.text}"),)


def failing() -> tuple[Step, ...]:
    """A stage that fails on one host."""
    return (
        Failure(
            host="bull2",
            what="dnf could not reach the package mirror",
            fix="Check the host's network and DNS, then retry.",
            command=("dnf", "-y", "upgrade", HOSTILE),
            exit_status=1,
            details="Curl error (6): Couldn't resolve host name\n" + HOSTILE,
            log="~/.local/state/kubert-tui/runs/20261123-221130-bulls-3f9a/update.log",
        ),
        StageFinished(
            state=StageState.FAILED,
            hosts={"bull1": StageState.SATISFIED, "bull2": StageState.FAILED},
            summary="failed: bull2; satisfied: bull1",
        ),
    )


def restarting() -> tuple[Step, ...]:
    """A reboot, then a person is needed."""
    return (
        Waiting(host="bull1", what="bull1 to come back (no answer so far)", elapsed=42, limit=600),
        ended(StageState.NEEDS_YOU, "needs you: bull1, bull2"),
    )
