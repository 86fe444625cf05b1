"""How a command is started on a host, so that it can be fed, timed and ended as a whole.

Every command runs as `/bin/sh -c SCRIPT sh MARKER COMMAND...`, under sudo where it is asked
for. The script writes a line with a marker of ours and its process group on standard output
(and the marker on standard error), then waits for a line `go`, and only then becomes the
command. So what a login shell or sudo prints before is told apart from the command's own
output; the command's input cannot be eaten by sudo; and no command runs whose process group
we do not know.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from kubert_tui.hosts.interface import Invocation

GO = b"go\n"

# The process group is field 5 of /proc/PID/stat; the name in field 2 is `(sh)`, without blanks.
# Plain logins lack the sbin directories, where half of what we look at lives.
_SCRIPT = """\
marker=$1; shift
read -r _ _ _ _ group _ < /proc/$$/stat || group=$$
PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin; export PATH
echo "$marker" >&2; echo "$marker $group"
read -r go || exit 125
unset marker group go
exec "$@"
"""

_END_GROUP = """\
kill -s TERM -- "-$1" || exit 0
turns=0
while kill -s 0 -- "-$1" 2>/dev/null; do
    if [ "$turns" -ge "$2" ]; then kill -s KILL -- "-$1"; exit 0; fi
    sleep 0.1
    turns=$((turns + 1))
done
"""

_PUT = """\
umask 077
part=$(mktemp "$1.XXXXXX") || exit 1
trap 'rm -f -- "$part"' EXIT
cat > "$part" || exit 1
# A connection that breaks ends the input too: a part of the file must not become the file.
[ "$(wc -c < "$part")" -eq "$3" ] || { echo "the transfer was cut short" >&2; exit 1; }
chmod -- "$2" "$part" && mv -f -- "$part" "$1"
"""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A wrapped command: what is started, and the signs it gives on its outputs."""

    argv: tuple[str, ...]
    marker: bytes
    prompt: bytes
    """What sudo writes on standard error when it wants the password; empty without sudo."""


def wrap(invocation: Invocation, *, sudo: bool) -> Wrapped:
    """Return what has to be started for `invocation`.

    `environment` is handed over by `env`, so it shows in the host's process list: no secrets.
    """
    if not invocation.argv:
        raise ValueError("an empty argv cannot be run")
    token = secrets.token_hex(8)
    marker = f"kubert-tui-{token}"
    command = list(invocation.argv)
    if invocation.environment:
        command = ["env", *(f"{k}={v}" for k, v in invocation.environment.items()), *command]
    argv = ["/bin/sh", "-c", _SCRIPT, "sh", marker, *command]
    prompt = ""
    if sudo:
        prompt = f"[kubert-tui sudo {token}]"
        argv = ["sudo", "-S", "-p", prompt, "--", *argv]
    return Wrapped(tuple(argv), marker.encode(), prompt.encode())


def end_group_argv(group: int, grace: float) -> Sequence[str]:
    """Return the command that ends process group `group`: TERM, after `grace` seconds KILL."""
    if group <= 1:
        raise ValueError(f"{group} is no process group of a command")
    return ("/bin/sh", "-c", _END_GROUP, "sh", str(group), str(int(grace * 10)))


def put_argv(path: str, mode: int, size: int) -> Sequence[str]:
    """Return the command that makes a file of its `size` bytes of input, atomically."""
    return ("/bin/sh", "-c", _PUT, "sh", as_operand(path), f"{mode:o}", str(size))


def as_operand(path: str) -> str:
    """Return `path` such that no program takes it for an option."""
    return f"./{path}" if path.startswith("-") else path
