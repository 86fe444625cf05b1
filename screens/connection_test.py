"""Tries a connection before a lab is saved, through an engine of its own with nothing allowed."""

import secrets
from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from kubert_tui.base.errors import KubertError
from kubert_tui.events.model import Failure, HostConnected, StageFinished
from kubert_tui.lab.model import HostSpec, Lab
from kubert_tui.screens.run_session import RunChange, RunSession

TEST_LAB = "connection-test"


class ConnectionTest(Vertical):
    """Shows how a test goes. One test at a time; questions pop up as they do in a run."""

    def __init__(self, open_session: Callable[[Lab], RunSession]) -> None:
        super().__init__(id="connection-test")
        self._open_session = open_session
        self._session: RunSession | None = None
        self._busy = False

    def compose(self) -> ComposeResult:
        """Lay out the result."""
        yield Static(id="test-result", markup=False)

    def begin(self, hosts: tuple[HostSpec, ...]) -> None:
        """Connect to these hosts; the first one is the one under test."""
        if self._busy:
            return
        self._busy = True
        self._say(f"Connecting to {hosts[0].name}", "")
        # A name of its own: tests in other wizards, or one just left, hold their labs' locks.
        lab = Lab(name=f"{TEST_LAB}-{secrets.token_hex(3)}", hosts=hosts)
        self.run_worker(lambda: self._open(lab), thread=True, exit_on_error=False, name="open-test")

    def on_unmount(self) -> None:
        """Let go of a test that is still under way."""
        if self._session is not None and not self._session.ended:
            self._session.leave()

    def clear(self) -> None:
        """Forget the last result."""
        if not self._busy:
            self._say("", "")

    def _open(self, lab: Lab) -> None:
        try:
            session = self._open_session(lab)
        except (KubertError, OSError) as error:
            self.app.call_from_thread(self._failed, str(error), "")
            return
        self.app.call_from_thread(self._follow, session)

    def _follow(self, session: RunSession) -> None:
        self._session = session
        if not self.is_mounted:
            session.start()
            session.leave()
            return
        session.changed.subscribe(self, self._changed, immediate=True)
        session.start()
        session.submit(session.view.stages[0].id)
        session.close()

    def _changed(self, change: RunChange) -> None:
        for event in change.events:
            if isinstance(event, Failure):
                self._failed(f"{event.host}: {event.what}", event.fix)
            elif isinstance(event, HostConnected):
                self._say(f"{event.host}: connected to {event.address} as {event.user}", "-ok")
            elif isinstance(event, StageFinished):
                self._finished()

    def _finished(self) -> None:
        if self._busy and not self.has_class("-ok"):
            self._say("The connection test did not get through.", "-failed")
        self._busy = False

    def _failed(self, what: str, fix: str) -> None:
        self._busy = False
        self._say(f"{what}\nWhat to do: {fix}" if fix else what, "-failed")

    def _say(self, text: str, kind: str) -> None:
        self.set_class(kind == "-ok", "-ok")
        self.set_class(kind == "-failed", "-failed")
        result = self.query_one("#test-result", Static)
        result.update(Content(text))
        self.display = bool(text)
