"""What changed between two states of one histogram, found without looking at every bucket."""

from collections.abc import Iterator, Sequence

_BLOCK = 128
"""Buckets compared at once: those of an idle stretch are the same objects, which is quick."""


def changes(before: Sequence[int], now: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield (us, change) of each bucket that is not what it was; both are of the same length."""
    if before == now:
        return
    for start in range(0, len(now), _BLOCK):
        old, new = before[start : start + _BLOCK], now[start : start + _BLOCK]
        if old == new:
            continue
        for offset, (was, is_now) in enumerate(zip(old, new, strict=True)):
            if was != is_now:
                yield start + offset, is_now - was
