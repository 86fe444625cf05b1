"""What makes a copy of the disk one machine: name, keys, password, handed in at its first start."""

import io
import tarfile
from collections.abc import Iterator

from kubert_tui.practice.driver import ENGINEER
from kubert_tui.practice.state import LabDirectory


def seed(lab: LabDirectory, name: str) -> bytes:
    """Return the tar archive that `practice-seed` on the disk unpacks to /.

    Its member `passwords` goes to chpasswd instead and onto no disk.
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, owner, mode, content in _members(lab, name):
            member = tarfile.TarInfo(path)
            member.mode = mode
            # By name: the disk knows the number.
            member.uname = member.gname = owner
            member.mtime = int(lab.user_key.stat().st_mtime)
            if content is None:
                member.type = tarfile.DIRTYPE
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def _members(lab: LabDirectory, name: str) -> Iterator[tuple[str, str, int, bytes | None]]:
    """Path, owner, permissions, content (None: a directory)."""
    yield "etc/hostname", "root", 0o644, f"{name}\n".encode()
    hosts = f"127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\t{name}\n"
    yield "etc/hosts", "root", 0o644, hosts.encode()
    key = lab.host_key(name)
    for suffix, mode in (("", 0o600), (".pub", 0o644)):
        content = key.with_name(key.name + suffix).read_bytes()
        yield f"etc/ssh/ssh_host_ed25519_key{suffix}", "root", mode, content
    public = lab.user_key.with_name(lab.user_key.name + ".pub").read_bytes()
    for home, owner in (("root", "root"), (f"home/{ENGINEER}", ENGINEER)):
        yield f"{home}/.ssh", owner, 0o700, None
        yield f"{home}/.ssh/authorized_keys", owner, 0o600, public
    yield "passwords", "root", 0o600, f"{ENGINEER}:".encode() + lab.password.read_bytes() + b"\n"
