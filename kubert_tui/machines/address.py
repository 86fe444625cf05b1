"""How libvirt on a host of the lab is reached: here, or through ssh held to our known_hosts."""

import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from kubert_tui.hosts.known_hosts import our_file
from kubert_tui.hosts.openssh import connection_options
from kubert_tui.hosts.ssh_config import Endpoint, endpoint_of
from kubert_tui.lab.model import HostSpec, Lab

LOCAL = "qemu:///system"
_CONNECT_LIMIT = 15
"""Seconds for ssh to reach a host."""


@contextmanager
def uri_of(
    spec: HostSpec, lab: Lab, agents: Mapping[str, str] | None = None, socket: str = ""
) -> Iterator[str]:
    """Yield the URI of libvirt on `spec`; it can be opened until the context ends.

    `agents`: as for `hosts.openssh.connection_options`. `socket`: libvirt's, where it is not at
    its usual place. Raises as `endpoint_of` does.
    """
    if spec.connection == "local":
        yield f"qemu+unix:///system?socket={quote(socket, safe='/')}" if socket else LOCAL
        return
    endpoint = endpoint_of(spec, lab)
    directory = Path(tempfile.mkdtemp(prefix="kubert-libvirt-"))
    try:
        # libvirt runs ssh with options of its own only: this says the others.
        program = directory / "ssh"
        program.write_text(ssh_program(endpoint, our_file(), agents), encoding="utf-8")
        program.chmod(0o700)
        yield _ssh_uri(endpoint, program, socket)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def ssh_program(
    endpoint: Endpoint, known_hosts: Path, agents: Mapping[str, str] | None = None
) -> str:
    """Return a program that is ssh to `endpoint`: our known_hosts, our jump hosts, no questions."""
    options = [
        *connection_options(endpoint, known_hosts, agents),
        *("-o", "BatchMode=yes", "-o", f"ConnectTimeout={_CONNECT_LIMIT}"),
    ]
    files = (endpoint.identity_file,) if endpoint.identity_file else endpoint.identity_files
    for file in files:
        options += ["-i", os.fspath(file)]
    return f'#!/bin/sh\nexec ssh {shlex.join(options)} "$@"\n'


def _ssh_uri(endpoint: Endpoint, program: Path, socket: str) -> str:
    address = f"[{endpoint.address}]" if ":" in endpoint.address else quote(endpoint.address)
    user = f"{quote(endpoint.user, safe='')}@" if endpoint.user else ""
    wanted = {"command": os.fspath(program), "no_tty": "1"}
    if socket:
        wanted["socket"] = socket
    query = "&".join(f"{key}={quote(value, safe='/')}" for key, value in wanted.items())
    return f"qemu+ssh://{user}{address}:{endpoint.port}/system?{query}"
