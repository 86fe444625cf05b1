"""Logging in over SSH: agent, then keys, then password. Agent forwarding is never asked for."""

import paramiko

from kubert_tui.base.errors import AuthenticationError
from kubert_tui.base.text import clean_line
from kubert_tui.hosts.interface import Asker
from kubert_tui.hosts.private_keys import Keys
from kubert_tui.hosts.ssh_config import Endpoint

ATTEMPTS = 3
"""How often a password is asked for."""


def authenticate(endpoint: Endpoint, transport: paramiko.Transport, asker: Asker) -> None:
    """Log in, or raise AuthenticationError that lists what was tried.

    paramiko's SSHException and EOFError pass through when the connection breaks.
    """
    _Login(endpoint, transport, asker).run()


class _Login:
    """One attempt to log in, with the list of what was tried."""

    def __init__(self, endpoint: Endpoint, transport: paramiko.Transport, asker: Asker) -> None:
        self._endpoint = endpoint
        self._transport = transport
        self._asker = asker
        self._tried: list[str] = []
        self._allowed: set[str] = set()

    def run(self) -> None:
        agent = _agent()
        try:
            if self._try_none() or self._try_keys(agent) or self._try_password():
                return
        except (paramiko.SSHException, EOFError) as error:
            # sshd hangs up after MaxAuthTries; that is no lost connection.
            if self._tried and not self._transport.is_active():
                raise self._refused(
                    "the host hung up after so many attempts: name the right key as"
                    " `identity_file`, or set IdentitiesOnly in ~/.ssh/config"
                ) from error
            raise
        finally:
            if agent is not None:
                agent.close()
        raise self._refused(
            "check the user name, load the key into your agent, name it as `identity_file`,"
            " or copy it there with `ssh-copy-id`"
        )

    def _try_none(self) -> bool:
        """Learn which methods the host offers (a few hosts let one in right here)."""
        try:
            self._allowed = set(self._transport.auth_none(self._endpoint.user))
        except paramiko.BadAuthenticationType as error:
            self._allowed = set(error.allowed_types)
        return self._transport.is_authenticated()

    def _try_keys(self, agent: paramiko.Agent | None) -> bool:
        if "publickey" not in self._allowed:
            return False
        keys = Keys(self._endpoint, agent.get_keys() if agent is not None else (), self._asker)
        try:
            for label, key in keys.in_order():
                self._tried.append(label)
                if self._try_key(key):
                    # If not in yet, the host wants a password on top of the key.
                    return self._transport.is_authenticated()
        finally:
            self._tried += keys.unusable
        return False

    def _try_key(self, key: paramiko.PKey) -> bool:
        try:
            self._allowed = set(self._transport.auth_publickey(self._endpoint.user, key))
        except paramiko.AuthenticationException:
            return False
        except paramiko.SSHException as error:
            # An agent that refuses to sign, or a kind of key the host does not take.
            if not self._transport.is_active():
                raise
            self._tried[-1] += f" ({clean_line(str(error))})"
            return False
        return True

    def _try_password(self) -> bool:
        if not self._allowed & {"password", "keyboard-interactive"}:
            return False
        user, name = self._endpoint.user, self._endpoint.name
        for attempt in range(ATTEMPTS):
            again = " (the last one was wrong)" if attempt else ""
            secret = self._asker.password(name, f"password of {user} on {name}{again}")
            if secret is None:
                self._tried.append("password (nobody could give it)")
                return False
            self._tried.append("password")
            try:
                self._transport.auth_password(user, secret.reveal())
            except paramiko.AuthenticationException:
                continue
            return self._transport.is_authenticated()
        return False

    def _refused(self, fix: str) -> AuthenticationError:
        tried = "; ".join(self._tried) or "nothing, as there is no key for it"
        offered = ", ".join(sorted(self._allowed)) or "nothing"
        return AuthenticationError(
            f"{self._endpoint.user}@{self._endpoint.address} did not let us in."
            f" Tried: {tried}. The host takes: {clean_line(offered)}",
            fix=fix,
            host=self._endpoint.name,
        )


def _agent() -> paramiko.Agent | None:
    try:
        return paramiko.Agent()
    except (paramiko.SSHException, OSError):
        return None  # an agent that does not answer is as good as none
