"""Orders on one host: what is done with which machine, and what is refused."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kubert_tui.base.errors import ChangeError, KubertError
from kubert_tui.facts.virtual import MachineSeen
from kubert_tui.machines import keys, lifecycle
from kubert_tui.machines.ensure import Outcome
from kubert_tui.machines.order import Action, Order
from kubert_tui.stages import machines_acts
from kubert_tui.stages.machines_acts import act, forget_keys
from tests.support.recording import RecordingWork
from tests.unit.test_machine_orders import LAB

ONE = MachineSeen("one", "running")
GONE = MachineSeen("one", "missing")
OLD = MachineSeen("old", "off", stray=True)


@dataclass
class Hypervisor:
    """Says what it was told to do."""

    host: str = "bull1"
    told: list[tuple[object, ...]] = field(default_factory=list)
    on: bool = True

    def snapshot(self, name: str, label: str) -> None:
        self.told.append(("snapshot", name, label))

    def revert(self, name: str, label: str) -> None:
        self.told.append(("revert", name, label))

    def domain(self, name: str) -> "Hypervisor":
        del name
        return self


@dataclass
class ActingWork(RecordingWork):
    """Lends one hypervisor."""

    own: Hypervisor = field(default_factory=Hypervisor)

    def hypervisor(self, name: str) -> AbstractContextManager[Any]:
        assert name == "bull1"
        return nullcontext(self.own)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ActingWork:
    work = ActingWork(LAB, tmp_path)
    told = work.own.told

    class Boot:
        def __init__(self, _: object, __: object, guests: tuple[Any, ...], limit: float) -> None:
            self.names = tuple(guest.name for guest in guests)
            assert limit == LAB.restart_seconds

        def wait(self) -> None:
            told.append(("wait", *self.names))

    def rebuild(_: object, case: Any, base: str) -> Outcome:
        told.append(("rebuild", case.guest.domain, base))
        return Outcome(case.guest, True, True, (), (), ())

    for name in ("start", "stop", "cut_power"):
        monkeypatch.setattr(
            lifecycle, name,
            lambda _, guest, name=name, **__: told.append((name, guest.domain)),
        )  # fmt: skip
    monkeypatch.setattr(lifecycle, "destroy", lambda _, lab, name: told.append((lab, name)))
    monkeypatch.setattr(lifecycle, "destroy_all", lambda _, lab: told.append(("all of", lab)))
    monkeypatch.setattr(lifecycle, "leftovers", lambda *_: ())
    monkeypatch.setattr(machines_acts, "Boot", Boot)
    monkeypatch.setattr(machines_acts, "rebuild", rebuild)
    return work


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (Order(Action.START, ("one",)), [("start", "twins-one")]),
        (Order(Action.STOP, ("one",)), [("stop", "twins-one")]),
        (Order(Action.STOP, ("one",), force=True), [("cut_power", "twins-one")]),
        (Order(Action.SNAPSHOT, ("one",), label="a"), [("snapshot", "twins-one", "a")]),
        (Order(Action.REVERT, ("one",), label="a"), [("revert", "twins-one", "a")]),
        (Order(Action.DESTROY, ("one",)), [("twins", "one")]),
        (Order(Action.DESTROY), [("all of", "twins")]),
    ],
)
def test_each_does_what_it_says(
    work: ActingWork, order: Order, told: list[tuple[object, ...]]
) -> None:
    act(work, "bull1", order, (ONE,))
    assert work.own.told == told
    assert work.notes()


def test_a_rebuilt_machine_is_waited_for(work: ActingWork) -> None:
    act(work, "bull1", Order(Action.REBUILD, ("one",)), (GONE,))
    (rebuilt, wait) = work.own.told
    assert rebuilt[:2] == ("rebuild", "twins-one")
    assert wait == ("wait", "one")
    assert keys.known_machines("twins")
    with pytest.raises(KubertError, match="does not name old any more"):
        act(work, "bull1", Order(Action.REBUILD, ("old",)), (OLD,))


def test_what_is_not_there_is_said_or_passed_over(work: ActingWork) -> None:
    with pytest.raises(KubertError, match="one has not been made yet"):
        act(work, "bull1", Order(Action.START, ("one",)), (GONE,))
    act(work, "bull1", Order(Action.START), (GONE, OLD))
    act(work, "bull1", Order(Action.DESTROY, ("one",)), (GONE,))
    assert work.own.told == [("start", "twins-old")]
    work.own.on = False
    with pytest.raises(KubertError, match="is off and says nothing"):
        act(work, "bull1", Order(Action.CONSOLE, ("one",)), (ONE,))


def test_a_machine_left_over_takes_its_key_with_it(work: ActingWork) -> None:
    keys.login_key("twins")
    directory = keys.kept("twins")[0].parent
    for name in ("one", "old"):
        (directory / f"{name}.host-key").touch()
    act(work, "bull1", Order(Action.DESTROY), (ONE,))
    act(work, "bull1", Order(Action.DESTROY, ("old",)), (OLD,))
    act(work, "bull1", Order(Action.DESTROY, ("one",)), (ONE,))
    assert [path.name for path in keys.kept("twins")] == ["key", "one.host-key"]


def test_what_is_left_is_told(work: ActingWork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "leftovers", lambda *_: ("network kubert-twins",))
    with pytest.raises(ChangeError, match="left: network kubert-twins") as caught:
        act(work, "bull1", Order(Action.DESTROY), (ONE,))
    assert caught.value.host == "bull1"
    forget_keys(work)
    monkeypatch.setattr(lifecycle, "leftovers_here", lambda _: ("key k",))
    with pytest.raises(ChangeError, match="left here: key k"):
        forget_keys(work)
