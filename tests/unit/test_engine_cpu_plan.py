"""The stage cpu-plan in a session: proposed, chosen, kept in the lab file or in the run."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.base.errors import ExitCode
from kubert_tui.cli.answers import Answers
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.codec import encode
from kubert_tui.events.model import (
    CpuPlanMade,
    Event,
    Failure,
    Finished,
    PlanMade,
    StageFinished,
    StageState,
)
from kubert_tui.events.questions import Answer, Choice, Question, QuestionKind
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.hosts.interface import Completed, Host, Invocation
from kubert_tui.lab.load import load_lab
from kubert_tui.lab.model import Lab
from kubert_tui.stages.registry import stage
from tests.support.blank import blank_lab
from tests.support.fact_samples import HPE, changed, facts_of
from tests.support.stages import Measure, PretendedHost, World
from tests.support.stages import stage as make_stage

PROPOSED = CpuPlan(frozenset({0, 1, 20, 21}), frozenset(range(40)) - {0, 1, 20, 21})
CHOSEN = CpuPlan(frozenset({0}), frozenset(range(1, 40)))
LAB = "# mine\nhosts:\n  - name: bull1  # the first\n    address: bull1.invalid\n"

Reply = Callable[[Question], Answer]
AGREE = Answers(yes=False, accept_new_host_keys=False, terminal=False).answer


def save(plan: CpuPlan | None = None) -> Reply:
    plans = {"bull1": plan} if plan else {}
    return lambda _: Answer(Choice.SAVE, plans=plans)


def chosen(plan: CpuPlan) -> Reply:
    return lambda _: Answer(Choice.APPLY, plans={"bull1": plan})


def gather(host: Host, updates: bool, cancel: Flag) -> Facts:
    del updates, cancel
    return facts_of(HPE, host=host.name)


def play(
    lab: Lab,
    reply: Reply = AGREE,
    *,
    options: Options | None = None,
    again: bool = False,
    look: Callable[[Host, bool, Flag], Facts] = gather,
) -> tuple[list[Event], Lab]:
    """Work on the stage once; return what was told, and the lab as it is then."""
    world = World()
    session = Session(
        lab,
        options or Options(),
        stages=(stage("cpu-plan"),),
        gather=look,
        connect=world.connect,
    )
    session.submit("cpu-plan", again=again)
    session.close()
    told = []
    for event in session.events():
        told.append(event)
        if isinstance(event, Question):
            session.answer(event.number, reply(event))
    return told, session.lab


def of(told: list[Event], kind: type[Event]) -> list[Event]:
    return [event for event in told if isinstance(event, kind)]


def ended(told: list[Event]) -> tuple[StageState, int]:
    last = told[-1]
    assert isinstance(last, Finished)
    return last.states["cpu-plan"], last.exit_code


@pytest.fixture
def lab_file(tmp_path: Path) -> Path:
    path = tmp_path / "twins.yaml"
    path.write_text(LAB)
    return path


def test_headless_takes_what_is_proposed_and_leaves_the_lab_file_alone(lab_file: Path) -> None:
    told, lab = play(load_lab(lab_file), options=Options(lab_file=str(lab_file)))
    assert ended(told) == (StageState.DONE, ExitCode.OK)
    (made,) = of(told, CpuPlanMade)
    assert isinstance(made, CpuPlanMade)
    assert (made.housekeeping, made.isolated) == ("0-1,20-21", "2-19,22-39")
    assert made.proposed
    assert not made.path
    assert lab.plan_of("bull1") == PROPOSED
    assert lab_file.read_text() == LAB


def test_it_is_written_into_the_lab_file_and_then_nothing_is_left_to_ask(lab_file: Path) -> None:
    options = Options(lab_file=str(lab_file))
    told, lab = play(load_lab(lab_file), save(CHOSEN), options=options)
    assert ended(told) == (StageState.DONE, ExitCode.OK)
    (made,) = of(told, CpuPlanMade)
    assert isinstance(made, CpuPlanMade)
    assert (made.proposed, made.path) == (False, str(lab_file))
    assert load_lab(lab_file) == lab
    assert lab.plan_of("bull1") == CHOSEN
    assert lab_file.read_text().startswith(LAB), "what was there has stayed"

    again, _ = play(load_lab(lab_file), options=options)
    assert ended(again) == (StageState.SATISFIED, ExitCode.OK)
    assert not of(again, Question)


def test_who_starts_it_by_hand_is_asked_again() -> None:
    lab = blank_lab("bull1").with_plans({"bull1": CHOSEN})
    seen: list[Question] = []

    def look(question: Question) -> Answer:
        seen.append(question)
        return Answer(Choice.NO)

    told, _ = play(lab, look, again=True)
    assert [host.plan for host in seen[0].cpus] == [CHOSEN]
    assert ended(told) == (StageState.SATISFIED, ExitCode.OK), "the plan that is there stays"
    told, changed_lab = play(lab, chosen(PROPOSED), again=True)
    assert ended(told) == (StageState.DONE, ExitCode.OK)
    assert changed_lab.plan_of("bull1") == PROPOSED


def test_a_run_that_goes_on_knows_what_was_decided() -> None:
    lab = blank_lab("bull1")
    left = (stage("cpu-plan"), stage("irqbalance"))
    session = Session(lab, stages=left, gather=gather, connect=World().connect)
    session.submit("cpu-plan")
    for event in session.events():
        if isinstance(event, Question):
            session.answer(event.number, chosen(CHOSEN)(event))
        if isinstance(event, CpuPlanMade):
            session.detach()
    told, resumed = play(lab)
    assert resumed.plan_of("bull1") == CHOSEN
    assert ended(told) == (StageState.SATISFIED, ExitCode.OK)
    # A lab file that was edited meanwhile counts more.
    _, edited = play(lab.with_plans({"bull1": PROPOSED}))
    assert edited.plan_of("bull1") == PROPOSED


def test_what_decides_none_takes_the_plan_of_the_newest_run_that_has_one() -> None:
    lab = blank_lab("bull1", "bull2")

    def lab_of(kind: str, lab: Lab = lab, lab_file: str = "") -> Lab:
        engine = Session(lab, Options(kind=kind, lab_file=lab_file), (), connect=World().connect)
        engine.close()
        list(engine.events())
        return engine.lab

    assert lab_of("machines") == lab
    play(blank_lab("bull1"), chosen(PROPOSED))
    play(blank_lab("bull1"), chosen(CHOSEN), options=Options(fresh=True))
    play(blank_lab("bull1"), options=Options(dry_run=True, fresh=True))
    found = lab_of("machines")
    assert (found.plan_of("bull1"), found.plan_of("bull2")) == (CHOSEN, None)
    assert lab_of("machines", lab_file="other.yaml").plan_of("bull1") is None
    edited = lab.with_plans({"bull1": PROPOSED})
    assert lab_of("machines", edited) == edited, "the lab file counts more"
    assert lab_of("") == lab, "a run of all stages decides anew"


def test_a_plan_that_does_not_fit_is_replaced_only_when_that_is_confirmed() -> None:
    lab = blank_lab("bull1").with_plans({"bull1": CpuPlan(frozenset({0}), frozenset({1}))})
    told, kept = play(lab)
    (question,) = of(told, Question)
    assert isinstance(question, Question)
    assert "does not fit, and is adapted" in question.confirm
    assert "CPUs 2-39 are in neither set" in question.details
    assert ended(told) == (StageState.DECLINED, ExitCode.NEEDS_CONFIRMATION)
    assert kept == lab
    yes = Answers(yes=True, accept_new_host_keys=False, terminal=False)
    told, replaced = play(lab, yes.answer)
    assert ended(told) == (StageState.DONE, ExitCode.OK)
    # What it said of CPUs 0 and 1 has stayed, for the others it is as proposed.
    assert replaced.plan_of("bull1") == CpuPlan(
        frozenset({0, 20, 21}), frozenset(range(40)) - {0, 20, 21}
    )


def test_an_answer_that_does_not_fit_is_refused() -> None:
    told, lab = play(blank_lab("bull1"), save(CpuPlan(frozenset({1}), frozenset({0}))))
    assert ended(told)[0] is StageState.FAILED
    assert [one.host for one in of(told, Failure)] == ["bull1"]
    assert lab.plan_of("bull1") is None


def test_a_lab_file_that_cannot_be_written_keeps_nothing(
    lab_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = load_lab(lab_file)
    options = Options(lab_file=str(lab_file))
    with monkeypatch.context() as patched:

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        patched.setattr("kubert_tui.base.paths.rewrite", refuse)
        told, kept = play(lab, save(), options=options)
    assert ended(told)[0] is StageState.FAILED
    (failed,) = of(told, Failure)
    assert isinstance(failed, Failure)
    assert 'bull1: cpus: {housekeeping: "0-1,20-21"' in failed.fix
    assert kept == lab


def test_a_host_whose_topology_is_unknown_holds_nobody_up() -> None:
    def look(host: Host, updates: bool, cancel: Flag) -> Facts:
        facts = gather(host, updates, cancel)
        if host.name == "bull1":
            return facts
        return facts_of(changed(HPE, topology=""), host=host.name)

    told, lab = play(blank_lab("bull1", "odd"), look=look)
    assert ended(told) == (StageState.SKIPPED, ExitCode.OK)
    (finished,) = of(told, StageFinished)
    assert isinstance(finished, StageFinished)
    assert finished.hosts == {"bull1": StageState.DONE, "odd": StageState.SKIPPED}
    assert "shows no topology" in finished.summary
    assert lab.plan_of("bull1") == PROPOSED
    assert lab.plan_of("odd") is None


def test_a_dry_run_says_what_it_would_plan() -> None:
    told, lab = play(blank_lab("bull1"), options=Options(dry_run=True))
    assert ended(told)[0] is StageState.WOULD_CHANGE
    (plan,) = of(told, PlanMade)
    assert isinstance(plan, PlanMade)
    assert plan.steps[0].command == 'cpus: {housekeeping: "0-1,20-21", isolated: "2-19,22-39"}'
    assert not of(told, Question)
    assert lab.plan_of("bull1") is None


def test_the_question_can_be_written_down() -> None:
    told, _ = play(blank_lab("bull1"))
    (question,) = of(told, Question)
    plain = json.loads(json.dumps(encode(question)))
    assert plain["kind"] == QuestionKind.CPU_PLAN
    (host,) = plain["cpus"]
    assert host["plan"]["housekeeping"] == [0, 1, 20, 21]
    assert host["topology"]["cpus"][21] == {"number": 21, "core": 21, "socket": 1, "node": 1}
    assert host["cards"] == {"0": ["eno1np0"], "1": ["eno2np1"]}


def test_unknown_facts_beside_the_topology_do_no_harm() -> None:
    def look(host: Host, updates: bool, cancel: Flag) -> Facts:
        facts = gather(host, updates, cancel)
        nothing = Unknown("denied")
        processors = replace(facts.processors, offline=nothing, isolated=nothing)
        return replace(facts, processors=processors, network=nothing)

    told, lab = play(blank_lab("bull1"), look=look)
    assert ended(told)[0] is StageState.DONE
    # Without cards no node gets a second core for their interrupts; a tenth of twenty is two.
    assert lab.plan_of("bull1") == PROPOSED


def test_signs_of_life_go_by_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, ...]] = []
    run = PretendedHost.run

    def note(host: PretendedHost, invocation: Invocation) -> Completed:
        seen.append(tuple(invocation.argv))
        return run(host, invocation)

    monkeypatch.setattr(PretendedHost, "run", note)
    stages = (stage("cpu-plan"), make_stage("measure", Measure(), measures=True))
    session = Session(blank_lab("bull1"), stages=stages, gather=gather, connect=World().connect)
    for one in ("cpu-plan", "measure", "measure"):
        session.submit(one, again=one == "measure")
    session.close()
    for event in session.events():
        if isinstance(event, Question):
            session.answer(event.number, AGREE(event))
    kept = [argv for argv in seen if "keep" in argv]
    assert kept, "the lock was held over two measurements"
    assert all("taskset" in " ".join(argv[:3]) and argv[4] == "0-1,20-21" for argv in kept)
