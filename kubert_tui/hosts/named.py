"""A host under another name: what is measured on it is told apart from the host itself."""

from pathlib import Path

from kubert_tui.hosts.interface import Completed, Host, Invocation


class Named:
    """`host`, called `name`: for whoever asks it, not for what happens there."""

    def __init__(self, host: Host, name: str) -> None:
        self._host = host
        self._name = name

    @property
    def name(self) -> str:
        """The other name."""
        return self._name

    @property
    def is_local(self) -> bool:
        """Whether it is the machine kubert-tui runs on."""
        return self._host.is_local

    def run(self, invocation: Invocation) -> Completed:
        """Run one command to its end."""
        return self._host.run(invocation)

    def put(self, data: bytes | Path, path: str, *, mode: int = 0o600, sudo: bool = False) -> None:
        """Write a file there."""
        self._host.put(data, path, mode=mode, sudo=sudo)

    def get(self, path: str, *, sudo: bool = False) -> bytes:
        """Return the content of a file there."""
        return self._host.get(path, sudo=sudo)

    def close(self) -> None:
        """End the connection."""
        self._host.close()
