"""The probe's output, cut into sections; and the way from a section to a fact.

Nothing here raises on what a host prints: a section that is missing, cut off or garbled
becomes `Unknown` with the reason.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from kubert_tui.base.text import clean, clean_line, last_lines
from kubert_tui.facts.fact import Fact, Known, Unknown

A = TypeVar("A")
B = TypeVar("B")

SECTION_LIMIT = 262_144
"""Bytes of one section; the probe's own limit."""
LINE_LIMIT = 4096
"""Bytes of a section that is one line."""
CPU_LIMIT = 65_536
"""Highest CPU number we believe."""

_CUT = "cut"
_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True)
class Section:
    """One section: what was looked at, how that ended, and what it gave."""

    subject: str
    status: str
    """Exit status as text; absent, denied or missing; cut if it reached the limit."""
    content: bytes

    @property
    def absent(self) -> bool:
        """Whether the file does not exist."""
        return self.status == "absent"

    @property
    def missing(self) -> bool:
        """Whether the command does not exist."""
        return self.status in ("missing", "127")

    @cached_property
    def lines(self) -> list[str]:
        """The non-empty lines of the content, cleaned."""
        return [line for line in clean(self.content).split("\n") if line.strip()]

    def complaint(self) -> str:
        """Why it gave nothing, in one line."""
        match self.status:
            case "absent":
                return f"{self.subject} does not exist"
            case "denied" | "13":
                return f"permission denied reading {self.subject}"
            case "missing" | "127":
                return f"command not found: {self.subject.split(' ')[0]}"
            case "124" | "137" | "143":
                return f"{self.subject} did not end in time"
            case "cut":
                return f"{self.subject} is longer than we read"
            case "0":
                return f"{self.subject} gave nothing that could be understood"
            case status:
                said = clean_line(last_lines(self.content[-LINE_LIMIT:], 1), limit=120)
                return f"{self.subject} failed with status {status}" + (f": {said}" if said else "")


class Sections:
    """All sections of one probe, by name."""

    def __init__(self, found: Mapping[str, Section], why_none: str = "") -> None:
        """`why_none` explains sections that are not there."""
        self._found = dict(found)
        self._why_none = why_none or "the probe's output ended before this"

    def __getitem__(self, name: str) -> Section | Unknown:
        return self._found.get(name, Unknown(self._why_none))

    def __len__(self) -> int:
        return len(self._found)

    def numbered(self, prefix: str) -> list[Section]:
        """Return the sections `prefix-1`, `prefix-2`, ... in that order."""
        result: list[Section] = []
        while (section := self._found.get(f"{prefix}-{len(result) + 1}")) is not None:
            result.append(section)
        return result

    def good(self, name: str) -> Fact[Section]:
        """Return the section if it ended with status 0, else why not."""
        section = self[name]
        if isinstance(section, Unknown):
            return section
        return Known(section) if section.status == "0" else Unknown(section.complaint())

    def line(self, name: str) -> Fact[str]:
        """Return the content of a one-line section; empty or binary is unknown."""
        section = self.good(name)
        if isinstance(section, Unknown):
            return section
        content = section.value.content[:LINE_LIMIT]
        if b"\0" in content.rstrip(b"\0\n"):
            return Unknown(f"{section.value.subject} is not text")
        text = clean_line(content, limit=LINE_LIMIT)
        return Known(text) if text else Unknown(f"{section.value.subject} is empty")

    def number(self, name: str) -> Fact[int]:
        """Return the content of a section that is one integer."""
        return then(self.line(name), lambda text: integer(text, name))

    def lines(self, name: str) -> Fact[list[str]]:
        """Return the non-empty lines of a section that ended with status 0."""
        return then(self.good(name), lambda section: Known(section.lines))

    def unless_absent(self, name: str, when_absent: A, read: Fact[A]) -> Fact[A]:
        """Return `when_absent` if the section's file does not exist by design, else `read`."""
        section = self[name]
        return Known(when_absent) if isinstance(section, Section) and section.absent else read


def split(output: bytes, nonce: str, why_none: str = "") -> Sections:
    """Cut the probe's output at the lines that begin with `nonce`.

    A section without its end line is left out, as is one that another one begins inside.
    """
    mark = re.escape(nonce.encode())
    # The probe prints a newline of its own before each mark, so the mark starts a line.
    marks = re.compile(rb"(?:\A|\n)" + mark + rb" (begin|end) ([^\n]*)\n")
    found: dict[str, Section] = {}
    opened: tuple[str, str, int] | None = None
    position = 0
    while (match := marks.search(output, position)) is not None:
        # The newline that ends one mark may also be the one that starts the next.
        position = match.end() - 1
        rest = clean_line(match[2], limit=500)
        if match[1] == b"begin":
            name, _, subject = rest.partition(" ")
            opened = (name, subject, match.end())
        elif opened is not None:
            name, subject, start = opened
            content = output[start : max(start, match.start())]
            status = rest if len(content) < SECTION_LIMIT else _CUT
            found.setdefault(name, Section(subject, status, content.removesuffix(b"\n")))
            opened = None
    return Sections(found, why_none)


def then(fact: Fact[A], read: Callable[[A], Fact[B]]) -> Fact[B]:
    """Go on from a known fact; an unknown one stays unknown with its reason."""
    return fact if isinstance(fact, Unknown) else read(fact.value)


def integer(text: str, what: str) -> Fact[int]:
    """Return `text` as an integer of at most 18 digits."""
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return Known(int(text))
    return Unknown(f"{what}: not a number: {clean_line(text, limit=40)}")


def cpu_list(text: str, what: str) -> Fact[tuple[int, ...]]:
    """Return the numbers of a kernel CPU list such as `0-3,8`; `` and `(null)` are empty."""
    text = text.strip()
    if text in ("", "(null)"):
        return Known(())
    numbers: set[int] = set()
    for part in text.split(","):
        bounds = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", part, re.ASCII)
        if not bounds:
            return Unknown(f"{what}: not a CPU list: {clean_line(text, limit=40)}")
        first, last = int(bounds[1]), int(bounds[2] or bounds[1])
        if last >= CPU_LIMIT:
            return Unknown(f"{what}: not a CPU list: {clean_line(text, limit=40)}")
        numbers.update(range(first, last + 1))
    return Known(tuple(sorted(numbers)))


def keyed(lines: list[str], separator: str = " ") -> dict[str, str]:
    """Return `key<separator>value` lines as a mapping; the first of equal keys counts."""
    result: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(separator)
        result.setdefault(key.strip(), value.strip())
    return result
