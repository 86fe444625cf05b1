"""Waiting for machines that start: until they answer, go off, take too long, or nobody waits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.base.errors import CancelledError, ChangeError
from kubert_tui.events.model import Note, Waiting
from kubert_tui.machines.guest import Guest, guests_of
from kubert_tui.machines.hypervisor import State
from kubert_tui.stages import machines_boot
from kubert_tui.stages.machines_boot import Boot
from kubert_tui.stages.machines_console import Lines
from tests.support.recording import RecordingWork
from tests.unit.test_machine_orders import LAB

(ONE, TWO) = guests_of(LAB)


@dataclass
class Played:
    """A hypervisor whose machines are on until they are not, and a console that says a line."""

    host: str = "bull1"
    off: set[str] = field(default_factory=set)

    def domain(self, name: str) -> "Played | None":
        del name
        return self

    @property
    def on(self) -> bool:
        return not self.off

    @property
    def state(self) -> State:
        return State.CRASHED


class Reader:
    """A console."""

    last = ("[red] kernel panic",)

    def __init__(self, *_: object) -> None: ...

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def boot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[Boot, RecordingWork]]:
    def make(reasons: Callable[[Guest], str], **more: object) -> tuple[Boot, RecordingWork]:
        def hindrance(_: object, guest: Guest, over: Flag) -> str:
            del over
            return reasons(guest)

        monkeypatch.setattr(machines_boot, "ConsoleReader", Reader)
        monkeypatch.setattr(machines_boot, "hindrance", hindrance)
        work = RecordingWork(LAB, tmp_path)
        played = more.pop("played", Played())
        made = Boot(work, played, (ONE, TWO), 60.0, poll=0.001, **more)  # type: ignore[arg-type]
        return made, work

    return make


def ticking(step: float) -> Callable[[], float]:
    now = [0.0]

    def clock() -> float:
        now[0] += step
        return now[0]

    return clock


def test_it_ends_when_all_answer(boot: Callable[..., tuple[Boot, RecordingWork]]) -> None:
    asked: list[str] = []

    def reasons(guest: Guest) -> str:
        asked.append(guest.name)
        return "connection refused" if asked.count(guest.name) < 3 else ""

    waiting, work = boot(reasons)
    waiting.wait()
    told = [event.text for event in work.events if isinstance(event, Note)]
    assert sorted(told) == [
        "one answers by ssh at 192.168.77.10",
        "two answers by ssh at 192.168.77.11",
    ]


def test_why_it_waits_is_told(boot: Callable[..., tuple[Boot, RecordingWork]]) -> None:
    waiting, work = boot(lambda _: "connection refused", clock=ticking(1.0))
    with pytest.raises(ChangeError) as caught:
        waiting.wait()
    told = [event for event in work.events if isinstance(event, Waiting)]
    assert any("one to answer by ssh (connection refused; console: [red] kernel panic)" in one.what
               for one in told)  # fmt: skip
    assert len(told) < 20
    error = caught.value
    assert "one did not answer by ssh at 192.168.77.10 within 1 minute" in error.what
    assert error.host == "bull1"
    assert "kubert-tui machines console one" in error.fix
    assert "[red] kernel panic" in error.details


def test_one_that_goes_off_is_not_waited_for(
    boot: Callable[..., tuple[Boot, RecordingWork]],
) -> None:
    waiting, _ = boot(lambda _: "no route", played=Played(off={"twins-one"}))
    with pytest.raises(ChangeError, match="one went crashed while it started") as caught:
        waiting.wait()
    assert "kernel panic" in caught.value.details


def test_what_cloud_init_failed_at_is_no_matter_of_time(
    boot: Callable[..., tuple[Boot, RecordingWork]],
) -> None:
    waiting, _ = boot(lambda _: "cloud-init failed: status: error")
    with pytest.raises(ChangeError, match="one answers by ssh, but did not set itself up") as told:
        waiting.wait()
    assert "machines rebuild one" in told.value.fix


def test_waiting_can_be_cancelled(boot: Callable[..., tuple[Boot, RecordingWork]]) -> None:
    waiting, work = boot(lambda _: "no route")
    work.cancel.set()
    with pytest.raises(CancelledError, match="Stopped waiting for one, two"):
        waiting.wait()


def test_lines_are_whole_clean_and_bounded() -> None:
    lines = Lines()
    assert lines.take(b"\x1b[31mLin") == []
    assert lines.take(b"ux\x1b[0m 6.1\r\n\r\nlog") == ["Linux 6.1"]
    assert lines.take(b"in:\n") == ["login:"]
    assert lines.take(b"x" * 5000)[0][:5] == "xxxxx"
    assert lines.take(b"one login: ") == []
    assert lines.end() == ["one login:"]
    assert lines.end() == []
