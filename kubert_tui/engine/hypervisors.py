"""Connections to libvirt for a stage at work: with our known_hosts, and keys that were opened."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kubert_tui.ansible.agent import key_agent
from kubert_tui.ansible.request import HostSecrets
from kubert_tui.lab.model import HostSpec, Lab
from kubert_tui.machines.address import uri_of
from kubert_tui.machines.hypervisor import Hypervisor, open_hypervisor


@contextmanager
def hypervisor_of(
    spec: HostSpec, lab: Lab, secrets: Mapping[str, HostSecrets]
) -> Iterator[Hypervisor]:
    """Yield a connection to libvirt on `spec`, which ends with the context.

    `secrets`: by host, those of its jump hosts, too. Keys with a passphrase are held by an agent
    of our own meanwhile; ssh, as libvirt runs it, asks for nothing. Raises as `open_hypervisor`.
    """
    keys = {
        file: phrase.reveal()
        for one in secrets.values()
        for file, phrase in one.passphrases.items()
    }
    with tempfile.TemporaryDirectory(prefix="kubert-agent-") as directory:
        socket = Path(directory, "agent")
        agents = dict.fromkeys(secrets, str(socket)) if keys else {}
        with (
            key_agent(socket, keys, os.environ),
            uri_of(spec, lab, agents) as uri,
            open_hypervisor(spec.name, uri) as hypervisor,
        ):
            yield hypervisor
