"""One SSH connection once it is open: watched, and closed with all it goes through."""

import logging
import signal
import socket
import time
from contextlib import suppress
from threading import Event as Flag
from threading import Thread
from typing import Protocol

import paramiko
from paramiko.common import MSG_CHANNEL_REQUEST

from kubert_tui.hosts.ssh_config import Endpoint

KEEPALIVE = 15.0
"""Seconds between two questions whether the host is still there."""
SILENCE_LIMIT = 45.0
"""Seconds without an answer after which the connection counts as lost."""

# paramiko logs what it also raises; on a terminal that belongs to somebody else it would show.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False

Stream = socket.socket | paramiko.Channel


class Closable(Protocol):
    """What a connection goes through."""

    def close(self) -> None:
        """End it. Idempotent."""


class SshTransport(paramiko.Transport):
    """A transport that also hears by which signal a command died (paramiko drops that)."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream)
        self.signals: dict[int, int] = {}
        """Signal numbers by channel number."""
        self._channel_handler_table = {
            **self._channel_handler_table,  # type: ignore[has-type]  # not in the stubs
            MSG_CHANNEL_REQUEST: self._hear_request,
        }

    def _hear_request(self, channel: paramiko.Channel, message: paramiko.Message) -> None:
        start = message.packet.tell()
        if message.get_text() == "exit-signal":
            message.get_boolean()
            known = signal.Signals.__members__.get(f"SIG{message.get_text()}", signal.SIGKILL)
            self.signals[channel.chanid] = known.value
        message.packet.seek(start)
        channel._handle_request(message)  # type: ignore[attr-defined]


class Connection:
    """An open, authenticated connection to one endpoint, with all it goes through."""

    def __init__(self, endpoint: Endpoint, transport: SshTransport, via: Closable | None) -> None:
        self.endpoint = endpoint
        self.transport = transport
        self._via = via
        self._closing = Flag()
        self._answered = time.monotonic()
        Thread(target=self._ask_for_life, name=f"{endpoint.name} keepalive", daemon=True).start()

    def check(self) -> None:
        """End the connection, and so all that waits for it, if the host has gone silent."""
        if time.monotonic() - self._answered > SILENCE_LIMIT:
            self.close()

    def close(self) -> None:
        """Close this connection and those it goes through. Idempotent."""
        self._closing.set()
        self.transport.close()
        if self._via is not None:
            self._via.close()

    def _ask_for_life(self) -> None:
        # A packet that only has to be sent would not tell: TCP takes it for many minutes.
        while not self._closing.wait(KEEPALIVE) and self.transport.is_active():
            with suppress(Exception):
                self.transport.global_request("keepalive@openssh.com", wait=True)
                self._answered = time.monotonic()
