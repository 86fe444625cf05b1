"""Sources kept in the cache: put there whole by a rename, checked again when read."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kubert_tui.base.download import sha256_of
from kubert_tui.base.errors import KubertError
from kubert_tui.base.paths import private_directory

_RECORD = "source.json"
_STALE = 24 * 3600.0
"""Seconds after which nobody works in a temporary directory any more."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One archive in the cache."""

    archive: Path
    version: str
    origin: str
    sha256: str


def find(cache: Path, key: str) -> Kept | None:
    """Return what is kept under `key`; None if nothing is, or if it was damaged since."""
    home = cache / "sources" / key
    try:
        record = json.loads((home / _RECORD).read_text(encoding="utf-8"))
        kept = Kept(home / record["archive"], record["version"], record["origin"], record["sha256"])
        whole = kept.archive.parent == home and sha256_of(kept.archive) == kept.sha256
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return kept if whole else None


def keep(cache: Path, key: str, archive: Path, version: str, origin: str) -> Kept:
    """Move `archive` (same file system) under `key`, replacing a damaged one; return it."""
    record = {
        "archive": archive.name,
        "version": version,
        "origin": origin,
        "sha256": sha256_of(archive),
    }
    home = private_directory(cache / "sources") / key
    with workshop(cache) as directory:
        whole = directory / "whole"
        whole.mkdir(mode=0o700)
        archive.replace(whole / archive.name)
        (whole / _RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
        if home.exists():
            home.replace(directory / "damaged")
        whole.replace(home)
    kept = find(cache, key)
    if kept is None:
        raise KubertError(f"cannot keep {archive.name} in the cache", fix="is the disk full?")
    return kept


@contextmanager
def workshop(cache: Path) -> Iterator[Path]:
    """A temporary directory in the cache, gone afterwards; nothing in it counts as done."""
    private_directory(cache)
    for left in cache.glob(".work.*"):  # of a process that was killed
        if time.time() - left.stat().st_mtime > _STALE:
            shutil.rmtree(left, ignore_errors=True)
    directory = Path(tempfile.mkdtemp(prefix=".work.", dir=cache))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def tool(name: str) -> bool:
    """Whether a program is installed here."""
    return shutil.which(name, path=os.environ.get("PATH", os.defpath)) is not None
