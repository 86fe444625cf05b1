"""cyclictest's options, read back from a command line in all the ways it takes them."""

from collections.abc import Sequence

UNKNOWN_OPTIONS = ("(unknown options)",)
"""Stands for the options of an imported result that does not tell them."""

_FLAGS = "mSqnsuvtUN"
"""Letters that stand alone, or whose value may be left out: others can follow in the same word."""


def option(command: Sequence[str], *names: str) -> str:
    """Return the value of the last option of these names, else ``.

    `-i 200`, `-i200`, `-Smi200`, `--interval 200` and `--interval=200` are the same.
    """
    found = ""
    for index, word in enumerate(command):
        following = command[index + 1] if index + 1 < len(command) else ""
        for name in names:
            if name.startswith("--"):
                if word == name:
                    found = following
                elif word.startswith(f"{name}="):
                    found = word.partition("=")[2]
            elif word.startswith("-") and not word.startswith("--"):
                letters, letter, value = word[1:].partition(name[1:])
                if letter and not letters.strip(_FLAGS):
                    found = value or following
    return found


def number(command: Sequence[str], *names: str) -> int:
    """Return the number an option was given, else 0."""
    told = option(command, *names)
    return int(told[:9]) if told.isascii() and told.isdigit() else 0


def flag(command: Sequence[str], *names: str) -> bool:
    """Return whether an option without a value is there."""
    for word in command[1:]:
        if word in names:
            return True
        letters = word[1:] if word.startswith("-") and not word.startswith("--") else ""
        plain = letters[: len(letters) - len(letters.lstrip(_FLAGS))]
        if any(len(name) == 2 and name[1] in plain for name in names):
            return True
    return False
