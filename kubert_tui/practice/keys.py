"""The keys and the password of a practice lab: made here, for this lab only."""

import secrets
from pathlib import Path

from kubert_tui.base.paths import write_private
from kubert_tui.practice import processes
from kubert_tui.practice.state import LabDirectory
from kubert_tui.practice.tools import Tool

TOOLS = (Tool("ssh-keygen", "openssh-client", "openssh"),)


def make_keys(lab: LabDirectory) -> None:
    """Make the keys and the password that are not there yet."""
    for path in (lab.user_key, *map(lab.host_key, lab.machines)):
        if not path.exists():
            _make_key(path, lab)
    if not lab.password.exists():
        write_private(lab.password, secrets.token_urlsafe(12))


def public_key(private: Path) -> tuple[str, str]:
    """Return type and base64 of the public key that belongs to `private`."""
    fields = private.with_name(private.name + ".pub").read_text(encoding="ascii").split()
    return fields[0], fields[1]


def _make_key(path: Path, lab: LabDirectory) -> None:
    fresh = path.with_name(f".{path.name}.new")
    public = fresh.with_name(fresh.name + ".pub")
    for old in (fresh, public):
        old.unlink(missing_ok=True)
    comment = f"kubert-tui {lab.name} {path.name}"
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(fresh)]
    processes.run(argv, mark=lab.tag)
    # The private one last: where it is, its public half is, too.
    public.replace(path.with_name(path.name + ".pub"))
    fresh.replace(path)
