"""`kubert-tui machines` on the command line: what it takes, prints and ends with."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from kubert_tui.cli import machines_command
from kubert_tui.cli.main import main
from kubert_tui.engine.session import Session
from kubert_tui.machines.order import Action, Order
from tests.support.stages import World
from tests.unit.test_machine_orders import Acts, acts

__all__ = ["acts"]

FILE = """\
name: twins
allow: [machines]
hosts: [{name: bull1, address: 10.0.0.1, user: lab, port: 2222}, {name: bull2}]
machines: [{name: one}, {name: two, host: bull2}]
"""


@pytest.fixture
def machines(acts: Acts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    world = World()
    session = partial(Session, gather=world.gather, connect=world.connect)
    monkeypatch.setattr(machines_command, "Session", session)
    # It takes signals for its own; these are pytest's.
    monkeypatch.setattr(machines_command, "let_go_on_signals", lambda _: None)
    file = tmp_path / "twins.yaml"
    file.write_text(FILE)
    return lambda action, *more: main(["machines", action, "--lab", str(file), *more])


def test_the_list(machines: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert machines("list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == ["one", "old", "two"]
    assert (rows["one"]["state"], rows["one"]["address"]) == ("running", "192.168.77.10")
    assert rows["one"]["ssh"].startswith("ssh -i ")
    assert rows["one"]["ssh"].endswith(" root@192.168.77.10")
    assert "-p 2222 -l lab" in rows["one"]["ssh"]
    assert rows["old"]["stray"]
    assert machines("list", "three") == 2
    assert "no machine three" in capsys.readouterr().err
    assert machines("list", "two") == 0
    printed = capsys.readouterr().out
    assert "bull2" in printed
    assert "off" in printed
    assert "one" not in printed


def test_it_needs_names_or_all(
    machines: Callable[..., int], acts: Acts, capsys: pytest.CaptureFixture[str]
) -> None:
    assert machines("stop") == 2
    assert machines("stop", "--all", "one") == 2
    assert "or --all" in capsys.readouterr().err
    assert not acts.done
    assert machines("stop", "--all", "--force") == 0
    assert len(acts.done) == 2


def test_without_a_confirmation_nothing_is_lost(
    machines: Callable[..., int], acts: Acts, capsys: pytest.CaptureFixture[str]
) -> None:
    for action, more in (("destroy", ("one",)), ("rebuild", ("--all",)), ("revert", ("one", "x"))):
        assert machines(action, *more) == 8
    assert "confirm with --yes" in capsys.readouterr().err
    assert not acts.done
    assert machines("destroy", "one", "--yes") == 0
    assert [done[:2] for done in acts.done] == [("bull1", Action.DESTROY)]


def test_the_word_is_the_machines_or_the_labs() -> None:
    assert Order(Action.DESTROY, ("one",)).word_for("twins") == "one"
    assert Order(Action.DESTROY, ("one", "two")).word_for("twins") == "twins"
    assert Order(Action.STOP, ("one",)).word_for("twins") == ""
