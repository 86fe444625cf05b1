"""Sizes as people write them: `512MiB`, `4 GiB`, `1.5G`. Whole MiB inside."""

import math
import re
from decimal import Decimal

_UNITS = {"m": 1, "mb": 1, "mib": 1, "g": 1024, "gb": 1024, "gib": 1024, "t": 1 << 20}
_UNITS |= {"tb": 1 << 20, "tib": 1 << 20}
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)([mgt](?:i?b)?)")


def parse_size(text: str) -> int:
    """Return the MiB `text` means, rounded up; ValueError says what is wrong.

    As with virt-install and Kubernetes' people, `4G` and `4GB` are 4 GiB.
    """
    compact = "".join(text.split()).lower()
    if re.fullmatch(r"\d+(\.\d+)?", compact):
        raise ValueError(f"expected a unit: {compact}MiB or {compact}GiB")
    found = _SIZE.fullmatch(compact) if compact.isascii() else None
    if not found:
        raise ValueError("expected a size such as 512MiB, 4GiB or 1.5GiB")
    mib = math.ceil(Decimal(found[1]) * _UNITS[found[2]])
    if mib <= 0:
        raise ValueError("expected more than nothing, such as 4GiB")
    return mib


def format_size(mib: int) -> str:
    """Return the shortest spelling of so many MiB that `parse_size` reads back exactly."""
    return f"{mib // 1024}GiB" if mib % 1024 == 0 else f"{mib}MiB"
