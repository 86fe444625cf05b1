"""A fact of a host: known, or unknown with the reason. Unreadable is never False."""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Known(Generic[T_co]):
    """A fact that was read."""

    value: T_co


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that could not be read, and why (cleaned, one line)."""

    reason: str


Fact: TypeAlias = Known[T_co] | Unknown


NOT_LOOKED_AT = Unknown("not looked at")
"""Of what only some stages look at."""
