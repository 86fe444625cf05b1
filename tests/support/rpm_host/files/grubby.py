#!/usr/bin/python3
"""A stand-in for grubby, for practice hosts of the Fedora family.

It is not Fedora's program: it was written from grubby(8) and from what its output looks like in
public, and it knows Boot Loader Specification entries and GRUB's environment block only. It can do
what kubert-tui and its tests ask for; any other option is an error. Entries are sorted as GRUB's
blscfg sorts them: by rpm's comparison of versions, newest first.

Where the boot loader cannot read such entries by itself (Debian's GRUB), its menu is written anew
after each change: see `refresh-menu` beside this file.
"""

import argparse
import functools
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import rpm  # type: ignore[import-not-found]

ENTRIES = Path("/boot/loader/entries")
REFRESH = Path("/usr/lib/practice/refresh-menu")


@dataclass
class Entry:
    """One file of /boot/loader/entries."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.stem

    def get(self, key: str) -> str:
        for line in self.path.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == key:
                return value.strip()
        return ""

    @property
    def kernel(self) -> str:
        """The path as the running system has it; entries may leave /boot out."""
        return under_boot(self.get("linux"))

    def set_arguments(self, arguments: list[str]) -> None:
        lines = self.path.read_text().splitlines()
        changed = [
            f"options {' '.join(arguments)}" if line.startswith("options ") else line
            for line in lines
        ]
        self.path.write_text("\n".join(changed) + "\n")


def under_boot(path: str) -> str:
    return path if path.startswith("/boot/") else f"/boot{path}"


def entries() -> list[Entry]:
    def compare(one: Entry, other: Entry) -> int:
        order: int = rpm.labelCompare(("", one.get("version"), ""), ("", other.get("version"), ""))
        return order

    found = [Entry(path) for path in ENTRIES.glob("*.conf")]
    return sorted(found, key=functools.cmp_to_key(compare), reverse=True)


def default_index(found: list[Entry]) -> int:
    listed = subprocess.run(
        ["grub2-editenv", "-", "list"], capture_output=True, text=True, check=False
    )
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        if name == "saved_entry":
            for index, entry in enumerate(found):
                if value in (entry.id, entry.get("title"), str(index)):
                    return index
    # GRUB boots the first entry when the saved one is not there.
    return 0


def chosen(found: list[Entry], what: str) -> list[int]:
    """Return the indexes that a kernel path, DEFAULT, ALL, TITLE=... or numbers stand for."""
    if what == "ALL":
        return list(range(len(found)))
    if what == "DEFAULT":
        return [default_index(found)]
    if what.startswith("TITLE="):
        wanted = what.removeprefix("TITLE=")
        return [index for index, entry in enumerate(found) if entry.get("title") == wanted]
    if all(part.isdecimal() for part in what.split(",")):
        return [int(part) for part in what.split(",") if int(part) < len(found)]
    return [index for index, entry in enumerate(found) if entry.kernel == what]


def show(index: int, entry: Entry) -> None:
    root = [word for word in entry.get("options").split() if word.startswith("root=")]
    others = [word for word in entry.get("options").split() if not word.startswith("root=")]
    print(f"index={index}")
    print(f'kernel="{entry.kernel}"')
    print(f'args="{" ".join(others)}"')
    if root:
        print(f'root="{root[0].removeprefix("root=")}"')
    print(f'initrd="{under_boot(entry.get("initrd"))}"')
    print(f'title="{entry.get("title")}"')
    print(f'id="{entry.id}"')


def update(entry: Entry, added: list[str], removed: list[str]) -> None:
    def same(word: str, argument: str) -> bool:
        return word == argument or ("=" not in argument and word.partition("=")[0] == argument)

    kept = [
        word
        for word in entry.get("options").split()
        if not any(same(word, argument) for argument in removed)
        and word.partition("=")[0] not in [argument.partition("=")[0] for argument in added]
    ]
    entry.set_arguments(kept + added)


def main() -> int:
    parser = argparse.ArgumentParser(prog="grubby", allow_abbrev=False)
    parser.add_argument("--default-kernel", action="store_true")
    parser.add_argument("--default-index", action="store_true")
    parser.add_argument("--default-title", action="store_true")
    parser.add_argument("--info")
    parser.add_argument("--set-default")
    parser.add_argument("--update-kernel")
    parser.add_argument("--args", default="")
    parser.add_argument("--remove-args", default="")
    given = parser.parse_args()
    found = entries()
    if not found:
        print("grubby: there are no boot entries", file=sys.stderr)
        return 1
    default = default_index(found)
    if given.default_kernel:
        print(found[default].kernel)
    elif given.default_index:
        print(default)
    elif given.default_title:
        print(found[default].get("title"))
    elif what := given.info or given.set_default or given.update_kernel:
        indexes = chosen(found, what)
        if not indexes:
            print("The param", what, "is incorrect", file=sys.stderr)
            return 1
        if given.info:
            for index in indexes:
                show(index, found[index])
            return 0
        if given.set_default:
            entry = found[indexes[0]]
            subprocess.run(["grub2-editenv", "-", "set", f"saved_entry={entry.id}"], check=True)
            print(f"The default is {entry.path} with index {indexes[0]} and kernel {entry.kernel}")
        else:
            for index in indexes:
                update(found[index], given.args.split(), given.remove_args.split())
        subprocess.run([REFRESH], check=True)
    else:
        parser.error("nothing to do")
    return 0


if __name__ == "__main__":
    sys.exit(main())
