"""Orders about machines through the engine: whom they are for, what they want, how they end."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from kubert_tui.base.errors import CancelledError, ExitCode, KubertError
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.engine import machine_orders, session
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.model import (
    Event,
    Failure,
    Finished,
    HostLocked,
    Note,
    OrderEnded,
    StageState,
)
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.facts.virtual import Libvirt, MachineSeen
from kubert_tui.lab.load import load_lab, parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.machines import keys
from kubert_tui.machines.order import Action, Order
from kubert_tui.stages.model import Work
from tests.support.stages import World

LAB = parse_lab(
    "name: twins\nallow: [machines]\nhosts: [{name: bull1}, {name: bull2}]\n"
    "machines: [{name: one}, {name: two, host: bull2}]\n",
    "lab.yaml",
)
SEEN = {
    "bull1": (MachineSeen("one", "running"), MachineSeen("old", "off", stray=True)),
    "bull2": (MachineSeen("two", "off"),),
}


@dataclass
class Acts:
    """What was done, by host; and what fails where."""

    done: list[tuple[str, Action, tuple[str, ...]]] = field(default_factory=list)
    failing: dict[str, KubertError] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(
        self, work: Work, host: str, order: Order, machines: Sequence[MachineSeen], raw: object
    ) -> None:
        del work, raw
        if host in self.failing:
            raise self.failing[host]
        with self.lock:
            self.done.append((host, order.action, tuple(one.name for one in machines)))


@pytest.fixture
def acts(monkeypatch: pytest.MonkeyPatch) -> Acts:
    acts = Acts()

    def observe(_: Work, facts: Facts) -> Facts:
        return replace(facts, libvirt=Known(Libvirt(machines=SEEN[facts.host])))

    monkeypatch.setattr(session, "observe_quickly", observe)
    monkeypatch.setattr(machine_orders, "act", acts)
    return acts


def run(
    *orders: Order, lab: Lab = LAB, world: World | None = None, lab_file: str = ""
) -> tuple[int, list[Event]]:
    world = world or World()
    options = Options(kind="machines", lab_file=lab_file)
    engine = Session(lab, options, (), gather=world.gather, connect=world.connect)
    for order in orders:
        engine.machines(order)
    engine.close()
    events = list(engine.events())
    (finished,) = [event for event in events if isinstance(event, Finished)]
    return finished.exit_code, events


def of(events: list[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def test_an_order_is_for_the_hosts_of_its_machines(acts: Acts) -> None:
    world = World()
    code, events = run(Order(Action.STOP, ("two",)), world=world)
    assert code == 0
    assert acts.done == [("bull2", Action.STOP, ("two",))]
    assert world.connected == ["bull2"]
    assert [event.host for event in of(events, HostLocked)] == ["bull2"]
    (ended,) = of(events, OrderEnded)
    assert isinstance(ended, OrderEnded)
    assert ended.state is StageState.DONE


def test_all_machines_and_those_left_over(acts: Acts) -> None:
    assert run(Order(Action.START))[0] == 0
    assert sorted(acts.done) == [
        ("bull1", Action.START, ("one", "old")),
        ("bull2", Action.START, ("two",)),
    ]
    acts.done.clear()
    assert run(Order(Action.DESTROY, ("old",), typed="old"))[0] == 0
    assert acts.done == [("bull1", Action.DESTROY, ("old",))]


def test_listing_takes_no_lock_and_does_nothing(acts: Acts) -> None:
    code, events = run(Order(Action.LIST))
    assert code == 0
    assert not acts.done
    assert not of(events, HostLocked)


@pytest.mark.parametrize(
    ("order", "allow", "code", "says"),
    [
        (Order(Action.STOP, ("three",)), True, ExitCode.USAGE, "no machine three"),
        (Order(Action.STOP, ("one",)), False, ExitCode.FAILED, "does not allow to stop"),
        (Order(Action.DESTROY, ("one",)), True, ExitCode.NEEDS_CONFIRMATION, "not confirmed"),
        (
            Order(Action.DESTROY, typed="one"), True, ExitCode.NEEDS_CONFIRMATION, "all machines",
        ),
        (Order(Action.REBUILD, ("one",), typed="yes"), True, ExitCode.NEEDS_CONFIRMATION, "one"),
    ],
)  # fmt: skip
def test_what_is_not_done(acts: Acts, order: Order, allow: bool, code: int, says: str) -> None:
    lab = LAB if allow else LAB.model_copy(update={"allow": frozenset()})
    got, events = run(order, lab=lab)
    assert got == code
    assert not acts.done
    (failure,) = of(events, Failure)
    assert isinstance(failure, Failure)
    assert says in failure.what
    assert failure.fix


def test_keys_go_only_when_no_host_has_anything_left(acts: Acts) -> None:
    keys.login_key("twins")
    acts.failing["bull2"] = KubertError("two hangs", fix="look", host="bull2")
    code, events = run(Order(Action.DESTROY, typed="twins"))
    assert code == ExitCode.FAILED
    assert acts.done == [("bull1", Action.DESTROY, ("one", "old"))]
    assert [event.host for event in of(events, Failure)] == ["bull2"]
    assert keys.kept("twins")
    acts.failing.clear()
    assert run(Order(Action.DESTROY, typed="twins"))[0] == 0
    assert not keys.kept("twins")


def test_what_is_let_go_is_taken_out_of_the_lab_file(acts: Acts, tmp_path: Path) -> None:
    kept = "hosts: [{name: bull1}]\nallow: [machines]\nmachines:\n  - name: two\n"
    file = tmp_path / "lab.yaml"
    file.write_text(f"{kept}  - {{name: one, adopted: proj_one, user: vagrant}}\n")
    code, events = run(Order(Action.RELEASE, ("one",)), lab=load_lab(file), lab_file=str(file))
    assert (code, acts.done) == (0, [("bull1", Action.RELEASE, ("one",))])
    assert file.read_text() == kept
    assert [event for event in of(events, Note) if "one is taken out of" in event.text]  # type: ignore[attr-defined]


def test_an_order_knows_the_cpu_plan_that_only_a_run_has(
    monkeypatch: pytest.MonkeyPatch, acts: Acts
) -> None:
    seen = list[str]()

    def act(work: Work, *_: object) -> None:
        seen.append(work.lab.plan_of("bull1").words)  # type: ignore[union-attr]

    plan = CpuPlan(frozenset({0}), frozenset({1}))
    monkeypatch.setattr(machine_orders, "act", act)
    monkeypatch.setattr(session, "decided_plans", lambda *_: {"bull1": plan})
    assert run(Order(Action.REBUILD, ("one",), typed="one"))[0] == 0
    assert seen == [plan.words]


def test_one_that_failed_does_not_end_the_next(acts: Acts) -> None:
    acts.failing["bull1"] = CancelledError("cancelled")
    code, events = run(Order(Action.STOP, ("one",)), Order(Action.START, ("two",)))
    assert code == ExitCode.INTERRUPTED
    assert acts.done == [("bull2", Action.START, ("two",))]
    states = [event.state for event in of(events, OrderEnded) if isinstance(event, OrderEnded)]
    assert states == [StageState.CANCELLED, StageState.DONE]
