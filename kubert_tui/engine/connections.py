"""The connections of a run: made on demand, remade after a loss, closed at the end."""

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

from kubert_tui.engine.asking import Ask, ConnectionAsker, SecretStore
from kubert_tui.events.questions import Answer, Choice
from kubert_tui.hosts.connect import endpoint_of
from kubert_tui.hosts.interface import Asker, Host
from kubert_tui.hosts.named import Named
from kubert_tui.lab.model import HostSpec, Lab

Connect = Callable[[HostSpec, Lab, Asker], Host]


class Connections:
    """At most one connection per host. Thread-safe; different hosts connect side by side.

    A pod has a connection of its own to its node, made with what is known of the node.
    """

    def __init__(self, lab: Lab, connect_host: Connect) -> None:
        self._lab = lab
        self._connect = connect_host
        self._hosts: dict[str, Host] = {}
        self._asks: dict[str, Ask] = {}
        self._locks = {host.name: Lock() for host in lab.everyone}
        self.secrets = SecretStore()

    def host(self, name: str, ask: Ask, connected: Callable[[str, str], None]) -> Host:
        """Return the connection to a host; a new one is told to `connected(address, user)`."""
        # What a command asks for later (sudo's password) belongs to the stage that runs it.
        self._asks[name] = ask
        machine = self._lab.machine_of(name)
        with self._locks[machine]:
            if name not in self._hosts:
                spec = self._lab.host(machine)
                asker = ConnectionAsker(partial(self._ask, name), self.secrets)
                host = self._connect(spec, self._lab, asker)
                self._hosts[name] = host if machine == name else Named(host, name)
                connected(*self._where(spec))
            return self._hosts[name]

    def _ask(self, name: str, **told: Any) -> Answer:
        return self._asks[name](**told)

    def beside(self, spec: HostSpec) -> Host:
        """Return a new connection, with what is known already: nobody is asked.

        Whoever asks for it closes it.
        """
        return self._connect(spec, self._lab, ConnectionAsker(_nobody, self.secrets))

    def existing(self, name: str) -> Host | None:
        """Return the connection to a host if there is one; makes none and waits for nobody."""
        return self._hosts.get(name)

    def drop(self, name: str) -> None:
        """Close a connection, so that the next use makes a new one."""
        with self._locks[self._lab.machine_of(name)]:
            host = self._hosts.pop(name, None)
        if host is not None:
            host.close()

    def close(self) -> None:
        """Close all."""
        for name in tuple(self._hosts):
            self.drop(name)

    def _where(self, spec: HostSpec) -> tuple[str, str]:
        if spec.connection == "local":
            return "this machine", ""
        endpoint = endpoint_of(spec, self._lab)
        return f"{endpoint.address}:{endpoint.port}", endpoint.user


def _nobody(**_: object) -> Answer:
    """Answers for somebody who is not to be asked."""
    return Answer(Choice.NO)
