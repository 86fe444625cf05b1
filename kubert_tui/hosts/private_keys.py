"""Which private keys are tried for a login, in which order, and how they are unlocked."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from threading import Lock

import paramiko

from kubert_tui.base.text import clean_line
from kubert_tui.hosts.interface import Asker
from kubert_tui.hosts.ssh_config import Endpoint

ATTEMPTS = 3
"""How often a key's passphrase is asked for."""
DEFAULT_NAMES = ("id_ed25519", "id_ecdsa", "id_rsa")

Labelled = tuple[str, paramiko.PKey]

_unlocked: dict[tuple[Path, int], paramiko.PKey] = {}
"""Keys whose passphrase was given, by file and its time of change: asked once per process."""
_unlocking = Lock()


class Keys:
    """The keys for one login. `unusable` fills with those left out, and why."""

    def __init__(self, endpoint: Endpoint, agent: Sequence[paramiko.AgentKey], asker: Asker):
        self._endpoint = endpoint
        self._agent = agent
        self._asker = asker
        self._seen: set[bytes] = set()
        self.unusable: list[str] = []

    def in_order(self) -> Iterator[Labelled]:
        """Yield each key once, with a name for people.

        The agent's keys, then files; but the key the lab file names goes before the agent's
        other keys, as hosts hang up after a handful of attempts. Passphrases are asked last.
        """
        explicit = [self._endpoint.identity_file] if self._endpoint.identity_file else []
        others = [file for file in self._other_files() if file not in explicit]
        public = {_public_blob(file) for file in (*explicit, *others)}
        named = [key for key in self._agent if key.asbytes() in public]
        unnamed = () if self._endpoint.identities_only else self._agent
        for label, key in chain(
            _labelled(named),
            self._unencrypted(explicit),
            _labelled(unnamed),
            self._unencrypted(others),
            self._encrypted((*explicit, *others)),
        ):
            blob = key.asbytes()
            if blob not in self._seen:
                self._seen.add(blob)
                yield label, key

    def _other_files(self) -> Sequence[Path]:
        if self._endpoint.identity_files:
            return self._endpoint.identity_files
        directory = Path.home() / ".ssh"
        return [directory / name for name in DEFAULT_NAMES if (directory / name).exists()]

    def _unencrypted(self, files: Iterable[Path]) -> Iterator[Labelled]:
        for file in files:
            try:
                yield f"key {file}", _read(file, None)
            except TypeError:
                continue  # cryptography's way to say that a passphrase is needed
            except OSError as error:
                self.unusable.append(f"key {file} (not readable: {error.strerror})")
            except Exception as error:  # its ways to say that the file is no key are many
                self.unusable.append(f"key {file} (not usable: {clean_line(str(error))})")

    def _encrypted(self, files: Iterable[Path]) -> Iterator[Labelled]:
        for file in files:
            if _public_blob(file) in self._seen or not _is_encrypted(file):
                continue
            if (key := self._unlock(file)) is not None:
                yield f"key {file}", key

    def _unlock(self, file: Path) -> paramiko.PKey | None:
        # The lock is held while asking: of two hosts with the same key, one asks.
        with _unlocking:
            identity = file, file.stat().st_mtime_ns
            if (known := _unlocked.get(identity)) is not None:
                return known
            for _ in range(ATTEMPTS):
                passphrase = self._asker.passphrase(self._endpoint.name, str(file))
                if passphrase is None:
                    self.unusable.append(f"key {file} (encrypted, and no passphrase was given)")
                    return None
                try:
                    key = _read(file, passphrase.reveal().encode())
                except Exception:  # noqa: S112 -- wrong passphrases have many error classes
                    continue
                _unlocked[identity] = key
                return key
        self.unusable.append(f"key {file} (encrypted, and the passphrases were wrong)")
        return None


def _labelled(keys: Iterable[paramiko.AgentKey]) -> Iterator[Labelled]:
    for key in keys:
        yield f"agent key {clean_line(key.comment)}", key


def _read(file: Path, passphrase: bytes | None) -> paramiko.PKey:
    # The passphrase has to be bytes, whatever paramiko's annotation says.
    return paramiko.PKey.from_path(file, passphrase)  # type: ignore[arg-type]


def _is_encrypted(file: Path) -> bool:
    try:
        _read(file, None)
    except TypeError:
        return True
    except Exception:
        return False
    return False


def _public_blob(file: Path) -> bytes | None:
    """Return the public key beside a private one, in wire format, if there is a `.pub` file."""
    try:
        text = file.with_name(file.name + ".pub").read_text(encoding="utf-8")
        return paramiko.pkey.PublicBlob.from_string(text).key_blob
    except (OSError, ValueError):
        return None
