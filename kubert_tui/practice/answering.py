"""Whether a machine answers: its sshd, with its own host key, to the lab's key."""

import base64
import socket

import paramiko

from kubert_tui.hosts.connection import SshTransport
from kubert_tui.practice.keys import public_key
from kubert_tui.practice.model import Machine
from kubert_tui.practice.state import LabDirectory

_LIMIT = 5.0
_LOGIN_LIMIT = 60.0
"""Seconds for key exchange and log-in: an emulated machine needs its time."""


def answers(lab: LabDirectory, machine: Machine, *, limit: float = _LOGIN_LIMIT) -> bool:
    """Whether root gets in with the lab's key now. Never raises for what the machine does."""
    if not machine.address:
        return False
    try:
        key = paramiko.Ed25519Key.from_private_key_file(str(lab.user_key))
        _, wanted = public_key(lab.host_key(machine.name))
        with socket.create_connection((machine.address, machine.port), timeout=_LIMIT) as stream:
            transport = SshTransport(stream)
            try:
                transport.banner_timeout = transport.auth_timeout = limit
                transport.start_client(timeout=limit)
                shown = transport.get_remote_server_key().asbytes()
                if shown != base64.b64decode(wanted):
                    return False
                transport.auth_publickey("root", key)
                return transport.is_authenticated()
            finally:
                transport.close()
    except (OSError, EOFError, ValueError, paramiko.SSHException):
        return False
