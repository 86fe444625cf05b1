"""Who signed a file, told by gpgv: with the keys of one file of the user's, and no others.

gpgv reads no configuration, asks no agent and no network, and trusts the keys that it is given.
"""

import base64
import binascii
import re
import subprocess
import tempfile
from pathlib import Path

from kubert_tui.base.errors import KubertError, ToolMissingError
from kubert_tui.base.text import last_lines

_TIMEOUT = 120.0
_SIGNED = re.compile(rb"^\[GNUPG:\] VALIDSIG ([0-9A-F]{40,64}) ", re.MULTILINE)
_ARMOUR = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\s(.*?)-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL
)


def verify_detached(file: Path, signature: Path, key: Path) -> str:
    """Return the fingerprint of the key of `key` that signed `file`; KubertError if none did."""
    return _verify([str(signature), str(file)], key, file.name)


def verify_clearsigned(file: Path, key: Path) -> tuple[str, str]:
    """Return who signed, and the text that was signed: what stands around it is nobody's."""
    with tempfile.TemporaryDirectory(prefix="kubert-signed-") as directory:
        inside = Path(directory, "text")
        who = _verify(["--output", str(inside), str(file)], key, file.name)
        return who, inside.read_text(encoding="utf-8", errors="replace")


def sum_of(name: str, sums: str) -> str:
    """Return the sum that a file of sums has for a file, in lower case; `` if it has none.

    As sha256sum writes it (`SUM  NAME`), or BSD and Fedora (`SHA256 (NAME) = SUM`).
    """
    for line in sums.splitlines():
        plain = re.fullmatch(r"([0-9A-Fa-f]{64,128}) [ *](?:\./)?(.+)", line.rstrip())
        tagged = re.fullmatch(r"SHA(?:256|512) \((.+)\) = ([0-9A-Fa-f]{64,128})", line.rstrip())
        if plain and plain[2] == name:
            return plain[1].lower()
        if tagged and tagged[1] == name:
            return tagged[2].lower()
    return ""


def _verify(arguments: list[str], key: Path, name: str) -> str:
    try:
        keys = _bare(key.read_bytes())
    except OSError as error:
        raise KubertError(
            f"the key {key} cannot be read: {error.strerror}", fix="image.key names a file here"
        ) from None
    with tempfile.TemporaryDirectory(prefix="kubert-keys-") as directory:
        ring = Path(directory, "keys.gpg")
        ring.write_bytes(keys)
        argv = ["gpgv", "--homedir", directory, "--status-fd", "1", "--keyring", str(ring)]
        try:
            done = subprocess.run(
                [*argv, *arguments], capture_output=True, check=False, timeout=_TIMEOUT
            )
        except FileNotFoundError:
            raise ToolMissingError(
                "gpgv, which checks signatures, is not installed on this computer",
                fix="Debian: apt-get install gpgv; Fedora: dnf install gnupg2",
            ) from None
    signed = _SIGNED.search(done.stdout)
    if done.returncode or not signed:
        raise KubertError(
            f"{name} is not signed by a key in {key}: refused",
            fix="compare key and address with what the publisher says",
            details=last_lines(done.stderr),
        )
    return signed[1].decode()


def _bare(key: bytes) -> bytes:
    """Return keys without the armour that they may be in."""
    blocks = _ARMOUR.findall(key)
    if not blocks:
        return key
    try:
        return b"".join(base64.b64decode(_body(block), validate=True) for block in blocks)
    except binascii.Error:
        raise KubertError("the key is damaged", fix="fetch it again") from None


def _body(block: bytes) -> bytes:
    """The base64 between the headers, which an empty line ends, and the checksum line."""
    lines = [line.strip() for line in block.splitlines()]
    start = lines.index(b"") + 1 if b"" in lines[:20] else 0
    return b"".join(line for line in lines[start:] if not line.startswith(b"="))
