"""The wizard on the real engine and real practice labs: files, runs, and what is offered."""

import os
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.cli import wizard_command
from kubert_tui.engine.session import Session
from kubert_tui.events.model import RunStarted
from kubert_tui.lab.find import labs_directory
from kubert_tui.lab.model import Lab
from kubert_tui.lab.write import write_lab
from kubert_tui.practice import lab_file
from kubert_tui.practice.model import Kind, Order, Places
from kubert_tui.practice.status import Standing, Status
from kubert_tui.screens.error import ErrorScreen
from kubert_tui.screens.practice import PracticeScreen
from tests.screens import story
from tests.screens.driving import SMALL, on_top, screen_text, until
from tests.screens.practice_fake import lab_of, status_of
from tests.screens.test_practice import choose_practice


class _Practice:
    """Stands for one practice lab: writes its file where it belongs."""

    def __init__(self, kind: Kind) -> None:
        self.name = lab_of(kind).name
        self.kind = kind
        self.standing = Standing.ABSENT

    def status(self) -> Status:
        return status_of(self.kind, self.standing, built=True)

    def up(self, order: Order) -> Path:
        path = labs_directory() / f"{self.name}.yaml"
        if self.standing is Standing.ABSENT:
            write_lab(lab_of(self.kind), path)
            path.write_text(lab_file._SIGN + "\n" + path.read_text())
        self.standing = Standing.UP
        return path

    def down(self, order: Order) -> None:
        (labs_directory() / f"{self.name}.yaml").unlink()
        self.standing = Standing.ABSENT


@pytest.fixture
def practice(monkeypatch: pytest.MonkeyPatch) -> _Practice:
    one = _Practice(Kind.CONTAINERS)
    monkeypatch.setattr(wizard_command, "_practice", lambda _: one)
    return one


ORDER = Order(lambda _: None, Flag())


def _left(session: Session) -> str:
    """Let go of a run at once, so that it stays unfinished; return its id."""
    session.detach()
    events = tuple(session.events())
    return next(event.run for event in events if isinstance(event, RunStarted))


def test_new_machines_get_a_new_run_and_those_that_stay_go_on(practice: _Practice) -> None:
    files = wizard_command._Files(None)
    labs = wizard_command._PracticeLabs(files)
    first = _left(files.open(labs.up(Kind.CONTAINERS, ORDER)))
    again = _left(files.open(labs.up(Kind.CONTAINERS, ORDER)))
    assert again == first, "the same machines: the run goes on"
    labs.down(Kind.CONTAINERS, ORDER)
    anew = _left(files.open(labs.up(Kind.CONTAINERS, ORDER)))
    assert anew != first, "other machines: nothing was done on them yet"


def test_practice_machines_are_no_saved_lab(practice: _Practice) -> None:
    files = wizard_command._Files(None)
    wizard_command._PracticeLabs(files).up(Kind.CONTAINERS, ORDER)
    files.save(story.LAB)
    assert set(wizard_command._saved_labs(files)) == {story.LAB.name}


def test_a_lab_of_ones_own_called_practice_is_one(practice: _Practice) -> None:
    files = wizard_command._Files(None)
    files.save(Lab(name="practice", hosts=story.LAB.hosts))
    assert set(wizard_command._saved_labs(files)) == {"practice"}
    assert not wizard_command.make_app("practice", []).practising


def test_a_practice_lab_that_is_named_is_known_for_one(practice: _Practice) -> None:
    practice.up(ORDER)
    app = wizard_command.make_app("practice", ["cyclictest.duration=5s"])
    assert app.practising


async def test_without_root_the_real_thing_refuses_and_leads_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    app = wizard_command.make_app(None, [])
    async with app.run_test(size=SMALL) as pilot:
        await choose_practice(app, pilot, "enter")
        await until(pilot, lambda: on_top(app, ErrorScreen))
        assert "the practice lab needs root" in screen_text(app)
        assert "What to do: start kubert-tui with sudo" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, PracticeScreen))
    assert not Places.of_user().state.exists(), "nothing was begun"
