"""The sudo password of one host: asked once, kept in memory only."""

from threading import Lock

from kubert_tui.base.errors import AuthenticationError
from kubert_tui.base.secrets import Secret
from kubert_tui.hosts.interface import Asker

ATTEMPTS = 3
"""How often one command asks for a password before it gives up."""


class SudoPassword:
    """Thread-safe: of several commands that need the password at once, one asks."""

    def __init__(self, host: str, user: str, asker: Asker) -> None:
        self._host = host
        self._user = user
        self._asker = asker
        self._lock = Lock()
        self._secret: Secret | None = None

    @property
    def current(self) -> Secret | None:
        """The password as far as it is known."""
        return self._secret

    def another(self, refused: Secret | None) -> Secret:
        """Return a password other than `refused` (None: none was given yet), asking if need be.

        Raises AuthenticationError when nobody can give one.
        """
        with self._lock:
            if self._secret is not None and self._secret is not refused:
                return self._secret
            again = " (the last one was wrong)" if refused is not None else ""
            prompt = f"sudo password of {self._user} on {self._host}{again}"
            secret = self._asker.sudo_password(self._host, prompt)
            if secret is None:
                raise AuthenticationError(
                    f"sudo wants the password of {self._user}, and nobody can give it",
                    fix="run the wizard to be asked, log in as root, or let this login use sudo"
                    " without a password",
                    host=self._host,
                )
            self._secret = secret
            return secret

    def forget(self, refused: Secret | None) -> None:
        """Drop `refused`, so that the next command asks anew."""
        with self._lock:
            if self._secret is refused:
                self._secret = None
