"""Whether the key a host shows is the one we know, and what happens if not."""

import shlex
from collections import defaultdict
from threading import Lock

from kubert_tui.base.errors import HostKeyError
from kubert_tui.hosts.interface import Asker, HostKeyOffer
from kubert_tui.hosts.known_hosts import (
    REVOKED,
    KnownKey,
    fingerprint,
    known_keys,
    our_file,
    remember,
    trusted_files,
)
from kubert_tui.hosts.ssh_config import Endpoint

_RSA = ("rsa-sha2-512", "rsa-sha2-256")
_SHOW_ON_HOST = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"

_asking: defaultdict[str, Lock] = defaultdict(Lock)
"""One question per host at a time: whoever comes second finds the key stored."""


def preferred_algorithms(endpoint: Endpoint, supported: tuple[str, ...]) -> tuple[str, ...]:
    """Return `supported` host key algorithms, those of keys we know of this host first.

    A host has several keys; asking for another type than the known one would make it look
    as if its key had changed.
    """
    known: list[str] = []
    for key in known_keys(endpoint.known_as, trusted_files()):
        if not key.marker:
            known += _RSA if key.key_type == "ssh-rsa" else (key.key_type,)
    return tuple(sorted(supported, key=lambda name: name not in known))


def verify(endpoint: Endpoint, key_type: str, blob: bytes, asker: Asker) -> None:
    """Return if the key is known or gets accepted, and have it in our file then.

    Raises HostKeyError: revoked or changed (nobody is asked), or unknown and not accepted.
    """
    with _asking[endpoint.known_as]:
        known = known_keys(endpoint.known_as, trusted_files())
        for key in known:
            if key.marker == REVOKED and key.blob == blob:
                raise _revoked(endpoint, key)
        plain = [key for key in known if not key.marker]
        if not any(key.blob == blob for key in plain):
            if plain:
                raise _changed(endpoint, plain, key_type, blob)
            offer = HostKeyOffer(
                host=endpoint.name,
                address=endpoint.address,
                port=endpoint.port,
                key_type=key_type,
                fingerprint=fingerprint(blob),
            )
            if not asker.accept_host_key(offer):
                raise _refused(endpoint, offer)
        # Also a key that only the user's file knows: Ansible and libvirt read ours alone.
        remember(endpoint.known_as, key_type, blob)


def _revoked(endpoint: Endpoint, key: KnownKey) -> HostKeyError:
    return HostKeyError(
        f"the host shows a key that {key.file}, line {key.line}, marks as revoked"
        f" ({fingerprint(key.blob)})",
        fix="do not connect; find out why the key was revoked",
        host=endpoint.name,
    )


def _refused(endpoint: Endpoint, offer: HostKeyOffer) -> HostKeyError:
    return HostKeyError(
        f"the key of {endpoint.known_as} is unknown and was not accepted"
        f" ({offer.key_type} {offer.fingerprint})",
        fix=f"compare it on the host's own console (`{_SHOW_ON_HOST}`), then accept it in the"
        " wizard, or start with --accept-new-host-keys",
        host=endpoint.name,
    )


def _changed(endpoint: Endpoint, plain: list[KnownKey], key_type: str, blob: bytes) -> HostKeyError:
    old = next((key for key in plain if key.key_type == key_type), plain[0])
    files = dict.fromkeys(key.file for key in plain)
    removals = [
        f"ssh-keygen -R {shlex.quote(endpoint.known_as)} -f {shlex.quote(str(file))}"
        for file in files
    ]
    return HostKeyError(
        f"the host key has changed: {old.file}, line {old.line}, has {old.key_type}"
        f" {fingerprint(old.blob)}, but {endpoint.known_as} now shows {key_type}"
        f" {fingerprint(blob)}",
        fix="somebody may be listening in, or the host was reinstalled. Nothing was sent to it."
        f" Compare on the host's own console (`{_SHOW_ON_HOST}`); only if it is right, run"
        f" `{' && '.join(removals)}` and connect again",
        host=endpoint.name,
        details="" if our_file() in files else "kubert-tui does not write to that file",
    )
