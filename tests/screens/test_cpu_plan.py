"""The CPU plan's form: keys and mouse edit it, hosts take turns, what is answered fits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from kubert_tui.cpus.plan import propose
from kubert_tui.events.questions import Answer, Choice, HostCpus
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.glyphs import ASCII, UNICODE, Glyphs
from kubert_tui.screens.help import HelpScreen
from kubert_tui.screens.prompts import ReasonPrompt
from kubert_tui.screens.questions.cpu_plan import CpuPlanForm
from kubert_tui.screens.widgets.cpu_picture import CpuPicture
from tests.screens import sample_cpus
from tests.screens.driving import LARGE, SMALL, on_top, screen_text, until, wizard
from tests.screens.sample_cpus import TWIN, host, topology

NUMBER = 9


@asynccontextmanager
async def asked(
    *hosts: HostCpus,
    saves: bool = True,
    size: tuple[int, int] = SMALL,
    glyphs: Glyphs = UNICODE,
) -> AsyncIterator[tuple[KubertApp, Pilot[int], dict[int, Answer]]]:
    """Open the wizard with the question open."""
    question = sample_cpus.question(*hosts, number=NUMBER, saves=saves)
    async with wizard({"update": (question,)}, size=size, glyphs=glyphs) as (app, pilot, engine):
        await pilot.press("n", "a")
        await until(pilot, lambda: on_top(app, CpuPlanForm))
        await until(pilot, lambda: app.screen.query_one(CpuPicture).text)
        yield app, pilot, engine.answers


def form(app: KubertApp) -> CpuPlanForm:
    assert isinstance(app.screen, CpuPlanForm)
    return app.screen


async def test_enter_keeps_what_was_proposed() -> None:
    async with asked(host("bull1", TWIN)) as (_, pilot, answers):
        await pilot.press("enter")
        await until(pilot, lambda: answers)
        assert answers[NUMBER] == Answer(Choice.SAVE, plans={"bull1": propose(TWIN)})


async def test_without_a_lab_file_it_is_kept_for_the_run() -> None:
    async with asked(host("bull1", TWIN), saves=False) as (_, pilot, answers):
        await pilot.press("t")
        await pilot.press("enter")
        await until(pilot, lambda: answers)
        assert answers[NUMBER].choice is Choice.APPLY


async def test_with_one_it_can_be_for_the_run_only() -> None:
    async with asked(host("bull1", TWIN)) as (_, pilot, answers):
        await pilot.press("t")
        await until(pilot, lambda: answers)
        assert answers[NUMBER].choice is Choice.APPLY


async def test_arrows_select_and_space_moves_whole_cores() -> None:
    async with asked(host("bull1", TWIN)) as (app, pilot, answers):
        await pilot.press("right", "right", "space")
        assert {2, 42} <= form(app).draft.plan.housekeeping
        assert "H housekeeping   10: 0-2, 20-21, 40-42, 60-61" in screen_text(app)
        await pilot.press("down", "space", "u", "u")
        assert form(app).draft.plan == propose(TWIN)
        await pilot.press("left", "up", "up", "space")
        assert {1, 41} <= form(app).draft.plan.isolated, screen_text(app)
        await pilot.press("p", "u", "enter")
        await until(pilot, lambda: answers)
        assert answers[NUMBER].plans["bull1"].housekeeping == {0, 20, 21, 40, 60, 61}


async def test_a_click_does_the_same() -> None:
    async with asked(host("bull1", TWIN)) as (app, pilot, _):
        picture = app.screen.query_one(CpuPicture)
        lines = picture.text.splitlines()
        row = next(index for index, line in enumerate(lines) if "I 9,49" in line)
        await pilot.click(CpuPicture, offset=(lines[row].index("9,49"), row))
        assert {9, 49} <= form(app).draft.plan.housekeeping
        assert "[H 9,49]" in screen_text(app)
        await pilot.click(CpuPicture, offset=(0, row))
        assert form(app).draft.before == (propose(TWIN),), "a frame is no core"


async def test_what_does_not_fit_is_not_answered() -> None:
    small = topology(2)
    async with asked(host("bull1", TWIN), host("bull2", small)) as (app, pilot, answers):
        await pilot.press("n", "space")
        assert "No CPU is left for housekeeping." in screen_text(app)
        await pilot.press("n", "enter")
        await pilot.pause()
        assert not answers
        assert "CPU plan: bull2 (2 of 2)" in screen_text(app), "the host that is wrong is shown"
        await pilot.press("u", "enter")
        await until(pilot, lambda: answers)


async def test_a_plan_is_copied_to_the_twin_only() -> None:
    hosts = (host("bull1", TWIN), host("other", topology(4)), host("bull2", TWIN))
    async with asked(*hosts) as (_, pilot, answers):
        await pilot.press("right", "space", "c")
        await pilot.press("enter")
        await until(pilot, lambda: answers)
        plans = answers[NUMBER].plans
        assert plans["bull2"] == plans["bull1"] != propose(TWIN)
        assert plans["other"] == propose(topology(4))


async def test_a_plan_that_does_not_fit_any_more_is_said_to_be_replaced() -> None:
    told = host("bull1", topology(4), replaces="CPUs 4 are not online.")
    async with asked(told) as (app, _, _):
        assert "does not fit" in screen_text(app)
        assert "CPUs 4 are not online." in screen_text(app)


@pytest.mark.parametrize("key", ["escape", "s"])
async def test_nothing_is_decided_now(key: str) -> None:
    async with asked(host("bull1", TWIN)) as (app, pilot, answers):
        await pilot.press(key)
        if key == "s":
            await until(pilot, lambda: on_top(app, ReasonPrompt))
            await pilot.press(*"later", "enter")
        await until(pilot, lambda: answers)
        assert answers[NUMBER].choice is (Choice.NO if key == "escape" else Choice.SKIP)


async def test_help_is_about_this() -> None:
    async with asked(host("bull1", TWIN)) as (app, pilot, _):
        await pilot.press("f1")
        await until(pilot, lambda: on_top(app, HelpScreen))
        assert "Put the selected core on the other side" in screen_text(app)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
async def test_eighty_cpus_fit_into_a_small_terminal(glyphs: Glyphs) -> None:
    async with asked(host("bull1", TWIN), host("bull2", TWIN), glyphs=glyphs) as (app, _, _):
        shown = screen_text(app)
        for part in ("I39,79", "NIC eno1np0", "H housekeeping    8:", "enter Keep", "F1 Help"):
            assert part in shown, shown
        assert glyphs is UNICODE or shown.isascii()


async def test_256_cpus_are_scrolled_to() -> None:
    big = sample_cpus.LARGE
    async with asked(host("epyc", big)) as (app, pilot, _):
        assert "I127,255" not in screen_text(app)
        await pilot.press(*["down"] * 30, *["right"] * 8)
        assert "[I127,255]" in screen_text(app)
        await pilot.press(*["up"] * 40)
        assert "Socket 0" in screen_text(app)
        row = next(
            index for index, line in enumerate(screen_text(app).splitlines()) if "16,144" in line
        )
        picture = app.screen.query_one(CpuPicture)
        await pilot.press(*["down"] * 12)
        scrolled = round(picture.scroll_offset.y)
        assert scrolled > 0
        line = screen_text(app).splitlines()[row]
        place = (line.index("I") + 1 - picture.region.x, row - picture.region.y)
        number = int(line[line.index("I") + 1 :].split(",")[0])
        await pilot.click(CpuPicture, offset=place)
        assert number in form(app).draft.plan.housekeeping, "clicked where it is drawn"


async def test_256_cpus_fit_into_a_large_terminal() -> None:
    async with asked(host("epyc", sample_cpus.LARGE), size=LARGE) as (app, _, _):
        shown = screen_text(app)
        assert "[H  0,128]" in shown
        assert "I127,255" in shown
