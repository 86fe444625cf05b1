"""Secrets live in memory only; everything that is written passes the redactor."""

import base64
import re
from functools import lru_cache
from threading import Lock
from urllib.parse import quote, quote_plus

MASK = "********"

_ENCODED_FROM = 6
"""Characters: encodings of anything shorter are too common to be masked."""
_CUT_FROM = 4
"""Characters of a secret that are masked where a line was cut in the middle of it."""
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_QUOTE = """(?:['"]|&quot;|&#x27;|&#39;)"""
_BEGINS = r"""(?<!['"\\])"""


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
        parts = {part.strip() for part in (value, *value.splitlines())}
        with self._lock:
            # Longest first, so that a secret inside another one cannot leave a rest behind.
            known = {*self._values, *filter(None, parts)}
            self._values = tuple(sorted(known, key=len, reverse=True))

    def redact(self, text: str) -> str:
        """Return `text` with every known secret masked, however it is written there."""
        for value in self._values:
            text = _form(value).mask(text)
        return text


class _Form:
    """How to recognise one secret: quoted and escaped any number of times, encoded, cut off."""

    def __init__(self, value: str) -> None:
        self._parts = _parts(value)
        self._whole = re.compile("".join(self._parts))
        # No escaping touches letters and digits: without these nothing has to be tried.
        self._sure = max(re.findall(r"[A-Za-z0-9]*", value), key=len)
        self._encoded = _encodings(value) if len(value) >= _ENCODED_FROM else ()
        self._beginning = re.compile("".join(self._parts[:_CUT_FROM]))

    def mask(self, text: str) -> str:
        for encoded in self._encoded:
            if encoded in text:
                text = text.replace(encoded, MASK)
        if self._sure in text:
            text = self._whole.sub(MASK, text)
        if "…" in text and len(self._parts) > _CUT_FROM and self._beginning.search(text):
            text = self._mask_cut(text)
        return text

    def _mask_cut(self, text: str) -> str:
        for length in range(len(self._parts) - 1, _CUT_FROM - 1, -1):
            text = re.sub("".join(self._parts[:length]) + r"\\*…", f"{MASK}…", text)
        return text


@lru_cache(maxsize=256)
def _form(value: str) -> _Form:
    return _Form(value)


def _parts(value: str) -> list[str]:
    """The expression for a secret, character by character; runs of blanks or quotes are one.

    Each may have backslashes before it: JSON, Python, shells and Ansible add them, one in another.
    Shells write one quote as several: `'"'"'`. A run that comes first is looked for where it
    begins only, so that long rows of its characters take no time.
    """
    parts: list[str] = []
    for run in re.findall(r"""\s+|\\+|['"]+|[^\s\\'"]""", value):
        if run.isspace():
            parts.append(r"\s+")
        elif run[0] == "\\":
            parts.append(rf"{'' if parts else _BEGINS}\\{{{len(run)},}}+")
        elif run[0] in "'\"":
            parts.append(rf"{'' if parts else _BEGINS}(?:\\*{_QUOTE})++")
        else:
            parts.append(rf"\\*{_character(run)}" if parts else _character(run))
    return parts


def _character(one: str) -> str:
    written = [re.escape(one)]
    if one in _ENTITIES:
        written = [_ENTITIES[one], re.escape(one), f"u{ord(one):04x}"]
    if not (one.isascii() and one.isprintable()):
        pairs = re.findall("....", one.encode("utf-16-be", errors="surrogatepass").hex())
        octets = one.encode("utf-8", errors="surrogatepass")
        written += [r"\\*".join(f"u{pair}" for pair in pairs), f"U{ord(one):08x}", "\ufffd"]
        written += [r"\\*".join(f"x{octet:02x}" for octet in octets), f"x{ord(one):02x}"]
    return f"(?:{'|'.join(written)})"


def _encodings(value: str) -> tuple[str, ...]:
    raw = value.encode("utf-8", errors="surrogatepass")
    plain = base64.b64encode(raw).decode().rstrip("=")
    found = {plain, plain.translate({43: "-", 47: "_"}), raw.hex(), raw.hex().upper()}
    found |= {quote(raw, safe=""), quote(raw), quote_plus(raw)} - {value}
    return tuple(sorted(found, key=len, reverse=True))


redactor = Redactor()
"""The one redactor of this process: `Secret` teaches it, journal and faces use it."""
