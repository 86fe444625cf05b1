"""The headless face: which stages, which answers, which words."""

import io
import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from kubert_tui.base.errors import ExitCode, UsageError
from kubert_tui.base.secrets import Secret
from kubert_tui.cli import stray
from kubert_tui.cli.answers import Answers
from kubert_tui.cli.auto import choose
from kubert_tui.cli.json_lines import JsonLines
from kubert_tui.cli.main import main
from kubert_tui.cli.text import TextReport
from kubert_tui.engine.session import Session
from kubert_tui.events.codec import encode
from kubert_tui.events.measuring import LatencySnapshot, LatencyStarted
from kubert_tui.events.model import (
    FactsGathered,
    Failure,
    Finished,
    HostLocked,
    HostLockLost,
    Output,
    StageFinished,
    StageState,
)
from kubert_tui.events.questions import Choice, Question, QuestionKind
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from tests.support.blank import blank_facts, blank_lab
from tests.support.stages import World, stage

STAGES = ("connect", "update", "kernel", "cyclictest")
SNAPSHOT = Snapshot(1, 2.5, (ThreadHistogram(0, (0, 3, 0, 5), 1, 1, 2.5, 90),))


@pytest.mark.parametrize(
    ("only", "first", "last", "expected"),
    [
        ((), None, None, STAGES),
        (("kernel", "connect"), None, None, ("connect", "kernel")),
        ((), "update", None, STAGES[1:]),
        ((), None, "update", STAGES[:2]),
        ((), "update", "kernel", STAGES[1:3]),
    ],
)
def test_stages_are_chosen_in_their_order(
    only: tuple[str, ...], first: str | None, last: str | None, expected: tuple[str, ...]
) -> None:
    assert choose(STAGES, only, first, last) == expected


@pytest.mark.parametrize(
    ("only", "first", "last"),
    [(("coffee",), None, None), ((), "kernel", "update"), (("kernel",), "kernel", None)],
)
def test_a_choice_that_cannot_be(
    only: tuple[str, ...], first: str | None, last: str | None
) -> None:
    with pytest.raises(UsageError):
        choose(STAGES, only, first, last)


def question(kind: QuestionKind, *, confirm: str = "") -> Question:
    open_kinds = (QuestionKind.REVIEW, QuestionKind.HOST_KEY, QuestionKind.HOST_LOCK)
    secret = kind not in open_kinds
    return Question(number=1, kind=kind, text="?", choices=(), secret=secret, confirm=confirm)


def test_answers_without_a_terminal() -> None:
    nobody = Answers(yes=False, accept_new_host_keys=False, terminal=False)
    assert nobody.answer(question(QuestionKind.HOST_KEY)).choice is Choice.NO
    assert nobody.answer(question(QuestionKind.SUDO_PASSWORD)).choice is Choice.NO
    assert nobody.answer(question(QuestionKind.REVIEW)).choice is Choice.APPLY
    refused = nobody.answer(question(QuestionKind.REVIEW, confirm="It restarts."))
    assert refused.choice is Choice.NO
    assert "--yes" in refused.text
    told = replace(nobody, yes=True, accept_new_host_keys=True)
    assert told.answer(question(QuestionKind.REVIEW, confirm="It restarts.")).choice is Choice.APPLY
    assert told.answer(question(QuestionKind.HOST_KEY)).choice is Choice.YES


def test_a_lock_is_broken_by_its_flag_only() -> None:
    told = Answers(yes=True, accept_new_host_keys=True, terminal=True)
    busy = question(QuestionKind.HOST_LOCK, confirm="Two operators would change one host.")
    assert told.answer(busy).choice is Choice.NO
    assert replace(told, break_lock=True).answer(busy).choice is Choice.BREAK


def test_an_event_as_json_is_sparse_exact_and_masked() -> None:
    Secret("hunter2")
    output = io.StringIO()
    lines = JsonLines(output)
    lines.show(LatencySnapshot(time=1.0, stage="cyclictest", host="bull1", snapshot=SNAPSHOT))
    lines.show(Output(lines=("password hunter2",)))
    first, second = map(json.loads, output.getvalue().splitlines())
    assert first["event"] == "latency-snapshot"
    assert first["snapshot"]["threads"][0]["counts"] == {"1": 3, "3": 5}
    assert first["snapshot"]["threads"][0]["samples"] == 9
    assert second["lines"] == ["password ********"]
    assert "stage" not in second


def test_facts_as_json_say_what_is_unknown() -> None:
    facts = blank_facts(hostname=Known("bull1"), machine_id=Unknown("permission denied"))
    plain = encode(FactsGathered(host="bull1", facts=facts, seconds=0.1))["facts"]
    assert isinstance(plain, dict)
    assert plain["hostname"] == {"value": "bull1"}
    assert plain["machine_id"] == {"unknown": "permission denied"}


def test_our_own_words_stay_readable_whatever_the_password_is() -> None:
    Secret("done")
    Secret("kernel")
    told = encode(StageFinished(stage="kernel", state=StageState.DONE, hosts={}, summary="done"))
    assert (told["stage"], told["state"], told["summary"]) == ("kernel", "done", "********")


def test_the_report_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    report = TextReport()
    report.show(
        LatencyStarted(
            host="bull1", command=("cyclictest",), version="2.4", interval=200, loops=5,
            cpus=(0,), started=0.0,
        )
    )  # fmt: skip
    report.show(LatencySnapshot(host="bull1", snapshot=replace(SNAPSHOT, final=True)))
    report.show(HostLocked(host="bull1", broke="ada@laptop (lab twins)"))
    report.show(HostLockLost(host="bull1", holder="bob@desk (lab other)"))
    report.show(Failure(host="bull1", what="[red]no[/]", fix="plug it in", log="/log"))
    report.show(
        Finished(states={"a": StageState.FAILED}, results=("r.json",), journal="j", exit_code=1)
    )
    shown = capsys.readouterr()
    assert "failed: [red]no[/]" in shown.err
    assert "plug it in" in shown.err
    assert "the lock of ada@laptop (lab twins) was broken" in shown.err
    assert "our lock was taken by bob@desk (lab other)" in shown.err
    assert "✗ failed" in shown.out
    assert "worst of 9 samples 90 us, 1 overflows" in shown.out
    assert "p99" not in shown.out, "9 samples say nothing about one in a hundred"
    assert "result: r.json" in shown.out


def test_runs_are_listed_and_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == ExitCode.OK
    assert "no runs yet" in capsys.readouterr().out
    world = World()
    session = Session(
        blank_lab(), stages=(stage("connect"),), gather=world.gather, connect=world.connect
    )
    session.submit("connect")
    session.close()
    list(session.events())
    assert main(["runs"]) == ExitCode.OK
    listed = capsys.readouterr().out
    assert session.run in listed
    assert "finished" in listed
    assert main(["runs", session.run]) == ExitCode.OK
    assert "connect: done: bull1" in capsys.readouterr().out
    assert main(["runs", session.run, "--json"]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[0])["event"] == "run-started"
    assert json.loads(lines[-1])["event"] == "finished"
    assert main(["runs", "absent"]) == ExitCode.USAGE
    assert "there is no run 'absent'" in capsys.readouterr().err


def test_what_a_library_s_thread_dies_of_is_kept_out_of_sight(
    own_directories: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Secret("hunter2")

    def die() -> None:
        raise EOFError("hunter2")

    stray.keep_out_of_sight()
    thread = threading.Thread(target=die)
    thread.start()
    thread.join()
    (log,) = own_directories.glob("**/stray.log")
    assert "EOFError: ********" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("typed", "said", "agreed"),
    [("", "Yes\n", True), ("", "y\n", False), ("eno1", "yes\n", False), ("eno1", "eno1\n", True)],
)
def test_a_confirmation_is_typed(
    typed: str, said: str, agreed: bool, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("sys.stdin", io.StringIO(said))
    asked = Question(
        number=1, kind=QuestionKind.REVIEW, text="apply?", choices=(Choice.APPLY, Choice.NO),
        confirm="We come over eno1.", typed=typed,
    )  # fmt: skip
    answers = Answers(yes=False, accept_new_host_keys=False, terminal=True)
    assert (answers.answer(asked).choice is Choice.APPLY) is agreed
    assert f"Type {typed or 'yes'} to go on" in capsys.readouterr().err
    flagged = Answers(yes=True, accept_new_host_keys=False, terminal=False)
    assert flagged.answer(asked).choice is Choice.APPLY


def test_without_a_wizard_textual_is_not_loaded() -> None:
    program = "import sys, kubert_tui.cli.main; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
