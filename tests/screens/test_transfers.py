"""What is on its way: how much is there, how fast, how long yet; in both faces and the journal."""

import json
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.cli.text import TextReport
from kubert_tui.engine.journal import Journal
from kubert_tui.events.model import Note, Progress
from kubert_tui.events.transfer import Transfer, size
from tests.screens.driving import SMALL, go_to, screen_text, text_of, until, wizard
from tests.screens.scripted_engine import Pause, Step

MIB = 1 << 20


def way(second: float, mib: int, host: str = "bull1", total: int | None = 300) -> Progress:
    return Progress(
        time=1000.0 + second,
        stage="update",
        host=host,
        what=f"bringing image to {host}",
        done=mib * MIB,
        total=None if total is None else total * MIB,
    )


def test_rate_and_rest_follow_from_what_we_saw() -> None:
    one = Transfer(way(0, 100), way(0, 100)).followed_by(way(4, 120))
    # It went on where it had broken off: the first 100 MiB took us no time.
    assert one.rate == 5 * MIB
    assert one.remaining == 36
    assert one.figures() == "120 MiB of 300 MiB, 40%, 5.00 MiB/s"
    unknown = Transfer(way(0, 1, total=None), way(2, 5, total=None))
    assert unknown.figures() == "5.00 MiB, 2.00 MiB/s"
    assert unknown.remaining is None
    again = one.followed_by(way(5, 1))
    assert again.rate is None
    assert again.figures() == "1.00 MiB of 300 MiB, 0%"


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (1048575, "1.00 MiB"), (5e13, "45.5 TiB")],
)
def test_sizes_have_three_digits(number: float, text: str) -> None:
    assert size(number) == text


async def test_a_bar_for_each_host_until_it_is_there() -> None:
    go, done = Flag(), Flag()
    script: tuple[Step, ...] = (
        way(0, 0),
        way(0, 0, "bull2"),
        way(10, 150),
        way(10, 30, "bull2"),
        Pause(go),
        Note(host="bull1", text="it is there"),
        Pause(done),
    )
    async with wizard({"update": script}, size=SMALL) as (app, pilot, _):
        await go_to(pilot, 2)
        await pilot.press("a")
        await until(pilot, lambda: "30.0 MiB of 300 MiB" in text_of(app, "#guide-transfers"))
        told = text_of(app, "#guide-transfers")
        assert "150 MiB of 300 MiB, 50%, 15.0 MiB/s, 0:10 left" in told
        assert "bringing image to bull1" in told
        # Of the two, the slower one.
        assert "2 30.0 MiB of 300 MiB, 10%, 3.00 MiB/s" in screen_text(app)
        go.set()
        await until(pilot, lambda: "bull1" not in text_of(app, "#guide-transfers"))
        assert "bull2" in text_of(app, "#guide-transfers")
        done.set()
        await until(pilot, lambda: not app.screen.query_one("#guide-transfers").display)


def test_auto_tells_it_now_and_then(capfd: pytest.CaptureFixture[str]) -> None:
    report = TextReport()
    for second in range(31):
        report.show(way(second, second * 10))
    lines = capfd.readouterr().err.splitlines()
    assert [line.partition(" to bull1: ")[2] for line in lines] == [
        "0 B of 300 MiB, 0%",
        "100 MiB of 300 MiB, 33%, 10.0 MiB/s, 20s left",
        "200 MiB of 300 MiB, 67%, 10.0 MiB/s, 10s left",
        "300 MiB of 300 MiB, 100%, 10.0 MiB/s",
    ]


def test_the_journal_keeps_few_of_them_and_the_last(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for second in range(25):
        for host in ("bull1", "bull2"):
            journal.append(way(second, second * 12, host))
    journal.append(way(26, 300))
    journal.close()
    kept = [json.loads(line) for line in journal.path.read_text().splitlines()]
    assert [one["time"] - 1000 for one in kept if one["host"] == "bull1"] == [0, 10, 20, 26]
