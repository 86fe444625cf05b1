"""Who answers while we connect: the user, once; then this process's memory."""

from dataclasses import replace
from threading import Lock
from typing import Protocol

from kubert_tui.ansible.request import HostSecrets
from kubert_tui.base.secrets import Secret
from kubert_tui.events.questions import Answer, Choice, QuestionKind
from kubert_tui.hosts.interface import HostKeyOffer


class Ask(Protocol):
    """Asks one question and waits (`Stream.ask` with stage and flag filled in)."""

    def __call__(
        self,
        *,
        host: str,
        kind: QuestionKind,
        text: str,
        details: str = "",
        confirm: str = "",
        choices: tuple[Choice, ...],
        secret: bool = False,
    ) -> Answer: ...


class SecretStore:
    """The secrets given so far, per host. In memory only. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_host: dict[str, HostSecrets] = {}
        self._passphrases: dict[str, Secret] = {}

    def of(self, host: str) -> HostSecrets:
        """Return what is known for a host; passphrases belong to keys, whoever uses them."""
        with self._lock:
            known = self._by_host.get(host, HostSecrets())
            return replace(known, passphrases=dict(self._passphrases))

    def keep(self, host: str, *, login: Secret | None = None, sudo: Secret | None = None) -> None:
        """Remember a password of a host."""
        with self._lock:
            old = self._by_host.get(host, HostSecrets())
            self._by_host[host] = replace(old, login=login or old.login, sudo=sudo or old.sudo)

    def keep_passphrase(self, key_file: str, passphrase: Secret) -> None:
        """Remember the passphrase of a private key."""
        with self._lock:
            self._passphrases[key_file] = passphrase


class ConnectionAsker:
    """Answers one connection attempt: from memory the first time, then by asking.

    A second request for the same secret means that the remembered one was wrong.
    """

    def __init__(self, ask: Ask, store: SecretStore) -> None:
        self._ask = ask
        self._store = store
        self._tried: set[tuple[str, str]] = set()
        self._one_at_a_time = Lock()

    def accept_host_key(self, offer: HostKeyOffer) -> bool:
        """Ask whether an unknown host key may be trusted."""
        answer = self._ask(
            host=offer.host,
            kind=QuestionKind.HOST_KEY,
            text=f"{offer.host} is new to us. Is this its host key?",
            details=(
                f"address      {offer.address} port {offer.port}\n"
                f"key          {offer.key_type}\n"
                f"fingerprint  {offer.fingerprint}\n\n"
                "Compare it with `ssh-keygen -lf` on the machine's own console."
            ),
            choices=(Choice.YES, Choice.NO),
        )
        return answer.choice is Choice.YES

    def password(self, host: str, prompt: str) -> Secret | None:
        """Return the login password, asking if need be."""
        secret = self._secret(host, "login", QuestionKind.PASSWORD, prompt)
        if secret:
            self._store.keep(host, login=secret)
        return secret

    def passphrase(self, host: str, key_file: str) -> Secret | None:
        """Return the passphrase of a key, asking if need be."""
        text = f"Passphrase of {key_file}"
        secret = self._secret(host, key_file, QuestionKind.PASSPHRASE, text)
        if secret:
            self._store.keep_passphrase(key_file, secret)
        return secret

    def sudo_password(self, host: str, prompt: str) -> Secret | None:
        """Return the sudo password, asking if need be."""
        secret = self._secret(host, "sudo", QuestionKind.SUDO_PASSWORD, prompt)
        if secret:
            self._store.keep(host, sudo=secret)
        return secret

    def _secret(self, host: str, what: str, kind: QuestionKind, text: str) -> Secret | None:
        with self._one_at_a_time:
            if (host, what) not in self._tried:
                self._tried.add((host, what))
                known = self._store.of(host)
                remembered = {"login": known.login, "sudo": known.sudo, **known.passphrases}
                if secret := remembered.get(what):
                    return secret
            answer = self._ask(
                host=host,
                kind=kind,
                text=text,
                choices=(Choice.YES, Choice.NO),
                secret=True,
            )
        return answer.secret if answer.choice is Choice.YES else None
