"""known_hosts files: ours, which we write, and the user's, which we only read.

Format: `sshd(8)`, section SSH_KNOWN_HOSTS FILE FORMAT. Lines that cannot be understood are
passed over, as OpenSSH does.
"""

import base64
import binascii
import fcntl
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from kubert_tui.base import paths

REVOKED = "@revoked"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """One line of a known_hosts file that is about the host asked for."""

    file: Path
    line: int
    marker: str
    """Empty, `@revoked` or `@cert-authority`."""
    key_type: str
    blob: bytes
    """The public key as it goes over the wire."""


def fingerprint(blob: bytes) -> str:
    """Return the fingerprint of a public key as OpenSSH prints it: `SHA256:...`."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


def our_file() -> Path:
    """Return the one file of ours that paramiko, Ansible and libvirt use."""
    return paths.known_hosts()


def trusted_files() -> tuple[Path, ...]:
    """Return the files whose keys are trusted: ours first, then the user's and the system's."""
    home = Path.home() / ".ssh"
    return (
        our_file(),
        home / "known_hosts",
        home / "known_hosts2",
        Path("/etc/ssh/ssh_known_hosts"),
    )


def known_keys(known_as: str, files: Sequence[Path]) -> list[KnownKey]:
    """Return all lines about `known_as` (`host` or `[host]:port`) in `files`, in order."""
    return [key for file in files for key in _keys_in(file, known_as)]


def remember(known_as: str, key_type: str, blob: bytes) -> None:
    """Add a key to our file, unless it is there. Safe among threads and processes."""
    file = our_file()
    with _locked(file):
        old = file.read_text(encoding="utf-8", errors="surrogateescape") if file.exists() else ""
        if any(key.blob == blob and not key.marker for key in _keys_in(file, known_as)):
            return
        if old and not old.endswith("\n"):
            old += "\n"
        line = f"{known_as} {key_type} {base64.b64encode(blob).decode()}\n"
        paths.write_private(file, (old + line).encode("utf-8", errors="surrogateescape"))


def replace_marked(mark: str, keys: Sequence[tuple[str, str, str]], file: Path) -> None:
    """Make `keys` the only ones that `file` has under `mark` (a comment without blanks).

    Each is (known as, key type, base64 of the key). What else the file said about these names
    goes, too. No keys: forgets all of the mark. Safe among threads and processes.
    """
    names = {known_as for known_as, _, _ in keys}

    def stays(line: str) -> bool:
        fields = line.split()
        return not fields or (fields[-1] != mark and fields[0] not in names)

    if not keys and not file.exists():
        return
    paths.private_directory(file.parent)
    with _locked(file):
        for left in file.parent.glob(f".{file.name}.*"):
            # Of a writer that was killed: who writes now holds the lock, and that is us.
            left.unlink()
        old = file.read_text(encoding="utf-8", errors="surrogateescape") if file.exists() else ""
        lines = [line for line in old.splitlines() if stays(line)]
        lines += [" ".join((*key, mark)) for key in keys]
        new = "".join(f"{line}\n" for line in lines)
        if new != old:
            paths.write_private(file, new.encode("utf-8", errors="surrogateescape"))


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    # The lock is a file of its own, as ours is replaced at each change.
    lock = file.with_name(file.name + ".lock")
    with lock.open("a") as handle:
        lock.chmod(0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _keys_in(file: Path, known_as: str) -> Iterator[KnownKey]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        marker = fields.pop(0) if fields[0].startswith("@") else ""
        if len(fields) < 3 or not _matches(known_as, fields[0]):
            continue
        try:
            blob = base64.b64decode(fields[2], validate=True)
        except (binascii.Error, ValueError):
            continue
        yield KnownKey(file, number, marker, fields[1], blob)


def _matches(known_as: str, patterns: str) -> bool:
    """Whether a comma list of patterns (`*`, `?`, `!` negates) or a hashed name means the host."""
    name = known_as.lower()
    if patterns.startswith("|"):
        return _matches_hash(name, patterns)
    matched = False
    for pattern in patterns.lower().split(","):
        if _matches_pattern(name, pattern.removeprefix("!")):
            if pattern.startswith("!"):
                return False
            matched = True
    return matched


def _matches_pattern(name: str, pattern: str) -> bool:
    # fnmatch's expressions never go back over a `*`, so no pattern takes for ever.
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def _matches_hash(name: str, hashed: str) -> bool:
    """`|1|SALT|HASH`: HMAC-SHA1 of the name with the salt, both in base64."""
    try:
        _, kind, salt, digest = hashed.split("|")
        found = hmac.digest(base64.b64decode(salt), name.encode(), "sha1")
        return kind == "1" and hmac.compare_digest(found, base64.b64decode(digest))
    except (binascii.Error, ValueError):
        return False
