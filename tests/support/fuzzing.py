"""How much is fuzzed, and how a valid text becomes an almost valid one.

Profiles are registered in tests/conftest.py: `quick` (the default; the same cases every time) and
`long` (HYPOTHESIS_PROFILE=long, or pytest --hypothesis-profile=long), which looks for new ones.
"""

import random
import string
import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from kubert_tui.base.errors import KubertError

T = TypeVar("T")

LONG_CASES = 10_000

ESCAPES = (
    "\x1b[2J",
    "\x1b]0;owned\x07",
    "\x1bPq\x1b\\",
    "\x9b31m",
    "\u202e",
    "\u200b",
    "\0",
    "\r",
    "[red]x[/red]",
)
"""What a host or a file may hold to take over a terminal, or a face's markup."""

_CHARACTERS = (
    string.printable + "\x00\x1b\x7f\x85\x9b\u00e4\u200b\u202e\u2028\ufeff\ufffd\U0001f600"
)
_NUMBERS = ("-1", "0", "00000", "1e999", "9" * 17, "9" * 400, "NaN", "0x10", "\u0663", "1_0", "1.5")


def cases(quick: int, long: int = LONG_CASES // 10) -> settings:
    """Return settings for `quick` cases, or `long` ones in the long profile."""
    many = settings.get_current_profile_name() == "long"
    return settings(
        max_examples=long if many else quick,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def harmless(text: str) -> bool:
    """Whether a terminal shows `text` and does nothing else: spaces, but no controls at all."""
    return all(c.isprintable() or unicodedata.category(c) == "Zs" for c in text)


def check_told(error: KubertError, *, limit: int = 2000) -> None:
    """Fail unless an error can be shown: bounded, and nothing in it that acts on a terminal."""
    for text in (error.what, error.fix, error.details, error.host, *error.command):
        assert harmless(text.translate({9: " ", 10: " "})), text
        assert len(text) <= limit, text[:limit]
    assert error.what


def mutated(
    valid: Sequence[str], *, edits: int = 6, words: Sequence[str] = ()
) -> st.SearchStrategy[str]:
    """Texts that are `valid` ones but for some edits: cut, doubled, swapped, spliced, garbled."""
    return st.builds(
        _mutate,
        st.sampled_from(valid),
        st.sampled_from(valid),
        st.randoms(use_true_random=False),
        st.integers(min_value=1, max_value=edits),
        st.just((*words, *ESCAPES, *_NUMBERS)),
    )


def mutated_bytes(valid: Sequence[bytes], *, edits: int = 6) -> st.SearchStrategy[bytes]:
    """Bytes that are `valid` ones but for some edits."""

    def build(text: str, extra: bytes, at: int) -> bytes:
        data = text.encode("latin-1")
        at %= len(data) + 1
        return data[:at] + extra + data[at:]

    texts = mutated([data.decode("latin-1") for data in valid], edits=edits)
    plain = texts.map(lambda text: "".join(c if ord(c) < 256 else "\xff" for c in text))
    return st.builds(build, plain, st.binary(max_size=8), st.integers(0, 1 << 20))


def _mutate(text: str, other: str, chance: random.Random, edits: int, words: Sequence[str]) -> str:
    for _ in range(edits):
        text = chance.choice(_EDITS)(text, other, chance, words)
    return text


def _span(text: str, chance: random.Random, longest: int = 200) -> tuple[int, int]:
    start = chance.randint(0, len(text))
    return start, min(len(text), start + chance.randint(0, longest))


def _cut(text: str, _other: str, chance: random.Random, _words: Sequence[str]) -> str:
    start, end = _span(text, chance)
    return text[:start] + text[end:]


def _end(text: str, _other: str, chance: random.Random, _words: Sequence[str]) -> str:
    return text[: chance.randint(0, len(text))]


def _double(text: str, _other: str, chance: random.Random, _words: Sequence[str]) -> str:
    start, end = _span(text, chance)
    return text[:end] + text[start:end] * chance.choice((1, 1, 2, 50)) + text[end:]


def _splice(text: str, other: str, chance: random.Random, _words: Sequence[str]) -> str:
    start, end = _span(other, chance, 2000)
    at = chance.randint(0, len(text))
    return text[:at] + other[start:end] + text[at:]


def _garble(text: str, _other: str, chance: random.Random, _words: Sequence[str]) -> str:
    at = chance.randint(0, len(text))
    return text[:at] + chance.choice(_CHARACTERS) + text[at + chance.randint(0, 1) :]


def _word(text: str, _other: str, chance: random.Random, words: Sequence[str]) -> str:
    start, end = _span(text, chance, 6)
    return text[:start] + chance.choice(words) + text[end:]


def _line(text: str, other: str, chance: random.Random, _words: Sequence[str]) -> str:
    """Drop, repeat, move or borrow whole lines: the text stays well formed more often."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[at])
        case 2:
            lines.insert(chance.randrange(len(lines)), lines.pop(at))
        case _:
            lines.insert(at, chance.choice(other.split("\n")))
    return "\n".join(lines)


def _number(text: str, _other: str, chance: random.Random, words: Sequence[str]) -> str:
    """Change one number (or what stands beside it)."""
    digits = [at for at, character in enumerate(text) if character.isdigit()]
    if not digits:
        return _word(text, _other, chance, words)
    start = end = chance.choice(digits)
    while end < len(text) and text[end].isdigit():
        end += 1
    return text[:start] + chance.choice(_NUMBERS) + text[end:]


_EDITS: tuple[Callable[[str, str, random.Random, Sequence[str]], str], ...] = (
    _cut,
    _end,
    _double,
    _splice,
    _garble,
    _garble,
    _word,
    _word,
    _line,
    _line,
    _line,
    _number,
    _number,
)
