"""Shown while practice machines are made or removed: the step, a bar, the time that is left."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event as Flag
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Static

from kubert_tui.base.errors import CancelledError, KubertError
from kubert_tui.events.model import Failure, StageState
from kubert_tui.lab.model import Lab
from kubert_tui.practice.model import Order, Progress
from kubert_tui.screens.durations import clock
from kubert_tui.screens.error import ErrorScreen
from kubert_tui.screens.glyphs import STATE_STYLES, Glyphs
from kubert_tui.screens.prompts import ConfirmPrompt

_STEPS_SHOWN = 8
_BAR = 28


@dataclass(frozen=True, slots=True)
class Job:
    """What is worked on while the screen is open."""

    title: str
    then: str
    """What will happen next."""
    failed: str
    """Title of the report when it goes wrong."""
    do: Callable[[Order], Lab | None]
    """Called on a thread of its own."""
    may_cancel: bool = True


@dataclass(frozen=True, slots=True)
class Done:
    """The job got through."""

    lab: Lab | None


Outcome = Done | KubertError | OSError


class PracticeProgress(Screen[Done | None]):
    """Does a job. Dismissed with Done, or with None if it was cancelled or failed (told here)."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel")]

    class Ended(Message):
        """The thread has ended; posted from there."""

        def __init__(self, outcome: Outcome) -> None:
            super().__init__()
            self.outcome = outcome

    def __init__(self, job: Job, glyphs: Glyphs, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._job = job
        self._glyphs = glyphs
        self._now = now
        self._began = now()
        self._cancel = Flag()
        self._newest: Progress | None = None
        self._steps: list[tuple[str, float]] = []
        """Steps so far and when each began. These two are written by the job's thread and read
        by a timer."""
        self._asking: ConfirmPrompt | None = None
        self._outcome: Outcome | None = None

    def compose(self) -> ComposeResult:
        """Lay out steps, bar and what comes next."""
        with Vertical(id="practice-progress"), Vertical(id="practice-box") as box:
            box.border_title = Content(self._job.title)
            yield Static(id="practice-steps", markup=False)
            yield Static(id="practice-bar", markup=False)
            yield Static(Content(self._job.then), id="practice-then", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Begin."""
        self._show()
        self.set_interval(0.25, self._show)
        self._work()

    def on_unmount(self) -> None:
        """Nobody is left to see it end: call it off, the thread tidies up."""
        self._cancel.set()

    @work(thread=True, exit_on_error=False)
    def _work(self) -> None:
        order = Order(on_progress=self._progress, cancel=self._cancel)
        outcome: Outcome
        try:
            outcome = Done(self._job.do(order))
        except (KubertError, OSError) as error:
            outcome = error
        self.post_message(self.Ended(outcome))

    def _progress(self, progress: Progress) -> None:
        if progress.step and (not self._steps or self._steps[-1][0] != progress.step):
            self._steps.append((progress.step, self._now()))
        self._newest = progress

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return self._newest.done if self._newest is not None else 0.0

    @property
    def cancelling(self) -> bool:
        """Whether it was called off."""
        return self._cancel.is_set()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to cancel only while that can be done."""
        del parameters
        return action != "cancel" or (self._job.may_cancel and not self.cancelling)

    def action_cancel(self) -> None:
        """Ask, then call it off; the screen closes when all is tidied up."""

        def answered(yes: bool | None) -> None:
            self._asking = None
            if yes:
                self._cancel.set()
                self.refresh_bindings()
                self._show()

        if self._asking is None and self.check_action("cancel", ()):
            text = "What was begun is removed; nothing is left behind."
            self._asking = ConfirmPrompt("Cancel?", text, yes="Cancel it", no="Go on")
            self.app.push_screen(self._asking, answered)

    @on(Ended)
    def _ended(self, message: Ended) -> None:
        self._outcome = message.outcome
        if self._asking is not None:
            self._asking.dismiss(None)
        self._conclude()

    def on_screen_resume(self) -> None:
        """What lay above has gone: if the end came meanwhile, it is time for it."""
        self._conclude()

    def _conclude(self) -> None:
        if self._outcome is None or not self.is_active:
            return
        outcome, self._outcome = self._outcome, None
        if isinstance(outcome, Done) and not self.cancelling:
            self.dismiss(outcome)
        elif isinstance(outcome, Done | CancelledError):
            self.dismiss(None)
        else:
            self._report(outcome)

    def _report(self, error: KubertError | OSError) -> None:
        def closed(_: object) -> None:
            self.dismiss(None)

        screen = ErrorScreen(self._job.failed, (_failure(error),), retry=False)
        self.app.push_screen(screen, closed)

    def _show(self) -> None:
        self.query_one("#practice-steps", Static).update(self._steps_text())
        self.query_one("#practice-bar", Static).update(self._bar(self._newest))

    def _steps_text(self) -> Content:
        if self.cancelling:
            return Content.styled("Cancelling: what was begun is removed", "bold $text-warning")
        steps = tuple(self._steps)
        if not steps:
            return Content.styled("Starting", "$foreground-muted")
        ends = (*(began for _, began in steps[1:]), self._now())
        parts: list[tuple[str, str]] = []
        for (step, began), end in tuple(zip(steps, ends, strict=True))[-_STEPS_SHOWN:]:
            under_way = began == steps[-1][1]
            state = StageState.RUNNING if under_way else StageState.DONE
            sign = f"{self._glyphs.states[state]} {step}  "
            parts += [
                ("\n" if parts else "", ""),
                (sign, STATE_STYLES[state]),
                (clock(end - began), "$foreground-muted"),
            ]
        return Content.assemble(*parts)

    def _bar(self, progress: Progress | None) -> Content:
        elapsed = f"elapsed {clock(self._now() - self._began)}"
        if progress is None:
            return Content(elapsed)
        done = round(progress.done * _BAR)
        left = "" if progress.remaining is None else f"  left about {clock(progress.remaining)}"
        return Content.assemble(
            (self._glyphs.done * done, "$text-accent"),
            (self._glyphs.left * (_BAR - done), "$foreground-muted"),
            (f" {progress.done:4.0%}  {elapsed}{left}", ""),
        )


def _failure(error: KubertError | OSError) -> Failure:
    if not isinstance(error, KubertError):
        return Failure(what=str(error))
    return Failure(
        what=error.what,
        fix=error.fix,
        host=error.host,
        command=error.command,
        exit_status=error.exit_status,
        details=error.details,
        log=error.log,
    )
