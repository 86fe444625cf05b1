"""One host of a lab as a form: fields, their errors beside them, and a connection test."""

from collections.abc import Mapping

from pydantic import ValidationError
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from kubert_tui.lab.explain import explain
from kubert_tui.lab.model import HostSpec

_FIELDS = (
    ("name", "Name", "how you call it: bull1"),
    ("address", "Address", "name or IP; empty: its name"),
    ("user", "User", "empty: ssh config's, else yours"),
    ("port", "Port", "empty: ssh config's, else 22"),
    ("identity_file", "Key file", "~/.ssh/id_ed25519; empty: agent and defaults"),
    ("jump", "Jump host", "another host, or user@host:port; usually empty"),
)


class HostForm(Vertical):
    """Six fields. `host` gives the host they describe, or marks what is wrong."""

    def compose(self) -> ComposeResult:
        """Lay out one line per field, with room for its error."""
        for key, label, hint in _FIELDS:
            with Horizontal(classes="field"):
                yield Label(label, classes="field-label", markup=False)
                yield Input(id=f"host-{key}", placeholder=hint, compact=True)
            error = Static(id=f"error-{key}", classes="field-error", markup=False)
            error.display = False
            yield error

    def host(self) -> HostSpec | None:
        """Return the host that the fields describe; None when a field is wrong (it says so)."""
        values: dict[str, str] = {}
        for key, _, _ in _FIELDS:
            value = self.query_one(f"#host-{key}", Input).value.strip()
            if value or key == "name":
                values[key] = value
        try:
            spec = HostSpec.model_validate(values)
        except ValidationError as error:
            wrong = {str(one["loc"][0]): _what(explain(one)) for one in error.errors()}
            self.mark(wrong)
            return None
        self.mark({})
        return spec

    def mark(self, wrong: Mapping[str, str]) -> None:
        """Show these errors at their fields, and take away all others."""
        for key, _, _ in _FIELDS:
            text = wrong.get(key, "")
            error = self.query_one(f"#error-{key}", Static)
            error.update(Content(text))
            error.display = bool(text)
            self.query_one(f"#host-{key}").set_class(bool(text), "-invalid")
        first = next((key for key, _, _ in _FIELDS if key in wrong), None)
        if first is not None:
            self.query_one(f"#host-{first}").focus()

    def fill(self, host: HostSpec | None) -> None:
        """Put a host into the fields (nothing for None)."""
        for key, _, _ in _FIELDS:
            value = "" if host is None else str(getattr(host, key) or "")
            self.query_one(f"#host-{key}", Input).value = value
        self.mark({})


def _what(explained: tuple[str, str]) -> str:
    expected, hint = explained
    return f"{expected} ({hint})" if hint else expected
