"""Fetch one file over https, whole or not at all."""

import hashlib
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from threading import Event as Flag
from typing import Protocol

from kubert_tui.base.errors import CancelledError, KubertError

SIZE_LIMIT = 20 * 1024 * 1024
"""Bytes; rt-tests archives are under 200 kB, anything near this is not one."""
_TIMEOUT = 20.0
_CHUNK = 64 * 1024


class Download(Protocol):
    """How a file is fetched; tests pass a scripted one."""

    def __call__(self, address: str, target: Path, cancel: Flag) -> None:
        """Write what lies at `address` to `target`."""


def download(address: str, target: Path, cancel: Flag) -> None:
    """Write what lies at the https `address` to `target`; KubertError with the reason if not."""
    if not address.startswith("https://"):
        raise KubertError(f"refused: {address} is not https")
    try:
        with (
            urllib.request.urlopen(address, timeout=_TIMEOUT) as answer,  # noqa: S310  https only
            target.open("wb") as file,
        ):
            size = 0
            while chunk := answer.read(_CHUNK):
                if cancel.is_set():
                    raise CancelledError("cancelled")
                size += len(chunk)
                if size > SIZE_LIMIT:
                    raise KubertError(f"{address} is larger than {SIZE_LIMIT} bytes")
                file.write(chunk)
    except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise KubertError(f"cannot fetch {address}: {reason}") from error


def sha256_of(path: Path) -> str:
    """Return the hex sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
