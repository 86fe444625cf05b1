"""Secrets live in memory only; everything that is written passes the redactor."""

from threading import Lock

MASK = "********"


class Secret:
    """A password or passphrase. Neither `str` nor `repr` shows it; call `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        redactor.learn(value)

    def reveal(self) -> str:
        """Return the secret itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__


class Redactor:
    """Replaces every secret this process has learnt by a mask."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: tuple[str, ...] = ()

    def learn(self, value: str) -> None:
        """Remember `value` (its lines too) as something never to be shown."""
        parts = {value, *value.splitlines()}
        with self._lock:
            # Longest first, so that a secret inside another one cannot leave a rest behind.
            known = {*self._values, *(part for part in parts if part.strip())}
            self._values = tuple(sorted(known, key=len, reverse=True))

    def redact(self, text: str) -> str:
        """Return `text` with every known secret masked."""
        for value in self._values:
            if value in text:
                text = text.replace(value, MASK)
        return text


redactor = Redactor()
"""The one redactor of this process: `Secret` teaches it, journal and faces use it."""
