"""Every kind of question, answered every way."""

from collections.abc import Sequence

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from kubert_tui.base.secrets import redactor
from kubert_tui.events.model import StageState
from kubert_tui.events.questions import Choice, QuestionKind
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.prompts import ReasonPrompt
from kubert_tui.screens.questions.host_key import HostKeyForm
from kubert_tui.screens.questions.host_lock import HostLockForm
from kubert_tui.screens.questions.review import ReviewForm
from kubert_tui.screens.questions.secret import SecretForm
from kubert_tui.screens.typed_prompt import TypedPrompt
from kubert_tui.screens.wizard import WizardScreen
from tests.screens import story
from tests.screens.driving import finished, go_to, on_top, screen_text, text_of, until, wizard
from tests.screens.scripted_engine import Step


async def test_an_unknown_host_key_is_shown_and_accepted() -> None:
    script: Sequence[Step] = (story.host_key(), *story.connecting())
    async with wizard({"connect": script}, connected=False) as (app, pilot, engine):
        await until(pilot, lambda: on_top(app, HostKeyForm))
        shown = screen_text(app)
        for part in ("192.168.11.11 port 22", "ssh-ed25519", "SHA256:oYFqRk0ZkLx0ckDFo0SPBgqGTDP8"):
            assert part in shown
        await pilot.press("left", "enter")
        await until(pilot, lambda: finished(app, "connect"))
        assert engine.answers[1].choice is Choice.YES


@pytest.mark.parametrize("key", ["enter", "escape"])
async def test_a_host_key_is_refused_unless_one_moves_to_accept(key: str) -> None:
    async with wizard({"connect": (story.host_key(),)}, connected=False) as (app, pilot, engine):
        await until(pilot, lambda: on_top(app, HostKeyForm))
        await pilot.press(key)
        await until(pilot, lambda: 1 in engine.answers)
        assert engine.answers[1].choice is Choice.NO


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        (QuestionKind.PASSWORD, "Password: bull1"),
        (QuestionKind.PASSPHRASE, "Passphrase of a key: bull1"),
        (QuestionKind.SUDO_PASSWORD, "sudo password: bull1"),
    ],
)
async def test_secrets_are_masked_and_gone_afterwards(kind: QuestionKind, title: str) -> None:
    async with wizard({"connect": (story.secret(2, kind),)}, connected=False) as (
        app,
        pilot,
        engine,
    ):
        await until(pilot, lambda: on_top(app, SecretForm))
        field = app.screen.query_one("#secret", Input)
        await pilot.press(*"hunter22")
        shown = screen_text(app)
        assert title in shown
        assert "hunter22" not in shown
        await pilot.press("enter")
        await until(pilot, lambda: 2 in engine.answers)
        answer = engine.answers[2]
        assert answer.choice is Choice.YES
        assert answer.secret is not None
        assert answer.secret.reveal() == "hunter22"
        assert not field.value
        assert "hunter22" not in redactor.redact("hunter22")


@pytest.mark.parametrize("keys", [("enter",), ("x", "escape")])
async def test_giving_up_on_a_secret(keys: tuple[str, ...]) -> None:
    async with wizard({"connect": (story.secret(),)}, connected=False) as (app, pilot, engine):
        await until(pilot, lambda: on_top(app, SecretForm))
        field = app.screen.query_one("#secret", Input)
        await pilot.press(*keys)
        await until(pilot, lambda: 2 in engine.answers)
        assert engine.answers[2].choice is Choice.NO
        assert engine.answers[2].secret is None
        assert not field.value


async def test_questions_of_several_hosts_queue_up() -> None:
    async with wizard() as (app, pilot, engine):
        engine._open.update({21, 22})
        engine.play([story.host_key(21, "bull1"), story.host_key(22, "bull2")])
        await until(pilot, lambda: on_top(app, HostKeyForm))
        assert "bull1 is new to us" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, HostKeyForm) and "bull2 is new" in screen_text(app))
        assert list(engine.answers) == [21]
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, WizardScreen))
        assert list(engine.answers) == [21, 22]


async def test_a_question_is_withdrawn_when_its_stage_ends() -> None:
    async with wizard() as (app, pilot, engine):
        engine.play([story.host_key(21)])
        await until(pilot, lambda: on_top(app, HostKeyForm))
        engine.play([story.ended(StageState.CANCELLED, "cancelled")])
        await until(pilot, lambda: on_top(app, WizardScreen))
        assert 21 not in engine.answers


async def test_a_withdrawn_question_below_another_screen_closes_later() -> None:
    async with wizard() as (app, pilot, engine):
        engine.play([story.host_key(21)])
        await until(pilot, lambda: on_top(app, HostKeyForm))
        app.push_screen(ReasonPrompt("Above"))
        await until(pilot, lambda: on_top(app, ReasonPrompt))
        engine.play([story.ended(StageState.CANCELLED, "cancelled")])
        await until(pilot, lambda: app.session and not app.session.view.questions)
        assert on_top(app, ReasonPrompt)
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, WizardScreen))


async def _review(pilot: Pilot[int], app: KubertApp) -> None:
    await go_to(pilot, 5)
    await pilot.press("a")
    await until(pilot, lambda: on_top(app, ReviewForm))


async def test_review_shows_every_step_and_applies() -> None:
    async with wizard({"irqbalance": story.irqbalance()}) as (app, pilot, engine):
        await _review(pilot, app)
        shown = screen_text(app)
        assert "bull1" in shown
        assert "1. Stop irqbalance" in shown
        assert f"2. {story.HOSTILE}" in shown, "markup is text"
        await pilot.press("a")
        await until(pilot, lambda: finished(app, "irqbalance"))
        assert engine.answers[3].choice is Choice.APPLY


async def test_review_is_not_applied_by_enter_alone() -> None:
    async with wizard({"irqbalance": story.irqbalance()}) as (app, pilot, engine):
        await _review(pilot, app)
        await pilot.press("enter")
        assert on_top(app, ReviewForm)
        assert not engine.answers


async def test_preview_shows_the_diff_and_asks_again() -> None:
    async with wizard({"irqbalance": story.irqbalance()}) as (app, pilot, engine):
        await _review(pilot, app)
        await pilot.press("p")
        await until(pilot, lambda: on_top(app, ReviewForm) and "+disabled" in screen_text(app))
        shown = screen_text(app)
        assert "nothing was changed" in shown
        assert "would change: Stop irqbalance" in shown
        assert "Tasks that would change nothing: 1" in shown
        assert "-enabled" in shown
        await pilot.press("escape")
        await until(pilot, lambda: finished(app, "irqbalance"))
        assert engine.answers[3].choice is Choice.PREVIEW
        assert engine.answers[4].choice is Choice.SKIP
        assert not engine.answers[4].text
        assert "declined" in screen_text(app)


async def test_review_skipped_with_a_reason() -> None:
    async with wizard({"irqbalance": story.irqbalance()}) as (app, pilot, engine):
        await _review(pilot, app)
        await pilot.press("s")
        await until(pilot, lambda: on_top(app, ReasonPrompt))
        await pilot.press(*"tuned", "enter")
        await until(pilot, lambda: finished(app, "irqbalance"))
        assert engine.answers[3].choice is Choice.SKIP
        assert engine.answers[3].text == "tuned"


async def test_a_consequential_change_needs_a_second_press() -> None:
    script = (story.review(5, confirm="The hosts restart."),)
    async with wizard({"irqbalance": script}) as (app, pilot, engine):
        await _review(pilot, app)
        assert "The hosts restart." in screen_text(app)
        await pilot.press("a")
        await pilot.pause()
        assert not engine.answers
        assert app.screen.query_one("#apply", Button).variant == "error"
        assert "once more" in text_of(app, "#confirm")
        await pilot.press("a")
        await until(pilot, lambda: 5 in engine.answers)
        assert engine.answers[5].choice is Choice.APPLY


async def test_what_can_cut_us_off_wants_a_word_to_be_typed() -> None:
    script = (story.review(5, confirm="We come over eno1.", typed="eno1"),)
    async with wizard({"irqbalance": script}) as (app, pilot, engine):
        await _review(pilot, app)
        await pilot.press("a")
        await until(pilot, lambda: on_top(app, TypedPrompt))
        assert "We come over eno1." in screen_text(app)
        await pilot.press(*"yes", "enter")
        await pilot.pause()
        assert on_top(app, TypedPrompt)
        await pilot.press("escape")
        await until(pilot, lambda: on_top(app, ReviewForm))
        assert not engine.answers
        await pilot.press("a")
        await until(pilot, lambda: on_top(app, TypedPrompt))
        await pilot.press(*"eno1", "enter")
        await until(pilot, lambda: 5 in engine.answers)
        assert engine.answers[5].choice is Choice.APPLY


async def test_the_plan_can_be_copied() -> None:
    async with wizard({"irqbalance": story.irqbalance()}) as (app, pilot, _):
        await _review(pilot, app)
        await pilot.press("y")
        assert "systemd_service: name=irqbalance state=stopped" in app.clipboard


@pytest.mark.parametrize(
    ("keys", "choice"),
    [
        (("enter",), Choice.RETRY),
        (("r",), Choice.RETRY),
        (("escape",), Choice.NO),
        (("b", "escape"), Choice.NO),
        (("b", "b"), Choice.BREAK),
        (("right", "enter", "enter"), Choice.BREAK),
    ],
)
async def test_another_operator_s_lock(keys: tuple[str, ...], choice: Choice) -> None:
    script = {"irqbalance": (story.host_lock(), *story.applying())}
    async with wizard(script) as (app, pilot, engine):
        await go_to(pilot, 5)
        await pilot.press("a")
        await until(pilot, lambda: on_top(app, HostLockForm))
        shown = screen_text(app)
        for part in ("ada@laptop", "8 s ago", "two operators changing one", "Look again (r)"):
            assert part in shown
        for key in keys:
            assert 4 not in engine.answers, "the first press breaks nothing"
            # A button takes no second press while it shows the first one.
            await until(pilot, lambda: not app.screen.query("Button.-active"))
            await pilot.press(key)
        await until(pilot, lambda: 4 in engine.answers)
        assert engine.answers[4].choice is choice
