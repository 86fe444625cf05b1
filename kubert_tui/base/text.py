"""Host output is untrusted: make it safe to show before anybody sees it.

Cleaned text holds no control characters (so no escape sequences), no bidirectional
overrides and no line longer than a bound. Markup is not handled here: faces show host
text only through calls that do not parse markup.
"""

import re
import unicodedata

LINE_LIMIT = 2000
"""Characters of one line that are kept."""

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]"  # two-character escapes
)
_KEPT_CONTROLS = {"\n", "\t"}


def clean(text: str | bytes, *, line_limit: int = LINE_LIMIT) -> str:
    """Return `text` without terminal escapes and control characters, long lines cut.

    Newlines and tabs stay (a carriage return starts a new line, as a progress bar means
    it); any other control, format or surrogate character becomes U+FFFD.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", errors="replace")
    text = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii() or not text.isprintable():
        text = "".join(c if _is_harmless(c) else "\ufffd" for c in text)
    if len(text) > line_limit:
        text = "\n".join(_cut(line, line_limit) for line in text.split("\n"))
    return text


def clean_line(text: str | bytes, *, limit: int = 200) -> str:
    """Return `text` cleaned and folded to a single line of at most `limit` characters."""
    return _cut(" ".join(clean(text).split()), limit)


def last_lines(text: str | bytes, count: int = 10) -> str:
    """Return the last `count` non-empty lines of `text`, cleaned."""
    lines = [line for line in clean(text).split("\n") if line.strip()]
    return "\n".join(lines[-count:])


def _is_harmless(character: str) -> bool:
    if character in _KEPT_CONTROLS or character.isprintable():
        return True
    # Of what Python does not call printable, only the other widths of a space are.
    return unicodedata.category(character) == "Zs"


def _cut(line: str, limit: int) -> str:
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
