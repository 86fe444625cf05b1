"""Passwords through the whole engine: asked once, used everywhere, written nowhere."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubert_tui.base.secrets import Secret
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.model import Event, Finished, StageState, TaskFinished
from kubert_tui.events.questions import Answer, Choice, Question, QuestionKind
from kubert_tui.lab.model import Lab, Permission
from kubert_tui.stages.model import Stage
from kubert_tui.stages.playbook_change import PlaybookChange
from tests.support.sshd import start_sshd, throwaway_user
from tests.support.stages import GUIDE, NEW_KERNEL

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a user"),
]

PLAYBOOK = Path(__file__).parents[1] / "fixtures" / "playbooks" / "root.yml"


def _stage(name: str) -> Stage:
    change = PlaybookChange(str(PLAYBOOK), frozenset({Permission.SERVICES}), previews=False)
    goals = frozenset({NEW_KERNEL.id})
    return Stage(name, name, GUIDE, (NEW_KERNEL,), goals, change=change, by_hand=True)


def test_a_password_is_asked_once_and_found_nowhere(
    tmp_path: Path, own_directories: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = tmp_path / "tmp"
    runtime.mkdir()
    monkeypatch.setenv("TMPDIR", str(runtime))
    with throwaway_user(sudoers="ALL=(ALL) ALL") as user, start_sshd(tmp_path / "one") as server:
        spec = server.spec("bull1", user=user.name, identity_file="")
        lab = Lab(hosts=(spec,), allow=frozenset(Permission))
        session = Session(lab, Options(), stages=(_stage("first"), _stage("second")))
        session.submit("first")
        session.submit("second")
        session.close()
        canary = user.password.encode()
        asked: list[QuestionKind] = []
        told: list[Event] = []
        for event in session.events():
            told.append(event)
            if isinstance(event, Question):
                asked.append(event.kind)
                session.answer(event.number, _answer(event, user.password))
            if isinstance(event, TaskFinished):
                assert not [pid for pid, text in _processes() if canary in text]
        finished = told[-1]
        assert isinstance(finished, Finished)
        assert set(finished.states.values()) == {StageState.NEEDS_YOU}, told
        assert [e.outcome for e in told if isinstance(e, TaskFinished)] == ["changed"] * 2
        assert asked.count(QuestionKind.PASSWORD) == 1
        assert asked.count(QuestionKind.SUDO_PASSWORD) == 1
        assert user.password not in repr(told)
        for place in (own_directories, runtime, user.home, Path("/var/lib/kubert-tui")):
            assert not [path for path in _files(place) if canary in path.read_bytes()]


def _answer(question: Question, password: str) -> Answer:
    if question.secret:
        return Answer(Choice.YES, secret=Secret(password))
    return Answer(Choice.APPLY if question.kind is QuestionKind.REVIEW else Choice.YES)


def _processes() -> Iterator[tuple[str, bytes]]:
    """Arguments and environment of every process but this one (which was told)."""
    for directory in Path("/proc").glob("[0-9]*"):
        if directory.name == str(os.getpid()):
            continue
        for name in ("cmdline", "environ"):
            try:
                yield directory.name, (directory / name).read_bytes()
            except OSError:
                continue


def _files(place: Path) -> Iterator[Path]:
    return (path for path in place.rglob("*") if path.is_file() and not path.is_symlink())
