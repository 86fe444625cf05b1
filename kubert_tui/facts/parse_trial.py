"""What GRUB boots once, which kernel is on trial, and whether GRUB can boot anything just once.

GRUB keeps variables in its environment block, a file of exactly 1024 bytes, and forgets a one-shot
entry by overwriting that file's blocks on the disk before it boots the entry. It cannot do so on
LVM, RAID and file systems that keep checksums or compress (GRUB manual, "Environment block").
"""

import re

from kubert_tui.base.text import clean_line
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Trial
from kubert_tui.facts.sections import Section, Sections, keyed, then

ENVIRONMENT_SIZE = 1024
"""Bytes of an environment block that GRUB writes to."""

_RECORD = re.compile(r"([A-Za-z0-9][A-Za-z0-9._+~-]{0,127}),([0-9a-f-]{36})", re.ASCII)
_WRITABLE = ("ext2", "ext3", "ext4", "xfs", "vfat")
_PLAIN = re.compile(r"/dev/(?!mapper/|dm-|md|bcache|bd)[a-z]")
"""A disk's own partition: neither LVM nor RAID nor encrypted."""


def next_entry(sections: Sections) -> Fact[str]:
    """Return the entry of the next boot only; `` when there is none."""
    return then(_kept(sections), lambda kept: Known(clean_line(kept.get("next_entry", ""))))


def rejected(sections: Sections) -> Fact[str]:
    """Return the release whose last trial failed; `` when there is none."""
    return then(
        _kept(sections), lambda kept: Known(clean_line(kept.get("kubert_trial_failed", "")))
    )


def trial(sections: Sections) -> Fact[Trial | None]:
    """Return the trial that the environment block tells of; None when it tells of none."""
    return then(_kept(sections), _trial)


def one_shot(sections: Sections) -> Fact[str]:
    """Return why GRUB could not boot an entry just once; `` when it can."""
    section = sections["grub-one-shot"]
    if isinstance(section, Section) and section.status == "2":
        return Unknown("no GRUB menu was found")
    return then(sections.lines("grub-one-shot"), _one_shot)


def _kept(sections: Sections) -> Fact[dict[str, str]]:
    section = sections["grub-environment"]
    if isinstance(section, Section) and section.status in ("1", "2"):
        # No variable in it, or no file: nothing is kept.
        return Known({})
    return then(sections.lines("grub-environment"), lambda lines: Known(keyed(lines, "=")))


def _trial(kept: dict[str, str]) -> Fact[Trial | None]:
    record = kept.get("kubert_trial")
    if record is None:
        return Known(None)
    match = _RECORD.fullmatch(record)
    if not match:
        return Unknown(f"GRUB's kubert_trial is not ours: {clean_line(record, limit=60)}")
    ended = kept.get("kubert_trial_ended") == "unconfirmed"
    return Known(Trial(match[1], match[2], unconfirmed=ended))


def _one_shot(lines: list[str]) -> Fact[str]:
    said = keyed(lines)
    menu = {line for line in lines if line.startswith("menu ")}
    file = clean_line(said.get("file", "its environment block"), limit=100)
    mounted = said.get("mounted", "").split()
    if len(menu) < 2:
        return Known("its menu has no code for it")
    if said.get("size", str(ENVIRONMENT_SIZE)) != str(ENVIRONMENT_SIZE):
        return Known(f"{file} is not {ENVIRONMENT_SIZE} bytes long")
    if len(mounted) != 3 or "," not in mounted[2]:
        return Unknown(f"findmnt cannot tell what {file} lies on")
    source, system, options = (clean_line(word, limit=60) for word in mounted)
    if "ro" in options.split(","):
        return Known(f"{file} lies on a file system that is mounted read-only")
    if system not in _WRITABLE:
        return Known(f"{file} lies on {system}, which GRUB cannot safely write to")
    if not _PLAIN.match(source):
        return Known(f"{file} lies on {source}, which GRUB cannot write to")
    return Known("")
