"""Durations as people write them: `60s`, `10m`, `1h30m`, `500ms`. Whole microseconds inside."""

import math
import re
from decimal import Decimal

LENGTH_LIMIT = 100
"""Characters of a duration."""

_UNITS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(us|ms|s|m|h|d)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def parse_duration(text: str) -> int:
    """Return the microseconds `text` means, rounded up; ValueError says what is wrong."""
    if len(text) > LENGTH_LIMIT:
        raise ValueError(f"expected at most {LENGTH_LIMIT} characters")
    compact = "".join(text.split()).lower()
    if re.fullmatch(r"\d+(\.\d+)?", compact):
        raise ValueError(f"expected a unit: {compact}s, {compact}m or {compact}h")
    if not compact.isascii() or not _WHOLE.fullmatch(compact):
        raise ValueError("expected a duration such as 60s, 10m, 2h or 1h30m")
    total = sum(Decimal(number) * _UNITS[unit] for number, unit in _PART.findall(compact))
    if total <= 0:
        raise ValueError("expected more than nothing, such as 60s")
    return math.ceil(total)


def format_duration(microseconds: int) -> str:
    """Return the shortest spelling of a duration that `parse_duration` reads back exactly."""
    if microseconds <= 0:
        return "0s"
    parts = []
    for unit in ("h", "m", "s", "ms", "us"):
        number, microseconds = divmod(microseconds, _UNITS[unit])
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts)
