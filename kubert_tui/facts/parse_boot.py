"""Which kernel boots by default, from grubby, or from GRUB's menu and environment.

GRUB names its default by index, title or id, each level of a submenu after a `>`
(GRUB manual, "default"). Fedora's menu is made of Boot Loader Specification entries.
A one-shot entry (`grub-reboot`) is not the default and is left aside.
"""

import re
from dataclasses import dataclass, field

from kubert_tui.base.text import clean_line
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.sections import Sections, keyed

_DEFAULT = re.compile(r"""set default=["']?([^"']*)["']?$""")
_OPENS = re.compile(r"^(menuentry|submenu|function)\b.*\{\s*$")
_TITLE = re.compile(r"""^(?:menuentry|submenu)\s+(?:'([^']*)'|"([^"]*)"|(\S+))""")
_ID = re.compile(r"""(?:menuentry_id_option|--id)['"]?\s+['"]?([^'"\s]+)['"]?""")
_LINUX = re.compile(r"^linux(?:16|efi)?\s+(\S+)")
_DEPTH = 8


@dataclass(slots=True)
class MenuEntry:
    """An entry or submenu of GRUB's menu."""

    title: str = ""
    id: str = ""
    kernel: str = ""
    children: list["MenuEntry"] = field(default_factory=list)


def default_boot(sections: Sections) -> tuple[Fact[str], Fact[str]]:
    """Return the default entry (path, id or title) and the release of its kernel."""
    grubby = sections.line("grubby")
    if isinstance(grubby, Known):
        found = re.search(r"/\S*vmlinu[xz]\S*", grubby.value)
        if found:
            return Known(found[0]), release_of(found[0])
    return _from_grub(sections)


def release_of(path: str) -> Fact[str]:
    """Return the release in a kernel path: /boot/vmlinuz-REL, or MACHINE-ID/REL/linux."""
    name = re.search(r"vmlinu[xz]-(.+)$", path) or re.search(r"/([^/]+)/linux$", path)
    if name:
        return Known(clean_line(name[1]))
    return Unknown(f"no kernel release in {clean_line(path, limit=100)}")


def _from_grub(sections: Sections) -> tuple[Fact[str], Fact[str]]:
    menu = sections["grub-menu"]
    if isinstance(menu, Unknown):
        return menu, menu
    if menu.status != "0":
        why = "no GRUB menu was found" if menu.status in ("1", "2") else menu.complaint()
        return Unknown(why), Unknown(why)
    environment = sections["grub-environment"]
    saved = "" if isinstance(environment, Unknown) else _saved(environment.lines)
    wanted = _wanted(menu.lines, saved)
    entries = parse_menu(menu.lines)
    if any(line.strip().startswith("blscfg") for line in menu.lines):
        entries = _boot_entries(sections) + entries
    entry = find_entry(entries, wanted)
    if entry is None:
        why = f"GRUB's default {clean_line(wanted, limit=100)} is not in its menu"
        return Unknown(why), Unknown(why)
    return Known(clean_line(entry.id or entry.title or wanted)), release_of(entry.kernel)


def _saved(lines: list[str]) -> str:
    return keyed(lines, "=").get("saved_entry", "")


def _wanted(lines: list[str], saved: str) -> str:
    """Return the default that holds when no one-shot entry is set."""
    for line in reversed(lines):
        match = _DEFAULT.match(line.strip())
        if match and "next_entry" not in match[1]:
            return (saved or "0") if "saved_entry" in match[1] else match[1] or "0"
    return saved or "0"


def parse_menu(lines: list[str]) -> list[MenuEntry]:
    """Return the tree of menu entries in the lines of a grub.cfg."""
    root = MenuEntry()
    stack = [root]
    for line in map(str.strip, lines):
        if _OPENS.match(line):
            entry = MenuEntry()
            if not line.startswith("function"):
                title = _TITLE.match(line)
                identity = _ID.search(line)
                entry.title = next(filter(None, title.groups()), "") if title else ""
                entry.id = identity[1] if identity else ""
                stack[-1].children.append(entry)
            stack.append(entry)
        elif line.startswith("}"):
            if len(stack) > 1:
                stack.pop()
        elif (linux := _LINUX.match(line)) and not stack[-1].kernel:
            stack[-1].kernel = linux[1]
    return root.children


def find_entry(entries: list[MenuEntry], wanted: str) -> MenuEntry | None:
    """Return the entry GRUB boots for `wanted`: index, title or id; `>` goes into submenus."""
    whole = [entry for entry in entries if wanted and wanted in (entry.title, entry.id)]
    first, _, rest = ("", "", "") if whole else wanted.partition(">")
    entry = whole[0] if whole else _one(entries, first)
    for _ in range(_DEPTH):
        if entry is None or not entry.children:
            return entry
        first, _, rest = rest.partition(">")
        entry = _one(entry.children, first or "0")
    return None


def _one(entries: list[MenuEntry], name: str) -> MenuEntry | None:
    for entry in entries:
        if name and name in (entry.title, entry.id):
            return entry
    if re.fullmatch(r"[0-9]{1,4}", name, re.ASCII) and int(name) < len(entries):
        return entries[int(name)]
    return None


def _boot_entries(sections: Sections) -> list[MenuEntry]:
    """Return the entries of /boot/loader/entries as GRUB sorts them: newest version first."""
    lines = sections.lines("boot-entries")
    entries: dict[str, MenuEntry] = {}
    for line in [] if isinstance(lines, Unknown) else lines.value:
        path, _, setting = line.partition(":")
        key, _, value = setting.partition(" ")
        name = path.rpartition("/")[2].removesuffix(".conf")
        entry = entries.setdefault(name, MenuEntry(id=name))
        if key == "title":
            entry.title = value.strip()
        elif key == "linux":
            entry.kernel = value.strip()
    return sorted(entries.values(), key=lambda entry: _version_key(entry.id), reverse=True)


def _version_key(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts as versions do: numbers by value and above letters."""
    parts = re.findall(r"[0-9]{1,18}|[A-Za-z]+", name)
    return [(int(part), "") if part[0].isdecimal() else (-1, part) for part in parts]
