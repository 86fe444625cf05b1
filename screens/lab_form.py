"""Makes a lab of your own servers: add hosts, test them, say what may change, save."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Footer, Input, Label, Static

from kubert_tui.base.errors import KubertError
from kubert_tui.lab.explain import explain
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.screens.connection_test import ConnectionTest
from kubert_tui.screens.host_form import HostForm
from kubert_tui.screens.run_session import RunSession
from kubert_tui.screens.widgets.arrows import ButtonRow, FormScroll
from kubert_tui.screens.widgets.tick import Tick

_PERMISSIONS = {
    Permission.PACKAGES: "packages: install and update software",
    Permission.KERNEL: "kernel: install PREEMPT_RT, make it boot by default",
    Permission.REBOOT: "reboot: restart the hosts (you are asked each time)",
    Permission.SERVICES: "services: stop and disable services, as irqbalance",
}


class LabFormScreen(Screen[Lab | None]):
    """Dismissed with the lab that was saved, or None."""

    AUTO_FOCUS = "#host-name"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "test", "Test connection", priority=True),
        Binding("ctrl+a", "add", "Add host", priority=True),
        Binding("ctrl+s", "save", "Save and start", priority=True),
        Binding("escape", "back", "Back"),
    ]

    def __init__(
        self,
        open_session: Callable[[Lab], RunSession],
        save_lab: Callable[[Lab], Path],
    ) -> None:
        super().__init__()
        self._open_session = open_session
        self._save_lab = save_lab
        self._hosts: list[HostSpec] = []

    def compose(self) -> ComposeResult:
        """Lay out hosts, permissions and the lab's name."""
        with FormScroll(id="lab-form", can_focus=False):
            yield Static("1  Add a host", classes="heading", markup=False)
            yield HostForm(id="host-form")
            with ButtonRow(classes="form-buttons"):
                yield Button("Test connection", id="test", compact=True)
                yield Button("Add host", id="add", compact=True, variant="primary")
                yield Button("Remove last", id="remove", compact=True)
            yield ConnectionTest(self._open_session)
            yield Static(id="hosts-added", markup=False)
            yield Static("2  What may be changed on them", classes="heading", markup=False)
            for permission, text in _PERMISSIONS.items():
                yield Tick(Content(text), id=f"allow-{permission}", compact=True)
            yield Static("3  Save", classes="heading", markup=False)
            with Horizontal(classes="field"):
                yield Label("Lab name", classes="field-label", markup=False)
                yield Input("lab", id="lab-name", compact=True)
            yield Static(id="lab-error", classes="field-error", markup=False)
            with ButtonRow(classes="form-buttons"):
                yield Button("Save and start", id="save", compact=True, variant="success")
                yield Button("Back", id="back", compact=True)
        yield Footer()

    def on_mount(self) -> None:
        """Begin without hosts and without a test."""
        self.query_one(ConnectionTest).clear()
        self._show_hosts()
        self._complain("")

    @on(Button.Pressed, "#test")
    def action_test(self) -> None:
        """Connect to the host in the form, through its jump host if that is one of ours."""
        host = self.query_one(HostForm).host()
        if host is None:
            return
        others = {one.name: one for one in self._hosts}
        way = [host]
        while way[-1].jump in others and others[way[-1].jump] not in way:
            way.append(others[way[-1].jump])
        self.query_one(ConnectionTest).begin(tuple(way))

    @on(Button.Pressed, "#add")
    def action_add(self) -> None:
        """Take the host in the form into the lab, if it fits."""
        form = self.query_one(HostForm)
        host = form.host()
        if host is not None and self._fits(host):
            self._hosts.append(host)
            form.fill(None)
            self.query_one(ConnectionTest).clear()
            self._complain("")
            self._show_hosts()
            self.query_one("#host-name").focus()

    @on(Button.Pressed, "#remove")
    def _remove(self) -> None:
        """Take the last host out, back into the form."""
        if self._hosts:
            self.query_one(HostForm).fill(self._hosts.pop())
            self._show_hosts()

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        """Save the lab and go on with it. A host still in the form is added first."""
        if self.query_one("#host-name", Input).value.strip():
            before = len(self._hosts)
            self.action_add()
            if len(self._hosts) == before:
                return
        try:
            lab = Lab.model_validate(
                {
                    "name": self.query_one("#lab-name", Input).value.strip(),
                    "hosts": self._hosts,
                    "allow": self._allowed(),
                }
            )
        except ValidationError as error:
            self._complain("\n".join(_problem(one) for one in error.errors()))
            return
        self._complain("")
        self._write(lab)

    @on(Button.Pressed, "#back")
    def action_back(self) -> None:
        """Go back without a lab."""
        if self.is_active:
            self.dismiss(None)

    def _allowed(self) -> list[Permission]:
        return [one for one in _PERMISSIONS if self.query_one(f"#allow-{one}", Tick).value]

    def _fits(self, host: HostSpec) -> bool:
        """Let the lab's own rules say whether the host goes with the others."""
        try:
            Lab(name="lab", hosts=(*self._hosts, host))
        except ValidationError as error:
            text = "; ".join(one["msg"] for one in error.errors())
            key = "jump" if "jump" in text or "reached" in text else "name"
            self.query_one(HostForm).mark({key: text})
            return False
        return True

    def _show_hosts(self) -> None:
        lines = [
            f"{number}. {host.name}  {host.user + '@' if host.user else ''}"
            f"{host.address or host.name}{f':{host.port}' if host.port else ''}"
            f"{f' by way of {host.jump}' if host.jump else ''}"
            for number, host in enumerate(self._hosts, start=1)
        ]
        text = "\n".join(["Hosts of this lab:", *lines]) if lines else "No host added yet."
        self.query_one("#hosts-added", Static).update(Content(text))
        self.query_one("#remove").display = bool(lines)

    def _complain(self, text: str) -> None:
        error = self.query_one("#lab-error", Static)
        error.update(Content(text))
        error.display = bool(text)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _write(self, lab: Lab) -> None:
        try:
            path = self._save_lab(lab)
        except (KubertError, OSError) as error:
            self.app.call_from_thread(self._complain, str(error))
            return
        self.app.call_from_thread(self._saved, lab, path)

    def _saved(self, lab: Lab, path: Path) -> None:
        self.notify(f"Saved as {path}", markup=False)
        self.dismiss(lab)


def _problem(error: ErrorDetails) -> str:
    what, hint = explain(error)
    key = str(error["loc"][0]) if error["loc"] else ""
    text = f"{key}: {what}" if key else what
    return f"{text} ({hint})" if hint else text
