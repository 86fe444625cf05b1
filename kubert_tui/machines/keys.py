"""The keys of a lab's machines: one that logs in, and a host key each, known before they start."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from kubert_tui.base import paths
from kubert_tui.hosts.known_hosts import our_file, replace_marked
from kubert_tui.machines.guest import Guest

_LOGIN = "key"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An ed25519 key. Its private half is shown to the one machine it is for, to nobody else."""

    private: str
    """In OpenSSH's format."""
    public: str
    """`ssh-ed25519 AAAA...`."""

    def __repr__(self) -> str:
        return f"KeyPair({self.public})"


def login_key(lab: str) -> KeyPair:
    """Return the key that logs in to all machines of the lab, made if there is none."""
    return _key(_directory(lab) / _LOGIN)


def login_key_file(lab: str) -> Path:
    """Where its private half is (0600), for `identity_file` of hosts."""
    return _place(lab) / _LOGIN


def host_key(guest: Guest) -> KeyPair:
    """Return the host key of a machine, made if there is none; it survives a rebuild."""
    return _key(_directory(guest.lab) / f"{guest.name}.host-key")


def introduce(lab: str, guests: tuple[Guest, ...]) -> None:
    """Make the host keys of `guests` the only ones of this lab in our known_hosts."""
    keys = [
        (guest.spec.address, *host_key(guest).public.split()[:2])
        for guest in guests
        # Of one that somebody else made nobody told us the key.
        if not guest.spec.adopted
    ]
    replace_marked(_mark(lab), [(name, kind, blob) for name, kind, blob in keys], our_file())


def forget(lab: str) -> None:
    """Remove all keys of the lab, and what our known_hosts says of its machines."""
    replace_marked(_mark(lab), (), our_file())
    shutil.rmtree(_place(lab), ignore_errors=True)


def forget_machine(lab: str, name: str) -> None:
    """Remove the host key of a machine that the lab does not name any more."""
    (_place(lab) / f"{name}.host-key").unlink(missing_ok=True)


def kept(lab: str) -> tuple[Path, ...]:
    """Return the files that are kept of the lab's keys."""
    directory = _place(lab)
    return tuple(sorted(directory.iterdir())) if directory.is_dir() else ()


def known_machines(lab: str) -> tuple[str, ...]:
    """Return the addresses that our known_hosts has for the lab's machines."""
    file = our_file()
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else ()
    fields = (line.split() for line in lines)
    return tuple(one[0] for one in fields if one and one[-1] == _mark(lab))


def _place(lab: str) -> Path:
    return paths.state() / "machines" / lab


def _directory(lab: str) -> Path:
    return paths.private_directory(_place(lab))


def _mark(lab: str) -> str:
    return f"kubert-tui:machines:{lab}"


def _key(path: Path) -> KeyPair:
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        paths.write_private(
            path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        )
    # As it is in the file: each time a key is written in this format it looks different.
    private = path.read_bytes()
    public = load_ssh_private_key(private, None).public_key()
    line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return KeyPair(private.decode("ascii"), line.decode("ascii"))
