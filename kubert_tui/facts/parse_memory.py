"""Memory, hugepages, and what the kernel does with pages behind our back."""

import re

from kubert_tui.base.text import clean_line
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Memory
from kubert_tui.facts.sections import Sections, integer, keyed, then

_HUGEPAGES = re.compile(r"/(hugepages-[0-9]{1,12}kB)/nr_hugepages:([0-9]{1,12})$", re.ASCII)


def memory(sections: Sections) -> Memory:
    """Return sizes in bytes, hugepages by size, and the THP and KSM modes."""
    return Memory(
        total=_meminfo(sections, "MemTotal"),
        available=_meminfo(sections, "MemAvailable"),
        hugepages=then(sections.lines("hugepages"), _hugepages),
        # Kernels built without them (PREEMPT_RT ones often are) cannot use them either.
        transparent_hugepages=sections.unless_absent(
            "thp", "never", then(sections.line("thp"), _chosen)
        ),
        ksm=sections.unless_absent("ksm", 0, sections.number("ksm")),
        swap_total=_meminfo(sections, "SwapTotal"),
    )


def _meminfo(sections: Sections, key: str) -> Fact[int]:
    def look(lines: list[str]) -> Fact[int]:
        value = keyed(lines, ":").get(key)
        if value is None:
            return Unknown(f"/proc/meminfo has no {key}")
        kibibytes = integer(value.removesuffix("kB"), key)
        return then(kibibytes, lambda number: Known(number * 1024))

    return then(sections.lines("meminfo"), look)


def _hugepages(lines: list[str]) -> Fact[dict[str, int]]:
    sizes: dict[str, int] = {}
    for line in lines:
        match = _HUGEPAGES.search(line)
        if not match:
            return Unknown(f"hugepages not understood: {clean_line(line, limit=60)}")
        sizes[match[1]] = int(match[2])
    return Known(sizes)


def _chosen(text: str) -> Fact[str]:
    """Return the word in brackets of `always [madvise] never`."""
    match = re.search(r"\[(\w{1,20})\]", text)
    return Known(match[1]) if match else Unknown(f"THP mode not understood: {text[:40]}")
