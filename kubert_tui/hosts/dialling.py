"""Opening a connection: dialled, its host key verified, authenticated; hop by hop."""

import socket
import subprocess
import time

import paramiko

from kubert_tui.base.errors import UnreachableError
from kubert_tui.base.text import clean_line
from kubert_tui.hosts.authentication import authenticate
from kubert_tui.hosts.connection import Closable, Connection, SshTransport, Stream
from kubert_tui.hosts.host_keys import preferred_algorithms, verify
from kubert_tui.hosts.interface import Asker
from kubert_tui.hosts.ssh_config import Endpoint

CONNECT_LIMIT = 15.0
"""Seconds for each step of connecting: TCP, banner, key exchange."""
PATIENCE = 60.0
"""Seconds after which a connection that broke is blamed on a question answered late."""


class ProxyCommand:
    """A ProxyCommand: a program whose standard input and output lead to the host."""

    def __init__(self, endpoint: Endpoint) -> None:
        ours, theirs = socket.socketpair()
        self.stream = ours
        try:
            self._process = subprocess.Popen(
                # As ssh does it; the values put into it were checked when it was resolved.
                ("/bin/sh", "-c", f"exec {endpoint.proxy_command}"),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            ours.close()
            raise UnreachableError(
                f"the ProxyCommand cannot be started: {clean_line(str(error))}",
                fix="correct ProxyCommand in ~/.ssh/config",
                host=endpoint.name,
            ) from error
        finally:
            theirs.close()

    def close(self) -> None:
        """End the program."""
        self.stream.close()
        self._process.terminate()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def open_connection(endpoint: Endpoint, asker: Asker) -> Connection:
    """Connect to `endpoint` through its jump hosts, verifying and logging in at each.

    Raises UnreachableError, HostKeyError or AuthenticationError, naming the host it is about.
    """
    via: Connection | None = None
    try:
        for hop in (*endpoint.jumps, endpoint):
            via = _open_one(hop, via, asker)
    except BaseException:
        if via is not None:
            via.close()
        raise
    assert via is not None  # noqa: S101 -- the chain has at least the endpoint itself
    return via


def _open_one(endpoint: Endpoint, via: Connection | None, asker: Asker) -> Connection:
    started = time.monotonic()
    try:
        return _attempt(endpoint, via, asker)
    except UnreachableError:
        # sshd hangs up after LoginGraceTime: people may need longer to compare a key.
        if time.monotonic() - started < PATIENCE:
            raise
    return _attempt(endpoint, via, asker)


def _attempt(endpoint: Endpoint, via: Connection | None, asker: Asker) -> Connection:
    below: Closable | None = via
    if via is not None:
        stream: Stream = _dial_through(endpoint, via)
    elif endpoint.proxy_command:
        below = proxy = ProxyCommand(endpoint)
        stream = proxy.stream
    else:
        stream = _dial(endpoint)
    transport = SshTransport(stream)
    try:
        key = _negotiate(endpoint, transport)
        verify(endpoint, key.get_name(), key.asbytes(), asker)
        try:
            authenticate(endpoint, transport, asker)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise _lost_while_connecting(endpoint, error) from error
    finally:
        if not transport.is_authenticated():
            transport.close()
            stream.close()
            if isinstance(below, ProxyCommand):
                below.close()
    return Connection(endpoint, transport, below)


def _dial(endpoint: Endpoint) -> socket.socket:
    place = f"{endpoint.address} port {endpoint.port}"
    try:
        stream = socket.create_connection((endpoint.address, endpoint.port), CONNECT_LIMIT)
        # Else each short packet waits for the acknowledgement of the one before (40 ms).
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return stream
    except (socket.gaierror, UnicodeError) as error:
        what = f"no address is known for the name {endpoint.address}"
        fix = "check its spelling and DNS (or /etc/hosts), or give an IP address"
        cause: Exception = error
    except ConnectionRefusedError as error:
        what = f"{place} refuses connections"
        fix = "check that sshd runs there and listens on that port"
        cause = error
    except TimeoutError as error:
        what = f"{place} does not answer within {CONNECT_LIMIT:.0f} s"
        fix = "check that the host is on, the address is right, and no firewall is in between"
        cause = error
    except OSError as error:
        what = f"{place} cannot be reached: {error.strerror or error}"
        fix = "check the network from here to the host"
        cause = error
    raise UnreachableError(what, fix=fix, host=endpoint.name) from cause


def _dial_through(endpoint: Endpoint, via: Connection) -> paramiko.Channel:
    place = f"{endpoint.address} port {endpoint.port}"
    jump = via.endpoint.name
    try:
        return via.transport.open_channel(
            "direct-tcpip",
            (endpoint.address, endpoint.port),
            ("127.0.0.1", 0),
            timeout=CONNECT_LIMIT,
        )
    except paramiko.ChannelException as error:
        raise UnreachableError(
            f"the jump host {jump} cannot reach {place}: {clean_line(error.text)}",
            fix=f"check the address as seen from {jump}, and AllowTcpForwarding in its sshd",
            host=endpoint.name,
        ) from error
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise UnreachableError(
            f"the jump host {jump} did not connect us to {place}: {clean_line(str(error))}",
            fix=f"check the address as seen from {jump}",
            host=endpoint.name,
        ) from error


def _negotiate(endpoint: Endpoint, transport: SshTransport) -> paramiko.PKey:
    """Exchange keys and return the host's."""
    options = transport.get_security_options()
    options.key_types = preferred_algorithms(endpoint, tuple(options.key_types))
    transport.banner_timeout = CONNECT_LIMIT
    try:
        transport.start_client(timeout=2 * CONNECT_LIMIT)
        return transport.get_remote_server_key()
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise _lost_while_connecting(endpoint, error) from error


def _lost_while_connecting(endpoint: Endpoint, error: Exception) -> UnreachableError:
    place = f"{endpoint.address} port {endpoint.port}"
    said = clean_line(str(error))
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        what = f"{place} and we have no SSH algorithm in common: {said}"
        fix = "update the SSH server there"
    elif "banner" in said or "Indecipherable" in said:
        what = f"what answers on {place} does not speak SSH: {said}"
        fix = "check the port; if it is right, sshd may be overloaded or refuse our address"
    else:
        what = f"the connection to {place} broke while it was being made"
        what += f": {said}" if said else ""
        fix = "try again; if it stays so, look at sshd's log there"
    return UnreachableError(what, fix=fix, host=endpoint.name)
